"""`doctor`: settings and health, line by line."""

from __future__ import annotations

from dataclasses import asdict

import click

from webapp.cli import runtime
from webapp.cli.examination import FAIL, WARN, examine

_COLOURS = {WARN: "yellow", FAIL: "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects with name, status and message.")
def doctor(*, as_json: bool) -> None:
    """Check settings, database, files, clock, printing, mail and scheduler; exit 1 when something fails."""
    checks = examine(runtime.settings())
    failed = sum(check.status == FAIL for check in checks)
    if as_json:
        runtime.echo_json([asdict(check) for check in checks])
    else:
        for check in checks:
            word = click.style(f"{check.status:<5}", fg=_COLOURS.get(check.status, "green"))
            click.echo(f"{word} {check.name}: {check.message}")
        warned = sum(check.status == WARN for check in checks)
        click.echo(f"{len(checks)} checks: {failed} failed, {warned} with a warning.")
    if failed:
        raise click.exceptions.Exit(1)


commands: list[click.Command] = [doctor]
