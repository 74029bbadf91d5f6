"""Cells of files of rewards: prizes as JSON, lines as the form keeps them, days and instants."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from webapp.domain.errors import Refused
from webapp.domain.import_kinds import Cell
from webapp.domain.reward_cells import READERS, line
from webapp.domain.reward_columns import REWARD_COLUMNS

COLUMNS = {column.cell: column for column in REWARD_COLUMNS}
ZONE = ZoneInfo("UTC")


def told(cell: Cell, text: str) -> object:
    return READERS[cell](text, COLUMNS[cell], ZONE)


def test_prizes_are_read_in_their_order_with_one_of_each_unless_told():
    text = '[{"title": " Mug ", "value_minor": 0}, {"quantity": 2, "title": "Cup"}]'
    assert told(Cell.PRIZES, text) == [
        {"title": "Mug", "quantity": 1, "value_minor": 0},
        {"title": "Cup", "quantity": 2, "value_minor": None},
    ]
    assert told(Cell.PRIZES, "[]") is None


@pytest.mark.parametrize("text", [
    "Mug", "{}", '["Mug"]', "[[]]", "[" * 9_000, '[{"title": 7}]', '[{"title": " \\u0000\\ud800 "}]', '[{"title": "x", "quantity": true}]',
    '[{"title": "x", "quantity": 10001}]', '[{"title": "x", "quantity": "2"}]', '[{"title": "x", "value_minor": -1}]',
    '[{"title": "x", "value_minor": NaN}]', '[{"title": "x", "value_minor": 100000000000}]', '[{"title": "x", "": 1}]',
])  # fmt: skip
def test_what_is_no_list_of_prizes_is_refused(text):
    with pytest.raises(Refused, match=r"[pP]rize"):
        told(Cell.PRIZES, text)


def test_a_prize_loses_what_no_page_may_hold():
    text = json.dumps([{"title": "a\x00b\u202ec\nd"}])
    assert told(Cell.PRIZES, text) == [{"title": "abc d", "quantity": 1, "value_minor": None}]


@pytest.mark.parametrize(("text", "kept"), [
    (" 10\u00a0km  there ", "10\u00a0km  there"), ("e\u0301", "\u00e9"), ("a\nb", "a b"), ("a\x0bb", "ab"), ("a\u202eb", "ab"),
    ("\U0001f468\u200d\U0001f467", "\U0001f468\u200d\U0001f467"),
])  # fmt: skip
def test_a_line_keeps_its_blanks_and_loses_what_is_not_seen(text, kept):
    assert line(text) == kept


@pytest.mark.parametrize(("text", "found"), [
    ("2026-05-31", date(2026, 5, 31)),
        ("2026-05-31T00:00:00", date(2026, 5, 31)),
        ("2026-05-31T00:00:00Z", datetime(2026, 5, 31, tzinfo=UTC)),
        ("2026-05-31T00:30:00", datetime(2026, 5, 31, 0, 30, tzinfo=UTC)),
    ("2026-05-31T14:00:00Z", datetime(2026, 5, 31, 14, tzinfo=UTC)),
    ("1999-12-31T13:00:00Z", datetime(1999, 12, 31, 13, tzinfo=UTC)),  # the first day of 2000 in Melbourne
    ("2201-01-01T12:00:00Z", datetime(2201, 1, 1, 12, tzinfo=UTC)),  # the end of 2200 at the other side of the earth
])  # fmt: skip
def test_days_and_instants_of_the_years_the_form_takes_are_read(text, found):
    assert told(Cell.BOUND, text) == found


@pytest.mark.parametrize(
    "text", ["1999-12-31", "2201-01-01", "1999-12-30T23:59:59Z", "31/12/2026", "soon", "2026-02-30"]
)
def test_what_the_form_would_not_take_for_a_day_is_refused(text):
    with pytest.raises(Refused):
        told(Cell.BOUND, text)


@pytest.mark.parametrize(("text", "name"), [("spring-draw", "spring-draw"), ("Spring-2", "spring-2")])
def test_a_name_is_kept_in_small_letters(text, name):
    assert told(Cell.NAME, text) == name


@pytest.mark.parametrize("text", ["spring draw", "-spring", "spring--draw", "s_d", "é", "!", "new", "Vouchers"])
def test_what_no_address_can_carry_is_no_name(text):
    with pytest.raises(Refused):
        told(Cell.NAME, text)
