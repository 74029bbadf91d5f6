"""The till locks after five minutes without use; PIN or password opens it, and nothing typed is lost or done unasked."""

import pytest
from sqlalchemy import func, select

from tests.support.benefits import programme
from tests.support.clock import NOW
from tests.support.signing_in import sign_in
from webapp.adapters import randomness
from webapp.domain.permissions import Role
from webapp.models import AuditEntry, Redemption, SignInAttempt, StaffMember, StaffSession
from webapp.services import passwords, vouchers
from webapp.services.vouchers import AllocateVouchers, GenerateVouchers, Mint, code_key
from webapp.services.work import perform

WORDS = "four plain words here"
PIN = "4071"
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
OPENS = "#lock form.form"


@pytest.fixture
def d(make, actor, moment):
    moment.now = NOW
    return programme(make, actor, max_redemptions=None, redeem_instructions_store="Hand out one cup.")


@pytest.fixture
def browser_of(make, new_console, session):
    """Somebody at a till of their own, who signed in just now."""

    def browser_of(*roles, **known):
        who = make.actor(*roles or (Role.TILL,), password_hash=passwords.hashed(WORDS), **known)
        browser = new_console()
        sign_in(browser.client, session, who)
        return browser

    return browser_of


@pytest.fixture
def till(d, browser_of):
    return browser_of(pin_hash=passwords.hashed(PIN), name="Tilly Marsh", email="tilly@example.org")


@pytest.fixture
def without_pin(d, browser_of):
    return browser_of(name="Ada Berg", email="ada@example.org")


def redemptions(session):
    session.expire_all()
    return session.scalar(select(func.count()).select_from(Redemption))


def events(session):
    return session.scalars(
        select(AuditEntry.event).where(AuditEntry.event.like("staff%")).order_by(AuditEntry.id)
    ).all()


def row(session):
    session.expire_all()
    return session.scalars(select(StaffSession)).one()


def test_after_four_minutes_and_fifty_nine_seconds_it_is_open(till, moment):
    till.get("/till")
    moment.forward(minutes=4, seconds=59)
    assert till.get("/till").texts("h1") == ["Till"]


def test_after_five_minutes_and_a_second_it_is_locked(till, moment):
    till.get("/till")
    moment.forward(minutes=5, seconds=1)
    page = till.get("/till", 401)
    assert page.texts("h1") == ["The till is locked"]
    assert page.texts("label[for=password_again]") == ["Your PIN"]
    assert page.one("#password_again")["inputmode"] == "numeric"


def test_each_use_begins_the_five_minutes_anew(till, moment):
    for _ in range(4):
        moment.forward(minutes=4, seconds=50)
        till.get("/till")


def test_every_address_of_the_till_is_locked(app, till, d, moment):
    benefit = d.issue()
    till.submit(till.get(f"/till/benefits/{benefit.id}"), "#till")
    moment.forward(minutes=6)
    values = {"benefit_id": benefit.id, "redemption_id": 1, "voucher_id": 1}
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("till.")]
    assert len(rules) > 8
    for rule in rules:
        url = rule.build(values, append_unknown=True)[1].partition("?")[0]
        for method in sorted({"GET", "POST"} & rule.methods):
            for headers in ({}, PART):
                answer = till.client.open(url, method=method, headers=headers)
                assert answer.status_code == 401, f"{method} {url} {headers}"
                assert "Hand out one cup" not in answer.get_data(as_text=True)
    assert redemptions(d.session) == 1


def test_only_the_till_is_locked(till, moment):
    till.get("/till")
    moment.forward(minutes=6)
    till.get("/benefits")
    till.get("/account/pin")
    till.get("/till", 401)


def test_the_right_pin_opens_it_where_one_was_going(till, moment, session):
    moment.forward(minutes=6)
    page = till.get("/till/people?q=ann&show=all", 401)
    answer = till.submit(page, OPENS, password_again=PIN)
    assert answer.response.headers["Location"] == "/till/people?q=ann&show=all"
    till.follow(answer)
    assert row(session).wrong_proof_count == 0
    assert session.scalars(select(SignInAttempt)).all() == []


def test_the_lock_leads_nowhere_else(till, moment):
    for odd in ("https://example.org/", "//example.org", "/\\example.org"):
        answer = till.get(f"/till/lock?next={odd}", 303)
        assert answer.response.headers["Location"] == "/"
    assert till.get("/till/lock", 303).response.headers["Location"] == "/till"


@pytest.fixture
def left_alone(till, moment):
    """A till that was in use a moment ago."""
    moment.forward(seconds=6)
    till.get("/till")
    return till


def test_who_signs_in_to_a_till_need_not_use_it_at_once(d, make, new_console, moment):
    make.staff(Role.TILL, email="tim@example.org", password_hash=passwords.hashed(WORDS))
    browser = new_console()
    browser.post("/sign-in", {"email": "tim@example.org", "password": WORDS})
    moment.forward(hours=7)
    browser.get("/till", 401).one(OPENS)


def test_a_quiet_morning_at_the_till_ends_no_session(left_alone, moment):
    till = left_alone
    moment.forward(hours=7, minutes=59)
    page = till.get("/till", 401)
    moment.forward(seconds=30)
    till.get("/till", 401)
    till.follow(till.submit(page, OPENS, password_again=PIN))
    assert till.get("/till").texts("h1") == ["Till"]
    till.get("/benefits")


def test_other_pages_wait_behind_the_lock_of_a_till_left_alone(left_alone, moment, session):
    till = left_alone
    moment.forward(minutes=31)
    seen_at = row(session).seen_at
    answer = till.get("/benefits?q=cup", 302)
    assert answer.response.headers["Location"] == "/till/lock?next=/benefits?q%3Dcup"
    till.get("/benefits?q=cup", 401, headers=PART)
    assert till.client.post("/account/pin").status_code == 401
    assert row(session).seen_at == seen_at, "nobody was there"
    till.follow(till.submit(till.get("/till", 401), OPENS, password_again=PIN))
    till.get("/benefits?q=cup")


def test_after_eight_hours_a_session_of_the_till_is_over(left_alone, moment):
    moment.forward(hours=8)
    assert left_alone.get("/till", 302).response.headers["Location"].startswith("/sign-in")


def test_whoever_has_another_role_too_is_out_after_half_an_hour(d, browser_of, moment):
    browser = browser_of(Role.TILL, Role.VIEWER, pin_hash=passwords.hashed(PIN))
    moment.forward(seconds=6)
    browser.get("/till")
    moment.forward(minutes=30)
    assert browser.get("/till", 302).response.headers["Location"].startswith("/sign-in")


def test_a_till_left_alone_signs_out_without_its_pin(left_alone, moment, session):
    moment.forward(minutes=31)
    left_alone.post("/sign-out")
    assert row(session).ended_at is not None


def test_what_was_scanned_goes_on(till, d, moment):
    benefit = d.issue()
    page = till.get("/till")
    moment.forward(minutes=6)
    locked = till.submit(page, "#scan", 401, code=benefit.redeem_code_pos)
    assert "what you typed is kept" in locked.text
    answer = till.submit(locked, OPENS, password_again=PIN)
    assert answer.response.headers["Location"] == f"/till/benefits/{benefit.id}"


def test_what_was_typed_comes_back_and_is_not_done_before_it_is_pressed_again(till, d, moment, session):
    page = till.get(f"/till/benefits/{d.issue().id}")
    moment.forward(minutes=6)
    locked = till.submit(page, "#till", 401, count="3", receipt_ref="S-12 <b>")
    locked = till.submit(locked, OPENS, 401, password_again="9999")
    back = till.submit(locked, OPENS, 200, password_again=PIN)
    assert "Nothing was redeemed meanwhile" in back.text
    assert (back.one("#count")["value"], back.one("#receipt_ref")["value"]) == ("3", "S-12 <b>")
    assert back.one("details.till__more").has_attr("open")
    assert redemptions(session) == 0
    till.submit(back, "#till")
    assert redemptions(session) == 1
    assert session.scalars(select(Redemption)).one().count == 3


def test_a_voucher_waits_for_another_press_too(till, d, moment, settings, session):
    mint = Mint(code_key(settings.secret_key), randomness.entropy)
    kind = d.make.voucher_type(title="Gift card", site_id=d.definition.site_id)
    winner = d.make.winner(d.make.reward(site_id=kind.site_id, voucher_type_id=kind.id))
    vouchers_of = AllocateVouchers(kind.id, winner.id, winner.profile_id, 1, "Europe/London", "winner")
    perform(session, d.actor, NOW, lambda work: vouchers.generate(work, GenerateVouchers(kind.id, 1), mint))
    (voucher,) = perform(session, d.actor, NOW, lambda work: vouchers.allocate(work, vouchers_of))
    page = till.get(f"/till/vouchers/{voucher.id}")
    moment.forward(minutes=6)
    back = till.submit(till.submit(page, "#till", 401), OPENS, 200, password_again=PIN)
    assert back.texts(".verdict__word") == ["Good"]
    assert "Nothing was redeemed meanwhile" in back.text
    shown = till.follow(till.submit(back, "#till"))
    assert shown.texts(".verdict__word") == ["Redeemed"]


def test_a_part_leads_to_the_lock_and_back_to_its_page(till, moment):
    moment.forward(minutes=6)
    page = till.get("/till/people?q=ann", 401, headers=PART)
    assert page.response.headers["HX-Redirect"] == "/till/lock?next=/till/people?q%3Dann"
    locked = till.get(page.response.headers["HX-Redirect"], 401)
    answer = till.submit(locked, OPENS, password_again=PIN)
    assert answer.response.headers["Location"] == "/till/people?q=ann"


def test_a_form_sent_by_htmx_is_kept_within_the_page(till, d, moment, session):
    moment.forward(minutes=6)
    page = till.post("/till", {"code": d.issue().redeem_code_pos}, 401, headers=PART)
    assert (page.response.headers["HX-Retarget"], page.response.headers["HX-Reswap"]) == ("#main", "innerHTML")
    assert page.one("textarea[name=code]")
    answer = till.submit(page, OPENS, password_again=PIN)
    assert "/till/benefits/" in answer.response.headers["Location"]


def test_wrong_pins_are_counted_in_the_database_and_the_fifth_ends_the_session(till, d, moment, session):
    page = till.get(f"/till/benefits/{d.issue().id}")
    moment.forward(minutes=6)
    page = till.submit(page, "#till", 401, receipt_ref="S-12")
    for number in range(1, 5):
        page = till.submit(page, OPENS, 401, password_again=f"999{number}")
        left = f"{5 - number} more wrong one{'s' if number < 4 else ''}"
        assert page.texts("#password_again-error") == [f"This is not your PIN. After {left} you are signed out."]
        assert not page.one("#password_again").get("value")
        assert row(session).wrong_proof_count == number
        assert row(session).ended_at is None
    out = till.submit(page, OPENS, 401, password_again="9995")
    assert out.texts("h1") == ["Sign in"]
    assert "The locked till was given 5 wrong answers in a row, so you are signed out." in out.text
    assert "S-12" in out.text
    assert "9995" not in out.text
    assert out.response.headers["Clear-Site-Data"]
    assert row(session).ended_at == moment.now
    assert events(session) == ["staff.proof-wrong"] * 5 + ["staff.till-ended"]
    facts = session.scalars(select(AuditEntry.facts).where(AuditEntry.event == "staff.proof-wrong")).all()
    assert facts[-1] == {"what": "PIN", "number": 5}
    till.get("/till", 302)


def test_whoever_was_signed_out_with_nothing_typed_comes_back_to_the_page(till, moment, session):
    moment.forward(minutes=6)
    page = till.get("/till/people", 401)
    for number in range(1, 6):
        page = till.submit(page, OPENS, 401, password_again=f"999{number}")
    assert "so you are signed out" in page.text
    assert page.fields("main form")["kept"] == ""


def test_the_right_pin_forgets_the_wrong_ones(till, moment, session):
    for _ in range(3):
        moment.forward(minutes=6)
        page = till.get("/till", 401)
        for number in range(1, 5):
            page = till.submit(page, OPENS, 401, password_again=f"999{number}")
        till.submit(page, OPENS, password_again=PIN)
        assert row(session).wrong_proof_count == 0


def test_no_try_is_left_when_five_were_counted_at_once(till, moment, session):
    moment.forward(minutes=6)
    row(session).wrong_proof_count = 5
    session.commit()
    till.submit(till.get("/till", 401), OPENS, 401, password_again=PIN)
    assert row(session).ended_at == moment.now


def test_without_a_pin_it_is_the_password(without_pin, moment, session):
    moment.forward(minutes=6)
    page = without_pin.get("/till", 401)
    assert "Your password" in page.text
    assert page.one("a[href='/account/pin']")
    page = without_pin.submit(page, OPENS, 401, password_again=PIN)
    assert page.texts("#password_again-error") == [
        "This is not your password. After 4 more wrong ones you are signed out."
    ]
    without_pin.submit(page, OPENS, password_again=WORDS)
    without_pin.get("/till")
    facts = session.scalars(select(AuditEntry.facts).where(AuditEntry.event == "staff.proof-wrong")).all()
    assert facts == [{"what": "password", "number": 1}]


def test_tries_of_the_password_count_with_those_of_signing_in(without_pin, anonymous, moment, session):
    moment.forward(minutes=6)
    page = without_pin.get("/till", 401)
    for number in range(2):
        page = without_pin.submit(page, OPENS, 401, password_again=f"not my words {number}")
    assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 2
    sign_in_form = anonymous.get("/sign-in").fields() | {"email": "ada@example.org", "password": "a wrong guess"}
    for _ in range(8):
        anonymous.post("/sign-in", sign_in_form, 422)
    page = without_pin.submit(page, OPENS, 429, password_again=WORDS)
    assert "There were too many tries" in page.texts("#password_again-error")[0]
    assert page.response.headers["Retry-After"] == "300"
    assert row(session).wrong_proof_count == 2
    moment.forward(minutes=5, seconds=1)
    without_pin.submit(page, OPENS, password_again=WORDS)
    assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 0  # the right one is forgiven


def test_a_password_given_lately_says_as_much(till, moment, session):
    moment.forward(minutes=6)
    row(session).confirmed_at = moment.now
    session.commit()
    till.get("/till")


def test_no_role_without_the_till_is_asked_for_anything(browser_of, moment):
    browser = browser_of(*(role for role in Role if role is not Role.TILL), totp_since=NOW)
    moment.forward(minutes=6)
    browser.get("/today")
    assert "PIN" not in browser.get("/account").text
    browser.get("/account/pin", 403)
    for url in ("/till", "/till/lock"):
        assert "locked" not in browser.get(url, 403).text


def test_use_is_written_every_few_seconds_and_not_with_each_request(till, d, moment):
    def writes(ask):
        till.statements.clear()
        ask()
        return [one for one in till.statements if "UPDATE staff_sessions" in one and "till_seen_at" in one]

    page = till.get(f"/till/benefits/{d.issue().id}")
    for expected in (0, 0, 1, 0):
        found = writes(lambda: till.submit(page, "#till"))
        assert len(found) == expected, found
        moment.forward(seconds=3)


def test_what_asks_by_itself_neither_writes_nor_keeps_it_open(till, moment, session):
    till.get("/till")
    for _ in range(6):
        moment.forward(seconds=55)
        answer = till.client.get("/till/people", headers=PART | {"HX-PTag": "x"})
    assert answer.status_code == 401
    assert row(session).till_seen_at is None


def test_whoever_only_looks_is_shown_no_lock(make, new_console, session, moment):
    tilly = make.staff(Role.TILL)
    browser = new_console()
    sign_in(browser.client, session, make.actor(Role.ADMINISTRATOR, totp_since=NOW))
    moment.forward(minutes=6)
    row(session).seeing_as_id = tilly.id
    session.commit()
    browser.get("/till")
    browser.post("/till", {"code": "X"}, 403)


@pytest.mark.parametrize("given", ["", "\x00", "x" * 100_000, "\udc80", "４０７１"])
def test_an_odd_answer_is_a_wrong_one(till, moment, session, given):
    moment.forward(minutes=6)
    till.get("/till", 401)
    data = {"password_again": given.encode("utf-8", "surrogatepass")}
    till.post("/till/lock", data, 401)
    assert row(session).wrong_proof_count == 1


class TestSettingOne:
    """On one's own account page, with the password."""

    def test_it_is_set_hashed_and_told(self, without_pin, session, moment):
        page = without_pin.get("/account")
        assert page.texts("#pin a") == ["Set a PIN"]
        without_pin.submit(without_pin.get("/account/pin"), present_password=WORDS, pin_code=PIN)
        stored = session.scalars(select(StaffMember.pin_hash).where(StaffMember.email == "ada@example.org")).one()
        assert stored.startswith("$argon2id$")
        assert PIN not in stored
        assert without_pin.get("/account").texts("#pin a") == ["Change PIN"]
        assert events(session) == ["staff.pin-set"]
        assert session.scalars(select(SignInAttempt)).all() == []
        moment.forward(minutes=6)
        without_pin.submit(without_pin.get("/till", 401), OPENS, password_again=PIN)

    def test_it_is_removed_with_an_empty_field(self, till, session):
        till.submit(till.get("/account/pin"), present_password=WORDS)
        assert (
            session.scalars(select(StaffMember.pin_hash).where(StaffMember.email == "tilly@example.org")).one() is None
        )
        assert events(session) == ["staff.pin-removed"]
        till.submit(till.get("/account/pin"), present_password=WORDS)
        assert events(session) == ["staff.pin-removed"]

    @pytest.mark.parametrize(
        ("present", "pin", "field", "words"),
        [
            ("not my words at all", PIN, "present_password", "This is not your password."),
            ("", PIN, "present_password", "Enter your password."),
            (WORDS, "407", "pin_code", "The PIN has 3 digits; use 4 to 8 digits and nothing else."),
            (WORDS, "abcd", "pin_code", "The PIN has other signs than digits"),
            (WORDS, "1234", "pin_code", "Many people choose this PIN"),
            (WORDS, "7777", "pin_code", "Many people choose this PIN"),
        ],
    )
    def test_one_that_will_not_do_changes_nothing(self, without_pin, session, present, pin, field, words):
        form = without_pin.get("/account/pin")
        page = without_pin.submit(form, status=422, present_password=present, pin_code=pin)
        assert words in page.texts(f"#{field}-error")[0]
        assert not page.one("#pin_code").get("value")
        assert events(session) == []

    def test_guessing_the_password_has_to_wait(self, without_pin, moment):
        data = without_pin.get("/account/pin").fields() | {"present_password": "a wrong guess", "pin_code": PIN}
        for number in range(10):
            without_pin.post("/account/pin", data | {"request_key": f"k{number}"}, status=422)
        page = without_pin.post("/account/pin", data | {"request_key": "k"}, status=429)
        assert page.response.headers["Retry-After"] == "300"

    def test_a_session_that_ended_shows_and_keeps_none_of_it(self, without_pin, moment):
        data = without_pin.get("/account/pin").fields() | {"present_password": WORDS, "pin_code": PIN}
        moment.forward(hours=1)
        page = without_pin.post("/account/pin", data, status=401)
        assert PIN not in str(page.soup)
        assert WORDS not in str(page.soup)
