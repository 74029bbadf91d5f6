"""`import codes`, run as a process."""

from __future__ import annotations

import csv
import io
import json

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from tests.factories import Factories
from webapp.adapters.engines import engine_options
from webapp.domain.audit import Event
from webapp.models import AuditEntry, Profile, StoredFile, Voucher, VoucherBatch

HEAD = "Code,Valid until,Member ID,Value\n"
GOOD = "AAAA-BBBB-1,2099-12-31,,25\nAAAA-BBBB-2,,M-1,\n"
REPEAT = "aaaabbbb1,,,\n"
BAD = "AAAA-BBBB-3,soon,,\n,,,\nAAAA-BBBB-4,,M-9,\n"


@pytest.fixture
def own(own_database):
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.fixture
def file(tmp_path, own):
    make = Factories(own)
    make.voucher_type(code="TOUR")
    make.profile(external_id="M-1")
    path = tmp_path / "codes.csv"
    path.write_text(HEAD + GOOD + REPEAT + BAD)
    return path


def codes(own):
    own.rollback()
    wanted = select(Voucher.code, Voucher.value_minor, Profile.external_id)
    wanted = wanted.outerjoin(Profile, Profile.id == Voucher.reserved_for_id)
    return own.execute(wanted.order_by(Voucher.code)).all()


def batches(own):
    own.rollback()
    return own.scalar(select(func.count()).select_from(VoucherBatch))


def test_codes_come_into_a_type_once_and_bad_rows_stay_out(command, own, file):
    done = command("import", "codes", str(file), "--voucher-type", "TOUR", "--json", status=1)
    report = json.loads(done.stdout)
    assert list(report) == ["records", "good", "duplicates", "bad", "problems"]
    assert (report["records"], report["good"], report["duplicates"], report["bad"]) == (6, 2, 1, 3)
    assert [(row["line"], row["value"]) for row in report["problems"]] == [(5, "••••BBB3"), (6, ""), (7, "••••BBB4")]
    assert "no code was added. Mend the bad rows" in done.stderr
    rejects = list(csv.reader(io.StringIO(file.with_name("codes.csv.rejects.csv").read_text("utf-8-sig"))))
    assert rejects[0] == ["Code", "Valid until", "Member ID", "Value", "Line", "Column", "Reason"]
    assert [(row[0], row[4]) for row in rejects[1:]] == [("AAAA-BBBB-3", "5"), ("", "6"), ("AAAA-BBBB-4", "7")]
    assert rejects[3][6] == "Nobody has the member id «M-9»."
    assert (codes(own), batches(own)) == ([], 0)
    done = command("import", "codes", str(file), "--voucher-type", "TOUR", "--good-rows")
    assert "2 good, 1 duplicate and 3 bad of 6 records; 2 codes added to TOUR." in done.stdout
    assert codes(own) == [("AAAA-BBBB-1", 2500, None), ("AAAA-BBBB-2", None, "M-1")]
    done = command("import", "codes", str(file), "--voucher-type", "TOUR", "--good-rows")
    assert "0 good, 3 duplicate and 3 bad of 6 records; no code was added." in done.stdout
    assert (len(codes(own)), batches(own)) == (2, 1)
    told = own.scalars(select(AuditEntry).where(AuditEntry.event == Event.VOUCHERS_UPLOADED)).all()
    assert [(entry.actor, entry.facts["count"]) for entry in told] == [("Command line", 2)]
    assert own.scalar(select(func.count()).select_from(StoredFile)) == 0


def test_rejects_are_mended_and_come_back(command, own, file):
    command("import", "codes", str(file), "--voucher-type", "TOUR", "--good-rows")
    rejects = file.with_name("codes.csv.rejects.csv")
    rejects.write_text(rejects.read_text("utf-8-sig").replace("soon", "2099-01-31"), "utf-8")
    done = command("import", "codes", str(rejects), "--voucher-type", "TOUR", "--good-rows")
    assert "1 good, 0 duplicate and 2 bad of 3 records; 1 code added to TOUR." in done.stdout
    assert [code for code, *_ in codes(own)] == ["AAAA-BBBB-1", "AAAA-BBBB-2", "AAAA-BBBB-3"]
    again = list(csv.reader(io.StringIO(rejects.with_name(f"{rejects.name}.rejects.csv").read_text("utf-8-sig"))))
    assert again[0] == ["Code", "Valid until", "Member ID", "Value", "Line", "Column", "Reason"]
    assert [(row[0], row[4]) for row in again[1:]] == [("", "3"), ("AAAA-BBBB-4", "4")]


def test_a_dry_run_writes_the_rejects_only(command, own, file):
    done = command("import", "codes", str(file), "--voucher-type", "TOUR", "--dry-run")
    assert "2 good, 1 duplicate and 3 bad of 6 records; no code was added." in done.stdout
    assert file.with_name("codes.csv.rejects.csv").exists()
    assert (codes(own), batches(own)) == ([], 0)


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        ("Name\nA\n", "TOUR", "No column is called «Code»"),
        (HEAD + GOOD, "NOTHING", "There is no voucher type with the code «NOTHING»."),
        ("Code\n" + "".join(f"AAAA-{n:05}\n" for n in range(10_001)), "TOUR", "at most 10,000 are taken at once"),
    ],
    ids=["no codes", "no type", "too many"],
)
def test_what_cannot_be_read_is_one_sentence_and_a_code(command, own, file, content, kind, words):
    file.write_text(content)
    done = command("import", "codes", str(file), "--voucher-type", kind, status=1)
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert codes(own) == []
