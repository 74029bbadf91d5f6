"""The frozen list: grammar, pseudonyms, checks, seal."""

import io
import json

import pytest

from tests.domain.protocol import vectors
from webapp.domain.protocol import entries, merkle
from webapp.domain.protocol.errors import ProtocolError

DRAWS = vectors.draws()
BAD_FILES = vectors.load("05")["entries_files_to_refuse"]
LINE = {"number gap": 3, "duplicate number": 3, "no final newline": 3, "blank last line": 4}
FIRST_LINE = {"CRLF", "BOM", "wrong header", "empty file"}
ZEROS = "0" * 64


def rows(count, tickets=1):
    return [entries.row(n, f"h{n}", tickets, "ab" * 32) for n in range(1, count + 1)]


@pytest.mark.parametrize("name", DRAWS)
def test_a_file_of_the_vectors_seals_as_its_seal_says(name):
    told = json.loads(DRAWS[name]["seal.json"])["entries"]
    assert entries.seal_file(io.BytesIO(DRAWS[name]["entries.csv"])) == entries.EntriesSeal(**told)


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad["why"])
def test_a_bad_file_is_refused_with_its_line(bad):
    line = 1 if bad["why"] in FIRST_LINE else LINE.get(bad["why"], 2)
    with pytest.raises(ProtocolError, match=rf"^Line {line} of entries\.csv .*\.$"):
        entries.seal_file(io.BytesIO(bytes.fromhex(bad["entries_csv_hex"])))


@pytest.mark.parametrize("told", vectors.load("01")["check"], ids=lambda told: told["check"][:8])
def test_a_check_of_the_vectors(told):
    assert bytes.fromhex(told["identity_utf8_hex"]).decode() == told["identity"]
    assert entries.check(bytes.fromhex(told["nonce"]), told["identity"]) == told["check"]


def test_one_name_in_two_unicode_forms_has_one_check():
    composed, decomposed = vectors.load("01")["check"][:2]
    assert composed["identity_utf8_hex"] != decomposed["identity_utf8_hex"]
    assert composed["check"] == decomposed["check"]


@pytest.mark.parametrize("told", vectors.load("01")["holder"], ids=lambda told: told["profile_id"])
def test_a_holder_of_the_vectors(told):
    assert entries.holder(bytes.fromhex(told["draw_key"]), told["profile_id"]) == told["holder"]


@pytest.mark.parametrize("told", vectors.load("03")["rows"], ids=lambda told: f"entry {told['entry']}")
def test_a_row_of_vector_03_is_written_as_published(told):
    line = DRAWS["03 weighted per holder"]["entries.csv"].split(b"\n")[told["entry"]]
    _, holder, tickets, check, status = line.decode().split(",")
    assert (int(tickets), status) == (told["tickets"], told["status"])
    assert entries.row(told["entry"], holder, told["tickets"], check, entries.Status(told["status"])) == line


def test_sealing_rows_writes_the_file_it_seals():
    kept, seen = [], []
    seal = entries.seal_entries(rows(3000), kept.append, seen.extend)
    assert seal == entries.seal_file(io.BytesIO(b"".join(kept)))
    assert seal.count == seal.eligible == seal.tickets == 3000
    assert seen == [(n - 1, f"h{n}", 1) for n in range(1, 3001)]
    assert seal.root == merkle.root(rows(3000)).hex()


def test_a_withdrawn_entry_loses_its_check():
    assert entries.row(7, "h7", 0, "ab" * 32, entries.Status.WITHDRAWN) == f"7,h7,0,{ZEROS},withdrawn".encode()


@pytest.mark.parametrize("row", [b"2,h2,1," + b"a" * 64 + b",ok", b"1,h1,1," + b"a" * 64 + b",ok\r", b"", b"x"])
def test_a_row_that_is_not_one_is_refused_when_sealing(row):
    with pytest.raises(ProtocolError, match=r"^Line 2 of entries\.csv"):
        entries.seal_entries([row])


def test_the_most_tickets_an_entry_may_hold():
    assert entries.seal_entries(rows(1, 1_000_000)).tickets == 1_000_000
    with pytest.raises(ProtocolError, match="1 to 1,000,000 tickets"):
        entries.seal_entries(rows(1, 1_000_001))


def test_the_most_tickets_a_draw_may_hold():
    assert entries.seal_entries(rows(100, 1_000_000)).tickets == 100_000_000
    with pytest.raises(ProtocolError, match="at most 100,000,000 tickets; entries up to 101 already hold 101,000,000"):
        entries.seal_entries(rows(101, 1_000_000))


def test_a_line_without_end_is_refused_without_reading_on():
    endless = io.BytesIO(entries.HEADER + b"1," + b"a" * 5_000_000)
    with pytest.raises(ProtocolError, match=r"^Line 2 of entries\.csv"):
        entries.seal_file(endless)
    assert endless.tell() < 1_000_000


def test_a_fault_far_down_names_its_line():
    lines = rows(5000)
    lines[4321] = lines[4321].replace(b"h", b"H")
    with pytest.raises(ProtocolError, match=r"^Line 4323 of entries\.csv must be entry 4322"):
        entries.seal_entries(lines)
