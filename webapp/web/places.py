"""The list of places that benefits are redeemed at."""

from __future__ import annotations

from functools import partial

from webapp.domain.identity import Where
from webapp.extensions import db
from webapp.queries import choices
from webapp.web.choosing import ListedField


def offer(field: ListedField, where: Where) -> None:
    """List the locations that are not closed; one that was closed since the page was drawn is told as that."""
    session = db.session()
    field.offer(
        choices.locations(session, where),
        partial(choices.location, session, where),
        nothing="Not said",
        left="«{}» is closed for good; choose another place, or none.",
    )
