"""Creates and changes voucher types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from webapp.domain import voucher_patterns as patterns
from webapp.domain import vouchers as rules
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.models import Site, VoucherType
from webapp.queries import voucher_types as read
from webapp.services.work import Work, changed_rows

LABELS = {
    "title": "title",
    "subtitle": "subtitle",
    "value_minor": "value",
    "currency": "currency",
    "valid_for_days": "days valid",
    "static_expiry_on": "fixed last day",
    "id_pattern": "pattern of codes",
    "terms": "terms",
    "notes": "notes",
}
_LONG = frozenset({"terms", "notes"})  # told as changed, not in full


@dataclass(frozen=True, slots=True)
class VoucherTypeTerms:
    """What an editor types. ``value_minor`` is in hundredths of ``currency``; ``static_expiry_on`` is the last day.

    ``id_pattern`` empty means the house code.
    """

    title: str
    subtitle: str
    value_minor: int | None
    currency: str
    valid_for_days: int | None
    static_expiry_on: date | None
    id_pattern: str
    terms: str
    notes: str


@dataclass(frozen=True, slots=True)
class CreateVoucherType(VoucherTypeTerms):
    """``code`` is what files and commands call the type; it never changes."""

    site_id: int
    code: str


@dataclass(frozen=True, slots=True)
class ChangeVoucherType(VoucherTypeTerms):
    """``version`` is the one the form was drawn from."""

    voucher_type_id: int
    version: int


def create(work: Work, command: CreateVoucherType) -> VoucherType:
    """Add a type without codes. ``Conflict`` when its code is taken, ``Refused`` on the field that cannot be (K128)."""
    code = rules.type_code(command.code)
    site = work.session.scalars(select(Site).where(Site.id == command.site_id)).one_or_none()
    if site is None:
        raise Refused("site.unknown", "Choose one of the sites in the list.", "site_id")
    if command.static_expiry_on and rules.is_expired(
        rules.end_of_day(command.static_expiry_on, ZoneInfo(site.timezone)), work.now
    ):
        raise Refused(
            "voucher_type.past",
            f"{_day(command.static_expiry_on)} is over, so every code would be expired. Choose a later last day.",
            "static_expiry_on",
        )
    kind = VoucherType(site_id=site.id, code=code, created_at=work.now, **_checked(command))
    try:
        with work.session.begin_nested():
            work.session.add(kind)
    except IntegrityError:
        if read.find_by_code(work.session, code) is None:
            raise
        raise Conflict(
            "voucher_type.code_taken", f"«{code}» is the code of another voucher type; choose another.", "code"
        ) from None
    work.record(Event.VOUCHER_TYPE_CREATED, kind, site.id, title=kind.title, code=kind.code)
    return kind


def change(work: Work, command: ChangeVoucherType) -> VoucherType:
    """Change a type for the codes handed out from now on; ``Conflict`` when somebody saved it meanwhile (K148).

    Codes that are out already keep the end they were given (rewards.md section 6 row 7).
    """
    saved = changed_rows(
        work.session,
        update(VoucherType)
        .where(VoucherType.id == command.voucher_type_id, VoucherType.version == command.version)
        .values(version=VoucherType.version + 1),
    )
    kind = read.get(work.session, command.voucher_type_id)
    if saved != 1:
        raise Conflict(
            "voucher_type.changed",
            "Somebody else saved this voucher type while you were typing. What you typed is still here, the difference "
            "is shown below. Save again to put yours in its place.",
        )
    before = {name: getattr(kind, name) for name in LABELS}
    for name, value in _checked(command).items():
        setattr(kind, name, value)
    work.session.flush()
    changed = [_told(name, before[name], getattr(kind, name)) for name in LABELS if before[name] != getattr(kind, name)]
    work.record(
        Event.VOUCHER_TYPE_CHANGED, kind, kind.site_id, title=kind.title, changes="; ".join(changed) or "nothing"
    )
    return kind


def _checked(command: VoucherTypeTerms) -> dict[str, object]:
    """The columns of the type; raises the first refusal on its field."""
    if command.value_minor is not None and not command.currency:
        raise Refused("voucher_type.currency", "Choose the currency of the value.", "currency")
    if command.valid_for_days is not None:
        rules.checked_days(command.valid_for_days)
    if command.id_pattern:
        try:
            patterns.parse(command.id_pattern)
        except Refused as refusal:
            raise Refused(refusal.code, refusal.message, "id_pattern") from None
    values = {name: getattr(command, name) for name in LABELS}
    return values | {"currency": command.currency if command.value_minor is not None else ""}


def _told(name: str, before: object, after: object) -> str:
    if name in _LONG:
        return LABELS[name]
    return f"{LABELS[name]} {_shown(name, before)} → {_shown(name, after)}"


def _shown(name: str, value: object) -> str:
    if name == "value_minor" and isinstance(value, int):
        return f"{value // 100:,}.{value % 100:02d}"
    if isinstance(value, date):
        return _day(value)
    return "none" if value in (None, "") else str(value)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
