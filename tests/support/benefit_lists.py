"""Filters of lists of benefits by name, and benefits in bulk for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert
from sqlalchemy.orm import Session

from tests.factories import Factories
from webapp.domain.benefit_lists import Dates
from webapp.domain.benefits import BenefitState
from webapp.domain.redemptions import BenefitSource
from webapp.models import Benefit
from webapp.queries.benefit_filters import Filter

T = datetime(2026, 3, 1, 12, tzinfo=UTC)
FROM, TO = date(2026, 2, 3), date(2026, 2, 5)
DATES = ("issued", "claimed", "ends", "extended")
FILTERS: dict[str, Filter] = {
    "nothing": Filter(),
    "definition": Filter(definition_id=-1),
    "batch": Filter(batch_id=-1),
    "search": Filter(search="rare"),
    "search for many": Filter(search="common"),
    **{f"source {one}": Filter(source=one) for one in BenefitSource},
    **{f"state {one}": Filter(state=one) for one in BenefitState},
    **{f"{name} between": Filter(dates={name: Dates(FROM, TO)}) for name in DATES},
    **{f"{name} until": Filter(dates={name: Dates(None, TO)}) for name in DATES},
    **{f"{name} yes": Filter(dates={name: Dates(is_there=True)}) for name in DATES[1:]},
    **{f"{name} never": Filter(dates={name: Dates(is_there=False)}) for name in DATES[1:]},
}
FILTERS |= {
    "two dates": Filter(dates={"ends": Dates(FROM, None), "claimed": Dates(is_there=False)}),
    "definition, state and date": replace(
        FILTERS["definition"], state=BenefitState.ACTIVE, dates={"issued": Dates(None, TO)}
    ),
    "source and search": Filter(source=BenefitSource.STAFF, search="common"),
    "a contradiction": Filter(state=BenefitState.EXPIRED, dates={"ends": Dates(is_there=False)}),
}


class Stock:
    """Benefits put in at once; a row with ``kind`` «rare» is of a definition, a batch and a person of its own."""

    def __init__(self, session: Session, make: Factories) -> None:
        self.session = session
        usual, self.rare = make.benefit_definition(), make.benefit_definition()
        self.batch = make.benefit_batch()
        common, rare = make.profile(first_name="Common"), make.profile(first_name="Rare")
        self._rare = {"definition_id": self.rare.id, "batch_id": self.batch.id, "profile_id": rare.id}
        self._same = {
            "definition_id": usual.id,
            "terms_number": 1,
            "profile_id": common.id,
            "source": BenefitSource.STAFF,
            "batch_id": None,
            "zone": "Europe/London",
            "issued_at": T - timedelta(days=60),
            "claimed_at": None,
            "extended_at": None,
            "expires_at": None,
            "voided_at": None,
            "void_reason": "",
            "max_redemptions": 3,
            "redeemed_count": 0,
            "created_at": T,
        }

    def add(self, rows: Iterable[Mapping[str, object]]) -> None:
        whole = [self._same | row | (self._rare if row.get("kind") == "rare" else {}) for row in rows]
        self.session.execute(insert(Benefit), [{key: row[key] for key in self._same} for row in whole])
        self.session.commit()

    def filter(self, name: str) -> Filter:
        """The filter of this name, with the ids that are known only now."""
        narrow = FILTERS[name]
        if narrow.definition_id:
            narrow = replace(narrow, definition_id=self.rare.id)
        return replace(narrow, batch_id=self.batch.id) if narrow.batch_id else narrow
