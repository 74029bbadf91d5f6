"""The address by which product.md section 4 knows definitions, led to where benefits.md 12, row 7, has them."""

from __future__ import annotations

from flask import abort, current_app, redirect, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from webapp.blueprints.benefit_definitions import bp
from webapp.domain.permissions import Permission
from webapp.web.access import requires

ELSEWHERE = "/benefit-definitions"


@requires(Permission.SIGNED_IN)
def lead_here(rest: str = "") -> ResponseReturnValue:
    """The same page below ours, with all that was asked of it; 404 where we have none."""
    root = url_for("benefit_definitions.index")
    pages = current_app.create_url_adapter(request)
    if rest and not (pages and pages.test(f"{root}/{rest}", "GET")):
        abort(404)
    return redirect(root + request.full_path.removeprefix(ELSEWHERE).rstrip("?"), 308)


@bp.record_once
def _register(state: BlueprintSetupState) -> None:
    for rule in (ELSEWHERE, f"{ELSEWHERE}/<path:rest>"):
        state.app.add_url_rule(rule, "benefit_definitions.lead_here", lead_here, methods=["GET"])
