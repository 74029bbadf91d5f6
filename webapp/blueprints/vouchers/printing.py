"""Printing the vouchers of a reward's winners: choose, watch, download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, abort, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from webapp.adapters import clock, typesetting, voucher_cards
from webapp.blueprints.vouchers.forms import PrintForm
from webapp.blueprints.vouchers.views import bp
from webapp.domain.errors import NotFound
from webapp.domain.jobs import JobStatus
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.jobs.vouchers import result_of
from webapp.queries import files as read_files
from webapp.queries import jobs as read_jobs
from webapp.queries import rewards as read_rewards
from webapp.queries import voucher_cards as read
from webapp.services import vouchers
from webapp.web import job_cards
from webapp.web.access import requires, scope
from webapp.web.paging import number, text
from webapp.web.rendering import go, render, unchanged

if TYPE_CHECKING:
    from webapp.models import Job

SHOWN = 50  # winners to tick on one page
CHECKED = 500  # cards whose letters are checked before printing
# Sheets of benefits are watched and fetched at the same place.
_KINDS = {"vouchers.print": "Print vouchers", "benefits.print": "Print benefits"}


@bp.route("/print", methods=["GET", "POST"])
@requires(Permission.CODES_PRINT, confirmed=True)
def print_sheets() -> ResponseReturnValue:
    """Choose winners and layout; the sheets are made by a job."""
    session, where = db.session(), scope(Permission.CODES_PRINT)
    name = text("reward", 60)
    if not name:
        return render("vouchers/print_choice.html", rewards=read.rewards(session, where, clock.now()))
    sheet = read_rewards.sheet(session, name, where)
    winners = read.winners(session, sheet.reward.id, clock.now())
    form = PrintForm()
    form.winner_ids.choices = [SelectChoice(str(winner.id), winner.name) for winner in winners]
    if job := form.submit(vouchers.order, reward_id=sheet.reward.id):
        return go(".progress", job_id=job.id)
    ids = read.ids_of_reward(session, sheet.reward.id, clock.now())
    passed = min(number("passed") or 0, len(winners))
    return render(
        "vouchers/print.html",
        "vouchers/_print.html",
        form.status,
        form=form,
        reward=sheet.reward,
        winners=winners[passed : passed + SHOWN],
        passed=passed,
        newer=max(passed - SHOWN, 0) if passed else None,
        older=passed + SHOWN if passed + SHOWN < len(winners) else None,
        winner_count=len(winners),
        total=len(ids),
        layouts=typesetting.LAYOUTS.values(),
        boxes=_boxes(ids[:CHECKED]),
    )


def _boxes(voucher_ids: list[int]) -> list[tuple[str, str]]:
    """Whose cards have signs that no font here can draw, and which signs."""
    rows = [row for row in read.rows(db.session(), voucher_ids) if not voucher_cards.is_plain(row)]
    missing = typesetting.unprintable(map(voucher_cards.card, rows))
    return [(rows[place].holder or rows[place].title, " ".join(sorted(signs))) for place, signs in missing.items()]


@bp.get("/print/preview/<any('a4-2x4','a4-1'):layout>.png")
@requires(Permission.CODES_PRINT)
def preview(layout: str) -> ResponseReturnValue:
    """The first page as it will look, with a sample in the place of every code and name."""
    session, where = db.session(), scope(Permission.CODES_PRINT)
    reward_id = read_rewards.id_of(session, text("reward", 60), where)
    ids = read.ids_of_reward(session, reward_id, clock.now())[:1]
    rows = list(read.rows(session, ids))
    if not rows:
        abort(404)
    cards = [voucher_cards.sample(rows[0])] * typesetting.LAYOUTS[layout].per_page
    response = Response(typesetting.preview(cards, layout), mimetype="image/png")
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


@bp.get("/print/<int:job_id>")
@requires(Permission.CODES_PRINT)
def progress(job_id: int) -> ResponseReturnValue:
    """How far the sheets are, and the file when they are done."""
    job = _job(job_id)
    if same := unchanged(job_cards.tag_of(job)):
        return same
    file_url = url_for(".file", job_id=job.id) if job.status is JobStatus.DONE else None
    card = job_cards.card(job, poll_url=request.path, result_url=file_url)
    crumb = (_KINDS[job.kind], url_for(f"{job.kind.partition('.')[0]}.print_sheets"))
    return render("vouchers/printing.html", "vouchers/_progress.html", job=job, card=card, crumb=crumb)


@bp.get("/print/<int:job_id>/file")
@requires(Permission.CODES_PRINT, confirmed=True)
def file(job_id: int) -> ResponseReturnValue:
    """The sheets: one PDF, or an archive of several."""
    file_id = result_of(_job(job_id).cursor)
    if file_id is None:
        raise NotFound("voucher.not_printed", "The sheets are not ready yet.")
    session = db.session()
    stored = read_files.get(session, file_id)
    response = Response(stream_with_context(read_files.read(session, file_id)), mimetype=stored.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{stored.name}"'
    response.headers["Cache-Control"] = "no-store"
    response.content_length = stored.size
    return response


def _job(job_id: int) -> Job:
    """A print job of a site where this person may print."""
    job = read_jobs.get(db.session(), job_id, scope(Permission.CODES_PRINT))
    if job.kind not in _KINDS:
        raise NotFound("job.unknown", f"There is no print job {job_id}.")
    return job
