"""benefits.md 13.9, who may do what to benefits, how it is refused, and what is told of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tests.support.benefits import MINT, T, programme
from webapp.domain.audit import Event
from webapp.domain.notices import NoticeStatus
from webapp.models import AuditEntry, Benefit, BenefitChange, BenefitDefinition, Job, Notice, Redemption, StaffSession
from webapp.queries import benefits as read
from webapp.services import audit, benefits, notices, profiles, vouchers
from webapp.services.benefits import ExtendBenefit, ReassignBenefit, VoidBenefit
from webapp.services.profiles import MergeProfiles
from webapp.services.vouchers import GenerateVouchers

ACTS = ("redeem", "extend", "reassign", "void", "restore", "expiry")


@pytest.fixture
def d(make, actor, moment):
    moment.now = T
    return programme(make, actor, is_extendable=True, is_reassignable=True, is_claimable=True)


@pytest.fixture
def guarded(app, monkeypatch):
    """Forms are protected in this test, as they are outside tests."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", value=True)


def events(d, subject=None):
    wanted = select(AuditEntry.event).order_by(AuditEntry.id)
    return list(d.session.scalars(wanted.where(AuditEntry.subject == subject) if subject else wanted))


def standing(d):
    """Everything that an act on a benefit could change."""
    d.session.expire_all()
    tables = (Benefit, BenefitChange, BenefitDefinition, Redemption, Job)
    return [sorted(map(repr, d.session.execute(select(*model.__table__.c)))) for model in tables]


def used(d):
    benefit = d.issue()
    d.redeem(benefit)
    return f"/benefits/{benefit.id}/redeem", {}


def fixed(d):
    d.change(is_extendable=False)
    return f"/benefits/{d.issue().id}/extend", {"extend_days": "7"}


def void_already(d):
    benefit = d.issue()
    d.do(benefits.void, VoidBenefit(benefit.id, "lost"))
    return f"/benefits/{benefit.id}/void", {"reason": "again"}


def closed(d):
    d.change(claim_period_end_at=T - timedelta(days=1))
    return f"/benefits/claim?profile={d.person.id}&definition={d.definition.id}", {}


def counted_before(d):
    d.issue()
    return "/benefits/void?all=yes&state=active", {"stated": "7", "reason": "wrong price"}


@pytest.mark.parametrize(
    ("case", "status", "code", "fact"),
    [
        (used, 422, "no_redemptions_left", "Used on 1 March 2026 11:30:00"),
        (fixed, 422, "not_extendable", "Coffee"),
        (void_already, 422, "void", "1 March 2026 11:30"),
        (closed, 422, "claim_closed", "28 February 2026"),
        (counted_before, 409, "void.count_changed", "1 benefits match now, not 7"),
    ],
)
def test_13_9_errors(signed_in, d, case, status, code, fact):
    """A refused form has the code of the rule, a sentence with the fact it rests on, and 422, or 409 for a race."""
    url, typed = case(d)
    browser = signed_in("till" if case is used else "editor")
    page = browser.get(url)
    answer = browser.post(url, page.fields("#form") | typed, status=status)
    assert answer.one(".refusals")["data-code"] == code
    assert fact in answer.one(".refusals").get_text(" ")


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [("/benefits?filter[foo]=1", 422, "filter.unknown"), ("/benefits?sort=x", 422, "sort.unknown"), ("/benefits/999999", 404, "benefit.unknown")],
)  # fmt: skip
def test_13_9_errors_without_a_form(console, url, status, code):
    assert f"code {code}" in console.get(url, status=status).one("footer").get_text()


def test_13_9_404_vs_403(signed_in, d, make):
    """What one has no right to see is not there; what one sees and may not do is forbidden."""
    benefit = d.issue()
    elsewhere, till = signed_in("editor", site_id=make.site().id), signed_in("till", site_id=d.definition.site_id)
    for act in ACTS:
        url = f"/benefits/{benefit.id}/{act}"
        for browser, status in ((elsewhere, 403 if act in ("redeem", "expiry") else 404), (till, 403)):
            if browser is not till or act != "redeem":
                browser.get(url, status)
                browser.post(url, {"reason": "because"}, status)
    elsewhere.get(f"/benefits/{benefit.id}", 404)
    till.get(f"/benefits/{benefit.id}")
    signed_in("viewer").get(f"/benefits/{benefit.id}", 403)


def test_13_9_roles(signed_in, d):
    """At the till one gives a benefit out by claiming it for the person who stands there."""
    others = d.issue(d.other)
    till = signed_in("till", site_id=d.definition.site_id)
    url = f"/benefits/claim?profile={d.person.id}&definition={d.definition.id}"
    shown = till.follow(till.submit(till.get(url), "main form", person=d.person.external_id))
    benefit = d.session.scalars(select(Benefit).where(Benefit.profile_id == d.person.id)).one()
    d.session.commit()
    assert [link["href"] for link in shown.soup.select("main .actions a, .page-header a[href$='/redeem']")]
    till.submit(till.get(f"/benefits/{benefit.id}/redeem"), "main form")
    line = d.session.scalars(select(Redemption)).one()
    d.session.commit()
    till.submit(till.get(f"/benefits/redemptions/{line.id}/return"), "main form", count="1", note="wrong size")
    assert d.left(benefit) == 1
    before = standing(d)
    d.session.commit()
    for forbidden in (
        f"/benefits/definitions/{d.definition.id}/edit",
        "/benefits/definitions/new",
        "/benefits/export",
        "/benefits/void?all=yes&state=active",
        f"/benefits/{others.id}/void",
        f"/benefits/{benefit.id}/void",
        "/exports",
    ):
        till.get(forbidden, 403)
    for forbidden in (
        f"/benefits/{others.id}/void",
        "/benefits/export",
        f"/benefits/definitions/{d.definition.id}/edit",
    ):
        till.post(forbidden, {"reason": "because I can"}, 403)
    assert standing(d) == before
    page = till.get(f"/benefits/{others.id}")
    assert not page.soup.select("a[href$='/void']")


def test_13_9_audit(signed_in, console, d):
    """Who, when, what it was, what it is, and why; nothing of the console changes it, and the chain holds."""
    benefit = d.issue()
    boss = signed_in("administrator", name="Ada Berg")
    typed = {"expires_on": "2026-06-01", "reason": "closed for repair"}
    boss.submit(boss.get(f"/benefits/{benefit.id}/expiry"), "main form", **typed)
    entry = d.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.BENEFIT_EXPIRY_SET)).one()
    assert (entry.actor, entry.at, entry.subject) == ("Ada Berg", T, f"benefits:{benefit.id}")
    assert entry.facts == {
        "title": "Coffee", "person": d.person.id, "before": "31 March 2026 23:59 (Australia/Melbourne)",
        "until": "1 June 2026 23:59 (Australia/Melbourne)", "reason": "closed for repair",
    }  # fmt: skip
    for address in ("/audit", f"/audit/{entry.id}", "/audit?group=benefit"):
        for method in ("post", "put", "patch", "delete"):
            assert getattr(boss.client, method)(address, data={"facts": "{}"}).status_code in {404, 405}
    d.session.commit()
    work = d.work()
    audit.link(work)
    d.session.commit()
    assert audit.verify(d.session).holds


def test_13_9_csrf(guarded, console, signed_in, d):
    d.change(max_redemptions=2)
    d.issue()
    line = d.redeem(benefit := d.issue(d.other))
    before = standing(d)
    typed = {"reason": "no token", "note": "no token", "count": "1", "extend_days": "7", "stated": "2",
             "person": d.person.external_id, "definition_id": str(d.definition.id)}  # fmt: skip
    for url in (
        *(f"/benefits/{benefit.id}/{act}" for act in ("extend", "reassign", "void", "restore")),
        f"/benefits/redemptions/{line.id}/return",
        f"/benefits/redemptions/{line.id}/reverse",
        "/benefits/new",
        "/benefits/claim",
        "/benefits/extend?ids=1",
        "/benefits/void?all=yes&state=active",
        "/benefits/export",
    ):
        assert "no longer good" in console.post(url, typed, status=400).text
    signed_in("till").post(f"/benefits/{benefit.id}/redeem", typed, status=400)
    assert standing(d) == before


def test_13_9_merge(console, d):
    d.change(max_redemptions=2)
    first, second = d.issue(d.other), d.issue(d.other)
    line = d.redeem(first)
    d.do(profiles.merge, MergeProfiles(winner_id=d.person.id, loser_id=d.other.id, reason="the same person"))
    d.session.expire_all()
    assert {read.get(d.session, one.id).profile_id for one in (first, second)} == {d.person.id}
    assert d.left(first) == 1
    page = console.follow(console.get(f"/profiles/{d.other.id}/benefits", status=303))
    assert page.response.request.path == f"/profiles/{d.person.id}/benefits"
    assert len(page.soup.select("tbody tr")) == 2
    assert line.receipt in console.get(f"/benefits/{first.id}").one("#ledger").get_text()
    d.give_back(line, 1)
    assert "Redeemed 1 of «Coffee»" in console.get(f"/profiles/{d.person.id}/history").text


def test_13_9_webhook_events(d, make):
    """Each act is told once, under its own verb."""
    kind = make.voucher_type(site_id=d.definition.site_id)
    d.do(lambda work, command: vouchers.generate(work, command, MINT), GenerateVouchers(kind.id, 2))
    d.change(voucher_type_id=kind.id, max_redemptions=2)
    start = len(events(d))
    benefit = d.issue()
    line = d.redeem(benefit)
    d.give_back(line, 1)
    d.do(benefits.extend, ExtendBenefit(benefit.id, extend_days=7))
    d.do(benefits.reassign, ReassignBenefit(benefit.id, d.other.external_id))
    d.do(benefits.void, VoidBenefit(benefit.id, "issued twice"))
    d.claim()
    verbs = [
        "issued",
        "code-allocated",
        "redeemed",
        "returned",
        "extended",
        "reassigned",
        "voided",
        "claimed",
        "code-allocated",
    ]
    assert events(d)[start:] == [f"benefit.{verb}" for verb in verbs]
    assert events(d, f"benefits:{benefit.id}") == [f"benefit.{verb}" for verb in verbs[:7]]
    (told,) = d.session.scalars(
        select(AuditEntry.facts).where(AuditEntry.event == Event.BENEFIT_CODE_ALLOCATED).limit(1)
    )
    assert told == {"pool": kind.title, "title": "Coffee", "person": d.person.id}


def test_13_9_webhook_events_name_no_code_without_a_pool(d):
    benefit = d.issue()
    assert events(d, f"benefits:{benefit.id}") == ["benefit.issued"]


def test_13_9_clock(console, d, make, moment):
    """Expiry, the window of claiming and the notices go by the one clock that every request asks."""
    target = make.target(site_id=d.definition.site_id)
    d.change(
        claim_period_start_at=datetime(2026, 3, 10, tzinfo=UTC), claim_period_end_at=datetime(2026, 3, 20, tzinfo=UTC),
        remind_target_id=target.id, notify_remind_offset_days=-14, notify_remind_offset_hour=9,
    )  # fmt: skip
    benefit = d.issue()
    found = []
    for at in (
        datetime(2026, 3, 5, tzinfo=UTC),
        datetime(2026, 3, 16, 21, 59, tzinfo=UTC),
        datetime(2026, 3, 16, 22, 0, tzinfo=UTC),
        datetime(2026, 3, 31, 12, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 31, 13, 0, tzinfo=UTC),
    ):
        moment.now = d.at = at
        stay_signed_in(d)
        d.do(lambda work, _: notices.send_some(work), None)
        d.session.expire_all()
        why_not = console.get(f"/benefits/why-not?profile={d.other.id}&definition={d.definition.id}")
        (state,) = console.get("/benefits").texts("tbody td[data-label=State]")
        sent = d.session.scalars(select(Notice.status).where(Notice.benefit_id == benefit.id)).one()
        found.append(
            ("nothing is in the way" in why_not.one(".sentence").get_text(), sent is NoticeStatus.PLANNED, state)
        )
    assert found == [  # can be claimed, reminder still waits, state
        (False, True, "active"),
        (True, True, "active"),
        (True, False, "active"),
        (False, False, "active"),
        (False, False, "expired"),
    ]


def stay_signed_in(d):
    d.session.execute(update(StaffSession).values(seen_at=d.at, expires_at=d.at + timedelta(hours=12)))
    d.session.commit()
