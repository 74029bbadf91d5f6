"""What the box at the top finds besides people: programmes, organisations and receipts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, String, case, func, literal, or_, select, true, union_all
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from webapp.domain.profiles import fold
from webapp.models import BenefitDefinition, Entry, Organisation, Reward, VoucherType
from webapp.queries.matching import begins
from webapp.queries.search import SHOWN, FoundThing, Scope
from webapp.queries.subtrees import Within, inside

_SHORTEST_NUMBER = 3


def things(
    session: Session,
    text: str,
    *,
    programmes: Scope | bool,
    receipts: Scope | bool,
    organisations: Within | bool,
    size: int = SHOWN,
) -> list[FoundThing]:
    """What fits besides people, at most ``size`` + 1 of each kind; False leaves kinds out. One statement.

    ``programmes`` are rewards, benefit definitions and voucher types. A definition is found by its name and handle, and
    by the whole code that all its benefits share, which is no secret; a voucher type by its title and code.
    """
    folded, typed = fold(text), " ".join(text.split())
    parts = []
    if not isinstance(organisations, bool):
        fits = or_(_within_text(Organisation.search_text, folded), begins(Organisation.external_id, typed))
        parts.append(
            _things("organisation", Organisation.id, literal(""), Organisation.title, Organisation.external_id)
            .where(fits, inside(organisations), Organisation.archived_at.is_(None))
            .order_by(Organisation.title)
        )
    if not isinstance(programmes, bool):
        parts += [part.where(_on(model.site_id, programmes)) for model, part in _programmes(text, folded)]
    if not isinstance(receipts, bool) and len(typed) >= _SHORTEST_NUMBER:
        fits = or_(begins(Entry.receipt, typed), begins(Entry.receipt, typed.upper()))
        parts.append(
            _things("receipt", Entry.number, Reward.name, Entry.receipt, Reward.title)
            .join_from(Reward, Entry, Entry.reward_id == Reward.id)
            .where(fits, _on(Reward.site_id, receipts))
        )
    if not parts or not folded:
        return []
    every = union_all(*(select(part.limit(size + 1).subquery()) for part in parts))
    return [FoundThing(*row) for row in session.execute(every)]


def _programmes(text: str, folded: str) -> Iterator[tuple[Any, Any]]:
    """Rewards, definitions and voucher types that fit, the newest first, each with the table of its site."""
    small = text.lower()
    fits = or_(_within_text(func.lower(Reward.title), small), _within_text(Reward.name, folded))
    rewards = _things("reward", Reward.id, Reward.name, Reward.title, Reward.sub_title)
    yield Reward, rewards.where(fits).order_by(Reward.id.desc())

    row = BenefitDefinition
    fits = or_(
        _within_text(func.lower(row.name), small),
        _within_text(func.replace(row.handle, "-", " "), " ".join(folded.replace("-", " ").split())),
        func.upper(_together(row.redeem_code_pos)) == text.upper().replace("-", "").replace(" ", ""),
    )
    detail = case((row.is_archived, row.handle.concat(" · archived")), else_=row.handle)
    yield row, _things("definition", row.id, row.handle, row.name, detail).where(fits).order_by(row.id.desc())

    fits = or_(_within_text(func.lower(VoucherType.title), small), _within_text(func.lower(VoucherType.code), small))
    kinds = _things("voucher-type", VoucherType.id, VoucherType.code, VoucherType.title, VoucherType.code)
    yield VoucherType, kinds.where(fits).order_by(VoucherType.id.desc())


def _together(code: Any) -> Any:
    """A code without the signs that group it."""
    return func.replace(func.replace(code, "-", ""), " ", "")


def _things(kind: str, number: Any, name: Any, title: Any, detail: Any) -> Any:
    texts = [as_type(one, String).label(label) for label, one in (("name", name), ("title", title), ("detail", detail))]
    return select(literal(kind).label("kind"), number.label("id"), *texts)


def _on(site_id: Any, scope: Scope) -> ColumnElement[bool]:
    return true() if scope is None else site_id.in_(scope)


def _within_text(title: Any, text: str) -> ColumnElement[bool]:
    """Whether a word of ``title`` begins with ``text``: for tables of a few thousand rows."""
    return or_(title.startswith(text, autoescape=True), title.contains(f" {text}", autoescape=True))
