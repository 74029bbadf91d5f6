"""Files of organisations, groups and the like: what their rows refer to, how they are written, how they are taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from webapp.domain import groups as group_rules
from webapp.domain import organisations as organisation_rules
from webapp.domain.groups import GroupKind, Registration
from webapp.domain.import_columns import ImportKind
from webapp.domain.import_rows import shown
from webapp.domain.sites import checked_zone
from webapp.domain.table_rows import TableDraft
from webapp.models import Group, ImportChange, Organisation
from webapp.queries import groups as read_groups
from webapp.queries import organisation_types as read_types
from webapp.queries import organisations as read_organisations
from webapp.queries import table_rows as read_standing
from webapp.queries.table_rows import Standing
from webapp.services import (
    definition_rows,
    fact_rows,
    group_rows,
    groups,
    import_modules,
    import_places,
    organisation_ways,
    organisations,
    reward_rows,
)
from webapp.services.group_rows import GroupRow, MembershipRow
from webapp.services.groups import ArchiveGroup, RestoreGroup
from webapp.services.organisations import ArchiveOrganisation, OrganisationRow, RestoreOrganisation
from webapp.services.table_kinds import (
    Faults,
    Found,
    TableKind,
    archived,
    before,
    kept,
    look_for_person,
    nothing,
    people_of,
    refusal,
    run_sql,
)
from webapp.services.work import Work


def _organisation_references(session: Session, drafts: Sequence[TableDraft]) -> Faults:
    """A parent must be there or in the file; a type and a zone must be there."""
    types = read_types.ids(session)
    own = {draft.values["external_id"] for draft in drafts}
    wanted = {str(draft.values["parent"]) for draft in drafts if draft.values["parent"]} - own
    parents = set(read_organisations.ids(session, sorted(wanted))) | own
    zones = {draft.values["timezone"] for draft in drafts if draft.values["timezone"]}
    wrong = {zone: told for zone in zones if (told := refusal(checked_zone, zone))}
    found = Found()
    for draft in drafts:
        parent, kind, zone = draft.values["parent"], draft.values["type"], draft.values["timezone"]
        if parent and parent not in parents:
            found.add(draft, "parent", f"There is no organisation «{shown(parent)}», neither here nor in this file.")
        if kind and kind not in types:
            names = ", ".join(sorted(types)) or "none yet"
            found.add(draft, "type", f"There is no organisation type «{shown(kind)}»; the types are: {names}.")
        if zone in wrong:
            found.add(draft, "timezone", wrong[zone])
    _look_below(found, drafts, set(read_organisations.ids(session, sorted(own))))
    _look_above(found, drafts, read_organisations.ids(session, sorted(_parents(drafts))))
    return found.faults


def _look_below(found: Found, drafts: Sequence[TableDraft], there: Collection[str]) -> None:
    """What comes in archived has nothing in use below it."""
    in_use = {draft.values["parent"]: draft for draft in drafts if not draft.values["archived_at"]}
    for draft in drafts:
        below = in_use.get(draft.values["external_id"])
        if draft.values["archived_at"] and below and draft.values["external_id"] not in there:
            words = f"«{shown(below.values['title'])}» on line {below.line:,} stands below it and is in use; archive that too."
            found.add(draft, "archived_at", words)


def _parents(drafts: Sequence[TableDraft]) -> set[str]:
    return {str(draft.values["parent"]) for draft in drafts if draft.values["parent"]}


def _look_above(found: Found, drafts: Sequence[TableDraft], there: Collection[str]) -> None:
    """A parent that only the file has must be a good row of it, and the way up must end."""
    rows = {draft.values["external_id"]: draft for draft in reversed(drafts)}
    for draft in drafts:
        if told := _no_way_up(draft, rows):
            found.add(draft, "parent", told)
    waiting = [draft for draft in drafts if draft.values["parent"] in rows and draft.values["parent"] not in there]
    is_settled = False
    while not is_settled:
        spoilt = [
            draft
            for draft in waiting
            if draft.line not in found.faults and rows[draft.values["parent"]].line in found.faults
        ]
        for draft in spoilt:
            line = rows[draft.values["parent"]].line
            found.add(draft, "parent", f"Its parent is on line {line:,} of this file, which is bad.")
        is_settled = not spoilt


def _no_way_up(draft: TableDraft, rows: Mapping[str, TableDraft]) -> str:
    above, steps = rows.get(draft.values["parent"]), 1
    while above is not None and steps < organisation_rules.DEEPEST and above is not draft:
        above, steps = rows.get(above.values["parent"]), steps + 1
    if above is draft:
        return "The rows of this file put it below itself, in a ring; one of them needs another parent."
    return f"It would stand more than {organisation_rules.DEEPEST} levels deep." if above else ""


def _put_organisations(work: Work, drafts: Sequence[TableDraft], run_id: int) -> tuple[int, int]:
    rows = [{name: value for name, value in draft.values.items() if name != "archived_at"} for draft in drafts]
    return organisations.put(work, [OrganisationRow(**row) for row in rows], run_id)


def _in_the_way(session: Session, going: Mapping[int, Standing], drafts: Sequence[TableDraft]) -> dict[int, str]:
    """Why organisations stay in use: others below them do, or staff hold roles on them, as on the screen."""
    rows = {draft.key[0]: draft for draft in drafts}
    lines = {one.values["external_id"]: line for line, one in going.items()}
    numbers = {one.id: one.values["external_id"] for one in going.values()}
    below, grants = read_organisations.hindrances_of(session, list(numbers))
    above = {name: numbers[parent_id] for name, parent_id in below}
    for name, draft in rows.items():
        if draft.values["parent"]:
            above[name] = draft.values["parent"]
    told: dict[int, str] = {}
    is_settled = False
    while not is_settled:
        is_out = {name for name, row in rows.items() if row.values["archived_at"] and row.line not in told}
        in_use = Counter(parent for name, parent in above.items() if name not in is_out)
        words = {
            line: refusal(_may_archive, going[line], in_use[name], grants[going[line].id])
            for name, line in lines.items()
        }
        fresh = {line: why for line, why in words.items() if why and line not in told}
        told |= fresh
        is_settled = not fresh
    return told


def _may_archive(one: Standing, child_count: int, grant_count: int) -> None:
    organisation_rules.may_archive(
        one.title, is_archived=False, child_count=child_count, grant_count=grant_count
    ).require()


def _take_back_organisation(work: Work, change: ImportChange) -> str:
    """A new one goes unless somebody uses it; a changed one becomes what it was unless somebody changed it since."""
    found = work.session.get(Organisation, change.subject_id, populate_existing=True)
    if found is None:
        return ""
    called = f"«{found.title}» ({found.external_id})"
    parent = work.session.get(Organisation, found.parent_id) if found.parent_id else None
    now = kept({name: getattr(found, name) for name in change.after if name != "parent"})
    now |= {"parent": parent.external_id if parent else ""} if "parent" in change.after else {}
    if any(now[name] != value for name, value in change.after.items() if name in now):
        return f"{called} was changed since."
    if change.before:
        values = {name: value for name, value in before(change).items() if name != "parent"}
        run_sql(work, update(Organisation).where(Organisation.id == found.id).values(**values, updated_at=work.now))
        if "parent" in change.before:
            work.session.refresh(found)
            organisations.put(work, [OrganisationRow(found.external_id, found.title, parent=change.before["parent"])])
        return ""
    uses = read_organisations.uses(work.session, found.id)
    if uses:
        return f"{called} is used: {uses}."
    run_sql(work, delete(Organisation).where(Organisation.id == found.id))
    work.session.expunge(found)
    return ""


def _group_references(_session: Session, drafts: Sequence[TableDraft]) -> Faults:
    """A name must be one."""
    found = Found()
    for draft in drafts:
        told = refusal(group_rules.checked_name, draft.values["name"], draft.values["title"])
        if told:
            found.add(draft, "name", told)
    return found.faults


def _put_groups(work: Work, drafts: Sequence[TableDraft], run_id: int) -> tuple[int, int]:
    return group_rows.put(work, [GroupRow(**_group_values(draft.values)) for draft in drafts], run_id)


def _group_values(values: Mapping[str, Any]) -> dict[str, Any]:
    kind, registration = values["kind"], values["registration"]
    return {
        **{name: value for name, value in values.items() if name != "archived_at"},
        "kind": GroupKind(kind) if kind else None,
        "registration": Registration(registration) if registration else None,
    }


def _take_back_group(work: Work, change: ImportChange) -> str:
    found = work.session.get(Group, change.subject_id, populate_existing=True)
    if found is None:
        return ""
    if kept({name: getattr(found, name) for name in change.after}) != change.after:
        return f"«{found.title}» ({found.name}) was changed since."
    if change.before:
        run_sql(work, update(Group).where(Group.id == found.id).values(**before(change), version=Group.version + 1))
        return ""
    if uses := read_groups.uses(work.session, found.id):
        return f"«{found.title}» ({found.name}) is used: {uses}."
    run_sql(work, delete(Group).where(Group.id == found.id))
    work.session.expunge(found)
    return ""


def _membership_references(session: Session, drafts: Sequence[TableDraft]) -> Faults:
    """The person, the group and the organisation must be there, and the two not archived when the person joined."""
    values = [draft.values for draft in drafts]
    people = people_of(session, drafts)
    groups = read_groups.known(session, sorted({str(one["group"]) for one in values}))
    within = {str(one["organisation"]) for one in values if one["organisation"]}
    organisations_there = read_organisations.known(session, sorted(within))
    found = Found()
    for draft in drafts:
        look_for_person(found, draft, people)
        at = draft.values["joined_at"]
        archived(found, draft, "group", groups.get(draft.values["group"]), "group", at=at)
        if draft.values["organisation"]:
            there = organisations_there.get(draft.values["organisation"])
            archived(found, draft, "organisation", there, "organisation", at=at)
    return found.faults


def _join(work: Work, drafts: Sequence[TableDraft], run_id: int) -> tuple[int, int]:
    return group_rows.join(work, _membership_rows(drafts), run_id)


def _foresee_members(session: Session, drafts: Sequence[TableDraft]) -> tuple[set[str], set[str]]:
    """A membership has nothing to change."""
    return {repr(key) for key in group_rows.foresee(session, _membership_rows(drafts))}, set()


def _membership_rows(drafts: Sequence[TableDraft]) -> list[MembershipRow]:
    return [
        MembershipRow(
            draft.values["group"],
            draft.values["external_id"] or "",
            draft.values["email"] or "",
            draft.values["organisation"] or "",
            draft.values["joined_at"],
        )
        for draft in drafts
    ]


KINDS: dict[ImportKind, TableKind] = {
    ImportKind.FACTS: fact_rows.KIND,
    **import_modules.KINDS,
    **import_places.KINDS,
    ImportKind.ORGANISATIONS: TableKind(
        _organisation_references,
        read_standing.organisations,
        _put_organisations,
        _take_back_organisation,
        lambda work, own_id: organisations.restore(work, RestoreOrganisation(own_id)),
        lambda work, own_id, at: organisations.archive(work, ArchiveOrganisation(own_id, at)),
        _in_the_way,
        holds=organisation_ways.look,
        most=20_000,
        is_whole=True,
    ),
    ImportKind.GROUPS: TableKind(
        _group_references,
        read_standing.groups,
        _put_groups,
        _take_back_group,
        lambda work, own_id: groups.restore(work, RestoreGroup(own_id)),
        lambda work, own_id, at: groups.archive(work, ArchiveGroup(own_id, at)),
    ),
    ImportKind.DEFINITIONS: TableKind(
        definition_rows.references,
        read_standing.definitions,
        definition_rows.put,
        definition_rows.take_back,
        holds=definition_rows.holds,
        most=1_000,
    ),
    ImportKind.REWARDS: TableKind(
        reward_rows.references,
        read_standing.rewards,
        reward_rows.put,
        reward_rows.take_back,
        holds=reward_rows.holds,
        meant=reward_rows.meant,
        most=1_000,
    ),
    ImportKind.MEMBERSHIPS: TableKind(
        _membership_references,
        read_standing.nothing,
        _join,
        nothing,
        foresees=_foresee_members,
        take_all_back=group_rows.take_back,
    ),
}
