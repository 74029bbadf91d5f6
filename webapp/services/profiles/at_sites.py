"""Keeps people findable on the sites they entered, in the transaction of whatever decides it.

A person is found where they entered, and where somebody who was merged into them did: what a sealed draw holds stays
with the old row. Who enters holds the row of the person, as do changing, merging and erasing it: of two at the same
moment the second sees what the first wrote.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import CompoundSelect, Select, Subquery, Table, delete, exists, false, literal, select, true, union
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.models import Entry, Profile, ProfileIdentity, ProfileTerm, Reward, SitePerson, SiteTerm
from webapp.queries.matching import among_ids

_QUIETLY = {"synchronize_session": False}
_PEOPLE, _TERMS = cast(Table, SitePerson.__table__), cast(Table, SiteTerm.__table__)
_COPIED = (Profile.external_id, Profile.email_key, Profile.phone_key, Profile.search_text, Profile.name_key)


def enter(session: Session, reward_id: int, ids: Collection[int]) -> None:
    """These people have entered the reward: whoever is new to its site is found there from now on.

    Call it when the entries are written: from then on nobody merges these people before this transaction ends.
    """
    site_id = session.scalars(select(Reward.site_id).where(Reward.id == reward_id)).one()
    known = exists().where(SitePerson.profile_id == Profile.id, SitePerson.site_id == site_id)
    strange = select(Profile.id).where(among_ids(session, Profile.id, sorted(set(ids))), ~known)
    fresh = list(session.scalars(strange.order_by(Profile.id).with_for_update(read=True)))
    if fresh:
        if meant := _meant(session, fresh):
            held = select(Profile.id).where(among_ids(session, Profile.id, sorted(meant))).order_by(Profile.id)
            fresh += session.scalars(held.with_for_update(read=True)).all()
        entered = select(Profile.id.label("profile_id"), literal(site_id).label("site_id"))
        _write(session, entered.where(among_ids(session, Profile.id, fresh)).subquery())


def _meant(session: Session, ids: Collection[int]) -> set[int]:
    """Whom those of these rows mean that were merged."""
    meant = select(Profile.merged_into_id).where(
        among_ids(session, Profile.id, sorted(ids)), Profile.merged_into_id.is_not(None)
    )
    return {number for number in session.scalars(meant) if number is not None}


def follow(session: Session, ids: Collection[int]) -> None:
    """The facts of these people have changed: they are found by the new ones on their sites, and by the old no more."""
    here = session.scalars(
        select(SitePerson.profile_id).where(among_ids(session, SitePerson.profile_id, sorted(ids))).distinct()
    )
    if somewhere := here.all():
        renew(session, somewhere)


def hold(session: Session, ids: Collection[int]) -> None:
    """Nobody enters as one of these people, changes or merges them until this transaction ends."""
    every = sorted({*ids, *_meant(session, ids)})
    held = select(Profile.id).where(among_ids(session, Profile.id, every)).order_by(Profile.id)
    session.execute(held.with_for_update())


def renew(session: Session, ids: Collection[int]) -> None:
    """Entries of these people have gone or changed hands: they are found where they have some. Hold them before."""
    every = sorted({*ids, *_meant(session, ids)})
    for table in (SitePerson, SiteTerm):
        gone = delete(table).where(among_ids(session, table.profile_id, every))
        session.execute(gone, execution_options=_QUIETLY)
    entered = select(Entry.profile_id, Reward.site_id).join(Reward, Reward.id == Entry.reward_id)
    as_merged = (
        select(Profile.merged_into_id, Reward.site_id)
        .join(Entry, Entry.profile_id == Profile.id)
        .join(Reward, Reward.id == Entry.reward_id)
    )
    found: CompoundSelect[Any] = union(
        entered.where(among_ids(session, Entry.profile_id, every)),
        as_merged.where(among_ids(session, Profile.merged_into_id, every)),
    )
    _write(session, found.subquery())


def _write(session: Session, entered: Subquery) -> None:
    """Copy what people are found by behind each of the sites in ``entered``, unless it stands there."""
    there = (entered.c.profile_id, entered.c.site_id)
    people = select(*there, *_COPIED).join(Profile, Profile.id == there[0]).where(Profile.erased_at.is_(None))
    _insert(session, _PEOPLE, people.order_by(*there))
    words = select(*there, false().label("is_identity"), ProfileTerm.term)
    others = select(*there, true().label("is_identity"), ProfileIdentity.identifier)
    every = union(
        words.join(ProfileTerm, ProfileTerm.profile_id == there[0]),
        others.join(ProfileIdentity, ProfileIdentity.profile_id == there[0]),
    ).subquery()
    _insert(session, _TERMS, select(*every.c).order_by(*every.c))


def _insert(session: Session, table: Table, rows: Select[Any]) -> None:
    """In the order of their keys, so that rivals do not cross; what is there already is left as it is."""
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.connection().execute(make(table).from_select([one.name for one in table.c], rows).on_conflict_do_nothing())
