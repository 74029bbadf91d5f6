"""Files of organisations, groups and memberships: checked with what their rows name, imported, imported again, and taken back."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from tests.support.clock import NOW
from tests.support.jobs import run_jobs
from webapp.adapters import spreadsheets
from webapp.domain.audit import Event
from webapp.domain.errors import Refused
from webapp.domain.groups import GroupKind, Registration
from webapp.domain.import_columns import ImportKind
from webapp.domain.imports import ImportContract, ImportStatus
from webapp.models import AuditEntry, Completion, Group, ImportProblem, ImportRun, Membership, Module, Organisation
from webapp.queries import files
from webapp.services import import_undo, imports, organisations
from webapp.services.import_tables import KINDS as TABLES
from webapp.services.import_undo import UndoImport
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadRows
from webapp.services.organisations import OrganisationRow

HEAD = "Organisation ID,Title,Parent ID,Type,Time zone\n"


@pytest.fixture
def put(work, session):
    """Upload, check and, when told, import a file; gives the run."""

    def run(
        body: str,
        contract: ImportContract | None = ImportContract.GOOD_ROWS,
        kind: ImportKind = ImportKind.ORGANISATIONS,
        head: str = HEAD,
        **options: str,
    ) -> ImportRun:
        stream = io.BytesIO((head + body).encode())
        file = IncomingFile("o.csv", spreadsheets.survey(stream, "o.csv"), spreadsheets.Pieces(stream))
        found = imports.upload_rows(work, UploadRows(kind, file))
        places = imports.positions(found.mapping, list(found.headings))
        imports.choose_columns(work, ChooseColumns(found.id, places, **options))
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
    assert reasons[7] == "The row is about the same organisation as line 6 of this file, which counts."
    rejects = b"".join(files.read(session, run.rejects_file_id)).decode("utf-8-sig").splitlines()
    assert [line.split(",")[:6] for line in rejects[1:]] == [
        ["a", "A", "nowhere", "", "", "2"],
        ["", "Without", "", "", "", "3"],
        ["b", "B", "", "club", "", "4"],
        ["c", "", "", "", "", "5"],
    ]


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


GROUPS = {"kind": ImportKind.GROUPS, "head": "Name,Title,Kind,Registration,Notes\n"}
MEMBERSHIPS = {"kind": ImportKind.MEMBERSHIPS, "head": "Member ID,E-mail,Group,Organisation ID,Joined at\n"}


def reasons(session, run: ImportRun) -> dict[int, str]:
    return dict(
        session.execute(
            select(ImportProblem.line, ImportProblem.reason)
            .where(ImportProblem.run_id == run.id)
            .order_by(ImportProblem.id)
        ).all()
    )


def test_groups_come_in_change_and_go_back(put, work, session):
    put("gold,Gold,primary,closed,\n", **GROUPS)
    run = put("gold,Gold members,,open,\nnews,News,Mailing list,,Monthly\n", **GROUPS)
    assert (run.created_count, run.changed_count) == (1, 1)
    found = {group.name: group for group in session.scalars(select(Group)).all()}
    assert (found["gold"].title, found["gold"].registration) == ("Gold members", Registration.OPEN)
    assert (found["news"].kind, found["news"].notes) == (GroupKind.MAILING_LIST, "Monthly")
    undo(work, session, run)
    left = session.scalars(select(Group)).all()
    assert [(group.name, group.title, group.registration) for group in left] == [("gold", "Gold", Registration.CLOSED)]


def test_a_group_with_a_wrong_word_is_told(put, session):
    run = put("Big Group,Big,primary,closed,\nok,Ok,tertiary,closed,\n", None, **GROUPS)
    told = reasons(session, run)
    assert "cannot be the name of a group" in told[2]
    assert told[3] == "«tertiary» is none of: primary, mailing list, subscription."


def test_people_come_into_groups_within_organisations_and_go_again(put, work, session, make):
    ann, bo = make.profile(external_id="M1"), make.profile(external_id="M2", email="bo@example.com")
    put("gold,Gold,,,\n", **GROUPS)
    put("club,Club,,,\n")
    run = put("M1,,gold,club,2026-01-05T10:00:00Z\n,Bo@Example.com,gold,,\nM1,,gold,club,\n", **MEMBERSHIPS)
    assert (run.good_count, run.duplicate_count, run.created_count) == (2, 1, 2)
    members = session.scalars(select(Membership).order_by(Membership.profile_id)).all()
    assert [(row.profile_id, row.organisation_id is not None) for row in members] == [(ann.id, True), (bo.id, False)]
    assert session.scalars(select(Group.member_count)).one() == 2
    again = put("M1,,gold,club,\n", **MEMBERSHIPS)
    assert again.created_count == 0
    run = undo(work, session, run)
    assert run.undone["gone"] == 2
    assert session.scalars(select(Group.member_count)).one() == 0


def test_a_check_of_memberships_counts_as_new_what_the_import_makes(put, session, make):
    """Rows are met by whom they mean: by member id or by e-mail, here or on an earlier row, it is one membership."""
    person, other = make.profile(external_id="M1", email="ann@example.com"), make.profile(external_id="M2")
    gold, club = make.group(name="gold"), make.organisation(external_id="club")
    make.member(gold, person)
    make.member(gold, other, organisation_id=club.id)
    body = (
        "M1,,gold,,\n,ann@example.com,gold,,\nM2,,gold,club,\nM2,,gold,,\nM1,,gold,club,\n,ann@example.com,gold,club,\n"
    )
    run = put(body, None, **MEMBERSHIPS)
    assert (run.good_count, run.findings["new"], run.findings["changed"]) == (6, 2, 0)
    run = put(body, **MEMBERSHIPS)
    assert (run.created_count, run.changed_count) == (2, 0)
    assert put(body, None, **MEMBERSHIPS).findings["new"] == 0


def test_a_membership_of_nobody_in_nothing_is_told(put, session, make):
    make.profile(external_id="M1")
    run = put("M9,,gold,,\nM1,,gold,nowhere,tomorrow\n,,gold,,\n", None, **MEMBERSHIPS)
    told = session.execute(
        select(ImportProblem.line, ImportProblem.reason)
        .where(ImportProblem.run_id == run.id)
        .order_by(ImportProblem.id)
    ).all()
    assert (2, "Nobody has the member id or e-mail «M9».") in told
    assert (2, "There is no group «gold».") in told
    assert (4, "The row has neither a member id nor an e-mail, so nobody is named.") in told
    assert run.bad_count == 3


MODULES = {"kind": ImportKind.MODULES, "head": "Module,Title,Lapses after,Lapses unit\n"}
COMPLETIONS = {"kind": ImportKind.COMPLETIONS, "head": "Member ID,Module,Completed at,Score\n"}


def test_a_check_of_completions_counts_what_the_import_makes_and_changes(put, session, make, monkeypatch):
    module = make.module(site_id=make.site(name="club").id, path="/p1", lapses_after=None)
    for name in ("M1", "M2", "M3"):
        make.completed(module, make.profile(external_id=name, email=f"{name}@example.com"), completed_at=NOW - timedelta(days=3), score=40)  # fmt: skip
    at = f"{NOW - timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}"
    head = "Member ID,E-mail,Module,Completed at,Score\n"
    body = f"M1,,club:/p1,{at},40\n,m2@example.com,club:/p1,{at},41\nM3,,club:/p1,{at},\nM3,,club:/p1,2026-01-05T10:00:00Z,50\n,m3@example.com,club:/p1,2026-01-05T10:00:00Z,50\n"
    told = {"kind": ImportKind.COMPLETIONS, "head": head}
    monkeypatch.setitem(TABLES, ImportKind.COMPLETIONS, replace(TABLES[ImportKind.COMPLETIONS], most=1))
    run = put(body, None, **told)
    assert (run.good_count, run.findings["new"], run.findings["changed"]) == (5, 1, 1)
    run = put(body, **told)
    assert (run.created_count, run.changed_count) == (1, 1)
    run = put(body, None, **told)
    assert (run.findings["new"], run.findings["changed"]) == (0, 0)


def test_modules_come_in_change_and_go_back(put, work, session, make):
    make.site(name="club")
    put("club:/p1/c1/m1,First steps,12,months\n", **MODULES)
    run = put("club:/p1/c1/m1,First steps,,\nclub:/p1/c1/m2,Second steps,30,days\n", **MODULES)
    assert (run.created_count, run.changed_count) == (1, 1)
    undo(work, session, run)
    left = session.scalars(select(Module)).all()
    assert [(module.path, module.lapses_after) for module in left] == [("/p1/c1/m1", 12)]


def test_a_module_without_site_or_path_is_told(put, session):
    told = reasons(session, put("m1,A,,\nnowhere:/p1,B,,\nnowhere:/p1/c1/m1,C,soon,weeks\n", None, **MODULES))
    assert "does not name a module" in told[2]
    assert told[3] == "There is no site called «nowhere»."
    assert told[4].startswith("«weeks» is none of: days, months, years.")


def test_completions_come_in_once_and_go_again(put, work, session, make):
    make.site(name="club")
    make.profile(external_id="M1")
    put("club:/p1,First steps,12,months\n", **MODULES)
    body = "M1,club:/p1,2026-01-05T10:00:00Z,90\nM1,club:/p1,2026-01-06T10:00:00Z,\n"
    run = put(body, **COMPLETIONS)
    assert run.created_count == 2
    assert session.scalars(select(Module.completion_count)).one() == 2
    assert put(body, **COMPLETIONS).created_count == 0
    assert undo(work, session, run).undone["gone"] == 2
    assert session.scalars(select(Completion)).all() == []


def test_taken_back_a_completion_known_before_has_its_old_score_and_end(put, work, session, make):
    make.site(name="club")
    make.profile(external_id="M1")
    put("club:/p1,First steps,12,months\n", **MODULES)
    put("M1,club:/p1,2026-01-05T10:00:00Z,40\nM1,club:/p1,2026-01-06T10:00:00Z,50\n", **COMPLETIONS)
    was = session.execute(select(Completion.id, Completion.score, Completion.lapses_at).order_by(Completion.id)).all()
    head = "external_id,module,completed_at,score,lapses_at\n"
    run = put(
        "M1,club:/p1,2026-01-05T10:00:00Z,90,2026-08-01T00:00:00Z\nM1,club:/p1,2026-01-06T10:00:00Z,60,\n"
        "M1,club:/p1,2026-01-07T10:00:00Z,70,\n",
        **COMPLETIONS | {"head": head},
    )
    assert (run.created_count, run.changed_count) == (1, 2)
    session.execute(update(Completion).where(Completion.score == 60).values(score=61))
    session.commit()
    run = undo(work, session, run)
    assert (run.undone["gone"], run.undone["restored"]) == (1, 1)
    assert run.undone["left"] == ["A completion of «First steps» at 2026-01-06 10:00 UTC was changed since."]
    now = session.execute(select(Completion.id, Completion.score, Completion.lapses_at).order_by(Completion.id)).all()
    assert now[0] == was[0]
    assert [row.score for row in now] == [40, 61]
    assert session.scalars(select(Module.completion_count)).one() == 2


def test_a_completion_of_nobody_in_nothing_with_a_score_of_101_is_told(put, session, make):
    make.site(name="club")
    make.profile(external_id="M1")
    run = put("M9,club:/p1,2026-01-05T10:00:00Z,101\nM1,club:/p1,05/01/26,1\n", None, **COMPLETIONS)
    told = session.scalars(select(ImportProblem.reason).where(ImportProblem.run_id == run.id)).all()
    assert "Nobody has the member id or e-mail «M9»." in told
    assert "There is no module «club:/p1»." in told
    assert "A score of 101 is no percentage; use 0 to 100 or leave it empty." in told
    assert any("has a year of two digits" in reason for reason in told)
    assert run.bad_count == 2


def archive(session, *external_ids: str) -> None:
    for found in session.scalars(select(Organisation).where(Organisation.external_id.in_(external_ids))):
        found.archived_at = NOW
    session.commit()


def test_fill_in_leave_and_an_empty_cell_do_as_chosen(put, session):
    head = "Organisation ID,Title,Parent ID,Address\n"
    put("group,Group,,\nshop,Shop,group,Main St\n", head=head)
    run = put("shop,Store,,Side St\n", head=head, known_rows="fill")
    assert (run.created_count, run.changed_count, run.findings["changed"]) == (0, 0, 0)
    run = put("shop,Store,,\n", head=head, known_rows="replace", empty_cells="leave")
    assert (run.changed_count, run.findings["changed"], tree(session)["shop"]) == (1, 1, ("Store", "group"))
    run = put("shop,Other,,\nkiosk,Kiosk,,\n", head=head, known_rows="leave")
    assert (run.created_count, run.changed_count, tree(session)["shop"]) == (1, 0, ("Store", "group"))
    put("shop,Store,,\n", head=head, known_rows="replace", empty_cells="clear")
    assert session.scalars(select(Organisation.address).where(Organisation.external_id == "shop")).one() == ""
    assert tree(session)["shop"] == ("Store", None)


def test_columns_that_are_not_in_the_file_stay_as_they_are(put, session):
    put("group,Group,,\nshop,Shop,group,Main St\n", head="Organisation ID,Title,Parent ID,Address\n")
    put("shop,Store\n", head="Organisation ID,Title\n")
    assert tree(session)["shop"] == ("Store", "group")
    assert session.scalars(select(Organisation.address).where(Organisation.external_id == "shop")).one() == "Main St"


def test_what_is_archived_is_refused_in_a_sentence_or_brought_back_and_archived_again(put, work, session):
    body = "shop,Shop,south,,\nsouth,South,,,\n"
    put(body)
    archive(session, "shop", "south")
    run = put(body, None)
    assert reasons(session, run)[2] == (
        "The organisation «Shop» is archived; restore it first, or choose to bring back what is archived."
    )
    run = put(body, archived_rows="restore")
    assert (run.created_count, run.changed_count, run.findings["changed"]) == (0, 2, 2)
    in_use = (
        select(Organisation.external_id).where(Organisation.archived_at.is_(None)).order_by(Organisation.external_id)
    )
    assert session.scalars(in_use).all() == ["shop", "south"]
    assert undo(work, session, run).undone["restored"] == 2
    assert session.scalars(in_use).all() == []


def test_what_stands_below_something_archived_is_not_brought_back(put, session):
    put("south,South,,,\nshop,Shop,south,,\n")
    archive(session, "shop", "south")
    told = reasons(session, put("shop,Shop,south,,\n", None, archived_rows="restore"))
    assert told[2] == "The organisation «Shop» stands below «South», which is archived; restore that first."


def test_archived_groups_and_modules_come_back_too(put, session, make):
    make.circle(name="gold", title="Gold", archived_at=NOW)
    make.lesson(make.site(name="club").id, path="/p1", archived_at=NOW)
    assert put("gold,Gold,,,\n", None, **GROUPS).bad_count == 1
    assert put("gold,Golden,,,\n", archived_rows="restore", **GROUPS).changed_count == 1
    assert put("club:/p1,First,,\n", archived_rows="restore", **MODULES).changed_count == 1
    assert session.scalars(select(Group.archived_at)).all() + session.scalars(select(Module.archived_at)).all() == [
        None,
        None,
    ]


def test_a_file_tells_of_what_is_archived_what_was_before_and_nothing_of_after(put, session, make):
    make.profile(external_id="A")
    old = {"archived_at": NOW - timedelta(days=7)}
    make.circle(name="gold", title="Gold", **old)
    make.circle(name="club", title="Club")
    make.lesson(make.site(name="club").id, path="/p1", title="First", **old)
    put("old,Old,,,\nnew,New,,,\n")
    session.execute(update(Organisation).where(Organisation.external_id == "old").values(**old))
    session.commit()
    before, after = (f"{NOW - timedelta(days=days):%Y-%m-%dT%H:%MZ}" for days in (8, 6))
    head = "Member ID,Group,Organisation,Joined at\n"
    rows = [f"A,gold,,{before}", f"A,gold,new,{after}", f"A,club,old,{before}", f"A,club,old,{after}", "A,gold,,"]
    run = put("\n".join(rows) + "\n", kind=ImportKind.MEMBERSHIPS, head=head)
    assert (run.created_count, run.bad_count) == (2, 3)
    told = session.scalars(select(ImportProblem.reason).where(ImportProblem.run_id == run.id)).all()
    assert sum("«Gold» is archived; restore it first" in words for words in told) == 2
    assert sum("«Old» is archived; restore it first" in words for words in told) == 1
    head = "Member ID,Module,Completed at\n"
    run = put(f"A,club:/p1,{before}\nA,club:/p1,{after}\n", kind=ImportKind.COMPLETIONS, head=head)
    assert (run.created_count, run.bad_count) == (1, 1)
    assert put(f"A,club:/p1,{before}\n", kind=ImportKind.COMPLETIONS, head=head).created_count == 0


SINCE = "Organisation ID,Title,Parent ID,Archived at\n"


def test_a_file_archives_as_the_screen_does_and_tells_the_log(put, work, session):
    put("shop,Shop,south,,\nsouth,South,,,\n")
    run = put(
        "south,South,,2026-02-01T10:00Z\nshop,Shop,south,2026-01-01T10:00Z\nnew,New,,2026-02-02T10:00Z\n", head=SINCE
    )
    assert (run.created_count, run.changed_count, run.bad_count, run.findings["changed"]) == (1, 2, 0, 2)
    since = select(Organisation.external_id, Organisation.archived_at).order_by(Organisation.archived_at)
    assert [(name, f"{at:%m-%d}") for name, at in session.execute(since)] == [
        ("shop", "01-01"),
        ("south", "02-01"),
        ("new", "02-02"),
    ]
    told = select(func.count()).where(AuditEntry.event == str(Event.ORGANISATION_ARCHIVED))
    assert session.scalar(told) == 3
    assert undo(work, session, run).undone["left"] == []
    assert sorted(session.execute(since).all()) == [("shop", None), ("south", None)]


def test_what_something_in_use_stands_below_is_not_archived(put, work, session, make):
    put("shop,Shop,south,,\nsouth,South,,,\n")
    told = reasons(
        session, put("south,South,,2026-02-01T10:00Z\nnew,New,,2026-02-01T10:00Z\nin,In,new,\n", None, head=SINCE)
    )
    assert told == {
        2: "«South» has 1 organisation below it that is not archived. Archive or move those first.",
        3: "«In» on line 4 stands below it and is in use; archive that too.",
        4: "Its parent is on line 3 of this file, which is bad.",
    }


def test_a_file_that_fills_in_archives_nothing_and_an_empty_cell_brings_nothing_back(put, session):
    put("shop,Shop,,,\n")
    run = put("shop,Shop,,2026-02-01T10:00Z\n", head=SINCE, known_rows="fill")
    assert (run.changed_count, run.bad_count) == (0, 0)
    run = put("shop,Shop,,2026-02-01T10:00Z\n", head=SINCE, known_rows="replace")
    assert (run.changed_count, run.bad_count) == (1, 0)
    assert put("shop,Shop,,\n", None, head=SINCE).bad_count == 1
    run = put("shop,Store,,2026-02-01T10:00Z\n", head=SINCE)
    assert (run.changed_count, run.bad_count) == (1, 0)
    assert session.scalars(select(Organisation.title).where(Organisation.archived_at.is_not(None))).all() == ["Store"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("shop,Shop,,soon\n", "«soon» is not an ISO date and time such as 2026-03-31T18:05:00+01:00."),
        ("shop,Shop,,2026-09-01T10:00Z\n", "«2026-09-01T10:00Z» lies in the future: the file was uploaded at "),
        (
            "shop,Shop,,1999-09-01T10:00Z\n",
            "«1999-09-01T10:00Z» lies before the year 2000, the first of which a moment can be kept.",
        ),
    ],
)
def test_a_moment_that_cannot_be_is_told(put, session, body, words):
    assert reasons(session, put(body, None, head=SINCE))[2].startswith(words)


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ("2027", "«2027» is not an ISO date and time"),
        (
            "2026-01-01T09:00Z",
            "It would lapse at 2026-01-01 09:00 UTC, and it was completed at 2026-02-01 09:00 UTC; write a later moment",
        ),
    ],
)
def test_an_end_that_cannot_be_is_told(put, session, make, ends, words):
    make.lesson(make.site(name="club").id, path="/p1")
    make.profile(external_id="M1")
    head = "module,external_id,completed_at,lapses_at\n"
    run = put(f"club:/p1,M1,2026-02-01T09:00Z,{ends}\n", None, ImportKind.COMPLETIONS, head)
    assert reasons(session, run)[2].startswith(words)


def test_a_ring_and_a_parent_on_a_bad_row_are_told_before_anything_is_written(put, session):
    run = put("a,A,b,,\nb,B,a,,\nc,C,nowhere,,\nd,D,c,,\ne,E,,,\n")
    assert (run.status, run.good_count, list(tree(session))) == (ImportStatus.DONE, 1, ["e"])
    told = reasons(session, run)
    assert (
        told[2] == told[3] == "The rows of this file put it below itself, in a ring; one of them needs another parent."
    )
    assert told[5] == "Its parent is on line 4 of this file, which is bad."


def _moved_below(name: str, *others: str) -> str:
    """What a row is told whose parent comes to stand below it."""
    return (
        f"With what is here already it would stand below itself: «{name}», the parent of this row, comes to stand below "
        "it. Choose a parent outside this branch."
    )


RINGS = [
    # What is there, the file, and what is told by line.
    ("a,A,,,\nb,B,a,,\n", "a,A,b,,\n", {2: _moved_below("b")}),
    ("a,A,,,\nb,B,a,,\nc,C,b,,\n", "a,A,c,,\nd,D,a,,\n", {2: _moved_below("c")}),
    ("a,A,,,\nb,B,,,\nc,C,a,,\nd,D,b,,\n", "a,A,d,,\nb,B,c,,\ne,E,d,,\n", {2: _moved_below("d"), 3: _moved_below("c")}),
    (
        "a,A,,,\nb,B,a,,\n",
        "a,A,new,,\nnew,New,b,,\nlow,Low,new,,\n",
        {2: _moved_below("new"), 3: _moved_below("b"), 4: "Its parent is on line 3 of this file, which is bad."},
    ),
    (
        "a,A,,,\nm,M,a,,\nb,B,m,,\n",
        "b,Bee,m,,\na,A,b,,\n",
        {3: _moved_below("b")},
    ),  # who stays where it is, is not at fault
    ("a,A,,,\nb,B,a,,\n", "a,A,b,,\na,Ay,b,,\n", {2: _moved_below("b"), 3: _moved_below("b")}),
    ("a,A,,,\nb,B,a,,\n", "b,B,,,\na,A,b,,\n", {}),  # they change places
]


@pytest.mark.parametrize(("there", "body", "told"), RINGS)
def test_a_ring_with_what_is_there_is_told_before_anything_is_written(put, session, there, body, told):
    put(there)
    before = tree(session)
    run = put(body, None, known_rows="replace", empty_cells="clear")
    assert (run.status, reasons(session, run)) == (ImportStatus.CHECKED, told)
    assert tree(session) == before


@pytest.mark.parametrize(("there", "body", "told"), RINGS)
def test_what_the_check_calls_good_is_imported_beside_a_ring(put, session, there, body, told):
    put(there)
    body += "z,Z,,,\n"
    run = put(body, known_rows="replace", empty_cells="clear")
    good = run.record_count - len(told)
    assert (run.status, run.good_count, run.problem) == (ImportStatus.DONE, good, "")
    for line, row in enumerate(body.splitlines(), start=2):
        name, title, parent = row.split(",")[:3]
        if line not in told:
            assert tree(session)[name] == (title, parent or None)


def test_rows_that_only_fill_in_make_no_ring(put, session):
    put("a,A,top,,\ntop,Top,,,\nb,B,a,,\n")
    run = put("a,A,b,,\n", None, known_rows="fill")
    assert (run.bad_count, run.good_count) == (0, 1)
    run = put("top,Top,b,,\n", None, known_rows="fill")
    assert reasons(session, run) == {2: _moved_below("b")}


def test_rows_below_what_is_deep_already_are_told(put, session):
    levels = "".join(f"l{number},L{number},{f'l{number - 1}' if number > 1 else ''},,\n" for number in range(1, 20))
    put(levels)
    run = put("l20,Twentieth,l19,,\nl21,Last,l20,,\n", None)
    assert reasons(session, run) == {3: "It would stand more than 20 levels deep."}
