"""The screens of a batch, from whom it is for to what became of it, and the list of all."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import abort, flash, request
from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.benefit_batches import bp, presenters
from webapp.blueprints.benefit_batches.forms import PlanForm
from webapp.domain import benefit_batches as rules
from webapp.domain import benefit_dates
from webapp.domain.benefit_batches import Audience
from webapp.domain.benefits import told
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import benefit_batches as read
from webapp.queries import choices, voucher_pool
from webapp.services.benefits import batches
from webapp.services.benefits.batches import StartBatch, UndoBatch, WithdrawBatch
from webapp.web import benefit_words, downloads, job_cards
from webapp.web.access import actor, listed, requires, scope
from webapp.web.forms import PressForm
from webapp.web.paging import number
from webapp.web.rendering import asked_for_part, go, render, unchanged

VIEW, ISSUE, CHANGE = Permission.BENEFITS_VIEW, Permission.BENEFITS_ISSUE, Permission.BENEFITS_CHANGE


@bp.get("")
@requires(VIEW)
def index() -> ResponseReturnValue:
    """Every batch, the newest first."""
    rows = read.page(db.session(), listed(VIEW), before=number("before"))
    return render(
        "benefit_batches/index.html",
        rows=rows[: read.PAGE],
        older=rows[read.PAGE - 1].id if len(rows) > read.PAGE else None,
        is_first=number("before") is None,
        tags=presenters.TAGS,
    )


@bp.route("/new", methods=["GET", "POST"])
@requires(ISSUE)
def new() -> ResponseReturnValue:
    """Say who is to get which benefit; it is checked next, and nothing is issued yet."""
    session, where = db.session(), scope(ISSUE)
    definitions = choices.definitions(session, where)
    form = PlanForm(data={"definition_id": number("definition")})
    form.definition_id.offer(definitions, partial(choices.definition, session, where))
    form.group_id.offer(choices.groups(session), partial(choices.group, session), nothing="Choose a group")
    if request.method == "GET":
        form.definition_id.keep()
    needs_file = form.audience.data is Audience.FILE and form.file.data
    file = form.incoming() if needs_file else None
    if (file or not needs_file) and (batch := form.submit(batches.plan, file=file)):
        return go(".show", batch_id=batch.id)
    return render(
        "benefit_batches/new.html", "benefit_batches/_new.html", form.status, form=form, definitions=definitions
    )


@bp.get("/<int:batch_id>")
@requires(VIEW)
def show(batch_id: int) -> ResponseReturnValue:
    """Where the batch stands, and the one next thing to do with it."""
    return _page(read.sheet(db.session(), batch_id, scope(VIEW)), PressForm(formdata=None))


def _page(sheet: read.BatchSheet, form: PressForm) -> ResponseReturnValue:
    session, batch, person = db.session(), sheet.batch, actor()
    rows = read.passed(session, batch.id, after=number("after")) if batch.passed_count else []
    facts = batch.facts
    return render(
        "benefit_batches/show.html",
        "benefit_batches/_start.html" if request.method == "POST" else None,
        form.status,
        sheet=sheet,
        batch=batch,
        form=form,
        card=presenters.card(sheet.job, batch.id) if sheet.job and presenters.is_moving(sheet) else None,
        steps=presenters.steps(sheet),
        tag_of=presenters.TAGS[batch.status],
        days=_days(sheet),
        audience=rules.AUDIENCE_WORDS[batch.audience],
        start=rules.may_start(facts, person.staff_id),
        is_held=rules.needs_another(facts, facts.started_by_id),
        waits=batch.starts_at is not None and batch.evaluated_at is None and batch.starts_at > clock.now(),
        may_issue=person.may(ISSUE, batch.site_id),
        may_change=person.may(CHANGE, batch.site_id),
        may_withdraw=rules.may_withdraw(facts).ok,
        may_undo=rules.may_undo(facts).ok,
        passed=rows[: read.PAGE],
        next_after=rows[read.PAGE - 1].profile_id if len(rows) > read.PAGE else None,
        is_first=number("after") is None,
        why=rules.PASSED_OVER_WORDS,
        in_full=person.may(Permission.PROFILES_VIEW),
        benefit_words=benefit_words,
        history=[] if asked_for_part() else read_audit.of_subject(session, f"benefit_batches:{batch.id}"),
    )


def _days(sheet: read.BatchSheet) -> tuple[str, str]:
    """Since when and until when its benefits are good at the site, were they issued now; a code may end one sooner."""
    batch, zone = sheet.batch, sheet.site.timezone
    now = batch.ended_at or clock.now()
    days = {"issued_on": batch.issued_on, "expires_on": batch.expires_on}
    since, until = benefit_dates.span(sheet.definition.validity, now, zone, **days)
    return told(since, zone), _with_codes(sheet, max(now, since), until) or told(until, zone) or "never end"


def _with_codes(sheet: read.BatchSheet, at: datetime, until: datetime | None) -> str:
    """When benefits end that would last to ``until`` without a code; empty where no code ends one sooner."""
    kind, zone = sheet.definition.voucher_type, sheet.site.timezone
    if kind is None:
        return ""
    if sheet.batch.ended_at:  # with codes that are no longer idle
        return f"{told(until, zone) or 'never'}, or with its code before that"
    over = voucher_pool.first_end(db.session(), kind, at, zone) if kind.idle_count else None
    if over is None or over <= at or (until is not None and over > until):
        return ""
    ends = told(over - timedelta(seconds=1), zone)
    alike = over == voucher_pool.end_of(kind, at, zone)
    return f"{ends}, with its code" if alike else f"{ends} at the earliest, each with its code"


@bp.post("/<int:batch_id>/start")
@requires(ISSUE)
def start(batch_id: int) -> ResponseReturnValue:
    """Issue to the people of the batch, or go on."""
    sheet = read.sheet(db.session(), batch_id, scope(ISSUE))
    form = PressForm()
    if form.press(lambda work: batches.start(work, StartBatch(batch_id))):
        return go(".show", batch_id=batch_id)
    return _page(sheet, form)


@bp.post("/<int:batch_id>/withdraw")
@requires(ISSUE)
def withdraw(batch_id: int) -> ResponseReturnValue:
    """Give up a batch that has issued nothing."""
    read.sheet(db.session(), batch_id, scope(ISSUE))
    return _press(
        batch_id, lambda work: batches.withdraw(work, WithdrawBatch(batch_id)), "Withdrawn. It issued nothing."
    )


@bp.post("/<int:batch_id>/cancel")
@requires(ISSUE)
def cancel(batch_id: int) -> ResponseReturnValue:
    """Stop what is under way before its next step."""
    read.sheet(db.session(), batch_id, scope(ISSUE))
    words = "Stopping. What was issued stays, and it can go on later."
    return _press(batch_id, lambda work: batches.cancel(work, batch_id), words)


def _press(batch_id: int, act: Any, words: str) -> ResponseReturnValue:
    form = PressForm()
    if form.press(act):
        flash(words)
    else:
        flash(str(next(iter(form.form_errors), "Nothing was done.")), "warning")
    return go(".show", batch_id=batch_id)


@bp.route("/<int:batch_id>/undo", methods=["GET", "POST"])
@requires(CHANGE)
def undo(batch_id: int) -> ResponseReturnValue:
    """Make void what the batch issued and nobody used, after saying what that does."""
    sheet = read.sheet(db.session(), batch_id, scope(CHANGE))
    form = PressForm()
    if form.press(lambda work: batches.undo(work, UndoBatch(batch_id))):
        return go(".show", batch_id=batch_id)
    return render(
        "benefit_batches/undo.html",
        "benefit_batches/_undo.html",
        form.status,
        form=form,
        sheet=sheet,
        batch=sheet.batch,
        verdict=rules.may_undo(sheet.batch.facts),
    )


@bp.get("/<int:batch_id>/progress")
@requires(VIEW)
def progress(batch_id: int) -> ResponseReturnValue:
    """The card of the job alone; nothing at all while it has not moved; the page anew once it has ended."""
    sheet = read.sheet(db.session(), batch_id, scope(VIEW))
    if sheet.job is None or not presenters.is_moving(sheet) or not asked_for_part():
        return go(".show", batch_id=batch_id)
    return unchanged(job_cards.tag_of(sheet.job)) or render(
        "benefit_batches/_progress.html", card=presenters.card(sheet.job, batch_id)
    )


@bp.get("/<int:batch_id>/rejects")
@requires(ISSUE)
def rejects(batch_id: int) -> ResponseReturnValue:
    """The lines that name nobody, each with its reason."""
    sheet = read.sheet(db.session(), batch_id, scope(ISSUE))
    if sheet.batch.rejects_file_id is None or presenters.is_moving(sheet):
        abort(404, "There is no rejects file: every line named somebody.")
    return downloads.stored(sheet.batch.rejects_file_id)
