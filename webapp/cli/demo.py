"""`demo`: a database of its own with a lively sample programme, and the server on it."""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from webapp.adapters import clock, schema
from webapp.adapters.engines import engine_options
from webapp.cli import runtime
from webapp.config import Settings
from webapp.demo.programme import SCALES, Builder, SignIn

FOLDER = "demo"
SIGN_INS = "sign-ins.json"


def prepare(folder: Path, port: int, scale: str, *, fresh: bool) -> tuple[Settings, list[SignIn]]:
    """The demo's settings and its ways in; builds what is not there. A build that was cut short starts again."""
    if fresh or not (folder / SIGN_INS).is_file():
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = folder / "secret_key"
    if not key.is_file():
        key.touch(mode=0o600)
        key.write_text(secrets.token_urlsafe(48))
    settings = Settings(
        secret_key=key.read_text(),
        instance=folder,
        public_url=f"http://localhost:{port}",
        smtp_url=f"file:{folder / 'mail'}",
        mail_from="largesse@harbour.example",
        webhooks="file",
        insecure_local=True,
    )
    ways = folder / SIGN_INS
    if not ways.is_file():
        found = _build(settings, scale)
        ways.touch(mode=0o600)
        ways.write_text(json.dumps([asdict(way) for way in found], indent=1))
    return settings, [SignIn(**way) for way in json.loads(ways.read_text())]


def _build(settings: Settings, scale: str) -> list[SignIn]:
    click.echo("Building the sample programme …", err=True)
    engine = create_engine(settings.database, **engine_options(settings.database, settings.threads))
    try:
        schema.upgrade(engine)
        builder = Builder(lambda: Session(engine, expire_on_commit=False), clock.now(), settings, scale)
        return builder.build()
    finally:
        engine.dispose()


@click.command()
@click.option("--port", default=8400, show_default=True, type=click.IntRange(1, 65535), help="Port on this machine.")
@click.option("--fresh", is_flag=True, help="Throw the old sample programme away and build a new one.")
@click.option("--scale", default="small", show_default=True, type=click.Choice(list(SCALES)), help="How much data.")
def demo(port: int, scale: str, *, fresh: bool) -> None:
    """Build a sample programme if there is none, print how to sign in, and serve it on this machine."""
    runtime.require_free("127.0.0.1", port)
    settings, ways = prepare(Settings.from_environment().instance / FOLDER, port, scale, fresh=fresh)
    click.echo(f"\nLargesse is at {settings.public_url}\n")
    for way in ways:
        click.echo(f"  {way.role:<16} {way.email:<26} {way.password}")
    click.echo("\nDraws are sealed by the editor and drawn by the draw supervisor. Stop with Ctrl-C.\n")

    from webapp.cli import serving

    serving.serve(settings, "127.0.0.1", port)


commands: list[click.Command] = [demo]
