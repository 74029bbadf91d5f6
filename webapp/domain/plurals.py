"""Numbers with what they count: «1 entry», «12,000 entries»."""

from __future__ import annotations

from collections.abc import Mapping


def plural(count: int, one: str, many: str | None = None) -> str:
    """«1 entry», «12,000 entries»."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def counted(counts: Mapping[str, int], words: Mapping[str, tuple[str, str]]) -> str:
    """«1 identity, 2 messages» of what there is any of; empty when there is nothing. ``words`` are one and many."""
    return ", ".join(plural(count, *words[name]) for name, count in counts.items() if count)
