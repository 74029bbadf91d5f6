"""Two rows that are one person: which of both values stays, and what that is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Filled in from the row that goes when the row that stays has none; never replaced.
FILLED = (
    "external_id",
    "title",
    "first_name",
    "last_name",
    "email",
    "phone",
    "home_phone",
    "zone",
    "gender",
    "joined_location_id",
    "preferred_location_id",
    "tier_id",
)
_BARS = ("optout", "bounced")
# What follows a person, one and many.
MOVED = {
    "entries": ("entry", "entries"),
    "vouchers": ("voucher", "vouchers"),
    "reserved_codes": ("reserved code", "reserved codes"),
    "benefits": ("benefit", "benefits"),
    "notices": ("notice", "notices"),
    "memberships_twice": ("membership both had", "memberships both had"),
    "memberships": ("membership", "memberships"),
    "completions_twice": ("completion both had", "completions both had"),
    "completions": ("completion", "completions"),
    "identities": ("identity", "identities"),
    "aliases": ("row merged before", "rows merged before"),
    "sealed_entries": ("entry of a sealed draw, which stays", "entries of sealed draws, which stay"),
}


def merged(winner: Mapping[str, Any], loser: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the one person: the winner's where there are any, else the loser's.

    The birthday is taken as a whole, for two halves of different days are no day; who joined first counts; tags and
    statuses are put together; a consent the winner was asked for stays, but an opt-out of either holds.
    """
    found = {name: winner[name] or loser[name] for name in FILLED}
    birth = ("birth_day", "birth_month", "birth_year")
    kept = winner if any(winner[name] is not None for name in birth) else loser
    found |= {name: kept[name] for name in birth}
    joined = [row["joined_at"] for row in (winner, loser) if row["joined_at"] is not None]
    found["joined_at"] = min(joined, default=None)
    for name in ("tags", "statuses"):
        found[name] = sorted({*winner[name], *loser[name]})
    found["consents"] = loser["consents"] | winner["consents"]
    for name, on in loser["consents"].items():
        if on is True and name.partition("_")[2] in _BARS:
            found["consents"][name] = True
    found["attributes"] = loser["attributes"] | winner["attributes"]
    return found


def conflicts(winner: Mapping[str, Any], loser: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(words, what stays, what goes) for each fact both have with different values."""
    words = {
        "external_id": "Member id", "title": "Title", "first_name": "First name", "last_name": "Last name",
        "email": "E-mail", "phone": "Mobile phone", "home_phone": "Home phone", "zone": "Time zone",
    }  # fmt: skip
    return [
        (label, str(winner[name]), str(loser[name]))
        for name, label in words.items()
        if winner[name] and loser[name] and winner[name] != loser[name]
    ]
