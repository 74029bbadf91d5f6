"""Rewards: named once, changed while a draft, opened with a commitment, closed by hand and by the clock."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.support.clock import NOW
from webapp.domain.errors import Conflict, Refused
from webapp.domain.protocol import codes
from webapp.domain.rewards import RewardKind, RewardStatus
from webapp.models import AuditEntry, Draw, Reward
from webapp.services import rewards
from webapp.services.work import perform

TERMS = {
    "sub_title": "",
    "starts_at": None,
    "ends_at": None,
    "prizes": (rewards.PrizeLine("Weekend away", 2), rewards.PrizeLine("Weekend away", 1, 2500)),
    "reserve_count": None,
    "voucher_type_id": None,
    "vouchers_per_winner": 1,
    "one_per_recipient": False,
    "exclude_previous_winners": False,
    "min_wait_minutes": 10,
    "witnessed_value": "",
    "terms": "",
    "notes": "",
}


def creating(site_id, title="Win a Ford Focus – May", **changes):
    return rewards.CreateReward(title=title, site_id=site_id, kind=RewardKind.PRIZE_DRAW, **TERMS | changes)


def changing(reward, **changes):
    return rewards.ChangeReward(
        reward_id=reward.id, version=changes.pop("version", reward.version), **{"title": reward.title} | TERMS | changes
    )


def opening(reward):
    return rewards.OpenReward(reward.id, b"s" * 32, b"h" * 32)


def test_k02_the_name_is_derived_from_the_title(work, make):
    assert rewards.create(work, creating(make.site().id)).name == "win-a-ford-focus-may"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Été à Nouméa", "ete-a-noumea"),
        ("プレゼント", "reward"),
        ("Points", "points-2"),
        ("2024/25 Draw", "2024-25-draw"),
    ],
)
def test_k03_k06_accents_other_scripts_and_reserved_words(work, make, title, name):
    assert rewards.create(work, creating(make.site().id, title)).name == name


def test_k04_the_same_title_again_gets_the_next_number(work, make):
    site = make.site()
    names = [rewards.create(work, creating(site.id, "X")).name for _ in range(3)]
    assert names == ["x", "x-2", "x-3"]


def test_k07_the_name_stays_when_the_title_changes(work, make):
    reward = rewards.create(work, creating(make.site().id))
    assert rewards.change(work, changing(reward, title="Something else")).name == "win-a-ford-focus-may"


def test_k08_a_long_title_is_cut_at_a_dash(work, make):
    name = rewards.create(work, creating(make.site().id, "long word " * 12)).name
    assert len(name) <= 60
    assert name.endswith(("long", "word"))


def test_k17_a_new_reward_is_a_draft_with_the_code_empty(work, make):
    reward = rewards.create(work, creating(make.site().id))
    assert (reward.status, reward.status.code) == (RewardStatus.DRAFT, "")


def test_reserves_are_as_many_as_prizes_and_at_least_three(work, make):
    site = make.site()
    assert rewards.create(work, creating(site.id)).reserve_count == 3
    assert rewards.create(work, creating(site.id, prizes=(rewards.PrizeLine("Mug", 40),))).reserve_count == 40


def test_prizes_of_one_title_get_handles_of_their_own(work, make):
    reward = rewards.create(work, creating(make.site().id))
    assert [(p.position, p.handle, p.quantity) for p in reward.prizes] == [
        (1, "weekend-away", 2),
        (2, "weekend-away-2", 1),
    ]


def test_k24_the_last_day_ends_at_the_next_local_midnight(work, make):
    site = make.site(timezone="Pacific/Auckland")
    reward = rewards.create(work, creating(site.id, ends_at=date(2025, 3, 31)))
    assert reward.ends_at == datetime(2025, 3, 31, 11, 0, tzinfo=UTC)


def test_k25_a_day_on_which_the_clock_changes_ends_at_local_midnight(work, make):
    site = make.site(timezone="Europe/London")
    reward = rewards.create(work, creating(site.id, starts_at=date(2026, 3, 29), ends_at=date(2026, 3, 29)))
    assert reward.ends_at - reward.starts_at == timedelta(hours=23)


def test_dates_in_the_wrong_order_are_refused_on_the_last_day(work, make):
    with pytest.raises(Refused, match="2026-03-01") as refusal:
        rewards.create(work, creating(make.site().id, starts_at=date(2026, 3, 2), ends_at=date(2026, 3, 1)))
    assert refusal.value.field == "ends_at"


def test_a_voucher_type_of_another_site_is_refused(work, make):
    kind = make.voucher_type(site_id=make.site().id)
    with pytest.raises(Refused) as refusal:
        rewards.create(work, creating(make.site().id, voucher_type_id=kind.id))
    assert refusal.value.field == "voucher_type_id"


def test_k20_a_draw_without_prizes_cannot_open(work, make):
    reward = rewards.create(work, creating(make.site().id, prizes=()))
    with pytest.raises(Refused, match="at least one prize"):
        rewards.open_for_entries(work, opening(reward))


def test_opening_commits_to_the_code_before_anybody_has_entered(work, make):
    reward = rewards.open_for_entries(work, opening(rewards.create(work, creating(make.site().id))))
    draw = work.session.scalars(select(Draw)).one()
    assert (reward.status, draw.code_commit) == (RewardStatus.ACTIVE, codes.commit(b"s" * 32))


def test_opening_twice_is_refused(work, make):
    reward = rewards.create(work, creating(make.site().id))
    rewards.open_for_entries(work, opening(reward))
    with pytest.raises(Refused, match="only a draft"):
        rewards.open_for_entries(work, opening(reward))


def test_an_open_reward_cannot_be_changed(work, make):
    reward = rewards.open_for_entries(work, opening(rewards.create(work, creating(make.site().id))))
    with pytest.raises(Refused, match="fixed when it opened"):
        rewards.change(work, changing(reward))


def test_k148_the_second_of_two_editors_gets_a_conflict(work, make):
    reward = rewards.create(work, creating(make.site().id))
    seen = reward.version
    rewards.change(work, changing(reward, title="First"))
    with pytest.raises(Conflict, match="Somebody else saved"):
        rewards.change(work, changing(reward, title="Second", version=seen))


def test_k27_close_due_closes_once_at_the_end_date(work, make):
    due = make.reward(ends_at=NOW - timedelta(hours=1))
    make.reward()
    assert (rewards.close_due(work), rewards.close_due(work)) == (1, 0)
    work.session.refresh(due)
    assert (due.status, due.closed_at) == (RewardStatus.EXPIRED, NOW - timedelta(hours=1))


def test_a_change_tells_the_log_what_was_and_what_is(session, make, actor):
    site = make.site()
    reward = perform(session, actor, NOW, lambda work: rewards.create(work, creating(site.id)))
    perform(session, actor, NOW, lambda work: rewards.change(work, changing(reward, title="New", reserve_count=9)))
    told = session.scalars(select(AuditEntry.facts).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert told["changes"] == "title Win a Ford Focus – May → New; reserve count 3 → 9"
    assert session.scalars(select(Reward.version)).one() == 2
