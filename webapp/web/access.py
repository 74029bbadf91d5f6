"""Who is asking, and may they."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import abort, g

from webapp.domain.identity import Actor
from webapp.domain.permissions import Permission
from webapp.web.proofs import ask_who_it_is

P = ParamSpec("P")
R = TypeVar("R")


def actor() -> Actor:
    """Whoever signed in, set by ``webapp.web.authentication`` before the view runs; else a stranger with no grants."""
    return cast(Actor, g.get("actor") or Actor("Somebody not signed in"))


def scope(permission: Permission) -> frozenset[int] | None:
    """The ids of the sites this request may see under ``permission``; None means all of them."""
    return actor().sites(permission)


def listed(permission: Permission) -> frozenset[int] | None:
    """``scope`` for a list: only the site chosen in the top bar, when there is one. It hides, it does not forbid."""
    where, chosen = scope(permission), g.get("site")
    if chosen is None:
        return where
    return frozenset({chosen}) if where is None else where & {chosen}


def organisation_scope(permission: Permission) -> frozenset[int] | None:
    """Ids of the organisations this request may see under ``permission``, each with all below it; None is every one.

    The permission must be among ``domain.permissions.WITHIN_ORGANISATIONS``, or nobody bound to one gets this far.
    """
    return actor().organisations(permission)


def can(permission: str, site_id: int | None = None) -> bool:
    """For templates: whether the person may, on this site or on any. A wrong name is an error, not a no."""
    return actor().may(Permission(permission), site_id)


def requires(permission: Permission, *, confirmed: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Name the permission of a view: 403 for somebody signed in who lacks it everywhere.

    ``confirmed`` asks for a password given within ten minutes, see ``webapp.web.proofs``.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if permission is Permission.PUBLIC:
                return view(*args, **kwargs)
            if actor().staff_id is None:
                abort(401)
            if permission is not Permission.SIGNED_IN and not actor().may(permission):
                g.refused = permission
                abort(403)
            if confirmed:
                ask_who_it_is()
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        guarded.confirmed = confirmed  # type: ignore[attr-defined]
        return guarded

    return decorate
