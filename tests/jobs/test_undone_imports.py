"""Every kind of import, taken back: what it made is gone, what it changed is what it was, and every invariant holds."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.clock import NOW
from tests.support.invariants import faults, picture
from tests.support.jobs import run_jobs
from webapp.adapters import spreadsheets
from webapp.domain.errors import Refused
from webapp.domain.identity import Actor
from webapp.domain.import_columns import ImportKind
from webapp.domain.imports import ImportContract, ImportStatus
from webapp.domain.jobs import JobStatus
from webapp.jobs.running import Cancelled, RunningJob
from webapp.models import (
    BenefitDefinition,
    EntryDay,
    Group,
    ImportRun,
    Job,
    Location,
    Module,
    Organisation,
    OrganisationType,
    Profile,
    Reward,
    Site,
    Tier,
)
from webapp.queries import imports as read
from webapp.services import import_undo, imports, jobs
from webapp.services.import_undo import UndoImport
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadEntries, UploadRows
from webapp.services.work import perform

ANN = Actor("Ann Able")
K = ImportKind
AT = "2026-01-05T23:30:00Z"
REPLACES = {"known_rows": "replace", "empty_cells": "clear", "archived_rows": "restore"}


@dataclass(frozen=True)
class Case:
    """What stands there before; a file that brings two new rows, ``second`` that changes some and brings more.

    ``uses`` lets something hold on to the first of the rows that the first file brought.
    """

    first: str
    second: str
    uses: Callable[[Factories], object]
    furnish: Callable[[Factories], object] = field(default=lambda _: None)


def only(make: Factories, model: Any, **wanted: object) -> Any:
    make.session.expire_all()
    return make.session.scalars(select(model).filter_by(**wanted)).one()


def entered(make: Factories) -> Reward:
    """A site in whose zone an entry of the evening is of the next day."""
    site = make.site(name="club", timezone="Australia/Melbourne")
    reward = make.reward(name="draw", site_id=site.id)
    make.entry(reward, entered_at=datetime.fromisoformat(AT))
    return reward


def people(make: Factories) -> None:
    make.profile(external_id="M1", email="m1@example.com")
    make.profile(external_id="M2", email="m2@example.com")


def lessons(make: Factories) -> None:
    people(make)
    make.module(site_id=make.site(name="club").id, path="/p1/c1/m1", title="M")


def circles(make: Factories) -> None:
    people(make)
    make.group(name="g", title="G")
    make.organisation(external_id="o", title="O")


def follow(make: Factories) -> None:
    """Somebody else's entry comes behind those of the file."""
    make.entry(only(make, Reward, name="draw"))


CASES: dict[ImportKind, Case] = {
    K.ENTRIES: Case(
        f"Member ID,E-mail,First name,Entered at,Receipt\nM1,m1@example.com,Ann,{AT},R1\nM2,m2@example.com,Bo,{AT},R2\n",
        f"Member ID,E-mail,First name,Entered at,Receipt\nM3,m3@example.com,Cy,{AT},R3\nM1,m1@example.com,Ann,{AT},R4\n",
        follow,
        entered,
    ),
    K.PROFILES: Case(
        "Member ID,E-mail,First name,Surname,Home phone,identities,tags\nM1,m1@example.com,Ann,Lee,020 1,pos=1,a\n"
        "M2,m2@example.com,Bo,Ray,020 2,pos=2,b\n",
        "Member ID,E-mail,First name,Surname,Home phone,identities,tags\nM1,new@example.com,Anna,Leigh,020 3,crm=1,c\n"
        "M3,m3@example.com,Cy,Low,,pos=3,\n",
        lambda make: make.entry(make.reward(), profile_id=only(make, Profile, external_id="M1").id),
    ),
    K.FACTS: Case(
        "name,title,kind\nclub.one,One,text\nclub.two,Two,text\n",
        "name,title,kind,archived_at\nclub.one,One,text,2026-01-04T10:00:00Z\nclub.three,Three,text,\n",
        lambda make: make.profile(attributes={"club.one": "x"}),
    ),
    K.ORGANISATIONS: Case(
        "external_id,title,parent\na,A,\nb,B,a\n",
        "external_id,title,parent\nb,B,\na,Aa,b\nc,C,a\n",  # the two change places
        lambda make: make.member(make.group(), organisation=only(make, Organisation, external_id="a")),
    ),
    K.GROUPS: Case(
        "name,title,kind\ng1,G 1,primary\ng2,G 2,primary\n",
        "name,title,kind,archived_at\ng1,G one,subscription,\ng2,G 2,primary,2026-01-04T10:00:00Z\ng3,G 3,primary,\n",
        lambda make: make.benefit_batch(group_id=only(make, Group, name="g1").id),
    ),
    K.MEMBERSHIPS: Case(
        "Member ID,group,organisation\nM1,g,o\nM2,g,\n",
        "Member ID,group,organisation\nM1,g,\nM2,g,o\n",
        lambda make: make.member(only(make, Group, name="g")),
        circles,
    ),
    K.MODULES: Case(
        "module,title,lapses_after,lapses_unit\nclub:/a,A,,\nclub:/b,B,,\n",
        "module,title,lapses_after,lapses_unit\nclub:/a,Aa,3,days\nclub:/c,C,,\n",
        lambda make: make.completed(only(make, Module, path="/a")),
        lambda make: make.site(name="club"),
    ),
    K.COMPLETIONS: Case(
        f"Member ID,module,completed_at,score\nM1,club:/p1/c1/m1,{AT},50\nM2,club:/p1/c1/m1,{AT},60\n",
        f"Member ID,module,completed_at,score\nM1,club:/p1/c1/m1,{AT},70\nM2,club:/p1/c1/m1,2026-01-02T10:00:00Z,80\n",
        lambda make: make.completed(only(make, Module, path="/p1/c1/m1")),
        lessons,
    ),
    K.TIERS: Case(
        "name,title,rank\ngold,Gold,1\nsilver,Silver,2\n",
        "name,title,rank\ngold,Gold,2\nsilver,Silver!,1\nbronze,Bronze,3\n",
        lambda make: make.profile(tier_id=only(make, Tier, name="gold").id),
    ),
    K.LOCATIONS: Case(
        "external_id,title,timezone\nl1,L 1,\nl2,L 2,\n",
        "external_id,title,timezone\nl1,L one,Europe/Dublin\nl3,L 3,\n",
        lambda make: make.profile(joined_location_id=only(make, Location, external_id="l1").id),
    ),
    K.ORGANISATION_TYPES: Case(
        "name,title\nt1,T 1\nt2,T 2\n",
        "name,title\nt1,T one\nt3,T 3\n",
        lambda make: make.organisation(type_id=only(make, OrganisationType, name="t1").id),
    ),
    K.SITES: Case(
        "name,title,organiser,timezone\none,One,One Ltd,Europe/London\ntwo,Two,Two Ltd,Europe/London\n",
        "name,title,organiser,timezone\nclub,Club,Club Ltd,Europe/London\none,Uno,One Ltd,Europe/Dublin\n",
        lambda make: make.reward(site_id=only(make, Site, name="one").id),
        entered,
    ),
    K.DEFINITIONS: Case(
        "handle,name,site,period\nd1,D 1,club,3\nd2,D 2,club,3\n",
        "handle,name,site,period\nd1,D one,club,4\nd3,D 3,club,3\n",
        lambda make: make.benefit(only(make, BenefitDefinition, handle="d1")),
        lambda make: make.site(name="club"),
    ),
    K.REWARDS: Case(
        'name,site,title,prizes\nr1,club,R 1,"[{""title"": ""Mug"", ""quantity"": 2}]"\nr2,club,R 2,\n',
        'name,site,title,prizes\nr1,club,R one,"[{""title"": ""Cup"", ""quantity"": 1}]"\nr3,club,R 3,\n',
        lambda make: make.session.execute(update(Reward).where(Reward.name == "r1").values(status="active")),
        lambda make: make.site(name="club"),
    ),
}


def look(session: Session, run_id: int) -> ImportRun:
    session.rollback()
    session.expire_all()
    return session.get_one(ImportRun, run_id)


def uploaded(session: Session, kind: ImportKind, content: str, **options: str) -> ImportRun:
    """Upload and check a file."""
    stream = io.BytesIO(content.encode())
    file = IncomingFile("f.csv", spreadsheets.survey(stream, "f.csv"), spreadsheets.Pieces(stream))
    if kind is K.ENTRIES:
        reward_id = session.scalars(select(Reward.id).where(Reward.name == "draw")).one()
        run = perform(session, ANN, NOW, lambda work: imports.upload(work, UploadEntries(reward_id, file)))
    else:
        run = perform(session, ANN, NOW, lambda work: imports.upload_rows(work, UploadRows(kind, file)))
    places = imports.positions(run.mapping, run.headings)
    command = ChooseColumns(run.id, places, **REPLACES | options)
    perform(session, ANN, NOW, lambda work: imports.choose_columns(work, command))
    run_jobs(session)
    return look(session, run.id)


def imported(session: Session, kind: ImportKind, content: str, **options: str) -> ImportRun:
    """Upload, check and import a file without a bad row."""
    run = uploaded(session, kind, content, **options)
    perform(session, ANN, NOW, lambda work: imports.apply(work, ApplyImport(run.id, ImportContract.ALL_OR_NOTHING)))
    run_jobs(session)
    run = look(session, run.id)
    assert (run.status, run.problem) == (ImportStatus.DONE, "")
    return run


def taken_back(session: Session, run: ImportRun) -> ImportRun:
    perform(session, ANN, NOW, lambda work: import_undo.undo(work, UndoImport(run.id)))
    run_jobs(session)
    run = look(session, run.id)
    assert run.undone_at is not None, run.problem
    return run


def test_every_kind_of_import_has_its_case():
    assert set(CASES) == set(ImportKind)


@pytest.fixture(params=sorted(CASES))
def case(request, make) -> tuple[ImportKind, Case]:
    case = CASES[request.param]
    case.furnish(make)
    make.session.commit()
    return request.param, case


def test_two_imports_taken_back_the_later_first_leave_what_was_there(session, case):
    kind, files = case
    pictures, runs = [], []
    for content in (files.first, files.second):
        pictures.append(picture(session))
        runs.append(imported(session, kind, content))
        assert faults(session) == {}
        assert picture(session) != pictures[-1]
    for run, before in zip(reversed(runs), reversed(pictures), strict=True):
        done = taken_back(session, run)
        assert faults(session) == {}
        # A fact is never deleted, and people whom a later import changed have been changed.
        if kind is not K.FACTS and (kind is not K.PROFILES or run.id == runs[-1].id):
            assert (done.undone["left"], picture(session)) == ([], before)


def test_two_imports_taken_back_the_earlier_first_leave_the_invariants_whole(session, case):
    kind, files = case
    runs = [imported(session, kind, content) for content in (files.first, files.second)]
    for run in runs:
        taken_back(session, run)
        assert faults(session) == {}


def test_what_is_used_by_the_time_it_is_taken_back_is_listed_and_stays(session, make, case):
    kind, files = case
    run = imported(session, kind, files.first)
    files.uses(make)
    make.session.commit()
    done = taken_back(session, run)
    assert faults(session) == {}
    if kind in (K.ENTRIES, K.MEMBERSHIPS, K.COMPLETIONS):
        assert done.undone["left"] == []
    else:
        assert len(done.undone["left"]) == 1 + (kind is K.FACTS), done.undone["left"]


def test_an_undoing_that_was_stopped_keeps_the_invariants_and_goes_on(session, make):
    """First entries that others follow, which stay withdrawn; then those at the end of the list, which go."""
    case = CASES[K.ENTRIES]
    case.furnish(make)
    runs = [imported(session, K.ENTRIES, content) for content in (case.first, case.second)]
    for run in runs:
        plan = read.plan(session, run.id)
        for _ in range(4):
            perform(session, ANN, NOW, lambda work, plan=plan: import_undo.take_back(work, plan, 1))
            assert faults(session) == {}
        taken_back(session, run)
        assert faults(session) == {}


def halfway(session: Session, make: Factories, monkeypatch: pytest.MonkeyPatch) -> ImportRun:
    """An import of entries that somebody stopped after the first of its two rows."""
    case = CASES[K.ENTRIES]
    case.furnish(make)
    run = uploaded(session, K.ENTRIES, case.first)
    perform(session, ANN, NOW, lambda work: imports.apply(work, ApplyImport(run.id, ImportContract.ALL_OR_NOTHING)))
    monkeypatch.setattr("webapp.jobs.imports.CHUNK", 1)
    step = RunningJob.step

    def stopped(self, *arguments, **keywords):
        if self.cursor.get("record"):
            raise Cancelled
        return step(self, *arguments, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(RunningJob, "step", stopped)
        run_jobs(session)
    run = look(session, run.id)
    assert (run.status, run.entry_count) == (ImportStatus.CANCELLED, 1)
    return run


def test_an_import_that_was_stopped_and_taken_back_does_not_go_on(session, make, monkeypatch):
    run = halfway(session, make, monkeypatch)
    assert faults(session) == {}
    run = taken_back(session, run)
    assert (run.undone["gone"], faults(session)) == (1, {})
    command = ApplyImport(run.id, ImportContract.ALL_OR_NOTHING)
    with pytest.raises(Refused, match="has been taken back already"):
        perform(session, ANN, NOW, lambda work: imports.apply(work, command))
    run = imported(session, K.ENTRIES, CASES[K.ENTRIES].first)
    assert (run.entry_count, faults(session)) == (2, {})


def test_an_import_goes_on_only_while_nothing_of_it_is_taken_back(session, make, monkeypatch):
    run = halfway(session, make, monkeypatch)
    perform(session, ANN, NOW, lambda work: import_undo.undo(work, UndoImport(run.id)))
    command = ApplyImport(run.id, ImportContract.ALL_OR_NOTHING)
    with pytest.raises(Refused, match="being taken back at this moment"):
        perform(session, ANN, NOW, lambda work: imports.apply(work, command))
    plan = read.plan(session, run.id)
    perform(session, ANN, NOW, lambda work: import_undo.take_back(work, plan, 1))
    job = session.get_one(Job, look(session, run.id).undo_job_id)
    perform(session, ANN, NOW, lambda work: jobs.end(work, job, JobStatus.FAILED, error="The disk is full."))
    with pytest.raises(Refused, match="Take back the rest"):
        perform(session, ANN, NOW, lambda work: imports.apply(work, command))
    assert (taken_back(session, run).undone["gone"], faults(session)) == (1, {})


@pytest.mark.parametrize("chunk", [1, 2, 4_000])
def test_people_who_turned_out_to_be_one_go_together(session, make, monkeypatch, chunk):
    """The row of the address stays while the import stands, for files may name the person by it."""
    entered(make)
    before = picture(session)
    monkeypatch.setattr("webapp.jobs.imports.CHUNK", chunk)
    rows = [f"M1,a@x.example,Bo,{AT},R1", f",b@x.example,Bo,{AT},R2", f"M1,b@x.example,Bo,{AT},R3"]
    run = imported(session, K.ENTRIES, "\n".join(["Member ID,E-mail,First name,Entered at,Receipt", *rows]))
    assert faults(session) == {}
    run = taken_back(session, run)
    assert (faults(session), picture(session)) == ({}, before)
    assert (run.undone["gone"], run.undone["people"], run.created_count) == (3, 1, 1)


def test_a_group_that_a_batch_names_stays_and_says_so(session, make):
    run = imported(session, K.GROUPS, CASES[K.GROUPS].first)
    group = only(make, Group, name="g1")
    make.benefit_batch(group_id=group.id)
    make.member(group)
    assert taken_back(session, run).undone["left"] == ["«G 1» (g1) is used: 1 member, 1 batch of benefits."]


def test_tiers_go_back_together_but_for_those_whose_rank_is_another_s(session, make):
    imported(session, K.TIERS, "name,title,rank\na,A,1\nb,B,2\nc,C,3\nd,D,4\n")
    run = imported(session, K.TIERS, "name,title,rank\na,A,2\nb,B,3\nc,C,1\nd,D,5\nnew,New,4\n")
    make.profile(tier_id=only(make, Tier, name="new").id)
    assert taken_back(session, run).undone["left"] == [
        "«D» (d) is used, or what it had is another's now.",
        "«New» (new) is used, or what it had is another's now.",
    ]
    ranks = session.execute(select(Tier.name, Tier.rank).order_by(Tier.name)).all()
    assert dict(ranks) == {"a": 1, "b": 2, "c": 3, "d": 5, "new": 4}


def test_days_are_counted_in_the_zone_a_site_has_again(session, make):
    """Else entries taken back later would be counted off days that nobody counted them on."""
    case = CASES[K.SITES]
    case.furnish(make)
    entries = imported(session, K.ENTRIES, CASES[K.ENTRIES].first)
    run = imported(session, K.SITES, case.second)
    taken_back(session, run)
    assert session.execute(select(EntryDay.day, EntryDay.entry_count)).all() == [(date(2026, 1, 6), 3)]
    taken_back(session, entries)
    assert faults(session) == {}
