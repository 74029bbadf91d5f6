"""The schema comes up, matches the tables of the program, goes down whole and comes up again."""

from __future__ import annotations

import re

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from webapp.adapters import schema
from webapp.config import ROOT
from webapp.models import Base

VERSIONS = sorted((ROOT / "webapp" / "migrations" / "versions").glob("*.py"))


def test_up_shows_no_drift_and_down_leaves_nothing_and_up_again_works(empty):
    schema.upgrade(empty)
    assert schema.revision(empty) == schema.head()
    assert schema.drift(empty, Base.metadata) == []
    schema.downgrade(empty)
    assert set(inspect(empty).get_table_names()) <= {"alembic_version"}
    schema.upgrade(empty)
    assert schema.drift(empty, Base.metadata) == []


def test_every_table_of_the_program_is_there(empty):
    schema.upgrade(empty)
    assert set(Base.metadata.tables) == set(inspect(empty).get_table_names()) - {"alembic_version"}


def test_a_revision_that_is_not_ours_is_known_as_such():
    assert schema.is_known(None)
    assert schema.is_known(schema.head())
    assert not schema.is_known("9999_from_the_future")


def test_the_revisions_are_those_alembic_finds():
    config = Config()
    config.set_main_option("script_location", str(ROOT / "webapp" / "migrations"))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert schema.head() == scripts.get_current_head()
    assert all(schema.is_known(script.revision) for script in scripts.walk_revisions())
    assert len(list(scripts.walk_revisions())) == len(VERSIONS)


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_migrations_are_numbered_and_named_after_what_they_do(path):
    assert re.fullmatch(r"\d{4}_[a-z_]+", path.stem)
    assert f'revision = "{path.stem}"' in path.read_text()
