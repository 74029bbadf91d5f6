"""The command line: every command of every module of this package, under one roof."""

from __future__ import annotations

import importlib
import os
import sys
from io import TextIOWrapper
from typing import Any

import click

from webapp import __version__
from webapp.config import BadSettings
from webapp.domain.errors import DomainError

# Command → module of this package. A command starts without what the others need: the sample programme alone takes longer.
MODULES = {
    "audit": "audit",
    "backup": "maintenance",
    "check": "maintenance",
    "demo": "demo",
    "doctor": "doctor",
    "draw": "draws",
    "erase": "erasure",
    "export": "exports",
    "import": "imports",
    "init": "staff",
    "migrate": "maintenance",
    "permissions": "tables",
    "routes": "tables",
    "run": "server",
    "staff": "staff",
    "tick": "maintenance",
    "vouchers": "vouchers",
}


class Largesse(click.Group):
    """Loads a command when it is asked for, and turns what people may be told into one plain sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(MODULES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in MODULES:
            return None
        found: list[click.Command] = importlib.import_module(f"webapp.cli.{MODULES[name]}").commands
        return next(command for command in found if command.name == name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (DomainError, BadSettings) as error:
            raise click.ClickException(str(error)) from error


@click.group(
    cls=Largesse,
    epilog="From a checkout «test» is a command too: every checker and every test, on both databases.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="largesse")
def main() -> None:
    """Largesse: benefits, gift vouchers, points and prize draws anyone can recompute."""
    os.umask(0o077)  # whatever a command writes is for its owner alone
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
