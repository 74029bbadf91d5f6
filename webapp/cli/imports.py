"""`import`: check a file and import its rows, with the same rules and jobs as the console."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webapp.adapters import spreadsheets
from webapp.cli import code_imports, runtime, waiting
from webapp.domain import import_columns
from webapp.domain.benefit_batches import Audience
from webapp.domain.errors import Conflict, Refused
from webapp.domain.exports import unguard
from webapp.domain.import_columns import ImportKind
from webapp.domain.import_options import ArchivedRows, EmptyCells, KnownRows
from webapp.domain.imports import ImportContract, ImportStatus, Outcome
from webapp.queries import benefit_batches as read_batches
from webapp.queries import benefit_definitions as read_definitions
from webapp.queries import files as read_files
from webapp.queries import imports as read
from webapp.queries import rewards as read_rewards
from webapp.queries.imports import RunSheet
from webapp.services import import_discards, imports
from webapp.services.benefits import batches
from webapp.services.benefits.batches import PlanBatch, StartBatch, WithdrawBatch
from webapp.services.import_discards import DiscardImport
from webapp.services.import_steps import MOST_PROBLEMS
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadEntries, UploadRows
from webapp.services.work import Work

if TYPE_CHECKING:
    from webapp.models import ImportRun

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
    ImportKind.FACTS: "The name says which; new ones are created, known ones archived or brought back at most.",
    ImportKind.ORGANISATIONS: "The id says which; new ones are created, known ones changed.",
    ImportKind.GROUPS: "The name says which; new ones are created, known ones changed.",
    ImportKind.MEMBERSHIPS: "A person by member id or e-mail, a group by name, an organisation by id.",
    ImportKind.MODULES: "The site and path say which; new ones are created, known ones changed.",
    ImportKind.COMPLETIONS: "A person by member id or e-mail, a module by site and path.",
    ImportKind.TIERS: "The name says which; a rank is one tier's alone.",
    ImportKind.LOCATIONS: "The id says which; new ones are created, known ones changed.",
    ImportKind.ORGANISATION_TYPES: "The name says which; new ones are created, known ones changed.",
    ImportKind.SITES: "The name says which; new ones are created, known ones changed.",
    ImportKind.DEFINITIONS: "The handle says which; new ones are drafts unless is_published says yes and nothing stops that.",
    ImportKind.REWARDS: "The name says which; new ones are drafts, and of known ones a draft alone can be changed.",
}
for _kind in _HELP:
    group.add_command(_command(_kind))


def _import(
    file: Path,
    upload: Callable[[Work, IncomingFile], ImportRun],
    *,
    dry_run: bool,
    good_rows: bool,
    encoding: str | None,
    as_json: bool,
    **chosen: str | None,
) -> None:
    run = _uploaded(file, upload, encoding or spreadsheets.AUTOMATIC)
    with _thrown_away(run.id):
        _go_on(run, file, chosen, dry_run=dry_run, good_rows=good_rows, as_json=as_json)


@contextmanager
def _thrown_away(run_id: int) -> Iterator[None]:
    """However it ends: an upload of which nothing was imported waits for nobody (reliability.md P24)."""
    try:
        yield
    finally:
        with suppress(Refused, Conflict):  # it was imported, refused, or is under way still
            runtime.write(lambda work: import_discards.discard(work, DiscardImport(run_id)))


def _go_on(
    run: ImportRun, file: Path, chosen: Mapping[str, str | None], *, dry_run: bool, good_rows: bool, as_json: bool
) -> None:
    run_id, places = int(run.id), imports.positions(run.mapping, list(run.headings))
    runtime.write(lambda work: imports.choose_columns(work, _columns(run_id, places, chosen)))
    sheet = _checked(run_id)
    waiting.keep_rejects(sheet.run.rejects_file_id, file)
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


def _uploaded(file: Path, upload: Callable[[Work, IncomingFile], ImportRun], encoding: str) -> ImportRun:
    with file.open("rb") as stream:
        survey = spreadsheets.survey(stream, file.name, encoding)
        incoming = IncomingFile(file.name, survey, spreadsheets.Pieces(stream))
        return runtime.write(lambda work: upload(work, incoming))


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
    waiting.finish(f"import_runs:{run_id}", kind, label)
    with runtime.session() as session:
        return read.sheet(session, run_id, None)


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


@group.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--definition", required=True, help="Handle of the benefit definition.")
@click.option("--dry-run", is_flag=True, help="Check the file and issue nothing.")
@click.option("--good-rows", is_flag=True, help="Issue to the people who are known although there are bad rows.")
@click.option("--exclude-holders", is_flag=True, help="Leave out who holds this benefit already.")
@click.option("--encoding", type=click.Choice(list(spreadsheets.ENCODINGS)), help="For files that are not Unicode.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts and problems as an object.")
def benefits(file: Path, definition: str, **options: Any) -> None:
    """Issue one benefit each to the people FILE names by member id or e-mail, as a batch."""
    with runtime.session() as session:
        definition_id = read_definitions.id_of(session, definition, None)
    with file.open("rb") as stream:
        survey = spreadsheets.survey(stream, file.name, options["encoding"] or spreadsheets.AUTOMATIC)
        plan = PlanBatch(
            definition_id=definition_id,
            audience=Audience.FILE,
            file=IncomingFile(file.name, survey, spreadsheets.Pieces(stream)),
            excludes_holders=options["exclude_holders"],
        )
        batch_id = int(runtime.write(lambda work: batches.plan(work, plan)).id)
    batch = _batch(batch_id, batches.CHECK, "Checking")
    waiting.keep_rejects(batch.rejects_file_id, file)
    rows = "row" if batch.bad_count == 1 else "rows"
    found = f"{batch.people_count:,} people, {batch.twice_count:,} named twice and {batch.bad_count:,} bad {rows}"
    dry_run, good_rows, as_json = (options[name] for name in ("dry_run", "good_rows", "as_json"))
    if as_json:
        runtime.echo_json(_batch_report(batch))
    if dry_run or not batch.people_count or (batch.bad_count and not good_rows):
        runtime.write(lambda work: batches.withdraw(work, WithdrawBatch(batch_id)))
        if batch.bad_count and not (dry_run or good_rows):
            raise Refused(
                "import.bad_rows",
                f"{found}: nothing was issued. Mend the bad rows, or issue to the others with --good-rows.",
            )
        _say(f"{found}; nothing was issued.", as_json=as_json)
        return
    runtime.write(lambda work: batches.start(work, StartBatch(batch_id)))
    batch = _batch(batch_id, batches.ISSUE, "Issuing")
    _say(f"{found}; {batch.issued_count:,} issued, {batch.passed_count:,} passed over.", as_json=as_json)


def _batch(batch_id: int, kind: str, label: str) -> Any:
    waiting.finish(f"benefit_batches:{batch_id}", kind, label)
    with runtime.session() as session:
        return read_batches.get(session, batch_id)


def _batch_report(batch: Any) -> dict[str, Any]:
    return {
        "records": batch.people_count + batch.twice_count + batch.bad_count,
        "good": batch.people_count,
        "duplicates": batch.twice_count,
        "bad": batch.bad_count,
        "problems": [
            {"line": int(line), "column": "", "value": unguard(value), "reason": reason}
            for line, value, reason in _bad_lines(batch.rejects_file_id)
        ],
    }


def _bad_lines(file_id: int | None) -> list[list[str]]:
    """Every bad line, out of the rejects file: the batch itself keeps only as many as its page shows."""
    if file_id is None:
        return []
    with runtime.session() as session:
        text = b"".join(read_files.read(session, file_id)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


group.add_command(code_imports.codes)
commands: list[click.Command] = [group]
