"""benefits.md 13.2, the rows of batches: by list, file, group and condition, on the day, resumed, undone."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from tests.support.benefits import MELBOURNE, MINT, T, programme
from tests.support.jobs import run_jobs
from webapp.adapters import spreadsheets
from webapp.domain.audit import Event
from webapp.domain.benefit_batches import ALONE, MOST, MOST_LISTED, Audience, BatchStatus, PassedOver
from webapp.domain.benefits import BenefitState
from webapp.domain.errors import Refused
from webapp.domain.identity import Actor
from webapp.domain.notices import NoticeKind, NoticeStatus, Skip
from webapp.domain.redemptions import BenefitMove
from webapp.domain.vouchers import VoucherStatus
from webapp.models import (
    AuditEntry,
    Benefit,
    BenefitBatch,
    BenefitBatchPerson,
    Notice,
    OutboxMessage,
    Profile,
    Tier,
    Voucher,
)
from webapp.queries import benefit_batches as read
from webapp.queries import benefits as read_benefits
from webapp.queries import files
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import benefits, notices, profiles, vouchers
from webapp.services.benefits import batch_issuing, batch_people, batch_undoing, batches
from webapp.services.benefits.batches import PlanBatch, StartBatch, UndoBatch, WithdrawBatch
from webapp.services.imports import IncomingFile

GOLD = '{"===": [{"var": "tier_handle"}, "gold"]}'
ABOUT = [item for item in INVARIANTS if "benefit" in item.sql or "voucher" in item.sql]


@pytest.fixture
def d(make, actor, moment):
    """The programme of section 13; whatever a test did, every invariant of benefits and vouchers holds afterwards."""
    moment.now = T
    found = programme(make, actor)
    yield found
    found.session.rollback()
    assert {item.name: broken(found.session, item) for item in ABOUT if broken(found.session, item)} == {}


@pytest.fixture
def batch_of(d, moment):
    """Plan and check a batch, and when told start it; gives it as it stands then."""

    def make_batch(*, starts: bool = True, **more):
        plan = PlanBatch(**{"definition_id": d.definition.id, "audience": Audience.LIST} | more)
        batch = d.do(batches.plan, plan)
        run(d, moment)
        if starts:
            start(d, moment, batch.id)
        return look(d, batch.id)

    return make_batch


def run(d, moment):
    moment.now = d.at
    run_jobs(d.session)


def start(d, moment, batch_id):
    d.do(batches.start, StartBatch(batch_id))
    run(d, moment)


def look(d, batch_id):
    d.session.rollback()
    return read.get(d.session, batch_id)


def held(d, batch):
    rows = d.session.scalars(select(Benefit).where(Benefit.batch_id == batch.id).order_by(Benefit.profile_id))
    return list(rows.all())


def counts(batch):
    return batch.people_count, batch.issued_count, batch.passed_count


def uploaded(text, name="people.csv"):
    stream = io.BytesIO(text.encode())
    return IncomingFile(name, spreadsheets.survey(stream, name), spreadsheets.Pieces(stream))


def refused(code, act, *args, **more):
    with pytest.raises(Refused) as refusal:
        act(*args, **more)
    assert refusal.value.code == code
    return refusal.value


# The list


def test_13_2_batch_of_500_rows_with_2_bad_issues_498_and_lists_the_2_with_reasons(d, make, batch_of):
    people = [make.profile(zone=MELBOURNE) for _ in range(498)]
    lines = [person.external_id for person in people]
    batch = batch_of(listed="\n".join([*lines[:100], "M-NOBODY", *lines[100:], "no.body@mail.example"]))
    assert (batch.status, *counts(batch)) == (BatchStatus.ISSUED, 498, 498, 0)
    assert batch.problems == [
        ["101", "M-NOBODY", "Nobody has the member id «M-NOBODY»."],
        ["500", "no.body@mail.example", "Nobody has the e-mail «no.body@mail.example»."],
    ]
    assert [one.profile_id for one in held(d, batch)] == sorted(person.id for person in people)
    d.session.refresh(d.definition)
    assert d.definition.total_global_created == 498


def test_13_2_batch_of_501_rows_is_refused(d, batch_of):
    lines = "\n".join(f"M-{n}" for n in range(MOST_LISTED + 1))
    assert refused("batch.too_many", batch_of, listed=lines).field == "listed"
    assert "501" in refused("batch.too_many", batch_of, listed=lines).message
    refused("batch.nobody", batch_of, listed=" ,;\n")


def test_a_person_named_twice_by_member_id_and_e_mail_gets_one(d, batch_of):
    batch = batch_of(listed=f"{d.person.external_id}, {d.person.email};{d.person.external_id}")
    assert (*counts(batch), batch.twice_count) == (1, 1, 0, 2)


def test_each_benefit_of_a_batch_is_as_one_issued_alone(d, batch_of):
    alone = d.issue(d.other)
    (found,) = held(d, batch_of(listed=d.person.external_id, note="A thank-you"))
    same = (
        "definition_id",
        "terms_number",
        "zone",
        "issued_at",
        "expires_at",
        "max_redemptions",
        "value_minor",
        "source",
    )
    assert [getattr(found, name) for name in same] == [getattr(alone, name) for name in same]
    assert found.expires_at == datetime(2026, 3, 31, 12, 59, 59, tzinfo=UTC)
    assert found.code_key
    assert found.code_key != alone.code_key
    (line,) = read_benefits.changes(d.session, found.id)
    assert (line.move, line.by) == (BenefitMove.ISSUED, d.actor.label)
    assert line.note == f"Batch {found.batch_id}. A thank-you"
    d.redeem(found)
    assert d.state(found) is BenefitState.REDEEMED


def test_13_2_provenance_names_the_batch(d, batch_of):
    batch = batch_of(listed=d.person.external_id)
    assert [one.batch_id for one in held(d, batch)] == [batch.id]
    event = d.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.BATCH_ISSUED)).one()
    assert event.facts == {"title": "Coffee", "count": 1, "passed": 0}


def test_days_count_in_each_persons_own_zone(d, make, batch_of):
    london, nowhere = make.profile(zone="Europe/London"), make.profile(zone="")
    names = f"{d.person.external_id}\n{london.external_id}\n{nowhere.external_id}"
    batch = batch_of(listed=names, expires_on=date(2026, 3, 10))
    ends = {one.profile_id: (one.zone, one.expires_at) for one in held(d, batch)}
    assert ends[d.person.id] == (MELBOURNE, datetime(2026, 3, 10, 12, 59, 59, tzinfo=UTC))
    assert ends[london.id] == ("Europe/London", datetime(2026, 3, 10, 23, 59, 59, tzinfo=UTC))
    assert ends[nowhere.id] == ends[london.id]


def test_a_later_first_day_keeps_the_benefits_back(d, batch_of):
    (one,) = held(d, batch_of(listed=d.person.external_id, issued_on=date(2026, 3, 5)))
    assert d.state(one) is BenefitState.SCHEDULED
    assert one.issued_at == datetime(2026, 3, 4, 13, tzinfo=UTC)


def test_days_that_make_no_benefit_are_refused_before_anything_is_kept(d, batch_of):
    """As is a definition that staff may not issue: «13.1 is_assignable false»."""
    refusal = refused(
        "expires_before_issue", batch_of, listed="x", issued_on=date(2026, 3, 5), expires_on=date(2026, 3, 4)
    )
    assert refusal.field == "expires_on"
    d.change(is_assignable=False)
    refused("not_assignable", batch_of, listed="x")
    d.change(is_assignable=True, is_archived=True)
    refused("archived", batch_of, listed="x")


# The file


def test_13_2_csv_dry_run_flags_an_unknown_e_mail_and_writes_no_benefit(d, batch_of):
    text = f"Name,E-mail\nAnn,{d.person.email}\nNobody,no.body@mail.example\nEmpty,\n"
    batch = batch_of(starts=False, audience=Audience.FILE, file=uploaded(text))
    assert (batch.status, batch.people_count, batch.bad_count) == (BatchStatus.CHECKED, 1, 2)
    assert [line for line, _, _ in batch.problems] == ["3", "4"]
    assert d.session.scalar(select(func.count()).select_from(Benefit)) == 0
    rejects = files.open_binary(d.session, batch.rejects_file_id).read().decode("utf-8-sig")
    assert rejects.splitlines()[0] == "Line,Value,Reason"
    assert "no.body@mail.example" in rejects


def test_member_ids_our_export_guarded_name_the_same_people_and_bad_ones_are_guarded_once(d, make, batch_of):
    make.profile(external_id="+61 400")
    file = uploaded("Member ID\r\n'+61 400\r\n'=1+1\r\n")
    batch = batch_of(audience=Audience.FILE, file=file, starts=False)
    assert (batch.people_count, batch.bad_count) == (1, 1)
    told = files.open_binary(d.session, batch.rejects_file_id).read().decode("utf-8-sig").splitlines()
    assert told[1] == "3,'=1+1,Nobody has the member id «=1+1»."


def test_a_file_without_a_column_of_people_is_refused_with_its_headings(batch_of):
    refusal = refused("batch.no_column", batch_of, audience=Audience.FILE, file=uploaded("Shoe,Size\na,1\n"))
    assert "«Shoe», «Size»" in refusal.message
    refused("batch.file_needed", batch_of, audience=Audience.FILE)


# Group and condition


def test_13_2_conditional_bulk_issues_to_those_the_preview_counted(d, make, batch_of, moment):
    gold = make.tier(name="gold")
    people = [make.profile(tier_id=gold.id if n % 25 < 6 else None) for n in range(498)]  # two are there already
    meant = {person.id for person in people if person.tier_id}
    checked = batch_of(starts=False, audience=Audience.CONDITION, condition=GOLD)
    assert (len(meant), checked.people_count, checked.expected_count) == (120, 120, 120)
    start(d, moment, checked.id)
    batch = look(d, checked.id)
    assert counts(batch) == (120, 120, 0)
    assert {one.profile_id for one in held(d, batch)} == meant


def test_a_condition_that_cannot_be_read_is_refused_on_its_field(batch_of):
    assert refused("condition.unreadable", batch_of, audience=Audience.CONDITION, condition="{").field == "condition"


@pytest.mark.parametrize(
    "typed", ["", " ", "null", "{}", '{"and": []}', '{"or": []}', '{"===": [1, 1]}', '{"!!": true}']
)
def test_feature_13_empty_selection_is_always_nobody(d, batch_of, typed):
    refusal = refused("batch.condition_needed", batch_of, audience=Audience.CONDITION, condition=typed)
    assert refusal.field == "condition"
    assert d.session.scalar(select(func.count()).select_from(BenefitBatch)) == 0


def test_feature_13_everybody_is_an_audience_of_its_own_also_on_the_day(d, make, batch_of, moment):
    make.profile(erased_at=T)
    batch = batch_of(audience=Audience.EVERYBODY, condition="{", listed="x")
    assert {one.profile_id for one in held(d, batch)} == {d.person.id, d.other.id}
    later = batch_of(audience=Audience.EVERYBODY, issued_on=date(2026, 3, 5), on_the_day=True)
    new = make.profile()
    d.forward(days=4)
    begin(d, moment)
    assert {one.profile_id for one in held(d, later)} == {d.person.id, d.other.id, new.id}


def test_a_group_gives_one_to_each_living_member(d, make, batch_of):
    group = make.group()
    gone = make.profile(erased_at=T)
    for person in (d.person, d.other, gone):
        make.member(group, person)
    batch = batch_of(audience=Audience.GROUP, group_id=group.id)
    assert {one.profile_id for one in held(d, batch)} == {d.person.id, d.other.id}
    refused("batch.group_needed", batch_of, audience=Audience.GROUP)


def test_13_2_exclude_existing_passes_over_who_holds_one_and_says_so(d, make, batch_of, moment):
    gold = make.tier(name="gold")
    people = [make.profile(tier_id=gold.id) for _ in range(120)]
    holders = {person.id for person in people[:20]}
    for person in people[:20]:
        make.benefit(d.definition, person)
    d.session.expire_all()
    batch = batch_of(starts=False, audience=Audience.CONDITION, condition=GOLD, excludes_holders=True)
    assert (batch.people_count, batch.expected_count) == (120, 100)
    start(d, moment, batch.id)
    batch = look(d, batch.id)
    assert counts(batch) == (120, 100, 20)
    passed = read.passed(d.session, batch.id)
    assert {(one.profile_id, one.why) for one in passed} == {(number, PassedOver.HOLDS) for number in holders}


def test_the_limit_for_one_person_holds_in_a_batch(d, batch_of):
    d.change(max_per_profile=1)
    d.issue()
    batch = batch_of(listed=f"{d.person.external_id}\n{d.other.external_id}")
    assert counts(batch) == (2, 1, 1)
    assert [one.why for one in read.passed(d.session, batch.id)] == [PassedOver.LIMIT]


def test_who_was_merged_or_erased_since_the_check_is_passed_over(d, make, batch_of, moment):
    batch = batch_of(starts=False, listed=f"{d.person.external_id}\n{d.other.external_id}")
    d.other.merged_into_id = d.person.id
    d.session.commit()
    start(d, moment, batch.id)
    assert [one.why for one in read.passed(d.session, batch.id)] == [PassedOver.GONE]


# On the day


def test_13_2_condition_on_issue_date_includes_who_turned_gold_in_between(d, make, batch_of, moment):
    gold = make.tier(name="gold")
    d.other.tier_id = gold.id
    d.session.commit()
    batch = batch_of(audience=Audience.CONDITION, condition=GOLD, issued_on=date(2026, 3, 5), on_the_day=True)
    assert (batch.status, batch.people_count) == (BatchStatus.WAITING, 1)
    d.other.tier_id, d.person.tier_id = None, gold.id
    d.session.commit()
    assert d.do(lambda work, _: batches.start_due(work), None) == 0
    d.forward(days=4)
    assert d.do(lambda work, _: batches.start_due(work), None) == 1
    assert d.do(lambda work, _: batches.start_due(work), None) == 0
    run(d, moment)
    batch = look(d, batch.id)
    assert [one.profile_id for one in held(d, batch)] == [d.person.id]
    assert counts(batch) == (1, 1, 0)


def test_only_a_group_or_a_condition_is_evaluated_on_a_day_to_come(batch_of):
    refused("batch.on_the_day", batch_of, listed="x", on_the_day=True, issued_on=date(2026, 3, 5))
    refused("batch.day_needed", batch_of, audience=Audience.CONDITION, on_the_day=True)
    refused("batch.day_needed", batch_of, audience=Audience.EVERYBODY, on_the_day=True, issued_on=date(2026, 3, 1))


# Resumed


def test_13_2_bulk_resumable_after_a_crash_exactly_everybody_and_nobody_twice(d, make, batch_of, monkeypatch, moment):
    people = [make.profile() for _ in range(100)]
    batch = batch_of(starts=False, listed="\n".join(person.external_id for person in people))
    d.do(batches.start, StartBatch(batch.id))
    first = d.do(lambda work, _: batch_issuing.issue_some(work, batch.id, MINT, 60), None)
    assert (first.count, first.is_last) == (60, False)
    monkeypatch.setattr("webapp.jobs.benefit_batches.CHUNK", 30)
    run(d, moment)
    batch = look(d, batch.id)
    assert counts(batch) == (100, 100, 0)
    assert [one.profile_id for one in held(d, batch)] == [person.id for person in people]


@pytest.fixture
def small(monkeypatch):
    """One batch takes three people, who are noted two at a time."""
    monkeypatch.setattr("webapp.domain.benefit_batches.MOST", 3)
    monkeypatch.setattr("webapp.jobs.benefit_batches.NAMED_AT_ONCE", 2)


def noted(d, batch):
    row = BenefitBatchPerson
    wanted = select(row.profile_id).where(row.batch_id == batch.id).order_by(row.profile_id)
    return list(d.session.scalars(wanted))


def test_a_batch_takes_a_million_people():
    assert MOST == 1_000_000


@pytest.mark.parametrize("audience", [Audience.EVERYBODY, Audience.GROUP, Audience.CONDITION])
def test_as_many_as_a_batch_takes_are_noted_some_at_a_time_and_one_more_is_refused(d, make, batch_of, small, audience):
    gold, group = make.tier(name="gold"), make.group()
    third = make.profile()
    for person in (d.person, d.other, third):
        person.tier_id = gold.id
        make.member(group, person)
    plan = {"audience": audience, "group_id": group.id, "condition": GOLD}
    batch = batch_of(**plan)
    assert (batch.status, *counts(batch)) == (BatchStatus.ISSUED, 3, 3, 0)
    assert noted(d, batch) == [d.person.id, d.other.id, third.id]
    make.member(group, make.profile(tier_id=gold.id))
    batch = batch_of(starts=False, **plan)
    assert (batch.status, batch.people_count, noted(d, batch)) == (BatchStatus.REFUSED, 0, [])
    assert batch.problem == (
        "It is for more than 3 people, and one batch takes no more. Narrow whom it is for, such as by a condition, and "
        "plan several."
    )


def test_a_file_of_more_people_than_a_batch_takes_is_refused_and_nobody_is_noted(d, make, batch_of, small, monkeypatch):
    monkeypatch.setattr("webapp.jobs.benefit_batches.CHUNK", 2)
    text = "\n".join(["Member id", *(make.profile().external_id for _ in range(4))])
    batch = batch_of(starts=False, audience=Audience.FILE, file=uploaded(text))
    assert (batch.status, batch.people_count, noted(d, batch)) == (BatchStatus.REFUSED, 0, [])
    assert "more than 3 people" in batch.problem


def test_too_many_on_the_day_stop_the_batch_until_they_are_fewer(d, make, batch_of, small, moment):
    batch = batch_of(audience=Audience.EVERYBODY, issued_on=date(2026, 3, 5), on_the_day=True)
    assert noted(d, batch) == [d.person.id, d.other.id]
    more = [make.profile() for _ in range(2)]
    d.forward(days=4)
    begin(d, moment)
    batch = look(d, batch.id)
    assert (batch.status, batch.evaluated_at, counts(batch), noted(d, batch)) == (
        BatchStatus.STOPPED, None, (0, 0, 0), []
    )  # fmt: skip
    assert "more than 3 people" in batch.problem
    d.do(profiles.erase, profiles.EraseProfile(more[0].id, str(more[0].id), "mark"))
    start(d, moment, batch.id)
    batch = look(d, batch.id)
    assert (batch.status, counts(batch)) == (BatchStatus.ISSUED, (3, 3, 0))


def test_6_1_a_looking_up_on_the_day_that_was_cut_short_begins_anew_and_asks_for_a_second_editor(
    d, editors, golden, moment, monkeypatch
):
    """Whatever was noted of them by then, what counts is everybody the day brings."""
    monkeypatch.setattr("webapp.jobs.benefit_batches.NAMED_AT_ONCE", 400)
    planner, _ = editors
    d.actor = planner
    note = batch_people.name_some

    def cut_short(work, batch_id, ids):
        note(work, batch_id, ids)
        if len(ids) < 400:
            raise Refused("test.cut", "The power went off.")

    with monkeypatch.context() as patch:
        patch.setattr(batch_people, "name_some", cut_short)
        batch = golden(ALONE + 1)
    assert (batch.status, batch.problem, counts(batch)) == (BatchStatus.STOPPED, "The power went off.", (400, 0, 0))
    start(d, moment, batch.id)
    batch = look(d, batch.id)
    assert (batch.status, counts(batch), batch.expected_count) == (BatchStatus.STOPPED, (ALONE + 1, 0, 0), ALONE + 1)
    assert "somebody else must start it" in batch.problem
    assert held(d, batch) == []
    refused("batch.second_person", d.do, batches.start, StartBatch(batch.id))


def test_a_batch_that_was_cancelled_halfway_goes_on(d, make, batch_of, moment):
    batch = batch_of(starts=False, listed=f"{d.person.external_id}\n{d.other.external_id}")
    d.do(batches.start, StartBatch(batch.id))
    d.do(lambda work, _: batches.cancel(work, batch.id), None)
    run(d, moment)
    assert look(d, batch.id).status is BatchStatus.STOPPED
    start(d, moment, batch.id)
    assert counts(look(d, batch.id)) == (2, 2, 0)


# Codes


@pytest.fixture
def pool(d, make, actor):
    kind = make.voucher_type(site_id=d.definition.site_id)

    def fill(number):
        command = vouchers.GenerateVouchers(kind.id, number)
        d.do(partial(vouchers.generate, mint=MINT), command)

    d.change(voucher_type_id=kind.id, force_allocation=True)
    fill.kind = kind
    return fill


def test_codes_go_to_one_benefit_each_and_bulk_issue_stops_when_none_is_left(d, make, batch_of, pool, moment):
    people = [make.profile() for _ in range(5)]
    pool(3)
    batch = batch_of(listed="\n".join(person.external_id for person in people))
    assert (batch.status, *counts(batch)) == (BatchStatus.STOPPED, 5, 3, 0)
    assert "3 issued, 2 without a code" in batch.problem
    assert len({one.voucher_id for one in held(d, batch)}) == 3
    pool(2)
    start(d, moment, batch.id)
    batch = look(d, batch.id)
    assert (batch.status, *counts(batch)) == (BatchStatus.ISSUED, 5, 5, 0)
    assert len({one.voucher_id for one in held(d, batch)}) == 5


def test_a_batch_gives_reserved_codes_to_their_people_with_their_values_and_stops_before_a_gap(d, make, batch_of, pool):
    people = [make.profile() for _ in range(4)]
    soon = d.at + timedelta(days=3)
    make.voucher(pool.kind, reserved_for_id=people[0].id, value_minor=5000)
    make.voucher(pool.kind, expires_at=soon)
    make.voucher(pool.kind, valid_from=soon)
    for person in people[2:]:
        make.voucher(pool.kind, reserved_for_id=person.id)
    d.session.commit()
    batch = batch_of(listed="\n".join(person.external_id for person in people[:3]))
    assert (batch.status, *counts(batch)) == (BatchStatus.ISSUED, 3, 3, 0)
    assert [one.value_minor for one in held(d, batch)] == [5000, 2500, 2500]
    assert held(d, batch)[1].expires_at == soon - timedelta(seconds=1)
    short = batch_of(listed=f"{people[1].external_id}\n{people[3].external_id}")
    assert (short.status, *counts(short)) == (BatchStatus.STOPPED, 2, 0, 0)
    d.session.refresh(pool.kind)
    assert pool.kind.idle_count == 2


def test_without_force_the_rest_is_issued_and_counted_as_uncoded(d, make, batch_of, pool):
    d.change(force_allocation=False, redeem_code_pos="COFFEE")
    pool(1)
    batch = batch_of(listed=f"{d.person.external_id}\n{d.other.external_id}")
    assert (*counts(batch), batch.uncoded_count) == (2, 2, 0, 1)


def test_6_4_a_batch_for_a_later_day_counts_the_days_of_its_codes_from_then(d, make, batch_of, pool):
    london = make.profile(zone="Europe/London")
    d.change(period=400)
    pool.kind.valid_for_days = 180
    d.session.commit()
    pool(2)
    batch = batch_of(listed=f"{d.person.external_id}\n{london.external_id}", issued_on=date(2026, 12, 1))
    assert (batch.status, *counts(batch), batch.problem) == (BatchStatus.ISSUED, 2, 2, 0, "")
    ends = {one.zone: one.expires_at for one in held(d, batch)}
    assert ends[MELBOURNE] == datetime(2027, 5, 30, 13, 59, 59, tzinfo=UTC)
    assert ends["Europe/London"] == datetime(2027, 5, 30, 22, 59, 59, tzinfo=UTC)
    codes = d.session.scalars(select(Voucher.expires_at).where(Voucher.allocated_at == T)).all()
    assert sorted(codes) == [end + timedelta(seconds=1) for end in sorted(ends.values())]


def test_6_4_a_batch_gives_codes_that_are_good_when_the_last_of_its_benefits_begins(d, make, batch_of, pool):
    """Its day begins in Melbourne before it does at the site, from when on a code is good; in New York it begins last."""
    people = [d.person, make.profile(zone="America/New_York")]
    names = "\n".join(person.external_id for person in people)
    at_the_site = datetime(2026, 12, 1, tzinfo=UTC)
    make.voucher(pool.kind, expires_at=at_the_site + timedelta(hours=4))  # over before New York begins
    make.voucher(pool.kind, valid_from=at_the_site)
    make.voucher(pool.kind, valid_from=at_the_site + timedelta(days=1))
    within_a_second = at_the_site + timedelta(hours=5, milliseconds=500)
    make.voucher(pool.kind, expires_at=within_a_second, reserved_for_id=people[1].id)
    d.session.commit()
    batch = batch_of(listed=names, issued_on=date(2026, 12, 1))
    assert (batch.status, *counts(batch)) == (BatchStatus.ISSUED, 2, 2, 0)
    short = held(d, batch)[1]
    assert (short.zone, short.expires_at) == ("America/New_York", short.issued_at)
    short = batch_of(listed=names, issued_on=date(2026, 12, 1))
    assert (short.status, *counts(short)) == (BatchStatus.STOPPED, 2, 0, 0)
    assert "none is left that is good on 1 December 2026 00:00 (Europe/London)" in short.problem
    d.session.refresh(pool.kind)
    assert (pool.kind.idle_count, pool.kind.allocated_count) == (2, 2)


def test_6_4_a_voucher_type_that_is_over_when_a_batch_begins_gives_no_codes(d, make, batch_of, pool):
    pool(1)
    pool.kind.static_expiry_on = date(2026, 11, 30)
    d.session.commit()
    batch = batch_of(listed=d.person.external_id, issued_on=date(2026, 12, 1))
    assert (batch.status, *counts(batch)) == (BatchStatus.STOPPED, 1, 0, 0)


# Undone


def test_13_2_bulk_undo_voids_unused_ones_and_lists_used_ones_untouched(d, make, batch_of, pool, moment):
    d.change(is_extendable=True)
    pool(4)
    people = [make.profile() for _ in range(4)]
    batch = batch_of(listed="\n".join(person.external_id for person in people))
    used, extended, *unused = held(d, batch)
    d.redeem(used)
    d.do(benefits.extend, benefits.ExtendBenefit(extended.id, extend_days=3))
    d.do(batches.undo, UndoBatch(batch.id))
    run(d, moment)
    batch = look(d, batch.id)
    assert (batch.status, batch.voided_count, batch.left_count) == (BatchStatus.UNDONE, 2, 2)
    assert batch.left == [
        [used.id, "was redeemed"],
        [extended.id, "was extended, handed over or given another end"],
    ]
    assert {d.state(one) for one in unused} == {BenefitState.VOID}
    assert d.state(used) is BenefitState.REDEEMED
    gone = d.session.scalars(select(Voucher.status).where(Voucher.id.in_([one.voucher_id for one in unused])))
    assert set(gone) == {VoucherStatus.CANCELLED}
    refused("batch.status", d.do, batches.undo, UndoBatch(batch.id))


def test_undoing_that_was_stopped_goes_on_and_counts_each_benefit_once(d, make, batch_of, moment):
    people = [make.profile() for _ in range(4)]
    batch = batch_of(listed="\n".join(person.external_id for person in people))
    d.redeem(held(d, batch)[0])
    d.do(batches.undo, UndoBatch(batch.id))
    d.do(lambda work, _: batch_undoing.undo_some(work, batch.id, 2), None)
    d.do(lambda work, _: batches.cancel(work, batch.id), None)
    run(d, moment)
    assert look(d, batch.id).status is BatchStatus.ISSUED
    d.do(batches.undo, UndoBatch(batch.id))
    run(d, moment)
    batch = look(d, batch.id)
    assert (batch.status, batch.voided_count, batch.left_count) == (BatchStatus.UNDONE, 3, 1)


# Who, and when


def test_above_500_people_somebody_else_must_start_it(d, batch_of, make, session):
    planner, other = (Actor(name, staff_id=make.staff().id, grants=d.actor.grants) for name in ("Ann", "Bo"))
    d.actor = planner
    batch = batch_of(starts=False, listed=d.person.external_id)
    batch.people_count = 501
    session.add_all(BenefitBatchPerson(batch_id=batch.id, profile_id=10_000_000 + n) for n in range(500))
    session.commit()
    refused("batch.second_person", d.do, batches.start, StartBatch(batch.id))
    d.actor = other
    assert d.do(batches.start, StartBatch(batch.id)).status is BatchStatus.ISSUING


@pytest.fixture
def editors(d, make):
    """Two accounts that may issue: who plans, and somebody else."""
    return [Actor(name, staff_id=make.staff().id, grants=d.actor.grants) for name in ("Ann", "Bo")]


@pytest.fixture
def golden(d, make, batch_of, moment):
    """Start, as `starter`, a batch of 5 March for gold members; on the day `count` people are."""

    def grow(count, starter=None):
        gold = make.tier(name="gold")
        batch = batch_of(
            starts=False, audience=Audience.CONDITION, condition=GOLD, issued_on=date(2026, 3, 5), on_the_day=True
        )
        d.actor = starter or d.actor
        start(d, moment, batch.id)
        assert (look(d, batch.id).status, look(d, batch.id).people_count) == (BatchStatus.WAITING, 0)
        d.session.add_all(
            Profile(external_id=f"G-{n}", tier_id=gold.id, created_at=T, updated_at=T) for n in range(count)
        )
        d.session.commit()
        d.forward(days=4)
        begin(d, moment)
        return look(d, batch.id)

    return grow


def begin(d, moment):
    """What the clock does: the waiting batches whose day has come are issued."""
    d.do(lambda work, _: batches.start_due(work), None)
    run(d, moment)


def test_6_1_issue_over_500_needs_a_second_editor_also_when_they_are_looked_up_on_the_day(d, editors, golden, moment):
    planner, other = editors
    d.actor = planner
    batch = golden(ALONE + 1)
    assert (batch.status, *counts(batch), batch.expected_count) == (BatchStatus.STOPPED, 501, 0, 0, 501)
    assert batch.problem == (
        "On its day it goes to 501 people. Ann planned it and started it too; above 500 somebody else must start it."
    )
    assert held(d, batch) == []
    begin(d, moment)
    refused("batch.second_person", d.do, batches.start, StartBatch(batch.id))
    d.actor = other
    d.session.add(Profile(external_id="G-LATE", tier_id=d.session.scalar(select(Tier.id)), created_at=T, updated_at=T))
    d.session.commit()
    start(d, moment, batch.id)
    batch = look(d, batch.id)
    assert (batch.status, *counts(batch)) == (BatchStatus.ISSUED, 501, 501, 0)  # those of the day, who were judged
    assert (batch.created_by, batch.started_by, batch.started_by_id) == ("Ann", "Bo", other.staff_id)


@pytest.mark.parametrize(("count", "second"), [(ALONE, False), (ALONE + 1, True)], ids=["500", "a second editor"])
def test_6_1_up_to_500_or_with_a_second_editor_the_day_is_not_held_up(d, editors, golden, count, second):
    d.actor = editors[0]
    batch = golden(count, editors[1] if second else None)
    assert (batch.status, *counts(batch)) == (BatchStatus.ISSUED, count, count, 0)


def test_a_batch_that_stopped_before_it_issued_anything_can_be_withdrawn(d, editors, golden):
    d.actor = editors[0]
    batch = golden(ALONE + 1)
    assert d.do(batches.withdraw, WithdrawBatch(batch.id)).status is BatchStatus.WITHDRAWN


def test_a_batch_that_stopped_after_it_issued_is_undone_and_not_withdrawn(d, batch_of, pool):
    pool(1)
    batch = batch_of(listed=f"{d.person.external_id}\n{d.other.external_id}")
    assert (batch.status, batch.issued_count) == (BatchStatus.STOPPED, 1)
    refused("batch.has_issued", d.do, batches.withdraw, WithdrawBatch(batch.id))


def test_a_batch_starts_once_and_one_that_started_cannot_be_withdrawn(d, batch_of, moment):
    batch = batch_of(starts=False, listed=d.person.external_id)
    d.do(batches.start, StartBatch(batch.id))
    refused("batch.status", d.do, batches.start, StartBatch(batch.id))
    refused("batch.status", d.do, batches.withdraw, WithdrawBatch(batch.id))
    refused("batch.status", d.do, batches.undo, UndoBatch(batch.id))
    run(d, moment)
    other = batch_of(starts=False, listed=d.other.external_id)
    assert d.do(batches.withdraw, WithdrawBatch(other.id)).status is BatchStatus.WITHDRAWN
    refused("batch.status", d.do, batches.start, StartBatch(other.id))


def test_a_definition_that_was_archived_meanwhile_stops_the_batch_with_the_gate(d, batch_of, moment):
    batch = batch_of(starts=False, listed=d.person.external_id)
    d.change(is_archived=True)
    start(d, moment, batch.id)
    batch = look(d, batch.id)
    assert (batch.status, counts(batch)) == (BatchStatus.STOPPED, (1, 0, 0))
    assert "archived" in batch.problem


def test_a_batch_that_waited_past_its_last_day_stops_instead_of_issuing_what_has_ended(d, batch_of, moment):
    batch = batch_of(starts=False, listed=d.person.external_id, expires_on=date(2026, 3, 10))
    d.forward(days=30)
    start(d, moment, batch.id)
    batch = look(d, batch.id)
    assert (batch.status, counts(batch)) == (BatchStatus.STOPPED, (1, 0, 0))
    assert "would have ended on 10 March 2026" in batch.problem


def test_a_batch_plans_the_notices_of_its_benefits_and_undoing_leaves_them_out(d, batch_of, moment, make):
    target = make.target(site_id=d.definition.site_id)
    d.change(
        issue_target_id=target.id, notify_issue_offset_days=0, remind_target_id=target.id, notify_remind_offset_days=-14
    )
    batch = batch_of(listed=f"{d.person.external_id}\n{d.other.external_id}")
    rows = d.session.execute(
        select(Notice.profile_id, Notice.kind, Notice.due_at, Notice.status).order_by(Notice.benefit_id, Notice.kind)
    )
    ends = datetime(2026, 3, 17, 12, 59, 59, tzinfo=UTC)
    assert [tuple(row) for row in rows] == [
        (person, kind, due, NoticeStatus.PLANNED)
        for person in sorted((d.person.id, d.other.id))
        for kind, due in ((NoticeKind.ISSUE, T), (NoticeKind.REMIND, ends))
    ]
    d.do(batches.undo, UndoBatch(batch.id))
    run(d, moment)
    assert set(d.session.execute(select(Notice.status, Notice.reason))) == {(NoticeStatus.SKIPPED, Skip.VOID)}


def test_13_8_imported_flags(d, batch_of, make):
    """13.8: what a file says another system has sent is noted as sent, and nothing goes out for it."""
    target = make.target(site_id=d.definition.site_id)
    kinds = {f"{kind}_target_id": target.id for kind in NoticeKind}
    d.change(
        **kinds,
        notify_issue_offset_days=0,
        notify_remind_offset_days=-14,
        notify_extend_offset_days=-3,
        is_extendable=True,
    )
    third = make.profile(zone=MELBOURNE)
    text = (
        "Member ID,HAS_NOTIFIED_ISSUE,has notified expiry\n"
        f"{d.person.external_id},1,0\n{d.other.external_id},no,Yes\n{third.external_id},,\n"
    )
    batch = batch_of(audience=Audience.FILE, file=uploaded(text))
    assert (batch.people_count, batch.issued_count) == (3, 3)
    rows = d.session.execute(select(Notice.profile_id, Notice.kind, Notice.status, Notice.reason, Notice.sent_at))
    told = {
        (person, kind) for person, kind, status, reason, at in rows if status is NoticeStatus.SENT and reason and at
    }
    assert told == {
        (d.person.id, NoticeKind.ISSUE),
        (d.other.id, NoticeKind.REMIND),
        (d.other.id, NoticeKind.EXTEND),
    }
    d.do(lambda work, _: notices.send_some(work), None)
    sent = d.session.scalars(select(OutboxMessage.recipient)).all()
    assert sorted(sent) == sorted([d.other.email, third.email])
