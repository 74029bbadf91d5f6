"""What a list cannot apply of its address: the list says so, its export refuses, and the record tells what was applied."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.web.test_exports import REASON, lines, take, world
from webapp.domain.exports import LISTINGS
from webapp.models import ExportRun

__all__ = ["world"]
LISTS = {
    "facts": "/profiles/attributes",
    "winners": "/fulfilment/spring-draw",
}
UNREAD = [
    ("/audit", "since=2026-02-30", "«since»: «2026-02-30» is no day of the calendar"),
    ("/audit", "until=soon", "«until»: «soon» is no day of the calendar"),
    ("/audit", "staff=abc", "«staff»: «abc» is not a whole number"),
    ("/audit", "site=abc", "«site»: «abc» is not a whole number"),
    ("/audit", "what=nonsense", "«what»: «nonsense» is no choice of this filter."),
    ("/audit", "address=%25", "«address»: «%» is nothing such as 203.0.113.7."),
    ("/audit", "subject=abc", "«subject»: «abc» is nothing such as profiles:12."),
    ("/organisations", "type=abc", "«type»: «abc» is not a whole number"),
    ("/organisations", "show=zz", "«show»: «zz» is none of in-use, archived."),
    ("/groups", "show=zz", "«show»: «zz» is none of in-use, primary, mailing-list, subscription, archived."),
    ("/modules", "show=zz", "«show»: «zz» is none of in-use, archived."),
    ("/targets", "show=zz", "«show»: «zz» is none of in-use, archived."),
    ("/locations", "show=zz", "«show»: «zz» is none of open, closed."),
    ("/vouchers", "state=zz", "«state» is no filter of this list."),
    ("/vouchers", "status=zz", "«status»: «zz» is none of"),
    ("/vouchers", "type=zz", "«type»: «zz» is not a whole number"),
    ("/rewards", "status=zz", "«status»: «zz» is none of"),
    ("/rewards/spring-draw/entries", "status=zz", "«status»: «zz» is none of"),
    ("/jobs", "status=zz", "«status»: «zz» is none of"),
    ("/notifications", "status=zz", "«status»: «zz» is none of"),
    ("/benefits/definitions", "state=zz", "«state»: «zz» is none of"),
    ("/benefits/definitions", "type=zz", "«type»: «zz» is none of"),
    ("/fulfilment/spring-draw", "column=zz", "«column»: «zz» is none of to-contact,"),
    ("/benefits", "state=zz", "«state»: «zz» is none of"),
    ("/benefits", "source=zz", "«source»: «zz» is none of staff, claim."),
    ("/benefits", "definition=zz", "«definition»: «zz» is not a whole number"),
    ("/benefits", "claimed=perhaps", "«claimed»: «perhaps» is none of yes, never."),
    ("/benefits", "ends_from=2026-13-01", "«ends_from»: «2026-13-01» is no day of the calendar"),
]


def list_of(kind, world):
    """The screen whose export this is."""
    return LISTS.get(kind) or world[kind].removesuffix("/export")


def newest(session):
    return session.scalars(select(ExportRun).order_by(ExportRun.id.desc())).first()


@pytest.mark.parametrize("kind", LISTINGS)
def test_a_list_tells_of_a_filter_it_has_not_and_its_export_refuses_it(console, world, session, kind):
    if kind == "benefits":  # it refuses the whole page, and names every filter it has
        told = "«zzz» is no filter of this list. It takes"
        assert told in console.get("/benefits?zzz=1", status=422).text
    else:
        told = "«zzz» is no filter of this list."
        page = console.get(f"{list_of(kind, world)}?zzz=1")
        assert told in page.one("#unread [role=alert]").get_text()
        links = [link["href"] for link in page.soup.select("main a[href*='/export']")]
        assert all("zzz" not in link for link in links)
    page = console.get(f"{world[kind]}?zzz=1", status=422)
    assert told in page.text
    answer = console.client.post(f"{world[kind]}?zzz=1", data={"media": "csv", "reason": REASON})
    assert answer.status_code == 422
    assert newest(session) is None


@pytest.mark.parametrize("kind", LISTINGS)
def test_a_place_in_a_list_is_no_filter_of_its_export(console, world, session, kind):
    take(console, f"{world[kind]}?before=7" if kind == "benefits" else f"{world[kind]}?before=7&after=7&page=2&q=")
    assert newest(session).filters == {}
    assert console.get(list_of(kind, world)).soup.select("#unread > *") == []


@pytest.mark.parametrize(("url", "query", "told"), UNREAD)
@pytest.mark.usefixtures("world")
def test_a_value_that_cannot_be_read_is_told_and_not_exported(console, session, url, query, told):
    page = console.get(f"{url}?{query}&q=&before=")
    assert told in page.one("#unread").get_text()
    assert all(query not in link["href"] for link in page.soup.select("main a[href*='/export']"))
    assert told in console.get(f"{url}/export?{query}", status=422).text
    assert newest(session) is None


def test_a_place_that_cannot_be_read_is_told(console, make):
    make.profile()
    assert "«before»: «zzz» is not a whole number" in console.get("/profiles?before=zzz").one("#unread").get_text()
    assert "«before»: «zzz» is no place in this list" in console.get("/benefits?before=zzz").one("#unread").get_text()
    assert "«after» is no filter" in console.get("/profiles?after=zzz").one("#unread").get_text()


def test_the_other_filters_hold_and_alone_are_recorded(console, make, session):
    make.organisation(title="Harbour Coffee", external_id="H")
    make.organisation(title="Kayak hut", external_id="K")
    page = console.get("/organisations?q=kayak&type=abc")
    assert "«type»: «abc»" in page.one("#unread").get_text()
    assert "Kayak hut" in page.text
    assert "Harbour Coffee" not in page.text
    link = page.one("main a[href*='/export']")["href"]
    assert link == "/organisations/export?q=kayak"
    assert [row["title"] for row in lines(take(console, link))] == ["Kayak hut"]
    assert newest(session).filters == {"q": "kayak"}


def test_the_record_has_a_search_as_it_was_applied(console, make, session):
    make.benefit_definition(tags=["t" * 40])
    answer = take(console, f"/benefits/definitions/export?tag={'t' * 60}")
    assert len(lines(answer)) == 1
    assert newest(session).filters == {"tag": "t" * 40}


def test_a_list_drawn_anew_tells_it_too_and_takes_it_back(console, make):
    make.organisation()
    part = console.part("/organisations?type=abc")
    assert "«type»: «abc»" in part.one("hx-partial[hx-target='#unread']").get_text()
    part = console.part("/organisations?type=1")
    assert not part.one("hx-partial[hx-target='#unread']").get_text().strip()


def test_only_the_first_few_sentences_are_told(console):
    query = "&".join(f"z{number}=1" for number in range(40))
    assert len(console.get(f"/organisations?{query}").texts("#unread p:not(.notice__title)")) == 6


@pytest.mark.parametrize("kind", LISTINGS)
def test_a_search_without_a_word_hands_out_nothing(console, world, session, kind):
    """A search that finds nothing is not the whole list under the name of a search."""
    url = f"{world[kind]}?q=%25%5E"
    if console.client.get(url).status_code == 200:
        assert lines(take(console, url)) == []
