"""The screens of locations."""


def test_a_location_is_created_changed_and_closed_for_good(console, make):
    make.organisation(external_id="N", title="Nord")
    form = console.get("/locations/new?organisation=N")
    page = console.submit(form, status=422, title="Quay", external_id="L-1", organisation="NONE")
    assert page.texts("#organisation-error")[0].startswith("There is no organisation with the id «NONE»")
    shown = console.follow(console.submit(page, organisation="N"))
    assert "Nord" in shown.one("#facts").get_text()
    path = shown.response.request.path
    form, other = console.get(f"{path}/edit"), console.get(f"{path}/edit")
    assert form.one("#organisation")["value"] == "N"
    shown = console.follow(console.submit(form, title="Quay Street"))
    assert shown.texts(".timeline__text p")[0] == "Changed the location «Quay»: title from «Quay» to «Quay Street»"
    page = console.submit(other, status=409, title="X")
    assert "Ann Able changed this location while the form was open" in page.text
    shown = console.follow(console.submit(console.get(f"{path}/close")))
    assert "closed for good" in shown.texts(".tag")
    assert not shown.soup.select("main a.btn--primary")
    assert console.get("/locations").texts("tbody th") == []
    assert console.get("/locations?show=closed").texts("tbody th a") == ["Quay Street"]
    page = console.submit(console.get(f"{path}/close"), status=422)
    assert "closed for good already" in page.text


def test_the_list_has_its_empty_states_tabs_and_pages(console, make, signed_in):
    assert "No location yet" in console.get("/locations").text
    for number in range(51):
        make.location(title=f"Shop {number:02}")
    assert "No locations match" in console.get("/locations?q=zzz").text
    assert console.part("/locations?q=07").texts("tbody th a") == ["Shop 07"]
    first = console.get("/locations")
    assert console.get(str(first.one(".pager [rel=next]")["href"])).texts("tbody th a") == ["Shop 50"]
    signed_in("viewer").get("/locations", status=403)


def test_somebody_of_one_site_does_not_reach_them(signed_in, make):
    location, site = make.location(), make.site()
    browser = signed_in("editor", site_id=site.id)
    for path in ("", "/new", f"/{location.id}", f"/{location.id}/edit", f"/{location.id}/close"):
        browser.get(f"/locations{path}", status=404)


def test_a_hostile_title_is_only_text(console):
    title = "<script>alert(1)</script>{{7*7}}\"' onload=x"
    page = console.follow(console.submit(console.get("/locations/new"), title=title, external_id=title))
    assert page.texts("h1") == [title]
    assert console.get("/locations").texts("tbody th a") == [title]
