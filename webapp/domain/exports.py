"""What a cell of an export may begin with: a spreadsheet must never run what somebody typed (P20)."""

from __future__ import annotations

import re

# A spreadsheet takes these, or their full-width twins, for the start of a formula or drops them.
_LIVE = "=+\\-@\t\r\0＝＋－＠"
_ASKS = re.compile(f"'*[{_LIVE}]")
_GUARDED = re.compile(f"'+[{_LIVE}]")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_LEADS = frozenset("=+-@\t\r\0'＝＋－＠")


def guard(text: str) -> str:
    """``text`` with an apostrophe in front when a spreadsheet would take it for a formula; plain numbers stay."""
    if text[:1] in _LEADS and _ASKS.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def unguard(text: str) -> str:
    """Takes the apostrophe of ``guard`` away again, so that a file of ours can come back as it was."""
    return text[1:] if text[:1] == "'" and _GUARDED.match(text) else text


def cell(value: object) -> str:
    """One value as an export shows it: our own numbers as they are, nothing as nothing, text guarded."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int | float) else guard(str(value))
