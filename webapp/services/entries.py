"""Adds entries in bulk: numbered without gaps, each with a nonce for its receipt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from sqlalchemy import Table, update
from sqlalchemy.orm import selectinload

from webapp.domain import rewards as rules
from webapp.domain.entries import EntryStatus
from webapp.domain.errors import Conflict
from webapp.domain.import_rows import Draft
from webapp.domain.rewards import RewardStatus
from webapp.models import Entry, Reward
from webapp.queries import rewards as read
from webapp.services import bulk, entry_days
from webapp.services.profiles import at_sites
from webapp.services.work import Work

NONCE = 16  # bytes
Entropy = Callable[[int], bytes]


def hold(work: Work, reward_id: int) -> None:
    """Keep the reward as it is, open for entries, until this transaction ends; ``Refused`` when it is not open.

    Whoever adds entries to it at the same moment waits here, so that numbers have no gaps.
    """
    held = work.session.execute(
        update(Reward)
        .where(Reward.id == reward_id, Reward.status == RewardStatus.ACTIVE)
        .values(entry_count=Reward.entry_count)
        .returning(Reward.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if held is None:
        may_enter(work, reward_id)
        raise Conflict("reward.changed", "The reward was changed at the same moment; try again.")


def may_enter(work: Work, reward_id: int) -> Reward:
    """The reward, when it takes entries now; ``Refused`` with the reason when not."""
    reward = read.get_by_id(work.session, reward_id, selectinload(Reward.prizes))
    work.session.refresh(reward)
    rules.may_enter(reward.facts).require()
    return reward


def add(
    work: Work,
    reward_id: int,
    drafts: Sequence[Draft],
    people: Sequence[int],
    entropy: Entropy,
    run_id: int | None = None,
) -> int:
    """Write one entry for each draft, of the person at the same place in ``people``; gives the first number.

    Call ``hold`` before, in the same transaction.
    """
    last = work.session.execute(
        update(Reward)
        .where(Reward.id == reward_id, Reward.status == RewardStatus.ACTIVE)
        .values(entry_count=Reward.entry_count + len(drafts))
        .returning(Reward.entry_count)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    first = int(last) - len(drafts) + 1
    nonces = entropy(NONCE * len(drafts))
    columns = {
        "number": range(first, first + len(drafts)),
        "profile_id": people,
        "tickets": [draft.tickets for draft in drafts],
        "receipt": [draft.receipt or None for draft in drafts],
        "entered_at": [draft.entered_at for draft in drafts],
        "store": [draft.store for draft in drafts],
        "nonce": [nonces[at : at + NONCE] for at in range(0, len(nonces), NONCE)],
    }
    same = {"reward_id": reward_id, "status": EntryStatus.OK, "reason": "", "import_run_id": run_id}
    bulk.insert_columns(work.session, cast(Table, Entry.__table__), columns, same)
    entry_days.add(work.session, reward_id, (draft.entered_at for draft in drafts))
    at_sites.enter(work.session, reward_id, people)
    return first
