"""HTML that somebody typed, without everything that runs, loads or disguises (reliability.md 6.3)."""

from __future__ import annotations

import nh3

_ELEMENTS = {"p", "br", "strong", "em", "ul", "ol", "li", "a", "h3", "h4"}


def cleaned(text: str) -> str:
    """The same text with a short list of elements left; links go to https and mailto addresses only."""
    return nh3.clean(
        text,
        tags=_ELEMENTS,
        attributes={"a": {"href"}},
        url_schemes={"https", "mailto"},
        link_rel="noopener",
        strip_comments=True,
    )
