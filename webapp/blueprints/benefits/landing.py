"""Where an act on a benefit leads: to its page, or to what is open to whoever works within an organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import url_for

from webapp.domain.permissions import Permission
from webapp.web.access import actor

if TYPE_CHECKING:
    from webapp.models import Benefit


def after(site_id: int | None, benefit: Benefit) -> str:
    """The page of a benefit of this site, else its place at the till, else that of the person who holds it.

    None is any site, for whoever is bound to no organisation.
    """
    person = actor()
    if person.may(Permission.BENEFITS_VIEW, site_id):
        return url_for("benefits.show", benefit_id=benefit.id)
    if person.may(Permission.BENEFITS_REDEEM, site_id, within=True):
        return url_for("till.benefit", benefit_id=benefit.id)
    return url_for("profiles.benefits", profile_id=benefit.profile_id)


def crumbs(site_id: int | None = None) -> list[tuple[str, str]]:
    """The way back to a list: that of benefits, else the till, else that of people."""
    person = actor()
    if person.may(Permission.BENEFITS_VIEW, site_id):
        return [("Issued benefits", url_for("benefits.index"))]
    if person.may(Permission.BENEFITS_REDEEM, site_id, within=True):
        return [("Till", url_for("till.index"))]
    return [("People", url_for("profiles.index"))]
