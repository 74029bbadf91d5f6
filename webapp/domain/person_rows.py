"""Rows of a file of people, judged a column at a time: everything each one tells, or all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from webapp.domain import person_cells as cells
from webapp.domain import person_lists as lists
from webapp.domain import profiles
from webapp.domain.import_rows import Fault, shown, wrong_length
from webapp.domain.people import CONSENTS
from webapp.domain.person_cells import Reader, Wrong
from webapp.domain.person_columns import PERSON_COLUMNS
from webapp.domain.person_lists import Definition, Identity

POSTCODE = "postcode"
TEXTS = {
    column.name: column.most
    for column in PERSON_COLUMNS
    if column.name in {"external_id", "title", "first_name", "last_name", "email", "phone", "home_phone", POSTCODE}
}
Values = Sequence[Any]


class PersonDraft(NamedTuple):
    """What a good row tells. Empty is what it does not: "" for texts, None for others, nothing in the lists.

    ``consents`` and ``attributes`` hold None under a name whose cell was empty. Moments are UTC.
    """

    line: int
    external_id: str
    email: str
    email_key: str
    title: str
    first_name: str
    last_name: str
    phone: str
    home_phone: str
    zone: str
    birth_day: int | None
    birth_month: int | None
    birth_year: int | None
    gender: str
    joined_at: datetime | None
    joined_location_id: int | None
    preferred_location_id: int | None
    tier_id: int | None
    tags: list[str]
    statuses: list[str]
    consents: dict[str, bool | None]
    attributes: dict[str, Any]
    identities: tuple[Identity, ...]
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class There:
    """What rows may name: ids of tiers by name and of locations by their ids in files, further facts by name."""

    tiers: Mapping[str, int] = field(default_factory=dict)
    locations: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Definition] = field(default_factory=dict)


@dataclass(slots=True)
class PersonRules:
    """Judges rows of one file of people; ``zone`` and ``now`` as in ``import_rows.RowRules``."""

    headings: Sequence[str]
    mapping: Mapping[str, str]
    zone: str
    now: datetime
    there: There
    cleaned: int = 0
    _at: dict[str, int] = field(init=False)
    _readers: dict[str, Reader] = field(init=False)
    _births: dict[Any, str] = field(init=False, default_factory=dict)
    _domains: dict[str, bool] = field(init=False, default_factory=dict)
    _faults: dict[int, list[Fault]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._at = {name: self.headings.index(heading) for name, heading in self.mapping.items()}
        self._readers = {name: Reader(read) for name, read in self._kinds() if name in self._at}

    def judge(self, rows: Sequence[tuple[int, Sequence[str]]]) -> list[PersonDraft | list[Fault]]:
        """For each row, given as line and cells, its draft or its faults."""
        self._faults = {}
        count, width = len(rows), len(self.headings)
        sound = [values if len(values) == width else [""] * width for _, values in rows]
        columns = list(zip(*sound, strict=True))
        read = {name: self._column(name, columns[place]) for name, place in self._at.items()}
        # What ``PersonDraft._make`` does, without its own function of Python in between.
        drafts: list[PersonDraft] = list(
            map(partial(tuple.__new__, PersonDraft), zip(*self._fields(rows, read, count), strict=True))
        )
        self._check_births(read, count)
        self._check_named(drafts)
        for place, (_, values) in enumerate(rows):
            if len(values) != width:
                self._faults[place] = [wrong_length(values, width)]
        if not self._faults:
            return list(drafts)
        return [self._faults.get(place) or draft for place, draft in enumerate(drafts)]

    def _kinds(self) -> Iterable[tuple[str, Callable[[str], Any]]]:
        where, there = ZoneInfo(self.zone), self.there
        yield from ((name, partial(cells.birth_part, name=name)) for name in ("birth_day", "birth_month", "birth_year"))
        yield from (("gender", cells.gender), ("zone", cells.zone))
        yield "joined_at", partial(cells.moment, where=where)
        yield from ((name, partial(cells.past, where=where, now=self.now)) for name in ("created_at", "updated_at"))
        yield "tier", partial(cells.known, there=there.tiers, noun="tier")
        place = partial(cells.known, there=there.locations, noun="location")
        yield from ((name, place) for name in ("joined_location", "preferred_location"))
        yield from (("tags", lists.labels), ("statuses", lists.labels))
        yield from (("consents", lists.consents), ("identities", lists.identities))
        yield "attributes", partial(lists.facts, definitions=there.facts)
        yield from ((name, lists.yes_no) for name in CONSENTS)
        yield from ((name, partial(lists.fact, definition=definition)) for name, definition in there.facts.items())

    def _column(self, name: str, values: Sequence[str]) -> Values:
        """The column as it is read; what cannot be is noted, and empty."""
        self.cleaned += 0 if "".join(values).isprintable() else sum(not value.isprintable() for value in values)
        if name in TEXTS:
            return self._texts(name, cells.tidied(values))
        found = list(map(self._readers[name].__getitem__, values))
        for place, value in enumerate(found):
            if type(value) is Wrong:
                self._note(place, name, *value)
                found[place] = self._readers[name][""]
        return found

    def _texts(self, name: str, values: Sequence[str]) -> Values:
        most = TEXTS[name]
        if max(map(len, values)) > most:
            for place, text in enumerate(values):
                if len(text) > most:
                    reason = f"The value has {len(text):,} characters; at most {most} can be kept."
                    self._note(place, name, shown(text), reason)
        return values

    def _note(self, place: int, column: str, value: str, reason: str) -> None:
        self._faults.setdefault(place, []).append(Fault(column, value, reason))

    def _fields(
        self, rows: Sequence[tuple[int, Sequence[str]]], read: Mapping[str, Values], count: int
    ) -> list[Values]:
        """The columns of the drafts, in their order."""
        texts, nothing = [""] * count, [None] * count
        emails = self._emails(read.get("email", texts))
        return [
            [line for line, _ in rows],
            read.get("external_id", texts),
            emails,
            profiles.email_keys(emails),
            *(read.get(name, texts) for name in ("title", "first_name", "last_name", "phone", "home_phone", "zone")),
            *(read.get(name, nothing) for name in ("birth_day", "birth_month", "birth_year")),
            read.get("gender", texts),
            *(read.get(name, nothing) for name in ("joined_at", "joined_location", "preferred_location", "tier")),
            *(read.get(name, [[]] * count) for name in ("tags", "statuses")),
            self._together(read, "consents", CONSENTS, count),
            self._together(read, "attributes", (POSTCODE, *self.there.facts), count),
            read.get("identities", [()] * count),
            *(read.get(name, nothing) for name in ("created_at", "updated_at")),
        ]

    def _emails(self, values: Sequence[str]) -> Sequence[str]:
        if cells.are_addresses(values, self._domains):
            return values
        for place, text in enumerate(values):
            if text and not cells.is_address(text, self._domains):
                self._note(place, "email", shown(text), f"«{shown(text)}» is not an e-mail address.")
        if len(self._domains) > cells.MOST_KEPT:
            self._domains.clear()
        return values

    def _together(self, read: Mapping[str, Values], whole: str, names: Iterable[str], count: int) -> Values:
        """What a column of many and columns of one each say, under their names."""
        single = [name for name in names if name in self._at]
        many: Values = read.get(whole, [{}] * count)
        if not single:
            return many
        parts = zip(*(read[name] for name in single), strict=True)
        known: dict[Any, dict[str, Any]] = {}  # rows that say the same share it: it is packed and written once
        found = []
        for base, values in zip(many, parts, strict=True):
            key = (id(base), values, tuple(map(type, values)))
            if key not in known:
                told = {name: None if value == "" else value for name, value in zip(single, values, strict=True)}
                known[key] = base | told
            found.append(known[key])
        return found

    def _check_births(self, read: Mapping[str, Values], count: int) -> None:
        names = [name for name in ("birth_day", "birth_month", "birth_year") if name in read]
        if not names:
            return
        nothing = [None] * count
        parts = zip(*(read.get(name, nothing) for name in ("birth_day", "birth_month", "birth_year")), strict=True)
        for place, birth in enumerate(parts):
            told = self._births.get(birth)
            if told is None:
                told = self._births[birth] = cells.birthday(birth, self.now.date())
            if told:
                self._note(place, names[0], "-".join(str(part or "?") for part in reversed(birth)), told)

    def _check_named(self, drafts: Sequence[PersonDraft]) -> None:
        """Somebody must be named, and so that the same file names them again."""
        for place, draft in enumerate(drafts):
            if draft.external_id or draft.email or place in self._faults:
                continue
            if not draft.first_name:
                told = "The row has neither a member id nor an e-mail, so nobody is named."
            elif not draft.identities and draft.created_at is None:
                told = (
                    "The row has no member id, e-mail or identity, and does not tell since when the person is known, so "
                    "the same file could not find them again."
                )
            else:
                continue
            self._note(place, "email" if "email" in self._at else "external_id", "", told)
