"""Files of people: everything an export writes comes back, what is known is met as was chosen, and all of it can be undone."""

from __future__ import annotations

import io
import random
from datetime import UTC, date, datetime, timedelta

import pytest
import xlsxwriter
from sqlalchemy import create_engine, func, insert, select
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.jobs import run_jobs
from webapp.adapters import spreadsheets
from webapp.adapters.engines import engine_options
from webapp.domain.audit import Event
from webapp.domain.identity import Actor
from webapp.domain.import_columns import ImportKind
from webapp.domain.import_rows import clean
from webapp.domain.imports import ImportContract, ImportStatus, Outcome
from webapp.domain.people import CONSENTS, AttributeKind, Gender
from webapp.domain.profiles import email_key, search_keys
from webapp.jobs import imports as jobs
from webapp.models import (
    AuditEntry,
    BenefitChange,
    ImportProblem,
    ImportRun,
    Location,
    NameSlip,
    Profile,
    ProfileIdentity,
    ProfileTerm,
    Tier,
)
from webapp.queries import files, search
from webapp.queries import profiles as read
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import import_undo, imports, profiles
from webapp.services.import_undo import UndoImport
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadRows
from webapp.services.profiles import MergeProfiles
from webapp.services.work import perform

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANN = Actor("Ann Able")
HOSTILE = (
    "=1+1", "+61 400", "-1", "@home", "'quoted", "'=x", "O’Hara", "Zoë", "李", "𝒜da", "a,b;c", 'say "no"', "tab", "x" * 60,
    "%_\\", "<b>", "\u00a0nbsp\u00a0x", "null", "0012", "＝full", "1e400", "é" * 40, "back\\slash", "a\u200db",
)  # fmt: skip


@pytest.fixture
def programme(new_database):
    """As many empty programmes as wanted, with what people may have."""
    opened = []

    def new() -> Session:
        url = new_database()
        engine = create_engine(url, **engine_options(url, threads=1))
        session = Session(engine, expire_on_commit=False)
        opened.append((engine, session))
        make = Factories(session)
        for name in ("gold", "silver"):
            make.tier(name=name)
        make.place(external_id="SYD1")
        make.place(external_id="=cmd", closed_at=NOW)
        for kind in AttributeKind:
            choices = ["L", "=XL"] if kind is AttributeKind.CHOICE else []
            make.fact(kind, name=f"custom.{kind.name.lower()}", choices=choices)
        return session

    yield new
    for engine, session in opened:
        session.close()
        engine.dispose()


def exported(session: Session) -> bytes:
    session.rollback()
    return b"".join(spreadsheets.csv_stream(read.EXPORT, read.stream(session)))


def kept(session: Session, content: bytes, name: str = "p.csv") -> ImportRun:
    """Upload."""
    stream = io.BytesIO(content)
    file = IncomingFile(name, spreadsheets.survey(stream, name), spreadsheets.Pieces(stream))
    return perform(session, ANN, NOW, lambda work: imports.upload_rows(work, UploadRows(ImportKind.PROFILES, file)))


def uploaded(session: Session, content: bytes, name: str = "p.csv", **options: str) -> ImportRun:
    """Upload and check."""
    run = kept(session, content, name)
    places = imports.positions(run.mapping, run.headings)
    perform(session, ANN, NOW, lambda work: imports.choose_columns(work, ChooseColumns(run.id, places, **options)))
    run_jobs(session)
    return look(session, run.id)


def imported(session: Session, content: bytes, name: str = "p.csv", **options: str) -> ImportRun:
    """Upload, check, import the good rows."""
    run = uploaded(session, content, name, **options)
    if run.good_count:
        perform(session, ANN, NOW, lambda work: imports.apply(work, ApplyImport(run.id, ImportContract.GOOD_ROWS)))
        run_jobs(session)
    return look(session, run.id)


def taken_back(session: Session, run: ImportRun) -> ImportRun:
    perform(session, ANN, NOW + timedelta(hours=1), lambda work: import_undo.undo(work, UndoImport(run.id)))
    run_jobs(session)
    return look(session, run.id)


def look(session: Session, run_id: int) -> ImportRun:
    session.rollback()
    session.expire_all()
    return session.get_one(ImportRun, run_id)


def problems(session: Session, run: ImportRun) -> list[tuple[int, str, str]]:
    columns = (ImportProblem.line, ImportProblem.column, ImportProblem.reason)
    return [
        tuple(row)
        for row in session.execute(select(*columns).where(ImportProblem.run_id == run.id).order_by(ImportProblem.id))
    ]


def varied(session: Session, count: int, seed: int = 7) -> None:
    """People with every field in every shape our forms can leave behind."""
    luck = random.Random(seed)  # noqa: S311
    tiers, places = session.scalars(select(Tier.id)).all(), session.scalars(select(Location.id)).all()

    def some(*values: object) -> object:
        return luck.choice([*values, values[0]])

    def text(most: int) -> str:
        return some("", luck.choice(HOSTILE), f"{luck.choice(HOSTILE)} {luck.choice(HOSTILE)}")[:most].strip()

    facts = {
        "text": lambda: f"line\n{luck.choice(HOSTILE)}",
        "whole_number": lambda: luck.randint(-9, 9),
        "decimal": lambda: luck.choice([1.5, -0.25, 3.0]),
        "yes_no": lambda: luck.choice([True, False]),
        "date": lambda: "2020-02-29",
        "choice": lambda: luck.choice(["L", "=XL"]),
    }
    for n in range(count):
        member = luck.random() < 0.8
        email = some(
            f"P{n}@Example.com", f"ü{n}@exämple.com", "shared@example.com" if member else f"q{n}@example.com", ""
        )
        first = text(120) or ("" if member or email else f"Only {n}")
        person = Profile(
            external_id=some(f"M{n}", f"=M{n}", f"m,{n}") if member else None,
            email=email,
            title=text(40), first_name=first, last_name=text(120), phone=text(40), home_phone=text(40),
            zone=some("", "Europe/London", "Asia/Kolkata"),
            birth_day=some(None, 29), birth_month=some(None, 2), birth_year=some(None, 1980),
            gender=some(*Gender),
            joined_at=some(None, NOW - timedelta(days=n, microseconds=n)),
            joined_location_id=some(None, *places), preferred_location_id=some(None, *places), tier_id=some(None, *tiers),
            tags=some([], ["vip"], ["b", "a"], ["=x", "ünïcode"]), statuses=some([], ["new", "active"]),
            consents={name: luck.random() < 0.5 for name in luck.sample(CONSENTS, luck.choice([0, 0, 1, 5]))},
            attributes={f"custom.{name}": make() for name, make in facts.items() if luck.random() < 0.3}
            | ({"postcode": text(20)} if luck.random() < 0.3 else {}),
            created_at=NOW - timedelta(days=2 * n + 1, microseconds=n), updated_at=NOW - timedelta(seconds=n),
        )  # fmt: skip
        if person.attributes.get("postcode") == "":
            del person.attributes["postcode"]
        taken = (
            email.startswith("shared") and n and session.scalar(select(Profile.id).where(Profile.email_key == email))
        )
        person.email_key = None if taken else email_key(email) or None
        for name, key in search_keys(person).items():
            setattr(person, name, key)
        session.add(person)
        session.flush()
        for system in luck.sample(["pos", "c=r;m", "app"], luck.choice([0, 0, 1, 2])):
            identifier = f"{luck.choice(HOSTILE)}{n}".strip()
            session.add(ProfileIdentity(profile_id=person.id, system=system, identifier=identifier, is_active=luck.random() < 0.6, created_at=NOW))  # fmt: skip
    session.commit()


def test_everything_an_export_of_people_writes_comes_back_to_the_byte(programme):
    first, second = programme(), programme()
    varied(first, 500)
    file = exported(first)
    run = imported(second, file)
    assert (run.bad_count, run.duplicate_count, run.created_count) == (0, 0, 500), problems(second, run)[:5]
    assert exported(second) == file


def state(session: Session) -> tuple[object, ...]:
    """Everything that is kept of people, and how often the log speaks of them."""
    session.rollback()
    rows = [tuple(row) for row in session.execute(select(*Profile.__table__.columns).order_by(Profile.id))]
    identities = [
        tuple(row) for row in session.execute(select(*ProfileIdentity.__table__.columns).order_by(ProfileIdentity.id))
    ]
    terms = [
        tuple(row) for row in session.execute(select(*ProfileTerm.__table__.columns).order_by("profile_id", "term"))
    ]
    slips = session.scalar(select(func.count()).select_from(NameSlip))
    told = session.scalar(
        select(func.count()).where(AuditEntry.event.in_([Event.PROFILE_CHANGED, Event.PROFILE_CREATED]))
    )
    return repr(rows), identities, terms, slips, told


@pytest.mark.parametrize("known_rows", ["fill", "replace", "leave"])
def test_p12_the_same_file_twice_changes_nothing(programme, known_rows):
    first, second = programme(), programme()
    varied(first, 120, seed=11)
    file = exported(first)
    imported(second, file)
    before = state(second)
    run = imported(second, file, known_rows=known_rows)
    assert (run.status, run.created_count, run.changed_count) == (ImportStatus.DONE, 0, 0)
    assert state(second) == before


def test_people_who_come_in_are_found_as_those_typed_in(programme):
    first, second = programme(), programme()
    varied(first, 60, seed=3)
    imported(second, exported(first))
    for person in second.scalars(select(Profile)).all():
        assert {name: getattr(person, name) for name in ("search_text", "name_key", "phone_key")} == search_keys(person)


HEAD = "Member ID,First name,Surname,E-mail,Mobile,Tier,Tags,custom.whole_number,email_promo\n"


def people(session: Session) -> dict[str, Profile]:
    session.rollback()
    return {row.external_id or row.email: row for row in session.scalars(select(Profile).order_by(Profile.id)).all()}


@pytest.fixture
def ours(programme):
    session = programme()
    imported(session, f"{HEAD}M1,Ann,Lee,ann@example.com,,gold,vip,7,yes\n".encode())
    return session


OTHER = f"{HEAD}M1,Anna,Lee,anna@example.com,0400,silver,,8,no\n".encode()


def test_fill_in_touches_only_what_is_empty(ours):
    run = imported(ours, OTHER, known_rows="fill")
    assert (run.created_count, run.changed_count) == (0, 1)
    ann = people(ours)["M1"]
    assert (ann.first_name, ann.email, ann.phone, ann.tags) == ("Ann", "ann@example.com", "0400", ["vip"])
    assert (ann.attributes, ann.consents, ann.version) == ({"custom.whole_number": 7}, {"email_promo": True}, 2)


def test_replace_puts_what_differs_in_place_and_an_empty_cell_leaves(ours):
    imported(ours, OTHER, known_rows="replace", empty_cells="leave")
    ann = people(ours)["M1"]
    assert (ann.first_name, ann.email_key, ann.phone_key, ann.tags) == ("Anna", "anna@example.com", "0400", ["vip"])
    assert (ann.attributes, ann.consents) == ({"custom.whole_number": 8}, {"email_promo": False})


def test_replace_may_clear_what_is_empty_in_the_file_but_never_who_it_is(ours):
    imported(ours, f"{HEAD}M1,,,,,,,,\n".encode(), known_rows="replace", empty_cells="clear")
    ann = people(ours)["M1"]
    assert (ann.first_name, ann.tier_id, ann.tags, ann.attributes, ann.consents) == ("", None, [], {}, {})
    assert (ann.external_id, ann.email) == ("M1", "ann@example.com")


def test_leave_brings_new_people_only(ours):
    run = imported(ours, OTHER + b"M2,Bo,,,,,,,\n", known_rows="leave")
    assert (run.created_count, run.changed_count) == (1, 0)
    assert people(ours)["M1"].first_name == "Ann"


def test_the_check_tells_how_many_are_new_and_how_many_would_change(ours):
    run = uploaded(ours, OTHER + b"M2,Bo,,,,,,,\n,Cy,,,,,,,\n", known_rows="replace")
    assert (run.good_count, run.bad_count, run.findings["new"], run.findings["changed"]) == (2, 1, 1, 1)
    assert run.options == {"known_rows": "replace", "empty_cells": "leave", "archived_rows": "refuse"}


def test_options_and_columns_are_remembered_for_the_same_headings(ours):
    uploaded(ours, OTHER, known_rows="replace", empty_cells="clear")
    stream = io.BytesIO(OTHER)
    file = IncomingFile("again.csv", spreadsheets.survey(stream, "again.csv"), spreadsheets.Pieces(stream))
    run = perform(ours, ANN, NOW, lambda work: imports.upload_rows(work, UploadRows(ImportKind.PROFILES, file)))
    assert (run.options["known_rows"], run.options["empty_cells"]) == ("replace", "clear")


@pytest.mark.parametrize("head", ["Nr;Vorn;Nachn;Adr", "Line;Vorn;Nachn;+Adr"])
def test_columns_and_options_are_remembered_for_the_rejects_of_a_file_and_for_theirs(ours, head):
    content = f"{head}\nM1;Anna;Lee;nowhere\nM2;Bo;Berg;no address\n".encode()
    places = {"external_id": 1, "first_name": 2, "last_name": 3, "email": 4}
    chosen = {"known_rows": "replace", "empty_cells": "clear", "archived_rows": "restore"}
    for name in ("kunden.csv", "kunden.csv.rejects.csv", "kunden.csv.rejects.csv.rejects.csv"):
        run = kept(ours, content, name)
        assert name == "kunden.csv" or imports.positions(run.mapping, run.headings) == places
        assert name == "kunden.csv" or run.options == chosen
        command = ChooseColumns(run.id, places, **(chosen if name == "kunden.csv" else {}))
        perform(ours, ANN, NOW, lambda work, command=command: imports.choose_columns(work, command))
        run_jobs(ours)
        run = look(ours, run.id)
        assert (run.good_count, run.bad_count) == (0, 2)
        content = rejects(ours, run)
    run = kept(
        ours, content.replace(b"nowhere", b"anna@example.com").replace(b"no address", b"bo@example.com"), "k.csv"
    )
    perform(ours, ANN, NOW, lambda work: imports.choose_columns(work, ChooseColumns(run.id, places)))
    run_jobs(ours)
    perform(ours, ANN, NOW, lambda work: imports.apply(work, ApplyImport(run.id, ImportContract.ALL_OR_NOTHING)))
    run_jobs(ours)
    assert {key: (one.first_name, one.email) for key, one in people(ours).items()} == {
        "M1": ("Anna", "anna@example.com"),
        "M2": ("Bo", "bo@example.com"),
    }


def test_taken_back_everybody_is_what_they_were_and_the_new_are_gone(ours):
    before = people(ours)["M1"]
    kept = {name: getattr(before, name) for name in Profile.__table__.columns.keys()}  # noqa: SIM118
    terms = ours.execute(select(ProfileTerm.profile_id, ProfileTerm.term)).all()
    run = imported(ours, OTHER + b"M2,Bo van Dam,,,,,,,\n", known_rows="replace", empty_cells="clear")
    assert len(people(ours)) == 2
    run = taken_back(ours, run)
    assert (run.undone["restored"], run.undone["people"], run.undone["left_count"]) == (1, 1, 0)
    after = people(ours)
    assert list(after) == ["M1"]
    now = {name: getattr(after["M1"], name) for name in kept}
    assert {name for name, value in now.items() if value != kept[name]} == {"version", "updated_at"}
    assert ours.execute(select(ProfileTerm.profile_id, ProfileTerm.term)).all() == terms


def test_whoever_had_or_claimed_a_benefit_that_went_on_stays(ours):
    make = Factories(ours)
    keeper = make.profile()
    run = imported(ours, b"Member ID,First name\nM2,Bo\nM3,Cy\nM4,Di\n")
    found = people(ours)
    make.benefit(None, keeper, source="claim", claimed_by_id=found["M3"].id)
    passed_on = {"benefit_id": make.benefit(None, keeper).id, "move": "reassigned", "at": NOW, "by": "A", "note": ""}
    ours.execute(insert(BenefitChange), [passed_on | {"profile_id": found["M2"].id}])
    ours.commit()
    run = taken_back(ours, run)
    assert (run.undone["people"], run.undone["left_count"]) == (1, 2)


def test_who_was_changed_merged_or_used_since_stays_and_is_told(ours):
    make = Factories(ours)
    imported(ours, b"Member ID,First name\nM4,Di\n")
    run = imported(ours, OTHER + b"M2,Bo,,,,,,,\nM3,Cy,,,,,,,\nM4,Dee,,,,,,,\n", known_rows="replace")
    found = people(ours)
    make.entry(make.reward(), profile_id=found["M2"].id)
    found["M1"].phone = "0500"
    found["M4"].merged_into_id, found["M4"].external_id = found["M1"].id, None
    ours.commit()
    run = taken_back(ours, run)
    assert (run.undone["restored"], run.undone["people"], run.undone["left_count"]) == (0, 1, 3)
    assert set(run.undone["left"]) == {
        f"Person {found['M1'].id} was changed since.",
        f"Person {found['M4'].id} was merged or erased since.",
        f"Person {found['M2'].id} has been used or changed since.",
    }
    assert people(ours)["M1"].first_name == "Anna"


def test_who_entered_is_found_on_the_site_by_what_a_file_says_until_it_is_taken_back(ours):
    make = Factories(ours)
    reward = make.reward()
    make.entry(reward, profile_id=people(ours)["M1"].id)
    ours.commit()
    scope = frozenset({reward.site_id})

    def by(*typed):
        ours.rollback()
        assert [item.name for item in INVARIANTS if broken(ours, item)] == []
        return [len(search.people(ours, scope, one)) for one in typed]

    asked = ("anna@", "0400", "ann@")
    assert by(*asked) == [0, 0, 1]
    run = imported(ours, OTHER, known_rows="replace")
    assert by(*asked) == [1, 1, 0]
    taken_back(ours, run)
    assert by(*asked) == [0, 0, 1]


@pytest.mark.parametrize("known_rows", ["fill", "replace"])
def test_a_row_that_names_somebody_by_the_id_of_a_row_merged_into_them_leaves_both_ids(ours, known_rows):
    imported(ours, b"Member ID,First name\nM2,Bo\n")
    found = people(ours)
    command = MergeProfiles(found["M1"].id, found["M2"].id, "same phone")
    perform(ours, ANN, NOW, lambda work: profiles.merge(work, command))
    run = imported(ours, b"Member ID,Mobile\nM2,0477\n", known_rows=known_rows)
    assert (run.status, run.changed_count, run.problem) == (ImportStatus.DONE, 1, "")
    found = people(ours)
    assert (found["M1"].phone, found["M2"].merged_into_id) == ("0477", found["M1"].id)
    taken_back(ours, run)
    assert (people(ours)["M1"].phone, people(ours)["M2"].external_id) == ("", "M2")


def test_identities_that_came_with_the_file_go_with_it(ours):
    run = imported(ours, b'Member ID,First name,Identities\nM1,,pos=12\nM2,Bo,"crm=7, pos=13;inactive"\n')
    assert ours.scalar(select(func.count()).select_from(ProfileIdentity)) == 3
    run = taken_back(ours, run)
    assert (run.undone["restored"], run.undone["people"]) == (1, 1)
    assert ours.scalar(select(func.count()).select_from(ProfileIdentity)) == 0


def test_an_identity_alone_names_somebody_known(ours):
    imported(ours, b"Member ID,Identities\nM1,pos=12\n")
    run = imported(ours, b"First name,Mobile,Identities\nAnn,0400,pos=12\n")
    assert (run.created_count, run.changed_count) == (0, 1)
    assert people(ours)["M1"].phone == "0400"


def test_a_row_that_is_about_two_people_is_bad_and_says_who(ours):
    imported(ours, b"E-mail,Identities,First name\nbo@example.com,pos=9,Bo\n")
    bo = people(ours)["bo@example.com"].id
    ann = people(ours)["M1"].id
    run = uploaded(ours, b"Member ID,E-mail,Identities\nM1,bo@example.com,\n")
    told = [reason for *_, reason in problems(ours, run)]
    run = uploaded(ours, b"Member ID,E-mail,Identities\nM1,,pos=9\nM7,,pos=9\n")
    assert [(line, column) for line, column, _ in problems(ours, run)] == [
        (2, "Identities"),
        (3, "Identities"),
    ]
    told += [reason for *_, reason in problems(ours, run)]
    assert told[0].startswith(
        f"The member id is that of person {ann} and the e-mail leads to person {bo}; merge the two"
    )
    assert told[1:] == [
        f"An identity of this row is that of person {bo}, and the row is about person {ann}.",
        "An identity of this row stands on line 2 already.",
    ]


def test_rows_about_one_person_count_once_and_say_where_the_first_is(ours):
    body = (
        b"Member ID,First name,E-mail\nM5,Eve,eve@example.com\nM5,Eva,\n,Eve,EVE@example.com\nM6,Flo,eve@example.com\n"
    )
    run = imported(ours, body)
    assert (run.good_count, run.duplicate_count, run.created_count) == (2, 2, 2)
    rows = ours.execute(
        select(ImportProblem.line, ImportProblem.outcome, ImportProblem.reason).where(ImportProblem.run_id == run.id)
    ).all()
    assert [row[:2] for row in rows] == [(3, Outcome.DUPLICATE), (4, Outcome.DUPLICATE)]
    assert (
        rows[0][2] == "The row is about the same person as line 2 of this file; the first of such rows alone is read."
    )
    assert (people(ours)["M5"].email_key, people(ours)["M6"].email_key) == ("eve@example.com", None)


def test_rows_far_apart_may_share_an_address_and_one_with_the_address_alone_is_about_the_first(ours, monkeypatch):
    monkeypatch.setattr(jobs, "CHUNK", 2)
    body = (
        b"Member ID,First name,E-mail\nN1,A,a@x.example\nN2,B,b@x.example\nN3,C,a@x.example\nN1,A,\nN4,D,b@x.example\n"
    )
    run = imported(ours, body + b",A,A@x.example\n,E,e@x.example\nN5,F,e@x.example\n")
    assert (run.status, run.created_count, run.duplicate_count, run.bad_count) == (ImportStatus.DONE, 5, 3, 0)
    assert [reason.split(";")[0] for *_, reason in problems(ours, run)] == [
        f"The row is about the same person as line {line} of this file" for line in (2, 2, 8)
    ]
    assert [people(ours)[name].email_key for name in ("N1", "N3")] == ["a@x.example", None]
    assert [row.external_id for row in search.people(ours, None, "a@x.ex")] == ["N1", "N3"]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("Day of birth", "32", "A month has 31 days at most; there is no 32."),
        ("Day of birth", "१२", "is not a whole number in the digits 0 to 9"),
        ("Day of birth", "00012", "«00012» cannot be a day of birth, which is one of 1 to 31."),
        ("Month of birth", "-1", "«-1» cannot be a month of birth, which is one of 1 to 12."),
        ("Year of birth", "99999", "«99999» cannot be a year of birth, which is one of 1900 to that of the upload."),
        ("Year of birth", "1_980", "is not a whole number in the digits 0 to 9, as a year of birth is"),
        ("Gender", "robot", "is none of: female, male, other, withheld."),
        ("Joined", "31/12/1999", "is not an ISO day or moment such as 2026-03-31 or 2026-03-31T18:05:00+01:00."),
        ("Joined", "31/12/99", "«31/12/99» has a year of two digits; write the year in full"),
        ("Joined", "9999-12-31", "«9999-12-31» lies outside the years 1900 to 2200 in UTC, which can be kept."),
        ("Joined", "1899-12-31T10:00Z", "«1899-12-31T10:00Z» lies outside the years 1900 to 2200 in UTC"),
        (
            "Joined",
            "2026-02-30",
            "«2026-02-30» is no day of the calendar: February 2026 has the days 01 to 28, not 30.",
        ),
        ("Joined", "2026-02-30T10:00", "is no day of the calendar: February 2026 has the days 01 to 28, not 30."),
        ("Known since", "2199-01-01", "lies in the future"),
        ("Tier", "platinum", "There is no tier «platinum»."),
        ("Preferred location", "MEL9", "There is no location «MEL9»."),
        ("Time zone", "Mars/Olympus", "is not a time zone of the tz database"),
        ("E-mail", "no-address", "«no-address» is not an e-mail address."),
        ("Tags", "x" * 61, "60 are the most for one"),
        ("Consents", "email_promo", "is not written as a consent is"),
        ("email_promo", "maybe", "is neither yes nor no"),
        ("Identities", "pos", "is not written as system=identifier"),
        ("Further facts", "{", "are no JSON object"),
        ("Further facts", '{""custom.nothing"": 1}', "There is no further fact «custom.nothing»"),
        ("custom.whole_number", "NaN", "Write a whole number"),
        ("custom.decimal", "Infinity", "Write a number with at most four decimals"),
        ("custom.decimal", "1e400", "Write a number with at most four decimals"),
        ("custom.choice", "XXL", "is none of them"),
        ("Title", "x" * 41, "at most 40 can be kept"),
    ],
)
def test_p12_a_value_that_cannot_be_is_told_with_line_column_and_reason(ours, column, value, words):
    run = uploaded(ours, f'Member ID,First name,{column}\nM8,Gus,""\nM9,Hal,"{value}"\n'.encode())
    [(line, told, reason)] = problems(ours, run)
    assert (run.good_count, run.bad_count, line, told) == (1, 1, 3, column)
    assert words in reason


def rejects(session: Session, run: ImportRun) -> bytes:
    return b"".join(files.read(session, run.rejects_file_id))


def test_what_our_export_guards_comes_back_from_the_rejects_as_it_was(programme):
    first, second = programme(), programme()
    make = Factories(first)
    make.tier(name="bronze", rank=9)
    bronze = first.scalars(select(Tier.id).where(Tier.name == "bronze")).one()
    texts = [text for text in HOSTILE if clean(text) == text]
    for number, text in enumerate(texts):
        make.profile(
            external_id=f"H{number}", first_name=text, phone="+44 1947 496 000", home_phone=text[:40], tier_id=bronze
        )
    first.commit()
    file = exported(first)
    content = file
    for name in ("people.csv", "people.csv.rejects.csv", "people.csv.rejects.csv.rejects.csv"):
        run = imported(second, content, name)
        assert (run.good_count, run.bad_count) == (0, len(texts))
        content = rejects(second, run)
    Factories(second).tier(name="bronze", rank=9)
    run = imported(second, content, "people.csv.rejects.csv.rejects.csv.rejects.csv")
    assert (run.created_count, run.bad_count) == (len(texts), 0)
    assert exported(second) == file
    assert {person.phone for person in people(second).values()} == {"+44 1947 496 000"}


def test_what_a_file_of_others_never_guarded_is_guarded_in_the_rejects_alone(ours):
    run = imported(ours, f"{HEAD}M7,=1+1,'Lee,,+61 400,wood,,,\n".encode())
    told = rejects(ours, run).decode("utf-8-sig").splitlines()[1]
    assert told.startswith("M7,'=1+1,'Lee,,'+61 400,wood,,,,2,Tier,")


def test_people_come_in_the_order_of_the_file(ours):
    imported(ours, b"Member ID\n" + b"".join(b"Z%d\n" % (n * 7919 % 1000) for n in range(50)))
    assert list(people(ours))[1:] == [f"Z{n * 7919 % 1000}" for n in range(50)]


def test_a_file_as_a_workbook_brings_the_same(ours):
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Member ID", "First name", "Day of birth", "Joined"])
        sheet.write_row(1, 0, ["M9", "Hal", 31])
        sheet.write_datetime(1, 3, date(2020, 2, 29), book.add_format({"num_format": "yyyy-mm-dd"}))
    imported(ours, buffer.getvalue(), "p.xlsx")
    hal = people(ours)["M9"]
    assert (hal.first_name, hal.birth_day, hal.joined_at) == ("Hal", 31, datetime(2020, 2, 29, tzinfo=UTC))
