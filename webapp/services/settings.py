"""Change the choices of the whole account."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, update

from webapp.domain import staff as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict
from webapp.models import AccountSettings
from webapp.queries import settings as read
from webapp.queries import staff as staff_read
from webapp.services.work import Work


@dataclass(frozen=True, slots=True)
class ChangeSettings:
    """``version`` is the one the form was drawn from; 0 before anything was ever changed."""

    is_small_team: bool
    version: int


def change(work: Work, command: ChangeSettings) -> AccountSettings:
    """Change the account's choices, openly: the audit log tells it and every page shows small-team mode."""
    before = read.find(work.session)
    if before is None:
        # Two at once: the second insert is refused by the primary key and becomes a Conflict.
        work.session.execute(insert(AccountSettings).values(id=1, is_small_team=command.is_small_team))
        was = False
    else:
        was = before.is_small_team
        if was and not command.is_small_team:
            rules.may_end_small_team(staff_read.conflicted(work.session)).require()
        _replace(work, command)
    if was != command.is_small_team:
        word = "on" if command.is_small_team else "off"
        work.record(Event.SETTINGS_CHANGED, "account_settings:1", changes=f"small-team mode {word}")
    work.session.expire_all()
    return work.session.get_one(AccountSettings, 1)


def _replace(work: Work, command: ChangeSettings) -> None:
    won = work.session.execute(
        update(AccountSettings)
        .where(AccountSettings.id == 1, AccountSettings.version == command.version)
        .values(is_small_team=command.is_small_team, version=AccountSettings.version + 1)
        .returning(AccountSettings.version)
    ).scalar_one_or_none()
    if won is None:
        raise Conflict(
            "settings.changed",
            "Somebody changed the settings while this page was open. Nothing of yours was written; look at what they "
            "say now, then choose again.",
        )
