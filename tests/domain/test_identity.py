"""What a person may do where: roles on sites and within organisations."""

import pytest

from webapp.domain import identity, permissions
from webapp.domain.identity import Actor, Grant, Reach
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
        ((Grant(Role.EDITOR, 3),), frozenset({3}), frozenset()),
        ((Grant(Role.EDITOR, None, 7),), frozenset(), frozenset({7})),
        ((Grant(Role.EDITOR, 3, 7), Grant(Role.EDITOR, 4, 8)), frozenset(), frozenset()),
        ((Grant(Role.EDITOR, 3), Grant(Role.EDITOR, None, 7)), frozenset({3}), frozenset({7})),
        ((Grant(Role.EDITOR, 3, 7), Grant(Role.EDITOR)), None, None),
        ((Grant(Role.VIEWER),), frozenset(), frozenset()),
    ],
)
def test_where_a_permission_holds(grants, sites, organisations):
    assert actor(*grants).sites(EDIT) == sites
    assert actor(*grants).organisations(EDIT) == organisations


@pytest.mark.parametrize(
    ("grants", "where"),
    [
        ((), frozenset()),
        ((Grant(Role.EDITOR),), None),
        ((Grant(Role.EDITOR, 3),), frozenset({3})),
        ((Grant(Role.EDITOR, 3, 7),), Reach(frozenset(), ((3, 7),))),
        ((Grant(Role.EDITOR, 3, 7), Grant(Role.EDITOR, 4, 8)), Reach(frozenset(), ((3, 7), (4, 8)))),
        ((Grant(Role.EDITOR, 3), Grant(Role.EDITOR, 4, 8)), Reach(frozenset({3}), ((4, 8),))),
        ((Grant(Role.EDITOR, 3), Grant(Role.EDITOR, None, 8)), Reach(frozenset({3}), ((None, 8),))),
        # What is said of the whole already need not be said of a part.
        ((Grant(Role.EDITOR), Grant(Role.EDITOR, 4, 8)), None),
        ((Grant(Role.EDITOR, 3), Grant(Role.EDITOR, 3, 8)), frozenset({3})),
        ((Grant(Role.EDITOR, 3, 8), Grant(Role.EDITOR, None, 8)), Reach(frozenset(), ((None, 8),))),
        # A role that does not carry it says nothing.
        ((Grant(Role.EDITOR, 3, 7), Grant(Role.TILL, 4, 8)), Reach(frozenset(), ((3, 7),))),
    ],
)
def test_k150_pairs_of_site_and_organisation_are_exact(grants, where):
    assert actor(*grants).where(EDIT) == where


def test_a_role_within_an_organisation_carries_no_right_of_screens_that_do_not_know_organisations():
    bound = actor(Grant(Role.EDITOR, 3, 7))
    assert bound.may(EDIT, 3, within=True)
    assert not bound.may(EDIT, 4, within=True)
    assert not bound.may(EDIT, 3)
    assert not bound.may(EDIT)
    for permission in ROLES[Role.EDITOR] - {EDIT}:
        assert not bound.may(permission, within=True)
        assert bound.where(permission) == frozenset()
        assert bound.sites(permission) == frozenset()
        assert bound.organisations(permission) == frozenset()


def test_staff_settings_and_draws_are_never_within_an_organisation():
    never = {Permission.STAFF_MANAGE, Permission.SETTINGS_EDIT, Permission.DRAWS_RUN, Permission.DRAWS_SEAL}
    assert not never & permissions.WITHIN_ORGANISATIONS
