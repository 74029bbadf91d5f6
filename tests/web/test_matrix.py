"""Every address × every role × every method, with real requests (reliability.md P15, P16)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest
from werkzeug.routing import AnyConverter

from tests.support.clock import NOW
from webapp.domain.fulfilment import Stage
from webapp.domain.permissions import ROLES, Permission, Role
from webapp.models import ImportRun, Job, StoredFile

CALLERS = [*Role, None]
# Addresses that belong to no screen: what a browser or a monitor asks for.
PLUMBING = {"static", "csp_report"}
# Signing out would end the walk; it is public and tested elsewhere.
LEFT_OUT = {"auth.sign_out"}
# What these may do is said here a second time, in words of reliability.md 6.1, so that no slip of the table goes unseen.
SPELT_OUT = {
    "audit.index": {Role.EDITOR, Role.DRAW_SUPERVISOR, Role.ADMINISTRATOR},
    "draws.run": {Role.DRAW_SUPERVISOR},
    "draws.seal": {Role.EDITOR},
    "fulfilment.disqualify": {Role.DRAW_SUPERVISOR},
    "fulfilment.hand_over": {Role.FULFILMENT},
    "organisations.edit": {Role.EDITOR},
    "organisations.index": {Role.EDITOR},
    "rewards.edit": {Role.EDITOR},
    "rewards.index": set(Role),
    "settings.index": {Role.ADMINISTRATOR},
    "sites.edit": {Role.EDITOR},
    "staff.index": {Role.ADMINISTRATOR},
}


@dataclass
class World:
    """One of everything, on one site; ``other`` is a site with nothing on it."""

    values: dict[str, object]
    other: int


@pytest.fixture
def world(make):
    site, other = make.site(name="spring-draw"), make.site()
    reward = make.reward(site_id=site.id, name="spring-draw")
    draw = make.draw(reward, reference="D-7KQ2M9XA")
    winner = make.winner(reward, stage=Stage.TO_CONTACT)
    kind = make.voucher_type(site_id=site.id)
    voucher = make.voucher(kind)
    file = make.add(StoredFile(name="x.csv", media_type="text/csv", size=0, sha256="0" * 64, created_at=NOW))
    run = make.add(
        ImportRun(
            kind="entries",
            reward_id=reward.id,
            site_id=site.id,
            file_id=file.id,
            encoding="utf-8",
            created_at=NOW,
            created_by="A",
        )
    )
    job = make.add(Job(kind="nothing.known", title="Import", site_id=site.id, created_at=NOW, created_by="A"))
    values = {
        "name": reward.name,
        "reference": draw.reference,
        "winner_id": winner.id,
        "staff_id": make.staff(Role.VIEWER, site_id=site.id).id,
        "session_id": 999_999,  # one's own would end the walk
        "type_id": kind.id,
        "voucher_type_id": kind.id,
        "run_id": run.id,
        "job_id": job.id,
        "file_id": file.id,
        "profile_id": winner.profile_id,
        "other_id": winner.profile_id,
        "voucher_id": voucher.id,
        "code": kind.code,
        "organisation_id": make.organisation().id,
        "group_id": (group := make.group()).id,
        "membership_id": make.member(group).id,
        "module_id": make.module(site_id=site.id).id,
        "tier_id": make.tier().id,
        "location_id": make.location().id,
        "organisation_type_id": make.organisation_type().id,
        "token": "x" * 43,
        "number": 1,
    }
    return World(values, other.id)


def routes(app):
    return [
        (rule, app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in PLUMBING | LEFT_OUT
    ]


def addresses(rule, values):
    """The addresses of ``rule`` with the world's values, one for each choice an argument names; an unknown one is 1."""
    choices = [
        sorted(converter.items) if isinstance(converter, AnyConverter) else [values.get(name, 1)]
        for name, converter in rule._converters.items()
    ]
    for parts in product(*choices):
        built = rule.build(dict(zip(rule._converters, parts, strict=True)), append_unknown=False)
        assert built, f"no value in the world fits {rule.rule}"
        yield built[1]


def test_an_address_without_a_permission_does_not_start(app):
    assert [
        rule.rule for rule, view in routes(app) if not isinstance(getattr(view, "permission", None), Permission)
    ] == []


def decided(view, caller, method):
    """What the published table says: the statuses that may follow, or must not."""
    permission = view.permission
    if permission is Permission.PUBLIC:
        return "goes on"
    if caller is None:
        return 302 if method == "GET" else 401
    if permission is Permission.SIGNED_IN or permission in ROLES[caller]:
        return "goes on"
    return 403


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: str(caller or "stranger"))
def test_every_address_answers_as_the_table_says(app, world, signed_in, anonymous, caller):
    browser = (signed_in(caller) if caller else anonymous).client
    wrong = []
    for rule, view in routes(app):
        for url, method in product(addresses(rule, world.values), sorted({"GET", "POST"} & rule.methods)):
            status = (answer := browser.open(url, method=method)).status_code
            expected = decided(view, caller, method)
            if expected == "goes on":
                is_sent_away = view.permission is not Permission.PUBLIC and "/sign-in" in answer.headers.get(
                    "Location", ""
                )
                fits = status not in {401, 403, 500} and not is_sent_away
            else:
                fits = status == expected
            if not fits:
                wrong.append(f"{method} {url} as {caller}: {status}, not {expected}")
    assert wrong == []


@pytest.mark.parametrize("endpoint", SPELT_OUT)
def test_the_table_says_what_was_agreed(app, endpoint):
    if endpoint not in app.view_functions:
        pytest.skip(f"there is no {endpoint} yet")
    permission = app.view_functions[endpoint].permission
    assert {role for role in Role if permission in ROLES[role]} == SPELT_OUT[endpoint]


def test_looking_changes_nothing(app, world, console):
    """No GET writes, but for the probe's own lease."""
    for rule, _view in routes(app):
        for url in addresses(rule, world.values) if "GET" in rule.methods else ():
            console.statements.clear()
            console.client.get(url)
            writes = [line for line in console.statements if line.startswith(("INSERT", "UPDATE", "DELETE"))]
            assert [line for line in writes if " leases " not in line] == [], url


def test_nothing_of_another_site_can_be_seen_or_done(app, world, signed_in):
    """P16: an id of another site is answered like one that does not exist, whatever the method."""
    wrong = []
    browsers = {role: signed_in(role, site_id=world.other).client for role in Role}
    for rule, view in routes(app):
        role = next((role for role in Role if view.permission in ROLES[role]), None)
        if role is None or not rule.arguments:
            continue
        for url, method in product(addresses(rule, world.values), sorted({"GET", "POST"} & rule.methods)):
            answer = browsers[role].open(url, method=method)
            if answer.status_code != 404:
                wrong.append(f"{method} {url} as {role} of another site: {answer.status_code}")
    assert wrong == []
