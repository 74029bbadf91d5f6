"""The list of entries, and what an upload is refused for."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import func, select

from webapp.domain.rewards import RewardStatus
from webapp.models import ImportRun, StoredFile

HEAD = b"Member ID,Entered at\n"


def send(console, reward, content: bytes, name: str = "x.csv", status: int = 422, **values: str):
    page = console.get(f"/rewards/{reward.name}/entries/upload")
    return console.submit(page, "#form", status=status, file=(io.BytesIO(content), name), **values)


FAULTS = {
    b"": "The file is empty.",
    HEAD: "a heading and no rows",
    b"\x89PNG\r\n\x1a\n\0": "is a PNG picture",
    HEAD + b'M1,"2026\n': "line 2 opens a quotation mark that is never closed",
    HEAD + b"M1,2026,\0\n": "zero character",
    b"Member ID,Member ID\n1,2\n": "stands twice",
}


@pytest.mark.parametrize("content", FAULTS, ids=FAULTS.values())
def test_a_bad_file_is_one_sentence_on_its_field_and_nothing_is_kept(console, make, session, content):
    page = send(console, make.reward(), content)
    assert FAULTS[content] in page.one("#file-error").get_text()
    assert session.scalar(select(func.count()).select_from(StoredFile)) == 0
    assert session.scalar(select(func.count()).select_from(ImportRun)) == 0


def test_another_encoding_is_refused_at_the_choice_and_accepted_when_chosen(console, make):
    reward, content = make.reward(), HEAD + "José,2026-01-05T10:00:00Z\n".encode("cp1252")
    page = send(console, reward, content)
    assert "Line 2 holds the byte 0xE9" in page.one("#encoding-error").get_text()
    send(console, reward, content, status=303, encoding="cp1252")


def test_no_file_is_said_so(console, make):
    page = console.get(f"/rewards/{make.reward().name}/entries/upload")
    page = console.submit(page, "#form", status=422)
    assert page.one("#file-error").get_text().strip() == "Choose a file."


@pytest.mark.parametrize("status", [RewardStatus.DRAFT, RewardStatus.EXPIRED, RewardStatus.FULFILLED])
def test_a_reward_that_takes_no_entries_says_so_before_and_after(console, make, status):
    reward = make.reward(status=status)
    page = console.get(f"/rewards/{reward.name}/entries/upload")
    assert "entries are added while it is active" in page.text
    file = (io.BytesIO(HEAD + b"M1,2026-01-05T10:00:00Z\n"), "x.csv")
    page = console.post(f"/rewards/{reward.name}/entries/upload", {"file": file}, status=422)
    assert "entries are added while it is active" in page.text


def test_a_path_in_a_file_name_is_left_behind(console, make, session):
    send(console, make.reward(), HEAD + b"M1,2026-01-05T10:00:00Z\n", "C:\\Users\\ann\\../x.csv", status=303)
    assert session.scalars(select(StoredFile)).one().name == "x.csv"


def test_entries_are_listed_newest_first_and_paged_by_number(console, make):
    reward, person = make.reward(), make.profile()
    for _ in range(53):
        make.entry(reward, profile_id=person.id)
    page = console.get(f"/rewards/{reward.name}/entries")
    assert page.texts("tbody th")[:2] == ["53", "52"]
    assert len(page.texts("tbody th")) == 50
    older = page.soup.select_one("a[href*='before=']")["href"]
    assert console.get(older).texts("tbody th") == ["3", "2", "1"]


@pytest.mark.parametrize("search", ["2", "R-77", "r-77", "Zoë", "zoe ber", "berg z", "zoe@", "ZB9", "0487 12"])
def test_an_entry_is_found_by_number_receipt_or_person(console, make, search):
    reward = make.reward()
    make.entry(reward)
    person = make.profile(
        first_name="Zoë", last_name="Berg", email="zoe@example.com", external_id="ZB9", phone="0487 123"
    )
    make.entry(reward, receipt="R-77", profile_id=person.id)
    page = console.get(f"/rewards/{reward.name}/entries", query_string={"q": search})
    assert page.texts("tbody th") == ["2"]


def test_the_tabs_count_each_status(console, make):
    reward = make.reward()
    make.entry(reward)
    make.entry(reward)
    make.entry(reward, status="staff", reason="The e-mail is on the staff domain example.com.")
    page = console.get(f"/rewards/{reward.name}/entries")
    tabs = page.texts("nav[aria-label='State of the entries'] a")
    assert [tab.split() for tab in tabs] == [["All", "3"], ["Takes", "part", "2"], ["Staff", "1"]]
    page = console.get(f"/rewards/{reward.name}/entries?status=staff")
    assert page.texts("tbody th") == ["3"]


def test_nothing_found_says_what_was_looked_for(console, make):
    reward = make.reward()
    make.entry(reward)
    assert "%" in console.get(f"/rewards/{reward.name}/entries?q=%25").text
    assert console.get(f"/rewards/{reward.name}/entries?q=99999999999999999999").soup.select("tbody") == []


def test_entries_of_another_site_are_not_there(signed_in, make):
    reward = make.reward()
    elsewhere = signed_in("editor", site_id=make.site().id)
    elsewhere.get(f"/rewards/{reward.name}/entries", status=404)
    elsewhere.get(f"/rewards/{reward.name}/entries/upload", status=404)


def test_who_may_not_see_people_sees_no_entries(signed_in, make):
    signed_in("viewer").get(f"/rewards/{make.reward().name}/entries", status=403)
