"""The screens of groups."""

from sqlalchemy import select

from webapp.models import Group, Membership


def test_a_group_is_created_changed_and_told(console):
    form = console.get("/groups/new")
    page = console.follow(console.submit(form, title="Baristas", kind="mailing list", registration="open", notes="N"))
    assert page.texts("h1") == ["Baristas"]
    assert "Mailing list: who gets messages" in page.text
    edit = console.get(str(page.one("main a.btn--primary")["href"]))
    page = console.follow(console.submit(edit, title="All baristas"))
    assert page.texts(".timeline__text p")[0] == "Changed the group «Baristas»: title from «Baristas» to «All baristas»"


def test_members_come_and_go(console, make, session):
    group, place = make.group(title="Club"), make.organisation(external_id="N", title="Nord")
    person = make.profile(external_id="M-7", first_name="Ann", last_name="Lee")
    add = f"/groups/{group.id}/members/add"
    page = console.submit(console.get(add), "#add-member", status=422, person="nobody")
    assert page.texts("#person-error")[0].startswith("Nobody has the member id or e-mail «nobody»")
    page = console.submit(page, "#add-member", person="M-7", organisation="N")
    shown = console.follow(page)
    assert shown.texts("#members tbody th") == ["Ann Lee"]
    assert shown.texts("#members td[data-label=Within]") == ["Nord"]
    assert shown.texts(".timeline__text p")[0] == f"Put person {person.id} into the group «Club» within «Nord»"
    page = console.submit(shown, "#add-member", status=409, person="M-7", organisation="N")
    assert "is in the group «Club» within «Nord» already" in page.text
    shown = console.follow(console.submit(shown, "#members form"))
    assert shown.texts("#members tbody th") == []
    session.expire_all()
    assert (session.get(Group, group.id).member_count, place.member_count) == (0, 0)
    assert session.scalars(select(Membership)).all() == []


def test_members_are_searched_and_turned_page_by_page(console, make):
    group = make.group()
    for number in range(51):
        make.member(group, make.profile(first_name=f"Ann{number:02}", last_name="Lee"))
    first = console.get(f"/groups/{group.id}")
    assert first.texts("#members tbody th")[0] == "Ann50 Lee"
    rest = console.get(str(first.one(".pager [rel=next]")["href"]))
    assert rest.texts("#members tbody th") == ["Ann00 Lee"]
    assert console.part(f"/groups/{group.id}?q=ann07").texts("tbody th") == ["Ann07 Lee"]
    assert "No members match" in console.get(f"/groups/{group.id}?q=zzz").text


def test_archiving_says_what_it_does_and_can_be_taken_back(console, make):
    group = make.group(title="Club")
    make.member(group)
    page = console.get(f"/groups/{group.id}/archive")
    assert page.texts(".consequences b") == ["1"]
    shown = console.follow(console.submit(page))
    assert not shown.soup.select("#add-member")
    assert console.get("/groups").texts("tbody th") == []
    assert console.get("/groups?show=archived").texts("tbody th a") == ["Club"]
    assert "restored" in console.follow(console.submit(shown, "main form[action$=restore]")).text


def test_tabs_count_the_kinds(console, make, signed_in):
    assert "No group yet" in console.get("/groups").text
    make.group(title="A")
    make.group(title="B", kind="mailing list")
    page = console.get("/groups")
    assert page.texts("nav.tabs[aria-label='Kinds of groups'] a") == [
        "In use 2", "Primary 1", "Mailing lists 1", "Subscriptions 0", "Archived 0",
    ]  # fmt: skip
    assert console.get("/groups?show=mailing-list").texts("tbody th a") == ["B"]
    assert "No groups match" in console.get("/groups?show=subscription").text
    assert console.part("/groups?q=a").texts("tbody th a") == ["A"]
    signed_in("viewer").get("/groups", status=403)


def test_somebody_of_one_site_does_not_reach_them(signed_in, make):
    group, site = make.group(), make.site()
    membership = make.member(group)
    browser = signed_in("editor", site_id=site.id)
    for path in ("", "/new", f"/{group.id}", f"/{group.id}/edit", f"/{group.id}/archive", f"/{group.id}/members/add"):
        browser.get(f"/groups{path}", status=404)
    browser.post(f"/groups/{group.id}/members/{membership.id}/remove", status=404)


def test_a_hostile_title_is_only_text(console):
    title = "<script>alert(1)</script>{{7*7}}\"' onload=x"
    page = console.follow(console.submit(console.get("/groups/new"), title=title))
    assert page.texts("h1") == [title]
    assert console.get("/groups").texts("tbody th a") == [title]
