"""Staff and the people programmes are for."""

from __future__ import annotations

from tests.factories.base import Rows
from tests.support.clock import NOW
from webapp.domain.identity import SYSTEM, Actor, Grant
from webapp.domain.permissions import Role
from webapp.domain.profiles import search_keys
from webapp.domain.second_factor import NEEDED_BY
from webapp.models import Profile, StaffGrant, StaffMember
from webapp.services.profiles import indexing
from webapp.services.profiles.indexing import Findable
from webapp.services.work import transaction


class People(Rows):
    """`make.staff(Role.EDITOR)`, `make.actor(Role.EDITOR)`, `make.profile()`."""

    def staff(
        self, *roles: Role | str, site_id: int | None = None, organisation_id: int | None = None, **changes: object
    ) -> StaffMember:
        """Someone who may sign in, with these roles on one site or on all, in one organisation or in all."""
        number = self.next_number
        values: dict[str, object] = {
            "email": f"staff-{number}@example.org",
            "name": f"Staff {number}",
            "created_at": NOW,
        }
        if "password_hash" not in changes and not NEEDED_BY.isdisjoint(map(Role, roles)):
            values["totp_since"] = NOW  # else every page leads to where it is set up
        row = StaffMember(**values | changes)
        row.grants = [StaffGrant(role=Role(role), site_id=site_id, organisation_id=organisation_id) for role in roles]
        return self.add(row)

    def actor(
        self, *roles: Role | str, site_id: int | None = None, organisation_id: int | None = None, **changes: object
    ) -> Actor:
        """The same person as services see them."""
        row = self.staff(*roles, site_id=site_id, organisation_id=organisation_id, **changes)
        return Actor(row.name, row.id, frozenset(Grant(Role(role), site_id, organisation_id) for role in roles))

    def profile(self, **changes: object) -> Profile:
        number = self.next_number
        values: dict[str, object] = {
            "external_id": f"M{number:05}",
            "first_name": "Ann",
            "last_name": f"Example {number}",
            "email": f"ann-{number}@example.com",
            "created_at": NOW,
            "updated_at": NOW,
        }
        values |= changes
        values.setdefault("email_key", str(values["email"]).strip().casefold() or None)
        person = Profile(**{"first_name": "", "last_name": "", "email": "", "phone": ""} | values)
        for name, key in search_keys(person).items():
            setattr(person, name, key)
        self.add(person)
        with transaction(self.session, SYSTEM, NOW) as work:
            indexing.add(
                work,
                [
                    Findable(
                        person.id,
                        person.first_name,
                        person.last_name,
                        person.home_phone or "",
                        "" if person.email_key else person.email,
                    )
                ],
            )
        return person
