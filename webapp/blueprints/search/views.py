"""What the box in the top bar finds: people, organisations, programmes, receipts, one voucher or benefit by its whole code."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.import_rows import clean
from webapp.domain.permissions import Permission
from webapp.domain.redemptions import looks_like_receipt
from webapp.domain.voucher_codes import check_ok, code_hash, normalise
from webapp.extensions import db
from webapp.queries import benefits as read_benefits
from webapp.queries import found_things
from webapp.queries import redemptions as read_ledger
from webapp.queries import search as read
from webapp.queries import vouchers as read_vouchers
from webapp.queries.found_people import FoundPerson
from webapp.queries.search import FoundThing
from webapp.queries.subtrees import Within
from webapp.web import benefit_words
from webapp.web.access import actor, requires, scope, where
from webapp.web.codes import mint
from webapp.web.filters import moment
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
    """What the box sends: a code is read here and never stands in an address, a log or a history."""
    wanted = clean(request.form.get("q", ""))[:_LONGEST]
    if benefit := _benefit(wanted):
        # A code may be a word that somebody typed, so whatever else fits stands beside it.
        kinds = [benefit, *(kind for kind in _found(wanted) if kind.hits)]
        return leave(benefit.hits[0].url) if len(kinds) == 1 else _results(kinds, wanted)
    voucher = _voucher(wanted) if actor().may(Permission.PROGRAMMES_VIEW) else None
    if voucher is not None:
        return go("vouchers.show", voucher_id=voucher)
    if check_ok(wanted):
        return _results([], "", missed=True)
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
    return _results(kinds, wanted)


def _results(kinds: list[Kind], wanted: str, *, missed: bool = False) -> ResponseReturnValue:
    person = actor()
    return render(
        "search/index.html",
        kinds=kinds,
        wanted=wanted,
        missed=missed,
        may_see_people=person.may(Permission.PROFILES_VIEW, within=True),
        may_see_benefits=person.may(Permission.BENEFITS_VIEW),
    )


def _found(wanted: str) -> list[Kind]:
    session, person = db.session(), actor()
    sees_people = person.may(Permission.PROFILES_VIEW, within=True)
    sees_programmes = person.may(Permission.PROGRAMMES_VIEW)
    people = read.people(session, where(Permission.PROFILES_VIEW), wanted) if sees_people else []
    things = found_things.things(
        session,
        wanted,
        programmes=scope(Permission.PROGRAMMES_VIEW) if sees_programmes else False,
        receipts=scope(Permission.PROFILES_VIEW) if sees_people else False,
        # The tree belongs to the whole account, so a role on some sites does not reach it.
        organisations=_tree(),
    )
    return [
        _people(people, wanted),
        _things(things, "organisation", "Organisations"),
        _things(things, "reward", "Rewards"),
        _things(things, "definition", "Benefit definitions"),
        _things(things, "voucher-type", "Voucher types"),
        _things(things, "receipt", "Receipts"),
        _redemptions(wanted),
    ]


def _tree() -> Within | bool:
    """Which organisations may be found: the tree belongs to the whole account, so a role on some sites does not reach it."""
    sees = actor().organisations(Permission.ORGANISATIONS_VIEW) != frozenset()
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


def _benefit(wanted: str) -> Kind | None:
    """The benefit with exactly this code, of those this person may see."""
    if not wanted or not actor().may(Permission.BENEFITS_VIEW):
        return None
    session = db.session()
    found = read_benefits.id_of_code(session, wanted, scope(Permission.BENEFITS_VIEW))
    if found is None:
        return None
    title = read_benefits.name_of(session, found)
    return Kind("Benefits", [Hit(title, f"benefit {found}", url_for("benefits.show", benefit_id=found))])


def _redemptions(wanted: str) -> Kind:
    """What was redeemed or came back at a till with this receipt; the four signs come again after some time."""
    kind = Kind("Redemptions")
    if not looks_like_receipt(wanted) or not actor().may(Permission.BENEFITS_VIEW):
        return kind
    receipt = normalise(wanted)
    rows = read_ledger.with_receipt(db.session(), receipt, scope(Permission.BENEFITS_VIEW), read.SHOWN)
    kind.has_more = len(rows) > read.SHOWN
    kind.hits = [
        Hit(
            row.definition,
            f"{benefit_words.said(row.kind)} {moment(row.at, row.zone)} · receipt {receipt} · {row.by}",
            url_for("benefits.show", benefit_id=row.benefit_id, _anchor="ledger"),
        )
        for row in rows[: read.SHOWN]
    ]
    return kind


_PLACES = {
    "organisation": lambda thing: url_for("organisations.show", organisation_id=thing.id),
    "reward": lambda thing: url_for("rewards.show", name=thing.name),
    "definition": lambda thing: url_for("benefit_definitions.show", definition_id=thing.id),
    "voucher-type": lambda thing: url_for("voucher_types.show", voucher_type_id=thing.id),
    "receipt": lambda thing: url_for("entries.index", name=thing.name, q=thing.title),
}


def _things(things: list[FoundThing], kind: str, title: str) -> Kind:
    rows = [thing for thing in things if thing.kind == kind]
    hits = [Hit(thing.title, thing.detail, _PLACES[kind](thing)) for thing in rows[: read.SHOWN]]
    return Kind(title, hits, None, len(rows) > read.SHOWN)
