"""What is fixed before the public value exists: `seal.json` for the first round, `redraw-r.json` for a later one.

The bytes written here are hashed as they stand; that hash is the fingerprint people outside are given, and it enters
the seed, so not a comma can change afterwards (draws.md 3.2). Fields that are not set are left out.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from webapp.domain.protocol import FORMAT, codes, drand
from webapp.domain.protocol.entries import EntriesSeal
from webapp.domain.protocol.errors import ProtocolError
from webapp.domain.protocol.ranking import Per, key
from webapp.domain.protocol.texts import fingerprint, instant, read_json, utc, write_json

MAX_PLACES = 100_000
"""Prizes and reserves together in one round; memory grows with these and not with the list."""

_PRIZE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Prize:
    """One line of the prize list, in order of rank; `value` is what the terms print, for example «EUR 250»."""

    id: str
    title: str
    quantity: int
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A value supplied by an independent person: one exact sentence that includes its spelling, and the earliest time."""

    what: str
    not_before: datetime

    def fields(self) -> dict[str, Any]:
        """The `seed_source` of a declaration."""
        return {"kind": "witnessed", "what": self.what, "not_before": utc(self.not_before)}


@dataclass(frozen=True, slots=True)
class DrandRound:
    """A round of the beacon that lies in the future."""

    round: int
    chain: drand.Chain = drand.QUICKNET

    @property
    def not_before(self) -> datetime:
        """When the round becomes public."""
        return drand.time_of(self.round, self.chain)

    def fields(self) -> dict[str, Any]:
        """The `seed_source` of a declaration."""
        return {"kind": "drand", "chain": self.chain.hash, "round": self.round}


Source = Witnessed | DrandRound


@dataclass(frozen=True, slots=True)
class Seal:
    """Everything the seal fixes; texts left empty are not written. `commit` is code 0, digests are 64 hex digits."""

    draw: str
    sealed_at: datetime
    per: Per
    prizes: Sequence[Prize]
    reserves: int
    entries: EntriesSeal
    commit: str
    source: Source
    title: str | None = None
    organiser: str | None = None
    terms_sha256: str | None = None
    software: str | None = None
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Redraw:
    """A later round for slots that nobody is left to fill; `results` are the bytes of every result so far, in order."""

    seal: bytes
    results: Sequence[bytes]
    declared_at: datetime
    reason: str
    slots: Sequence[str]
    reserves: int
    source: Source


@dataclass(frozen=True, slots=True)
class Plan:
    """What a declaration asks of the ranking: places in order, reserves after them, keys that take no part."""

    draw: str
    per: Per
    slots: tuple[str, ...]
    reserves: int
    skip: tuple[str, ...] = ()

    @property
    def places(self) -> int:
        """How many ranks the round needs."""
        return len(self.slots) + self.reserves


def slots(prizes: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """Prizes (id, quantity) expanded in order: `car#1`, `weekend#1`, `weekend#2`."""
    return tuple(f"{name}#{n}" for name, quantity in prizes for n in range(1, quantity + 1))


def seal_json(seal: Seal) -> bytes:
    """The bytes of `seal.json`."""
    _check_prizes(seal.prizes)
    _check_places([prize.quantity for prize in seal.prizes], seal.reserves)
    _check_lead(seal.sealed_at, seal.source)
    return write_json(
        {
            "format": FORMAT,
            "draw": seal.draw,
            "title": seal.title or None,
            "organiser": seal.organiser or None,
            "terms": {"sha256": seal.terms_sha256} if seal.terms_sha256 else None,
            "sealed_at": utc(seal.sealed_at),
            "software": seal.software or None,
            "rules": {"per": seal.per.value},
            "prizes": [
                {name: told for name, told in asdict(prize).items() if told is not None} for prize in seal.prizes
            ],
            "reserves": seal.reserves,
            "entries": asdict(seal.entries),
            "code": {"commit": seal.commit, "chain": codes.LENGTH},
            "seed_source": seal.source.fields(),
            "replaces": seal.replaces or None,
        }
    )


def redraw_json(redraw: Redraw) -> bytes:
    """The bytes of the next `redraw-r.json`; everybody placed in an earlier round is skipped."""
    first = plan(redraw.seal)
    if not redraw.slots or not set(redraw.slots) <= set(first.slots) or len(set(redraw.slots)) < len(redraw.slots):
        raise ProtocolError(
            f"A redraw names slots of the seal, each once; it names {', '.join(redraw.slots) or 'none'}."
        )
    _check_places([1] * len(redraw.slots), redraw.reserves)
    _check_lead(redraw.declared_at, redraw.source)
    return write_json(
        {
            "format": FORMAT,
            "draw": first.draw,
            "round": len(redraw.results) + 1,
            "seal": fingerprint(redraw.seal),
            "previous": fingerprint(redraw.results[-1]),
            "declared_at": utc(redraw.declared_at),
            "reason": redraw.reason,
            "slots": list(redraw.slots),
            "skip": placed([read_json(result, "result") for result in redraw.results], first.per),
            "reserves": redraw.reserves,
            "seed_source": redraw.source.fields(),
        }
    )


def placed(results: Iterable[dict[str, Any]], per: Per) -> list[str]:
    """The keys of every winner and reserve in these results, sorted: the skip list of the next redraw."""
    places = [place for result in results for place in (*result["winners"], *result["reserves"])]
    return sorted({key(per, place["entry"] - 1, place["ticket"] - 1, place["holder"]) for place in places})


def plan(seal: bytes, redraw: bytes | None = None) -> Plan:
    """What the round must rank, read from the seal alone or from the seal and a redraw's declaration."""
    sealed = read_json(seal, "seal.json")
    per = Per(sealed["rules"]["per"])
    prizes = [(prize["id"], prize["quantity"]) for prize in sealed["prizes"]]
    _check_places([quantity for _, quantity in prizes], sealed["reserves"])
    if redraw is None:
        return Plan(sealed["draw"], per, slots(prizes), sealed["reserves"])
    told = read_json(redraw, "redraw")
    _check_places([1] * len(told["slots"]), told["reserves"])
    return Plan(told["draw"], per, tuple(told["slots"]), told["reserves"], tuple(told["skip"]))


def due(declaration: dict[str, Any]) -> datetime:
    """The earliest instant of the public value that a declaration names; an unknown chain or kind is refused."""
    source = declaration["seed_source"]
    if source["kind"] == "witnessed":
        return instant(source["not_before"])
    if source["kind"] != "drand" or source["chain"] != drand.QUICKNET.hash:
        raise ProtocolError(f"The seed source is neither a witness nor {drand.QUICKNET.name}: {source!r}.")
    return drand.time_of(source["round"])


def _check_prizes(prizes: Sequence[Prize]) -> None:
    ids = [prize.id for prize in prizes]
    if not prizes or len(set(ids)) < len(ids):
        raise ProtocolError(f"A draw has at least one prize and each has an id of its own; these are {', '.join(ids)}.")
    for name in ids:
        if not _PRIZE_ID.fullmatch(name):
            raise ProtocolError(f"A prize id is up to 40 lower-case letters, digits and dashes; this one is {name!r}.")


def _check_places(quantities: Sequence[int], reserves: int) -> None:
    """Refuse impossible numbers before anything is expanded from them: a declaration may come from a stranger."""
    prizes = sum(quantities)
    if reserves < 0 or any(quantity < 1 for quantity in quantities) or prizes + reserves > MAX_PLACES:
        raise ProtocolError(
            f"Every prize has a quantity of at least 1, reserves are at least 0, and together they are at most "
            f"{MAX_PLACES:,}; here are {prizes:,} prizes and {reserves:,} reserves."
        )


def _check_lead(fixed_at: datetime, source: Source) -> None:
    if source.not_before < fixed_at:
        raise ProtocolError(
            "The public value must not be due before the declaration; it is due "
            f"{utc(source.not_before)} and the declaration is dated {utc(fixed_at)}."
        )
