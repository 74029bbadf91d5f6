"""From a file to entries, on the screens."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from tests.support.jobs import run_jobs
from webapp.domain.imports import ImportStatus
from webapp.models import BenefitDefinition, Entry, ImportRun, Organisation, Profile, Reward

HEAD = "Member ID,First name,Surname,E-mail,Entered at,Receipt,Entries\n"
GOOD = "M1,Ann,Lee,ann@example.com,2026-01-05T10:00:00Z,R1,1\nM2,Bo,Lee,bo@example.com,2026-01-05T10:00:00Z,R2,3\n"
BAD = ",Cy,Lee,no-address,2026-01-05T10:00:00Z,R3,1\nM4,Di,Lee,,yesterday,R4,1\n"
REPEAT = "M9,Ann,Lee,,2026-01-05T10:00:00Z,R1,1\n"


@pytest.fixture
def upload(console, make):
    def act(content: str = HEAD + GOOD + BAD + REPEAT, name: str = "entrants.csv", reward=None, status: int = 303):
        reward = reward or make.reward()
        page = console.get(f"/rewards/{reward.name}/entries/upload")
        file = (io.BytesIO(content.encode()), name)
        return console.submit(page, "#form", status=status, file=file)

    return act


@pytest.fixture
def checked(console, upload, session):
    def act(*args, **kwargs):
        page = console.follow(upload(*args, **kwargs))
        page = console.submit(page, "#columns")
        run_jobs(session)
        return console.follow(page)

    return act


def test_an_upload_leads_to_its_columns_which_are_guessed(console, upload):
    page = console.follow(upload())
    chosen = {field["name"]: field.select_one("option[selected]").get_text() for field in page.soup.select("#columns select") if field.select_one("option[selected]")}  # fmt: skip
    assert chosen["external_id"] == "Member ID"
    assert chosen["tickets"] == "Entries"
    assert page.texts(".step--current .step__title") == ["Columns – now"]


def test_the_check_shows_good_duplicate_and_bad_with_line_column_and_reason(console, checked):
    page = checked()
    assert [text.split()[:2] for text in page.texts(".figure")][:3] == [["Good", "2"], ["Duplicate", "1"], ["Bad", "2"]]
    rows = [
        [cell.get_text(" ", strip=True) for cell in row.select("th, td")]
        for row in page.soup.select("#problems tbody tr")
    ]
    assert rows[0][:3] == ["4", "E-mail", "no-address"]
    assert rows[1][:3] == ["5", "Entered at", "yesterday"]
    assert "Import 2 entries" in page.text


def test_duplicates_have_a_tab_of_their_own(console, checked):
    page = checked()
    url = page.soup.select_one("#problems a[href*='show=duplicate']")["href"]
    part = console.part(url)
    assert part.texts("#problems tbody th") == ["6"]
    assert "already on line 2 of this file" in part.text


def test_good_rows_are_imported_on_press_and_the_page_says_so(console, checked, session):
    page = console.submit(checked(), "#apply")
    assert "queued" in console.follow(page).text.lower()
    run_jobs(session)
    page = console.follow(page)
    assert "2 entries are in" in page.text
    assert session.scalar(select(func.count()).select_from(Entry)) == 2


def test_all_or_nothing_with_bad_rows_is_refused_on_its_field(console, checked, session):
    page = console.submit(checked(), "#apply", status=422, contract="all-or-nothing")
    assert "All or nothing was chosen and 2 of the rows are bad" in page.one(".field__error").get_text()
    assert session.scalar(select(func.count()).select_from(Entry)) == 0


def test_the_rejects_file_can_be_downloaded_fixed_and_uploaded_again(console, checked, session, make):
    reward = make.reward()
    page = checked(reward=reward)
    console.submit(page, "#apply")
    run_jobs(session)
    answer = console.client.get(page.soup.select_one("a[href$='/rejects']")["href"])
    text = answer.get_data().decode("utf-8-sig")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert text.splitlines()[0].endswith("Line,Column,Reason")
    console.forget()
    fixed = text.replace("no-address", "cy@example.com").replace(",yesterday,", ",2026-01-06T10:00:00Z,")
    page = checked(fixed, "entrants.csv.rejects.csv", reward=reward)
    assert [text.split()[:2] for text in page.texts(".figure")][:3] == [["Good", "2"], ["Duplicate", "0"], ["Bad", "0"]]
    console.submit(page, "#apply")
    run_jobs(session)
    assert session.scalar(select(func.count()).select_from(Entry)) == 4


def test_the_same_file_again_warns_and_has_nothing_to_import(console, checked, session, make):
    reward = make.reward()
    console.submit(checked(reward=reward), "#apply")
    run_jobs(session)
    page = checked(reward=reward)
    assert "This very file was imported before" in page.text
    assert "There is no good row to import" in page.text
    assert page.soup.select("#apply") == []


def test_columns_chosen_once_are_offered_again(console, upload, session, make):
    content = "Card,Moment\nM1,2026-01-05T10:00:00Z\n"
    page = console.follow(upload(content))
    page = console.submit(page, "#columns", status=422)
    assert "No column tells who a row belongs to" in page.text
    page = console.submit(page, "#columns", external_id="1", entered_at="2")
    run_jobs(session)
    page = console.follow(upload(content))
    assert page.one("#external_id option[selected]").get_text() == "Card"


def test_progress_costs_nothing_while_nothing_moves(console, upload):
    page = console.submit(console.follow(upload()), "#columns")
    page = console.follow(page)
    link = page.one("a[hx-trigger^=every]")
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    part = console.get(link["href"], headers=headers)
    tag = part.one("a[hx-trigger^=every]")["hx-ptag"]
    console.get(link["href"], status=304, headers=headers | {"HX-PTag": tag})


def test_progress_leads_to_the_page_once_the_job_has_ended(console, upload, session):
    page = console.submit(console.follow(upload()), "#columns")
    url = page.response.headers["Location"]
    run_jobs(session)
    answer = console.get(f"{url}/progress", status=204, headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert urlsplit(answer.response.headers["HX-Redirect"]).path == urlsplit(url).path


def test_a_check_can_be_stopped_and_started_again(console, upload, session):
    page = console.follow(console.submit(console.follow(upload()), "#columns"))
    form = page.soup.select_one("form[action$='/cancel']")
    page = console.follow(console.submit(page, f"form[action='{form['action']}']"))
    assert page.soup.select_one("#columns")
    console.submit(page, "#columns")
    run_jobs(session)
    assert session.scalars(select(ImportRun)).one().status == "checked"


def test_the_list_shows_every_upload(console, checked):
    checked()
    page = console.get("/imports")
    assert page.texts("tbody th a") == ["entrants.csv"]
    assert "Checked, not imported" in page.text


def test_an_upload_of_another_site_is_not_there(console, checked, signed_in, make, session):
    checked()
    run = session.scalars(select(ImportRun)).one()
    elsewhere = signed_in("editor", site_id=make.site().id)
    for path in ("", "/columns", "/rejects", "/progress"):
        elsewhere.get(f"/imports/{run.id}{path}", status=404)
    elsewhere.post(f"/imports/{run.id}/apply", {"contract": "good-rows"}, status=404)
    assert elsewhere.get("/imports").soup.select("tbody tr") == []


@pytest.mark.parametrize("role", ["viewer", "till", "draw supervisor", "fulfilment", "administrator"])
def test_only_editors_import(signed_in, make, role):
    person = signed_in(role)
    person.get("/imports", status=403)
    person.get(f"/rewards/{make.reward().name}/entries/upload", status=403)


ORGANISATIONS = "Organisation ID,Title,Parent ID\ngroup,The group,\nsouth,South,group\nlost,Lost,nowhere\n"


def table(console, session, content: str = ORGANISATIONS, kind: str = "organisations"):
    page = console.get(f"/imports/new/{kind}")
    page = console.follow(console.submit(page, "#form", file=(io.BytesIO(content.encode()), "o.csv")))
    page = console.submit(page, "#columns")
    run_jobs(session)
    return console.follow(page)


def test_organisations_are_checked_imported_and_taken_back_on_the_screens(console, session):
    assert "/imports/new/organisations" in str(console.get("/imports/new").soup)
    page = table(console, session)
    assert [text.split()[:2] for text in page.texts(".figure")][:3] == [["Good", "2"], ["Duplicate", "0"], ["Bad", "1"]]
    assert "There is no organisation «nowhere», neither here nor in this file." in page.text
    page = console.submit(page, "#apply", contract="good-rows")
    run_jobs(session)
    page = console.follow(page)
    assert "2 organisations imported" in page.text
    undo = console.get(page.soup.select_one("a[href$='/undo']")["href"])
    assert "new organisations go" in undo.text
    page = console.submit(undo, "#form")
    run_jobs(session)
    page = console.follow(page)
    assert "Taken back" in page.text
    assert session.query(Organisation).count() == 0
    assert page.soup.select_one("a[href$='/undo']") is None


def test_an_import_that_was_stopped_goes_on_or_is_taken_back(console, session):
    page = table(console, session)
    at = urlsplit(page.response.request.path).path
    console.submit(page, "#apply", contract="good-rows")
    run_jobs(session)
    run = session.scalars(select(ImportRun)).one()
    run.status = ImportStatus.CANCELLED  # as if somebody had pressed «Stop» before its last step
    session.commit()
    page = console.get(at)
    assert "2 organisations were written and stay; going on imports the rest." in page.text
    assert page.soup.select_one("#apply")
    page = console.submit(console.get(page.soup.select_one("a[href$='/undo']")["href"]), "#form")
    assert not console.follow(page).soup.select("#apply, a[href$='/undo']")
    run_jobs(session)
    page = console.get(at)
    assert "2 organisations went" in page.text
    assert "going on" not in page.text
    assert not page.soup.select("#apply, a[href$='/undo']")


def test_pressing_take_back_twice_is_once(console, session):
    page = table(console, session)
    page = console.submit(page, "#apply", contract="good-rows")
    run_jobs(session)
    page = console.follow(page)
    undo = console.get(page.soup.select_one("a[href$='/undo']")["href"])
    first, second = console.submit(undo, "#form"), console.submit(undo, "#form")
    assert first.response.location == second.response.location
    run_jobs(session)
    fresh = console.get(urlsplit(undo.response.request.path).path)
    assert "has been taken back already" in fresh.text


def test_an_editor_of_one_site_imports_no_organisations(signed_in, make):
    editor = signed_in("editor", site_id=make.site().id)
    editor.get("/imports/new/organisations", status=404)
    assert "need an editor of all sites" in editor.get("/imports/new").text
    assert signed_in("editor").get("/imports/new/nonsense", status=404)


def test_every_kind_has_a_page_that_says_what_its_file_can_hold(console):
    page = console.get("/imports/new")
    links = [link["href"] for link in page.soup.select("a[href^='/imports/new/']")]
    assert len(links) == 13
    for link in links:
        assert console.get(link).texts("#needs li")


def test_options_are_chosen_with_the_columns_and_kept(console, session):
    file = (io.BytesIO(b"Member ID,First name,custom.nothing,email_promo\nM1,Ann,x,yes\n"), "people.csv")
    console.submit(console.get("/imports/new/profiles"), "#form", status=303, file=file)
    run = session.scalars(select(ImportRun)).one()
    page = console.get(f"/imports/{run.id}")
    assert "There is no further fact «custom.nothing», so the column is not read" in page.soup.get_text()
    assert page.soup.select_one("select[name=email_promo] option[selected]").get_text(strip=True) == "email_promo"
    console.submit(page, "#columns", status=303, known_rows="replace", empty_cells="clear")
    session.expire_all()
    assert session.scalars(select(ImportRun.options)).one()["known_rows"] == "replace"


def test_definitions_are_mapped_checked_imported_and_taken_back_on_the_screens(console, session, make):
    club = make.site(name="club")
    make.benefit_definition(site_id=club.id, handle="tea", name="Tea")
    content = (
        "Handle,Title,Site,Further,Claim condition,Published\n"
        'tea,Green tea,,"{""a"": 1}",,\n'
        'cake,Cake,club,,"{""==="": [{""var"": ""gender""}, ""female""]}",yes\n'
        "bread,Bread,,,[,\n"
    )
    page = console.get("/imports/new/definitions")
    page = console.follow(console.submit(page, "#form", file=(io.BytesIO(content.encode()), "d.csv")))
    page = console.submit(page, "#columns", status=422)
    assert "No column holds «Name», which every one of the definitions needs; choose it." in page.text
    page = console.submit(page, "#columns", name="2", meta="4", claim_condition="5")
    run_jobs(session)
    page = console.follow(page)
    assert [text.split()[:2] for text in page.texts(".figure")][:3] == [["Good", "2"], ["Duplicate", "0"], ["Bad", "1"]]
    rows = [
        [cell.get_text(" ", strip=True) for cell in row.select("th, td")]
        for row in page.soup.select("#problems tbody tr")
    ]
    assert [row[:3] for row in rows] == [["4", "Claim condition", "["]]
    page = console.submit(page, "#apply", contract="good-rows")
    run_jobs(session)
    page = console.follow(page)
    assert "2 definitions imported" in page.text
    assert page.soup.select_one("a[href='/benefits/definitions']")
    wanted = select(BenefitDefinition).order_by(BenefitDefinition.handle)
    cake, tea = session.scalars(wanted.execution_options(populate_existing=True))
    assert (cake.is_published, cake.claim_condition) == (True, {"===": [{"var": "gender"}, "female"]})
    assert (tea.name, tea.meta, tea.is_published) == ("Green tea", {"a": 1}, True)
    undo = console.get(f"/imports/{session.scalars(select(func.min(ImportRun.id))).one()}/undo")
    assert "changed definition becomes what it was" in undo.text
    console.submit(undo, "#form")
    run_jobs(session)
    session.expire_all()
    assert session.scalars(select(BenefitDefinition.name)).all() == ["Tea"]


def test_columns_of_definitions_chosen_once_are_offered_again(console, session):
    content = b"Handle,Title,Further\ntea,Tea,{}\n"
    for _ in range(2):
        page = console.get("/imports/new/definitions")
        page = console.follow(console.submit(page, "#form", file=(io.BytesIO(content), "d.csv")))
        console.submit(page, "#columns", name="2", meta="3")
    assert page.one("#meta option[selected]").get_text() == "Further"


def test_rewards_are_mapped_checked_imported_and_taken_back_on_the_screens(console, session, make):
    club = make.site(name="club", timezone="Australia/Melbourne")
    make.reward(site_id=club.id, name="spring", title="Spring", status="draft", starts_at=None, ends_at=None)
    make.reward(site_id=club.id, name="running", title="Running")
    content = (
        "Handle,Reward,Site,Last day,Wins\n"
        "spring,Spring draw,,,\n"
        'summer,Summer draw,club,2026-05-31,"[{""title"": ""Mug"", ""quantity"": 2}]"\n'
        "running,Walking,,,\n"
        "autumn,Autumn draw,,,Mug\n"
    )
    page = console.get("/imports/new/rewards")
    page = console.follow(console.submit(page, "#form", file=(io.BytesIO(content.encode()), "r.csv")))
    page = console.submit(page, "#columns", name="1", title="2", prizes="5")
    run_jobs(session)
    page = console.follow(page)
    assert [text.split()[:2] for text in page.texts(".figure")][:3] == [["Good", "2"], ["Duplicate", "0"], ["Bad", "2"]]
    assert "2026-05-31" in page.one("#sample").get_text()
    rows = [
        [cell.get_text(" ", strip=True) for cell in row.select("th, td")]
        for row in page.soup.select("#problems tbody tr")
    ]
    assert sorted(row[:2] for row in rows) == [["4", "Reward"], ["5", "Wins"]]
    page = console.submit(page, "#apply", contract="good-rows")
    run_jobs(session)
    page = console.follow(page)
    assert "2 rewards imported" in page.text
    assert page.soup.select_one("a[href='/rewards']")
    assert "31 May 2026" in console.get("/rewards/summer").text
    undo = console.get(f"/imports/{session.scalars(select(func.min(ImportRun.id))).one()}/undo")
    assert "changed reward becomes what it was" in undo.text
    console.submit(undo, "#form")
    run_jobs(session)
    session.expire_all()
    assert sorted(session.scalars(select(Reward.title))) == ["Running", "Spring"]


@pytest.mark.parametrize(("role", "status"), [("editor", 200), ("viewer", 403)])
def test_who_may_edit_rewards_of_every_site_uploads_files_of_them(signed_in, role, status):
    signed_in(role).get("/imports/new/rewards", status=status)


def test_an_editor_of_one_site_uploads_no_files_of_rewards(signed_in, make):
    signed_in("editor", site_id=make.site().id).get("/imports/new/rewards", status=404)


def test_a_checked_upload_is_thrown_away_on_a_page_that_says_what_happens(console, checked, session):
    page = checked()
    asked = console.get(page.soup.select_one("#apply a[href$='/discard']")["href"])
    told = asked.texts(".consequences li")
    assert told[0].startswith("5records of «entrants.csv» go with the file")
    assert told[1].startswith("2of them are bad: the rejects file goes too.")
    page = console.follow(console.submit(asked, "#form"))
    assert "Nothing of this file was imported, and its content is gone." in page.text
    assert [text.split()[:2] for text in page.texts(".figure")][:3] == [["Good", "2"], ["Duplicate", "1"], ["Bad", "2"]]
    assert "content gone" in page.text
    assert page.soup.select("#apply, #sample, a[href$='/rejects'], a[href$='/discard']") == []
    assert session.scalar(select(func.count()).select_from(Entry)) == 0
    run = session.scalars(select(ImportRun)).one()
    assert "The rejects file was thrown away" in console.get(f"/imports/{run.id}/rejects", status=404).text
    assert "Thrown away" in console.get("/imports").text
    again = console.get(f"/imports/{run.id}/discard")
    assert "This cannot be thrown away" in again.text


def test_an_upload_is_thrown_away_before_its_columns_are_chosen(console, upload):
    page = console.follow(upload())
    asked = console.get(page.soup.select_one("#columns a[href$='/discard']")["href"])
    page = console.follow(console.submit(asked, "#form"))
    assert "its content is gone, before it was checked" in page.text
    assert page.texts(".figure") == []
    assert page.texts(".step--blocked .step__title") == ["Columns – blocked"]


def test_an_upload_without_a_good_row_can_be_thrown_away(console, checked):
    page = checked(HEAD + BAD.splitlines()[0])
    asked = console.get(page.soup.select_one("a[href$='/discard']")["href"])
    told = asked.texts(".consequences li")
    assert told[0].startswith("1record of «entrants.csv» goes with the file")
    assert told[1].startswith("1of them is bad")
    assert "Nothing of this file was imported" in console.follow(console.submit(asked, "#form")).text


def test_what_is_imported_is_not_thrown_away(console, checked, session):
    page = checked()
    asked = console.get(page.soup.select_one("#apply a[href$='/discard']")["href"])
    console.submit(page, "#apply")
    part = console.submit(asked, "#form", status=422)
    assert "entrants.csv is being imported" in part.text
    run_jobs(session)
    assert session.scalar(select(func.count()).select_from(Entry)) == 2


PEOPLE = "Member ID,First name,E-mail\nM1,Ann,ann@example.com\nM2,Bo,bo@example.com\nM3,Cy,cy@example.com\n"


def people(console, session, content: str = PEOPLE):
    """A file of people, checked, on its page."""
    return table(console, session, content, "profiles")


def imported(console, session, page):
    page = console.submit(page, "#apply")
    run_jobs(session)
    return console.follow(page)


def test_a_file_that_changes_nothing_has_nothing_to_import(console, session):
    imported(console, session, people(console, session))
    page = people(console, session)
    assert "What the file tells of 3 people is known already, so there is nothing to import." in page.text
    assert "What came in then is known now." in page.text
    assert page.soup.select("#apply") == []
    assert page.soup.select("main a[href$='/discard']")
    assert page.soup.select("main a[href$='/columns']")


def test_only_rows_that_tell_something_new_are_counted_as_imported(console, session):
    imported(console, session, people(console, session, PEOPLE.replace("bo@example.com", "")))
    page = people(console, session, PEOPLE + "M4,Di,\n")
    assert "Import 2 people" in page.text
    assert "2 of 4 good rows would be written, 2 tell what is known already." in page.one("#apply").get_text()
    page = imported(console, session, page)
    assert "2 people imported; of 2 more the file tells what was known already." in page.text


def test_an_import_that_changed_nothing_says_so(console, session):
    """What the file tells came in by another way after its check."""
    page = people(console, session, PEOPLE.splitlines()[0] + "\nM1,Ann,ann@example.com\n")
    imported(console, session, people(console, session))
    page = imported(console, session, page)
    assert "Nothing changed: what the file tells of 1 person was known already." in page.text


def test_an_import_taken_back_says_once_what_went(console, session):
    page = imported(console, session, people(console, session))
    undo = console.get(page.soup.select_one("a[href$='/undo']")["href"])
    page = console.submit(undo, "#form")
    run_jobs(session)
    page = console.follow(page)
    told = page.one(".notice").get_text(" ", strip=True)
    assert told.endswith(": 3 people went.")
    assert page.one("h1 ~ .tag, .tag").get_text(strip=True) == "Taken back"
    assert page.texts(".figure")[3].split() == ["New", "people", "0", "3", "came", "in,", "3", "went"]
    assert console.get("/imports").one("tbody .tag").get_text(strip=True) == "Taken back"


def test_entries_taken_back_are_told_apart_from_the_people_they_brought(console, checked, session):
    page = imported(console, session, checked(HEAD + GOOD))
    page = console.submit(console.get(page.soup.select_one("a[href$='/undo']")["href"]), "#form")
    run_jobs(session)
    page = console.follow(page)
    assert ": 2 entries went, 2 people whom it brought went." in page.text
    assert page.texts(".figure")[3].split() == ["New", "people", "0", "2", "came", "in,", "2", "went"]


def test_an_import_of_which_nothing_could_be_taken_back_says_so(console, session, make):
    page = imported(console, session, people(console, session))
    reward = make.reward()
    for person in session.scalars(select(Profile)).all():
        make.entry(reward, profile_id=person.id)
    session.commit()
    page = console.submit(console.get(page.soup.select_one("a[href$='/undo']")["href"]), "#form")
    run_jobs(session)
    page = console.follow(page)
    assert ": nothing of it went." in page.text
    assert page.texts(".figure")[3].split() == ["New", "people", "3", "3", "came", "in,", "0", "went"]


ONE_OF_EACH = "Organisation ID,Title,Parent ID\nsouth,South,\nsouth,Southern,\nlost\n"


def test_one_is_told_as_one(console, session):
    page = table(console, session, ONE_OF_EACH)
    assert [" ".join(text.split()) for text in page.texts(".figure")][:2] == [
        "Good 1 of 3 records", "Duplicate 1 same organisation as on an earlier row",
    ]  # fmt: skip
    assert "The row has 1 value where the heading has 3: some are missing at its end." in page.text
    assert "Imports the 1 good row and leaves the 1 bad one out; mend it in the rejects file." in page.text
    page = console.submit(page, "#apply", contract="good-rows")
    run_jobs(session)
    undo = console.get(console.follow(page).soup.select_one("a[href$='/undo']")["href"])
    assert undo.texts(".consequences li")[0] == "1new organisation goes, unless somebody has used it since."


def test_a_file_with_one_good_row_alone_says_so(console, session):
    page = table(console, session, "Organisation ID,Title\nsouth,South\n")
    assert "Every row is good or a duplicate: 1 good row is imported." in page.one("#apply").get_text()
    assert "of 1 record" in page.texts(".figure")[0]
    assert "1 record" in page.texts(".step")[0]
    assert "1 records" not in page.text


@pytest.mark.parametrize(
    ("kind", "title"), [("profiles", "people"), ("organisation-types", "types of organisations"), ("facts", "further facts")]
)  # fmt: skip
def test_the_page_of_a_kind_is_called_as_it_is_where_it_is_chosen(console, kind, title):
    assert console.get(f"/imports/new/{kind}").one("h1").get_text(strip=True) == f"Import {title}"
    assert title.capitalize() in console.get("/imports/new").text
