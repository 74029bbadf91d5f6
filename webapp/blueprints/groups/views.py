"""The screens of groups."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from flask import Blueprint, flash, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from webapp.blueprints.groups.forms import AddMemberForm, ChangeGroupForm, NewGroupForm
from webapp.domain.groups import KINDS, REGISTRATIONS, GroupKind
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import audit as read_audit
from webapp.queries import groups as read
from webapp.queries import memberships as read_members
from webapp.services import groups
from webapp.web.access import actor, bound, requires
from webapp.web.exporting import offer
from webapp.web.forms import PressForm
from webapp.web.paging import choice, counted, number, text
from webapp.web.reach import reaches_all, whole_tree, within
from webapp.web.rendering import go, render

bp = Blueprint("groups", __name__, url_prefix="/groups")
_TABS = {GroupKind.PRIMARY: "Primary", GroupKind.MAILING_LIST: "Mailing lists", GroupKind.SUBSCRIPTION: "Subscriptions"}


@bp.get("")
@requires(Permission.ORGANISATIONS_VIEW, within=True)
def index() -> ResponseReturnValue:
    """Groups by name; a tab a kind, and one for archived ones."""
    session, where = db.session(), within(Permission.ORGANISATIONS_VIEW)
    filters = _filters()
    after = number("after")
    rows = read.page(session, filters, after=after)
    return render(
        "groups/index.html",
        "groups/_results.html",
        rows=rows[: read.PAGE],
        next=rows[read.PAGE - 1].id if len(rows) > read.PAGE else None,
        is_first=after is None,
        filters=filters,
        show=_shown(filters),
        tabs=_tabs(filters, read.counts(session)),
        counts_all=where is None,
        registrations=REGISTRATIONS,
        may_create=reaches_all(Permission.ORGANISATIONS_EDIT),
    )


def _filters() -> read.Filters:
    kinds = {kind.replace(" ", "-"): kind for kind in GroupKind}
    shown = choice("show", ("in-use", *kinds, "archived"))
    kind = kinds.get(shown or "")
    return read.Filters(text("q"), kind, shown == "archived")


def _shown(filters: read.Filters) -> str | None:
    """What the tab on screen is called in the address."""
    return "archived" if filters.is_archived else filters.kind.replace(" ", "-") if filters.kind else None


def _tabs(filters: read.Filters, counts: dict[GroupKind | None, int]) -> list[dict[str, object]]:
    shown = _shown(filters)
    tabs: list[tuple[str, str | None, int]] = [("In use", None, sum(counts[kind] for kind in GroupKind))]
    tabs += [(title, kind.replace(" ", "-"), counts[kind]) for kind, title in _TABS.items()]
    tabs.append(("Archived", "archived", counts[None]))
    return [
        {"label": label, "url": url_for(".index", show=name), "current": name == shown, "count": counted(count)}
        for label, name, count in tabs
    ]


@bp.route("/export", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_VIEW, within=True)
def export() -> ResponseReturnValue:
    """The groups of the list as a file; how many members they have is for those who see every organisation."""
    filters, counts_all = _filters(), within(Permission.ORGANISATIONS_VIEW) is None
    kept = [place for place, name in enumerate(read.EXPORT) if counts_all or name != "member_count"]

    def rows(session: Session) -> Iterator[tuple[object, ...]]:
        for row in read.stream(session, filters):
            yield tuple(row[place] for place in kept)

    return offer("groups", [read.EXPORT[place] for place in kept], rows)


@bp.route("/<int:group_id>/export", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_VIEW, confirmed=True, within=True)
def export_members(group_id: int) -> ResponseReturnValue:
    """The members of one group as a file."""
    where, search = within(Permission.ORGANISATIONS_VIEW), text("q")
    read.get(db.session(), group_id)
    return offer(
        "memberships", read_members.EXPORT, lambda session: read_members.stream(session, where, group_id, search)
    )


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def new() -> ResponseReturnValue:
    whole_tree(Permission.ORGANISATIONS_EDIT)
    form = NewGroupForm()
    if group := form.submit(groups.create):
        flash(f"Group «{group.title}» created. Add its members next.", "success")
        return go(".show", group_id=group.id)
    return render("groups/new.html", "groups/_form.html", form.status, form=form, group=None)


@bp.get("/<int:group_id>")
@requires(Permission.ORGANISATIONS_VIEW, within=True)
def show(group_id: int) -> ResponseReturnValue:
    """One group: facts, its members newest first, searched as people are, and history."""
    session, where = db.session(), within(Permission.ORGANISATIONS_VIEW)
    group = read.get(session, group_id)
    search, before = text("q"), number("before")
    rows = read_members.page(session, group_id, where, search=search, before=before)
    may_fill = actor().may(Permission.ORGANISATIONS_EDIT, within=True)
    return render(
        "groups/show.html",
        "groups/_members.html",
        group=group,
        rows=rows[: read_members.PAGE],
        older=rows[read_members.PAGE - 1].id if len(rows) > read_members.PAGE else None,
        is_first=before is None,
        search=search,
        history=read_audit.of_subject(session, f"groups:{group_id}"),
        kinds=KINDS,
        registrations=REGISTRATIONS,
        counts_all=where is None,
        may_edit=reaches_all(Permission.ORGANISATIONS_EDIT),
        may_fill=may_fill,
        form=AddMemberForm() if may_fill and group.archived_at is None else None,
    )


@bp.route("/<int:group_id>/edit", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def edit(group_id: int) -> ResponseReturnValue:
    whole_tree(Permission.ORGANISATIONS_EDIT)
    group = read.get(db.session(), group_id)
    form = ChangeGroupForm(obj=group)
    if form.submit(groups.change, group_id=group_id):
        flash("Group saved.", "success")
        return go(".show", group_id=group_id)
    if form.status == HTTPStatus.CONFLICT:
        # Saving again is then a decision: it goes on top of what the sentence just told.
        form.version.data = read.get(db.session(), group_id).version
    return render("groups/edit.html", "groups/_form.html", form.status, form=form, group=group)


@bp.route("/<int:group_id>/archive", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def archive(group_id: int) -> ResponseReturnValue:
    """What archiving does, with numbers, and the button."""
    whole_tree(Permission.ORGANISATIONS_EDIT)
    group = read.get(db.session(), group_id)
    form = PressForm()
    if form.press(lambda work: groups.archive(work, groups.ArchiveGroup(group_id))):
        flash(f"Group «{group.title}» archived.", "success")
        return go(".show", group_id=group_id)
    return render("groups/archive.html", "groups/_archive.html", form.status, form=form, group=group)


@bp.post("/<int:group_id>/restore")
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def restore(group_id: int) -> ResponseReturnValue:
    whole_tree(Permission.ORGANISATIONS_EDIT)
    read.get(db.session(), group_id)
    form = PressForm()
    if group := form.press(lambda work: groups.restore(work, groups.RestoreGroup(group_id))):
        flash(f"Group «{group.title}» restored.", "success")
    else:
        flash(_refusal(form), "warning")
    return go(".show", group_id=group_id)


@bp.route("/<int:group_id>/members/add", methods=["GET", "POST"])
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def add(group_id: int) -> ResponseReturnValue:
    where, reached = within(Permission.ORGANISATIONS_EDIT), bound(Permission.PROFILES_EDIT)
    group = read.get(db.session(), group_id)
    form = AddMemberForm()
    if form.submit(groups.add, group_id=group_id, within=where, where=reached):
        flash("Member added.", "success")
        return go(".show", group_id=group_id)
    return render("groups/add.html", "groups/_add.html", form.status, form=form, group=group)


@bp.post("/<int:group_id>/members/<int:membership_id>/remove")
@requires(Permission.ORGANISATIONS_EDIT, within=True)
def remove(group_id: int, membership_id: int) -> ResponseReturnValue:
    where = within(Permission.ORGANISATIONS_EDIT)
    read_members.get(db.session(), group_id, membership_id, where)
    form = PressForm()
    command = groups.RemoveMember(group_id, membership_id, where)
    if form.press(lambda work: groups.remove(work, command)):
        flash("Member taken out of the group.", "success")
    else:
        flash(_refusal(form), "warning")
    return go(".show", group_id=group_id)


def _refusal(form: PressForm) -> str:
    return str(next(iter(form.form_errors), "Nothing was changed. Try once more."))
