"""`export KIND --json` of every kind, on rows in which every column says something."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import date

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.factories import NOW, Factories
from webapp.adapters.engines import engine_options
from webapp.cli import exports, runtime
from webapp.domain.benefit_definitions import PeriodType
from webapp.domain.people import Gender
from webapp.models import BenefitDefinition
from webapp.queries import benefit_definitions, entries, profiles

COLUMNS = {kind: names for kind, (_, names, _) in exports._WHOLE.items()} | {
    "entries": entries.EXPORT,
    "profiles": profiles.EXPORT,
}
OPTIONS = {"entries": ["--reward", "spring"]}
_VALUES = {int: 1, str: "text", bool: True, date: date(2027, 1, 31)}
_DATES = dict.fromkeys(("claim_period_start_at", "claim_period_end_at", "end_at", "created_at", "updated_at"), NOW)
_PACKED = {"tags": ["new"], "meta": {"a": "b"}, "claim_condition": {"<": [1, 2]}, "view_condition": {"<": [1, 2]}}


@pytest.fixture
def own(own_database):
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.fixture
def told(own, monkeypatch):
    """`told("definitions", …)` gives the objects that the command prints."""

    @contextmanager
    def session():
        yield own

    monkeypatch.setattr(runtime, "session", session)

    def run(kind, *options):
        done = CliRunner().invoke(exports.group, [kind, "--json", *OPTIONS.get(kind, ()), *options])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return run


@pytest.fixture
def filled(own):
    make = Factories(own)
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
    make.benefit_definition(**_definition(make, site.id, pool.id))
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
    make.entry(reward, profile_id=person.id, receipt="R1", store="Quay", reason="Staff")
    return own


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
