"""Modules and completions: ends fixed when written, counters that move with the rows, rows of files in bulk."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from tests.support.clock import NOW
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.domain.modules import LapseUnit
from webapp.models import Completion, ImportRun, Module, Profile
from webapp.queries import modules as read
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import modules
from webapp.services.modules import CompletionRow, ModuleRow
from webapp.services.work import perform

TERMS = {"title": "Espresso basics", "lapses_after": 12, "lapses_unit": LapseUnit.MONTHS}
JANUARY = datetime(2026, 1, 5, 10, tzinfo=UTC)


def counted(session):
    session.expire_all()
    assert [item.name for item in INVARIANTS if "counted" in item.name and broken(session, item)] == []
    return list(session.scalars(select(Module.completion_count).order_by(Module.id)))


def record(work, module, person="M-7", day=date(2026, 1, 1), score=None):
    return modules.record(work, modules.RecordCompletion(module.id, person, day, score))


def test_a_path_belongs_to_one_module_of_a_site(work, make):
    site, other = make.site(), make.site()
    command = modules.CreateModule(site_id=site.id, path="/p1/c1/m1/", **TERMS)
    assert modules.create(work, command).path == "/p1/c1/m1"
    assert work.events[0]["facts"]["path"] == f"{site.name}:/p1/c1/m1"
    modules.create(work, modules.CreateModule(site_id=other.id, path="/p1/c1/m1", **TERMS))
    with pytest.raises(Conflict, match="already the path of another module"):
        modules.create(work, command)
    with pytest.raises(Refused, match="not the path of a module"):
        modules.create(work, modules.CreateModule(site_id=site.id, path="p1", **TERMS))
    with pytest.raises(Refused, match="Choose one of the sites"):
        modules.create(work, modules.CreateModule(site_id=999, path="/p1", **TERMS))


def test_the_end_is_fixed_when_the_completion_is_written(work, session, make):
    site = make.site(timezone="Europe/Oslo")
    module = make.module(site_id=site.id, lapses_after=1, lapses_unit=LapseUnit.MONTHS)
    make.profile(external_id="M-7")
    first = record(work, module)
    assert first.completed_at == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert first.lapses_at == datetime(2026, 2, 1, 23, tzinfo=UTC)
    change = modules.ChangeModule(module_id=module.id, version=1, title="New", lapses_after=None, lapses_unit="days")
    modules.change(work, change)
    session.refresh(first)
    assert first.lapses_at == datetime(2026, 2, 1, 23, tzinfo=UTC)
    assert record(work, module, day=date(2026, 1, 2)).lapses_at is None
    assert counted(session) == [2]


@pytest.mark.parametrize(
    ("changes", "kind", "field"),
    [
        ({"person": "nobody"}, Refused, "person"),
        ({"day": date(2026, 3, 3)}, Refused, "completed_on"),
        ({"score": 101}, Refused, "score"),
        ({}, Conflict, "completed_on"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_counted(session, make, actor, changes, kind, field):
    module = make.module()
    make.completed(module, make.profile(external_id="M-7"), completed_at=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(kind) as refusal:
        perform(session, actor, NOW, lambda work: record(work, module, **changes))
    assert refusal.value.field == field
    assert counted(session) == [1]


def test_an_archived_module_is_completed_no_more_and_keeps_what_it_has(work, session, make):
    module = make.module(title="Old")
    make.completed(module)
    make.profile(external_id="M-7")
    modules.archive(work, modules.ArchiveModule(module.id))
    with pytest.raises(Refused, match="archived already"):
        modules.archive(work, modules.ArchiveModule(module.id))
    with pytest.raises(Refused, match="«Old» is archived"):
        record(work, module)
    assert counted(session) == [1]
    modules.restore(work, modules.RestoreModule(module.id))
    record(work, module)
    with pytest.raises(Refused, match="not archived"):
        modules.restore(work, modules.RestoreModule(module.id))


def test_the_second_of_two_changes_is_told_about_the_first(work, session, make, actor):
    module = make.module(title="Old")
    command = modules.ChangeModule(module_id=module.id, version=1, **TERMS)
    perform(session, actor, NOW, lambda work: modules.change(work, command))
    with pytest.raises(Conflict, match="title from «Old» to «Espresso basics»; lapses after from nothing to «12»"):
        modules.change(work, modules.ChangeModule(module_id=module.id, version=1, **TERMS | {"title": "B"}))


def test_modules_of_other_sites_are_not_there(session, make):
    here, there = make.module(), make.module()
    scope = frozenset({here.site_id})
    assert [row.id for row in read.page(session, scope)] == [here.id]
    assert read.counts(session, scope) == (1, 0)
    assert len(list(read.stream(session, scope))) == 1
    with pytest.raises(NotFound):
        read.sheet(session, there.id, scope)


def test_the_list_is_searched_and_turned_page_by_page(session, make):
    site, other = make.site(), make.site()
    for path in ("/b", "/a", "/c"):
        make.module(site_id=site.id, path=path, title=f"M{path}")
    make.module(site_id=other.id, path="/a", title="Other 100%")
    make.module(site_id=site.id, path="/z", archived_at=NOW)

    def paths(**more):
        return [row.path for row in read.page(session, None, **more)]

    assert paths() == ["/a", "/b", "/c", "/a"]
    assert paths(search="100%") == ["/a"]
    assert paths(search="/b") == ["/b"]
    assert paths(is_archived=True) == ["/z"]
    assert paths(after=read.page(session, None)[1].id) == ["/c", "/a"]


def test_rows_of_a_file_make_and_change_modules_once(work, session, make):
    make.site(name="club")
    rows = [ModuleRow("club:/p1", "One"), ModuleRow("club:/p2", "Two", 30, LapseUnit.DAYS)]
    assert modules.put(work, rows) == (2, 0)
    assert modules.put(work, rows) == (0, 0)
    assert modules.put(work, [ModuleRow("club:/p2", "Two", 31, LapseUnit.DAYS)]) == (0, 1)
    with pytest.raises(Refused, match="no site called «none»"):
        modules.put(work, [ModuleRow("none:/p1", "One")])


def test_rows_of_a_file_are_completions_once_and_can_be_taken_back(work, session, make):
    site = make.site(name="club", timezone="UTC")
    module = make.module(site_id=site.id, path="/p1", lapses_after=1, lapses_unit=LapseUnit.YEARS)
    person = make.profile(external_id="A", email="a@example.com")
    make.completed(module, person, completed_at=JANUARY, score=50)
    file = make.file().id
    run = make.add(ImportRun(kind="completions", file_id=file, encoding="utf-8", created_at=NOW, created_by="A"))
    rows = [
        CompletionRow("club:/p1", "A", "", JANUARY, 80),
        CompletionRow("club:/p1", "", "A@example.com", JANUARY + timedelta(days=1)),
        CompletionRow("club:/p1", "A", "", JANUARY + timedelta(days=2), None, NOW),
    ]
    assert modules.complete(work, rows, run.id) == (2, 1)
    assert modules.complete(work, rows, run.id) == (0, 0)
    found = session.execute(select(Completion.score, Completion.lapses_at).order_by(Completion.completed_at)).all()
    assert [row.score for row in found] == [80, None, None]
    assert found[1].lapses_at == datetime(2027, 1, 7, tzinfo=UTC)
    assert found[2].lapses_at == NOW
    assert counted(session) == [3]
    assert modules.take_back(work, run.id) == 2
    assert counted(session) == [1]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (CompletionRow("club:/none", "A", "", JANUARY), "no module «club:/none»"),
        (CompletionRow("club", "A", "", JANUARY), "does not name a module"),
        (CompletionRow("club:/old", "A", "", JANUARY), "«Old» is archived"),
        (CompletionRow("club:/p1", "X", "", JANUARY), "Nobody has the member id or e-mail «X»"),
        (CompletionRow("club:/p1", "A", "", NOW + timedelta(days=1)), "still to come"),
        (CompletionRow("club:/p1", "A", "", JANUARY, 101), "no percentage"),
    ],
)
def test_rows_that_cannot_be_are_refused(work, make, row, sentence):
    site = make.site(name="club")
    make.module(site_id=site.id, path="/p1")
    make.module(site_id=site.id, path="/old", title="Old", archived_at=JANUARY)
    make.profile(external_id="A")
    with pytest.raises(Refused, match=sentence):
        modules.complete(work, [row])


def test_ten_thousand_completions_take_no_second_and_a_half(work, session, make):
    make.module(site_id=make.site(name="club").id, path="/p1", lapses_after=1)
    people = [
        {"external_id": f"P{n}", "created_at": NOW, "updated_at": NOW, "first_name": "", "tags": [], "attributes": {}}
        for n in range(10_000)
    ]
    session.execute(insert(Profile), people)
    session.commit()
    rows = [CompletionRow("club:/p1", f"P{n}", "", JANUARY) for n in range(10_000)]
    began = time.process_time()
    assert modules.complete(work, rows) == (10_000, 0)
    assert modules.complete(work, rows) == (0, 0)
    assert time.process_time() - began < 3  # seconds of our own work, both together
    assert counted(session) == [10_000]
