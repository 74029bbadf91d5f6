"""Files of rewards: what the form would say, what they change, and rewards that come back from their export."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.clock import NOW
from tests.support.jobs import run_jobs
from webapp.adapters import spreadsheets
from webapp.adapters.engines import engine_options
from webapp.domain.audit import Event
from webapp.domain.identity import Actor
from webapp.domain.import_columns import COLUMNS, ImportKind
from webapp.domain.imports import ImportContract, ImportStatus
from webapp.domain.rewards import RewardKind, RewardStatus
from webapp.models import AuditEntry, ImportProblem, ImportRun, Prize, Reward
from webapp.queries import files
from webapp.queries import rewards as read
from webapp.services import import_undo, imports, rewards
from webapp.services.import_undo import UndoImport
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadRows
from webapp.services.rewards import CloseReward, CreateReward, OpenReward, PrizeLine
from webapp.services.work import perform

ANN = Actor("Ann Able")
KIND = ImportKind.REWARDS
STATE = ("status", "entry_count", "draw_state", "closed_at", "fulfilled_at")
HEAD = "name,title,site"
MUGS = [{"title": "Mug", "quantity": 2, "value_minor": 800}, {"title": "Mug", "quantity": 1, "value_minor": None}]


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
    return b"".join(spreadsheets.csv_stream(read.EXPORT, read.stream(session, None))).decode()


def table(session: Session) -> dict[str, dict[str, str]]:
    """The export by name, without the state of rewards and what only counts."""
    rows = csv.DictReader(io.StringIO(exported(session), newline=""))
    return {row["name"]: {name: value for name, value in row.items() if name not in STATE} for row in rows}


def content(rows: list[dict[str, object]]) -> str:
    out = io.StringIO(newline="")
    names = dict.fromkeys([*HEAD.split(","), *(name for row in rows for name in row)])
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    writer.writerows({"title": "Title", "site": "club"} | row for row in rows)
    return out.getvalue()


def imported(session: Session, text: str, contract: ImportContract | None = ImportContract.GOOD_ROWS, **options: str):
    """Upload, check and import the good rows; gives the run."""
    stream = io.BytesIO(text.encode())
    file = IncomingFile("r.csv", spreadsheets.survey(stream, "r.csv"), spreadsheets.Pieces(stream))
    run = perform(session, ANN, NOW, lambda work: imports.upload_rows(work, UploadRows(KIND, file)))
    places = imports.positions(run.mapping, run.headings)
    perform(session, ANN, NOW, lambda work: imports.choose_columns(work, ChooseColumns(run.id, places, **options)))
    run_jobs(session)
    fresh(session)
    if contract and session.get_one(ImportRun, run.id).good_count:
        applied(session, run, contract)
    return session.get_one(ImportRun, run.id)


def applied(session: Session, run: ImportRun, contract: ImportContract = ImportContract.GOOD_ROWS) -> None:
    perform(session, ANN, NOW, lambda work: imports.apply(work, ApplyImport(run.id, contract)))
    run_jobs(session)
    fresh(session)


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


def get(session: Session, name: str) -> Reward:
    return session.scalars(select(Reward).where(Reward.name == name)).one()


def events(session: Session) -> list[str]:
    wanted = select(AuditEntry.event).where(AuditEntry.event.startswith("reward.")).order_by(AuditEntry.id)
    return list(session.scalars(wanted))


def created(session: Session, site_id: int, title: str, **changes: object) -> Reward:
    """A draft as the form makes it."""
    terms = {
        "kind": RewardKind.PRIZE_DRAW, "sub_title": "", "starts_at": None, "ends_at": None, "prizes": (PrizeLine("Mug", 1),),
        "reserve_count": None, "voucher_type_id": None, "vouchers_per_winner": 1, "one_per_recipient": False,
        "exclude_previous_winners": False, "min_wait_minutes": 10, "witnessed_value": "", "terms": "", "notes": "",
    }  # fmt: skip
    command = CreateReward(title=title, site_id=site_id, **terms | changes)
    return perform(session, ANN, NOW, lambda work: rewards.create(work, command))


def opened(session: Session, reward: Reward) -> None:
    command = OpenReward(reward.id, bytes([reward.id]) * 32, bytes([reward.id]) * 32)
    perform(session, ANN, NOW, lambda work: rewards.open_for_entries(work, command))


def furnished(session: Session) -> tuple[int, int]:
    """A site with a voucher type, as both programmes have them."""
    make = Factories(session)
    site = make.site(name="club", timezone="Australia/Melbourne")
    kind = make.voucher_type(site_id=site.id, code="GIFT")
    session.commit()
    return site.id, kind.id


def filled(session: Session) -> None:
    """Rewards of every kind and in several states, every field used somewhere, with hostile texts."""
    site_id, kind_id = furnished(session)
    created(
        session,
        site_id,
        "=1+1",
        sub_title="@two, «quoted» \"x\" and 10\u00a0km",
        starts_at=date(2026, 4, 5),  # the clocks of Melbourne go back on this day
        ends_at=date(2026, 10, 4),  # and forward on this one
        prizes=(PrizeLine("+Weekend \\ \"away\"", 2, 60_000), PrizeLine("Zoë’s\u00a0mug", 10_000), PrizeLine("Mug", 1, 0)),
        reserve_count=0,
        voucher_type_id=kind_id,
        vouchers_per_winner=3,
        one_per_recipient=True,
        exclude_previous_winners=True,
        min_wait_minutes=0,
        witnessed_value="-The ball numbers, in order",
        terms="1. First\n\n\t2.\u00a0Second",
        notes="'=ours",
    )  # fmt: skip
    for kind in RewardKind:
        created(session, site_id, str(kind), kind=kind, prizes=())
    running = created(session, site_id, "Running", ends_at=date(2026, 12, 31))
    over = created(session, site_id, "Over")
    opened(session, running)
    opened(session, over)
    perform(session, ANN, NOW, lambda work: rewards.close(work, CloseReward(over.id)))


def test_every_column_an_import_reads_is_exported():
    read_over = set(read.EXPORT) - {column.name for column in COLUMNS[KIND]}
    assert {column.name for column in COLUMNS[KIND]} <= set(read.EXPORT)
    assert read_over == set(STATE)


def test_rewards_of_every_kind_come_back_from_their_export(programme):
    first, second = programme(), programme()
    filled(first)
    furnished(second)
    run = imported(second, exported(first))
    assert (run.status, *counts(run)) == (ImportStatus.DONE, 8, 0, 0), problems(second, run)
    assert table(second) == table(first)
    assert {reward.kind for reward in second.scalars(select(Reward))} == set(RewardKind)
    assert set(second.scalars(select(Reward.status))) == {RewardStatus.DRAFT}


def test_the_same_file_twice_changes_nothing(programme):
    session = programme()
    filled(session)
    before, told = exported(session), len(events(session))
    run = imported(session, before)
    assert counts(run) == (0, 0, 0), problems(session, run)
    assert (run.good_count, run.findings["new"], run.findings["changed"]) == (8, 0, 0)
    assert exported(session) == before
    assert len(events(session)) == told


def test_a_new_name_is_a_draft_with_what_the_form_fills_in(session, club):
    run = imported(session, f"{HEAD},status\nspring-draw,Spring,club,active\n")
    assert counts(run) == (1, 0, 0), problems(session, run)
    found = get(session, "spring-draw")
    assert (found.kind, found.status, found.site_id) == (RewardKind.PRIZE_DRAW, RewardStatus.DRAFT, club.id)
    assert (found.reserve_count, found.vouchers_per_winner, found.min_wait_minutes) == (3, 1, 10)
    assert (found.witnessed_value, found.one_per_recipient) == (rewards.DICE, False)
    assert events(session) == ["reward.created"]


def test_days_are_those_of_the_site_as_on_the_form(session, club):
    text = content([{"name": "d", "starts_at": "2026-05-01", "ends_at": "2026-05-31"}])
    run = imported(session, text)
    assert counts(run) == (1, 0, 0), problems(session, run)
    found = get(session, "d")
    assert found.starts_at == datetime(2026, 4, 30, 14, tzinfo=UTC)
    assert found.ends_at == datetime(2026, 5, 31, 14, tzinfo=UTC)
    run = imported(session, text)
    assert (counts(run), run.findings["changed"]) == ((0, 0, 0), 0)


def test_a_draft_is_changed_and_the_log_tells_what(session, club):
    reward = created(session, club.id, "Spring", notes="Ours")
    run = imported(session, f'name,title,prizes\nspring,Summer,"{json.dumps(MUGS).replace(chr(34), chr(34) * 2)}"\n')
    assert counts(run) == (0, 1, 0), problems(session, run)
    found = get(session, "spring")
    assert (found.id, found.title, found.notes, found.version) == (reward.id, "Summer", "Ours", 2)
    prizes = session.execute(select(Prize.handle, Prize.quantity, Prize.value_minor).order_by(Prize.position)).all()
    assert prizes == [("mug", 2, 800), ("mug-2", 1, None)]
    [entry] = session.scalars(select(AuditEntry).where(AuditEntry.event == Event.REWARD_CHANGED))
    assert entry.facts["changes"] == "title Spring → Summer; prizes 1 × Mug → 2 × Mug, 1 × Mug"


def test_what_is_not_a_draft_keeps_its_terms(session, club):
    opened(session, created(session, club.id, "Running", notes="Ours"))
    before = exported(session)
    run = imported(session, "name,title,notes,status\nrunning,Running,Theirs,draft\n", None)
    sentence = "«Running» is active; its prizes, dates and rules were fixed when it opened for entries."
    assert problems(session, run) == [(2, "notes", sentence)]
    run = imported(session, "name,title,notes,status\nrunning,Running,Ours,draft\n")
    assert (run.good_count, *counts(run)) == (1, 0, 0, 0)
    assert exported(session) == before


def test_what_the_form_refuses_is_a_sentence_at_its_line_and_column(session, make, club):
    created(session, club.id, "There")
    elsewhere = make.site(name="elsewhere")
    make.voucher_type(site_id=elsewhere.id, code="FAR")
    many = json.dumps([{"title": f"{n}", "quantity": 10_000} for n in range(11)])
    rows = [
        {"name": "Ten % off"},
        {"name": "points"},
        {"name": "n1", "site": ""},
        {"name": "n2", "site": "nowhere"},
        {"name": "n3", "voucher_type": "NONE"},
        {"name": "n4", "voucher_type": "FAR"},
        {"name": "n5", "starts_at": "2026-05-02", "ends_at": "2026-05-01"},
        {"name": "n6", "starts_at": "2026-05-01T12:00:00Z", "ends_at": "2026-05-01T11:00:00Z"},
        {"name": "n7", "ends_at": "01/11/18"},
        {"name": "n8", "ends_at": "2026-02-30"},
        {"name": "n9", "ends_at": "2202-01-01T00:00:00Z"},
        {"name": "n10", "kind": "lottery"},
        {"name": "n11", "prizes": "Mug"},
        {"name": "n12", "prizes": '[{"quantity": 2}]'},
        {"name": "n13", "prizes": '[{"title": "Mug", "quantity": 0}]'},
        {"name": "n14", "prizes": '[{"title": "Mug", "value_minor": 1.5}]'},
        {"name": "n15", "prizes": '[{"title": "Mug", "colour": "red"}]'},
        {"name": "n16", "prizes": json.dumps([{"title": "x"}] * 101)},
        {"name": "n17", "prizes": many},
        {"name": "n18", "reserve_count": "1001"},
        {"name": "n19", "vouchers_per_winner": "0"},
        {"name": "n20", "one_per_recipient": "maybe"},
        {"name": "n21", "title": ""},
        {"name": "n22", "title": "x" * 121},
        {"name": "there", "site": "elsewhere"},
        {"name": "there", "kind": "giveaway"},
        {"name": "n23", "prizes": json.dumps([{"title": "x" * 121}])},
        {"name": "n24", "notes": "x" * 5_001},
    ]
    run = imported(session, content(rows), None)
    assert (run.good_count, run.bad_count, run.duplicate_count) == (0, len(rows), 0)
    told = {line: (column, reason) for line, column, reason in problems(session, run)}
    assert [column for column, _ in told.values()] == [
        "name", "name", "site", "site", "voucher_type", "voucher_type", *["ends_at"] * 5, "kind", *["prizes"] * 7,
        "reserve_count", "vouchers_per_winner", "one_per_recipient", "title", "title", "site", "kind", "prizes", "notes",
    ]  # fmt: skip
    assert (
        told[2][1]
        == "«Ten % off» cannot be the name of a reward; use small letters, digits and dashes, such as ten-off."
    )
    assert told[3][1] == "«points» is a word of our own addresses; choose another name, such as points-2."
    assert told[4][1] == "The value is empty; a new reward needs the name of its site."
    assert told[7][1] == f"Choose a voucher type of the site «{club.title}»."
    assert told[8][1] == "The last day (2026-05-01) lies before the first day (2026-05-02); choose a later one."
    assert told[10][1] == "«01/11/18» has a year of two digits; write the year in full, such as 2026-03-31T18:05:00."
    assert told[20][1] == "Prizes and reserves together are at most 100,000; these are 110,000 prizes."
    assert (
        told[26][1] == "«There» belongs to the site «club» and stays there; a row for another one needs another name."
    )
    assert told[27][1] == "«There» is a prize draw and stays one; a row of another kind needs another name."
    assert all(reason.endswith(".") for _, reason in told.values())
    assert session.scalar(select(func.count()).select_from(Reward)) == 1


def test_reserves_nobody_asked_for_are_no_more_than_can_be_asked_for(session, club):
    run = imported(session, content([{"name": "d", "prizes": '[{"title": "Mug", "quantity": 5000}]'}]))
    assert counts(run) == (1, 0, 0), problems(session, run)
    assert get(session, "d").reserve_count == 1_000


def test_mended_rejects_come_in(session, club):
    run = imported(session, f"{HEAD},reserve_count\ngood,Good,club,1\nbad,Bad,club,x\n")
    assert counts(run) == (1, 0, 1)
    rejects = b"".join(files.read(session, run.rejects_file_id)).decode("utf-8-sig")
    run = imported(session, rejects.replace(",x,", ",2,"))
    assert counts(run) == (1, 0, 0), problems(session, run)
    assert get(session, "bad").reserve_count == 2


def test_two_rows_of_one_name_are_one_and_a_duplicate(session, club):
    run = imported(session, f"{HEAD}\nd,First,club\nD,Second,club\n")
    assert (run.good_count, run.duplicate_count, run.bad_count) == (1, 1, 0)
    assert get(session, "d").title == "First"


@pytest.mark.parametrize(("known", "empty", "told"), [
    ("fill", "leave", ("Spring", "New", "Ours", 5)),
    ("leave", "leave", ("Spring", "", "Ours", 5)),
    ("replace", "leave", ("Other", "New", "Ours", 5)),
    ("replace", "clear", ("Other", "New", "", 3)),
])  # fmt: skip
def test_what_rows_do_to_a_known_draft_is_chosen(session, club, known, empty, told):
    created(session, club.id, "Spring", notes="Ours", reserve_count=5)
    text = "name,title,sub_title,notes,reserve_count,site,kind\nspring,Other,New,,,,\n"
    run = imported(session, text, known_rows=known, empty_cells=empty)
    assert run.bad_count == 0, problems(session, run)
    found = get(session, "spring")
    assert (found.title, found.sub_title, found.notes, found.reserve_count) == told


def test_taking_back_removes_what_came_and_restores_what_was(session, club):
    created(
        session, club.id, "Spring", starts_at=date(2026, 4, 1), ends_at=date(2026, 4, 30),
        prizes=(PrizeLine("Mug", 2, 800), PrizeLine("Cup", 1)), terms="one\ntwo", one_per_recipient=True,
    )  # fmt: skip
    before = table(session)
    rows = [
        {"name": "spring", "title": "Other", "one_per_recipient": "no"},
        {"name": "fresh", "prizes": json.dumps(MUGS)},
    ]
    run = imported(session, content([row | {"starts_at": "", "ends_at": "", "terms": ""} for row in rows]))
    assert counts(run) == (1, 1, 0), problems(session, run)
    assert table(session)["spring"] != before["spring"]
    run = taken_back(session, run)
    assert (run.undone["gone"], run.undone["restored"], run.undone["left"]) == (1, 1, [])
    assert table(session) == before
    assert events(session)[-2:] == ["reward.deleted", "reward.changed"]


def test_what_only_changed_its_title_keeps_its_prizes_when_it_is_taken_back(session, club):
    created(session, club.id, "Spring", prizes=(PrizeLine("Mug", 2, 800), PrizeLine("Cup", 1)))
    before = table(session)
    run = taken_back(session, imported(session, "name,title\nspring,Other\n"))
    assert (run.undone["restored"], run.undone["left"]) == (1, [])
    assert table(session) == before


def test_what_was_opened_or_changed_since_stays_and_is_listed(session, club):
    created(session, club.id, "Spring")
    created(session, club.id, "Summer")
    rows = [{"name": name, "prizes": json.dumps(MUGS)} for name in ("spring", "summer", "running", "free")]
    run = imported(session, content(rows))
    assert counts(run) == (2, 2, 0), problems(session, run)
    imported(session, "name,title\nspring,Other\n")
    opened(session, get(session, "summer"))
    opened(session, get(session, "running"))
    run = taken_back(session, run)
    assert (run.undone["gone"], run.undone["restored"]) == (1, 0)
    assert sorted(run.undone["left"]) == [
        "«Other» (spring) was changed since.",
        "«Title» is active; its prizes, dates and rules were fixed when it opened for entries.",
        "«Title» is active; what was open for entries stays on record.",
    ]
    assert sorted(session.scalars(select(Reward.name))) == ["running", "spring", "summer"]


def test_what_is_opened_between_check_and_import_keeps_its_terms(session, club):
    reward = created(session, club.id, "Spring")
    run = imported(session, "name,title\nspring,Other\n", None)
    assert run.good_count == 1
    opened(session, reward)
    applied(session, run)
    assert (get(session, "spring").title, get(session, "spring").status) == ("Spring", RewardStatus.ACTIVE)
