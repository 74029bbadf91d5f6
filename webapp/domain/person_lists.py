"""Lists in one cell of a file of people: labels, consents, what other systems call somebody, further facts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from webapp.domain import people as rules
from webapp.domain.errors import Refused
from webapp.domain.import_rows import shown
from webapp.domain.people import CONSENTS, AttributeKind
from webapp.domain.person_cells import refused

LONGEST_SYSTEM, LONGEST_IDENTIFIER = 60, 120
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")
_INACTIVE = ";inactive"
_ITEMS = re.compile(r"(?:\\.|[^,\\])+", re.DOTALL)
_SIGNS = re.compile(r"\\.|.", re.DOTALL)


class Identity(NamedTuple):
    """What another system calls a person."""

    system: str
    identifier: str
    is_active: bool = True


class Definition(NamedTuple):
    """A further fact people may have."""

    kind: AttributeKind
    choices: Sequence[object]


def labels(text: str) -> list[str]:
    """Tags or statuses, each once, in the order written."""
    allowed = set(rules.labels(text, ""))
    written = (" ".join(part.split()).casefold() for part in re.split("[,;\n]", text))
    return [label for label in dict.fromkeys(written) if label in allowed]


def yes_no(text: str) -> bool | None:
    """What somebody agreed to or refused; None when it is not told."""
    if text and text.casefold() not in (*_YES, *_NO):
        raise refused(f"«{shown(text)}» is neither yes nor no.")
    return text.casefold() in _YES if text else None


def consents(text: str) -> dict[str, bool]:
    """«email_promo=yes, sms_promo=no»."""
    found = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, word = item.partition("=")
        if name.strip() not in CONSENTS or word.strip().casefold() not in (*_YES, *_NO):
            raise refused(f"«{shown(item)}» is not written as a consent is, such as email_promo=yes.")
        found[name.strip()] = word.strip().casefold() in _YES
    return found


def identities_text(identities: Sequence[Identity]) -> str:
    """«pos=12, crm=a\\, b;inactive»: what other systems call a person, as ``identities`` reads it."""
    return ", ".join(
        f"{_escaped(one.system)}={_escaped(one.identifier)}{'' if one.is_active else _INACTIVE}" for one in identities
    )


def _escaped(text: str) -> str:
    return re.sub(r"([\\,=;])", r"\\\1", text) if any(sign in text for sign in "\\,=;") else text


def identities(text: str) -> tuple[Identity, ...]:
    """What other systems call a person; each once."""
    found = dict.fromkeys(_identity(item) for part in _ITEMS.findall(text) if (item := part.strip()))
    if len({one[:2] for one in found}) < len(found):
        raise refused("An identity is listed twice; leave one of them out.")
    return tuple(found)


def _identity(item: str) -> Identity:
    signs = _SIGNS.findall(item)
    is_active = "".join(signs[-len(_INACTIVE) :]) != _INACTIVE or signs[-len(_INACTIVE)] != ";"
    if not is_active:
        signs = signs[: -len(_INACTIVE)]
    place = signs.index("=") if "=" in signs else len(signs)
    system, identifier = ("".join(sign[-1] for sign in half).strip() for half in (signs[:place], signs[place + 1 :]))
    if not 1 <= len(system) <= LONGEST_SYSTEM or not 1 <= len(identifier) <= LONGEST_IDENTIFIER:
        raise refused(f"«{shown(item)}» is not written as system=identifier, such as pos=12.")
    return Identity(system.casefold(), identifier, is_active)


def fact(text: str, definition: Definition) -> Any:
    """A further fact as forms write it; None for an empty one."""
    return rules.attribute_value(definition.kind, definition.choices, text)


def facts(text: str, definitions: Mapping[str, Definition]) -> dict[str, Any]:
    """The further facts of a person as our own files write them: JSON by name."""
    if not text:
        return {}
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refused('The further facts are no JSON object such as {"custom.size": 42}.') from error
    if not isinstance(told, dict):
        raise refused('The further facts are no JSON object such as {"custom.size": 42}.')
    return {name: _typed(name, value, definitions) for name, value in told.items() if value not in (None, "")}


def _typed(name: str, value: object, definitions: Mapping[str, Definition]) -> Any:
    definition = definitions.get(name)
    if definition is None:
        raise refused(f"There is no further fact «{shown(name)}»; create it first, or take it out of the file.")
    if definition.kind is AttributeKind.TEXT and isinstance(value, str) and len(value) <= rules.LONGEST_TEXT:
        return value
    try:
        return fact(rules.attribute_text(value), definition)
    except Refused as refusal:
        raise refused(f"{name}: {refusal.message}") from refusal
