"""Rows judged in a process of their own are the rows judged here, and the process never outlives its purpose."""

import csv
import pickle
import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from io import BytesIO, StringIO

import pytest

from webapp.adapters import judging
from webapp.adapters.judging import Reading
from webapp.domain.errors import Refused
from webapp.domain.import_columns import ImportKind, columns
from webapp.domain.import_rows import Draft
from webapp.domain.imports import guess
from webapp.domain.people import AttributeKind
from webapp.domain.person_lists import Definition
from webapp.domain.person_rows import PersonDraft, There

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HEADINGS = ("Member ID", "E-mail", "Entered at", "Receipt")


def reading(kind=ImportKind.ENTRIES, headings=HEADINGS, size=700, after=0):
    return Reading(kind, "a.csv", "", headings, guess(columns(kind), headings), "Europe/Dublin", NOW, size, after)


def both(asked, file):
    """The parts judged here, and those of which all but the first were judged in a process beside."""
    ways = (judging.here(asked, BytesIO(file)), judging.beside(asked, partial(BytesIO, file)))
    here, beside = ([replace(part, cells=part.rows) for part in way] for way in ways)
    return here, beside


def entries(count, bad_every=7):
    lines = [",".join(HEADINGS)]
    for n in range(count):
        moment = "yesterday" if n % bad_every == 0 else "2026-03-01T10:00:00Z"
        lines.append(f"M{n},sören{n}@mail.example,{moment},\u200bR{n}")
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("after", [0, 1_999])
def test_the_same_rows_come_from_here_and_from_a_process_beside(after):
    asked, file = reading(after=after), entries(3_000)
    here, beside = both(asked, file)
    assert here == beside
    assert sorted(number for part in here for number in (*part.records, *(row.record for row in part.bad))) == list(
        range(after + 1, 3_001)
    )
    assert max(part.count for part in here) == 700
    assert here[-1].cleaned == 3_000 - after
    bad = [row for part in here for row in part.bad]
    assert all(row.values for row in bad)
    assert {row.faults[0].column for row in bad} == {"entered_at"}
    assert {type(draft) for part in beside for draft in part.drafts} == {Draft}
    assert beside[0].drafts[0].entered_at.tzinfo is UTC


def test_a_file_of_organisations_is_read_beside_too():
    headings = ("Organisation", "Title", "Type")
    asked = reading(ImportKind.ORGANISATIONS, headings)
    file = b"Organisation,Title,Type\na,A,shop\nb,B\n"
    here, beside = both(asked, file)
    assert here == beside
    assert [part.cells for part in here] == [[["a", "A", "shop"]]]


PERSON = {
    "external_id": "M1",
    "email": "Ann@example.org",
    "title": "Dr",
    "first_name": "Ann",
    "last_name": "Able",
    "phone": "+353 1 555 0100",
    "home_phone": "+353 1 555 0101",
    "birth_day": "3",
    "birth_month": "4",
    "birth_year": "1980",
    "gender": "female",
    "joined_at": "2024-01-01T10:00:00Z",
    "joined_location": "shop-1",
    "preferred_location": "shop-2",
    "tier": "gold",
    "tags": "a; b",
    "statuses": "staff",
    "zone": "Europe/Dublin",
    "consents": "email_promo=yes",
    "identities": "crm=17",
    "attributes": '{"shoe_size": 39}',
    "created_at": "2024-01-01T10:00:00Z",
    "updated_at": "2024-02-01T10:00:00Z",
}


def test_everything_a_row_of_people_can_tell_comes_from_a_process_beside():
    there = There({"gold": 1}, {"shop-1": 1, "shop-2": 2}, {"shoe_size": Definition(AttributeKind.WHOLE_NUMBER, ())})
    asked = reading(ImportKind.PROFILES, tuple(PERSON), size=1)
    asked = replace(asked, mapping={name: name for name in PERSON}, there=there)
    bare = dict.fromkeys(PERSON, "") | {"external_id": "M3", "gender": "unknown"}
    lines = StringIO(newline="")
    csv.writer(lines).writerows([PERSON, PERSON.values(), PERSON.values(), bare.values()])
    file = lines.getvalue().encode()
    here, beside = both(asked, file)
    assert [part.bad for part in here] == [[], [], []]
    full = here[0].drafts[0]
    told = full._asdict()
    assert [name for name in PersonDraft._fields if not told[name]] == []
    assert here == beside
    for one, other in zip(here, beside, strict=True):
        assert [type(value) for value in one.drafts[0]] == [type(value) for value in other.drafts[0]]


def test_a_file_that_cannot_be_read_after_all_is_refused_in_the_same_words():
    file = entries(2_500) + b'\r\n"M,,,\r\n'
    faults = []
    for way in (judging.here(reading(), BytesIO(file)), judging.beside(reading(), partial(BytesIO, file))):
        with pytest.raises(Refused) as caught:
            list(way)
        faults.append((caught.value.code, caught.value.message, caught.value.field))
    assert faults[0] == faults[1]
    assert "2,502" in faults[0][1]


def test_few_rows_start_no_process(monkeypatch):
    monkeypatch.setattr(judging.subprocess, "Popen", None)
    assert len(list(judging.parts(reading(), partial(BytesIO, entries(10)), 10))) == 1
    with pytest.raises(TypeError):
        list(judging.parts(reading(), partial(BytesIO, entries(10)), judging.FEW))


def test_the_process_ends_when_no_more_rows_are_wanted(monkeypatch):
    started, popen = [], subprocess.Popen
    monkeypatch.setattr(
        judging.subprocess, "Popen", lambda *args, **more: started.append(popen(*args, **more)) or started[0]
    )
    with closing(judging.beside(reading(), partial(BytesIO, entries(5_000)))) as parts:
        next(parts)
        assert started[0].poll() is None
    assert started[0].poll() is not None


def test_a_process_that_dies_is_an_error_and_not_the_end_of_the_file(monkeypatch):
    started, popen = [], subprocess.Popen
    monkeypatch.setattr(
        judging.subprocess, "Popen", lambda *args, **more: started.append(popen(*args, **more)) or started[0]
    )
    with closing(judging.beside(reading(size=100), partial(BytesIO, entries(30_000)))) as parts:
        next(parts)
        started[0].kill()
        with pytest.raises((RuntimeError, pickle.UnpicklingError)):
            list(parts)
