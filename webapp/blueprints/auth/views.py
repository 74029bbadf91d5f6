"""Sign in, sign out, take up an invitation."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from werkzeug.exceptions import Unauthorized

from webapp.blueprints.auth.confirming import ask_to_confirm
from webapp.blueprints.auth.expired import ask_to_sign_in, shown, unpacked
from webapp.blueprints.auth.forms import CodeForm, ConfirmForm, InvitationForm, SignInForm
from webapp.domain.errors import DomainError
from webapp.domain.permissions import Permission
from webapp.services.staff_sessions import TooManyTries
from webapp.web import authentication, proofs, second_step
from webapp.web.access import actor, requires
from webapp.web.rendering import go, leave

bp = Blueprint("auth", __name__)
bp.app_errorhandler(Unauthorized)(ask_to_sign_in)
bp.app_errorhandler(proofs.ConfirmationNeeded)(ask_to_confirm)


@bp.route("/sign-in", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def sign_in() -> ResponseReturnValue:
    form = SignInForm(next=request.args.get("next"))
    headers: dict[str, str] = {}
    status = HTTPStatus.OK
    if form.validate_on_submit():
        try:
            is_all = second_step.sign_in(form.email.data, form.password.data)
        except TooManyTries as wait:
            form.form_errors.append(wait.message)
            status, headers["Retry-After"] = HTTPStatus.TOO_MANY_REQUESTS, str(wait.seconds)
        except DomainError as refusal:
            form.form_errors.append(refusal.message)
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        else:
            return _go_on(form) if is_all else _ask_for_code(CodeForm(None, data=form.data))
    elif actor().staff_id is not None:
        return leave(authentication.safe_next(form.next.data))
    elif form.errors:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    kept = unpacked(form.kept.data)
    page = render_template("auth/sign_in.html", form=form, kept=shown(kept[1]) if kept else [], has_files=False)
    return page, status, headers


@bp.route("/sign-in/code", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def code() -> ResponseReturnValue:
    """The second step: a code of the authenticator, or a recovery code."""
    if not second_step.is_waiting():
        flash("Sign in with the password first; the code is asked for within five minutes.", "info")
        return go(".sign_in")
    form = CodeForm()
    if not form.validate_on_submit():
        return _ask_for_code(form, 422 if form.errors else 200)
    try:
        second_step.finish(form.code.data)
    except TooManyTries as wait:
        form.form_errors.append(wait.message)
        page, _ = _ask_for_code(form)
        return page, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(wait.seconds)}
    except DomainError as refusal:
        _put(form, refusal)
        return _ask_for_code(form, 422)
    return _go_on(form)


def _ask_for_code(form: CodeForm, status: int = 200) -> tuple[str, int]:
    kept = unpacked(form.kept.data)
    page = render_template("auth/code.html", form=form, kept=shown(kept[1]) if kept else [], has_files=False)
    return page, status


def _go_on(form: SignInForm | CodeForm) -> Response:
    """To where the person was going; an interrupted form is laid out again first."""
    target = authentication.safe_next(form.next.data)
    kept = unpacked(form.kept.data)
    if kept is None:
        return leave(target)
    path, typed = kept
    return make_response(
        render_template("auth/resume.html", path=path, typed=typed, kept=shown(typed), back_url=target)
    )


@bp.route("/confirm", methods=["GET", "POST"])
@requires(Permission.SIGNED_IN)
def confirm() -> ResponseReturnValue:
    """The password again, on the way to a page that needs it; forms that were sent ask for it themselves."""
    form = ConfirmForm(next=request.args.get("next"))
    headers: dict[str, str] = {}
    status = HTTPStatus.OK
    if form.validate_on_submit():
        try:
            proofs.confirm(form.password_again.data, authentication.safe_next(form.next.data)[:200])
        except TooManyTries as wait:
            form.form_errors.append(wait.message)
            status, headers["Retry-After"] = HTTPStatus.TOO_MANY_REQUESTS, str(wait.seconds)
        except DomainError as refusal:
            _put(form, refusal)
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        else:
            return leave(authentication.safe_next(form.next.data))
    elif form.errors:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    action = url_for("auth.confirm")
    return render_template("auth/confirm.html", form=form, action=action, typed=[], has_files=False), status, headers


@bp.post("/sign-out")
@requires(Permission.PUBLIC)
def sign_out() -> ResponseReturnValue:
    authentication.sign_out()
    return go("auth.sign_in")


@bp.route("/invitations/<token:token>", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def invitation(token: str) -> ResponseReturnValue:
    member = authentication.invited(token)
    email, has_joined = member.email, member.password_hash is not None
    form = InvitationForm()
    if has_joined:
        del form.name
    if form.validate_on_submit():
        try:
            is_all = second_step.take_up(token, None if has_joined else form.name.data, form.password.data)
        except DomainError as refusal:
            _put(form, refusal)
        else:
            if not is_all:
                return go(".code")
            flash("Your new password holds." if has_joined else "Welcome. Your account is ready.", "success")
            return go("today.index")
    action = url_for("auth.invitation", token=token)
    page = render_template("auth/invitation.html", form=form, email=email, has_joined=has_joined, action=action)
    return page, 422 if form.errors else 200


def _put(form: FlaskForm, refusal: DomainError) -> None:
    """Put a refusal on its field, else on top."""
    field = form._fields.get(refusal.field or "")
    if field is None:
        form.form_errors.append(refusal.message)
    else:
        field.errors = [*field.errors, refusal.message]
