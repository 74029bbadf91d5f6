"""What commands stand on: settings, one engine, sessions, and the actor they act as."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import click
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from webapp.adapters import clock, schema
from webapp.adapters.engines import engine_options
from webapp.config import Settings
from webapp.domain.errors import Refused
from webapp.domain.identity import Actor, Grant
from webapp.domain.permissions import Role
from webapp.services.work import Work, perform

T = TypeVar("T")
# Whoever can start a command can read the database; what they do is on record under this name.
ACTOR = Actor("Command line", grants=frozenset(Grant(role) for role in Role))


@cache
def settings() -> Settings:
    """The settings of the environment; raises ``BadSettings``."""
    found = Settings.from_environment()
    found.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


@cache
def engine() -> Engine:
    """The engine of this process, with the pragmas of ``adapters.engines``."""
    return create_engine(settings().database, **engine_options(settings().database, settings().threads))


def require_free(host: str, port: int) -> None:
    """Refuse a port at which another server listens.

    Granian would share it without a word, and every form would meet now the one server, now the other.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(
                    socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
                )  # a server that has just stopped is no other
                probe.bind(address)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise click.ClickException(
            f"Port {port} at {host} cannot be used: {reason}. Stop what listens there, or name another with --port."
        ) from error


def sessions() -> Session:
    """A new session; its maker is what jobs and the scheduler ask for."""
    return Session(engine(), expire_on_commit=False)


@contextmanager
def session() -> Iterator[Session]:
    """A session on a database that this program understands."""
    require_schema()
    with told_plainly(), sessions() as opened:
        yield opened


def write(act: Callable[[Work], T]) -> T:
    """Run ``act`` in one transaction of the command line, now."""
    with session() as opened:
        return perform(opened, ACTOR, clock.now(), act)


def require_schema() -> None:
    """Refuse a database that is not at the program's schema, with the command that helps."""
    with told_plainly():
        found, head = schema.revision(engine()), schema.head()
    if found == head:
        return
    if not schema.is_known(found):
        raise Refused(
            "schema.newer", f"The database is at schema {found}, which is newer than this program. Update it."
        )
    raise Refused("schema.old", f"The database is at schema {found or 'none'}, the program at {head}. Run «migrate».")


@contextmanager
def told_plainly() -> Iterator[None]:
    """A database that cannot be reached is a sentence, not a traceback."""
    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise click.ClickException(f"The database does not answer as it should: {reason}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise click.ClickException("The connection to the database was lost.") from error
        raise


def echo_json(data: Any) -> None:
    """Print data for machines."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


@contextmanager
def progress(items: Iterable[T], label: str, length: int | None = None) -> Iterator[Iterable[T]]:
    """The items, with a bar on a terminal and nothing elsewhere."""
    with click.progressbar(items, length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        yield bar
