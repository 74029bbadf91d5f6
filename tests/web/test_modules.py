"""The screens of modules and completions."""

from datetime import timedelta

from tests.support.clock import NOW


def test_a_module_is_created_changed_and_told(console, make):
    site = make.site(name="club", title="Club")
    form = console.get("/modules/new")
    page = console.submit(form, status=422, site_id=str(site.id), path="p1", title="Basics")
    assert page.texts("#path-error")[0].startswith("«p1» is not the path of a module")
    page = console.follow(console.submit(page, path="/p1/c1/m1", lapses_after="12", lapses_unit="months"))
    assert page.texts("h1") == ["Basics"]
    assert "club:/p1/c1/m1" in page.text
    assert "12 months after it was completed" in page.text
    edit = console.get(str(page.one("main a.btn--primary")["href"]))
    page = console.follow(console.submit(edit, title="Basics 2"))
    assert page.texts(".timeline__text p")[0] == "Changed the module «Basics»: title from «Basics» to «Basics 2»"
    assert "A site comes first" not in console.get("/modules/new").text


def test_a_completion_is_recorded_and_lapses_by_the_clock(console, make, moment):
    module = make.module(lapses_after=2, lapses_unit="days")
    person = make.profile(external_id="M-7", first_name="Ann", last_name="Lee")
    shown = console.get(f"/modules/{module.id}")
    assert shown.one("#completed_on")["value"] == "2026-03-02"
    page = console.submit(shown, "#record", status=422, person="M-7", completed_on="2026-03-03")
    assert "still to come" in page.texts("#completed_on-error")[0]
    page = console.submit(page, "#record", completed_on="2026-03-01", score="90")
    shown = console.follow(page)
    assert shown.texts("#completions tbody td") == ["M-7", "1 Mar 2026", "90 %", "holds", "3 Mar 2026"]
    assert f"person {person.id} completed" in shown.texts(".timeline__text p")[0]
    make.completed(module, lapses_at=NOW + timedelta(minutes=9))
    assert console.get(f"/modules/{module.id}").texts("#completions .tag") == ["holds", "holds"]
    moment.forward(minutes=9)
    assert console.get(f"/modules/{module.id}").texts("#completions .tag") == ["lapsed", "holds"]


def test_completions_are_searched_and_turned_page_by_page(console, make):
    module = make.module()
    for number in range(51):
        make.completed(module, make.profile(first_name=f"Ann{number:02}", last_name="Lee"))
    first = console.get(f"/modules/{module.id}")
    rest = console.get(str(first.one(".pager [rel=next]")["href"]))
    assert rest.texts("#completions tbody th") == ["Ann00 Lee"]
    assert console.part(f"/modules/{module.id}?q=ann07").texts("tbody th") == ["Ann07 Lee"]
    assert "No completions match" in console.get(f"/modules/{module.id}?q=zzz").text


def test_archiving_says_what_it_does_and_can_be_taken_back(console, make):
    module = make.module(title="Basics")
    make.completed(module, lapses_at=NOW - timedelta(days=1))
    page = console.get(f"/modules/{module.id}/archive")
    assert page.texts(".consequences b") == ["1"]
    shown = console.follow(console.submit(page))
    assert not shown.soup.select("#record")
    assert console.get("/modules").texts("tbody th") == []
    assert console.get("/modules?show=archived").texts("tbody th a") == ["Basics"]
    assert "restored" in console.follow(console.submit(shown, "main form[action$=restore]")).text


def test_the_list_has_its_empty_states_and_belongs_to_sites(console, make, signed_in):
    assert "No module yet" in console.get("/modules").text
    assert "A site comes first" in console.get("/modules/new").text
    here, there = make.module(title="Here"), make.module(title="There")
    assert "No modules match" in console.get("/modules?q=zzz").text
    browser = signed_in("editor", site_id=here.site_id)
    assert browser.get("/modules").texts("tbody th a") == ["Here"]
    for path in ("", "/edit", "/archive", "/complete"):
        browser.get(f"/modules/{there.id}{path}", status=404)
    browser.post(f"/modules/{there.id}/restore", status=404)
    signed_in("viewer").get("/modules", status=403)


def test_a_hostile_title_is_only_text(console, make):
    make.site()
    title = "<script>alert(1)</script>{{7*7}}\"' onload=x"
    form = console.get("/modules/new")
    page = console.follow(console.submit(form, title=title, path="/p1"))
    assert page.texts("h1") == [title]
    assert console.get("/modules").texts("tbody th a") == [title]
