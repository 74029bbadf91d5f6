"""What other systems call a person: kept, added and taken away as the form lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from webapp.domain.errors import Conflict, Refused
from webapp.models import ProfileIdentity
from webapp.services.work import Work


@dataclass(frozen=True, slots=True)
class IdentityLine:
    """One identity as typed: ``identifier`` within ``system``; one that is not active is known and not used."""

    system: str
    identifier: str
    is_active: bool = True


def put(work: Work, profile_id: int, lines: Sequence[IdentityLine]) -> bool:
    """Make the person's identities those of ``lines``; gives whether anything changed.

    Raises ``Refused`` for a line of which one half is missing or that stands twice, ``Conflict`` when another
    person is known by it already.
    """
    wanted = {(_system(line), line.identifier): line.is_active for line in lines if line.system or line.identifier}
    if half := next((pair for pair in wanted if not all(pair)), None):
        raise Refused(
            "identity.half", f"«{half[0] or half[1]}»: write the system and what it calls the person.", "identities"
        )
    if len(wanted) < sum(bool(line.system or line.identifier) for line in lines):
        raise Refused("identity.twice", "An identity is listed twice; leave one of them out.", "identities")
    rows = work.session.scalars(select(ProfileIdentity).where(ProfileIdentity.profile_id == profile_id)).all()
    known = {(row.system, row.identifier): row for row in rows}
    changed = False
    if gone := [row.id for pair, row in known.items() if pair not in wanted]:
        work.session.execute(delete(ProfileIdentity).where(ProfileIdentity.id.in_(gone)))
        changed = True
    for pair, is_active in wanted.items():
        row = known.get(pair)
        if row is None:
            _add(work, profile_id, *pair, is_active=is_active)
            changed = True
        elif row.is_active != is_active:
            row.is_active, changed = is_active, True
    return changed


def _system(line: IdentityLine) -> str:
    return line.system.casefold()


def _add(work: Work, profile_id: int, system: str, identifier: str, *, is_active: bool) -> None:
    row = ProfileIdentity(
        profile_id=profile_id, system=system, identifier=identifier, is_active=is_active, created_at=work.now
    )
    try:
        with work.session.begin_nested():
            work.session.add(row)
            work.session.flush()
    except IntegrityError as error:
        raise Conflict(
            "profile.taken",
            f"Another person is «{identifier[:80]}» in {system[:60]} already. Open that person, or correct it here.",
            "identities",
        ) from error
