"""Handbook pages."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from webapp.blueprints.help import bp
from webapp.domain import audit, glossary, permissions, staff
from webapp.domain.errors import NotFound
from webapp.domain.permissions import Permission
from webapp.web.access import requires
from webapp.web.rendering import render


@bp.get("")
@requires(Permission.SIGNED_IN)
def index() -> ResponseReturnValue:
    """All topics, and the attribute mapping."""
    return render(
        "help/index.html",
        topics=glossary.TOPICS,
        attributes=glossary.REWARD_ATTRIBUTES,
        definition_attributes=glossary.DEFINITION_ATTRIBUTES,
        words=glossary.WORDS,
    )


@bp.get("/<name:topic>")
@requires(Permission.SIGNED_IN)
def show(topic: str) -> ResponseReturnValue:
    """One topic."""
    found = next((item for item in glossary.TOPICS if item.handle == topic), None)
    if found is None:
        raise NotFound("help.not_found", "There is no such page in the handbook.")
    return render(
        f"help/{found.handle}.html",
        topic=found,
        topics=glossary.TOPICS,
        roles=permissions.ROLES,
        within=staff.WITHIN,
        within_permissions=sorted(permissions.WITHIN_ORGANISATIONS),
        permissions=[item for item in Permission if item not in (Permission.PUBLIC, Permission.SIGNED_IN)],
        sentences=audit.SENTENCES,
        settings=glossary.SETTINGS,
        commands=glossary.COMMANDS,
    )
