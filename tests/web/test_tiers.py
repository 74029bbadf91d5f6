"""The screens of tiers."""

from tests.factories import NOW
from webapp.models import Tier


def test_tiers_are_listed_by_rank_changed_and_removed(console, make):
    assert "No tier yet" in console.get("/tiers").text
    for title, rank in (("Gold", "3"), ("Bronze", "1")):
        console.submit(console.get("/tiers/new"), title=title, rank=rank)
    page = console.get("/tiers")
    assert page.texts("tbody th") == ["Bronze", "Gold"]
    gold = console.get(str(page.soup.select("tbody th a")[1]["href"]))
    form, other = (console.get(str(gold.one("main a.btn--primary")["href"])) for _ in range(2))
    page = console.submit(form, status=409, rank="1")
    assert page.texts("#rank-error")[0].startswith("Rank 1 is that of «Bronze» already")
    console.submit(page, rank="5", title="Golden")
    page = console.submit(other, status=409, title="X")
    assert "Ann Able changed this tier while the form was open" in page.text
    tier_id = int(gold.response.request.path.rpartition("/")[2])
    make.profile(tier_id=tier_id)
    page = console.submit(console.get(f"/tiers/{tier_id}/remove"), status=422)
    assert "People have the tier «Golden»" in page.text
    assert console.get("/tiers").texts("tbody td[data-label='In use']") == ["nobody has it", "people have it"]
    bronze = str(console.get("/tiers").soup.select("tbody th a")[0]["href"])
    page = console.follow(console.submit(console.get(f"{bronze}/remove")))
    assert page.texts("tbody th") == ["Golden"]


def test_what_is_no_rank_is_refused(console):
    page = console.submit(console.get("/tiers/new"), status=422, title="Gold", rank="0")
    assert page.texts("#rank-error") == ["Enter a whole number from 1 to 1,000."]


def test_somebody_of_one_site_does_not_reach_them(signed_in, make):
    tier, site = make.tier(), make.site()
    browser = signed_in("editor", site_id=site.id)
    for path in ("", "/new", f"/{tier.id}", f"/{tier.id}/edit", f"/{tier.id}/remove"):
        browser.get(f"/tiers{path}", status=404)


def test_more_tiers_than_a_page_holds_go_on_by_rank(console, make):
    for rank in range(1, 53):
        make.add(Tier(name=f"tier-{rank}", title=f"Tier {rank}", rank=rank, created_at=NOW))
    first = console.get("/tiers")
    assert len(first.soup.select("tbody tr")) == 50
    assert first.texts("a[rel=next]") == ["Next page"]
    second = console.get(first.soup.select_one("a[rel=next]")["href"])
    assert second.texts("tbody th") == ["Tier 51", "Tier 52"]
    assert second.texts("a[rel=prev]") == ["First page"]
