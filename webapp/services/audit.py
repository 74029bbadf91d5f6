"""Links the audit log into a chain, and checks that nobody rewrote it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from webapp.domain import audit as rules
from webapp.models import AuditAnchor, AuditEntry, Base
from webapp.queries import audit as read
from webapp.services.work import Work

CHUNK = 1_000
MAIL = "mail"
LONGEST_PLACE = 200


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


def anchor_by_mail(work: Work, emails: Collection[str]) -> Head | None:
    """Tell ``emails`` where the chain ends, when it has grown since they were last told; None when it has not.

    It is no event of the log itself: the log would never come to rest.
    """
    position, digest = read.head(work.session)
    last = read.last_anchor(work.session, MAIL)
    if not emails or not position or (last is not None and last.position >= position):
        return None
    line = rules.anchor_line(position, digest)
    for email in emails:
        work.post(f"audit:{position}:{email}", email, line, f"{line}\n\n{rules.ANCHOR_WORDS}\n")
    told = f"{MAIL} to {', '.join(emails)}"
    return _anchored(work, Head(position, digest), told)


def anchor_in_file(work: Work, name: str) -> Head | None:
    """Note that the end of the chain is written to the file ``name``; the caller writes ``domain.audit.anchor_line``."""
    position, digest = read.head(work.session)
    return _anchored(work, Head(position, digest), f"file {name}") if position else None


def _anchored(work: Work, head: Head, place: str) -> Head:
    row = AuditAnchor(at=work.now, position=head.position, digest=head.digest, place=place[:LONGEST_PLACE])
    work.session.add(row)
    return head


def payload(row: Sequence[Any], position: int) -> Mapping[str, object]:
    """Everything an entry says, as the digest sees it; the time in UTC to the microsecond."""
    number, at, actor, staff_id, address, event, subject, site_id, facts, *_ = row
    return {
        "id": number,
        "position": position,
        "at": at,
        "actor": actor,
        "staff": staff_id,
        "address": address,
        "event": event,
        "subject": subject,
        "site": site_id,
        "facts": facts,
    }


def verify(session: Session, anchors: Iterable[Head] = ()) -> Check:
    """Walk the chain from the start. Finds a changed entry, one taken out, put in or moved, and a cut-off end.

    ``anchors`` are those kept outside; those the database remembers are looked at as well.
    """
    wanted: dict[int, set[str]] = {}
    for anchor in [*anchors, *(Head(row.position, row.digest) for row in read.anchors(session, None))]:
        wanted.setdefault(anchor.position, set()).add(anchor.digest)
    problems: list[str] = []
    position, digest = 0, rules.START
    for row in read.linked(session):
        found, previous, own = row.position, row.previous, row.digest
        if found != position + 1:
            problems.append(_gap(position, found))
        if previous != digest:
            problems.append(f"Entry {found} does not stand on the one before it: one was taken out, put in or moved.")
        if rules.chain(previous or "", payload(row, found)) != own:
            problems.append(f"Entry {found} was changed after it was written (id {row.id}, {row.event}).")
        position, digest = found, own
        if wanted and wanted.pop(position, {digest}) != {digest}:
            problems.append(f"Entry {position} is not the one the anchor names: the log before it was rewritten.")
    problems += [
        f"The anchor names entry {missing}, but the log ends at {position}: its end was cut off."
        for missing in sorted(wanted)
    ]
    return Check(Head(position, digest), read.unlinked_count(session), tuple(problems))


def _gap(last: int, found: int) -> str:
    missing = f"Entry {last + 1} is" if found == last + 2 else f"Entries {last + 1} to {found - 1} are"
    return f"{missing} missing from the log."
