"""The shape report and its chi-square."""

import pytest

from tests.domain.protocol import vectors
from webapp.domain.protocol import rfc3797
from webapp.domain.protocol.shape import chi_square_p, shape, tenth


@pytest.mark.parametrize("told", vectors.load("10")["tests"], ids=lambda told: told[0])
def test_a_p_value_of_the_vectors(told):
    _, chi_square, degrees, p = told
    assert chi_square_p(chi_square, degrees) == pytest.approx(p, abs=0.002)


@pytest.mark.parametrize(
    ("chi_square", "degrees", "p"),
    [(0, 9, 1.0), (3.841459, 1, 0.05), (5.991465, 2, 0.05), (16.918978, 9, 0.05), (124.342113, 100, 0.05)],
)
def test_a_p_value_of_the_tables(chi_square, degrees, p):
    assert chi_square_p(chi_square, degrees) == pytest.approx(p, abs=1e-6)


@pytest.mark.parametrize("count", [1, 7, 10, 99, 1000])
def test_every_entry_lies_in_one_tenth(count):
    tenths = [tenth(entry, count) for entry in range(1, count + 1)]
    assert tenths == sorted(tenths)
    assert set(tenths) <= set(range(10))
    expected = shape(range(1, count + 1), count).expected
    assert expected == pytest.approx([tenths.count(n) for n in range(10)])


def test_even_winners_look_even_and_early_ones_do_not():
    assert shape(range(1, 1001, 10), 1000).p == pytest.approx(1.0)
    early = shape(range(1, 101), 1000)
    assert early.winners == (100, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert early.p is not None
    assert early.p < 1e-100


def test_below_thirty_winners_there_is_no_p():
    assert shape(range(1, 30), 1000).p is None
    assert shape(range(1, 31), 1000).p is not None
    assert shape([], 1000).winners == (0,) * 10


def test_tickets_in_each_tenth_are_what_is_expected():
    weighted = shape([1] * 90 + [1000] * 10, 1000, tickets=[900, 0, 0, 0, 0, 0, 0, 0, 0, 100])
    assert weighted.expected == (90, 0, 0, 0, 0, 0, 0, 0, 0, 10)
    assert weighted.p == pytest.approx(1.0)


@pytest.mark.parametrize("told", vectors.load("09")["cases"], ids=lambda told: told["name"])
def test_a_famous_draw_of_rfc_3797(told):
    picks = [pick["selected"] if isinstance(pick, dict) else pick for pick in told["picks"]]
    assert rfc3797.select(told["key"], told["pool"], len(picks)) == picks
    for i, pick in enumerate(told["picks"]):
        if isinstance(pick, dict):
            assert rfc3797.digest(told["key"], i).hex().upper() == pick["md5"]
            assert pick["divisor"] == told["pool"] - i


def test_the_key_of_the_worked_example():
    assert rfc3797.key([[9319], [2, 5, 12, 8, 10], [9, 18, 26, 34, 41, 45]]) == vectors.load("09")["cases"][0]["key"]
