"""Which lists keep views, and what of an address a view is."""

from __future__ import annotations

import re
from types import MappingProxyType
from urllib.parse import parse_qsl, urlencode

from webapp.domain.errors import Refused
from webapp.domain.import_rows import clean

# The list as a view names it, and what it is called on screen; each is the endpoint «NAME.index».
SCREENS = MappingProxyType(
    {
        "benefit_definitions": "Benefits",
        "benefits": "Issued benefits",
        "groups": "Groups",
        "jobs": "Jobs",
        "locations": "Locations",
        "modules": "Modules",
        "notifications": "Messages",
        "organisations": "Organisations",
        "profiles": "People",
        "rewards": "Rewards",
        "staff": "Staff",
        "targets": "Targets",
        "voucher_types": "Voucher types",
        "vouchers": "Vouchers",
    }
)
_POSITIONS = frozenset({"before", "after"})  # where a page begins is no part of a view
LONGEST = 500  # characters of a query
MOST = 50  # views of one person


def normalised(query: str) -> str:
    """The filters and the order of ``query``: without empty ones, without the place reached, sorted."""
    try:
        pairs = parse_qsl(query[:4_000], max_num_fields=40)
    except ValueError:
        return ""
    kept = {
        (name, clean(value))
        for name, value in pairs
        if re.fullmatch(r"[a-z_]{1,30}", name) and name not in _POSITIONS and clean(value)
    }
    return urlencode(sorted(kept))


def checked(screen: str, title: str, query: str) -> str:
    """The normalised query; ``Refused`` for a list without views, or when there is nothing to remember."""
    if screen not in SCREENS:
        raise Refused("view.screen", f"«{screen[:40]}» is no list that keeps views.")
    if not title:
        raise Refused("view.title", "Give the view a name, such as «Open in May».", "title")
    found = normalised(query)
    if not found:
        raise Refused("view.empty", "The list shows everything: search or choose a filter first, then save the view.")
    if len(found) > LONGEST:
        raise Refused(
            "view.long", f"These filters take {len(found):,} characters; a view holds {LONGEST}. Choose fewer of them."
        )
    return found


def in_words(query: str) -> list[tuple[str, str]]:
    """The filters of a query as people read them: («Search», «ann»), («Status», «active»)."""
    return [
        ("Search" if name == "q" else name.replace("_", " ").capitalize(), value) for name, value in parse_qsl(query)
    ]
