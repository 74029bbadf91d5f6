"""What a site may be called and in which zone its days are counted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from webapp.domain.errors import Refused

MOST_DOMAINS = 500  # characters of the whole list
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_LONGEST_SHOWN = 80


@cache
def zones() -> tuple[str, ...]:
    """The zones of the tz database that people choose from: «Area/Place» and UTC, in order."""
    areas = (
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    )
    return ("UTC", *sorted(zone for zone in available_timezones() if zone.partition("/")[0] in areas))


@lru_cache(maxsize=64)
def starts_anywhere(day: date) -> tuple[tuple[datetime, tuple[str, ...]], ...]:
    """The instants at which ``day`` begins somewhere, in order, each with the zones where it does."""
    found: dict[datetime, list[str]] = {}
    for zone in zones():
        start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        found.setdefault(start, []).append(zone)
    return tuple((start, tuple(found[start])) for start in sorted(found))


def checked_zone(text: str) -> str:
    """The zone's own spelling («europe/london» → «Europe/London»); ``Refused`` when there is none."""
    wanted = text.strip().replace(" ", "_").casefold()
    for zone in zones():
        if zone.casefold() == wanted:
            return zone
    raise Refused(
        "site.timezone",
        f"«{text[:60]}» is not a time zone of the tz database; choose one from the list, such as Europe/London.",
        "timezone",
    )


def checked_domains(text: str) -> str:
    """«club.example, club.co.uk»: lower case, without @, each once; ``Refused`` names the first that is none."""
    found: list[str] = []
    for part in re.split(r"[\s,;]+", text.strip()):
        domain = _ascii(part.removeprefix("@").rstrip("."))
        if part and not _DOMAIN.fullmatch(domain):
            raise Refused(
                "site.staff_domains",
                f"«{part[:60]}» is not an e-mail domain; write the part behind the @, such as club.example.",
                "staff_domains",
            )
        if domain and domain not in found:
            found.append(domain)
    joined = ", ".join(found)
    if len(joined) > MOST_DOMAINS:
        raise Refused("site.staff_domains", f"Use at most {MOST_DOMAINS} characters of domains.", "staff_domains")
    return joined


def _ascii(domain: str) -> str:
    """As mail servers spell it: «münchen.example» → «xn--mnchen-3ya.example»."""
    try:
        return domain.casefold().encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """«organiser from «A» to «B»; time zone …»; empty when nothing differs."""
    return "; ".join(
        f"{name.replace('_', ' ')} from «{before[name][:_LONGEST_SHOWN]}» to «{value[:_LONGEST_SHOWN]}»"
        for name, value in after.items()
        if before[name] != value
    )
