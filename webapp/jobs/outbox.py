"""Sends what is due: claim, ask whether it is still wanted, send, and say so; one row, one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.adapters.mail import NotSent, Outgoing, Sender, Unreachable
from webapp.domain.identity import SYSTEM
from webapp.queries import outbox as read
from webapp.services import outbox
from webapp.services.outbox import LEASE, Claimed
from webapp.services.work import Work, perform

T = TypeVar("T")
BATCH = 20


def run_due(sessions: Callable[[], Session], sender: Sender | None, owner: str) -> int:
    """Send every message that is due; gives how many left. Without a sender they wait."""
    if sender is None:
        return 0
    round_ = _Round(sessions, sender, owner)
    try:
        while round_.goes_on and (batch := round_.claim()):
            round_.deliver(batch)
    finally:
        sender.close()
    return round_.sent


@dataclass
class _Round:
    sessions: Callable[[], Session]
    sender: Sender
    owner: str
    sent: int = 0
    goes_on: bool = True
    claimed_at: datetime = field(default_factory=clock.now)

    def claim(self) -> list[Claimed]:
        with self.sessions() as session:
            if not read.is_due(session, clock.now()):
                return []
        self.claimed_at = clock.now()
        return self._write(lambda work: outbox.claim(work, self.owner, BATCH))

    def deliver(self, batch: list[Claimed]) -> None:
        """Send one after another; when nobody answers, give the rest back at once."""
        for index, message in enumerate(batch):
            try:
                self._deliver_one(message)
            except Unreachable as error:
                self._miss(message, error)
                self._write(partial(outbox.release, owner=self.owner, messages=batch[index + 1 :]))
                self.goes_on = False
                return
            except NotSent as error:
                self._miss(message, error)

    def _deliver_one(self, message: Claimed) -> None:
        late = clock.now() - self.claimed_at > LEASE / 2
        if late and not self._write(lambda work: outbox.keep(work, self.owner, message.id)):
            return
        if reason := self._objection(message):
            self._write(lambda work: outbox.skip(work, self.owner, message.id, reason))
            return
        outgoing = Outgoing(message.id, message.recipient, message.subject, message.body)
        self.sender.send(outgoing, clock.now())
        self._write(lambda work: outbox.sent(work, self.owner, message.id))
        self.sent += 1

    def _objection(self, message: Claimed) -> str:
        ask = outbox.OBJECTIONS.get(message.dedupe_key.partition(":")[0])
        if ask is None:
            return ""
        with self.sessions() as session:
            return ask(session, message.dedupe_key, clock.now())

    def _miss(self, message: Claimed, error: NotSent) -> None:
        self._write(lambda work: outbox.miss(work, self.owner, message, str(error), is_final=error.is_final))

    def _write(self, act: Callable[[Work], T]) -> T:
        with self.sessions() as session:
            return perform(session, SYSTEM, clock.now(), act)
