"""The list of benefits on its way out as a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, literal, select
from sqlalchemy.orm import Session

from webapp.domain.benefit_lists import Order
from webapp.domain.benefits import BenefitState
from webapp.domain.voucher_codes import masked
from webapp.models import Benefit, BenefitDefinition, Profile, Site, Voucher
from webapp.queries.benefit_filters import Filter
from webapp.queries.benefit_lists import Listing
from webapp.queries.benefits import Scope, is_in
from webapp.queries.exports import flow

EXPORT = (
    "id", "definition", "site", "state", "source", "external_id", "first_name", "last_name", "email", "issued_at",
    "claimed_at", "expires_at", "extended_at", "voided_at", "zone", "max_redemptions", "redeemed_count", "value_minor",
    "currency", "code_last_four",
)  # fmt: skip
_DOT = "•"


def stream(
    session: Session, scope: Scope, narrow: Filter, now: datetime, order: Order = Order.NEWEST
) -> Iterator[tuple[object, ...]]:
    """Benefits as ``EXPORT`` names them, as the list shows them at ``now``, in its order; of a code its last four signs."""
    state = case(*((is_in(one, now), literal(str(one))) for one in BenefitState))
    wanted: Select[*tuple[Any, ...]] = (
        select(
            Benefit.id,
            BenefitDefinition.handle,
            Site.name,
            state,
            Benefit.source,
            Profile.external_id,
            Profile.first_name,
            Profile.last_name,
            Profile.email,
            Benefit.issued_at,
            Benefit.claimed_at,
            Benefit.expires_at,
            Benefit.extended_at,
            Benefit.voided_at,
            Benefit.zone,
            Benefit.max_redemptions,
            Benefit.redeemed_count,
            Benefit.value_minor,
            Benefit.currency,
            Benefit.redeem_code_pos,
            Voucher.last_four,
        )
        .join(BenefitDefinition, BenefitDefinition.id == Benefit.definition_id)
        .join(Site, Site.id == BenefitDefinition.site_id)
        .join(Profile, Profile.id == Benefit.profile_id)
        .outerjoin(Voucher, Voucher.id == Benefit.voucher_id)
    )
    listing = Listing(session, scope, narrow, now, order)
    for part in listing.parts():
        for row in flow(session, listing.read(wanted, part)):
            cells = tuple(row)
            own, of_voucher = cells[-2:]
            yield *cells[:-2], masked(own).lstrip(_DOT) if own else of_voucher
