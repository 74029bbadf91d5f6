"""The screens of organisation types."""


def test_a_type_is_created_changed_and_counted(console, make):
    assert "No type yet" in console.get("/organisation-types").text
    console.submit(console.get("/organisation-types/new"), title="Pharmacy")
    page = console.get("/organisation-types")
    assert page.texts("tbody th") == ["Pharmacy"]
    assert page.texts("tbody td")[0] == "pharmacy"
    shown = console.get(str(page.one("tbody th a")["href"]))
    make.organisation(type_id=int(shown.response.request.path.rpartition("/")[2]))
    edit, other = (console.get(str(shown.one("main a.btn--primary")["href"])) for _ in range(2))
    shown = console.follow(console.submit(edit, title="Chemist"))
    assert shown.texts(".timeline__text p")[0] == (
        "Changed the organisation type «Pharmacy»: title from «Pharmacy» to «Chemist»"
    )
    assert console.get("/organisation-types").texts("tbody td") == ["pharmacy", "1"]
    page = console.submit(other, status=409, title="Shop")
    assert "Ann Able changed this organisation type while the form was open" in page.text
    console.submit(page)


def test_somebody_of_one_site_does_not_reach_them(signed_in, make):
    kind, site = make.organisation_type(), make.site()
    browser = signed_in("editor", site_id=site.id)
    for path in ("", "/new", f"/{kind.id}", f"/{kind.id}/edit"):
        browser.get(f"/organisation-types{path}", status=404)
