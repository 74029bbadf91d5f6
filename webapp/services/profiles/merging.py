"""Make one person of two rows: once, for good, with everything that can move."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from webapp.domain import merging as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.domain.identity import Reach, Where
from webapp.domain.plurals import counted
from webapp.domain.profiles import search_keys
from webapp.models import Profile, ProfileMerge
from webapp.queries import profiles as read
from webapp.services.profiles import at_sites, indexing, moving
from webapp.services.profiles.indexing import Findable
from webapp.services.work import Work, changed_rows

FACTS = (
    *rules.FILLED, "birth_day", "birth_month", "birth_year", "joined_at", "tags", "statuses", "consents", "attributes",
)  # fmt: skip
SHORTEST_REASON = 3


@dataclass(frozen=True, slots=True)
class MergeProfiles:
    """``loser_id`` is the same person as ``winner_id``, who stays; ``reason`` says how one knows.

    ``where`` is how far whoever merges may go: both lie within.
    """

    winner_id: int
    loser_id: int
    reason: str = ""
    where: Where = None


def merge(work: Work, command: MergeProfiles) -> Profile:
    """Merge the loser into the winner; gives the winner.

    Raises ``Refused`` for one and the same row, an erased one or no reason, ``Conflict`` when either was merged
    before, also a moment ago: the guarded update lets one of two rivals through.
    """
    if command.winner_id == command.loser_id:
        raise Refused("merge.same", "This is one and the same row already; choose another person.", "loser_id")
    if len(command.reason.strip()) < SHORTEST_REASON:
        raise Refused("merge.no_reason", "Say in a few words how you know that they are one person.", "reason")
    winner, loser = _both(work, command)
    values = rules.merged(facts(winner), facts(loser))
    key = winner.email_key or (loser.email_key if not winner.email else None)
    _claim(work, winner, loser, gives_id=values["external_id"] == loser.external_id, gives_key=key == loser.email_key)
    moved = moving.move(work, loser.id, winner.id)
    moved["sealed_entries"] = moving.held(work, loser.id)
    keys = search_keys(
        Profile(**{name: values[name] for name in ("external_id", "first_name", "last_name", "email", "phone")})
    )
    work.session.execute(
        update(Profile)
        .where(Profile.id == winner.id)
        .values(**values, **keys, email_key=key, version=Profile.version + 1, updated_at=work.now)
        .execution_options(synchronize_session=False)
    )
    shared = "" if key else values["email"]
    indexing.renew(work, [Findable(winner.id, values["first_name"], values["last_name"], values["home_phone"], shared)])
    at_sites.renew(work.session, [winner.id, loser.id])
    work.session.add(
        ProfileMerge(
            winner_id=winner.id,
            loser_id=loser.id,
            at=work.now,
            by_id=work.actor.staff_id,
            by=work.actor.label,
            reason=command.reason.strip(),
            moved=moved,
        )
    )
    for person in (winner, loser):
        work.session.refresh(person)
    told = counted(moved, rules.MOVED) or "nothing"
    work.record(Event.PROFILE_MERGED, winner, loser=str(loser.id), winner=str(winner.id), moved=told)
    return winner


def facts(profile: Profile) -> dict[str, object]:
    """What a merge weighs of a person."""
    return {name: getattr(profile, name) for name in FACTS}


def _both(work: Work, command: MergeProfiles) -> tuple[Profile, Profile]:
    """Both rows, held in the order of their ids, so that rivals the other way round do not lock each other out."""
    ids = sorted((command.winner_id, command.loser_id))
    statement = select(Profile).where(Profile.id.in_(ids)).order_by(Profile.id).with_for_update()
    found = {row.id: row for row in work.session.scalars(statement, execution_options={"populate_existing": True})}
    if len(found) < len(ids):
        raise NotFound("profile.not_found", "There is no such person.")
    if isinstance(command.where, Reach):
        for number in ids:
            read.get(work.session, number, command.where)
    for person in found.values():
        if person.erased_at is not None:
            raise Refused("merge.erased", "One of the two was erased; what is left belongs to nobody.", "loser_id")
        if person.merged_into_id is not None:
            raise Conflict(
                "merge.merged",
                f"Person {person.id} was merged into person {person.merged_into_id} before. Open that person instead.",
                "loser_id",
            )
    return found[command.winner_id], found[command.loser_id]


def _claim(work: Work, winner: Profile, loser: Profile, *, gives_id: bool, gives_key: bool) -> None:
    """Point the loser at the winner; it keeps the names files may still call it by, but for those it gives away."""
    given: dict[str, object] = {}
    if gives_id and loser.external_id:
        given["external_id"] = None
    if gives_key and loser.email_key:
        given["email_key"] = None
    won = changed_rows(
        work.session,
        update(Profile)
        .where(Profile.id == loser.id, Profile.merged_into_id.is_(None), Profile.erased_at.is_(None))
        .values(merged_into_id=winner.id, version=Profile.version + 1, updated_at=work.now, **given),
    )
    if not won:
        raise Conflict("merge.merged", "Somebody merged this person a moment ago. Open the page again.", "loser_id")
