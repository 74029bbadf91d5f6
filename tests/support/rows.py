"""A row of a file as people are made from it."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.domain import profiles


@dataclass(frozen=True)
class Row:
    """What one row says of who it belongs to."""

    external_id: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    postcode: str = ""

    @property
    def email_key(self) -> str:
        return profiles.email_key(self.email)
