"""`migrate`, `backup`, `check`, `tick`: what keeps an installation whole."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from webapp.adapters import backups, clock, schema
from webapp.cli import runtime
from webapp.domain.errors import Refused
from webapp.queries.invariants import INVARIANTS, broken


@click.command()
@click.option(
    "--no-backup", is_flag=True, help="Go on without a backup, for instance because the server makes its own."
)
def migrate(*, no_backup: bool) -> None:
    """Bring the database to this program's schema, with a backup first."""
    engine, settings = runtime.engine(), runtime.settings()
    with runtime.told_plainly():
        found, head = schema.revision(engine), schema.head()
    if found == head:
        click.echo(f"The database is already at schema {head}.")
        return
    if not schema.is_known(found):
        raise Refused("schema.newer", f"The database is at schema {found}, which is newer than this program.")
    if found is not None and not no_backup:
        folder = settings.instance / "backups"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = backups.write(settings.database, folder / backups.name_for(settings.database, found, clock.now()))
        click.echo(f"Backup: {kept.path} ({kept.size:,} bytes)")
    with runtime.told_plainly():
        schema.upgrade(engine)
    click.echo(f"The database went from schema {found or 'none'} to {head}.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print path, size and SHA-256 as an object.")
def backup(file: Path, *, as_json: bool) -> None:
    """Write a whole copy of the database to FILE while it is in use, check it, and put its SHA-256 beside it."""
    runtime.require_schema()
    kept = backups.write(runtime.settings().database, file)
    if as_json:
        runtime.echo_json(asdict(kept))
    else:
        click.echo(f"{kept.path}: {kept.size:,} bytes, SHA-256 {kept.sha256}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what was done as an object.")
def tick(*, as_json: bool) -> None:
    """Do once whatever the scheduler would do now; a cron job can take its place."""
    from webapp.scheduler import Scheduler  # no other command here needs it

    runtime.require_schema()
    done = Scheduler(runtime.settings(), runtime.sessions).tick()
    if as_json:
        runtime.echo_json(done)
    else:
        click.echo(", ".join(f"{name} {number:,}" for name, number in done.items()))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects with name, promise and rows.")
def check(*, as_json: bool) -> None:
    """Ask the database whether every invariant holds; exit 1 and name the rows when one does not."""
    with runtime.session() as session, runtime.progress(INVARIANTS, "Checking") as bar:
        found = [(item, broken(session, item)) for item in bar]
    bad = [(item, rows) for item, rows in found if rows]
    if as_json:
        runtime.echo_json([{"name": item.name, "promise": item.promise, "rows": rows} for item, rows in found])
    else:
        for item, rows in bad:
            click.echo(f"{item.name}: {item.promise} Broken by: {', '.join(rows)}")
        click.echo(f"{len(found)} invariants, {len(bad)} broken.")
    if bad:
        raise click.exceptions.Exit(1)


commands: list[click.Command] = [migrate, backup, tick, check]
