"""Reward screens."""

from __future__ import annotations

from flask import flash, request
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from webapp.adapters import randomness
from webapp.blueprints.rewards import bp
from webapp.blueprints.rewards.forms import CreateForm, filled
from webapp.domain import rewards as rules
from webapp.domain.permissions import Permission
from webapp.domain.rewards import RewardKind, RewardStatus
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import choices
from webapp.queries import fulfilment as read_fulfilment
from webapp.queries import rewards as read
from webapp.services import rewards
from webapp.web.access import listed, requires, scope
from webapp.web.exporting import offer
from webapp.web.forms import PressForm
from webapp.web.paging import choice, counted, number, text
from webapp.web.rendering import go, render

SECRET = 32  # bytes of entropy behind a draw's code and behind its pseudonyms


@bp.get("")
@requires(Permission.PROGRAMMES_VIEW)
def index() -> ResponseReturnValue:
    """Rewards, newest first, searched by title."""
    search, status = text("q"), _status()
    where = listed(Permission.PROGRAMMES_VIEW)
    session = db.session()
    rows = read.page(session, where, search=search, status=status, before=number("before"))
    counts = read.counts(session, where)
    return render(
        "rewards/index.html",
        "rewards/_results.html",
        rows=rows[: read.PAGE],
        has_more=len(rows) > read.PAGE,
        search=search,
        chosen=status,
        counts={status: counted(count) for status, count in counts.items()},
        total=counted(sum(counts.values())),
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.REPORTS_EXPORT)
def export() -> ResponseReturnValue:
    """The rewards of the list as a file."""
    where, search, status = listed(Permission.REPORTS_EXPORT), text("q"), _status()
    return offer("rewards", read.EXPORT, lambda session: read.stream(session, where, search, status))


def _status() -> RewardStatus | None:
    return choice("status", RewardStatus)


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.REWARDS_EDIT)
def new() -> ResponseReturnValue:
    """Create a prize draw as a draft."""
    form = CreateForm()
    where = scope(Permission.REWARDS_EDIT)
    sites = choices.sites(db.session(), where)
    form.site_id.choices = [SelectChoice(str(site_id), title) for site_id, title in sites]
    form.offer(choices.voucher_types(db.session(), where))
    if form.wants_another_row():
        return render(
            "rewards/new.html",
            "rewards/_form.html",
            form=form,
            has_sites=bool(sites),
            reward=None,
            sentences=form.in_words("of the site"),
        )
    if reward := form.submit(rewards.create, kind=RewardKind.PRIZE_DRAW):
        flash(f"Reward created. Its name is {reward.name}; it never changes.")
        return go(".show", name=reward.name)
    return render(
        "rewards/new.html",
        "rewards/_form.html",
        form.status,
        form=form,
        has_sites=bool(sites),
        reward=None,
        sentences=form.in_words("of the site"),
    )


@bp.post("/preview")
@requires(Permission.REWARDS_EDIT)
def preview() -> ResponseReturnValue:
    """What the form says so far, in words; nothing is saved."""
    form = CreateForm()
    zones = choices.zones(db.session(), scope(Permission.REWARDS_EDIT))
    zone = zones.get(request.form.get("site_id", ""), "of the site")
    return render("rewards/preview.html", "rewards/_summary.html", sentences=form.in_words(zone))


@bp.get("/<name:name>")
@requires(Permission.PROGRAMMES_VIEW)
def show(name: str) -> ResponseReturnValue:
    """One reward: state, terms, prizes, history."""
    session = db.session()
    sheet = read.sheet(session, name, scope(Permission.PROGRAMMES_VIEW))
    return render(
        "rewards/show.html",
        sheet=sheet,
        reward=sheet.reward,
        may_open=rules.may_open(sheet.reward.facts),
        form=PressForm(),
        stages=read_fulfilment.counts(session, sheet.reward.id) if sheet.draw else None,
        history=read_audit.of_subject(session, f"rewards:{sheet.reward.id}"),
    )


@bp.route("/<name:name>/edit", methods=["GET", "POST"])
@requires(Permission.REWARDS_EDIT)
def edit(name: str) -> ResponseReturnValue:
    """Change a draft."""
    session = db.session()
    where = scope(Permission.REWARDS_EDIT)
    sheet = read.sheet(session, name, where)
    types = choices.voucher_types(session, where)
    form = filled(sheet, lambda form: form.offer(types))
    words = form.in_words(sheet.site.timezone)
    if form.wants_another_row():
        return render("rewards/edit.html", "rewards/_form.html", form=form, reward=sheet.reward, sentences=words)
    if form.submit(rewards.change, reward_id=sheet.reward.id):
        flash("Reward changed.")
        return go(".show", name=name)
    return render(
        "rewards/edit.html", "rewards/_form.html", form.status, form=form, reward=sheet.reward, sentences=words
    )


@bp.route("/<name:name>/open", methods=["GET", "POST"])
@requires(Permission.REWARDS_EDIT)
def open_for_entries(name: str) -> ResponseReturnValue:
    """Confirm, then take entries; the code of the draw is committed with it."""
    sheet = read.sheet(db.session(), name, scope(Permission.REWARDS_EDIT))
    form = PressForm()
    command = rewards.OpenReward(sheet.reward.id, randomness.entropy(SECRET), randomness.entropy(SECRET))
    if form.press(lambda work: rewards.open_for_entries(work, command)):
        flash("Open for entries. Upload the entrants next.")
        return go(".show", name=name)
    return render(
        "rewards/open_for_entries.html", "rewards/_open.html", form.status, form=form, sheet=sheet, reward=sheet.reward
    )


@bp.route("/<name:name>/close", methods=["GET", "POST"])
@requires(Permission.REWARDS_EDIT)
def close(name: str) -> ResponseReturnValue:
    """Confirm, then take no more entries; exclusions are found and wait for review."""
    sheet = read.sheet(db.session(), name, scope(Permission.REWARDS_EDIT))
    form = PressForm()
    if form.press(lambda work: rewards.close(work, rewards.CloseReward(sheet.reward.id))):
        flash("Closed. Look at the exclusions next.")
        return go("draws.show", name=name) if sheet.draw else go(".show", name=name)
    return render("rewards/close.html", "rewards/_close.html", form.status, form=form, sheet=sheet, reward=sheet.reward)
