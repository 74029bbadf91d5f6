"""The process that runs Typst: one request on standard input, one answer on standard output, then it ends.

Typst keeps what it has laid out, so a process that lives on grows to hundreds of megabytes; this one is gone after
each part. The request is JSON: ``template``, ``data`` (what the template reads), ``sample`` (cards to print once more as
pictures and to read back) and ``form``, «pdf» or «png». The answer is a line of JSON with ``read``, then the file.
"""

from __future__ import annotations

import json
import sys
from math import ceil
from pathlib import Path
from typing import Any

import typst

from webapp.adapters import barcodes, png

PIXELS_PER_MODULE = 4  # enough for the decoder, and a picture of a page stays small
PREVIEW_PPI = 96.0
PROOF_PPI = 60.0


def main() -> None:
    """Answer the request on standard input."""
    request = json.load(sys.stdin.buffer)
    template = Path(request["template"])
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[template.parent / "fonts"]
    )
    compiler = typst.Compiler(root=template.parent, font_paths=fonts)
    file = _printed(compiler, template, request["form"], request["data"]) if request["data"]["cards"] else b""
    answer = {"read": _read_back(compiler, template, request)}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + file)


def _printed(compiler: typst.Compiler, template: Path, form: str, data: dict[str, Any]) -> bytes:
    pages = _compiled(compiler, template, form, data, PREVIEW_PPI)
    return pages[0]


def _read_back(compiler: typst.Compiler, template: Path, request: dict[str, Any]) -> list[str]:
    """The texts of the QR codes on the pages of the sample, drawn by the same template."""
    if not request["sample"]:
        return []
    modules = max(len(barcodes.qr_modules(card["qr"])) for card in request["sample"])
    ppi = max(PROOF_PPI, ceil(PIXELS_PER_MODULE * modules * 25.4 / request["qr_mm"]))
    data = request["data"] | {"cards": request["sample"]}
    return [text for page in _compiled(compiler, template, "png", data, ppi) for text in barcodes.read(png.greys(page))]


def _compiled(compiler: typst.Compiler, template: Path, form: str, data: dict[str, Any], ppi: float) -> list[bytes]:
    """The PDF as one item, or the pages as PNG pictures."""
    cards = [card | {"qr": barcodes.qr_svg(card["qr"], 0)} for card in data["cards"]]
    found = compiler.compile(
        input=template,
        format="pdf" if form == "pdf" else "png",
        ppi=None if form == "pdf" else ppi,
        sys_inputs={"data": json.dumps(data | {"cards": cards})},
        timestamp=0,  # the same cards give the same bytes
        pdf_standards=["ua-1"] if form == "pdf" else [],
    )
    return found if isinstance(found, list) else [found or b""]


if __name__ == "__main__":
    main()
