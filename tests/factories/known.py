"""What is known of people beside their names: places, tiers, further facts, groups, modules."""

from __future__ import annotations

from tests.factories.base import Rows
from tests.support.clock import NOW
from webapp.domain.people import AttributeKind
from webapp.models import (
    AttributeDefinition,
    Completion,
    Group,
    Location,
    Membership,
    Module,
    Organisation,
    ProfileIdentity,
    Tier,
)


class Known(Rows):
    """`make.place()`, `make.tier()`, `make.fact("choice", choices=[…])`, `make.member(profile)` …"""

    def place(self, **changes: object) -> Location:
        number = self.next_number
        values: dict[str, object] = {"external_id": f"L{number}", "title": f"Shop {number}"}
        return self.add(Location(**values | {"created_at": NOW, "updated_at": NOW} | changes))

    def tier(self, **changes: object) -> Tier:
        number = self.next_number
        values: dict[str, object] = {"name": f"tier-{number}", "title": f"Tier {number}", "rank": number}
        return self.add(Tier(**values | {"created_at": NOW} | changes))

    def fact(self, kind: str = "text", **changes: object) -> AttributeDefinition:
        number = self.next_number
        values: dict[str, object] = {
            "name": f"custom.fact-{number}", "title": f"Fact {number}", "kind": AttributeKind(kind), "created_at": NOW
        }  # fmt: skip
        return self.add(AttributeDefinition(**values | changes))

    def identity(self, profile_id: int, system: str = "till", identifier: str = "") -> ProfileIdentity:
        identifier = identifier or f"C-{self.next_number}"
        row = ProfileIdentity(profile_id=profile_id, system=system, identifier=identifier, created_at=NOW)
        return self.add(row)

    def club(self, **changes: object) -> Organisation:
        number = self.next_number
        values: dict[str, object] = {"external_id": f"O{number}", "title": f"Organisation {number}"}
        club = Organisation(**values | {"created_at": NOW, "updated_at": NOW} | changes)
        self.session.add(club)
        self.session.flush()
        club.path = f"/{club.id}/"
        return self.add(club)

    def circle(self, **changes: object) -> Group:
        number = self.next_number
        values: dict[str, object] = {"name": f"group-{number}", "title": f"Group {number}", "created_at": NOW}
        return self.add(Group(**values | changes))

    def joined(self, profile_id: int, group_id: int, organisation_id: int | None = None) -> Membership:
        row = Membership(group_id=group_id, profile_id=profile_id, organisation_id=organisation_id, joined_at=NOW)
        return self.add(row)

    def lesson(self, site_id: int, **changes: object) -> Module:
        number = self.next_number
        values: dict[str, object] = {"site_id": site_id, "path": f"/p{number}/m1", "title": f"Module {number}"}
        return self.add(Module(**values | {"created_at": NOW} | changes))

    def completion(self, profile_id: int, module_id: int, **changes: object) -> Completion:
        values: dict[str, object] = {"profile_id": profile_id, "module_id": module_id, "completed_at": NOW}
        return self.add(Completion(**values | changes))
