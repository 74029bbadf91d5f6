"""Draws and their winners, without the draw protocol: for what comes after it."""

from __future__ import annotations

from tests.factories.rewards import Rewards
from tests.support.clock import NOW
from webapp.domain.fulfilment import Stage
from webapp.models import Draw, Reward, Winner


class Winners(Rewards):
    """`make.winner(reward)`, of the reward's one draw, which is made on first use."""

    def draw(self, reward: Reward, **changes: object) -> Draw:
        values: dict[str, object] = {
            "reward_id": reward.id,
            "reference": f"D-{self.next_number:08}",
            "secret": b"s" * 32,
            "holder_key": b"h" * 32,
            "code_commit": "c" * 64,
            "opened_at": NOW,
        }
        return self.add(Draw(**values | changes))

    def winner(self, reward: Reward, **changes: object) -> Winner:
        """The reward's next winner, who accepted; a new person unless `profile_id` is given."""
        draw = self.session.query(Draw).filter_by(reward_id=reward.id).first() or self.draw(reward)
        rank = 1 + self.session.query(Winner).filter_by(draw_id=draw.id).count()
        if "profile_id" not in changes:
            changes["profile_id"] = self.profile().id
        values: dict[str, object] = {
            "draw_id": draw.id,
            "reward_id": reward.id,
            "round": 1,
            "rank": rank,
            "entry_number": rank,
            "ticket": rank,
            "number": f"{rank:064}",
            "holder": f"holder-{rank}",
            "slot": f"prize#{rank}",
            "stage": Stage.ACCEPTED,
            "stage_at": NOW,
        }
        return self.add(Winner(**values | changes))
