"""«Why not» of a benefit, or of a person and a definition, at any instant (peers.md feature 10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.benefits import bp
from webapp.blueprints.benefits.forms import instant
from webapp.domain.benefits import Gate, gates_to_redeem, told
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import benefit_gates as gates
from webapp.queries import benefit_past, choices, memberships, voucher_pool
from webapp.queries import benefits as read
from webapp.queries import redemptions as read_ledger
from webapp.web import benefit_words
from webapp.web.access import actor, requires, scope
from webapp.web.paging import number, text
from webapp.web.rendering import render


@bp.get("/<int:benefit_id>/why-not")
@requires(Permission.BENEFITS_VIEW)
def why_not(benefit_id: int) -> ResponseReturnValue:
    """Everything that is asked before it is redeemed, as it stood, stands or will stand at an instant."""
    session, now = db.session(), clock.now()
    sheet = read.sheet(session, benefit_id, scope(Permission.BENEFITS_VIEW))
    zone = sheet.benefit.zone
    at = instant(text("at", 40), zone)
    rules = benefit_words.table(_to_redeem(sheet, at, now), zone)
    return render(
        "benefits/why_not.html",
        sheet=sheet,
        holder=benefit_words.person(sheet.holder, in_full=actor().may(Permission.PROFILES_VIEW)),
        rules=rules,
        sentence=benefit_words.sentence(sheet.definition.name, rules, told(at, zone)),
        at=at,
        zone=zone,
        is_past=at < now,
    )


def _to_redeem(sheet: read.BenefitSheet, at: datetime, now: datetime) -> tuple[Gate, ...]:
    session = db.session()
    then = benefit_past.facts(session, sheet.benefit, at)
    last = read_ledger.told_last(session, sheet.benefit) if at >= now else ""
    return gates_to_redeem(sheet.definition.facts, then, 1, at, last_use=last)


@bp.get("/why-not")
@requires(Permission.BENEFITS_VIEW)
def why_person() -> ResponseReturnValue:
    """Whether a person could be issued or could claim a definition at an instant, and what is in the way."""
    session, where, now = db.session(), scope(Permission.BENEFITS_VIEW), clock.now()
    definitions = choices.definition_names(session, where)
    typed, chosen = text("person"), number("definition")
    given = number("profile")
    person: Any
    if given and not typed:
        person = read.person(session, given)
        typed = person.external_id or person.email
    else:
        person = memberships.person_named(session, typed)
    found = None
    if person is not None and chosen is not None:
        definition, site = read.definition(session, chosen, where)
        zone = person.zone or site.timezone
        at = instant(text("at", 40), zone)
        stands = benefit_past.standing(session, definition.id, person.id, at)
        told_of = gates.condition(session, definition, person.id, at, zone)
        has_code = voucher_pool.has_code(session, definition, person.id, at, zone)
        claiming = benefit_words.table(gates.to_claim(definition, stands, told_of, at, zone, has_code=has_code), zone)
        found = {
            "name": definition.name,
            "holder": benefit_words.person(person, in_full=actor().may(Permission.PROFILES_VIEW)),
            "claim": claiming,
            "issue": benefit_words.table(gates.to_issue(definition, stands, at, zone, has_code=has_code), zone),
            "condition": told_of if definition.claim_condition else None,
            "sentence": benefit_words.sentence(definition.name, claiming, told(at, zone)),
            "at": at,
            "zone": zone,
            "is_past": at < now,
        }
    return render(
        "benefits/why_person.html",
        "benefits/_why_person.html",
        typed=typed,
        chosen=chosen,
        definitions=definitions,
        found=found,
        is_unknown=bool(typed) and person is None,
        at=text("at", 40),
    )
