"""The screens of voucher types."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import NOW, Factories
from tests.pages import Console
from tests.support.jobs import run_jobs
from webapp.config import Settings
from webapp.domain.audit import Event
from webapp.domain.voucher_codes import check_ok, code_hash
from webapp.domain.vouchers import VoucherStatus
from webapp.models import AuditEntry, Voucher, VoucherBatch, VoucherType, Winner
from webapp.services.vouchers import code_key

GOOD = {"title": "Coffee for two", "code": "COFFEE", "value_minor": "9", "currency": "GBP", "valid_for_days": "90"}


def test_the_first_type_is_created_and_shown(console: Console, make: Factories) -> None:
    site = make.site()
    assert "No voucher type yet" in console.get("/voucher-types").text
    form = console.get("/voucher-types/new")
    page = console.follow(console.submit(form, site_id=site.id, **GOOD))
    assert page.one("h1").get_text() == "Coffee for two"
    assert "90 days after allocation" in page.text
    assert "£9.00" in page.text
    row = console.get("/voucher-types").one("tbody tr").get_text(" ")
    assert "Coffee for two" in row
    assert "COFFEE" in row
    assert "0 / 0" in row


@pytest.mark.parametrize(
    ("typed", "field", "told"),
    [
        (
            {"code": "shirts 1!"},
            "code",
            "«shirts 1!» cannot be a code; use up to 64 letters, digits and dashes",
        ),  # K128
        ({"title": ""}, "title", "Enter the title."),
        ({"currency": ""}, "currency", "Choose the currency of the value."),
        ({"valid_for_days": "0"}, "valid_for_days", "Enter a whole number from 1 to 36,500."),
        ({"static_expiry_on": "01/11/26"}, "static_expiry_on", "has a year of two digits"),
        ({"static_expiry_on": "2026-03-01"}, "static_expiry_on", "1 March 2026 is over"),
        ({"id_pattern": "MM-{jahr}"}, "id_pattern", "«{jahr}», which is not a field"),
        ({"id_pattern": "FIXED"}, "id_pattern", "has no random part"),
        ({"value_minor": "nine"}, "value_minor", "Enter an amount such as 25"),
    ],
)
def test_what_cannot_be_is_refused_on_its_field(
    console: Console, make: Factories, typed: dict[str, str], field: str, told: str
) -> None:
    site = make.site()
    page = console.submit(console.get("/voucher-types/new"), status=422, site_id=site.id, **GOOD | typed)
    assert told in page.one(f"#{field}-error").get_text()
    assert page.one("#title")["value"] == (GOOD | typed)["title"], "what was typed is gone"


def test_a_code_that_is_taken_is_a_conflict_on_the_code(console: Console, make: Factories) -> None:
    kind = make.voucher_type()
    values = GOOD | {"code": kind.code, "site_id": kind.site_id}
    page = console.submit(console.get("/voucher-types/new"), status=409, **values)
    assert "is the code of another voucher type" in page.one("#code-error").get_text()


def test_k129_the_sample_shows_a_code_and_its_chance(console: Console) -> None:
    part = console.part("/voucher-types/sample?id_pattern=MM-%7Byear%7D-%7Brand:4%7D")
    assert re.search(r"MM-2026-[0-9A-HJKMNP-TV-Z]{4} , 20 bits of chance", part.text)
    assert "50 are advised" in part.text
    assert check_ok(console.part("/voucher-types/sample").one(".code").get_text())
    assert "not a field" in console.part("/voucher-types/sample?id_pattern=%7Bx%7D").one(".field__error").get_text()


def test_k148_the_second_editor_is_shown_the_difference_and_keeps_the_text(console: Console, make: Factories) -> None:
    kind = make.voucher_type(title="Coffee", terms="One cup.")
    mine, yours = console.get(f"/voucher-types/{kind.id}/edit"), console.get(f"/voucher-types/{kind.id}/edit")
    console.submit(yours, title="Coffee and cake")
    page = console.submit(mine, status=409, title="Coffee to go")
    assert "Somebody else saved this voucher type" in page.one("[role=alert]").get_text()
    assert page.texts(".notice tbody tr > *") == ["Title", "Coffee and cake", "Coffee to go"]
    assert page.one("#title")["value"] == "Coffee to go"
    again = console.follow(console.submit(page))
    assert again.one("h1").get_text() == "Coffee to go"
    assert "title Coffee and cake → Coffee to go" in again.one("aside .timeline").get_text()


def test_codes_are_generated_at_once_and_told_once(
    console: Console, make: Factories, session: Session, settings: Settings
) -> None:
    kind = make.voucher_type(title="Coffee")
    page = console.follow(console.submit(console.get(f"/voucher-types/{kind.id}"), count="250"))
    assert "250 codes generated." in page.text
    (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.event == Event.VOUCHERS_GENERATED))
    batch = session.scalars(select(VoucherBatch)).one()
    assert entry.facts == {"count": 250, "title": "Coffee", "sha256": batch.sha256[:16]}
    code = session.scalars(select(Voucher)).first()
    assert code is not None
    assert check_ok(code.code)
    assert code.code_hash == code_hash(code_key(settings.secret_key), code.code)


@pytest.mark.parametrize(
    ("count", "told"), [("0", "from 1 to 1,000,000"), ("1000001", "from 1 to 1,000,000"), ("ten", "not «ten»")]
)
def test_an_order_that_cannot_be_is_refused(console: Console, make: Factories, count: str, told: str) -> None:
    kind = make.voucher_type()
    page = console.submit(console.get(f"/voucher-types/{kind.id}"), status=422, count=count)
    assert told in page.one("#count-error").get_text()


def test_a_pattern_that_is_too_small_is_refused_with_what_it_needs(console: Console, make: Factories) -> None:
    kind = make.voucher_type(id_pattern="MM-{year}-{rand:3}")
    page = console.submit(console.get(f"/voucher-types/{kind.id}"), status=422, count="100")
    assert "The pattern gives 32,768 different codes, and 100 codes need at least 100,000" in page.text


def test_a_large_order_runs_as_a_job_with_progress(
    console: Console, make: Factories, session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LARGESSE_SECRET_KEY", settings.secret_key)
    kind = make.voucher_type(title="Coffee")
    page = console.follow(console.submit(console.get(f"/voucher-types/{kind.id}"), count="10001"))
    job = page.one(".job")
    assert "0 of 10,001" in job.get_text(" ")
    tag = str(page.one("[hx-ptag]")["hx-ptag"])
    url = str(page.one("[hx-get]")["hx-get"])
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-PTag": tag}
    assert console.client.get(url, headers=headers).status_code == 304
    run_jobs(session)
    part = console.get(url, headers=headers)
    assert "10,001 codes generated." in part.text
    assert not part.soup.select("[hx-get]"), "it still asks"
    assert session.scalar(select(func.count()).select_from(Voucher)) == 10_001
    assert session.get_one(VoucherType, kind.id).idle_count == 10_001


def test_k137_figures_tell_counts_and_cash_in_every_state(console: Console, make: Factories) -> None:
    kind = make.voucher_type(value_minor=900, currency="GBP")
    winner = make.winner(make.reward(voucher_type_id=kind.id, title="Spring draw"))
    for place, status in enumerate(VoucherStatus, 1):
        make.voucher(kind, status=status, **({} if status is VoucherStatus.IDLE else had(winner, place)))
    kind.idle_count = kind.allocated_count = kind.pending_count = kind.redeemed_count = kind.cancelled_count = 1
    make.session.commit()
    page = console.get(f"/voucher-types/{kind.id}")
    assert page.texts(".figures dt") == ["Idle", "Allocated", "Pending", "Redeemed", "Cancelled"]
    assert page.texts(".figures dd") == ["1", "£9.00", "1", "£9.00 · 2 expired", *["1", "£9.00"] * 3]
    assert "Spring draw" in page.one("#used-by").get_text()


def had(winner: Winner, place: int) -> dict[str, object]:
    """The columns of a code that a winner was given and that has run out."""
    return {
        "allocated_at": NOW,
        "expires_at": NOW,
        "winner_id": winner.id,
        "winner_place": place,
        "profile_id": winner.profile_id,
    }


def test_types_of_other_sites_are_not_there(signed_in: Callable[..., Console], make: Factories) -> None:
    mine, other = make.voucher_type(title="Mine"), make.voucher_type(title="Other")
    console = signed_in("editor", site_id=mine.site_id)
    assert console.get("/voucher-types").texts("tbody th a") == ["Mine"]
    for path in ("", "/edit", "/generate"):
        console.get(f"/voucher-types/{other.id}{path}", 404)
    console.post(f"/voucher-types/{other.id}/generate", {"count": "5"}, 404)


def test_who_may_only_look_sees_no_form_and_cannot_post(signed_in: Callable[..., Console], make: Factories) -> None:
    kind = make.voucher_type(notes="Ask Bea for the invoice")
    console = signed_in("viewer")
    page = console.get(f"/voucher-types/{kind.id}")
    assert not page.soup.select("main form")
    assert "Bea" not in page.text
    console.post(f"/voucher-types/{kind.id}/generate", {"count": "5"}, 403)
    console.get("/voucher-types/new", 403)


def test_types_are_found_by_title_and_by_code(console: Console, make: Factories) -> None:
    make.voucher_type(title="Coffee", code="C-1")
    make.voucher_type(title="Museum pass", code="M-1")
    assert console.part("/voucher-types?q=museum").texts("tbody th a") == ["Museum pass"]
    assert console.part("/voucher-types?q=c-1").texts("tbody th a") == ["Coffee"]
    assert "No voucher types match" in console.part("/voucher-types?q=zz").text


def test_a_fixed_last_day_is_told_as_typed(console: Console, make: Factories) -> None:
    kind = make.voucher_type(valid_for_days=None, static_expiry_on=date(2027, 3, 31))
    assert "on 31 Mar 2027" in console.get(f"/voucher-types/{kind.id}").text
