"""Takes codes that others made: a file is judged and its good rows kept, then they are added in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, delete, select
from sqlalchemy.exc import IntegrityError

from webapp.domain import voucher_codes as codes
from webapp.domain import voucher_uploads as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.domain.voucher_uploads import CodeRules, GivenCode, Problem
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Site, StoredChunk, StoredFile, Voucher, VoucherBatch, VoucherType
from webapp.queries import files as read_files
from webapp.queries import voucher_types as read_types
from webapp.queries import voucher_uploads as read
from webapp.queries import vouchers as read_vouchers
from webapp.services import bulk, files
from webapp.services.vouchers import counters
from webapp.services.vouchers.drawing import Mint
from webapp.services.vouchers.generation import SHOWN
from webapp.services.work import Work

OFFERED_FOR = timedelta(days=7)
_VOUCHERS = cast(Table, Voucher.__table__)


@dataclass(frozen=True, slots=True)
class UploadCodes:
    """A table that was read without a fault: ``rows`` are (physical line, values)."""

    voucher_type_id: int
    name: str
    headings: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class AddCodes:
    """Add the good rows of an upload."""

    voucher_type_id: int
    batch_id: int


@dataclass(frozen=True, slots=True)
class CheckedCodes:
    """The rows of a file: good ones, bad ones, and those whose code is known or stood in the file before."""

    given: list[GivenCode]
    bad: list[Problem]
    twice: list[Problem]


def check_codes(work: Work, command: UploadCodes, mint: Mint) -> CheckedCodes:
    """Judge a file of codes and write nothing; ``Refused`` when it has no column of codes or more than 10,000 rows."""
    rules.require_size(len(command.rows))
    kind = read_types.get(work.session, command.voucher_type_id)
    given, bad, twice = _judged(work, kind, command)
    given, strangers = _strangers_out(work, given)
    given, known = _known_out(work, kind, given, mint)
    return CheckedCodes(given, sorted(bad + strangers), sorted(twice + known))


def upload(work: Work, command: UploadCodes, mint: Mint) -> VoucherBatch:
    """Judge a file of codes and keep the good ones for ``add_uploaded``; no code is added yet.

    ``Refused`` when it has no column of codes or more than 10,000 rows. Source: benefits.md 13.7 «upload».
    """
    found = check_codes(work, command, mint)
    given, problems = found.given, sorted(found.bad + found.twice)
    columns = rules.columns_of(command.headings)
    seen = {
        "name": command.name,
        "good": len(given),
        "bad": len(found.bad),
        "twice": len(found.twice),
        "problems": [list(row) for row in problems[: rules.MOST_SHOWN]],
        "unread": [heading for place, heading in enumerate(command.headings) if place not in columns.values()],
    }
    file = files.store(work, command.name, "application/json", [_packed(given)]) if given else None
    batch = VoucherBatch(
        voucher_type_id=command.voucher_type_id,
        wanted=0,
        created_at=work.now,
        created_by_id=work.actor.staff_id,
        file_id=file.id if file else None,
        upload=seen,
    )
    work.session.add(batch)
    work.session.flush()
    return batch


def add_uploaded(work: Work, command: AddCodes, mint: Mint) -> VoucherBatch:
    """Add the good codes of an upload, all in one transaction, and tell the audit log once.

    Asked again it changes nothing. What became known, ended or lost its person since the check is left out; ``Refused``
    when nothing remains.
    """
    kind = read_types.get(work.session, command.voucher_type_id, lock=True)
    batch = read.upload(work.session, command.batch_id)
    if batch is None or batch.voucher_type_id != kind.id:
        raise NotFound("voucher.batch_unknown", "There is no such upload of codes.")
    if batch.made:
        return batch
    given = _unpacked(b"".join(read_files.read(work.session, batch.file_id))) if batch.file_id else []
    given = [code for code in given if code.valid_until is None or code.valid_until > work.now]
    given, _ = _strangers_out(work, given)
    given, _ = _known_out(work, kind, given, mint)
    if not given:
        raise Refused("upload.nothing", "None of its codes can be added any more. Upload the file again to see why.")
    _insert(work, batch, given, mint)
    counters.add(work, kind.id, len(given))
    batch.made = batch.wanted = len(given)
    batch.sha256 = read_vouchers.digest(sorted(code.code for code in given))
    _drop_file(work, batch)
    work.record(
        Event.VOUCHERS_UPLOADED, kind, kind.site_id, count=batch.made, title=kind.title, sha256=batch.sha256[:SHOWN]
    )
    return batch


def forget(work: Work) -> int:
    """Drop the codes of uploads nobody added in ``OFFERED_FOR``: codes should not lie about in files. Gives how many."""
    row = VoucherBatch
    old = select(row).where(row.upload.is_not(None), row.file_id.is_not(None), row.created_at < work.now - OFFERED_FOR)
    found = work.session.scalars(old.with_for_update().execution_options(populate_existing=True)).all()
    for batch in found:
        batch.upload = {**(batch.upload or {}), "lapsed": True}
        _drop_file(work, batch)
    return len(found)


def _judged(
    work: Work, kind: VoucherType, command: UploadCodes
) -> tuple[list[GivenCode], list[Problem], list[Problem]]:
    """Good rows, bad ones, and those whose code stood in the file before."""
    zone = work.session.get_one(Site, kind.site_id).timezone
    judge = CodeRules(command.headings, zone, kind.currency, work.now)
    place = rules.columns_of(command.headings)["code"]
    good: list[GivenCode] = []
    bad: list[Problem] = []
    twice: list[Problem] = []
    for line, values in command.rows:
        try:
            good.append(judge.judge(line, values))
        except Refused as refusal:
            code = values[place] if place < len(values) else ""
            (twice if refusal.code == "upload.twice" else bad).append(rules.problem(line, code, refusal.message))
    return good, bad, twice


def _strangers_out(work: Work, given: list[GivenCode]) -> tuple[list[GivenCode], list[Problem]]:
    """The rows whose member ids are somebody's, and those whose are not."""
    there = _people(work, given)
    is_good = [not code.member_id or code.member_id in there for code in given]
    problems = [
        rules.problem(code.line, code.code, f"Nobody has the member id «{code.member_id}».")
        for code, good in zip(given, is_good, strict=True)
        if not good
    ]
    return [code for code, good in zip(given, is_good, strict=True) if good], problems


def _people(work: Work, given: Iterable[GivenCode]) -> dict[str, int]:
    wanted = {code.member_id for code in given if code.member_id}
    return read.members(work.session, wanted) if wanted else {}


def _known_out(
    work: Work, kind: VoucherType, given: list[GivenCode], mint: Mint
) -> tuple[list[GivenCode], list[Problem]]:
    """The rows whose codes are new, and those that are a code of this or another type already.

    A code is looked up at the till without its type, so no two types may have the same.
    """
    hashes = _hashes(given, mint)
    known = read.known(work.session, hashes) if hashes else {}
    good: list[GivenCode] = []
    problems: list[Problem] = []
    for code, digest in zip(given, hashes, strict=True):
        if digest not in known:
            good.append(code)
            continue
        whose = "This type" if known[digest] == kind.id else "Another voucher type"
        problems.append(rules.problem(code.line, code.code, f"{whose} has this code already."))
    return good, problems


def _hashes(given: Iterable[GivenCode], mint: Mint) -> list[str]:
    return codes.code_hashes(mint.key, [codes.normalise(code.code) for code in given])


def _insert(work: Work, batch: VoucherBatch, given: list[GivenCode], mint: Mint) -> None:
    people = _people(work, given)
    columns: dict[str, Sequence[Any]] = {
        "code": [code.code for code in given],
        "code_hash": _hashes(given, mint),
        "last_four": [rules.last_four(code.code) for code in given],
        "valid_from": [code.valid_from for code in given],
        "expires_at": [code.valid_until for code in given],
        "reserved_for_id": [people.get(code.member_id) for code in given],
        "value_minor": [code.value_minor for code in given],
    }
    same = {
        "voucher_type_id": batch.voucher_type_id,
        "batch_id": batch.id,
        "status": VoucherStatus.IDLE,
        "printed_count": 0,
    }
    try:
        bulk.insert_columns(work.session, _VOUCHERS, columns, same)
    except IntegrityError as error:
        raise Conflict(
            "upload.overtaken", "Another type got one of these codes a moment ago. Nothing was added; do this again."
        ) from error


def _drop_file(work: Work, batch: VoucherBatch) -> None:
    """The codes are in the table now; they need not lie about in a file too."""
    file_id, batch.file_id = batch.file_id, None
    work.session.flush()
    work.session.execute(delete(StoredChunk).where(StoredChunk.file_id == file_id))
    work.session.execute(delete(StoredFile).where(StoredFile.id == file_id))


def _packed(given: Iterable[GivenCode]) -> bytes:
    rows = [
        (code.line, code.code, _told(code.valid_from), _told(code.valid_until), code.member_id, code.value_minor)
        for code in given
    ]
    return json.dumps(rows).encode()


def _unpacked(data: bytes) -> list[GivenCode]:
    found = [GivenCode(*row) for row in json.loads(data)]
    return [replace(code, valid_from=_read(code.valid_from), valid_until=_read(code.valid_until)) for code in found]


def _told(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _read(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
