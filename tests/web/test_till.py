"""The till: one field, one verdict, Enter; what is refused is kept, a slip is undone within a minute."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from tests.support.benefits import MELBOURNE, T, programme
from webapp.adapters import randomness
from webapp.domain.benefits import BenefitState
from webapp.domain.redemptions import RedemptionKind
from webapp.domain.voucher_codes import grouped
from webapp.domain.vouchers import VoucherStatus
from webapp.models import Redemption, RedemptionAttempt, Voucher
from webapp.services import benefits, vouchers
from webapp.services.vouchers import AllocateVouchers, GenerateVouchers, Mint, code_key
from webapp.services.work import perform


@pytest.fixture
def d(make, actor, moment):
    """The programme of benefits.md 13; the consoles' clock stands where its own does."""
    moment.now = T
    return programme(make, actor, redeem_instructions_store="Hand out one cup.")


@pytest.fixture
def till(signed_in):
    return signed_in("till")


def scan(till, code, status=303):
    return till.submit(till.get("/till"), "#scan", status=status, code=code)


def lines(d):
    d.session.expire_all()
    return d.session.scalars(select(Redemption).order_by(Redemption.id)).all()


def kept(d):
    d.session.expire_all()
    return [row.reason for row in d.session.scalars(select(RedemptionAttempt).order_by(RedemptionAttempt.id))]


def test_scan_shows_one_big_verdict_with_what_to_give(till, d):
    benefit = d.issue()
    page = till.follow(scan(till, grouped(benefit.redeem_code_pos).lower()))
    assert page.texts(".verdict__word") == ["Good"]
    assert "Hand out one cup." in page.text
    assert f"{d.person.first_name} E." in page.text
    assert d.person.last_name not in page.text
    assert page.one("#code").has_attr("autofocus")
    assert lines(d) == []


def test_enter_with_nothing_typed_redeems_and_gives_a_receipt(till, d):
    page = till.follow(scan(till, d.issue().redeem_code_pos))
    shown = till.follow(till.submit(page, "#till"))
    (line,) = lines(d)
    assert shown.texts(".verdict__receipt b") == [line.receipt]
    assert len(line.receipt) == 4
    assert shown.one(".undo progress")["value"] == "60"


def test_a_code_typed_on_a_verdict_is_looked_at_and_redeems_nothing(till, d):
    first, second = d.issue(), d.issue(d.other)
    page = till.follow(scan(till, first.redeem_code_pos))
    answer = till.submit(page, "#till", code=second.redeem_code_pos)
    assert answer.response.headers["Location"] == f"/till/benefits/{second.id}"
    assert lines(d) == []


def test_pressing_twice_is_once(till, d):
    d.change(max_redemptions=None)
    page = till.follow(scan(till, d.issue().redeem_code_pos))
    answers = {till.submit(page, "#till").response.headers["Location"] for _ in range(3)}
    assert len(answers) == len(lines(d)) == 1


def test_more_than_one_and_the_shops_receipt(till, d):
    d.change(max_redemptions=5)
    page = till.follow(scan(till, d.issue().redeem_code_pos))
    till.submit(page, "#till", count="3", receipt_ref="S-12")
    (line,) = lines(d)
    assert (line.count, line.receipt_ref) == (3, "S-12")
    assert till.submit(page, "#till", status=422, count="x").one("#count-error")


def test_undo_takes_it_back_within_a_minute(till, d, moment):
    page = till.follow(scan(till, d.issue().redeem_code_pos))
    shown = till.follow(till.submit(page, "#till"))
    moment.forward(seconds=59)
    after = till.follow(till.submit(shown, ".undo"))
    assert after.texts(".verdict__word") == ["Taken back"]
    assert [line.kind for line in lines(d)] == [RedemptionKind.REDEEM, RedemptionKind.REVERSAL]
    assert not after.soup.select(".undo")


def test_undo_is_refused_after_a_minute_and_not_offered(till, d, moment):
    page = till.follow(scan(till, d.issue().redeem_code_pos))
    shown = till.follow(till.submit(page, "#till"))
    moment.forward(seconds=61)
    after = till.follow(till.submit(shown, ".undo"))
    assert "A minute has passed" in after.text
    assert not after.soup.select(".undo")
    assert len(lines(d)) == 1


def test_13_5_by_code(till, d, moment):
    """Green with one button, or red with a word of its own."""
    good, used, expired = d.issue(), d.issue(), d.issue(expires_on=date(2026, 3, 1))
    d.redeem(used)
    moment.forward(days=1)

    def verdict(code, status=303):
        page = scan(till, code, status)
        page = till.follow(page) if status == 303 else page
        assert len(page.soup.select(".verdict")) == 1
        buttons = [button.get_text(strip=True) for button in page.soup.select(".till__scan > button")]
        return page.one(".verdict")["class"][1], page.texts(".verdict__word"), buttons

    assert verdict(good.redeem_code_pos) == ("verdict--good", ["Good"], ["Redeem"])
    assert verdict(used.redeem_code_pos)[:2] == ("verdict--bad", ["Already used"])
    assert verdict(expired.redeem_code_pos)[:2] == ("verdict--bad", ["Expired"])
    assert verdict("NOT-KNOWN-AT-ALL", 422)[:2] == ("verdict--bad", ["Unknown code"])


def test_used_void_later_and_unknown_are_told_apart_and_kept(till, d):
    used, expired, void = d.issue(), d.issue(expires_on=date(2026, 3, 1)), d.issue()
    later = d.issue(issued_on=date(2026, 3, 20))
    d.redeem(used)
    d.do(benefits.void, benefits.VoidBenefit(void.id, "lost"))
    till_clock = d.at + timedelta(days=1)
    d.at = till_clock
    for benefit, word in ((used, "Already used"), (void, "Void"), (later, "Not yet")):
        page = till.follow(scan(till, benefit.redeem_code_pos))
        assert page.texts(".verdict__word") == [word]
        assert "Everything that is asked" in page.text
    own = used.redeem_code_pos
    page = scan(till, own[:-1] + ("0" if own[-1] != "0" else "1"), 422)
    assert page.texts(".verdict__word") == ["Unknown code"]
    assert "One of its signs is not right" in page.text
    assert "sign by sign" in scan(till, "NOT-KNOWN-AT-ALL", 422).text
    assert kept(d) == ["no_redemptions_left", "void", "not_started", "mistyped_code", "unknown_code"]
    assert d.state(expired) is BenefitState.EXPIRED


def test_expired_says_when(till, d, moment):
    benefit = d.issue(expires_on=date(2026, 3, 1))
    moment.forward(days=1)
    page = till.follow(scan(till, benefit.redeem_code_pos))
    assert page.texts(".verdict__word") == ["Expired"]
    assert f"It expired on 1 March 2026 23:59 ({MELBOURNE})" in page.text


def test_a_lost_race_says_when_where_and_by_whom(till, d, make):
    place = make.location(title="Till 3")
    benefit = d.issue()
    page = till.follow(scan(till, benefit.redeem_code_pos))
    d.redeem(benefit, location_id=place.id)
    answer = till.submit(page, "#till", status=422)
    assert f"Used on 1 March 2026 11:30:00 ({MELBOURNE}) at Till 3 by {d.actor.label} (receipt 0001)." in answer.text
    assert answer.texts(".verdict__word") == ["Already used"]
    assert kept(d) == ["no_redemptions_left"]


def test_ten_unknown_codes_a_minute_are_enough(till, d, moment):
    for number in range(10):
        scan(till, f"GUESS-{number}-XX", 422)
    scan(till, d.issue().redeem_code_pos, 429)
    moment.forward(seconds=61)
    scan(till, d.issue().redeem_code_pos)


def slipped(code):
    """The code with one sign wrong, so that it is nobody's."""
    return code[:-1] + ("7" if code[-1] != "7" else "8")


def test_feature_18_a_slip_is_offered_while_the_person_is_on_screen(till, d, make):
    mine, other = d.issue(), d.issue(d.other)
    typed = slipped(mine.redeem_code_pos)
    page = scan(till, typed, 422)
    assert "One sign away" not in page.text, "nobody is on screen"
    person = till.get(f"/till/people?profile={mine.profile_id}")
    page = till.submit(person, "#scan", status=422, code=typed)
    assert page.texts(".verdict__word") == ["Unknown code"]
    assert page.one(".notice a")["href"] == f"/till/benefits/{mine.id}"
    assert mine.redeem_code_pos not in page.text
    page = till.submit(till.get(f"/till/benefits/{mine.id}"), "#till", status=422, code=typed)
    assert page.one(".notice a")["href"] == f"/till/benefits/{mine.id}"
    stranger = till.get(f"/till/people?profile={other.profile_id}")
    page = till.submit(stranger, "#scan", status=422, code=typed)
    assert "One sign away" not in page.text, "it is a code of somebody else"
    assert kept(d) == [kept(d)[0]] * 4
    assert lines(d) == []


def test_feature_18_two_slips_or_two_that_fit_are_not_offered(till, d):
    mine = d.issue()
    person = till.get(f"/till/people?profile={mine.profile_id}")
    code = mine.redeem_code_pos
    assert "One sign away" not in till.submit(person, "#scan", status=422, code=slipped(slipped(code)[::-1])[::-1]).text
    mine.code_key, twin = "ABCDEFGH", d.issue()
    twin.code_key = "ABCDEFGJ"
    d.session.commit()
    assert "One sign away" not in till.submit(person, "#scan", status=422, code="ABCDEFGK").text
    assert "One sign away" in till.submit(person, "#scan", status=422, code="ABCXDEFGJ").text


def test_a_code_of_the_definition_asks_for_the_person(till, d):
    d.change(redeem_code_pos="COFFEE-26")
    page = scan(till, "coffee 26", 422)
    assert "the same for everybody who holds «Coffee»" in page.text


def test_a_person_is_found_with_a_second_identifier(till, d):
    d.person.phone, d.person.birth_month = "+61 400 123 456", 3
    d.session.commit()
    benefit = d.issue()
    page = till.get(f"/till/people?q={d.person.last_name[:7]}")
    assert "born in March · phone ends 456" in page.text
    assert d.person.email not in page.text
    assert page.soup.select(f'a[href="/till/benefits/{benefit.id}"]')
    assert d.other.external_id not in page.text
    assert "Nobody who holds" in till.get("/till/people?q=zzzz").text
    answer = scan(till, d.person.external_id)
    assert "Coffee" in till.follow(answer).text


def test_the_last_five_receipts_lead_back_to_what_they_are_of(till, d):
    d.change(max_redemptions=None)
    benefit = d.issue()
    for _ in range(6):
        till.submit(till.get(f"/till/benefits/{benefit.id}"), "#till")
    page = till.get("/till")
    assert len(page.soup.select(".till__receipts li")) == 5
    found = scan(till, lines(d)[0].receipt)
    assert found.response.headers["Location"] == f"/till/redemptions/{lines(d)[0].id}"


def test_the_place_is_remembered_and_written_into_the_ledger(till, d, make):
    place = make.location(title="Harbour kiosk")
    till.submit(till.get("/till"), "#where", place=str(place.id))
    page = till.follow(scan(till, d.issue().redeem_code_pos))
    assert "Harbour kiosk" in page.text
    till.submit(page, "#till")
    assert lines(d)[0].location_id == place.id


@pytest.fixture
def prize(d, make, settings):
    """A gift voucher of a winner, and its code."""
    mint = Mint(code_key(settings.secret_key), randomness.entropy)
    kind = make.voucher_type(title="Gift card", site_id=d.definition.site_id)
    reward = make.reward(site_id=kind.site_id, voucher_type_id=kind.id)
    winner = make.winner(reward)

    def give(work):
        vouchers.generate(work, GenerateVouchers(kind.id, 1), mint)
        return vouchers.allocate(
            work, AllocateVouchers(kind.id, winner.id, winner.profile_id, 1, "Europe/London", "winner")
        )

    (voucher,) = perform(d.session, d.actor, T, give)
    return voucher


def status(d, voucher):
    return d.session.get_one(Voucher, voucher.id, populate_existing=True).status


def test_a_gift_voucher_is_redeemed_and_undone_at_the_same_till(till, d, prize):
    page = till.follow(scan(till, prize.code))
    assert page.texts(".verdict__word") == ["Good"]
    shown = till.follow(till.submit(page, "#till"))
    assert status(d, prize) is VoucherStatus.REDEEMED
    assert "receipt" in shown.text
    assert till.follow(scan(till, prize.code)).texts(".verdict__word") == ["Already used"]
    till.submit(shown, ".undo")
    assert status(d, prize) is VoucherStatus.ALLOCATED


def test_a_code_out_of_the_pool_leads_to_its_benefit(till, d, settings):
    mint = Mint(code_key(settings.secret_key), randomness.entropy)
    kind = d.make.voucher_type(site_id=d.definition.site_id)
    perform(d.session, d.actor, T, lambda work: vouchers.generate(work, GenerateVouchers(kind.id, 1), mint))
    d.change(voucher_type_id=kind.id, force_allocation=True)
    d.session.expire_all()
    benefit = d.issue()
    code = d.session.get_one(Voucher, benefit.voucher_id).code
    assert scan(till, code).response.headers["Location"] == f"/till/benefits/{benefit.id}"


def test_another_sites_code_is_unknown_here(signed_in, d, make):
    elsewhere = signed_in("till", site_id=make.site().id)
    benefit = d.issue()
    assert "Unknown code" in scan(elsewhere, benefit.redeem_code_pos, 422).text
    elsewhere.get(f"/till/benefits/{benefit.id}", 404)
    pressed = {"code": "", "count": "1", "receipt_ref": ""}
    elsewhere.post(f"/till/benefits/{benefit.id}", pressed, 404)
    elsewhere.post(f"/till/benefits/{benefit.id}", pressed | {"count": "1000"}, 404)
    elsewhere.post(f"/till/benefits/{benefit.id}", pressed | {"code": "x"}, 404)
    assert d.session.scalar(select(func.count()).select_from(Redemption)) == 0
    assert kept(d) == ["unknown_code"]
    assert "Nobody" in elsewhere.get(f"/till/people?q={d.person.last_name}").text


def test_only_the_till_may(signed_in, d):
    for role in ("editor", "viewer", "administrator", "fulfilment"):
        signed_in(role).get("/till", 403)


def test_nothing_typed_looks_at_nothing(till, d):
    scan(till, "", 200)
    assert d.session.scalar(select(func.count()).select_from(RedemptionAttempt)) == 0
