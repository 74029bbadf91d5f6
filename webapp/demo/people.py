"""Invented entrants, and the file a web form would export of them. No name here belongs to anybody."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

_FIRST = [
    "Aroha",
    "Bo",
    "Carmen",
    "Dara",
    "Elio",
    "Freya",
    "Gwen",
    "Hana",
    "Idris",
    "Juno",
    "Kirra",
    "Leif",
    "Marama",
    "Noor",
    "Otto",
    "Priya",
    "Quinn",
    "Rosa",
    "Søren",
    "Tane",
    "Uma",
    "Vera",
    "Wiremu",
    "Xenia",
    "Yusuf",
    "Zoë",
    "Anaïs",
    "Björn",
    "Chloé",
    "Dušan",
    "Éowyn",
    "Fionn",
    "Łucja",
    "Mireille",
    "Nguyễn",
    "Φρύνη",
    "Юлия",
    "結衣",
]
_LAST = [
    "Ashdown",
    "Birch",
    "Castell",
    "Dunmore",
    "Easterby",
    "Fairweather",
    "Garside",
    "Hollis",
    "Ivers",
    "Jarrow",
    "Kettlewell",
    "Lindqvist",
    "Marsh",
    "Northcott",
    "Oakes",
    "Pemberton",
    "Quayle",
    "Ridley",
    "Saltmarsh",
    "Thornbury",
    "Underhill",
    "Vantongeren",
    "Whitcombe",
    "Yarrow",
    "Zielińska",
    "Åkerlund",
    "Brontë",
    "Ćosić",
    "Ďurica",
    "Muñoz",
    "O’Hara",
    "Ørsted",
    "Šimek",
    "Ιωσηφίδης",
    "Орлова",
    "村上",
]
HEADINGS = ("Member ID", "First name", "Surname", "E-mail", "Mobile", "Store", "Entered at", "Receipt", "Entries")
_DOMAINS = ("mail.example", "post.example", "example.org")


def rows(count: int, since: datetime, until: datetime, seed: int) -> Iterator[tuple[str, ...]]:
    """``count`` good rows between two instants; the same ``seed`` gives the same people."""
    chance = Random(seed)
    span = max(1, int((until - since).total_seconds()))
    for number in range(count):
        first, last = chance.choice(_FIRST), chance.choice(_LAST)
        person = chance.randrange(count * 4 // 5 + 1)
        at = since + timedelta(seconds=chance.randrange(span))
        yield (
            f"M{seed:02d}{person:06d}",
            first,
            last,
            f"guest{seed:02d}{person}@{_DOMAINS[person % 3]}",
            f"04{chance.randrange(10**8):08d}",
            f"{chance.choice(('HBR', 'QAY', 'PIE', 'LOF'))}{chance.randrange(1, 9):02d}",
            at.isoformat(timespec="seconds"),
            f"R{seed:02d}{number:07d}",
            str(chance.choice((1, 1, 1, 1, 1, 2, 2, 3, 5, 10))),
        )


def file(count: int, since: datetime, until: datetime, seed: int, *, messy: bool = False) -> bytes:
    """The rows as CSV; a messy file has the mistakes people make, and a few entries of staff."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADINGS)
    good = list(rows(count, since, until, seed))
    writer.writerows(good)
    if messy:
        writer.writerows(_mistakes(good, until))
    return out.getvalue().encode()


def _mistakes(good: list[tuple[str, ...]], until: datetime) -> Iterator[tuple[str, ...]]:
    base = ("", "Robin", "Nobody", "robin.nobody@mail.example", "0400000000", "HBR01", until.isoformat(), "", "1")

    def row(number: int, **changes: str) -> tuple[str, ...]:
        named = dict(zip(HEADINGS, base, strict=True)) | {"Receipt": f"RX{number:07d}"}
        return tuple((named | {name.replace("_", " "): value for name, value in changes.items()}).values())

    yield good[3]  # a receipt seen before
    yield good[17]
    yield row(1, **{"E-mail": ""})
    yield row(2, **{"E-mail": "not-an-address"})
    yield row(3, Entries="two")
    yield row(4, Entries="0")
    yield row(5, Entered_at="01/11/26")
    yield row(6, Entered_at="yesterday")
    yield row(7, **{"First name": '=HYPERLINK("https://x.example")'})
    for number in range(8, 14):
        yield row(number, **{"E-mail": f"barista{number}@staff.harbour.example", "First name": "Barista"})
