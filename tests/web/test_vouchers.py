"""The screens of codes: found, moved, revealed and printed, never shown without a right and a trace."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.adapters.pages import readable
from tests.factories import NOW, Factories
from tests.pages import Console, Page
from tests.support.jobs import run_jobs
from webapp.adapters import randomness, typesetting
from webapp.config import Settings
from webapp.domain.audit import Event
from webapp.domain.vouchers import VoucherStatus
from webapp.models import AuditEntry, Job, Voucher, VoucherChange, VoucherType
from webapp.services import vouchers
from webapp.services.vouchers import AllocateVouchers, GenerateVouchers, Mint, code_key
from webapp.services.work import Work


@pytest.fixture
def mint(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mint:
    """Codes under the key of the application; jobs find the same one, and a folder, in the environment."""
    monkeypatch.setenv("LARGESSE_SECRET_KEY", settings.secret_key)
    monkeypatch.setenv("LARGESSE_INSTANCE", str(tmp_path))
    return Mint(code_key(settings.secret_key), randomness.entropy)


@pytest.fixture
def given(work: Work, make: Factories, mint: Mint) -> Callable[..., list[Voucher]]:
    """`given(3)` are the vouchers of three winners of «Spring draw», a code each."""

    def give(count: int, **changes: object) -> list[Voucher]:
        kind = make.voucher_type(**{"title": "Coffee for two", "value_minor": 900, "currency": "GBP"} | changes)
        reward = make.reward(title="Spring draw", name="spring-draw", site_id=kind.site_id, voucher_type_id=kind.id)
        vouchers.generate(work, GenerateVouchers(kind.id, count + 1), mint)
        found: list[Voucher] = []
        for _ in range(count):
            winner = make.winner(reward)
            command = AllocateVouchers(kind.id, winner.id, winner.profile_id, 1, "Europe/London", "winner")
            found += vouchers.allocate(work, command)
        make.session.commit()
        return found

    return give


def test_the_list_shows_the_last_four_only(console: Console, given: Callable[..., list[Voucher]]) -> None:
    (voucher,) = given(1)
    page = console.get("/vouchers")
    assert voucher.last_four in page.one("tbody tr:last-child").get_text()
    assert len(page.soup.select("tbody tr")) == 2
    assert voucher.code not in str(page.soup)
    assert voucher.code_hash not in str(page.soup)


def test_the_list_narrows_by_type_state_and_reward(
    console: Console, make: Factories, given: Callable[..., list[Voucher]]
) -> None:
    voucher = given(2)[0]
    make.voucher(make.voucher_type())
    assert len(console.get("/vouchers").soup.select("tbody tr")) == 4
    assert len(console.get(f"/vouchers?type={voucher.voucher_type_id}").soup.select("tbody tr")) == 3
    assert len(console.get("/vouchers?status=allocated").soup.select("tbody tr")) == 2
    assert len(console.get("/vouchers?reward=spring-draw&status=allocated").soup.select("tbody tr")) == 2
    page = console.part("/vouchers?reward=spring-draw&status=redeemed")
    assert "No vouchers match" in page.text
    assert page.texts(".empty .chip b") == ["redeemed", "spring-draw"]
    assert len(console.get("/vouchers?status=nonsense&type=x&before=0x").soup.select("tbody tr")) == 4
    console.get("/vouchers?reward=unknown", 404)


def test_the_list_goes_on_after_fifty(console: Console, work: Work, make: Factories, mint: Mint) -> None:
    kind = make.voucher_type()
    vouchers.generate(work, GenerateVouchers(kind.id, 120), mint)
    make.session.commit()
    seen: list[str] = []
    page = console.get("/vouchers")
    while True:
        seen += [str(link["href"]) for link in page.soup.select("tbody th a")]
        older = page.soup.select("a[rel=next]")
        if not older:
            break
        page = console.get(str(older[0]["href"]))
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize("shape", ["{}", " {} "])
def test_a_whole_code_jumps_to_its_voucher(console: Console, given: Callable[..., list[Voucher]], shape: str) -> None:
    (voucher,) = given(1)
    typed = shape.format("-".join((voucher.code[:4], voucher.code[4:8], voucher.code[8:])).lower())
    answer = console.submit(console.get("/vouchers"), "#go", code=typed)
    assert answer.response.headers["Location"] == f"/vouchers/{voucher.id}"


def test_a_wrong_code_says_so_and_does_not_repeat_it_in_an_address(console: Console, make: Factories) -> None:
    make.voucher(make.voucher_type())
    page = console.submit(console.get("/vouchers"), "#go", status=422, code="K7QM-29XD-4TV")
    assert "No voucher has this code" in page.one("#code-error").get_text()
    assert page.response.request.query_string == b""


def test_a_code_of_another_site_answers_as_a_wrong_one(
    signed_in: Callable[..., Console], make: Factories, given: Callable[..., list[Voucher]]
) -> None:
    (voucher,) = given(1)
    console = signed_in("editor", site_id=make.site().id)
    page = console.submit(console.get("/vouchers"), "#go", status=422, code=voucher.code)
    assert "No voucher has this code" in page.text
    for path in ("", "/cancel"):
        console.get(f"/vouchers/{voucher.id}{path}", 404)


def test_one_voucher_tells_holder_prize_and_end(console: Console, given: Callable[..., list[Voucher]]) -> None:
    (voucher,) = given(1)
    page = console.get(f"/vouchers/{voucher.id}")
    for words in ("Coffee for two", "£9.00", "Ann Example", "winner 1", "Spring draw", "2 Mar 2027, 23:59:59", "never"):
        assert words in page.text
    assert voucher.code not in str(page.soup)
    assert page.texts("[aria-current=step]") == ["Allocated"]
    assert "Allocated" in page.one("aside .timeline").get_text()


def test_a_viewer_does_not_see_who_holds_it(
    signed_in: Callable[..., Console], given: Callable[..., list[Voucher]]
) -> None:
    (voucher,) = given(1)
    console = signed_in("viewer")
    for url in ("/vouchers", f"/vouchers/{voucher.id}"):
        assert "Ann" not in console.get(url).one("main").get_text()
    console.post(f"/vouchers/{voucher.id}/reveal", status=403)
    console.get(f"/vouchers/{voucher.id}/cancel", 403)
    console.get("/vouchers/print", 403)


def test_revealing_a_code_needs_the_right_and_leaves_a_trace(
    signed_in: Callable[..., Console], session: Session, given: Callable[..., list[Voucher]]
) -> None:
    (voucher,) = given(1)
    grouped = "-".join((voucher.code[:4], voucher.code[4:8], voucher.code[8:]))
    clerk = signed_in("fulfilment", name="Fay")
    page = clerk.get(f"/vouchers/{voucher.id}")
    shown = clerk.submit(page, "#code form", status=200)
    assert shown.one("#whole-code").get_text() == grouped
    (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.event == Event.VOUCHER_REVEALED))
    assert (entry.actor, entry.subject) == ("Fay", f"vouchers:{voucher.id}")
    assert voucher.code not in str(entry.facts)
    assert grouped not in str(clerk.get(f"/vouchers/{voucher.id}").soup), "it must be asked for each time"
    signed_in("editor").post(f"/vouchers/{voucher.id}/reveal", status=403)


def move(console: Console, voucher: Voucher, verb: str, status: int = 303, **values: str) -> Page:
    return console.submit(console.get(f"/vouchers/{voucher.id}/{verb}"), status=status, **values)


def test_a_voucher_goes_through_its_states_with_a_log(
    console: Console, session: Session, given: Callable[..., list[Voucher]]
) -> None:
    (voucher,) = given(1)
    for verb, reason in (
        ("hold", ""),
        ("let-go", ""),
        ("redeem", "Receipt 77"),
        ("reverse", "Rung up twice"),
        ("cancel", "Lost card"),
        ("reactivate", "Found again"),
    ):
        move(console, voucher, verb, reason=reason)
    log = session.scalars(select(VoucherChange).order_by(VoucherChange.id)).all()
    assert [line.status for line in log] == [
        VoucherStatus.ALLOCATED,
        VoucherStatus.PENDING,
        VoucherStatus.ALLOCATED,
        VoucherStatus.REDEEMED,
        VoucherStatus.ALLOCATED,
        VoucherStatus.CANCELLED,
        VoucherStatus.ALLOCATED,
    ]
    assert "Found again" in console.get(f"/vouchers/{voucher.id}").one("aside .timeline").get_text()
    kind = session.get_one(VoucherType, voucher.voucher_type_id)
    assert (kind.idle_count, kind.allocated_count, kind.redeemed_count, kind.cancelled_count) == (1, 1, 0, 0)


def test_k131_redeeming_twice_is_a_conflict(console: Console, given: Callable[..., list[Voucher]]) -> None:
    (voucher,) = given(1)
    late = console.get(f"/vouchers/{voucher.id}/redeem")
    move(console, voucher, "redeem")
    page = console.submit(late, status=409)
    assert "This voucher is redeemed and cannot be redeemed" in page.text


def test_k132_a_cancelled_voucher_is_not_redeemed_and_comes_back_with_a_reason_only(
    console: Console, given: Callable[..., list[Voucher]]
) -> None:
    (voucher,) = given(1)
    move(console, voucher, "cancel", reason="Lost")
    assert "This voucher is cancelled and cannot be redeemed" in move(console, voucher, "redeem", 409).text
    page = move(console, voucher, "reactivate", 422)
    assert "Say why the voucher is to be reactivated" in page.one("#reason-error").get_text()


def test_k133_an_expired_voucher_is_redeemed_only_knowingly(
    console: Console, session: Session, given: Callable[..., list[Voucher]]
) -> None:
    (voucher,) = given(1)
    session.query(Voucher).filter_by(id=voucher.id).update({"expires_at": NOW - timedelta(hours=1)})
    session.commit()
    assert "This voucher has expired" in console.get(f"/vouchers/{voucher.id}").text
    page = move(console, voucher, "redeem", 422)
    assert "Tick «Accept it although it has expired»" in page.one("#is_late_accepted-error").get_text()
    console.submit(page, is_late_accepted="y", reason="Manager agreed")
    line = session.scalars(select(VoucherChange).order_by(VoucherChange.id.desc())).first()
    assert line is not None
    assert line.note == "Manager agreed (accepted after it had expired)"


def printed(console: Console, session: Session, **values: object) -> Page:
    """Order sheets as the page offers them, let the job run, and come back to its page."""
    page = console.get("/vouchers/print?reward=spring-draw")
    progress = console.follow(console.submit(page, **values))
    assert progress.soup.select("[hx-ptag]"), "it does not poll"
    run_jobs(session)
    return console.get(progress.response.request.path)


@pytest.mark.parametrize("layout", ["a4-2x4", "a4-1"])
def test_k92_what_is_printed_is_read_back_by_a_barcode_reader(
    console: Console, session: Session, given: Callable[..., list[Voucher]], layout: str
) -> None:
    made = given(10 if layout == "a4-2x4" else 2)
    page = printed(console, session, layout=layout)
    answer = console.client.get(str(page.one("a[download]")["href"]))
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.mimetype == "application/pdf"
    assert sorted(readable(answer.data)) == sorted(voucher.code for voucher in made)
    session.expire_all()
    assert {voucher.printed_count for voucher in made} == {1}
    (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.event == Event.VOUCHERS_PRINTED))
    assert entry.facts == {"count": len(made), "reward": "Spring draw", "layout": layout}


def test_only_the_winners_that_are_ticked_are_printed(
    console: Console, session: Session, given: Callable[..., list[Voucher]]
) -> None:
    made = given(3)
    page = printed(console, session, which="ticked", winner_ids=[str(made[1].winner_id)])
    answer = console.client.get(str(page.one("a[download]")["href"]))
    assert readable(answer.data) == [made[1].code]


def test_ticking_nobody_is_refused(console: Console, given: Callable[..., list[Voucher]]) -> None:
    given(1)
    page = console.submit(console.get("/vouchers/print?reward=spring-draw"), status=422, which="ticked")
    assert "Tick at least one winner." in page.text


def test_many_parts_come_as_one_archive(
    console: Console, session: Session, given: Callable[..., list[Voucher]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = given(9)
    small = {name: replace(layout, per_part=8) for name, layout in typesetting.LAYOUTS.items()}
    monkeypatch.setattr(typesetting, "LAYOUTS", small)
    page = printed(console, session)
    answer = console.client.get(str(page.one("a[download]")["href"]))
    assert answer.mimetype == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.namelist() == ["vouchers-001.pdf", "vouchers-002.pdf"]
    found = [code for name in archive.namelist() for code in readable(archive.read(name))]
    assert sorted(found) == sorted(voucher.code for voucher in made)


def test_a_code_that_cannot_be_read_back_fails_the_job_with_a_sentence(
    console: Console, session: Session, given: Callable[..., list[Voucher]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (voucher,) = given(1)
    monkeypatch.setattr(typesetting, "_run", lambda *_, **__: ([], b"%PDF"))
    page = printed(console, session)
    assert "could not be read back from the page" in page.one(".job__error").get_text()
    assert not page.soup.select("a[download]")
    session.expire_all()
    assert session.get_one(Voucher, voucher.id).printed_count == 0
    job = session.scalars(select(Job)).one()
    console.get(f"/vouchers/print/{job.id}/file", 404)


def test_letters_that_would_be_boxes_are_told_before_printing(
    console: Console, make: Factories, given: Callable[..., list[Voucher]]
) -> None:
    (voucher,) = given(1)
    profile = make.session.get_one(type(make.profile()), voucher.profile_id)
    profile.last_name = "Exa\U00013000mple"
    make.session.commit()
    page = console.get("/vouchers/print?reward=spring-draw")
    assert "\U00013000" in page.one(".notice").get_text()


def test_sheets_and_files_are_for_those_who_may_print(
    console: Console, session: Session, signed_in: Callable[..., Console], make: Factories,
    given: Callable[..., list[Voucher]],
) -> None:  # fmt: skip
    given(1)
    page = printed(console, session)
    url = str(page.one("a[download]")["href"])
    signed_in("editor").get(url, 403)
    signed_in("fulfilment", site_id=make.site().id).get(url, 404)
    other = make.reward(title="No vouchers", name="none")
    assert "Nothing to print for this reward" in console.get(f"/vouchers/print?reward={other.name}").text
    assert console.get("/vouchers/print").texts("tbody th a") == ["Spring draw"]


def test_the_preview_shows_no_real_code(console: Console, given: Callable[..., list[Voucher]]) -> None:
    given(1)
    answer = console.client.get("/vouchers/print/preview/a4-1.png?reward=spring-draw")
    assert answer.mimetype == "image/png"
    assert answer.data.startswith(b"\x89PNG")
    assert console.client.get("/vouchers/print/preview/a4-1.png?reward=nothing").status_code == 404
