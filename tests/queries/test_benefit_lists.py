"""Narrowed lists of benefits: every page is right, whichever way it is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.benefit_lists import FILTERS, Stock, T
from webapp.domain.benefit_lists import Order
from webapp.domain.redemptions import BenefitSource
from webapp.models import Benefit, BenefitDefinition, Profile
from webapp.queries import benefit_lists as lists
from webapp.queries import benefit_rows, benefit_ways
from webapp.queries.benefit_filters import Filter, matching
from webapp.queries.benefit_lists import Patience, Turn


def motley(number: int) -> dict[str, object]:
    """One of many different benefits; the numbers have no factor in common, so that everything meets everything."""
    day = T - timedelta(days=40) + timedelta(hours=13 * (number % 97))
    found: dict[str, object] = {
        "issued_at": day - timedelta(days=3),
        "expires_at": None if number % 5 == 0 else day if number % 7 else T + timedelta(days=20),
        "zone": ("Europe/London", "Australia/Melbourne", "America/New_York")[number % 3],
        "redeemed_count": number % 4 if number % 2 else 0,
        "max_redemptions": None if number % 11 == 0 else 3,
    }
    if number % 13 == 0:
        found |= {"voided_at": T, "void_reason": "x"}
    if number % 9 == 0:
        found |= {"claimed_at": day - timedelta(days=3), "source": BenefitSource.CLAIM}
    if number % 10 == 0:
        found |= {"extended_at": day}
    if number % 17 == 0:
        found |= {"kind": "rare"}
    if number % 19 == 0:
        found |= {"issued_at": T + timedelta(days=1), "expires_at": T + timedelta(days=9)}
    return found


def expected(session: Session, narrow: Filter, order: Order, scope: frozenset[int] | None) -> list[int]:
    """The whole list, by the conditions alone and put in order here."""
    wanted = select(Benefit).join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
    wanted = wanted.join(Profile, Profile.id == Benefit.profile_id)
    found = list(session.scalars(wanted.where(*matching(session, scope, narrow, T))))
    late = datetime.max.replace(tzinfo=UTC)
    key = {
        "id": lambda one: one.id,
        "issued_at": lambda one: (one.issued_at, one.id),
        "expires_at": lambda one: (one.expires_at or late, one.id),
    }[order.column]
    return [one.id for one in sorted(found, key=key, reverse=order.is_down)]


def every_page(session: Session, scope: frozenset[int] | None, narrow: Filter, order: Order, size: int) -> list[int]:
    found: list[int] = []
    turn = Turn(order, size=size)
    while True:
        rows = lists.page(session, scope, narrow, T, turn)
        found += [row.id for row in rows[:size]]
        if len(rows) <= size:
            return found
        turn = Turn(order, lists.place_of(rows[size - 1], order), size)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("turns", [(Patience(4, 3), Patience(9, 40)), (Patience(1, 500),)])
def test_every_page_is_right_whichever_way_it_is_read(session, make, monkeypatch, turns, name):
    stock = Stock(session, make)
    stock.add(map(motley, range(70)))
    monkeypatch.setattr(lists, "TURNS", turns)
    narrow, here = stock.filter(name), frozenset([stock.rare.site_id])
    for scope in (None, here):
        for order in Order:
            whole = expected(session, narrow, order, scope)
            assert every_page(session, scope, narrow, order, 9) == whole
            assert [int(str(row[0])) for row in benefit_rows.stream(session, scope, narrow, T, order)] == whole
        assert lists.how_many(session, scope, narrow, T) == len(whole)
    assert lists.how_many(session, None, narrow, T, 4) == min(len(expected(session, narrow, Order.NEWEST, None)), 5)


def test_a_search_for_too_many_people_is_no_way(session, make, monkeypatch):
    Stock(session, make).add(map(motley, range(60)))
    monkeypatch.setattr(lists, "TURNS", (Patience(4, 500),))
    monkeypatch.setattr(benefit_ways, "FEW_PEOPLE", 0)
    narrow = Filter(search="rare")
    assert every_page(session, None, narrow, Order.ENDS_FIRST, 3) == expected(session, narrow, Order.ENDS_FIRST, None)
    assert lists.how_many(session, None, narrow, T) == len(expected(session, narrow, Order.NEWEST, None)) > 0
