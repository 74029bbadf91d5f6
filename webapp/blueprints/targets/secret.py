"""The secret of a webhook: shown once when it is made, and made anew."""

from __future__ import annotations

from typing import Any

from flask import session as visit
from flask.typing import ResponseReturnValue

from webapp.blueprints.targets import bp
from webapp.domain.ciphers import Unopenable
from webapp.domain.errors import Refused
from webapp.domain.notices import TargetKind
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import targets as read
from webapp.services import targets
from webapp.web import webhooks
from webapp.web.access import requires, scope
from webapp.web.forms import PressForm
from webapp.web.rendering import go, render

EDIT = Permission.DEFINITIONS_EDIT
_MADE = "webhook_secret"  # which secret the visit may still see; never the secret itself


def noted(target: Any) -> Any:
    """Let the next page show the secret that was just made; a form sent twice does not come here again."""
    if target.kind is TargetKind.WEBHOOK:
        visit[_MADE] = _mark(target)
    return target


def _mark(target: Any) -> list[Any]:
    return [target.id, target.secret_made_at.isoformat()]


@bp.get("/<int:target_id>/secret")
@requires(EDIT)
def secret(target_id: int) -> ResponseReturnValue:
    """The secret, once, to whoever made it; afterwards it can only be made anew."""
    target = read.get(db.session(), target_id, scope(EDIT))
    made = visit.pop(_MADE, None)
    if target.kind is not TargetKind.WEBHOOK or made != _mark(target):
        return go(".show", target_id=target_id)
    try:
        shown = webhooks.secrets().open(target.name, target.secret)
    except Unopenable:
        return go(".show", target_id=target_id)
    return render("targets/secret.html", target=target, secret=shown)


@bp.route("/<int:target_id>/renew-secret", methods=["GET", "POST"])
@requires(EDIT, confirmed=True)
def renew_secret(target_id: int) -> ResponseReturnValue:
    """What a new secret does, and the button."""
    target = read.get(db.session(), target_id, scope(EDIT))
    form = PressForm()
    command = targets.RenewSecret(target_id, webhooks.secrets())
    if form.press(lambda work: noted(targets.renew_secret(work, command))):
        return go(".secret", target_id=target_id)
    if target.kind is not TargetKind.WEBHOOK:
        form.refuse(Refused("target.no_secret", f"«{target.title}» is an e-mail; only webhooks have a secret."))
    consequences = [
        (None, "What leaves from now on is signed with the new secret, also what waits to be tried again."),
        (None, "The receiver refuses all of it until it has the new secret: be ready to put it in there."),
        (None, "It is shown once, on the next page. The old one cannot be brought back."),
    ]
    return render(
        "targets/confirm.html",
        "targets/_confirm.html",
        form.status,
        form=form,
        target=target,
        title="Make a new secret",
        button="Make a new secret",
        consequences=consequences,
        kind="danger",
    )
