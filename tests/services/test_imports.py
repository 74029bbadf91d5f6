"""Uploading, choosing columns and importing: what is kept, what is refused, what the log tells."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.support.clock import NOW
from webapp.adapters import spreadsheets
from webapp.domain.audit import Event
from webapp.domain.errors import NotFound, Refused
from webapp.domain.import_rows import Draft
from webapp.domain.imports import ImportContract, ImportStatus
from webapp.domain.jobs import JobStatus
from webapp.domain.rewards import RewardStatus
from webapp.models import Entry, ImportMapping, ImportRun, Job, Profile, StoredFile
from webapp.queries import files
from webapp.queries import imports as read
from webapp.services import entries, housekeeping, import_discards, imports, jobs, profiles
from webapp.services import files as stored
from webapp.services.import_discards import DiscardImport
from webapp.services.imports import ApplyImport, CancelImport, ChooseColumns, IncomingFile, UploadEntries

HEAD = "Member ID,E-mail,Entered at,Receipt\n"
ROW = "M1,ann@example.com,2026-01-05T10:00:00Z,R1\n"
NONCES = bytes(range(256)) * 1_000


def incoming(content: str = HEAD + ROW, name: str = "x.csv") -> IncomingFile:
    stream = io.BytesIO(content.encode())
    return IncomingFile(name, spreadsheets.survey(stream, name), spreadsheets.Pieces(stream))


@pytest.fixture
def uploaded(work, make):
    def act(content: str = HEAD + ROW, **changes):
        return imports.upload(work, UploadEntries(make.reward(**changes).id, incoming(content)))

    return act


def told(work):
    return [item["event"] for item in work.events]


def draft(number: int, **changes) -> Draft:
    values = {"external_id": f"M{number}", "email": f"p{number}@example.com", "receipt": f"R{number}"} | changes
    address = values["email"]
    return Draft(
        line=number + 1, email_key=address.casefold(), first_name="Ann", last_name="Lee", phone="", postcode="",
        store="", entered_at=NOW, tickets=1, **values,
    )  # fmt: skip


def test_an_upload_is_kept_whole_with_its_columns_guessed(work, uploaded):
    run = uploaded()
    assert b"".join(files.read(work.session, run.file_id)).decode() == HEAD + ROW
    assert run.mapping == {
        "external_id": "Member ID",
        "email": "E-mail",
        "entered_at": "Entered at",
        "receipt": "Receipt",
    }
    assert (run.status, run.record_count, run.created_by) == (ImportStatus.UPLOADED, 1, "Ann Able")
    assert told(work) == [Event.IMPORT_STARTED]


@pytest.mark.parametrize("status", [RewardStatus.DRAFT, RewardStatus.EXPIRED, RewardStatus.FULFILLED])
def test_a_reward_that_takes_no_entries_takes_no_file(work, uploaded, status):
    with pytest.raises(Refused, match="entries are added while it is active"):
        uploaded(status=status)
    assert work.session.scalar(select(func.count()).select_from(StoredFile)) == 0


def test_choosing_columns_queues_the_check_and_is_remembered(work, uploaded):
    run = imports.choose_columns(work, ChooseColumns(uploaded().id, {"external_id": 1, "entered_at": 3}))
    job = work.session.get(Job, run.check_job_id)
    assert (run.status, job.kind, job.subject) == (ImportStatus.CHECKING, "entries.check", f"import_runs:{run.id}")
    assert work.session.scalars(select(ImportMapping)).one().mapping == {
        "external_id": "Member ID",
        "entered_at": "Entered at",
    }
    assert uploaded().mapping == {"external_id": "Member ID", "entered_at": "Entered at"}


def test_columns_that_are_not_in_the_file_are_not_chosen(work, uploaded):
    with pytest.raises(Refused, match="No column tells who"):
        imports.choose_columns(work, ChooseColumns(uploaded().id, {"external_id": 99, "entered_at": 3}))


def test_a_file_being_checked_is_not_checked_twice(work, uploaded):
    run = imports.choose_columns(work, ChooseColumns(uploaded().id, {"external_id": 1, "entered_at": 3}))
    with pytest.raises(Refused, match="is being checked"):
        imports.choose_columns(work, ChooseColumns(run.id, {"external_id": 1, "entered_at": 3}))


def test_an_upload_nobody_knows_is_not_found(work):
    with pytest.raises(NotFound):
        imports.choose_columns(work, ChooseColumns(404))


def checked(run: ImportRun, good: int = 1, bad: int = 0) -> ImportRun:
    run.status, run.good_count, run.bad_count = ImportStatus.CHECKED, good, bad
    return run


def test_importing_is_refused_before_the_check(work, uploaded):
    with pytest.raises(Refused, match="has not been checked yet"):
        imports.apply(work, ApplyImport(uploaded().id, ImportContract.GOOD_ROWS))


def test_all_or_nothing_with_bad_rows_is_refused_before_anything_is_written(work, uploaded):
    run = checked(uploaded(), bad=1)
    with pytest.raises(Refused, match="1 of the rows is bad") as refusal:
        imports.apply(work, ApplyImport(run.id, ImportContract.ALL_OR_NOTHING))
    assert refusal.value.field == "contract"


def test_a_reward_that_closed_since_the_check_is_refused(work, make, uploaded):
    run = checked(uploaded())
    work.session.get(type(make.reward()), run.reward_id).status = RewardStatus.EXPIRED
    work.session.flush()
    with pytest.raises(Refused, match="is expired"):
        imports.apply(work, ApplyImport(run.id, ImportContract.GOOD_ROWS))


def test_an_import_is_queued_once(work, uploaded):
    run = checked(uploaded())
    imports.apply(work, ApplyImport(run.id, ImportContract.GOOD_ROWS))
    with pytest.raises(Refused, match="is being imported"):
        imports.apply(work, ApplyImport(run.id, ImportContract.GOOD_ROWS))


def test_a_stopped_import_goes_on_where_it_was(work, uploaded):
    run = imports.apply(work, ApplyImport(checked(uploaded()).id, ImportContract.GOOD_ROWS))
    first = work.session.get(Job, run.apply_job_id)
    first.cursor, first.done = {"record": 40}, 40
    imports.cancel(work, CancelImport(run.id))
    assert (run.status, first.status) == (ImportStatus.CANCELLED, JobStatus.CANCELLED)
    imports.apply(work, ApplyImport(run.id, ImportContract.GOOD_ROWS))
    second = work.session.get(Job, run.apply_job_id)
    assert second.id != first.id
    assert (second.cursor, second.done) == ({"record": 40}, 40)


def test_a_check_that_was_stopped_can_be_started_again(work, uploaded):
    run = imports.choose_columns(work, ChooseColumns(uploaded().id, {"external_id": 1, "entered_at": 3}))
    imports.cancel(work, CancelImport(run.id))
    assert run.status is ImportStatus.UPLOADED
    imports.choose_columns(work, ChooseColumns(run.id, {"external_id": 1, "entered_at": 3}))


def test_a_job_that_failed_leaves_its_reason_and_a_trace(work, uploaded):
    run = imports.apply(work, ApplyImport(checked(uploaded()).id, ImportContract.GOOD_ROWS))
    jobs.end(work, work.session.get(Job, run.apply_job_id), JobStatus.FAILED, error="The disk is full.")
    assert (run.status, run.problem) == (ImportStatus.CANCELLED, "The disk is full.")
    assert Event.IMPORT_REFUSED in told(work)


def test_nothing_to_stop_is_said_so(work, uploaded):
    with pytest.raises(Refused, match="nothing to stop"):
        imports.cancel(work, CancelImport(uploaded().id))


def test_numbers_have_no_gaps_and_nonces_differ(work, make):
    reward, person = make.reward(entry_count=7), make.profile()
    entries.hold(work, reward.id)
    first = entries.add(work, reward.id, [draft(1), draft(2)], [person.id] * 2, lambda size: NONCES[:size])
    rows = work.session.execute(select(Entry.number, Entry.nonce).order_by(Entry.number)).all()
    assert first == 8
    assert rows == [(8, NONCES[:16]), (9, NONCES[16:32])]
    work.session.refresh(reward)
    assert reward.entry_count == 9


def test_entries_are_not_added_to_a_reward_that_is_closed(work, make):
    with pytest.raises(Refused, match="is expired"):
        entries.hold(work, make.reward(status=RewardStatus.EXPIRED).id)


def test_people_are_created_found_and_filled_in(work, make):
    known = make.profile(external_id="M1", email="", email_key=None, last_name="", attributes={"shoe": 43})
    ids, created = profiles.enrol(work, [draft(1), draft(2), draft(2)._replace(receipt="x")], work.now)
    assert ids[0] == known.id
    assert ids[1] == ids[2]
    assert created == 1
    work.session.expire_all()
    assert (known.email, known.email_key, known.last_name, known.attributes) == (
        "p1@example.com", "p1@example.com", "Lee", {"shoe": 43},
    )  # fmt: skip
    assert known.search_text.startswith("lee ann m1 p1@example.com")


def test_a_person_who_was_two_becomes_one_with_all_entries(work, make):
    reward = make.reward()
    other = make.profile(external_id=None, email="p1@example.com")
    member = make.profile(external_id="M1", email="", email_key=None)
    make.entry(reward, profile_id=other.id)
    ids, created = profiles.enrol(work, [draft(1)], work.now + timedelta(seconds=1))
    assert (ids, created) == ([member.id], 0)
    work.session.expire_all()
    assert work.session.scalars(select(Profile.id)).all() == [member.id]
    assert member.email_key == "p1@example.com"
    assert work.session.scalars(select(Entry.profile_id)).all() == [member.id]


def test_a_merged_person_keeps_what_a_sealed_draw_says(work, make):
    reward = make.reward()
    other = make.profile(external_id=None, email="p1@example.com")
    member = make.profile(external_id="M1", email="", email_key=None)
    make.entry(reward, profile_id=other.id)
    make.draw(reward, sealed_at=work.now, state="sealed", seal=b"{}", seal_sha256="0" * 64)
    profiles.enrol(work, [draft(1)], work.now)
    work.session.expire_all()
    assert (other.merged_into_id, other.email_key) == (member.id, None)
    assert work.session.scalars(select(Entry.profile_id)).all() == [other.id]


def test_a_second_address_leads_to_the_same_person(work, make):
    member = make.profile(external_id="M1", email="first@example.com")
    assert profiles.enrol(work, [draft(1)], work.now) == ([member.id], 0)
    assert profiles.enrol(work, [draft(1, external_id="")], work.now) == ([member.id], 0)
    assert member.email == "first@example.com"


def test_the_same_file_elsewhere_is_no_twin(work, make, uploaded):
    first, second = uploaded(), uploaded()
    first.status, first.entry_count = ImportStatus.DONE, 1
    work.session.flush()
    assert read.twins(work.session, read.sheet(work.session, second.id, None)) == []
    again = imports.upload(work, UploadEntries(first.reward_id, incoming()))
    assert [number for number, _, _ in read.twins(work.session, read.sheet(work.session, again.id, None))] == [first.id]
    first.undone_at = work.now
    work.session.flush()
    assert read.twins(work.session, read.sheet(work.session, again.id, None)) == []


def test_an_upload_outside_the_scope_is_not_found(work, uploaded):
    run = uploaded()
    assert read.sheet(work.session, run.id, frozenset({run.site_id})).run is run
    with pytest.raises(NotFound):
        read.sheet(work.session, run.id, frozenset())


def discard(work, run):
    return import_discards.discard(work, DiscardImport(run.id))


def test_what_is_thrown_away_loses_its_content_and_keeps_who_what_and_how_much(work, uploaded):
    run = checked(uploaded(), good=1, bad=1)
    sha256 = work.session.get_one(StoredFile, run.file_id).sha256
    run.findings = {"new_people": 1, "sample": [{"line": 2, "external_id": "M1"}]}
    rejects = stored.store(work, "x.csv.rejects.csv", "text/csv", [b"Member ID,Line,Column,Reason\r\n"])
    run.rejects_file_id = rejects.id
    job = jobs.enqueue(work, jobs.NewJob("entries.check", "Check x.csv", run.site_id, f"import_runs:{run.id}", {}, 1))
    job.result_file_id = rejects.id
    work.session.flush()
    discard(work, run)
    work.session.expire_all()
    file = work.session.get_one(StoredFile, run.file_id)
    assert (run.status, run.finished_at, run.created_by) == (ImportStatus.DISCARDED, NOW, "Ann Able")
    assert (file.name, file.sha256, file.size, list(files.read(work.session, file.id))) == ("x.csv", sha256, 0, [])
    assert list(files.read(work.session, rejects.id)) == []
    assert job.result_file_id is None
    assert (run.good_count, run.bad_count, run.mapping["external_id"]) == (1, 1, "Member ID")
    assert run.findings == {"new_people": 1, "sample": []}
    assert told(work)[-1] == Event.IMPORT_DISCARDED


def test_what_a_stopped_check_counted_does_not_count(work, uploaded):
    run = uploaded()
    run.findings, run.good_count = {"new_people": 1}, 1
    work.session.flush()
    assert (discard(work, run).findings, run.good_count, run.record_count) == ({}, 0, 1)


@pytest.mark.parametrize(
    ("status", "words"),
    [(ImportStatus.CHECKING, "is being checked"), (ImportStatus.APPLYING, "is being imported"), (ImportStatus.DONE, "has been imported"),
     (ImportStatus.CANCELLED, "was stopped halfway"), (ImportStatus.DISCARDED, "was thrown away"), (ImportStatus.REFUSED, "could not be read")],
)  # fmt: skip
def test_only_what_waits_is_thrown_away(work, uploaded, status, words):
    run = uploaded()
    run.status = status
    work.session.flush()
    with pytest.raises(Refused, match=f"x.csv {words}; only an upload that waits"):
        discard(work, run)
    assert work.session.get_one(StoredFile, run.file_id).size > 0


@pytest.mark.parametrize("act", ["choose", "apply", "cancel"])
def test_nothing_goes_on_with_what_was_thrown_away(work, uploaded, act):
    run = discard(work, checked(uploaded()))
    acts = {
        "choose": lambda: imports.choose_columns(work, ChooseColumns(run.id, {"external_id": 1, "entered_at": 3})),
        "apply": lambda: imports.apply(work, ApplyImport(run.id, ImportContract.GOOD_ROWS)),
        "cancel": lambda: imports.cancel(work, CancelImport(run.id)),
    }
    with pytest.raises(Refused, match="was thrown away"):
        acts[act]()


def test_what_waited_for_thirty_days_is_thrown_away_by_itself(work, uploaded):
    old, late, imported, fresh = checked(uploaded()), checked(uploaded()), checked(uploaded()), uploaded()
    for run in (old, late, imported):
        run.created_at = NOW - timedelta(days=31)
    fresh.created_at = NOW - timedelta(days=29)
    imported.status = ImportStatus.DONE
    job = jobs.enqueue(work, jobs.NewJob("entries.check", "Check x.csv", None, "", {}, 1))
    job.status, job.finished_at, late.check_job_id = JobStatus.DONE, NOW - timedelta(days=29), job.id
    work.session.flush()
    assert housekeeping.forget(work) == 1
    work.session.expire_all()
    assert [run.status for run in (old, late, imported, fresh)] == [
        ImportStatus.DISCARDED,
        ImportStatus.CHECKED,
        ImportStatus.DONE,
        ImportStatus.UPLOADED,
    ]
    assert told(work).count(Event.IMPORT_DISCARDED) == 1
