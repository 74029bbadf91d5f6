"""How a person is found at a till: by any word of a name, and with one letter wrong, missing, extra or swapped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from webapp.domain.profiles import digits, email_key, fold, plain, without

SHORTEST, LONGEST = 3, 40  # letters of a word that may be mistyped: of shorter ones nearly every other is one slip away
MOST_TERMS = 12  # further beginnings of one person
LONGEST_TERM = 250
_APART = re.compile(r"[\s\-\u2010-\u2015_/.,]+")
_DROPPED = frozenset("'`\u00b4\u2018\u2019\u02bc")  # O’Hara is typed Ohara
_DIGIT = re.compile(r"\d")


def words(text: str) -> list[str]:
    """The folded words of a name, parted at blanks and dashes, without apostrophes; what holds a digit is none."""
    # Most names are one plain word; a file brings millions of them.
    return [text.lower()] if text.isascii() and text.isalpha() else list(_words(text))


@lru_cache(maxsize=16_384)
def _words(text: str) -> tuple[str, ...]:
    apart = _APART.split(without(fold(text), _DROPPED))
    return tuple(word for word in apart if word and not _DIGIT.search(word))


def terms(first_name: str, last_name: str, home_phone: str = "", shared_email: str = "") -> list[str]:
    """Beginnings a person is found by beside those of both names: every further word first, the others behind it.

    A ``shared_email`` is one that another person answers to; whoever types it looks for either.

    «Mary Jane», «van der Berg» gives «jane van der berg mary», «der berg mary jane van», «berg mary jane van der»:
    whoever types any word of a name, and the next one, types the beginning of one of them.
    """
    whole = f"{first_name}{last_name}"
    has_number = not whole.isalpha() and bool(_DIGIT.search(whole))
    if not (home_phone or shared_email) and (has_number or whole.isalpha()):
        return []
    first, last = fold(first_name), fold(last_name)
    every = [] if has_number else [*words(first_name), *words(last_name)]
    known = (f"{first} {last}".strip(), f"{last} {first}".strip())
    turned = (" ".join(every[place:] + every[:place]) for place in range(len(every)))
    found = [turn for turn in dict.fromkeys(turned) if turn and turn not in known]
    if len(number := digits(home_phone)) >= SHORTEST:
        found.append(number[:40])
    found = found[:MOST_TERMS]
    if shared_email:
        found.append(email_key(shared_email))
    return [turn[:LONGEST_TERM] for turn in found]


def vocabulary(names: Iterable[str]) -> set[str]:
    """The words of ``names`` long enough to be mistyped."""
    # All of them as one text: a file brings thousands of names at a time.
    apart = set(_APART.split(without(plain("\n".join(names)), _DROPPED)))
    return {word for word in apart if SHORTEST <= len(word) <= LONGEST and not _DIGIT.search(word)}


def slips(word: str) -> set[str]:
    """The word, and the word without each of its letters: two words one slip apart share one of these."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def is_near(typed: str, word: str) -> bool:
    """Whether ``typed`` is ``word`` but for one wrong, missing, extra or swapped letter at most."""
    if typed == word:
        return True
    if abs(len(typed) - len(word)) > 1:
        return False
    start = next((place for place, (a, b) in enumerate(zip(typed, word, strict=False)) if a != b), None)
    if start is None:
        return True  # one is the other with a letter behind it
    a, b = typed[start:], word[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
