"""Files of tiers, locations, types of organisations and sites: what their rows refer to, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from webapp.domain import organisations as organisation_rules
from webapp.domain import tiers as tier_rules
from webapp.domain.import_columns import ImportKind
from webapp.domain.import_rows import shown
from webapp.domain.sites import checked_domains, checked_zone
from webapp.domain.table_rows import TableDraft
from webapp.models import ImportChange, Location, OrganisationType, Site, Tier
from webapp.queries import organisations as read_organisations
from webapp.queries import table_rows as read_standing
from webapp.queries import tiers as read_tiers
from webapp.services import entry_days, plain_rows
from webapp.services.plain_rows import PlainTable
from webapp.services.table_kinds import Faults, Found, TableKind, archived, refusal
from webapp.services.work import Work

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")


def _look_for_name(found: Found, draft: TableDraft) -> None:
    name = str(draft.values["name"])
    if not _NAME.fullmatch(name):
        found.add(
            draft, "name", f"«{shown(name)}» cannot be a name; use small letters, digits and dashes, such as club-nord."
        )


def _name_references(_session: Session, drafts: Sequence[TableDraft]) -> Faults:
    found = Found()
    for draft in drafts:
        _look_for_name(found, draft)
    return found.faults


def _tier_references(session: Session, drafts: Sequence[TableDraft]) -> Faults:
    """A rank is one tier's alone, in the file and beside what stays as it is."""
    found, named = Found(), {draft.values["name"] for draft in drafts}
    taken = {tier.rank: f"«{tier.title}»" for tier in read_tiers.every(session) if tier.name not in named}
    for draft in drafts:
        _look_for_name(found, draft)
        rank = draft.values["rank"]
        if not 1 <= rank <= tier_rules.HIGHEST:
            found.add(draft, "rank", f"A rank of {rank:,} cannot be; use 1 to {tier_rules.HIGHEST:,}.")
        elif rank in taken:
            found.add(draft, "rank", f"Rank {rank:,} is that of {taken[rank]}; choose a number no other tier has.")
        else:
            taken[rank] = f"«{shown(draft.values['title'])}» on line {draft.line:,}"
    return found.faults


def _tier_values(_work: Work, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": values["title"], "rank": values["rank"]}


def _free_ranks(work: Work, changed: Sequence[tuple[Any, dict[str, Any]]]) -> None:
    """Tiers that change places wait at ranks nobody has or wants: both databases check uniqueness at once."""
    moving = [row for row, values in changed if "rank" in values]
    used = {tier.rank for tier in read_tiers.every(work.session)} | {values.get("rank") for _, values in changed}
    free = (rank for rank in range(tier_rules.HIGHEST, 0, -1) if rank not in used)
    for row, rank in zip(moving, free, strict=False):
        row.rank = rank
    work.session.flush()


def _location_references(session: Session, drafts: Sequence[TableDraft]) -> Faults:
    """The zone and the organisation must be there, the organisation not archived unless it is the location's already; a closed location stays as it is."""
    within = {str(draft.values["organisation"]) for draft in drafts if draft.values["organisation"]}
    there = read_organisations.known(session, sorted(within))
    now = read_standing.locations(session, [draft.key for draft in drafts])
    found = Found()
    for draft in drafts:
        if told := refusal(organisation_rules.checked_external_id, draft.values["external_id"], "location"):
            found.add(draft, "external_id", told)
        if draft.values["timezone"] and (told := refusal(checked_zone, draft.values["timezone"])):
            found.add(draft, "timezone", told)
        stays = draft.key in now and now[draft.key].values["organisation"] == draft.values["organisation"]
        if draft.values["organisation"] and not stays:
            archived(found, draft, "organisation", there.get(draft.values["organisation"]), "organisation")
    return found.faults


def _location_values(work: Work, values: Mapping[str, Any]) -> dict[str, Any]:
    said = {
        "title": values["title"],
        "search_text": organisation_rules.search_text(values["title"], values["external_id"]),
        "closed_at": values["closed_at"],
        "timezone": checked_zone(values["timezone"]) if values["timezone"] else "",
        "organisation_id": None,
    }
    if values["organisation"]:
        said["organisation_id"] = read_organisations.ids(work.session, [values["organisation"]])[values["organisation"]]
    return said if values["is_published"] is None else said | {"is_published": values["is_published"]}


def _site_references(_session: Session, drafts: Sequence[TableDraft]) -> Faults:
    found = Found()
    for draft in drafts:
        _look_for_name(found, draft)
        for name, check in (("timezone", checked_zone), ("staff_domains", checked_domains)):
            if draft.values[name] and (told := refusal(check, draft.values[name])):
                found.add(draft, name, told)
    return found.faults


def _site_values(_work: Work, values: Mapping[str, Any]) -> dict[str, Any]:
    said = {
        "title": values["title"],
        "organiser": values["organiser"],
        "timezone": checked_zone(values["timezone"]),
        "staff_domains": checked_domains(values["staff_domains"] or ""),
    }
    return said | ({"created_at": values["created_at"]} if values["created_at"] else {})


def _recount(work: Work, site: Any, old: Mapping[str, Any]) -> None:
    """Days of another zone are other days."""
    if "timezone" in old:
        entry_days.recount(work.session, site.id)


def _type_values(_work: Work, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": values["title"]}


_TABLES = {
    ImportKind.TIERS: PlainTable(Tier, "name", _tier_values, {}, prepare=_free_ranks),
    ImportKind.LOCATIONS: PlainTable(Location, "external_id", _location_values, {"is_published": True}),
    ImportKind.ORGANISATION_TYPES: PlainTable(OrganisationType, "name", _type_values, {}),
    ImportKind.SITES: PlainTable(Site, "name", _site_values, {"staff_domains": ""}, finish=_recount),
}
_REFERENCES = {
    ImportKind.TIERS: _tier_references,
    ImportKind.LOCATIONS: _location_references,
    ImportKind.ORGANISATION_TYPES: _name_references,
    ImportKind.SITES: _site_references,
}
_STANDING = {
    ImportKind.TIERS: read_standing.tiers,
    ImportKind.LOCATIONS: read_standing.locations,
    ImportKind.ORGANISATION_TYPES: read_standing.organisation_types,
    ImportKind.SITES: read_standing.sites,
}


def _put(table: PlainTable, work: Work, drafts: Sequence[TableDraft], run_id: int) -> tuple[int, int]:
    return plain_rows.put(work, table, drafts, run_id)


def _take_back(table: PlainTable, work: Work, change: ImportChange) -> str:
    return plain_rows.take_back(work, table, change)


def _ranks_back(work: Work, changes: Sequence[ImportChange]) -> Collection[int]:
    """Tiers that changed places go back at once, but for those changed since and those whose rank is another's now."""
    work.session.expire_all()
    tiers = {row.id: row for row in read_tiers.every(work.session)}
    back = {
        change.subject_id: change
        for change in changes
        if change.subject_id in tiers
        and "rank" in change.before
        and all(getattr(tiers[change.subject_id], name) == value for name, value in change.after.items())
    }
    is_settled = False
    while not is_settled:  # whoever stays keeps a rank that somebody else may want
        held = {tier.rank for tier in tiers.values() if tier.id not in back}
        free = {number: change for number, change in back.items() if change.before["rank"] not in held}
        is_settled, back = len(free) == len(back), free
    _free_ranks(work, [(tiers[number], change.before) for number, change in back.items()])
    for number, change in back.items():
        plain_rows.become(work, tiers[number], change.before)
    work.session.flush()
    return {change.id for change in back.values()}


def _kind(kind: ImportKind, table: PlainTable, whole: Collection[ImportKind] = (ImportKind.TIERS,)) -> TableKind:
    return TableKind(
        _REFERENCES[kind],
        _STANDING[kind],
        partial(_put, table),
        partial(_take_back, table),
        take_back_together=_ranks_back if kind is ImportKind.TIERS else None,
        most=2_000,
        is_whole=kind in whole,
    )


KINDS: dict[ImportKind, TableKind] = {kind: _kind(kind, table) for kind, table in _TABLES.items()}
