"""Create, change, open and close rewards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from webapp.domain import rewards as rules
from webapp.domain import timing
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.domain.identity import handle, handles
from webapp.domain.rewards import RewardKind, RewardStatus
from webapp.models import Draw, Prize, Reward, Site, VoucherType
from webapp.queries import rewards as read
from webapp.services import draws
from webapp.services.work import Work, changed_rows

_EDITABLE = (
    "title",
    "sub_title",
    "starts_at",
    "ends_at",
    "reserve_count",
    "voucher_type_id",
    "vouchers_per_winner",
    "one_per_recipient",
    "exclude_previous_winners",
    "min_wait_minutes",
    "witnessed_value",
    "terms",
    "notes",
)
DICE = "20 ten-sided dice rolled in order by the witness, written as 20 digits"


@dataclass(frozen=True, slots=True)
class PrizeLine:
    """One prize as typed: how many of it, and its value in hundredths if one is stated."""

    title: str
    quantity: int
    value_minor: int | None = None


@dataclass(frozen=True, slots=True)
class RewardTerms:
    """What an editor types of a reward. ``starts_at`` and ``ends_at`` are local days of the site, both inclusive."""

    title: str
    sub_title: str
    starts_at: date | None
    ends_at: date | None
    prizes: tuple[PrizeLine, ...]
    reserve_count: int | None
    voucher_type_id: int | None
    vouchers_per_winner: int
    one_per_recipient: bool
    exclude_previous_winners: bool
    min_wait_minutes: int
    witnessed_value: str
    terms: str
    notes: str


@dataclass(frozen=True, slots=True)
class CreateReward(RewardTerms):
    """A new reward of ``kind`` on a site; its name comes from its title."""

    site_id: int
    kind: RewardKind


@dataclass(frozen=True, slots=True)
class ChangeReward(RewardTerms):
    """Other terms for a draft; ``version`` is the one the form was drawn from."""

    reward_id: int
    version: int


@dataclass(frozen=True, slots=True)
class OpenReward:
    """Take entries from now on; ``secret`` is 32 bytes of the operating system's entropy, ``holder_key`` 32 more."""

    reward_id: int
    secret: bytes
    holder_key: bytes


@dataclass(frozen=True, slots=True)
class CloseReward:
    """Take no more entries and find who does not take part."""

    reward_id: int


@dataclass(frozen=True, slots=True)
class DeleteReward:
    """Take away a draft."""

    reward_id: int


def create(work: Work, command: CreateReward) -> Reward:
    """Add a draft. Its name is derived from the title once and never changes (K02, K03, K04, K07).

    Raises ``Refused`` for dates in the wrong order, an unknown site or a voucher type of another site.
    """
    site = _site(work, command.site_id)
    reward = _named(
        work,
        command.title,
        lambda name: Reward(
            site_id=site.id,
            kind=command.kind,
            name=name,
            created_at=work.now,
            created_by_id=work.actor.staff_id,
            **columns(work.session, command, site),
        ),
    )
    return _created(work, reward)


def add(work: Work, site_id: int, kind: RewardKind, name: str, values: Mapping[str, Any]) -> Reward:
    """Add a draft of ``columns`` that hold, under a name of its own. The name must be free."""
    reward = Reward(
        site_id=site_id, kind=kind, name=name, created_at=work.now, created_by_id=work.actor.staff_id, **values
    )
    work.session.add(reward)
    work.session.flush()
    return _created(work, reward)


def _created(work: Work, reward: Reward) -> Reward:
    work.record(
        Event.REWARD_CREATED,
        reward,
        reward.site_id,
        kind=reward.kind.replace("_", " "),
        title=reward.title,
        name=reward.name,
    )
    return reward


def change(work: Work, command: ChangeReward) -> Reward:
    """Change a draft; ``Conflict`` when somebody saved it meanwhile (K148)."""
    reward = _hold(work, command.reward_id, command.version)
    return _put(work, reward, columns(work.session, command, _site(work, reward.site_id)))


def save(work: Work, reward_id: int, version: int, values: Mapping[str, Any]) -> Reward:
    """Give a draft other ``columns`` that hold; raises what ``change`` does."""
    return _put(work, _hold(work, reward_id, version), values)


def _hold(work: Work, reward_id: int, version: int) -> Reward:
    """The draft, which nobody else changes until this is done."""
    saved = work.session.execute(
        update(Reward)
        .where(Reward.id == reward_id, Reward.version == version, Reward.status == RewardStatus.DRAFT)
        .values(version=Reward.version + 1)
        .returning(Reward.id)
    ).scalar_one_or_none()
    reward = _get(work, reward_id)
    if saved is None:
        rules.may_edit(reward.facts).require()
        raise Conflict(
            "reward.changed",
            "Somebody else saved this reward while you were typing. What you typed is still here: compare it with the "
            "saved reward in another tab, then save again to put yours in its place.",
        )
    return reward


def _put(work: Work, reward: Reward, values: Mapping[str, Any]) -> Reward:
    before = _shown(reward)
    reward.prizes.clear()
    work.session.flush()
    for name, value in values.items():
        setattr(reward, name, value)
    work.session.flush()
    after = _shown(reward)
    changes = "; ".join(f"{name} {before[name]} → {after[name]}" for name in after if before[name] != after[name])
    work.record(Event.REWARD_CHANGED, reward, reward.site_id, title=reward.title, changes=changes or "nothing")
    return reward


def remove(work: Work, command: DeleteReward) -> Reward:
    """Delete a draft with its prizes; ``Refused`` once it was opened for entries."""
    reward = _get(work, command.reward_id)
    rules.may_delete(reward.facts).require()
    work.session.expunge(reward)
    work.session.execute(delete(Prize).where(Prize.reward_id == reward.id))
    is_draft = Reward.status == RewardStatus.DRAFT
    if changed_rows(work.session, delete(Reward).where(Reward.id == reward.id, is_draft)) != 1:
        raise Conflict("reward.not_draft", f"«{reward.title}» was opened by somebody else a moment ago.")
    work.record(Event.REWARD_DELETED, reward, reward.site_id, title=reward.title)
    return reward


def open_for_entries(work: Work, command: OpenReward) -> Reward:
    """draft → active. For a prize draw the code is committed now, before anybody has entered (draws.md 3.1)."""
    reward = _get(work, command.reward_id)
    rules.may_open(reward.facts).require()
    moved = work.session.execute(
        update(Reward)
        .where(Reward.id == reward.id, Reward.status == RewardStatus.DRAFT)
        .values(status=RewardStatus.ACTIVE, version=Reward.version + 1)
        .returning(Reward.id)
    ).scalar_one_or_none()
    if moved is None:
        raise Conflict("reward.not_draft", f"«{reward.title}» was opened by somebody else a moment ago.")
    commit = ""
    if reward.kind is RewardKind.PRIZE_DRAW:
        commit = draws.open_draw(work, reward, command.secret, command.holder_key).code_commit
    work.record(Event.REWARD_OPENED, reward, reward.site_id, title=reward.title, commit=commit or "–")
    return reward


def close(work: Work, command: CloseReward) -> Reward:
    """active → expired, now; the draw is closed with it and its exclusions are found."""
    reward = _get(work, command.reward_id)
    rules.may_close(reward.facts).require()
    _close(work, reward)
    return reward


def close_due(work: Work) -> int:
    """Close every reward whose end has passed; returns how many. A second run finds nothing to do (K27, K29)."""
    due = select(Reward.id).where(Reward.status == RewardStatus.ACTIVE, Reward.ends_at <= work.now).limit(20)
    found = list(work.session.scalars(due))
    for reward_id in found:
        _close(work, _get(work, reward_id))
    return len(found)


def _close(work: Work, reward: Reward) -> None:
    closed_at = min(work.now, reward.ends_at or work.now)
    moved = work.session.execute(
        update(Reward)
        .where(Reward.id == reward.id, Reward.status == RewardStatus.ACTIVE)
        .values(status=RewardStatus.EXPIRED, closed_at=closed_at, version=Reward.version + 1)
        .returning(Reward.id)
    ).scalar_one_or_none()
    if moved is None:
        raise Conflict("reward.not_open", f"«{reward.title}» was closed by somebody else a moment ago.")
    work.record(Event.REWARD_CLOSED, reward, reward.site_id, title=reward.title, entries=reward.entry_count)
    if draw := work.session.scalar(select(Draw).where(Draw.reward_id == reward.id)):
        draws.close_draw(work, draw, reward)


def _get(work: Work, reward_id: int) -> Reward:
    return read.get_by_id(work.session, reward_id, selectinload(Reward.prizes))


def _site(work: Work, site_id: int) -> Site:
    site = work.session.get(Site, site_id)
    if site is None:
        raise Refused("site.not_found", "Choose the site this reward belongs to.", "site_id")
    return site


def _named(work: Work, title: str, build: Callable[[str], Reward]) -> Reward:
    """The first free name wins by the unique constraint, not by looking first: two at once get x and x-2 (K04)."""
    for name in handles(title, "reward"):
        reward = build(name)
        try:
            with work.session.begin_nested():
                work.session.add(reward)
                work.session.flush()
        except IntegrityError as error:
            if "name" not in str(error.orig):
                raise
        else:
            return reward
    raise AssertionError("unreachable")


def columns(session: Session, command: RewardTerms, site: Site) -> dict[str, Any]:
    """The row's values for what was typed, its prizes among them; days become instants in the site's zone."""
    starts_at = timing.day_starts(command.starts_at, site.timezone)
    ends_at = timing.day_ends(command.ends_at, site.timezone)
    rules.may_span((starts_at, ends_at), (command.starts_at, command.ends_at)).require()
    _check_voucher_type(session, command.voucher_type_id, site)
    prizes = prizes_of(command.prizes)
    slots = sum(prize.quantity for prize in prizes)
    return {
        "title": command.title,
        "sub_title": command.sub_title,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "prizes": prizes,
        "reserve_count": rules.default_reserves(slots) if command.reserve_count is None else command.reserve_count,
        "voucher_type_id": command.voucher_type_id,
        "vouchers_per_winner": command.vouchers_per_winner,
        "one_per_recipient": command.one_per_recipient,
        "exclude_previous_winners": command.exclude_previous_winners,
        "min_wait_minutes": command.min_wait_minutes,
        "witnessed_value": command.witnessed_value or DICE,
        "terms": command.terms,
        "notes": command.notes,
    }


def _check_voucher_type(session: Session, voucher_type_id: int | None, site: Site) -> None:
    if voucher_type_id is None:
        return
    kind = session.get(VoucherType, voucher_type_id)
    if kind is None or kind.site_id != site.id:
        raise Refused("voucher_type.not_found", f"Choose a voucher type of the site «{site.title}».", "voucher_type_id")


def prizes_of(lines: Iterable[PrizeLine]) -> list[Prize]:
    """Prizes in order, each with a handle of its own: «weekend», «weekend-2»."""
    taken: set[str] = set()
    prizes = []
    for position, line in enumerate(lines, 1):
        base = handle(line.title, "prize", 36)
        name = next(name for name in (base, *(f"{base}-{n}" for n in range(2, 1000))) if name not in taken)
        taken.add(name)
        prizes.append(
            Prize(
                position=position, handle=name, title=line.title, quantity=line.quantity, value_minor=line.value_minor
            )
        )
    return prizes


def _shown(reward: Reward) -> dict[str, str]:
    """What the audit log compares: every field an editor can change, in words."""
    shown = {name.replace("_", " "): str(getattr(reward, name))[:60] for name in _EDITABLE}
    shown["prizes"] = ", ".join(f"{prize.quantity} × {prize.title}" for prize in reward.prizes)[:200]
    return shown
