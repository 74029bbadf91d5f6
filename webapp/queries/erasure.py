"""What there is of a person to erase, and where else their names stand."""

from __future__ import annotations

import codecs
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import IO

from sqlalchemy import ColumnElement, String, and_, cast, false, func, literal, or_, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.domain.fulfilment import Stage
from webapp.domain.imports import ImportStatus
from webapp.domain.notices import NoticeStatus
from webapp.domain.vouchers import VoucherStatus
from webapp.models import (
    Benefit,
    Completion,
    Draw,
    Entry,
    ImportProblem,
    ImportRun,
    Job,
    Membership,
    Notice,
    OutboxMessage,
    Profile,
    ProfileIdentity,
    Reward,
    StoredChunk,
    StoredFile,
    Voucher,
    Winner,
)
from webapp.queries import benefit_cards, files

ENDED = (ImportStatus.DONE, ImportStatus.REFUSED, ImportStatus.CANCELLED, ImportStatus.DISCARDED)
_OPEN = (Stage.TO_CONTACT, Stage.NOTIFIED, Stage.ACCEPTED)
_OUT = (VoucherStatus.ALLOCATED, VoucherStatus.PENDING)
_UNSENT = (NoticeStatus.PLANNED, NoticeStatus.SENDING)
_SHORTEST = 4  # signs of a text that is looked for elsewhere: shorter ones stand everywhere
_OVERLAP = 300
_IN_MEMORY = 4 * 1024 * 1024  # of a file that is looked through; a larger one goes to the disk meanwhile


@dataclass(frozen=True, slots=True)
class Subject:
    """A person with every row that is theirs, and the texts by which others could know them."""

    profile: Profile
    ids: tuple[int, ...]
    texts: tuple[str, ...]
    addresses: tuple[str, ...]
    names: tuple[str, ...]


def subject(session: Session, profile_id: int) -> Subject:
    """The person and the rows merged into them; the words they are known by: addresses, ids, phones, identities."""
    rows = session.scalars(
        select(Profile).where(or_(Profile.id == profile_id, Profile.merged_into_id == profile_id)).order_by(Profile.id)
    ).all()
    ids = tuple(row.id for row in rows)
    others = session.scalars(select(ProfileIdentity.identifier).where(ProfileIdentity.profile_id.in_(ids))).all()
    addresses = {text for row in rows for text in (row.email, row.email_key) if text}
    known = {text for row in rows for text in (row.external_id, row.phone, row.home_phone) if text} | set(others)
    names = {name for row in rows for name in (row.first_name, row.last_name) if name}
    full = {row.full_name for row in rows if row.first_name and row.last_name}
    texts = {text for text in addresses | known | full if len(text) >= _SHORTEST}
    profile = next(row for row in rows if row.id == profile_id)
    return Subject(profile, ids, tuple(sorted(texts)), tuple(sorted(addresses)), tuple(sorted(names)))


def counts(session: Session, who: Subject, now: datetime) -> dict[str, int]:
    """How much there is of each thing that goes or stays; ``usable`` is what a code still redeems at ``now``."""
    held, codes = Benefit.profile_id.in_(who.ids), Voucher.profile_id.in_(who.ids)
    is_lasting = or_(Benefit.expires_at.is_(None), Benefit.expires_at >= now)
    left = or_(Benefit.max_redemptions.is_(None), Benefit.redeemed_count < Benefit.max_redemptions)
    usable = and_(held, Benefit.voided_at.is_(None), is_lasting, left)
    valid = or_(Voucher.expires_at.is_(None), Voucher.expires_at >= now)
    notices = Notice.profile_id.in_(who.ids)
    sealed = select(Draw.reward_id).where(Draw.sealed_at.is_not(None))
    parts = {
        "entries": select(func.count()).select_from(Entry).where(Entry.profile_id.in_(who.ids)),
        "sealed": select(func.count())
        .select_from(Entry)
        .where(Entry.profile_id.in_(who.ids), Entry.reward_id.in_(sealed)),
        "winners": select(func.count()).select_from(Winner).where(Winner.profile_id.in_(who.ids)),
        "identities": select(func.count()).select_from(ProfileIdentity).where(ProfileIdentity.profile_id.in_(who.ids)),
        "memberships": select(func.count()).select_from(Membership).where(Membership.profile_id.in_(who.ids)),
        "messages": select(func.count()).select_from(OutboxMessage).where(mentioned_in_messages(who)),
        "problems": select(func.count()).select_from(ImportProblem).where(mentioned_in_problems(who)),
        "completions": select(func.count()).select_from(Completion).where(Completion.profile_id.in_(who.ids)),
        "benefits": select(func.count()).select_from(Benefit).where(held),
        "usable": select(func.count()).select_from(Benefit).where(usable),
        "partly": select(func.count()).select_from(Benefit).where(usable, Benefit.redeemed_count > 0),
        "vouchers": select(func.count()).select_from(Voucher).where(codes),
        "valid": select(func.count()).select_from(Voucher).where(codes, Voucher.status.in_(_OUT), valid),
        "reserved": select(func.count()).select_from(Voucher).where(Voucher.reserved_for_id.in_(who.ids)),
        "notices": select(func.count()).select_from(Notice).where(notices),
        "planned": select(func.count()).select_from(Notice).where(notices, Notice.status.in_(_UNSENT)),
    }
    rows = union_all(*(select(literal(name), part.scalar_subquery()) for name, part in parts.items()))
    return {row[0]: row[1] for row in session.execute(rows)}


def open_prizes(session: Session, who: Subject) -> list[str]:
    """Rewards whose prize still waits for this person."""
    wanted = (
        select(Reward.title)
        .join(Winner, Winner.reward_id == Reward.id)
        .where(Winner.profile_id.in_(who.ids), Winner.slot.is_not(None), Winner.stage.in_(_OPEN))
    )
    return list(session.scalars(wanted.order_by(Reward.id).limit(5)))


def _contains(column: InstrumentedAttribute[str], texts: Iterable[str]) -> ColumnElement[bool]:
    return or_(false(), *(func.lower(column).contains(text.lower(), autoescape=True) for text in texts))


def mentioned_in_messages(who: Subject) -> ColumnElement[bool]:
    """Messages to one of the person's addresses, that hold one of their words, or tell a webhook of them."""
    words = [_contains(column, who.texts) for column in (OutboxMessage.subject, OutboxMessage.body)]
    key = literal("notice:") + cast(Notice.id, String) + ":%"
    told_of = select(Notice.id).where(Notice.profile_id.in_(who.ids), OutboxMessage.dedupe_key.like(key)).exists()
    return or_(OutboxMessage.recipient.in_(who.addresses), OutboxMessage.webhook_id.is_not(None) & told_of, *words)


def mentioned_in_problems(who: Subject) -> ColumnElement[bool]:
    """Problems of imports whose value or reason holds one of the person's words."""
    return or_(
        _contains(ImportProblem.value, who.texts),
        _contains(ImportProblem.reason, who.texts),
        ImportProblem.value.in_(who.names),
    )


def files_with(session: Session, who: Subject) -> Iterator[tuple[ImportRun, int]]:
    """Uploads and rejects files in which the person stands, with the import each belongs to."""
    if not who.texts:
        return
    pattern = _pattern(who)
    runs = session.scalars(select(ImportRun).order_by(ImportRun.id)).all()
    for run in runs:
        for file_id in (run.file_id, run.rejects_file_id):
            if file_id is not None and _holds(session, file_id, run.encoding, pattern):
                yield run, file_id


def _pattern(who: Subject) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in who.texts), re.IGNORECASE)


def busy_imports(session: Session, who: Subject) -> list[ImportRun]:
    """Imports under way in whose upload or rejects the person stands, so that nobody may be erased yet.

    One statement for all of them, read piece by piece.
    """
    if not who.texts:
        return []
    wanted = (
        select(ImportRun, StoredFile.name, StoredFile.id, StoredChunk.data)
        .join(StoredFile, or_(StoredFile.id == ImportRun.file_id, StoredFile.id == ImportRun.rejects_file_id))
        .join(StoredChunk, StoredChunk.file_id == StoredFile.id)
        .where(ImportRun.status.not_in(ENDED))
        .order_by(ImportRun.id, StoredFile.id, StoredChunk.number)
        .execution_options(yield_per=8)
    )
    pattern, found = _pattern(who), {}
    for (run, name, _), rows in groupby(session.execute(wanted), key=lambda row: row[:3]):
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as content:
            for row in rows:
                content.write(zlib.decompress(row[3]))
            if run.id not in found and _stands_in(content, name, run.encoding, pattern):
                found[run.id] = run
    return list(found.values())


def sheets_with(session: Session, who: Subject) -> list[int]:
    """Printed sheets, kept as results of jobs, that have a card with the person's name on it."""
    theirs = set(session.scalars(select(Voucher.id).where(Voucher.profile_id.in_(who.ids))))
    rewards = select(Winner.reward_id).where(Winner.profile_id.in_(who.ids)).distinct()
    subjects = [f"rewards:{number}" for number in session.scalars(rewards)]
    found = _sheets(session, Job.subject.in_(subjects), "vouchers.print", "voucher_ids", theirs)
    held = benefit_cards.held_by(session, who.ids)
    return found + _sheets(session, true(), "benefits.print", "benefit_ids", held)


def _sheets(session: Session, which: ColumnElement[bool], kind: str, name: str, theirs: set[int]) -> list[int]:
    if not theirs:
        return []
    jobs = session.scalars(select(Job).where(Job.kind == kind, which))
    found = [job.cursor.get("file") for job in jobs if theirs & set(job.arguments.get(name, ()))]
    return [int(number) for number in found if number]


def _holds(session: Session, file_id: int, encoding: str, pattern: re.Pattern[str]) -> bool:
    file = files.get(session, file_id)
    return bool(file.size) and _stands_in(files.open_binary(session, file_id), file.name, encoding, pattern)


def _stands_in(content: IO[bytes], name: str, encoding: str, pattern: re.Pattern[str]) -> bool:
    """Whether the pattern is found in a file.

    A spreadsheet is an archive of XML; its texts stand in it as they are but for five signs.
    """
    if not name.endswith(".xlsx") and encoding != "xlsx":
        content.seek(0)
        return _is_told(content, encoding, pattern)
    try:
        with zipfile.ZipFile(content) as book:
            for part in book.namelist():
                with book.open(part) as reader:
                    if _is_told(reader, "utf-8", pattern):
                        return True
    except zipfile.BadZipFile:  # a rejects file of such an upload is plain text
        content.seek(0)
        return _is_told(content, "utf-8", pattern)
    return False


def _is_told(content: IO[bytes], encoding: str, pattern: re.Pattern[str]) -> bool:
    decoder, kept = codecs.getincrementaldecoder(encoding)("replace"), ""
    while data := content.read(files.PIECE):
        piece = decoder.decode(data)
        if pattern.search(kept + piece):
            return True
        kept = piece[-_OVERLAP:]
    return False


def find(session: Session, text: str) -> int | None:
    """The person with exactly this member id, e-mail or number; who was merged is found as who they are."""
    from_number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    ways = or_(Profile.external_id == text, Profile.email_key == text.strip().casefold(), Profile.id == from_number)
    statement = (
        select(func.coalesce(Profile.merged_into_id, Profile.id))
        .where(ways, Profile.erased_at.is_(None))
        .order_by(Profile.external_id == text)
        .limit(1)
    )
    return session.scalar(statement)
