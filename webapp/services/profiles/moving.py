"""What follows a person who turned out to be another: everything but what a sealed draw holds for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from webapp.domain.draws import DrawState
from webapp.models import (
    Benefit,
    BenefitChange,
    Completion,
    Draw,
    Entry,
    Group,
    Membership,
    Module,
    Notice,
    Organisation,
    Profile,
    ProfileIdentity,
    ProfileMerge,
    Voucher,
    Winner,
)
from webapp.services.profiles import at_sites
from webapp.services.work import Work, changed_rows


def move(work: Work, loser_id: int, winner_id: int) -> dict[str, int]:
    """Hand over what ``loser_id`` has; gives how many of each moved, and how many were there twice.

    Entries of sealed draws, winners and their vouchers stay with the old row, as the seals and the guards of the
    database demand; pages show them with the person. A membership or completion both have is kept once.
    """
    at_sites.hold(work.session, [loser_id, winner_id])
    return {
        "entries": _entries(work, loser_id, winner_id),
        "vouchers": _to(work, Voucher, winner_id, Voucher.profile_id == loser_id, Voucher.winner_id.is_(None)),
        "reserved_codes": changed_rows(
            work.session,
            update(Voucher).where(Voucher.reserved_for_id == loser_id).values(reserved_for_id=winner_id),
        ),
        "benefits": _benefits(work, loser_id, winner_id),
        "notices": _notices(work, loser_id, winner_id),
        "memberships_twice": _drop_memberships(work, loser_id, winner_id),
        "memberships": _to(work, Membership, winner_id, Membership.profile_id == loser_id),
        "completions_twice": _drop_completions(work, loser_id, winner_id),
        "completions": _to(work, Completion, winner_id, Completion.profile_id == loser_id),
        "identities": _to(work, ProfileIdentity, winner_id, ProfileIdentity.profile_id == loser_id),
        "aliases": changed_rows(
            work.session,
            update(Profile).where(Profile.merged_into_id == loser_id).values(merged_into_id=winner_id),
        ),
    }


def is_used(until: datetime | None = None) -> ColumnElement[bool]:
    """Whether anything refers to a row of people; identities noted by ``until`` do not count."""
    identity = ProfileIdentity.profile_id == Profile.id
    if until is not None:
        identity &= ProfileIdentity.created_at > until
    other = aliased(Profile)
    return or_(
        exists().where(Entry.profile_id == Profile.id),
        exists().where(Winner.profile_id == Profile.id),
        exists().where(Voucher.profile_id == Profile.id),
        exists().where(Voucher.reserved_for_id == Profile.id),
        exists().where(Benefit.profile_id == Profile.id),
        exists().where(Benefit.claimed_by_id == Profile.id),
        exists().where(BenefitChange.profile_id == Profile.id),
        exists().where(Notice.profile_id == Profile.id),
        exists().where(Membership.profile_id == Profile.id),
        exists().where(Completion.profile_id == Profile.id),
        exists().where(identity),
        exists().where(or_(ProfileMerge.winner_id == Profile.id, ProfileMerge.loser_id == Profile.id)),
        exists().where(other.merged_into_id == Profile.id),
    )


def _to(work: Work, model: Any, winner_id: int, *which: ColumnElement[bool]) -> int:
    return changed_rows(work.session, update(model).where(*which).values(profile_id=winner_id))


def _benefits(work: Work, loser_id: int, winner_id: int) -> int:
    """What the loser claimed is a claim of the winner, also where somebody else has it by now."""
    claimed = update(Benefit).where(Benefit.claimed_by_id == loser_id)
    changed_rows(work.session, claimed.values(claimed_by_id=winner_id))
    return _to(work, Benefit, winner_id, Benefit.profile_id == loser_id)


def _entries(work: Work, loser_id: int, winner_id: int) -> int:
    """A closed draw whose list changes hands is reviewed anew: who entered twice may be somebody else now."""
    sealed = select(Draw.reward_id).where(Draw.sealed_at.is_not(None))
    theirs = select(Entry.reward_id).where(Entry.profile_id == loser_id)
    work.session.execute(
        update(Draw)
        .where(Draw.state == DrawState.CLOSED, Draw.reward_id.in_(theirs))
        .values(reviewed_at=None)
        .execution_options(synchronize_session=False)
    )
    return _to(work, Entry, winner_id, Entry.profile_id == loser_id, Entry.reward_id.not_in(sealed))


def _notices(work: Work, loser_id: int, winner_id: int) -> int:
    """Those of a benefit that went from the one to the other stay where the winner was told the same before."""
    theirs = aliased(Notice)
    same = and_(
        theirs.profile_id == winner_id,
        theirs.benefit_id == Notice.benefit_id,
        theirs.kind == Notice.kind,
        theirs.anchor_at == Notice.anchor_at,
    )
    return _to(work, Notice, winner_id, Notice.profile_id == loser_id, ~exists().where(same))


def _drop_memberships(work: Work, loser_id: int, winner_id: int) -> int:
    theirs = aliased(Membership)
    same = and_(
        theirs.profile_id == winner_id,
        theirs.group_id == Membership.group_id,
        or_(
            theirs.organisation_id == Membership.organisation_id,
            and_(theirs.organisation_id.is_(None), Membership.organisation_id.is_(None)),
        ),
    )
    rows = work.session.execute(
        select(Membership.id, Membership.group_id, Membership.organisation_id).where(
            Membership.profile_id == loser_id, exists().where(same)
        )
    ).all()
    _delete(work, Membership, [row[0] for row in rows])
    for number in [row[1] for row in rows]:
        _count_down(work, Group, Group.member_count, number)
    for place in [row[2] for row in rows if row[2] is not None]:
        _count_down(work, Organisation, Organisation.member_count, place)
    return len(rows)


def _drop_completions(work: Work, loser_id: int, winner_id: int) -> int:
    theirs = aliased(Completion)
    same = and_(
        theirs.profile_id == winner_id,
        theirs.module_id == Completion.module_id,
        theirs.completed_at == Completion.completed_at,
    )
    rows = work.session.execute(
        select(Completion.id, Completion.module_id).where(Completion.profile_id == loser_id, exists().where(same))
    ).all()
    _delete(work, Completion, [row[0] for row in rows])
    for number in [row[1] for row in rows]:
        _count_down(work, Module, Module.completion_count, number)
    return len(rows)


def _delete(work: Work, model: Any, ids: Sequence[int]) -> None:
    if ids:
        work.session.execute(delete(model).where(model.id.in_(ids)).execution_options(synchronize_session=False))


def _count_down(work: Work, model: Any, counter: Any, row_id: int) -> None:
    work.session.execute(
        update(model)
        .where(model.id == row_id)
        .values({counter: counter - 1})
        .execution_options(synchronize_session=False)
    )


def held(work: Work, profile_id: int) -> int:
    """How many entries of sealed draws keep pointing at the row."""
    sealed = select(Draw.reward_id).where(Draw.sealed_at.is_not(None))
    statement = select(func.count()).select_from(Entry)
    return work.session.scalar(statement.where(Entry.profile_id == profile_id, Entry.reward_id.in_(sealed))) or 0
