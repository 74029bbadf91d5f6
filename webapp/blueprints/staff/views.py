"""The screens of the team."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from flask import Blueprint, current_app, flash, g, url_for
from flask import session as visit
from flask.typing import ResponseReturnValue

from webapp.adapters import clock, randomness
from webapp.blueprints.staff.forms import GrantsForm, InviteForm
from webapp.config import Settings
from webapp.domain import staff as rules
from webapp.domain.identity import Grant
from webapp.domain.permissions import Permission, Role
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import choices
from webapp.queries import sites as read_sites
from webapp.queries import staff as read
from webapp.queries import team as read_team
from webapp.services import staff, staff_second_factor, staff_seeing, staff_sessions
from webapp.services.work import perform
from webapp.web import authentication
from webapp.web.access import actor, requires, scope
from webapp.web.exporting import offer
from webapp.web.forms import PressForm
from webapp.web.paging import number, text
from webapp.web.rendering import go, render

bp = Blueprint("staff", __name__, url_prefix="/staff")
PAGE = 50
_LINK = "invitation"  # where the link waits in the visit until it was shown


def _reach() -> frozenset[int] | None:
    return scope(Permission.STAFF_MANAGE)


@bp.get("")
@requires(Permission.STAFF_MANAGE)
def index() -> ResponseReturnValue:
    search, after = text("q"), number("after")
    found = read.team(db.session(), _reach(), search=search, after=after, size=PAGE)
    rows = found[:PAGE]
    titles = read_sites.names(db.session())
    organisations = read.organisation_titles(db.session(), {grant for row in rows for grant in row.grants})

    def in_words(grants: Iterable[Grant]) -> str:
        return rules.in_words(grants, titles, organisations)

    return render(
        "staff/index.html",
        "staff/_results.html",
        rows=rows,
        older=rows[-1].id if len(found) > PAGE else None,
        is_first=after is None,
        search=search,
        in_words=in_words,
        now=clock.now(),
    )


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.STAFF_MANAGE, confirmed=True)
def export() -> ResponseReturnValue:
    """The team of the list as a file."""
    where, search = _reach(), text("q")
    return offer("staff", read_team.EXPORT, lambda session: read_team.stream(session, where, search))


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.STAFF_MANAGE, confirmed=True)
def invite() -> ResponseReturnValue:
    form = InviteForm()
    _offer(form, ())
    token = randomness.token()
    if member := form.submit(staff.invite, token=token, link=_link(token)):
        return _show_link(member.id, token)
    return render("staff/new.html", "staff/_form.html", form.status, form=form, **_roles())


@bp.get("/<int:staff_id>")
@requires(Permission.STAFF_MANAGE)
def show(staff_id: int) -> ResponseReturnValue:
    session = db.session()
    member = read.get(session, staff_id, _reach())
    return render(
        "staff/show.html",
        member=member,
        grants=member.grants,
        titles=read_sites.names(session),
        organisations=read.organisation_titles(session, map(read.grant_of, member.grants)),
        sessions=read.open_sessions(session, staff_id, clock.now()),
        invitation=read.open_invitation(session, staff_id, clock.now()),
        history=read_audit.of_subject(session, f"staff_members:{staff_id}"),
        duties=rules.DUTIES,
        within=rules.WITHIN,
        now=clock.now(),
        form=PressForm(),
        is_self=staff_id == actor().staff_id,
    )


@bp.route("/<int:staff_id>/edit", methods=["GET", "POST"])
@requires(Permission.STAFF_MANAGE, confirmed=True)
def edit(staff_id: int) -> ResponseReturnValue:
    member = read.get(db.session(), staff_id, _reach())
    form = GrantsForm(data={"grants": member.grants})
    _offer(form, map(read.grant_of, member.grants))
    if form.submit(staff.change_grants, staff_id=staff_id):
        flash(f"Roles of {member.name} saved. They hold from the next page on.", "success")
        return go(".show", staff_id=staff_id)
    return render("staff/edit.html", "staff/_form.html", form.status, form=form, member=member, **_roles())


@bp.post("/<int:staff_id>/renew")
@requires(Permission.STAFF_MANAGE, confirmed=True)
def renew(staff_id: int) -> ResponseReturnValue:
    read.get(db.session(), staff_id, _reach())
    token = randomness.token()
    form = PressForm()
    if form.press(lambda work: staff.renew(work, staff.RenewInvitation(staff_id, token, _link(token)))):
        return _show_link(staff_id, token)
    return _back(form, staff_id)


@bp.get("/<int:staff_id>/link")
@requires(Permission.STAFF_MANAGE)
def link(staff_id: int) -> ResponseReturnValue:
    """The link, once: it is not kept anywhere it could be read again."""
    member = read.get(db.session(), staff_id, _reach())
    token = visit.pop(_LINK, "")
    waiting = read.open_invitation(db.session(), staff_id, clock.now())
    is_good = waiting is not None and waiting.token_hash == staff_sessions.token_hash(token)
    if not is_good:
        return go(".show", staff_id=staff_id)
    return render("staff/link.html", member=member, link=_link(token), invitation=waiting)


@bp.route("/<int:staff_id>/disable", methods=["GET", "POST"])
@requires(Permission.STAFF_MANAGE, confirmed=True)
def disable(staff_id: int) -> ResponseReturnValue:
    member = read.get(db.session(), staff_id, _reach())
    form = PressForm()
    if form.press(lambda work: staff.disable(work, staff.DisableStaff(staff_id))):
        flash(f"{member.name} is disabled and signed out everywhere.", "success")
        return go(".show", staff_id=staff_id)
    sessions = read.open_sessions(db.session(), staff_id, clock.now())
    return render(
        "staff/disable.html", "staff/_disable.html", form.status, form=form, member=member, sessions=len(sessions)
    )


@bp.post("/<int:staff_id>/enable")
@requires(Permission.STAFF_MANAGE, confirmed=True)
def enable(staff_id: int) -> ResponseReturnValue:
    member = read.get(db.session(), staff_id, _reach())
    form = PressForm()
    if form.press(lambda work: staff.enable(work, staff.EnableStaff(staff_id))):
        flash(f"{member.name} can sign in again.", "success")
        return go(".show", staff_id=staff_id)
    return _back(form, staff_id)


@bp.route("/<int:staff_id>/second-factor", methods=["GET", "POST"])
@requires(Permission.STAFF_MANAGE, confirmed=True)
def reset_second_factor(staff_id: int) -> ResponseReturnValue:
    """Somebody lost phone and codes: they set up a second factor anew when they sign in next."""
    member = read.get(db.session(), staff_id, _reach())
    form = PressForm()
    command = staff_second_factor.ResetSecondFactor(staff_id)
    if form.press(lambda work: staff_second_factor.reset(work, command)):
        flash(f"The second factor of {member.name} is reset; they are signed out everywhere.", "success")
        return go(".show", staff_id=staff_id)
    return render("staff/second_factor.html", "staff/_second_factor.html", form.status, form=form, member=member)


@bp.route("/<int:staff_id>/see-as", methods=["GET", "POST"])
@requires(Permission.STAFF_MANAGE, confirmed=True)
def see_as(staff_id: int) -> ResponseReturnValue:
    """The console as this person sees it, read only."""
    member = read.get(db.session(), staff_id, _reach())
    form = PressForm()
    command = staff_seeing.SeeAs(g.staff.session_id, staff_id)
    if form.press(lambda work: staff_seeing.start(work, command)):
        return go("today.index")
    return render("staff/see_as.html", "staff/_see_as.html", form.status, form=form, member=member)


@bp.post("/stop-seeing")
@requires(Permission.SIGNED_IN)
def stop_seeing() -> ResponseReturnValue:
    """Back to one's own eyes."""
    person, me = g.staff, authentication.myself()
    perform(db.session(), me, clock.now(), lambda work: staff_seeing.stop(work, person.session_id, person.email))
    return go("today.index")


def _offer(form: InviteForm | GrantsForm, held: Iterable[Grant]) -> None:
    """What may be given: roles on the sites of whoever gives, and what is held within organisations already."""
    session = db.session()
    bound = [grant for grant in held if grant.organisation_id is not None]
    sites, titles = read_sites.names(session, _reach()), read.organisation_titles(session, bound)
    listed = choices.organisations(session)
    everywhere = _reach() is None
    find = partial(choices.organisation, session)
    form.offer(
        sites, listed, find, everywhere=everywhere, bound={grant: _within(grant, sites, titles) for grant in bound}
    )
    asked = form.organisation.data
    if listed is not None:
        form.organisation_id = next((number for number, _ in listed if str(number) == asked), None)
    elif asked:
        form.organisation_id = choices.organisation_known_as(session, str(asked))


def _within(grant: Grant, sites: Mapping[int, str], titles: Mapping[int, str]) -> str:
    text = rules.in_words([grant], sites, titles)
    return text[:1].upper() + text[1:]


def _back(form: PressForm, staff_id: int) -> ResponseReturnValue:
    """A button has no page to show its refusal on; the person's page shows it."""
    for message in form.form_errors:
        flash(message, "error")
    return go(".show", staff_id=staff_id)


def _show_link(staff_id: int, token: str) -> ResponseReturnValue:
    visit[_LINK] = token
    return go(".link", staff_id=staff_id)


def _link(token: str) -> str:
    settings: Settings = current_app.extensions["largesse"]
    return settings.public_url + url_for("auth.invitation", token=token)


def _roles() -> dict[str, object]:
    return {"roles": list(Role), "duties": rules.DUTIES, "within": rules.WITHIN}
