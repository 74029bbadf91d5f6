"""Checks whom a batch of benefits is for, issues it and undoes it, in steps that survive a kill."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import islice

from webapp.adapters import clock, randomness, spreadsheets
from webapp.domain import benefit_batches as rules
from webapp.domain.benefit_batches import Audience, BatchStatus
from webapp.domain.errors import Refused
from webapp.domain.exports import unguard
from webapp.domain.import_rows import clean, shown
from webapp.domain.profiles import email_key
from webapp.jobs.running import Handler, Outcome, RunningJob
from webapp.models import BenefitBatch
from webapp.queries import benefit_batches as read
from webapp.queries import files as read_files
from webapp.queries import memberships
from webapp.services.benefits import batch_issuing, batch_people, batch_undoing, batches
from webapp.services.vouchers import Mint, code_key
from webapp.services.work import Work

CHUNK = 4_000
NAMED_AT_ONCE = 20_000
UNDONE_AT_ONCE = 2_000
Line = tuple[int, str, str, str]  # where it stands, member id, e-mail, what they were told before


def check(job: RunningJob) -> Outcome:
    """Find the people; begins anew after a kill, because nothing is issued yet."""
    batch_id = int(job.arguments["batch_id"])
    if job.step(lambda work: batch_people.begin_check(work, batch_id), done=0):
        try:
            expected = _name_people(job, batch_id)
        except Refused as refusal:
            problem = refusal.message
            _forget(job, batch_id)
            job.step(lambda work: batch_people.refuse(work, batch_id, problem))
            return Outcome(f"It was refused: {problem}")
        job.step(lambda work: batch_people.finish_check(work, batch_id, expected))
    with job.read() as session:
        batch = read.get(session, batch_id)
    return Outcome(f"{batch.people_count:,} people, {batch.bad_count:,} bad lines.", batch.rejects_file_id)


def _name_people(job: RunningJob, batch_id: int) -> int:
    """Note whom the batch is for, some at a time; gives how many of them would get one."""
    _forget(job, batch_id)
    with job.read() as session:
        batch = read.get(session, batch_id)
        is_named = batch.audience in (Audience.LIST, Audience.FILE)
        ids = array("q") if is_named else read.meant(session, batch, clock.now())
    if is_named:
        _look_up(job, batch)
    for start in range(0, len(ids), NAMED_AT_ONCE):
        _note(job, batch_id, ids, start)
    with job.read() as session:
        return read.expected(session, batch_id)


def _note(job: RunningJob, batch_id: int, ids: array[int], start: int) -> None:
    some = ids[start : start + NAMED_AT_ONCE]
    done, total = start + len(some), len(ids)
    told = f"{done:,} of {total:,} people noted"
    job.step(lambda work: batch_people.name_some(work, batch_id, some), done=done, total=total, message=told)


def _forget(job: RunningJob, batch_id: int) -> None:
    while job.step(lambda work: batch_people.forget_some(work, batch_id, NAMED_AT_ONCE)):
        pass


def _look_up(job: RunningJob, batch: BenefitBatch) -> None:
    lines = _lines(job, batch)
    done = 0
    while some := list(islice(lines, CHUNK)):
        done += len(some)
        _name(job, batch.id, some, done)


def _lines(job: RunningJob, batch: BenefitBatch) -> Iterator[Line]:
    if batch.audience is Audience.LIST:
        for named in rules.listed(batch.listed):
            is_email = "@" in named.value
            yield named.line, "" if is_email else named.value, named.value if is_email else "", ""
        return
    if batch.file_id is None:
        raise AssertionError("a batch of a file keeps it")
    with job.read() as session:
        name = read_files.get(session, batch.file_id).name
    encoding = batch.encoding if batch.encoding in spreadsheets.ENCODINGS else spreadsheets.AUTOMATIC
    table = spreadsheets.open_table(job.open_binary(batch.file_id), name, encoding)
    at = rules.columns_of(table.headings)
    width = len(table.headings)
    for line, values in table.rows:
        cells = [clean(unguard(value)) for value in (*values, *[""] * (width - len(values)))]
        yield line, *_cells(cells, at), rules.told(cells, at)


def _cells(cells: list[str], at: dict[str, int]) -> tuple[str, str]:
    member, email = (cells[at[name]] if name in at else "" for name in ("external_id", "email"))
    return member, email


def _name(job: RunningJob, batch_id: int, lines: list[Line], done: int) -> None:
    with job.read() as session:
        people = memberships.people(
            session,
            sorted({external_id for _, external_id, _, _ in lines if external_id}),
            sorted({email_key(email) for _, _, email, _ in lines if email}),
        )
        found = [people.find(external_id, email) for _, external_id, email, _ in lines]
        numbers = sorted({number for number in found if number is not None})
        there, known = read.alive(session, numbers), read.known(session, batch_id, numbers)
    bad: list[tuple[int, str, str]] = []
    for (line, external_id, email, _), number in zip(lines, found, strict=True):
        if number is None or number not in there:
            bad.append((line, shown(external_id or email), _why(external_id, email, is_erased=number is not None)))
    good = [number for number in found if number in there]
    fresh = sorted(set(good) - known)
    told = {number: words for number, (*_, words) in zip(found, lines, strict=True) if number is not None and words}
    rejects = spreadsheets.csv_bytes(bad) if bad else b""

    def act(work: Work) -> None:
        batch_people.name(work, batch_id, fresh, bad, len(good) - len(fresh), told)
        batch_people.reject(work, batch_id, spreadsheets.csv_bytes([("Line", "Value", "Reason")], mark=True), rejects)

    job.step(act, done=done, message=f"{done:,} lines read")


def _why(external_id: str, email: str, *, is_erased: bool) -> str:
    if not external_id and not email:
        return "The line names nobody."
    if is_erased:
        return "This person was erased."
    return f"Nobody has the {'member id' if external_id else 'e-mail'} «{shown(external_id or email)}»."


def issue(job: RunningJob) -> Outcome:
    """Issue some at a time; the batch knows how far it is, so that it goes on after a kill with nobody served twice."""
    batch_id = int(job.arguments["batch_id"])
    mint = Mint(code_key(job.settings.secret_key), randomness.entropy)
    with job.read() as session:
        batch = read.get(session, batch_id)
    if batch_issuing.is_to_evaluate(batch):
        expected = _name_people(job, batch_id)
        batch = job.step(lambda work: batch_issuing.evaluated(work, batch_id, expected))
    if batch.status is BatchStatus.STOPPED:
        return Outcome(batch.problem)
    total = batch.people_count
    while not job.step(
        lambda work: batch_issuing.issue_some(work, batch_id, mint, CHUNK),
        done=lambda step: step.count,
        total=total,
        message=lambda step: f"{step.count:,} of {total:,} people",
    ).is_last:
        pass
    batch = job.step(lambda work: batch_issuing.finish(work, batch_id))
    return Outcome(f"{batch.issued_count:,} issued, {batch.passed_count:,} passed over.")


def undo(job: RunningJob) -> Outcome:
    """Make void what nobody has used since; goes on after a kill with what is still there."""
    batch_id = int(job.arguments["batch_id"])
    while not job.step(
        lambda work: batch_undoing.undo_some(work, batch_id, UNDONE_AT_ONCE), done=lambda step: step.count
    ).is_last:
        pass
    batch = job.step(lambda work: batch_undoing.finish(work, batch_id))
    return Outcome(f"{batch.voided_count:,} made void, {batch.left_count:,} left alone.")


KINDS: dict[str, Handler] = {batches.CHECK: check, batches.ISSUE: issue, batches.UNDO: undo}
