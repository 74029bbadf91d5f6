"""What may happen to a place after the draw: a reserve follows in order, a redraw only when none is left (draws.md 3.1)."""

from dataclasses import dataclass, field
from typing import Any

from webapp.domain.protocol.errors import ProtocolError
from webapp.domain.protocol.log import Event

Place = tuple[int, int]
"""Round and rank."""

_VACATES = frozenset({Event.DECLINED, Event.UNCLAIMED, Event.DISQUALIFIED})
_CONCERNS = frozenset({Event.NOTIFIED, Event.ACCEPTED, Event.FULFILLED}) | _VACATES


@dataclass(slots=True)
class Awards:
    """Who stands in each slot, followed event by event; `apply` says what was out of order and goes on."""

    results: dict[int, tuple[str, dict[str, Any]]]
    """Round number → fingerprint of its result file and the result itself."""
    redraws: dict[int, tuple[str, dict[str, Any]]]
    """The same for the declarations of redraws."""
    holders: dict[str, Place | None] = field(default_factory=dict)
    """Slot → the place that fills it now, None while it is vacant."""
    drawn: int = 0
    declared: int = 1
    _rounds: dict[str, int] = field(default_factory=dict)
    _reserves: dict[int, list[int]] = field(default_factory=dict)

    def apply(self, event: dict[str, Any]) -> None:
        """Follow one event of the log; ProtocolError when the event was not open to anybody."""
        kind = Event(event["event"])
        if kind is Event.DRAWN:
            self._draw(event)
        elif kind is Event.REDRAW_DECLARED:
            self._redraw(event)
        elif kind is Event.PROMOTED:
            self._promote(event)
        elif kind in _CONCERNS:
            self._touch(kind, event)

    def _draw(self, event: dict[str, Any]) -> None:
        number = event["round"]
        fingerprint, result = self.results[number]
        in_order = number == self.drawn + 1 == self.declared
        self.drawn = number
        self._reserves[number] = [place["rank"] for place in result["reserves"]]
        filled: dict[str, Place | None] = {place["slot"]: (number, place["rank"]) for place in result["winners"]}
        told = filled | dict.fromkeys(result["unallocated"])
        self.holders |= told
        self._rounds |= dict.fromkeys(told, number)
        _require(
            in_order and event["result"] == fingerprint,
            f"Round {number} is drawn once, after its declaration, with the result in this bundle.",
        )

    def _redraw(self, event: dict[str, Any]) -> None:
        number = event["round"]
        fingerprint, declaration = self.redraws[number]
        in_order = number == self.declared + 1 == self.drawn + 1
        self.declared = number
        _require(
            in_order and event["declaration"] == fingerprint,
            f"Redraw {number} follows the round before it and is the declaration in this bundle.",
        )
        for slot in declaration["slots"]:
            _require(
                self.holders[slot] is None and not self._reserves[self._rounds[slot]],
                f"Slot {slot} may be drawn again only when it is vacant and no reserve is left.",
            )

    def _promote(self, event: dict[str, Any]) -> None:
        slot, rank = event["slot"], event["rank"]
        number = self._rounds.get(slot, 0)
        waiting = self._reserves.get(number, [])
        in_order = self.holders.get(slot, ()) is None and event["round"] == number and waiting[:1] == [rank]
        self.holders[slot] = (event["round"], rank)
        if rank in waiting:
            waiting.remove(rank)
        _require(in_order, f"Slot {slot} must be vacant and rank {rank} the next reserve of its round.")

    def _touch(self, kind: Event, event: dict[str, Any]) -> None:
        slot = event["slot"]
        place = self.holders.get(slot)
        told = (event.get("round", place and place[0]), event.get("rank", place and place[1]))
        if kind in _VACATES:
            self.holders[slot] = None
        _require(place is not None and told == place, f"Slot {slot} is not held by rank {event.get('rank')}.")


def _require(fulfilled: bool, rule: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not fulfilled:
        raise ProtocolError(rule)
