"""`import` and `export`, run as processes."""

from __future__ import annotations

import csv
import io
import json

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from tests.factories import Factories
from webapp.adapters.engines import engine_options
from webapp.domain.imports import ImportStatus
from webapp.domain.rewards import RewardStatus
from webapp.models import Benefit, Entry, ImportRun, Organisation, Profile, Reward, StoredFile

HEAD = "Member ID,First name,Surname,E-mail,Entered at,Receipt,Entries\n"
GOOD = "M1,=1+1,Lee,ann@example.com,2026-01-05T10:00:00Z,R1,1\nM2,Bo,Lee,,2026-01-05T10:00:00Z,R2,3\n"
REPEAT = "M9,Ann,Lee,,2026-01-05T10:00:00Z,R1,1\n"
BAD = ",Cy,Lee,no-address,2026-01-05T10:00:00Z,R3,1\n"


@pytest.fixture
def own(own_database):
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.fixture
def file(tmp_path, own):
    Factories(own).reward(name="spring")
    path = tmp_path / "entrants.csv"
    path.write_text(HEAD + GOOD + REPEAT + BAD)
    return path


def entries(own: Session) -> int:
    own.rollback()
    return own.scalar(select(func.count()).select_from(Entry))


def test_a_dry_run_reports_and_writes_the_rejects_only(command, own, file):
    done = command("import", "entries", str(file), "--reward", "spring", "--dry-run", "--json")
    report = json.loads(done.stdout)
    assert list(report) == ["records", "good", "duplicates", "bad", "problems"]
    assert (report["records"], report["good"], report["duplicates"], report["bad"]) == (4, 2, 1, 1)
    [problem] = report["problems"]
    assert list(problem) == ["line", "column", "value", "reason"]
    assert (problem["line"], problem["column"], problem["value"]) == (5, "E-mail", "no-address")
    assert entries(own) == 0
    rejects = list(csv.reader(io.StringIO(file.with_name("entrants.csv.rejects.csv").read_text("utf-8-sig"))))
    assert rejects[0][-3:] == ["Line", "Column", "Reason"]
    assert rejects[1][7:9] == ["5", "E-mail"]
    thrown_away(own)


def thrown_away(own: Session) -> None:
    """Nothing of the one upload is left but what is known of it."""
    own.rollback()
    run = own.scalars(select(ImportRun)).one()
    file = own.get_one(StoredFile, run.file_id)
    assert (run.status, file.size, bool(file.sha256)) == (ImportStatus.DISCARDED, 0, True)


def test_a_file_that_was_only_checked_is_in_no_erasures_way(command, own, file):
    Factories(own).profile(first_name="Ann", email="ann@example.com")
    command("import", "entries", str(file), "--reward", "spring", "--dry-run")
    assert "Erased." in command("erase", "ann@example.com", "--yes").stdout


def test_a_file_whose_columns_tell_too_little_is_thrown_away(command, own, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("A,B\n1,2\n")
    assert "No column tells who" in command("import", "profiles", str(path), status=1).stderr
    thrown_away(own)


def test_a_file_without_a_good_row_is_thrown_away(command, own, tmp_path, file):
    file.write_text(HEAD + BAD)
    assert "there is nothing to import" in command("import", "entries", str(file), "--reward", "spring", "--good-rows").stdout  # fmt: skip
    thrown_away(own)


def test_all_or_nothing_is_refused_with_one_sentence_and_a_code(command, own, file):
    done = command("import", "entries", str(file), "--reward", "spring", "--json", status=1)
    assert json.loads(done.stdout)["bad"] == 1
    assert "Error: All or nothing was chosen and 1 of the rows is bad" in done.stderr
    assert "Traceback" not in done.stderr
    assert entries(own) == 0
    thrown_away(own)


def test_good_rows_go_in_once_however_often_the_file_comes(command, own, file):
    done = command("import", "entries", str(file), "--reward", "spring", "--good-rows")
    assert "2 entries and 2 new people imported" in done.stdout
    done = command("import", "entries", str(file), "--reward", "spring", "--good-rows", "--json")
    assert json.loads(done.stdout)["good"] == 0
    assert entries(own) == 2
    assert own.scalar(select(func.count()).select_from(ImportRun)) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "The file is empty."), (b"\x89PNG\r\n\x1a\n", "PNG picture"), (b'A,B\n1,"2\n', "line 2 opens a quotation mark"),
     (b"A,B\n1,\xff\n", "Line 2 holds the byte 0xFF"), (b"A,B\n1,2\n", "No column tells who a row belongs to")],
)  # fmt: skip
def test_a_bad_file_is_one_sentence_and_a_code(command, own, file, content, words):
    file.write_bytes(content)
    done = command("import", "entries", str(file), "--reward", "spring", status=1)
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert entries(own) == 0


def test_an_unknown_reward_and_a_closed_one_are_refused(command, own, file):
    assert "no such reward" in command("import", "entries", str(file), "--reward", "autumn", status=1).stderr
    reward = own.scalars(select(Reward)).one()
    reward.status = RewardStatus.EXPIRED
    own.commit()
    assert "is expired" in command("import", "entries", str(file), "--reward", "spring", status=1).stderr


def test_people_are_imported_without_entries(command, own, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("Member ID;First name;E-mail\nM1;Ann;ann@example.com\nM1;;\n;Bo;bo@example.com\n;;\n")
    done = command("import", "profiles", str(path), "--good-rows", "--json")
    assert [json.loads(done.stdout)[name] for name in ("records", "good", "duplicates", "bad")] == [4, 2, 1, 1]
    own.rollback()
    assert own.execute(select(Profile.external_id, Profile.first_name).order_by(Profile.first_name)).all() == [
        ("M1", "Ann"),
        (None, "Bo"),
    ]


def test_entries_are_exported_as_json_and_as_csv_no_spreadsheet_runs(command, own, file, tmp_path):
    command("import", "entries", str(file), "--reward", "spring", "--good-rows")
    rows = json.loads(command("export", "entries", "--reward", "spring", "--json").stdout)
    assert list(rows[0]) == ["number", "external_id", "first_name", "last_name", "email", "tickets", "status", "reason", "receipt", "entered_at", "store"]  # fmt: skip
    assert (rows[0]["number"], rows[0]["first_name"], rows[1]["tickets"]) == (1, "=1+1", 3)
    assert rows[0]["entered_at"] == "2026-01-05T10:00:00Z"
    path = tmp_path / "out.csv"
    command("export", "entries", str(path), "--reward", "spring", "--mark")
    assert path.read_bytes().startswith(b"\xef\xbb\xbfnumber,")
    assert "'=1+1" in path.read_text("utf-8-sig")
    assert json.loads(command("export", "entries", "--reward", "spring", "--status", "staff", "--json").stdout) == []


def test_what_is_exported_can_be_imported_again_and_changes_nothing(command, own, file, tmp_path):
    command("import", "entries", str(file), "--reward", "spring", "--good-rows")
    path = tmp_path / "again.csv"
    command("export", "entries", str(path), "--reward", "spring")
    done = command("import", "entries", str(path), "--reward", "spring", "--json")
    assert [json.loads(done.stdout)[name] for name in ("records", "good", "duplicates", "bad")] == [2, 0, 2, 0]


def test_people_are_exported(command, own, file):
    command("import", "entries", str(file), "--reward", "spring", "--good-rows")
    rows = json.loads(command("export", "profiles", "--json").stdout)
    assert [row["external_id"] for row in rows] == ["M1", "M2"]
    assert command("export", "profiles").stdout.splitlines()[0].startswith("id,external_id,title,first_name")


def test_every_command_has_help(command):
    for words in (
        ["import"],
        ["import", "entries"],
        ["import", "profiles"],
        ["export"],
        ["export", "entries"],
        ["export", "profiles"],
    ):
        assert "Usage:" in command(*words, "--help").stdout


def test_organisations_come_in_by_a_command_of_their_own(command, own, tmp_path):
    path = tmp_path / "organisations.csv"
    path.write_text("Organisation ID,Title,Parent ID\ngroup,The group,\nsouth,South,group\n")
    done = command("import", "organisations", str(path), "--json")
    assert json.loads(done.stdout) == {"records": 2, "good": 2, "duplicates": 0, "bad": 0, "problems": []}
    assert "2 new and 0 changed organisations." in done.stderr
    assert "0 new and 0 changed organisations." in command("import", "organisations", str(path)).stdout
    own.rollback()
    assert own.scalars(select(Organisation.external_id).order_by(Organisation.id)).all() == ["group", "south"]


def test_what_happens_to_known_people_is_chosen_by_an_option(command, own, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("Member ID,First name\nM1,Ann\n")
    command("import", "profiles", str(path))
    path.write_text("Member ID,First name,Surname\nM1,Anna,Lee\n")
    assert "0 new and 1 changed people." in command("import", "profiles", str(path)).stdout
    command("import", "profiles", str(path), "--known", "replace", "--empty", "clear")
    own.rollback()
    assert own.execute(select(Profile.first_name, Profile.last_name)).all() == [("Anna", "Lee")]
    assert own.scalars(select(ImportRun.options).order_by(ImportRun.id)).all()[-1]["empty_cells"] == "clear"


def test_benefits_are_issued_to_the_people_of_a_file_in_a_batch(command, own, tmp_path):
    make = Factories(own)
    known = [make.profile() for _ in range(3)]
    make.benefit_definition(handle="coffee")
    own.commit()
    path = tmp_path / "people.csv"
    path.write_text("Member ID\n" + "\n".join(str(person.external_id) for person in known) + "\nM-NOBODY\n")
    report = json.loads(
        command("import", "benefits", str(path), "--definition", "Coffee", "--dry-run", "--json").stdout
    )
    assert (report["records"], report["good"], report["duplicates"], report["bad"]) == (4, 3, 0, 1)
    assert report["problems"] == [
        {"line": 5, "column": "", "value": "M-NOBODY", "reason": "Nobody has the member id «M-NOBODY»."}
    ]
    many = tmp_path / "nobody.csv"
    many.write_text("Member ID\n" + "".join(f"=M-{number}\n" for number in range(120)))
    report = json.loads(
        command("import", "benefits", str(many), "--definition", "Coffee", "--dry-run", "--json").stdout
    )
    assert len(report["problems"]) == report["bad"] == 120
    assert report["problems"][-1]["line"] == 121
    done = command("import", "benefits", str(path), "--definition", "coffee", status=1)
    assert "Error: 3 people, 0 named twice and 1 bad row: nothing was issued." in done.stderr
    assert "M-NOBODY" in path.with_name("people.csv.rejects.csv").read_text("utf-8-sig")
    done = command("import", "benefits", str(path), "--definition", "coffee", "--good-rows")
    assert "3 issued, 0 passed over" in done.stdout
    done = command("import", "benefits", str(path), "--definition", "coffee", "--good-rows", "--exclude-holders")
    assert "0 issued, 3 passed over" in done.stdout
    own.rollback()
    assert own.scalar(select(func.count()).select_from(Benefit)) == 3


def test_definitions_come_back_from_their_own_export(command, own, tmp_path):
    make = Factories(own)
    site = make.site(name="club")
    make.benefit_definition(site_id=site.id, handle="tea", name="=Tea", terms_conditions="one\ntwo", tags=["a", "b"])
    path = tmp_path / "definitions.csv"
    command("export", "definitions", str(path))
    report = json.loads(command("import", "definitions", str(path), "--dry-run", "--json").stdout)
    assert report == {"records": 1, "good": 1, "duplicates": 0, "bad": 0, "problems": []}
    assert "0 new and 0 changed definitions" in command("import", "definitions", str(path)).stdout
    path.write_text(path.read_text().replace("tea,club", "coffee,club") + "bad,nowhere\n")
    report = json.loads(command("import", "definitions", str(path), "--good-rows", "--json").stdout)
    assert (report["good"], report["bad"], report["problems"][0]["line"]) == (1, 1, 4)
    assert command("export", "definitions", "--json").stdout.count("one\\ntwo") == 2


def test_rewards_come_back_from_their_own_export(command, own, tmp_path):
    make = Factories(own)
    site = make.site(name="club")
    values = {"site_id": site.id, "title": "=Tea", "terms": "one\ntwo", "witnessed_value": "Dice"}
    reward = make.reward(name="tea", status=RewardStatus.DRAFT, **values)
    make.prize(reward, title="Mug", quantity=2, value_minor=800)
    make.reward(name="running", **values)
    own.commit()
    path = tmp_path / "rewards.csv"
    command("export", "rewards", str(path))
    report = json.loads(command("import", "rewards", str(path), "--dry-run", "--json").stdout)
    assert report == {"records": 2, "good": 2, "duplicates": 0, "bad": 0, "problems": []}
    assert "0 new and 0 changed rewards" in command("import", "rewards", str(path)).stdout
    path.write_text(path.read_text().replace("tea,prize_draw", "coffee,giveaway"))
    with path.open("a") as file:
        file.write("bad\n")
    report = json.loads(command("import", "rewards", str(path), "--good-rows", "--json").stdout)
    assert (report["good"], report["bad"], report["problems"][0]["line"]) == (2, 1, 6)
    found = {row["name"]: row for row in json.loads(command("export", "rewards", "--json").stdout)}
    assert found["coffee"] | {"name": "tea", "kind": "prize_draw"} == found["tea"]
    assert json.loads(found["tea"]["prizes"]) == [{"title": "Mug", "quantity": 2, "value_minor": 800}]
