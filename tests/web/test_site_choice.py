"""The site lists keep to: chosen in the top bar, remembered with the account."""

import pytest
from sqlalchemy import select

from tests.support.clock import NOW
from webapp.domain.draws import DrawState
from webapp.domain.rewards import RewardStatus
from webapp.models import StaffGrant, StaffMember


def choose(browser, title, url="/rewards"):
    page = browser.get(browser.get(url).one("a.sites")["href"])
    row = next(row for row in page.soup.select("tbody tr") if row.th.get_text(strip=True) == title)
    form = page.soup.select_one("main form[method=post]")
    key = form.select_one("[name=request_key]")["value"]
    return browser.post(form["action"], {"request_key": key, "site_id": row.button["value"]})


@pytest.fixture
def two(make):
    """Two sites with a reward each."""
    sites = [make.site(title=title) for title in ("Harbour", "Outdoor")]
    for site in sites:
        make.reward(title=f"Draw of {site.title}", site_id=site.id)
    return sites


def test_lists_and_today_keep_to_the_site_chosen_until_all_are_again(console, two):
    assert len(console.get("/rewards").texts("tbody th a")) == 2
    answer = choose(console, "Outdoor", "/rewards?status=active")
    assert answer.response.headers["Location"] == "/rewards?status=active"
    assert console.get("/rewards").texts("tbody th a") == ["Draw of Outdoor"]
    assert console.get("/today/figures").texts("#open tbody th") == ["Draw of Outdoor"]
    assert console.get("/rewards").one("a.sites").get_text(strip=True).startswith("Outdoor")
    choose(console, "All sites")
    assert len(console.get("/rewards").texts("tbody th a")) == 2


def test_codes_keep_to_the_site_chosen_and_those_of_one_type_are_shown_all_the_same(console, make, two):
    types = [make.voucher_type(title=f"Card of {site.title}", site_id=site.id) for site in two]
    for number, one in enumerate(types):
        make.voucher(one, code=f"ABCDEFGH{number}")
    assert len(console.get("/vouchers").texts("tbody th a")) == 2
    choose(console, "Outdoor")
    assert len(console.get("/vouchers").texts("tbody th a")) == 1
    assert len(console.get(f"/vouchers?type={types[0].id}").texts("tbody th a")) == 1


def test_a_link_to_another_site_and_the_search_go_on_working(console, two):
    choose(console, "Outdoor")
    harbour = console.get("/search?q=Harbour", status=303).response.headers["Location"]
    assert console.get(harbour).texts("h1") == ["Draw of Harbour"]


def test_what_waits_is_of_the_site_chosen(signed_in, make, two):
    for site in two:
        reward = make.reward(title=f"Closed of {site.title}", site_id=site.id, status=RewardStatus.EXPIRED)
        make.draw(reward, state=DrawState.CLOSED, closed_at=NOW)
    editor = signed_in("editor")
    choose(editor, "Harbour")
    assert editor.get("/today").texts(".task__text a") == ["Review the exclusions of «Closed of Harbour»"]


def test_somebody_of_one_site_has_nothing_to_choose(signed_in, two):
    page = signed_in("editor", site_id=two[0].id).get("/rewards")
    assert page.soup.select("a.sites") == []


@pytest.mark.parametrize(("typed", "status"), [("2147483647", 422), ("-1", 422), ("x", 422), ("9" * 40, 422)])
def test_only_a_site_one_has_a_role_on_can_be_chosen(signed_in, two, typed, status):
    signed_in("editor").post("/account/site", {"site_id": typed}, status=status)


def test_a_foreign_site_is_none(signed_in, two):
    there = signed_in("editor", site_id=two[0].id)
    there.post("/account/site", {"site_id": two[1].id}, status=422)


def test_the_way_back_leads_nowhere_else(console, two):
    answer = console.post("/account/site?next=https://example.org/", {"site_id": ""})
    assert answer.response.headers["Location"] == "/"


def test_a_site_somebody_lost_is_no_choice_any_more(signed_in, make, session, two):
    editor = signed_in("editor", name="Ed Ito")
    choose(editor, "Outdoor")
    grants = select(StaffGrant).join(StaffMember, StaffMember.id == StaffGrant.staff_id)
    for grant in session.scalars(grants.where(StaffMember.name == "Ed Ito")).all():
        grant.site_id = two[0].id
    session.commit()
    assert editor.get("/rewards").texts("tbody th a") == ["Draw of Harbour"]


def test_long_lists_of_sites_are_searched(console, make):
    for number in range(12):
        make.site(title=f"Shop {number}")
    page = console.get("/account/site?q=shop+11")
    assert page.texts("tbody th") == ["Shop 11"]
    assert console.get("/account/site?q=nothing").texts("tbody th") == []
