"""One's own second factor: set up, proved by a first code, renewed, removed."""

from __future__ import annotations

from base64 import b64encode

from flask import flash, g
from flask import session as visit
from flask.typing import ResponseReturnValue

from webapp.adapters import barcodes, randomness
from webapp.blueprints.account.forms import CodeForm
from webapp.blueprints.account.views import bp
from webapp.domain import ciphers
from webapp.domain import second_factor as rules
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import staff as read
from webapp.services import staff_second_factor as second_factors
from webapp.services.work import Work
from webapp.web import second_step
from webapp.web.access import actor, requires
from webapp.web.forms import PressForm
from webapp.web.rendering import go, render

_CODES = "recovery_codes"  # where new ones wait in the visit until they were shown


@bp.get("/second-factor")
@requires(Permission.SIGNED_IN)
def second_factor() -> ResponseReturnValue:
    """Whether there is one, and the way to it: the secret as text and picture, then a first code."""
    return _page(CodeForm(formdata=None))


def _page(form: CodeForm) -> ResponseReturnValue:
    person = _person()
    secret = "" if person.since or actor().is_looking else _secret(person)
    return render(
        "account/second_factor.html",
        None,
        form.status,
        form=form,
        press=PressForm(formdata=None),
        person=person,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        picture=_picture(secret, person.email) if secret else "",
        left=read.recovery_codes_left(db.session(), person.staff_id) if person.since else 0,
        is_needed=rules.is_needed(actor().roles, is_optional=g.staff.is_second_factor_optional),
    )


@bp.post("/second-factor/begin")
@requires(Permission.SIGNED_IN, confirmed=True)
def begin_second_factor() -> ResponseReturnValue:
    """A new secret, which counts for nothing until its first code was given."""
    secret = rules.written(randomness.entropy(rules.SECRET))
    context = second_step.context(g.staff.id)
    sealed = ciphers.seal(second_step.key(), context, randomness.entropy(ciphers.NONCE), secret)
    form = PressForm()
    if not form.press(lambda work: second_factors.begin(work, second_factors.BeginSecondFactor(sealed))):
        _tell(form)
    return go(".second_factor")


@bp.post("/second-factor/prove")
@requires(Permission.SIGNED_IN, confirmed=True)
def prove_second_factor() -> ResponseReturnValue:
    """The first code: from here on signing in asks for one."""
    form = CodeForm()
    codes = rules.recovery_codes(randomness.entropy(rules.RECOVERY_CODES * rules.RECOVERY))

    def prove(work: Work) -> object:
        person = _person()
        step = second_step.step_of(person, form.code.data)
        if step is None:
            raise second_factors.wrong()
        hashes = tuple(map(rules.recovery_hash, codes))
        return _noted(codes, second_factors.prove(work, second_factors.ProveSecondFactor(person.sealed, step, hashes)))

    return go(".recovery_codes") if form.press(prove) else _page(form)


def _noted(codes: tuple[str, ...], done: object) -> object:
    """Let the next page show the codes; a form sent twice does not come here again, for its codes were never kept."""
    visit[_CODES] = list(codes)
    return done


@bp.route("/second-factor/recovery-codes", methods=["GET", "POST"])
@requires(Permission.SIGNED_IN, confirmed=True)
def recovery_codes() -> ResponseReturnValue:
    """Ten codes, shown once; a press makes ten new ones and the old ones open nothing any more."""
    form = PressForm()
    codes = rules.recovery_codes(randomness.entropy(rules.RECOVERY_CODES * rules.RECOVERY))
    command = second_factors.RenewCodes(tuple(map(rules.recovery_hash, codes)))
    if form.press(lambda work: _noted(codes, second_factors.renew_codes(work, command))):
        return go(".recovery_codes")
    _tell(form)
    shown = visit.pop(_CODES, None)
    if not shown:
        return go(".second_factor")
    return render("account/recovery_codes.html", codes=shown)


@bp.post("/second-factor/remove")
@requires(Permission.SIGNED_IN, confirmed=True)
def remove_second_factor() -> ResponseReturnValue:
    """Back to the password alone, where the roles allow it."""
    form = PressForm()
    if form.press(second_factors.remove):
        flash("Your second factor is removed.", "success")
    _tell(form)
    return go(".second_factor")


def _tell(form: PressForm) -> None:
    for message in form.form_errors:
        flash(message, "error")


def _person() -> read.SecondFactor:
    found = read.second_factor(db.session(), g.staff.id)
    assert found is not None, "whoever is signed in has an account"  # noqa: S101
    return found


def _secret(person: read.SecondFactor) -> str:
    """The secret that was begun; empty when there is none, or when it was sealed under another key."""
    try:
        return ciphers.unseal(second_step.key(), second_step.context(person.staff_id), person.sealed)
    except ciphers.Unopenable:
        return ""


def _picture(secret: str, email: str) -> str:
    svg = barcodes.qr_svg(rules.address(secret, email))
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
