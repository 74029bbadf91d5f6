"""Files of benefit definitions: what the form would say, what they change, and a programme that comes back from its export."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.clock import NOW
from tests.support.jobs import run_jobs
from webapp.adapters import spreadsheets
from webapp.adapters.engines import engine_options
from webapp.domain.audit import Event
from webapp.domain.benefit_claims import ReclaimEvery
from webapp.domain.benefit_dates import PeriodType
from webapp.domain.benefits import BenefitType
from webapp.domain.identity import Actor
from webapp.domain.import_columns import COLUMNS, ImportKind
from webapp.domain.imports import ImportContract, ImportStatus
from webapp.models import AuditEntry, BenefitDefinition, BenefitDefinitionVersion, ImportProblem, ImportRun
from webapp.queries import benefit_definitions as read
from webapp.queries import files
from webapp.services import benefit_definitions as definitions
from webapp.services import import_undo, imports
from webapp.services.benefit_definitions import ArchiveDefinition, PublishDefinition, RestoreDefinition
from webapp.services.import_undo import UndoImport
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadRows
from webapp.services.work import perform

ANN = Actor("Ann Able")
KIND = ImportKind.DEFINITIONS
ADULT = {"===": [{"var": "gender"}, "female"]}
COUNTED = ("total_global_created", "total_global_claimed", "total_global_voided", "total_global_redemptions")
STAMPED = ("updated_at",)
HEAD = "handle,name,site"


@pytest.fixture
def programme(new_database):
    opened = []

    def new() -> Session:
        url = new_database()
        engine = create_engine(url, **engine_options(url, threads=1))
        opened.append((engine, Session(engine, expire_on_commit=False)))
        return opened[-1][1]

    yield new
    for engine, session in opened:
        session.close()
        engine.dispose()


@pytest.fixture
def club(make):
    return make.site(name="club", timezone="Australia/Melbourne")


def fresh(session: Session) -> None:
    session.rollback()
    session.expire_all()


def exported(session: Session) -> str:
    fresh(session)
    return b"".join(spreadsheets.csv_stream(read.EXPORT, read.stream_all(session))).decode()


def table(session: Session) -> dict[str, dict[str, str]]:
    """The export by handle, without what only counts and stamps."""
    rows = csv.DictReader(io.StringIO(exported(session), newline=""))
    return {
        row["handle"]: {name: value for name, value in row.items() if name not in (*COUNTED, *STAMPED)} for row in rows
    }


def imported(
    session: Session, content: str, contract: ImportContract | None = ImportContract.GOOD_ROWS, **options: str
):
    """Upload, check and import the good rows; gives the run."""
    stream = io.BytesIO(content.encode())
    file = IncomingFile("d.csv", spreadsheets.survey(stream, "d.csv"), spreadsheets.Pieces(stream))
    run = perform(session, ANN, NOW, lambda work: imports.upload_rows(work, UploadRows(KIND, file)))
    places = imports.positions(run.mapping, run.headings)
    perform(session, ANN, NOW, lambda work: imports.choose_columns(work, ChooseColumns(run.id, places, **options)))
    run_jobs(session)
    fresh(session)
    if contract and session.get_one(ImportRun, run.id).good_count:
        perform(session, ANN, NOW, lambda work: imports.apply(work, ApplyImport(run.id, contract)))
        run_jobs(session)
    fresh(session)
    return session.get_one(ImportRun, run.id)


def taken_back(session: Session, run: ImportRun) -> ImportRun:
    perform(session, ANN, NOW, lambda work: import_undo.undo(work, UndoImport(run.id)))
    run_jobs(session)
    fresh(session)
    return session.get_one(ImportRun, run.id)


def problems(session: Session, run: ImportRun) -> list[tuple[int, str, str]]:
    found = select(ImportProblem.line, ImportProblem.column, ImportProblem.reason)
    return [
        tuple(row) for row in session.execute(found.where(ImportProblem.run_id == run.id).order_by(ImportProblem.id))
    ]


def counts(run: ImportRun) -> tuple[int, int, int]:
    return run.created_count, run.changed_count, run.bad_count


def get(session: Session, handle: str) -> BenefitDefinition:
    return session.scalars(select(BenefitDefinition).where(BenefitDefinition.handle == handle)).one()


def events(session: Session) -> list[str]:
    wanted = select(AuditEntry.event).where(AuditEntry.event.startswith("definition.")).order_by(AuditEntry.id)
    return list(session.scalars(wanted))


def furnished(session: Session) -> tuple[Factories, int, int, int]:
    """A site with a voucher type that has a code, and a target, as both programmes have them."""
    make = Factories(session)
    site = make.site(name="club", timezone="Australia/Melbourne")
    kind = make.voucher_type(site_id=site.id, code="GIFT")
    make.voucher(kind)
    target = make.target(site_id=site.id, name="welcome", title="Welcome")
    session.commit()
    return make, site.id, kind.id, target.id


def filled(session: Session) -> None:
    """Definitions with every attribute used somewhere, in every state, with hostile texts."""
    make, site_id, kind_id, target_id = furnished(session)
    make.benefit_definition(
        site_id=site_id,
        handle="all-of-it",
        name="=1+1",
        type=BenefitType.GIFT,
        campaign="spring",
        external_id="-X1",
        tags=["red", "two words"],
        meta={"é": [1, 2.5, None, "line\nbreak"], "deep": {"a": True}},
        description="+inside",
        short_description='Zoë «quoted» "x", and more',
        long_description="<p>one</p>\n<p>two</p>\n\n\tlast",
        terms_conditions="1. First\n2. Second",
        earn_instructions="@home",
        redeem_instructions_store="In the shop",
        redeem_instructions_online="Online",
        icon="https://example.org/i.png",
        image_url="https://example.org/p.png",
        period=3,
        period_type=PeriodType.ABSOLUTE_MONTH,
        end_at=datetime(2031, 2, 10, 12, 59, 59, tzinfo=UTC),
        value_minor=12_345,
        currency="AUD",
        redeem_code_pos="'POS",
        redeem_code_online="WEB",
        voucher_type_id=kind_id,
        force_allocation=True,
        max_redemptions=None,
        max_global_redemptions=0,
        max_per_profile=2,
        is_extendable=True,
        is_assignable=False,
        is_reassignable=True,
        allow_user_redeem=True,
        is_claimable=True,
        is_reclaimable=True,
        reclaim_every=ReclaimEvery.MONTH,
        reclaim_requires_used=False,
        claim_period_start_at=datetime(2030, 4, 6, 15, 30, tzinfo=UTC),
        claim_period_end_at=datetime(2030, 4, 6, 16, 30, tzinfo=UTC),  # an hour that the clocks of Melbourne show twice
        claim_condition=ADULT,
        view_condition={"and": [ADULT, {"!": [ADULT]}]},
        notify_issue_offset_days=0,
        notify_issue_offset_hour=0,
        notify_remind_offset_days=-14,
        notify_remind_offset_hour=9,
        notify_extend_offset_days=3,
        notify_schedule_offset=5,
        issue_target_id=target_id,
        remind_target_id=target_id,
        extend_target_id=target_id,
        total_global_created=7,
    )
    make.benefit_definition(site_id=site_id, handle="draft", name="Draft", is_published=False, period=None)
    make.benefit_definition(
        site_id=site_id,
        handle="dated",
        name="Dated",
        period_type=PeriodType.ABSOLUTE_DATE,
        absolute_expiry=date(2030, 6, 30),
    )
    make.benefit_definition(site_id=site_id, handle="away", name="Away", is_archived=True)
    make.benefit_definition(
        site_id=site_id, handle="shut", name="Shut", is_archived=True, stops_redemptions=True, is_published=False
    )
    session.commit()


def test_the_columns_are_those_of_the_export_less_what_counts_and_stamps():
    assert {column.name for column in COLUMNS[KIND]} == set(read.EXPORT) - {*COUNTED, *STAMPED}


def test_a_programme_comes_back_from_its_own_export(programme):
    first, second = programme(), programme()
    filled(first)
    furnished(second)
    run = imported(second, exported(first))
    assert (run.status, *counts(run)) == (ImportStatus.DONE, 5, 0, 0), problems(second, run)
    assert table(second) == table(first)
    assert second.scalars(select(BenefitDefinition.total_global_created)).all() == [0] * 5


THEN = NOW - timedelta(days=90)
OVER = {
    "last day": {"end_at": NOW - timedelta(days=9)},
    "claim window": {"is_claimable": True, "claim_period_end_at": NOW - timedelta(days=9)},
    "archived": {"end_at": NOW - timedelta(days=9), "is_archived": True},
    "fixed last day": {"period_type": PeriodType.ABSOLUTE_DATE, "absolute_expiry": date(2026, 1, 31)},
}


@pytest.mark.parametrize("why", OVER)
def test_what_was_live_and_has_ended_comes_back_as_it_was(programme, why):
    first, second = programme(), programme()
    make = Factories(first)
    club_id = make.site(name="club").id
    make.benefit_definition(site_id=club_id, handle="summer-ice", name="Ice", created_at=THEN, **OVER[why])
    first.commit()
    Factories(second).site(name="club")
    run = imported(second, exported(first))
    assert counts(run) == (1, 0, 0), problems(second, run)
    assert table(second) == table(first)
    found = get(second, "summer-ice")
    assert (found.is_published, found.created_at) == (True, THEN)
    assert counts(imported(second, exported(first))) == (0, 0, 0)


@pytest.mark.parametrize("told", ["", f"{NOW - timedelta(days=8):%Y-%m-%dT%H:%M:%SZ}"])
def test_what_was_never_live_before_it_ended_is_not_published_by_a_file(session, club, told):
    run = imported(session, f"{HEAD},is_published,end_at,created_at\nd,D,club,yes,{NOW - timedelta(days=9):%Y-%m-%dT%H:%M:%SZ},{told}\n")  # fmt: skip
    assert counts(run) == (0, 0, 1)
    assert problems(session, run)[0][1:] == (
        "is_published",
        "It cannot be published, so write no, or mend this: Its last day is over; choose a later one.",
    )


@pytest.mark.parametrize(("moment", "is_taken"), [(THEN, True), (THEN - timedelta(seconds=1), False)])
def test_a_known_draft_that_has_ended_goes_live_only_with_its_own_moment(session, make, club, moment, is_taken):
    make.benefit_definition(
        site_id=club.id, handle="d", created_at=THEN, is_published=False, end_at=NOW - timedelta(days=9)
    )
    session.commit()
    told = exported(session).replace(f"{THEN:%Y-%m-%dT%H:%M:%S}", f"{moment:%Y-%m-%dT%H:%M:%S}")
    rows = list(csv.DictReader(io.StringIO(told, newline="")))
    assert rows[0]["created_at"].startswith(f"{moment:%Y-%m-%dT%H:%M:%S}")
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerow(rows[0] | {"is_published": "yes"})
    run = imported(session, out.getvalue())
    assert counts(run) == ((0, 1, 0) if is_taken else (0, 0, 1)), problems(session, run)
    assert (get(session, "d").is_published, get(session, "d").created_at) == (is_taken, THEN)


def test_as_of_then_all_else_of_the_checklist_holds(session, club):
    content = f"{HEAD},is_published,is_assignable,created_at\nd,D,club,yes,no,2020-01-01T00:00:00Z\n"
    run = imported(session, content)
    assert problems(session, run)[0][2].endswith("Nobody could get it: allow issuing or claiming.")


def test_another_moment_of_creation_alone_changes_nothing(session, make, club):
    make.benefit_definition(site_id=club.id, handle="d", name="D", created_at=THEN)
    session.commit()
    run = imported(session, "handle,name,created_at\nd,D,2020-01-01T00:00:00Z\n")
    assert (counts(run), run.findings["changed"]) == ((0, 0, 0), 0)
    assert get(session, "d").created_at == THEN


def test_p12_the_same_file_twice_changes_nothing(programme):
    session = programme()
    filled(session)
    before, told = exported(session), len(events(session))
    run = imported(session, before)
    assert counts(run) == (0, 0, 0), problems(session, run)
    assert (run.findings["new"], run.findings["changed"]) == (0, 0)
    assert exported(session) == before
    assert len(events(session)) == told


def test_a_row_of_a_known_handle_becomes_a_version_that_the_log_tells(session, make, club):
    known = make.benefit_definition(site_id=club.id, handle="d", name="Tea", period=30, internal_notes="Ours")
    make.benefit(known)
    run = imported(session, "handle,name,period,total_global_created\nD,Coffee,60,99\n")
    assert counts(run) == (0, 1, 0), problems(session, run)
    found = get(session, "d")
    assert (found.name, found.period, found.terms_number, found.internal_notes) == ("Coffee", 60, 2, "Ours")
    assert (found.is_published, found.max_redemptions, found.total_global_created) == (True, 1, 1)
    version = read.version(session, found.id, 2)
    assert (version.terms["period"], version.terms["internal_notes"], version.by) == (60, "Ours", "Ann Able")
    [entry] = session.scalars(select(AuditEntry).where(AuditEntry.event == Event.DEFINITION_CHANGED))
    assert entry.facts["changes"] == "name from «Tea» to «Coffee»; period from «30» to «60»"


def test_a_new_handle_is_a_draft_unless_the_file_says_otherwise(session, club):
    run = imported(
        session, f'{HEAD},tags,claim_period_start_at,end_at\nnew,New,club,"a, b",2026-05-01T10:00:00+10:00,\n'
    )
    assert counts(run) == (1, 0, 0), problems(session, run)
    found = get(session, "new")
    assert (found.is_published, found.is_archived, found.is_assignable, found.tags) == (False, False, True, ["a", "b"])
    assert found.claim_period_start_at == datetime(2026, 5, 1, tzinfo=UTC)
    assert events(session) == ["definition.created"]
    assert session.scalar(select(func.count()).select_from(BenefitDefinitionVersion)) == 1


def test_what_the_form_refuses_is_a_sentence_at_its_line_and_column(session, make, club):
    make.benefit_definition(site_id=club.id, handle="there", name="There", external_id="E1")
    elsewhere = make.site(name="elsewhere")
    make.voucher_type(site_id=elsewhere.id, code="FAR")
    make.target(site_id=club.id, name="gone", title="Gone", archived_at=NOW)
    columns = (
        "voucher_type", "remind_target", "external_id", "period", "currency", "value_minor", "claim_condition", "meta", "icon",
        "notify_remind_offset_days", "period_type", "absolute_expiry", "end_at", "stops_redemptions", "is_published", "is_claimable", "is_assignable",
    )  # fmt: skip
    rows = [
        {"handle": "ten % off"},
        {"handle": "n1", "site": ""},
        {"handle": "n2", "site": "nowhere"},
        {"handle": "n3", "voucher_type": "NONE"},
        {"handle": "n4", "voucher_type": "FAR"},
        {"handle": "n5", "remind_target": "gone", "notify_remind_offset_days": "-3"},
        {"handle": "n6", "external_id": "E1"},
        {"handle": "n7", "period": "-1"},
        {"handle": "n8", "value_minor": "100"},
        {"handle": "n9", "claim_condition": '{"===": [{"var": "shoe"}, 1]}'},
        {"handle": "n10", "claim_condition": "[1"},
        {"handle": "n11", "meta": "[]"},
        {"handle": "n12", "icon": "javascript:alert(1)"},
        {"handle": "n13", "remind_target": "gone"},
        {"handle": "n14", "absolute_expiry": "2026-02-30"},
        {"handle": "n15", "end_at": "9999-12-31T23:59:59Z"},
        {"handle": "n16", "stops_redemptions": "yes"},
        {"handle": "n17", "is_published": "yes", "is_assignable": "no", "is_claimable": "no"},
        {"handle": "n18", "is_published": "yes", "end_at": "2026-01-01T00:00:00Z"},
        {"handle": "there", "site": "elsewhere"},
        {"handle": "n19", "external_id": "E2"},
        {"handle": "n20", "external_id": "E2"},
        {"handle": "n21", "is_claimable": "maybe"},
        {"handle": "n22", "is_published": "yes", "period_type": "absolute_date", "absolute_expiry": "2026-01-01"},
    ]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [*HEAD.split(","), *columns], restval="")
    writer.writeheader()
    writer.writerows({"name": "N", "site": "club"} | row for row in rows)
    run = imported(session, out.getvalue(), None)
    assert (run.good_count, run.bad_count, run.duplicate_count) == (1, len(rows) - 1, 0)
    told = {line: (column, reason) for line, column, reason in problems(session, run)}
    assert {line: column for line, (column, _) in told.items()} == {
        2: "handle", 3: "site", 4: "site", 5: "voucher_type", 6: "voucher_type", 7: "remind_target", 8: "external_id",
        9: "period", 10: "currency", 11: "claim_condition", 12: "claim_condition", 13: "meta", 14: "icon",
        15: "notify_remind_offset_days", 16: "absolute_expiry", 17: "end_at", 18: "stops_redemptions", 19: "is_published",
        20: "is_published", 21: "site", 23: "external_id", 24: "is_claimable",
        25: "is_published",
    }  # fmt: skip
    assert told[3][1] == "The value is empty; a new definition needs the name of its site."
    assert told[4][1] == "There is no site «nowhere»."
    assert told[6][1] == f"Choose a voucher type of the site «{club.title}»."
    assert told[7][1] == "«Gone» is archived; choose another target, or restore it."
    assert told[8][1] == "«E1» is the external id of «There» already; choose another."
    assert told[9][1] == "«-1» is not a whole number from 0 to 36,500 in the digits 0 to 9."
    assert told[20][1] == "It cannot be published, so write no, or mend this: Its last day is over; choose a later one."
    assert told[25][1] == (
        "It cannot be published, so write no, or mend this: Its benefits end on 1 January 2026, which is over; choose a "
        "later fixed last day."
    )
    assert told[21][1] == "«There» belongs to the site «club» and stays there; clone it for another one."
    assert told[23][1] == "Line 22 of this file has the external id «E2» already; choose another."
    assert all(reason.endswith(".") for _, reason in told.values())


def test_mended_rejects_come_in(session, club):
    run = imported(session, f"{HEAD},period\ngood,Good,club,1\nbad,Bad,club,x\n")
    assert counts(run) == (1, 0, 1)
    rejects = b"".join(files.read(session, run.rejects_file_id)).decode("utf-8-sig")
    run = imported(session, rejects.replace(",x,", ",2,"))
    assert counts(run) == (1, 0, 0), problems(session, run)
    assert get(session, "bad").period == 2


def test_two_rows_of_one_handle_are_one_and_a_duplicate(session, club):
    run = imported(session, f"{HEAD},external_id\nd,First,club,E\nD,Second,club,E\n")
    assert (run.good_count, run.duplicate_count, run.bad_count) == (1, 1, 0)
    assert get(session, "d").name == "First"


def test_rules_look_at_what_the_row_comes_to_beside_what_is_there(session, make, club):
    make.benefit_definition(site_id=club.id, handle="d", name="D", value_minor=100, currency="EUR")
    run = imported(session, "handle,name,currency\nd,D,\n", None)
    assert problems(session, run) == [(2, "currency", "A value needs its currency, such as GBP.")]
    run = imported(session, "handle,name,currency\nd,D,\n", None, empty_cells="leave")
    assert (run.good_count, run.findings["changed"]) == (1, 0)


def test_the_file_publishes_and_takes_back_by_the_verbs_of_the_page(session, make, club):
    make.benefit_definition(site_id=club.id, handle="live", name="Live")
    make.benefit_definition(site_id=club.id, handle="draft", name="Draft", is_published=False)
    make.benefit_definition(site_id=club.id, handle="same", name="Same")
    run = imported(session, "handle,name,is_published\nlive,Live,no\ndraft,Draft,yes\nsame,Same,\n")
    assert counts(run) == (0, 2, 0)
    assert run.findings["changed"] == 2
    assert events(session) == ["definition.unpublished", "definition.published"]
    assert [get(session, name).is_published for name in ("live", "draft", "same")] == [False, True, True]
    run = taken_back(session, run)
    assert (run.undone["restored"], run.undone["left"]) == (2, [])
    assert [get(session, name).is_published for name in ("live", "draft", "same")] == [True, False, True]
    assert get(session, "live").terms_number == 1


def test_what_was_live_is_live_again_though_the_checklist_has_failed_since(session, make, club):
    make.benefit_definition(site_id=club.id, handle="d", name="D", end_at=NOW - timedelta(days=1))
    run = imported(session, "handle,name,is_published\nd,D,no\n")
    assert not get(session, "d").is_published
    taken_back(session, run)
    assert get(session, "d").is_published


def test_the_file_archives_and_is_refused_or_brings_back_what_is_archived(session, make, club):
    make.benefit_definition(site_id=club.id, handle="d", name="D")
    run = imported(session, "handle,name,is_archived,stops_redemptions\nd,D,yes,yes\n")
    assert counts(run) == (0, 1, 0)
    assert (get(session, "d").is_archived, get(session, "d").stops_redemptions) == (True, True)
    taken_back(session, run)
    assert (get(session, "d").is_archived, get(session, "d").stops_redemptions) == (False, False)

    perform(
        session,
        ANN,
        NOW,
        lambda work: definitions.archive(work, ArchiveDefinition(get(session, "d").id, stops_redemptions=True)),
    )
    for content in ("handle,name\nd,Other\n", "handle,name,is_archived\nd,D,no\n", "handle,name,is_archived\nd,D,\n"):
        run = imported(session, content, None)
        [(_, _, reason)] = problems(session, run)
        assert reason == ("The definition «D» is archived; restore it first, or choose to bring back what is archived.")
    run = imported(session, "handle,name,is_archived\nd,Other,\n", archived_rows="restore")
    assert counts(run) == (0, 1, 0)
    assert (get(session, "d").is_archived, get(session, "d").stops_redemptions, get(session, "d").name) == (
        False,
        False,
        "Other",
    )
    run = taken_back(session, run)
    assert run.undone["left"] == []
    assert (get(session, "d").is_archived, get(session, "d").stops_redemptions, get(session, "d").name) == (
        True,
        True,
        "D",
    )


def test_what_is_archived_can_be_archived_otherwise(session, make, club):
    make.benefit_definition(site_id=club.id, handle="d", name="D", is_archived=True)
    run = imported(session, "handle,name,is_archived,stops_redemptions\nd,D,yes,yes\n")
    assert counts(run) == (0, 1, 0)
    assert (get(session, "d").is_archived, get(session, "d").stops_redemptions) == (True, True)
    assert events(session) == ["definition.restored", "definition.archived"]


@pytest.mark.parametrize("known", ["fill", "leave"])
def test_filling_in_and_leaving_do_not_replace(session, make, club, known):
    make.benefit_definition(site_id=club.id, handle="d", name="D", is_published=False, campaign=None)
    row = "handle,name,campaign,period,is_published,is_archived\nd,Other,spring,60,yes,yes\n"
    run = imported(session, row, known_rows=known, empty_cells="leave")
    found = get(session, "d")
    assert run.bad_count == 0
    assert (found.name, found.period, found.is_published, found.is_archived) == ("D", 30, False, False)
    assert found.campaign == ("spring" if known == "fill" else None)


def test_taking_back_removes_what_came_and_restores_what_was(session, make, club):
    make.benefit_definition(
        site_id=club.id, handle="d", name="D", type=BenefitType.GIFT, absolute_expiry=date(2030, 1, 1),
        end_at=datetime(2031, 1, 1, tzinfo=UTC), tags=["a"], claim_condition=ADULT,
    )  # fmt: skip
    before = table(session)
    run = imported(
        session,
        f"{HEAD},type,absolute_expiry,end_at,tags,claim_condition\nd,E,club,event,,,,\nnew,New,club,,,,,\n",
    )
    assert counts(run) == (1, 1, 0), problems(session, run)
    run = taken_back(session, run)
    assert (run.undone["gone"], run.undone["restored"], run.undone["left"]) == (1, 1, [])
    assert table(session) == before
    assert get(session, "d").terms_number == 3
    assert events(session)[-2:] == ["definition.deleted", "definition.changed"]


def test_what_was_issued_or_changed_since_stays_and_is_listed(session, make, club):
    known = make.benefit_definition(site_id=club.id, handle="d", name="D")
    run = imported(session, f"{HEAD}\nd,E,club\nused,Used,club\nlive,Live,club\nfree,Free,club\n")
    make.benefit(get(session, "used"))
    session.commit()
    perform(session, ANN, NOW, lambda work: definitions.publish(work, PublishDefinition(get(session, "live").id)))
    imported(session, "handle,name\nd,F\n")
    run = taken_back(session, run)
    assert (run.undone["gone"], run.undone["restored"]) == (1, 0)
    assert sorted(run.undone["left"]) == [
        "A benefit was issued from «Used»; archive it instead.",
        "«F» (d) was changed since.",
        "«Live» (live) was changed since.",
    ]
    assert get(session, known.handle).name == "F"


def test_an_external_id_that_somebody_took_since_stays_theirs(session, make, club):
    make.benefit_definition(site_id=club.id, handle="d", name="D", external_id="E")
    run = imported(session, "handle,name,external_id\nd,D,F\n")
    make.benefit_definition(site_id=club.id, handle="e", name="E", external_id="E")
    session.commit()
    run = taken_back(session, run)
    assert run.undone["left"] == ["«D» (d) is used, or what it had is another’s now."]
    assert get(session, "d").external_id == "F"


def test_long_texts_keep_their_lines_and_lose_what_nobody_sees(session, club):
    text = "one\r\ntwo\x07\n\n three \u202eend"
    run = imported(session, f'{HEAD},terms_conditions\nd,D,club,"{text}"\n')
    assert get(session, "d").terms_conditions == "one\ntwo\n\n three \u202eend"
    assert run.findings["cleaned"] == 1


def test_a_meta_as_long_as_can_be_typed_comes_back(session, make, club):
    meta = {"é" * 10: ["ü" * 3] * 1_300}
    make.benefit_definition(site_id=club.id, handle="d", name="D", meta=meta)
    assert len(json.dumps(meta, separators=(",", ":"), ensure_ascii=False)) > 7_000
    run = imported(session, exported(session))
    assert (counts(run), run.good_count) == ((0, 0, 0), 1), problems(session, run)


def test_nothing_is_lost_when_somebody_archived_it_between_check_and_import(session, make, club):
    make.benefit_definition(site_id=club.id, handle="d", name="D")
    run = imported(session, "handle,name\nd,E\n", None)
    assert run.good_count == 1
    perform(session, ANN, NOW, lambda work: definitions.archive(work, ArchiveDefinition(get(session, "d").id)))
    perform(session, ANN, NOW, lambda work: imports.apply(work, ApplyImport(run.id, ImportContract.GOOD_ROWS)))
    run_jobs(session)
    fresh(session)
    assert get(session, "d").name == "D"
    perform(session, ANN, NOW, lambda work: definitions.restore(work, RestoreDefinition(get(session, "d").id)))
