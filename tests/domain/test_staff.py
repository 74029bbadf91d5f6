"""Passwords, roles that conflict, and who may change whom."""

import pytest

from webapp.domain import staff as rules
from webapp.domain.errors import Refused
from webapp.domain.identity import Grant
from webapp.domain.permissions import Role, of_organisation


def codes(verdict):
    return [reason.code for reason in verdict.reasons]


def test_the_shipped_list_has_at_least_three_thousand_passwords():
    assert len(rules.common_passwords()) >= 3_000
    assert sum(len(word) >= rules.SHORTEST for word in rules.common_passwords()) >= 3_000


@pytest.mark.parametrize(
    ("password", "refused"),
    [
        ("four plain words here", []),
        ("ünïcode wörds ✓ and more", []),
        ("x" * 11, ["password.length", "password.common"]),
        ("short words", ["password.length"]),
        ("no way this is long " * 7, ["password.length"]),
        ("password1234", ["password.common"]),
        ("P@ssw0rdP@ssw0rd", ["password.common"]),
        ("QWERTYUIOP123", ["password.common"]),
        ("!!iloveyouforever!!", ["password.common"]),
        ("aaaaaaaaaaaaaaaa", ["password.common"]),
        ("abababababababab", ["password.common"]),
        ("margaret-2026!", ["password.own_name"]),
        ("harbour.harbour", ["password.own_name"]),
        ("margaret@harbour.example", ["password.own_name"]),
        ("the rain in spain, said margaret, stays plain", []),
    ],
)
def test_passwords(password, refused):
    assert codes(rules.may_use_password(password, name="Margaret Hill", email="Margaret@harbour.example")) == refused


@pytest.mark.parametrize(
    ("email", "normal"),
    [(" Ada@Example.ORG ", "ada@example.org"), ("ZOË@example.org", "zoë@example.org")],
)
def test_addresses_have_one_spelling(email, normal):
    assert rules.checked_email(email) == normal


@pytest.mark.parametrize(
    "email",
    ["", "ada", "ada@", "@example.org", "ada@example", "a b@example.org", "a@b@c.org", "x@" + "y" * 260 + ".org"],
)
def test_what_is_no_address_is_refused_on_its_field(email):
    with pytest.raises(Refused) as refusal:
        rules.checked_email(email)
    assert refusal.value.field == "email"


@pytest.mark.parametrize(
    "pair",
    [
        (Role.EDITOR, Role.DRAW_SUPERVISOR),
        (Role.DRAW_SUPERVISOR, Role.FULFILMENT),
        (Role.ADMINISTRATOR, Role.DRAW_SUPERVISOR),
    ],
)
def test_conflicting_roles_are_refused_unless_the_team_is_small(pair):
    grants = [Grant(role) for role in pair]
    verdict = rules.may_grant(grants, is_small_team=False)
    assert codes(verdict) == ["staff.conflict"]
    assert all(str(role) in verdict.reasons[0].message for role in pair)
    assert rules.may_grant(grants, is_small_team=True).ok


def test_conflicting_roles_are_refused_on_different_sites_too():
    grants = [Grant(Role.EDITOR, 1), Grant(Role.DRAW_SUPERVISOR, 2)]
    assert codes(rules.may_grant(grants, is_small_team=False)) == ["staff.conflict"]


def test_somebody_without_any_role_is_refused():
    assert codes(rules.may_grant([], is_small_team=True)) == ["staff.no_role"]


@pytest.mark.parametrize(
    ("site_id", "within", "refused"),
    [
        (1, None, []),
        (None, None, []),
        (1, {1}, []),
        (2, {1}, ["staff.foreign_site"]),
        (None, {1}, ["staff.foreign_site"]),
    ],
)
def test_roles_are_given_on_ones_own_sites_only(site_id, within, refused):
    grants = [Grant(Role.VIEWER, site_id)]
    assert codes(rules.may_give(grants, None if within is None else frozenset(within))) == refused


@pytest.mark.parametrize(
    ("gained", "is_self", "is_small_team", "refused"),
    [
        ([Grant(Role.EDITOR)], True, False, ["staff.own_role"]),
        ([Grant(Role.EDITOR)], True, True, []),
        ([Grant(Role.EDITOR)], False, False, []),
        ([], True, False, []),
    ],
)
def test_nobody_gives_themselves_a_role(gained, is_self, is_small_team, refused):
    assert codes(rules.may_promote_self(gained, is_self=is_self, is_small_team=is_small_team)) == refused


@pytest.mark.parametrize("role", Role)
def test_k150_a_role_within_an_organisation_carries_something_there(role):
    found = rules.may_bind([Grant(role, 3), Grant(role, None, 7)])
    assert found.ok == bool(of_organisation(role)) == (role in rules.WITHIN)
    assert found.ok or found.reasons[0].message == (
        f"The role «{role}» carries nothing within an organisation. Give it in all organisations, or give till or editor "
        "within this one."
    )


def test_roles_in_words():
    grants = [Grant(Role.VIEWER), Grant(Role.EDITOR, 3)]
    assert rules.in_words(grants, {3: "Club Nord"}) == "editor on Club Nord, viewer everywhere"
    assert rules.in_words([], {}) == "nothing"


def test_small_team_mode_ends_only_without_conflicts():
    assert rules.may_end_small_team([]).ok
    assert "Ada, Bo hold roles" in rules.may_end_small_team(["Ada", "Bo"]).reasons[0].message
    assert "Ada holds roles" in rules.may_end_small_team(["Ada"]).reasons[0].message
