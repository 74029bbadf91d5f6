"""The command line: every command of every module of this package, under one roof."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from io import TextIOWrapper
from typing import Any

import click

from webapp import __version__
from webapp.config import BadSettings
from webapp.domain.errors import DomainError


class Largesse(click.Group):
    """Finds its commands by itself, and turns what people may be told into one plain sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._gather()
        return sorted(self.commands)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        self._gather()
        return self.commands.get(name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (DomainError, BadSettings) as error:
            raise click.ClickException(str(error)) from error

    def _gather(self) -> None:
        if self.commands:
            return
        for module in pkgutil.iter_modules(__path__):
            for command in getattr(importlib.import_module(f"webapp.cli.{module.name}"), "commands", ()):
                self.add_command(command)


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
