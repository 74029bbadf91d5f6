"""Erase a person: what says who they were goes everywhere, what draws were sealed on stays (reliability.md section 8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, cast, delete, func, or_, select, update

from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.domain.imports import without_sample
from webapp.domain.notices import NoticeStatus, Skip
from webapp.domain.outbox import OutboxStatus
from webapp.domain.people import Gender
from webapp.domain.plurals import counted
from webapp.models import (
    ExportRun,
    Group,
    ImportChange,
    ImportProblem,
    ImportRun,
    Membership,
    Notice,
    Organisation,
    OutboxMessage,
    Profile,
    ProfileIdentity,
    ProfileMerge,
    Voucher,
)
from webapp.queries import erasure as read
from webapp.queries.erasure import Subject
from webapp.services import files, saved_views
from webapp.services.profiles import at_sites, indexing
from webapp.services.work import Work, changed_rows

_NOTHING: dict[str, Any] = {
    "title": "", "first_name": "", "last_name": "", "email": "", "email_key": None, "phone": "", "home_phone": "",
    "zone": "", "tags": [], "attributes": {}, "search_text": "", "name_key": "", "phone_key": "", "gender": Gender.UNKNOWN,
    "birth_day": None, "birth_month": None, "birth_year": None, "joined_at": None, "joined_location_id": None,
    "preferred_location_id": None, "tier_id": None, "statuses": [], "consents": {},
}  # fmt: skip
_CLEARED = {
    "identities": ("identity", "identities"),
    "memberships": ("membership", "memberships"),
    "messages": ("message", "messages"),
    "problems": ("import problem", "import problems"),
    "files": ("file", "files"),
}
_WAITING = (OutboxStatus.QUEUED, OutboxStatus.RETRY, OutboxStatus.CLAIMED)


@dataclass(frozen=True, slots=True)
class EraseProfile:
    """Erase one person for good. ``confirmation`` is the person's number, typed; ``mark`` is fresh random text."""

    profile_id: int
    confirmation: str
    mark: str


def erase(work: Work, command: EraseProfile) -> Profile:
    """Take away everything that says who the person was; gives the row that is left.

    Entries, tickets and places in draws stay with it, so that every seal and proof still verifies: they only ever knew
    an opaque reference. Uploads and rejects files that name the person lose their content and keep name, hash and
    counts. Raises ``Refused`` while a prize waits for the person or an import under way still holds them, and without
    the typed number; ``Conflict`` when somebody was faster.
    """
    if command.confirmation.strip() != str(command.profile_id):
        raise Refused("erase.confirm", f"Type the number {command.profile_id} to confirm.", "confirmation")
    profile = work.session.get(Profile, command.profile_id, populate_existing=True)
    if profile is None:
        raise NotFound("profile.not_found", "There is no such person.")
    if profile.merged_into_id is not None or profile.erased_at is not None:
        raise Refused("erase.gone", "This row was merged or erased before; there is nothing left to erase.")
    who = read.subject(work.session, profile.id)
    found = list(read.files_with(work.session, who))
    _require_free(read.open_prizes(work.session, who), [run.id for run, _ in found if run.status not in read.ENDED])
    file_ids = {file_id for _, file_id in found} | set(read.sheets_with(work.session, who))
    cleared = _clear(work, who, sorted(file_ids), command.mark)
    told = counted(cleared, _CLEARED) or "the row alone"
    work.record(Event.PROFILE_ERASED, profile, person=str(profile.id), cleared=told)
    return profile


def _require_free(prizes: Sequence[str], run_ids: Iterable[int]) -> None:
    """``Refused`` with everything that stands in the way, so that nobody finds it out one by one."""
    runs = list(dict.fromkeys(run_ids))
    told = []
    if prizes:
        many = len(prizes) > 1
        told.append(
            f"{'Prizes' if many else 'A prize'} of «{'», «'.join(prizes)}» {'wait' if many else 'waits'} for this person. "
            f"Hand {'them' if many else 'it'} over, or pass {'them' if many else 'it'} on, before you erase them."
        )
    if runs:
        many = len(runs) > 1
        told.append(
            f"Import{'s' if many else ''} {', '.join(map(str, runs))} still {'hold' if many else 'holds'} this person. "
            f"Finish {'them' if many else 'it'}, or throw {'them' if many else 'it'} away, on "
            f"{'their pages' if many else 'its page'} before you erase them."
        )
    if told:
        raise Refused("erase.prize" if prizes else "erase.import", " ".join(told))


def _clear(work: Work, who: Subject, file_ids: Sequence[int], mark: str) -> dict[str, int]:
    session = work.session
    own = changed_rows(
        session,
        update(Profile)
        .where(Profile.id == who.profile.id, Profile.erased_at.is_(None), Profile.merged_into_id.is_(None))
        .values(
            **_NOTHING,
            external_id=f"erased-{mark}",
            erased_at=work.now,
            updated_at=work.now,
            version=Profile.version + 1,
        ),
    )
    if not own:
        raise Conflict("erase.changed", "Somebody merged or erased this person a moment ago. Open the page again.")
    session.execute(
        update(Profile)
        .where(Profile.merged_into_id == who.profile.id)
        .values(**_NOTHING, external_id=None, erased_at=work.now, updated_at=work.now, version=Profile.version + 1)
        .execution_options(synchronize_session=False)
    )
    counts = {
        "identities": changed_rows(session, delete(ProfileIdentity).where(ProfileIdentity.profile_id.in_(who.ids))),
        "memberships": _leave_groups(work, who),
        "messages": _messages(work, who),
        "problems": changed_rows(
            session,
            update(ImportProblem).where(read.mentioned_in_problems(who)).values(value="", reason="Erased on request."),
        ),
        "files": len(file_ids),
    }
    files.empty(work, file_ids)
    _traces(work, who)
    saved_views.forget(work, who.texts)
    indexing.drop(work, who.ids)
    indexing.forget(work, who.names)
    at_sites.renew(work.session, who.ids)
    session.refresh(who.profile)
    return counts


def _leave_groups(work: Work, who: Subject) -> int:
    left = work.session.execute(
        delete(Membership)
        .where(Membership.profile_id.in_(who.ids))
        .returning(Membership.group_id, Membership.organisation_id)
        .execution_options(synchronize_session=False)
    ).all()
    for group_id, organisation_id in left:
        _count_down(work, Group, group_id)
        if organisation_id is not None:
            _count_down(work, Organisation, organisation_id)
    return len(left)


def _count_down(work: Work, model: Any, row_id: int) -> None:
    statement = update(model).where(model.id == row_id).values(member_count=model.member_count - 1)
    work.session.execute(statement.execution_options(synchronize_session=False))


def _messages(work: Work, who: Subject) -> int:
    """What waits is not sent; of what left, only when and how it went stays."""
    mentioned = read.mentioned_in_messages(who)
    waiting = OutboxMessage.status.in_(_WAITING)
    work.session.execute(
        update(OutboxMessage)
        .where(mentioned, waiting)
        .values(status=OutboxStatus.SKIPPED, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    return changed_rows(
        work.session,
        update(OutboxMessage)
        .where(mentioned)
        .values(recipient="", subject="Erased", body="", error="The person was erased."),
    )


def _traces(work: Work, who: Subject) -> None:
    """What imports, merges and exports noted of the person."""
    of_people = select(ImportRun.id).where(ImportRun.kind == "profiles")
    merges = or_(ProfileMerge.winner_id.in_(who.ids), ProfileMerge.loser_id.in_(who.ids))
    words = [func.lower(cast(ExportRun.filters, String)).contains(text.lower(), autoescape=True) for text in who.texts]
    statements = [
        update(Voucher).where(Voucher.reserved_for_id.in_(who.ids)).values(reserved_for_id=None),
        delete(ImportChange).where(ImportChange.subject_id.in_(who.ids), ImportChange.run_id.in_(of_people)),
        update(ProfileMerge).where(merges).values(reason=""),
        update(Notice).where(Notice.profile_id.in_(who.ids)).values(subject="", body=""),
        update(Notice)
        .where(Notice.profile_id.in_(who.ids), Notice.status.in_((NoticeStatus.PLANNED, NoticeStatus.SENDING)))
        .values(status=NoticeStatus.SKIPPED, reason=str(Skip.ERASED)),
    ]
    if words:
        statements.append(update(ExportRun).where(or_(*words)).values(filters={}))
    for statement in statements:
        work.session.execute(statement.execution_options(synchronize_session=False))
    for run in work.session.scalars(select(ImportRun).where(ImportRun.status.in_(read.ENDED))):
        run.findings = without_sample(run.findings)
