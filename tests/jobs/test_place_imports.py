"""Files of tiers, locations, types and sites; and a whole programme that comes back from its own files to the byte."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, select, update
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.clock import NOW
from tests.support.jobs import run_jobs
from webapp.adapters import spreadsheets
from webapp.adapters.engines import engine_options
from webapp.domain.identity import Actor
from webapp.domain.import_columns import ImportKind
from webapp.domain.imports import ImportContract, ImportStatus
from webapp.domain.modules import LapseUnit, lapses_at
from webapp.models import (
    Completion,
    Group,
    ImportProblem,
    ImportRun,
    Location,
    Module,
    Organisation,
    OrganisationType,
    Site,
    Tier,
)
from webapp.queries import (
    facts,
    groups,
    locations,
    memberships,
    modules,
    organisation_types,
    organisations,
    profiles,
    sites,
    tiers,
)
from webapp.services import import_undo, imports
from webapp.services.import_undo import UndoImport
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadRows
from webapp.services.work import perform

ANN = Actor("Ann Able")
K = ImportKind
# In this order each finds what its rows name.
EXPORTS = {
    K.SITES: (sites.EXPORT, lambda session: sites.stream(session, None)),
    K.ORGANISATION_TYPES: (organisation_types.EXPORT, organisation_types.stream),
    K.ORGANISATIONS: (organisations.EXPORT, organisations.stream),
    K.LOCATIONS: (locations.EXPORT, locations.stream),
    K.TIERS: (tiers.EXPORT, tiers.stream),
    K.GROUPS: (groups.EXPORT, groups.stream),
    K.FACTS: (facts.EXPORT, facts.stream),
    K.PROFILES: (profiles.EXPORT, profiles.stream),
    K.MODULES: (modules.EXPORT, modules.stream),
    K.MEMBERSHIPS: (memberships.EXPORT, memberships.stream),
    K.COMPLETIONS: (modules.EXPORT_COMPLETIONS, modules.stream_completions),
}


@pytest.fixture
def programme(new_database):
    opened = []

    def new() -> Session:
        url = new_database()
        engine = create_engine(url, **engine_options(url, threads=1))
        opened.append((engine, Session(engine, expire_on_commit=False)))
        return opened[-1][1]

    yield new
    for engine, session in opened:
        session.close()
        engine.dispose()


def exported(session: Session, kind: ImportKind) -> bytes:
    session.rollback()
    names, stream = EXPORTS[kind]
    return b"".join(spreadsheets.csv_stream(names, stream(session)))


def imported(session: Session, kind: ImportKind, content: bytes, **options: str) -> ImportRun:
    """Upload, check, import the good rows."""
    stream = io.BytesIO(content)
    file = IncomingFile("p.csv", spreadsheets.survey(stream, "p.csv"), spreadsheets.Pieces(stream))
    run = perform(session, ANN, NOW, lambda work: imports.upload_rows(work, UploadRows(kind, file)))
    places = imports.positions(run.mapping, run.headings)
    perform(session, ANN, NOW, lambda work: imports.choose_columns(work, ChooseColumns(run.id, places, **options)))
    run_jobs(session)
    if session.get_one(ImportRun, run.id, populate_existing=True).good_count:
        perform(session, ANN, NOW, lambda work: imports.apply(work, ApplyImport(run.id, ImportContract.GOOD_ROWS)))
        run_jobs(session)
    session.rollback()
    session.expire_all()
    return session.get_one(ImportRun, run.id)


def taken_back(session: Session, run: ImportRun) -> ImportRun:
    perform(session, ANN, NOW, lambda work: import_undo.undo(work, UndoImport(run.id)))
    run_jobs(session)
    session.rollback()
    session.expire_all()
    return session.get_one(ImportRun, run.id)


def told(session: Session, run: ImportRun) -> dict[int, str]:
    rows = select(ImportProblem.line, ImportProblem.reason).where(ImportProblem.run_id == run.id)
    return dict(session.execute(rows.order_by(ImportProblem.id)).all())


def known_of(make: Factories) -> list[dict[str, object]]:
    """Further facts, with what three people have of them."""
    make.fact("choice", name="coffee.favourite-roast", title="=Roast", choices=["=Light", "Medium, dark", '"Dark"'])
    make.fact("whole number", name="coffee.cups", title="Cups")
    make.fact("text", name="old.nickname", title="Nickname", archived_at=NOW - timedelta(days=2, microseconds=3))
    return [{"coffee.favourite-roast": "=Light"}, {"coffee.cups": 3, "old.nickname": "Zed"}, {}]


def filled(session: Session) -> None:
    """At least two of everything, with hostile titles."""
    make = Factories(session)
    site = make.site(name="club", title="=1+1", staff_domains="club.example, b.example")
    make.site(name="other", title='Zoë «quoted» "x"')
    session.add_all([OrganisationType(name=name, title=f"@{name}", created_at=NOW) for name in ("pharmacy", "shop")])
    session.commit()
    kind = session.scalars(select(OrganisationType.id)).first()
    group = make.club(external_id="=G", title="+Group", type_id=kind)
    below = make.club(
        external_id="b", title="-Below, here", parent_id=group.id, timezone="Asia/Kolkata", address="1 Main St"
    )
    below.path = f"/{group.id}/{below.id}/"
    make.place(external_id="L1", title="'Quay", organisation_id=below.id, is_published=False)
    make.place(external_id="L2", title="Shut", timezone="Europe/London", closed_at=NOW)
    for number, name in enumerate(("gold", "silver"), 1):
        make.tier(name=name, title=f"=Tier {name}", rank=number)
    circle = make.circle(name="news", title="@News", notes="one, two", member_count=2)
    people = [make.profile(external_id=f"M{number}", attributes=told) for number, told in enumerate(known_of(make))]
    make.joined(people[0].id, circle.id)
    make.joined(people[1].id, circle.id, below.id)
    below.member_count = 1
    lesson = make.lesson(site.id, path="/p1/m1", title="=First", lapses_after=12, completion_count=1)
    lesson.completion_count = 3
    ends = lapses_at(NOW, 12, LapseUnit.MONTHS, site.timezone)
    make.completion(people[0].id, lesson.id)  # from before completions of it lapsed
    make.completion(people[1].id, lesson.id, lapses_at=NOW + timedelta(days=1, microseconds=5))
    make.completion(people[2].id, lesson.id, score=90, lapses_at=ends)
    gone = make.club(external_id="z-gone", title="Gone", archived_at=NOW)
    lower = make.club(external_id="c", title="Lower", parent_id=gone.id, archived_at=NOW - timedelta(days=9))
    lower.path = f"/{gone.id}/{lower.id}/"
    make.circle(name="old", title="Old", archived_at=NOW - timedelta(days=3, microseconds=7))
    make.lesson(site.id, path="/old", archived_at=NOW - timedelta(hours=3))
    session.commit()


def test_a_whole_programme_comes_back_from_its_own_files_to_the_byte(programme):
    first, second = programme(), programme()
    filled(first)
    for kind in EXPORTS:
        file = exported(first, kind)
        run = imported(second, kind, file)
        assert (run.status, run.bad_count, run.duplicate_count) == (ImportStatus.DONE, 0, 0), (kind, told(second, run))
    for kind in EXPORTS:
        assert exported(second, kind) == exported(first, kind), kind


def test_a_file_puts_back_what_was_changed_since(programme):
    session = programme()
    filled(session)
    files = {kind: exported(session, kind) for kind in (K.ORGANISATIONS, K.GROUPS, K.MODULES, K.COMPLETIONS)}
    for model in (Organisation, Group, Module):
        session.execute(update(model).values(archived_at=None))
    session.execute(update(Completion).values(lapses_at=NOW + timedelta(days=99), score=1))
    session.commit()
    runs = {kind: imported(session, kind, file) for kind, file in files.items()}
    assert {kind: (run.bad_count, run.created_count, run.changed_count) for kind, run in runs.items()} == {
        K.ORGANISATIONS: (0, 0, 2),
        K.GROUPS: (0, 0, 1),
        K.MODULES: (0, 0, 1),
        K.COMPLETIONS: (0, 0, 3),
    }
    for kind in (K.ORGANISATIONS, K.GROUPS, K.MODULES):
        assert exported(session, kind) == files[kind], kind
    ends = select(Completion.lapses_at).order_by(Completion.id)
    assert session.scalars(ends).all()[:2] == [None, NOW + timedelta(days=1, microseconds=5)]
    for kind in (K.ORGANISATIONS, K.GROUPS, K.MODULES):
        assert taken_back(session, runs[kind]).undone["left"] == []
    for model in (Organisation, Group, Module):
        assert session.scalars(select(model.id).where(model.archived_at.is_not(None))).all() == []


@pytest.mark.parametrize("kind", EXPORTS)
def test_p12_a_file_of_any_kind_twice_changes_nothing(programme, kind):
    session = programme()
    filled(session)
    file = exported(session, kind)
    run = imported(session, kind, file)
    assert (run.bad_count, run.created_count, run.changed_count) == (0, 0, 0), told(session, run)
    assert exported(session, kind) == file


def test_tiers_change_places_and_go_back(programme):
    session = programme()
    imported(session, K.TIERS, b"name,title,rank\ngold,Gold,2\nsilver,Silver,1\n")
    run = imported(session, K.TIERS, b"name,title,rank\ngold,Gold,1\nsilver,Silver,2\nbronze,Bronze,3\n")
    assert (run.created_count, run.changed_count) == (1, 2)
    ranks = select(Tier.name, Tier.rank).order_by(Tier.rank)
    assert session.execute(ranks).all() == [("gold", 1), ("silver", 2), ("bronze", 3)]
    run = taken_back(session, run)
    assert session.scalars(select(Tier.name).order_by(Tier.name)).all() == ["gold", "silver"]


def test_a_rank_is_one_tier_alone(programme):
    session = programme()
    imported(session, K.TIERS, b"name,title,rank\ngold,Gold,2\n")
    run = imported(session, K.TIERS, b"name,title,rank\nsilver,Silver,2\na,A,5\nb,B,5\nC C,C,7\nd,D,0\n")
    assert told(session, run) == {
        2: "Rank 2 is that of «Gold»; choose a number no other tier has.",
        4: "Rank 5 is that of «A» on line 3; choose a number no other tier has.",
        5: "«C C» cannot be a name; use small letters, digits and dashes, such as club-nord.",
        6: "A rank of 0 cannot be; use 1 to 1,000.",
    }


def test_locations_come_in_change_and_go_back_unless_used(programme):
    session = programme()
    make = Factories(session)
    head = b"external_id,title,timezone,organisation,is_published\n"
    imported(session, K.LOCATIONS, head + b"L1,Quay,,,yes\n")
    run = imported(
        session, K.LOCATIONS, head + b"L1,Big Quay,Europe/London,,no\nL2,New,,,\nL3,Used,,,\nL4,X,Mars,none,maybe\n"
    )
    assert (run.created_count, run.changed_count, run.bad_count) == (2, 1, 1)
    make.profile(preferred_location_id=session.scalars(select(Location.id).where(Location.external_id == "L3")).one())
    run = taken_back(session, run)
    assert run.undone["left"] == ["«Used» (L3) is used, or what it had is another's now."]
    rows = session.execute(select(Location.external_id, Location.title, Location.timezone, Location.is_published)).all()
    assert sorted(rows) == [("L1", "Quay", "", True), ("L3", "Used", "", True)]


def test_a_location_closed_for_good_stays_as_it_is(programme):
    session = programme()
    Factories(session).place(external_id="L1", title="Shut", closed_at=NOW)
    run = imported(session, K.LOCATIONS, b"external_id,title\nL1,Open\n")
    assert told(session, run)[2].startswith("«Shut» is closed for good and cannot be changed.")
    assert imported(session, K.LOCATIONS, b"external_id,title\nL1,Shut\n").good_count == 1


def test_a_location_of_an_organisation_archived_since_may_come_again(programme):
    session = programme()
    make = Factories(session)
    make.place(external_id="L1", title="Quay", organisation_id=make.club(external_id="G", archived_at=NOW).id)
    head = b"external_id,title,organisation\n"
    assert imported(session, K.LOCATIONS, head + b"L1,Quay,G\n").bad_count == 0
    run = imported(session, K.LOCATIONS, head + b"L2,Quay,G\n")
    assert told(session, run)[2].startswith("The organisation ")


def test_sites_and_types_come_in_change_and_go_back(programme):
    session = programme()
    head = b"name,title,organiser,timezone,staff_domains\n"
    imported(session, K.SITES, head + b"club,Club,Club Ltd,Europe/London,\n")
    run = imported(
        session, K.SITES, head + b"club,The club,Club Ltd,europe/london,Club.Example\nnew,New,N,Mars,no domain\n"
    )
    assert (run.changed_count, run.bad_count) == (1, 1)
    assert session.execute(select(Site.title, Site.timezone, Site.staff_domains)).all() == [
        ("The club", "Europe/London", "club.example")
    ]
    taken_back(session, run)
    assert session.scalars(select(Site.title)).all() == ["Club"]
    run = imported(session, K.ORGANISATION_TYPES, b"name,title\nshop,Shop\n")
    assert taken_back(session, run).undone["gone"] == 1
    assert session.scalars(select(OrganisationType.id)).all() == []
