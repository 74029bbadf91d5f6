"""What a person may do where: roles on sites and within organisations."""

import pytest

from webapp.domain import identity, permissions
from webapp.domain.identity import Actor, Grant
from webapp.domain.permissions import ROLES, Permission, Role

EDIT, VIEW = Permission.ORGANISATIONS_EDIT, Permission.PROGRAMMES_VIEW


@pytest.fixture(autouse=True)
def _edit_keeps_to_organisations(monkeypatch):
    monkeypatch.setattr(identity, "WITHIN_ORGANISATIONS", frozenset({EDIT}))


def actor(*grants):
    return Actor("Ada", 1, frozenset(grants))


@pytest.mark.parametrize(
    ("grants", "sites", "organisations"),
    [
        ((), frozenset(), frozenset()),
        ((Grant(Role.EDITOR),), None, None),
        ((Grant(Role.EDITOR, 3),), frozenset({3}), None),
        ((Grant(Role.EDITOR, None, 7),), None, frozenset({7})),
        ((Grant(Role.EDITOR, 3, 7), Grant(Role.EDITOR, 4, 8)), frozenset({3, 4}), frozenset({7, 8})),
        ((Grant(Role.EDITOR, 3, 7), Grant(Role.EDITOR)), None, None),
        ((Grant(Role.VIEWER),), frozenset(), frozenset()),
    ],
)
def test_where_a_permission_holds(grants, sites, organisations):
    assert actor(*grants).sites(EDIT) == sites
    assert actor(*grants).organisations(EDIT) == organisations


def test_a_role_within_an_organisation_carries_no_right_of_screens_that_do_not_know_organisations():
    bound = actor(Grant(Role.EDITOR, 3, 7))
    assert bound.may(EDIT, 3)
    assert not bound.may(EDIT, 4)
    for permission in ROLES[Role.EDITOR] - {EDIT}:
        assert not bound.may(permission)
        assert bound.sites(permission) == frozenset()
        assert bound.organisations(permission) == frozenset()


def test_staff_settings_and_draws_are_never_within_an_organisation():
    never = {Permission.STAFF_MANAGE, Permission.SETTINGS_EDIT, Permission.DRAWS_RUN, Permission.DRAWS_SEAL}
    assert not never & permissions.WITHIN_ORGANISATIONS
