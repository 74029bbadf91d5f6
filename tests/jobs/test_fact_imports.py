"""Files of further facts: before the people who have them, by the rules of the form, never changed, taken back."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select

from tests.support.clock import NOW
from tests.support.jobs import run_jobs
from webapp.adapters import spreadsheets
from webapp.domain.audit import Event
from webapp.domain.import_columns import ImportKind
from webapp.domain.imports import ImportContract
from webapp.domain.people import AttributeKind
from webapp.models import AttributeDefinition, AuditEntry, ImportProblem, ImportRun, Profile
from webapp.services import import_undo, imports
from webapp.services.import_undo import UndoImport
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadRows

HEAD = "name,title,kind,choices,archived_at\n"
ROAST = 'coffee.favourite-roast,Favourite roast,choice,"Light\n  Medium,  dark\nLight\n",\n'


@pytest.fixture
def put(work, session):
    def run(body: str, kind: ImportKind = ImportKind.FACTS, head: str = HEAD, **options: str) -> ImportRun:
        stream = io.BytesIO((head + body).encode())
        file = IncomingFile("f.csv", spreadsheets.survey(stream, "f.csv"), spreadsheets.Pieces(stream))
        found = imports.upload_rows(work, UploadRows(kind, file))
        places = imports.positions(found.mapping, list(found.headings))
        imports.choose_columns(work, ChooseColumns(found.id, places, **options))
        session.commit()
        run_jobs(session)
        if look(session, found.id).good_count:
            imports.apply(work, ApplyImport(found.id, ImportContract.GOOD_ROWS))
            session.commit()
            run_jobs(session)
        return look(session, found.id)

    return run


def look(session, run_id: int) -> ImportRun:
    session.rollback()
    session.expire_all()
    return session.get_one(ImportRun, run_id)


def facts(session) -> dict[str, AttributeDefinition]:
    session.expire_all()
    return {one.name: one for one in session.scalars(select(AttributeDefinition).order_by(AttributeDefinition.id))}


def told(session, run: ImportRun) -> dict[int, tuple[str, str]]:
    rows = select(ImportProblem).where(ImportProblem.run_id == run.id)
    return {one.line: (one.column, one.reason) for one in session.scalars(rows)}


def test_people_with_facts_come_in_after_their_facts(put, session):
    people = ("M1,Light\n", ImportKind.PROFILES, "Member ID,coffee.favourite-roast\n")
    put(*people)
    assert session.scalars(select(Profile)).one().attributes == {}
    run = put(ROAST)
    assert (run.created_count, run.bad_count) == (1, 0), told(session, run)
    roast = facts(session)["coffee.favourite-roast"]
    assert (roast.title, roast.kind, roast.choices) == (
        "Favourite roast",
        AttributeKind.CHOICE,
        ["Light", "Medium, dark"],
    )
    assert session.scalars(select(AuditEntry.event).where(AuditEntry.event == Event.ATTRIBUTE_CREATED)).all()
    put(*people)
    assert session.scalars(select(Profile)).one().attributes == {"coffee.favourite-roast": "Light"}


@pytest.mark.parametrize("known_rows", ["fill", "replace", "leave"])
def test_p12_the_same_file_twice_changes_nothing(put, session, known_rows):
    put(ROAST)
    run = put(ROAST, known_rows=known_rows)
    assert (run.created_count, run.changed_count, run.bad_count, run.findings["changed"]) == (0, 0, 0, 0)
    assert len(facts(session)) == 1


def test_what_a_form_refuses_is_a_bad_row_with_its_column(put, session, make):
    make.fact("whole number", name="coffee.cups", title="Cups")
    session.commit()
    run = put(
        "Roast,Roast,text,,\n"  # 2
        "a.b,,text,,\n"
        "a.c,C,colour,,\n"
        "a.d,D,choice,only,\n"
        'a.e,E,date,"x\ny",\n'  # 6
        "coffee.cups,Cups,text,,\n"  # 8
        "coffee.cups2,Cups,whole number,,2999-01-01T00:00:00Z\n"
    )
    found = told(session, run)
    assert {line: column for line, (column, _) in found.items()} == {
        2: "name", 3: "title", 4: "kind", 5: "choices", 6: "choices", 8: "kind", 9: "archived_at"
    }  # fmt: skip
    assert found[8][1] == "The kind of «Cups» stays as it is; archive the fact, and make another one."
    assert found[5][1] == "These are 1 different lines; a choice needs 2 to 100, one on each line."
    assert all(reason.endswith(".") for _, reason in found.values())
    assert list(facts(session)) == ["coffee.cups"]


def test_a_hundred_facts_are_the_most_in_use(put, session, make):
    for _ in range(99):
        make.fact()
    session.commit()
    run = put("a.a,A,text,,\na.b,B,text,,\na.c,C,text,,2026-01-01T00:00:00Z\n")
    assert (run.created_count, list(told(session, run))) == (2, [3])
    assert set(facts(session)) >= {"a.a", "a.c"}


def test_a_known_fact_is_archived_and_brought_back_as_the_file_says(put, session, make):
    make.fact("text", name="a.a", title="A")
    make.fact("text", name="a.b", title="B", archived_at=NOW)
    session.commit()
    at = "2026-01-01T00:00:00Z"
    run = put(f"a.a,A,text,,{at}\na.b,B,text,,\n", known_rows="replace", archived_rows="restore")
    assert (run.changed_count, run.bad_count) == (2, 0), told(session, run)
    found = facts(session)
    assert (found["a.a"].archived_at.isoformat(), found["a.b"].archived_at) == ("2026-01-01T00:00:00+00:00", None)


def test_taken_back_new_facts_are_archived_and_others_what_they_were(put, work, session, make):
    make.fact("text", name="a.b", title="B", archived_at=NOW)
    session.commit()
    run = put(ROAST + "a.b,B,text,,\n", archived_rows="restore")
    import_undo.undo(work, UndoImport(run.id))
    session.commit()
    run_jobs(session)
    run = look(session, run.id)
    found = facts(session)
    assert found["coffee.favourite-roast"].archived_at is not None
    assert found["a.b"].archived_at == NOW
    assert (run.undone["restored"], run.undone["left"]) == (
        1,
        [
            "«Favourite roast» (coffee.favourite-roast) is archived now: a fact is never deleted, and what people have of it stays."
        ],
    )
