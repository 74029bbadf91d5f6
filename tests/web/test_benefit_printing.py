"""Benefits on paper: what is printed, who may, what is written down of it (benefits.md 13.7 «print»)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from tests.adapters.pages import page_texts, readable
from tests.support.benefits import T, programme
from tests.support.jobs import run_jobs
from webapp.domain.audit import Event
from webapp.domain.redemptions import BenefitMove
from webapp.models import AuditEntry, BenefitChange, Job, StoredFile, Voucher
from webapp.services import benefits, profiles

WHY = "Hand-out at the fair"


@pytest.fixture
def d(make, actor, moment, monkeypatch, settings, tmp_path):
    """The programme of benefits.md 13; jobs find the key and a folder of their own in the environment."""
    moment.now = T
    monkeypatch.setenv("LARGESSE_SECRET_KEY", settings.secret_key)
    monkeypatch.setenv("LARGESSE_INSTANCE", str(tmp_path))
    return programme(
        make, actor, value_minor=500, currency="AUD", max_redemptions=2, terms_conditions="Not with other offers."
    )


@pytest.fixture
def printed(console, session):
    """`printed(address)`: the PDF that the console made of it."""

    def make_them(address, **typed):
        progress = console.follow(console.submit(console.get(address), **{"reason": WHY} | typed))
        run_jobs(session)
        page = console.get(progress.response.request.path)
        return console.client.get(str(page.one("a[download]")["href"]))

    return make_them


def test_13_7_print(console, d, make, printed):
    """Forty, of two zones, with codes of their own and out of a pool: on sheets, in every history, and in the log."""
    kind = make.voucher_type(site_id=d.definition.site_id, value_minor=700, currency="AUD", valid_for_days=None)
    pool = [make.voucher(kind) for _ in range(20)]
    held = [d.issue() for _ in range(20)]
    d.change(voucher_type_id=kind.id, force_allocation=True, terms_conditions="Other words since.")
    held += [d.issue(d.other, zone="Pacific/Honolulu", expires_on=date(2026, 4, 5)) for _ in range(20)]
    answer = printed(f"/benefits/print?definition={d.definition.id}")
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("application/pdf", "no-store")
    assert f'filename="benefits-{d.session.scalars(select(Job.id)).one()}.pdf"' in answer.headers["Content-Disposition"]
    codes = [one.redeem_code_pos for one in held[:20]] + [voucher.code for voucher in pool]
    assert sorted(readable(answer.data)) == sorted(codes)
    pages = page_texts(answer.data)
    assert len(pages) == 5
    for words in (
        "Coffee",
        "Good for 2 times",
        "AUD 5.00",
        "31 Mar 2026",
        "Not with other offers.",
        d.person.last_name,
    ):
        assert words in pages[0]
    assert "B E N E F I T" in pages[0]
    assert "V O U C H E R" not in pages[0]
    assert "AUD 7.00" in pages[4]
    assert "5 Apr 2026" in pages[4]  # of Honolulu, where it is ten hours earlier than in UTC
    assert "Other words" not in "".join(pages)
    d.session.expire_all()
    (told,) = d.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.BENEFITS_PRINTED))
    assert told.facts == {"count": 40, "title": "Coffee", "layout": "a4-2x4", "reason": WHY}
    assert told.actor == "Ann Able"
    lines = d.session.scalars(select(BenefitChange).where(BenefitChange.move == BenefitMove.PRINTED)).all()
    assert sorted(line.benefit_id for line in lines) == sorted(one.id for one in held)
    assert {(line.by, line.note) for line in lines} == {("Ann Able", WHY)}
    assert set(d.session.scalars(select(Voucher.printed_count))) == {1}
    assert "Printed" in console.get(f"/benefits/{held[0].id}").text
    assert f"in the layout a4-2x4: {WHY}" in console.get("/audit").text


def test_ticked_ones_are_printed_and_others_left_out_with_a_word(console, d, printed):
    good, void, used, other = d.issue(), d.issue(), d.issue(), d.issue()
    d.do(benefits.void, benefits.VoidBenefit(void.id, "issued twice"))
    d.redeem(used, 2)
    assert console.get("/benefits").one("#bulk button[formaction='/benefits/print']")
    address = "/benefits/print?" + "&".join(f"ids={one.id}" for one in (good, void, used))
    assert "2 of the 3 ticked are left out" in console.get(address).text
    answer = printed(address, layout="a4-1")
    assert readable(answer.data) == [good.redeem_code_pos]
    assert other.redeem_code_pos not in readable(answer.data)


def test_those_of_a_batch_are_printed(console, d, make, printed):
    batch = make.benefit_batch(d.definition)
    inside, outside = make.benefit(d.definition, d.person, batch_id=batch.id), make.benefit(d.definition, d.person)
    assert f"Print benefits: batch {batch.id} of Coffee" in console.get(f"/benefits/print?batch={batch.id}").text
    found = readable(printed(f"/benefits/print?batch={batch.id}").data)
    assert found == [inside.redeem_code_pos]
    assert outside.redeem_code_pos not in found


def test_a_reason_is_asked_for_and_nothing_is_made_without_one(console, d, session):
    d.issue()
    page = console.submit(console.get(f"/benefits/print?definition={d.definition.id}"), status=422, reason=" ")
    assert page.one("#reason-error")
    assert session.scalars(select(Job)).all() == []


def test_what_cannot_be_printed_says_so(console, d):
    d.issue(expires_on=date(2026, 3, 1))
    d.forward(days=2)
    empty = d.make.benefit_definition(site_id=d.definition.site_id)
    assert "Nothing to print here" in console.get(f"/benefits/print?definition={empty.id}").text
    assert "Nothing to print here" in console.get("/benefits/print?ids=99999999999999999999&ids=7&ids=x").text
    assert console.get("/benefits/print").texts("tbody th a") == ["Coffee"]


def test_who_may_print_codes_may_print_benefits_of_their_sites(signed_in, d, make):
    benefit = d.issue()
    address = f"/benefits/print?definition={d.definition.id}"
    for role in ("editor", "till", "administrator"):
        signed_in(role).get(address, 403)
    elsewhere = signed_in("fulfilment", site_id=make.site().id)
    elsewhere.get(address, 404)
    elsewhere.get("/benefits/print?definition=999999", 404)
    assert "Nothing to print here" in elsewhere.get(f"/benefits/print?ids={benefit.id}").text
    assert elsewhere.client.get(f"/benefits/print/preview/a4-1.png?ids={benefit.id}").status_code == 404
    own = signed_in("fulfilment", site_id=d.definition.site_id)
    assert "1 benefit with a code that can still be redeemed" in own.get(address).text
    assert own.get(f"/benefits/definitions/{d.definition.id}").one(f"a[href='{address}']")
    editor = signed_in("editor")
    assert editor.get("/benefits").soup.select("[formaction^='/benefits/print']") == []
    assert editor.get(f"/benefits/{benefit.id}").soup.select("a[href^='/benefits/print']") == []


def test_the_preview_shows_no_real_code(console, d):
    benefit = d.issue()
    answer = console.client.get(f"/benefits/print/preview/a4-1.png?ids={benefit.id}")
    assert answer.mimetype == "image/png"
    assert answer.data.startswith(b"\x89PNG")


def test_letters_that_would_be_boxes_are_told_before_printing(console, d):
    d.person.last_name = "Exa\U00013000mple"
    d.session.commit()
    d.issue()
    assert "\U00013000" in console.get(f"/benefits/print?definition={d.definition.id}").one(".notice").get_text()


def test_sheets_of_somebody_who_was_erased_lose_their_content(console, d, printed):
    """Of whoever held one when it was printed as well."""
    d.change(is_reassignable=True)
    benefit = d.issue()
    printed(f"/benefits/print?ids={benefit.id}")
    d.do(benefits.reassign, benefits.ReassignBenefit(benefit.id, d.other.external_id))
    d.session.expire_all()
    file = d.session.scalars(select(StoredFile)).one()
    assert file.size > 0
    d.do(profiles.erase, profiles.EraseProfile(d.person.id, str(d.person.id), "mark"))
    d.session.expire_all()
    assert d.session.get_one(StoredFile, file.id).size == 0
