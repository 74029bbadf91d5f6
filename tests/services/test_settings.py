"""Small-team mode: openly on, openly off."""

import pytest

from tests.support.clock import NOW
from webapp.domain.errors import Conflict, Refused
from webapp.domain.permissions import Role
from webapp.queries import audit
from webapp.queries import settings as read
from webapp.services import settings
from webapp.services.work import perform


def change(session, actor, *, is_small_team, version):
    command = settings.ChangeSettings(is_small_team, is_second_factor_optional=False, version=version)
    return perform(session, actor, NOW, lambda work: settings.change(work, command))


def told(session):
    return [row.sentence for row in reversed(audit.page(session, None, audit.Filters()).rows)]


@pytest.fixture
def admin(make):
    return make.actor(Role.ADMINISTRATOR)


def test_small_team_mode_is_switched_on_and_told(session, admin):
    assert not read.is_small_team(session)
    change(session, admin, is_small_team=True, version=0)
    assert read.is_small_team(session)
    assert told(session) == ["changed the settings: small-team mode on"]


def test_it_stays_on_while_somebody_holds_roles_that_conflict(session, admin, make):
    change(session, admin, is_small_team=True, version=0)
    make.staff(Role.EDITOR, Role.DRAW_SUPERVISOR, name="Ed Moss")
    with pytest.raises(Refused, match="Ed Moss holds roles that conflict"):
        change(session, admin, is_small_team=False, version=1)


def test_it_is_switched_off_and_told(session, admin, make):
    change(session, admin, is_small_team=True, version=0)
    make.staff(Role.EDITOR, Role.DRAW_SUPERVISOR, is_active=False)
    change(session, admin, is_small_team=False, version=1)
    assert told(session)[-1] == "changed the settings: small-team mode off"


def test_nothing_changed_is_not_told(session, admin):
    change(session, admin, is_small_team=False, version=0)
    assert told(session) == []


def test_the_second_of_two_changes_is_refused(session, admin):
    change(session, admin, is_small_team=True, version=0)
    change(session, admin, is_small_team=True, version=1)
    with pytest.raises(Conflict, match="Somebody changed the settings"):
        change(session, admin, is_small_team=False, version=1)


def anchored(session, actor, emails, version=0):
    command = settings.ChangeSettings(
        is_small_team=False, is_second_factor_optional=False, version=version, anchor_emails=emails
    )
    return perform(session, actor, NOW, lambda work: settings.change(work, command))


def test_who_is_told_the_end_of_the_log_is_kept_tidily_and_told(session, admin):
    anchored(session, admin, " Auditor@Example.org; board@example.org,auditor@example.org")
    assert read.anchor_emails(session) == ["auditor@example.org", "board@example.org"]
    anchored(session, admin, "", version=1)
    assert read.anchor_emails(session) == []
    assert told(session) == [
        "changed the settings: the end of the audit log is sent to auditor@example.org, board@example.org",
        "changed the settings: the end of the audit log is sent to nobody",
    ]


@pytest.mark.parametrize(
    ("emails", "says"),
    [("nobody", "«nobody» is not an e-mail address"), (",".join(f"a{n}@example.org" for n in range(6)), "not 6")],
)
def test_addresses_that_are_none_or_too_many_are_refused(session, admin, emails, says):
    with pytest.raises(Refused, match=says):
        anchored(session, admin, emails)
