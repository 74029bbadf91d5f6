"""What another end of a benefit stands beside: the end of its definition and that of its code (benefits.md 6.2, 6.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from webapp.domain.benefits import told


@dataclass(frozen=True, slots=True)
class Bounds:
    """Every instant is a last second; None where there is no such end.

    ``code_moves`` says that the code is of our own making: it lasts longer with its benefit, to ``code_most`` where its
    voucher type has a fixed last day. One out of a file keeps the end it came with.
    """

    zone: str
    end_at: datetime | None = None
    code_until: datetime | None = None
    code_moves: bool = False
    code_most: datetime | None = None

    def moved(self, until: datetime) -> datetime | None:
        """The later end that the code gets with a benefit that is good until ``until``; None when it keeps its own."""
        if self.code_until is None or not self.code_moves:
            return None
        later = min(until, self.code_most or until)
        return later if later > self.code_until else None

    def warned(self) -> list[str]:
        """What somebody should know before they move the end."""
        found = []
        if self.end_at is not None:
            found.append(
                f"Its definition ends on {told(self.end_at, self.zone)}; an end after that holds all the same."
            )
        if self.code_until is not None:
            found.append(
                f"Its code is good until {told(self.code_until, self.zone)}{self._afterwards(self.code_until)}."
            )
        return found

    def _afterwards(self, code_until: datetime) -> str:
        if not self.code_moves:
            return " and keeps that end, because it came in a file"
        if self.code_most is None:
            return " and lasts longer with it"
        if self.code_most <= code_until:
            return " and no longer, because its voucher type ends then"
        return f" and lasts longer with it, to {told(self.code_most, self.zone)} at most, where its voucher type ends"

    def outlasted(self, expires_at: datetime | None) -> list[str]:
        """What a benefit that is good until ``expires_at`` lasts longer than."""
        found = []
        if _is_before(self.end_at, expires_at):
            found.append(f"It lasts longer than its definition, which ends on {told(self.end_at, self.zone)}.")
        if _is_before(self.code_until, expires_at):
            found.append(f"It lasts longer than its code, which is good until {told(self.code_until, self.zone)} only.")
        return found


def _is_before(end: datetime | None, expires_at: datetime | None) -> bool:
    return end is not None and (expires_at is None or end < expires_at)
