"""What a printed voucher says, the layouts it can have, and its text made fit for the page."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from webapp.adapters.glyphs import boxed

LONGEST = 3_000  # characters of one field that are laid out at all
WORDS = {
    "voucher": "Gift voucher",
    "holder": "For",
    "expiry": "Valid until",
    "terms": "Terms",
    "qr": "QR code of voucher",
    "how": "Show this page at the till, on paper or on a screen.",
}


@dataclass(frozen=True, slots=True)
class Card:
    """What one voucher says; every field is plain text, ``code`` is grouped, ``qr`` is what a scanner shall read."""

    title: str
    code: str
    qr: str
    subtitle: str = ""
    holder: str = ""
    value: str = ""
    expiry: str = ""
    terms: str = ""
    programme: str = ""
    organisation: str = ""
    reference: str = ""
    kind: str = ""  # what the sheet calls it, all of one sheet alike; empty is a gift voucher


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the first sheet starts, for a part-used sheet of labels, and how far a printer must be nudged."""

    start: int = 1  # number of the first free label, row by row
    right_mm: float = 0.0
    down_mm: float = 0.0


WHOLE_SHEETS = Placement()


@dataclass(frozen=True, slots=True)
class Layout:
    """A template, how many cards go on a page and into a part, and the size of its QR code."""

    name: str
    title: str
    template: str
    per_page: int
    per_part: int
    qr_mm: float
    sheet: Mapping[str, float]


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout(
            "a4-2x4",
            "Eight on an A4 page, to cut or on labels of 99.1 by 67.7 mm (sheet 7165)",
            "voucher-a4-2x4.typ",
            per_page=8,
            per_part=496,
            qr_mm=24.5,
            sheet={
                "width": 99.1, "height": 67.7, "left": 4.67, "top": 13.04,
                "across": 101.64, "down": 67.73, "columns": 2, "rows": 4,
            },
        ),
        Layout("a4-1", "One on an A4 page", "voucher-a4-1.typ", per_page=1, per_part=500, qr_mm=52, sheet={}),
    )
}  # fmt: skip


def document(layout: Layout, cards: Sequence[Card], placement: Placement) -> dict[str, Any]:
    """What a template reads beside the cards: the document's title, author and language, words and geometry."""
    titles = dict.fromkeys(clean(card.title) for card in cards)
    more = f" and {len(titles) - 1} more" if len(titles) > 1 else ""
    return {
        "title": f"Vouchers: {next(iter(titles))}{more}",
        "author": clean(cards[0].organisation or cards[0].programme),
        "lang": "en",
        "words": WORDS | ({"voucher": clean(cards[0].kind)} if cards[0].kind else {}),
        "sheet": dict(layout.sheet)
        | {"start": placement.start, "right": placement.right_mm, "lower": placement.down_mm},
    }


def texts(card: Card) -> dict[str, str]:
    """The fields as the templates read them, cleaned; ``issuer`` is the organisation and its programme."""
    found = {item.name: clean(getattr(card, item.name)) for item in fields(card)}
    issuer = dict.fromkeys(filter(None, (found.pop("organisation"), found.pop("programme"))))
    return found | {
        "title": found["title"] or WORDS["voucher"],
        "qr": card.qr,
        "terms": "\n".join(filter(None, map(clean, card.terms[:LONGEST].splitlines()))),
        "issuer": " · ".join(issuer),
    }


def printed(card: Card) -> dict[str, str]:
    """``texts`` with a box in the place of what no font can draw; the QR code keeps its text whatever it is."""
    return {name: value if name == "qr" else boxed(value) for name, value in texts(card).items()}


# Embeddings, overrides and isolates would turn round what stands beside them; marks for one letter are harmless.
# Byte order marks and the marks of interlinear notes have no place on paper either.
_TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF, *range(0xFFF9, 0xFFFC)))
_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ")
_UNSAFE = str.maketrans(_TURNING | _CONTROLS)


def clean(text: str) -> str:
    """One line of composed text without control characters, turned text or halves of characters."""
    text = text[:LONGEST]
    if text.isascii() and text.isprintable():  # most are, and have nothing to take out
        return " ".join(text.split())
    whole = text.translate(_UNSAFE).encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFC", " ".join(whole.split()))
