"""The frozen list of a draw: `entries.csv`, its grammar, and the seal over it in one pass (draws.md 3.2).

A row is `entry,holder,tickets,check,status`. Entries count 1, 2, 3 … without gaps in order of arrival; tickets are
above 0 exactly when the status is `ok`; names never enter the file, so no quoting or collation can move a winner.
Everything here works in blocks of about 1,024 rows, so memory stays the same for ten rows and for ten million.
"""

import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import islice
from typing import IO

from webapp.domain.protocol.errors import ProtocolError
from webapp.domain.protocol.merkle import BLOCK, Tree

HEADER = b"entry,holder,tickets,check,status\n"
MAX_TICKETS_PER_ENTRY = 1_000_000
MAX_TICKETS_PER_DRAW = 100_000_000
LONGEST_ROW = 146
"""Bytes in the longest row the grammar allows, line feed included."""

NO_CHECK = "0" * 64
"""The check of a withdrawn entry: the identity text behind it is forgotten."""

Row = tuple[int, str, int]
"""What a draw needs of one row: index (entry - 1), holder, tickets."""

_ROW = re.compile(
    r"^([1-9][0-9]{0,8}),([a-z0-9-]{1,40}),"
    r"(?:(?!0)(1000000|[0-9]{1,6}),[0-9a-f]{64},ok|0,[0-9a-f]{64},(?!ok\n)[a-z][a-z-]{0,19})\n",
    re.ASCII | re.MULTILINE,
)
_CHUNK = 128 * 1024


class Status(StrEnum):
    """Why an entry takes part, or why it stays in the list with 0 tickets."""

    OK = "ok"
    STAFF = "staff"
    PREVIOUS_WINNER = "previous-winner"
    DUPLICATE = "duplicate"
    HOUSEHOLD = "household"
    OVER_LIMIT = "over-limit"
    INELIGIBLE = "ineligible"
    WITHDRAWN = "withdrawn"
    LATE = "late"
    TEST = "test"


def holder(draw_key: bytes, profile_id: str) -> str:
    """The pseudonym of a person (or household) in one draw: `h` and 20 hex digits, unlinkable across draws."""
    return "h" + hmac.digest(draw_key, b"holder\n" + profile_id.encode(), "sha256").hex()[:20]


def check(nonce: bytes, identity: str) -> str:
    """The salted check of the identity text on a receipt, 64 hex digits; the text is normalised to NFC first."""
    return hmac.digest(nonce, unicodedata.normalize("NFC", identity).encode(), "sha256").hex()


def row(entry: int, holder: str, tickets: int, check: str, status: Status = Status.OK) -> bytes:
    """One row without its line feed; a withdrawn entry loses its check. Grammar and caps are enforced when sealing."""
    check = NO_CHECK if status is Status.WITHDRAWN else check
    return f"{entry},{holder},{tickets},{check},{status}".encode()


@dataclass(frozen=True, slots=True)
class EntriesSeal:
    """What the seal says about the list; digests are 64 hex digits, counts are rows and whole tickets."""

    count: int
    eligible: int
    tickets: int
    sha256: str
    root: str


class Sealer:
    """Checks and seals a list as its bytes go by: header first, then whole rows."""

    def __init__(self) -> None:
        self.count = self.eligible = self.tickets = 0
        self.tree = Tree()
        self._hash = sha256(HEADER)

    def add(self, block: bytes) -> list[Row]:
        """Take one or more whole rows (each ending in a line feed); return them as (index, holder, tickets)."""
        found = _ROW.findall(_ascii(block))
        if not found or len(found) != block.count(b"\n") or not block.endswith(b"\n"):
            raise ProtocolError(_first_fault(block, self.count + 1))
        numbers, holders, written = zip(*found, strict=True)
        if list(map(int, numbers)) != list(range(self.count + 1, self.count + 1 + len(found))):
            raise ProtocolError(_first_fault(block, self.count + 1))
        tickets = [int(whole or 0) for whole in written]
        rows = list(zip(range(self.count, self.count + len(found)), holders, tickets, strict=True))
        self._count(tickets)
        self._hash.update(block)
        self.tree.add(block[:-1].split(b"\n"))
        return rows

    def _count(self, tickets: list[int]) -> None:
        self.count += len(tickets)
        self.eligible += len(tickets) - tickets.count(0)
        self.tickets += sum(tickets)
        if self.tickets > MAX_TICKETS_PER_DRAW:
            raise ProtocolError(
                f"A draw holds at most {MAX_TICKETS_PER_DRAW:,} tickets; entries up to {self.count:,} already hold "
                f"{self.tickets:,}."
            )

    def seal(self) -> EntriesSeal:
        """The counts, the file's hash and the Merkle root of everything added so far."""
        return EntriesSeal(self.count, self.eligible, self.tickets, self._hash.hexdigest(), self.tree.root().hex())


def seal_entries(
    rows: Iterable[bytes],
    tee: Callable[[bytes], object] | None = None,
    on_rows: Callable[[list[Row]], object] | None = None,
) -> EntriesSeal:
    """Check and seal rows (bytes without line feed) in one pass over them.

    `tee` receives the bytes of `entries.csv` in order, first the header, then about 100 KB at a time, so that they can
    be stored as they are sealed. `on_rows` receives the parsed rows of each block. A fault names its line.
    """
    sealer, rows = Sealer(), iter(rows)
    if tee:
        tee(HEADER)
    while block := b"".join([row + b"\n" for row in islice(rows, BLOCK)]):
        parsed = sealer.add(block)
        if tee:
            tee(block)
        if on_rows:
            on_rows(parsed)
    return sealer.seal()


def read_entries(file: IO[bytes], sealer: Sealer | None = None) -> Iterator[Row]:
    """Read `entries.csv`, refusing the first fault with its line; yield (index, holder, tickets).

    Hand in a `Sealer` to have the same pass check the file's hash and root: call its `seal()` when the rows are used up.
    """
    sealer = sealer or Sealer()
    if (header := file.read(len(HEADER))) != HEADER:
        raise ProtocolError(
            f"Line 1 of entries.csv must be the header {HEADER.decode().strip()!r} without a byte order mark; "
            f"it begins {header!r}."
        )
    for block in _blocks(file):
        yield from sealer.add(block)


def seal_file(file: IO[bytes]) -> EntriesSeal:
    """The seal over a finished `entries.csv`."""
    sealer = Sealer()
    for _ in read_entries(file, sealer):
        pass
    return sealer.seal()


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The rest of the file in pieces of whole lines; the last piece may lack its line feed, which `Sealer` refuses."""
    rest = b""
    while chunk := file.read(_CHUNK):
        lines, feed, rest = (rest + chunk).rpartition(b"\n")
        if feed:
            yield lines + feed
        if len(rest) > LONGEST_ROW:
            break
    if rest:
        yield rest


def _ascii(block: bytes) -> str:
    """The block as text; a foreign byte becomes a character that no row may hold."""
    return block.decode("ascii", "replace")


def _first_fault(block: bytes, first_entry: int) -> str:
    """The sentence for the first line of a block that is not the row it should be."""
    lines = block.split(b"\n")
    last = lines.pop()
    for entry, line in enumerate(lines, first_entry):
        found = _ROW.fullmatch(_ascii(line + b"\n"))
        if not found or int(found[1]) != entry:
            return f"Line {entry + 1} of entries.csv must be entry {entry} {_fault(line, found)}."
    return f"Line {first_entry + len(lines) + 1} of entries.csv does not end in a line feed; it reads {last[:60]!r}."


def _fault(line: bytes, found: re.Match[str] | None) -> str:
    if found:
        return f"in an unbroken count; it is entry {found[1]}"
    parts = line.split(b",")
    if line.endswith(b"\r"):
        return "and end in a line feed alone; it ends in a carriage return"
    if len(parts) == 5 and _ROW.fullmatch(_ascii(b",".join((*parts[:2], b"1", parts[3], b"ok\n")))):
        return (
            f"with 1 to {MAX_TICKETS_PER_ENTRY:,} tickets when its status is ok and 0 otherwise; "
            f"it has {_ascii(parts[2])[:20]!r} tickets and status {_ascii(parts[4])[:20]!r}"
        )
    return f"written as entry,holder,tickets,check,status in lower case; it reads {line[:160]!r}"
