"""Erasure erases, evidence stays (P24, I34)."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session

from tests.factories import NOW, Factories
from tests.support.databases import settings_for
from webapp.adapters.engines import engine_options
from webapp.demo.programme import Builder
from webapp.domain.errors import Refused
from webapp.domain.fulfilment import Stage
from webapp.domain.identity import SYSTEM
from webapp.domain.imports import ImportStatus
from webapp.domain.outbox import OutboxStatus
from webapp.domain.protocol import results, texts
from webapp.jobs import housekeeping
from webapp.models import (
    AuditEntry,
    Draw,
    DrawRound,
    Entry,
    ImportProblem,
    ImportRun,
    NameSlip,
    Profile,
    SavedView,
    StoredFile,
    Winner,
)
from webapp.queries import erasure as read
from webapp.queries import files as read_files
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import files, import_discards, profiles
from webapp.services.draws import _rank
from webapp.services.import_discards import DiscardImport
from webapp.services.profiles import EraseProfile, MergeProfiles
from webapp.services.work import perform, transaction

FACTS = {
    "external_id": "QX-4711-77", "title": "Dr", "first_name": "Xanthippe", "last_name": "Quillfeather",
    "email": "xq@quill.example", "phone": "0491570156", "home_phone": "0298765432",
}  # fmt: skip


def erase(session, actor, person, confirmation=None):
    command = EraseProfile(person.id, confirmation or str(person.id), "0123456789ab")
    with transaction(session, actor, NOW) as work:
        return profiles.erase(work, command)


def test_everything_that_says_who_it_was_goes(session, actor, make):
    person = make.profile(
        **FACTS, birth_day=1, attributes={"postcode": "2000"}, tags=["x"], consents={"email_promo": True}
    )
    alias = make.profile(
        external_id=None, email="old@quill.example", first_name="", last_name="", merged_into_id=person.id
    )
    make.identity(person.id, "till", "TILL-990")
    group = make.circle(member_count=1)
    make.joined(person.id, group.id)
    mine = make.message(recipient="old@quill.example", body="Dear Xanthippe")
    about = make.message(
        recipient="ann@example.com",
        body="Xanthippe Quillfeather asks",
        status=OutboxStatus.SENT,
        sent_at=NOW,
        attempts=1,
    )
    other = make.message(recipient="ann@example.com", body="Nothing")
    for title, query in (("Looking for her", "q=xanthippe+quillfeather"), ("Active", "status=active")):
        make.add(SavedView(staff_id=actor.staff_id, screen="profiles", title=title, query=query, created_at=NOW))
    erase(session, actor, person)
    session.expire_all()
    assert person.external_id == "erased-0123456789ab"
    assert (person.full_name, person.email, person.email_key, person.search_text) == ("", "", None, "")
    assert (person.attributes, person.tags, person.consents, person.birth_day) == ({}, [], {}, None)
    assert (alias.email, alias.email_key, alias.external_id, alias.erased_at) == ("", None, None, NOW)
    assert (mine.status, mine.recipient, mine.body) == (OutboxStatus.SKIPPED, "", "")
    assert (about.status, about.body) == (OutboxStatus.SENT, "")
    assert other.body == "Nothing"
    assert group.member_count == 0
    assert session.scalars(select(SavedView.title)).all() == ["Active"]
    assert session.scalars(select(NameSlip.word).where(NameSlip.word.in_(["xanthippe", "quillfeather"]))).all() == []
    told = session.scalars(select(AuditEntry).where(AuditEntry.event == "profile.erased")).one()
    assert told.facts == {"person": str(person.id), "cleared": "1 identity, 1 membership, 2 messages"}
    assert {item.name for item in INVARIANTS if broken(session, item)} == set()


@pytest.mark.parametrize(("confirmation", "words"), [("yes", "Type the number"), ("0", "Type the number")])
def test_the_number_is_typed(session, actor, make, confirmation, words):
    with pytest.raises(Refused, match=words):
        erase(session, actor, make.profile(), confirmation)


def test_nobody_is_erased_twice_nor_after_a_merge(session, actor, make):
    person, other = make.profile(), make.profile()
    erase(session, actor, person)
    with pytest.raises(Refused, match="nothing left"):
        erase(session, actor, person)
    with pytest.raises(Refused, match="was erased"), transaction(session, actor, NOW) as work:
        profiles.merge(work, MergeProfiles(other.id, person.id, "the same"))


def test_a_prize_that_waits_comes_first(session, actor, make):
    winner = make.winner(make.reward(title="Win a bike"), stage=Stage.TO_CONTACT)
    with pytest.raises(Refused, match=r"A prize of «Win a bike» waits for this person\."):
        erase(session, actor, session.get_one(Profile, winner.profile_id))


def upload(session, actor, name, data, encoding, status=ImportStatus.DONE):
    with transaction(session, actor, NOW) as work:
        file = files.store(work, name, "text/csv", [data])
    run = ImportRun(kind="entries", file_id=file.id, encoding=encoding, status=status, created_at=NOW, created_by="A")
    session.add(run)
    session.commit()
    return run


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1", "xlsx"])
def test_uploads_that_name_the_person_lose_their_content(session, actor, make, encoding):
    person = make.profile(**FACTS)
    if encoding == "xlsx":
        out = io.BytesIO()
        with xlsxwriter.Workbook(out) as book:
            book.add_worksheet().write_row(0, 0, ["Mail", "XQ@quill.example"])
        data = out.getvalue()
    else:
        data = ("Id;Mail\n" + "M1;x@example.com\n" * 20_000 + "QX-4711-77;XQ@Quill.example\n").encode(encoding)
    run = upload(session, actor, "people.xlsx" if encoding == "xlsx" else "people.csv", data, encoding)
    other = upload(session, actor, "others.csv", b"QX-4711-778;axq@quill.example.org\n", "utf-8-sig")
    session.add(
        ImportProblem(
            run_id=run.id, record=1, line=2, outcome="bad", value="xq@quill.example", reason="«xq@quill.example» no"
        )
    )
    session.add(
        ImportProblem(run_id=run.id, record=2, line=3, outcome="bad", value="two", reason="«two» is not a number")
    )
    session.commit()
    before = session.get_one(StoredFile, run.file_id).sha256
    erase(session, actor, person)
    session.expire_all()
    file = session.get_one(StoredFile, run.file_id)
    assert (file.size, file.sha256, list(read_files.read(session, file.id))) == (0, before, [])
    assert session.get_one(StoredFile, other.file_id).size > 0
    problems = session.scalars(select(ImportProblem).order_by(ImportProblem.id)).all()
    assert [(row.value, row.reason) for row in problems] == [
        ("", "Erased on request."),
        ("two", "«two» is not a number"),
    ]


def test_an_import_under_way_comes_first(session, actor, make):
    person = make.profile(**FACTS)
    run = upload(session, actor, "people.csv", b"QX-4711-77\n", "utf-8-sig", ImportStatus.CHECKED)
    with pytest.raises(Refused, match=f"Import {run.id} still holds this person"):
        erase(session, actor, person)


def test_everything_in_the_way_is_told_at_once(session, actor, make):
    person = make.profile(**FACTS)
    make.winner(make.reward(title="Win a bike"), profile_id=person.id, slot=1, stage=Stage.TO_CONTACT)
    runs = [
        upload(session, actor, "people.csv", b"QX-4711-77\n", "utf-8-sig", status)
        for status in (ImportStatus.CHECKED, ImportStatus.DONE, ImportStatus.UPLOADED)
    ]
    with pytest.raises(Refused) as told:
        erase(session, actor, person)
    assert told.value.message == (
        "A prize of «Win a bike» waits for this person. Hand it over, or pass it on, before you erase them. "
        f"Imports {runs[0].id}, {runs[2].id} still hold this person. Finish them, or throw them away, on their pages "
        "before you erase them."
    )


@pytest.mark.parametrize(
    ("name", "encoding", "content"),
    [
        ("people.csv", "utf-8-sig", "x" * (256 * 1024 - 5) + " QX-4711-77 and more"),  # across two pieces
        ("people.csv", "cp1252", "é;Quill;xq@quill.example"),
        ("people.csv", "utf-16", "QX-4711-77"),
        ("rejects.csv", "xlsx", "QX-4711-77"),  # what an upload of a spreadsheet left out
    ],
)
def test_an_import_under_way_is_found_by_what_its_file_holds(session, actor, make, name, encoding, content):
    person, other = make.profile(**FACTS), make.profile(external_id="QX-4711-7", email="q@quill.example")
    written = content.encode("utf-8" if encoding == "xlsx" else encoding)
    run = upload(session, actor, name, written, encoding, ImportStatus.CHECKED)
    upload(session, actor, name, written, encoding, ImportStatus.DONE)
    assert [one.id for one in read.busy_imports(session, read.subject(session, person.id))] == [run.id]
    assert read.busy_imports(session, read.subject(session, other.id)) == []


def test_an_upload_thrown_away_is_in_nobodys_way(session, actor, make):
    person = make.profile(**FACTS)
    run = upload(session, actor, "people.csv", b"QX-4711-77\n", "utf-8-sig", ImportStatus.CHECKED)
    run.findings = {"new": 1, "sample": [{"line": 2, "external_id": "QX-4711-77"}]}
    session.commit()
    with transaction(session, actor, NOW) as work:
        import_discards.discard(work, DiscardImport(run.id))
    erase(session, actor, person)
    session.expire_all()
    assert session.get_one(StoredFile, run.file_id).size == 0
    assert run.findings == {"new": 1, "sample": []}


@pytest.mark.parametrize("status", [ImportStatus.DONE, ImportStatus.CANCELLED, ImportStatus.REFUSED])
def test_the_first_rows_an_import_showed_go_too(session, actor, make, status):
    person = make.profile(**FACTS)
    run = upload(session, actor, "people.csv", b"", "utf-8-sig", status)
    run.findings = {"new": 1, "sample": [{"line": 2, "external_id": "QX-4711-77"}]}
    session.commit()
    erase(session, actor, person)
    session.expire_all()
    assert run.findings == {"new": 1, "sample": []}


def marks(number):
    """What one of the people of the test is known by, like nobody else in the programme."""
    syllables = ["qua", "xer", "wol", "jip", "zod", "kru", "vye", "thw"]
    word = "".join(syllables[(number // 8**place) % 8] for place in range(4))
    return {
        "external_id": f"PX{number:05}Z", "first_name": f"Fi{word}", "last_name": f"La{word}rth",
        "email": f"{word}.{number}@erase.example", "phone": f"0777{number:06}", "home_phone": f"0666{number:06}",
    }  # fmt: skip


def remains(database, session, folder, words):
    """Which of ``words`` the database's own files, or every table there is, still hold."""
    found = set()
    if database == "sqlite":  # its file, its log, and whatever lies beside them
        for path in folder.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                found |= {word for word in words if word.encode() in data}
        return found
    tables = session.scalars(
        text("select table_name from information_schema.tables where table_schema = 'public'")
    ).all()
    for table in tables:
        whole = "\n".join(map(str, session.scalars(text(f'select t::text from "{table}" t'))))  # noqa: S608
        found |= {word for word in words if word in whole}
    return found


def test_p24_erasure_erases_and_evidence_stays(own_database, database, tmp_path, repeat):
    count = repeat(60, 500)
    settings = settings_for(own_database, tmp_path)
    engine = create_engine(own_database, **engine_options(own_database, threads=2))
    Builder(lambda: Session(engine, expire_on_commit=False), NOW, settings, "small").build()
    with Session(engine, expire_on_commit=False) as session:
        make = Factories(session)
        rows = session.scalars(
            select(Profile)
            .where(Profile.merged_into_id.is_(None), Profile.id.not_in(waiting()))
            .order_by(Profile.id.in_(select(Winner.profile_id)).desc(), Profile.id)
            .limit(count)
        ).all()
        words = plant(session, make, rows)
        assert session.scalar(select(func.count()).select_from(Entry).where(Entry.profile_id.in_([r.id for r in rows])))
        before = evidence(session)
        assert remains(database, session, folder_of(own_database, tmp_path), words)
        for number, row in enumerate(rows):
            command = EraseProfile(row.id, str(row.id), f"{number:012}")
            perform(session, SYSTEM, NOW + timedelta(minutes=number), lambda work, c=command: profiles.erase(work, c))
        housekeeping.run_due(lambda: Session(engine, expire_on_commit=False))
        assert remains(database, session, folder_of(own_database, tmp_path), words) == set()
        session.rollback()
        assert evidence(session) == before
        assert {item.name for item in INVARIANTS if broken(session, item)} == set()
    engine.dispose()


def waiting():
    return select(Winner.profile_id).where(Winner.stage.in_((Stage.TO_CONTACT, Stage.NOTIFIED, Stage.ACCEPTED)))


def folder_of(url, tmp_path):
    return Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite") else tmp_path


def plant(session, make, rows):
    """Everything personal the programme can hold of these people; gives the words to look for."""
    words, lines = set(), ["Member ID,E-mail,First name"]
    for number, row in enumerate(rows):
        known = marks(number)
        command = profiles.ChangeProfile(profile_id=row.id, version=row.version, **known, postcode=f"PC{number:04}Q")
        perform(session, SYSTEM, NOW, lambda work, c=command: profiles.change(work, c))
        make.identity(row.id, "till", f"IDN{number:05}Q")
        make.message(
            recipient=known["email"],
            subject=f"For {known['first_name']}",
            body=f"Dear {known['first_name']} {known['last_name']}",
        )
        lines.append(f"{known['external_id']},{known['email']},{known['first_name']}")
        words |= {
            *known.values(),
            known["first_name"].lower(),
            known["last_name"].lower(),
            f"PC{number:04}Q",
            f"IDN{number:05}Q",
        }
    upload(session, SYSTEM, "people.csv", "\n".join(lines).encode(), "utf-8-sig")
    return words


def evidence(session):
    """Every drawn result, drawn again from what is stored: it must come out as it did, byte for byte."""
    found = []
    for draw, drawn in session.execute(select(Draw, DrawRound).join(DrawRound, DrawRound.draw_id == Draw.id)).all():
        public = results.PublicValue.witnessed(drawn.value, drawn.drawn_by)
        outcome = _rank(session, draw, results.Round(drawn.round, draw.seal, drawn.code, public))
        assert texts.fingerprint(outcome) == drawn.result_sha256
        found.append((draw.reference, draw.entries_root, drawn.result_sha256))
    assert found
    return found
