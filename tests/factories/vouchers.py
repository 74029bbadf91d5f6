"""Voucher types and their codes."""

from __future__ import annotations

import hashlib

from tests.factories.base import Rows
from tests.support.clock import NOW
from webapp.models import Voucher, VoucherBatch, VoucherType


class Vouchers(Rows):
    """`make.voucher_type()`, `make.voucher(kind)`."""

    def voucher_type(self, **changes: object) -> VoucherType:
        number = self.next_number
        values: dict[str, object] = {
            "code": f"GIFT-{number}",
            "title": f"Gift voucher {number}",
            "value_minor": 2500,
            "currency": "EUR",
            "valid_for_days": 365,
            "created_at": NOW,
        }
        values |= changes
        if "site_id" not in values:
            values["site_id"] = self.site().id
        return self.add(VoucherType(**values))

    def voucher(self, kind: VoucherType, **changes: object) -> Voucher:
        """One idle code of the type; its code is valid text but not a house code."""
        number = self.next_number
        if "batch_id" not in changes:
            batch = VoucherBatch(voucher_type_id=kind.id, wanted=1, made=1, created_at=NOW)
            changes["batch_id"] = self.add(batch).id
        code = str(changes.get("code", f"TESTCODE{number:03}"))
        values: dict[str, object] = {
            "voucher_type_id": kind.id,
            "code": code,
            "code_hash": hashlib.sha256(code.encode()).hexdigest(),
            "last_four": code[-4:],
        }
        kind.idle_count += 1
        return self.add(Voucher(**values | changes))
