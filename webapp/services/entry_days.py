"""Keeps the number of entries of each day beside the entries, in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Date, TextClause, bindparam, delete, select, text
from sqlalchemy.orm import Session

from webapp.models import Entry, EntryDay, Reward, Site

_ADD = text(
    "insert into entry_days (reward_id, day, entry_count) values (:reward_id, :day, :entry_count) "
    "on conflict (reward_id, day) do update set entry_count = entry_days.entry_count + excluded.entry_count"
).bindparams(bindparam("day", type_=Date))
_TAKE = text(
    "update entry_days set entry_count = entry_count - :entry_count where reward_id = :reward_id and day = :day"
).bindparams(bindparam("day", type_=Date))


def add(session: Session, reward_id: int, moments: Iterable[datetime]) -> None:
    """Count entries made at these instants, by the local day of the reward's site. Hold the reward before."""
    _write(session, reward_id, moments, _ADD)


def take(session: Session, reward_id: int, moments: Iterable[datetime]) -> None:
    """Count entries made at these instants no more."""
    _write(session, reward_id, moments, _TAKE)


def recount(session: Session, site_id: int) -> None:
    """Count every entry of a site anew: its zone has changed, and with it the days."""
    ids = session.scalars(select(Reward.id).where(Reward.site_id == site_id, Reward.entry_count > 0)).all()
    for reward_id in ids:
        session.execute(delete(EntryDay).where(EntryDay.reward_id == reward_id))
        moments = select(Entry.entered_at).where(Entry.reward_id == reward_id).execution_options(yield_per=5_000)
        add(session, reward_id, session.scalars(moments))


def _write(session: Session, reward_id: int, moments: Iterable[datetime], statement: TextClause) -> None:
    zone = ZoneInfo(session.scalars(select(Site.timezone).join(Reward).where(Reward.id == reward_id)).one())
    days = Counter(moment.astimezone(zone).date() for moment in moments)
    rows = [{"reward_id": reward_id, "day": day, "entry_count": count} for day, count in sorted(days.items())]
    if rows:
        session.execute(statement, rows)
