"""What people belong to: organisations, groups, modules, tiers, locations."""

from __future__ import annotations

from tests.factories.people import People
from tests.support.clock import NOW
from webapp.domain.organisations import path_below, search_text
from webapp.models import (
    Completion,
    Group,
    Location,
    Membership,
    Module,
    Organisation,
    OrganisationType,
    Profile,
)


class Belonging(People):
    """`make.organisation(parent)`, `make.group()`, `make.member(group)`, `make.module()`, `make.completed(module)` …"""

    def organisation_type(self, **changes: object) -> OrganisationType:
        number = self.next_number
        values: dict[str, object] = {"name": f"type-{number}", "title": f"Type {number}", "created_at": NOW}
        return self.add(OrganisationType(**values | changes))

    def organisation(self, parent: Organisation | None = None, **changes: object) -> Organisation:
        """One organisation, at the top or below `parent`."""
        number = self.next_number
        values: dict[str, object] = {
            "external_id": f"ORG-{number:04}",
            "title": f"Organisation {number}",
            "parent_id": parent.id if parent else None,
            "created_at": NOW,
            "updated_at": NOW,
        }
        values |= changes
        values["search_text"] = search_text(str(values["title"]), str(values["external_id"]))
        row = self.add(Organisation(**values))
        row.path = path_below(parent.path if parent else "", row.id)
        return self.add(row)

    def group(self, **changes: object) -> Group:
        number = self.next_number
        values: dict[str, object] = {"name": f"group-{number}", "title": f"Group {number}", "created_at": NOW}
        return self.add(Group(**values | changes))

    def member(
        self, group: Group, profile: Profile | None = None, organisation: Organisation | None = None, **changes: object
    ) -> Membership:
        """Somebody in the group, counted; a new person unless one is given."""
        group.member_count += 1
        if organisation is not None:
            organisation.member_count += 1
        values: dict[str, object] = {
            "group_id": group.id,
            "profile_id": (profile or self.profile()).id,
            "organisation_id": organisation.id if organisation else None,
            "joined_at": NOW,
        }
        return self.add(Membership(**values | changes))

    def module(self, **changes: object) -> Module:
        number = self.next_number
        values: dict[str, object] = {"path": f"/p1/c1/m{number}", "title": f"Module {number}", "created_at": NOW}
        values |= changes
        if "site_id" not in values:
            values["site_id"] = self.site().id
        return self.add(Module(**values))

    def completed(self, module: Module, profile: Profile | None = None, **changes: object) -> Completion:
        """Somebody's completion of the module, counted, that never lapses."""
        module.completion_count += 1
        values: dict[str, object] = {
            "module_id": module.id,
            "profile_id": (profile or self.profile()).id,
            "completed_at": NOW,
        }
        return self.add(Completion(**values | changes))

    def location(self, **changes: object) -> Location:
        number = self.next_number
        values: dict[str, object] = {
            "external_id": f"LOC-{number:04}",
            "title": f"Shop {number}",
            "created_at": NOW,
            "updated_at": NOW,
        }
        values |= changes
        values["search_text"] = search_text(str(values["title"]), str(values["external_id"]))
        return self.add(Location(**values))
