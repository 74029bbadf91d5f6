"""The views one has, saving one, removing one."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, HiddenField

from webapp.domain import saved_views as rules
from webapp.domain.errors import NotFound
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import saved_views as read
from webapp.services import saved_views
from webapp.services.saved_views import RemoveView, SaveView
from webapp.web.access import actor, requires
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm, PressForm
from webapp.web.navigation import may_open
from webapp.web.rendering import go, leave, render

bp = Blueprint("saved_views", __name__, url_prefix="/saved-views")


class ViewForm(CommandForm[SaveView]):
    command = SaveView

    title = TextField("Name", length=60, required=True, description="As it stands above the list.")
    is_shared = BooleanField(
        "Share with the team",
        description="Everybody who may open this list sees the name; each finds what they may see.",
    )
    query = HiddenField(filters=[lambda query: rules.normalised(query or "")])


@bp.get("")
@requires(Permission.SIGNED_IN)
def index() -> ResponseReturnValue:
    """One's own views and shared ones of the lists one may open."""
    screens = [screen for screen in rules.SCREENS if may_open(f"{screen}.index")]
    mine = actor().staff_id or 0
    rows = [
        (row, rules.SCREENS[row.screen], address(row), rules.in_words(row.query), row.staff_id == mine)
        for row in read.page(db.session(), mine, screens, size=500)
    ]
    return render("saved_views/index.html", rows=rows, form=PressForm(), may_any=_may_any())


@bp.route("/new/<name:screen>", methods=["GET", "POST"])
@requires(Permission.SIGNED_IN)
def new(screen: str) -> ResponseReturnValue:
    """Name what a list shows at the moment."""
    screen = screen.replace("-", "_")
    if screen not in rules.SCREENS or not may_open(f"{screen}.index"):
        raise NotFound("view.screen", "There is no such list for you.")
    form = ViewForm()
    if request.method == "GET":
        form.query.data = _shown(screen)
    if view := form.submit(saved_views.save, screen=screen):
        flash(f"View «{view.title}» saved.", "success")
        return leave(f"{url_for(f'{screen}.index')}?{view.query}")
    found = rules.in_words(form.query.data or "")
    title, back = rules.SCREENS[screen], f"{url_for(f'{screen}.index')}?{form.query.data or ''}"
    context = {"form": form, "screen": title, "filters": found, "back": back}
    return render("saved_views/new.html", "saved_views/_form.html", form.status, **context)


@bp.post("/<int:view_id>/remove")
@requires(Permission.SIGNED_IN)
def remove(view_id: int) -> ResponseReturnValue:
    """Take a view away."""
    form = PressForm()
    done = form.press(lambda work: saved_views.remove(work, RemoveView(view_id, _may_any())))
    refusal = "" if done else str(next(iter(form.form_errors), "The view was not removed. Try once more."))
    flash(refusal or "View removed.", "warning" if refusal else "success")
    return go(".index")


def address(row: read.ViewRow) -> str:
    """The list as the view shows it."""
    return f"{url_for(f'{row.screen}.index')}?{row.query}"


def _may_any() -> bool:
    return actor().may(Permission.STAFF_MANAGE) and actor().sites(Permission.STAFF_MANAGE) is None


def _shown(screen: str) -> str:
    """What the list showed when its button was pressed: searching moves the browser's address, not the button's."""
    came = urlsplit(request.referrer or "")
    is_list = came.netloc == request.host and came.path == url_for(f"{screen}.index")
    return rules.normalised(came.query if is_list else request.query_string.decode("ascii", "replace"))
