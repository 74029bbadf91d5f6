"""`init` and `staff`: the first administrator, and the team from the command line."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import click
from sqlalchemy.orm import Session

from webapp.adapters import randomness, schema
from webapp.cli import runtime
from webapp.config import Settings
from webapp.domain import staff as rules
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.domain.identity import Grant
from webapp.domain.permissions import Role
from webapp.queries import choices
from webapp.queries import sites as read_sites
from webapp.queries import staff as read
from webapp.services import staff
from webapp.services.work import Work

DEFAULT_EMAIL = "administrator@largesse.local"


@click.command()
@click.option("--email", help=f"Who the one-time link is for; {DEFAULT_EMAIL} when nobody can be asked.")
def init(email: str | None) -> None:
    """Prepare an empty installation: the key, the database, and a one-time link for the first administrator."""
    key = _write_key()
    settings = runtime.settings()
    with runtime.told_plainly():
        if schema.revision(runtime.engine()) is None:
            schema.upgrade(runtime.engine())
    with runtime.session() as session:
        if read.has_administrator(session):
            raise Conflict("init.done", "There is an administrator already. «staff add» adds more people.")
    if email is None:
        email = click.prompt("E-mail address of the first administrator") if sys.stdin.isatty() else DEFAULT_EMAIL
    link = _invite(settings, email, (Grant(Role.ADMINISTRATOR),))
    if key:
        click.echo(f"Secret key: {key} (keep it with your backups: without it sessions end and codes are not found)")
    click.echo(f"First administrator: {rules.normalise(email)}")
    click.echo("Open this link once, within 24 hours, to choose a name and a password:")
    click.echo(link)


def _write_key() -> Path | None:
    """A new key in the instance folder, for its owner alone; None when there is one, there or in the environment."""
    found = Settings.from_environment()
    if found.secret_key:
        return None
    found.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = found.instance / "secret_key"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    return path


@click.group(name="staff")
def group() -> None:
    """Invite, list and disable staff."""


@group.command()
@click.argument("email")
@click.option("--role", "roles", multiple=True, required=True, help="Repeat it for more: viewer, till, editor …")
@click.option("--site", "site_name", help="The name of one site; every site unless given.")
@click.option("--organisation", help="The id of one organisation; the roles hold there and below, else in all.")
@click.option("--name", default="", help="How colleagues see the person; used with --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the standard input; no link then.")
def add(
    email: str,
    roles: tuple[str, ...],
    site_name: str | None,
    organisation: str | None,
    name: str,
    *,
    password_stdin: bool,
) -> None:
    """Add somebody: prints a one-time link, or takes the password from the standard input."""
    with runtime.session() as session:
        site_id = read_sites.get(session, site_name, None).id if site_name else None
        root = _organisation(session, organisation) if organisation else None
    grants = tuple(Grant(_role(role), site_id, root) for role in roles)
    if not password_stdin:
        click.echo(_invite(runtime.settings(), email, grants))
        return
    password = sys.stdin.readline().rstrip("\r\n")
    shown = name or rules.normalise(email).partition("@")[0]
    command = staff.AddStaff(email, shown, grants, staff.checked_password(password, name=shown, email=email))
    member = runtime.write(lambda work: staff.add(work, command))
    click.echo(f"{member.email} can sign in.")


@group.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
def list_(*, as_json: bool) -> None:
    """Print everybody who has an account."""
    with runtime.session() as session:
        rows, titles = read.team(session), read_sites.names(session)
        organisations = read.organisation_titles(session, {grant for row in rows for grant in row.grants})
    people = [
        {
            "email": row.email,
            "name": row.name,
            "roles": rules.in_words(row.grants, titles, organisations),
            "state": "disabled" if not row.is_active else "active" if row.has_password else "invited",
            "seen_at": row.seen_at.isoformat() if row.seen_at else None,
        }
        for row in rows
    ]
    if as_json:
        runtime.echo_json(people)
        return
    for person in people:
        click.echo(f"{person['email']:<40} {person['state']:<9} {person['roles']}")


@group.command()
@click.argument("email")
def disable(email: str) -> None:
    """End every session of an account and let nobody in with it."""

    def act(work: Work) -> None:
        member = read.find_by_email(work.session, email)
        if member is None:
            raise NotFound("staff.unknown", f"{email} has no account.")
        staff.disable(work, staff.DisableStaff(member.id))

    runtime.write(act)
    click.echo(f"{rules.normalise(email)} is disabled and signed out everywhere.")


def _invite(settings: Settings, email: str, grants: tuple[Grant, ...]) -> str:
    token = randomness.token()
    link = f"{settings.public_url}/invitations/{token}"
    runtime.write(lambda work: staff.invite(work, staff.InviteStaff(email, grants, token, link)))
    return link


def _organisation(session: Session, external_id: str) -> int:
    found = choices.organisation_known_as(session, external_id)
    if found is None:
        raise NotFound("organisation.unknown", f"No organisation in use has the id «{external_id}».")
    return found


def _role(text: str) -> Role:
    wanted = text.replace("-", " ").replace("_", " ").strip().casefold()
    if wanted not in list(Role):
        raise Refused("staff.role", f"«{text}» is no role. Roles: {', '.join(Role)}.")
    return Role(wanted)


commands: list[click.Command] = [init, group]
