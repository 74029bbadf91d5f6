"""The screens of sites."""

from sqlalchemy import select

from tests.support.clock import NOW
from webapp.models import Site
from webapp.services import sites
from webapp.services.work import perform


def test_a_site_is_created_and_its_name_never_changes(console, session):
    page = console.submit(console.get("/sites/new"), title="Été à Nouméa", organiser="Club Ltd")
    assert page.response.headers["Location"] == "/sites/ete-a-noumea"
    shown = console.follow(page)
    assert shown.one("#site-name").get_text().strip() == "ete-a-noumea"
    edit = console.get("/sites/ete-a-noumea/edit")
    assert not edit.soup.select("[name=name]")
    console.submit(edit, title="Something else")
    assert session.scalars(select(Site.name)).all() == ["ete-a-noumea"]


def test_the_zone_of_the_account_is_offered_and_every_other_can_be_searched(console):
    page = console.get("/sites/new")
    assert page.one("#timezone")["value"] == "Europe/London"
    assert page.one("#timezone")["list"] == "zones"
    assert len(page.soup.select("#zones option")) > 400


def test_refusals_land_on_their_fields_and_keep_what_was_typed(console):
    page = console.submit(
        console.get("/sites/new"), status=422, title="Club", organiser="Ltd", timezone="Lodnon", staff_domains="a@b"
    )
    assert page.texts("#timezone-error")[0].startswith("«Lodnon» is not a time zone")
    page = console.submit(page, status=422, timezone="europe/london")
    assert page.texts("#staff_domains-error")[0].startswith("«a@b» is not an e-mail domain")
    assert page.one("#title")["value"] == "Club"


def test_what_is_missing_is_asked_for(console):
    page = console.post("/sites/new", {"title": "  "}, status=422)
    assert page.texts("#title-error") == ["Enter the title."]
    assert page.texts("#organiser-error") == ["Enter the organiser."]


def test_a_form_sent_twice_makes_one_site(console, session):
    fields = console.get("/sites/new").fields() | {"title": "Club", "organiser": "Ltd"}
    first, second = console.post("/sites/new", fields), console.post("/sites/new", fields)
    assert first.response.headers["Location"] == second.response.headers["Location"]
    assert len(session.scalars(select(Site)).all()) == 1


def test_a_change_made_meanwhile_is_shown_and_ones_own_is_kept(console, make, session, actor):
    site = make.site(title="Club", name="club", organiser="Club Ltd")
    form = console.get("/sites/club/edit")
    command = sites.ChangeSite(
        title="Club", organiser="First Ltd", timezone="Europe/London", site_id=site.id, version=1
    )
    perform(session, actor, NOW, lambda work: sites.change(work, command))
    page = console.submit(form, status=409, organiser="Second Ltd")
    assert "Ann Able changed this site while the form was open: organiser from «Club Ltd» to «First Ltd»" in page.text
    assert page.one("#organiser")["value"] == "Second Ltd"
    console.submit(page)  # saved again, knowingly
    session.expire_all()
    assert session.get(Site, site.id).organiser == "Second Ltd"


def test_the_history_tells_who_changed_what(console, make):
    make.site(title="Club", name="club")
    console.submit(console.get("/sites/club/edit"), title="Club Nord")
    assert console.get("/sites/club").texts(".timeline__text p") == [
        "Changed the site «Club»: title from «Club» to «Club Nord»"
    ]


def test_three_empty_states(console, make, signed_in):
    assert "No site yet" in console.get("/sites").text
    make.site(title="Nord")
    assert "No sites match" in console.get("/sites?q=zzz").text
    assert console.part("/sites?q=nor").texts("tbody th") == ["Nord"]
    assert console.part("/sites?q=no%00r").texts("tbody th") == ["Nord"]
    assert "New site" not in signed_in("viewer").get("/sites").text


def test_somebody_of_one_site_sees_that_one_only(signed_in, make):
    here, there = make.site(name="here"), make.site(name="there")
    browser = signed_in("editor", site_id=here.id)
    assert browser.get("/sites").texts("tbody th") == [here.title]
    browser.get("/sites/there", status=404)
    browser.get("/sites/there/edit", status=404)
    browser.post("/sites/there/edit", {"title": "Mine"}, status=404)
    browser.get("/sites/new", status=403)
    browser.get("/sites/here/edit")
    assert there.title != "Mine"


def test_a_hostile_title_is_only_text(console):
    title = "<script>alert(1)</script>{{7*7}}\"' onload=x"
    page = console.submit(console.get("/sites/new"), title=title, organiser=title)
    assert console.follow(page).texts("h1") == [title]
