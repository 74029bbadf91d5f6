"""Voucher sheets as tagged PDF: cards in, files out, every part proved by reading a sample of its codes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from webapp.adapters import barcodes
from webapp.adapters.cards import LAYOUTS, WHOLE_SHEETS, Card, Layout, Placement, document, printed, texts
from webapp.adapters.glyphs import missing_glyphs
from webapp.config import ROOT
from webapp.domain.errors import Refused
from webapp.domain.voucher_codes import masked

__all__ = [
    "LAYOUTS",
    "Card",
    "Placement",
    "TypesettingFailed",
    "missing_glyphs",
    "preview",
    "proof",
    "sheet",
    "unprintable",
    "voucher_sheets",
]

TEMPLATES = ROOT / "templates" / "print"
TIMEOUT = 180  # seconds for one part; a part takes two or three
SAMPLE = 8  # cards of each part that are printed once more as pictures and read back
LONGEST_CODE = 64


class TypesettingFailed(Exception):
    """The sheet could not be made, or its codes could not be read back; the message says what happened."""


def voucher_sheets(
    cards: Iterable[Card],
    layout: str,
    folder: Path,
    *,
    placement: Placement = WHOLE_SHEETS,
    progress: Callable[[int], object] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Path]:
    """Print ``cards`` into ``folder`` as ``vouchers-001.pdf`` and so on, at most 500 to a file; the paths in order.

    A part that is there already is kept, so a job that starts again with the same cards goes on where it stopped; give
    every job a folder of its own. ``progress`` gets the number of cards done so far; ``cancelled`` is asked between
    parts and ends the work with the parts made. Raises ``Refused`` (no card, unknown layout, a code that cannot be
    printed) or ``TypesettingFailed``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    done = 0
    for number, (part, where) in enumerate(_parts(cards, _layout(layout), placement), start=1):
        if cancelled is not None and cancelled():
            return paths
        path = folder / f"vouchers-{number:03}.pdf"
        if not path.exists():
            _write(path, sheet(part, layout, placement=where))
        paths.append(path)
        done += len(part)
        if progress is not None:
            progress(done)
    if not paths:
        raise Refused("voucher.none_to_print", "There is no voucher to print; choose at least one.")
    return paths


def sheet(cards: Sequence[Card], layout: str, *, placement: Placement = WHOLE_SHEETS) -> bytes:
    """One PDF of at most 500 cards, after the codes of a sample were read back from its pages.

    The same cards give the same bytes. Raises ``Refused`` or ``TypesettingFailed``.
    """
    chosen = _layout(layout)
    _require_printable(cards, chosen, placement)
    sample = _sample(cards, SAMPLE if chosen.per_page > 1 else 2)
    read, file = _run(chosen, cards, sample, placement=placement)
    _require_read(sample, read)
    return file


def proof(cards: Sequence[Card], layout: str) -> list[str]:
    """What a scanner reads on the printed pages of ``cards``, sorted; a few cards only, since pages become pictures."""
    chosen = _layout(layout)
    _require_printable(cards, chosen, WHOLE_SHEETS)
    return sorted(_run(chosen, [], cards)[0])


def preview(cards: Sequence[Card], layout: str) -> bytes:
    """The first page as a PNG picture of 96 dots an inch."""
    chosen = _layout(layout)
    _require_printable(cards, chosen, WHOLE_SHEETS)
    return _run(chosen, cards[: chosen.per_page], [], form="png")[1]


def unprintable(cards: Iterable[Card]) -> dict[int, set[str]]:
    """The characters that would print as boxes, by the place of the card, counted from 0; empty when all is well."""
    found = ((number, missing_glyphs("".join(texts(card).values()))) for number, card in enumerate(cards))
    return {number: signs for number, signs in found if signs}


def _parts(cards: Iterable[Card], layout: Layout, placement: Placement) -> Iterator[tuple[list[Card], Placement]]:
    """The cards in parts that fill their last page, the first one shortened by the labels that are gone."""
    rest = iter(cards)
    first = islice(rest, layout.per_part - (placement.start - 1 if layout.sheet else 0))
    while part := list(first):
        yield part, placement
        first = islice(rest, layout.per_part)
        placement = Placement(1, placement.right_mm, placement.down_mm)


def _layout(name: str) -> Layout:
    if name in LAYOUTS:
        return LAYOUTS[name]
    raise Refused("voucher.layout", f"«{name}» is not a layout; use {' or '.join(LAYOUTS)}.", "layout")


def _require_printable(cards: Sequence[Card], layout: Layout, placement: Placement) -> None:
    if not cards:
        raise Refused("voucher.none_to_print", "There is no voucher to print; choose at least one.")
    if not 1 <= placement.start <= layout.per_page:
        raise Refused(
            "voucher.start", f"Label {placement.start} is not on the sheet; use 1 to {layout.per_page}.", "start"
        )
    for card in cards:
        if not 1 <= len(card.code) <= LONGEST_CODE or not 1 <= len(card.qr) <= barcodes.LONGEST:
            raise Refused(
                "voucher.code_length",
                f"The voucher {masked(card.code)} cannot be printed: its code needs 1 to {LONGEST_CODE} characters, "
                f"its QR code 1 to {barcodes.LONGEST}.",
            )


def _require_read(sample: Sequence[Card], read: Sequence[str]) -> None:
    lost = [card for card in sample if card.qr not in read]
    if lost:
        raise TypesettingFailed(
            f"The QR code of {len(lost)} of {len(sample)} sample vouchers could not be read back from the page; "
            f"the first is {masked(lost[0].code)}. Nothing was printed."
        )


def _sample(cards: Sequence[Card], size: int) -> list[Card]:
    """The cards with the most text, where letters would run into a code first."""
    return sorted(cards, key=lambda card: sum(map(len, texts(card).values())))[-size:]


def _run(
    layout: Layout,
    cards: Sequence[Card],
    sample: Sequence[Card],
    *,
    placement: Placement = WHOLE_SHEETS,
    form: str = "pdf",
) -> tuple[list[str], bytes]:
    """What was read on the sample's pages, and the file, from a worker process of its own."""
    request = {
        "template": str(TEMPLATES / layout.template),
        "form": form,
        "qr_mm": layout.qr_mm,
        "data": document(layout, cards or sample, placement) | {"cards": [printed(card) for card in cards]},
        "sample": [printed(card) for card in sample],
    }
    try:
        worker = subprocess.run(
            [sys.executable, "-m", "webapp.adapters.typst_worker"],
            input=json.dumps(request).encode("utf-8"),
            capture_output=True,
            check=True,
            timeout=TIMEOUT,
            cwd=Path(__file__).resolve().parents[2],
            env={name: value for name, value in os.environ.items() if not name.startswith("LARGESSE_")},
        )
    except subprocess.TimeoutExpired as error:
        raise TypesettingFailed(f"The sheet was not ready after {TIMEOUT} seconds.") from error
    except subprocess.CalledProcessError as error:
        raise TypesettingFailed(f"The sheet could not be typeset: {_last_line(error.stderr)}") from error
    answer, _, file = worker.stdout.partition(b"\n")
    return json.loads(answer)["read"], file


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, so that a part that is there is a finished one."""
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _last_line(text: bytes) -> str:
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "the worker said nothing"
