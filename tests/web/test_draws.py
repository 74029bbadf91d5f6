"""The screens of a draw, from the review to the evidence."""

import io
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.services.test_draws import VALUE, closed, sealed, supervising
from tests.services.test_draws import running as running_command
from webapp.domain.entries import EntryStatus
from webapp.domain.protocol import bundle
from webapp.models import AuditEntry, Draw, DrawRound, Entry, Reward
from webapp.services import draws

TOLD = {"value": VALUE, "value_again": VALUE, "witness_name": "W. Itness", "held_fingerprint": "y"}


def address(session, draw, path=""):
    name = session.scalar(select(Reward.name).where(Reward.id == draw.reward_id))
    session.commit()
    return f"/rewards/{name}/draw{path}"


@pytest.fixture
def supervisor(signed_in):
    return signed_in("draw supervisor")


@pytest.fixture
def due(session, work, make, moment):
    """The address of a draw that may be made now."""
    url = address(session, sealed(work, make))
    moment.forward(minutes=10)
    return url


def test_the_review_lists_exclusions_and_is_confirmed_before_the_seal(console, session, work, make):
    draw = closed(work, make)
    url = address(session, draw)
    page = console.get(url)
    assert "Every entry takes part." in page.text
    console.submit(page, f"form[action='{url}/confirm']")
    assert console.get(url).one(f"a[href='{url}/seal']")
    console.submit(console.get(f"{url}/seal"), "#form")
    shown = console.get(url)
    assert shown.one("#seal-fingerprint").get_text().replace(" ", "") == session.scalar(select(Draw.seal_sha256))


def test_an_entry_is_excluded_and_readmitted_with_reasons(console, session, work, make):
    draw = closed(work, make)
    url = address(session, draw)
    page = console.submit(console.get(f"{url}/exclude"), "#form", status=422, number="99", reason="a test")
    assert "no entry 99" in page.text
    console.submit(page, "#form", number="2", reason="a test")
    assert session.get(Entry, (draw.reward_id, 2), populate_existing=True).status is EntryStatus.STAFF
    assert "a test" in console.get(url).text
    console.submit(console.get(f"{url}/readmit"), "#form", number="2", reason="was a mistake")
    assert session.get(Entry, (draw.reward_id, 2), populate_existing=True).status is EntryStatus.OK


def test_fewer_people_than_prizes_is_said_before_the_draw(console, session, work, make, supervisor, moment):
    draw = closed(work, make, people=2, slots=5)
    assert "3 will stay unallocated" in console.get(address(session, draw)).text


def test_zero_eligible_entrants_cannot_be_sealed_and_the_button_says_why(console, session, work, make):
    url = address(session, closed(work, make, people=0))
    console.submit(console.get(url), f"form[action='{url}/confirm']")
    assert "nobody to draw" in console.get(url).text
    assert "nobody to draw" in console.submit(console.get(f"{url}/seal"), "#form", status=422).text


def test_the_sealer_is_told_that_somebody_else_draws(console, session, work, make, moment):
    url = address(session, sealed(work, make))
    moment.forward(minutes=10)
    assert "You sealed this draw" in console.get(f"{url}/run").text
    assert "You sealed this draw" in console.post(f"{url}/run", TOLD, status=422).text


def test_too_early_is_said_with_both_times(session, work, make, supervisor, moment):
    url = address(session, sealed(work, make))
    moment.forward(minutes=5)
    page = supervisor.get(f"{url}/run")
    assert "2026-03-02 09:10:00 UTC as the earliest" in page.text
    assert "it is 2026-03-02 09:05:00 UTC now" in page.text


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"value_again": "1" + VALUE[1:]}, "value_again", "The two values differ"),
        ({"value": "123456789", "value_again": "123456789"}, "value", "33 bits"),
        ({"value": ""}, "value", "Enter the value the witness supplied."),
        ({"witness_name": " "}, "witness_name", "Enter who supplied the value"),
    ],
)
def test_a_refusal_of_the_value_lands_on_its_field(due, session, supervisor, changes, field, words):
    page = supervisor.post(f"{due}/run", TOLD | changes, status=422)
    assert words in page.texts(f"#{field}-error")[0]
    assert session.scalars(select(DrawRound)).all() == []


def test_the_draw_is_made_and_pressing_again_shows_the_same_result(session, work, make, supervisor, moment):
    url = address(session, sealed(work, make))
    moment.forward(minutes=10)
    page = supervisor.submit(supervisor.get(f"{url}/run"), "#form", **TOLD)
    shown = supervisor.follow(page)
    assert VALUE in shown.text
    assert "Witnessed" in shown.text
    names = shown.texts("main li, main article")
    again = supervisor.post(f"{url}/run", TOLD | {"value": "9" * 19 + "1", "value_again": "9" * 19 + "1"})
    assert supervisor.follow(again).texts("main li, main article") == names
    assert supervisor.get(f"{url}/run", status=303).response.headers["Location"] == f"{url}/result"
    assert len(session.scalars(select(DrawRound)).all()) == 1


def drawn(work, make):
    draw = sealed(work, make)
    return draws.run(supervising(work, make), running_command(draw))


def test_the_evidence_is_downloaded_verified_and_told_to_the_log(console, session, work, make, tmp_path):
    draw = drawn(work, make)
    url = address(session, draw)
    page = console.get(url)
    answer = console.submit(page, f"form[action='{url}/bundle']", status=200).response
    assert answer.headers["Content-Disposition"] == f'attachment; filename="draw-{draw.reference}.zip"'
    path = tmp_path / "bundle.zip"
    path.write_bytes(answer.get_data())
    report = bundle.verify(path)
    assert report.ok, report.failures
    assert "certificate.html" in zipfile.ZipFile(io.BytesIO(answer.get_data())).namelist()
    assert "draw.exported" in session.scalars(select(AuditEntry.event)).all()


def test_there_is_no_evidence_before_the_seal(console, session, work, make):
    url = address(session, closed(work, make))
    console.post(f"{url}/bundle", {}, status=422)


def test_the_seal_sheet_prints_everything_the_witness_compares(console, session, work, make):
    draw = sealed(work, make)
    page = console.get(address(session, draw, "/sheet"))
    digits = page.one("#seal-fingerprint").get_text().replace(" ", "")
    assert (digits, draw.entries_root in page.text.replace(" ", "")) == (draw.seal_sha256, True)


def test_anybody_reads_the_record_and_no_name_is_on_it(anonymous, session, work, make):
    draw = drawn(work, make)
    session.commit()
    page = anonymous.get(f"/draws/{draw.reference}")
    assert draw.seal_sha256 in page.text.replace(" ", "")
    assert "Profile" not in page.text
    assert anonymous.get(f"/draws/{draw.reference}/seal.json").response.get_data() == draw.seal
    anonymous.get("/draws/D-NOSUCH", status=404)


def test_the_record_before_the_seal_shows_the_commitment_only(anonymous, session, work, make):
    draw = closed(work, make)
    session.commit()
    page = anonymous.get(f"/draws/{draw.reference}")
    assert draw.code_commit in page.text.replace(" ", "")
    anonymous.get(f"/draws/{draw.reference}/seal.json", status=404)


def test_a_supervisor_sees_the_draw_and_does_not_seal(session, work, make, supervisor):
    url = address(session, closed(work, make))
    assert not supervisor.get(url).soup.select(f"a[href='{url}/seal']")
    supervisor.get(f"{url}/seal", status=403)


def test_an_editor_does_not_draw(signed_in, session, work, make, moment):
    url = address(session, sealed(work, make))
    moment.now += timedelta(minutes=10)
    signed_in("editor").post(f"{url}/run", TOLD, status=403)
