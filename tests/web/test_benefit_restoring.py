"""Product ruling 11 for making many benefits void: taken back together, but what somebody touched since."""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.support.benefits import MINT, T, programme
from tests.support.jobs import run_jobs
from webapp.domain.audit import Event
from webapp.domain.jobs import JobStatus
from webapp.domain.vouchers import VoucherStatus
from webapp.models import AuditEntry, Benefit, Job, Voucher
from webapp.queries import benefits as read
from webapp.queries import files
from webapp.queries.invariants import INVARIANTS, broken
from webapp.services import benefits, vouchers

WHY = "Printed with the wrong price"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def d(make, actor, moment):
    moment.now = T
    found = programme(make, actor, max_redemptions=2)
    yield found
    found.session.rollback()
    assert {item.name: broken(found.session, item) for item in INVARIANTS if broken(found.session, item)} == {}


@pytest.fixture
def voided(console, d, moment):
    """`voided()` makes every benefit void by a job that ends a minute later, and gives that job."""

    def act():
        console.submit(console.get(f"/benefits/void?all=yes&definition={d.definition.id}"), "#form", reason=WHY)
        moment.now += MINUTE
        run_jobs(d.session)
        d.at = moment.now
        return newest(d)

    return act


def newest(d):
    d.session.commit()
    last = select(Job).order_by(Job.id.desc()).limit(1).execution_options(populate_existing=True)
    found = d.session.scalars(last).one()
    d.session.expunge(found)
    d.session.commit()  # whatever the browser writes next is not within what this session looked at
    return found


def pooled(d, count):
    """Codes of a voucher type for the definition."""
    kind = d.make.voucher_type(site_id=d.definition.site_id)
    d.change(voucher_type_id=kind.id, force_allocation=True)
    d.do(lambda work, command: vouchers.generate(work, command, MINT), vouchers.GenerateVouchers(kind.id, count))


def take_back(console, job):
    page = console.get(f"/jobs/{job.id}")
    [link] = page.soup.select(f"a[href='/benefits/void/{job.id}']")
    assert link.get_text(strip=True) == "Take back"
    return console.submit(console.get(link["href"]), "#form")


def void_count(d):
    d.session.rollback()
    return d.session.scalar(select(func.count(Benefit.voided_at)))


def left(d):
    return [tuple(row.values()) for row in csv.DictReader(files.open_text(d.session, newest(d).result_file_id))]


def test_ruling_11_void_is_taken_back_together(console, d, voided, moment):
    pooled(d, 3)
    used, other = d.issue(), d.issue(d.other)
    d.redeem(used)
    job = voided()
    assert void_count(d) == 2
    page = console.follow(take_back(console, job))
    assert "The benefits are being restored." in page.text
    run_jobs(d.session)
    done = newest(d)
    assert (done.status, done.message, done.result_file_id) == (JobStatus.DONE, "2 restored.", None)
    assert void_count(d) == 0
    assert [read.get(d.session, one.id).redeemed_count for one in (used, other)] == [1, 0]
    states = select(Voucher.status).where(Voucher.status != VoucherStatus.IDLE)
    assert set(d.session.scalars(states)) == {VoucherStatus.ALLOCATED}
    told = d.session.scalars(select(AuditEntry.facts).where(AuditEntry.event == Event.BENEFITS_RESTORED)).all()
    assert told == [{"title": "Coffee", "count": 2, "left": 0}]
    assert "restored 2 of «Coffee» that had been made void together" in console.get("/audit").text.replace(
        "Rest", "rest"
    )
    again = console.get(f"/benefits/void/{job.id}")
    assert "has been taken back already" in again.text
    assert again.soup.select("#form") == []


def test_ruling_11_what_was_touched_since_stays_and_is_listed(console, d, voided, moment):
    d.change(max_per_profile=1)
    third, fourth, fifth = (d.make.profile() for _ in range(3))
    untouched, again, since, twice = d.issue(), d.issue(d.other), d.issue(third), d.issue(fourth)
    before = d.issue(fifth)
    d.do(benefits.void, benefits.VoidBenefit(before.id, WHY))
    job = voided()
    for one in (again, twice):
        d.do(benefits.restore, benefits.RestoreBenefit(one.id))
    d.forward(minutes=1)
    d.do(benefits.void, benefits.VoidBenefit(twice.id, WHY))
    newer = d.issue(third)
    take_back(console, job)
    run_jobs(d.session)
    assert newest(d).message == "1 restored, 3 left as they are; the file says why."
    assert left(d) == [
        (str(again.id), "It was restored since."),
        (str(since.id), "This person has got Coffee once; 1 is the most for one person."),
        (str(twice.id), "It was restored since, and made void once more."),
    ]
    stands = {one.id: read.get(d.session, one.id).voided_at is None for one in (untouched, again, since, twice, before)}
    assert list(stands.values()) == [True, True, False, False, False]
    assert read.get(d.session, newer.id).voided_at is None


def test_ruling_11_a_code_that_went_back_to_the_pool_stays_there(console, d, voided, moment):
    pooled(d, 1)
    one = d.issue()
    take_back(console, voided())
    d.forward(minutes=11)
    d.do(benefits.release, benefits.ReleaseCode(one.id, "nobody saw it"))
    moment.now = d.at
    run_jobs(d.session)
    assert newest(d).message == "0 restored, 1 left as they are; the file says why."
    assert left(d) == [(str(one.id), "Its code went back to the pool since.")]
    assert void_count(d) == 1


def test_ruling_11_taking_back_is_over_after_ten_minutes(console, d, voided, moment):
    d.issue()
    job = voided()
    page = console.get(f"/benefits/void/{job.id}")
    moment.now += 10 * MINUTE + timedelta(seconds=1)
    assert "more than 10 minutes ago" in console.get(f"/benefits/void/{job.id}").text
    assert "more than 10 minutes ago" in console.submit(page, "#form", status=422).text
    assert (newest(d).id, void_count(d)) == (job.id, 1)


def test_ruling_11_taking_back_waits_for_the_end_of_the_job(console, d):
    d.issue()
    console.submit(console.get("/benefits/void?all=yes&state=active"), "#form", reason=WHY)
    job = newest(d)
    assert console.get(f"/jobs/{job.id}").soup.select(f"a[href='/benefits/void/{job.id}']") == []
    assert "still under way" in console.get(f"/benefits/void/{job.id}").text


def test_ruling_11_taken_back_once_from_two_pages(console, d, voided):
    d.issue()
    job = voided()
    pages = [console.get(f"/benefits/void/{job.id}") for _ in range(2)]
    console.submit(pages[0], "#form")
    assert "has been taken back already" in console.submit(pages[1], "#form", status=422).text


def test_ruling_11_only_whoever_may_change_all_of_them_takes_it_back(signed_in, d, voided, make):
    d.issue()
    job = voided()
    elsewhere = make.site()
    signed_in("editor", site_id=elsewhere.id).get(f"/benefits/void/{job.id}", status=404)
    signed_in("till").get(f"/benefits/void/{job.id}", status=403)
    signed_in("editor").get(f"/benefits/void/{job.id + 1}", status=404)
