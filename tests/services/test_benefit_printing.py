"""What is printed of benefits is settled when it is ordered, and what the cards say of them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert

from tests.support.benefits import programme
from webapp.adapters import benefit_cards
from webapp.domain.errors import Refused
from webapp.models import Benefit
from webapp.queries import benefit_cards as read
from webapp.services import benefits


@pytest.fixture
def d(make, actor):
    return programme(make, actor)


def order(d, *held, **more):
    command = benefits.PrintBenefits(tuple(one.id for one in held), "a4-2x4", "asked for", **more)
    return d.do(benefits.order_sheets, command)


def refused(code, act, *args):
    with pytest.raises(Refused) as refusal:
        act(*args)
    assert refusal.value.code == code
    return refusal.value.message


def test_only_what_can_be_redeemed_and_has_a_code_is_ordered(d, make):
    good, void, used, expired = d.issue(), d.issue(), d.issue(), d.issue(expires_on=date(2026, 3, 1))
    uncoded = make.benefit(d.definition, d.person, redeem_code_pos=None, code_key=None)
    d.do(benefits.void, benefits.VoidBenefit(void.id, "issued twice"))
    d.redeem(used)
    d.forward(days=1)
    job = order(d, good, void, used, expired, uncoded, start=3)
    assert job.arguments == {"benefit_ids": [good.id], "layout": "a4-2x4", "start": 3, "reason": "asked for"}
    assert (job.title, job.site_id, job.total) == ("Print 1 benefit", d.definition.site_id, 1)
    assert "left out" in refused("benefit.none_to_print", order, d, void, used, expired, uncoded)
    d.change(is_archived=True)
    order(d, good)
    d.change(stops_redemptions=True)
    refused("benefit.none_to_print", order, d, good)


def test_benefits_of_two_sites_are_not_on_one_sheet(d, make):
    other = make.benefit(make.benefit_definition(), d.person)
    assert "one site at a time" in refused("benefit.sites", order, d, d.issue(), other)


def test_more_than_a_job_makes_are_refused(d, monkeypatch):
    monkeypatch.setattr(read, "MOST", 1)
    assert "batch by batch" in refused("benefit.many_to_print", order, d, d.issue(), d.issue())
    assert len(read.of_definition(d.session, None, d.definition.id, d.at)) == 2


def cards(d, *held):
    return [benefit_cards.card(row) for row in read.rows(d.session, [one.id for one in held])]


def test_a_card_says_how_often_how_long_and_for_whom(d, make):
    d.change(redeem_code_pos="COFFEE", max_redemptions=None, period=None)
    kept, last = d.issue(), d.issue(d.other, zone="Pacific/Honolulu", expires_on=date(2026, 4, 5))
    assert last.expires_at == datetime(2026, 4, 6, 9, 59, 59, tzinfo=UTC)
    first, second = cards(d, kept, last)
    assert (first.code, first.qr, first.expiry, first.value) == ("COFFEE", "COFFEE", "", "")
    assert (first.subtitle, second.expiry) == ("As often as you like", "5 Apr 2026")
    assert (first.holder, first.reference) == (d.person.full_name, f"benefit {kept.id}")
    d.change(max_redemptions=3)
    used = d.issue()
    d.redeem(used)
    assert cards(d, used)[0].subtitle == "Good for 2 times"


def test_a_card_has_the_terms_of_the_benefit_else_of_its_voucher_type(d, make):
    kind = make.voucher_type(site_id=d.definition.site_id, terms="One pot.")
    made = [make.benefit_definition(voucher_type_id=kind.id, terms_conditions=text) for text in ("", "Not on Mondays.")]
    held = []
    for definition in made:
        make.voucher(kind)
        d.session.commit()
        held.append(d.issue(definition_id=definition.id))
    held.append(d.issue())
    assert [card.terms for card in cards(d, *held)] == ["One pot.", "Not on Mondays.", ""]


def test_a_batch_of_more_than_ten_thousand_is_printed_in_one_go(d, make):
    d.change(redeem_code_pos="COFFEE")
    batch = make.benefit_batch(d.definition)
    one = d.issue()
    same = {column.key: getattr(one, column.key) for column in Benefit.__table__.columns if column.key != "id"}
    same |= {"batch_id": batch.id, "redeem_code_pos": None, "code_key": None}
    d.session.execute(insert(Benefit), [same] * 10_001)
    d.session.commit()
    chosen = read.of_batch(d.session, None, batch.id, d.at)
    assert len(read.of_batch(d.session, None, batch.id, d.at, 3)) == 3
    command = benefits.PrintBenefits(tuple(one.id for one in chosen), "a4-2x4", "asked for")
    assert d.do(benefits.order_sheets, command).total == 10_001
