"""How the protocol's files are written and read: JSON hashed as the file's bytes, UTC instants, fingerprints."""

import json
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from webapp.domain.protocol.errors import ProtocolError

DIGEST = re.compile(r"[0-9a-f]{64}")


def fingerprint(data: bytes) -> str:
    """SHA-256 of a file's bytes as 64 lower-case hex digits: print all of them (draws.md 3.5)."""
    return sha256(data).hexdigest()


def write_json(fields: dict[str, Any]) -> bytes:
    """A file of the evidence: one space of indent, UTF-8, a line feed at the end. Keys with None are left out."""
    given = {key: value for key, value in fields.items() if value is not None}
    return (json.dumps(given, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_json(data: bytes, name: str) -> dict[str, Any]:
    """The object in a file of the evidence; a repeated key is refused, because two readers could differ on it."""
    try:
        found = json.loads(data.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as problem:
        raise ProtocolError(f"{name} is not readable JSON: {problem}.") from problem
    if not isinstance(found, dict):
        raise ProtocolError(f"{name} must hold one JSON object.")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is written twice")
    return found


def utc(moment: datetime) -> str:
    """An aware instant as `2026-12-01T09:00:00Z`, cut to the second."""
    if moment.tzinfo is None:
        raise ProtocolError(f"{moment.isoformat()} has no time zone; the protocol writes UTC.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> datetime:
    """The aware instant written as `2026-12-01T09:00:00Z`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


LEAD = timedelta(minutes=10)
"""A public value due sooner than this after what it decides is told to people: nobody outside could hold the fingerprint."""
