"""A draw from opening to result: what each step fixes, and what it refuses."""

import json
import tempfile
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tests.support.clock import NOW
from webapp.domain.draws import Assurance, DrawState
from webapp.domain.entries import EntryFacts, EntryStatus, ReviewRules, exclusion
from webapp.domain.errors import Conflict, Refused
from webapp.domain.identity import Actor
from webapp.domain.protocol import entries as protocol
from webapp.domain.protocol import log
from webapp.domain.rewards import RewardStatus
from webapp.models import AccountSettings, Draw, DrawRound, Entry, OutboxMessage, Winner
from webapp.queries import draws as read
from webapp.queries import files
from webapp.services import draws, review, rewards
from webapp.services.work import Work

VALUE = "63454660390103169462"


def opened(work, make, *, people=10, slots=3, **changes):
    """An open draw with `people` entries of one ticket each."""
    reward = make.reward(status=RewardStatus.DRAFT, entry_count=0, witnessed_value="20 dice", **changes)
    make.prize(reward, handle="car", title="Car", position=1)
    if slots > 1:
        make.prize(reward, handle="weekend", title="Weekend", position=2, quantity=slots - 1)
    work.session.expire(reward)
    rewards.open_for_entries(work, rewards.OpenReward(reward.id, b"s" * 32, b"h" * 32))
    for _ in range(people):
        make.entry(reward)
    return reward


def closed(work, make, **changes):
    reward = opened(work, make, **changes)
    rewards.close(work, rewards.CloseReward(reward.id))
    return work.session.scalars(select(Draw).where(Draw.reward_id == reward.id)).one()


def seal(work, draw):
    with tempfile.TemporaryFile() as spool:
        return draws.seal(work, draws.SealDraw(draw.id), draws.prepare(work.session, draw.id, spool))


def sealed(work, make, **changes):
    draw = closed(work, make, **changes)
    review.confirm(work, review.ConfirmReview(draw.id))
    return seal(work, draw)


def supervising(work, make, *, after=timedelta(minutes=10)):
    """The same transaction in the hands of a draw supervisor, later."""
    return Work(work.session, make.actor("draw supervisor"), work.now + after)


def running(draw, value=VALUE, again=None, **changes):
    told = {"witness_name": "W. Itness", "witness_capacity": "solicitor", "held_fingerprint": True} | changes
    return draws.RunDraw(draw.id, value, again or value, **told)


def test_closing_fixes_the_counts(work, make):
    draw = closed(work, make, people=4)
    assert (draw.state, draw.entry_count, draw.eligible_count, draw.person_count) == (DrawState.CLOSED, 4, 4, 4)


def test_sealing_needs_a_confirmed_review(work, make):
    draw = closed(work, make)
    with pytest.raises(Refused, match="Review the exclusions first"):
        seal(work, draw)


def test_zero_eligible_entrants_cannot_be_sealed(work, make):
    draw = closed(work, make, people=0)
    review.confirm(work, review.ConfirmReview(draw.id))
    with pytest.raises(Refused, match="nobody to draw") as refusal:
        seal(work, draw)
    assert refusal.value.code == "draw.no_eligible"


def test_the_seal_names_list_prizes_source_and_time(work, make):
    draw = sealed(work, make)
    told = json.loads(draw.seal)
    assert told["draw"] == draw.reference
    assert told["entries"]["root"] == draw.entries_root
    assert told["prizes"] == [
        {"id": "car", "title": "Car", "quantity": 1},
        {"id": "weekend", "title": "Weekend", "quantity": 2},
    ]
    assert told["seed_source"]["not_before"] == "2026-03-02T09:10:00Z"
    assert told["code"]["commit"] == draw.code_commit
    assert draw.seal_sha256 not in told.values()


def test_the_stored_list_is_the_sealed_list(work, make):
    draw = sealed(work, make)
    with files.open_binary(work.session, draw.entries_file_id) as file:
        assert protocol.seal_file(file).root == draw.entries_root


def test_an_exclusion_changed_while_the_list_was_read_stops_the_seal(work, make):
    draw = closed(work, make)
    review.confirm(work, review.ConfirmReview(draw.id))
    with tempfile.TemporaryFile() as spool:
        prepared = draws.prepare(work.session, draw.id, spool)
        review.exclude(work, review.ExcludeEntry(draw.id, 1, EntryStatus.TEST, "a test entry"))
        work.now += timedelta(seconds=1)
        review.confirm(work, review.ConfirmReview(draw.id))
        with pytest.raises(Conflict, match="Look again"):
            draws.seal(work, draws.SealDraw(draw.id), prepared)


def test_sealing_twice_is_refused(work, make):
    draw = sealed(work, make)
    with pytest.raises(Refused, match="is sealed; it must be closed"):
        seal(work, draw)


@pytest.mark.parametrize(
    "statement",
    [
        "update entries set tickets = 2",
        "delete from entries",
        "update draw_log_lines set line = 'x'",
        "delete from draw_log_lines",
        "update draws set seal = 'x'",
        "delete from draws",
    ],
)
def test_t4_the_database_itself_refuses_to_change_what_is_sealed(work, make, statement):
    sealed(work, make)
    with pytest.raises(DBAPIError, match="never"):
        work.session.execute(text(statement))


def test_the_same_person_may_not_seal_and_draw(work, make):
    draw = sealed(work, make)
    work.now += timedelta(minutes=10)
    with pytest.raises(Refused, match="You sealed this draw"):
        draws.run(work, running(draw))


def test_small_team_mode_lets_the_sealer_draw(work, make):
    work.session.add(AccountSettings(id=1, is_small_team=True))
    draw = sealed(work, make)
    work.now += timedelta(minutes=10)
    assert draws.run(work, running(draw)).state is DrawState.DRAWN


def test_a_program_without_a_person_may_not_draw(work, make):
    draw = sealed(work, make)
    with pytest.raises(Refused, match="made by a person"):
        draws.run(Work(work.session, Actor("cron"), NOW + timedelta(minutes=10)), running(draw))


def test_drawing_before_the_time_the_seal_names_is_refused(work, make):
    draw = sealed(work, make)
    with pytest.raises(Refused, match="09:10:00 UTC as the earliest"):
        draws.run(supervising(work, make, after=timedelta(minutes=9)), running(draw))


def test_t18_a_clock_before_the_seal_is_refused(work, make):
    draw = sealed(work, make)
    with pytest.raises(Refused, match="before the seal") as refusal:
        draws.run(supervising(work, make, after=timedelta(hours=-1)), running(draw))
    assert refusal.value.code == "draw.clock_back"


@pytest.mark.parametrize(
    ("value", "again", "field", "words"),
    [
        (VALUE, "63454660390103169463", "value_again", "differ"),
        ("123456789", None, "value", "33 bits"),
        ("6345466039010316946２", None, "value", "printable ASCII"),
        (" " + VALUE, None, "value", "printable ASCII"),
    ],
)
def test_a_value_that_will_not_do_is_refused_on_its_field(work, make, value, again, field, words):
    draw = sealed(work, make)
    with pytest.raises(Refused, match=words) as refusal:
        draws.run(supervising(work, make), running(draw, value, again))
    assert refusal.value.field == field


def test_the_result_is_what_the_protocol_says(work, make):
    draw = draws.run(supervising(work, make), running(sealed(work, make)))
    drawn = work.session.scalars(select(DrawRound)).one()
    told = json.loads(drawn.result)
    placed = work.session.execute(select(Winner.slot, Winner.entry_number, Winner.number).order_by(Winner.rank)).all()
    assert [tuple(row) for row in placed] == [
        (place.get("slot"), place["entry"], place["number"]) for place in [*told["winners"], *told["reserves"]]
    ]
    assert (draw.state, drawn.value, told["public"]["value"]) == (DrawState.DRAWN, VALUE, VALUE)


def test_k84_pressing_again_gives_the_same_one_result_even_with_another_value(work, make):
    draw = draws.run(supervising(work, make), running(sealed(work, make)))
    before = work.session.scalars(select(DrawRound.result)).one()
    draws.run(supervising(work, make, after=timedelta(hours=1)), running(draw, "99999999990000000001"))
    drawn = work.session.scalars(select(DrawRound).execution_options(populate_existing=True)).one()
    assert (drawn.result, drawn.value, drawn.attempts) == (before, VALUE, 2)


def test_fewer_people_than_prizes_leaves_slots_unallocated(work, make):
    draws.run(supervising(work, make), running(sealed(work, make, people=2, slots=4)))
    told = json.loads(work.session.scalars(select(DrawRound.result)).one())
    assert told["unallocated"] == ["weekend#2", "weekend#3"]
    assert work.session.scalars(select(Winner.slot)).all() == ["car#1", "weekend#1"]


@pytest.mark.parametrize(
    ("minutes", "held", "level"),
    [(10, True, Assurance.WITNESSED), (10, False, Assurance.RECORDED), (9, True, Assurance.RECORDED)],
)
def test_under_ten_minutes_or_without_the_fingerprint_the_record_says_recorded(work, make, minutes, held, level):
    draw = sealed(work, make, min_wait_minutes=minutes)
    draws.run(supervising(work, make), running(draw, held_fingerprint=held))
    assert read.record(work.session, draw.reference).assurance is level


def test_the_least_time_may_be_none_at_all(work, make):
    draw = sealed(work, make, min_wait_minutes=0)
    assert draws.run(supervising(work, make, after=timedelta()), running(draw)).state is DrawState.DRAWN


def test_k86_exclusions_keep_their_place_with_no_tickets(work, make):
    reward = opened(work, make, people=1)
    make.entry(reward, profile_id=make.profile(email_key="a@staff.example").id, tickets=50)
    work.session.get(Draw, 1)
    site = work.session.get_one(type(make.site()), reward.site_id)
    site.staff_domains = "staff.example"
    work.session.flush()
    rewards.close(work, rewards.CloseReward(reward.id))
    draw = work.session.scalars(select(Draw)).one()
    review.confirm(work, review.ConfirmReview(draw.id))
    seal(work, draw)
    listed = b"".join(files.read(work.session, draw.entries_file_id)).decode().splitlines()
    assert listed[2].startswith("2,h")
    assert listed[2].split(",")[2::2] == ["0", "staff"]


def test_the_statements_of_the_review_agree_with_its_rule(work, make):
    """Twenty-four kinds of entry, judged by SQL and by ``domain.entries.exclusion``."""
    reward = opened(work, make, people=0, one_per_recipient=True, exclude_previous_winners=True)
    site_id = reward.site_id
    earlier = make.reward(site_id=site_id)
    expected = {}
    facts = reward.facts
    rules = ReviewRules(
        facts, frozenset({"staff.example"}), frozenset({"boss@example.org"}), exclude_previous_winners=True
    )
    make.staff("viewer", email="boss@example.org")
    site = work.session.get_one(type(make.site()), site_id)
    site.staff_domains = " @Staff.Example, other.example"
    addresses = ["a@staff.example", "a@notstaff.example", "boss@example.org", "plain@example.org"]
    times = [reward.starts_at - timedelta(seconds=1), reward.starts_at, reward.ends_at]
    for number, (address, at, won) in enumerate((a, t, w) for a in addresses for t in times for w in (False, True)):
        key = (
            f"{number}{address}"
            if address != "boss@example.org"
            else (address if number == 12 else f"{number}.{address}")
        )
        person = make.profile(email_key=key)
        if won:
            make.winner(earlier, profile_id=person.id)
        for turn in range(2):
            entry = make.entry(reward, profile_id=person.id, entered_at=at)
            status, _ = exclusion(EntryFacts(key, at, turn == 0, won), rules)
            expected[entry.number] = status
    rewards.close(work, rewards.CloseReward(reward.id))
    rows = work.session.execute(select(Entry.number, Entry.status).where(Entry.reward_id == reward.id)).all()
    assert {row[0]: row[1] for row in rows} == expected
    assert len(set(expected.values())) == 6


def test_a_manual_exclusion_needs_a_reason_and_is_taken_back_with_one(work, make):
    draw = closed(work, make)
    with pytest.raises(Refused, match="Say why"):
        review.exclude(work, review.ExcludeEntry(draw.id, 1, EntryStatus.HOUSEHOLD, " "))
    review.exclude(work, review.ExcludeEntry(draw.id, 1, EntryStatus.HOUSEHOLD, "same address as 2"))
    assert (draw.eligible_count, draw.reviewed_at) == (9, None)
    with pytest.raises(Conflict, match="already excluded"):
        review.exclude(work, review.ExcludeEntry(draw.id, 1, EntryStatus.STAFF, "again"))
    review.readmit(work, review.ReadmitEntry(draw.id, 1, "checked: different flat"))
    assert draw.eligible_count == 10


def test_the_log_is_chained_from_opening_on(work, make):
    draw = draws.run(supervising(work, make), running(sealed(work, make)))
    lines = b"".join(line + b"\n" for line in read.log_lines(work.session, draw.id))
    assert [event["event"] for event in log.read(lines)] == ["opened", "closed", "sealed", "witnessed", "drawn"]
    assert log.head(lines) == draw.log_head


def test_the_fingerprint_is_mailed_to_the_supervisors_of_the_site_with_the_seal(work, make):
    make.staff("draw supervisor", email="sam@example.org")
    make.staff("draw supervisor", email="elsewhere@example.org", site_id=make.site().id)
    make.staff("draw supervisor", email="gone@example.org", is_active=False)
    make.staff("editor", email="ed@example.org")
    draw = sealed(work, make)
    mails = work.session.scalars(select(OutboxMessage)).all()
    told = [mail.recipient for mail in mails if mail.recipient != "ann@example.org"]
    assert told == ["sam@example.org"]
    assert draw.seal_sha256 in mails[-1].body
