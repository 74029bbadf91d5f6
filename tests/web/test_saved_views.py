"""Views of lists: saved under a name, shared, found above the list, removed."""

import pytest
from sqlalchemy import select

from webapp.models import AuditEntry, SavedView


def save(browser, title, url="/rewards?status=active&q=draw", **values):
    page = browser.get(browser.get(url).one('a[href^="/saved-views/new"]')["href"])
    return browser.submit(page, "main form", title=title, **values)


def names(browser, url="/rewards"):
    return browser.get(url).texts("a.views__link")


def told(session):
    return session.scalars(select(AuditEntry.event).where(AuditEntry.event.like("view.%"))).all()


def test_a_view_is_a_link_above_the_list_with_its_filters(console, make, session):
    make.reward(title="Spring draw")
    answer = save(console, "Open draws", "/rewards?before=9&status=active&q=draw&nothing=")
    assert answer.response.headers["Location"] == "/rewards?q=draw&status=active"
    page = console.get("/rewards?status=active&q=draw")
    assert page.texts("a.views__link[aria-current]") == ["Open draws"]
    assert page.one("a.views__link")["href"] == "/rewards?q=draw&status=active"
    assert console.get("/profiles").soup.select("a.views__link") == []
    assert told(session) == []


def test_a_view_of_one_person_is_not_another_s_until_it_is_shared(console, signed_in, session):
    other = signed_in("viewer")
    save(console, "Mine")
    assert names(other) == []
    save(console, "Ours", is_shared="y")
    assert names(other) == ["Ours by Ann Able"]
    assert told(session) == ["view.shared"]
    page = other.get("/saved-views")
    assert page.texts("tbody th") == ["Ours"]
    assert page.soup.select("td.actions button") == []
    other.post(f"/saved-views/{session.scalars(select(SavedView.id)).all()[-1]}/remove", {})
    assert names(console) == ["Mine", "Ours"]


def test_saving_under_the_same_name_puts_it_in_its_place(console, session):
    save(console, "Mine", is_shared="y")
    save(console, "Mine", "/rewards?status=draft")
    assert session.scalars(select(SavedView.query)).all() == ["status=draft"]
    assert told(session) == ["view.shared", "view.unshared"]


def test_a_view_is_removed_by_whoever_made_it_or_an_administrator_when_shared(console, signed_in, session):
    editor = signed_in("editor")
    save(editor, "Theirs")
    save(editor, "Ours", is_shared="y")
    assert console.get("/saved-views").texts("tbody th") == ["Ours"]
    console.submit(console.get("/saved-views"), "td.actions form")
    assert names(editor) == ["Theirs"]
    editor.submit(editor.get("/saved-views"), "td.actions form")
    assert "No views yet" in editor.get("/saved-views").text


def test_what_the_list_shows_now_counts_not_what_it_showed_when_it_was_opened(console):
    page = console.get("/saved-views/new/rewards", headers={"Referer": "http://localhost/rewards?q=later&before=3"})
    assert page.one("[name=query]")["value"] == "q=later"
    page = console.get("/saved-views/new/rewards?q=own", headers={"Referer": "http://localhost/profiles?q=other"})
    assert page.one("[name=query]")["value"] == "q=own"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"query": ""}, "The list shows everything"),
        ({"query": "before=3&after=4&q="}, "The list shows everything"),
        ({"query": "q=" + "x" * 600}, "a view holds 500"),
        ({"title": " "}, "Name"),
    ],
)
def test_what_is_no_view_is_refused_in_a_sentence(console, session, values, words):
    typed = {"title": "A view", "query": "q=a"} | values
    assert words in console.post("/saved-views/new/rewards", typed, status=422).text
    assert session.scalars(select(SavedView)).all() == []


@pytest.mark.parametrize("screen", ["nothing", "sites", "static"])
def test_only_lists_have_views(console, screen):
    console.get(f"/saved-views/new/{screen}", status=404)


def test_a_list_one_may_not_open_has_no_views_for_one(console, signed_in):
    save(console, "Team", "/staff?q=a", is_shared="y")
    viewer = signed_in("viewer")
    viewer.get("/saved-views/new/staff", status=404)
    assert "No views yet" in viewer.get("/saved-views").text


def test_fifty_views_are_enough(console, session):
    for number in range(50):
        console.post("/saved-views/new/rewards", {"title": f"View {number}", "query": f"q={number}"})
    page = console.post("/saved-views/new/rewards", {"title": "One more", "query": "q=a"}, status=422)
    assert "You have 50 views" in page.text
    assert len(session.scalars(select(SavedView)).all()) == 50
