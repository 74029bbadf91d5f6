"""Product ruling 11 for codes that others made: taken back, but what somebody was given, printed or shown since."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier, Thread

import pytest
from sqlalchemy import create_engine, delete, func, select, true
from sqlalchemy.orm import Session

from tests.factories import NOW, Factories
from tests.support.benefits import MINT, programme
from tests.support.invariants import faults
from tests.support.jobs import run_jobs
from webapp.adapters.engines import engine_options
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, DomainError, NotFound, Refused
from webapp.domain.identity import SYSTEM
from webapp.domain.jobs import JobStatus
from webapp.domain.vouchers import VoucherStatus
from webapp.jobs import vouchers as jobs_of_vouchers
from webapp.models import AuditEntry, Job, Voucher, VoucherChange, VoucherType
from webapp.queries import files
from webapp.queries import voucher_uploads as read_uploads
from webapp.services import benefits, jobs, vouchers
from webapp.services.vouchers import (
    AddCodes,
    AllocateVouchers,
    GenerateVouchers,
    MoveVoucher,
    TakeBackCodes,
    UploadCodes,
    counters,
)
from webapp.services.vouchers.taking_back import Progress
from webapp.services.work import perform, transaction


@pytest.fixture
def d(make, actor):
    """A definition with a pool; whatever a test did, every invariant holds afterwards."""
    found = programme(make, actor, end_at=None)
    kind = make.voucher_type(site_id=found.definition.site_id, title="Shop")
    found.change(force_allocation=True, voucher_type_id=kind.id)
    found.kind = kind
    yield found
    found.session.rollback()
    # The winners of these tests were never drawn.
    assert {name: rows for name, rows in faults(found.session).items() if name != "winner is an entry"} == {}


def upload(d, *codes, name="codes.csv", kind=None):
    kind_id = (kind or d.kind).id
    rows = [(line, [code]) for line, code in enumerate(codes, start=2)]
    batch = d.do(partial(vouchers.upload, mint=MINT), UploadCodes(kind_id, name, ("Code",), rows))
    return d.do(partial(vouchers.add_uploaded, mint=MINT), AddCodes(kind_id, batch.id))


def take_back(d, batch):
    job = d.do(vouchers.start_taking_back, TakeBackCodes(batch.voucher_type_id, batch.id))
    run_jobs(d.session)
    return d.session.get_one(Job, job.id, populate_existing=True)


def there(d):
    d.session.rollback()
    return set(d.session.scalars(select(Voucher.code)))


def voucher(d, code):
    return d.session.scalars(select(Voucher).where(Voucher.code == code)).one()


def counted(d):
    d.session.refresh(d.kind)
    return d.kind.idle_count, d.kind.allocated_count


def told(d):
    wanted = select(AuditEntry.facts).where(AuditEntry.event == Event.VOUCHERS_TAKEN_BACK).order_by(AuditEntry.id)
    return d.session.scalars(wanted).all()


def refused(code, act, *args):
    with pytest.raises(Refused) as refusal:
        act(*args)
    assert refusal.value.code == code


def test_ruling_11_codes_that_nobody_was_given_go(d):
    other = upload(d, "OTHER-1", name="others.csv")
    batch = upload(d, "ALPHA-1", "ALPHA-2", "ALPHA-3")
    assert counted(d) == (4, 0)
    job = take_back(d, batch)
    assert (job.status, job.message, job.done, job.total) == (JobStatus.DONE, "3 taken back.", 3, 3)
    assert (there(d), counted(d), job.result_file_id) == ({"OTHER-1"}, (1, 0), None)
    assert told(d) == [{"count": 3, "title": "Shop", "left": 0}]
    assert (batch.made, batch.undo["gone"], batch.facts.undone, other.facts.undone) == (3, 3, True, False)
    refused("upload.undone", take_back, d, batch)
    again = upload(d, "ALPHA-1", "ALPHA-2")  # they are nobody's, so the mended file may bring them in
    assert (again.made, counted(d)) == (2, (3, 0))


def _print(d, one):
    d.do(lambda work, number: vouchers.count_printed(work, [number]), one)


def _issue(d, one):
    assert d.issue().voucher_id == one


def _give(d, one):
    winner = d.make.winner(d.make.reward(site_id=d.kind.site_id), voucher_count=1)
    d.session.commit()
    d.do(vouchers.allocate, AllocateVouchers(d.kind.id, winner.id, winner.profile_id, 1, "Europe/London", ""))


def _hold(d, one):
    _give(d, one)
    d.do(vouchers.hold, MoveVoucher(one))


def _redeem(d, one):
    d.redeem(d.issue())


def _bring_back(d, one):
    d.do(vouchers.cancel, MoveVoucher(one))
    d.do(vouchers.reactivate, MoveVoucher(one, "by mistake"))


def _release(d, one):
    benefit = d.issue()
    d.do(benefits.void, benefits.VoidBenefit(benefit.id, "wrong person"))
    d.forward(minutes=11)
    d.do(benefits.release, benefits.ReleaseCode(benefit.id, "nobody saw it"))


BEFORE = "It was given to somebody or cancelled before; its log says more."


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (_issue, "It is allocated to somebody."),
        (_give, "It is allocated to somebody."),
        (_hold, "It is allocated to somebody, and pending at a till."),
        (_redeem, "It is redeemed."),
        (lambda d, one: d.do(vouchers.cancel, MoveVoucher(one)), "It is cancelled."),
        (_print, "It was printed."),
        (lambda d, one: d.do(vouchers.reveal, MoveVoucher(one)), "It was shown in full, so somebody may know it."),
        (_bring_back, BEFORE),
        (_release, BEFORE),
    ],
    ids=["issued", "won", "held", "redeemed", "cancelled", "printed", "shown", "reactivated", "released"],
)
def test_ruling_11_a_code_that_somebody_had_or_may_know_stays_and_is_listed(d, act, why):
    batch = upload(d, "USED-0001", "FREE-1", "FREE-2")
    one = voucher(d, "USED-0001").id
    act(d, one)
    job = take_back(d, batch)
    assert job.message == "2 taken back, 1 stay; the file says why."
    assert there(d) == {"USED-0001"}
    assert batch.undo["left"] == [[one, "••••0001", why]]
    assert told(d) == [{"count": 2, "title": "Shop", "left": 1}]
    listed = [tuple(row.values()) for row in csv.DictReader(files.open_text(d.session, job.result_file_id))]
    assert listed == [(str(one), "••••0001", why)]


def test_ruling_11_an_upload_in_pieces_is_looked_at_once_from_end_to_end(d, monkeypatch):
    monkeypatch.setattr(jobs_of_vouchers, "AT_ONCE", 7)
    batch = upload(d, *(f"MANY-{number:03}" for number in range(30)))
    assert counted(d) == (30, 0)
    given = [d.issue(d.make.profile()).voucher_id for _ in range(4)]
    job = take_back(d, batch)
    assert (job.message, job.done) == ("26 taken back, 4 stay; the file says why.", 30)
    assert [number for number, *_ in batch.undo["left"]] == given
    assert counted(d) == (0, 4)


def test_ruling_11_more_codes_stay_than_a_page_lists(d, monkeypatch):
    monkeypatch.setattr("webapp.services.vouchers.taking_back.MOST_LISTED", 2)
    batch = upload(d, *(f"MANY-{number:03}" for number in range(5)))
    for number in d.session.scalars(select(Voucher.id)).all():
        d.do(vouchers.cancel, MoveVoucher(number))
    job = take_back(d, batch)
    assert (len(batch.undo["left"]), batch.undo["left_count"]) == (2, 5)
    assert len(files.open_text(d.session, job.result_file_id).readlines()) == 6


def test_ruling_11_a_job_that_was_cancelled_leaves_the_rest_to_another(d, monkeypatch):
    batch = upload(d, "ALPHA-1", "ALPHA-2", "ALPHA-3", "ALPHA-4")
    d.do(vouchers.cancel, MoveVoucher(voucher(d, "ALPHA-1").id))
    command = TakeBackCodes(d.kind.id, batch.id)
    job = d.do(vouchers.start_taking_back, command)
    refused("upload.undoing", d.do, vouchers.start_taking_back, command)
    done = d.do(lambda work, command: vouchers.take_some_back(work, command, Progress(), 2), command)
    assert (done.gone, done.left, done.is_over) == (1, 1, False)
    job.cursor, job.done = done.cursor, done.done
    d.session.commit()
    d.do(jobs.cancel, jobs.CancelJob(job.id))
    assert (job.status, job.result_file_id is not None) == (JobStatus.CANCELLED, True)
    assert (there(d), batch.undo["gone"], batch.facts.undone) == ({"ALPHA-1", "ALPHA-3", "ALPHA-4"}, 1, False)
    job = take_back(d, batch)
    assert (job.message, job.total) == ("2 taken back, 1 stay; the file says why.", 3)
    assert (there(d), batch.undo["gone"], batch.undo["left_count"]) == ({"ALPHA-1"}, 3, 1)
    assert told(d) == [{"count": 1, "title": "Shop", "left": 1}, {"count": 2, "title": "Shop", "left": 1}]


def test_ruling_11_a_job_cancelled_before_it_began_says_nothing(d):
    batch = upload(d, "ALPHA-1")
    job = d.do(vouchers.start_taking_back, TakeBackCodes(d.kind.id, batch.id))
    d.do(jobs.cancel, jobs.CancelJob(job.id))
    assert (there(d), told(d), batch.facts.undoing) == ({"ALPHA-1"}, [], False)
    assert take_back(d, batch).message == "1 taken back."


def test_ruling_11_only_what_was_uploaded_and_added_is_taken_back(d):
    made = d.do(lambda work, command: vouchers.generate(work, command, MINT), GenerateVouchers(d.kind.id, 1))
    with pytest.raises(NotFound):
        take_back(d, made)
    rows = UploadCodes(d.kind.id, "codes.csv", ("Code",), [(2, ["ALPHA-1"])])
    batch = d.do(partial(vouchers.upload, mint=MINT), rows)
    refused("upload.not_added", take_back, d, batch)
    other = d.make.voucher_type(site_id=d.kind.site_id)
    with pytest.raises(NotFound):
        d.do(vouchers.start_taking_back, TakeBackCodes(other.id, upload(d, "ALPHA-2").id))


def test_a_code_that_went_is_not_shown_any_more(d):
    batch = upload(d, "ALPHA-1")
    number = voucher(d, "ALPHA-1").id
    take_back(d, batch)
    with pytest.raises(NotFound):
        d.do(vouchers.reveal, MoveVoucher(number))


# At the same moment


CODES, WINNERS, AT_ONCE = 120, 60, 6


@pytest.fixture
def own(own_database: str) -> Iterator[Session]:
    """A session on a database of this test's own, whose commits are real."""
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


def being_taken_back(session: Session, *codes: str) -> tuple[VoucherType, TakeBackCodes]:
    """A type with one upload that is being taken back."""
    kind = Factories(session).voucher_type()
    rows = [(line, [code]) for line, code in enumerate(codes, start=2)]
    command = UploadCodes(kind.id, "codes.csv", ("Code",), rows)
    batch = perform(session, SYSTEM, NOW, lambda work: vouchers.upload(work, command, MINT))
    perform(session, SYSTEM, NOW, lambda work: vouchers.add_uploaded(work, AddCodes(kind.id, batch.id), MINT))
    undo = TakeBackCodes(kind.id, batch.id)
    perform(session, SYSTEM, NOW, lambda work: vouchers.start_taking_back(work, undo))
    return kind, undo


def stocked(session: Session) -> tuple[VoucherType, TakeBackCodes, list[tuple[int, int]]]:
    """The same, and winners who are to be given codes of it."""
    kind, undo = being_taken_back(session, *(f"RIVAL-{number:04}" for number in range(CODES)))
    make = Factories(session)
    reward = make.reward(site_id=kind.site_id)
    winners = [make.winner(reward, voucher_count=1) for _ in range(WINNERS)]
    found = [(winner.id, winner.profile_id) for winner in winners]
    session.commit()
    return kind, undo, found


def together(url: str, acts: list[Callable[[Session], object]]) -> list[object]:
    """What each of the acts gave; all start together, each on a connection of its own."""
    engine = create_engine(url, **engine_options(url, threads=len(acts)))
    start = Barrier(len(acts))

    def run(act: Callable[[Session], object]) -> object:
        with Session(engine, expire_on_commit=False) as session:
            start.wait()
            return act(session)

    try:
        with ThreadPoolExecutor(len(acts)) as pool:
            return list(pool.map(run, acts))
    finally:
        engine.dispose()


def give_all(kind_id: int, winners: list[tuple[int, int]], session: Session) -> int:
    """How many winners were told of a code."""
    answered = 0
    for winner, person in winners:
        command = AllocateVouchers(kind_id, winner, person, 1, "Europe/London", "")
        try:
            perform(session, SYSTEM, NOW, partial(_allocate, command=command))
        except DomainError as refusal:
            assert refusal.code == "voucher.short"  # noqa: PT017 - any other refusal is a fault
        else:
            answered += 1
    return answered


def _allocate(work, command):
    return vouchers.allocate(work, command)


def take_all(command: TakeBackCodes, session: Session) -> int:
    """How many codes were taken away, in small steps."""
    done = Progress()
    while not done.is_over:
        done = perform(session, SYSTEM, NOW, partial(_take_some, command=command, before=done))
    return done.gone


def _take_some(work, command, before):
    return vouchers.take_some_back(work, command, before, 7)


def assert_exact(session: Session, kind_id: int, answered: int, gone: int) -> None:
    """As many winners hold a code as were told so; every other code is gone or counted."""
    session.rollback()
    session.expire_all()
    standing = Counter(session.scalars(select(Voucher.status)))
    counted = session.get_one(VoucherType, kind_id)
    assert standing[VoucherStatus.ALLOCATED] == answered, "a code that somebody was given is gone"
    assert sum(standing.values()) + gone == CODES, "a code that somebody was given is counted as taken away"
    assert (counted.idle_count, counted.allocated_count) == (standing[VoucherStatus.IDLE], answered)
    assert session.scalar(select(func.count(VoucherChange.id))) == answered


def test_p3_whoever_is_given_a_code_while_its_upload_is_taken_back_keeps_it(own: Session, own_database: str) -> None:
    kind, undo, winners = stocked(own)
    giving = [partial(give_all, kind.id, winners[number::AT_ONCE]) for number in range(AT_ONCE)]
    gone, *answers = together(own_database, [partial(take_all, undo), *giving])
    answered = sum(map(int, map(str, answers)))
    assert_exact(own, kind.id, answered, int(str(gone)))
    assert int(str(gone)) + answered <= CODES
    assert own.get_one(VoucherType, kind.id).idle_count == 0
    broken = {
        name: rows for name, rows in faults(own).items() if name not in {"voucher of its winner", "winner is an entry"}
    }  # some went short
    assert broken == {}


def test_the_twin_without_the_guard_counts_codes_away_that_somebody_was_given(own: Session, own_database: str) -> None:
    """Proves that the test above can fail: the twin looks which codes are idle and believes what it saw."""
    kind, _undo, winners = stocked(own)
    has_looked, were_given = Barrier(2), Barrier(2)

    def take_unguarded(session: Session) -> int:
        idle = select(Voucher.id).where(Voucher.status == VoucherStatus.IDLE).order_by(Voucher.id)
        seen = session.scalars(idle.limit(CODES // 2)).all()
        session.rollback()
        has_looked.wait()
        were_given.wait()
        perform(session, SYSTEM, NOW, lambda work: _delete(work, kind.id, seen))
        return len(seen)

    def give(session: Session) -> int:
        has_looked.wait()
        answered = give_all(kind.id, winners[:3], session)
        were_given.wait()
        return answered

    gone, answered = together(own_database, [take_unguarded, give])
    with pytest.raises(AssertionError, match="counted as taken away"):
        assert_exact(own, kind.id, int(str(answered)), int(str(gone)))


def _delete(work, kind_id, numbers):
    has_log = select(VoucherChange.voucher_id)
    work.session.execute(delete(Voucher).where(Voucher.id.in_(numbers), Voucher.id.not_in(has_log)))
    counters.take_away(work, kind_id, len(numbers))


def test_the_database_keeps_what_somebody_was_given_whatever_the_program_asks(d, monkeypatch):
    batch = upload(d, "ALPHA-1")
    d.issue()
    monkeypatch.setattr(read_uploads, "is_untouched", true)
    with pytest.raises(Conflict):
        d.do(
            lambda work, command: vouchers.take_some_back(work, command, Progress(), 9),
            TakeBackCodes(d.kind.id, batch.id),
        )
    assert there(d) == {"ALPHA-1"}


def test_ruling_11_of_two_who_take_it_back_at_once_one_does(own: Session, own_database: str) -> None:
    make = Factories(own)
    kind = make.voucher_type()
    command = UploadCodes(kind.id, "codes.csv", ("Code",), [(2, ["RIVAL-1"])])
    batch = perform(own, SYSTEM, NOW, lambda work: vouchers.upload(work, command, MINT))
    perform(own, SYSTEM, NOW, lambda work: vouchers.add_uploaded(work, AddCodes(kind.id, batch.id), MINT))
    undo = TakeBackCodes(kind.id, batch.id)

    def act(session: Session) -> str:
        try:
            perform(session, SYSTEM, NOW, lambda work: vouchers.start_taking_back(work, undo))
        except DomainError as refusal:
            return refusal.code
        return ""

    assert Counter(together(own_database, [act] * AT_ONCE)) == {"": 1, "upload.undoing": AT_ONCE - 1}
    own.rollback()
    assert own.scalar(select(func.count(Job.id))) == 1


@pytest.mark.parametrize("is_shown_first", [True, False], ids=["shown first", "taken back first"])
def test_a_code_is_either_shown_or_taken_back(own: Session, own_database: str, is_shown_first: bool) -> None:  # noqa: FBT001
    """Whoever is second waits for the first, and sees what came of it."""
    kind, undo = being_taken_back(own, "RIVAL-0001")
    number = own.scalars(select(Voucher.id)).one()
    own.rollback()
    acts = [
        lambda work: vouchers.reveal(work, MoveVoucher(number)),
        lambda work: vouchers.take_some_back(work, undo, Progress(), 9),
    ]
    first, second = acts if is_shown_first else acts[::-1]
    engine = create_engine(own_database, **engine_options(own_database, threads=2))
    told: list[str] = []

    def follow() -> None:
        with Session(engine, expire_on_commit=False) as session:
            try:
                perform(session, SYSTEM, NOW, second)
            except DomainError as refusal:
                told.append(refusal.code)

    other = Thread(target=follow)
    with Session(engine, expire_on_commit=False) as session, transaction(session, SYSTEM, NOW) as work:
        first(work)
        other.start()
        other.join(timeout=0.3)  # it waits for this transaction
    other.join()
    engine.dispose()
    own.rollback()
    own.expire_all()
    standing = own.scalars(select(Voucher.id)).all()
    shown = own.scalar(select(func.count()).where(AuditEntry.event == Event.VOUCHER_REVEALED))
    assert (standing, shown, told) == (([number], 1, []) if is_shown_first else ([], 0, ["voucher.unknown"]))
    assert own.get_one(VoucherType, kind.id).idle_count == len(standing)
