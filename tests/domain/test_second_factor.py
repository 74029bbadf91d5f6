"""Codes of an authenticator against the vectors of RFC 4226 and RFC 6238, recovery codes, and the cipher they rest in."""

from datetime import UTC, datetime

import pytest

from webapp.domain import ciphers
from webapp.domain import second_factor as rules
from webapp.domain.permissions import Role

SECRET = rules.written(b"12345678901234567890")  # of both RFCs
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HERE = rules.step_at(NOW)
KEY = ciphers.key("a secret of the installation", "second factor")
NONCE = bytes(range(16))

HOTP = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
# RFC 6238 appendix B has eight digits; six are the last of them.
TOTP = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037",
        20000000000: "353130"}  # fmt: skip


@pytest.mark.parametrize(("step", "digits"), list(enumerate(HOTP)))
def test_codes_are_those_of_rfc_4226(step, digits):
    assert rules.code(SECRET, step) == digits


@pytest.mark.parametrize(("second", "digits"), list(TOTP.items()))
def test_codes_are_those_of_rfc_6238(second, digits):
    now = datetime.fromtimestamp(second, UTC)
    assert rules.code(SECRET, rules.step_at(now)) == digits
    assert rules.step_of(SECRET, digits, now, None) == second // 30


@pytest.mark.parametrize("drift", [-1, 0, 1])
def test_a_clock_may_be_one_step_early_or_late(drift):
    assert rules.step_of(SECRET, rules.code(SECRET, HERE + drift), NOW, None) == HERE + drift


@pytest.mark.parametrize("drift", [-2, 2, 100])
def test_a_code_of_another_time_is_none(drift):
    assert rules.step_of(SECRET, rules.code(SECRET, HERE + drift), NOW, None) is None


def test_a_code_counts_once_and_none_before_it_counts_later():
    assert rules.step_of(SECRET, rules.code(SECRET, HERE), NOW, HERE) is None
    assert rules.step_of(SECRET, rules.code(SECRET, HERE - 1), NOW, HERE) is None
    assert rules.step_of(SECRET, rules.code(SECRET, HERE + 1), NOW, HERE) == HERE + 1


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\ud800", "0" * 10_000])
def test_nonsense_is_no_code(typed):
    assert rules.step_of(SECRET, typed, NOW, None) is None


def test_a_code_may_be_typed_with_spaces():
    digits = rules.code(SECRET, HERE)
    assert rules.step_of(SECRET, f" {digits[:3]} {digits[3:]}", NOW, None) == HERE


def test_recovery_codes_are_read_as_they_are_written_down():
    codes = rules.recovery_codes(bytes(range(100)))
    assert len(set(codes)) == 10
    first = codes[0]
    assert len(first) == 19
    assert rules.recovery_hash(first) == rules.recovery_hash(f" {first.lower().replace('-', ' ')}")
    assert rules.is_recovery(first)
    assert not rules.is_recovery("123 456")


@pytest.mark.parametrize(
    ("roles", "is_optional", "needed"),
    [
        ([Role.DRAW_SUPERVISOR], False, True),
        ([Role.ADMINISTRATOR, Role.VIEWER], False, True),
        ([Role.EDITOR, Role.TILL, Role.FULFILMENT, Role.VIEWER], False, False),
        ([Role.ADMINISTRATOR], True, False),
        ([], False, False),
    ],
)
def test_who_needs_one(roles, is_optional, needed):
    assert rules.is_needed(roles, is_optional=is_optional) is needed


def test_what_is_sealed_opens_again_and_shows_nothing():
    sealed = ciphers.seal(KEY, "staff_members:1", NONCE, SECRET)
    assert ciphers.unseal(KEY, "staff_members:1", sealed) == SECRET
    assert SECRET not in sealed
    assert ciphers.seal(KEY, "staff_members:1", bytes(16), SECRET)[24:] != sealed[24:]
    assert len(sealed) <= 400  # the column


def test_another_key_or_another_row_does_not_open_it():
    sealed = ciphers.seal(KEY, "staff_members:1", NONCE, SECRET)
    for key, context in ((KEY, "staff_members:2"), (ciphers.key("another", "second factor"), "staff_members:1")):
        with pytest.raises(ciphers.Unopenable):
            ciphers.unseal(key, context, sealed)


def test_every_changed_sign_is_noticed():
    sealed = ciphers.seal(KEY, "staff_members:1", NONCE, SECRET)
    for place in range(len(sealed) - 2):  # the last signs carry bits that base64 leaves out
        other = "A" if sealed[place] != "A" else "B"
        with pytest.raises(ciphers.Unopenable):
            ciphers.unseal(KEY, "staff_members:1", sealed[:place] + other + sealed[place + 1 :])


@pytest.mark.parametrize("text", ["", "A", "====", "ä", "A" * 64])
def test_what_was_never_sealed_does_not_open(text):
    with pytest.raises(ciphers.Unopenable):
        ciphers.unseal(KEY, "staff_members:1", text)


def test_a_short_nonce_is_refused():
    with pytest.raises(ValueError, match="A nonce has 16 bytes"):
        ciphers.seal(KEY, "x", b"short", "text")
