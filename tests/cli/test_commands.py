"""Every command is found where the table says, and starts without what only others need."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import click
import pytest

from tests.support.run import ROOT
from webapp import cli


def test_the_table_names_every_command_of_every_module():
    found = {
        str(command.name): module.name
        for module in pkgutil.iter_modules(cli.__path__)
        for command in getattr(importlib.import_module(f"webapp.cli.{module.name}"), "commands", ())
    }
    assert found == cli.MODULES


def test_help_lists_every_command_with_a_sentence():
    context = click.Context(cli.main)
    for name in cli.main.list_commands(context):
        assert cli.main.get_command(context, name).get_short_help_str()


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("staff", ["webapp.demo", "webapp.app", "alembic", "flask", "xlsxwriter", "openpyxl"]),
        ("draws", ["sqlalchemy", "flask", "webapp.models"]),
        ("audit", ["webapp.demo", "webapp.app", "alembic", "flask", "granian"]),
    ],
)
def test_a_command_starts_without_what_only_others_need(module, unwanted):
    code = f"import sys; import webapp.cli.{module}; print(*[name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
