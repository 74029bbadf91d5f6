"""Every address × every role × every method, with real requests (reliability.md P15, P16, P17; rewards.md K150).

Each proof has a twin that plants the fault it is there for, and must find it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import partial
from itertools import product

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, update
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import AnyConverter

from tests.support.clock import NOW
from tests.support.signing_in import sign_in
from webapp.blueprints.profiles import views as profiles_views
from webapp.blueprints.rewards import views as rewards_views
from webapp.cli import main
from webapp.domain.fulfilment import Stage
from webapp.domain.identity import Actor, Grant
from webapp.domain.permissions import ROLES, WITHIN_ORGANISATIONS, Permission, Role, of_organisation
from webapp.extensions import db
from webapp.models import (
    Base,
    Benefit,
    ImportRun,
    Job,
    Profile,
    Redemption,
    Site,
    StaffMember,
    StaffSession,
    StoredFile,
    Voucher,
)
from webapp.services import staff, staff_account, staff_sessions
from webapp.services.work import Work
from webapp.web import reach

CALLERS = [*Role, None]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
# Addresses that belong to no screen: what a browser or a monitor asks for.
PLUMBING = {"static", "csp_report"}
# Signing out would end the walk; it is public and tested elsewhere.
LEFT_OUT = {"auth.sign_out"}
# What these may do is said here a second time, in words of reliability.md 6.1, so that no slip of the table goes unseen.
SPELT_OUT = {
    "benefits.claim": {Role.EDITOR, Role.TILL},
    "benefits.expiry": {Role.ADMINISTRATOR},
    "benefits.export": {Role.EDITOR},
    "benefits.index": {Role.EDITOR, Role.TILL, Role.ADMINISTRATOR},
    "benefits.issue": {Role.EDITOR},
    "benefits.print_preview": {Role.FULFILMENT},
    "benefits.print_sheets": {Role.FULFILMENT},
    "benefits.redeem": {Role.TILL},
    "benefits.release": {Role.EDITOR},
    "benefits.reverse": {Role.EDITOR, Role.TILL},
    "benefits.void": {Role.EDITOR},
    "benefits.void_several": {Role.EDITOR},
    "audit.index": {Role.EDITOR, Role.DRAW_SUPERVISOR, Role.ADMINISTRATOR},
    "benefit_definitions.edit": {Role.EDITOR},
    "benefit_definitions.publish": {Role.EDITOR},
    "draws.run": {Role.DRAW_SUPERVISOR},
    "draws.seal": {Role.EDITOR},
    "targets.edit": {Role.EDITOR},
    "targets.index": set(Role),
    "targets.renew_secret": {Role.EDITOR},
    "targets.secret": {Role.EDITOR},
    "benefits.resend": {Role.EDITOR},
    "fulfilment.disqualify": {Role.DRAW_SUPERVISOR},
    "fulfilment.hand_over": {Role.FULFILMENT},
    "organisations.edit": {Role.EDITOR},
    "organisations.index": {Role.EDITOR},
    "rewards.edit": {Role.EDITOR},
    "rewards.index": set(Role),
    "till.index": {Role.TILL},
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
        "benefit_id": (benefit := make.benefit(make.benefit_definition(site_id=site.id))).id,
        "redemption_id": make.redemption(benefit).id,
        "extension_id": make.extension(benefit).id,
        "target_id": (target := make.target(site_id=site.id)).id,
        "notice_id": make.notice(benefit, target).id,
        "code": kind.code,
        "organisation_id": make.organisation().id,
        "group_id": (group := make.group()).id,
        "membership_id": make.member(group).id,
        "module_id": make.module(site_id=site.id).id,
        "tier_id": make.tier().id,
        "definition_id": make.benefit_definition(site_id=site.id, handle="spring-coffee").id,
        "handle": "spring-coffee",
        "version": 1,
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


@pytest.fixture
def browser_of(signed_in, anonymous):
    """A browser in which somebody of the role is signed in, or nobody."""
    return lambda caller: (signed_in(caller) if caller else anonymous).client


def undeclared(app):
    return [rule.rule for rule, view in routes(app) if not isinstance(getattr(view, "permission", None), Permission)]


def test_p15_an_address_without_a_permission_does_not_start(app):
    assert undeclared(app) == []


def test_p15_finds_an_address_without_a_permission():
    naked = Flask("naked", static_folder=None)
    naked.add_url_rule("/naked", "naked", lambda: "")
    assert undeclared(naked) == ["/naked"]


@pytest.fixture(scope="module")
def published():
    """What `permissions --json` prints: the names of roles by the name of the permission."""
    printed = CliRunner().invoke(main, ["permissions", "--json"], catch_exceptions=False)
    return json.loads(printed.output)["permissions"]


def decided(published, view, caller, method):
    """What the published table says: the statuses that may follow, or must not."""
    permission = view.permission
    if permission is Permission.PUBLIC:
        return "goes on"
    if caller is None:
        return 401 if method == "POST" else 302
    if permission is Permission.SIGNED_IN or str(caller) in published[str(permission)]:
        return "goes on"
    return 403


@pytest.fixture
def ask(shared):
    """Sends a request and takes back what it changed, so that each meets the world as it was."""

    def ask(browser, url, method, **options):
        kept = browser.get_cookie("session")
        savepoint = shared.begin_nested()
        try:
            return browser.open(url, method=method, **options)
        finally:
            if savepoint.is_active:
                savepoint.rollback()
            if kept is not None:
                browser.set_cookie("session", kept.value)

    return ask


def matched(app, url, method):
    """The screen an address leads to with this method; None when it knows the address and not the method."""
    try:
        return app.url_map.bind("localhost").match(url, method)[0]
    except MethodNotAllowed:
        return None


def walk(app, world, published, caller, send):
    """Where an answer is not what the table says, whatever the method."""
    for rule, view in routes(app):
        for url, method in product(addresses(rule, world.values), METHODS):
            if (leads_to := matched(app, url, method)) not in {rule.endpoint, None}:
                continue  # another screen's address: this one is only posted to, say
            answer = send(url, method)
            status = answer.status_code
            if leads_to is None:
                expected, fits = 405, status == 405
            elif (expected := decided(published, view, caller, method)) == "goes on":
                away = view.permission is not Permission.PUBLIC and "/sign-in" in answer.headers.get("Location", "")
                is_fault = status >= 500 and rule.endpoint != "health.readyz"  # a test's installation is not ready
                fits = status not in {401, 403} and not is_fault and not away
            else:
                fits = status == expected
            if not fits:
                yield f"{method} {url} as {caller}: {status}, not {expected}"


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: str(caller or "stranger"))
def test_p15_every_address_answers_every_method_as_the_table_says(app, world, browser_of, published, ask, caller):
    send = partial(ask, browser_of(caller))
    assert list(walk(app, world, published, caller, send)) == []


def test_p15_finds_a_screen_that_does_not_ask(app, world, signed_in, published, ask, monkeypatch):
    """The permission is declared and not looked at: only a real request can tell."""

    def settings():
        return "for everybody"

    settings.permission = Permission.SETTINGS_EDIT
    monkeypatch.setitem(app.view_functions, "settings.index", settings)
    found = list(walk(app, world, published, Role.VIEWER, partial(ask, signed_in(Role.VIEWER).client)))
    assert found == ["GET /settings as viewer: 200, not 403", "HEAD /settings as viewer: 200, not 403",
                     "POST /settings as viewer: 200, not 403"]  # fmt: skip


def test_p15_finds_a_role_that_lost_a_right(app, world, signed_in, published, ask):
    other = published | {"audit.view": [str(role) for role in Role]}
    found = list(walk(app, world, other, Role.VIEWER, partial(ask, signed_in(Role.VIEWER).client)))
    assert found
    assert all("/audit" in line for line in found)


@pytest.mark.parametrize("endpoint", SPELT_OUT)
def test_p15_the_table_says_what_was_agreed(app, endpoint):
    permission = app.view_functions[endpoint].permission
    assert {role for role in Role if permission in ROLES[role]} == SPELT_OUT[endpoint]


def digest(connection):
    """SHA-256 of every row of every table, but for the lease a probe takes for itself."""
    found = hashlib.sha256()
    for table in sorted(Base.metadata.tables.values(), key=lambda table: table.name):
        if table.name != "leases":
            rows = sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            found.update(f"{table.name}: {rows}\n".encode())
    return found.hexdigest()


def look_everywhere(app, world, browser):
    for rule, _view in routes(app):
        for url in addresses(rule, world.values) if "GET" in rule.methods else ():
            browser.get(url)
            browser.head(url)
            browser.get(url, headers=PART)


def test_p15_looking_changes_nothing(app, world, console, shared):
    before = digest(shared)
    look_everywhere(app, world, console.client)
    assert digest(shared) == before


# What a person who only looks is refused even to look at, or posts because it writes nothing of the programme.
SECRETS = {"account.recovery_codes", "staff.link", "targets.secret", "vouchers.reveal"}
WRITE_NOTHING = {"search.find", "staff.stop_seeing"}


def test_13_9_auditor(app, world, make, new_console, session, ask):
    """Whoever sees the console as somebody with every right reads every page and changes nothing by any form."""
    boss = make.actor(Role.ADMINISTRATOR, name="Ada Berg", email="boss@example.org")
    everybody = make.staff(*Role, name="Eve Moss", email="eve@example.org", password_hash="x")
    looking = new_console()
    sign_in(looking.client, session, boss)
    looking.submit(looking.get(f"/staff/{everybody.id}/see-as"))
    read = posted = 0
    wrong = []
    for rule, view in routes(app):
        if view.permission is Permission.PUBLIC or rule.endpoint in SECRETS:
            continue
        for url, method in product(addresses(rule, world.values), sorted({"GET", "POST"} & rule.methods)):
            status = ask(looking.client, url, method).status_code
            fits = status == 403 if method == "POST" else status not in {401, 403} and status < 500
            read, posted = read + (method == "GET"), posted + (method == "POST")
            if not fits and rule.endpoint not in WRITE_NOTHING:
                wrong.append(f"{method} {url}: {status}")
    assert wrong == []
    assert read > 150
    assert posted > 100


def test_p15_finds_a_page_that_writes(app, world, console, shared, monkeypatch):
    def help_page():
        db.session.execute(update(StaffMember).values(name="Eve"))
        db.session.commit()
        return ""

    help_page.permission = Permission.SIGNED_IN
    monkeypatch.setitem(app.view_functions, "help.index", help_page)
    before = digest(shared)
    look_everywhere(app, world, console.client)
    assert digest(shared) != before


def elsewhere(app, values, missing, browsers, ask):
    """Answers of a person of another place that are not 404, or tell more than those for an id that is nobody's."""
    for rule, view in routes(app):
        for role in (role for role in Role if view.permission in ROLES[role] and rule.arguments and role in browsers):
            pairs = list(zip(addresses(rule, values), addresses(rule, missing), strict=True))
            for (url, nobodys), method, headers in product(pairs, sorted({"GET", "POST"} & rule.methods), ({}, PART)):
                answer = ask(browsers[role], url, method, headers=headers)
                if answer.status_code != 404:
                    yield f"{method} {url} as {role} of another place: {answer.status_code}"
                elif told(answer, url) != told(ask(browsers[role], nobodys, method, headers=headers), nobodys):
                    yield f"{method} {url} as {role} of another place: other words than for {nobodys}"


def told(answer, url):
    """What there is to read, and where it leads, without what names this one request: the reference, the address, the id."""
    soup = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    main = soup.select_one("main") or soup
    text = " ".join([*main.stripped_strings, *(str(link["href"]) for link in main.select("[href]"))])
    text = re.sub(r"\b[0-9a-f]{16}\b", "reference", text).replace(url, "address")
    own = [
        part for part in url.split("/") if part.isdigit() or part in {"spring-draw", "no-such", "D-7KQ2M9XA", "D-NO"}
    ]
    return re.sub("|".join(rf"(?<![\w-]){re.escape(part)}(?![\w-])" for part in own) or "$^", "id", text)


def nobodys(values):
    """Values that fit the same addresses and name nothing."""
    others = {"name": "no-such", "reference": "D-NO"}
    return {name: others.get(name, 999_999 if isinstance(value, int) else value) for name, value in values.items()}


def test_p16_nothing_of_another_site_is_seen_or_done(app, world, signed_in, ask):
    browsers = {role: signed_in(role, site_id=world.other).client for role in Role}
    assert list(elsewhere(app, world.values, nobodys(world.values), browsers, ask)) == []


@pytest.mark.parametrize(
    "address",
    [
        "/vouchers?reward=spring-draw",
        "/vouchers/print?reward=spring-draw",
        "/vouchers/print/preview/a4-1.png?reward=spring-draw",
    ],
)
def test_p16_an_id_in_the_query_is_no_way_round(world, signed_in, address):
    page = signed_in(Role.FULFILMENT, site_id=world.other).get(address, status=404)
    nobody = signed_in(Role.FULFILMENT, site_id=world.other).get(address.replace("spring-draw", "no-such"), status=404)
    assert page.texts("main h1") == nobody.texts("main h1")


def test_p16_finds_a_screen_that_does_not_keep_to_its_site(app, world, signed_in, ask, monkeypatch):
    monkeypatch.setattr(rewards_views, "scope", lambda _permission: None)
    browsers = {role: signed_in(role, site_id=world.other).client for role in Role}
    found = list(elsewhere(app, world.values, nobodys(world.values), browsers, ask))
    assert found
    assert all("/rewards/spring-draw" in line for line in found)


def of_organisations(app):
    return [
        (rule, view)
        for rule, view in routes(app)
        if view.permission in WITHIN_ORGANISATIONS and view.within and "organisation_id" in rule.arguments
    ]


def test_k150_nothing_of_another_organisation_is_seen_or_done(app, world, make, signed_in, ask):
    """A role within one organisation: its own is open, one beside it is not there, and neither is the one above."""
    top = make.organisation()
    mine, beside = make.organisation(top), make.organisation(top)
    below = make.organisation(mine)
    wrong = []
    found = of_organisations(app)
    assert found
    for role, (rule, view) in product(Role, found):
        if view.permission not in ROLES[role]:
            continue
        browser = signed_in(role, organisation_id=mine.id).client
        for which, method in product((mine, below, beside, top), sorted({"GET", "POST"} & rule.methods)):
            (url,) = addresses(rule, world.values | {"organisation_id": which.id})
            status = ask(browser, url, method).status_code
            if (status == 404) != (which in (beside, top)):
                wrong.append(f"{method} {url} as {role} within one organisation: {status}")
    assert wrong == []


def test_k150_a_role_within_an_organisation_opens_no_other_screen(app, world, make, signed_in, published, ask):
    """Screens that do not say they keep to organisations, exports and prints among them: 403 before any id is read."""
    wrong = []
    for role in Role:
        browser = signed_in(role, organisation_id=make.organisation().id).client
        for rule, view in routes(app):
            if view.within or view.permission in {Permission.PUBLIC, Permission.SIGNED_IN}:
                continue
            for url, method in product(addresses(rule, world.values), sorted({"GET", "POST"} & rule.methods)):
                if (status := ask(browser, url, method).status_code) != 403:
                    wrong.append(f"{method} {url} as {role} within one organisation: {status}")
    assert wrong == []


def test_k150_only_what_a_bound_role_may_carry_keeps_to_organisations(app):
    """A screen that says so and asks for another right would be open to nobody; each of these rights has a screen."""
    said = {view.permission for _, view in routes(app) if view.within}
    assert said == WITHIN_ORGANISATIONS
    assert {role for role in Role if of_organisation(role)} == {Role.TILL, Role.EDITOR}


# Groups and types of organisations are of the account: within an organisation a group shows its own members only.
OF_THE_ACCOUNT = {"groups.add", "groups.export_members", "groups.show", "organisation_types.show"}


def outside(app, values, browsers, ask):
    """Answers, to somebody bound to another organisation, that are neither 404 as for nobody's id nor 403."""
    missing = nobodys(values)
    for rule, view in routes(app):
        if (
            view.permission in {Permission.PUBLIC, Permission.SIGNED_IN}
            or not rule.arguments
            or rule.endpoint in OF_THE_ACCOUNT
        ):
            continue
        pairs = list(zip(addresses(rule, values), addresses(rule, missing), strict=True))
        for (role, browser), (url, other) in product(browsers.items(), pairs):
            for method, headers in product(sorted({"GET", "POST"} & rule.methods), ({}, PART)):
                answer = ask(browser, url, method, headers=headers)
                is_open = view.within and view.permission in ROLES[role]
                if answer.status_code != (404 if is_open else 403):
                    yield f"{method} {url} as {role} of another organisation: {answer.status_code}"
                elif is_open and told(answer, url) != told(ask(browser, other, method, headers=headers), other):
                    yield f"{method} {url} as {role} of another organisation: other words than for {other}"


@pytest.fixture
def held_within(world, make, session):
    """`held_within(organisation)`: whoever holds something of the world is a member there."""

    def join(organisation):
        group = make.group()
        redeemed = session.get_one(Redemption, world.values["redemption_id"])
        holders = {world.values["profile_id"], session.get_one(Benefit, redeemed.benefit_id).profile_id}
        for number in sorted(holders):
            make.member(group, session.get_one(Profile, number), organisation)
        session.get_one(Voucher, world.values["voucher_id"]).profile_id = world.values["profile_id"]
        session.commit()

    return join


@pytest.fixture
def walk_outside(app, world, ask):
    """Where somebody bound to another organisation is answered otherwise than 403 or 404; browsers by their role."""
    return lambda browsers: list(outside(app, world.values, browsers, ask))


def test_k150_nobody_of_another_organisation_is_seen_and_nothing_they_hold(make, signed_in, held_within, walk_outside):
    top = make.organisation()
    mine, beside = make.organisation(top), make.organisation(top)
    held_within(beside)
    browsers = {role: signed_in(role, organisation_id=mine.id).client for role in Role}
    assert walk_outside(browsers) == []


def test_k150_the_walk_is_not_of_closed_doors(world, make, signed_in, held_within, walk_outside):
    """The same walk where the people are members below one's own: every screen that keeps to organisations is open."""
    mine = make.organisation()
    held_within(make.organisation(mine))
    browsers = {role: signed_in(role, organisation_id=mine.id).client for role in (Role.TILL, Role.EDITOR)}
    found = " ".join(walk_outside(browsers))
    for role, noun in ((Role.TILL, "till/benefits"), (Role.TILL, "till/vouchers"), (Role.EDITOR, "profiles")):
        number = world.values[{"till/benefits": "benefit_id", "till/vouchers": "voucher_id"}.get(noun, "profile_id")]
        assert f"GET /{noun}/{number} as {role} of another organisation: 200" in found


def test_k150_finds_a_screen_that_shows_people_of_others(make, signed_in, held_within, walk_outside, monkeypatch):
    held_within(make.organisation())
    browsers = {Role.EDITOR: signed_in(Role.EDITOR, organisation_id=make.organisation().id).client}
    monkeypatch.setattr(profiles_views, "where", lambda _permission: None)
    found = walk_outside(browsers)
    assert found
    assert all("/profiles/" in line for line in found)


@pytest.mark.parametrize("role", [Role.TILL, Role.EDITOR])
def test_k150_an_id_in_the_query_is_no_way_round(world, make, signed_in, held_within, role):
    held_within(make.organisation())
    browser = signed_in(role, organisation_id=make.organisation().id)
    for path in ("/benefits/claim?profile={}", *(["/till/people?profile={}"] if role is Role.TILL else [])):
        page = browser.get(path.format(world.values["profile_id"]), status=404)
        assert page.texts("main p") == browser.get(path.format(999_999), status=404).texts("main p")


def test_k150_finds_a_screen_that_does_not_keep_to_its_organisation(app, world, make, signed_in, ask, monkeypatch):
    monkeypatch.setattr(reach, "organisation_scope", lambda _permission: None)
    mine, beside = make.organisation(), make.organisation()
    browser = signed_in(Role.EDITOR, organisation_id=mine.id).client
    (rule,) = [rule for rule, _ in of_organisations(app) if rule.endpoint == "organisations.show"]
    (url,) = addresses(rule, world.values | {"organisation_id": beside.id})
    assert ask(browser, url, "GET").status_code == 200


def demote(session, work, person):
    staff.change_grants(work, staff.ChangeGrants(person.id, (Grant(Role.VIEWER),)))


def disable(session, work, person):
    staff.disable(work, staff.DisableStaff(person.id))


def log_out(session, work, person):
    number = session.scalars(select(StaffSession.id).where(StaffSession.staff_id == person.id)).one()
    staff_sessions.sign_out(work, number)


def change_password(session, work, person):
    """As from another browser: this one is one of the others."""
    actor = Actor(person.name, person.id)
    renewal = staff_sessions.RenewToken(0, "", "")
    staff_account.change_password(Work(session, actor, NOW), staff_account.ChangePassword("x", renewal))


ENDS = {"demoted": demote, "disabled": disable, "logged out": log_out, "password changed": change_password}


@pytest.mark.parametrize("what", [*ENDS, "nothing"])
def test_p17_rights_withdrawn_bite_on_the_next_request(make, signed_in, session, work, what):
    """Page, part, download and form alike; with nothing withdrawn all four go on, so the proof can fail."""
    browser = signed_in(Role.EDITOR, email="ed@example.org")
    person = session.scalars(select(StaffMember).where(StaffMember.email == "ed@example.org")).one()
    job = make.job(status="done", result_file_id=make.file().id, created_by_id=person.id)
    asked = [
        ("GET", f"/jobs/{job.id}", {}),
        ("GET", f"/jobs/{job.id}/progress", PART),
        ("GET", f"/jobs/{job.id}/result", {}),
        ("POST", "/sites/new", {}),
    ]

    def statuses():
        return [browser.client.open(url, method=method, headers=headers).status_code for method, url, headers in asked]

    fine = [200, 200, 200, 422]
    assert statuses() == fine
    if what != "nothing":
        ENDS[what](session, work, person)
        session.commit()
    assert statuses() == {"nothing": fine, "demoted": [403] * 4}.get(what, [302, 401, 302, 401])
    session.expire_all()
    assert session.scalars(select(Site).where(Site.title == "")).all() == []
