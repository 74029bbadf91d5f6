"""The chained record of a draw, `log.jsonl`: one event a line, each holding the hash of the line before it.

`prev` is the SHA-256 of the previous line without its line feed, 64 zeros in the first (draws.md 3.2). A chain is only
as strong as the head people hold, so its head is printed on the certificate and on the page.
"""

import json
from datetime import datetime
from enum import StrEnum
from typing import Any

from webapp.domain.protocol.errors import ProtocolError
from webapp.domain.protocol.texts import fingerprint, read_json, utc

FIRST_PREV = "0" * 64


class Event(StrEnum):
    """Everything that may happen to a draw once entries open."""

    OPENED = "opened"
    CLOSED = "closed"
    SEALED = "sealed"
    PUBLISHED = "published"
    WITNESSED = "witnessed"
    DRAWN = "drawn"
    VERIFIED = "verified"
    NOTIFIED = "notified"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    UNCLAIMED = "unclaimed"
    DISQUALIFIED = "disqualified"
    PROMOTED = "promoted"
    REDRAW_DECLARED = "redraw-declared"
    FULFILLED = "fulfilled"
    VOID = "void"


def append(last: bytes | None, at: datetime, event: Event, **facts: str | int) -> bytes:
    """The next line, without its line feed, after `last` (None for the first).

    `facts` are printed in the order given: `commit` for opened, `seal` for sealed, `round` and `result` for drawn,
    `round`, `slot`, `rank` (and `reason`) for what happens to a place, `round` and `declaration` for redraw-declared.
    """
    if reserved := {"n", "at", "event", "prev"} & facts.keys():
        raise ProtocolError(f"The log writes {', '.join(sorted(reserved))} itself.")
    number = 1 if last is None else int(read_json(last, "the last line of log.jsonl")["n"]) + 1
    line = {"n": number, "at": utc(at), "event": event.value, **facts, "prev": link(last)}
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode()


def link(last: bytes | None) -> str:
    """What the line after `last` must hold as `prev`."""
    return FIRST_PREV if last is None else fingerprint(last)


def lines(log: bytes) -> list[bytes]:
    """The lines of `log.jsonl`, without line feeds; every line must end in one."""
    if log and not log.endswith(b"\n"):
        raise ProtocolError("log.jsonl must end in a line feed.")
    return log.split(b"\n")[:-1]


def head(log: bytes) -> str:
    """The hash of the last line: what the certificate pins and the page prints."""
    found = lines(log)
    return link(found[-1] if found else None)


def read(log: bytes) -> list[dict[str, Any]]:
    """Every event of an unbroken log; a broken link is refused with its line."""
    events: list[dict[str, Any]] = []
    last = None
    for number, line in enumerate(lines(log), 1):
        event = read_json(line, f"log.jsonl line {number}")
        if not follows(event, events[-1] if events else None, last):
            raise ProtocolError(f"Line {number} of log.jsonl does not follow from the line before it.")
        events.append(event)
        last = line
    return events


def follows(event: dict[str, Any], before: dict[str, Any] | None, last: bytes | None) -> bool:
    """Whether an event continues the chain after the event and line before it: its number and its `prev`."""
    number = before["n"] + 1 if before else 1
    return bool(event.get("n") == number and event.get("prev") == link(last) and event.get("event") in set(Event))
