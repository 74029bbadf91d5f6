"""Ticket numbers and the order they make."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.protocol import vectors
from webapp.domain.protocol import ranking, seed, shape
from webapp.domain.protocol.ranking import Per, rank

SEED = bytes.fromhex(vectors.load("01")["seed"]["seed"])


def by_brute_force(drawn, rows, per, wanted, skip):
    """Every ticket in one list, sorted; each key stands at its first."""
    tickets = sorted(
        (ranking.number(drawn, index, j), index, j, holder) for index, holder, count in rows for j in range(count)
    )
    places = {}
    for number, index, j, holder in tickets:
        key = {Per.HOLDER: holder, Per.ENTRY: f"{index + 1}", Per.TICKET: f"{index + 1}.{j + 1}"}[per]
        if key not in skip:
            places.setdefault(key, (index + 1, holder, j + 1, number.hex()))
    return [(n, *place) for n, place in enumerate(list(places.values())[:wanted], 1)]


def as_tuples(places):
    return [(place.rank, place.entry, place.holder, place.ticket, place.number) for place in places]


@pytest.mark.parametrize("told", vectors.load("01")["tickets"], ids=lambda told: f"{told['index']}-{told['j']}")
def test_a_ticket_of_the_vectors(told):
    assert ranking.number(SEED, told["index"], told["j"]).hex() == told["number"]
    assert bytes.fromhex(told["input_hex"]) == SEED + told["index"].to_bytes(8) + told["j"].to_bytes(4)


def test_all_tickets_of_vector_02_in_order():
    drawn = seed.seed(
        vectors.load("01")["code_chain"]["codes"][1],
        vectors.draws()["02 ten entries"]["seal.json"],
        vectors.load("02")["public"],
    )
    places = rank(drawn, [(index, "h", 1) for index in range(10)], per=Per.ENTRY, wanted=10)
    told = vectors.load("02")["all_tickets_in_order"]
    assert [(place.number, place.entry) for place in places] == [(t["number"], t["entry"]) for t in told]


@st.composite
def configurations(draw):
    people = draw(st.integers(1, 30))
    sizes = draw(st.lists(st.tuples(st.integers(1, people), st.integers(0, 6)), max_size=60))
    rows = [(index, f"h{person}", tickets) for index, (person, tickets) in enumerate(sizes)]
    per = draw(st.sampled_from(Per))
    keys = {Per.HOLDER: "h{}", Per.ENTRY: "{}", Per.TICKET: "{}.1"}[per]
    skip = {keys.format(n) for n in draw(st.sets(st.integers(1, people), max_size=5))}
    return draw(st.binary(min_size=32, max_size=32)), rows, per, draw(st.integers(0, 40)), skip


@given(configurations(), st.sampled_from([0, 3, 1000]))
@settings(max_examples=400, deadline=None)
def test_the_stream_agrees_with_brute_force(configuration, room):
    drawn, rows, per, wanted, skip = configuration
    streamed = ranking.Ranking(drawn, per, wanted, skip, room=room)
    streamed.add(rows)
    assert as_tuples(streamed.places()) == by_brute_force(drawn, rows, per, wanted, skip)


@given(configurations(), st.data())
@settings(max_examples=100, deadline=None)
def test_leaving_somebody_out_changes_nobody_elses_order(configuration, data):
    drawn, rows, per, _, _ = configuration
    everybody = rank(drawn, rows, per=per, wanted=500)
    gone = {place.key(per) for place in everybody if data.draw(st.booleans())}
    rest = rank(drawn, rows, per=per, wanted=500, skip=gone)
    assert [place.key(per) for place in rest] == [p.key(per) for p in everybody if p.key(per) not in gone]


def test_a_long_list_keeps_few_standings():
    streamed = ranking.Ranking(SEED, Per.HOLDER, 5)
    rows = [(index, f"h{index % 3000}", 1 + index % 3) for index in range(10_000)]
    streamed.add(rows)
    assert streamed.kept <= 2 * 5 + ranking.ROOM
    assert as_tuples(streamed.places()) == by_brute_force(SEED, rows, Per.HOLDER, 5, set())


def test_numbers_grow_with_rank():
    places = rank(SEED, [(index, f"h{index}", 2) for index in range(50)], wanted=50)
    assert all(a.number < b.number for a, b in pairwise(places))


def test_consecutive_values_of_vector_10_reproduce_the_published_chi_squares():
    """Ten equal entries, 200,000 public values that differ in one digit: first, second, third, and the ordered pair."""
    code, declaration = bytes(range(32)).hex(), seed.sha256(b"declaration").hexdigest()
    orders = {}
    for value in range(200_000):
        drawn = seed.seed_of_digest(code, declaration, f"{value:020d}")
        first, second, third = sorted((ranking.number(drawn, index, 0), index) for index in range(10))[:3]
        order = (first[1], second[1], third[1])
        orders[order] = orders.get(order, 0) + 1
    for told, key, bins in zip(
        vectors.load("10")["tests"],
        (lambda o: o[0], lambda o: o[1], lambda o: o[2], lambda o: o[:2]),
        (10, 10, 10, 90),
        strict=False,
    ):
        counts = {}
        for order, count in orders.items():
            counts[key(order)] = counts.get(key(order), 0) + count
        expected = 200_000 / bins
        chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
        assert (round(chi_square, 2), len(counts) - 1) == (told[1], told[2]), told[0]
        assert shape.chi_square_p(chi_square, bins - 1) == pytest.approx(told[3], abs=0.0002)
