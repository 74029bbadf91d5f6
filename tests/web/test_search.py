"""One box over everything: it jumps when one thing fits, and shows nobody what is not theirs."""

from __future__ import annotations

import pytest

from tests.support.clock import NOW
from webapp.domain.voucher_codes import code_hash, codes
from webapp.services import profiles
from webapp.services.profiles import MergeProfiles
from webapp.services.vouchers import code_key
from webapp.services.work import transaction


@pytest.fixture
def people(make):
    make.profile(external_id="ZB9", first_name="Zoë", last_name="Berg", email="zoe@example.com", phone="+44 487 123")
    make.profile(external_id="MJ1", first_name="Mary Jane", last_name="van der Linden", home_phone="02 9555 111")
    make.profile(external_id="FO1", first_name="Finn", last_name="O’Hara")
    make.profile(external_id="AE1", first_name="Anna-Lena", last_name="Ekdahl")
    return {row: row for row in ("ZB9", "MJ1", "FO1", "AE1")}


def found(console, text):
    """The titles of what fits; of one thing, the page it jumped to."""
    answer = console.client.get("/search", query_string={"q": text})
    if answer.status_code == 303:
        return [console.get(answer.headers["Location"]).texts("h1")[0]]
    return console.get("/search", query_string={"q": text}).texts(".found a")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("zoe", "Zoë Berg"), ("ZOË B", "Zoë Berg"), ("berg", "Zoë Berg"), ("berg zo", "Zoë Berg"), ("zo berg", "Zoë Berg"),
        ("zoe@ex", "Zoë Berg"), ("zb9", "Zoë Berg"), ("+44 487", "Zoë Berg"), ("44487", "Zoë Berg"),
        ("mary", "Mary Jane van der Linden"), ("jane", "Mary Jane van der Linden"), ("linden", "Mary Jane van der Linden"),
        ("der linden", "Mary Jane van der Linden"), ("linden mary", "Mary Jane van der Linden"),
        ("029555", "Mary Jane van der Linden"), ("ohara", "Finn O’Hara"), ("o'hara", "Finn O’Hara"), ("O’Hara", "Finn O’Hara"),
        ("lena", "Anna-Lena Ekdahl"), ("anna lena ek", "Anna-Lena Ekdahl"), ("anna-lena", "Anna-Lena Ekdahl"),
    ],
)  # fmt: skip
def test_a_person_is_found_by_any_word_and_jumped_to(console, people, text, name):
    assert found(console, text) == [name]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("bergh", "Zoë Berg"), ("brg", "Zoë Berg"), ("begr", "Zoë Berg"), ("barg", "Zoë Berg"), ("zoe burg", "Zoë Berg"),
        ("bergg zoe", "Zoë Berg"), ("lindne", "Mary Jane van der Linden"), ("jnae", "Mary Jane van der Linden"),
        ("ekdhal", "Anna-Lena Ekdahl"), ("anna lean", "Anna-Lena Ekdahl"), ("ohaar", "Finn O’Hara"),
    ],
)  # fmt: skip
def test_one_slip_in_a_name_still_finds_the_person(console, people, text, name):
    assert found(console, text) == [name]


@pytest.mark.parametrize("text", ["xyz", "bxxrg", "%", "_oe", "1", "\x1b[", "a\x00b", "@", "''", "-", "zoe linden"])
def test_what_fits_nobody_finds_nobody(console, people, text):
    assert found(console, text) == []


def test_nothing_typed_shows_how_to_search(console):
    assert "Search everything" in console.get("/search").text


def test_several_are_listed_the_closest_first_and_the_box_keeps_the_words(console, make, people):
    make.profile(first_name="Zoey", last_name="Ash", external_id="zoe")
    page = console.get("/search", query_string={"q": "zoe"})
    assert page.texts(".found a") == ["Zoey Ash", "Zoë Berg"]
    assert page.one("#site-search")["value"] == "zoe"


def test_a_merged_address_finds_the_person_it_belongs_to(console, session, make, people):
    zoe = make.profile(first_name="Zia", last_name="Noor")
    make.profile(external_id=None, first_name="", last_name="", email="alias@example.com", merged_into_id=zoe.id)
    assert found(console, "alias@") == ["Zia Noor"]


def test_an_identity_finds_its_person(console, make):
    make.identity(make.profile(first_name="Ida").id, "web", "SHOP-77")
    assert found(console, "SHOP-7")[0].startswith("Ida")


def test_organisations_rewards_and_receipts_are_found(console, make):
    make.club(title="Harbour Club", search_text="harbour club o1")
    reward = make.reward(title="Win a kayak", name="win-a-kayak")
    make.entry(reward, receipt="RX-0042")
    assert found(console, "harb") == ["Harbour Club"]
    assert found(console, "club") == ["Harbour Club"]
    assert found(console, "kayak") == ["Win a kayak"]
    answer = console.client.get("/search?q=rx-00")
    assert answer.headers["Location"].startswith("/rewards/win-a-kayak/entries?q=RX-0042")


def test_a_definition_is_found_by_name_handle_and_shared_code(console, make):
    make.benefit_definition(name="Flat white on us", handle="free-flat-white", redeem_code_pos="FLAT-10 off")
    for text in ("flat wh", "WHITE", "free-flat", "free flat", "flat-white", "flat10off", "FLAT10-OFF", "on us"):
        assert found(console, text) == ["Flat white on us"], text
    for text in ("lat", "flat10", "10", "_ree", "us on", "white-on"):
        assert found(console, text) == [], text
    page = console.get("/search", query_string={"q": "zzz"})
    assert "benefit definitions and voucher types by any word" in page.text


def test_a_voucher_type_is_found_by_title_and_code(console, make):
    kind = make.voucher_type(title="Kayak tour for two", code="TOUR-25")
    assert found(console, "tour") == found(console, "for two") == found(console, "tour-2") == [kind.title]
    assert console.client.get("/search?q=TOUR-25").headers["Location"] == f"/voucher-types/{kind.id}"
    assert found(console, "25") == []


def test_what_fits_is_listed_by_kind_with_what_tells_it_apart(console, make):
    make.reward(title="Kayak draw")
    make.benefit_definition(name="Kayak lesson", handle="kayak-lesson", is_archived=True)
    make.benefit_definition(name="Kayak hire", handle="kayak-hire")
    make.voucher_type(title="Kayak tour", code="TOUR")
    page = console.get("/search?q=kayak")
    assert page.texts(".panel h2") == ["Rewards", "Benefit definitions", "Voucher types"]
    assert page.texts(".found a") == ["Kayak draw", "Kayak hire", "Kayak lesson", "Kayak tour"]
    assert page.texts("#found-benefit-definitions small") == ["kayak-hire", "kayak-lesson · archived"]
    assert page.texts("#found-voucher-types small") == ["TOUR"]


def test_ten_of_a_kind_are_listed_and_the_eleventh_is_told_of(console, make):
    site = make.site()
    for number in range(11):
        make.benefit_definition(name=f"Kayak {number}", site_id=site.id)
    page = console.get("/search?q=kayak")
    assert page.texts(".found a") == [f"Kayak {number}" for number in range(10, 0, -1)]
    assert "The first 10" in page.text


def test_a_voucher_is_found_by_its_whole_code_only(console, app, make):
    key = code_key(app.extensions["largesse"].secret_key)
    voucher = make.voucher(make.voucher_type(), code="7KQ2M9XAVB4", code_hash=code_hash(key, "7KQ2M9XAVB4"))
    answer = console.post("/search", {"q": "7kq2-m9xa-vb4"})
    assert answer.response.headers["Location"] == f"/vouchers/{voucher.id}"
    assert found(console, "7KQ2M9XAVB") == []
    assert found(console, "7KQ2M9XAVB4") == []  # an address stands in logs and histories


def test_a_code_that_is_nobody_s_is_not_put_into_an_address(console):
    code = next(iter(codes(lambda count: bytes(range(count)), 1)))
    page = console.post("/search", {"q": code}, status=200)
    assert "No voucher or benefit of yours has this code" in page.text
    assert code not in page.response.get_data(as_text=True)


def test_the_box_leads_to_what_fits(console, people):
    page = console.get("/search")
    answer = console.submit(page, ".bar__search", q=" berg ")
    assert answer.response.headers["Location"] == "/search?q=berg"


def test_whoever_only_looks_may_search_all_the_same(console, make, people):
    other = make.staff("editor")
    console.post(f"/staff/{other.id}/see-as", {"reason": "They ask what they see"}, status=303)
    assert console.post("/search", {"q": "berg"}).response.headers["Location"] == "/search?q=berg"


def test_the_list_of_people_finds_whom_the_box_finds(console, people):
    for text, name in (("linden", "Mary Jane van der Linden"), ("bergh", "Zoë Berg"), ("berg", "Zoë Berg")):
        assert console.get("/profiles", query_string={"q": text}).texts("tbody th") == [name]


def test_an_organisation_is_found_by_whoever_sees_that_part_of_the_tree(signed_in, make):
    club, other = (
        make.club(title="Harbour Club", search_text="harbour club o1"),
        make.club(title="Harbour Inn", search_text="harbour inn o2"),
    )
    assert found(signed_in("editor", organisation_id=club.id), "harbour") == [club.title]
    assert other.title not in found(signed_in("editor", organisation_id=club.id), "harbour")


def test_somebody_whose_old_row_a_sealed_draw_holds_is_found_and_opened_by_staff_of_its_site(
    signed_in, make, actor, session
):
    sealed = make.reward()
    zoe = make.profile(external_id="W1", first_name="Zoë", last_name="Berg")
    zita = make.profile(external_id="L1", first_name="Zita", last_name="Quill")
    make.entry(sealed, profile_id=zita.id)
    make.draw(sealed, sealed_at=NOW)
    with transaction(session, actor, NOW) as work:
        profiles.merge(work, MergeProfiles(zoe.id, zita.id, "the same"))
    editor = signed_in("editor", site_id=sealed.site_id)
    assert [found(editor, typed) for typed in ("zoe", "w1", "berg", "quill", "l1")] == [["Zoë Berg"]] * 5
    assert "Berg" in editor.get("/profiles").text
    assert sealed.title in editor.get(f"/profiles/{zoe.id}/entries").text
    other = signed_in("editor", site_id=make.site().id)
    assert [found(other, typed) for typed in ("zoe", "w1", "quill")] == [[]] * 3
    assert "Berg" not in other.get("/profiles").text
    other.get(f"/profiles/{zoe.id}", status=404)


def test_nobody_finds_what_is_not_theirs(signed_in, make, people):
    here, there = make.reward(title="Kayak here"), make.reward(title="Kayak there")
    zia = make.profile(first_name="Zia", last_name="Noor")
    make.entry(there, profile_id=zia.id, receipt="RX-1")
    editor, viewer = signed_in("editor", site_id=here.site_id), signed_in("viewer")
    assert found(editor, "zia") == []
    assert found(editor, "RX-1") == []
    assert found(editor, "kayak") == ["Kayak here"]
    assert found(viewer, "zia") == []
    assert sorted(found(viewer, "kayak")) == ["Kayak here", "Kayak there"]


def test_definitions_and_voucher_types_are_found_on_own_sites_only(signed_in, make):
    here, there = make.site(), make.site()
    for site in (here, there):
        make.benefit_definition(name=f"Kayak {site.name}", site_id=site.id, redeem_code_pos="HIRE10")
        make.voucher_type(title=f"Kayak tour {site.name}", code=f"KAYAK-{site.id}", site_id=site.id)
    for role in ("viewer", "till", "editor", "draw supervisor", "fulfilment", "administrator"):
        own = [f"Kayak {here.name}", f"Kayak tour {here.name}"]
        browser = signed_in(role, site_id=here.id)
        assert found(browser, "kayak") == own
        assert found(browser, "hire10") == own[:1]
        assert found(browser, f"kayak-{there.id}") == []
    club = make.organisation()
    assert found(signed_in("editor", organisation_id=club.id), "kayak") == []


def test_a_benefit_is_found_by_its_whole_code_only(console, make):
    benefit = make.benefit(redeem_code_pos="7KQ2-M9XA-VB4", code_key="7KQ2M9XAVB4")
    answer = console.post("/search", {"q": "7kq2 m9xa vb4"})
    assert answer.response.headers["Location"] == f"/benefits/{benefit.id}"
    console.post("/search", {"q": "7KQ2M9XAVB"})
    assert found(console, "7KQ2M9XAVB4") == []


def test_a_benefit_whose_code_is_a_word_stands_beside_what_else_fits(console, people, make):
    make.benefit(make.benefit_definition(name="Coffee"), redeem_code_pos="Berg", code_key="BERG")
    page = console.post("/search", {"q": "berg"}, status=200)
    assert page.texts(".found a") == ["Coffee", "Zoë Berg"]


def test_a_redemption_is_found_by_its_receipt(console, make):
    benefit = make.benefit(make.benefit_definition(name="Coffee"))
    make.redemption(benefit, receipt="K7QD", by="Mo Ann")
    answer = console.client.get("/search?q=k7qd")
    assert answer.headers["Location"] == f"/benefits/{benefit.id}#ledger"
    make.redemption(benefit, receipt="K7QD")
    page = console.get("/search?q=K7QD")
    assert page.texts(".found a") == ["Coffee", "Coffee"]
    assert "receipt K7QD · Mo Ann" in page.text


def test_benefits_are_found_by_those_who_see_benefits_on_their_sites(signed_in, make):
    site, other = make.site(), make.site()
    benefit = make.benefit(make.benefit_definition(site_id=site.id), code_key="7KQ2M9XAVB4")
    make.redemption(benefit, receipt="K7QD")
    for role, place, sees in (("till", site, True), ("till", other, False), ("viewer", site, False)):
        browser = signed_in(role, site_id=place.id)
        answer = browser.post("/search", {"q": "7KQ2M9XAVB4"})
        assert (answer.response.headers["Location"] == f"/benefits/{benefit.id}") is sees
        assert (browser.client.get("/search?q=K7QD").status_code == 303) is sees
