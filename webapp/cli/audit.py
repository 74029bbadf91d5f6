"""`audit verify`: whether anybody rewrote the log; `audit anchor`: its end, told outside the database."""

from __future__ import annotations

from pathlib import Path

import click

from webapp.cli import runtime
from webapp.domain.audit import anchor_line, read_anchors
from webapp.services import audit


@click.group(name="audit")
def group() -> None:
    """Check the audit log."""


@group.command()
@click.option(
    "--anchor",
    "anchor",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file kept elsewhere: lines as «audit anchor» and this command write them, or a message that was sent.",
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
        click.echo(anchor_line(found.head.position, found.head.digest))
    if not found.holds:
        raise click.exceptions.Exit(1)


def _anchors(path: Path) -> list[audit.Head]:
    try:
        found = read_anchors(path.read_text(encoding="utf-8", errors="replace"))
    except ValueError as error:
        raise click.ClickException(f"{path.name}: {error}") from None
    if not found:
        raise click.ClickException(f"{path.name} holds no anchor: a line «largesse-audit 12 3f9a…» is one.")
    return [audit.Head(*anchor) for anchor in found]


@group.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def anchor(file: Path) -> None:
    """Add the end of the log to FILE, best on another machine's disk, and note that it was told there.

    Run it by the hour; `audit verify --anchor FILE` then checks every line of it.
    """
    head = runtime.write(lambda work: audit.anchor_in_file(work, file.name))
    if head is None:
        raise click.ClickException("Nothing is linked yet; run «tick» first, or wait a few seconds.")
    line = anchor_line(head.position, head.digest)
    with file.open("a", encoding="utf-8") as out:
        out.write(f"{line}\n")
    click.echo(line)


commands: list[click.Command] = [group]
