"""Signs a person in as the sign-in page would, without the page."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.support.clock import NOW
from webapp.domain.identity import Actor
from webapp.models import StaffSession
from webapp.services.staff_sessions import token_hash

_number = count(1)


def sign_in(client: FlaskClient, session: Session, actor: Actor) -> None:
    """Give the client the cookie of a session of its own."""
    token = f"test-session-{next(_number)}"
    session.add(
        StaffSession(
            token_hash=token_hash(token),
            staff_id=actor.staff_id,
            created_at=NOW,
            seen_at=NOW,
            expires_at=NOW + timedelta(hours=12),
            confirmed_at=NOW,
        )
    )
    session.commit()
    client.set_cookie("session", token)  # the name it has without https
