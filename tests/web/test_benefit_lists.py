"""benefits.md 13.9, the list of benefits: ranges, what is not there, orders, pages, views and the file it leaves as."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.benefits import MELBOURNE, T, programme
from webapp.domain.benefit_lists import FILTERS, MOST, Order
from webapp.queries import benefit_lists as lists
from webapp.queries.benefit_filters import Filter
from webapp.queries.benefit_lists import Turn

NEW_YORK = "America/New_York"
DATES = {"issued": "issued_at", "claimed": "claimed_at", "ends": "expires_at", "extended": "extended_at"}


@pytest.fixture
def d(make, actor, moment):
    """The programme of benefits.md 13; the consoles' clock stands where its own does."""
    moment.now = T
    return programme(make, actor, is_extendable=True)


def ids(page):
    return [int(link["href"].rpartition("/")[2]) for link in page.soup.select("tbody th a")]


def link(page, words):
    return next((one["href"] for one in page.soup.select(".pager__links a") if words in one.get_text()), None)


def pages(console, url):
    """The ids of every page, by the links of each."""
    while url:
        page = console.get(url)
        yield ids(page)
        url = link(page, "Next page")


def exported(console, url):
    page = console.get(url)
    fields = page.fields("#form") | {"media": "csv", "reason": "Checked against the till"}
    answer = console.client.post(page.one("#form")["action"], data=fields).get_data()
    assert answer.startswith(b"\xef\xbb\xbf")
    return [int(row["id"]) for row in csv.DictReader(io.StringIO(answer.decode("utf-8-sig"), newline=""))]


def at(day, hour=12):
    return datetime(2026, 3, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(("name", "column"), DATES.items())
def test_13_9_filter_ops_keep_both_days(console, d, make, name, column):
    early = {"issued_at": at(1)} if name != "issued" else {}
    made = [
        make.benefit(d.definition, d.person, **({"expires_at": None} | early | {column: at(day)}))
        for day in (9, 10, 11, 12)
    ]
    first, second, third, fourth = (one.id for one in made)
    assert ids(console.get(f"/benefits?{name}_from=2026-03-10&{name}_to=2026-03-11")) == [third, second]
    assert ids(console.get(f"/benefits?{name}_from=2026-03-12")) == [fourth]
    assert ids(console.get(f"/benefits?{name}_to=2026-03-09")) == [first]
    page = console.get(f"/benefits?{name}_from=2026-03-12&{name}_to=2026-03-11")
    assert "No benefits match" in page.text
    assert page.one(f"#filter-{name}-from")["value"] == "2026-03-12"
    assert len(page.soup.select(f".chip a[href*='{name}_to=2026-03-11']")) > 0


def test_13_9_filter_ops_count_the_days_the_list_shows(console, d, make):
    """A benefit ends at the end of a day of its own zone, and that is the day one asks for."""
    there = make.benefit(
        d.definition, d.person, zone=MELBOURNE, expires_at=datetime(2026, 3, 31, 12, 59, 59, tzinfo=UTC)
    )
    west = make.benefit(d.definition, d.person, zone=NEW_YORK, expires_at=datetime(2026, 4, 1, 3, 59, 59, tzinfo=UTC))
    later = make.benefit(d.definition, d.person, zone=MELBOURNE, expires_at=datetime(2026, 3, 31, 13, 0, tzinfo=UTC))
    page = console.get("/benefits?ends_from=2026-03-31&ends_to=2026-03-31")
    assert ids(page) == [west.id, there.id]
    assert page.texts("td[data-label='Good until']") == ["31 Mar 2026"] * 2
    page = console.get("/benefits?ends_from=2026-04-01&ends_to=2026-04-01")
    assert ids(page) == [later.id]
    assert page.texts("td[data-label='Good until']") == ["1 Apr 2026"]


def test_13_9_filter_nullable(console, d, make):
    d.change(is_claimable=True)
    claimed, issued = d.claim(d.other), d.issue()
    endless = make.benefit(d.definition, d.person, expires_at=None, extended_at=T)
    assert ids(console.get("/benefits?claimed=never")) == [endless.id, issued.id]
    assert ids(console.get("/benefits?claimed=yes")) == [claimed.id]
    assert ids(console.get("/benefits?ends=never")) == [endless.id]
    assert ids(console.get("/benefits?ends=yes")) == [issued.id, claimed.id]
    assert ids(console.get("/benefits?extended=yes")) == [endless.id]
    page = console.get("/benefits?ends=yes&claimed=never&extended=never")
    assert ids(page) == [issued.id]
    assert page.texts(".chip b") == ["Never claimed", "Has an end", "Never extended"]
    assert page.one(".filters__more").has_attr("open")
    assert ids(console.get("/benefits?claimed=perhaps&issued=never")) == [endless.id, issued.id, claimed.id]


@pytest.mark.parametrize("path", ["", "/export"])
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("filter[foo]=1", "«foo»"),
        ("filter[foo][gte]=2026-03-01", "«foo»"),
        ("filter%5Bclaimed_at%5D%5Bnullable%5D=1", "«claimed_at»"),
        ("state=active&colour=red", "«colour»"),
        ("filter[]=1", "«filter[]»"),
    ],
)
def test_13_9_unknown_filter(console, d, path, query, named):
    d.issue()
    page = console.get(f"/benefits{path}?{query}", status=422)
    assert f"{named} is no filter of this list." in page.text
    assert all(name in page.text for name in FILTERS)
    assert "filter.unknown" in page.text


def test_13_9_unknown_filter_leaves_what_steers_the_list_alone(console, d):
    benefit = d.issue()
    known = "&".join(f"{name}=" for name in sorted(FILTERS))
    assert ids(console.part(f"/benefits?{known}&sort=-expires_at&size=100&before=")) == [benefit.id]
    page = console.get("/benefits?sort=colour", status=422)
    assert "«colour» is no order of this list. It takes -expires_at, -id, -issued_at, expires_at, id" in page.text


@pytest.fixture
def ordered(d, make):
    """Ends on two days, two on each, and two without an end; by id in the order they are named."""
    ends = {"b1": at(20), "never1": None, "a1": at(10), "b2": at(20), "a2": at(10), "never2": None}
    return {
        name: make.benefit(d.definition, d.person, expires_at=end, issued_at=at(1 + number % 3)).id
        for number, (name, end) in enumerate(ends.items())
    }


ORDERS = {
    "expires_at": ["a1", "a2", "b1", "b2", "never1", "never2"],
    "-expires_at": ["never2", "never1", "b2", "b1", "a2", "a1"],
    "issued_at": ["b1", "b2", "never1", "a2", "a1", "never2"],
    "-issued_at": ["never2", "a1", "a2", "never1", "b2", "b1"],
    "id": ["b1", "never1", "a1", "b2", "a2", "never2"],
    "-id": ["never2", "a2", "b2", "a1", "never1", "b1"],
}


def test_every_order_is_among_them():
    assert set(ORDERS) == set(Order)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("sort", ORDERS)
def test_13_9_sort_ties_by_id(console, ordered, sort, size):
    found = list(pages(console, f"/benefits?sort={sort}&size={size}"))
    assert [number for page in found for number in page] == [ordered[name] for name in ORDERS[sort]]
    assert {len(page) for page in found[:-1]} <= {size}


def test_13_9_sort_by_the_headings_without_a_script(console, ordered):
    page = console.get("/benefits?ends=yes&size=25")
    assert page.soup.select("[aria-sort]") == []
    for direction, first in (("ascending", "a1"), ("descending", "b2"), ("ascending", "a1")):
        heading = next(one for one in page.soup.select("thead th a") if one.get_text() == "Good until")
        page = console.get(heading["href"])
        assert page.one("th[aria-sort]")["aria-sort"] == direction
        assert page.one("th[aria-sort]").get_text() == "Good until"
        assert ids(page)[0] == ordered[first]
        assert "ends=yes" in heading["href"]
        assert "size=25" in heading["href"]
    assert page.one("#filter-sort option[selected]")["value"] == "expires_at"


@pytest.mark.parametrize("sort", ["", "expires_at", "-expires_at", "issued_at"])
def test_13_9_paging(console, d, make, sort):
    """120 rows are three pages; what is issued, extended or made void meanwhile moves no row of the pages to come."""
    made = [
        make.benefit(
            d.definition, d.person, issued_at=at(1) + timedelta(minutes=n), expires_at=at(9) + timedelta(hours=n % 7)
        )
        for n in range(120)
    ]
    turn = Turn(order=Order(sort or "-id"), size=120)
    before = [row.id for row in lists.page(d.session, None, Filter(), T, turn)]
    assert set(before) == {one.id for one in made}
    first = console.get(f"/benefits?sort={sort}&size=50")
    new = make.benefit(d.definition, d.person, issued_at=at(1), expires_at=at(9))
    made[0].voided_at, made[0].void_reason = T, "while somebody turned the page"
    d.session.commit()
    second = console.get(link(first, "Next page"))
    third = console.get(link(second, "Next page"))
    found = ids(first) + ids(second) + ids(third)
    assert [number for number in found if number != new.id] == before
    assert (len(ids(first)), len(ids(second))) == (50, 50)
    assert link(third, "Next page") is None
    assert ids(console.get(link(third, "First page")))[:1] == [before[0] if sort else new.id]


@pytest.mark.parametrize("place", ["x", "0", "99999999999", "5.x", "5.99999999999999999", "5.", "-1", "5.0", "٣"])
def test_a_place_that_is_none_is_the_beginning_or_a_place(console, ordered, place):
    for sort in ORDERS:
        assert len(ids(console.get(f"/benefits?sort={sort}&before={place}"))) <= 6


def test_13_9_size_cap(console, d, make):
    for _ in range(MOST + 1):
        make.benefit(d.definition, d.person)
    page = console.get("/benefits?size=10000")
    assert len(ids(page)) == MOST == 200
    assert "10,000 benefits were asked for; a page holds 200 at most." in page.text
    assert "size=200" in link(page, "Next page")
    assert "200 at most" in console.get("/benefits").one(".pager").get_text()
    assert "up to 200" in console.get("/help/issued").text
    for usual in ("", "x", "-5"):
        assert len(ids(console.get(f"/benefits?size={usual}"))) == 50
    assert len(ids(console.get("/benefits?size=0"))) == 1


def test_13_9_saved_filter(console, signed_in, d, make):
    ends = make.benefit(d.definition, d.person, expires_at=at(10))
    make.benefit(d.definition, d.person, expires_at=at(20))
    make.benefit(d.definition, d.person, expires_at=None)
    shown = console.get("/benefits?ends_to=2026-03-15&claimed=never&sort=-expires_at&before=9.1")
    page = console.get(shown.one("a[href^='/saved-views/new']")["href"])
    console.submit(page, "main form", title="Ends soon", is_shared="y")
    till = signed_in("till")
    view = till.get("/benefits").one("a.views__link")
    assert view.get_text(strip=True).startswith("Ends soon")
    assert view["href"] == "/benefits?claimed=never&ends_to=2026-03-15&sort=-expires_at"
    assert ids(till.get(view["href"])) == [ends.id]


@pytest.mark.parametrize("sort", ORDERS)
def test_13_9_csv_export(console, ordered, sort):
    """As filtered and sorted, whatever page is on screen, with the mark that tells a spreadsheet it is UTF-8."""
    page = console.get(f"/benefits?sort={sort}&size=2")
    whole = exported(console, page.one("a[href^='/benefits/export']")["href"])
    assert whole == [number for part in pages(console, f"/benefits?sort={sort}&size=2") for number in part]
    narrowed = console.get(f"/benefits?ends=yes&ends_to=2026-03-15&sort={sort}&size=1")
    found = exported(console, narrowed.one("a[href^='/benefits/export']")["href"])
    assert found == [ordered[name] for name in ORDERS[sort] if name.startswith("a")]
