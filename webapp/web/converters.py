"""Typed parts of addresses: what cannot be a row of ours is no address of ours."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter, IntegerConverter, ValidationError

from webapp.domain.identity import NAME_LENGTH

LARGEST_ID = 2**31 - 1  # PostgreSQL's integer; a larger number would be an error there instead of a 404


class IdConverter(IntegerConverter):
    """``<int:reward_id>``: a positive id without leading zeros, so that every row has one address."""

    regex = r"[1-9][0-9]{0,9}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > LARGEST_ID:
            raise ValidationError
        return number


class NameConverter(BaseConverter):
    """``<name:name>``: what ``domain.identity.handle`` makes of a title."""

    regex = rf"[a-z0-9](?:[a-z0-9-]{{0,{NAME_LENGTH - 2}}}[a-z0-9])?"


class HandleConverter(BaseConverter):
    """``<handle:handle>``: what a benefit definition is looked up by, in large or small letters."""

    regex = r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}"


class TokenConverter(BaseConverter):
    """``<token:token>``: a secret in a link; the log never shows it."""

    regex = r"[A-Za-z0-9_-]{16,128}"


class ReferenceConverter(BaseConverter):
    """``<reference:reference>``: what a draw is called in public, «D-7KQ2M9XA»."""

    regex = r"D-[0-9A-Z]{1,20}"


class FingerprintConverter(BaseConverter):
    """``<fingerprint:tree>``: the first 12 hex digits of the hash of everything static."""

    regex = r"[0-9a-f]{12}"


def register(app: Flask) -> None:
    """Teach the address map our converters; ``int`` becomes ours as well."""
    app.url_map.converters.update(
        int=IdConverter,
        name=NameConverter,
        handle=HandleConverter,
        token=TokenConverter,
        reference=ReferenceConverter,
        fingerprint=FingerprintConverter,
    )
