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
from webapp.services.outbox import LEASE, Claimed, Way
from webapp.services.work import Work, perform

T = TypeVar("T")
BATCH = 20


def run_due(sessions: Callable[[], Session], sender: Sender | None, owner: str) -> int:
    """Send every message that is due; gives how many left. Without a sender they wait."""
    if sender is None:
        return 0

    def send(message: Claimed, now: datetime) -> str:
        sender.send(Outgoing(message.id, message.recipient, message.subject, message.body), now)
        return ""

    round_ = Round(sessions, send, owner, Way.MAIL)
    try:
        round_.run()
    finally:
        sender.close()
    return round_.sent


@dataclass
class Round:
    """One go at everything that is due by one way; ``send`` gives what the other side said, or raises ``NotSent``."""

    sessions: Callable[[], Session]
    send: Callable[[Claimed, datetime], str]
    owner: str
    way: Way
    sent: int = 0
    _goes_on: bool = True
    _silent: set[int] = field(default_factory=set)  # webhooks that do not answer; asked again in the next round
    claimed_at: datetime = field(default_factory=clock.now)

    def run(self) -> None:
        """Claim and send until nothing is due, or nobody answers."""
        while self._goes_on and (batch := self._claim()):
            self._deliver(batch)

    def _claim(self) -> list[Claimed]:
        with self.sessions() as session:
            if not read.is_due(session, clock.now(), is_webhook=self.way is Way.WEBHOOK):
                return []
        self.claimed_at = clock.now()
        return self._write(lambda work: outbox.claim(work, self.owner, BATCH, self.way, self._silent))

    def _deliver(self, batch: list[Claimed]) -> None:
        """Send one after another; when nobody answers, give back at once what would fare no better."""
        while batch:
            message, *batch = batch
            try:
                self._deliver_one(message)
            except Unreachable as error:
                self._miss(message, error)
                batch = self._give_back(message, batch)
            except NotSent as error:
                self._miss(message, error)

    def _give_back(self, message: Claimed, batch: list[Claimed]) -> list[Claimed]:
        """Those with the same way out are given back untried: all e-mails, or those to the same webhook. Gives the others."""
        if message.webhook_id is None:
            self._goes_on = False
        else:
            self._silent.add(message.webhook_id)
        same = [one for one in batch if one.webhook_id == message.webhook_id]
        self._write(partial(outbox.release, owner=self.owner, messages=same))
        return [one for one in batch if one not in same]

    def _deliver_one(self, message: Claimed) -> None:
        late = clock.now() - self.claimed_at > LEASE / 2
        if late and not self._write(lambda work: outbox.keep(work, self.owner, message.id)):
            return
        if reason := self._objection(message):
            self._write(lambda work: outbox.skip(work, self.owner, message.id, reason))
            return
        answer = self.send(message, clock.now())
        self._write(lambda work: outbox.sent(work, self.owner, message.id, answer))
        self.sent += 1

    def _objection(self, message: Claimed) -> str:
        ask = outbox.OBJECTIONS.get(message.kind)
        if ask is None:
            return ""
        with self.sessions() as session:
            return ask(session, message.dedupe_key, clock.now())

    def _miss(self, message: Claimed, error: NotSent) -> None:
        self._write(lambda work: outbox.miss(work, self.owner, message, str(error), is_final=error.is_final))

    def _write(self, act: Callable[[Work], T]) -> T:
        with self.sessions() as session:
            return perform(session, SYSTEM, clock.now(), act)
