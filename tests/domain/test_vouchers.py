"""Voucher states, codes, patterns and last days: K128-K132, P18, P19."""

import hashlib
import hmac
import os
import struct
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from webapp.domain import voucher_codes as codes
from webapp.domain import voucher_patterns as patterns
from webapp.domain import voucher_uploads as uploads
from webapp.domain import vouchers as rules
from webapp.domain.errors import Conflict, Refused
from webapp.domain.vouchers import Move, VoucherStatus

KEY = b"a key of thirty-two bytes, here."
MELBOURNE, LONDON, SANTIAGO = ZoneInfo("Australia/Melbourne"), ZoneInfo("Europe/London"), ZoneInfo("America/Santiago")


def repeatable(seed=7):
    """A source of bytes that look random and are the same in every run."""
    calls = iter(range(1_000_000))
    return lambda size: hashlib.shake_256(f"{seed}:{next(calls)}".encode()).digest(size)


# Codes


def test_a_code_has_ten_random_symbols_and_a_check_symbol_of_the_same_alphabet():
    batch = codes.codes(repeatable(), 2_000)

    assert {len(code) for code in batch} == {11}
    assert set("".join(batch)) == set(codes.ALPHABET)
    assert all(codes.check_ok(code) for code in batch)


def test_the_check_symbol_is_crockfords_remainder_of_37():
    def value_of(body):
        value = 0
        for symbol in body:
            value = value * 32 + codes.ALPHABET.index(symbol)
        return value

    for code in codes.codes(repeatable(), 300):
        assert value_of(code[:-1]) % 37 == codes.ALPHABET.index(code[-1])
    assert codes.check_symbol("000000000Z") == "Z"
    assert codes.check_symbol("0000000010") is None  # 32 is Crockford's «*»


def test_codes_of_a_batch_are_distinct_sorted_and_as_many_as_asked():
    batch = codes.codes(repeatable(), 100_000)

    assert len(batch) == len(set(batch)) == 100_000
    assert batch == sorted(batch)
    assert codes.codes(repeatable(), 0) == []


def test_a_source_that_repeats_itself_still_gives_distinct_codes():
    honest, stuck = repeatable(), iter([True, True])

    def source(size):
        return bytes(size) if next(stuck, False) else honest(size)

    assert len(set(codes.codes(source, 5))) == 5


def test_large_numbers_come_in_sorted_lists():
    lists = list(codes.code_batches(repeatable(), 2_500, size=1_000))

    assert [len(part) for part in lists] == [1_000, 1_000, 500]
    assert all(part == sorted(part) for part in lists)
    assert len({code for part in lists for code in part}) == 2_500


def test_p18_every_symbol_is_equally_likely_in_every_place():
    batch = [code for part in codes.code_batches(repeatable(), 100_000) for code in part]

    for place in range(11):
        seen = Counter(code[place] for code in batch)
        expected = len(batch) / 32
        chi_square = sum((seen[symbol] - expected) ** 2 / expected for symbol in codes.ALPHABET)
        assert chi_square < 68  # 31 degrees of freedom: one fair source in 8,000 exceeds it


def test_the_operating_system_is_a_source():
    assert len(codes.codes(os.urandom, 10)) == 10


def test_p19_every_single_slip_and_every_swap_of_neighbours_is_found():
    batch = codes.codes(repeatable(), 500)
    numbers = struct.iter_unpack(">4H", repeatable(19)(8 * 25_000))
    slips = 0
    for which, place, symbol, swap in numbers:
        code, at = batch[which % 500], place % 10
        wrong = code[: place % 11] + codes.ALPHABET[symbol % 32] + code[place % 11 + 1 :]
        if swap % 2:
            wrong = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
        if wrong != code:  # the same symbol again, or two equal neighbours: nothing slipped
            slips += 1
            assert not codes.check_ok(wrong)
    assert slips >= 20_000


@pytest.mark.parametrize("length", [codes.STANDARD, codes.OPEN_WEB])
def test_p19_holds_for_all_slips_of_one_code(length):
    code = codes.codes(repeatable(), 1, length=length)[0]
    for at in range(len(code)):
        for symbol in set(codes.ALPHABET) - {code[at]}:
            assert not codes.check_ok(code[:at] + symbol + code[at + 1 :])


@pytest.mark.parametrize(
    "typed",
    [
        "K7QM-29XD-1V0",
        "k7qm 29xd 1v0",
        "K7QM29XDlvO",
        " k7qm\u201329xd\u2013iv o ",
        "K7QM\u00a029XD\u20111V0\n",
        "K7QM_29XD_1V0",
        "\u200eK7QM\u200b-29XD-1V0\ufeff",
    ],
)
def test_a_code_is_read_back_whatever_was_typed_for_it(typed):
    assert codes.normalise(typed) == "K7QM29XD1V0"


@pytest.mark.parametrize(
    "typed", ["", "-", "K7QM", "UUUUUUUUUUU", "K7QM29XD1V0EXTRA!", "\u0660" * 11, "ß" * 11, "\x00"]
)
def test_what_is_no_code_is_no_code(typed):
    assert not codes.check_ok(typed)


def test_codes_are_grouped_for_reading():
    standard, long = codes.codes(repeatable(), 1)[0], codes.codes(repeatable(), 1, length=codes.OPEN_WEB)[0]

    assert [len(group) for group in codes.grouped(standard).split("-")] == [4, 4, 3]
    assert [len(group) for group in codes.grouped(long).split("-")] == [4, 4, 4, 4]
    assert codes.check_ok(codes.grouped(standard).lower())
    assert codes.grouped("MM-2026-K7QM") == "MM-2026-K7QM"


@pytest.mark.parametrize(
    ("code", "shown"), [("K7QM-29XD-4TV", "••••D4TV"), ("MM-2026-K7QM", "••••K7QM"), ("ABCDE", "••••DE"), ("A", "••••")]
)
def test_a_masked_code_shows_at_most_the_last_four_and_never_more_than_half(code, shown):
    assert codes.masked(code) == shown


def test_a_code_is_looked_up_by_a_keyed_hash_of_its_normal_form():
    hashed = codes.code_hash(KEY, "k7qm-29xd-4tv")

    assert hashed == hmac.new(KEY, b"K7QM29XD4TV", hashlib.sha256).hexdigest()
    assert codes.code_hashes(KEY, ["K7QM29XD4TV", "K7QM29XD4TW"])[0] == hashed
    assert codes.code_hash(KEY[::-1], "K7QM29XD4TV") != hashed


# Patterns


def test_k129_a_pattern_gives_a_sample_and_a_thousand_distinct_codes():
    pattern = patterns.parse("MM-{year}-{rand:4}")
    batch = patterns.fill(pattern, repeatable(), 1_000, date(2026, 11, 22))

    assert patterns.may_generate(pattern, 1_000).ok
    assert len(set(batch)) == 1_000
    assert all(code.startswith("MM-2026-") and len(code) == 12 for code in batch)
    assert set("".join(code[8:] for code in batch)) == set(codes.ALPHABET)


def test_k129_a_pattern_can_be_as_strong_as_128_bits():
    assert patterns.parse("{rand:26}").bits == 130
    assert patterns.warning(patterns.parse("{rand:26}")) is None


def test_fields_are_filled_and_digits_are_fair():
    pattern = patterns.parse("A{month}{digits:3}z")
    batch = patterns.fill(pattern, repeatable(), 1_000, date(2026, 3, 1))

    assert batch == [f"A03{number:03}z" for number in range(1_000)]  # every one of them, so none is left out
    assert pattern.possibilities == 1_000


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "no random part"),
        ("MM-{year}", "no random part"),
        ("MM {rand:4}", "Character 3 of the pattern, « »"),
        ("{rand:4", "Character 1 of the pattern, «{»"),
        ("{rand}", "«{rand}», which is not a field"),
        ("{rand:0}", "not a field"),
        ("{rand:33}", "not a field"),
        ("{rand:\uff14}", "not a field"),
        ("{code.__class__}{rand:9}", "not a field"),
        ("é{rand:9}", "Character 1"),
        ("A" * 60 + "{rand:5}", "65 characters; 64 is the most"),
        ("{rand:9}\n", "Character 9"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused_with_the_place(text, part):
    with pytest.raises(Refused, match=part.replace("{", r"\{").replace("}", r"\}")) as refusal:
        patterns.parse(text)
    assert refusal.value.field == "code_pattern"


def test_a_weak_pattern_is_warned_of_with_its_bits():
    assert "20 bits" in patterns.warning(patterns.parse("MM-{year}-{rand:4}"))
    assert patterns.warning(patterns.parse("{rand:10}")) is None


@pytest.mark.parametrize(
    ("count", "existing", "ok"), [(1_048, 0, True), (1_049, 0, False), (48, 1_000, True), (49, 1_000, False)]
)
def test_a_pattern_too_small_for_the_codes_wanted_is_refused(count, existing, ok):
    verdict = patterns.may_generate(patterns.parse("MM-{rand:4}"), count, existing)

    assert verdict.ok is ok
    assert ok or "1,048,576 different codes, and 1,049 codes need at least 1,049,000" in verdict.reasons[0].message


# States


@pytest.mark.parametrize("status", VoucherStatus)
def test_a_state_and_its_letter_name_one_another(status):
    assert VoucherStatus.from_letter(f" {status.letter.lower()} ") is status


def test_the_letters_are_those_of_the_files():
    assert "".join(status.letter for status in VoucherStatus) == "IAPRC"
    with pytest.raises(Refused, match="use I, A, P, R or C"):
        VoucherStatus.from_letter("X")


def test_k131_allocate_then_redeem_and_redeem_again_conflicts():
    allocated = rules.after(VoucherStatus.IDLE, Move.ALLOCATE)
    redeemed = rules.after(allocated, Move.REDEEM)

    assert (allocated.letter, redeemed.letter) == ("A", "R")
    with pytest.raises(Conflict, match="is redeemed and cannot be redeemed; only allocated or pending vouchers can"):
        rules.after(redeemed, Move.REDEEM)


def test_k132_a_cancelled_voucher_is_redeemed_only_after_it_was_reactivated_with_a_reason():
    cancelled = rules.after(VoucherStatus.ALLOCATED, Move.CANCEL)

    with pytest.raises(Conflict, match="is cancelled"):
        rules.after(cancelled, Move.REDEEM)
    with pytest.raises(Refused, match="Say why"):
        rules.after(cancelled, Move.REACTIVATE, " ")
    assert rules.after(cancelled, Move.REACTIVATE, "cancelled by mistake") is VoucherStatus.ALLOCATED


ALLOWED = {
    Move.ALLOCATE: "I",
    Move.HOLD: "A",
    Move.REDEEM: "AP",
    Move.LET_GO: "P",
    Move.REVERSE: "R",
    Move.CANCEL: "IAP",
    Move.REACTIVATE: "C",
    Move.RELEASE: "AC",
}


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("status", VoucherStatus)
def test_every_move_starts_only_where_it_may(status, move):
    verdict = rules.may_move(status, move)

    assert verdict.ok is (status.letter in ALLOWED[move])
    assert verdict.ok or verdict.reasons[0].code == f"voucher.{status}"


def test_a_screen_asks_about_the_state_before_there_is_a_reason():
    assert rules.may_move(VoucherStatus.REDEEMED, Move.REVERSE).ok
    assert not rules.may_move(VoucherStatus.REDEEMED, Move.REVERSE, "").ok


# Last days


def local(*parts, zone):
    return datetime(*parts, tzinfo=zone).astimezone(UTC)


def test_k130_the_earlier_of_days_and_fixed_date_counts():
    allocated = local(2026, 1, 1, 10, zone=LONDON)

    assert rules.expires_at(allocated, 30, date(2026, 1, 15), LONDON) == local(2026, 1, 16, zone=LONDON)
    assert rules.expires_at(allocated, 30, date(2026, 3, 1), LONDON) == local(2026, 2, 1, zone=LONDON)
    assert rules.expires_at(allocated, 30, None, LONDON) == local(2026, 2, 1, zone=LONDON)
    assert rules.expires_at(allocated, None, date(2026, 1, 15), LONDON) == local(2026, 1, 16, zone=LONDON)
    assert rules.expires_at(allocated, None, None, LONDON) is None


def test_the_last_second_of_the_day_is_good_and_the_next_is_not():
    end = rules.expires_at(local(2026, 1, 1, 10, zone=LONDON), 14, None, LONDON)

    assert not rules.is_expired(end, local(2026, 1, 15, 23, 59, 59, zone=LONDON))
    assert rules.is_expired(end, local(2026, 1, 16, zone=LONDON))
    assert not rules.is_expired(None, datetime.max.replace(tzinfo=UTC))


def test_days_are_days_of_the_zone_where_the_voucher_was_allocated():
    evening = datetime(2026, 1, 31, 13, 30, tzinfo=UTC)  # the first of February in Melbourne

    assert rules.expires_at(evening, 1, None, MELBOURNE) == local(2026, 2, 3, zone=MELBOURNE)
    assert rules.expires_at(evening, 1, None, LONDON) == local(2026, 2, 2, zone=LONDON)


def test_a_change_of_the_clock_does_not_move_the_end_of_the_day():
    before = local(2026, 3, 30, 12, zone=MELBOURNE)

    assert rules.expires_at(before, 14, None, MELBOURNE) == datetime(2026, 4, 13, 14, tzinfo=UTC)
    assert rules.expires_at(before, 1, None, MELBOURNE) == datetime(2026, 3, 31, 13, tzinfo=UTC)


def test_a_midnight_that_does_not_exist_is_the_first_instant_after_the_gap():
    end = rules.expires_at(local(2026, 9, 4, 12, zone=SANTIAGO), 1, None, SANTIAGO)

    assert end == datetime(2026, 9, 6, 4, tzinfo=UTC)
    assert end.astimezone(SANTIAGO).hour == 1
    assert (end - timedelta(seconds=1)).astimezone(SANTIAGO).date() == date(2026, 9, 5)


@pytest.mark.parametrize("days", [0, -1, 36_526, 10**12])
def test_impossible_numbers_of_days_are_refused(days):
    with pytest.raises(Refused, match="use 1 to 36,525"):
        rules.expires_at(local(2026, 1, 1, zone=LONDON), days, None, LONDON)


def test_a_date_at_the_end_of_the_calendar_is_refused():
    with pytest.raises(Refused, match="The year 9999 is too far away"):
        rules.expires_at(local(2026, 1, 1, zone=LONDON), None, date.max, LONDON)


# Names


@pytest.mark.parametrize("text", ["shirts 1!", "", "a_b", "é", "a" * 65, "shirts\n", "\uff11"])
def test_k128_a_type_code_has_letters_digits_and_dashes_only(text):
    with pytest.raises(Refused, match="letters, digits and dashes"):
        rules.type_code(text)


def test_k128_a_good_type_code_stays_as_it_is():
    assert rules.type_code("Shirts-1") == "Shirts-1"


def test_an_uploaded_code_loses_the_space_around_it():
    assert rules.uploaded_code("  1234  5678-AB! ") == "1234 5678-AB!"


@pytest.mark.parametrize("text", ["", "abc", "a - b c", "ab\x00cd", "naïve", "a" * 65, "\u202e12345"])
def test_an_uploaded_code_nobody_could_type_is_refused(text):
    with pytest.raises(Refused, match="cannot be a voucher code"):
        rules.uploaded_code(text)


# Taken back (product.md ruling 11)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"added": 0}, "upload.not_added"),
        ({"added": 1, "undoing": True}, "upload.undoing"),
        ({"added": 1, "undoing": True, "undone": True}, "upload.undone"),
        ({"added": 1}, None),
    ],
)
def test_ruling_11_an_upload_is_taken_back_once_and_only_what_was_added(facts, code):
    verdict = uploads.may_take_back(uploads.UploadFacts("codes.csv", **facts))
    assert [reason.code for reason in verdict.reasons] == ([code] if code else [])
    assert all("codes.csv" in reason.message for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("status", "printed", "has_past", "words"),
    [
        (VoucherStatus.IDLE, 1, True, "It was printed."),
        (VoucherStatus.IDLE, 0, False, "It was shown in full, so somebody may know it."),
        (VoucherStatus.IDLE, 0, True, "It was given to somebody or cancelled before; its log says more."),
        (VoucherStatus.REDEEMED, 1, True, "It is redeemed."),
    ],
)
def test_ruling_11_why_a_code_stays(status, printed, has_past, words):
    assert uploads.why_it_stays(uploads.CodeTraces(status, printed, has_past=has_past)) == words
