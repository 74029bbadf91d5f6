"""Links what was told since the last time into the chain of the audit log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.domain.identity import SYSTEM
from webapp.queries import audit as read
from webapp.services import audit, leases
from webapp.services.work import Work, perform

LEASE, SPAN = "audit.link", timedelta(seconds=30)


def run_due(sessions: Callable[[], Session], *, size: int = audit.CHUNK) -> int:
    """Link everything that waits, ``size`` entries a transaction; how many were linked.

    A kill loses nothing: what was committed is linked, the rest is found again by its empty place.
    """
    total = 0
    while True:
        with sessions() as session:
            if not read.unlinked(session, 1):  # most of the time; writing would hold up others for nothing
                return total
            linked = perform(session, SYSTEM, clock.now(), lambda work: _link(work, size))
        total += linked
        if linked < size:
            return total


def _link(work: Work, size: int) -> int:
    """The lease is taken and given back inside the transaction: a rival waits for it, then goes on from there."""
    if not leases.take(work, LEASE, "linker", SPAN):
        return 0
    linked = audit.link(work, size=size)
    leases.give_back(work, LEASE, "linker")
    return linked
