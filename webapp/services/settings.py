"""Change the choices of the whole account."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    """``version`` is the one the form was drawn from; 0 before anything was ever changed.

    ``anchor_emails`` are addresses with commas between them: who is told where the audit log ends.
    """

    is_small_team: bool
    is_second_factor_optional: bool
    version: int
    anchor_emails: str = ""


def change(work: Work, command: ChangeSettings) -> AccountSettings:
    """Change the account's choices, openly: the audit log tells it and every page shows what is switched on."""
    command = replace(command, anchor_emails=", ".join(rules.anchor_addresses(command.anchor_emails)))
    before = read.find(work.session)
    had = _choices(before) if before else {}
    anchored = before.anchor_emails if before else ""
    if had.get("small-team mode") and not command.is_small_team:
        rules.may_end_small_team(staff_read.conflicted(work.session)).require()
    wanted = _choices(command)
    if before is None:
        # Two at once: the second insert is refused by the primary key and becomes a Conflict.
        work.session.execute(insert(AccountSettings).values(id=1, **_values(command)))
    else:
        _replace(work, command)
    told = [f"{name} {'on' if is_on else 'off'}" for name, is_on in wanted.items() if is_on != had.get(name, False)]
    if command.anchor_emails != anchored:
        told.append(f"the end of the audit log is sent to {command.anchor_emails or 'nobody'}")
    if told:
        work.record(Event.SETTINGS_CHANGED, "account_settings:1", changes=", ".join(told))
    work.session.expire_all()
    return work.session.get_one(AccountSettings, 1)


def _choices(source: ChangeSettings | AccountSettings) -> dict[str, bool]:
    """Every choice under the name the audit log tells it by."""
    return {"small-team mode": source.is_small_team, "second factor optional": source.is_second_factor_optional}


def _values(command: ChangeSettings) -> dict[str, bool | str]:
    return {
        "anchor_emails": command.anchor_emails,
        "is_small_team": command.is_small_team,
        "is_second_factor_optional": command.is_second_factor_optional,
    }


def _replace(work: Work, command: ChangeSettings) -> None:
    won = work.session.execute(
        update(AccountSettings)
        .where(AccountSettings.id == 1, AccountSettings.version == command.version)
        .values(version=AccountSettings.version + 1, **_values(command))
        .returning(AccountSettings.version)
    ).scalar_one_or_none()
    if won is None:
        raise Conflict(
            "settings.changed",
            "Somebody changed the settings while this page was open. Nothing of yours was written; look at what they "
            "say now, then choose again.",
        )
