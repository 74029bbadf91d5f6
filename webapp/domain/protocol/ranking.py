"""Who stands where: every ticket has a 256-bit number, the lowest numbers win (draws.md 3.2).

number(i, j) = SHA-256(seed ‖ be64(i) ‖ be32(j)), i = entry - 1, j = 0 … tickets - 1. The numbers are compared as
32 bytes; equal ones do not occur in practice and would fall to the lower i, then the lower j. Removing somebody never
changes anybody else's rank, because no number depends on who else is there.
"""

import struct
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from webapp.domain.protocol.entries import Row

ROOM = 1000
"""Standings kept beyond twice the wanted ranks before the worse ones are dropped."""

_ONE_TICKET = (0,)
_position = struct.Struct(">QI").pack

Standing = tuple[bytes, int, int, str]
"""Number, index, j and holder of a key's best ticket: in this order, so that sorting them ranks them."""


class Per(StrEnum):
    """What can win once: a person, an entry, or a single ticket (`rules.per`)."""

    HOLDER = "holder"
    ENTRY = "entry"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Ranked:
    """One place in the order: entry and ticket count from 1, the number is 64 hex digits."""

    rank: int
    entry: int
    holder: str
    ticket: int
    number: str

    def key(self, per: Per) -> str:
        """What a redraw skips: the holder, the entry number, or `entry.ticket`."""
        return key(per, self.entry - 1, self.ticket - 1, self.holder)


def key(per: Per, index: int, j: int, holder: str) -> str:
    """What a ticket stands for: its holder, its entry number, or `entry.ticket`, both counted from 1."""
    if per is Per.HOLDER:
        return holder
    return str(index + 1) if per is Per.ENTRY else f"{index + 1}.{j + 1}"


def number(seed: bytes, index: int, j: int) -> bytes:
    """The 32-byte number of ticket `j` (from 0) of the entry at `index` (from 0)."""
    return sha256(seed + _position(index, j)).digest()


class Ranking:
    """The best places so far: memory grows with the places wanted, never with the list.

    Only tickets below `bar` can still matter. When the table outgrows its room, the wanted places are kept and the bar
    drops to the last of them.
    """

    __slots__ = ("_bar", "_best", "_per", "_room", "_seed", "_skip", "_wanted")

    def __init__(self, seed: bytes, per: Per, wanted: int, skip: Collection[str] = (), *, room: int = ROOM) -> None:
        self._seed = seed
        self._per = per
        self._wanted = wanted
        self._room = 2 * wanted + room
        self._skip = frozenset(skip)
        self._best: dict[str, Standing] = {}
        self._bar = b"\xff" * 33

    def add(self, rows: Iterable[Row]) -> None:
        """Enter rows (index, holder, tickets) in any order; a row with 0 tickets takes no part."""
        seeded = sha256(self._seed).copy  # a copy of the started hash is cheaper than starting a new one
        bar = self._bar
        for index, holder, tickets in rows:
            for j in _ONE_TICKET if tickets == 1 else range(tickets):
                ticket = seeded()
                ticket.update(_position(index, j))
                if (drawn := ticket.digest()) < bar:
                    bar = self._place((drawn, index, j, holder))

    def _place(self, standing: Standing) -> bytes:
        """Let one ticket stand for its key if it is the key's best; return the bar that later tickets must beat."""
        name = key(self._per, *standing[1:])
        if name not in self._skip and (name not in self._best or standing < self._best[name]):
            self._best[name] = standing
            if len(self._best) > self._room:
                self._drop_the_rest()
        return self._bar

    def _drop_the_rest(self) -> None:
        kept = sorted(self._best.items(), key=lambda item: item[1])[: self._wanted]
        self._best = dict(kept)
        self._bar = kept[-1][1][0] if kept else b""

    @property
    def kept(self) -> int:
        """How many standings are held now: never more than twice the wanted places and the room."""
        return len(self._best)

    def places(self) -> list[Ranked]:
        """The wanted places in order, fewer when the list has fewer keys."""
        best = sorted(self._best.values())[: self._wanted]
        return [
            Ranked(rank, index + 1, holder, j + 1, drawn.hex())
            for rank, (drawn, index, j, holder) in enumerate(best, 1)
        ]


def rank(
    seed: bytes, rows: Iterable[Row], *, per: Per = Per.HOLDER, wanted: int, skip: Collection[str] = ()
) -> list[Ranked]:
    """The first `wanted` places over these rows (index, holder, tickets), leaving out the keys in `skip`."""
    ranking = Ranking(seed, per, wanted, skip)
    ranking.add(rows)
    return ranking.places()
