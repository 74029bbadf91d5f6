"""`draw bundle` and `draw verify`, each as a process."""

import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.services.test_draws import opened, running, seal
from tests.support.clock import NOW
from webapp.models import Draw
from webapp.services import draws, review, rewards
from webapp.services.work import perform


@pytest.fixture
def drawn(command):
    """The name of a reward whose draw is made, in the command's own database."""
    engine = create_engine(command.settings.database)
    with Session(engine, expire_on_commit=False) as session:
        make = Factories(session)
        editor, supervisor = make.actor("editor"), make.actor("draw supervisor")
        reward = perform(session, editor, NOW, lambda work: opened(work, make, people=30))
        perform(session, editor, NOW, lambda work: rewards.close(work, rewards.CloseReward(reward.id)))
        draw = session.scalars(select(Draw)).one()
        perform(session, editor, NOW, lambda work: review.confirm(work, review.ConfirmReview(draw.id)))
        perform(session, editor, NOW, lambda work: seal(work, draw))
        later = NOW + timedelta(minutes=10)
        perform(session, supervisor, later, lambda work: draws.run(work, running(draw)))
        name = reward.name
    engine.dispose()
    return name


def test_a_bundle_is_written_and_holds_without_a_database(command, drawn, tmp_path):
    path = tmp_path / "evidence.zip"
    command("draw", "bundle", drawn, "-o", str(path))
    told = command("draw", "verify", str(path), database_url="sqlite:////nowhere/at/all.db").stdout
    assert "ok    round 1: winners and reserves recomputed, identical" in told
    assert told.endswith("given out before the draw.\n")


def test_p8_a_changed_byte_is_refused_and_its_file_named(command, drawn, tmp_path):
    path = tmp_path / "evidence.zip"
    command("draw", "bundle", drawn, "-o", str(path))
    folder = tmp_path / "evidence"
    zipfile.ZipFile(path).extractall(folder)
    target = folder / "entries.csv"
    target.write_bytes(target.read_bytes().replace(b",1,", b",2,", 1))
    answer = command("draw", "verify", str(folder), status=1)
    assert "FAIL  entries.csv is exactly the sealed list" in answer.stdout
    assert answer.stderr.startswith("The draw does not hold:")


def test_a_reward_without_a_draw_is_a_sentence(command, tmp_path):
    answer = command("draw", "bundle", "no-such-reward", "-o", str(tmp_path / "x.zip"), status=1)
    assert answer.stderr.strip().endswith("A draw begins when its reward opens for entries.")
    assert not (tmp_path / "x.zip").exists()


def test_a_file_that_is_no_bundle_is_a_sentence(command, tmp_path):
    path = tmp_path / "letter.zip"
    path.write_text("Dear auditor")
    answer = command("draw", "verify", str(path), status=1)
    assert "Traceback" not in answer.stdout + answer.stderr
