"""The outcome of a round, `result-r.json`: a pure function of the declaration, the code, the value and the list."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from webapp.domain.protocol import FORMAT, drand, seed
from webapp.domain.protocol.declarations import Plan, plan
from webapp.domain.protocol.entries import Row
from webapp.domain.protocol.ranking import Per, Ranked, Ranking, rank
from webapp.domain.protocol.texts import fingerprint, write_json


@dataclass(frozen=True, slots=True)
class PublicValue:
    """The public half of the seed as the result prints it; a beacon's value is its randomness."""

    value: str
    kind: str
    round: int | None = None
    signature: str | None = None
    entered_by: str | None = None

    @classmethod
    def witnessed(cls, value: str, entered_by: str | None = None) -> "PublicValue":
        """A value that a witness read out."""
        return cls(seed.check_value(value), "witnessed", entered_by=entered_by)

    @classmethod
    def beacon(cls, beacon: drand.Beacon, entered_by: str | None = None) -> "PublicValue":
        """A beacon round that was checked."""
        return cls(beacon.randomness, "drand", beacon.round, beacon.signature, entered_by)


@dataclass(frozen=True, slots=True)
class Round:
    """One round to draw: `redraw` is None for the first, `code` the revealed code as 64 hex digits."""

    number: int
    seal: bytes
    code: str
    public: PublicValue
    redraw: bytes | None = None

    @property
    def declaration(self) -> bytes:
        """The bytes that were fixed in advance."""
        return self.seal if self.redraw is None else self.redraw

    def plan(self) -> Plan:
        """What to rank."""
        return plan(self.seal, self.redraw)

    def seed(self) -> bytes:
        """The 32-byte seed."""
        return seed.seed(self.code, self.declaration, self.public.value)

    def ranking(self) -> Ranking:
        """An empty ranking for this round: feed it every row once, then call `result_json` with its places."""
        asked = self.plan()
        return Ranking(self.seed(), asked.per, asked.places, asked.skip)


def result_json(drawn: Round, places: Sequence[Ranked]) -> bytes:
    """The bytes of `result-r.json` from the ranked places: slots first, then reserves, then slots nobody is left for."""
    asked = drawn.plan()
    return write_json(
        {
            "format": FORMAT,
            "draw": asked.draw,
            "round": drawn.number,
            "declaration": fingerprint(drawn.declaration),
            "code": drawn.code,
            "public": {key: value for key, value in asdict(drawn.public).items() if value is not None},
            "seed": drawn.seed().hex(),
            **outcome(asked, places),
        }
    )


def outcome(asked: Plan, places: Sequence[Ranked]) -> dict[str, Any]:
    """`winners`, `reserves` and `unallocated` of a result; rank n takes slot n."""
    ranks = iter(places)
    winners = [{"slot": slot, **asdict(place)} for slot, place in zip(asked.slots, ranks, strict=False)]
    reserves = [asdict(place) for place in places[len(winners) : len(winners) + asked.reserves]]
    return {"winners": winners, "reserves": reserves, "unallocated": list(asked.slots[len(winners) :])}


def draw(drawn: Round, rows: Iterable[Row]) -> bytes:
    """Rank the whole list (index, holder, tickets) and return the bytes of `result-r.json`."""
    ranking = drawn.ranking()
    ranking.add(rows)
    return result_json(drawn, ranking.places())


def audit_sample(drawn: Round, rows: Iterable[Row], size: int = 59) -> list[int]:
    """Entry numbers for an auditor to visit, fixed by the draw itself and not by anybody's choice (draws.md 3.8).

    59 entries find at least one phantom with 95 % when 5 % are phantoms; 29 when 10 % are, 299 when 1 % are.
    """
    audit = seed.audit_seed(drawn.code, drawn.declaration, drawn.public.value)
    eligible = ((index, holder, 1) for index, holder, tickets in rows if tickets)
    return [place.entry for place in rank(audit, eligible, per=Per.ENTRY, wanted=size)]
