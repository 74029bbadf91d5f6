"""What can be exported: the columns of each kind, its filters, and its rows narrowed as its list in the console is.

Without a filter an export has every row there is. With any it has what the list has under the same address, so what is
archived then comes with a filter that asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.cli.filters import Asked
from webapp.domain import modules as module_rules
from webapp.domain.benefit_lists import DATES, FILTERS, NULLABLE, Dates
from webapp.domain.benefits import BenefitState, BenefitType, DefinitionState
from webapp.domain.errors import NotFound
from webapp.domain.groups import GroupKind
from webapp.domain.redemptions import BenefitSource
from webapp.domain.rewards import RewardStatus
from webapp.domain.vouchers import VoucherStatus
from webapp.queries import benefit_definitions as read_definitions
from webapp.queries import benefit_rows
from webapp.queries import facts as read_facts
from webapp.queries import groups as read_groups
from webapp.queries import locations as read_locations
from webapp.queries import memberships as read_memberships
from webapp.queries import modules as read_modules
from webapp.queries import organisation_types as read_org_types
from webapp.queries import organisations as read_organisations
from webapp.queries import profiles as read_profiles
from webapp.queries import rewards as read_rewards
from webapp.queries import sites as read_sites
from webapp.queries import tiers as read_tiers
from webapp.queries import voucher_types as read_types
from webapp.queries import vouchers as read_vouchers
from webapp.queries.benefit_filters import Filter

Rows = Iterator[tuple[object, ...]]
_ARCHIVED = ("in-use", "archived")
_CLOSED = ("open", "closed")
_KINDS = {kind.replace(" ", "-"): kind for kind in GroupKind}
_THERE = {"yes": True, "never": False}


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of one sort: what they are in words, their columns, how they are read, and what narrows them.

    ``listing`` is what ``domain.exports`` calls their list, where that is not the name of the kind.
    """

    what: str
    columns: Sequence[str]
    rows: Callable[[Session, Asked], Rows]
    filters: Sequence[str] = ()
    listing: str = ""


def _profiles(session: Session, asked: Asked) -> Rows:
    return read_profiles.stream(session, search=asked.text("q"))


def _organisations(session: Session, asked: Asked) -> Rows:
    ids = read_org_types.ids(session)
    kind = asked.one_of("type", sorted(ids))
    is_archived = asked.one_of("show", _ARCHIVED) == "archived"
    narrow = read_organisations.Filters(asked.text("q"), ids[kind] if kind else None, is_archived)
    return read_organisations.stream(session, filters=narrow if asked.values else None)


def _groups(session: Session, asked: Asked) -> Rows:
    show = asked.one_of("show", (*_ARCHIVED, *_KINDS))
    narrow = read_groups.Filters(asked.text("q"), _KINDS.get(show or ""), is_archived=show == "archived")
    return read_groups.stream(session, narrow if asked.values else None)


def _memberships(session: Session, asked: Asked) -> Rows:
    name = asked.text("group")
    group = read_groups.known(session, [name]).get(name) if name else None
    if name and group is None:
        raise NotFound("group.unknown", f"There is no group called «{name}».")
    return read_memberships.stream(session, None, group.id if group else None, asked.text("q"))


def _modules(session: Session, asked: Asked) -> Rows:
    is_archived = asked.one_of("show", _ARCHIVED) == "archived" if asked.values else None
    return read_modules.stream(session, None, asked.text("q"), is_archived=is_archived)


def _completions(session: Session, asked: Asked) -> Rows:
    name, module_id = asked.text("module"), None
    if name:
        key = module_rules.parts(name)
        if key not in (found := read_modules.known(session, [key])):
            raise NotFound("module.unknown", f"There is no module «{name}».")
        module_id = found[key][0].id
    return read_modules.stream_completions(session, None, module_id, asked.text("q"))


def _locations(session: Session, asked: Asked) -> Rows:
    is_closed = asked.one_of("show", _CLOSED) == "closed" if asked.values else None
    return read_locations.stream(session, None, asked.text("q"), is_closed=is_closed)


def _definitions(session: Session, asked: Asked) -> Rows:
    if not asked.values:
        return read_definitions.stream_all(session)
    narrow = read_definitions.Filters(
        asked.text("q"),
        asked.choice("state", DefinitionState),
        asked.choice("type", BenefitType),
        asked.text("tag"),
        asked.text("campaign"),
    )
    return read_definitions.stream(session, None, narrow, clock.now())


def _benefits(session: Session, asked: Asked) -> Rows:
    handle = asked.text("definition")
    dates = {name: _dates(asked, name) for name in DATES}
    narrow = Filter(
        definition_id=read_definitions.id_of(session, handle, None) if handle else None,
        state=asked.choice("state", BenefitState),
        source=asked.choice("source", BenefitSource),
        search=asked.text("q"),
        batch_id=asked.number("batch"),
        dates={name: span for name, span in dates.items() if span != Dates()},
    )
    return benefit_rows.stream(session, None, narrow, clock.now())


def _dates(asked: Asked, name: str) -> Dates:
    there = asked.one_of(name, _THERE) if name in NULLABLE else None
    return Dates(asked.day(f"{name}_from"), asked.day(f"{name}_to"), _THERE[there] if there else None)


def _codes(session: Session, asked: Asked) -> Rows:
    code, reward = asked.text("type"), asked.text("reward")
    narrow = read_vouchers.Filter(
        read_types.id_of(session, code) if code else None,
        asked.choice("status", VoucherStatus),
        read_rewards.id_of(session, reward, None) if reward else None,
    )
    return read_vouchers.stream(session, None, narrow)


def _rewards(session: Session, asked: Asked) -> Rows:
    return read_rewards.stream(session, None, asked.text("q"), asked.choice("status", RewardStatus))


def _sites(session: Session, asked: Asked) -> Rows:
    return read_sites.stream(session, None, asked.text("q"))


# Every column that an import of the kind reads is among those of its export, but for codes, which no file tells whole.
KINDS: dict[str, Kind] = {
    "profiles": Kind("everybody", read_profiles.EXPORT, _profiles, ("q",)),
    "facts": Kind(
        "the further facts people may have", read_facts.EXPORT, lambda session, _: read_facts.stream(session)
    ),
    "organisation-types": Kind(
        "the types of organisations", read_org_types.EXPORT, lambda session, _: read_org_types.stream(session)
    ),
    "organisations": Kind(
        "organisations, parents before children", read_organisations.EXPORT, _organisations, ("q", "type", "show")
    ),
    "groups": Kind("groups", read_groups.EXPORT, _groups, ("q", "show")),
    "memberships": Kind(
        "who is in which group, within which organisation", read_memberships.EXPORT, _memberships, ("q", "group")
    ),
    "modules": Kind("modules", read_modules.EXPORT, _modules, ("q", "show")),
    "completions": Kind("who completed which module", read_modules.EXPORT_COMPLETIONS, _completions, ("q", "module")),
    "tiers": Kind("tiers in the order of rank", read_tiers.EXPORT, lambda session, _: read_tiers.stream(session)),
    "locations": Kind("locations", read_locations.EXPORT, _locations, ("q", "show")),
    "definitions": Kind(
        "benefit definitions, the newest first",
        read_definitions.EXPORT,
        _definitions,
        ("q", "state", "type", "tag", "campaign"),
        listing="benefit-definitions",
    ),
    "benefits": Kind(
        "benefits, the newest first; of codes the last four signs",
        benefit_rows.EXPORT,
        _benefits,
        [name for name in sorted(FILTERS) if name not in DATES or name in NULLABLE],
    ),
    "codes": Kind(
        "codes of vouchers by their last four signs, the newest first",
        read_vouchers.EXPORT,
        _codes,
        ("type", "status", "reward"),
        listing="vouchers",
    ),
    "rewards": Kind("rewards with their prizes, the newest first", read_rewards.EXPORT, _rewards, ("q", "status")),
    "sites": Kind("sites", read_sites.EXPORT, _sites, ("q",)),
}
