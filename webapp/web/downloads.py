"""Stored files on their way to the browser, piece by piece and never to be opened in place."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response
from sqlalchemy.orm import Session
from werkzeug.http import dump_options_header

from webapp.extensions import db
from webapp.queries import files as read


def stored(file_id: int) -> Response:
    """A stored file as a download; who may have it is decided before."""
    file = read.get(db.session(), file_id)
    engine = db.engine  # taken now: the pieces are fetched after the request is over

    def pieces() -> Iterator[bytes]:
        with Session(engine) as session:
            yield from read.read(session, file_id)

    response = Response(pieces(), mimetype=file.media_type)
    response.content_length = file.size
    response.headers["Content-Disposition"] = dump_options_header("attachment", {"filename": file.name})
    return response
