"""Lists as files: what the list shows and nothing else, for those who may, with a reason where people are told of."""

from __future__ import annotations

import csv
import io
from itertools import product

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from tests.support.clock import NOW
from tests.support.jobs import run_jobs
from tests.support.signing_in import sign_in
from webapp.adapters import workbook_writing
from webapp.domain.exports import LISTINGS, Media
from webapp.domain.fulfilment import Stage
from webapp.domain.import_kinds import ImportKind
from webapp.domain.permissions import Role
from webapp.models import AuditEntry, ExportRun, ImportRun, OutboxMessage, Profile
from webapp.queries import profiles as read_profiles
from webapp.services.imports import UPLOADABLE
from webapp.web import exporting

REASON = "Address check for June"
FILES = (Media.CSV, Media.XLSX)  # that the console writes


def take(console, url, media="csv", reason=REASON):
    """The export of a list through its own page."""
    page = console.get(url)
    values = {"media": media} | ({"reason": reason} if page.soup.select("[name=reason]") else {})
    fields = page.fields("#form") | values
    answer = console.client.post(page.one("#form")["action"], data=fields)
    assert answer.status_code == 200
    assert answer.get_data()
    return answer


def lines(answer):
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))


@pytest.fixture
def world(make):
    """One of everything that lists show."""
    site = make.site(name="club", title="Club")
    reward = make.reward(site_id=site.id, name="spring-draw")
    make.draw(reward)
    make.winner(reward, stage=Stage.TO_CONTACT)
    make.entry(reward)
    make.voucher(make.voucher_type(site_id=site.id))
    make.benefit(make.benefit_definition(site_id=site.id, tags=["a"], meta={"k": 1}, end_at=NOW))
    group, module = make.group(), make.module(site_id=site.id)
    make.member(group)
    make.completed(module, make.profile(external_id="M-77"))
    make.organisation(type_id=make.organisation_type().id)
    make.tier()
    make.fact()
    make.target(site_id=site.id)
    make.location()
    make.job(site_id=site.id)
    message = {"dedupe_key": "x:1", "recipient": "a@example.org", "subject": "Won", "body": "x"}
    make.add(OutboxMessage(**message, due_at=NOW, created_at=NOW))
    return {
        "profiles": "/profiles/export",
        "facts": "/profiles/attributes/export",
        "organisations": "/organisations/export",
        "organisation-types": "/organisation-types/export",
        "groups": "/groups/export",
        "memberships": f"/groups/{group.id}/export",
        "modules": "/modules/export",
        "completions": f"/modules/{module.id}/export",
        "tiers": "/tiers/export",
        "locations": "/locations/export",
        "sites": "/sites/export",
        "staff": "/staff/export",
        "benefit-definitions": "/benefits/definitions/export",
        "benefits": "/benefits/export",
        "targets": "/targets/export",
        "rewards": "/rewards/export",
        "entries": "/rewards/spring-draw/entries/export",
        "drawn-rewards": "/fulfilment/export",
        "winners": "/fulfilment/spring-draw/export",
        "voucher-types": "/voucher-types/export",
        "vouchers": "/vouchers/export",
        "imports": "/imports/export",
        "exports": "/exports/export",
        "jobs": "/jobs/export",
        "notifications": "/notifications/export",
        "audit": "/audit/export",
    }


@pytest.mark.parametrize(("kind", "media"), list(product(LISTINGS, FILES)), ids=str)
def test_every_list_leaves_as_both_kinds_of_file(console, world, session, kind, media):
    answer = take(console, world[kind], media)
    run = session.scalars(select(ExportRun).order_by(ExportRun.id.desc())).first()
    assert (run.kind, run.media, run.created_by) == (kind, media, "Ann Able")
    assert run.reason == (REASON if LISTINGS[kind].is_personal else "")
    assert answer.headers["Content-Disposition"] == f"attachment; filename={kind}-export-{run.id}.{media}"
    if media == Media.CSV:
        rows = lines(answer)
    else:
        names, *found = CalamineWorkbook.from_filelike(io.BytesIO(answer.get_data())).get_sheet_by_index(0).to_python()
        rows = [dict(zip(names, row, strict=True)) for row in found]
    session.refresh(run)
    assert run.row_count == len(rows)
    assert rows or kind == "imports"
    mark = f"export {run.id}, Ann Able, 2026-03-02T09:00:00Z"
    assert {row["exported"] for row in rows} <= {mark}


@pytest.mark.parametrize("kind", LISTINGS)
def test_only_a_file_that_an_import_takes_is_said_to_come_back(console, world, kind):
    said = console.get(world[kind]).one("#content").get_text()
    names = {"benefit-definitions": "definitions"}
    offered = names.get(kind, kind) in {*UPLOADABLE, ImportKind.ENTRIES}
    assert ("can be imported again" in said) is offered
    assert ("under «Imports»" in said) is (offered and kind != "entries")
    assert "the whole list, not narrowed" in said


def test_every_kind_of_import_has_an_export_that_comes_back():
    assert {listing.comes_back for listing in LISTINGS.values()} == {*ImportKind, None}


def test_every_list_is_here(app):
    """A screen that exports, and its record, cannot be without a test."""
    kinds = {name for name in app.view_functions if name.endswith((".export", *exporting.SCREENS.values()))}
    assert len(kinds) == len(LISTINGS)


def test_a_list_that_tells_of_people_asks_for_the_password_and_a_reason(app):
    """What needs a reason needs the password, and the other way round."""
    endpoints = {"facts": "profiles.export_attributes", "memberships": "groups.export_members", "completions": "modules.export_completions",
                 "winners": "fulfilment.export_winners", "drawn-rewards": "fulfilment.export"}  # fmt: skip
    for kind, listing in LISTINGS.items():
        view = app.view_functions[endpoints.get(kind, f"{kind.replace('-', '_')}.export")]
        assert view.confirmed is listing.is_personal, kind


def test_the_file_has_what_the_list_shows_in_its_order(console, make):
    for number in range(120):
        make.profile(external_id=f"A-{number:03}", last_name="Able")
    make.profile(external_id="B-1", last_name="Birch")
    page = console.get("/profiles?q=able")
    link = page.soup.find("a", string=lambda text: text and "Export" in text) or page.one("a[href*=export]")
    rows = lines(take(console, link["href"]))
    assert [row["external_id"] for row in rows] == [f"A-{number:03}" for number in range(119, -1, -1)]
    assert list(rows[0]) == [*read_profiles.EXPORT, "exported"]


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [("", ["G-1", "G-2"]), ("?show=archived", ["G-9"]), ("?q=one", ["G-1"]), ("?after=1&before=1", ["G-1", "G-2"])],
)
def test_tabs_and_searches_narrow_the_file_and_pages_do_not(console, make, narrowed, expected):
    make.organisation(external_id="G-1", title="One")
    make.organisation(external_id="G-2", title="Two")
    make.organisation(external_id="G-9", title="Zero", archived_at=NOW)
    assert [row["external_id"] for row in lines(take(console, f"/organisations/export{narrowed}"))] == expected


def test_other_sites_are_not_in_the_file(signed_in, make):
    here, there = make.site(name="here"), make.site(name="there")
    for site in (here, there):
        reward = make.reward(site_id=site.id, name=f"draw-{site.name}")
        make.entry(reward, profile_id=make.profile(external_id=f"P-{site.name}").id)
    editor = signed_in("editor", site_id=here.id)
    assert [row["name"] for row in lines(take(editor, "/rewards/export"))] == ["draw-here"]
    assert [row["external_id"] for row in lines(take(editor, "/profiles/export"))] == ["P-here"]
    assert [row["name"] for row in lines(take(editor, "/sites/export"))] == ["here"]
    editor.get("/rewards/draw-there/entries/export", status=404)
    editor.get("/fulfilment/draw-there/export", status=404)


def test_somebody_of_a_branch_gets_its_organisations_and_no_counts_of_groups(signed_in, make):
    mine, other = make.organisation(external_id="MINE"), make.organisation(external_id="OTHER")
    group = make.group(name="regulars")
    make.member(group, make.profile(external_id="M-1"), mine)
    make.member(group, make.profile(external_id="M-2"), other)
    bound = signed_in("editor", organisation_id=mine.id)
    assert [row["external_id"] for row in lines(take(bound, "/organisations/export"))] == ["MINE"]
    assert "member_count" not in lines(take(bound, "/groups/export"))[0]
    assert [row["external_id"] for row in lines(take(bound, f"/groups/{group.id}/export"))] == ["M-1"]


def test_till_staff_take_no_list(signed_in):
    till = signed_in("till")
    assert not till.get("/sites").soup.select("a[href*=export]")
    till.get("/sites/export", status=403)
    signed_in("viewer").get("/sites/export")


def test_no_reason_no_file(console, session, make):
    make.profile()
    page = console.get("/profiles/export")
    answer = console.post("/profiles/export", page.fields("#form") | {"reason": ""}, status=422)
    assert answer.texts("#reason-error") == ["Write what the list is for."]
    answer = console.post("/profiles/export", page.fields("#form") | {"reason": "abc"}, status=422)
    assert "in at least 8 letters; 3 were written" in answer.text
    assert session.scalars(select(ExportRun)).all() == []


def test_the_password_is_asked_for_and_the_form_goes_on(console, session, make, moment):
    make.profile()
    fields = console.get("/profiles/export").fields("#form") | {"reason": REASON}
    moment.forward(minutes=11)
    page = console.post("/profiles/export", fields, status=401)
    assert "Confirm it is you" in page.text
    assert session.scalars(select(ExportRun)).all() == []
    console.get("/sites/export")
    console.client.post("/sites/export", data=console.get("/sites/export").fields("#form"))
    assert [run.kind for run in session.scalars(select(ExportRun))] == ["sites"]


def test_whoever_sees_as_somebody_else_takes_no_list(new_console, session, make, moment):
    boss = make.actor(Role.ADMINISTRATOR, name="Ada Berg", email="boss@example.org")
    ed = make.staff(Role.EDITOR, name="Ed Moss", email="ed@example.org", password_hash="x")
    looking = new_console()
    sign_in(looking.client, session, boss)
    looking.submit(looking.get(f"/staff/{ed.id}/see-as"))
    for url in ("/profiles/export", "/sites/export"):
        assert "Nothing can be changed" in looking.get(url).text
        looking.post(url, {"media": "csv", "reason": REASON}, status=403)
    assert session.scalars(select(ExportRun)).all() == []


def test_it_is_on_the_audit_log_with_the_reason_and_without_the_search(console, session, make):
    make.profile(last_name="Able")
    take(console, "/profiles/export?q=able")
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    run = session.scalars(select(ExportRun)).one()
    assert (entry.event, entry.subject) == ("export.taken", f"export_runs:{run.id}")
    assert entry.facts == {"rows": "people", "media": "CSV", "number": run.id, "reason": REASON}
    assert run.filters == {"q": "able"}


def test_administrators_see_every_export_and_others_none(console, signed_in, make):
    make.profile(last_name="Able")
    take(console, "/profiles/export?q=able")
    take(console, "/sites/export")
    boss = signed_in("administrator")
    page = boss.get("/exports")
    assert page.texts("tbody [data-label='What for']") == ["–", REASON]
    assert page.texts("tbody [data-label='Narrowed to']") == ["the whole list", "q: able"]
    assert page.texts("tbody [data-label=Rows]") == ["0", "1"]
    assert any(link["href"] == "/exports" for link in page.soup.select("nav a"))
    signed_in("editor").get("/exports", status=403)
    boss_of_one = signed_in("administrator", site_id=make.site().id)
    boss_of_one.get("/exports", status=404)


def test_a_reader_who_goes_away_leaves_no_count(console, session, make):
    for _ in range(5):
        make.profile()
    fields = console.get("/profiles/export").fields("#form") | {"reason": REASON}
    answer = console.client.post("/profiles/export", data=fields, buffered=False)
    next(iter(answer.response))
    answer.close()
    assert session.scalars(select(ExportRun.row_count)).one() is None
    assert console.get("/exports").texts("tbody [data-label=Rows]") == ["broken off"]


@pytest.mark.parametrize("media", FILES)
@pytest.mark.parametrize("lead", ["=1+1", "+1", "-1+1", "@x", "＝1", "'=1", "\t=1"])
def test_p20_no_cell_is_run(console, make, media, lead):
    make.profile(external_id="M-1", first_name=lead, last_name=lead)
    answer = take(console, "/profiles/export", media)
    if media == Media.CSV:
        (row,) = lines(answer)
    else:
        names, *found = CalamineWorkbook.from_filelike(io.BytesIO(answer.get_data())).get_sheet_by_index(0).to_python()
        (row,) = [dict(zip(names, cells, strict=True)) for cells in found]
    assert row["last_name"] == f"'{lead}"


def test_a_workbook_has_an_end(console, make, monkeypatch):
    monkeypatch.setattr(workbook_writing, "MOST_WRITTEN", 3)
    for _ in range(4):
        make.tier()
    page = console.get("/tiers/export")
    answer = console.post("/tiers/export", page.fields("#form") | {"media": "xlsx"}, status=422)
    assert "A workbook takes 3 rows and this list has more. Choose CSV, or narrow the list." in answer.text
    assert len(lines(take(console, "/tiers/export"))) == 4


def test_a_text_too_long_for_a_cell_is_told(console, make):
    make.reward(name="long", notes="x" * 40_000)
    page = console.get("/rewards/export")
    answer = console.post("/rewards/export", page.fields("#form") | {"media": "xlsx"}, status=422)
    assert "Row 2 has a text of 40,000 letters" in answer.text


def test_the_same_form_sent_twice_is_one_export(console, session, make):
    make.tier()
    fields = console.get("/tiers/export").fields("#form")
    for _ in range(2):
        assert console.client.post("/tiers/export", data=fields).status_code == 200
    assert len(session.scalars(select(ExportRun)).all()) == 1


def test_people_exported_and_imported_again_are_as_they_were(console, session, make):
    """Nothing is lost on the way out, nor taken for something else on the way back."""
    tier = make.tier(name="gold")
    for number in range(3):
        make.profile(
            external_id=f"M-{number}", first_name="=Zoë", last_name="O'Neil, jr", email=f"z{number}@example.com",
            phone="+441947600600", zone="Europe/London", birth_day=3, birth_month=4, birth_year=1990, joined_at=NOW,
            tier_id=tier.id, tags=["press", "vip"], consents={"email_promo": True}, attributes={"postcode": "YO22 4HQ"},
        )  # fmt: skip
    make.identity(session.scalars(select(Profile.id)).first(), "till", "T1")
    before = [row[:13] + row[14:15] + row[16:] for row in read_profiles.stream(session)]
    file = take(console, "/profiles/export").get_data()
    page = console.get("/imports/new/profiles")
    page = console.follow(console.submit(page, "#form", file=(io.BytesIO(file), "people.csv")))
    page = console.submit(page, "#columns")
    run_jobs(session)
    page = console.follow(page)
    (run,) = session.scalars(select(ImportRun).execution_options(populate_existing=True))
    assert (run.record_count, run.bad_count) == (3, 0), page.text
    if page.soup.select("#form"):  # else the check found that nothing differs
        console.submit(page, "#form")
        run_jobs(session)
        session.expire_all()
    assert [row[:13] + row[14:15] + row[16:] for row in read_profiles.stream(session)] == before
    assert len(session.scalars(select(Profile)).all()) == 3


# What our own files say beside what can be imported: counts, and what became of a row.
PASSED_OVER = {
    ImportKind.ENTRIES: {"number", "status", "reason"},
    ImportKind.PROFILES: {"id"},
    ImportKind.ORGANISATIONS: {"member_count"},
    ImportKind.GROUPS: {"member_count"},
    ImportKind.MODULES: {"completion_count"},
    ImportKind.DEFINITIONS: {"updated_at", "total_global_created", "total_global_claimed", "total_global_redemptions", "total_global_voided"},
    ImportKind.REWARDS: {"status", "fulfilled_at", "closed_at", "entry_count", "draw_state"},
}  # fmt: skip


@pytest.mark.parametrize("kind", ImportKind)
def test_our_own_file_of_every_kind_goes_through_its_columns_and_its_check(console, world, session, kind):
    file = take(console, world["benefit-definitions" if kind is ImportKind.DEFINITIONS else kind]).get_data()
    url = "/rewards/spring-draw/entries/upload" if kind is ImportKind.ENTRIES else f"/imports/new/{kind}"
    page = console.follow(console.submit(console.get(url), "#form", file=(io.BytesIO(file), "ours.csv")))
    (run,) = session.scalars(select(ImportRun))
    assert set(run.headings) - set(run.mapping.values()) == PASSED_OVER.get(kind, set()) | {"exported"}
    assert page.soup.select("#columns select")
    page = console.get(f"/imports/{run.id}/columns")
    chosen = {option.parent["name"]: option.get_text() for option in page.soup.select("#columns option[selected]:not([value=''])")}  # fmt: skip
    assert chosen == run.mapping
    console.submit(page, "#columns", status=303)
    run_jobs(session)
    session.refresh(run)
    assert (run.status, run.bad_count) == ("checked", 0), console.get(f"/imports/{run.id}").text
    if kind is not ImportKind.ENTRIES:
        assert (run.findings["new"], run.findings["changed"]) == (0, 0)
