"""Rewards in bulk: the rows of a file by the rules of the form, put beside what is there, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session, selectinload

from webapp.domain import rewards as rules
from webapp.domain import timing
from webapp.domain.errors import DomainError
from webapp.domain.import_rows import shown
from webapp.domain.rewards import RewardKind
from webapp.domain.table_rows import TableDraft
from webapp.models import ImportChange, Prize, Reward, Site, VoucherType
from webapp.queries.matching import among
from webapp.queries.table_rows import Standing
from webapp.services import bulk, rewards
from webapp.services.rewards import DICE, DeleteReward, PrizeLine, RewardTerms
from webapp.services.table_kinds import Faults, Found, put_back
from webapp.services.work import Work

Values = dict[str, Any]
_COLUMNS = {"voucher_type_id": "voucher_type"}
_BOUNDS = ("starts_at", "ends_at")
_USUAL = {"vouchers_per_winner": 1, "min_wait_minutes": rules.TRUSTED_WAIT}


@dataclass(frozen=True, slots=True)
class _Named:
    """What rows name, by its name."""

    sites: Mapping[str, Site]
    kinds: Mapping[str, VoucherType]


def _named(session: Session, drafts: Sequence[TableDraft]) -> _Named:
    def told(column: str) -> list[str]:
        return sorted({str(draft.values[column]) for draft in drafts if draft.values[column]})

    sites = session.scalars(select(Site).where(among(session, Site.name, told("site"))))
    kinds = session.scalars(select(VoucherType).where(among(session, VoucherType.code, told("voucher_type"))))
    return _Named({one.name: one for one in sites}, {one.code: one for one in kinds})


def references(session: Session, drafts: Sequence[TableDraft]) -> Faults:
    """The site and the voucher type must be there."""
    named, found = _named(session, drafts), Found()
    for draft in drafts:
        for column, there, noun in (("site", named.sites, "site"), ("voucher_type", named.kinds, "voucher type")):
            value = draft.values[column]
            if value and value not in there:
                found.add(draft, column, f"There is no {noun} «{shown(value)}».")
    return found.faults


def meant(draft: TableDraft, old: Standing) -> TableDraft:
    """What the row comes to where it stands: days are those of its site, and what is empty is as the form would have it."""
    values, there = dict(draft.values), old.values
    values |= _instants(values, old.zone)
    values |= {name: usual for name, usual in _USUAL.items() if values[name] is None}
    values["site"] = values["site"] or there["site"]
    values["witnessed_value"] = values["witnessed_value"] or (DICE if there["witnessed_value"] else "")
    if values["reserve_count"] is None:
        values["reserve_count"] = rules.default_reserves(_slots(values))
    return replace(draft, values=values)


def _instants(values: Mapping[str, Any], zone: str) -> Values:
    starts_at, ends_at = (values[name] for name in _BOUNDS)
    return {
        "starts_at": timing.day_starts(starts_at, zone) if _is_day(starts_at) else starts_at,
        "ends_at": timing.day_ends(ends_at, zone) if _is_day(ends_at) else ends_at,
    }


def _is_day(value: date | datetime | None) -> bool:
    return value is not None and not isinstance(value, datetime)


def _slots(values: Mapping[str, Any]) -> int:
    return sum(prize["quantity"] for prize in values["prizes"] or ())


def holds(session: Session, _now: datetime, rows: Sequence[tuple[TableDraft, Standing | None]]) -> Faults:
    """Whether the form would take what the rows come to beside what is there."""
    named, found = _named(session, [draft for draft, _ in rows]), Found()
    wanted = among(session, Reward.name, [draft.key[0] for draft, old in rows if old])
    there = {reward.id: reward for reward in _loaded(session, wanted)}
    for draft, old in rows:
        faults = _faults_of_known(draft, old, there[old.id]) if old else _faults_of_new(draft)
        told = list(faults) or list(_faults(session, draft, named.sites[draft.values["site"]], named))
        for column, sentence in told:
            found.add(draft, column, sentence)
    return found.faults


def _loaded(session: Session, wanted: Any) -> Iterator[Reward]:
    statement = select(Reward).where(wanted).options(selectinload(Reward.prizes))
    yield from session.scalars(statement.execution_options(populate_existing=True))


def _faults_of_new(draft: TableDraft) -> Iterator[tuple[str, str]]:
    if not draft.values["site"]:
        yield "site", "The value is empty; a new reward needs the name of its site."


def _faults_of_known(draft: TableDraft, old: Standing, reward: Reward) -> Iterator[tuple[str, str]]:
    own, kind = old.values["site"], reward.kind.replace("_", " ")
    if draft.values["site"] != own:
        yield (
            "site",
            f"«{shown(old.title)}» belongs to the site «{own}» and stays there; a row for another one needs another name.",
        )
    if draft.values["kind"] != reward.kind:
        yield "kind", f"«{shown(old.title)}» is a {kind} and stays one; a row of another kind needs another name."
    first = next(name for name, value in old.values.items() if (draft.values[name] or "") != (value or ""))
    yield from ((first, reason.message) for reason in rules.may_edit(reward.facts).reasons)


def _faults(session: Session, draft: TableDraft, site: Site, named: _Named) -> Iterator[tuple[str, str]]:
    terms = _terms(draft.values, site.timezone, named)
    yield from (
        ("prizes", reason.message) for reason in rules.may_give(_slots(draft.values), terms.reserve_count or 0).reasons
    )
    try:
        rewards.columns(session, terms, site)
    except DomainError as refusal:
        yield _COLUMNS.get(str(refusal.field), str(refusal.field)), refusal.message
        return
    bounds = _instants(draft.values, site.timezone)
    yield from (
        ("ends_at", reason.message)
        for reason in rules.may_span((bounds["starts_at"], bounds["ends_at"]), (terms.starts_at, terms.ends_at)).reasons
    )


def _terms(values: Mapping[str, Any], zone: str, named: _Named) -> RewardTerms:
    """What an editor would have typed; what the row leaves empty is as on an empty form."""
    bounds = _instants(values, zone)
    return RewardTerms(
        title=values["title"],
        sub_title=values["sub_title"] or "",
        starts_at=timing.first_day(bounds["starts_at"], zone),
        ends_at=timing.last_day(bounds["ends_at"], zone),
        prizes=tuple(PrizeLine(**prize) for prize in values["prizes"] or ()),
        reserve_count=values["reserve_count"],
        voucher_type_id=named.kinds[values["voucher_type"]].id if values["voucher_type"] else None,
        one_per_recipient=bool(values["one_per_recipient"]),
        exclude_previous_winners=bool(values["exclude_previous_winners"]),
        witnessed_value=values["witnessed_value"] or "",
        terms=values["terms"] or "",
        notes=values["notes"] or "",
        **{name: usual if values[name] is None else values[name] for name, usual in _USUAL.items()},
    )


def put(work: Work, drafts: Sequence[TableDraft], run_id: int) -> tuple[int, int]:
    """Create drafts and change them in one batch; gives (created, changed). The same rows again change nothing.

    An ``ImportChange`` is written for each row written, with an empty ``before`` for one that is new. Raises what the
    form would for a row that does not hold any more.
    """
    named = _named(work.session, drafts)
    wanted = among(work.session, Reward.name, [draft.key[0] for draft in drafts])
    there = {reward.name: reward for reward in _loaded(work.session, wanted)}
    notes: list[tuple[int, Values, Values]] = []
    for draft in drafts:
        site, found = named.sites[draft.values["site"]], there.get(draft.key[0])
        values = _values(work.session, draft, site, named)
        if found is None:
            kind = RewardKind(draft.values["kind"] or RewardKind.PRIZE_DRAW)
            made = rewards.add(work, site.id, kind, draft.key[0], values)
            notes.append((made.id, {}, _kept(made, values)))
        elif note := _change(work, found, values):
            notes.append(note)
    names = ("subject_id", "before", "after")
    bulk.insert_rows(work.session, cast(Table, ImportChange.__table__), names, notes, {"run_id": run_id})
    created = sum(not before for _, before, _ in notes)
    return created, len(notes) - created


def _values(session: Session, draft: TableDraft, site: Site, named: _Named) -> Values:
    """The columns the row is to have: by the rules of the form, its instants to the second."""
    values = rewards.columns(session, _terms(draft.values, site.timezone, named), site)
    return values | _instants(draft.values, site.timezone)


def _change(work: Work, found: Reward, values: Values) -> tuple[int, Values, Values] | None:
    before = _kept(found, values)
    after = _kept(rewards.save(work, found.id, found.version, values), values)
    names = [name for name, value in after.items() if value != before[name]]
    return (found.id, {name: before[name] for name in names}, {name: after[name] for name in names}) if names else None


def _kept(reward: Reward, names: Mapping[str, Any]) -> Values:
    """Values of the row as a change keeps them."""
    return {name: _plain(getattr(reward, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_line(prize) for prize in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _line(prize: Prize) -> Values:
    return {"title": prize.title, "quantity": prize.quantity, "value_minor": prize.value_minor}


def _read_back(values: Mapping[str, Any]) -> Values:
    """The other way round."""
    found: Values = {
        name: datetime.fromisoformat(value) if name in _BOUNDS and value else value for name, value in values.items()
    }
    if "prizes" in found:
        found["prizes"] = rewards.prizes_of(PrizeLine(**prize) for prize in found["prizes"])
    return found


def take_back(work: Work, change: ImportChange) -> str:
    """A new one goes while it is a draft; a changed one becomes what it was unless somebody changed it since."""
    prizes = selectinload(Reward.prizes)
    found = work.session.get(Reward, change.subject_id, options=[prizes], populate_existing=True)
    if found is None:
        return ""
    called = f"«{found.title}» ({found.name})"
    if _kept(found, change.after) != change.after:
        return f"{called} was changed since."
    if change.before:
        act: Callable[[], object] = partial(_restore, work, found, _read_back(change.before))
    else:
        act = partial(rewards.remove, work, DeleteReward(found.id))
    return put_back(work, act, f"{called} is used, or what it had is not there any more.")


def _restore(work: Work, found: Reward, values: Values) -> None:
    if "prizes" not in values:
        values["prizes"] = rewards.prizes_of(PrizeLine(**_line(prize)) for prize in found.prizes)
    rewards.save(work, found.id, found.version, values)
