"""`audit verify`: whether anybody rewrote the log."""

from __future__ import annotations

import re
from pathlib import Path

import click

from webapp.cli import runtime
from webapp.services import audit

_ANCHOR = re.compile(r"(?:largesse-audit )?([0-9]{1,12}) ([0-9a-f]{64})")


@click.group(name="audit")
def group() -> None:
    """Check the audit log."""


@group.command()
@click.option(
    "--anchor",
    "anchor",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file kept elsewhere with lines «position digest», as this command prints them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
def verify(anchor: Path | None, *, as_json: bool) -> None:
    """Walk the whole chain: finds an entry that was changed, taken out, put in or moved. Exit 1 when one was.

    Only an anchor kept elsewhere can show that the end was cut off.
    """
    with runtime.session() as session:
        found = audit.verify(session, _anchors(anchor) if anchor else ())
    if as_json:
        runtime.echo_json(
            {
                "holds": found.holds,
                "entries": found.head.position,
                "waiting": found.waiting,
                "head": found.head.digest,
                "problems": list(found.problems),
            }
        )
    else:
        for problem in found.problems:
            click.echo(problem)
        word = "holds" if found.holds else "does not hold"
        click.echo(f"The log {word}: {found.head.position:,} entries in the chain, {found.waiting:,} not linked yet.")
        click.echo(f"{found.head.position} {found.head.digest}")
    if not found.holds:
        raise click.exceptions.Exit(1)


def _anchors(path: Path) -> list[audit.Head]:
    anchors = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            found = _ANCHOR.fullmatch(line.strip())
            if found is None:
                raise click.ClickException(f"Line {number} of {path.name} is not «position digest»: «{line[:60]}».")
            anchors.append(audit.Head(int(found[1]), found[2]))
    return anchors


commands: list[click.Command] = [group]
