"""Whatever stands in a file of any kind is imported or told, never a fault of ours (reliability.md 2.4, P12)."""

from __future__ import annotations

import csv
import io
import random

import pytest
from sqlalchemy import func, select

from tests.support.clock import NOW
from tests.support.jobs import run_jobs
from webapp.adapters import spreadsheets
from webapp.domain.errors import Refused
from webapp.domain.identity import Actor
from webapp.domain.import_columns import ImportKind, columns
from webapp.domain.imports import ImportContract, ImportStatus, Outcome
from webapp.models import ImportProblem, ImportRun
from webapp.services import imports
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadRows
from webapp.services.work import perform

ANN = Actor("Ann Able")
UPLOADED = [kind for kind in ImportKind if kind is not ImportKind.ENTRIES]
# reliability.md 2.4: what an ordinary form answers with a 500, or takes without a word.
HOSTILE = (
    "9223372036854775808", "2147483648", "99999999999999999999", "-1", "0", "NaN", "sNaN", "-Infinity", "1e400", "1_000",
    "１２", "١٢", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-03-29T01:30:00",
    "31/12/17", "2026-02-30", "\u202eabc", "a\rb\nc", "\x1b[31m", "http://[::ffff:127.0.0.1]", "%", "_", "=1+1", "'",
    '"', ";", "\t", " ", "", "x" * 300, "é" * 200, "<script>", "null", "{}", "[]", '{"a": NaN}', "a=b", "a\\", "=,=", ";inactive",
    "a@b", "a@example.com", "A@EXAMPLE.COM", "club:/p1/c1/m1", ":/", "a:/../b", "Europe/London", "yes", "primary", "M1", "m-1",
)  # fmt: skip


def upload(session, kind: ImportKind, content: bytes, name: str = "h.csv", encoding: str = "") -> int:
    stream = io.BytesIO(content)
    file = IncomingFile(name, spreadsheets.survey(stream, name, encoding), spreadsheets.Pieces(stream))
    run = perform(session, ANN, NOW, lambda work: imports.upload_rows(work, UploadRows(kind, file)))
    places = imports.positions(run.mapping, run.headings)
    perform(session, ANN, NOW, lambda work: imports.choose_columns(work, ChooseColumns(run.id, places)))
    run_jobs(session)
    return run.id


def look(session, run_id: int) -> ImportRun:
    session.rollback()
    session.expire_all()
    return session.get_one(ImportRun, run_id)


@pytest.mark.parametrize("kind", UPLOADED)
def test_p12_accepted_and_rejected_are_all_the_records_of_any_kind(session, make, repeat, kind):
    make.site(name="club")
    luck = random.Random(str(kind))  # noqa: S311
    names = [column.name for column in columns(kind)][:40]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(names)
    count = repeat(150, 10_000)
    for _ in range(count):
        row = [
            luck.choice(HOSTILE) if luck.random() < 0.5 else luck.choice(("", f"k{luck.randint(1, 40)}")) for _ in names
        ]
        writer.writerow([*row, "more"] if luck.random() < 0.02 else row)
    run_id = upload(session, kind, out.getvalue().encode("utf-8", "replace"))
    run = look(session, run_id)
    assert run.status is ImportStatus.CHECKED, run.problem
    assert (run.record_count, run.good_count + run.duplicate_count + run.bad_count) == (count, count)
    told = select(func.count(ImportProblem.line.distinct())).where(
        ImportProblem.run_id == run_id, ImportProblem.outcome == Outcome.BAD, ImportProblem.reason != ""
    )
    assert session.scalar(told) == run.bad_count
    if run.good_count:
        perform(session, ANN, NOW, lambda work: imports.apply(work, ApplyImport(run_id, ImportContract.GOOD_ROWS)))
        run_jobs(session)
        assert look(session, run_id).status is ImportStatus.DONE, look(session, run_id).problem


TABLE = "External ID,Name,Title\nM1,gold,Zoë\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TABLE.encode("utf-8-sig"), ""),
        (TABLE.encode("utf-16"), ""),
        (TABLE.encode("latin-1"), "latin-1"),
        (TABLE.encode("cp1252"), "cp1252"),
        (TABLE.replace(",", ";").encode(), ""),
        (TABLE.replace(",", "\t").encode(), ""),
        (TABLE.replace("\n", "\r").encode(), ""),
        (TABLE.replace("\n", "\r\n").encode(), ""),
    ],
    ids=["mark", "utf-16", "latin-1", "windows-1252", "semicolons", "tabs", "cr only", "crlf"],
)
def test_a_file_however_it_is_written_brings_the_same(session, content, encoding):
    run = look(session, upload(session, ImportKind.GROUPS, content, encoding=encoding))
    assert (run.good_count, run.findings["sample"][0]["title"]) == (1, "Zoë")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TABLE.encode("latin-1"), "holds the byte 0xEB"),
        (TABLE.replace("ë", "e").encode("utf-16-le"), "zero character"),
        (b'A,B\n1,"2\n3,4\n', "never closed"),
        (b'A,B\n1,2"x"\n', "stray quotation mark"),
        (b"A,A\n1,2\n", "stands twice"),
        (b"A,\n1,2\n", "has no heading"),
        (b"A,B\n", "no rows"),
        (b"", "empty"),
        (b"A\n" + b"x" * 100_001 + b"\n", "more than 100,000 characters"),
    ],
)  # fmt: skip
def test_p12_a_fault_of_the_whole_file_refuses_it_in_one_sentence(session, content, words):
    with pytest.raises(Refused, match=words) as refusal:
        upload(session, ImportKind.GROUPS, content)
    assert refusal.value.message.endswith((".", ").", "»."))
    assert session.scalar(select(func.count()).select_from(ImportRun)) == 0
