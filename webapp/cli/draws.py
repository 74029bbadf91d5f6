"""`draw verify` and `draw bundle`: the evidence of a draw, with and without a database."""

from __future__ import annotations

from pathlib import Path

import click

from webapp.domain.protocol import bundle as protocol
from webapp.domain.protocol.errors import ProtocolError


@click.group()
def draw() -> None:
    """Check or write the evidence of a draw."""


@draw.command()
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@click.pass_context
def verify(context: click.Context, bundle: Path) -> None:
    """Recompute the draw in BUNDLE, a zip or a folder, from its own bytes. Needs no database."""
    try:
        report = protocol.verify(bundle)
    except ProtocolError as error:
        raise click.ClickException(str(error)) from error
    for line in report.lines:
        click.echo(line)
    if report.ok:
        click.echo("The draw holds. Compare the lines marked «look» with what was given out before the draw.")
        return
    click.echo(f"The draw does not hold: {len(report.failures)} of the checks failed.", err=True)
    context.exit(1)


@draw.command()
@click.argument("reward")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Zip to write.")
def bundle(reward: str, output: Path) -> None:
    """Write the evidence of the draw of REWARD (its name, as in its address)."""
    from webapp.app import create_app
    from webapp.cli import runtime
    from webapp.queries import draws as read
    from webapp.web import evidence

    app = create_app(runtime.settings())
    part = output.with_name(output.name + ".part")
    with runtime.session() as session, app.app_context():
        pieces = evidence.stream(session, read.sheet(session, reward, None).draw.reference)
        with part.open("wb") as file:
            for piece in pieces:
                file.write(piece)
    part.replace(output)
    click.echo(f"{output}: {output.stat().st_size:,} bytes")


commands: list[click.Command] = [draw]
