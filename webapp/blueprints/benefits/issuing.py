"""Issue a benefit to one person, or let them claim one: what it would be is shown before it is saved."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from flask import flash, request
from flask.typing import ResponseReturnValue

from webapp.adapters import clock, randomness
from webapp.blueprints.benefits import bp, landing
from webapp.blueprints.benefits.forms import ClaimForm, IssueForm
from webapp.domain.benefit_dates import BY_TERMS, Days
from webapp.domain.benefits import told
from webapp.domain.errors import DomainError, Refused
from webapp.domain.identity import Reach
from webapp.domain.permissions import Permission
from webapp.domain.redemptions import receipt
from webapp.extensions import db
from webapp.queries import benefit_gates as gates
from webapp.queries import benefits as read
from webapp.queries import choices, reaches, voucher_pool
from webapp.queries import till as read_till
from webapp.services import benefits
from webapp.web import benefit_words
from webapp.web.access import bound, requires, where
from webapp.web.codes import mint
from webapp.web.paging import MOST, number
from webapp.web.rendering import go, leave, render

_PERMISSIONS: dict[type[Any], Permission] = {
    IssueForm: Permission.BENEFITS_ISSUE,
    ClaimForm: Permission.BENEFITS_CLAIM,
}


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.BENEFITS_ISSUE)
def issue() -> ResponseReturnValue:
    """Issue one benefit; the page of a person or of a definition fills in its part."""
    form = _form(IssueForm, Permission.BENEFITS_ISSUE)
    person = _person(form)
    if person and (made := form.submit(benefits.issue, profile_id=person.id, mint=mint())):
        flash("Issued.", "success")
        return go(".show", benefit_id=made.id)
    preview = _preview(form, person, Permission.BENEFITS_ISSUE)
    return render("benefits/issue.html", "benefits/_issue.html", form.status, form=form, preview=preview)


@bp.post("/new/preview")
@requires(Permission.BENEFITS_ISSUE)
def preview() -> ResponseReturnValue:
    """What the benefit would be, from what is typed so far."""
    form = _form(IssueForm, Permission.BENEFITS_ISSUE)
    form.validate()
    return render("benefits/_preview.html", preview=_preview(form, _named(form), Permission.BENEFITS_ISSUE))


@bp.route("/claim", methods=["GET", "POST"])
@requires(Permission.BENEFITS_CLAIM, within=True)
def claim() -> ResponseReturnValue:
    """Claim a benefit for a person who asks for it, and redeem it at once if they want."""
    form, reached = _form(ClaimForm, Permission.BENEFITS_CLAIM), bound(Permission.BENEFITS_CLAIM)
    person = _person(form)
    if person:
        made = form.submit(
            benefits.claim,
            profile_id=person.id,
            mint=mint(),
            receipt=receipt(randomness.entropy),
            where=reached,
        )
        if made:
            flash("Claimed and redeemed." if form.count.data else "Claimed.", "success")
            return leave(landing.after(None if reached is None else read.owner(db.session(), made.id).site_id, made))
    return render(
        "benefits/claim.html",
        "benefits/_claim.html",
        form.status,
        form=form,
        preview=_preview(form, person, Permission.BENEFITS_CLAIM),
        crumbs=landing.crumbs(),
    )


@bp.post("/claim/preview")
@requires(Permission.BENEFITS_CLAIM, within=True)
def claim_preview() -> ResponseReturnValue:
    """Whether the person may claim it, from what is typed so far."""
    form = _form(ClaimForm, Permission.BENEFITS_CLAIM)
    form.validate()
    found = _preview(form, _named(form), Permission.BENEFITS_CLAIM)
    return render("benefits/_claim_preview.html", preview=found)


def _form(kind: type[Any], permission: Permission) -> Any:
    """The form, with the definitions of the sites where this person may do it, and what the address fills in."""
    session = db.session()
    form, sites = kind(), reaches.touched(where(permission))
    is_open = choices.definitions(session, sites, claimable=kind is ClaimForm)
    form.definition_id.offer(is_open, partial(choices.definition, session, sites))
    if request.method == "GET":
        form.definition_id.data = number("definition") or form.definition_id.data
        form.definition_id.keep()
    return form


def _named(form: Any) -> Any:
    """Whom a form means, or on the way from their page whom the address means; nobody outside one's organisations."""
    session = db.session()
    reached = where(_PERMISSIONS[type(form)])
    given = number("profile") if request.method == "GET" else None
    if given:
        found = read_till.person(session, given, reached)
        form.person.data = found.external_id or found.email
        return found
    return read_till.person_named(session, str(form.person.data or ""), reached)


def _person(form: Any) -> Any:
    """Whom a form means; nobody is refused on its field, and only when it was sent."""
    found = _named(form)
    if request.method == "POST" and form.validate_on_submit() and found is None:
        form.refuse(benefits.unknown_person())
    return found


def _preview(form: Any, person: Any, permission: Permission) -> dict[str, Any] | None:
    """What would be issued, and what is in the way; None while it is not known to whom or what."""
    session, now = db.session(), clock.now()
    if person is None or not 0 < (form.definition_id.data or 0) <= MOST:
        return None
    try:
        reached = where(permission)
        definition, site = read.definition(session, form.definition_id.data, reaches.touched(reached))
        is_claim = permission is Permission.BENEFITS_CLAIM
        if isinstance(reached, Reach) and not reaches.may_hold(session, reached, person.id, site.id):
            raise benefits.unknown_person()
        zone = benefits.zone_of("" if is_claim else form.zone.data, person, site)
        days = BY_TERMS if is_claim else (form.issued_on.data, form.expires_on.data)
        plan, code, against = _plan(definition, person, zone, now, days)
        stands = gates.standing(session, definition.id, person.id, now)
        has_code = code is not None if definition.force_allocation and plan else None
        if is_claim:
            told_of = gates.condition(session, definition, person.id, now, zone)
            rules = benefit_words.table(gates.to_claim(definition, stands, told_of, now, zone, has_code=has_code))
        else:
            rules = benefit_words.table(gates.to_issue(definition, stands, now, zone, has_code=has_code, days=days))
    except DomainError as refusal:
        return {"refusal": refusal.message, "is_open": True}
    if plan is None:
        return {"refusal": against, "rules": rules, "is_open": all(rule.is_open for rule in rules)}
    return {
        "refusal": "",
        "name": definition.name,
        "person": benefit_words.person(person, in_full=True),
        "rules": rules,
        "from": told(plan.issued_at, zone),
        "until": told(plan.expires_at, zone) or "never ends",
        "code": _code_words(definition, form, has_code=code is not None),
        "times": definition.max_redemptions,
        "notices": benefit_words.notices(definition, plan.issued_at, plan.expires_at, zone, now),
    }


def _plan(definition: Any, person: Any, zone: str, now: datetime, days: Days) -> tuple[Any, Any, str]:
    """What it would be, with the code that would be given; without a plan what is wrong with its days."""
    try:
        plan = benefits.planned(definition, zone, now, issued_on=days[0], expires_on=days[1])
        code = voucher_pool.next_code(db.session(), definition, person.id, max(now, plan.issued_at), zone)
        return benefits.capped(plan, code.expires_at if code else None), code, ""
    except Refused as refusal:
        return None, None, refusal.message


def _code_words(definition: Any, form: Any, *, has_code: bool) -> str:
    typed = form.redeem_code_pos.data if "redeem_code_pos" in form else ""
    if typed:
        return f"{typed}, its own"
    if definition.voucher_type is not None and not has_code:
        instead = "that of the definition" if definition.redeem_code_pos else "none"
        return f"{instead}: no code of «{definition.voucher_type.title}» is left for this person and day"
    if definition.voucher_type is not None:
        return f"one of {definition.voucher_type.idle_count:,} codes left of «{definition.voucher_type.title}»"
    return f"{definition.redeem_code_pos}, the same for all" if definition.redeem_code_pos else "a new one of its own"
