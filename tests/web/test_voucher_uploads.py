"""The screens on which codes that others made come into a voucher type."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import xlsxwriter
from sqlalchemy import func, select

from tests.support.clock import NOW
from tests.support.jobs import run_jobs
from webapp.models import Job, Voucher, VoucherBatch
from webapp.services import vouchers

FILE = "Code,Valid from,Valid until,Member id,Value\n"


@pytest.fixture
def kind(make, moment):
    return make.voucher_type(title="Shop")


def send(console, kind, content, name="codes.csv", status=303):
    data = content.encode() if isinstance(content, str) else content
    return console.post(f"/voucher-types/{kind.id}/upload", {"file": (io.BytesIO(data), name)}, status)


def latest(session):
    session.commit()
    return session.scalar(select(func.max(VoucherBatch.id)))


def test_a_file_is_checked_seen_and_added(console, make, session, kind):
    person = make.profile()
    rows = f"GIFT-0001,2026-04-01,,,20\nGIFT-0002,,,{person.external_id},50\ngift0001,,,,\n,,,,\n'=1+1+1,,,,20\n"
    assert "What the file can hold" in console.get(f"/voucher-types/{kind.id}/upload").text
    page = console.follow(send(console, kind, FILE + rows))
    assert "3 idle codes are added to «Shop»" in " ".join(page.text.split())
    assert "The code stands on line 2 already." in page.text
    assert "The row has no code." in page.text
    assert session.scalar(select(func.count()).select_from(Voucher)) == 0
    assert "not added" in console.get(f"/voucher-types/{kind.id}").text
    address = f"/voucher-types/{kind.id}/batches/{latest(session)}"
    page = console.follow(console.post(f"{address}/add", {}))
    assert "3 codes added." in page.text
    assert "1 not valid yet" in page.text
    assert [row.get_text(" ", strip=True) for row in page.soup.select("#by-value tbody tr")] == [
        "€20.00 2 €40.00",
        "€50.00 1 €50.00",
    ]
    assert "3 codes added." in console.get(address).text
    kept = session.scalar(select(Voucher.id).where(Voucher.reserved_for_id == person.id))
    sheet = console.get(f"/vouchers/{kept}").text
    assert "Kept for" in sheet
    assert person.external_id in sheet
    assert "€50.00" in sheet
    assert session.scalar(select(func.count()).where(Voucher.code == "=1+1+1")) == 1


def test_13_7_expired_code_is_shown_as_lapsed(console, make, kind):
    make.voucher(kind)
    assert "lapsed" not in console.get(f"/voucher-types/{kind.id}").one(".figures").get_text()
    make.voucher(kind, expires_at=NOW - timedelta(days=1))
    make.session.commit()
    assert "1 lapsed" in console.get(f"/voucher-types/{kind.id}").one(".figures").get_text(" ", strip=True)


def test_a_workbook_will_do(console, session, kind):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate((["Code", "Value"], ["GIFT-0001", 12.5], ["GIFT-0002", ""])):
            sheet.write_row(number, 0, row)
    send(console, kind, content.getvalue(), "codes.xlsx")
    console.post(f"/voucher-types/{kind.id}/batches/{latest(session)}/add", {})
    assert session.scalars(select(Voucher.value_minor).order_by(Voucher.id)).all() == [1250, None]


def test_a_file_that_cannot_be_is_refused_on_the_field(console, session, kind):
    assert "No column is called «Code»" in send(console, kind, "Number\n1\n", status=422).text
    many = "Code\n" + "X\n" * 10_001
    assert "10,001 rows" in send(console, kind, many, status=422).text
    assert "Choose a file." in console.post(f"/voucher-types/{kind.id}/upload", {}, 422).text
    assert session.scalar(select(func.count()).select_from(VoucherBatch)) == 0


def test_nothing_good_offers_no_button_and_adding_is_refused(console, session, kind):
    page = console.follow(send(console, kind, "Code\nab\n"))
    assert "No code of the file can be added" in page.text
    address = f"/voucher-types/{kind.id}/batches/{latest(session)}"
    console.post(f"{address}/add", {}, 422)


def test_who_may_only_look_sees_no_button(console, signed_in, session, kind):
    send(console, kind, "Code\nGIFT-0001\n")
    viewer = signed_in("viewer")
    page = viewer.get(f"/voucher-types/{kind.id}/batches/{latest(session)}")
    assert "1 code can be added by somebody who may change vouchers." in page.text
    viewer.get(f"/voucher-types/{kind.id}/upload", 403)
    viewer.post(f"/voucher-types/{kind.id}/batches/{latest(session)}/add", {}, 403)


def test_a_batch_of_another_type_is_not_found(console, make, session, kind):
    send(console, kind, "Code\nGIFT-0001\n")
    console.post(f"/voucher-types/{make.voucher_type().id}/batches/{latest(session)}/add", {}, 404)


# Taken back (product ruling 11)


@pytest.fixture
def uploaded(console, session, kind):
    """The address of a batch of three codes that were added."""
    send(console, kind, "Code\nGIFT-0001\nGIFT-0002\nGIFT-0003\n")
    address = f"/voucher-types/{kind.id}/batches/{latest(session)}"
    console.post(f"{address}/add", {})
    return address


def number_of(session, model=Voucher):
    session.commit()
    return session.scalar(select(func.count()).select_from(model))


def test_ruling_11_an_upload_is_taken_back_from_its_page(console, session, kind, uploaded):
    [link] = console.get(uploaded).soup.select(f"main a[href='{uploaded}/take-back']")
    page = console.get(link["href"])
    assert page.texts("main h1") == ["Take codes.csv back"]
    assert "3 codes of this file are in «Shop»." in " ".join(page.text.split())
    assert number_of(session) == 3
    code = session.scalars(select(Voucher.id).order_by(Voucher.id)).first()
    console.post(f"/vouchers/{code}/cancel", {"reason": ""})
    page = console.follow(console.submit(page, "#form"))
    assert "Waits for its turn" in page.text
    assert page.soup.select(f"a[href='{uploaded}/take-back']") == []
    assert "is being taken back at this moment" in console.get(f"{uploaded}/take-back").text
    run_jobs(session)
    page = console.get(uploaded)
    assert "took this upload back on" in page.text
    assert ": 2 codes went, 1 stays." in page.text
    [row] = page.soup.select("#stay tbody tr")
    assert row.get_text(" ", strip=True) == "••••0001 It is cancelled."
    assert row.a["href"] == f"/vouchers/{code}"
    [file] = page.soup.select("#stay a.btn")
    assert b"0001,It is cancelled." in console.client.get(file["href"]).data
    assert page.soup.select(f"a[href='{uploaded}/take-back']") == []
    [line] = console.get(f"/voucher-types/{kind.id}").soup.select("#batches tbody tr")
    assert "taken back 1 of 3" in line.get_text(" ", strip=True)
    assert "took back 2 codes uploaded into «Shop»; 1 stay as they are" in console.get("/audit").text.replace(
        "Took", "took"
    )
    page = console.get(f"{uploaded}/take-back")
    assert "codes.csv has been taken back already." in page.text
    assert page.soup.select("#form") == []
    console.post(f"{uploaded}/take-back", {}, 422)
    assert (number_of(session), number_of(session, Job)) == (1, 1)


def test_ruling_11_pressed_on_two_pages_an_upload_is_taken_back_once(console, session, uploaded):
    pages = [console.get(f"{uploaded}/take-back") for _ in range(2)]
    console.submit(pages[0], "#form")
    assert "is being taken back at this moment" in console.submit(pages[1], "#form", status=422).text
    run_jobs(session)
    assert (number_of(session), number_of(session, Job)) == (0, 1)


def test_ruling_11_the_card_of_taking_back_leads_to_the_whole_page_when_it_has_ended(console, session, uploaded):
    console.submit(console.get(f"{uploaded}/take-back"), "#form")
    part = {"HX-Request": "true", "HX-Request-Type": "partial"}
    assert console.client.get(uploaded, headers=part).status_code == 200
    run_jobs(session)
    answer = console.client.get(uploaded, headers=part)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, uploaded)


def test_ruling_11_what_stopped_is_taken_back_by_another_job(console, session, uploaded, monkeypatch):
    monkeypatch.setattr("webapp.jobs.vouchers.AT_ONCE", 1)
    console.submit(console.get(f"{uploaded}/take-back"), "#form")
    take, steps = vouchers.take_some_back, []

    def fail(*args):
        steps.append(args)
        if len(steps) > 1:
            raise ValueError("the disk is full")
        return take(*args)

    with monkeypatch.context() as patched:
        patched.setattr(vouchers, "take_some_back", fail)
        run_jobs(session)
    page = console.get(uploaded)
    assert "1 code of 3 went before it stopped." in page.text
    console.submit(console.get(f"{uploaded}/take-back"), "#form")
    run_jobs(session)
    assert ": 3 codes went, 0 stay." in console.get(uploaded).text


def test_ruling_11_taking_back_is_for_whoever_may_change_vouchers_of_the_site(
    console, signed_in, make, session, kind, uploaded
):
    viewer = signed_in("viewer")
    assert viewer.get(uploaded).soup.select(f"a[href='{uploaded}/take-back']") == []
    viewer.get(f"{uploaded}/take-back", 403)
    viewer.post(f"{uploaded}/take-back", {}, 403)
    signed_in("editor", site_id=make.site().id).get(f"{uploaded}/take-back", status=404)
    other = make.voucher_type()
    console.post(uploaded.replace(f"/{kind.id}/", f"/{other.id}/") + "/take-back", {}, 404)
    made = make.voucher(kind)
    console.get(f"/voucher-types/{kind.id}/batches/{made.batch_id}/take-back", 404)
    console.get(f"{uploaded}/take-back")
    assert (number_of(session), number_of(session, Job)) == (4, 0)
