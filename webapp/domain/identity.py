"""Who acts, and the names things are known by."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from webapp.domain.permissions import ROLES, WITHIN_ORGANISATIONS, Permission, Role

# Words that are addresses of their own below /rewards (rewards.md section 4).
RESERVED_NAMES = frozenset(
    [
        "api",
        "draws",
        "entries",
        "export",
        "exports",
        "fulfilment",
        "health",
        "help",
        "import",
        "imports",
        "new",
        "points",
        "static",
        "vouchers",
    ]
)
NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Grant:
    """One role on one site and in one organisation with all below it; None is every site, every organisation."""

    role: Role
    site_id: int | None = None
    organisation_id: int | None = None

    def carries(self, permission: Permission) -> bool:
        """Whether the role has ``permission``; bound to an organisation it has only those that keep to one."""
        return permission in ROLES[self.role] and (self.organisation_id is None or permission in WITHIN_ORGANISATIONS)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a permission holds, for somebody whose roles are bound to organisations.

    Whole on ``sites``; elsewhere the people who belong to an organisation of ``parts`` or below it, and what they hold
    of the site it is paired with (None is every one). Pairs are exact: what two of them say is never put together.
    """

    sites: frozenset[int]
    parts: tuple[tuple[int | None, int], ...]


# Where somebody may look or act: on every site, on these, or as far as their organisations go.
Where = frozenset[int] | Reach | None


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or process behind a change. ``staff_id`` is None for the program itself.

    ``is_looking`` marks somebody who sees the console as another person does: nothing is ever written for them.
    """

    label: str
    staff_id: int | None = None
    grants: frozenset[Grant] = field(default_factory=frozenset)
    address: str = ""
    is_looking: bool = False

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)

    def may(self, permission: Permission, site_id: int | None = None, *, within: bool = False) -> bool:
        """Whether any grant carries ``permission``: on ``site_id``, or on some site when that is None.

        A grant bound to an organisation counts only with ``within``: for what keeps to organisations itself.
        """
        return any(
            grant.carries(permission)
            and (site_id is None or grant.site_id in (None, site_id))
            and (within or grant.organisation_id is None)
            for grant in self.grants
        )

    def sites(self, permission: Permission) -> frozenset[int] | None:
        """Ids of the sites where ``permission`` holds in all organisations; None means every site."""
        found = {grant.site_id for grant in self.grants if grant.organisation_id is None and grant.carries(permission)}
        return None if None in found else frozenset(site for site in found if site is not None)

    def organisations(self, permission: Permission) -> frozenset[int] | None:
        """Ids of the organisations where ``permission`` holds on every site, each with all below; None is every one."""
        found = {grant.organisation_id for grant in self.grants if grant.site_id is None and grant.carries(permission)}
        return None if None in found else frozenset(root for root in found if root is not None)

    def where(self, permission: Permission) -> Where:
        """``sites``, or as far as the organisations go that grants of ``permission`` are bound to."""
        sites = self.sites(permission)
        if sites is None:
            return None
        parts = {
            (grant.site_id, grant.organisation_id)
            for grant in self.grants
            if grant.organisation_id is not None and grant.carries(permission)
        }
        # What holds on a whole site, or for an organisation on every site, need not be said of a part of it again.
        kept = sorted(
            ((site, root) for site, root in parts if site not in sites and (site is None or (None, root) not in parts)),
            key=lambda part: (part[1], part[0] or 0),
        )
        return Reach(sites, tuple(kept)) if kept else sites


SYSTEM = Actor("Largesse")


def handle(title: str, fallback: str, length: int = NAME_LENGTH) -> str:
    """The name an address carries, derived once from a title (rewards.md section 4, «Build»).

    Accents are stripped, case folded, every other run of signs becomes one dash; at most ``length``
    characters, cut at a dash; never empty (``fallback``).
    """
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", title) if not unicodedata.combining(sign))
    name = re.sub(r"[^a-z0-9]+", "-", plain.casefold()).strip("-")
    if len(name) > length:
        name = name[: length + 1].rpartition("-")[0] or name[:length]
    return name.strip("-") or fallback


def handles(title: str, fallback: str) -> Iterator[str]:
    """The names to try for ``title``, in order: ``x``, ``x-2``, ``x-3`` …; a reserved word starts at ``-2``."""
    name = handle(title, fallback)
    if name not in RESERVED_NAMES:
        yield name
    for number in count(2):
        suffix = f"-{number}"
        yield name[: NAME_LENGTH - len(suffix)].rstrip("-") + suffix
