"""Takes an upload of codes back: those that nobody was given or can know go, the others stay and are listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete

from webapp.domain import voucher_uploads as rules
from webapp.domain.audit import Event
from webapp.domain.errors import NotFound
from webapp.domain.permissions import Permission
from webapp.models import Job, Voucher, VoucherBatch
from webapp.queries import voucher_types as read_types
from webapp.queries import voucher_uploads as read
from webapp.services import files, jobs
from webapp.services.jobs import NewJob
from webapp.services.vouchers import counters
from webapp.services.work import Work, changed_rows, name_of

KIND = "vouchers.take_back"
MOST_LISTED = 200  # of the codes that stay, on the page of their batch; the file of the job has every one
_HEADINGS = ("voucher", "code", "reason")


@dataclass(frozen=True, slots=True)
class TakeBackCodes:
    """Take back what an upload added."""

    voucher_type_id: int
    batch_id: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: the last code it looked at, how many it took away and left, and the file of those left."""

    after: int = 0
    gone: int = 0
    left: int = 0
    left_file_id: int | None = None
    is_over: bool = False

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> Progress:
        return cls(**cursor)

    @property
    def cursor(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def done(self) -> int:
        return self.gone + self.left


def start_taking_back(work: Work, command: TakeBackCodes) -> Job:
    """Queue the job that takes an upload back; ``Refused`` by ``may_take_back``. Rivals wait at the type's row."""
    kind = read_types.get(work.session, command.voucher_type_id, lock=True)
    batch = _upload(work, command)
    rules.may_take_back(batch.facts).require()
    told = batch.upload or {}
    gone = batch.undo.get("gone", 0)
    job = jobs.enqueue(
        work,
        NewJob(
            KIND,
            f"Take the codes of {told['name']} back",
            kind.site_id,
            name_of(batch),
            {"voucher_type_id": kind.id, "batch_id": batch.id},
            batch.made - gone,
        ),
    )
    batch.upload = {**told, "undo": {"job_id": job.id, "gone": gone, "left_count": 0, "left": []}}
    return job


def take_some_back(work: Work, command: TakeBackCodes, before: Progress, size: int) -> Progress:
    """Take away those of the next ``size`` codes that are untouched and say how far it is then.

    The type's row comes first, as in every move of a code, and what is deleted says itself what it must be; only what is
    left is looked at, for its reasons.
    """
    read_types.get(work.session, command.voucher_type_id, lock=True)
    batch = _upload(work, command)
    last = read.window(work.session, batch.id, before.after, size)
    if last is None:
        return Progress(before.after, before.gone, before.left, before.left_file_id, is_over=True)
    some = (Voucher.batch_id == batch.id, Voucher.id > before.after, Voucher.id <= last)
    gone = changed_rows(work.session, delete(Voucher).where(*some, read.is_untouched()))
    counters.take_away(work, command.voucher_type_id, gone)
    left = [
        (number, f"••••{last_four}", rules.why_it_stays(traces))
        for number, last_four, traces in read.traces(work.session, batch.id, before.after, last)
    ]
    undo = batch.undo
    _note(
        batch,
        gone=undo["gone"] + gone,
        left_count=undo["left_count"] + len(left),
        left=[*undo["left"], *map(list, left)][:MOST_LISTED],
    )
    file_id = files.append_rows(work, before.left_file_id, "codes-that-stay.csv", _HEADINGS, left)
    return Progress(last, before.gone + gone, before.left + len(left), file_id)


def finish_taking_back(work: Work, command: TakeBackCodes, done: Progress) -> None:
    """The upload is taken back: say so once."""
    batch = _upload(work, command)
    if batch.facts.undone:
        return
    _note(batch, at=work.now.isoformat(), by=work.actor.label)
    _tell(work, batch, done)


def _tell(work: Work, batch: VoucherBatch, done: Progress) -> None:
    kind = read_types.get(work.session, batch.voucher_type_id)
    work.record(
        Event.VOUCHERS_TAKEN_BACK, kind, kind.site_id, count=done.gone, title=kind.title, left=done.left
    )  # fmt: skip
    if done.left_file_id is not None:
        files.finish(work, done.left_file_id)


def _stopped(work: Work, job: Job) -> None:
    """What was not taken back yet can be taken back by another job; the log hears of what this one did."""
    batch = _upload(work, TakeBackCodes(**job.arguments))
    if batch.facts.undone or batch.undo.get("job_id") != job.id:
        return
    _note(batch, job_id=None)
    done = Progress.of(job.cursor)
    if done.done:
        _tell(work, batch, done)
    job.result_file_id = done.left_file_id


def _note(batch: VoucherBatch, **facts: Any) -> None:
    batch.upload = {**(batch.upload or {}), "undo": {**batch.undo, **facts}}


def _upload(work: Work, command: TakeBackCodes) -> VoucherBatch:
    batch = read.upload(work.session, command.batch_id)
    if batch is None or batch.voucher_type_id != command.voucher_type_id:
        raise NotFound("voucher.batch_unknown", "There is no such upload of codes.")
    return batch


jobs.ENDINGS[KIND] = _stopped
jobs.RESULT_NEEDS[KIND] = Permission.VOUCHERS_EDIT
