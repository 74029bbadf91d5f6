"""What happened to one person as one list: the log, entries, prizes, vouchers, benefits, notices, modules and groups."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    cast,
    exists,
    false,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from webapp.domain.audit import Event
from webapp.domain.audit import sentence as told
from webapp.domain.fulfilment import WORDS as STAGES
from webapp.domain.fulfilment import Stage
from webapp.domain.identity import SYSTEM, Where
from webapp.domain.notices import NoticeKind, NoticeStatus, Skip
from webapp.domain.redemptions import BenefitMove
from webapp.domain.vouchers import VoucherStatus
from webapp.models import (
    AuditEntry,
    Benefit,
    BenefitChange,
    BenefitDefinition,
    Completion,
    Entry,
    Group,
    Membership,
    Module,
    Notice,
    Organisation,
    Redemption,
    Reward,
    Target,
    Voucher,
    VoucherChange,
    VoucherType,
    Winner,
    WinnerEvent,
)
from webapp.queries import reaches
from webapp.queries.notice_moments import decided_at, is_coming
from webapp.queries.people import PAGE, Scope


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing in a person's history. ``source``, ``first`` and ``second`` keep things of the same instant apart."""

    at: datetime
    source: int
    first: int
    second: int
    who: str
    sentence: str
    group: str
    detail: str = ""

    @property
    def place(self) -> str:
        """Where the history goes on from, as an address carries it."""
        return f"{int(self.at.timestamp() * 1_000_000)}.{self.source}.{self.first}.{self.second}"


def history(
    session: Session, ids: Collection[int], where: Where, now: datetime, *, before: str = "", size: int = PAGE
) -> list[Moment]:
    """Everything that happened to the person as one list, the newest first; what is still to come is ``coming``.

    Within organisations only what is of the person, and of the benefits they hold there. One more than ``size`` when there is more; ``before`` is the ``place`` of the last one seen. One statement.
    """
    place = _place(before)
    parts = []
    for source, part in enumerate(_parts(ids, where, now)):
        at, first, second = (part.selected_columns[name] for name in ("at", "first", "second"))
        earlier: ColumnElement[bool] = true()
        if place is not None:
            earlier = (at < place[0]) | (
                (at == place[0]) & (tuple_(literal(source), first, second) < tuple_(*map(literal, place[1:])))
            )
        newest = part.where(earlier).order_by(at.desc(), first.desc(), second.desc()).limit(size + 1)
        parts.append(select(newest.add_columns(literal(source).label("source")).subquery()))
    every = union_all(*parts).subquery()
    order = [every.c[name].desc() for name in ("at", "source", "first", "second")]
    return [_moment(row) for row in session.execute(select(every).order_by(*order).limit(size + 1))]


def coming(session: Session, ids: Collection[int], where: Where, now: datetime, *, size: int = PAGE) -> list[Moment]:
    """The notices planned for the person, the next one first, one more than ``size`` when there is more."""
    planned = _notices(Notice.due_at, ids, where).where(is_coming(now)).order_by(Notice.due_at, Notice.id)
    rows = session.execute(planned.limit(size + 1))
    return [Moment(row.at, 0, row.first, row.second, row.who, _letter(row), "message", row.e) for row in rows]


def _within(column: Any, scope: Scope) -> ColumnElement[bool]:
    return true() if scope is None else column.in_(scope)


def _place(text: str) -> tuple[datetime, int, int, int] | None:
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) <= 17 for part in parts):
        return None
    at, source, first, second = map(int, parts)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=min(at, 7 * 10**15)), source, first, second


def _line(at: Any, first: Any, second: Any, who: Any, *told: Any) -> Select[Any]:
    """One kind of thing with the columns all kinds share: ``a`` to ``e`` are texts."""
    texts = [cast(one, String).label(name) for name, one in zip("abcde", (*told, *[null()] * 5), strict=False)]
    return select(at.label("at"), first.label("first"), second.label("second"), cast(who, String).label("who"), *texts)


def _notices(at: Any, ids: Collection[int], where: Where) -> Select[Any]:
    """Notices of benefits to the person, at the moment ``at``."""
    return (
        _line(
            at, Notice.id, literal(0), literal(SYSTEM.label), BenefitDefinition.name,
            Notice.kind, Notice.status, Notice.reason, Target.title,
        )
        .join(Target, Target.id == Notice.target_id)
        .join(Benefit, Benefit.id == Notice.benefit_id)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .where(Notice.profile_id.in_(ids), reaches.holds(where, BenefitDefinition.site_id, Benefit.profile_id))
    )  # fmt: skip


def _parts(ids: Collection[int], where: Where, now: datetime) -> Sequence[Select[Any]]:
    """What a history is made of, in the order of ``_TELL``."""
    scope = reaches.whole(where)
    holds = reaches.holds(where, BenefitDefinition.site_id, Benefit.profile_id)
    bound = reaches.only_parts(where)
    subjects = [f"profiles:{number}" for number in ids]
    zero = literal(0)
    person = AuditEntry.facts["person"].as_string()
    moves = (
        select(AuditEntry.at, AuditEntry.id, AuditEntry.actor, AuditEntry.event, AuditEntry.subject, AuditEntry.facts)
        .where(AuditEntry.event.in_((Event.GROUP_JOINED, Event.GROUP_LEFT)), person.in_([str(one) for one in ids]))
        .cte("moves")
    )
    # What the log tells of with whoever did it is not told again; files and what was there before the log are.
    is_logged = exists().where(
        moves.c.event == Event.GROUP_JOINED,
        moves.c.subject == literal("groups:").concat(cast(Membership.group_id, String)),
        moves.c.at == Membership.joined_at,
    )
    # Within organisations nobody is told of the others, which the log names in words.
    joined = reaches.places(bound, Membership.organisation_id) if bound else ~is_logged
    by_file = literal("Import ").concat(cast(Membership.import_run_id, String))
    return (
        _line(AuditEntry.at, AuditEntry.id, zero, AuditEntry.actor, AuditEntry.event, AuditEntry.facts).where(
            AuditEntry.subject.in_(subjects)
        ),
        _line(Entry.entered_at, Entry.reward_id, Entry.number, null(), Reward.title, Entry.number, Entry.tickets, Entry.receipt)
        .join(Reward, Reward.id == Entry.reward_id)
        .where(Entry.profile_id.in_(ids), _within(Reward.site_id, scope)),
        _line(WinnerEvent.at, WinnerEvent.id, zero, WinnerEvent.by, Reward.title, WinnerEvent.stage, WinnerEvent.note)
        .join(Winner, Winner.id == WinnerEvent.winner_id)
        .join(Reward, Reward.id == Winner.reward_id)
        .where(Winner.profile_id.in_(ids), _within(Reward.site_id, scope)),
        _line(
            VoucherChange.at, VoucherChange.id, zero, VoucherChange.by,
            VoucherType.title, VoucherChange.status, VoucherChange.note, Voucher.last_four,
        )
        .join(Voucher, Voucher.id == VoucherChange.voucher_id)
        .join(VoucherType, VoucherType.id == Voucher.voucher_type_id)
        .where(Voucher.profile_id.in_(ids), _within(VoucherType.site_id, scope)),
        _line(Completion.completed_at, Completion.id, zero, null(), Module.title, Completion.score)
        .join(Module, Module.id == Completion.module_id)
        .where(Completion.profile_id.in_(ids), _within(Module.site_id, scope)),
        _line(BenefitChange.at, BenefitChange.id, zero, BenefitChange.by, BenefitDefinition.name, BenefitChange.move, BenefitChange.note)
        .join(Benefit, Benefit.id == BenefitChange.benefit_id)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .where(or_(Benefit.profile_id.in_(ids), BenefitChange.profile_id.in_(ids)), holds),
        _line(Redemption.at, Redemption.id, zero, Redemption.by, BenefitDefinition.name, Redemption.kind, Redemption.count, Redemption.receipt)
        .join(Benefit, Benefit.id == Redemption.benefit_id)
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .where(Benefit.profile_id.in_(ids), holds),
        _notices(decided_at(now), ids, where).where(not_(is_coming(now))),
        _line(Membership.joined_at, Membership.id, zero, by_file, Group.title, Organisation.title)
        .join(Group, Group.id == Membership.group_id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.profile_id.in_(ids), joined),
        _line(moves.c.at, moves.c.id, zero, moves.c.actor, moves.c.event, moves.c.facts).where(false() if bound else true()),
    )  # fmt: skip


def _audit(row: Any) -> tuple[str, str, str]:
    event = Event(row.a)
    words = told(event, json.loads(row.b))
    return words[:1].upper() + words[1:], event.partition(".")[0], ""


def _entry(row: Any) -> tuple[str, str, str]:
    tickets = "" if row.c == "1" else f" with {int(row.c):,} tickets"
    return f"Entered «{row.a}» as number {int(row.b):,}{tickets}", "entry", f"Receipt {row.d}" if row.d else ""


def _winner(row: Any) -> tuple[str, str, str]:
    return f"Prize of «{row.a}»: {STAGES[Stage(row.b)].lower()}", "winner", row.c or ""


def _voucher(row: Any) -> tuple[str, str, str]:
    return f"Voucher ending {row.d} of «{row.a}»: {VoucherStatus(row.b)}", "vouchers", row.c or ""


def _completion(row: Any) -> tuple[str, str, str]:
    score = "" if row.b is None else f" with {row.b} per cent"
    return f"Completed «{row.a}»{score}", "completion", ""


def _benefit(row: Any) -> tuple[str, str, str]:
    return f"Benefit «{row.a}»: {BenefitMove(row.b)}", "benefit", row.c or ""


def _redemption(row: Any) -> tuple[str, str, str]:
    verb = {"redeem": "Redeemed", "return": "Gave back", "reversal": "Reversed"}[row.b]
    return f"{verb} {int(row.c):,} of «{row.a}»", "benefit", f"Receipt {row.d}"


_NOTICES = {
    NoticeKind.ISSUE: "Notice of «{}»",
    NoticeKind.REMIND: "Reminder of «{}»",
    NoticeKind.EXTEND: "Offer to extend «{}»",
}
_BECAME = {
    NoticeStatus.PLANNED: "is due",
    NoticeStatus.SENDING: "is due and waits for the other side to take it",
    NoticeStatus.SENT: "was sent",
    NoticeStatus.SKIPPED: "was left out",
    NoticeStatus.FAILED: "could not be sent",
}


# Reasons that say in one word what they say of the benefit, or of the person.
_REASONS = {
    Skip.VOID: "Because the benefit was made void",
    Skip.EXPIRED: "Because the benefit had expired",
    Skip.REDEEMED: "Because the benefit was used up",
    Skip.HANDED_OVER: "Because the benefit was handed over to another person",
    Skip.OPTED_OUT: "Because the person opted out",
}


def _letter(row: Any) -> str:
    return _NOTICES[NoticeKind(row.b)].format(row.a)


def _notice(row: Any) -> tuple[str, str, str]:
    detail = _REASONS.get(row.d) or row.d or row.e
    return f"{_letter(row)} {_BECAME[NoticeStatus(row.c)]}", "message", detail[:1].upper() + detail[1:]


def _joined(row: Any) -> tuple[str, str, str]:
    return f"Joined «{row.a}»" + (f" within «{row.b}»" if row.b else ""), "group", ""


_TELL = (_audit, _entry, _winner, _voucher, _completion, _benefit, _redemption, _notice, _joined, _audit)


def _moment(row: Any) -> Moment:
    sentence, group, detail = _TELL[row.source](row)
    return Moment(row.at, row.source, row.first, row.second, row.who or "", sentence, group, detail)
