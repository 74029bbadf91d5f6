"""Hands notices that are due to the outbox, each once, and keeps what became of them there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.domain import condition_reading, condition_rules, placeholders, webhook_addresses
from webapp.domain import notices as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.domain.notices import NoticeStatus, Skip, TargetKind
from webapp.domain.outbox import OutboxStatus
from webapp.domain.voucher_codes import grouped, masked
from webapp.models import Notice, Target
from webapp.queries import conditions
from webapp.queries import notices as read
from webapp.queries.notices import Letter
from webapp.services import outbox
from webapp.services.work import Work, changed_rows

KEY = "notice"  # with which the outbox knows whose message it is: notice:ID:ATTEMPT
SOME = 200  # in one transaction


def send_some(work: Work, size: int = SOME) -> int:
    """Put up to ``size`` notices that are due into the outbox, the oldest first; gives how many it dealt with.

    A notice is taken, looked at, written and told to the outbox in one transaction: nobody else has it meanwhile, and
    after a kill it is as if nothing had been done. Consents and the target's condition are those of this moment.
    """
    taken = _take(work, size)
    letters = read.letters(work.session, taken)
    barred = _conditions(work.session, letters, work.now)
    for letter in letters:
        skip = barred.get(letter.notice.id) or _why_not(letter, work.now)
        if skip is None:
            _hand_over(work, letter)
        else:
            letter.notice.status, letter.notice.reason = NoticeStatus.SKIPPED, str(skip)
    work.session.flush()
    return len(taken)


def _take(work: Work, size: int) -> list[int]:
    """The ids of notices that are ours now: a rival's guard finds them taken, or passes over them while we hold them."""
    due = (Notice.status == NoticeStatus.PLANNED, Notice.due_at <= work.now)
    first = (
        select(Notice.id)
        .where(*due)
        .order_by(Notice.due_at, Notice.id)
        .limit(size)
        .with_for_update(skip_locked=True)
        .cte("first")
    )
    taken = work.session.execute(
        update(Notice)
        .where(Notice.id.in_(select(first.c.id)), *due)
        .values(status=NoticeStatus.SENDING, attempts=Notice.attempts + 1)
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(taken.scalars())


def _why_not(letter: Letter, now: datetime, *, due: datetime | None = None) -> Skip | None:
    """All that is asked of a notice beside its target's condition; with ``due`` as if it were due then."""
    notice, person = letter.notice, letter.person
    if person.id not in (notice.profile_id, letter.merged_into_id):
        return Skip.HANDED_OVER
    if person.erased_at is not None:
        return Skip.ERASED
    if letter.target.archived_at is not None:
        return Skip.ARCHIVED
    return rules.why_not(
        notice.kind,
        due or notice.due_at,
        letter.benefit.facts,
        now,
        is_extendable=letter.definition.is_extendable,
        is_win_back=notice.is_win_back,
    ) or rules.unwelcome(notice.kind, person.consents, person.email, letter.target.kind)


def _conditions(session: Session, letters: Iterable[Letter], now: datetime) -> dict[int, Skip]:
    """Which notices their target's condition bars, by their ids; people are asked for together."""
    asking = [letter for letter in letters if letter.target.condition]
    if not asking:
        return {}
    known = conditions.variables(session)
    named = {name for letter in asking for name in condition_reading.names(letter.target.condition)}
    wanted = [known[name] for name in sorted(named) if name in known]
    facts = conditions.facts(session, {letter.person.id for letter in asking}, wanted, now)
    return {
        letter.notice.id: Skip.CONDITION
        for letter in asking
        if not _meets(letter, known, facts.get(letter.person.id, {}), now)
    }


def _meets(letter: Letter, known: Mapping[str, Any], facts: Mapping[str, Any], now: datetime) -> bool:
    """Whether the person meets the condition; one that can be read no longer is met by nobody."""
    zone = letter.benefit.zone
    try:
        node = condition_reading.read(letter.target.condition, known, zone)
    except Refused:
        return False
    return condition_rules.compiled(node, zone)(facts, now.astimezone(ZoneInfo(zone)).date())


def _hand_over(work: Work, letter: Letter) -> None:
    """The whole code goes into the message only; the row keeps what left with its last four signs."""
    notice, key = letter.notice, f"{KEY}:{letter.notice.id}:{letter.notice.attempts}"
    codes = grouped(letter.code), masked(letter.code) if letter.is_secret else letter.code
    (subject, body), shown = (_written(letter.target, _values(letter, code, work.now)) for code in codes)
    if letter.target.kind is TargetKind.WEBHOOK:
        work.post(key, webhook_addresses.host(letter.target.url), subject, body, webhook_id=letter.target.id)
    else:
        work.post(key, letter.person.email, subject, body)
    notice.subject, notice.body = shown
    notice.reason = ""


def _written(target: Target, values: Mapping[str, str]) -> tuple[str, str]:
    """Subject and body as they leave; a webhook is called by its title, in which nothing is replaced."""
    if target.kind is TargetKind.WEBHOOK:
        return target.subject, placeholders.fill_payload(target.body, values)
    subject = placeholders.one_line(placeholders.fill(target.subject, values)) or target.title
    return subject, placeholders.fill(target.body, values)


def _values(letter: Letter, code: str, now: datetime) -> dict[str, str]:
    code = code if letter.code else ""
    return placeholders.values(letter.benefit, letter.definition, letter.person, code=code, terms=letter.terms, now=now)


@dataclass(frozen=True, slots=True)
class ResendNotice:
    """Send a notice again that was sent, failed or left out."""

    notice_id: int


def resend(work: Work, command: ResendNotice) -> Notice:
    """Plan it for now; everything is asked anew when it leaves. ``Refused`` where it is certain that it cannot."""
    found = read.letters(work.session, [command.notice_id])
    if not found:
        raise NotFound("notice.unknown", "There is no such notice.")
    letter = found[0]
    barred = _conditions(work.session, found, work.now).get(letter.notice.id)
    if barred := barred or _why_not(letter, work.now, due=work.now):
        raise Refused("notice.barred", f"It would not be sent: {barred}.")
    ended = (NoticeStatus.SENT, NoticeStatus.FAILED, NoticeStatus.SKIPPED)
    moved = changed_rows(
        work.session,
        update(Notice)
        .where(Notice.id == command.notice_id, Notice.status.in_(ended))
        .values(status=NoticeStatus.PLANNED, due_at=work.now, reason=""),
    )
    if moved != 1:
        raise Conflict("notice.under_way", "It is on its way already. Look at the benefit again in a minute.")
    work.record(
        Event.NOTICE_RESENT, letter.benefit, letter.definition.site_id, title=letter.definition.name,
        kind=str(letter.notice.kind), person=letter.benefit.profile_id,
    )  # fmt: skip
    work.session.refresh(letter.notice)
    return letter.notice


def objection(session: Session, key: str, now: datetime) -> str:
    """Why the outbox should not send a notice any more: it was left out, or is not wanted at ``now``."""
    letter = read.letters(session, [_number(key)])[0]
    if letter.notice.status is NoticeStatus.SKIPPED:
        return letter.notice.reason
    if _attempt(key) != letter.notice.attempts:
        return "it was written anew since"
    return str(_why_not(letter, now) or "")


def follow(work: Work, key: str, status: OutboxStatus, error: str) -> None:
    """What became of the message becomes of its notice, in the same transaction; one that was superseded only if it left."""
    became: dict[OutboxStatus, dict[str, object]] = {
        OutboxStatus.SENT: {"status": NoticeStatus.SENT, "sent_at": work.now, "reason": ""},
        OutboxStatus.SKIPPED: {"status": NoticeStatus.SKIPPED, "reason": error[:500] or "left out"},
        OutboxStatus.FAILED: {"status": NoticeStatus.FAILED, "reason": error[:500] or "not sent"},
    }
    if status in became:
        of = Notice.id == _number(key)
        if status is not OutboxStatus.SENT:
            of &= Notice.attempts == _attempt(key)
        changed_rows(work.session, update(Notice).where(of).values(became[status]))


def _number(key: str) -> int:
    return int(key.split(":")[1])


def _attempt(key: str) -> int:
    return int(key.split(":")[2])


outbox.OBJECTIONS[KEY] = objection
outbox.WAITS[KEY] = rules.next_try
outbox.FOLLOWERS[KEY] = follow
