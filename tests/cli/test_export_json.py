"""`export KIND --json` of every kind: every column says something, and every filter narrows."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import date

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from tests.factories import NOW
from tests.support import narrowing
from webapp.cli import exports, runtime
from webapp.domain.audit import Event
from webapp.domain.benefit_definitions import PeriodType
from webapp.domain.benefit_lists import DATES
from webapp.domain.errors import DomainError
from webapp.domain.people import Gender
from webapp.models import AuditEntry, BenefitDefinition, ExportRun
from webapp.queries import benefit_definitions, entries

COLUMNS = {name: kind.columns for name, kind in exports.KINDS.items()} | {"entries": entries.EXPORT}
OPTIONS = {"entries": ["--reward", "spring"]}
_VALUES = {int: 1, str: "text", bool: True, date: date(2027, 1, 31)}
_DATES = dict.fromkeys(("claim_period_start_at", "claim_period_end_at", "end_at", "created_at", "updated_at"), NOW)
_PACKED = {"tags": ["new"], "meta": {"a": "b"}, "claim_condition": {"<": [1, 2]}, "view_condition": {"<": [1, 2]}}


@pytest.fixture
def told(session, monkeypatch):
    """`told("definitions", …)` gives the objects that the command prints."""

    monkeypatch.setattr(runtime, "session", lambda: nullcontext(session))

    def run(kind, *options):
        done = CliRunner().invoke(exports.group, [kind, "--json", *OPTIONS.get(kind, ()), *options])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return run


@pytest.fixture
def filled(make):
    site = make.site(name="site", staff_domains="example.org")
    place, tier, kind = make.place(), make.tier(), make.organisation_type()
    make.location(timezone="Europe/Oslo", organisation_id=make.organisation().id, closed_at=NOW)
    top = make.organisation()
    below = make.organisation(top, type_id=kind.id, timezone="Europe/Oslo", address="Kai 1", archived_at=NOW)
    person = make.profile(
        title="Dr",
        phone="1",
        home_phone="2",
        zone="Europe/Oslo",
        birth_day=1,
        birth_month=2,
        birth_year=1990,
        gender=Gender.FEMALE,
        joined_at=NOW,
        joined_location_id=place.id,
        preferred_location_id=place.id,
        tier_id=tier.id,
        tags=["new"],
        statuses=["member"],
        consents={"email_promo": True},
        attributes={"postcode": "0150", "shop.size": "M"},
    )
    make.fact("choice", choices=["S", "M"], archived_at=NOW)
    make.identity(person.id)
    group = make.group(notes="Notes", archived_at=NOW)
    make.member(group, person, below)
    module = make.module(site_id=site.id, lapses_after=3, archived_at=NOW)
    make.completed(module, person, score=90, lapses_at=NOW)
    pool = make.voucher_type(site_id=site.id)
    everything = make.benefit_definition(**_definition(make, site.id, pool.id))
    reward = make.reward(
        name="spring",
        site_id=site.id,
        sub_title="Sub",
        voucher_type_id=pool.id,
        closed_at=NOW,
        fulfilled_at=NOW,
        notes="Notes",
        terms="Terms",
        witnessed_value="Value",
    )
    make.prize(reward, value_minor=100)
    make.draw(reward)
    winner = make.winner(reward, profile_id=person.id)
    make.voucher(
        pool,
        status="allocated",
        profile_id=person.id,
        winner_id=winner.id,
        winner_place=1,
        allocated_at=NOW,
        expires_at=NOW,
    )
    make.benefit(
        everything,
        person,
        claimed_at=NOW,
        expires_at=NOW,
        extended_at=NOW,
        voided_at=NOW,
        voided_by="Ann Able",
        void_reason="A test",
        max_redemptions=1,
        value_minor=100,
        currency="EUR",
    )
    make.entry(reward, profile_id=person.id, receipt="R1", store="Quay", reason="Staff")


def _definition(make, site_id, pool_id):
    """A value for every column that an export tells."""
    columns = [one for one in BenefitDefinition.__table__.columns if one.key in benefit_definitions.EXPORT]
    values = {one.key: _VALUES[one.type.python_type] for one in columns if one.type.python_type in _VALUES}
    targets = {f"{kind}_target_id": make.target(site_id=site_id).id for kind in ("issue", "remind", "extend")}
    fixed = {"period_type": PeriodType.ABSOLUTE_DATE, "currency": "EUR", "handle": "everything"}
    return values | _DATES | _PACKED | targets | fixed | {"site_id": site_id, "voucher_type_id": pool_id}


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_column_of_every_kind_can_be_told_as_json(told, filled, kind):
    rows = told(kind)
    assert [list(row) for row in rows] == [list(COLUMNS[kind])] * len(rows)
    told_of = {name for row in rows for name, value in row.items() if value not in (None, "", "[]", "{}")}
    assert set(COLUMNS[kind]) == told_of


def test_a_day_is_told_without_a_time_and_a_moment_with_its_zone(told, filled):
    [row] = told("definitions")
    assert (row["absolute_expiry"], row["end_at"]) == ("2027-01-31", NOW.isoformat().replace("+00:00", "Z"))


def test_every_kind_has_its_command():
    assert set(exports.group.commands) == set(COLUMNS)


NARROWED = [
    ("profiles", ["q=kayak"], "external_id", ["M-1"]),
    ("organisations", ["q=kayak"], "external_id", ["K"]),
    ("organisations", ["type=club"], "external_id", ["K"]),
    ("organisations", ["show=in-use"], "external_id", ["K", "L"]),
    ("organisations", ["show=archived"], "external_id", ["O"]),
    ("organisations", [], "external_id", ["K", "L", "O"]),
    ("groups", ["q=kayak"], "name", ["kayakers"]),
    ("groups", ["show=mailing-list"], "name", ["kayakers"]),
    ("groups", ["show=in-use"], "name", ["guests", "kayakers"]),
    ("groups", ["show=archived", "q=kayak"], "name", ["old"]),
    ("groups", [], "name", ["guests", "kayakers", "old"]),
    ("memberships", ["group=kayakers"], "external_id", ["M-1", "M-2"]),
    ("memberships", ["group=kayakers", "q=kayak"], "external_id", ["M-1"]),
    ("memberships", ["q=kayak"], "group", ["guests", "kayakers"]),
    ("modules", ["q=kayak"], "title", ["Kayak basics"]),
    ("modules", ["show=archived"], "title", ["Old kayak basics"]),
    ("modules", [], "title", ["Kayak basics", "Old kayak basics"]),
    ("completions", ["module=kayak:/p1/m1"], "external_id", ["M-1", "M-2"]),
    ("completions", ["module=kayak:/p1/m1", "q=kayak"], "external_id", ["M-1"]),
    ("completions", ["q=kayak"], "module", ["kayak:/p1/m1", "kayak:/p1/m2"]),
    ("locations", ["q=kayak"], "external_id", ["P"]),
    ("locations", ["show=open"], "external_id", ["P"]),
    ("locations", ["show=closed"], "external_id", ["Q"]),
    ("locations", [], "external_id", ["P", "Q"]),
    ("definitions", ["q=kayak"], "handle", ["hire"]),
    ("definitions", ["state=archived"], "handle", ["coffee"]),
    ("definitions", ["tag=water", "campaign=may", "type=discount"], "handle", ["hire"]),
    ("definitions", ["type=other"], "handle", []),
    ("definitions", [], "handle", ["coffee", "hire"]),
    ("benefits", [], "definition", ["coffee", "hire"]),
    ("benefits", ["q=kayak"], "definition", ["hire"]),
    ("benefits", ["definition=HIRE"], "definition", ["hire"]),
    ("benefits", ["state=void"], "definition", ["coffee"]),
    ("benefits", ["source=claim"], "definition", ["hire"]),
    ("benefits", ["issued_from=2026-03-01", "issued_to=2026-03-03"], "definition", ["hire"]),
    ("benefits", ["claimed=yes"], "definition", ["hire"]),
    ("benefits", ["ends=never"], "definition", ["coffee"]),
    ("benefits", ["extended_to=2026-03-01"], "definition", []),
    ("benefits", ["batch=7"], "definition", []),
    ("codes", ["type=TOUR"], "type", ["TOUR"]),
    ("codes", ["status=cancelled"], "type", ["OTHER"]),
    ("codes", ["reward=spring"], "status", ["allocated"]),
    ("codes", [], "type", ["OTHER", "OTHER", "TOUR"]),
    ("rewards", ["q=kayak"], "name", ["spring"]),
    ("rewards", ["status=expired"], "name", ["autumn"]),
    ("sites", ["q=kayak"], "name", ["kayak"]),
    ("entries", ["q=kayak"], "external_id", ["M-1"]),
    ("entries", ["status=staff"], "external_id", ["M-2"]),
]


@pytest.fixture
def mixed(make):
    narrowing.mixed(make)


def options(filters):
    return [part for one in filters for part in ("--filter", one)]


@pytest.mark.parametrize(("kind", "filters", "column", "left"), NARROWED)
def test_an_export_is_narrowed_as_its_list_is(told, mixed, kind, filters, column, left):
    assert sorted(row[column] for row in told(kind, *options(filters))) == left


def test_every_filter_there_is_was_tried():
    tried = {(kind, one.partition("=")[0]) for kind, filters, *_ in NARROWED for one in filters}
    known = {(name, one) for name, kind in exports.KINDS.items() for one in kind.filters}
    known |= {("entries", name) for name in exports.ENTRIES}
    same = {("benefits", f"{name}{part}") for name in DATES for part in ("", "_from", "_to")}
    assert (tried - known, known - tried - same) == (set(), set())


@pytest.mark.parametrize(
    ("kind", "filters", "words"),
    [
        ("profiles", ["state=void"], "«state» is no filter of this export. It takes q."),
        ("organisations", ["archived=yes"], "«archived» is no filter of this export. It takes q, show, type."),
        ("tiers", ["q=a"], "«q» is no filter of this export. It takes none."),
        ("entries", ["reward=spring"], "«reward» is no filter of this export. It takes q, status."),
        ("benefits", ["issued=yes"], "«issued» is no filter of this export. It takes batch, claimed, claimed_from, "),
        ("profiles", ["coffee"], "«coffee» is no filter; write it as NAME=VALUE"),
        ("profiles", ["q="], "«q=» is no filter; write it as NAME=VALUE"),
        ("profiles", ["q=\udcff"], "«q=» is no filter; write it as NAME=VALUE"),
        ("profiles", ["q=a", "q=b"], "The filter «q» is given twice; it takes one value."),
        ("benefits", ["state=lost"], "The filter «state» takes one of void, redeemed, expired, scheduled, "),
        ("benefits", ["source=file"], "The filter «source» takes one of "),
        ("benefits", ["batch=seven"], "The filter «batch» takes a whole number, not «seven»."),
        ("benefits", ["batch=2147483648"], "The filter «batch» takes a whole number, not «2147483648»."),
        ("benefits", ["ends_to=May"], "The filter «ends_to» takes a day such as 2026-03-31, not «May»."),
        ("benefits", ["ends_to=9999-12-31"], "The filter «ends_to» takes a day such as 2026-03-31, not «9999-12-31»."),
        ("benefits", ["ends=no"], "The filter «ends» takes one of yes, never, not «no»."),
        ("benefits", ["definition=nothing"], "There is no such benefit definition."),
        ("groups", ["show=gone"], "takes one of in-use, archived, primary, mailing-list, subscription, not «gone»."),
        ("modules", ["show=closed"], "The filter «show» takes one of in-use, archived, not «closed»."),
        ("locations", ["show=archived"], "The filter «show» takes one of open, closed, not «archived»."),
        ("organisations", ["type=boat"], "The filter «type» takes one of club, not «boat»."),
        ("memberships", ["group=nobody"], "There is no group called «nobody»."),
        ("completions", ["module=basics"], "«basics» does not name a module; write the site, a colon and the path"),
        ("completions", ["module=kayak:/p9"], "There is no module «kayak:/p9»."),
        ("codes", ["type=NOTHING"], "There is no voucher type with the code «NOTHING»."),
        ("codes", ["reward=nothing"], "There is no such reward."),
        ("entries", ["status=lost"], "The filter «status» takes one of "),
    ],
)
def test_what_is_no_filter_is_refused_in_a_sentence(told, mixed, session, kind, filters, words):
    done = CliRunner().invoke(exports.group, [kind, *OPTIONS.get(kind, ()), *options(filters)])
    assert isinstance(done.exception, DomainError)
    assert words in str(done.exception)
    assert (done.stdout, session.scalar(select(func.count()).select_from(ExportRun))) == ("", 0)


def test_no_code_leaves_whole(told, make):
    make.voucher(make.voucher_type(), code="SECRETCODE99")
    make.benefit(redeem_code_pos="OTHERSECRET88")
    assert [row["last_four"] for row in told("codes")] == ["DE99"]
    assert [row["code_last_four"] for row in told("benefits")] == ["ET88"]
    assert "SECRET" not in json.dumps([told("codes"), told("benefits")])


def test_an_export_is_on_record_as_those_of_the_console_are(told, mixed, session, tmp_path):
    told("benefits", "--filter", "q=kayak", "--reason", "Address check for June")
    CliRunner().invoke(exports.group, ["codes", str(tmp_path / "codes.csv")], catch_exceptions=False)
    told("entries", "--status", "staff")
    runs = session.scalars(select(ExportRun).order_by(ExportRun.id)).all()
    assert [(run.kind, run.media, run.filters, run.row_count) for run in runs] == [
        ("benefits", "json", {"q": "kayak"}, 1),
        ("vouchers", "csv", {}, 3),
        ("entries", "json", {"reward": "spring", "status": "staff"}, 1),
    ]
    assert [run.reason for run in runs] == ["Address check for June", "On the command line", "On the command line"]
    entries = session.scalars(select(AuditEntry).where(AuditEntry.event == Event.EXPORT_TAKEN)).all()
    assert {entry.actor for entry in entries} == {"Command line"}
    assert [entry.facts["rows"] for entry in entries] == ["benefits", "vouchers", "entries"]


@pytest.mark.parametrize(
    ("kind", "reason", "words"),
    [
        ("profiles", "x", "in at least 8 letters; 1 were written."),
        ("sites", "x" * 301, "The reason has 301 letters; at most 300 are kept."),
    ],
)
def test_a_reason_worth_nothing_is_refused_and_no_row_leaves(told, mixed, kind, reason, words):
    done = CliRunner().invoke(exports.group, [kind, "--reason", reason])
    assert words in str(done.exception)
    assert done.stdout == ""
