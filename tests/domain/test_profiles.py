"""Who is one person: the member id, else the e-mail; a row with both ties them together."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.domain import person_cells, profiles
from webapp.domain.profiles import Person, resolve


@dataclass(frozen=True)
class Row:
    external_id: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    postcode: str = ""

    @property
    def email_key(self) -> str:
        return profiles.email_key(self.email)


def row(text: str) -> Row:
    external_id, _, email = text.partition("+")
    return Row(external_id, email)


def groups(*texts: str, known=()):
    """Which rows are one person, as numbers in the order they first appear."""
    people = resolve([row(text) for text in texts], known).people
    order = list(dict.fromkeys(map(id, people)))
    return [order.index(id(person)) for person in people]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["M1", "M1", "M2"], [0, 0, 1]),
        (["+a", "+A ", "+b"], [0, 0, 1]),
        (["M1+a", "+a"], [0, 0]),
        (["+a", "M1+a"], [0, 0]),
        (["+a", "M1+a", "M1"], [0, 0, 0]),
        (["M1", "+a", "M1+a"], [0, 0, 0]),
        (["M1", "+a", "M1+a", "+a"], [0, 0, 0, 0]),
        (["M1+a", "M2+a"], [0, 1]),
        (["M1+a", "M2+a", "+a"], [0, 1, 0]),
        (["M1+a", "M1+b", "+b"], [0, 0, 0]),
        (["M1+a", "+b", "M1+b", "+b"], [0, 0, 0, 0]),
        (["M1+a", "M1+b", "M2+b", "+b"], [0, 0, 1, 0]),
    ],
)
def test_rows_are_gathered_into_people(rows, expected):
    assert groups(*rows) == expected


def test_a_member_known_by_the_e_mail_alone_gets_the_member_id():
    known = Person(7, None, "a", email="a")
    found = resolve([row("M1+a")], [known])
    assert (found.people, found.created) == ([known], [])
    assert (known.external_id, known.is_changed) == ("M1", True)


def test_two_known_rows_that_are_one_person_are_merged_into_the_member():
    member, other = Person(7, "M1"), Person(8, None, "a", email="a", first_name="Ann")
    found = resolve([row("M1+a")], [member, other])
    assert found.merged == [other]
    assert other.merged is member
    assert (member.email_key, other.email_key, member.first_name) == ("a", None, "Ann")


def test_what_is_known_is_filled_in_and_never_replaced():
    known = Person(7, "M1", first_name="Ann")
    resolve([Row("M1", first_name="Anna", last_name="Lee")], [known])
    assert (known.first_name, known.last_name, known.is_changed) == ("Ann", "Lee", True)


def test_a_row_that_tells_nothing_new_changes_nobody():
    known = Person(7, "M1", "a", "Ann", email="a")
    resolve([Row("M1", "a", "Anna")], [known])
    assert not known.is_changed


def test_a_second_member_with_an_address_keeps_it_without_a_key():
    found = resolve([row("M1+a"), row("M2+a")], [])
    assert [(person.email, person.email_key) for person in found.people] == [("a", "a"), ("a", None)]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["M1", "M2", "M3", "+a", "+b", "+c", "M1+a", "M1+b", "M2+a", "M2+b", "M3+c"]), max_size=12)
)
def test_chunks_give_the_same_people_as_the_whole(rows):
    """However a file is cut, the same rows are the same person, and no name belongs to two."""
    whole = groups(*rows)
    known: list[Person] = []
    people = []
    for text in rows:
        found = resolve([row(text)], known)
        for person in found.created:
            person.id = len(known) + 1
            known.append(person)
        people += found.people
    true = [person.true for person in people]
    order = list(dict.fromkeys(map(id, true)))
    assert [order.index(id(person)) for person in true] == whole
    keys = [person.email_key for person in known if person.email_key]
    ids = [person.external_id for person in known if person.external_id]
    assert len(keys) == len(set(keys))
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("text", "folded"), [("Zoë  BERG", "zoe berg"), ("Straße", "strasse"), ("Ἀθηνᾶ", "αθηνα"), ("桃子", "桃子"), ("  a ", "a")]
)  # fmt: skip
def test_text_is_folded_as_it_is_searched_for(text, folded):
    assert profiles.fold(text) == folded


def test_a_person_is_found_by_either_name_first():
    keys = profiles.search_keys(Person(1, "M1", "z@x", "Zoë", "Berg", "Z@x", "+44 (0)1"))
    assert keys == {"search_text": "berg zoe m1 z@x 4401", "name_key": "zoe berg", "phone_key": "4401"}


ODD = ("", "a@b.example", "A.B@x.example", "a@", "a@@b.example", ".a@b.example", "a b@x.example", "é@x.example", "İ@x.example", "a@x--y.example", "ΑΣ")  # fmt: skip


@pytest.mark.parametrize("first", ODD)
@pytest.mark.parametrize("second", [*ODD, "x\ny", f"{'x' * 250}@b.example"])
def test_many_at_once_come_out_as_each_alone(first, second):
    texts, ascii_only = [first, second], f"{first}{second}".isascii()
    is_each = all(person_cells.is_address(text, {}) for text in texts if text)
    assert person_cells.are_addresses(texts, {}) == (is_each and ascii_only)
    assert profiles.email_keys(texts) == [text and profiles.email_key(text) for text in texts]
    people = [profiles.Person(None, one, None, two, one, two) for one, two in (texts, texts[::-1])]
    alone = [profiles.search_keys(person) for person in people]
    assert profiles.search_columns(people) == {name: [keys[name] for keys in alone] for name in profiles.SEARCH_KEYS}
