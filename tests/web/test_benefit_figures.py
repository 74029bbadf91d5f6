"""The page of figures of a definition."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.benefits import T, programme
from webapp.services import benefits


@pytest.fixture
def d(make, actor, moment):
    moment.now = T
    return programme(make, actor, max_redemptions=2, is_claimable=True)


def url(d):
    return f"/benefits/definitions/{d.definition.id}/figures"


def test_funnel_issued_claimed_redeemed_expired_is_drawn_with_its_numbers(console, d):
    d.claim(d.other)
    d.redeem(d.issue())
    d.make.benefit(d.definition, d.person, issued_at=T - timedelta(days=9), expires_at=T - timedelta(days=1))
    d.do(benefits.void, benefits.VoidBenefit(d.issue().id, "wrong"))
    page = console.get(url(d))
    chart = page.one("#stages-chart svg[role]")
    assert chart["role"] == "img"
    assert chart.find("title").get_text() == "How far they came"
    assert "3 benefits issued: 1 claimed" in chart.find("desc").get_text()
    assert [cell.get_text() for cell in page.soup.select("#stages-chart tbody td")] == ["3", "1", "1", "1"]
    assert "Not counted: 1 void." in page.text
    assert page.texts("#cohorts > .table-wrap tbody th") == ["March 2026", "February 2026"]
    assert "so far" in page.one("#cohorts > .table-wrap tbody").get_text()
    assert "1 ended in the last 12 weeks, 1 will end in the next 12." in page.one("#ending").get_text()


def test_the_definition_leads_to_its_figures_once_something_was_issued(console, d):
    here = f"/benefits/definitions/{d.definition.id}"
    assert not console.get(here).soup.select(f'a[href="{url(d)}"]')
    assert "No figures yet" in console.get(url(d)).text
    d.issue()
    assert console.get(here).soup.select(f'a[href="{url(d)}"]')


def test_figures_stay_within_the_sites_of_the_role(signed_in, d, make):
    other = make.site()
    signed_in("viewer", site_id=other.id).get(url(d), status=404)
    signed_in("viewer", site_id=d.definition.site_id).get(url(d))
