"""The screens on which codes that others made come into a voucher type."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import xlsxwriter
from sqlalchemy import func, select

from tests.support.clock import NOW
from webapp.models import Voucher, VoucherBatch

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
