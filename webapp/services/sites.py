"""Create and change sites."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from webapp.domain import sites as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict
from webapp.domain.identity import handles
from webapp.models import AuditEntry, Site
from webapp.queries import sites as read
from webapp.services import entry_days
from webapp.services.work import Work, name_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTerms:
    """What an editor types of a site. ``staff_domains``: e-mail domains, comma-separated, whose people cannot win."""

    title: str
    organiser: str
    timezone: str
    staff_domains: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSite(SiteTerms):
    """A new site; its name comes from its title."""


def create(work: Work, command: CreateSite) -> Site:
    """Add a site. The name is derived from the title once and never changes (rewards.md section 4)."""
    values = _checked(command)
    for name in handles(values["title"], "site"):
        site = Site(name=name, created_at=work.now, **values)
        if _is_free(work, site):
            work.record(Event.SITE_CREATED, site, site.id, title=site.title)
            return site
    raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSite(SiteTerms):
    """Other words for a site; ``version`` is the one the form was drawn from."""

    site_id: int
    version: int


def change(work: Work, command: ChangeSite) -> Site:
    """Change a site unless somebody else did since the form was opened; ``Conflict`` tells who and what."""
    values = _checked(command)
    site = read.get_by_id(work.session, command.site_id)
    before = {name: getattr(site, name) for name in values}
    told = rules.changes(before, values)
    if not told:
        return site
    won = work.session.execute(
        update(Site)
        .where(Site.id == site.id, Site.version == command.version)
        .values(**values, version=Site.version + 1)
        .returning(Site.version)
    ).scalar_one_or_none()
    if won is None:
        raise Conflict("site.changed", _who_was_faster(work, site))
    work.session.refresh(site)
    if values["timezone"] != before["timezone"]:
        entry_days.recount(work.session, site.id)
    work.record(Event.SITE_CHANGED, site, site.id, title=before["title"], changes=told)
    return site


def _checked(command: SiteTerms) -> dict[str, str]:
    return {
        "title": command.title,
        "organiser": command.organiser,
        "timezone": rules.checked_zone(command.timezone),
        "staff_domains": rules.checked_domains(command.staff_domains),
    }


def _is_free(work: Work, site: Site) -> bool:
    """The unique constraint decides, not a look beforehand: two at once get x and x-2 (K04)."""
    try:
        with work.session.begin_nested():
            work.session.add(site)
            work.session.flush()
    except IntegrityError as error:
        if "name" not in str(error.orig):
            raise
        return False
    return True


def _who_was_faster(work: Work, site: Site) -> str:
    last = work.session.execute(
        select(AuditEntry.actor, AuditEntry.facts)
        .where(AuditEntry.subject == name_of(site), AuditEntry.event == Event.SITE_CHANGED)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).one_or_none()
    who, what = (last.actor, last.facts["changes"]) if last else ("Somebody", "its details")
    return (
        f"{who} changed this site while the form was open: {what}. Nothing of yours was written; what you typed is kept "
        "here. Save again to put it in place of the other change."
    )
