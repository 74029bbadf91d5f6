"""`import`: check a file and import its rows, with the same rules and jobs as the console."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from threading import Thread
from typing import Any

import click

from webapp.adapters import collector, spreadsheets
from webapp.cli import runtime
from webapp.domain import import_columns
from webapp.domain.errors import Refused
from webapp.domain.import_columns import ImportKind
from webapp.domain.import_options import ArchivedRows, EmptyCells, KnownRows
from webapp.domain.imports import ImportContract, ImportStatus, Outcome
from webapp.domain.jobs import FINISHED
from webapp.jobs import registry
from webapp.jobs.runner import Runner
from webapp.queries import files
from webapp.queries import imports as read
from webapp.queries import jobs as read_jobs
from webapp.queries import rewards as read_rewards
from webapp.queries.imports import RunSheet
from webapp.services import imports
from webapp.services.import_steps import MOST_PROBLEMS
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadEntries, UploadRows
from webapp.services.work import Work

_LOOK_AGAIN = 0.2  # seconds
_Option = Callable[[Callable[..., None]], Callable[..., None]]


def _choice(kind: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([str(value) for value in kind])


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What both kinds of files take."""
    encodings = click.Choice(list(spreadsheets.ENCODINGS))
    options: list[_Option] = [
        click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
        click.option("--dry-run", is_flag=True, help="Check the file and write nothing but the rejects file."),
        click.option("--good-rows", is_flag=True, help="Import the good rows although there are bad ones."),
        click.option("--encoding", type=encodings, help="For files that are not Unicode."),
        click.option("--known", type=_choice(KnownRows), help="What rows do to what is known already."),
        click.option("--empty", type=_choice(EmptyCells), help="What empty cells do, where rows replace."),
        click.option("--archived", type=_choice(ArchivedRows), help="What rows do about what is archived."),
        click.option("--json", "as_json", is_flag=True, help="Print the counts and problems as an object."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(name="import")
def group() -> None:
    """Check a file and import its rows; rejects go to FILE.rejects.csv."""


@group.command()
@_options
@click.option("--reward", required=True, help="Name of the reward, as in its address.")
def entries(file: Path, reward: str, **options: Any) -> None:
    """Import the entrants in FILE into a reward that takes entries."""
    with runtime.session() as session:
        reward_id = read_rewards.id_of(session, reward, None)
    _import(file, lambda work, incoming: imports.upload(work, UploadEntries(reward_id, incoming)), **options)


def _command(kind: ImportKind) -> click.Command:
    """The command of a kind of rows that belong to no reward."""

    @click.command(name=str(kind), help=f"Import the {import_columns.ROWS[kind][1]} in FILE. {_HELP[kind]}")
    @_options
    def run(file: Path, **options: Any) -> None:
        _import(file, lambda work, incoming: imports.upload_rows(work, UploadRows(kind, incoming)), **options)

    return run


_HELP = {
    ImportKind.PROFILES: "New ones are created, what is empty on known ones is filled in, unless --known says otherwise.",
    ImportKind.ORGANISATIONS: "The id says which; new ones are created, known ones changed.",
    ImportKind.GROUPS: "The name says which; new ones are created, known ones changed.",
    ImportKind.MEMBERSHIPS: "A person by member id or e-mail, a group by name, an organisation by id.",
    ImportKind.MODULES: "The site and path say which; new ones are created, known ones changed.",
    ImportKind.COMPLETIONS: "A person by member id or e-mail, a module by site and path.",
    ImportKind.TIERS: "The name says which; a rank is one tier's alone.",
    ImportKind.LOCATIONS: "The id says which; new ones are created, known ones changed.",
    ImportKind.ORGANISATION_TYPES: "The name says which; new ones are created, known ones changed.",
    ImportKind.SITES: "The name says which; new ones are created, known ones changed.",
}
for _kind in _HELP:
    group.add_command(_command(_kind))


def _import(
    file: Path,
    upload: Callable[[Work, IncomingFile], Any],
    *,
    dry_run: bool,
    good_rows: bool,
    encoding: str | None,
    as_json: bool,
    **chosen: str | None,
) -> None:
    run_id = _uploaded(file, upload, encoding or spreadsheets.AUTOMATIC, chosen)
    sheet = _checked(run_id)
    _keep_rejects(sheet, file)
    if as_json:
        runtime.echo_json(_report(run_id))
    run = sheet.run
    found = f"{run.good_count:,} good, {run.duplicate_count:,} duplicate and {run.bad_count:,} bad of {run.record_count:,} records"
    if dry_run:
        _say(f"{found}; nothing was imported.", as_json=as_json)
        return
    if not run.good_count and (good_rows or not run.bad_count):
        _say(f"{found}; there is nothing to import.", as_json=as_json)
        return
    contract = ImportContract.GOOD_ROWS if good_rows else ImportContract.ALL_OR_NOTHING
    runtime.write(lambda work: imports.apply(work, ApplyImport(run_id, contract)))
    done = _finish(run_id, imports.APPLY, "Importing")
    _say(f"{found}; {_outcome(done)}.", as_json=as_json)


def _outcome(sheet: RunSheet) -> str:
    run = sheet.run
    if run.kind == ImportKind.ENTRIES:
        return f"{run.entry_count:,} entries and {run.created_count:,} new people imported into {sheet.target}"
    return f"{run.created_count:,} new and {run.changed_count:,} changed {import_columns.ROWS[ImportKind(run.kind)][1]}"


def _say(words: str, *, as_json: bool) -> None:
    click.echo(words, err=as_json)


def _uploaded(
    file: Path, upload: Callable[[Work, IncomingFile], Any], encoding: str, chosen: Mapping[str, str | None]
) -> int:
    with file.open("rb") as stream:
        survey = spreadsheets.survey(stream, file.name, encoding)
        incoming = IncomingFile(file.name, survey, spreadsheets.Pieces(stream))
        run = runtime.write(lambda work: upload(work, incoming))
    places = imports.positions(run.mapping, list(run.headings))
    runtime.write(lambda work: imports.choose_columns(work, _columns(run.id, places, chosen)))
    return int(run.id)


def _columns(run_id: int, places: Mapping[str, int | None], chosen: Mapping[str, str | None]) -> ChooseColumns:
    known, empty, archived = (chosen.get(name) for name in ("known", "empty", "archived"))
    return ChooseColumns(
        run_id,
        places,
        KnownRows(known) if known else None,
        EmptyCells(empty) if empty else None,
        ArchivedRows(archived) if archived else None,
    )


def _checked(run_id: int) -> RunSheet:
    sheet = _finish(run_id, imports.CHECK, "Checking")
    if sheet.run.status is ImportStatus.REFUSED:
        raise Refused("import.refused", sheet.run.problem)
    return sheet


def _finish(run_id: int, kind: str, label: str) -> RunSheet:
    """Run the job here, or wait while the server runs it; a bar on a terminal shows how far it is."""
    subject = f"import_runs:{run_id}"
    runner = Runner(runtime.sessions, registry.kinds(), settings=runtime.settings())
    collector.settle()
    with click.progressbar(length=1, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        while True:
            worker = Thread(target=runner.drain, daemon=True)
            worker.start()
            while worker.is_alive():
                worker.join(_LOOK_AGAIN)
                if sys.stderr.isatty():
                    _show(bar, subject, kind)
            job = _job(subject, kind)
            if job.status in FINISHED:
                break
    if job.error:
        raise Refused("job.failed", job.error)
    with runtime.session() as session:
        return read.sheet(session, run_id, None)


def _job(subject: str, kind: str) -> Any:
    with runtime.session() as session:
        return read_jobs.latest(session, subject, kind)


def _show(bar: Any, subject: str, kind: str) -> None:
    job = _job(subject, kind)
    if job.total:
        bar.length = job.total
        bar.update(job.done - bar.pos)


def _keep_rejects(sheet: RunSheet, file: Path) -> None:
    """Beside the file, whole or not at all."""
    if sheet.run.rejects_file_id is None:
        return
    target = file.with_name(f"{file.name}.rejects.csv")
    half = target.with_name(f"{target.name}.part")
    with runtime.session() as session, half.open("wb") as out:
        out.writelines(files.read(session, sheet.run.rejects_file_id))
    half.replace(target)
    click.echo(f"The bad rows are in {target}.", err=True)


def _report(run_id: int) -> dict[str, Any]:
    """The object that product.md section 4 fixes."""
    with runtime.session() as session:
        run = read.sheet(session, run_id, None).run
        problems = read.problems(session, run_id, Outcome.BAD, size=2 * MOST_PROBLEMS)
    return {
        "records": run.record_count,
        "good": run.good_count,
        "duplicates": run.duplicate_count,
        "bad": run.bad_count,
        "problems": [
            {"line": row.line, "column": row.column, "value": row.value, "reason": row.reason} for row in problems
        ],
    }


commands: list[click.Command] = [group]
