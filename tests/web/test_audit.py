"""The log on its page: sentences, filters, pages, and nothing of other sites."""

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.clock import NOW
from webapp.blueprints.audit.presenters import GROUPS
from webapp.domain.audit import Event
from webapp.domain.identity import SYSTEM
from webapp.domain.permissions import Role
from webapp.services import audit
from webapp.services.work import perform


@pytest.fixture
def tell(session, actor):
    def act(count=1, *, who=actor, at=NOW, site=None, title="Club", subject="sites:7"):
        def told(work):
            for number in range(count):
                work.record(Event.SITE_CREATED, subject, site, title=f"{title} {number}")

        perform(session, who, at, told)

    return act


def sentences(page):
    return page.texts(".timeline__text p:first-child")


def test_the_log_tells_who_did_what_and_when(console, tell):
    tell(title="Club «Nord» <b>")
    page = console.get("/audit")
    assert sentences(page) == ["Created the site «Club «Nord» <b> 0»"]
    assert page.texts(".timeline__meta") == ["Ann Able · 2 Mar 2026, 09:00 GMT · Only this site"]


def test_pages_go_both_ways_without_gaps(console, tell):
    tell(120)
    seen, page = [], console.get("/audit")
    seen += sentences(page)
    while older := page.soup.find("a", string=lambda text: text and "Older" in text) or page.soup.select_one(
        "a[rel=next]"
    ):
        page = console.get(older["href"])
        seen += sentences(page)
    assert seen == [f"Created the site «Club {number}»" for number in range(119, -1, -1)]
    newer = page.soup.select_one("a[rel=prev]")
    assert sentences(console.get(newer["href"])) == seen[50:100]


def test_filters_narrow_and_are_shown_as_chips(console, tell, make):
    other = make.actor(Role.EDITOR, name="Ed Moss")
    site = make.site(title="Nord")
    tell(title="mine")
    tell(title="theirs", who=other, site=site.id, at=NOW + timedelta(days=1))
    assert sentences(console.get(f"/audit?staff={other.staff_id}")) == ["Created the site «theirs 0»"]
    assert sentences(console.get(f"/audit?site={site.id}")) == ["Created the site «theirs 0»"]
    assert sentences(console.get("/audit?until=2026-03-02")) == ["Created the site «mine 0»"]
    assert sentences(console.get("/audit?since=2026-03-03")) == ["Created the site «theirs 0»"]
    assert len(sentences(console.get("/audit?what=site"))) == 2
    page = console.get(f"/audit?staff={other.staff_id}&what=site&since=2026-03-01")
    assert page.texts(".chip__text") == ["Person: Ed Moss", "About: Sites", "From: 1 Mar 2026"]
    without = page.soup.select_one(".chip a")["href"]
    assert len(sentences(console.get(without))) == 2


def test_none_match_says_so_and_offers_a_way_out(console, tell):
    tell()
    page = console.get("/audit?what=draw")
    assert "No entries match" in page.text
    assert "Nothing has happened yet" not in page.text


@pytest.mark.parametrize(
    "query",
    [
        "staff=x",
        "staff=-1",
        "staff=99999999999999999999",
        "what=nonsense",
        "since=2026-99-99",
        "since=0001-01-01",
        "until=9999-12-31",
        "before=abc",
        "after=-5",
        "subject=%C3%A9",
        "subject=%00%ff",
        "address=home",
        "address=192.0.2.7;",
        "address=%D9%A1%D9%A2",
        "site=٣",
    ],
)
def test_nonsense_in_the_address_is_no_filter(console, tell, query):
    tell()
    assert len(sentences(console.get(f"/audit?{query}"))) == 1


def test_a_subject_leads_to_its_page_for_those_who_may_see_it(console, signed_in, make, tell):
    site = make.site(name="club")
    ed = make.staff(Role.EDITOR)
    tell(subject=f"sites:{site.id}", site=site.id)
    tell(subject=f"staff_members:{ed.id}")
    tell(subject="sites:99999")
    links = [link["href"] for link in console.get("/audit").soup.select(".timeline__text p a")]
    assert links == [f"/staff/{ed.id}", "/sites/club"]
    links = [link["href"] for link in signed_in("editor").get("/audit").soup.select(".timeline__text p a")]
    assert links == ["/sites/club"]


def test_other_sites_are_not_told(signed_in, make, tell):
    here, there = make.site(title="Here"), make.site(title="There")
    tell(title="here", site=here.id)
    tell(title="there", site=there.id)
    tell(title="nowhere")
    page = signed_in("editor", site_id=here.id).get("/audit")
    assert sentences(page) == ["Created the site «here 0»"]
    assert "There" not in page.text
    assert "The chain" not in page.text


def test_the_end_of_the_chain_is_shown_to_be_noted(console, tell, session):
    tell(2)
    assert "2 entries wait to be linked" in console.get("/audit").text
    perform(session, SYSTEM, NOW, audit.link)
    page = console.get("/audit")
    assert "It ends at entry 2" in page.text
    assert audit.verify(session).head.digest in page.text.replace(" ", "")


def test_a_part_is_the_list_alone(console, tell):
    tell()
    part = console.part("/audit?what=site").soup
    assert [tag.name for tag in part.contents if tag.name] == ["section", "hx-partial"]
    assert not part.select("hx-partial > *")


def test_where_the_end_was_told_is_shown_to_those_who_see_the_whole_log(console, signed_in, make, tell, session):
    tell(2)
    perform(session, SYSTEM, NOW, audit.link)
    assert console.get("/audit").soup.find("a", string="Choose who gets it")["href"] == "/settings"
    perform(session, SYSTEM, NOW, lambda work: audit.anchor_by_mail(work, ["auditor@example.org"]))
    page = console.get("/audit")
    assert page.texts("aside li") == ["Entry 2, 2 Mar 2026, 09:00 GMT mail to auditor@example.org"]
    assert "auditor@example.org" not in signed_in("editor", site_id=make.site().id).get("/audit").text


def test_a_subject_alone_can_be_asked_for(console, tell):
    tell(subject="sites:7", title="Seven")
    tell(subject="sites:8", title="Eight")
    page = console.get("/audit?subject=sites:8")
    assert sentences(page) == ["Created the site «Eight 0»"]
    assert page.texts(".chip__text") == ["Only: site 8"]
    assert page.soup.select(".timeline__meta a") == []


def test_rows_lead_to_what_is_about_the_same_thing_or_from_the_same_address(console, actor, tell):
    tell(subject="voucher_types:7", title="Seven", who=replace(actor, address="192.0.2.7"))
    tell(subject="profiles:8", title="Eight", who=replace(actor, address="2001:db8::1"))
    tell(subject="profiles:8", title="Eight again")
    page = console.get("/audit?what=site")
    assert page.texts(".timeline__meta a") == [
        "Only this person", "Only this person", "2001:db8::1", "Only this voucher type", "192.0.2.7"
    ]  # fmt: skip
    links = [link["href"] for link in page.soup.select(".timeline__meta a")]
    assert sentences(console.get(links[0])) == ["Created the site «Eight again 0»", "Created the site «Eight 0»"]
    narrowed = console.get(links[2])
    assert sentences(narrowed) == ["Created the site «Eight 0»"]
    assert narrowed.texts(".chip__text") == ["About: Sites", "Address: 2001:db8::1"]
    assert narrowed.one("#filter-address")["value"] == "2001:db8::1"
    assert sentences(console.get("/audit?address=192.0.2.7")) == ["Created the site «Seven 0»"]
    assert "No entries match" in console.get("/audit?address=192.0.2.8").text


def test_every_event_belongs_to_something_the_log_can_be_narrowed_to():
    assert {event.partition(".")[0] for event in Event} == set(GROUPS)


def test_people_and_further_facts_can_be_asked_for(console, session, actor, tell):
    tell()
    perform(session, actor, NOW, lambda work: work.record(Event.PROFILE_CREATED, "profiles:3", person="3"))
    values = {"title": "Size", "name": "shop.size"}
    about = "attribute_definitions:1"
    perform(session, actor, NOW, lambda work: work.record(Event.ATTRIBUTE_ARCHIVED, about, title=values["title"]))
    assert sentences(console.get("/audit?what=profile")) == ["Typed in person 3"]
    page = console.get("/audit?what=attribute")
    assert sentences(page) == ["Archived the fact «Size» of people"]
    assert page.texts(".timeline__meta a") == ["Only this further fact"]


def test_pages_of_one_kind_go_both_ways_without_gaps(console, session, actor, tell):
    for number in range(60):
        tell(title=f"Club {number}")
        event = Event.PROFILE_CREATED if number % 2 else Event.PROFILE_MERGED
        facts = {"person": str(number)} if number % 2 else {"loser": "1", "winner": str(number), "moved": "nothing"}
        perform(session, actor, NOW, lambda work, event=event, facts=facts: work.record(event, "profiles:1", **facts))
    first = console.get("/audit?what=profile")
    second = console.get(first.soup.select_one("a[rel=next]")["href"])
    assert [len(sentences(page)) for page in (first, second)] == [50, 10]
    assert sentences(first)[0] == "Typed in person 59"
    assert sentences(second)[-1] == "Merged person 1 into person 0; what moved: nothing"
    assert second.soup.select_one("a[rel=next]") is None
    assert sentences(console.get(second.soup.select_one("a[rel=prev]")["href"])) == sentences(first)


def test_of_one_thing_all_is_shown_whichever_site_is_chosen(console, make, tell):
    site = make.site(title="Nord")
    tell(subject="profiles:8", title="Eight")
    make.site(title="Harbour")
    console.post("/account/site", {"site_id": str(site.id)}, status=303)
    assert sentences(console.get("/audit")) == []
    assert sentences(console.get("/audit?subject=profiles:8")) == ["Created the site «Eight 0»"]


def test_pages_of_things_lead_to_their_part_of_the_log(console, signed_in, make):
    definition, person, place = make.benefit_definition(), make.profile(), make.organisation()
    benefit = make.benefit(definition, person)
    kind, reward = make.voucher_type(site_id=definition.site_id), make.reward(site_id=definition.site_id)
    voucher, winner = make.voucher(kind), make.winner(reward, prize_id=make.prize(reward).id)
    group, tier, module = make.group(), make.tier(), make.module(site_id=definition.site_id)
    pages = {
        f"/benefits/definitions/{definition.id}": f"benefit_definitions:{definition.id}",
        f"/benefits/{benefit.id}": f"benefits:{benefit.id}",
        f"/voucher-types/{kind.id}": f"voucher_types:{kind.id}",
        f"/vouchers/{voucher.id}": f"vouchers:{voucher.id}",
        f"/rewards/{reward.name}": f"rewards:{reward.id}",
        f"/fulfilment/winners/{winner.id}": f"winners:{winner.id}",
        f"/modules/{module.id}": f"modules:{module.id}",
    }
    of_no_site = {
        f"/profiles/{person.id}/history": f"profiles:{person.id}",
        f"/organisations/{place.id}": f"organisations:{place.id}",
        f"/groups/{group.id}": f"groups:{group.id}",
        f"/tiers/{tier.id}": f"tiers:{tier.id}",
        f"/staff/{make.staff('editor').id}": None,
        "/settings": "account_settings:1",
    }
    for page, subject in (pages | of_no_site).items():
        found = [link["href"] for link in console.get(page).soup.find_all("a", string="In the audit log")]
        assert found == [f"/audit?subject={subject or page.replace('/staff/', 'staff_members:')}"], page
        console.get(found[0])
    editor = signed_in("editor", site_id=definition.site_id)
    assert "In the audit log" in editor.get(f"/benefits/definitions/{definition.id}").text
    viewer = signed_in("viewer")
    assert "In the audit log" not in viewer.get(f"/benefits/definitions/{definition.id}").text


def test_the_file_is_narrowed_like_the_page(console, tell, make):
    other = make.actor(Role.EDITOR, name="Ed Moss")
    site = make.site(name="nord", title="Nord")
    tell(title="mine")
    tell(title="theirs", who=other, site=site.id, at=NOW + timedelta(days=1))
    for query in (
        f"staff={other.staff_id}",
        f"site={site.id}",
        "since=2026-03-03",
        f"what=site&staff={other.staff_id}",
    ):
        page = console.get(f"/audit/export?{query}")
        form = page.fields("#form") | {"reason": "Yearly audit of Nord"}
        answer = console.client.post(page.one("#form")["action"], data=form)
        (row,) = csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline=""))
        assert (row["actor"], row["event"], row["site"]) == ("Ed Moss", "site.created", "nord")
        assert row["sentence"] == "created the site «theirs 0»"
        assert row["facts"] == '{"title": "theirs 0"}'


def test_a_refusal_is_told_in_words(signed_in, console):
    signed_in("viewer", name="Vik Lund").get("/staff", status=403)
    page = console.get("/audit")
    assert "Was refused /staff, which is for those who may manage staff" in sentences(page)
    assert "staff.manage" not in page.one("#results").get_text()


def test_a_member_of_staff_and_the_settings_are_named_without_a_number(console, actor):
    subject = f"staff_members:{actor.staff_id}"
    page = console.get(f"/audit?subject={subject}")
    assert "Ann Able" in page.one("#results").get_text()
    assert f"member of staff {actor.staff_id}" not in page.text
    assert "settings 1" not in console.get("/audit?subject=account_settings:1").text


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("benefit_batches:3", "batch of benefits 3"),
        ("entries:7", "entry 7"),
        ("voucher_batches:2", "batch of codes 2"),
        ("voucher_types:1", "voucher type 1"),
    ],
)
def test_one_of_a_kind_is_called_in_the_singular(console, tell, subject, words):
    assert f"Only: {words}" in console.get(f"/audit?subject={subject}").texts(".chip")
