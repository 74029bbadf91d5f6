"""What every builder of rows needs."""

from __future__ import annotations

from itertools import count
from typing import TypeVar

from sqlalchemy.orm import Session

from tests.support.clock import NOW
from webapp.models import Base, Site

R = TypeVar("R", bound=Base)


class Rows:
    """Adds rows to one session; `next_number` keeps names apart."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._numbers = count(1)

    @property
    def next_number(self) -> int:
        return next(self._numbers)

    def add(self, row: R) -> R:
        self.session.add(row)
        self.session.commit()
        return row

    def site(self, **changes: object) -> Site:
        number = self.next_number
        values: dict[str, object] = {
            "name": f"club-{number}",
            "title": f"Club {number}",
            "organiser": "Club Ltd",
            "timezone": "Europe/London",
            "created_at": NOW,
        }
        return self.add(Site(**values | changes))
