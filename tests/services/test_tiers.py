"""Tiers: one number each, kept while anybody has them."""

import pytest

from tests.support.clock import NOW
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.queries import tiers as read
from webapp.services import tiers
from webapp.services.work import perform


def test_tiers_stand_in_the_order_of_rank_and_no_two_share_one(work, session):
    for title, rank in (("Gold", 30), ("Bronze", 10), ("Silver", 20)):
        tiers.create(work, tiers.CreateTier(title=title, rank=rank))
    assert [tier.title for tier, _ in read.page(session)] == ["Bronze", "Silver", "Gold"]
    with pytest.raises(Conflict, match="Rank 20 is that of «Silver» already") as refusal:
        tiers.create(work, tiers.CreateTier(title="Other", rank=20))
    assert refusal.value.field == "rank"
    assert list(read.stream(session)) == [("bronze", "Bronze", 10), ("silver", "Silver", 20), ("gold", "Gold", 30)]


def test_a_tier_is_changed_by_one_at_a_time(session, make, actor):
    tier, other = make.tier(title="Gold", rank=3), make.tier(rank=4)
    command = tiers.ChangeTier(tier_id=tier.id, title="Golden", rank=5, version=1)
    assert perform(session, actor, NOW, lambda work: tiers.change(work, command)).version == 2
    again = tiers.ChangeTier(tier_id=tier.id, title="X", rank=5, version=1)
    with pytest.raises(Conflict, match="title from «Gold» to «Golden»; rank from «3» to «5»"):
        perform(session, actor, NOW, lambda work: tiers.change(work, again))
    taken = tiers.ChangeTier(tier_id=tier.id, title="X", rank=other.rank, version=2)
    with pytest.raises(Conflict, match="Rank 4 is that of"):
        perform(session, actor, NOW, lambda work: tiers.change(work, taken))


def test_a_tier_goes_only_while_nobody_has_it(work, session, make):
    tier, other = make.tier(title="Gold"), make.tier()
    make.profile(tier_id=tier.id)
    with pytest.raises(Refused, match="People have the tier «Gold»"):
        tiers.remove(work, tiers.RemoveTier(tier.id))
    tiers.remove(work, tiers.RemoveTier(other.id))
    with pytest.raises(NotFound):
        read.get(session, other.id)
    assert work.events[-1]["facts"] == {"title": other.title}
