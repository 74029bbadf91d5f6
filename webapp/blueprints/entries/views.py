"""The entries of one reward, and the upload of more."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from webapp.blueprints.entries import presenters
from webapp.blueprints.entries.forms import UploadForm
from webapp.domain import rewards as rules
from webapp.domain.entries import WORDS, EntryStatus
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import entries as read
from webapp.queries import imports as read_imports
from webapp.queries import rewards as read_rewards
from webapp.services import imports
from webapp.web.access import requires, scope
from webapp.web.exporting import offer
from webapp.web.paging import choice, number, text
from webapp.web.rendering import go, render

bp = Blueprint("entries", __name__, url_prefix="/rewards/<name:name>/entries")


@bp.get("")
@requires(Permission.PROFILES_VIEW)
def index(name: str) -> ResponseReturnValue:
    """Entries, the newest first, searched by number, receipt or person."""
    session = db.session()
    sheet = read_rewards.sheet(session, name, scope(Permission.PROFILES_VIEW))
    reward = sheet.reward
    search, status, before = text("q"), _status(), number("before")
    rows = read.page(session, reward.id, search=search, status=status, before=before)
    counts = read.counts(session, reward.id)
    return render(
        "entries/index.html",
        "entries/_results.html",
        sheet=sheet,
        reward=reward,
        rows=rows[: read.PAGE],
        older=rows[read.PAGE - 1].number if len(rows) > read.PAGE else None,
        is_first=before is None,
        search=search,
        chosen=status,
        words=WORDS,
        tabs=presenters.tabs(name, reward.entry_count, counts, status, search),
        may_enter=rules.may_enter(reward.facts),
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.PROFILES_VIEW, confirmed=True)
def export(name: str) -> ResponseReturnValue:
    """The entries of the list as a file."""
    reward_id = read_rewards.id_of(db.session(), name, scope(Permission.PROFILES_VIEW))
    search, status = text("q"), _status()
    return offer(
        "entries", read.EXPORT, lambda session: read.stream(session, reward_id, status, search, as_listed=True)
    )


def _status() -> EntryStatus | None:
    return choice("status", EntryStatus)


@bp.route("/upload", methods=["GET", "POST"])
@requires(Permission.ENTRIES_IMPORT)
def upload(name: str) -> ResponseReturnValue:
    """Take a file of entries; its columns are chosen next."""
    session = db.session()
    sheet = read_rewards.sheet(session, name, scope(Permission.ENTRIES_IMPORT))
    form = UploadForm()
    file = form.incoming()
    if file and (run := form.submit(imports.upload, reward_id=sheet.reward.id, file=file)):
        return go("imports.show", run_id=run.id)
    return render(
        "entries/upload.html",
        "entries/_upload.html",
        form.status,
        form=form,
        sheet=sheet,
        reward=sheet.reward,
        may_enter=rules.may_enter(sheet.reward.facts),
        earlier=read_imports.page(session, scope(Permission.ENTRIES_IMPORT), reward_id=sheet.reward.id, size=5)[:5],
    )
