"""`export`: every kind of row as CSV or JSON, narrowed as asked, a few rows in memory at a time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from webapp.adapters import spreadsheets
from webapp.cli import runtime
from webapp.cli.export_kinds import KINDS, Kind
from webapp.cli.filters import asked
from webapp.domain.entries import EntryStatus
from webapp.domain.errors import Busy, Refused
from webapp.domain.exports import LONGEST_REASON, Media
from webapp.domain.import_rows import clean
from webapp.queries import entries as read_entries
from webapp.queries import rewards as read_rewards
from webapp.services import exports
from webapp.services.exports import FinishExport, TakeList

_Option = Callable[[Callable[..., None]], Callable[..., None]]
ENTRIES = ("q", "status")


@dataclass(slots=True)
class Taken:
    """One export on its way: which list, its columns, what it is narrowed to, its rows and how many left so far."""

    listing: str
    names: Sequence[str]
    filters: Mapping[str, str]
    rows: Iterable[tuple[object, ...]]
    count: int = field(default=0, init=False)

    def plain(self) -> Iterator[list[object]]:
        for row in self.rows:
            self.count += 1
            yield [_plain(value) for value in row]


def _options(filters: Sequence[str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """What every export takes."""
    names = f"Only rows that fit; one each of {', '.join(filters)}." if filters else "This kind has none."

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        options: list[_Option] = [
            click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False),
            click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help=names),
            click.option("--json", "as_json", is_flag=True, help="A list of objects with our column names as keys."),
            click.option("--mark", is_flag=True, help="Begin the CSV with the UTF-8 mark, which Excel asks for."),
            click.option("--reason", default="On the command line", help="What it is for, as the audit log tells it."),
        ]
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


@click.group(name="export")
def group() -> None:
    """Write the rows of one kind to FILE, or to the standard output."""


@group.command()
@_options(ENTRIES)
@click.option("--reward", required=True, help="Name of the reward, as in its address.")
@click.option(
    "--status", type=click.Choice([str(status) for status in EntryStatus]), help="Only entries in this state."
)
def entries(file: Path | None, filters: Sequence[str], reward: str, status: str | None, **form: Any) -> None:
    """Export the entries of a reward in the order of their numbers."""
    wanted = asked([*filters, *([f"status={status}"] if status else [])], ENTRIES)
    with runtime.session() as session:
        reward_id = read_rewards.id_of(session, reward, None)
        rows = read_entries.stream(session, reward_id, wanted.choice("status", EntryStatus), wanted.text("q"))
        _take(Taken("entries", read_entries.EXPORT, {"reward": reward, **wanted.values}, rows), file, **form)


def _command(name: str, kind: Kind) -> None:
    """Add the command that exports a kind."""

    def export(file: Path | None, filters: Sequence[str], **form: Any) -> None:
        wanted = asked(filters, kind.filters)
        with runtime.session() as session:
            rows = kind.rows(session, wanted)
            _take(Taken(kind.listing or name, kind.columns, wanted.values, rows), file, **form)

    group.command(name=name, help=f"Export {kind.what}.")(_options(kind.filters)(export))


for _name, _kind in KINDS.items():
    _command(_name, _kind)


def _take(taken: Taken, file: Path | None, *, as_json: bool, mark: bool, reason: str) -> None:
    """Hand the rows over, on record as exports of the console are: before the first leaves, and how many did."""
    if len(why := clean(reason)) > LONGEST_REASON:
        raise Refused("export.reason_long", f"The reason has {len(why):,} letters; at most {LONGEST_REASON} are kept.")
    media = Media.JSON if as_json else Media.CSV
    command = TakeList(taken.listing, media, why, taken.filters)
    run_id = int(runtime.write(lambda work: exports.take(work, command)).id)
    rows, names = taken.plain(), taken.names
    _write(file, _json(names, rows) if as_json else spreadsheets.csv_stream(names, rows, mark=mark))
    with suppress(Busy):  # the file is whole either way
        runtime.write(lambda work: exports.finish(work, FinishExport(run_id, taken.count)))


def _plain(value: object) -> Any:
    """Moments in ISO 8601 with their zone, days without, states as their names."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, StrEnum) else value


def _json(names: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    before = "["
    for row in rows:
        yield f"{before}\n{json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)}".encode()
        before = ","
    yield b"[]\n" if before == "[" else b"\n]\n"


def _write(file: Path | None, pieces: Iterator[bytes]) -> None:
    """Into the file, whole or not at all, or to the standard output."""
    if file is None:
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
        return
    half = file.with_name(f"{file.name}.part")
    try:
        with half.open("wb") as out:
            out.writelines(pieces)
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)


commands: list[click.Command] = [group]
