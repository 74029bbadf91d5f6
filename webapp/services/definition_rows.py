"""Benefit definitions in bulk: the rows of a file by the rules of the form, put beside what is there, and taken back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from webapp.domain import benefit_definitions as rules
from webapp.domain import definition_words as words
from webapp.domain.benefit_claims import ReclaimEvery
from webapp.domain.benefit_dates import PeriodType
from webapp.domain.benefit_definitions import DefinitionTerms
from webapp.domain.benefits import BenefitType
from webapp.domain.errors import DomainError
from webapp.domain.import_rows import shown
from webapp.domain.table_rows import TableDraft
from webapp.models import BenefitDefinition, ImportChange, Site, Target, VoucherType
from webapp.queries.matching import among
from webapp.queries.table_rows import Standing
from webapp.services import benefit_definitions as definitions
from webapp.services import bulk
from webapp.services.benefit_definitions import (
    ArchiveDefinition,
    DeleteDefinition,
    PublishDefinition,
    RestoreDefinition,
    UnpublishDefinition,
)
from webapp.services.table_kinds import Faults, Found, put_back
from webapp.services.work import Work

Values = dict[str, Any]
_TARGETS = {f"{kind}_target": f"{kind}_target_id" for kind in ("issue", "remind", "extend")}
_COLUMNS = {field: column for column, field in _TARGETS.items()} | {"voucher_type_id": "voucher_type"}
_INSTANTS = ("end_at", "claim_period_start_at", "claim_period_end_at")
_STATE = ("is_published", "is_archived", "stops_redemptions")
_TYPES = {"type": BenefitType, "period_type": PeriodType, "reclaim_every": ReclaimEvery}
_PLAIN = tuple(
    field.name
    for field in fields(DefinitionTerms)
    if field.name
    not in {*_COLUMNS, *_INSTANTS, *_TYPES, "tags", "meta", "claim_condition", "view_condition", "internal_notes"}
)


@dataclass(frozen=True, slots=True)
class _Named:
    """What rows name, by its name."""

    sites: Mapping[str, Site]
    kinds: Mapping[str, VoucherType]
    targets: Mapping[str, Target]


class _State(NamedTuple):
    is_published: bool
    is_archived: bool
    stops_redemptions: bool


def _named(session: Session, drafts: Sequence[TableDraft]) -> _Named:
    def told(*columns: str) -> list[str]:
        return sorted({str(draft.values[name]) for draft in drafts for name in columns if draft.values[name]})

    sites = session.scalars(select(Site).where(among(session, Site.name, told("site"))))
    kinds = session.scalars(select(VoucherType).where(among(session, VoucherType.code, told("voucher_type"))))
    targets = session.scalars(select(Target).where(among(session, Target.name, told(*_TARGETS))))
    return _Named(
        {one.name: one for one in sites}, {one.code: one for one in kinds}, {one.name: one for one in targets}
    )


def references(session: Session, drafts: Sequence[TableDraft]) -> Faults:
    """The site, the voucher type and the targets must be there."""
    named, found = _named(session, drafts), Found()
    for draft in drafts:
        for column, there, noun in (
            ("site", named.sites, "site"),
            ("voucher_type", named.kinds, "voucher type"),
            *((column, named.targets, "target") for column in _TARGETS),
        ):
            value = draft.values[column]
            if value and value not in there:
                found.add(draft, column, f"There is no {noun} «{shown(value)}».")
    return found.faults


def holds(session: Session, now: datetime, rows: Sequence[tuple[TableDraft, Standing | None]]) -> Faults:
    """Whether the form would take what the rows come to beside what is there."""
    named, found = _named(session, [draft for draft, _ in rows]), Found()
    taken: dict[str, TableDraft] = {}
    for draft, old in rows:
        for column, sentence in _faults(session, draft, old, named, now):
            found.add(draft, column, sentence)
        external_id = draft.values["external_id"]
        first = taken.setdefault(external_id, draft) if external_id else draft
        if first.key != draft.key:
            sentence = (
                f"Line {first.line:,} of this file has the external id «{shown(external_id)}» already; choose another."
            )
            found.add(draft, "external_id", sentence)
    return found.faults


def _faults(
    session: Session, draft: TableDraft, old: Standing | None, named: _Named, now: datetime
) -> Iterator[tuple[str, str]]:
    site = _site(session, draft, old, named)
    if isinstance(site, str):
        yield "site", site
        return
    terms = _terms(draft.values, site.timezone, named)
    reasons = rules.may_save(terms).reasons
    yield from ((_column(reason.field), reason.message) for reason in reasons)
    values: Values = {}
    if not reasons:
        try:
            values = definitions.columns(session, terms, site, old.id if old else None)
        except DomainError as refusal:
            yield _column(refusal.field), refusal.message
    yield from _state_faults(session, draft, old, values, (now, site.timezone))


def _column(field: str | None) -> str:
    return _COLUMNS.get(str(field), str(field))


def _site(session: Session, draft: TableDraft, old: Standing | None, named: _Named) -> Site | str:
    """The site of the row, or why it can have none."""
    name = draft.values["site"]
    if old is None:
        return named.sites[name] if name else "The value is empty; a new definition needs the name of its site."
    own = old.values["site"]
    if name and name != own:
        return f"«{shown(old.title)}» belongs to the site «{own}» and stays there; clone it for another one."
    return named.sites[own] if name else session.scalars(select(Site).where(Site.name == own)).one()


def _state_faults(
    session: Session, draft: TableDraft, old: Standing | None, values: Values, when: tuple[datetime, str]
) -> Iterator[tuple[str, str]]:
    wanted = _wanted(draft.values)
    if wanted.stops_redemptions and not wanted.is_archived and not (old and old.values["stops_redemptions"]):
        sentence = "Redemptions are stopped only with archiving; archive it in the same row, or write no."
        yield "stops_redemptions", sentence
    if not wanted.is_published or (old and old.values["is_published"]) or not values:
        return
    now, zone = when
    now = _as_it_was(session, draft, old.id if old else None) or now
    for check in words.readiness(_imagined(session, values, old, wanted), now, zone):
        if check.stops and not check.ok:
            yield "is_published", f"It cannot be published, so write no, or mend this: {check.sentence}"


def _as_it_was(session: Session, draft: TableDraft, own_id: int | None) -> datetime | None:
    """When the definition was created, where the row tells that as its export does: only time has gone by since.

    A file that brings back what was live and has ended publishes nothing anew; None leaves it to the checklist of today.
    """
    created_at: datetime | None = draft.values["created_at"]
    if own_id is None or created_at is None:
        return created_at
    own = session.scalar(select(BenefitDefinition.created_at).where(BenefitDefinition.id == own_id))
    return created_at if created_at == own else None


def _imagined(session: Session, values: Values, old: Standing | None, wanted: _State) -> BenefitDefinition:
    """The definition as it would stand when it is published: before it is archived, after it is restored."""
    kind = session.get(VoucherType, values["voucher_type_id"]) if values["voucher_type_id"] else None
    stays_away = bool(old and old.values["is_archived"] and wanted.is_archived)
    return BenefitDefinition(
        **values,
        voucher_type=kind,
        is_published=False,
        is_archived=stays_away,
        stops_redemptions=False,
        total_global_redemptions=0,
    )


def _terms(values: Mapping[str, Any], zone: str, named: _Named) -> DefinitionTerms:
    """What an editor would have typed; what the row leaves empty is as on an empty form."""
    told = {name: values[name] for name in _PLAIN if values[name] not in (None, "")}
    told |= {name: kind(values[name]) for name, kind in _TYPES.items() if values[name]}
    told |= {name: rules.local_time(values[name] or None, zone) for name in _INSTANTS}
    told["end_at"] = told["end_at"].date() if told["end_at"] else None
    told["tags"] = ", ".join(values["tags"] or ())
    for name in ("meta", "claim_condition", "view_condition"):
        told[name] = json.dumps(values[name], ensure_ascii=False, separators=(",", ":")) if values[name] else ""
    if values["voucher_type"]:
        told["voucher_type_id"] = named.kinds[values["voucher_type"]].id
    told |= {field: named.targets[values[column]].id for column, field in _TARGETS.items() if values[column]}
    return DefinitionTerms(**told)


def _wanted(values: Mapping[str, Any]) -> _State:
    return _State(*(bool(values[name]) for name in _STATE))


def put(work: Work, drafts: Sequence[TableDraft], run_id: int) -> tuple[int, int]:
    """Create or change definitions in one batch; gives (created, changed). The same rows again change nothing.

    An ``ImportChange`` is written for each row written, with an empty ``before`` for one that is new. Raises what the
    form would for a row that does not hold any more.
    """
    named = _named(work.session, drafts)
    wanted = select(BenefitDefinition).where(
        among(work.session, BenefitDefinition.handle, [one.key[0] for one in drafts])
    )
    there = {row.handle: row for row in work.session.scalars(wanted.execution_options(populate_existing=True))}
    notes: list[tuple[int, Values, Values]] = []
    for draft in drafts:
        found = there.get(draft.key[0])
        if found is None:
            notes.append(_create(work, draft, named))
        elif note := _change(work, found, draft, named):
            notes.append(note)
    names = ("subject_id", "before", "after")
    bulk.insert_rows(work.session, cast(Table, ImportChange.__table__), names, notes, {"run_id": run_id})
    created = sum(not before for _, before, _ in notes)
    return created, len(notes) - created


def _create(work: Work, draft: TableDraft, named: _Named) -> tuple[int, Values, Values]:
    site = named.sites[draft.values["site"]]
    values = _values(work.session, draft, site, named)
    created_at = _as_it_was(work.session, draft, None)
    made = definitions.add(work, site.id, draft.key[0], values)
    made.created_at = created_at or work.now
    _become(work, made, _wanted(draft.values), was_live=created_at is not None)
    return made.id, {}, _kept(made, (*values, *_STATE))


def _change(
    work: Work, found: BenefitDefinition, draft: TableDraft, named: _Named
) -> tuple[int, Values, Values] | None:
    site = work.session.get_one(Site, found.site_id)
    values = _values(work.session, draft, site, named, found.id)
    before = _kept(found, (*values, *_STATE))
    definitions.save(work, found, found.version, values)
    was_live = _as_it_was(work.session, draft, found.id) is not None
    _become(work, found, _wanted(draft.values), was_live=was_live)
    after = _kept(found, before)
    names = [name for name, value in after.items() if value != before[name]]
    return (found.id, {name: before[name] for name in names}, {name: after[name] for name in names}) if names else None


def _values(session: Session, draft: TableDraft, site: Site, named: _Named, own_id: int | None = None) -> Values:
    """The columns the row is to have: by the rules of the form, its instants to the second."""
    values = definitions.columns(session, _terms(draft.values, site.timezone, named), site, own_id)
    return {name: value for name, value in values.items() if name != "internal_notes"} | {
        name: draft.values[name] or None for name in _INSTANTS
    }


def _become(work: Work, found: BenefitDefinition, wanted: _State, *, was_live: bool = False) -> None:
    """Publish, archive and the like by the verbs of its page, each with its own entry in the log.

    What ``was_live`` when it was created was looked at as of then, by ``holds`` in the same transaction.
    """
    stops = wanted.is_archived and wanted.stops_redemptions
    if found.is_archived and (not wanted.is_archived or stops != found.stops_redemptions):
        definitions.restore(work, RestoreDefinition(found.id))
    if wanted.is_published and not found.is_published and was_live:
        definitions.put_live(work, found)
    elif wanted.is_published and not found.is_published:
        definitions.publish(work, PublishDefinition(found.id))
    elif found.is_published and not wanted.is_published:
        definitions.unpublish(work, UnpublishDefinition(found.id))
    if wanted.is_archived and not found.is_archived:
        definitions.archive(work, ArchiveDefinition(found.id, stops_redemptions=stops))


def _kept(found: BenefitDefinition, names: Sequence[str] | Values) -> Values:
    """Values of the row as a change keeps them."""
    values = {name: getattr(found, name) for name in names}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def _read_back(values: Mapping[str, Any]) -> Values:
    """The other way round."""
    reading: dict[str, Any] = (
        _TYPES | {"absolute_expiry": date.fromisoformat} | dict.fromkeys(_INSTANTS, datetime.fromisoformat)
    )
    return {name: reading[name](value) if name in reading and value else value for name, value in values.items()}


def take_back(work: Work, change: ImportChange) -> str:
    """A new one goes unless something was issued from it; a changed one becomes what it was unless somebody changed it since."""
    found = work.session.get(BenefitDefinition, change.subject_id, populate_existing=True)
    if found is None:
        return ""
    called = f"«{found.name}» ({found.handle})"
    if _kept(found, change.after) != change.after:
        return f"{called} was changed since."
    if change.before:
        act: Callable[[], object] = partial(_restore, work, found, _read_back(change.before))
    else:
        act = partial(definitions.remove, work, DeleteDefinition(found.id))
    return put_back(work, act, f"{called} is used, or what it had is another\u2019s now.")


def _restore(work: Work, found: BenefitDefinition, values: Values) -> None:
    state = _State(*(values.get(name, getattr(found, name)) for name in _STATE))
    definitions.save(work, found, found.version, {name: value for name, value in values.items() if name not in _STATE})
    if state.is_published and not found.is_published:
        definitions.put_live(work, found)  # it was live with these terms; that is not decided anew
    _become(work, found, state)
