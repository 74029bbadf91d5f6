"""Puts the evidence of a draw together: the protocol's files and the certificate people read."""

from __future__ import annotations

from collections.abc import Iterator

from flask import current_app
from sqlalchemy.orm import Session

from webapp import __version__
from webapp.adapters import barcodes
from webapp.config import ROOT
from webapp.domain.errors import Refused
from webapp.domain.protocol import bundle, log, shape
from webapp.models import Draw
from webapp.queries import draws as read
from webapp.queries import files

STYLE = "<!-- style -->"
PINS = "<!-- pins -->"


def file_name(draw: Draw) -> str:
    """What the downloaded bundle is called."""
    return f"draw-{draw.reference}.zip"


def stream(session: Session, reference: str) -> Iterator[bytes]:
    """The evidence bundle of the draw called ``reference``, piece by piece; raises ``Refused`` before the seal.

    Everything but the list is read before the first byte, so a fault is an error page and not half a file.
    """
    record = read.record(session, reference)
    draw = record.draw
    if draw.seal is None or draw.entries_file_id is None:
        raise Refused("draw.not_sealed", "There is no evidence before the draw is sealed.")
    rounds = read.rounds(session, draw.id)
    lines = b"".join(line + b"\n" for line in read.log_lines(session, draw.id))
    evidence = bundle.Evidence(
        draw=draw.reference,
        seal=draw.seal,
        entries=files.read(session, draw.entries_file_id),
        log=lines,
        certificate=certificate(session, record, lines),
        results=[drawn.result for drawn in rounds],
        terms=record.reward.terms.encode() or None,
    )
    return bundle.write_zip(evidence)


def certificate(session: Session, record: read.Record, lines: bytes) -> bytes:
    """``certificate.html``: one page that needs nothing else, with the pins in its head and the fingerprint as QR."""
    draw = record.draw
    winners = [place["entry"] for place in record.result["winners"]]
    page = current_app.jinja_env.get_template("draws/certificate.html").render(
        record=record,
        draw=draw,
        reward=record.reward,
        site=record.site,
        round=record.round,
        result=record.result,
        log_head=log.head(lines),
        events=log.read(lines),
        sealed_by=read.staff_name(session, draw.sealed_by_id),
        shape=shape.shape(winners, draw.entry_count) if winners else None,
        qr=qr_path(draw.seal_sha256 or ""),
        version=__version__,
    )
    style = (ROOT / "static" / "css" / "certificate.css").read_text()
    page = page.replace(STYLE, f"<style>{style}</style>", 1).replace(PINS, bundle.pins(draw.seal or b"", lines), 1)
    return page.encode()


def qr_path(text: str) -> tuple[str, int]:
    """The dark modules of a QR code as the data of an SVG path, and how many modules it is wide."""
    rows = barcodes.qr_modules(text)
    dark = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return "".join(dark), len(rows)
