"""Names are found by any word and in spite of one slip."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.domain import search
from webapp.domain.profiles import fold, folded

WORD = st.text(string.ascii_lowercase, min_size=3, max_size=12)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("Zoë", "Berg", []),
        ("Mary Jane", "Smith", ["jane smith mary"]),
        ("Mary Jane", "van der Berg", ["jane van der berg mary", "der berg mary jane van", "berg mary jane van der"]),
        ("Anna-Lena", "Ek", ["anna lena ek", "lena ek anna", "ek anna lena"]),
        ("Finn", "O’Hara", ["finn ohara", "ohara finn"]),
        ("Søren", "Bergström-1204", []),
        ("", "", []),
    ],
)
def test_every_further_word_of_a_name_begins_a_term(first, last, expected):
    assert search.terms(first, last) == expected


def test_a_home_phone_is_a_term_of_digits():
    assert search.terms("Zoë", "Berg", "+44 (0)20 79") == ["4402079"]


def test_a_shared_address_is_a_term_however_many_words_the_name_has():
    many = " ".join(chr(ord("a") + number) * 3 for number in range(20))
    assert search.terms("Zoë", "Berg", "", " Zoë@Example.COM ") == ["zoë@example.com"]
    assert search.terms(many, "Berg", "", "b@example.com")[-1] == "b@example.com"


def slip(word, kind, place, letter):
    place %= len(word)
    if kind == "wrong":
        return word[:place] + letter + word[place + 1 :]
    if kind == "missing":
        return word[:place] + word[place + 1 :]
    if kind == "extra":
        return word[:place] + letter + word[place:]
    place = min(place, len(word) - 2)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


@given(
    WORD,
    st.sampled_from(["wrong", "missing", "extra", "swapped"]),
    st.integers(0, 11),
    st.sampled_from(string.ascii_lowercase),
)
def test_one_slip_is_near_and_shares_a_part(word, kind, place, letter):
    typed = slip(word, kind, place, letter)
    assert search.is_near(typed, word)
    assert search.is_near(word, typed)
    assert search.slips(typed) & search.slips(word)


def distance(a, b):
    """Optimal string alignment, the long way."""
    rows = [[max(i, j) if not min(i, j) else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(st.text("abc", min_size=1, max_size=6), st.text("abc", min_size=1, max_size=6))
def test_near_is_a_distance_of_one_at_most(a, b):
    assert search.is_near(a, b) == (distance(a, b) <= 1)


NAMES = st.lists(
    st.text(max_size=12) | st.sampled_from(["Zoë", "O’Hara", "İstanbul", "ΣΟΦΙΑΣ", "e\u0301va", "Ek-2", "²nd"])
)


@given(NAMES)
def test_words_of_many_names_are_the_words_of_each(names):
    every = {word for name in names for word in search.words(name)}
    assert search.vocabulary(names) == {word for word in every if search.SHORTEST <= len(word) <= search.LONGEST}


@given(NAMES)
def test_many_texts_fold_as_each_does(names):
    assert folded(names) == [fold(name) for name in names]
