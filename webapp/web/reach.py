"""How far somebody's roles reach beyond sites: the whole account, and which part of the tree of organisations."""

from __future__ import annotations

from webapp.domain.errors import NotFound
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import subtrees
from webapp.queries.subtrees import Within
from webapp.web.access import actor, organisation_scope


def whole_account(permission: Permission) -> None:
    """``NotFound`` for somebody whose roles hold on some sites only: what belongs to the account is not theirs."""
    if actor().sites(permission) is not None:
        raise NotFound(
            "account.reach",
            "There is no such page for you: it belongs to the whole account, and your roles hold on some sites only. An "
            "administrator can give you a role on every site.",
        )


def within(permission: Permission) -> Within:
    """The subtrees of organisations this request may see under ``permission``; None means all of them.

    Organisations are of no site, so that only roles on every site reach them.
    """
    roots = organisation_scope(permission)
    if roots == frozenset():
        whole_account(permission)
    return subtrees.of(db.session(), roots)


def reaches_all(permission: Permission) -> bool:
    """Whether ``whole_tree`` lets this request through: what a button asks that leads to such a page."""
    return organisation_scope(permission) is None


def whole_tree(permission: Permission) -> Within:
    """``NotFound`` unless the permission holds for every organisation."""
    found = within(permission)
    if found is not None:
        raise NotFound(
            "organisations.reach",
            "There is no such page for you: it belongs to the whole account, and your roles hold in a part of the "
            "organisations only.",
        )
    return found
