"""A messy file in a real browser: imported, its rejects mended and sent again, and both taken back."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from tests.factories import Factories
from tests.support.browser import axe, shot
from webapp.models import AccountSettings, Profile
from webapp.services import passwords

PHRASE = "a-long-enough-sentence-42"
LONG = 120_000  # milliseconds for a job on a busy machine
MESSY = (
    "Member ID;First name;Surname;E-mail;Mobile\r\n"
    "M1;Zoë;Ørsted;zoe@mail.example;0400 000 001\r\n"
    "M2;Bo;Birch;not-an-address;0400 000 002\r\n"
    "M1;Zoë;Ørsted;zoe@mail.example;0400 000 001\r\n"
    ";Nobody;Atall;;\r\n"
    'M3;"Line\r\nbreak";Castell;castell@mail.example;0400 000 003\r\n'
    "M4;Dara;Dunmore;dara@mail.example;0400 000 004\r\n"
)


@pytest.fixture
def editor(live_server, new_tab) -> Page:
    """An editor, signed in."""
    with live_server.session() as session:
        make = Factories(session)
        make.add(AccountSettings(id=1, is_second_factor_optional=True))
        make.staff("editor", email="ed@example.org", name="Ed Ito", password_hash=passwords.hashed(PHRASE))
        session.commit()
    page: Page = new_tab()
    page.goto(f"{live_server.url}/sign-in")
    page.get_by_label("E-mail").fill("ed@example.org")
    page.get_by_label("Password").fill(PHRASE)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/today")
    return page


def press(page: Page, name: str | re.Pattern[str]) -> None:
    page.get_by_role("main").get_by_role("button", name=name).click()


def people(server) -> list[str]:
    with server.session() as session:
        known = select(Profile.external_id).where(Profile.external_id.is_not(None)).order_by(Profile.external_id)
        return list(session.scalars(known))


def upload(page: Page, server, path: Path) -> None:
    """From the choice of what the file holds to the result of its check."""
    page.goto(f"{server.url}/imports/new/profiles")
    page.locator("#file").set_input_files(path)
    press(page, "Upload file")
    expect(page.get_by_role("button", name="Check file")).to_be_visible(timeout=LONG)
    press(page, "Check file")
    expect(page.get_by_role("button", name=re.compile("^Import "))).to_be_visible(timeout=LONG)


def take_in(page: Page) -> None:
    press(page, re.compile("^Import "))
    expect(page.get_by_role("main")).to_contain_text("Imported", timeout=LONG)


def take_back(page: Page) -> None:
    page.get_by_role("main").get_by_role("link", name=re.compile("back|Undo", re.IGNORECASE)).first.click()
    shot(page, "import-undo-asked")
    axe(page)
    press(page, re.compile("back", re.IGNORECASE))
    expect(page.get_by_role("main")).to_contain_text(re.compile("taken back|Taken back"), timeout=LONG)


def mend(rejects: Path, mended: Path) -> int:
    """What a person does in a spreadsheet: correct what the last columns complain of, leave out what cannot be."""
    with rejects.open(encoding="utf-8-sig", newline="") as source:
        heading, *rows = list(csv.reader(source))
    assert heading[-3:] == ["Line", "Column", "Reason"]
    column = heading.index("E-mail")
    for row in rows:
        if row[column] == "not-an-address":
            row[column] = "bo@mail.example"
    kept = [row for row in rows if row[column] == "bo@mail.example"]
    with mended.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([heading, *kept])
    return len(rows)


def test_a_messy_file_is_imported_its_rejects_mended_and_all_of_it_undone(editor, live_server, tmp_path):
    messy, mended = tmp_path / "people.csv", tmp_path / "people.csv.rejects.csv"
    messy.write_bytes(MESSY.encode("utf-8"))
    upload(editor, live_server, messy)
    axe(editor)
    shot(editor, "import-people-checked")
    with editor.expect_download() as download:
        editor.get_by_role("main").get_by_role("link", name="Download rejects file").first.click()
    assert mend(Path(download.value.path()), mended) >= 2
    editor.get_by_label("Import the good rows").check()
    take_in(editor)
    first = editor.url
    assert {"M1", "M3", "M4"} <= set(people(live_server))
    assert "M2" not in people(live_server)
    editor.goto(f"{live_server.url}/today")
    expect(editor.get_by_role("main")).to_contain_text("Mend the rejects of people.csv")

    upload(editor, live_server, mended)
    take_in(editor)
    second = editor.url
    assert "M2" in people(live_server)
    editor.goto(f"{live_server.url}/today")
    expect(editor.get_by_role("main")).not_to_contain_text("Mend the rejects")

    for address in (second, first):
        editor.goto(address)
        take_back(editor)
    assert people(live_server) == []
    with live_server.session() as session:
        assert session.scalar(select(func.count()).select_from(Profile)) == 0
