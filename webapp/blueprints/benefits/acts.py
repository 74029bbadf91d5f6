"""What is done to one benefit: each act on a page of its own that says what will happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import flash
from flask.typing import ResponseReturnValue

from webapp.adapters import clock, randomness
from webapp.blueprints.benefits import bp, forms, landing, listing
from webapp.domain.benefits import state, told
from webapp.domain.errors import Refused
from webapp.domain.extensions import may_take_back
from webapp.domain.permissions import Permission
from webapp.domain.redemptions import receipt
from webapp.extensions import db
from webapp.queries import benefit_ends as ends
from webapp.queries import benefit_gates as gates
from webapp.queries import benefits as read
from webapp.queries import extensions as read_extensions
from webapp.queries import redemptions as read_ledger
from webapp.services import benefits
from webapp.web import benefit_words, places
from webapp.web.access import actor, bound, requires, scope, where
from webapp.web.forms import CommandForm, PressForm
from webapp.web.rendering import go, leave, render


@dataclass(frozen=True, slots=True)
class Act:
    """An act as its page offers it: the button, what it will do, and what is said afterwards."""

    label: str
    consequences: tuple[str, ...]
    done: str
    kind: str = "primary"


REDEEM = Act(
    "Redeem benefit",
    (
        "The ledger gets a line with your name, the place and a receipt of four signs.",
        "A slip can be reversed within ten minutes.",
    ),
    "Redeemed.",
)
EXTEND = Act(
    "Extend benefit",
    ("It ends later; an expired benefit is good again.", "It can be extended once.", "Give days or a date, not both."),
    "Extended.",
)
EXPIRY = Act(
    "Set the end",
    ("The end is moved against the terms, sooner or later.", "The reason stays in the history and in the audit log."),
    "The end was set.",
    "danger",
)
REASSIGN = Act(
    "Hand over",
    ("It belongs to another person from now on, with what was redeemed of it.", "Both histories tell it."),
    "Handed over.",
)
VOID = Act(
    "Make void",
    (
        "No till takes it any more; the record stays.",
        "Its code does not go back to the pool by itself.",
        "It can be undone for ten minutes.",
    ),
    "Made void. It can be undone for ten minutes.",
    "danger",
)
RESTORE = Act("Undo voiding", ("The benefit is as it was before.",), "Restored.")
RELEASE = Act(
    "Release the code",
    ("The code goes back to its pool, and somebody else is given it.", "This benefit is without a code from then on."),
    "The code is in its pool again.",
    "danger",
)
RETURN = Act("Take back", ("So many can be redeemed again; the ledger gets a line of its own.",), "Taken back.")
REVERSE = Act(
    "Reverse redemption", ("The whole redemption is taken back; the ledger keeps both lines.",), "Reversed.", "danger"
)


@bp.route("/<int:benefit_id>/redeem", methods=["GET", "POST"])
@requires(Permission.BENEFITS_REDEEM)
def redeem(benefit_id: int) -> ResponseReturnValue:
    """Redeem it; a refusal is kept with its reason."""
    sites = scope(Permission.BENEFITS_REDEEM)
    sheet = read.sheet(db.session(), benefit_id, sites)
    form = forms.RedeemForm()
    places.offer(form.location_id, sites)
    found = form.submit(benefits.attempt, benefit_id=benefit_id, where=sites, receipt=receipt(randomness.entropy))
    if isinstance(found, benefits.RedemptionAttempt):
        form.refuse(Refused(found.reason, found.message, found.field or None))
    elif found is not None:
        flash(f"Redeemed. The receipt is {found.receipt}.", "success")
        return go(".show", benefit_id=benefit_id)
    return _page(form, sheet, REDEEM)


@bp.route("/<int:benefit_id>/extend", methods=["GET", "POST"])
@requires(Permission.BENEFITS_CHANGE)
def extend(benefit_id: int) -> ResponseReturnValue:
    """A later end, by days or to a date."""
    return _move_end(benefit_id, forms.ExtendForm(), benefits.extend, EXTEND, Permission.BENEFITS_CHANGE)


@bp.route("/extend", methods=["GET", "POST"])
@requires(Permission.BENEFITS_CHANGE)
def extend_several() -> ResponseReturnValue:
    """A later end for the ticked benefits, after saying which of them cannot have one, and why."""
    session, sites = db.session(), scope(Permission.BENEFITS_CHANGE)
    rows = read.several(session, sites, listing.ticked())
    why = gates.to_extend(session, rows)
    form = forms.ExtendSeveralForm()
    able = tuple(row.id for row in rows if not why[row.id])
    ticked = tuple(row.id for row in rows)
    if able and (made := form.submit(benefits.extend_several, benefit_ids=ticked)):
        left = len(made.passed_over)
        flash(f"{len(rows) - left:,} extended, {left:,} left as they are.", "success")
        return go(".extension", extension_id=made.id)
    return render(
        "benefits/extend.html",
        "benefits/_extend.html",
        form.status,
        form=form,
        rows=rows,
        why=why,
        able=able,
        ids=[row.id for row in rows],
        ends=ends.of(session, able),
        in_full=actor().may(Permission.PROFILES_VIEW),
        benefit_words=benefit_words,
    )


@bp.route("/extensions/<int:extension_id>", methods=["GET", "POST"])
@requires(Permission.BENEFITS_VIEW)
def extension(extension_id: int) -> ResponseReturnValue:
    """What was extended together; taken back within ten minutes by whoever did it, or who may set the end."""
    session, sites = db.session(), scope(Permission.BENEFITS_VIEW)
    made = read_extensions.get(session, extension_id, sites)
    form = PressForm()
    if form.press(lambda work: benefits.undo_extension(work, benefits.UndoExtension(extension_id))):
        flash("Taken back: what nobody has used since ends when it did before.", "success")
        return go(".extension", extension_id=extension_id)
    if form.is_submitted():  # it was refused: somebody may have been faster
        made = read_extensions.get(session, extension_id, sites)
    lines = read_extensions.lines(session, extension_id)
    over = {int(number): str(words) for number, words in made.passed_over}
    rows = {row.id: row for row in read.several(session, sites, [*(line.benefit_id for line in lines), *over])}
    is_allowed = benefits.may_undo_extension(actor(), made, read_extensions.sites(session, extension_id))
    return render(
        "benefits/extension.html",
        "benefits/_extension.html",
        form.status,
        form=form,
        made=made,
        lines=lines,
        over=over,
        rows=rows,
        ends=ends.of(session, rows),
        verdict=may_take_back(made.at, made.by, made.undone_at, clock.now(), is_allowed=is_allowed),
        in_full=actor().may(Permission.PROFILES_VIEW),
        benefit_words=benefit_words,
    )


@bp.route("/<int:benefit_id>/expiry", methods=["GET", "POST"])
@requires(Permission.BENEFITS_OVERRIDE)
def expiry(benefit_id: int) -> ResponseReturnValue:
    """Another end against the terms, with a reason."""
    return _move_end(benefit_id, forms.ExpiryForm(), benefits.set_expiry, EXPIRY, Permission.BENEFITS_OVERRIDE)


@bp.route("/<int:benefit_id>/reassign", methods=["GET", "POST"])
@requires(Permission.BENEFITS_CHANGE)
def reassign(benefit_id: int) -> ResponseReturnValue:
    """To another person."""
    return _act(benefit_id, forms.ReassignForm(), benefits.reassign, REASSIGN)


@bp.route("/<int:benefit_id>/void", methods=["GET", "POST"])
@requires(Permission.BENEFITS_CHANGE)
def void(benefit_id: int) -> ResponseReturnValue:
    """No till takes it any more."""
    return _act(benefit_id, forms.VoidForm(), benefits.void, VOID)


@bp.route("/<int:benefit_id>/restore", methods=["GET", "POST"])
@requires(Permission.BENEFITS_CHANGE)
def restore(benefit_id: int) -> ResponseReturnValue:
    """Undo voiding."""
    return _act(benefit_id, forms.RestoreForm(), benefits.restore, RESTORE)


@bp.route("/<int:benefit_id>/release", methods=["GET", "POST"])
@requires(Permission.BENEFITS_CHANGE)
def release(benefit_id: int) -> ResponseReturnValue:
    """The code of a void benefit goes back to its pool, when nobody can know it."""
    return _act(benefit_id, forms.ReleaseForm(), benefits.release, RELEASE)


@bp.route("/redemptions/<int:redemption_id>/return", methods=["GET", "POST"])
@requires(Permission.BENEFITS_RETURN, within=True)
def give_back(redemption_id: int) -> ResponseReturnValue:
    """A part or all of a redemption comes back."""
    return _take_back(redemption_id, forms.ReturnForm(), benefits.give_back, RETURN)


@bp.route("/redemptions/<int:redemption_id>/reverse", methods=["GET", "POST"])
@requires(Permission.BENEFITS_RETURN, within=True)
def reverse(redemption_id: int) -> ResponseReturnValue:
    """A whole redemption is taken back, within ten minutes."""
    return _take_back(redemption_id, forms.ReverseForm(), benefits.reverse, REVERSE)


def _move_end(
    benefit_id: int, form: CommandForm[Any], service: Callable[..., Any], act: Act, permission: Permission
) -> ResponseReturnValue:
    """An act that moves the end: what that stands beside is told before; afterwards the page of the benefit tells it."""
    sheet = read.sheet(db.session(), benefit_id, scope(permission))
    if form.submit(service, benefit_id=benefit_id):
        flash(act.done, "success")
        return go(".show", benefit_id=benefit_id)
    return _page(form, sheet, act, *ends.of(db.session(), [benefit_id])[benefit_id].warned())


def _act(benefit_id: int, form: CommandForm[Any], service: Callable[..., Any], act: Act) -> ResponseReturnValue:
    sheet = read.sheet(db.session(), benefit_id, scope(Permission.BENEFITS_CHANGE))
    if form.submit(service, benefit_id=benefit_id):
        flash(act.done, "success")
        return go(".show", benefit_id=benefit_id)
    return _page(form, sheet, act)


def _take_back(
    redemption_id: int, form: CommandForm[Any], service: Callable[..., Any], act: Act
) -> ResponseReturnValue:
    line = read_ledger.sheet(db.session(), redemption_id, where(Permission.BENEFITS_RETURN))
    reached = bound(Permission.BENEFITS_RETURN)
    if form.submit(service, redemption_id=redemption_id, receipt=receipt(randomness.entropy), where=reached):
        flash(act.done, "success")
        return leave(landing.after(line.definition.site_id, line.benefit))
    words = (
        f"{line.redemption.count} redeemed on {told(line.redemption.at, line.benefit.zone)} by {line.redemption.by}, "
        f"receipt {line.redemption.receipt}; {line.returned} came back."
    )
    return _page(form, read.sheet(db.session(), line.benefit.id, None), act, words)


def _page(form: CommandForm[Any], sheet: read.BenefitSheet, act: Act, *more: str) -> ResponseReturnValue:
    in_full = actor().may(Permission.PROFILES_VIEW)
    return render(
        "benefits/act.html",
        "benefits/_act.html",
        form.status,
        form=form,
        sheet=sheet,
        act=act,
        back_url=landing.after(sheet.site.id, sheet.benefit),
        crumbs=landing.crumbs(sheet.site.id),
        holder=benefit_words.person(sheet.holder, in_full=in_full),
        state=state(sheet.benefit.facts, clock.now()),
        consequences=[(None, words) for words in (*more, *act.consequences)],
    )
