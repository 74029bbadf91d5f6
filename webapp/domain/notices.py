"""Which notices of a benefit are planned, when they are due, and why one is left out (benefits.md 8.2, 8.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from webapp.domain.benefit_dates import Lead, due_at
from webapp.domain.benefits import BenefitFacts

BACKDATED = timedelta(hours=48)  # an issue longer ago is not told of any more
LATE = timedelta(hours=24)  # a reminder that came due longer ago is left out
_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720))


class NoticeKind(StrEnum):
    """What a notice tells; the names are those of a definition's offsets."""

    ISSUE = "issue"
    REMIND = "remind"
    EXTEND = "extend"


OF_EXPIRY = (NoticeKind.REMIND, NoticeKind.EXTEND)  # these count from the end, and move with it


class TargetKind(StrEnum):
    """How what a target says reaches its reader."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class NoticeStatus(StrEnum):
    """planned → sending (its message waits in the outbox) → sent or failed; or skipped with a reason."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


class Skip(StrEnum):
    """Why a notice is not sent, in the words its row keeps."""

    BACKDATED = "backdated: issued more than 48 hours before"
    TOO_SHORT = "the benefit is shorter than the lead time"
    LATE = "past already: due more than 24 hours before"
    EXPIRED = "expired"
    REDEEMED = "redeemed"
    VOID = "void"
    HANDED_OVER = "handed over to another person"
    MOVED = "the end of the benefit was moved"
    NOT_EXTENDABLE = "cannot be extended any more"
    ERASED = "the person was erased"
    NO_ADDRESS = "the person has no e-mail address"
    OPTED_OUT = "opted out"
    BOUNCED = "e-mails to the person bounce"
    CONDITION = "condition: the person does not meet the target's"
    ARCHIVED = "the target is archived"
    DROPPED = "the definition asks for it no more"


@dataclass(frozen=True, slots=True)
class Asked:
    """When a definition wants a notice sent, and with which text."""

    lead: Lead
    target_id: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice to be: ``skip`` says why it is left out from the beginning; ``anchor_at`` is what ``due_at`` counts from."""

    kind: NoticeKind
    target_id: int
    anchor_at: datetime
    due_at: datetime
    skip: Skip | None = None


def drafts(
    asked: Mapping[NoticeKind, Asked],
    facts: BenefitFacts,
    now: datetime,
    *,
    is_extendable: bool,
    told_from: datetime | None = None,
) -> list[Draft]:
    """The notices of one benefit as they are planned at ``now``: none without an offset, a target or an end.

    ``told_from`` takes the place of the issue for the issue notice: somebody else got it only then.
    """
    return list(_drafts(asked, facts, now, is_extendable=is_extendable, told_from=told_from or facts.issued_at))


def _drafts(
    asked: Mapping[NoticeKind, Asked],
    facts: BenefitFacts,
    now: datetime,
    *,
    is_extendable: bool,
    told_from: datetime,
) -> Iterator[Draft]:
    for kind, one in asked.items():
        anchor = facts.expires_at if kind in OF_EXPIRY else told_from
        due = due_at(one.lead, anchor, facts.zone)
        if anchor is None or due is None:
            continue
        skip = left_out(kind, due, facts, now, told_from)
        if kind is NoticeKind.EXTEND and (not is_extendable or facts.extended_at is not None):
            skip = Skip.NOT_EXTENDABLE
        yield Draft(kind, one.target_id, anchor, due, skip)


def left_out(
    kind: NoticeKind, due: datetime, facts: BenefitFacts, now: datetime, told_from: datetime | None = None
) -> Skip | None:
    """Why a notice is not planned at ``now``; None when it is. What is due already and planned goes out at once."""
    if kind is NoticeKind.ISSUE:
        return Skip.BACKDATED if due <= now and (told_from or facts.issued_at) < now - BACKDATED else None
    if due < facts.issued_at:
        return Skip.TOO_SHORT
    if due > now:
        return None
    if facts.expires_at is not None and facts.expires_at <= now:
        return Skip.EXPIRED
    return Skip.LATE if due < now - LATE else None


def why_not(
    kind: NoticeKind,
    due: datetime,
    facts: BenefitFacts,
    now: datetime,
    *,
    is_extendable: bool,
    is_win_back: bool,
) -> Skip | None:
    """Why a notice that was planned is not sent at ``now``, as far as the benefit says; None when it is sent.

    ``is_win_back`` is a reminder meant for after the end: an expired benefit is what it is about.
    """
    if facts.voided_at is not None:
        return Skip.VOID
    if facts.redemptions_left == 0:
        return Skip.REDEEMED
    if facts.expires_at is not None and facts.expires_at < now and not is_win_back:
        return Skip.EXPIRED
    if kind is NoticeKind.EXTEND and (not is_extendable or facts.extended_at is not None):
        return Skip.NOT_EXTENDABLE
    return Skip.LATE if kind in OF_EXPIRY and due < now - LATE else None


def unwelcome(kind: NoticeKind, consents: Mapping[str, object], address: str, way: TargetKind) -> Skip | None:
    """Why the person is not written to; what was never said of a consent bars nothing (benefits.md 8.4).

    Whoever opted out is not told of by a webhook either, for what receives it may write to them; that e-mails bounce, or
    that there is no address, is about e-mails alone.
    """
    is_email = way is TargetKind.EMAIL
    if consents.get("email_optout") is True:
        return Skip.OPTED_OUT
    if is_email and consents.get("email_bounced") is True:
        return Skip.BOUNCED
    asked = ("email_benefits", "email_reminders") if kind in OF_EXPIRY else ("email_benefits",)
    if any(consents.get(name) is False for name in asked):
        return Skip.OPTED_OUT
    return None if address or not is_email else Skip.NO_ADDRESS


def next_try(attempts: int) -> timedelta | None:
    """How long a notice waits after failed try number ``attempts`` (from 1): 1, 5, 30 minutes, 2, 12 hours.

    None after the try that follows the last wait: it is shown as failed until somebody sends it again (benefits.md 8.4).
    """
    return _WAITS[attempts - 1] if attempts <= len(_WAITS) else None
