"""Locations: shops and counters, open or closed for good."""

from __future__ import annotations

from webapp.domain.verdicts import Reason, Verdict, all_of

_SHOWN = 60


def may_close(title: str, *, is_closed: bool) -> Verdict:
    """For good means once: whoever joined there keeps it, nobody new can choose it."""
    return all_of(
        Reason("location.closed", f"«{title[:_SHOWN]}» is closed for good already.") if is_closed else None,
    )


def may_change(title: str, *, is_closed: bool) -> Verdict:
    """What is closed for good stays as it was when it closed."""
    return all_of(
        Reason(
            "location.closed",
            f"«{title[:_SHOWN]}» is closed for good and cannot be changed. Create a new location if one opens there again.",
        )
        if is_closed
        else None,
    )
