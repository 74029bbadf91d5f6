"""What waits for whom."""

from datetime import timedelta

import pytest

from tests.support.clock import NOW
from webapp.domain.draws import DrawState
from webapp.domain.fulfilment import Stage
from webapp.domain.imports import ImportStatus
from webapp.domain.jobs import JobStatus
from webapp.domain.permissions import Role
from webapp.models import ImportRun, Job, StaffInvitation, StoredFile


@pytest.fixture
def draw(make):
    def build(state, **changes):
        reward = changes.pop("reward", None) or make.reward(title="Spring draw", name="spring-draw", entry_count=40)
        values = {"state": state, "closed_at": NOW - timedelta(hours=2), "eligible_count": 38}
        if state is DrawState.SEALED:
            values |= {"seal": b"{}", "sealed_at": NOW - timedelta(minutes=5), "not_before": NOW + timedelta(minutes=5)}
        return make.draw(reward, **values | changes)

    return build


def waiting(browser):
    return browser.get("/today").texts(".task__text a")


def test_the_front_door_leads_to_today(console):
    assert console.get("/", status=303).response.headers["Location"] == "/today"


def test_nothing_waits_on_an_empty_account(console):
    assert "Nothing waits" in console.get("/today").text


@pytest.mark.parametrize(
    ("state", "changes", "role", "text"),
    [
        (DrawState.CLOSED, {}, "editor", "Review the exclusions of «Spring draw»"),
        (DrawState.CLOSED, {"reviewed_at": NOW}, "editor", "Seal the draw of «Spring draw»"),
        (DrawState.SEALED, {}, "draw supervisor", "Enter the witnessed value of «Spring draw»"),
    ],
)
def test_a_draw_waits_for_whoever_moves_it_on(signed_in, draw, state, changes, role, text):
    draw(state, **changes)
    for other in ("editor", "draw supervisor", "fulfilment", "viewer", "administrator"):
        assert waiting(signed_in(other)) == ([text] if other == role else [])


def test_winners_wait_for_fulfilment_with_their_number(signed_in, make):
    make.winner(make.reward(), stage=Stage.TO_CONTACT)
    page = signed_in("fulfilment").get("/today")
    assert page.texts(".task__text a")[0].startswith("Contact the winners of «")
    assert page.texts(".task__count") == ["1"]
    assert waiting(signed_in("editor")) == []


def test_failed_jobs_of_the_last_week_are_counted(console, make):
    for days in (1, 2, 8):
        make.add(
            Job(
                kind="entries.import",
                title="Import",
                status=JobStatus.FAILED,
                created_at=NOW - timedelta(days=days),
                finished_at=NOW - timedelta(days=days),
                created_by="Ann Able",
            )
        )
    page = console.get("/today")
    if page.texts(".task__count"):
        assert page.texts(".task__count") == ["2"]


def test_uploads_that_need_somebody_are_listed(console, make, app):
    if "imports.show" not in app.view_functions:
        pytest.skip("there is no screen for uploads")
    reward = make.reward(title="Spring draw")
    file = make.add(StoredFile(name="x.csv", media_type="text/csv", size=0, sha256="0" * 64, created_at=NOW))
    for status in (ImportStatus.REFUSED, ImportStatus.CHECKED, ImportStatus.DONE):
        make.add(
            ImportRun(
                kind="entries",
                reward_id=reward.id,
                site_id=reward.site_id,
                file_id=file.id,
                status=status,
                encoding="utf-8",
                created_at=NOW,
                created_by="Ann Able",
            )
        )
    assert waiting(console) == [
        "Apply the checked upload for «Spring draw»",
        "The upload for «Spring draw» was refused",
    ]


def test_open_invitations_wait_for_administrators(signed_in, make):
    new = make.staff(Role.VIEWER)
    make.add(StaffInvitation(staff_id=new.id, token_hash="0" * 64, created_at=NOW, expires_at=NOW + timedelta(hours=3)))
    page = signed_in("administrator").get("/today")
    assert page.texts(".task__text a") == ["Invitations not taken up yet"]
    assert "The first runs out in 3 hours." in page.text


def test_open_rewards_are_listed_with_their_last_day(console, make):
    make.reward(title="Later", ends_at=NOW + timedelta(days=9), entry_count=12_000)
    make.reward(title="Sooner", ends_at=NOW + timedelta(days=2))
    make.reward(title="Never ends", ends_at=None)
    page = console.get("/today")
    assert page.texts("#open tbody th") == ["Sooner", "Later", "Never ends"]
    assert "12,000" in page.text


def test_other_sites_wait_for_others(signed_in, make, draw):
    here, there = make.site(), make.site()
    draw(DrawState.CLOSED, reward=make.reward(title="Theirs", site_id=there.id))
    page = signed_in("editor", site_id=here.id).get("/today")
    assert "Theirs" not in page.text


def test_entries_are_counted_by_day(console, make):
    reward = make.reward()
    for days in (0, 1, 1, 13, 14):
        make.entry(reward, entered_at=NOW - timedelta(days=days))
    page = console.part("/today/entries")
    assert "4 entries made in the last 14 days" in page.text
    assert page.texts("#entries-chart tbody td")[-2:] == ["2", "1"]
    assert console.get("/today/entries").texts("h1") == ["Entries of the last 14 days"]
