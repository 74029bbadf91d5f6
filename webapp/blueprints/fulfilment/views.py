"""Fulfilment screens."""

from __future__ import annotations

from flask import flash
from flask.typing import ResponseReturnValue

from webapp.blueprints.fulfilment import bp, presenters
from webapp.blueprints.fulfilment.forms import AcceptForm, HandOverForm, LeaveForm, NotifyForm
from webapp.domain.fulfilment import WORDS, Stage
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import fulfilment as read
from webapp.queries import rewards as read_rewards
from webapp.services import fulfilment
from webapp.web.access import listed, requires, scope
from webapp.web.exporting import offer
from webapp.web.forms import CommandForm, PressForm
from webapp.web.paging import choice, number
from webapp.web.rendering import go, render


@bp.get("")
@requires(Permission.WINNERS_VIEW)
def index() -> ResponseReturnValue:
    """Rewards with winners, and how many wait at each stage."""
    return render("fulfilment/index.html", rewards=read.rewards(db.session(), listed(Permission.WINNERS_VIEW)))


@bp.get("/<name:name>")
@requires(Permission.WINNERS_VIEW)
def board(name: str) -> ResponseReturnValue:
    """Winners and reserves of one reward as cards by stage, or all of one column of them."""
    session = db.session()
    sheet = read_rewards.sheet(session, name, scope(Permission.WINNERS_VIEW))
    counts = presenters.counts(read.counts(session, sheet.reward.id))
    asked = choice("column", read.COLUMNS)
    if asked:
        after = number("after")
        found = read.column(session, sheet.reward.id, asked, after=after)
        return render(
            "fulfilment/column.html",
            sheet=sheet,
            reward=sheet.reward,
            key=asked,
            title=presenters.TITLES[asked],
            tabs=presenters.tabs(sheet.reward.name, counts, asked),
            found=found[: read.PAGE],
            further=found[read.PAGE - 1].id if len(found) > read.PAGE else None,
            is_first=after is None,
            words=WORDS,
        )
    return render(
        "fulfilment/board.html",
        sheet=sheet,
        reward=sheet.reward,
        counts=counts,
        columns=presenters.columns(sheet.reward.name, counts, read.board(session, sheet.reward.id)),
        vacant=read.vacant(session, sheet.reward.id),
        words=WORDS,
        form=PressForm(formdata=None),
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.WINNERS_VIEW)
def export() -> ResponseReturnValue:
    """The rewards with winners as a file."""
    where = listed(Permission.WINNERS_VIEW)
    return offer("drawn-rewards", read.EXPORT_REWARDS, lambda session: read.stream_rewards(session, where))


@bp.route("/<name:name>/export", methods=["GET", "POST"])
@requires(Permission.WINNERS_VIEW, confirmed=True)
def export_winners(name: str) -> ResponseReturnValue:
    """Winners and reserves of one reward as a file: those of one column of the board, or all."""
    reward_id = read_rewards.id_of(db.session(), name, scope(Permission.WINNERS_VIEW))
    column = choice("column", read.COLUMNS) or ""
    return offer("winners", read.EXPORT, lambda session: read.stream(session, reward_id, column))


@bp.get("/winners/<int:winner_id>")
@requires(Permission.WINNERS_VIEW)
def show(winner_id: int) -> ResponseReturnValue:
    """One winner: who, what, how far, and everything that was said."""
    session = db.session()
    sheet = read.sheet(session, winner_id, scope(Permission.WINNERS_VIEW))
    return render(
        "fulfilment/show.html",
        sheet=sheet,
        winner=sheet.winner,
        reward=sheet.reward,
        events=read.events(session, winner_id),
        codes=read.codes(session, winner_id),
        words=WORDS,
        form=PressForm(formdata=None),
    )


def _page(verb: str, form: CommandForm[object], sheet: read.WinnerSheet) -> ResponseReturnValue:
    return render(
        f"fulfilment/{verb}.html",
        f"fulfilment/_{verb}.html",
        form.status,
        form=form,
        sheet=sheet,
        winner=sheet.winner,
        reward=sheet.reward,
    )


@bp.route("/winners/<int:winner_id>/notify", methods=["GET", "POST"])
@requires(Permission.FULFILMENT_WORK)
def notify(winner_id: int) -> ResponseReturnValue:
    """Record that the winner was told."""
    sheet = read.sheet(db.session(), winner_id, scope(Permission.FULFILMENT_WORK))
    form = NotifyForm()
    if form.submit(fulfilment.notify, winner_id=winner_id):
        flash("Recorded. The card waits for an answer now.")
        return go(".board", name=sheet.reward.name)
    return _page("notify", form, sheet)


@bp.route("/winners/<int:winner_id>/accept", methods=["GET", "POST"])
@requires(Permission.FULFILMENT_WORK)
def accept(winner_id: int) -> ResponseReturnValue:
    """Record that the winner accepts; codes are allocated to them."""
    sheet = read.sheet(db.session(), winner_id, scope(Permission.FULFILMENT_WORK))
    name = sheet.reward.name
    form = AcceptForm()
    if winner := form.submit(fulfilment.accept, winner_id=winner_id):
        flash(f"Accepted. {winner.voucher_count} codes are theirs." if winner.voucher_count else "Accepted.")
        return go(".board", name=name)
    return _page("accept", form, sheet)


@bp.route("/winners/<int:winner_id>/leave", methods=["GET", "POST"])
@requires(Permission.FULFILMENT_WORK)
def leave(winner_id: int) -> ResponseReturnValue:
    """Record that the winner declines or does not claim; the slot passes to the next reserve."""
    sheet = read.sheet(db.session(), winner_id, scope(Permission.FULFILMENT_WORK))
    return _leave(LeaveForm(), [Stage.DECLINED, Stage.UNCLAIMED], sheet)


@bp.route("/winners/<int:winner_id>/disqualify", methods=["GET", "POST"])
@requires(Permission.DRAWS_RUN)
def disqualify(winner_id: int) -> ResponseReturnValue:
    """Disqualify a winner: the draw supervisor's decision; the slot passes to the next reserve."""
    sheet = read.sheet(db.session(), winner_id, scope(Permission.DRAWS_RUN))
    return _leave(LeaveForm(), [Stage.DISQUALIFIED], sheet)


def _leave(form: LeaveForm, stages: list[Stage], sheet: read.WinnerSheet) -> ResponseReturnValue:
    form.offer(stages)
    winner_id, slot, name = sheet.winner.id, sheet.winner.slot, sheet.reward.name
    if heir := form.submit(fulfilment.leave, winner_id=winner_id):
        passed = heir.id != winner_id
        flash(f"{slot} passes to reserve {heir.rank}." if passed else f"{slot} stays vacant: no reserve is left.")
        return go(".board", name=name)
    return _page("leave", form, sheet)


@bp.route("/winners/<int:winner_id>/hand-over", methods=["GET", "POST"])
@requires(Permission.FULFILMENT_WORK)
def hand_over(winner_id: int) -> ResponseReturnValue:
    """Record that the prize is with the winner."""
    sheet = read.sheet(db.session(), winner_id, scope(Permission.FULFILMENT_WORK))
    form = HandOverForm()
    if form.submit(fulfilment.hand_over, winner_id=winner_id):
        flash("Handed over.")
        return go(".board", name=sheet.reward.name)
    return _page("hand_over", form, sheet)


@bp.post("/<name:name>/finish")
@requires(Permission.FULFILMENT_WORK)
def finish(name: str) -> ResponseReturnValue:
    """Say that everything of this reward is done."""
    reward_id = read_rewards.id_of(db.session(), name, scope(Permission.FULFILMENT_WORK))
    form = PressForm()
    if form.press(lambda work: fulfilment.finish(work, fulfilment.FinishReward(reward_id))):
        flash("Fulfilled. The reward is complete.")
    else:
        flash(next(iter(form.form_errors), "The page was too old; press the button again."), "error")
    return go(".board", name=name)
