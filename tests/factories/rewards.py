"""Rewards, their prizes and their entries."""

from __future__ import annotations

from datetime import timedelta

from tests.factories.base import Rows
from tests.factories.people import People
from tests.support.clock import NOW
from webapp.domain.rewards import RewardKind, RewardStatus
from webapp.models import Entry, Prize, Reward
from webapp.services import entry_days
from webapp.services.profiles import at_sites

ENTROPY = b"sixteen bytes ok"


class Rewards(People, Rows):
    """`make.reward()`, `make.prize(reward)`, `make.entry(reward)`."""

    def reward(self, **changes: object) -> Reward:
        """A prize draw that opened a week ago and closes in a week; an own site unless `site_id` is given."""
        number = self.next_number
        values: dict[str, object] = {
            "kind": RewardKind.PRIZE_DRAW,
            "title": f"Spring draw {number}",
            "name": f"spring-draw-{number}",
            "status": RewardStatus.ACTIVE,
            "starts_at": NOW - timedelta(days=7),
            "ends_at": NOW + timedelta(days=7),
            "created_at": NOW,
        }
        values |= changes
        if "site_id" not in values:
            values["site_id"] = self.site().id
        return self.add(Reward(**values))

    def prize(self, reward: Reward, **changes: object) -> Prize:
        number = self.next_number
        values: dict[str, object] = {
            "reward_id": reward.id,
            "position": number,
            "handle": f"prize-{number}",
            "title": f"Prize {number}",
            "quantity": 1,
        }
        return self.add(Prize(**values | changes))

    def entry(self, reward: Reward, **changes: object) -> Entry:
        """The reward's next entry; by a new person unless `profile_id` is given."""
        if "profile_id" not in changes:
            changes["profile_id"] = self.profile().id
        reward.entry_count += 1
        values: dict[str, object] = {
            "reward_id": reward.id,
            "number": reward.entry_count,
            "tickets": 1,
            "entered_at": NOW - timedelta(days=1),
            "nonce": ENTROPY,
        }
        entry = self.add(Entry(**values | changes))
        entry_days.add(self.session, reward.id, [entry.entered_at])
        at_sites.enter(self.session, reward.id, [entry.profile_id])
        self.session.commit()
        return entry
