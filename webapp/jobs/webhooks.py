"""Delivers what is due to webhooks, beside the e-mails: a receiver that does not answer holds up nobody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.adapters.mail import Refused
from webapp.adapters.webhooks import Delivery, Poster
from webapp.domain import webhook_secrets
from webapp.domain.ciphers import Unopenable
from webapp.domain.webhook_secrets import SecretMaker
from webapp.jobs.outbox import Round
from webapp.queries import targets as read
from webapp.services.outbox import Claimed, Way


def run_due(sessions: Callable[[], Session], poster: Poster, secrets: SecretMaker, owner: str) -> int:
    """Deliver everything that is due; gives how many were taken. Address and secret are those of this moment."""

    def send(message: Claimed, now: datetime) -> str:
        return poster.post(_delivery(sessions, secrets, message), now)

    round_ = Round(sessions, send, owner, Way.WEBHOOK)
    round_.run()
    return round_.sent


def _delivery(sessions: Callable[[], Session], secrets: SecretMaker, message: Claimed) -> Delivery:
    with sessions() as session:
        target = read.get(session, message.webhook_id or 0)
        name, url, sealed = target.name, target.url, target.secret
    try:
        secret = secrets.open(name, sealed)
    except Unopenable:
        raise Refused(
            "The secret of this webhook cannot be opened: the installation’s own was changed. Make a new one."
        ) from None
    return Delivery(webhook_secrets.delivery_id(message.id, message.created_at), url, secret, message.body)
