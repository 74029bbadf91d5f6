"""Who is asking, and may they."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import abort, g

from webapp.domain.identity import Actor, Reach, Where
from webapp.domain.permissions import Permission
from webapp.web.proofs import ask_who_it_is

P = ParamSpec("P")
R = TypeVar("R")


def actor() -> Actor:
    """Whoever signed in, set by ``webapp.web.authentication`` before the view runs; else a stranger with no grants."""
    return cast(Actor, g.get("actor") or Actor("Somebody not signed in"))


def scope(permission: Permission) -> frozenset[int] | None:
    """The ids of the sites this request may see under ``permission``, whole; None means all of them."""
    return actor().sites(permission)


def where(permission: Permission) -> Where:
    """``scope``, or as far as this request goes within organisations: for screens that say ``within``."""
    return actor().where(permission)


def listed(permission: Permission) -> frozenset[int] | None:
    """``scope`` for a list: only the site chosen in the top bar, when there is one. It hides, it does not forbid."""
    where, chosen = scope(permission), g.get("site")
    if chosen is None:
        return where
    return frozenset({chosen}) if where is None else where & {chosen}


def bound(permission: Permission) -> Reach | None:
    """``where`` when organisations are part of it: what a verb asks again in its transaction, and of nobody else."""
    found = where(permission)
    return found if isinstance(found, Reach) else None


def listed_where(permission: Permission) -> Where:
    """``where`` for a list, as ``listed`` is ``scope`` for one."""
    found, chosen = where(permission), g.get("site")
    if not isinstance(found, Reach):
        return listed(permission)
    if chosen is None:
        return found
    parts = dict.fromkeys((chosen, root) for site, root in found.parts if site in (None, chosen))
    return Reach(found.sites & {chosen}, tuple(parts))


def organisation_scope(permission: Permission) -> frozenset[int] | None:
    """Ids of the organisations this request may see under ``permission``, each with all below it; None is every one.

    The permission must be among ``domain.permissions.WITHIN_ORGANISATIONS``, or nobody bound to one gets this far.
    """
    return actor().organisations(permission)


def can(permission: str, site_id: int | None = None, *, within: bool = False) -> bool:
    """For templates: whether the person may, on this site or on any. A wrong name is an error, not a no."""
    return actor().may(Permission(permission), site_id, within=within)


def requires(
    permission: Permission, *, confirmed: bool = False, within: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Name the permission of a view: 403 for somebody signed in who lacks it everywhere.

    ``confirmed`` asks for a password given within ten minutes, see ``webapp.web.proofs``. ``within`` says that the view
    keeps to organisations itself (``where``, ``webapp.web.reach``), so that it is open to whoever is bound to one.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if permission is Permission.PUBLIC:
                return view(*args, **kwargs)
            if actor().staff_id is None:
                abort(401)
            if permission is not Permission.SIGNED_IN and not actor().may(permission, within=within):
                g.refused = permission
                abort(403)
            if confirmed:
                ask_who_it_is()
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        guarded.confirmed = confirmed  # type: ignore[attr-defined]
        guarded.within = within  # type: ignore[attr-defined]
        return guarded

    return decorate
