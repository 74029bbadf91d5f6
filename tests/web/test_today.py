"""What waits for whom."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.support.clock import NOW
from webapp.domain.benefit_batches import BatchStatus
from webapp.domain.draws import DrawState
from webapp.domain.fulfilment import Stage
from webapp.domain.imports import ImportStatus
from webapp.domain.jobs import JobStatus
from webapp.domain.outbox import OutboxStatus
from webapp.domain.permissions import Role
from webapp.domain.rewards import RewardStatus
from webapp.domain.vouchers import VoucherStatus
from webapp.models import ImportRun, Lease, StaffGrant, StaffInvitation, StaffMember
from webapp.queries.health import SCHEDULER
from webapp.services import sites

ROLES = ("editor", "draw supervisor", "fulfilment", "viewer", "till", "administrator")


@pytest.fixture(autouse=True)
def healthy(make):
    """A scheduler that was heard of a moment ago, so that only what a test plants is amiss."""
    make.add(Lease(name=SCHEDULER, owner="a test", until=NOW + timedelta(seconds=30)))


@pytest.fixture
def draw(make):
    def build(state, **changes):
        reward = changes.pop("reward", None) or make.reward(
            title="Spring draw", name="spring-draw", entry_count=40, status=RewardStatus.EXPIRED
        )
        values = {"state": state, "closed_at": NOW - timedelta(hours=2), "eligible_count": 38}
        if state is DrawState.SEALED:
            values |= {"seal": b"{}", "sealed_at": NOW - timedelta(minutes=5), "not_before": NOW + timedelta(minutes=5)}
        return make.draw(reward, **values | changes)

    return build


@pytest.fixture
def run(make):
    def build(status, name="entrants.csv", **changes):
        values = {"kind": "entries", "file_id": make.file(b"x", name=name).id, "encoding": "utf-8"}
        values |= {"status": status, "created_at": NOW - timedelta(hours=3), "created_by": "Ann Able"}
        return make.add(ImportRun(**values | changes))

    return build


def waiting(browser):
    return browser.get("/today").texts(".task__text a")


def test_the_front_door_leads_to_today(console):
    assert console.get("/", status=303).response.headers["Location"] == "/today"


def test_nothing_waits_on_an_empty_account(console):
    assert "Nothing waits" in console.get("/today").text


@pytest.mark.parametrize(
    ("state", "changes", "role", "told"),
    [
        (DrawState.CLOSED, {}, "editor", ("Review the exclusions of «Spring draw»", "closed 2 hours ago")),
        (DrawState.CLOSED, {"reviewed_at": NOW}, "editor", ("Seal the draw of «Spring draw»", "closed 2 hours ago")),
        (DrawState.SEALED, {}, "draw supervisor", ("Enter the witnessed value of «Spring draw»", "due in 5 minutes")),
        (
            DrawState.SEALED,
            {"not_before": NOW - timedelta(days=2), "sealed_at": NOW - timedelta(days=3)},
            "draw supervisor",
            ("Enter the witnessed value of «Spring draw»", "ready 2 days ago"),
        ),
    ],
)
def test_a_draw_waits_for_whoever_moves_it_on(signed_in, draw, state, changes, role, told):
    draw(state, **changes)
    for other in ROLES:
        page = signed_in(other).get("/today")
        assert page.texts(".task__text a") == [told[0]] * (other == role)
        assert page.texts(".task__due") == [told[1]] * (other == role)


def test_whoever_sealed_a_draw_is_not_asked_to_draw_it(signed_in, draw, session):
    sealer, other = signed_in("draw supervisor", name="Sam Okafor"), signed_in("draw supervisor")
    sam = session.scalars(select(StaffMember).where(StaffMember.name == "Sam Okafor")).one()
    draw(DrawState.SEALED, sealed_by_id=sam.id)
    assert (len(waiting(sealer)), len(waiting(other))) == (0, 1)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"status": RewardStatus.DRAFT, "starts_at": NOW - timedelta(days=1)}, ["Open «Late» for entries"]),
        ({"status": RewardStatus.DRAFT, "starts_at": NOW + timedelta(days=1)}, []),
        ({"ends_at": NOW - timedelta(hours=1)}, ["Close «Late»"]),
        ({"ends_at": NOW - timedelta(minutes=1)}, []),
    ],
    ids=["draft that should be open", "draft in time", "open after its end", "closes by itself in a moment"],
)
def test_a_reward_behind_its_dates_waits_for_editors(signed_in, make, changes, text):
    make.reward(title="Late", **changes)
    assert waiting(signed_in("editor")) == text
    assert waiting(signed_in("fulfilment")) == []


def test_winners_wait_for_fulfilment_with_their_number(signed_in, make):
    reward = make.reward(title="Spring draw", status=RewardStatus.EXPIRED)
    make.winner(reward, stage=Stage.TO_CONTACT)
    page = signed_in("fulfilment").get("/today")
    assert page.texts(".task__text a") == ["Contact the winners of «Spring draw»"]
    assert page.texts(".task__count") == ["1"]
    assert waiting(signed_in("editor")) == []


@pytest.mark.parametrize(("days", "late"), [(6, False), (8, True)])
def test_winners_who_say_nothing_come_up_after_seven_days(signed_in, make, days, late):
    reward = make.reward(title="Spring draw", status=RewardStatus.EXPIRED)
    make.winner(reward, stage=Stage.NOTIFIED, stage_at=NOW - timedelta(days=days))
    assert waiting(signed_in("fulfilment")) == (["Ask again or pass on: winners of «Spring draw»"] if late else [])


def test_a_reward_whose_prizes_are_all_handed_over_waits_to_be_finished(signed_in, make):
    reward = make.reward(title="Spring draw", status=RewardStatus.EXPIRED)
    make.winner(reward, stage=Stage.FULFILLED)
    assert waiting(signed_in("fulfilment")) == ["Finish «Spring draw»"]


def test_failed_jobs_of_the_last_week_are_listed_and_the_rest_named(console, make):
    for days in (1, 2, 3, 4, 8):
        at = NOW - timedelta(days=days)
        make.job(title=f"Job {days}", status=JobStatus.FAILED, created_at=at, finished_at=at, error="It broke.")
    assert waiting(console) == [
        "Look why «Job 4» failed",
        "Look why «Job 3» failed",
        "Look why «Job 2» failed",
        "Look at the other jobs that failed",
    ]


@pytest.mark.parametrize(
    ("status", "changes", "text"),
    [
        (ImportStatus.UPLOADED, {}, ["Choose the columns of entrants.csv"]),
        (ImportStatus.CHECKED, {}, ["Decide about entrants.csv"]),
        (ImportStatus.REFUSED, {"problem": "It is empty."}, ["Mend entrants.csv and upload it again"]),
        (ImportStatus.CANCELLED, {}, ["Finish entrants.csv or take it back"]),
        (ImportStatus.DONE, {"bad_count": 3}, ["Mend the rejects of entrants.csv"]),
        (ImportStatus.DONE, {}, []),
        (ImportStatus.DISCARDED, {}, []),
        (ImportStatus.APPLYING, {}, []),
        (ImportStatus.CHECKED, {"created_at": NOW - timedelta(days=15)}, []),
        (ImportStatus.DONE, {"bad_count": 3, "undone_at": NOW}, []),
    ],
)
def test_uploads_wait_for_whoever_imports(signed_in, run, make, status, changes, text):
    reward = make.reward()
    run(status, reward_id=reward.id, site_id=reward.site_id, **changes)
    assert waiting(signed_in("editor")) == text
    assert waiting(signed_in("administrator")) == []


def test_rejects_that_came_back_are_done(signed_in, run):
    run(ImportStatus.DONE, kind="profiles", bad_count=3)
    run(ImportStatus.DONE, kind="profiles", name="entrants.csv.rejects (1).csv")
    assert waiting(signed_in("editor")) == []


def test_nothing_can_be_done_about_a_file_for_a_closed_list(signed_in, run, make):
    reward = make.reward(status=RewardStatus.FULFILLED)
    run(ImportStatus.CHECKED, reward_id=reward.id, site_id=reward.site_id)
    assert waiting(signed_in("editor")) == []


@pytest.mark.parametrize(
    ("hours", "text", "due"),
    [
        (3, "Remind New Person of the invitation", "ends in 3 hours"),
        (-30, "Invite New Person again", "ended 1 day ago"),
    ],
)
def test_invitations_not_taken_up_wait_for_administrators(signed_in, make, session, hours, text, due):
    new = make.staff(Role.VIEWER, name="New Person", password_hash=None)
    ends = NOW + timedelta(hours=hours)
    make.add(StaffInvitation(staff_id=new.id, token_hash="0" * 64, created_at=NOW - timedelta(days=3), expires_at=ends))
    page = signed_in("administrator").get("/today")
    assert (page.texts(".task__text a"), page.texts(".task__due")) == ([text], [due])
    assert waiting(signed_in("editor")) == []


def test_a_right_to_draw_can_be_objected_to_before_it_begins(signed_in, make):
    new = make.staff(name="Sam Okafor")
    make.add(StaffGrant(staff_id=new.id, role=Role.DRAW_SUPERVISOR, holds_from=NOW + timedelta(hours=20)))
    page = signed_in("administrator").get("/today")
    assert page.texts(".task__text a") == ["Object if Sam Okafor should not draw"]
    assert page.texts(".task__due") == ["begins in 20 hours"]


def test_what_ails_the_installation_waits_for_administrators(signed_in, make, session):
    session.get(Lease, SCHEDULER).until = NOW - timedelta(hours=1)
    session.commit()
    make.message(status=OutboxStatus.FAILED, attempts=9)
    texts = waiting(signed_in("administrator"))
    assert texts[0].startswith("The scheduler was last heard of at ")
    assert texts[1:] == ["Send 1 message again or look why"]
    assert waiting(signed_in("editor")) == []


def test_open_rewards_are_listed_with_their_last_day(console, make):
    make.reward(title="Later", ends_at=NOW + timedelta(days=9), entry_count=12_000)
    make.reward(title="Sooner", ends_at=NOW + timedelta(days=2))
    make.reward(title="Never ends", ends_at=None)
    page = console.get("/today/figures")
    assert page.texts("#open tbody th") == ["Sooner", "Later", "Never ends"]
    assert "12,000" in page.text


def test_other_sites_wait_for_others(signed_in, make, draw, run):
    here, there = make.site(), make.site()
    reward = make.reward(title="Theirs", site_id=there.id, status=RewardStatus.EXPIRED)
    draw(DrawState.CLOSED, reward=reward)
    run(ImportStatus.CHECKED, kind="profiles")
    make.winner(reward, stage=Stage.TO_CONTACT)
    make.job(title="Theirs", status=JobStatus.FAILED, site_id=there.id, finished_at=NOW)
    for role in ROLES:
        assert waiting(signed_in(role, site_id=here.id)) == []


def test_every_line_leads_to_a_page(console, make, draw, run):
    draw(DrawState.CLOSED)
    make.reward(title="Late", ends_at=NOW - timedelta(hours=1))
    make.winner(make.reward(status=RewardStatus.EXPIRED), stage=Stage.TO_CONTACT)
    make.job(status=JobStatus.FAILED, finished_at=NOW)
    make.message(status=OutboxStatus.FAILED, attempts=9)
    run(ImportStatus.REFUSED, kind="profiles")
    links = [link["href"] for link in console.get("/today").soup.select(".task__text a")]
    assert len(links) == 6
    for link in links:
        console.get(link)


def test_entries_are_counted_by_the_day_of_their_site(console, make):
    reward = make.reward(site_id=make.site(title="Sydney", timezone="Australia/Sydney").id)
    for hours in (0, 15, 24, 24 * 14):
        make.entry(reward, entered_at=NOW - timedelta(hours=hours))
    page = console.part("/today/figures")
    assert (
        "3 entries in 14 days; the best day had 2." in page.text
    )  # at 20:00 and 05:00; the other at 20:00 the day before
    assert page.texts("#entries-chart tbody td")[-2:] == ["1", "2"]
    assert console.get("/today/figures").texts("h1") == ["Figures"]


def test_a_site_that_moves_to_another_zone_is_counted_anew(console, make, work):
    site = make.site(timezone="Australia/Sydney")
    reward = make.reward(site_id=site.id)
    for hours in (15, 24):
        make.entry(reward, entered_at=NOW - timedelta(hours=hours))
    terms = {"title": site.title, "organiser": site.organiser, "timezone": "Pacific/Honolulu"}
    sites.change(work, sites.ChangeSite(site_id=site.id, version=site.version, **terms))
    work.session.commit()
    assert console.part("/today/figures").texts("#entries-chart tbody td")[-3:] == ["1", "1", "0"]


def test_figures_stand_beside_their_charts_with_links(console, make, run):
    kind = make.voucher_type(title="Coffee")
    make.voucher(kind)
    make.voucher(kind, status=VoucherStatus.REDEEMED, allocated_at=NOW)
    kind.idle_count, kind.redeemed_count = 1, 1
    make.session.commit()
    make.winner(make.reward(title="Spring draw", status=RewardStatus.EXPIRED), stage=Stage.ACCEPTED)
    run(ImportStatus.DONE, kind="profiles", record_count=12, good_count=9, duplicate_count=1, bad_count=2)
    page = console.part("/today/figures")
    assert page.texts("#vouchers-by-state tbody tr > *") == ["Coffee", "1", "0", "1", "0", "2"]
    assert page.texts("#winners-by-stage tbody tr > *") == ["Spring draw", "0", "0", "1", "0", "1"]
    assert page.texts("#imported-rows tbody tr > *") == ["entrants.csv", "9", "1", "2", "12"]
    for link in page.soup.select("tbody a"):
        console.get(link["href"])


def test_who_may_not_import_sees_no_figures_of_files(signed_in, run):
    run(ImportStatus.DONE, kind="profiles", record_count=12, good_count=12)
    assert signed_in("viewer").part("/today/figures").soup.select("#imported-rows") == []


@pytest.fixture
def batch(make):
    def build(status, people=0, **changes):
        definition = make.benefit_definition(name="Coffee")
        counts = {"people_count": people, "expected_count": people}
        return make.benefit_batch(definition, status=status, created_at=NOW - timedelta(hours=2), **counts | changes)

    return build


@pytest.mark.parametrize(
    ("status", "changes", "told"),
    [
        (BatchStatus.CHECKED, {}, ("Decide about the batch of «Coffee»", "For 3 people; nothing is issued yet.")),
        (
            BatchStatus.STOPPED,
            {"issued_count": 1, "problem": "1 issued, 2 without a code."},
            ("Let the batch of «Coffee» go on or take it back", "1 issued, 2 without a code."),
        ),
        (BatchStatus.WAITING, {"starts_at": NOW + timedelta(days=1)}, None),
        (BatchStatus.ISSUED, {"issued_count": 3}, None),
        (BatchStatus.WITHDRAWN, {}, None),
    ],
    ids=["checked", "stopped", "waits for its day", "issued", "withdrawn"],
)
def test_a_batch_of_benefits_waits_for_whoever_may_issue(signed_in, batch, status, changes, told):
    batch(status, 3, **changes)
    page = signed_in("editor").get("/today")
    assert [(title, why) for title, why in zip(page.texts(".task__text a"), page.texts(".task__text small"), strict=True)] == ([told] if told else [])  # fmt: skip
    assert waiting(signed_in("viewer")) == []


def test_6_1_a_batch_that_needs_a_second_editor_says_so_to_both(signed_in, batch, session):
    planner, other = signed_in("editor", name="Sam Okafor"), signed_in("editor")
    sam = session.scalars(select(StaffMember).where(StaffMember.name == "Sam Okafor")).one()
    batch(BatchStatus.CHECKED, 700, created_by="Sam Okafor", created_by_id=sam.id)
    page = planner.get("/today")
    assert page.texts(".task__text a") == ["Ask somebody to start the batch of «Coffee», or withdraw it"]
    assert "Sam Okafor planned it for 700 people; above 500 somebody else must start it." in page.text
    page = other.get("/today")
    assert page.texts(".task__text a") == ["Start the batch of «Coffee» or leave it"]
    assert page.texts(".task__count") == ["700"]


def test_6_1_a_batch_held_on_its_day_says_why_on_today_and_on_its_page(signed_in, batch, session):
    planner, other = signed_in("editor", name="Sam Okafor"), signed_in("editor")
    sam = session.scalars(select(StaffMember).where(StaffMember.name == "Sam Okafor")).one()
    why = "On its day it goes to 700 people."
    ids = {"created_by_id": sam.id, "started_by_id": sam.id}
    number = batch(BatchStatus.STOPPED, 700, problem=why, evaluated_at=NOW, **ids).id
    assert why in other.get("/today").text
    page = planner.get(f"/benefits/batches/{number}")
    assert "Stopped before anything was issued" in page.text
    assert why in page.text
    assert "Go on issuing" not in page.text
    assert "Withdraw the batch" in page.text
    assert "Go on issuing" in other.get(f"/benefits/batches/{number}").text
