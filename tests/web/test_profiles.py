"""Finding people, and everything about one of them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.factories import NOW
from webapp.domain.imports import ImportStatus
from webapp.domain.notices import Skip
from webapp.domain.redemptions import BenefitMove
from webapp.models import BenefitChange, ImportRun, Membership, ProfileMerge
from webapp.services import files
from webapp.services.work import transaction


@pytest.fixture
def zoe(make):
    return make.profile(
        first_name="Zoë", last_name="Berg", email="zoe@example.com", external_id="ZB9", phone="+44 487 123"
    )


@pytest.mark.parametrize("search", ["zoe", "ZOË B", "berg", "berg zo", "zoe@ex", "ZB9", "zb9", "44 487"])
def test_a_person_is_found_by_how_a_name_e_mail_id_or_phone_begins(console, make, zoe, search):
    make.profile()
    page = console.get("/profiles", query_string={"q": search})
    assert page.texts("tbody th") == ["Zoë Berg"]


@pytest.mark.parametrize("search", ["oe", "%", "_oe", "example.com", "\x1b[", "a\x00b"])
def test_what_no_field_begins_with_finds_nobody(console, zoe, search):
    assert console.get("/profiles", query_string={"q": search}).soup.select("tbody") == []


def test_people_are_paged_newest_first(console, make):
    people = [make.profile() for _ in range(52)]
    page = console.get("/profiles")
    assert page.texts("tbody th")[0] == people[-1].full_name
    older = page.soup.select_one("a[href*='before=']")["href"]
    assert page.texts("tbody th")[0] not in console.get(older).texts("tbody th")
    assert len(console.get(older).texts("tbody th")) == 2


def test_a_person_shows_facts_and_entries(console, make, zoe):
    reward = make.reward(title="Win a bike")
    make.entry(reward, profile_id=zoe.id, receipt="R-1", tickets=3)
    page = console.get(f"/profiles/{zoe.id}")
    assert "zoe@example.com" in page.text
    assert "Entered «Win a bike» as number 1 with 3 tickets" in page.text
    page = console.get(f"/profiles/{zoe.id}/entries")
    assert page.texts("#entries tbody th") == ["Win a bike"]
    assert "R-1" in page.text


def test_a_merged_row_leads_to_the_person(console, make, zoe):
    alias = make.profile(external_id=None, email="z@example.com", merged_into_id=zoe.id)
    page = console.follow(console.get(f"/profiles/{alias.id}", status=303))
    assert "z@example.com" in page.text
    assert console.get("/profiles").texts("tbody th") == ["Zoë Berg"]


def test_people_are_those_who_entered_on_the_sites_one_may_see(signed_in, make, zoe):
    reward = make.reward()
    make.entry(reward, profile_id=zoe.id)
    here, elsewhere = signed_in("editor", site_id=reward.site_id), signed_in("editor", site_id=make.site().id)
    assert here.get("/profiles").texts("tbody th") == ["Zoë Berg"]
    here.get(f"/profiles/{zoe.id}")
    assert elsewhere.get("/profiles").soup.select("tbody") == []
    elsewhere.get(f"/profiles/{zoe.id}", status=404)


@pytest.mark.parametrize("role", ["viewer", "till", "draw supervisor", "fulfilment", "administrator"])
def test_only_editors_see_people(signed_in, zoe, role):
    person = signed_in(role)
    person.get("/profiles", status=403)
    person.get(f"/profiles/{zoe.id}", status=403)


def test_hostile_names_are_text(console, make):
    person = make.profile(first_name="<script>alert(1)</script>", last_name="{{ 7 * 7 }}")
    page = console.get(f"/profiles/{person.id}")
    assert page.soup.select("main script") == []
    assert "{{ 7 * 7 }}" in page.text


def filled(page):
    """What the form of a person shows."""
    return {tag["name"]: tag.get("value", "") for tag in page.soup.select("main form#form input[type=text]")}


def test_an_editor_types_a_person_in_and_changes_them(console, make):
    shop, tier, fact = make.place(title="Harbour shop"), make.tier(title="Gold"), make.fact("yes or no")
    page = console.get("/profiles/new")
    page = console.submit(
        page, "form#form", first_name="Zoë", last_name="Berg", email="zoe@example.com", birth_day="31", birth_month="3",
        joined_location=shop.external_id, tier=tier.name, tags="VIP", consents="email_promo",
        **{f"attributes-{fact.name}": "yes", "identities-0-system": "till", "identities-0-identifier": "C1"},
    )  # fmt: skip
    page = console.follow(page)
    assert "Zoë Berg" in page.texts("h1")[0]
    number = page.response.request.path.rpartition("/")[2]
    page = console.get(f"/profiles/{number}/edit")
    assert filled(page)["joined_location"] == shop.external_id
    assert page.one(f"#attributes-{fact.name.replace('.', chr(92) + '.')} option[selected]")["value"] == "yes"
    assert [tag["value"] for tag in page.soup.select("input[name=consents][checked]")] == ["email_promo"]
    page = console.follow(console.submit(page, "form#form", last_name="Bergström"))
    assert "Zoë Bergström" in page.texts("h1")[0]


def test_who_has_an_address_already_is_one_press_away(console, zoe):
    page = console.get("/profiles/new")
    page = console.submit(page, "form#form", status=409, first_name="Ann", email="ZOE@example.com")
    assert "leads to another person already" in page.text
    assert page.one(".notice a")["href"] == f"/profiles/{zoe.id}"
    page = console.submit(console.get("/profiles/new"), "form#form", status=409, external_id="ZB9")
    assert page.one(".notice a")["href"] == f"/profiles/{zoe.id}"


def test_the_thirty_first_of_february_is_refused_in_a_sentence(console):
    page = console.get("/profiles/new")
    page = console.submit(page, "form#form", status=422, first_name="Ann", birth_day="31", birth_month="2")
    assert "February has 29 days at most; there is no 31" in page.text
    assert filled(page)["first_name"] == "Ann"


def test_a_fact_of_the_wrong_kind_is_refused_at_its_field(console, make):
    fact = make.fact("whole number")
    page = console.submit(
        console.get("/profiles/new"), "form#form", status=422, first_name="Ann", **{f"attributes-{fact.name}": "many"}
    )
    assert "Write a whole number such as 12 or -3, not «many»." in page.text


def test_a_row_for_one_more_identity_is_added_without_losing_what_was_typed(console):
    page = console.submit(console.get("/profiles/new"), "form#form", status=200, first_name="Ann", another="yes")
    assert filled(page)["first_name"] == "Ann"
    assert "identities-1-system" in filled(page)


def test_further_facts_are_made_archived_and_brought_back(console):
    page = console.get("/profiles/attributes")
    page = console.follow(
        console.submit(page, "form#form", title="Favourite roast", kind="choice", choices="light\ndark")
    )
    assert page.texts("#facts tbody td.mono") == ["custom.favourite-roast"]
    form = page.one("#facts form")
    page = console.follow(console.post(form["action"]))
    assert "Archived" in page.text or "archived" in page.text
    assert "Favourite roast" not in console.get("/profiles/new").text
    console.post(form["action"].replace("archive", "restore"))
    assert "Favourite roast" in console.get("/profiles/new").text


def test_new_people_and_facts_need_a_role_on_every_site(signed_in, make, zoe):
    reward = make.reward()
    make.entry(reward, profile_id=zoe.id)
    here, elsewhere = signed_in("editor", site_id=reward.site_id), signed_in("editor", site_id=make.site().id)
    here.get("/profiles/new", status=403)
    here.get("/profiles/attributes", status=403)
    here.get(f"/profiles/{zoe.id}/edit")
    elsewhere.get(f"/profiles/{zoe.id}/edit", status=404)


def test_everything_of_a_person_is_on_their_page(console, make, session, zoe):
    zoe.birth_day, zoe.birth_month, zoe.gender = 31, 3, "female"
    zoe.consents, zoe.tags = {"email_promo": True, "sms_optout": True}, ["vip"]
    zoe.tier_id, zoe.joined_location_id = make.tier(title="Gold").id, make.place(title="Harbour shop").id
    fact = make.fact("decimal number", title="Shoe size")
    zoe.attributes = {"postcode": "2000", fact.name: 42.5}
    session.commit()
    make.identity(zoe.id, "web shop", "C-1")
    make.joined(zoe.id, make.circle(title="Tasters").id, make.club(title="Harbour club").id)
    text = console.get(f"/profiles/{zoe.id}").text
    told = (
        "31 March",
        "Female",
        "Gold",
        "Harbour shop",
        "vip",
        "2000",
        "Shoe size",
        "42.5",
        "web shop",
        "C-1",
        "Tasters",
    )
    for words in (*told, "Harbour club", "offers", "opted out; nothing is sent"):
        assert words in text


def test_vouchers_stand_with_benefits_and_no_page_of_a_person_has_more_than_six_tabs(console, make, zoe):
    """Modules and messages have a tab each."""
    voucher = make.voucher(make.voucher_type(title="Coffee"), profile_id=zoe.id, status="allocated", allocated_at=NOW)
    make.completion(zoe.id, make.lesson(make.site().id, title="Safe lifting").id, score=80)
    alias = make.profile(external_id=None, email="z@example.com", merged_into_id=zoe.id)
    make.message(recipient="zoe@example.com", subject="To the first")
    make.message(recipient=alias.email, subject="To the other")
    make.message(recipient="ann@example.com", subject="To nobody here")
    page = console.get(f"/profiles/{zoe.id}/benefits")
    assert voucher.last_four in page.text
    assert voucher.code not in page.text
    assert len(page.texts(".tabs a")) == 6
    assert "80 %" in console.get(f"/profiles/{zoe.id}/learning").text
    assert console.get(f"/profiles/{zoe.id}/messages").texts("tbody th") == ["To the other", "To the first"]


def test_the_history_is_one_list_and_goes_on(console, make, zoe):
    reward = make.reward(title="Win a bike")
    for number in range(1, 53):
        make.entry(reward, profile_id=zoe.id, number=number)
    make.completion(zoe.id, make.lesson(reward.site_id, title="Safe lifting").id, completed_at=NOW + timedelta(hours=1))
    page = console.get(f"/profiles/{zoe.id}/history")
    first = [text.split(" The person")[0] for text in page.texts(".timeline__text p")]
    assert first[0] == "Completed «Safe lifting»"
    older = console.get(page.soup.select_one("a[href*='before=']")["href"])
    rest = older.texts(".timeline__text p")
    assert len(first) == 50
    assert len(rest) == 3
    assert not set(first) & set(rest)


def test_notices_and_groups_are_in_the_history(console, make, zoe):
    coffee = make.benefit(make.benefit_definition(name="Coffee"), zoe)
    target = make.target(title="Spring mail")
    later = NOW + timedelta(days=3)
    states = {
        "sent": {"kind": "issue", "sent_at": NOW},
        "failed": {"kind": "remind", "reason": "mailbox is full"},
        "planned": {"kind": "extend", "due_at": later, "anchor_at": later},
        "skipped": {"kind": "remind", "reason": "opted out", "anchor_at": later},
        "sending": {"kind": "issue", "anchor_at": later},
    }
    for status, changes in states.items():
        make.notice(coffee, target, status=status, **changes)
    club, group = make.organisation(title="Harbour club"), make.group(title="Tasters")
    make.member(group, zoe, club, joined_at=NOW - timedelta(days=9))
    page = console.get(f"/profiles/{zoe.id}/history")
    coming = page.texts("#coming .timeline__text")
    assert len(coming) == 1
    assert "Offer to extend «Coffee» Spring mail" in coming[0]
    assert "5 Mar 2026" in coming[0]
    lines = page.texts("#history .timeline__text")
    assert not any("Offer to extend" in line for line in lines)
    told = "\n".join(lines)
    for words in ("Notice of «Coffee» was sent", "Reminder of «Coffee» could not be sent", "Mailbox is full",
                  "Reminder of «Coffee» was left out", "Because the person opted out", "waits for the other side"):  # fmt: skip
        assert words in told
    assert "Joined «Tasters» within «Harbour club»" in lines[-1]


def test_who_was_put_into_a_group_and_taken_out_has_both_in_the_history(console, make, session, zoe):
    club, group, other = make.organisation(title="Harbour club"), make.group(title="Tasters"), make.profile()
    make.group(title="Readers")
    alias = make.profile(external_id="ZOLD", email="z@example.com")
    for person, organisation in ((zoe, club), (other, None), (alias, None)):
        values = {"person": person.external_id, "organisation": organisation.external_id if organisation else ""}
        console.submit(console.get(f"/groups/{group.id}/members/add"), "#add-member", **values)

    def told():
        lines = console.get(f"/profiles/{zoe.id}/history").texts(".timeline__text p")
        return [line for line in lines if "the group" in line or "Joined" in line]

    assert len(told()) == 1
    assert f"Put person {zoe.id} into the group «Tasters»" in told()[0]
    member = session.query(Membership).filter_by(profile_id=zoe.id).one()
    console.post(f"/groups/{group.id}/members/{member.id}/remove", {}, status=303)
    assert [line.split(" person ")[0] for line in told()] == ["Took", "Put"]
    console.submit(console.get(f"/profiles/{zoe.id}/merge/{alias.id}"), "form#form", reason="Same birthday")
    assert len(told()) == 3
    console.get(f"/profiles/{zoe.id}")


def test_nonsense_to_go_on_from_is_the_beginning(console, zoe):
    for place in ("x", "1.2.3", "9" * 40 + ".1.1.1", "99999999999999999.9.9.9", "1.1.1.-1"):
        console.get(f"/profiles/{zoe.id}/history", query_string={"before": place})


def test_what_happened_elsewhere_is_not_on_the_page(signed_in, make, zoe):
    here, there = make.reward(title="Here"), make.reward(title="There")
    for reward in (here, there):
        make.entry(reward, profile_id=zoe.id)
    page = signed_in("editor", site_id=here.site_id).get(f"/profiles/{zoe.id}/history")
    assert "«Here»" in page.text
    assert "«There»" not in page.text


def test_two_people_are_merged_over_a_page_that_says_what_becomes_of_them(console, make, zoe):
    other = make.profile(external_id="ZB10", first_name="Zoe", last_name="Bergh", email="z@old.example")
    reward = make.reward(title="Win a bike", entry_count=2)
    make.entry(reward, profile_id=other.id, number=1)
    page = console.get(f"/profiles/{zoe.id}/merge", query_string={"q": "zoe"})
    page = console.get(page.one("#results tbody th a")["href"])
    assert page.texts("#conflicts tbody th") == ["Member id", "First name", "Last name", "E-mail"]
    assert page.texts(".consequences b") == ["1", "0", "0"]
    assert page.texts(".consequences span")[:2] == [
        "entry of a draw not sealed yet moves; a closed draw it is in has to be reviewed again",
        "entries of sealed draws stay where the seal holds them, with their prizes and vouchers, and are shown with the person",
    ]
    page = console.follow(console.submit(page, "form#form", reason="Same birthday"))
    assert "z@old.example" in page.text
    assert console.client.get(f"/profiles/{other.id}").headers["Location"] == f"/profiles/{zoe.id}"
    assert console.client.get(f"/profiles/{zoe.id}/merge/{other.id}").headers["Location"] == f"/profiles/{zoe.id}"
    assert console.get(f"/profiles/{zoe.id}/entries").texts("#entries tbody th") == ["Win a bike"]


def consequences(page) -> list[str]:
    return [line.get_text(" ", strip=True) for line in page.soup.select(".consequences li")]


@pytest.mark.parametrize("count", [1, 2])
def test_a_merge_says_that_benefits_notices_and_vouchers_move(console, make, session, zoe, count):
    """As many as the log tells of afterwards."""
    other, kind = make.profile(), make.voucher_type()
    winner = make.winner(make.reward(), profile_id=other.id)
    for _ in range(count):
        coffee = make.benefit(make.benefit_definition(), other)
        make.notice(coffee)
        make.voucher(kind, status="allocated", profile_id=other.id, allocated_at=NOW)
        make.voucher(kind, reserved_for_id=other.id)
        make.profile(external_id=None, email="", email_key=None, merged_into_id=other.id)
    make.voucher(kind, status="allocated", profile_id=other.id, allocated_at=NOW, winner_id=winner.id)
    page = console.get(f"/profiles/{zoe.id}/merge/{other.id}")
    told = [line for line in consequences(page) if line.startswith(f"{count} ")]
    assert told == (
        [
            "1 benefit moves, with its codes and what was redeemed of it",
            "1 notice of benefits moves, unless both were told the same; if it is planned it goes to the person who stays",
            "1 voucher that no prize gave moves",
            "1 code kept for the other is kept for the person who stays",
            "1 row merged into the other before leads here too",
        ]
        if count == 1
        else [
            "2 benefits move, with their codes and what was redeemed of them",
            "2 notices of benefits move, but for what both were told; those that are planned go to the person who stays",
            "2 vouchers that no prize gave move",
            "2 codes kept for the other are kept for the person who stays",
            "2 rows merged into the other before lead here too",
        ]
    )
    assert "Notices of benefits" in page.texts("#holdings tbody th")
    console.submit(page, "form#form", reason="Same birthday")
    moved = session.scalars(select(ProfileMerge)).one().moved
    assert [moved[name] for name in ("benefits", "notices", "vouchers", "reserved_codes", "aliases")] == [count] * 5


def test_a_merge_of_somebody_with_nothing_says_nothing_of_it(console, make, zoe):
    told = " ".join(console.get(f"/profiles/{zoe.id}/merge/{make.profile().id}").texts(".consequences li"))
    for word in ("benefit", "voucher that", "code", "row merged"):
        assert word not in told


@pytest.mark.parametrize("count", [1, 2])
def test_erasing_says_what_becomes_of_benefits_and_vouchers(console, make, zoe, count):
    kind, lapsed = make.voucher_type(), NOW - timedelta(days=1)
    for _ in range(count):
        definition = make.benefit_definition(max_redemptions=3)
        make.redemption(make.benefit(definition, zoe, max_redemptions=3))
        make.notice(make.benefit(definition, zoe, voided_at=NOW, void_reason="lost"))
        make.benefit(definition, zoe, issued_at=NOW - timedelta(days=9), expires_at=lapsed)
        make.voucher(kind, status="allocated", profile_id=zoe.id, allocated_at=NOW)
        make.voucher(kind, status="redeemed", profile_id=zoe.id, allocated_at=NOW)
        make.voucher(kind, reserved_for_id=zoe.id)
        make.completion(zoe.id, make.lesson(make.site().id).id)
    told = consequences(console.get(f"/profiles/{zoe.id}/erase"))
    assert f"{3 * count} benefits stay with the emptied row, with what was redeemed of them" in told
    assert (
        "1 benefit can still be redeemed by whoever has its code, which was redeemed in part; make it void first if that must not be"
        if count == 1
        else "2 benefits can still be redeemed by whoever has their codes, 2 of them redeemed in part; make them void first if that must not be"
    ) in told
    assert (
        f"{2 * count} vouchers stay with the emptied row; {count} can still be redeemed by whoever has the code" in told
    )
    assert (
        "1 notice of benefits loses subject and words; if it was not sent it is left out"
        if count == 1
        else "2 notices of benefits lose subject and words; 2 not sent yet are left out"
    ) in told
    assert ("1 code is" if count == 1 else "2 codes are") + " no longer kept for the person" in told
    assert (
        f"{count} completed module{'' if count == 1 else 's'} stay{'s' if count == 1 else ''} with the emptied row"
        in told
    )


def test_erasing_somebody_with_nothing_says_nothing_of_it(console, zoe):
    told = " ".join(console.get(f"/profiles/{zoe.id}/erase").texts(".consequences li"))
    for word in ("benefit", "voucher", "module", "code "):
        assert word not in told


def test_somebody_out_of_reach_is_not_merged(signed_in, make, zoe):
    here, there = make.reward(), make.reward()
    other = make.profile()
    make.entry(here, profile_id=zoe.id)
    make.entry(there, profile_id=other.id)
    editor = signed_in("editor", site_id=here.site_id)
    editor.get(f"/profiles/{zoe.id}/merge")
    editor.get(f"/profiles/{zoe.id}/merge/{other.id}", status=404)
    editor.post(f"/profiles/{zoe.id}/merge/{other.id}", {"reason": "the same"}, status=404)


@pytest.mark.parametrize(
    ("count", "entries", "known"),
    [
        (1, "entry stays with the emptied row", "identity elsewhere and 1 membership of groups go"),
        (2, "entries stay with the emptied row", "identities elsewhere and 2 memberships of groups go"),
    ],
)
def test_what_goes_and_stays_is_counted_as_one_says_it(console, make, zoe, count, entries, known):
    for _ in range(count):
        make.entry(make.reward(), profile_id=zoe.id)
        make.identity(zoe.id)
        make.joined(zoe.id, make.circle(member_count=1).id)
        make.message(recipient=zoe.email)
    told = console.get(f"/profiles/{zoe.id}/erase").texts(".consequences span")
    assert told[1] == known
    assert told[2].startswith("message to or about" if count == 1 else "messages to or about")
    assert told[4].startswith(entries)


def test_an_administrator_erases_without_seeing_who_it_is(signed_in, make, session, zoe):
    person = signed_in("administrator")
    page = person.get("/profiles/erase")
    page = person.submit(page, "form#form", status=422, wanted="nobody@example.com")
    assert "Nobody has this member id" in page.text
    page = person.follow(person.submit(person.get("/profiles/erase"), "form#form", wanted="ZOE@example.com"))
    assert page.texts("h1") == [f"Erase person {zoe.id}"]
    assert "Zoë" not in page.text
    page = person.submit(page, "form#form", status=422, confirmation="yes")
    assert f"Type the number {zoe.id} to confirm." in page.text
    person.submit(person.get(f"/profiles/{zoe.id}/erase"), "form#form", confirmation=str(zoe.id))
    session.expire_all()
    assert zoe.erased_at is not None
    assert "erased on" in person.get(f"/profiles/{zoe.id}/erase").text
    person.get(f"/profiles/{zoe.id}", status=403)


def test_what_is_in_the_way_of_erasing_is_told_before_with_who_can_help(signed_in, make, session, zoe, actor):
    """All of it at once, on the page; whoever may open an import finds its address."""
    with transaction(session, actor, NOW) as work:
        runs = []
        for title, content, status in (
            ("a.csv", b"member\nZB9\nzoe@example.com\n", ImportStatus.CHECKED),
            ("b.csv", b"zoe@example.com\n", ImportStatus.UPLOADED),
            ("c.csv", b"zoe@example.com\n", ImportStatus.DONE),
            ("d.csv", b"somebody@example.com\n", ImportStatus.CHECKED),
        ):
            run = ImportRun(
                kind="profiles", file_id=files.store(work, title, "text/csv", [content]).id, encoding="utf-8",
                status=status, created_at=NOW, created_by="Ed Editor",
            )  # fmt: skip
            session.add(run)
            runs.append(run)
    first, second, *_ = runs
    administrator, both = signed_in("administrator"), signed_in("administrator", "editor")
    page = administrator.get(f"/profiles/{zoe.id}/erase")
    lines = page.texts(".notice--warn li")
    assert [line.split(" of ")[0] for line in lines] == [f"Import {first.id}", f"Import {second.id}"]
    assert all(line.endswith("uploaded by Ed Editor; ask them, or anybody with the role editor") for line in lines)
    assert not page.soup.select(".notice--warn a")
    assert "2 imports under way hold this person" in page.text
    page = administrator.submit(page, "form#form", status=422, confirmation=str(zoe.id))
    assert f"Imports {first.id}, {second.id} still hold this person." in page.text
    links = both.get(f"/profiles/{zoe.id}/erase").soup.select(".notice--warn a")
    assert [link["href"] for link in links] == [f"/imports/{first.id}", f"/imports/{second.id}"]


def test_what_is_left_of_an_erased_person_says_so(console, make, zoe):
    console.submit(console.get(f"/profiles/{zoe.id}/erase"), "form#form", confirmation=str(zoe.id))
    page = console.get(f"/profiles/{zoe.id}")
    assert "Erased on" in page.text
    assert "zoe@example.com" not in page.text
    assert console.get("/profiles").soup.select("tbody") == []
    assert console.get("/search?q=zoe").texts(".found a") == []
    assert console.client.get(f"/profiles/{zoe.id}/edit").headers["Location"] == f"/profiles/{zoe.id}"


@pytest.mark.parametrize("role", ["viewer", "till", "editor", "draw supervisor", "fulfilment"])
def test_only_administrators_erase(signed_in, zoe, role):
    person = signed_in(role)
    person.get("/profiles/erase", status=403)
    person.get(f"/profiles/{zoe.id}/erase", status=403)


PLANNED, SOON, LONG = NOW - timedelta(days=3), timedelta(days=1), timedelta(days=30)


@pytest.mark.parametrize(
    ("reason", "told", "after"),
    [
        (Skip.VOID, "Because the benefit was made void", SOON),
        (Skip.REDEEMED, "Because the benefit was used up", SOON),
        (Skip.MOVED, "The end of the benefit was moved", SOON),
        (Skip.HANDED_OVER, "Because the benefit was handed over to another person", SOON),
        (Skip.TOO_SHORT, "The benefit is shorter than the lead time", timedelta()),
        (Skip.DROPPED, "The definition asks for it no more", timedelta()),
        (Skip.NOT_EXTENDABLE, "Cannot be extended any more", timedelta()),
    ],
)
def test_a_notice_left_out_early_stands_where_that_was_decided(console, make, zoe, reason, told, after):
    """Not at the day it would have been sent, which may be yet to come."""
    is_void = {"voided_at": PLANNED + SOON, "void_reason": "lost"} if reason is Skip.VOID else {}
    coffee = make.benefit(make.benefit_definition(name="Coffee"), zoe, **is_void)
    if reason is Skip.REDEEMED:
        make.redemption(coffee, at=PLANNED + SOON)
    if reason in (Skip.MOVED, Skip.HANDED_OVER):
        move = BenefitMove.EXTENDED if reason is Skip.MOVED else BenefitMove.REASSIGNED
        for days in (1, 2):  # the second has nothing to do with it
            make.add(BenefitChange(benefit_id=coffee.id, move=move, at=PLANNED + timedelta(days=days), by="Ann Able"))
    make.notice(
        coffee, kind="remind", status="skipped", reason=str(reason), due_at=NOW + LONG, anchor_at=NOW + LONG, created_at=PLANNED
    )  # fmt: skip
    page = console.get(f"/profiles/{zoe.id}/history")
    line = next(one for one in page.soup.select("#history .timeline__entry") if "left out" in one.get_text())
    assert line.select_one(".timeline__detail").get_text() == told
    assert line.select_one("time")["datetime"].startswith((PLANNED + after).date().isoformat())
    assert not page.soup.select("#coming")


def _at(node) -> datetime:
    return datetime.fromisoformat(node["datetime"])


def test_nothing_of_a_history_is_later_than_now_and_the_next_notices_come_first(console, make, zoe):
    coffee = make.benefit(make.benefit_definition(name="Coffee"), zoe)
    for number, status in enumerate(("planned", "skipped", "failed", "planned", "sending")):
        due = NOW + timedelta(days=9 - number)
        make.notice(coffee, kind="remind", status=status, reason="no luck", due_at=due, anchor_at=due)
    late = NOW - timedelta(hours=1)
    make.notice(coffee, kind="issue", due_at=late, anchor_at=late, created_at=late)
    page = console.get(f"/profiles/{zoe.id}/history")
    assert all(_at(node) <= NOW for node in page.soup.select("#history time"))
    assert [node["datetime"][:10] for node in page.soup.select("#coming time")] == ["2026-03-08", "2026-03-11"]
    assert "Notice of «Coffee» is due" in page.one("#history").get_text()
    aside = console.get(f"/profiles/{zoe.id}").soup.select("aside time, .aside time")
    assert aside
    assert all(_at(node) <= NOW for node in aside)


def test_many_notices_to_come_are_told_of_by_the_next_twelve(console, make, zoe):
    coffee = make.benefit(make.benefit_definition(name="Coffee"), zoe)
    for number in range(13):
        due = NOW + timedelta(days=1 + number)
        make.notice(coffee, kind="remind", due_at=due, anchor_at=due)
    page = console.get(f"/profiles/{zoe.id}/history")
    assert len(page.texts("#coming .timeline__entry")) == 12
    assert "The next 12 notices" in page.one("#coming").get_text()
    place = "1772442000000000.0.0.0"
    assert not console.get(f"/profiles/{zoe.id}/history?before={place}").soup.select("#coming")


def test_the_list_shows_whoever_shares_the_address_that_was_typed(console, make):
    make.profile(first_name="Ann", last_name="Ek", email="home@example.com")
    make.profile(first_name="Bo", last_name="Ek", email="HOME@example.com", email_key=None)
    page = console.get("/profiles?q=home@ex")
    assert page.texts("tbody th a") == ["Ann Ek", "Bo Ek"]
    assert "These share an address that begins so with somebody else:" in page.text
    assert "share an address" not in console.get("/profiles?q=Ek").text
