"""Links the audit log into a chain, and checks that nobody rewrote it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, update
from sqlalchemy.orm import Session

from webapp.domain import audit as rules
from webapp.models import AuditEntry, Base
from webapp.queries import audit as read
from webapp.services.work import Work

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends: how many entries it has and the last digest. Kept elsewhere, it is an anchor."""

    position: int
    digest: str


@dataclass(frozen=True, slots=True)
class Check:
    """What a walk over the whole chain found; ``problems`` are sentences, the first is the earliest."""

    head: Head
    waiting: int
    problems: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.problems


def link(work: Work, *, size: int = CHUNK) -> int:
    """Give the oldest unlinked entries, in order of id, their place in the chain; how many there were.

    An entry that was committed late, behind one with a higher id, gets the next place and no earlier one.
    The unique ``position`` and ``previous`` let no second writer fork the chain.
    """
    position, digest = read.head(work.session)
    changes = []
    for row in read.unlinked(work.session, size):
        position += 1
        previous, digest = digest, rules.chain(digest, payload(row, position))
        changes.append({"row_id": row.id, "position": position, "previous": previous, "digest": digest})
    if changes:
        table = Base.metadata.tables[AuditEntry.__tablename__]
        work.session.connection().execute(
            update(table)
            .where(table.c.id == bindparam("row_id"))
            .values(position=bindparam("position"), previous=bindparam("previous"), digest=bindparam("digest")),
            changes,
        )
    return len(changes)


def payload(row: Row[Any], position: int) -> Mapping[str, object]:
    """Everything an entry says, as the digest sees it; the time in UTC to the microsecond."""
    return {
        "id": row.id,
        "position": position,
        "at": row.at.isoformat(timespec="microseconds"),
        "actor": row.actor,
        "staff": row.staff_id,
        "address": row.address,
        "event": str(row.event),
        "subject": row.subject,
        "site": row.site_id,
        "facts": row.facts,
    }


def verify(session: Session, anchors: Iterable[Head] = ()) -> Check:
    """Walk the chain from the start. Finds a changed entry, one taken out, put in or moved, and a cut-off end."""
    wanted = {anchor.position: anchor.digest for anchor in anchors}
    problems: list[str] = []
    position, digest = 0, rules.START
    for row in read.linked(session):
        if row.position != position + 1:
            problems.append(_gap(position, row.position))
        if row.previous != digest:
            problems.append(
                f"Entry {row.position} does not stand on the one before it: one was taken out, put in or moved."
            )
        computed = rules.chain(row.previous or "", payload(row, row.position))
        if computed != row.digest:
            problems.append(f"Entry {row.position} was changed after it was written (id {row.id}, {row.event}).")
        position, digest = row.position, row.digest
        if wanted.pop(position, digest) != digest:
            problems.append(f"Entry {position} is not the one the anchor names: the log before it was rewritten.")
    problems += [
        f"The anchor names entry {missing}, but the log ends at {position}: its end was cut off."
        for missing in sorted(wanted)
    ]
    return Check(Head(position, digest), read.unlinked_count(session), tuple(problems))


def _gap(last: int, found: int) -> str:
    missing = f"Entry {last + 1} is" if found == last + 2 else f"Entries {last + 1} to {found - 1} are"
    return f"{missing} missing from the log."
