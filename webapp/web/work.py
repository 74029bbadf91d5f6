"""Opens a unit of work for the current request."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from webapp.adapters import clock
from webapp.extensions import db
from webapp.services import writer
from webapp.services.work import RequestStamp, Work, transaction
from webapp.services.work import perform as _perform
from webapp.services.writer import Shared
from webapp.web.access import actor

T = TypeVar("T")


def work() -> AbstractContextManager[Work]:
    """One transaction of the person who asks, at this moment."""
    return transaction(db.session(), actor(), clock.now())


def perform(act: Callable[[Work], T], stamp: RequestStamp | None = None, shared: Shared | None = None) -> T:
    """Run ``act`` in one transaction, again after a passing fault, once for each request key.

    With ``shared``, in one with what others ask for at this moment, see ``services.writer``.
    """
    if shared:
        return writer.perform(db.session(), actor(), clock.now(), act, stamp, shared)
    return _perform(db.session(), actor(), clock.now(), act, stamp)
