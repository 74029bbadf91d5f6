"""`erase`: a person who asks to be forgotten, by number, member id or e-mail."""

from __future__ import annotations

import click

from webapp.adapters import clock, randomness, scrubbing
from webapp.cli import runtime
from webapp.domain.errors import NotFound
from webapp.domain.plurals import plural
from webapp.queries import erasure as read
from webapp.services import profiles
from webapp.services.profiles import EraseProfile
from webapp.services.work import Work


@click.command()
@click.argument("profile")
@click.option("--yes", "sure", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="What there was of the person, as numbers.")
def erase(profile: str, *, sure: bool, as_json: bool) -> None:
    """Erase PROFILE: a number, a member id or an e-mail."""
    with runtime.session() as session:
        number = read.find(session, profile)
        if number is None:
            raise NotFound("profile.not_found", f"Nobody has the member id, e-mail or number «{profile}».")
        counts = read.counts(session, read.subject(session, number), clock.now())
    if not as_json:
        click.echo(
            f"Person {number}: {plural(counts['entries'], 'entry', 'entries')} ({counts['sealed']:,} of them in sealed draws, "
            f"kept without a name), {plural(counts['messages'], 'message')}, {plural(counts['memberships'], 'membership')}, "
            f"{plural(counts['identities'], 'identity', 'identities')}. "
            f"{plural(counts['benefits'], 'benefit')} and {plural(counts['vouchers'], 'voucher')} stay without a name; "
            f"{counts['usable']:,} and {counts['valid']:,} of them can still be redeemed."
        )
    if not sure:
        click.confirm("Erase this person for good?", abort=True)

    def act(work: Work) -> None:
        profiles.erase(work, EraseProfile(number, str(number), randomness.token(9).lower()))

    runtime.write(act)
    scrubbing.rewrite(runtime.engine())
    if as_json:
        runtime.echo_json({"person": number} | counts)
    else:
        click.echo("Erased.")


commands: list[click.Command] = [erase]
