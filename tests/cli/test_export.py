"""`export` of what people belong to, run as processes: keyed as files name things, and read back without loss."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.clock import NOW
from webapp.adapters.engines import engine_options
from webapp.domain.groups import GroupKind, Registration
from webapp.domain.identity import SYSTEM
from webapp.domain.modules import LapseUnit
from webapp.queries import organisations as read_organisations
from webapp.services import groups, modules, organisations
from webapp.services.groups import GroupRow, MembershipRow
from webapp.services.modules import CompletionRow, ModuleRow
from webapp.services.organisations import OrganisationRow
from webapp.services.work import transaction

FORMULA = "=1+1"


@pytest.fixture
def own(own_database):
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.fixture
def filled(own):
    make = Factories(own)
    kind = make.organisation_type(name="club", title="Club")
    top = make.organisation(external_id="TOP", title=FORMULA, type_id=kind.id, timezone="Europe/Oslo")
    below = make.organisation(top, external_id="BELOW", title="Below", address="Kai 1")
    group = make.group(name="regulars", title="Regulars", kind=GroupKind.SUBSCRIPTION, notes="Notes")
    person = make.profile(external_id="M-1", email="ann@example.com")
    make.member(group, person, below)
    make.member(group, person)
    module = make.module(site_id=make.site(name="site").id, path="/p1", title="One", lapses_after=3)
    make.completed(module, person, score=90, lapses_at=NOW)
    make.tier(name="gold", title="Gold", rank=3)
    make.fact("choice", name="coffee.cups", title="Cups", choices=["=1", "2, 3"])
    make.location(external_id="L-1", title="Quay", organisation_id=below.id)
    return own


def rows(command, kind):
    return json.loads(command("export", kind, "--json").stdout)


def moment(text):
    return datetime.fromisoformat(text)


def test_every_kind_has_its_columns_and_no_spreadsheet_runs_a_cell(command, filled, tmp_path):
    assert rows(command, "organisation-types") == [{"name": "club", "title": "Club"}]
    assert rows(command, "tiers") == [{"name": "gold", "title": "Gold", "rank": 3}]
    assert rows(command, "locations") == [
        {
            "external_id": "L-1",
            "title": "Quay",
            "timezone": "",
            "organisation": "BELOW",
            "is_published": True,
            "closed_at": None,
        }
    ]
    assert rows(command, "facts") == [
        {"name": "coffee.cups", "title": "Cups", "kind": "choice", "choices": "=1\n2, 3", "archived_at": None}
    ]
    path = tmp_path / "organisations.csv"
    command("export", "organisations", str(path))
    lines = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [line["title"] for line in lines] == [f"'{FORMULA}", "Below"]
    assert [line["parent"] for line in lines] == ["", "TOP"]


def test_what_is_exported_is_put_back_and_changes_nothing(command, filled):
    trees = [
        OrganisationRow(
            row["external_id"], row["title"], row["parent"] or "", row["type"] or "", row["timezone"], row["address"]
        )
        for row in rows(command, "organisations")
    ]
    sets = [
        GroupRow(row["name"], row["title"], GroupKind(row["kind"]), Registration(row["registration"]), row["notes"])
        for row in rows(command, "groups")
    ]
    members = [
        MembershipRow(
            row["group"], row["external_id"], row["email"], row["organisation"] or "", moment(row["joined_at"])
        )
        for row in rows(command, "memberships")
    ]
    lessons = [
        ModuleRow(row["module"], row["title"], row["lapses_after"], LapseUnit(row["lapses_unit"]))
        for row in rows(command, "modules")
    ]
    done = [
        CompletionRow(
            row["module"], row["external_id"], row["email"], moment(row["completed_at"]), row["score"],
            moment(row["lapses_at"]),
        )
        for row in rows(command, "completions")
    ]  # fmt: skip
    assert [len(found) for found in (trees, sets, members, lessons, done)] == [2, 1, 2, 1, 1]
    with transaction(filled, SYSTEM, NOW) as work:
        assert organisations.put(work, trees) == (0, 0)
        assert groups.put(work, sets) == (0, 0)
        assert groups.join(work, members) == (0, 0)
        assert modules.put(work, lessons) == (0, 0)
        assert modules.complete(work, done) == (0, 0)


def test_only_what_is_asked_for_leaves(command, filled, tmp_path):
    path = tmp_path / "organisations.csv"
    command("export", "organisations", str(path), "--filter", "q=below", "--filter", "type=club")
    assert path.read_text().splitlines() == [",".join(read_organisations.EXPORT)]
    command("export", "organisations", str(path), "--filter", "q=below")
    assert [line["external_id"] for line in csv.DictReader(io.StringIO(path.read_text()))] == ["BELOW"]
    path.unlink()
    done = command("export", "organisations", str(path), "--filter", "colour=red", status=1)
    assert done.stderr == "Error: «colour» is no filter of this export. It takes q, show, type.\n"
    done = command("export", "organisations", str(path), "--filter", "show=red", status=1)
    assert done.stderr == "Error: The filter «show» takes one of in-use, archived, not «red».\n"
    assert not path.exists()
