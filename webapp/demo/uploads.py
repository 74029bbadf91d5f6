"""Codes that a partner made: a file that was added to a pool, and one that waits with what is wrong in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select

from webapp.domain.permissions import Role
from webapp.models import Profile, Site, VoucherBatch
from webapp.services import voucher_types, vouchers

if TYPE_CHECKING:
    from webapp.demo.programme import Builder

_HEADINGS = ("Code", "Valid from", "Valid until", "Member ID", "Value", "Film")
_DAYS_AGO = 3


def build(builder: Builder, site: Site) -> None:
    """A voucher type whose codes come from a cinema."""
    command = voucher_types.CreateVoucherType(
        site_id=site.id,
        code="CINEMA",
        title="Cinema ticket",
        subtitle="One seat, any film, by the Quayside Cinema",
        value_minor=1200,
        currency="GBP",
        valid_for_days=90,
        static_expiry_on=None,
        id_pattern="",
        terms="One seat for any film from Monday to Thursday. The cinema takes the code at its till.",
        notes="The cinema sends a file of codes each quarter.",
    )
    ago = timedelta(days=30)
    kind = builder.do(Role.EDITOR, ago, partial(voucher_types.create, command=command))
    with builder.sessions() as session:
        member = (
            session.scalars(
                select(Profile.external_id).where(Profile.external_id.is_not(None)).order_by(Profile.id).limit(1)
            ).one()
            or ""
        )
    until = f"{builder.now + timedelta(days=200):%Y-%m-%d}"
    first = [(f"QUAY-1{number:03}-SEAT", "", until, "", "", "") for number in range(40)]
    first += [("QUAY-2000-GALA", "", until, member, "25.00", ""), ("QUAY-2001-GALA", "", until, "", "25.00", "")]
    batch = _checked(builder, kind.id, "quayside-spring.csv", first, ago)
    added = vouchers.AddCodes(kind.id, batch.id)
    builder.do(Role.EDITOR, ago, partial(vouchers.add_uploaded, command=added, mint=builder.mint))
    later = f"{builder.now + timedelta(days=30):%Y-%m-%d}"
    second = [(f"QUAY-3{number:03}-SEAT", later, "", "", "", "") for number in range(25)]
    second += [
        ("QUAY-1000-SEAT", "", "", "", "", "Sent before"),
        ("QUAY-3000-SEAT", "", "", "", "", ""),
        ("QUAY-4000-SEAT", "", "31.12.", "", "", ""),
        ("QUAY-4001-SEAT", "", "", "NOBODY-1", "", ""),
        ("QUAY-4002-SEAT", "", "", "", "a lot", ""),
    ]
    _checked(builder, kind.id, "quayside-summer.csv", second, timedelta(days=_DAYS_AGO))


def _checked(
    builder: Builder, kind_id: int, name: str, rows: Sequence[tuple[str, ...]], ago: timedelta
) -> VoucherBatch:
    command = vouchers.UploadCodes(kind_id, name, _HEADINGS, list(enumerate(rows, start=2)))
    return builder.do(Role.EDITOR, ago, partial(vouchers.upload, command=command, mint=builder.mint))
