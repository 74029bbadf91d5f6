"""Benefits.md 13.7: codes that others made come into the pool of a voucher type, and out of it in the right order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from tests.support.benefits import MELBOURNE, MINT, T, programme
from webapp.domain.errors import NotFound, Refused
from webapp.domain.vouchers import VoucherStatus
from webapp.models import AuditEntry, StoredFile, Voucher
from webapp.queries import voucher_pool
from webapp.queries import voucher_uploads as read
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import housekeeping, profiles, vouchers
from webapp.services.vouchers import AddCodes, UploadCodes

ABOUT = [item for item in INVARIANTS if "benefit" in item.sql or "voucher" in item.sql]
DAY = timedelta(days=1)


@pytest.fixture
def d(make, actor):
    """The programme of section 13; whatever a test did, every invariant of benefits and vouchers holds afterwards."""
    found = programme(make, actor, end_at=None)
    found.change(force_allocation=True, voucher_type_id=a_type(found).id)
    yield found
    found.session.rollback()
    assert {item.name: broken(found.session, item) for item in ABOUT if broken(found.session, item)} == {}


def a_type(d, **more):
    site = d.make.site(timezone=MELBOURNE).id
    values = {"site_id": site, "value_minor": 700, "currency": "AUD", "valid_for_days": None}
    return d.make.voucher_type(**values | more)


def checked(d, *rows, headings=("Code",), kind=None):
    lines = [(line, [row] if isinstance(row, str) else list(row)) for line, row in enumerate(rows, start=2)]
    kind_id = kind.id if kind else d.definition.voucher_type_id
    return d.do(partial(vouchers.upload, mint=MINT), UploadCodes(kind_id, "codes.csv", headings, lines))


def added(d, batch):
    return d.do(partial(vouchers.add_uploaded, mint=MINT), AddCodes(batch.voucher_type_id, batch.id))


def upload(d, *rows, headings=("Code",), kind=None):
    return added(d, checked(d, *rows, headings=headings, kind=kind))


def code_of(d, benefit):
    return d.session.get_one(Voucher, benefit.voucher_id).code


def counters(d):
    kind = d.definition.voucher_type
    d.session.refresh(kind)
    return kind.idle_count, kind.allocated_count


def refused(code, act, *args, **more):
    with pytest.raises(Refused) as refusal:
        act(*args, **more)
    assert refusal.value.code == code
    return refusal.value


# Into the pool


def test_13_7_upload(d):
    rows = [f"SHOP-{number:04}" for number in range(997)]
    batch = checked(d, *rows, rows[0], "shop 0001", "SHOP0002")
    assert counters(d) == (0, 0)
    assert (batch.upload["good"], batch.upload["twice"], batch.upload["bad"]) == (997, 3, 0)
    assert batch.upload["problems"] == [
        [999, "••••0000", "The code stands on line 2 already."],
        [1000, "••••0001", "The code stands on line 3 already."],
        [1001, "••••0002", "The code stands on line 4 already."],
    ]
    kept = batch.file_id
    assert added(d, batch).made == 997
    assert counters(d) == (997, 0)
    (told,) = d.session.scalars(select(AuditEntry).where(AuditEntry.event == "vouchers.uploaded"))
    assert told.facts["count"] == 997
    assert d.session.get(StoredFile, kept, populate_existing=True) is None
    assert added(d, batch).made == 997  # pressed twice
    assert counters(d) == (997, 0)


def test_13_7_duplicate_across_upload(d):
    """A second type is refused it as well: the till looks a code up without being told the type. Definitions may share one."""
    upload(d, "ALPHA-1", "ALPHA-2")
    batch = checked(d, "ALPHA-1", "ALPHA-3")
    assert batch.upload["problems"] == [[2, "••••HA1", "This type has this code already."]]
    other = checked(d, "ALPHA-1", kind=a_type(d))
    assert other.upload["problems"][0][2] == "Another voucher type has this code already."
    refused("upload.nothing", added, d, other)
    second = d.make.benefit_definition(voucher_type_id=d.definition.voucher_type_id, force_allocation=True)
    d.session.commit()
    assert [code_of(d, d.issue()), code_of(d, d.issue(definition_id=second.id))] == ["ALPHA-1", "ALPHA-2"]


def test_a_code_that_came_meanwhile_is_left_out(d):
    first, second = checked(d, "ALPHA-1", "ALPHA-2"), checked(d, "ALPHA-2", "ALPHA-3")
    assert (added(d, first).made, added(d, second).made, counters(d)) == (2, 1, (3, 0))


def test_bad_rows_say_why(d):
    headings = ("Voucher code", "Valid from", "Valid until", "Member id", "Value", "Colour")
    empty = ("", "", "", "", "red")
    batch = checked(
        d,
        ("GOOD1", *empty),
        ("", *empty),
        ("Ünfit", *empty),
        ("CODE3", "", "2026-02-28", "", "", ""),
        ("CODE4", "2026-04-01", "2026-03-31", "", "", ""),
        ("CODE5", "soon", "", "", "", ""),
        ("CODE6", "", "", "M-NOBODY", "", ""),
        ("CODE7", "", "", "", "much", ""),
        ("CODE8",),
        headings=headings,
    )
    assert (batch.upload["good"], batch.upload["bad"], batch.upload["unread"]) == (1, 8, ["Colour"])
    reasons = {line: reason for line, _code, reason in batch.upload["problems"]}
    assert list(reasons) == list(range(3, 11))
    for line, words in {
        3: "The row has no code.",
        4: "unaccented letters",
        5: "«2026-02-28» is over",
        6: "before it begins",
        7: "«soon» is not a day",
        8: "Nobody has the member id «M-NOBODY».",
        9: "«much» is not an amount",
        10: "The row has 1 value where the heading has 6",
    }.items():
        assert words in reasons[line]


def test_a_value_needs_a_currency_of_the_type(d):
    batch = checked(d, ("CODE1", "5"), headings=("Code", "Value"), kind=a_type(d, value_minor=None, currency=""))
    assert "no currency" in batch.upload["problems"][0][2]


def test_a_file_without_codes_or_with_too_many_is_refused(d):
    assert "«Code»" in refused("upload.no_code", checked, d, "X", headings=("Number",)).message
    refused("upload.column_twice", checked, d, ("A", "B"), headings=("Code", "Voucher code"))
    many = UploadCodes(d.definition.voucher_type_id, "x.csv", ("Code",), [(1, ["X"])] * 10_001)
    assert "10,001" in refused("upload.many", d.do, partial(vouchers.upload, mint=MINT), many).message


def test_an_upload_of_another_type_is_not_found(d):
    batch = checked(d, "ALPHA-1")
    with pytest.raises(NotFound):
        d.do(partial(vouchers.add_uploaded, mint=MINT), AddCodes(a_type(d).id, batch.id))


def test_days_of_a_workbook_count_whole_and_moments_to_the_second(d):
    headings = ("Code", "Valid from", "Valid until")
    upload(
        d,
        ("CODE1", "2026-03-05T00:00:00", "2026-03-10T00:00:00"),
        ("CODE2", "2026-03-05T10:00+11:00", "2026-03-10 12:00"),
        headings=headings,
    )
    found = d.session.execute(select(Voucher.valid_from, Voucher.expires_at).order_by(Voucher.id)).all()
    assert [tuple(row) for row in found] == [
        (datetime(2026, 3, 4, 13, tzinfo=UTC), datetime(2026, 3, 10, 13, tzinfo=UTC)),
        (datetime(2026, 3, 4, 23, tzinfo=UTC), datetime(2026, 3, 10, 1, tzinfo=UTC)),
    ]


def test_a_short_code_never_shows_more_than_half_of_itself(d):
    upload(d, "AB12")
    assert d.session.scalar(select(Voucher.last_four)) == "12"


# Out of the pool


def test_13_7_take(d):
    upload(d, "ALPHA-1")
    benefit = d.issue()
    voucher = d.session.get_one(Voucher, benefit.voucher_id)
    assert (voucher.code, voucher.status) == ("ALPHA-1", VoucherStatus.ALLOCATED)
    assert (voucher.allocated_at, voucher.profile_id) == (T, d.person.id)
    assert counters(d) == (0, 1)


def test_13_7_order(d):
    upload(d, ("NEVER-1", ""), ("MAY-1", "2026-05-01"), ("APR-1", "2026-04-01"), ("APR-2", "2026-04-01"),
           headings=("Code", "Valid until"))  # fmt: skip
    assert [code_of(d, d.issue()) for _ in range(4)] == ["APR-1", "APR-2", "MAY-1", "NEVER-1"]


def test_13_7_not_yet_valid(d):
    upload(d, ("LATER-1", "2026-03-02"), headings=("Code", "Valid from"))
    refused("no_codes_left", d.issue)
    assert counters(d) == (1, 0)
    assert read.apart(d.session, d.definition.voucher_type_id, d.at).not_yet == 1
    d.forward(days=1)
    assert code_of(d, d.issue()) == "LATER-1"


def test_13_7_expired_code(d):
    upload(d, ("SOON-1", "2026-03-01"), headings=("Code", "Valid until"))
    d.forward(days=2)
    refused("no_codes_left", d.issue)
    assert counters(d) == (1, 0)
    assert read.apart(d.session, d.definition.voucher_type_id, d.at).lapsed == 1


def test_13_7_cap_expiry(d):
    upload(d, ("CAP-1", "2026-03-10"), headings=("Code", "Valid until"))
    assert d.issue().expires_at == datetime(2026, 3, 10, 12, 59, 59, tzinfo=UTC)


def test_13_7_value(d):
    upload(d, ("FIFTY-1", "50"), ("PLAIN-1", ""), headings=("Code", "Value"))
    assert [d.issue().value_minor for _ in range(2)] == [5000, 700]


def test_13_7_force_false_fallback_when_only_codes_of_others_are_left(d):
    d.change(force_allocation=False, redeem_code_pos="COFFEE")
    upload(d, ("KEPT-1", d.person.external_id), headings=("Code", "Member id"))
    benefit = d.issue(d.other)
    assert (benefit.voucher_id, counters(d)) == (None, (1, 0))


def test_13_7_reserved(d):
    upload(d, ("SOON-1", "2026-03-20", ""), ("KEPT-2", "2026-09-01", d.person.external_id),
           ("KEPT-1", "2026-04-01", d.person.external_id), headings=("Code", "Valid until", "Member id"))  # fmt: skip
    assert [code_of(d, d.issue(d.other)), code_of(d, d.issue()), code_of(d, d.issue())] == [
        "SOON-1",
        "KEPT-1",
        "KEPT-2",
    ]


def test_a_merge_moves_the_reservation(d):
    upload(d, ("KEPT-1", d.other.external_id), headings=("Code", "Member id"))
    d.do(profiles.merge, profiles.MergeProfiles(d.person.id, d.other.id, "same phone"))
    assert code_of(d, d.issue()) == "KEPT-1"


def test_a_member_id_that_was_merged_means_the_person_in_the_end(d):
    gone = d.make.profile(merged_into_id=d.person.id)
    upload(d, ("KEPT-1", gone.external_id), headings=("Code", "Member id"))
    assert d.session.scalar(select(Voucher.reserved_for_id)) == d.person.id


def test_13_7_counts(d):
    rows = [("A-0001", "20"), ("A-0002", "20"), ("A-0003", "20"), ("B-0001", "50"), ("B-0002", "50")]
    upload(d, *rows, headings=("Code", "Value"))
    d.issue()
    assert read.remaining(d.session, d.definition.voucher_type_id, d.at) == [(2000, 2), (5000, 2)]


def test_winners_are_given_codes_by_the_same_rule(d, make):
    headings = ("Code", "Valid from", "Valid until", "Member id")
    kind = a_type(d, valid_for_days=30)
    upload(d, ("LATER-1", "2026-03-05", "", ""), ("KEPT-1", "", "", d.other.external_id), ("PLAIN-1", "", "", ""),
           ("SOON-1", "", "2026-03-10", ""), headings=headings, kind=kind)  # fmt: skip
    winner = make.winner(make.reward(), voucher_count=2, profile_id=d.person.id)
    wanted = partial(vouchers.AllocateVouchers, kind.id, winner.id, d.person.id, zone=MELBOURNE, label="prize")
    refused("voucher.short", d.do, vouchers.allocate, wanted(quantity=3))
    given = d.do(vouchers.allocate, wanted(quantity=2))
    assert [voucher.code for voucher in given] == ["SOON-1", "PLAIN-1"]
    assert given[0].expires_at == datetime(2026, 3, 10, 13, tzinfo=UTC)
    assert given[1].expires_at == datetime(2026, 3, 31, 13, tzinfo=UTC)
    d.session.refresh(kind)
    assert (kind.idle_count, kind.allocated_count) == (2, 2)


def test_codes_that_nobody_added_are_forgotten_after_seven_days(d):
    batch, other = checked(d, "FORGOTTEN-1"), checked(d, "ADDED-1")
    added(d, other)
    kept = batch.file_id
    d.at = T + timedelta(days=7)
    assert housekeeping.forget(d.work()) == 0
    d.at += timedelta(seconds=1)
    assert housekeeping.forget(d.work()) == 1
    d.session.commit()
    assert (batch.file_id, batch.upload["lapsed"], "lapsed" in other.upload) == (None, True, False)
    assert d.session.get(StoredFile, kept, populate_existing=True) is None
    with pytest.raises(Refused, match="Upload the file again"):
        added(d, batch)


def test_the_preview_promises_only_a_code_that_the_person_can_be_given(d, make):
    anna, berta = make.profile(external_id="A-1", zone=MELBOURNE), make.profile(external_id="B-1", zone=MELBOURNE)
    kind = d.definition.voucher_type_id
    upload(
        d,
        ("FOR-BERTA-1", "B-1", ""),
        ("NOT-YET-1", "", (T + 2 * DAY).isoformat()),
        headings=("Code", "Member ID", "Valid from"),
    )

    def can(person, at=T):
        return voucher_pool.has_code(d.session, d.definition, person.id, at, MELBOURNE)

    assert (can(anna), can(berta), can(anna, T + 2 * DAY)) == (False, True, True)
    assert voucher_pool.has_codes(d.session, {kind}, berta.id, T) == {kind}
    upload(d, "FOR-ANYBODY-1")
    assert can(anna)
    d.definition.voucher_type.static_expiry_on = (T - DAY).date()
    assert not can(anna)
    d.definition.force_allocation = False
    assert can(anna) is None
    d.session.rollback()


# Codes of benefits that begin later (benefits.md 5.4)


LATER = date(2026, 12, 1)  # nine months from T
BEGINS = datetime(2026, 11, 30, 13, tzinfo=UTC)  # its local midnight


def test_6_4_the_days_of_a_code_count_from_the_day_its_benefit_begins(d, make):
    kind = a_type(d, valid_for_days=180)
    make.voucher(kind)
    d.change(period=400, voucher_type_id=kind.id)
    benefit = d.issue(issued_on=LATER)
    assert benefit.issued_at == BEGINS
    assert benefit.expires_at == datetime(2027, 5, 30, 13, 59, 59, tzinfo=UTC)
    voucher = d.session.get_one(Voucher, benefit.voucher_id, populate_existing=True)
    assert (voucher.allocated_at, voucher.expires_at) == (T, benefit.expires_at + timedelta(seconds=1))


def test_6_4_the_days_of_a_code_for_a_day_that_is_past_count_from_today(d, make):
    kind = a_type(d, valid_for_days=5)
    make.voucher(kind)
    d.change(voucher_type_id=kind.id)
    assert d.issue(issued_on=(T - 10 * DAY).date()).expires_at == datetime(2026, 3, 6, 12, 59, 59, tzinfo=UTC)


def test_6_4_a_code_is_good_on_the_day_its_benefit_begins(d):
    upload(d, ("OVER-1", "2026-06-30", ""), ("GOOD-1", "2026-12-31", ""), ("LATE-1", "", "2026-12-02"),
           ("NOW-1", "", "2026-12-01"), headings=("Code", "Valid until", "Valid from"))  # fmt: skip
    assert [code_of(d, d.issue(issued_on=LATER)) for _ in range(2)] == ["GOOD-1", "NOW-1"]
    said = refused("no_codes_left", d.issue, issued_on=LATER).message
    assert "none is left that is good on 1 December 2026 00:00 (Australia/Melbourne)" in said
    assert counters(d) == (2, 2)
    assert code_of(d, d.issue()) == "OVER-1"
    assert "good on" not in refused("no_codes_left", d.issue).message


def test_6_4_a_voucher_type_that_is_over_by_then_gives_no_code(d, make):
    kind = a_type(d, static_expiry_on=date(2026, 11, 30))
    make.voucher(kind)
    d.change(voucher_type_id=kind.id)
    refused("no_codes_left", d.issue, issued_on=LATER)
    d.change(force_allocation=False)
    assert d.issue(issued_on=LATER).voucher_id is None


def test_5_4_a_code_that_ends_within_the_first_second_is_refused_as_such(d, make):
    make.voucher(d.definition.voucher_type, expires_at=BEGINS + timedelta(milliseconds=500))
    refusal = refused("expires_before_issue", d.issue, issued_on=LATER)
    assert refusal.field == "issued_on"
    assert "Its code ends on 30 November 2026 23:59 (Australia/Melbourne)" in refusal.message
    assert counters(d) == (1, 0)
