"""Gates: what must hold of an act, in words, with the value that was seen, the one that is needed, and when it turns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from webapp.domain.verdicts import Reason, Verdict, all_of


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of an act: what must hold, in words, and the reason when it does not.

    ``seen`` is the value that was looked at, ``event`` what it comes from, ``needed`` the value it takes to pass, and
    ``turns_at`` the instant from which a gate that is shut opens by itself, where time alone opens it.
    """

    words: str
    reason: Reason | None
    seen: str = ""
    event: str = ""
    needed: str = ""
    turns_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.reason is None


def verdict(gates: Iterable[Gate]) -> Verdict:
    """The verdict of a table of gates: its first reason is the refusal."""
    return all_of(*(gate.reason for gate in gates))


@dataclass(frozen=True, slots=True)
class Look:
    """What a gate looked at: the fields of ``Gate`` by the same names."""

    seen: str = ""
    needed: str = ""
    event: str = ""
    turns_at: datetime | None = None


def gate(
    words: str, shut: object, code: str, sentence: str, field: str | None = None, look: Look | None = None
) -> Gate:
    at = look or Look()
    reason = Reason(code, sentence, field) if shut else None
    return Gate(words, reason, at.seen, at.event, at.needed, at.turns_at if shut else None)


def kept(gates: Iterable[Gate], zone: str) -> list[list[str]]:
    """A table of gates as it is kept with a refusal: words, sentence against it, seen, event, needed, when it opens."""
    return [
        [gate.words, gate.reason.message if gate.reason else "", gate.seen, gate.event, gate.needed, told(gate.turns_at, zone)]
        for gate in gates
    ]  # fmt: skip


def told(moment: datetime | None, zone: str) -> str:
    """An instant as a refusal names it, with its zone."""
    return "" if moment is None else f"{moment.astimezone(ZoneInfo(zone)):%-d %B %Y %H:%M} ({zone})"


def clock(now: datetime, zone: str, why: str, *, since: datetime | None = None, until: datetime | None = None) -> Look:
    """The instant that is asked about, and the bound it must keep to, with what sets it; a beginning comes by itself."""
    bound = f"from {told(since, zone)} on" if since else f"until {told(until, zone)}" if until else ""
    needed = f"{bound}, {why}" if bound else "any time"
    return Look(told(now, zone), needed, "the instant asked about", since)


def counted(used: int, most: int | None, needed: str, event: str = "") -> Look:
    """A counter and its limit."""
    if most is None:
        return Look(f"{used:,}, without a limit", "no limit", event)
    return Look(f"{used:,} of {most:,}", needed, event)
