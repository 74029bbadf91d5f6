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
