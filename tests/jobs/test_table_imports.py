"""Files of organisations: checked with what their rows name, imported, imported again, and taken back."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select

from tests.support.jobs import run_jobs
from webapp.adapters import spreadsheets
from webapp.domain.errors import Refused
from webapp.domain.imports import ImportContract, ImportKind, ImportStatus
from webapp.models import ImportProblem, ImportRun, Organisation
from webapp.services import import_undo, imports, organisations
from webapp.services.import_undo import UndoImport
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadRows
from webapp.services.organisations import OrganisationRow

HEAD = "Organisation ID,Title,Parent ID,Type,Time zone\n"


@pytest.fixture
def put(work, session):
    """Upload, check and, when told, import a file of organisations; gives the run."""

    def run(body: str, contract: ImportContract | None = ImportContract.GOOD_ROWS) -> ImportRun:
        stream = io.BytesIO((HEAD + body).encode())
        file = IncomingFile("o.csv", spreadsheets.survey(stream, "o.csv"), spreadsheets.Pieces(stream))
        found = imports.upload_rows(work, UploadRows(ImportKind.ORGANISATIONS, file))
        places = imports.positions(found.mapping, list(found.headings))
        imports.choose_columns(work, ChooseColumns(found.id, **places))
        session.commit()
        run_jobs(session)
        if contract:
            imports.apply(work, ApplyImport(found.id, contract))
            session.commit()
            run_jobs(session)
        return look(session, found.id)

    return run


def look(session, run_id: int) -> ImportRun:
    session.rollback()
    session.expire_all()
    return session.get_one(ImportRun, run_id)


def tree(session) -> dict[str, tuple[str, str | None]]:
    """External id → title, external id of the one above."""
    rows = session.execute(
        select(Organisation.id, Organisation.external_id, Organisation.title, Organisation.parent_id)
    ).all()
    names = {row.id: row.external_id for row in rows}
    return {row.external_id: (row.title, names.get(row.parent_id)) for row in rows}


def undo(work, session, run: ImportRun) -> ImportRun:
    import_undo.undo(work, UndoImport(run.id))
    session.commit()
    run_jobs(session)
    return look(session, run.id)


def test_rows_may_name_parents_that_come_later_in_the_file(put, session):
    run = put("south,South,group,,\ngroup,The group,,,\nshop,Shop,south,,\n")
    assert (run.status, run.good_count, run.created_count, run.changed_count) == (ImportStatus.DONE, 3, 3, 0)
    assert tree(session) == {"group": ("The group", None), "south": ("South", "group"), "shop": ("Shop", "south")}


def test_p12_the_same_file_twice_changes_nothing(put, session):
    body = "group,The group,,,\nsouth,South,group,,\n"
    put(body)
    before = tree(session)
    run = put(body)
    assert (run.created_count, run.changed_count) == (0, 0)
    assert tree(session) == before


def test_p12_every_bad_row_is_told_with_its_line_column_and_reason(put, session):
    run = put("a,A,nowhere,,\n,Without,,,\nb,B,,club,\nc,,,,\nd,D,,,\nd,D again,,,\n", None)
    assert (run.record_count, run.good_count, run.duplicate_count, run.bad_count) == (6, 1, 1, 4)
    told = session.execute(
        select(ImportProblem.line, ImportProblem.column, ImportProblem.reason).where(ImportProblem.run_id == run.id)
    ).all()
    assert [(line, column) for line, column, _ in told if line < 7] == [
        (2, "Parent ID"),
        (3, "Organisation ID"),
        (4, "Type"),
        (5, "Title"),
    ]
    reasons = {line: reason for line, _, reason in told}
    assert reasons[2] == "There is no organisation «nowhere», neither here nor in this file."
    assert reasons[7] == "The row is about the same as line 6 of this file, which counts."


def test_a_file_that_was_taken_back_leaves_what_was_there_before(put, work, session):
    put("group,The group,,,\nshop,Shop,group,,\n")
    before = tree(session)
    run = put("shop,Big shop,,,\nkiosk,Kiosk,shop,,\n")
    assert tree(session)["shop"] == ("Big shop", None)
    run = undo(work, session, run)
    assert (run.undone["gone"], run.undone["restored"], run.undone["left"]) == (1, 1, [])
    assert run.undone_at is not None
    assert tree(session) == before


def test_what_somebody_used_or_changed_since_stays_and_is_listed(put, work, session):
    run = put("used,Used,,,\nmended,Mended,,,\nfree,Free,,,\n")
    organisations.put(
        work, [OrganisationRow("below", "Below", parent="used"), OrganisationRow("mended", "Mended by hand")]
    )
    session.commit()
    run = undo(work, session, run)
    assert sorted(tree(session)) == ["below", "mended", "used"]
    assert sorted(run.undone["left"]) == [
        "«Mended by hand» (mended) was changed since.",
        "«Used» (used) is used: 1 organisation below it.",
    ]


def test_an_import_is_taken_back_once(put, work, session):
    run = undo(work, session, put("a,A,,,\n"))
    with pytest.raises(Refused, match="has been taken back already"):
        import_undo.undo(work, UndoImport(run.id))


def test_a_check_alone_cannot_be_taken_back(put, work):
    run = put("a,A,,,\n", None)
    with pytest.raises(Refused, match="there is nothing to take back"):
        import_undo.undo(work, UndoImport(run.id))
