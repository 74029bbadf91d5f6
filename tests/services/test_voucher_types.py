"""Voucher types are created whole, changed knowingly, and told of in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.orm import Session

from tests.factories import NOW, Factories
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, Refused
from webapp.services import voucher_types
from webapp.services.voucher_types import ChangeVoucherType, CreateVoucherType
from webapp.services.work import Work, perform

TERMS = {
    "title": "Coffee for two",
    "subtitle": "",
    "value_minor": 900,
    "currency": "GBP",
    "valid_for_days": 90,
    "static_expiry_on": None,
    "id_pattern": "",
    "terms": "",
    "notes": "",
}


def wanted(make: Factories, **changes: object) -> CreateVoucherType:
    return CreateVoucherType(**TERMS | {"site_id": make.site().id, "code": "COFFEE"} | changes)


def changed(kind_id: int, version: int, **changes: object) -> ChangeVoucherType:
    return ChangeVoucherType(**TERMS | {"voucher_type_id": kind_id, "version": version} | changes)


def test_a_type_is_created_without_codes(work: Work, make: Factories) -> None:
    kind = voucher_types.create(work, wanted(make))
    assert (kind.code, kind.idle_count, kind.version, kind.created_at) == ("COFFEE", 0, 1, NOW)
    assert work.events[0]["event"] is Event.VOUCHER_TYPE_CREATED
    assert work.events[0]["facts"] == {"title": "Coffee for two", "code": "COFFEE"}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"code": "shirts 1!"}, "code"),  # K128
        ({"code": ""}, "code"),
        ({"site_id": 0}, "site_id"),
        ({"currency": ""}, "currency"),
        ({"valid_for_days": 0}, "valid_for_days"),
        ({"static_expiry_on": date(2026, 3, 1)}, "static_expiry_on"),
        ({"id_pattern": "{year}"}, "id_pattern"),
    ],
)
def test_what_cannot_be_is_refused_on_its_field(
    work: Work, make: Factories, typed: dict[str, object], field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        voucher_types.create(work, wanted(make, **typed))
    assert refusal.value.field == field


def test_today_is_not_over_yet(work: Work, make: Factories) -> None:
    assert voucher_types.create(work, wanted(make, static_expiry_on=NOW.date())).static_expiry_on == NOW.date()


def test_a_type_without_a_value_has_no_currency(work: Work, make: Factories) -> None:
    assert voucher_types.create(work, wanted(make, value_minor=None)).currency == ""


def test_a_code_belongs_to_one_type(session: Session, actor, make: Factories) -> None:
    command = wanted(make, code=make.voucher_type().code)
    with pytest.raises(Conflict) as refusal:
        perform(session, actor, NOW, lambda work: voucher_types.create(work, command))
    assert refusal.value.field == "code"


def test_a_change_is_told_field_by_field(work: Work, make: Factories) -> None:
    kind = voucher_types.create(work, wanted(make))
    new = {"title": "Tea", "value_minor": 750, "valid_for_days": None, "static_expiry_on": date(2027, 3, 31)}
    voucher_types.change(work, changed(kind.id, 1, terms="One pot.", **new))
    assert kind.version == 2
    assert work.events[-1]["facts"] == {
        "title": "Tea",
        "changes": "title Coffee for two → Tea; value 9.00 → 7.50; days valid 90 → none; "
        "fixed last day none → 31 March 2027; terms",
    }


def test_saving_unchanged_says_nothing_changed(work: Work, make: Factories) -> None:
    kind = voucher_types.create(work, wanted(make))
    voucher_types.change(work, changed(kind.id, 1))
    assert work.events[-1]["facts"] == {"title": "Coffee for two", "changes": "nothing"}


def test_k148_a_stale_form_changes_nothing(session: Session, actor, make: Factories) -> None:
    kind = perform(session, actor, NOW, lambda work: voucher_types.create(work, wanted(make)))
    first = changed(kind.id, 1, title="Tea")
    perform(session, actor, NOW, lambda work: voucher_types.change(work, first))
    with pytest.raises(Conflict, match=r"Somebody else saved this voucher type"):
        perform(session, actor, NOW, lambda work: voucher_types.change(work, replace(first, title="Cake")))
    session.refresh(kind)
    assert kind.title == "Tea"
