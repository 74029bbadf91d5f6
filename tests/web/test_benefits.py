"""The screens of benefits: found, issued with a preview, redeemed, taken back, changed, and explained."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from tests.support.benefits import MELBOURNE, MINT, T, programme
from webapp.domain.audit import Event
from webapp.domain.benefits import BenefitState, gates_to_redeem, kept
from webapp.domain.redemptions import RedemptionKind
from webapp.models import AuditEntry, Benefit, Redemption, RedemptionAttempt
from webapp.queries import benefits as read
from webapp.services import benefits, vouchers
from webapp.services.vouchers import AddCodes, UploadCodes


@pytest.fixture
def d(make, actor, moment):
    """The programme of benefits.md 13; the consoles' clock stands where its own does."""
    moment.now = T
    return programme(make, actor, is_extendable=True, is_reassignable=True, terms_conditions="Not with other offers.")


def rows(page):
    return len(page.soup.select("tbody tr"))


def test_none_yet_says_what_a_benefit_is(console):
    assert "No benefits yet" in console.get("/benefits").text


def test_the_list_narrows_by_definition_state_origin_and_person(console, d):
    d.change(is_claimable=True)
    first = d.issue()
    d.claim(d.other)
    d.redeem(first)
    assert rows(console.get("/benefits")) == 2
    assert rows(console.get(f"/benefits?definition={d.definition.id}&state=redeemed")) == 1
    assert rows(console.get("/benefits?source=claim")) == 1
    assert rows(console.get(f"/benefits?q={d.person.external_id}")) == 1
    page = console.part("/benefits?state=void&source=claim")
    assert "No benefits match" in page.text
    assert rows(console.get("/benefits?state=x&source=x&definition=x&before=x")) == 2


def test_the_list_is_paged_by_the_last_id_seen(console, d, make):
    for _ in range(52):
        make.benefit(d.definition, d.person)
    page = console.get("/benefits")
    assert rows(page) == 50
    assert rows(console.get(page.one(".pager__links a:last-child")["href"])) == 2


def test_a_code_is_known_by_its_last_four_signs(console, d):
    benefit = d.issue()
    for url in ("/benefits", f"/benefits/{benefit.id}"):
        page = console.get(url)
        assert benefit.redeem_code_pos not in str(page.soup)
        assert benefit.redeem_code_pos[-4:] in page.text
    page = console.get(f"/benefits/{benefit.id}")
    shown = console.submit(page, "#code form", status=200)
    assert benefit.redeem_code_pos in shown.text.replace("-", "")
    assert "benefit.revealed" in d.session.scalars(select(AuditEntry.event)).all()


def test_13_2_preview_shows_expiry_code_and_notices_before_saving(console, d, make):
    target = make.target(site_id=d.definition.site_id)
    d.change(notify_remind_offset_days=-14, notify_remind_offset_hour=9, remind_target_id=target.id)
    page = console.get(f"/benefits/new?profile={d.person.id}&definition={d.definition.id}")
    assert "Code a new one of its own" in " ".join(page.one("#preview").get_text(" ").split())
    assert "31 March 2026 23:59" in page.one("#preview").get_text()
    assert "17 March 2026 09:00" in page.one("#preview").get_text()
    fields = page.fields("main form") | {"expires_on": "2026-03-05"}
    part = console.post("/benefits/new/preview", fields, status=200)
    assert "5 March 2026 23:59" in part.text
    assert "left out: the benefit is shorter than the lead time" in part.text
    assert d.session.scalar(select(Benefit.id)) is None


def test_13_2_preview_says_how_many_codes_are_left(console, d, make):
    kind = make.voucher_type(site_id=d.definition.site_id, title="Cups")
    for _ in range(3):
        make.voucher(kind)
    d.change(voucher_type_id=kind.id)
    page = console.get(f"/benefits/new?profile={d.person.id}&definition={d.definition.id}")
    assert "one of 3 codes left of «Cups»" in page.one("#preview").get_text()


def test_the_preview_says_what_is_in_the_way(console, d):
    d.change(is_archived=True)
    data = {"person": d.person.external_id, "definition_id": str(d.definition.id)}
    page = console.get("/benefits/new")
    assert "Name a person" in page.one("#preview").get_text()
    assert "nothing is issued or claimed from it" in console.post("/benefits/new/preview", data, status=200).text


def test_the_preview_does_not_promise_a_code_that_is_kept_for_another(console, d, make):
    kind = make.voucher_type(site_id=d.definition.site_id)
    command = UploadCodes(kind.id, "codes.csv", ("Code", "Member ID"), [(2, ("KEPT-FOR-B", "B-1"))])
    make.profile(external_id="B-1")
    batch = d.do(partial(vouchers.upload, mint=MINT), command)
    d.do(partial(vouchers.add_uploaded, mint=MINT), AddCodes(kind.id, batch.id))
    d.change(force_allocation=True, voucher_type_id=kind.id)
    for who, told in ((d.person.external_id, True), ("B-1", False)):
        data = {"person": who, "definition_id": str(d.definition.id)}
        shown = console.post("/benefits/new/preview", data, status=200).text
        assert ("needs a code for each benefit and none is left" in shown) is told


@pytest.mark.parametrize("number", ["99999999999999999999", "-1", "x", ""])
@pytest.mark.parametrize("page", ["new", "claim"])
def test_a_definition_that_is_no_number_of_ours_is_previewed_as_nothing(console, d, number, page):
    data = {"person": d.person.external_id, "definition_id": number}
    assert "Name a person" in console.post(f"/benefits/{page}/preview", data, status=200).text
    console.post(f"/benefits/{page}", data, status=422)


def test_13_2_manual_issue_leads_to_the_benefit_and_a_second_send_to_the_same(console, d):
    page = console.get(f"/benefits/new?definition={d.definition.id}")
    answers = [console.submit(page, "main form", person=d.person.email) for _ in range(2)]
    assert len({answer.response.headers["Location"] for answer in answers}) == 1
    shown = console.follow(answers[0])
    assert "Not with other offers." in shown.text
    assert "active" in shown.one("h1").parent.get_text()
    told = " ".join(shown.one(".timeline").get_text(" ").split())
    assert "Ann Able" in told
    assert "1 Mar 2026, 11:30" in told


@pytest.mark.parametrize(("own", "zone"), [(MELBOURNE, "AEDT Australia/Melbourne"), ("", "BST Europe/London")])
def test_13_2_timezone_required(console, d, own, zone):
    """Left empty it is the person's, else the site's, and the page of the benefit says which."""
    d.person.zone = own
    d.session.commit()
    page = console.get(f"/benefits/new?definition={d.definition.id}")
    shown = console.follow(console.submit(page, "main form", person=d.person.external_id, zone=""))
    assert f"23:59 {zone}" in " ".join(shown.one("#facts").get_text(" ").split())


def test_unknown_profile_and_bad_zone_stand_at_their_fields(console, d):
    """«13.2 unknown profile / definition» and «13.2 timezone invalid»."""
    page = console.get(f"/benefits/new?definition={d.definition.id}")
    answer = console.submit(page, "main form", status=422, person="X-404")
    assert "Nobody has this member id" in answer.one("#person-error").get_text()
    answer = console.submit(page, "main form", status=422, person=d.person.external_id, zone="Mars/Base")
    assert "Mars/Base" in answer.one("#zone-error").get_text()
    unknown = page.fields("main form") | {"person": d.person.external_id, "definition_id": "999999"}
    assert console.post("/benefits/new", unknown, status=422).one("#definition_id-error")
    assert d.session.scalar(select(Benefit.id)) is None


def test_redeem_writes_the_ledger_and_a_refusal_is_kept(signed_in, d):
    till = signed_in("till")
    benefit = d.issue()
    page = till.get(f"/benefits/{benefit.id}/redeem")
    shown = till.follow(till.submit(page, "main form", receipt_ref="S-77"))
    line = d.session.scalars(select(Redemption)).one()
    assert line.receipt in shown.one("#ledger").get_text()
    again = till.submit(till.get(f"/benefits/{benefit.id}/redeem"), "main form", status=422)
    assert "Used on 1 March 2026 11:30:00" in again.one("#count-error").get_text()
    kept = d.session.scalars(select(RedemptionAttempt)).one()
    assert kept.reason == "no_redemptions_left"
    assert "Refused" in till.get(f"/benefits/{benefit.id}").text


@pytest.mark.parametrize("count", ["0", "-1", "x", ""])
def test_13_5_count_invalid(signed_in, d, count):
    till = signed_in("till")
    page = till.get(f"/benefits/{d.issue().id}/redeem")
    assert till.submit(page, "main form", status=422, count=count).one("#count-error")


def test_return_and_reversal_have_pages_and_say_why_not(console, d):
    d.change(max_redemptions=3)
    benefit = d.issue()
    line = d.redeem(benefit, 3)
    page = console.get(f"/benefits/redemptions/{line.id}/return")
    console.submit(page, "main form", count="2", note="two came back")
    assert d.left(benefit) == 2
    answer = console.submit(
        console.get(f"/benefits/redemptions/{line.id}/return"), "main form", status=422, count="2", note="more"
    )
    assert "1 can still be returned" in answer.one("#count-error").get_text()
    answer = console.submit(
        console.get(f"/benefits/redemptions/{line.id}/reverse"), "main form", status=422, note="slip"
    )
    assert "return the rest instead" in answer.text
    assert [one.kind for one in d.session.scalars(select(Redemption).order_by(Redemption.id))] == [
        RedemptionKind.REDEEM,
        RedemptionKind.RETURN,
    ]


def test_13_5_reversal_outside(console, d, moment):
    line = d.redeem(d.issue())
    at, acts = f"/benefits/{line.benefit_id}", f"/benefits/redemptions/{line.id}"
    assert console.get(at).one(f"a[href='{acts}/reverse']")
    moment.forward(minutes=10, seconds=1)
    page = console.get(at)
    assert page.soup.select(f"a[href='{acts}/reverse']") == []
    assert page.one(f"a[href='{acts}/return']")
    answer = console.submit(console.get(f"{acts}/reverse"), "main form", status=422, note="slip")
    assert "return it instead" in answer.text


def test_extend_reassign_void_and_undo_by_their_pages(console, d):
    benefit = d.issue()
    base = f"/benefits/{benefit.id}"
    answer = console.submit(console.get(f"{base}/extend"), "main form", status=422)
    assert "not both and not neither" in answer.text
    console.submit(console.get(f"{base}/extend"), "main form", status=422, extend_days="7", extend_date="2026-05-01")
    console.submit(console.get(f"{base}/extend"), "main form", extend_days="7")
    console.submit(console.get(f"{base}/reassign"), "main form", person=d.other.external_id)
    console.submit(console.get(f"{base}/void"), "main form", reason="issued twice")
    page = console.get(base)
    assert "issued twice" in page.text
    assert page.soup.select(f'a[href="{base}/restore"]')
    console.submit(console.get(f"{base}/restore"), "main form")
    found = read.get(d.session, benefit.id)
    assert (found.profile_id, found.voided_at, d.state(found)) == (d.other.id, None, BenefitState.ACTIVE)


def test_13_6_void_undo_is_not_offered_after_ten_minutes(console, d, moment):
    benefit = d.issue()
    console.submit(console.get(f"/benefits/{benefit.id}/void"), "main form", reason="issued twice")
    moment.forward(minutes=11)
    page = console.get(f"/benefits/{benefit.id}")
    assert not page.soup.select(f'a[href="/benefits/{benefit.id}/restore"]')


def test_the_code_of_a_void_benefit_is_released_by_its_page(signed_in, console, d, make, moment):
    kind = make.voucher_type(site_id=d.definition.site_id)
    for _ in range(2):
        make.voucher(kind)
    d.change(voucher_type_id=kind.id, force_allocation=True)
    unknown, known = d.issue(), d.issue(d.other)
    d.do(benefits.reveal, benefits.RevealBenefit(known.id))
    for benefit in (unknown, known):
        d.do(benefits.void, benefits.VoidBenefit(benefit.id, "issued twice"))
    at = f"/benefits/{unknown.id}"
    assert "Making it void can be undone until" in console.get(at).one("#code").get_text()
    moment.forward(minutes=11)
    assert "shown in full" in console.get(f"/benefits/{known.id}").one("#code").get_text()
    assert "shown in full" in console.submit(
        console.get(f"/benefits/{known.id}/release"), "main form", status=422, reason="try"
    ).text  # fmt: skip
    assert signed_in("till").get(at).soup.select(f"a[href='{at}/release']") == []
    assert console.get(at).one(f"#code a[href='{at}/release']")
    console.submit(console.get(f"{at}/release"), "main form", reason="issued twice")
    assert "Its code went back to the pool" in console.get(at).text
    assert d.issue().voucher_id is not None


def test_13_6_edit_expiry(signed_in, d):
    url = f"/benefits/{d.issue().id}/expiry"
    for role in ("editor", "till"):
        browser = signed_in(role)
        browser.get(url, 403)
        browser.post(url, {"expires_on": "2026-06-01", "reason": "closed for repair"}, 403)
    admin = signed_in("administrator")
    answer = admin.submit(admin.get(url), "main form", status=422, expires_on="2026-06-01")
    assert answer.one("#reason-error")
    admin.submit(admin.get(url), "main form", expires_on="2026-06-01", reason="closed for repair")
    told = d.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.BENEFIT_EXPIRY_SET)).one()
    assert told.facts["reason"] == "closed for repair"


def test_claim_on_behalf_with_all_gates_and_at_once_redeemed(console, d):
    d.change(is_claimable=True)
    url = f"/benefits/claim?profile={d.person.id}&definition={d.definition.id}"
    shown = console.follow(console.submit(console.get(url), "main form", count="1"))
    assert "redeemed" in shown.text
    answer = console.submit(console.get(url), "main form", status=422)
    assert "it can be claimed once" in answer.text
    assert "it can be claimed once" in answer.text


def test_why_not_of_a_benefit_at_any_instant(console, d):
    benefit = d.issue()
    assert "nothing is in the way" in console.get(f"/benefits/{benefit.id}/why-not").text
    page = console.get(f"/benefits/{benefit.id}/why-not?at=2027-01-01T10:00")
    assert "It expired on 31 March 2026 23:59" in page.one(".sentence").get_text()
    for odd in ("x", "0001-01-01T00:00", "9999-12-31T23:59", "2026-13-01"):
        console.get(f"/benefits/{benefit.id}/why-not?at={odd}")


def test_feature_10_why_not_before_a_claim_and_before_an_extension(console, d):
    d.change(is_claimable=True)
    d.forward(days=3)
    benefit = d.claim()
    url = f"/benefits/why-not?person={d.person.external_id}&definition={d.definition.id}"
    assert "claimed it on 4 March 2026" in console.get(f"{url}&at=2026-03-05T10:00").text
    assert "nothing is in the way" in console.get(f"{url}&at=2026-03-03T10:00").text
    d.at = benefit.expires_at + timedelta(days=5)
    d.do(benefits.extend, benefits.ExtendBenefit(benefit.id, extend_days=30))
    page = console.get(f"/benefits/{benefit.id}/why-not?at=2026-04-06T10:00")
    assert "It expired on 3 April 2026 23:59" in page.text


def line_of(page, table, words):
    """The cells of a rule: whether it holds, the value seen, the value needed, when it opens by itself."""
    [row] = [row for row in page.one(table).select("tbody tr") if row.th.get_text().strip().startswith(words)]
    return [" ".join(cell.get_text().split()) for cell in row.select("td")]


def test_feature_10_the_table_of_a_benefit_says_what_it_saw_and_from_which_event(console, d):
    benefit = d.issue(issued_on=(T + timedelta(days=1)).date())
    url = f"/benefits/{benefit.id}/why-not"
    begins = "2 March 2026 00:00 (Australia/Melbourne)"
    page = console.get(url)
    holds, seen, needed, opens = line_of(page, "#rules", "It has begun")
    assert (holds, needed, opens) == ("no", f"From {begins} on, when it begins", begins)
    assert seen == "1 March 2026 11:30 (Australia/Melbourne) The instant asked about"
    d.forward(days=2)
    d.redeem(benefit)
    page = console.get(f"{url}?at=2026-03-04T10:00")
    holds, seen, needed, opens = line_of(page, "#rules", "Enough redemptions of it are left")
    assert (holds, needed, opens) == ("no", "1 left at least", "not by waiting")
    assert seen.startswith("1 of 1 Used on 3 March 2026 11:30:00 (Australia/Melbourne) by Ann Able (receipt ")
    assert page.one('button[data-copy="why-sentence"][data-words]')["type"] == "button"
    assert page.one("#why-sentence").get_text().startswith("Coffee, on 4 March 2026 10:00")


def test_feature_10_the_table_of_a_person_says_when_they_can_claim_again(console, d):
    d.change(is_claimable=True, is_reclaimable=True, max_per_profile=1)
    benefit = d.claim()
    page = console.get(f"/benefits/why-not?person={d.person.external_id}&definition={d.definition.id}")
    holds, seen, needed, opens = line_of(page, "#claim", "The person may claim it again")
    assert (holds, needed, opens) == (
        "no", "The last one used or expired", "1 April 2026 00:00 (Australia/Melbourne)",
    )  # fmt: skip
    assert seen == f"Claimed on 1 March 2026 11:30 (Australia/Melbourne), active Benefit {benefit.id}"
    assert line_of(page, "#issue", "The person has not got the most")[1:3] == [
        "1 of 1 Benefits held that are not void", "Fewer than 1",
    ]  # fmt: skip
    assert "The definition as saved on" in line_of(page, "#claim", "It is published")[1]
    assert page.one('button[data-copy="why-sentence"]')


def test_feature_10_a_kept_table_shows_what_was_kept(console, d, session):
    benefit = d.issue()
    rows = kept(gates_to_redeem(d.definition.facts, benefit.facts, 2, T), MELBOURNE)
    for gates in (rows, [["an old rule", "It was shut."]]):
        session.add(RedemptionAttempt(at=T, by="A", benefit_id=benefit.id, reason="x", message="m", gates=gates))
    session.commit()
    page = console.get(f"/benefits/{benefit.id}")
    assert line_of(page, "#refused", "Enough redemptions of it are left") == [
        "no", "0 of 1 Its ledger", "2 left at least", "not by waiting",
    ]  # fmt: skip
    assert line_of(page, "#refused", "An old rule") == ["no", "–", "–", "not by waiting"]


def test_why_not_of_a_person_and_a_definition(console, d):
    d.change(is_claimable=True, claim_condition={"===": [{"var": "last_name"}, "Nobody"]})
    url = f"/benefits/why-not?person={d.person.external_id}&definition={d.definition.id}"
    page = console.get(url)
    assert "does not meet the condition" in page.one(".sentence").get_text()
    assert d.person.last_name in page.one("#condition").get_text()
    assert "Nobody has the member id" in console.get("/benefits/why-not?person=X-404").text
    console.get("/benefits/why-not")


def test_13_1_redeem_instructions_store_online(console, d):
    d.change(redeem_instructions_store="Show it", redeem_instructions_online="Type it")
    page = console.get(f"/benefits/{d.issue().id}")
    assert page.texts("#redeem-store h2, #redeem-online h2") == [
        "How to redeem it in a shop",
        "How to redeem it online",
    ]
    assert (page.texts("#redeem-store p"), page.texts("#redeem-online p")) == (["Show it"], ["Type it"])


def test_13_1_redeem_code_pos_online(console, d):
    d.change(redeem_code_pos="X-POS", redeem_code_online="X-ONLINE")
    without, own = d.issue(), d.issue(redeem_code_pos="YOURS-1", redeem_code_online="Y-ONLINE")
    page = console.get(f"/benefits/{without.id}")
    assert ("X-POS" in page.one("#code").text, page.texts("#code-panel dd")) == (True, ["X-ONLINE"])
    page = console.get(f"/benefits/{own.id}")
    assert ("X-POS" in page.text, page.texts("#code-panel dd")) == (False, ["Y-ONLINE"])
    assert "YOURS1" in console.submit(page, "#code form", status=200).text.replace("-", "")


def test_13_1_max_redemptions_null(console, d):
    d.change(max_redemptions=None)
    benefit = d.issue()
    for _ in range(50):
        d.redeem(benefit)
    assert "Left unlimited 50 redeemed" in console.get(f"/benefits/{benefit.id}").text


def test_13_1_max_global_n(console, d):
    d.change(max_global_redemptions=2)
    first, second, third = d.issue(), d.issue(d.other), d.issue()
    d.redeem(first)
    d.redeem(second)
    assert "It can no longer be redeemed" in console.get(f"/benefits/{third.id}").text
    page = console.get(f"/benefits/{third.id}/redeem")
    refusal = "Coffee may be redeemed 2 times over all; 0 are left."
    assert refusal in console.submit(page, "main form", status=422).text


def test_13_1_is_extendable_false(console, d):
    d.change(is_extendable=False)
    base = f"/benefits/{d.issue().id}"
    assert not console.get(base).soup.select(f'a[href="{base}/extend"]')
    assert "cannot be extended" in console.post(f"{base}/extend", {"extend_days": "7"}, status=422).text


def test_13_1_is_reassignable_false(console, d):
    d.change(is_reassignable=False)
    base = f"/benefits/{d.issue().id}"
    assert not console.get(base).soup.select(f'a[href="{base}/reassign"]')
    answer = console.post(f"{base}/reassign", {"person": d.other.external_id}, status=422)
    assert "Coffee cannot go to another person; its definition would have to allow it." in answer.text


def test_13_2_term_snapshot(console, d):
    address = console.get("/benefits/definitions/handle/d", status=303).response.headers["Location"]
    earlier = d.issue()
    console.submit(console.get(f"{address}/edit"), terms_conditions="With every offer.")
    d.session.expire_all()
    later = d.issue()
    assert console.get(f"/benefits/{earlier.id}").texts("#terms p.preserve") == ["Not with other offers."]
    assert console.get(f"/benefits/{later.id}").texts("#terms p.preserve") == ["With every offer."]


def test_the_till_sees_a_first_name_and_one_letter(signed_in, d):
    benefit = d.issue()
    till = signed_in("till")
    page = till.get(f"/benefits/{benefit.id}")
    assert f"{d.person.first_name} E." in page.text
    assert d.person.last_name not in page.text
    assert d.person.email not in page.text


def test_another_sites_benefit_is_not_found(signed_in, d, make):
    benefit = d.issue()
    line = d.redeem(benefit)
    other = signed_in("till", site_id=make.site().id)
    for url in (
        f"/benefits/{benefit.id}",
        f"/benefits/{benefit.id}/redeem",
        f"/benefits/{benefit.id}/why-not",
        f"/benefits/redemptions/{line.id}/return",
        "/benefits/999999",
    ):
        other.get(url, 404)


def test_13_2_issued_at_future_says_so(console, d):
    page = console.get(f"/benefits/new?definition={d.definition.id}&profile={d.person.id}")
    shown = console.follow(console.submit(page, "main form", issued_on=str((T + timedelta(days=3)).date())))
    assert "scheduled" in shown.text
    assert d.session.scalars(select(Benefit.zone)).one() == MELBOURNE


def test_13_6_reassign(console, d):
    d.change(max_redemptions=2)
    benefit = d.issue()
    d.redeem(benefit)
    console.submit(console.get(f"/benefits/{benefit.id}/reassign"), "main form", person=d.other.external_id)
    before = console.get(f"/profiles/{d.person.id}/history").text
    after = console.get(f"/profiles/{d.other.id}/history").text
    assert "Benefit «Coffee»: reassigned" in before
    assert "Benefit «Coffee»: reassigned" in after
    assert "Redeemed 1 of «Coffee»" in after
    assert "Handed over to somebody else" in console.get(f"/profiles/{d.person.id}/benefits").text
    assert rows(console.get(f"/profiles/{d.other.id}/benefits")) == 1


def test_the_audit_log_leads_to_the_benefit(console, d):
    benefit = d.issue()
    page = console.get("/audit?group=benefit")
    assert page.soup.select(f'a[href="/benefits/{benefit.id}"]')
    assert "Issued «Coffee» to person" in page.text


def test_filter_ops_keep_both_days_of_good_until(console, d, make):
    for day in (9, 10, 11, 12):
        make.benefit(d.definition, d.person, expires_at=datetime(2026, 3, day, 12, 59, 59, tzinfo=UTC))
    assert rows(console.get("/benefits?ends_from=2026-03-10&ends_to=2026-03-11")) == 2
    page = console.get("/benefits?ends_from=2026-03-12")
    assert rows(page) == 1
    assert page.one("#filter-ends-from")["value"] == "2026-03-12"
    assert rows(console.get("/benefits?ends_from=x&ends_to=2026-13-40")) == 4


def test_filter_nullable_shows_only_unclaimed(console, d):
    d.change(is_claimable=True)
    d.claim(d.other)
    issued = d.issue()
    page = console.get("/benefits?source=staff")
    assert [link["href"] for link in page.soup.select("tbody th a")] == [f"/benefits/{issued.id}"]


def test_saved_filter_is_one_click_away_and_shareable(console, signed_in, d):
    d.issue()
    page = console.get(
        console.get("/benefits?state=active&ends_to=2026-04-30").one("a[href^='/saved-views/new']")["href"]
    )
    console.submit(page, "main form", title="Ends in April", is_shared="y")
    assert (
        signed_in("till").get("/benefits").one("a.views__link")["href"] == "/benefits?ends_to=2026-04-30&state=active"
    )


def exported(console, url):
    page = console.get(url)
    fields = page.fields("#form") | {"media": "csv", "reason": "Checked against the till"}
    answer = console.client.post(page.one("#form")["action"], data=fields).get_data()
    assert answer.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.decode("utf-8-sig"), newline="")))


def test_csv_export_equals_the_list(console, d, make):
    make.benefit(d.definition, d.person)
    d.change(max_redemptions=2)
    used = d.issue()
    d.redeem(used)
    page = console.get("/benefits?state=partly+redeemed")
    (row,) = exported(console, page.one("a[href^='/benefits/export']")["href"])
    assert (row["id"], row["definition"], row["state"], row["redeemed_count"]) == (
        str(used.id),
        "d",
        "partly redeemed",
        "1",
    )
    assert used.redeem_code_pos.endswith(row["code_last_four"])
    assert len(exported(console, "/benefits/export")) == 2


def test_13_7_force_false_fallback(console, d, make):
    """The code of the definition, and the page says that none of the pool is its own."""
    kind = make.voucher_type(site_id=d.definition.site_id)
    d.change(voucher_type_id=kind.id, force_allocation=False, redeem_code_pos="COFFEE")
    panel = console.get(f"/benefits/{d.issue().id}").one("#code").get_text(" ", strip=True)
    assert panel.startswith("COFFEE")
    assert "No code out of the pool is its own." in panel


def test_13_7_export_safety(console, d, make):
    """Of a definition the whole code leaves, of a voucher and a benefit the last signs."""
    d.change(redeem_code_pos="=1+1")
    make.voucher(make.voucher_type(site_id=d.definition.site_id), code="SHOP=1+1")
    (definition,) = exported(console, "/benefits/definitions/export")
    (voucher,) = exported(console, "/vouchers/export")
    assert definition["redeem_code_pos"] == "'=1+1"
    assert "'=1+1" in voucher.values()
    assert "=1+1" not in voucher.values()


def test_13_7_export_safety_neutralises_what_a_spreadsheet_would_run(console, d, make):
    holder = make.profile(first_name="=1+1", last_name="@SUM(A1)")
    make.benefit(d.definition, holder, redeem_code_pos="AB+2", code_key="AB+2", voided_at=T, void_reason="x")
    (row,) = exported(console, "/benefits/export")
    assert (row["first_name"], row["last_name"]) == ("'=1+1", "'@SUM(A1)")
    assert (row["code_last_four"], row["state"]) == ("'+2", "void")  # never more than half of a code


def test_issuer_cannot_see_exports(signed_in, d):
    till = signed_in("till")
    till.get("/benefits/export", status=403)
    assert not till.get("/benefits").soup.select("a[href^='/benefits/export']")


def test_13_6_bulk_extend(console, d):
    first, other, void = d.issue(), d.issue(d.other), d.issue()
    d.change(is_extendable=True)
    d.do(benefits.void, benefits.VoidBenefit(void.id, "by mistake"))
    assert console.get("/benefits").soup.select(f'.pick input[value="{first.id}"][form="bulk"]')
    address = f"/benefits/extend?ids={first.id}&ids={other.id}&ids={void.id}&ids=x&ids=99999999999999999999"
    page = console.get(address)
    assert "Extend 2 benefits" in page.text
    assert "It was made void" in page.text
    page = console.submit(page, status=422)
    assert "either a number of days or a date" in page.text
    page = console.follow(console.submit(console.get(address), extend_days="7"))
    assert "2 extended, 1 left as they are." in page.text
    assert [row["href"] for row in page.soup.select("#extended th a")] == [
        f"/benefits/{first.id}",
        f"/benefits/{other.id}",
    ]
    assert [row["href"] for row in page.soup.select("#left th a")] == [f"/benefits/{void.id}"]
    assert "It was made void" in page.one("#left").get_text()
    assert "No benefit was ticked" in console.get("/benefits/extend").text


def test_a_bulk_extension_is_taken_back_from_its_page_within_ten_minutes(console, d, moment):
    first, second = d.issue(), d.issue(d.other)
    d.change(is_extendable=True)
    moment.now = d.at
    page = console.get(f"/benefits/extend?ids={first.id}&ids={second.id}")
    page = console.follow(console.submit(page, extend_days="7"))
    assert "2 extended, 0 left as they are." in page.text
    assert "Extended with others, which can be taken back" in console.get(f"/benefits/{first.id}").text
    d.redeem(second)
    page = console.follow(console.submit(page))
    assert "Taken back: what nobody has used since ends when it did before." in page.text
    assert page.texts("#extended td[data-label='Now']") == [
        "It has its former end again.",
        "It was redeemed since, or some of it came back.",
    ]
    assert page.soup.select("form[action*='/extensions/']") == []
    shown = console.get(f"/benefits/{first.id}").text
    assert "Extension taken back" in shown
    assert "which can be taken back" not in shown


def test_a_bulk_extension_stays_after_ten_minutes_and_says_so(console, d, moment):
    benefit = d.issue()
    d.change(is_extendable=True)
    moment.now = d.at
    page = console.get(f"/benefits/extend?ids={benefit.id}")
    page = console.follow(console.submit(page, extend_days="7"))
    address = page.response.request.path
    moment.forward(minutes=11)
    refused = console.submit(page, status=422)
    assert "It was made more than 10 minutes ago" in refused.text
    page = console.get(address)
    assert "It was made more than 10 minutes ago" in page.text
    assert page.soup.select("form[action*='/extensions/']") == []
    assert "which can be taken back" not in console.get(f"/benefits/{benefit.id}").text


def test_the_extension_of_another_is_shown_to_an_editor_and_not_taken_back(console, signed_in, d, moment):
    benefit = d.issue()
    d.change(is_extendable=True)
    moment.now = d.at
    page = console.get(f"/benefits/extend?ids={benefit.id}")
    page = console.follow(console.submit(page, extend_days="7"))
    address = page.response.request.path
    other = signed_in("editor").get(address)
    assert "they, or whoever may set the end, can take that back" in other.text
    assert other.soup.select("form[action*='/extensions/']") == []
    administrator = signed_in("administrator")
    page = administrator.follow(administrator.submit(administrator.get(address)))
    assert "It has its former end again." in page.text
