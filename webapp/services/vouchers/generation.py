"""Makes codes in batches: up to 10,000 at once, more in chunks of a job that goes on after a kill."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, literal_column
from sqlalchemy.exc import IntegrityError

from webapp.domain import voucher_patterns as patterns
from webapp.domain.audit import Event
from webapp.domain.errors import Refused
from webapp.domain.voucher_codes import BATCH
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Job, Site, Voucher, VoucherBatch, VoucherType
from webapp.queries import voucher_types as read_types
from webapp.queries import vouchers as read
from webapp.services import jobs
from webapp.services.vouchers import counters, drawing
from webapp.services.vouchers.drawing import Mint, Row
from webapp.services.work import Work, name_of

KIND = "vouchers.generate"
CHUNK = BATCH  # codes of one transaction; an order up to this size needs no job
LARGEST_ORDER = 1_000_000
_GIVEN = ("code", "code_hash", "last_four")  # the columns of a Row, in the order of the table
SHOWN = 16  # hexadecimal digits of a batch's fingerprint that the audit log tells


def code_key(secret_key: str) -> bytes:
    """The 32 bytes that codes are hashed under: HKDF-SHA-256 of the installation's secret with a label of its own."""
    extracted = hmac.digest(bytes(32), secret_key.encode(), "sha256")
    return hmac.digest(extracted, b"largesse voucher codes\x01", "sha256")


@dataclass(frozen=True, slots=True)
class GenerateVouchers:
    voucher_type_id: int
    count: int


def generate(work: Work, command: GenerateVouchers, mint: Mint) -> VoucherBatch:
    """Make ``count`` idle codes and tell the audit log once; above 10,000 a job makes them.

    Raises ``Refused`` for a count that is not 1 to 1,000,000, and for a pattern of the type's own that would leave
    too few possibilities for each code (K129).
    """
    if not 1 <= command.count <= LARGEST_ORDER:
        raise Refused(
            "voucher.count", f"Order from 1 to {LARGEST_ORDER:,} codes at once, not {command.count:,}.", "count"
        )
    kind = read_types.get(work.session, command.voucher_type_id, lock=True)
    _require_room(work, kind, command.count)
    batch = VoucherBatch(
        voucher_type_id=kind.id,
        wanted=command.count,
        created_at=work.now,
        created_by_id=work.actor.staff_id,
    )
    work.session.add(batch)
    work.session.flush()
    if command.count > CHUNK:
        _queue(work, kind, batch)
    else:
        made = _make(work, kind, batch, command.count, mint)
        finish(work, batch.id, read.digest(sorted(made)))
    return batch


def drawn(work: Work, batch_id: int, mint: Mint) -> Iterator[list[Row]]:
    """The rows a batch still lacks, to be added list by list; nothing is written, and the session is not kept."""
    batch = read.batch(work.session, batch_id)
    return _rows(work, read_types.get(work.session, batch.voucher_type_id), batch.wanted - batch.made, mint)


def add(work: Work, batch_id: int, rows: list[Row]) -> VoucherBatch:
    """Add the codes that are new, of these rows, to a batch."""
    batch = read.batch(work.session, batch_id)
    made = _insert(work, batch, rows)
    counters.add(work, batch.voucher_type_id, len(made))
    batch.made += len(made)
    work.session.flush()
    return batch


def finish(work: Work, batch_id: int, sha256: str) -> VoucherBatch:
    """Close a batch with the fingerprint of its codes and tell the audit log of it."""
    batch = read.batch(work.session, batch_id)
    kind = read_types.get(work.session, batch.voucher_type_id)
    batch.wanted, batch.sha256 = batch.made, sha256
    work.record(Event.VOUCHERS_GENERATED, kind, kind.site_id, count=batch.made, title=kind.title, sha256=sha256[:SHOWN])
    work.session.flush()
    return batch


def _require_room(work: Work, kind: VoucherType, count: int) -> None:
    """A pattern of the type's own must stay sparse, codes still on order included."""
    if not kind.id_pattern:
        return
    existing = sum(getattr(kind, f"{status}_count") for status in VoucherStatus)
    verdict = patterns.may_generate(
        patterns.parse(kind.id_pattern), count, existing + read.on_order(work.session, kind.id)
    )
    for reason in verdict.reasons:
        raise Refused(reason.code, f"{reason.message} The pattern of this type is «{kind.id_pattern}».", "count")


def _queue(work: Work, kind: VoucherType, batch: VoucherBatch) -> None:
    jobs.enqueue(
        work,
        jobs.NewJob(
            KIND,
            f"Generate {batch.wanted:,} codes of «{kind.title}»",
            kind.site_id,
            name_of(batch),
            {"batch_id": batch.id},
            batch.wanted,
        ),
    )


def _end_early(work: Work, job: Job) -> None:
    """A job that failed or was cancelled leaves its finished chunks as a smaller batch."""
    batch_id = int(job.arguments["batch_id"])
    finish(work, batch_id, read.fingerprint(work.session, batch_id))


jobs.ENDINGS[KIND] = _end_early


def _make(work: Work, kind: VoucherType, batch: VoucherBatch, count: int, mint: Mint) -> list[str]:
    """Insert ``count`` new codes into the batch and count them; a code that exists already is drawn again."""
    counters.add(work, kind.id, count)
    made: list[str] = []
    while len(made) < count:
        for rows in _rows(work, kind, count - len(made), mint):
            made += _insert(work, batch, rows)
    batch.made += count
    work.session.flush()
    return made


def _rows(work: Work, kind: VoucherType, count: int, mint: Mint) -> Iterator[list[Row]]:
    zone = ZoneInfo(work.session.get_one(Site, kind.site_id).timezone)
    return drawing.rows(mint, count, kind.id_pattern, work.now.astimezone(zone).date())


def _insert(work: Work, batch: VoucherBatch, rows: list[Row]) -> list[str]:
    """Insert the rows whose codes are new, and give those codes."""
    while rows:
        try:
            with work.session.begin_nested():
                _insert_all(work.session.connection(), batch, rows)
        except IntegrityError:
            taken = read.taken_hashes(work.session, [digest for _, digest, _ in rows])
            if not taken:
                raise
            rows = [row for row in rows if row[1] not in taken]
        else:
            break
    return [code for code, _, _ in rows]


def _insert_all(connection: Connection, batch: VoucherBatch, rows: list[Row]) -> None:
    """The driver's own executemany, which costs half of SQLAlchemy's; what all rows share is in the statement."""
    shared = {
        "voucher_type_id": str(batch.voucher_type_id),
        "batch_id": str(batch.id),
        "status": f"'{VoucherStatus.IDLE}'",
        "printed_count": "0",
    }
    statement: Any = (
        insert(Voucher.__table__)  # type: ignore[arg-type]
        .values({name: literal_column(value) for name, value in shared.items()})
        .compile(dialect=connection.dialect, column_keys=_GIVEN)
    )
    given: Any = rows if statement.positional else [dict(zip(_GIVEN, row, strict=True)) for row in rows]
    connection.exec_driver_sql(str(statement), given)
