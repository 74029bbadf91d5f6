"""The team as an export tells it: who may do what, in words."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from webapp.domain import staff as rules
from webapp.queries import sites
from webapp.queries import staff as read
from webapp.queries.exports import WALKED, walk

EXPORT = ("name", "email", "is_active", "has_password", "roles", "seen_at", "invited_until")


def stream(session: Session, scope: frozenset[int] | None = None, search: str = "") -> Iterator[tuple[object, ...]]:
    """The team as ``EXPORT`` names it and ``queries.staff.team`` lists it: what each may do is in the words of the list."""
    titles = sites.names(session)
    for row in walk(lambda last: read.team(session, scope, search=search, after=last, size=WALKED)):
        organisations = read.organisation_titles(session, row.grants)
        roles = rules.in_words(row.grants, titles, organisations)
        yield row.name, row.email, row.is_active, row.has_password, roles, row.seen_at, row.invited_until
