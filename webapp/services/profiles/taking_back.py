"""Takes people back that an import brought and that nobody has used since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, select, update

from webapp.models import ImportChange, Profile, ProfileIdentity
from webapp.queries import known_people as read
from webapp.queries.matching import among, among_ids
from webapp.services.profiles import at_sites, indexing, moving, taking_in
from webapp.services.work import Work

_QUIETLY = {"synchronize_session": False}
_MOMENTS = ("joined_at",)


class TakenBack(NamedTuple):
    """How many people went, whose rows that were merged into others are not; a sentence for each who stays; rows seen."""

    gone: int
    left: list[str]
    seen: int


def take_back(work: Work, run_id: int, until: datetime, size: int) -> TakenBack:
    """Look at up to ``size`` people whom the import ``run_id`` brought.

    Who entered, won, holds or belongs to something stays, and who was changed after ``until``. Sentences name nobody.
    """
    wanted = select(Profile.id, Profile.merged_into_id).where(Profile.import_run_id == run_id)
    found = {row[0]: row[1] for row in work.session.execute(wanted.order_by(Profile.id.desc()).limit(size))}
    ids = list(found)
    # Rows that turned out to be somebody else's go first: they point at whom they were merged into.
    behind = select(Profile.id, Profile.import_run_id).where(among_ids(work.session, Profile.merged_into_id, ids))
    shadows = {row[0] for row in work.session.execute(behind) if row[1] == run_id}
    shadows |= {number for number, merged_into_id in found.items() if merged_into_id is not None}
    people = [number for number in ids if number not in shadows]
    gone = _remove(work, sorted(shadows), until), _remove(work, people, until)
    stay = [number for number in ids if number not in gone[0] | gone[1]]
    work.session.execute(
        update(Profile).where(among_ids(work.session, Profile.id, stay)).values(import_run_id=None),
        execution_options=_QUIETLY,
    )
    left = [f"Person {number} has been used or changed since." for number in stay]
    return TakenBack(len(gone[1]), left, len(ids))


def _remove(work: Work, ids: Sequence[int], until: datetime) -> set[int]:
    """Delete those of these people whom nobody has used or changed since; gives who they were."""
    free = work.session.execute(
        select(Profile.id, Profile.first_name, Profile.last_name).where(
            among_ids(work.session, Profile.id, ids),
            ~moving.is_used(until),
            Profile.updated_at <= until,
            Profile.erased_at.is_(None),
        )
    ).all()
    gone = {row.id for row in free}
    indexing.drop(work, gone)
    identities = delete(ProfileIdentity).where(among_ids(work.session, ProfileIdentity.profile_id, sorted(gone)))
    work.session.execute(identities, execution_options=_QUIETLY)
    work.session.execute(
        delete(Profile).where(among_ids(work.session, Profile.id, sorted(gone))), execution_options=_QUIETLY
    )
    indexing.forget(work, {name for row in free for name in (row.first_name, row.last_name) if name})
    return gone


def restore(work: Work, changes: Sequence[ImportChange]) -> tuple[int, list[str]]:
    """Make people what they were before an import changed them; how many, and a sentence for each who stays as they are.

    Who was changed since in what the import wrote, was merged or erased stays; so does whose old address is taken.
    """
    ids = sorted({change.subject_id for change in changes})
    work.session.execute(select(Profile.id).where(among_ids(work.session, Profile.id, ids)).with_for_update())
    people = read.by_number(work.session, ids)
    owners = _owners(work, {key for change in changes if (key := change.before.get("email_key"))})
    back, left = [], []
    for change in changes:
        person = people.get(change.subject_id)
        why = _hindrance(change, person, owners)
        if why:
            left.append(f"Person {change.subject_id} {why}.")
        elif person is not None:
            back.append((person, change))
    taking_in.write(work, [(person, _values(change.before)) for person, change in back if change.before])
    _forget_identities(work, [change for _, change in back])
    at_sites.follow(work.session, [person["id"] for person, _ in back])
    return len(back), left


def _hindrance(change: ImportChange, person: Mapping[str, Any] | None, owners: Mapping[str, int]) -> str:
    if person is None or person["merged_into_id"] is not None or person["erased_at"] is not None:
        return "was merged or erased since"
    now = taking_in.plain({name: person[name] for name in change.after if name != "identities"})
    if any(now[name] != value for name, value in change.after.items() if name != "identities"):
        return "was changed since"
    owner = owners.get(change.before.get("email_key") or "")
    return "" if owner in (None, person["id"]) else f"had an e-mail that is now that of person {owner}"


def _values(before: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name in _MOMENTS and value else value for name, value in before.items()
    }


def _owners(work: Work, keys: set[str]) -> dict[str, int]:
    if not keys:
        return {}
    wanted = select(Profile.email_key, Profile.id).where(among(work.session, Profile.email_key, sorted(keys)))
    return {row[0]: row[1] for row in work.session.execute(wanted) if row[0]}


def _forget_identities(work: Work, changes: Sequence[ImportChange]) -> None:
    for change in changes:
        for system, identifier in change.after.get("identities", ()):
            gone = delete(ProfileIdentity).where(
                ProfileIdentity.profile_id == change.subject_id,
                ProfileIdentity.system == system,
                ProfileIdentity.identifier == identifier,
            )
            work.session.execute(gone, execution_options=_QUIETLY)
