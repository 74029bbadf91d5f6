"""Keeps people findable: further words of their names, and the words of all names with their slips."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, cast

from sqlalchemy import Table, delete

from webapp.domain import search
from webapp.models import NameSlip, ProfileTerm
from webapp.queries import search as read
from webapp.services import bulk
from webapp.services.work import Work

_TERMS = cast(Table, ProfileTerm.__table__)
_SLIPS = cast(Table, NameSlip.__table__)
_PARTS = 500  # ids or words named in one statement


class Findable(NamedTuple):
    """What of a person decides by which words they are found."""

    id: int
    first_name: str
    last_name: str
    home_phone: str = ""
    shared_email: str = ""  # an address that somebody else answers to


def add(work: Work, people: Sequence[Findable]) -> None:
    """Make new people findable; a few statements however many they are."""
    add_terms(work, [(one.id, term) for one in people for term in search.terms(*one[1:])])
    learn(work, [(one.first_name, one.last_name) for one in people])


def add_terms(work: Work, rows: Sequence[tuple[int, str]]) -> None:
    """Write further beginnings: id of the person, term."""
    bulk.insert_rows(work.session, _TERMS, ["profile_id", "term"], rows)


def learn(work: Work, names: Iterable[tuple[str, str]]) -> None:
    """Know the words of these first and last names with their slips.

    Most people bring no word that is not there yet, so that a million of them write a few thousand.
    """
    words = search.vocabulary({name for pair in names for name in pair if name})
    fresh = words - read.known_words(work.session, words) if words else set()
    rows = sorted((slip, word) for word in fresh for slip in search.slips(word))
    bulk.insert_rows(work.session, _SLIPS, ["slip", "word"], rows, pass_over_known=True)


def renew(work: Work, people: Sequence[Findable]) -> None:
    """Make people findable by what they are called now, and no more by what they were called."""
    drop(work, [one.id for one in people])
    add(work, people)


def drop(work: Work, ids: Collection[int]) -> None:
    """Take away the further words of these people."""
    every = sorted(ids)
    for at in range(0, len(every), _PARTS):
        work.session.execute(
            delete(ProfileTerm)
            .where(ProfileTerm.profile_id.in_(every[at : at + _PARTS]))
            .execution_options(synchronize_session=False)
        )


def forget(work: Work, names: Iterable[str]) -> None:
    """Drop the words of ``names`` that nobody bears any more; call it when the rows say so already."""
    gone = sorted(read.borne_by_nobody(work.session, search.vocabulary(names)))
    for at in range(0, len(gone), _PARTS):
        some = gone[at : at + _PARTS]
        slips = sorted({slip for word in some for slip in search.slips(word)})
        for place in range(0, len(slips), _PARTS):
            work.session.execute(
                delete(NameSlip)
                .where(NameSlip.slip.in_(slips[place : place + _PARTS]), NameSlip.word.in_(some))
                .execution_options(synchronize_session=False)
            )
