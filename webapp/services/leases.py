"""Takes, keeps and gives back the right to do what only one process at a time may do."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from webapp.models import Lease
from webapp.services.work import Work

NOBODY = ""


def take(work: Work, name: str, owner: str, span: timedelta) -> bool:
    """Whether ``owner`` holds the lease ``name`` from now for ``span``: it was free, had lapsed, or is renewed."""
    free = or_(Lease.owner == owner, Lease.owner == NOBODY, Lease.until < work.now)
    taken = work.session.execute(
        update(Lease)
        .where(Lease.name == name, free)
        .values(owner=owner, until=work.now + span)
        .returning(Lease.name)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    return taken is not None or _create(work, name, owner, span)


def give_back(work: Work, name: str, owner: str) -> None:
    """Free the lease for whoever asks next; nothing happens when somebody else holds it."""
    work.session.execute(
        update(Lease)
        .where(Lease.name == name, Lease.owner == owner)
        .values(owner=NOBODY, until=work.now)
        .execution_options(synchronize_session=False)
    )


def _create(work: Work, name: str, owner: str, span: timedelta) -> bool:
    """The first time ever: make the row, unless a rival is faster."""
    if work.session.execute(select(Lease.name).where(Lease.name == name)).first():
        return False
    try:
        with work.session.begin_nested():
            work.session.execute(insert(Lease).values(name=name, owner=owner, until=work.now + span))
    except IntegrityError:
        return False
    return True
