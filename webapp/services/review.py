"""The eligibility review: who does not take part, found in bulk and changed one by one until the seal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import aliased

from webapp.domain import draws as rules
from webapp.domain.audit import Event
from webapp.domain.draws import DrawState
from webapp.domain.entries import EntryStatus
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.domain.fulfilment import SHORTEST_REASON
from webapp.models import Draw, Entry, Profile, Reward, Site, StaffMember, Winner
from webapp.queries import draws as read
from webapp.services.work import Work


@dataclass(frozen=True, slots=True)
class ExcludeEntry:
    """Take an entry out of the draw; it keeps its place in the list with 0 tickets and the reason."""

    draw_id: int
    number: int
    entry_status: EntryStatus
    reason: str


@dataclass(frozen=True, slots=True)
class ReadmitEntry:
    """Let an excluded entry take part after all, with the reason."""

    draw_id: int
    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class ConfirmReview:
    """Say that the exclusions are right; the draw can be sealed then."""

    draw_id: int


def find_exclusions(work: Work, reward: Reward, site: Site) -> None:
    """Give every entry that does not take part its status and reason, in the order of ``domain.entries.exclusion``.

    One statement per rule, whatever the number of entries; each touches only entries that still take part.
    """
    for status, reason, applies in _rules(reward, site):
        work.session.execute(
            update(Entry)
            .where(Entry.reward_id == reward.id, Entry.status == EntryStatus.OK, applies)
            .values(status=status, reason=reason)
            .execution_options(synchronize_session=False)
        )


def _rules(reward: Reward, site: Site) -> list[tuple[EntryStatus, str, ColumnElement[bool]]]:
    address = func.coalesce(Profile.email_key, func.lower(Profile.email))

    def whose(condition: ColumnElement[bool]) -> ColumnElement[bool]:
        return Entry.profile_id.in_(select(Profile.id).where(condition))

    staff = select(StaffMember.email)
    found = [(EntryStatus.STAFF, "The e-mail belongs to a member of staff.", whose(address.in_(staff)))]
    found += [
        (
            EntryStatus.STAFF,
            f"The e-mail is on the staff domain {domain}.",
            whose(address.like("%@" + domain.replace("_", r"\_").replace("%", r"\%"), escape="\\")),
        )
        for domain in domains(site.staff_domains)
    ]
    if reward.exclude_previous_winners:
        won = (
            select(Winner.profile_id)
            .join(Reward, Reward.id == Winner.reward_id)
            .where(Reward.site_id == site.id, Winner.reward_id != reward.id, Winner.slot.is_not(None))
        )
        words = "The person has won an earlier draw of this site."
        found.append((EntryStatus.PREVIOUS_WINNER, words, Entry.profile_id.in_(won)))
    if reward.ends_at is not None:
        words = "Entered after the draw had closed for entries."
        found.append((EntryStatus.LATE, words, Entry.entered_at >= reward.ends_at))
    if reward.starts_at is not None:
        words = "Entered before the draw had opened for entries."
        found.append((EntryStatus.INELIGIBLE, words, Entry.entered_at < reward.starts_at))
    if reward.one_per_recipient:
        words = "One entry per person: an earlier entry of this person takes part."
        found.append((EntryStatus.DUPLICATE, words, Entry.number > _first_number()))
    return found


def _first_number() -> ColumnElement[int]:
    """The number of the person's first entry that takes part."""
    earlier = aliased(Entry)
    return (
        select(func.min(earlier.number))
        .where(
            earlier.reward_id == Entry.reward_id,
            earlier.profile_id == Entry.profile_id,
            earlier.status == EntryStatus.OK,
        )
        .correlate(Entry)
        .scalar_subquery()
    )


def domains(text: str) -> list[str]:
    """The e-mail domains of a comma-separated list, folded, without a leading @."""
    return [part.strip().lstrip("@").casefold() for part in text.split(",") if part.strip()]


def exclude(work: Work, command: ExcludeEntry) -> Draw:
    """Exclude one entry by hand; raises ``Refused`` without a reason, or once the draw is sealed."""
    if command.entry_status is EntryStatus.OK:
        raise Refused("entry.no_status", "Choose why the entry does not take part.", "entry_status")
    return _set(work, command.draw_id, command.number, command.entry_status, command.reason, Event.ENTRY_EXCLUDED)


def readmit(work: Work, command: ReadmitEntry) -> Draw:
    """Take an exclusion back; the reason stays on the entry and in the log."""
    return _set(work, command.draw_id, command.number, EntryStatus.OK, command.reason, Event.ENTRY_READMITTED)


def _set(work: Work, draw_id: int, number: int, status: EntryStatus, reason: str, event: Event) -> Draw:
    draw = _unconfirm(work, draw_id)
    if len(reason.strip()) < SHORTEST_REASON:
        raise Refused("entry.no_reason", "Say why in a few words: the reason stays in the record.", "reason")
    entry = work.session.get(Entry, (draw.reward_id, number))
    if entry is None:
        raise NotFound("entry.not_found", f"There is no entry {number:,} in this draw.", "number")
    if (entry.status is EntryStatus.OK) == (status is EntryStatus.OK):
        state = "already takes part" if status is EntryStatus.OK else f"is already excluded as «{entry.status}»"
        raise Conflict("entry.unchanged", f"Entry {number:,} {state}.", "number")
    entry.status, entry.reason = status, reason.strip()
    work.session.flush()
    count(work, draw)
    reward = work.session.get_one(Reward, draw.reward_id)
    facts: dict[str, Any] = {"reward": reward.title, "number": number, "reason": entry.reason}
    if event is Event.ENTRY_EXCLUDED:
        facts["status"] = status.value
    work.record(event, reward, reward.site_id, **facts)
    return draw


def _unconfirm(work: Work, draw_id: int) -> Draw:
    """Hold the draw while its entries change: a seal that read them before must not go through."""
    moved = work.session.execute(
        update(Draw)
        .where(Draw.id == draw_id, Draw.state == DrawState.CLOSED)
        .values(reviewed_at=None)
        .returning(Draw.id)
    ).scalar_one_or_none()
    draw = read.get(work.session, draw_id)
    if moved is None:
        rules.may_review(read.facts(work.session, draw)).require()
    return draw


def confirm(work: Work, command: ConfirmReview) -> Draw:
    """Record that the exclusions were looked at and are right."""
    draw = _unconfirm(work, command.draw_id)
    draw.reviewed_at = work.now
    count(work, draw)
    reward = work.session.get_one(Reward, draw.reward_id)
    excluded = draw.entry_count - draw.eligible_count
    work.record(
        Event.ENTRIES_REVIEWED,
        reward,
        reward.site_id,
        reward=reward.title,
        eligible=draw.eligible_count,
        excluded=excluded,
    )
    return draw


def count(work: Work, draw: Draw) -> None:
    """Write down how many entries there are, how many take part, and with how many tickets."""
    takes_part = Entry.status == EntryStatus.OK
    total, eligible, people, tickets = work.session.execute(
        select(
            func.count(),
            func.count().filter(takes_part),
            func.count(Entry.profile_id.distinct()).filter(takes_part),
            func.coalesce(func.sum(Entry.tickets).filter(takes_part), 0),
        ).where(Entry.reward_id == draw.reward_id)
    ).one()
    draw.entry_count, draw.eligible_count, draw.person_count, draw.ticket_count = total, eligible, people, tickets
    work.session.flush()
