"""The screens of benefit definitions, row by row of benefits.md 13.1 where a row is about a screen."""

from __future__ import annotations

import csv
import io
import json

import pytest
from sqlalchemy import func, select

from tests.support.benefits import T, programme
from webapp.domain.benefits import BenefitType
from webapp.domain.permissions import Permission
from webapp.domain.terms_compared import LABELS
from webapp.models import BenefitDefinition, BenefitDefinitionVersion, Voucher
from webapp.services import benefits

NEW = "/benefits/definitions/new"


def at(definition, path=""):
    return f"/benefits/definitions/{definition.id}{path}"


def typed(make, **changes):
    return {"name": "A coffee", "handle": "d", "period": "30", "site_id": str(make.site().id)} | changes


def create(console, make, **changes):
    location = console.post(NEW, typed(make, **changes)).response.headers["Location"]
    return location, console.get(location)


def refused(console, make, field, **changes):
    page = console.post(NEW, typed(make, **changes), status=422)
    return page.texts(f"#{field}-error")[0]


def test_13_1_minimal_create(console, make, session):
    _, page = create(console, make)
    assert page.texts("h1") == ["A coffee Draft"] or page.texts("h1") == ["A coffee"]
    assert "Valid 30 days" in page.text
    found = session.scalars(select(BenefitDefinition)).one()
    assert (found.is_published, found.is_claimable, found.is_archived) == (False, False, False)
    assert found.max_global_redemptions is None


def test_13_1_name(console, make, session):
    assert refused(console, make, "name", name="  ") == "Enter the name."
    assert session.scalars(select(BenefitDefinition)).all() == []


@pytest.mark.parametrize("rest", ["", "?q=coffee&page=2", "/{id}", "/handle/coffee-1"])
def test_the_address_of_product_4_leads_to_the_page(console, make, rest):
    rest = rest.format(id=make.benefit_definition().id)
    answer = console.client.get(f"/benefit-definitions{rest}")
    assert (answer.status_code, answer.headers["Location"]) == (308, f"/benefits/definitions{rest}")
    console.get("/benefit-definitions/-1", status=404)


def test_13_1_handle_unique(console, make):
    create(console, make)
    page = console.post(NEW, typed(make, handle="D"), status=409)
    assert page.texts("#handle-error") == ["The handle «d» is already used, in large or small letters; choose another."]


def test_13_1_handle_format(console, make):
    assert "use small letters, digits, - and _" in refused(console, make, "handle", handle="ten % off")


def test_the_handle_is_checked_while_it_is_typed(console, make):
    own = make.benefit_definition(handle="taken")
    assert "already used" in console.part("/benefits/definitions/handle-check?handle=Taken").text
    assert "is free" in console.part(f"/benefits/definitions/handle-check?handle=taken&own={own.id}").text
    assert "no handle" in console.part("/benefits/definitions/handle-check?handle=a+b").text


def test_13_1_handle_immutable(console, make, session):
    found = make.benefit_definition(handle="d", name="As it was")
    make.benefit(found)
    session.expire_all()
    data = console.get(at(found, "/edit")).fields() | {"handle": "e", "name": "Renamed"}
    page = console.post(at(found, "/edit"), data, status=422)
    assert "its handle never changes again" in page.text
    session.refresh(found)
    assert (found.handle, found.name) == ("d", "As it was")


def test_13_1_lookup_by_handle(console, make):
    found = make.benefit_definition(handle="d")
    for typed_as in ("d", "D"):
        answer = console.get(f"/benefits/definitions/handle/{typed_as}", status=303)
        assert answer.response.headers["Location"] == at(found)
    assert console.follow(answer).texts("h1") == [found.name]
    console.get("/benefits/definitions/handle/unknown", status=404)


@pytest.mark.parametrize("period", ["-1", "x", "1.5", "36501"])
def test_13_1_period(console, make, period):
    assert "whole number from 0 to 36,500" in refused(console, make, "period", period=period)


def test_13_1_period_of_nothing_is_taken(console, make):
    assert "the day of issue only" in create(console, make, period="0")[1].text


def test_13_1_absolute_needs_date(console, make):
    assert "needs that day" in refused(console, make, "absolute_expiry", period_type="absolute_date")


def test_13_1_icon_image_url(console, make):
    assert "no address of the web" in refused(console, make, "icon", icon="javascript:alert(1)")
    assert "no address of the web" in refused(console, make, "image_url", image_url="data:image/png;base64,x")
    create(console, make, icon="https://img.example/a.png", image_url="http://img.example/b.png")


def test_13_1_window_validation(console, make):
    sentence = refused(
        console, make, "claim_period_end_at", claim_period_start_at="2026-03-02T10:00", claim_period_end_at="2026-03-01T10:00"
    )  # fmt: skip
    assert sentence.startswith("Claiming would close on 1 March 2026 10:00, before it opens")


def test_13_1_claim_condition_bad_op(console, make):
    assert "«frob»" in refused(console, make, "claim_condition", claim_condition='{"frob": [1]}')
    assert "There is no «nobody.knows»" in refused(
        console, make, "view_condition", view_condition='{"===": [{"var": "nobody.knows"}, 1]}'
    )


def test_13_1_claim_condition_stored(console, make, session):
    rule = '{"and":[{"===":[{"var":"tier_handle"},"gold"]},{"in":["vip",{"var":"flattened_tags"}]}]}'
    location, _ = create(console, make, is_claimable="y", claim_condition=rule)
    form = console.get(f"{location}/edit")
    console.submit(form, name="Renamed")
    found = session.scalars(select(BenefitDefinition)).one()
    assert found.claim_condition == {
        "and": [{"===": [{"var": "tier_handle"}, "gold"]}, {"in": ["vip", {"var": "flattened_tags"}]}]
    }
    assert "by: all of: tier is gold; tags have vip." in console.get(location).text


def test_13_1_type(console, make):
    _, page = create(console, make, type="competition")
    assert page.texts("#draw h2") == ["Draw"]
    assert refused(console, make, "type", type="lottery", handle="e")


def test_13_1_campaign(console, make):
    site = make.site()
    one, _ = (make.benefit_definition(site_id=site.id, campaign="spring") for _ in range(2))
    assert "2 in this campaign" in console.get(at(one)).text
    assert len(console.get("/benefits/definitions?campaign=spring").soup.select("tbody tr")) == 2


def test_13_1_external_id(console, make):
    make.benefit_definition(external_id="X-1", name="First")
    page = console.post(NEW, typed(make, external_id="X-1"), status=409)
    assert page.texts("#external_id-error") == ["«X-1» is the external id of «First» already; choose another."]


def test_meta_and_tags_are_read_at_their_fields(console, make, session):
    assert "no JSON" in refused(console, make, "meta", meta="{x")
    assert "an object" in refused(console, make, "meta", meta="[1]")
    create(console, make, meta='{"k": 1}', tags="a, b, a")
    found = session.scalars(select(BenefitDefinition)).one()
    assert (found.meta, found.tags) == ({"k": 1}, ["a", "b"])


def test_13_1_tags(console, make):
    tagged = make.benefit_definition(tags=["a", "b"], name="Tagged")
    make.benefit_definition(tags=["ab"], name="Other")
    assert console.get("/benefits/definitions?tag=a").texts("tbody th > a") == ["Tagged"]
    assert console.get("/benefits/definitions?tag=c").texts("tbody th > a") == []
    console.submit(console.get(at(tagged, "/edit")), tags="b")
    assert console.get("/benefits/definitions?tag=a").texts("tbody th > a") == []
    assert console.get("/benefits/definitions?tag=b").texts("tbody th > a") == ["Tagged"]


def test_13_8_hour_range(console, make):
    assert "from 0 to 23" in refused(
        console, make, "notify_issue_offset_hour", notify_issue_offset_days="1", notify_issue_offset_hour="24"
    )
    target = make.target()
    own = {"site_id": str(target.site_id), "issue_target_id": str(target.id)}
    for hour in ("0", "23"):
        create(console, make, handle=f"at-{hour}", notify_issue_offset_days="0", notify_issue_offset_hour=hour, **own)


def test_13_8_after_expiry(console, make):
    target = make.target()
    own = {"site_id": str(target.site_id), "remind_target_id": str(target.id)}
    days = {"notify_remind_offset_days": "14", "notify_remind_offset_hour": "9", "remind_side": "after"}
    part = console.post("/benefits/definitions/summary", typed(make, **days | own), status=200)
    assert "after expiry: only a win-back makes sense then" in part.text
    part = console.post(
        "/benefits/definitions/summary", typed(make, **days | own | {"remind_side": "before"}), status=200
    )
    assert "win-back" not in part.text


def test_a_reminder_is_typed_without_a_sign_and_kept_with_one(console, make, session):
    target = make.target()
    own = {"site_id": str(target.site_id), "remind_target_id": str(target.id)}
    days = {"notify_remind_offset_days": "14", "notify_remind_offset_hour": "9", "remind_side": "before"}
    location, page = create(console, make, **days | own)
    assert session.scalars(select(BenefitDefinition.notify_remind_offset_days)).one() == -14
    assert "reminder: 14 days before expiry at 09:00" in page.text
    form = console.get(f"{location}/edit")
    assert form.one("#notify_remind_offset_days")["value"] == "14"
    assert form.one("#remind_side option[selected]")["value"] == "before"


def test_days_beyond_any_calendar_are_refused_and_nothing_breaks(console, make):
    days = {"notify_remind_offset_days": "2147483647", "remind_side": "before"}
    assert "from 0 to 3,650" in refused(console, make, "notify_remind_offset_days", **days)
    console.post("/benefits/definitions/summary", typed(make, **days), status=200)


def test_every_refusal_is_told_at_once(console, make):
    page = console.post(NEW, typed(make, name="", icon="x", meta="x", currency="pounds"), status=422)
    assert {error.parent.find("label").get_text().split()[0] for error in page.soup.select("main .field__error")} >= {
        "Name", "Address", "Further", "Currency",
    }  # fmt: skip


@pytest.fixture
def told_apart(make):
    """One with texts for staff and texts for customers."""
    return make.benefit_definition(
        description="For the board",
        internal_notes="Ask Jo first",
        short_description="One <b>cup</b>",
        is_claimable=True,
    )


def cards(console, make, definition):
    """What a person reads of it: the card, and the list of what they see."""
    person = make.profile()
    yield console.get(at(definition, f"/try?person={person.external_id}")).one("#card")
    yield console.get(f"/benefits/definitions/seen-by?person={person.external_id}").one("#offers tbody th")


def exported(console):
    page = console.get("/benefits/definitions/export")
    answer = console.client.post(page.one("#form")["action"], data=page.fields("#form") | {"media": "csv"})
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))


def test_13_1_description(console, signed_in, make, told_apart):
    page = console.submit(console.get(at(told_apart, "/edit")), description="For the whole board")
    assert "For the whole board" in console.follow(page).one("#description").get_text()
    assert "board" not in signed_in("viewer").get(at(told_apart)).text
    assert not any("board" in card.get_text() for card in cards(console, make, told_apart))


def test_13_1_internal_notes(console, signed_in, make, told_apart):
    console.submit(console.get(at(told_apart, "/edit")), internal_notes="Ask Jo twice")
    assert "Ask Jo twice" in console.get(at(told_apart)).one("#notes").get_text()
    assert "Jo" not in signed_in("viewer").get(at(told_apart)).text
    assert not any("Jo" in card.get_text() for card in cards(console, make, told_apart))
    (row,) = exported(console)
    assert "internal_notes" not in row
    assert not any("Jo" in cell for cell in row.values())


def test_13_1_short_description(console, make, told_apart):
    for card in cards(console, make, told_apart):
        assert "One <b>cup</b>" in card.get_text()
        assert card.find("b") is None


def test_13_1_earn_instructions(console, make):
    rule = {"===": [{"var": "first_name"}, "Bo"]}
    found = make.benefit_definition(is_claimable=True, claim_condition=rule, earn_instructions="Buy nine cups")
    for name, is_shown in (("Al", True), ("Bo", False)):
        person = make.profile(first_name=name).external_id
        card = console.get(at(found, f"/try?person={person}")).one("#card").get_text()
        line = console.get(f"/benefits/definitions/seen-by?person={person}").one("#offers tbody th").get_text()
        assert ("Buy nine cups" in card, "Buy nine cups" in line) == (is_shown, is_shown)


def test_13_1_long_description(console, make):
    found = make.benefit_definition(long_description="<p>Fine</p><script>alert(1)</script><a href='javascript:x'>x</a>")
    box = console.get(at(found)).one("#long .prose")
    assert box.select("script, [href]") == []
    assert [one.get_text() for one in box.select("p")] == ["Fine"]


def test_13_1_redeem_instructions_store_online(console, make):
    found = make.benefit_definition(redeem_instructions_store="Show it", redeem_instructions_online="Type it")
    page = console.get(at(found))
    assert page.texts("#redeem-store h2, #redeem-online h2") == [
        "How to redeem it in a shop",
        "How to redeem it online",
    ]


def test_13_1_archive_hides(console, make):
    """«13.1 is_archived»: the box stops redemptions with it."""
    found = make.benefit_definition(name="Old one")
    page, later = (console.get(at(found, "/archive")) for _ in range(2))
    console.submit(page, stops_redemptions="y")
    assert "Redemptions are stopped." in console.get(at(found)).text
    assert console.get("/benefits/definitions").texts("tbody th > a") == []
    assert console.get("/benefits/definitions?state=archived").texts("tbody th > a") == ["Old one"]
    assert "somebody was faster" in console.submit(later, status=409).text
    console.submit(console.get(at(found, "/restore")))
    assert console.get("/benefits/definitions").texts("tbody th > a") == ["Old one"]


def test_13_1_lower_cap_below_used(console, make, session):
    found = make.benefit_definition(max_global_redemptions=10, total_global_redemptions=5, total_global_created=5)
    console.submit(console.get(at(found, "/edit")), max_global_redemptions="3")
    page = console.get(at(found))
    assert "Redemptions left over all 0" in page.text
    session.refresh(found)
    assert found.total_global_redemptions == 5


def test_13_1_max_global_null(console, make):
    page = console.get(at(make.benefit_definition()))
    assert "Redemptions left over all unlimited" in page.text
    assert "Redemptions left over all 0" not in page.text


def test_13_1_total_read_only(console, make, session):
    found = make.benefit_definition(total_global_redemptions=2, total_global_created=2)
    page = console.get(at(found, "/edit"))
    totals = {f"total_global_{name}": "99" for name in ("redemptions", "created", "claimed", "voided")}
    console.post(at(found, "/edit"), page.fields() | {"name": "New"} | totals)
    session.refresh(found)
    assert (found.name, found.total_global_redemptions, found.total_global_created) == ("New", 2, 2)
    assert (found.total_global_claimed, found.total_global_voided) == (0, 0)


def test_13_1_id(console, make, session):
    found, other = make.benefit_definition(), make.benefit_definition(name="Other")
    data = console.get(at(found, "/edit")).fields() | {
        "name": "New",
        "id": str(other.id),
        "definition_id": str(other.id),
    }
    console.post(at(found, "/edit"), data)
    session.expire_all()
    assert session.execute(select(BenefitDefinition.id, BenefitDefinition.name).order_by("id")).all() == [
        (found.id, "New"),
        (other.id, "Other"),
    ]


def test_13_1_meta(console, make):
    """It leaves as JSON in its column of the file."""
    create(console, make, meta='{"k":1}')
    (row,) = exported(console)
    assert json.loads(row["meta"]) == {"k": 1}


def test_13_1_created_at_updated_at(console, make, moment):
    moment.now = T
    location, _ = create(console, make)
    moment.forward(hours=2)
    console.submit(console.get(f"{location}/edit"), name="Changed")
    (row,) = exported(console)
    assert (row["created_at"], row["updated_at"]) == ("2026-03-01T00:30:00Z", "2026-03-01T02:30:00Z")


def test_13_1_total_allocations_remaining(console, make):
    site = make.site()
    kind = make.voucher_type(site_id=site.id)
    for _ in range(10):
        make.voucher(kind)
    found = make.benefit_definition(site_id=site.id, voucher_type_id=kind.id)
    people = [make.profile() for _ in range(3)]
    make.session.commit()
    for person in people:
        page = console.get(f"/benefits/new?definition={found.id}&profile={person.id}")
        console.submit(page, "main form")
    assert "Codes left 7 of 10" in console.get(at(found)).text


def test_13_1_optimistic_lock(console, make, session):
    found = make.benefit_definition(name="Mine")
    first, second = (console.get(at(found, "/edit")) for _ in range(2))
    console.submit(first, name="Theirs", period="60")
    page = console.submit(second, status=409, name="Ours", internal_notes="kept")
    assert "Ann Able changed this benefit definition while the form was open" in page.text
    assert page.one("#name")["value"] == "Ours"
    assert page.one("#internal_notes").get_text().strip() == "kept"
    console.submit(page)
    session.refresh(found)
    assert (found.name, found.internal_notes) == ("Ours", "kept")


def test_what_saving_changes_is_told_before_it_is_saved(console, make):
    found = make.benefit_definition(total_global_created=412)
    data = console.get(at(found, "/edit")).fields() | {"period": "60", "campaign": "May"}
    page = console.post(
        at(found, "/summary"), data, status=200, headers={"HX-Request": "true", "HX-Request-Type": "partial"}
    )
    lines = page.texts(".impact li")
    assert lines == [
        "Campaign: empty → May holds for what is issued already, too",
        "Period: 30 → 60 the 412 benefits issued so far keep what they have",
    ]


def test_holders_who_lose_eligibility_are_counted_before_a_live_edit_is_saved(console, make, actor, moment):
    d = programme(make, actor)
    moment.now = T
    used, void, _late, gold = (d.issue(make.profile(tags=tags)) for tags in ([], [], [], ["gold"]))
    d.redeem(used)
    d.do(benefits.void, benefits.VoidBenefit(void.id, "A test"))
    d.session.expire_all()  # the counters moved behind its back
    data = console.get(at(d.definition, "/edit")).fields()
    condition = '{"in": ["gold", {"var": "flattened_tags"}]}'
    summary = at(d.definition, "/summary")
    page = console.post(summary, data | {"claim_condition": condition, "is_claimable": "y"}, status=200)
    told = "of those who hold one, 1 of 2: the other 1 could not claim it again, but keep theirs"
    assert told in " ".join(page.text.split())
    assert gold.redeemed_count == 0
    assert "of those who hold one" not in console.post(summary, data, status=200).text
    lines = {"wants": "all", "groups-0-wants": "all", "groups-0-lines-0-variable": "flattened_tags"}
    lines |= {"groups-0-lines-0-sign": "has", "groups-0-lines-0-value": "gold"}
    for which, is_told in (("claim", True), ("view", False)):
        page = console.post(at(d.definition, f"/conditions/{which}/count"), lines, status=200)
        assert ("Of those who hold one now, 1 of 2: the other 1" in " ".join(page.text.split())) is is_told


def test_the_summary_counts_people_and_dates_three_of_them(console, make):
    make.profile(gender="female")
    make.profile()
    data = typed(
        make, claim_condition='{"===": [{"var": "gender"}, "female"]}', is_claimable="y", notify_remind_offset_days="40"
    )
    page = console.post("/benefits/definitions/summary", data, status=200)
    assert "May claim: matches 1 of 2" in page.text
    assert page.text.count("left out: the benefit is shorter than the lead time") == 3
    bad = console.post("/benefits/definitions/summary", data | {"claim_condition": "{"}, status=200)
    assert "This is not JSON" in bad.text


def test_13_1_clone(console, make, session):
    site = make.site(timezone="Europe/London")
    kind, target = make.voucher_type(site_id=site.id), make.target(site_id=site.id)
    make.voucher(kind)
    found = make.benefit_definition(
        site_id=site.id, handle="d", name="Spring", voucher_type_id=kind.id, type=BenefitType.GIFT, campaign="May",
        tags=["a"], meta={"k": 1}, description="Inside", internal_notes="Ask Jo", short_description="Short",
        long_description="<p>Long</p>", terms_conditions="Once", earn_instructions="Buy nine", icon="https://x.example/i",
        redeem_instructions_store="Show it", redeem_instructions_online="Type it", redeem_code_online="SPRING",
        claim_condition={"===": [{"var": "gender"}, "x"]}, view_condition={"!": [{"var": "email"}]}, is_claimable=True,
        notify_issue_offset_days=1, notify_issue_offset_hour=9, issue_target_id=target.id, end_at=T, max_per_profile=2,
        total_global_created=9, total_global_redemptions=4, total_global_claimed=3, total_global_voided=1, external_id="X",
    )  # fmt: skip
    console.submit(console.get(at(found, "/clone")), handle="e")
    made = session.scalars(select(BenefitDefinition).where(BenefitDefinition.handle == "e")).one()
    own = {"handle", "external_id"}
    assert {name: getattr(made, name) for name in LABELS if name not in own} == {
        name: getattr(found, name) for name in LABELS if name not in own
    }
    assert {"terms_conditions", "issue_target_id", "claim_condition", "voucher_type_id"} <= set(LABELS)
    assert (made.total_global_created, made.total_global_redemptions) == (0, 0)
    assert (made.total_global_claimed, made.total_global_voided, made.external_id) == (0, 0, None)
    assert (made.is_published, found.is_published) == (False, True)
    assert session.scalar(select(func.count()).select_from(Voucher)) == 1


def test_13_1_max_redemptions_null_is_typed_by_emptying_the_field_that_a_new_definition_fills_with_1(
    console, make, session
):
    site = make.site()
    page = console.get("/benefits/definitions/new")
    assert page.one("#max_redemptions")["value"] == "1"
    assert "Each benefit can be redeemed once" in page.text
    console.submit(page, "form#form", name="Once", handle="once", period="30", site_id=site.id)
    page = console.get("/benefits/definitions/new")
    console.submit(page, "form#form", name="Ever", handle="ever", period="30", site_id=site.id, max_redemptions="")
    console.post("/benefits/definitions/new", {"name": "Bare", "handle": "bare", "period": 30, "site_id": site.id,
        "type": "other", "period_type": "days", "reclaim_every": "none", "remind_side": "before", "extend_side": "before",
        "voucher_type_id": "", "issue_target_id": "", "remind_target_id": "", "extend_target_id": ""})  # fmt: skip
    found = session.execute(select(BenefitDefinition.handle, BenefitDefinition.max_redemptions)).all()
    assert dict(map(tuple, found)) == {"once": 1, "ever": None, "bare": None}
    ever = session.scalars(select(BenefitDefinition.id).where(BenefitDefinition.handle == "ever")).one()
    assert console.get(f"/benefits/definitions/{ever}/edit").one("#max_redemptions").get("value", "") == ""


def test_13_1_clone_needs_handle(console, make, session):
    found = make.benefit_definition()
    page = console.submit(console.get(at(found, "/clone")), status=422)
    assert page.texts("#handle-error") == ["Enter the handle."]
    assert session.scalars(select(BenefitDefinition.id)).all() == [found.id]


def test_13_1_delete_definition(console, make):
    used, unused = make.benefit_definition(), make.benefit_definition()
    make.benefit(used)
    page = console.submit(console.get(at(used, "/delete")), status=422)
    assert "archive it instead" in page.text
    planned = make.benefit_definition()
    make.benefit_batch(planned)
    page = console.get(at(planned, "/delete"))
    assert page.texts("#form .consequences li")[:2] == [
        "0benefits were issued from it.",
        "1batch was planned for it.",
    ]
    page = console.submit(page, status=422)
    assert "A batch was planned for" in page.text
    gone = at(unused)
    console.submit(console.get(f"{gone}/delete"))
    console.get(gone, status=404)


def test_publishing_looks_at_what_is_missing(console, make):
    site = make.site()
    empty = make.voucher_type(site_id=site.id)
    found = make.benefit_definition(
        site_id=site.id, is_published=False, voucher_type_id=empty.id, force_allocation=True
    )
    page = console.get(at(found, "/publish"))
    assert "Each benefit needs a code and none is left" in page.text
    assert "none is left; make codes" in console.submit(page, status=422).texts("#form-refusals")[0]
    empty.idle_count = 5
    make.session.commit()
    console.submit(page)
    assert console.get(at(found)).texts("[aria-current=step]") == ["Live"]
    console.submit(console.get(at(found, "/unpublish")))
    assert console.get(at(found)).texts("[aria-current=step]") == ["Draft"]


def test_versions_are_kept_and_compared(console, make, session):
    location, _ = create(console, make, internal_notes="secret")
    console.submit(console.get(f"{location}/edit"), period="60", terms_conditions="New terms")
    console.submit(console.get(f"{location}/edit"))
    numbers = session.scalars(select(BenefitDefinitionVersion.number).order_by(BenefitDefinitionVersion.number)).all()
    assert numbers == [1, 2]
    page = console.get(f"{location}/versions/2")
    assert page.texts("#differences tbody tr") == ["Terms and conditions empty New terms", "Period 30 60"]
    assert "secret" in console.get(f"{location}/versions/1").text
    console.get(f"{location}/versions/3", status=404)


def test_a_version_shows_the_notes_for_staff_to_editors_only(console, signed_in, make):
    location, _ = create(console, make, internal_notes="secret", description="hidden")
    text = signed_in("viewer").get(f"{location}/versions/1").text
    assert "secret" not in text
    assert "hidden" not in text


def test_13_4_explain_tries_it_on_a_person(console, make):
    found = make.benefit_definition(
        is_claimable=True,
        claim_condition={"and": [{"===": [{"var": "gender"}, "female"]}, {"===": [{"var": "first_name"}, "Bo"]}]},
        earn_instructions="Buy nine cups",
    )
    person = make.profile(first_name="Bo", external_id="M-1")
    page = console.get(at(found, "/try?person=M-1&at=2026-03-05T10:00"))
    assert f"{person.full_name} may not claim it" in page.text
    assert page.texts("#claims .why__node--bad > span") == ["All of these", "Gender is female gender: not known"]
    assert page.texts("#claims .why__node--good > span") == ["First name is Bo first name: Bo"]
    assert "How to get it: Buy nine cups" in page.text
    assert "Nobody you may see" in console.get(at(found, "/try?person=nobody")).text
    assert "Nobody" not in console.get(at(found, "/try?at=nonsense")).text


def test_what_a_person_sees_is_listed_with_the_reason_against_claiming(console, make, signed_in):
    site = make.site()
    make.benefit_definition(site_id=site.id, name="For all", is_claimable=True)
    make.benefit_definition(site_id=site.id, name="Not claimed", earn_instructions="x")
    make.benefit_definition(site_id=site.id, name="Hidden", view_condition={"===": [{"var": "gender"}, "female"]})
    make.benefit_definition(site_id=site.id, name="Draft", is_published=False)
    person = make.profile(external_id="M-1")
    page = console.get("/benefits/definitions/seen-by?person=M-1")
    assert page.texts("#offers tbody th a") == ["Not claimed", "For all"]
    assert page.texts("#offers tbody td:nth-of-type(1)") == [
        "No Not claimed cannot be claimed, only issued. Rule by rule, Not claimed",
        "Yes",
    ]
    assert f"{person.full_name} sees 2 benefits" in page.text
    assert "Nobody you may see" in console.get("/benefits/definitions/seen-by?person=M-2").text
    signed_in("viewer").get("/benefits/definitions/seen-by", status=403)


def test_a_condition_is_built_from_lines_without_scripts(console, make, session):
    found = make.benefit_definition()
    url = at(found, "/conditions/claim")
    page = console.get(url)
    page = console.submit(
        page, status=200, another="0", **{"groups-0-lines-0-variable": "gender", "groups-0-lines-0-value": "female"}
    )
    page = console.submit(page, status=200, another="group")
    page = console.submit(
        page, status=422, wants="any", **{"groups-1-lines-0-variable": "birth_year", "groups-1-lines-0-sign": "is below", "groups-1-lines-0-value": "x"}
    )  # fmt: skip
    assert "«birth year» is a number, and «x» is none" in page.texts("#form-refusals")[0]
    console.submit(page, **{"groups-1-lines-0-value": "1980"})
    session.refresh(found)
    assert found.claim_condition == {
        "or": [{"===": [{"var": "gender"}, "female"]}, {"<": [{"var": "birth_year"}, 1980]}]
    }
    assert console.get(url).one("#groups-0-lines-1-value")["value"] == "1980"


def test_13_4_live_count(console, make):
    make.profile(gender="female")
    make.profile()
    found = make.benefit_definition()
    asks = console.get(at(found, "/conditions/view")).one(".summary-panel button")
    assert asks["hx-post"] == at(found, "/conditions/view/count")
    assert "input from:#form delay:400ms" in asks["hx-trigger"]
    data = {"groups-0-lines-0-variable": "gender", "groups-0-lines-0-sign": "is", "groups-0-lines-0-value": "female"}
    assert "Matches 1 of 2" in console.post(at(found, "/conditions/view/count"), data, status=200).text
    assert (
        "has no value"
        in console.post(at(found, "/conditions/view/count"), data | {"groups-0-lines-0-value": ""}, status=200).text
    )


def test_a_condition_deeper_than_lines_is_left_alone(console, make):
    deep = {"and": [{"or": [{"and": [{"var": "email"}, {"var": "gender"}]}]}]}
    page = console.get(at(make.benefit_definition(claim_condition=deep), "/conditions/claim"))
    assert "deeper than lines can say" in page.text


def test_roles(signed_in, make):
    site, other = make.site(), make.site()
    found = make.benefit_definition(site_id=site.id)
    assert Permission.DEFINITIONS_EDIT == "definitions.edit"
    viewer = signed_in("viewer")
    viewer.get(at(found))
    for path in ("/edit", "/publish", "/archive", "/clone", "/delete", "/conditions/claim"):
        viewer.get(at(found, path), status=403)
    stranger = signed_in("editor", site_id=other.id)
    for path in ("", "/edit", "/publish", "/try", "/versions/1", "/conditions/view"):
        stranger.get(at(found, path), status=404)
    assert stranger.get("/benefits/definitions").texts("tbody th > a") == []


def test_the_list_is_searched_and_goes_on(console, make):
    site = make.site()
    for number in range(52):
        make.benefit_definition(site_id=site.id, name=f"Benefit number {number}", handle=f"n-{number}")
    page = console.get("/benefits/definitions")
    assert len(page.soup.select("tbody tr")) == 50
    rest = console.get(page.soup.select_one("a[rel=next]")["href"])
    assert len(rest.soup.select("tbody tr")) == 2
    assert console.get("/benefits/definitions?q=N-7").texts("tbody th > a") == ["Benefit number 7"]
    assert "No" in console.get("/benefits/definitions?q=nothing+like+it").text
