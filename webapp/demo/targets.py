"""Targets of the sample programme, and what becomes of the notices sent with them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from webapp.adapters import clock
from webapp.domain.notices import TargetKind
from webapp.domain.permissions import Role
from webapp.services import notices, outbox, targets

if TYPE_CHECKING:
    from webapp.demo.programme import Builder
    from webapp.models import Site, Target
    from webapp.services.work import Work

_AGO = timedelta(days=43)
_ISSUED = """Dear ((profile.first_name)),

we have put ((definition.name)) aside for you. ((definition.short_description))

Your code: ((benefit.code))
Good until: ((benefit.expires_on))

((definition.redeem_instructions_store))

See you soon
"""
_REMINDER = """Dear ((profile.first_name)),

((definition.name)) is good for another ((benefit.days_left)) days, until ((benefit.expires_at)).
Your code is ((benefit.code)); it can be redeemed so many times: ((benefit.redemptions_left)).
"""
_OFFER = """Dear ((profile.first_name)),

((definition.name)) ends on ((benefit.expires_on)). If you cannot make it, tell us in any shop: we extend it once.
"""


def build(builder: Builder, site: Site) -> dict[str, int]:
    """Makes them; gives their ids by the columns of definitions that name them."""
    issued = _make(builder, site, "It is yours", "((definition.name)) is yours", _ISSUED)
    reminder = _make(builder, site, "Before it ends", "((definition.name)) ends on ((benefit.expires_on))", _REMINDER)
    offer = _make(builder, site, "Shall we extend it?", "((definition.name)): a little longer?", _OFFER)
    _make(builder, site, "For captains", "A word to our captains", "Thank you, ((profile.full_name)).", _CAPTAINS)
    old = _make(builder, site, "Spring letter", "Spring is here", "Come and see us, ((profile.first_name)).")
    builder.do(Role.EDITOR, timedelta(days=2), partial(targets.archive, command=targets.ArchiveTarget(old.id)))
    return {"issue_target_id": issued.id, "remind_target_id": reminder.id, "extend_target_id": offer.id}


_CAPTAINS = '{"===": [{"var": "tier_handle"}, "captain"]}'


def webhook(builder: Builder, site: Site) -> int:
    """Tells the cash desk of an issue; its host is one that no name server knows. Gives its id."""
    payload = """{
  "member": "((profile.external_id))",
  "benefit": "((definition.name))",
  "good_until": "((benefit.expires_on))"
}"""
    terms = {"title": "To the cash desk", "url": "https://desk.harbour.example/stamps", "payload": payload}
    command = targets.CreateTarget(site_id=site.id, kind=TargetKind.WEBHOOK, secrets=builder.secrets, **terms)
    return builder.do(Role.EDITOR, _AGO, partial(targets.create, command=command)).id


def _make(builder: Builder, site: Site, title: str, subject: str, body: str, condition: str = "") -> Target:
    command = targets.CreateTarget(
        site_id=site.id, title=title, subject=subject, body=body, condition=condition, secrets=builder.secrets
    )
    return builder.do(Role.EDITOR, _AGO, partial(targets.create, command=command))


def post(builder: Builder, ago: timedelta) -> None:
    """What is due ``ago`` before now leaves then; messages that are no notices go on waiting."""
    builder.do(Role.EDITOR, ago, notices.send_some)
    builder.do(Role.EDITOR, ago, _leave)


def _leave(work: Work) -> None:
    for message in _claimed(work):
        outbox.sent(work, _OWNER, message.id, "The receiver answered 204 No Content" if message.webhook_id else "")


def bounce(builder: Builder) -> None:
    """Of those that are due after the batches one is refused by the other side for good; the others wait."""
    ago = builder.now - clock.now()  # batches are issued by the clock
    builder.do(Role.EDITOR, ago, notices.send_some)
    builder.do(Role.EDITOR, ago, _bounce)


def _bounce(work: Work) -> None:
    claimed = _claimed(work)
    first = next(one for one in claimed if one.webhook_id is None)
    others = [one for one in claimed if one is not first]
    outbox.miss(work, _OWNER, first, "550 5.1.1 There is no such mailbox here.", is_final=True)
    outbox.release(work, _OWNER, others)


def _claimed(work: Work) -> list[outbox.Claimed]:
    claimed = outbox.claim(work, _OWNER, 1_000)
    notes = [one for one in claimed if one.dedupe_key.startswith("notice:")]
    outbox.release(work, _OWNER, [one for one in claimed if one not in notes])
    return notes


_OWNER = "demo"
