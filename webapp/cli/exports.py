"""`export`: entries, people and what they belong to as CSV or JSON, a few rows in memory at a time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from webapp.adapters import spreadsheets
from webapp.cli import runtime
from webapp.domain.entries import EntryStatus
from webapp.queries import benefit_definitions as read_definitions
from webapp.queries import entries as read_entries
from webapp.queries import facts as read_facts
from webapp.queries import groups as read_groups
from webapp.queries import locations as read_locations
from webapp.queries import memberships as read_memberships
from webapp.queries import modules as read_modules
from webapp.queries import organisation_types as read_types
from webapp.queries import organisations as read_organisations
from webapp.queries import profiles as read_profiles
from webapp.queries import rewards as read_rewards
from webapp.queries import sites as read_sites
from webapp.queries import tiers as read_tiers

_Option = Callable[[Callable[..., None]], Callable[..., None]]


def _options(command: Callable[..., None]) -> Callable[..., None]:
    options: list[_Option] = [
        click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False),
        click.option("--json", "as_json", is_flag=True, help="A list of objects with our column names as keys."),
        click.option("--mark", is_flag=True, help="Begin the CSV with the UTF-8 mark, which Excel asks for."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(name="export")
def group() -> None:
    """Write the rows of one kind to FILE, or to the standard output."""


@group.command()
@_options
@click.option("--reward", required=True, help="Name of the reward, as in its address.")
@click.option(
    "--status", type=click.Choice([str(status) for status in EntryStatus]), help="Only entries in this state."
)
def entries(file: Path | None, reward: str, status: str | None, *, as_json: bool, mark: bool) -> None:
    """Export the entries of a reward in the order of their numbers."""
    chosen = EntryStatus(status) if status else None
    with runtime.session() as session:
        reward_id = read_rewards.id_of(session, reward, None)
        rows = read_entries.stream(session, reward_id, chosen)
        _write(file, _pieces(read_entries.EXPORT, rows, as_json=as_json, mark=mark))


@group.command()
@_options
def profiles(file: Path | None, *, as_json: bool, mark: bool) -> None:
    """Export everybody."""
    with runtime.session() as session:
        rows = read_profiles.stream(session)
        _write(file, _pieces(read_profiles.EXPORT, rows, as_json=as_json, mark=mark))


Stream = Callable[[Session], Iterator[tuple[object, ...]]]
# Kind → what it is, its columns, its rows. Every column that an import of the kind reads is among them.
_WHOLE: dict[str, tuple[str, Sequence[str], Stream]] = {
    "facts": ("the further facts people may have", read_facts.EXPORT, read_facts.stream),
    "organisation-types": ("the types of organisations", read_types.EXPORT, read_types.stream),
    "organisations": ("organisations, parents before children", read_organisations.EXPORT, read_organisations.stream),
    "groups": ("groups", read_groups.EXPORT, read_groups.stream),
    "memberships": (
        "who is in which group, within which organisation",
        read_memberships.EXPORT,
        read_memberships.stream,
    ),
    "modules": ("modules", read_modules.EXPORT, read_modules.stream),
    "completions": ("who completed which module", read_modules.EXPORT_COMPLETIONS, read_modules.stream_completions),
    "tiers": ("tiers in the order of rank", read_tiers.EXPORT, read_tiers.stream),
    "locations": ("locations", read_locations.EXPORT, read_locations.stream),
    "definitions": ("benefit definitions, the newest first", read_definitions.EXPORT, read_definitions.stream_all),
    "rewards": (
        "rewards with their prizes, the newest first",
        read_rewards.EXPORT,
        lambda session: read_rewards.stream(session, None),
    ),
    "sites": ("sites", read_sites.EXPORT, lambda session: read_sites.stream(session, None)),
}


def _whole(kind: str) -> None:
    """Add the command that exports every row of a kind."""
    what, names, stream = _WHOLE[kind]

    def export(file: Path | None, *, as_json: bool, mark: bool) -> None:
        with runtime.session() as session:
            _write(file, _pieces(names, stream(session), as_json=as_json, mark=mark))

    group.command(name=kind, help=f"Export {what}.")(_options(export))


for _kind in _WHOLE:
    _whole(_kind)


def _pieces(names: Sequence[str], rows: Iterable[tuple[object, ...]], *, as_json: bool, mark: bool) -> Iterator[bytes]:
    plain = ([_plain(value) for value in row] for row in rows)
    return _json(names, plain) if as_json else spreadsheets.csv_stream(names, plain, mark=mark)


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
