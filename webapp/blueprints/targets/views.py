"""The screens of targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import flash, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from webapp.adapters import clock
from webapp.blueprints.targets import bp
from webapp.blueprints.targets.forms import ChangeTargetForm, NewTargetForm, TargetForm, saved
from webapp.blueprints.targets.secret import noted
from webapp.domain import placeholders
from webapp.domain.errors import Refused
from webapp.domain.notices import NoticeStatus, TargetKind
from webapp.domain.permissions import Permission
from webapp.domain.voucher_codes import masked
from webapp.domain.webhook_secrets import delivery_id
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import benefit_definitions, choices, conditions, memberships
from webapp.queries import targets as read
from webapp.services import targets
from webapp.web import webhooks
from webapp.web.access import actor, listed, requires, scope
from webapp.web.exporting import offer
from webapp.web.forms import CommandForm, PressForm
from webapp.web.paging import counted, is_shown, number, text
from webapp.web.rendering import go, render

Consequences = list[tuple[int | None, str]]
VIEW, EDIT = Permission.PROGRAMMES_VIEW, Permission.DEFINITIONS_EDIT


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it would arrive, and whom and what it is about; ``problem`` where it cannot be written."""

    kind: TargetKind = TargetKind.EMAIL
    subject: str = ""
    body: str = ""
    about: str = ""
    problem: str = ""


@bp.get("")
@requires(VIEW)
def index() -> ResponseReturnValue:
    """Targets, newest first; the archived ones in a tab."""
    session, where, search = db.session(), listed(VIEW), text("q")
    is_archived = is_shown("archived")
    rows = read.page(session, where, search=search, is_archived=is_archived, before=number("before"))
    in_use, archived = read.counts(session, where)
    tabs = (("In use", None, in_use, not is_archived), ("Archived", "archived", archived, is_archived))
    return render(
        "targets/index.html",
        "targets/_results.html",
        rows=rows[: read.PAGE],
        has_more=len(rows) > read.PAGE,
        search=search,
        show="archived" if is_archived else None,
        tabs=[
            {"label": label, "url": url_for(".index", show=show), "current": current, "count": counted(count)}
            for label, show, count, current in tabs
        ],
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.REPORTS_EXPORT)
def export() -> ResponseReturnValue:
    """The targets of the list as a file."""
    where, search = listed(Permission.REPORTS_EXPORT), text("q")
    is_archived = is_shown("archived")
    return offer("targets", read.EXPORT, lambda session: read.stream(session, where, search, is_archived=is_archived))


@bp.route("/new", methods=["GET", "POST"])
@requires(EDIT)
def new() -> ResponseReturnValue:
    """Write a target."""
    form = NewTargetForm()
    sites = choices.sites(db.session(), scope(EDIT))
    form.site_id.choices = [SelectChoice(str(site_id), title) for site_id, title in sites]
    made = {"secrets": webhooks.secrets(), "listed": webhooks.listed()}
    if target := form.submit(lambda work, command: noted(targets.create(work, command)), **made):
        if target.kind is TargetKind.WEBHOOK:
            return go(".secret", target_id=target.id)
        flash(f"Target «{target.title}» created. Definitions of its site can send notices with it.", "success")
        return go(".show", target_id=target.id)
    letter = _letter(form, _sample())
    part = "targets/_form.html"
    return render(
        "targets/new.html",
        part,
        form.status,
        form=form,
        target=None,
        letter=letter,
        names=placeholders.NAMES,
        has_sites=bool(sites),
    )


def _sample() -> Mapping[str, str]:
    zone = next(iter(choices.zones(db.session(), scope(EDIT)).values()), "UTC")
    return placeholders.sample(zone, clock.now())


def _letter(form: TargetForm[Any], values: Mapping[str, str], about: str = "a made-up person and benefit") -> Letter:
    """What is typed so far as it would arrive."""
    kind = form.kind.data or TargetKind.EMAIL
    body = form.payload.data if kind is TargetKind.WEBHOOK else form.body.data
    return _written(kind, form.subject.data or "", body or "", values, about)


def _written(kind: TargetKind, subject: str, body: str, values: Mapping[str, str], about: str) -> Letter:
    if kind is TargetKind.WEBHOOK:
        return _payload(body, values, about)
    try:
        placeholders.check(subject, "subject")
        placeholders.check(body, "body")
    except Refused as refused:
        return Letter(about=about, problem=refused.message)
    first = placeholders.one_line(placeholders.fill(subject, values))
    return Letter(kind, first, placeholders.fill(body, values), about)


def _payload(body: str, values: Mapping[str, str], about: str) -> Letter:
    try:
        placeholders.check_payload(body, "payload")
    except Refused as refused:
        return Letter(TargetKind.WEBHOOK, about=about, problem=refused.message)
    return Letter(TargetKind.WEBHOOK, body=placeholders.fill_payload(body, values), about=about)


@bp.post("/preview")
@requires(EDIT)
def preview() -> ResponseReturnValue:
    """What the form says so far as it would arrive; nothing is saved."""
    letter = _letter(TargetForm(), _sample())
    return render("targets/preview.html", "targets/_preview.html", letter=letter)


@bp.get("/<int:target_id>")
@requires(VIEW)
def show(target_id: int) -> ResponseReturnValue:
    """One target: its text as a person would get it, who sends with it, and what was sent."""
    session = db.session()
    target, site = read.sheet(session, target_id, scope(VIEW))
    known = conditions.variables(session) if target.condition else {}
    values, about, typed = _for(target, site.timezone)
    return render(
        "targets/show.html",
        "targets/_arrives.html",
        target=target,
        site=site,
        who=benefit_definitions.in_words(target.condition, known, site.timezone),
        letter=_written(target.kind, target.subject, target.body, values, about),
        deliveries=_deliveries(target),
        typed=typed,
        uses=read.uses(session, target_id),
        sent=read.sent(session, target_id),
        statuses=list(NoticeStatus),
        history=read_audit.of_subject(session, f"targets:{target_id}"),
        may_edit=actor().may(EDIT, target.site_id),
        may_name=actor().may(Permission.PROFILES_VIEW),
    )


def _deliveries(target: Any) -> list[tuple[str, Any]]:
    """The last deliveries to a webhook, each with the id its receiver knows it by."""
    if target.kind is TargetKind.EMAIL:
        return []
    return [(delivery_id(row.id, row.created_at), row) for row in read.deliveries(db.session(), target.id)]


def _for(target: Any, zone: str) -> tuple[Mapping[str, str], str, str]:
    """The values for the person the address names and their newest benefit that is told of with the target."""
    typed = text("q") if actor().may(Permission.PROFILES_VIEW) else ""
    made_up = placeholders.sample(zone, clock.now())
    if not typed:
        return made_up, "a made-up person and benefit", ""
    session = db.session()
    person = memberships.person_named(session, typed)
    if person is None or person.erased_at is not None:
        return made_up, f"a made-up person: nobody has the member id or e-mail «{typed[:60]}»", typed
    latest = read.latest(session, target.id, person.id)
    if latest is None:
        names = {f"profile.{name}": str(getattr(person, name) or "") for name in _NAMES}
        return made_up | names, f"{person.full_name or person.external_id} and a made-up benefit", typed
    benefit, definition, code, terms = latest
    values = placeholders.values(
        benefit, definition, person, code=masked(code) if code else "", terms=terms, now=clock.now()
    )
    return (
        values,
        f"{person.full_name or person.external_id} and benefit {benefit.id}, the code by its last signs",
        typed,
    )


_NAMES = ("first_name", "last_name", "full_name", "external_id")


@bp.route("/<int:target_id>/edit", methods=["GET", "POST"])
@requires(EDIT)
def edit(target_id: int) -> ResponseReturnValue:
    """Change a target; what is sent from then on has the new words."""
    target = read.get(db.session(), target_id, scope(EDIT))
    form = ChangeTargetForm(data=saved(target))
    form.kind.data = target.kind
    if form.submit(targets.change, target_id=target_id, listed=webhooks.listed()):
        flash("Target saved. What is sent from now on has these words.", "success")
        return go(".show", target_id=target_id)
    if form.status == HTTPStatus.CONFLICT:
        # Saving again is then a decision: it goes on top of what the sentence just told.
        form.version.data = read.get(db.session(), target_id).version
    letter = _letter(form, _sample())
    part = "targets/_form.html"
    return render(
        "targets/edit.html", part, form.status, form=form, target=target, letter=letter, names=placeholders.NAMES
    )


@bp.route("/<int:target_id>/archive", methods=["GET", "POST"])
@requires(EDIT)
def archive(target_id: int) -> ResponseReturnValue:
    """What archiving does, and the button."""
    session = db.session()
    target = read.get(session, target_id, scope(EDIT))
    form = PressForm()
    if form.press(lambda work: targets.archive(work, targets.ArchiveTarget(target_id))):
        flash(f"Target «{target.title}» archived.", "success")
        return go(".show", target_id=target_id)
    waiting = read.sent(session, target_id).get(NoticeStatus.PLANNED, 0)
    consequences: Consequences = [
        (waiting, "planned notices are left out when they come due, with this as the reason"),
        (
            len(read.uses(session, target_id)),
            "notices of definitions name it; until they name another, they send nothing",
        ),
        (None, "It can be restored; then what is still planned is sent."),
    ]
    return _confirm(form, target, "Archive this target", "Archive target", consequences)


@bp.route("/<int:target_id>/restore", methods=["GET", "POST"])
@requires(EDIT)
def restore(target_id: int) -> ResponseReturnValue:
    """Out of the archive."""
    target = read.get(db.session(), target_id, scope(EDIT))
    form = PressForm()
    if form.press(lambda work: targets.restore(work, targets.RestoreTarget(target_id))):
        flash(f"Target «{target.title}» is in use again.", "success")
        return go(".show", target_id=target_id)
    consequences: Consequences = [
        (None, "Definitions can name it again, and what is still planned with it is sent when it is due.")
    ]
    return _confirm(form, target, "Take it out of the archive", "Restore target", consequences, kind="primary")


def _confirm(
    form: CommandForm[Any],
    target: Any,
    title: str,
    button: str,
    consequences: Consequences,
    *,
    kind: str = "danger",
) -> ResponseReturnValue:
    page, part = "targets/confirm.html", "targets/_confirm.html"
    return render(
        page,
        part,
        form.status,
        form=form,
        target=target,
        title=title,
        button=button,
        consequences=consequences,
        kind=kind,
    )
