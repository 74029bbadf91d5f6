"""Runs what waits in the queue inside a test, on the test's own connection."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.orm import Session

from webapp.jobs import registry
from webapp.jobs.runner import Runner
from webapp.jobs.running import Handler


def run_jobs(session: Session, kinds: Mapping[str, Handler] | None = None) -> int:
    """Run every job that waits, seeing and keeping what `session` sees; gives their number."""
    bind = session.get_bind()

    def sessions() -> Session:
        return Session(bind, expire_on_commit=False, join_transaction_mode="create_savepoint")

    session.commit()
    number = Runner(sessions, registry.kinds() if kinds is None else kinds, lease=timedelta(hours=1)).drain()
    session.expire_all()
    return number
