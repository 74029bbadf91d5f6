"""What the box in the top bar finds: people, organisations, rewards, receipts, one voucher by its whole code."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.import_rows import clean
from webapp.domain.permissions import Permission
from webapp.domain.voucher_codes import check_ok, code_hash
from webapp.extensions import db
from webapp.queries import search as read
from webapp.queries import vouchers as read_vouchers
from webapp.queries.search import FoundPerson, FoundThing
from webapp.queries.subtrees import Within
from webapp.web.access import actor, requires, scope
from webapp.web.codes import mint
from webapp.web.paging import text
from webapp.web.reach import within
from webapp.web.rendering import go, leave, render

bp = Blueprint("search", __name__, url_prefix="/search")
_SHORTEST_CODE = 6
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found: what it is called, what tells it from others of the same name, and where it is."""

    title: str
    detail: str
    url: str


@dataclass(slots=True)
class Kind:
    """All that was found of one kind; ``more`` leads to a list with the rest."""

    title: str
    hits: list[Hit] = field(default_factory=list)
    more: str | None = None
    has_more: bool = False


@bp.post("")
@requires(Permission.SIGNED_IN)
def find() -> ResponseReturnValue:
    """What the box sends: a voucher's code is read here and never stands in an address, a log or a history."""
    wanted = clean(request.form.get("q", ""))[:_LONGEST]
    voucher = _voucher(wanted) if actor().may(Permission.PROGRAMMES_VIEW) else None
    if voucher is not None:
        return go("vouchers.show", voucher_id=voucher)
    if check_ok(wanted):
        return render("search/index.html", kinds=[], wanted="", missed=True, may_see_people=False)
    return go(".index", q=wanted or None)


@bp.get("")
@requires(Permission.SIGNED_IN)
def index() -> ResponseReturnValue:
    """Everything that fits; the thing itself when there is exactly one."""
    wanted = text("q")
    kinds = [kind for kind in _found(wanted) if kind.hits] if wanted else []
    hits = [hit for kind in kinds for hit in kind.hits]
    if len(hits) == 1:
        return leave(hits[0].url)
    may_see_people = actor().may(Permission.PROFILES_VIEW)
    return render("search/index.html", kinds=kinds, wanted=wanted, missed=False, may_see_people=may_see_people)


def _found(wanted: str) -> list[Kind]:
    session, person = db.session(), actor()
    sees_people = person.may(Permission.PROFILES_VIEW)
    sees_programmes = person.may(Permission.PROGRAMMES_VIEW)
    where = scope(Permission.PROFILES_VIEW)
    people = read.people(session, where, wanted) if sees_people else []
    things = read.things(
        session,
        wanted,
        rewards=scope(Permission.PROGRAMMES_VIEW) if sees_programmes else False,
        receipts=where if sees_people else False,
        # The tree belongs to the whole account, so a role on some sites does not reach it.
        organisations=_tree(),
    )
    return [
        _people(people, wanted),
        _things(things, "organisation", "Organisations"),
        _things(things, "reward", "Rewards"),
        _things(things, "receipt", "Receipts"),
    ]


def _tree() -> Within | bool:
    """Which organisations may be found: the tree belongs to the whole account, so a role on some sites does not reach it."""
    sees = actor().may(Permission.ORGANISATIONS_VIEW) and scope(Permission.ORGANISATIONS_VIEW) is None
    return within(Permission.ORGANISATIONS_VIEW) if sees else False


def _people(rows: list[FoundPerson], wanted: str) -> Kind:
    hits = [
        Hit(
            row.full_name or row.email or str(row.external_id),
            " · ".join(part for part in (row.external_id, row.email if row.full_name else "", row.phone) if part),
            url_for("profiles.show", profile_id=row.id),
        )
        for row in rows[: read.SHOWN]
    ]
    return Kind("People", hits, url_for("profiles.index", q=wanted), len(rows) > read.SHOWN)


def _voucher(wanted: str) -> int | None:
    """The voucher with exactly this code: nothing less than the whole code finds one."""
    if len(wanted) < _SHORTEST_CODE:
        return None
    hashed = code_hash(mint().key, wanted)
    return read_vouchers.find_by_hash(db.session(), hashed, scope(Permission.PROGRAMMES_VIEW))


_PLACES = {
    "organisation": lambda thing: url_for("organisations.show", organisation_id=thing.id),
    "reward": lambda thing: url_for("rewards.show", name=thing.name),
    "receipt": lambda thing: url_for("entries.index", name=thing.name, q=thing.title),
}


def _things(things: list[FoundThing], kind: str, title: str) -> Kind:
    rows = [thing for thing in things if thing.kind == kind]
    hits = [Hit(thing.title, thing.detail, _PLACES[kind](thing)) for thing in rows[: read.SHOWN]]
    return Kind(title, hits, None, len(rows) > read.SHOWN)
