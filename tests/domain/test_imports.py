"""Rows of an upload: each rule, each sentence, and the whole realistic file against a reference of its own."""

from __future__ import annotations

import csv
import gzip
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.domain import exports, profiles
from webapp.domain import imports as rules
from webapp.domain.import_columns import ImportKind, columns
from webapp.domain.import_rows import Draft, RowRules, clean
from webapp.domain.imports import ImportContract, ImportStatus, RunFacts

ENTRANTS = Path(__file__).parent.parent / "data" / "entrants.csv.gz"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEADINGS = ["Member ID", "First name", "Surname", "E-mail", "Mobile", "Postcode", "Store", "Entered at", "Receipt", "Entries"]  # fmt: skip
MAPPING = rules.guess(columns(ImportKind.ENTRIES), HEADINGS)
GOOD = ["M1", "Ann", "Lee", "Ann@Example.com ", "0400", "2000", "SYD1", "2026-10-15T22:40:45+10:00", "R1", "3"]


def judge(zone: str = "Europe/London", **changes: str):
    values = [changes.get(name, value) for name, value in zip(MAPPING, GOOD, strict=True)]
    return RowRules(HEADINGS, MAPPING, zone, NOW).judge(7, values)


def fault(**changes: str):
    found = judge(**changes)
    assert isinstance(found, list), found
    assert len(found) == 1, found
    assert found[0].reason.endswith(".")
    return found[0]


def test_the_headings_of_the_realistic_file_are_all_known():
    assert list(MAPPING.values()) == HEADINGS


def test_a_good_row_becomes_a_draft():
    draft = judge()
    assert draft == Draft(
        7, "M1", "Ann@Example.com", "ann@example.com", "Ann", "Lee", "0400", "2000", "SYD1",
        datetime(2026, 10, 15, 12, 40, 45, tzinfo=UTC), "R1", 3,
    )  # fmt: skip


def test_neither_member_id_nor_e_mail_is_bad():
    assert fault(external_id="", email=" ")[:2] == ("email", "")


def test_no_address_and_no_member_id_is_bad():
    assert fault(external_id="", email="not-an-address")[:2] == ("email", "not-an-address")


def test_no_address_beside_a_member_id_is_good_without_the_address():
    draft = judge(email="not-an-address")
    assert (draft.email, draft.email_key, draft.external_id) == ("", "", "M1")


@pytest.mark.parametrize(
    "tickets",
    [
        "",
        "0",
        "-1",
        "1.5",
        "1e3",
        "1_000",
        "two",
        "１２",
        "٣",
        "1000001",
        "99999999",
        "9" * 500,
        "+1",
        "1 0",
        "²",
        "0x1",
    ],
)
def test_what_is_no_whole_number_of_tickets_is_bad(tickets):
    assert fault(tickets=tickets).column == "tickets"


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("1000000", 1_000_000), (" 5 ", 5), ("007", 7)])
def test_a_whole_number_in_ascii_digits_is_good(text, number):
    assert judge(tickets=text).tickets == number


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("yesterday", "is not an ISO date and time"),
        ("01/11/26", "year of two digits"),
        ("1.11.26", "year of two digits"),
        ("26-11-01", "year of two digits"),
        ("01/11/26 18:05", "year of two digits"),
        ("01/11/2026", "is not an ISO date and time"),
        ("2026-10-15", "has no time of day"),
        ("2026-13-01T00:00:00Z", "is in no month: there are the months 01 to 12, not 13."),
        ("2026-02-30T00:00:00Z", "is no day of the calendar: February 2026 has the days 01 to 28, not 30."),
        ("2026-02-30", "is no day of the calendar: February 2026 has the days 01 to 28, not 30."),
        ("0000-02-01T00:00:00", "is in no year: the first is 0001."),
        ("2026-10-00 00:00", "is no day of the calendar: October 2026 has the days 01 to 31, not 00."),
        ("2026-10-15T25:00:00Z", "the hours are 00 to 23, minutes and seconds 00 to 59."),
        ("2026-10-15T10:60", "the hours are 00 to 23, minutes and seconds 00 to 59."),
        ("2026-10-15T10:00:00+24:00", "write an offset from -23:59 to +23:59."),
        ("2026-W42-4T10:00:00", "is not an ISO date and time"),
        ("２０２６-10-15T10:00:00Z", "is not an ISO date and time"),
        ("2031-01-01T00:00:00+10:00", "lies in the future"),
        ("1999-12-31T23:59:59Z", "lies before the year 2000"),
        ("0001-01-01T00:00:00+14:00", "lies outside the years 0001 to 9999 in UTC."),
        ("9999-12-31T23:59:59-12:00", "lies outside the years 0001 to 9999 in UTC."),
    ],
)
def test_what_is_no_moment_in_the_past_is_bad(text, words):
    found = fault(entered_at=text)
    assert found.column == "entered_at"
    assert words in found.reason


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-15T22:40:45+10:00",
        "2026-10-15T12:40:45Z",
        "2026-10-15 12:40:45z",
        "2026-10-15t12:40:45.000+0000",
        "2026-10-15T13:40:45",
    ],
)
def test_the_ways_to_write_one_moment_are_one_moment(text):
    assert judge(entered_at=text).entered_at == datetime(2026, 10, 15, 12, 40, 45, tzinfo=UTC)


def test_a_bare_time_is_read_in_the_zone_of_the_site():
    assert judge(zone="Australia/Sydney", entered_at="2026-10-15T22:40:45").entered_at.hour == 11


def test_the_very_moment_of_the_upload_is_not_the_future():
    assert judge(entered_at=NOW.isoformat()).entered_at == NOW
    assert "future" in fault(entered_at=(NOW + timedelta(seconds=1)).isoformat()).reason


def test_every_fault_of_a_row_is_told():
    found = judge(external_id="", email="", tickets="0", entered_at="x")
    assert [item.column for item in found] == ["email", "entered_at", "tickets"]


@pytest.mark.parametrize(
    ("values", "words"), [(GOOD[:-1], "9 values where the heading has 10"), ([*GOOD, ""], "11 values")]
)
def test_a_row_of_another_length_is_bad(values, words):
    found = RowRules(HEADINGS, MAPPING, "UTC", NOW).judge(7, values)
    assert words in found[0].reason
    assert found[0].column == ""


@pytest.mark.parametrize("name", ["external_id", "first_name", "phone", "store", "receipt"])
def test_what_cannot_be_kept_whole_is_bad_rather_than_cut(name):
    assert "at most" in fault(**{name: "x" * 300}).reason


def test_text_is_composed_trimmed_and_on_one_line():
    draft = judge(first_name=" Prénom\n", last_name="Smith\r\nSmythe", store="A\x1b\x00B\u202e")
    assert (draft.first_name, draft.last_name, draft.store) == ("Prénom", "Smith Smythe", "AB")


def test_a_formula_is_text_and_our_own_guard_comes_off():
    assert judge(first_name='=HYPERLINK("x")').first_name == '=HYPERLINK("x")'
    assert judge(first_name="'=1+1", phone="'+44 1").first_name == "=1+1"


def test_columns_left_out_are_empty_and_one_ticket():
    mapping = {"external_id": "Id", "entered_at": "When"}
    draft = RowRules(["Id", "When"], mapping, "UTC", NOW).judge(2, ["M1", "2026-01-01T00:00"])
    assert (draft.tickets, draft.receipt, draft.email) == (1, "", "")


ADDRESSES = [
    "a@example.com", "A.B+c@Sub.Example.co.uk", "o'brien@example.com", "x_y-z@a-b.example", "jörg@example.com", "a@bücher.example",
    "用户@例子.公司", "a@xn--bcher-kva.example", "1@2.com", "a" * 64 + "@example.com", "a@b.museum",
    "", "a", "@", "a@", "@b.com", "a@b", "a@@b.com", "a@b@c.com", "a b@c.com", "a@b c.com", ".a@b.com", "a.@b.com", "a..b@c.com",
    "a@.b.com", "a@b.com.", "a@b..com", "a@-b.com", "a@b-.com", "a@b.c-", "a@b.123", "a@[1.2.3.4]", '"a b"@c.com', "a,b@c.com",
    "Ann <a@b.com>", "a@b.com;c@d.com", "a@ab--cd.com", "a@b_c.com", "a@b.com\n", "a\u200b@b.com", "a@\u202eb.com", "a@b.com ", "a" * 250 + "@b.com",
    "a@" + "b" * 64 + ".com", "a@" + "b." * 130 + "com", "\u0301a@b.com",
]  # fmt: skip


@pytest.mark.parametrize("text", ADDRESSES)
def test_an_address_is_what_the_library_of_the_forms_takes_for_one(text):
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        expected = False
    else:
        expected = True
    assert profiles.is_address(unicodedata.normalize("NFC", text)) is expected
    if not text.endswith((" ", "\n")) and "\u200b" not in text and "\u202e" not in text:
        draft = judge(external_id="M1", email=text)
        assert bool(draft.email) is expected


@settings(deadline=None)
@given(st.text(max_size=60))
def test_cleaning_twice_is_cleaning_once(text):
    once = clean(text)
    assert clean(once) == once
    assert not re.search(r"[\x00-\x1f\x7f]", once)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_a_guard_comes_off_as_it_went_on(text):
    assert exports.unguard(exports.guard(text)) == text or exports.guard(text) == text


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), min_size=10, max_size=10))
def test_whatever_a_row_holds_it_is_good_or_told_why(values):
    found = RowRules(HEADINGS, MAPPING, "Europe/London", NOW).judge(2, values)
    if isinstance(found, list):
        assert found
        assert all(item.reason.endswith(".") and "\n" not in item.reason for item in found)
    else:
        assert found.external_id or found.email
        assert 1 <= found.tickets <= 1_000_000


def reference(rows, now):
    """What data/README says, in the fewest words: line, outcome and heading of every record."""
    seen = set()
    for line, row in rows:
        address = row["E-mail"].strip()
        try:
            moment = datetime.fromisoformat(row["Entered at"])
            is_past = "T" in row["Entered at"] and moment <= now
        except ValueError:
            is_past = False
        if not row["Member ID"].strip() and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]+", address, re.IGNORECASE):
            yield line, "bad", "E-mail"
        elif not re.fullmatch("[0-9]+", row["Entries"], re.ASCII) or not 1 <= int(row["Entries"]) <= 1_000_000:
            yield line, "bad", "Entries"
        elif not is_past:
            yield line, "bad", "Entered at"
        elif row["Receipt"] in seen:
            yield line, "duplicate", "Receipt"
        else:
            seen.add(row["Receipt"])
            yield line, "good", ""


def entrants():
    with gzip.open(ENTRANTS, "rt", encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        line = reader.line_num + 1 if reader.fieldnames else 1
        line = reader.line_num + 1
        for row in reader:
            yield line, row
            line = reader.line_num + 1


def test_the_realistic_file_is_judged_as_its_reference_says():
    row_rules, seen, counts = (
        RowRules(HEADINGS, MAPPING, "Australia/Sydney", NOW),
        set(),
        {"good": 0, "duplicate": 0, "bad": 0},
    )
    rows = list(entrants())
    for (line, row), (_, outcome, heading) in zip(rows, reference(rows, NOW), strict=True):
        found = row_rules.judge(line, list(row.values()))
        if isinstance(found, list):
            assert (outcome, heading) == ("bad", MAPPING[found[0].column]), (line, found)
        else:
            assert outcome == ("duplicate" if found.receipt in seen else "good"), (line, found)
            seen.add(found.receipt)
        counts[outcome] += 1
    assert counts == {"good": 48_939, "duplicate": 280, "bad": 781}


@pytest.mark.parametrize(
    ("heading", "name"),
    [("e-mail address", "email"), ("EMAIL", "email"), ("Last Name", "last_name"), ("Zip code", "postcode"), ("Timestamp", "entered_at"),
     ("Receipt No.", "receipt"), ("Customer_ID", "external_id"), ("Tickets", "tickets"), ("Branch", "store"), ("external_id", "external_id")],
)  # fmt: skip
def test_columns_are_guessed_by_their_usual_names(heading, name):
    assert rules.guess(columns(ImportKind.ENTRIES), ["x", heading]) == {name: heading}


def test_a_heading_is_used_for_one_thing():
    assert rules.guess(columns(ImportKind.ENTRIES), ["Date", "Entered at"]) == {"entered_at": "Entered at"}


def test_the_same_headings_are_the_same_file_to_the_memory():
    assert rules.heading_hash(["E-mail", "Store"]) == rules.heading_hash(["email ", "STORE"])
    assert rules.heading_hash(["a", "b"]) != rules.heading_hash(["b", "a"])


@pytest.mark.parametrize(
    ("mapping", "code"),
    [({"entered_at": "a"}, "import.no_person"), ({"email": "a"}, "import.no_moment"), ({"email": "a", "entered_at": "a"}, "import.column_twice")],
)  # fmt: skip
def test_columns_that_tell_too_little_are_refused(mapping, code):
    assert [reason.code for reason in rules.may_check(ImportKind.ENTRIES, mapping).reasons] == [code]


def test_people_need_no_moment():
    assert rules.may_check(ImportKind.PROFILES, {"email": "a"}).ok


@pytest.mark.parametrize(
    ("status", "contract", "good", "bad", "codes"),
    [
        (ImportStatus.CHECKED, ImportContract.GOOD_ROWS, 5, 2, []),
        (ImportStatus.CHECKED, ImportContract.ALL_OR_NOTHING, 5, 0, []),
        (ImportStatus.CANCELLED, ImportContract.GOOD_ROWS, 5, 2, []),
        (ImportStatus.CHECKED, ImportContract.ALL_OR_NOTHING, 5, 2, ["import.bad_rows"]),
        (ImportStatus.CHECKED, ImportContract.GOOD_ROWS, 0, 2, ["import.nothing_good"]),
        (ImportStatus.UPLOADED, ImportContract.GOOD_ROWS, 5, 0, ["import.not_checked"]),
        (ImportStatus.APPLYING, ImportContract.GOOD_ROWS, 5, 0, ["import.not_checked"]),
        (ImportStatus.DONE, ImportContract.GOOD_ROWS, 5, 0, ["import.not_checked"]),
        (ImportStatus.REFUSED, ImportContract.GOOD_ROWS, 5, 0, ["import.not_checked"]),
    ],
)
def test_when_an_upload_may_be_imported(status, contract, good, bad, codes):
    verdict = rules.may_apply(RunFacts(status, contract, good, bad))
    assert [reason.code for reason in verdict.reasons] == codes
    assert all(reason.message.endswith(".") for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("back", "apply", "undo"),
    [
        ({}, [], []),
        ({"in_part": True}, ["import.undone_in_part"], []),
        ({"in_part": True, "undoing": True}, ["import.undoing"], ["import.undoing"]),
        ({"in_part": True, "undoing": True, "undone": True}, ["import.undone"], ["import.undone"]),
    ],
)
def test_what_was_stopped_halfway_goes_on_until_some_of_it_is_taken_back(back, apply, undo):
    run = RunFacts(ImportStatus.CANCELLED, ImportContract.GOOD_ROWS, 5, 0, written=2, **back)
    assert [reason.code for reason in rules.may_apply(run).reasons] == apply
    assert [reason.code for reason in rules.may_undo(run).reasons] == undo


@pytest.mark.parametrize("status", ImportStatus)
def test_every_state_says_what_can_be_done_in_it(status):
    run = RunFacts(status, ImportContract.GOOD_ROWS, 1, 0)
    assert rules.may_choose_columns(run).ok is (status in rules.CHECKABLE)
    assert rules.may_cancel(run).ok is (status in (ImportStatus.CHECKING, ImportStatus.APPLYING))
    assert rules.may_discard(run).ok is (status in (ImportStatus.UPLOADED, ImportStatus.CHECKED))


def test_the_headings_of_a_rejects_file_never_collide():
    assert rules.reject_headings(["A", "B"]) == ("A", "B", "Line", "Column", "Reason")
    assert rules.reject_headings(["A", "Line", "Column", "Reason"]) == ("A", "Line", "Column", "Reason")
    assert rules.reject_headings(["Reason", "B"]) == (
        "Reason",
        "B",
        "Rejected line",
        "Rejected column",
        "Rejected reason",
    )
    assert rules.reject_headings(["LINE"])[1] == "Rejected line"


@pytest.mark.parametrize("own", [("Nr", "Vorn"), ("Nr", "Line"), ("reason",), ("Column", "Reason")])
def test_rejects_of_rejects_have_the_headings_of_the_first_file_and_its_name(own):
    first = rules.reject_headings(own)
    assert (rules.original_headings(first), rules.reject_headings(first)) == (own, first)
    assert rules.heading_hash(first) == rules.heading_hash(own)


def test_what_is_remembered_is_found_however_the_headings_are_spelt():
    mapping = {"external_id": "Nr.", "email": "Adr", "first_name": "Vorn", "gone": "Adr"}
    assert rules.usable(columns(ImportKind.ENTRIES), mapping, ["nr", "Adr", "NR."]) == {
        "external_id": "nr",
        "email": "Adr",
    }
    assert rules.usable(columns(ImportKind.ENTRIES), {"email": "E mail"}, ["e-mail", "E mail"]) == {"email": "E mail"}
