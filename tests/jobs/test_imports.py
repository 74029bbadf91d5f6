"""Checking and importing as jobs: the realistic file, both contracts, twice, stopped, and killed at any moment (P6, P12)."""

from __future__ import annotations

import gzip
import io
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.jobs import run_jobs
from tests.support.processes import tied
from tests.support.run import ROOT
from webapp.adapters import spreadsheets
from webapp.adapters.engines import engine_options
from webapp.domain.audit import Event
from webapp.domain.entries import EntryStatus
from webapp.domain.errors import Refused
from webapp.domain.identity import Actor
from webapp.domain.import_columns import ImportKind
from webapp.domain.imports import ImportContract, ImportStatus, Outcome
from webapp.domain.jobs import JobStatus
from webapp.domain.rewards import RewardStatus
from webapp.jobs import imports as handlers
from webapp.models import AuditEntry, Entry, ImportProblem, ImportRun, Job, Profile, Reward
from webapp.queries import files, search
from webapp.queries import imports as read
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import import_undo, imports
from webapp.services.import_undo import UndoImport
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadEntries, UploadRows
from webapp.services.work import perform

ENTRANTS = Path(__file__).parent.parent / "data" / "entrants.csv.gz"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANN = Actor("Ann Able")
HEAD = "Member ID,E-mail,Entered at,Receipt,Entries\n"
AT = "2026-01-05T10:00:00Z"
CRASH = 0.6  # seconds until the job of a dead process is taken over


def rows(numbers: range) -> str:
    return "".join(f"M{n % 40},p{n % 40}@example.com,{AT},R{n},1\n" for n in numbers)


def upload(session: Session, reward: Reward, content: bytes, name: str = "x.csv") -> int:
    stream = io.BytesIO(content)
    file = IncomingFile(name, spreadsheets.survey(stream, name), spreadsheets.Pieces(stream))
    run = perform(session, ANN, NOW, lambda work: imports.upload(work, UploadEntries(reward.id, file)))
    places = imports.positions(run.mapping, run.headings)
    perform(session, ANN, NOW, lambda work: imports.choose_columns(work, ChooseColumns(run.id, places)))
    return run.id


def apply(session: Session, run_id: int, contract: ImportContract = ImportContract.GOOD_ROWS) -> None:
    perform(session, ANN, NOW, lambda work: imports.apply(work, ApplyImport(run_id, contract)))


def look(session: Session, run_id: int) -> ImportRun:
    session.rollback()
    session.expire_all()
    return session.get_one(ImportRun, run_id)


def state(session: Session) -> tuple[list, list]:
    """Everything an import leaves behind, but for nonces and ids."""
    session.rollback()
    columns = (Entry.number, Entry.receipt, Entry.tickets, Entry.entered_at, Profile.external_id, Profile.email_key)
    entries = session.execute(
        select(*columns).join(Profile, Profile.id == Entry.profile_id).order_by(Entry.number)
    ).all()
    people = session.execute(
        select(Profile.external_id, Profile.email_key, Profile.first_name, Profile.search_text).order_by(
            Profile.external_id, Profile.email_key
        )
    ).all()
    return list(entries), list(people)


@pytest.fixture
def imported(session, make):
    """Upload, check and import one file; gives the run."""

    def act(content: str, reward: Reward | None = None, name: str = "x.csv") -> ImportRun:
        run_id = upload(session, reward or make.reward(), content.encode(), name)
        run_jobs(session)
        if look(session, run_id).good_count:
            apply(session, run_id)
            run_jobs(session)
        return look(session, run_id)

    return act


def counts(run: ImportRun) -> tuple[int, int, int, int]:
    return run.record_count, run.good_count, run.duplicate_count, run.bad_count


def test_the_realistic_file_becomes_its_entries_and_people(session, make):
    """The counts were made by hand, apart from this program: see tests/domain/test_imports.py for the rows."""
    reward = make.reward(site_id=make.site(timezone="Australia/Sydney").id)
    with gzip.open(ENTRANTS) as file:
        run_id = upload(session, reward, file.read(), "entrants.csv")
    run_jobs(session)
    run = look(session, run_id)
    assert (run.status, run.problem) == (ImportStatus.CHECKED, "")
    assert counts(run) == (50_000, 48_939, 280, 781)
    assert (run.findings["new_people"], run.findings["known_people"]) == (40_315, 0)
    problems = session.execute(
        select(ImportProblem.outcome, func.count(), func.count(ImportProblem.record.distinct())).group_by(
            ImportProblem.outcome
        )
    ).all()
    assert sorted(map(tuple, problems)) == [("bad", 781, 781), ("duplicate", 280, 280)]
    apply(session, run_id)
    run_jobs(session)
    run = look(session, run_id)
    assert (run.status, run.entry_count, run.created_count) == (ImportStatus.DONE, 48_939, 40_315)
    low, high, number = session.execute(select(func.min(Entry.number), func.max(Entry.number), func.count())).one()
    assert (low, high, number) == (1, 48_939, 48_939)
    assert session.get(Reward, reward.id).entry_count == 48_939
    assert session.scalar(select(func.count()).select_from(Profile)) == 40_315
    assert session.scalar(select(func.count(Entry.nonce.distinct()))) == 48_939
    assert len(b"".join(files.read(session, run.rejects_file_id)).decode("utf-8-sig").splitlines()) >= 782
    told = session.scalars(select(AuditEntry.event).order_by(AuditEntry.id)).all()
    assert told == [Event.IMPORT_STARTED, Event.IMPORT_CHECKED, Event.IMPORT_APPLIED]


def test_the_same_file_twice_changes_nothing(session, make, imported):
    reward, content = make.reward(), HEAD + rows(range(300))
    imported(content, reward)
    before = state(session)
    run = imported(content, reward)
    assert counts(run) == (300, 0, 300, 0)
    assert state(session) == before
    assert session.get(Reward, reward.id).entry_count == 300


def test_the_same_file_without_receipts_changes_nothing_either(session, make, imported):
    reward, content = make.reward(), f"Member ID,Entered at\nM1,{AT}\nM1,{AT}\nM2,{AT}\n"
    assert counts(imported(content, reward)) == (3, 3, 0, 0)
    assert counts(imported(content, reward)) == (3, 0, 3, 0)
    assert counts(imported(content, make.reward())) == (3, 3, 0, 0)


def test_a_receipt_counts_once_across_files_and_says_where_it_stands(session, make, imported):
    reward = make.reward()
    imported(HEAD + rows(range(3)), reward)
    run = imported(HEAD + rows(range(2, 5)) + rows(range(4, 5)), reward)
    assert counts(run) == (4, 2, 2, 0)
    reasons = [row.reason for row in read.problems(session, run.id, Outcome.DUPLICATE)]
    assert reasons == [
        "The receipt «R2» is already entered, as entry 3.",
        "The receipt «R4» is already on line 4 of this file.",
    ]


def test_the_receipt_of_a_bad_row_is_free(imported):
    run = imported(HEAD + f"M1,,{AT},R1,0\nM2,,{AT},R1,1\n")
    assert counts(run) == (2, 1, 0, 1)


def test_a_receipt_entered_since_the_check_is_left_out(session, make):
    reward, content = make.reward(), (HEAD + rows(range(10))).encode()
    first, second = upload(session, reward, content), upload(session, reward, content)
    run_jobs(session)
    for run_id in (first, second):
        apply(session, run_id)
        run_jobs(session)
    run = look(session, second)
    assert (run.status, run.entry_count, counts(run)) == (ImportStatus.DONE, 0, (10, 0, 10, 0))
    assert session.get(Reward, reward.id).entry_count == 10


def test_a_fixed_rejects_file_brings_the_rest(session, make, imported):
    reward = make.reward()
    run = imported(HEAD + f"M1,,{AT},R1,1\n,nobody,{AT},R2,1\nM3,,x,R3,1\nM4,'=x,{AT},=1+1,0\n", reward)
    assert counts(run) == (4, 1, 0, 3)
    text = b"".join(files.read(session, run.rejects_file_id)).decode("utf-8-sig")
    lines = text.splitlines()
    assert lines[0] == "Member ID,E-mail,Entered at,Receipt,Entries,Line,Column,Reason"
    assert lines[1].startswith(f",nobody,{AT},R2,1,3,E-mail,")
    assert lines[3].startswith(f"M4,'=x,{AT},'=1+1,0,5,Entries,")
    fixed = text.replace(",nobody,", ",some@example.com,").replace(",x,R3", f",{AT},R3").replace(",0,5,", ",1,5,")
    again = imported(fixed, reward, "x.csv.rejects.csv")
    assert counts(again) == (3, 3, 0, 0)
    assert session.scalars(select(Entry.receipt).order_by(Entry.number)).all() == ["R1", "R2", "R3", "=1+1"]


def test_rejects_of_rejects_keep_the_columns_of_the_first_file(session, imported):
    run = imported("Member ID,Entered at,Line,Column,Reason\nM1,x,7,Entered at,because\n")
    text = b"".join(files.read(session, run.rejects_file_id)).decode("utf-8-sig")
    assert text.splitlines()[0] == "Member ID,Entered at,Line,Column,Reason"
    assert text.splitlines()[1].startswith("M1,x,2,Entered at,")


def test_a_row_that_is_too_long_or_short_is_kept_in_the_rejects(session, imported):
    run = imported(f"Member ID,Entered at\nM1\nM2,{AT},beyond\n")
    lines = b"".join(files.read(session, run.rejects_file_id)).decode("utf-8-sig").splitlines()
    assert lines[1].startswith("M1,,2,,")
    assert lines[2].startswith(f"M2,{AT},3,,")
    assert lines[2].endswith(",beyond")


def test_all_or_nothing_imports_all_when_no_row_is_bad(session, make):
    run_id = upload(session, make.reward(), (HEAD + rows(range(5))).encode())
    run_jobs(session)
    apply(session, run_id, ImportContract.ALL_OR_NOTHING)
    run_jobs(session)
    assert look(session, run_id).entry_count == 5


def test_a_workbook_is_imported_like_a_csv_file(session, make):
    import xlsxwriter  # noqa: PLC0415

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Member ID", "Entered at", "Entries"])
        sheet.write_row(1, 0, ["M1", "2026-01-05T10:00", 3])
        sheet.write_row(2, 0, ["M2", "2026-01-05T10:00", 0])
    run_id = upload(session, make.reward(), buffer.getvalue(), "x.xlsx")
    run_jobs(session)
    assert counts(look(session, run_id)) == (2, 1, 0, 1)


def test_a_reward_that_closes_in_the_middle_stops_the_import_where_it_is(session, make, monkeypatch):
    monkeypatch.setattr(handlers, "CHUNK", 10)
    reward = make.reward()
    run_id = upload(session, reward, (HEAD + rows(range(30))).encode())
    run_jobs(session)
    apply(session, run_id)
    write = handlers.steps.apply_rows

    def close_after_ten(work, plan, drafts, entropy):
        if work.session.get(ImportRun, run_id, populate_existing=True).entry_count:
            work.session.get(Reward, reward.id).status = RewardStatus.EXPIRED
            work.session.flush()
        return write(work, plan, drafts, entropy)

    monkeypatch.setattr(handlers.steps, "apply_rows", close_after_ten)
    run_jobs(session)
    run = look(session, run_id)
    assert (run.status, run.entry_count) == (ImportStatus.CANCELLED, 10)
    assert "is expired" in run.problem
    assert session.scalar(select(func.count()).select_from(Entry)) == 10
    assert Event.IMPORT_REFUSED in session.scalars(select(AuditEntry.event)).all()


def test_an_import_stopped_in_the_middle_goes_on_to_the_same_end(session, make, monkeypatch):
    monkeypatch.setattr(handlers, "CHUNK", 10)
    run_id = upload(session, make.reward(), (HEAD + rows(range(30))).encode())
    run_jobs(session)
    apply(session, run_id)
    write = handlers.steps.apply_rows

    def cancel_after_ten(work, plan, drafts, entropy):
        applied = write(work, plan, drafts, entropy)
        job = work.session.scalars(select(Job).order_by(Job.id.desc())).first()
        job.is_cancel_wanted = True
        return applied

    monkeypatch.setattr(handlers.steps, "apply_rows", cancel_after_ten)
    run_jobs(session)
    assert (look(session, run_id).status, look(session, run_id).entry_count) == (ImportStatus.CANCELLED, 10)
    monkeypatch.setattr(handlers.steps, "apply_rows", write)
    apply(session, run_id)
    run_jobs(session)
    assert (look(session, run_id).status, look(session, run_id).entry_count) == (ImportStatus.DONE, 30)
    assert [entry[:2] for entry in state(session)[0]] == [(n + 1, f"R{n}") for n in range(30)]


def test_a_job_run_again_after_its_last_step_changes_nothing(session, make, imported):
    """As when the process is killed between the last step of the job and its last word."""
    run = imported(HEAD + rows(range(20)) + "M1,,x,,1\n")
    before, told = state(session), session.scalars(select(AuditEntry.id)).all()
    for job in session.scalars(select(Job)):
        job.status = JobStatus.QUEUED
    assert run_jobs(session) == 2
    assert (look(session, run.id).status, state(session)) == (ImportStatus.DONE, before)
    assert session.scalars(select(AuditEntry.id)).all() == told
    assert session.scalar(select(func.count()).select_from(ImportProblem)) == 1


CELL = st.sampled_from(
    ["", "M1", "M2", "a@example.com", "x", AT, "2031-01-01T00:00:00Z", "1", "0", "R1", "R2", 'q"', "a,b", "n\nl", "=1"]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELL, min_size=4, max_size=6), min_size=1, max_size=12))
def test_good_duplicate_and_bad_are_all_the_records(session, make, monkeypatch, table):
    """P12: every record is accounted for, and every one left out has its line and its reason."""
    monkeypatch.setattr(handlers, "CHUNK", 3)
    content = HEAD.encode() + spreadsheets.csv_bytes(table)
    run_id = upload(session, make.reward(), content)
    run_jobs(session)
    run = look(session, run_id)
    assert run.record_count == len(table) == run.good_count + run.duplicate_count + run.bad_count
    problems = session.scalars(select(ImportProblem).where(ImportProblem.run_id == run_id)).all()
    assert len({row.record for row in problems}) == run.duplicate_count + run.bad_count
    assert all(row.line > 1 and row.reason.endswith(".") for row in problems)


@pytest.fixture
def own(own_database):
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.fixture
def runner(own_database):
    """Starts a process that runs jobs on this test's database, 25 rows a step; none outlives the test."""
    made: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        command = tied(sys.executable, "-m", "tests.support.importing", own_database, str(CRASH), "25")
        made.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.communicate()


def mixed(size: int) -> str:
    """Rows of every sort: new and known people, ties, repeats and faults."""
    lines = [
        [f"M{n},,{AT},R{n},1", f",p{n}@example.com,{AT},R{n},2", f"M{n - 2},p{n - 1}@example.com,{AT},R{n},1", f"M{n},,{AT},R{n - 3},1", f"M{n},,{AT},R{n},x"][n % 5]
        for n in range(5, 5 + size)
    ]  # fmt: skip
    return HEAD + "\n".join(lines) + "\n"


def test_a_check_and_an_import_killed_at_random_moments_end_as_if_nothing_had_happened(
    own, runner, session, make, imported, repeat
):
    size, kills = repeat(400, 3_000), repeat(4, 50)
    expected_run = imported(mixed(size))
    expected = state(session)
    run_id = upload(own, Factories(own).reward(), mixed(size).encode())
    for act in (lambda: None, lambda: apply(own, run_id)):
        act()
        for _ in range(kills):
            process = runner()
            for _ in range(random.randint(1, 6)):  # noqa: S311
                if not process.stdout.readline():
                    break
            process.kill()
            process.wait()
        assert runner().wait(timeout=240) == 0
    run = look(own, run_id)
    assert (run.status, counts(run)) == (ImportStatus.DONE, counts(expected_run))
    assert state(own) == expected
    assert run.created_count == expected_run.created_count
    assert own.scalar(select(func.count()).select_from(ImportProblem)) == run.bad_count + run.duplicate_count
    rejects = b"".join(files.read(own, run.rejects_file_id))
    assert rejects == b"".join(files.read(session, expected_run.rejects_file_id))
    assert {job.status for job in own.scalars(select(Job))} == {JobStatus.DONE}
    assert own.scalar(select(func.count()).where(AuditEntry.event == Event.IMPORT_APPLIED)) == 1


def test_two_imports_at_once_give_every_number_and_person_once(own, runner, repeat):
    """Two rewards share their people; each reward's numbers stay dense."""
    make = Factories(own)
    content = (HEAD + rows(range(repeat(200, 2_000)))).encode()
    runs = [upload(own, make.reward(), content) for _ in range(2)]
    assert runner().wait(timeout=240) == 0
    for run_id in runs:
        apply(own, run_id)
    processes = [runner() for _ in range(2)]
    assert [process.wait(timeout=240) for process in processes] == [0, 0]
    for run_id in runs:
        numbers = own.scalars(select(Entry.number).where(Entry.import_run_id == run_id)).all()
        assert sorted(numbers) == list(range(1, repeat(200, 2_000) + 1))
    assert own.scalar(select(func.count()).select_from(Profile)) == 40


def test_an_upload_judges_the_future_by_its_own_moment(session, make):
    """However long the check waits, it says the same."""
    late = (NOW + timedelta(seconds=1)).isoformat()
    run_id = upload(session, make.reward(), f"Member ID,Entered at\nM1,{late}\nM2,{AT}\n".encode())
    run_jobs(session)
    assert counts(look(session, run_id)) == (2, 1, 0, 1)


def taken_back(session: Session, run_id: int) -> ImportRun:
    perform(session, ANN, NOW, lambda work: import_undo.undo(work, UndoImport(run_id)))
    run_jobs(session)
    return look(session, run_id)


def test_taken_back_at_once_nothing_is_left_and_the_mended_file_comes_in(session, make):
    reward = make.reward(status=RewardStatus.ACTIVE)
    first = upload(session, reward, (HEAD + rows(range(30))).encode())
    run_jobs(session)
    apply(session, first)
    run_jobs(session)
    run = taken_back(session, first)
    assert (run.undone["gone"], run.undone["withdrawn"], run.undone["people"]) == (30, 0, 30)
    assert (session.query(Entry).count(), session.get_one(Reward, reward.id).entry_count) == (0, 0)
    assert session.query(Profile).count() == 0
    again = upload(session, reward, (HEAD + rows(range(30))).encode())
    run_jobs(session)
    apply(session, again)
    run_jobs(session)
    assert look(session, again).entry_count == 30


def test_entrants_of_a_file_are_found_on_its_site_until_their_last_entry_is_taken_back(session, make):
    rewards = [make.reward(status=RewardStatus.ACTIVE) for _ in range(2)]
    rewards[1].site_id = rewards[0].site_id
    session.commit()
    scope, runs = frozenset({rewards[0].site_id}), []
    for reward, start in zip(rewards, (0, 2), strict=True):
        runs.append(upload(session, reward, (HEAD + rows(range(start, start + 4))).encode(), f"{start}.csv"))
        run_jobs(session)
        apply(session, runs[-1])
        run_jobs(session)
    seen = []
    for run_id in (None, *runs):
        if run_id is not None:
            taken_back(session, run_id)
        seen.append({one.external_id for one in search.people(session, scope, "M")})
        assert [item.name for item in INVARIANTS if "site_people" in item.sql and broken(session, item)] == []
    assert seen == [{f"M{number}" for number in range(6)}, {f"M{number}" for number in range(2, 6)}, set()]


def test_entries_that_others_follow_stay_withdrawn_and_free_their_receipts(session, make):
    reward = make.reward(status=RewardStatus.ACTIVE)
    runs = []
    for start in (0, 10):
        runs.append(upload(session, reward, (HEAD + rows(range(start, start + 10))).encode(), f"{start}.csv"))
        run_jobs(session)
        apply(session, runs[-1])
        run_jobs(session)
    run = taken_back(session, runs[0])
    assert (run.undone["gone"], run.undone["withdrawn"]) == (0, 10)
    states = session.execute(select(Entry.number, Entry.status, Entry.receipt).order_by(Entry.number)).all()
    assert [(number, status, receipt is None) for number, status, receipt in states] == [
        (number, EntryStatus.WITHDRAWN if number <= 10 else EntryStatus.OK, number <= 10) for number in range(1, 21)
    ]
    assert session.get_one(Entry, (reward.id, 1)).reason == "The import of its file was taken back. Its receipt was R0."


def test_nothing_is_taken_back_from_a_draw_closed_for_entries(session, make):
    reward = make.reward(status=RewardStatus.ACTIVE)
    run_id = upload(session, reward, (HEAD + rows(range(5))).encode())
    run_jobs(session)
    apply(session, run_id)
    run_jobs(session)
    session.get_one(Reward, reward.id).status = RewardStatus.EXPIRED
    session.commit()
    with pytest.raises(Refused):
        taken_back(session, run_id)
    assert session.query(Entry).count() == 5
    assert look(session, run_id).undo_job_id is None


def test_people_who_were_used_or_changed_since_stay_when_their_file_is_taken_back(session, make):
    content = b"Member ID,First name,E-mail\nM1,Ann,ann@example.com\nM2,Bo,bo@example.com\nM3,Cy,cy@example.com\n"
    file = IncomingFile(
        "p.csv", spreadsheets.survey(io.BytesIO(content), "p.csv"), spreadsheets.Pieces(io.BytesIO(content))
    )
    run = perform(session, ANN, NOW, lambda work: imports.upload_rows(work, UploadRows(ImportKind.PROFILES, file)))
    places = imports.positions(run.mapping, run.headings)
    perform(session, ANN, NOW, lambda work: imports.choose_columns(work, ChooseColumns(run.id, places)))
    run_jobs(session)
    apply(session, run.id)
    run_jobs(session)
    people = {row.external_id: row for row in session.scalars(select(Profile)).all()}
    assert {row.import_run_id for row in people.values()} == {run.id}
    make.entry(make.reward(), profile_id=people["M1"].id)
    people["M2"].first_name, people["M2"].updated_at = "Beau", look(session, run.id).finished_at + timedelta(days=1)
    session.commit()
    done = taken_back(session, run.id)
    assert (done.undone["people"], done.undone["left_count"]) == (1, 2)
    assert session.scalars(select(Profile.external_id).order_by(Profile.id)).all() == ["M1", "M2"]
