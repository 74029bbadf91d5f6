"""Create, change, publish, archive, clone and delete benefit definitions; every change of terms becomes a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from webapp.domain import benefit_definitions as rules
from webapp.domain import definition_words as words
from webapp.domain.audit import Event
from webapp.domain.benefit_definitions import DefinitionTerms
from webapp.domain.condition_building import Built, rule_of
from webapp.domain.condition_reading import parse, read
from webapp.domain.errors import Conflict, Refused
from webapp.domain.notices import NoticeKind
from webapp.domain.terms_compared import LABELS, plain, told
from webapp.domain.verdicts import Reason, all_of
from webapp.models import BenefitDefinition, BenefitDefinitionVersion, Site, Target, VoucherType
from webapp.queries import benefit_definitions as find
from webapp.queries import conditions
from webapp.services import rows
from webapp.services.work import Work, changed_rows

_NOUN = "definition"
_OPTIONAL = ("campaign", "external_id", "icon", "image_url", "redeem_code_pos", "redeem_code_online")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDefinition(DefinitionTerms):
    """A new draft on a site."""

    site_id: int
    handle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDefinition(DefinitionTerms):
    """Other terms; ``version`` is the one the form was drawn from."""

    definition_id: int
    handle: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCondition:
    """Another claim or view condition, put together from lines; ``which`` is the name of its column."""

    definition_id: int
    which: str
    built: Built
    version: int


@dataclass(frozen=True, slots=True)
class PublishDefinition:
    """Show it to customers and let them claim it, if it is claimable."""

    definition_id: int


@dataclass(frozen=True, slots=True)
class UnpublishDefinition:
    """Make it a draft again; what people hold stays good."""

    definition_id: int


@dataclass(frozen=True, slots=True)
class ArchiveDefinition:
    """Retire it; what is out can still be redeemed unless ``stops_redemptions``."""

    definition_id: int
    stops_redemptions: bool = False


@dataclass(frozen=True, slots=True)
class RestoreDefinition:
    """Take it out of the archive."""

    definition_id: int


@dataclass(frozen=True, slots=True)
class CloneDefinition:
    """A draft with the same terms under another handle, its dates ``shift_days`` days later."""

    definition_id: int
    handle: str
    name: str
    shift_days: int = 0


@dataclass(frozen=True, slots=True)
class DeleteDefinition:
    """Take away a definition nothing was ever issued from."""

    definition_id: int


def create(work: Work, command: CreateDefinition) -> BenefitDefinition:
    """Add a draft and the first version of its terms; ``Refused`` or ``Conflict`` at the field that is wrong."""
    site = work.session.get(Site, command.site_id)
    if site is None:
        raise Refused("site.not_found", "Choose the site this definition belongs to.", "site_id")
    handle = _free_handle(work, command.handle)
    return add(work, site.id, handle, columns(work.session, command, site))


def add(work: Work, site_id: int, handle: str, values: Mapping[str, Any]) -> BenefitDefinition:
    """Add a draft of ``columns`` that hold, and the first version of its terms. The handle must be free."""
    definition = BenefitDefinition(
        site_id=site_id,
        handle=handle,
        created_at=work.now,
        updated_at=work.now,
        created_by_id=work.actor.staff_id,
        **values,
    )
    work.session.add(definition)
    work.session.flush()
    _keep_version(work, definition)
    work.record(
        Event.DEFINITION_CREATED, definition, site_id, title=definition.name, handle=handle, type=str(definition.type)
    )
    return definition


def change(work: Work, command: ChangeDefinition) -> BenefitDefinition:
    """Save other terms as a new version; what is out keeps the one it was issued under.

    ``Conflict`` when somebody saved it since the form was opened, or when the handle is another's; ``Refused`` at the
    field that is wrong, and for another handle once anything was issued (benefits.md 13.1).
    """
    definition = find.get(work.session, command.definition_id)
    site = work.session.get_one(Site, definition.site_id)
    handle = rules.handle_of(command.handle)
    rules.may_rename(definition.handle, handle, definition.total_global_created).require()
    if handle != definition.handle:
        _free_handle(work, handle)
    values = columns(work.session, command, site, definition.id) | {"handle": handle}
    return save(work, definition, command.version, values)


def change_condition(work: Work, command: ChangeCondition) -> BenefitDefinition:
    """Save a condition put together from lines; ``Refused`` for a line that cannot be read."""
    definition = find.get(work.session, command.definition_id)
    if command.which not in ("claim_condition", "view_condition"):
        raise Refused("condition.unknown", "There are two conditions: to claim it, and to see it.")
    rule = rule_of(command.built, conditions.variables(work.session))
    site = work.session.get_one(Site, definition.site_id)
    return save(work, definition, command.version, {command.which: _readable(work.session, command.which, rule, site)})


def save(work: Work, definition: BenefitDefinition, version: int, values: dict[str, Any]) -> BenefitDefinition:
    """Save ``columns`` that hold as a new version, if any differs; ``Conflict`` when it was saved since ``version``."""
    before = {name: getattr(definition, name) for name in values}
    changes = told(before, values)
    if not changes:
        return definition
    stamps = {"updated_at": work.now, "terms_number": BenefitDefinition.terms_number + 1}
    rows.save(work, definition, version, values | stamps, Event.DEFINITION_CHANGED, "benefit definition")
    _keep_version(work, definition)
    work.record(
        Event.DEFINITION_CHANGED, definition, definition.site_id, title=definition.name,
        number=definition.terms_number, changes=changes,
    )  # fmt: skip
    return definition


def _keep_version(work: Work, definition: BenefitDefinition) -> None:
    terms = {name: plain(getattr(definition, name)) for name in LABELS}
    work.session.add(
        BenefitDefinitionVersion(
            definition_id=definition.id,
            number=definition.terms_number,
            terms=terms,
            at=work.now,
            by=work.actor.label,
        )
    )


def _free_handle(work: Work, text: str) -> str:
    handle = rules.handle_of(text)
    taken = exists().where(BenefitDefinition.handle == handle)
    if work.session.scalar(select(taken)):
        sentence = f"The handle «{handle}» is already used, in large or small letters; choose another."
        raise Conflict("handle.taken", sentence, "handle")
    return handle


def columns(session: Session, terms: DefinitionTerms, site: Site, own_id: int | None = None) -> dict[str, Any]:
    """The values of the row for what was typed; ``Refused`` or ``Conflict`` at the field that is wrong."""
    rules.may_save(terms).require()
    values = {field.name: getattr(terms, field.name) for field in fields(DefinitionTerms)}
    start, end = words.window(terms, site.timezone)
    values |= {name: values[name] or None for name in _OPTIONAL}
    values |= {
        "tags": rules.tags_of(terms.tags),
        "meta": rules.meta_of(terms.meta),
        "end_at": terms.validity(site.timezone).end_at,
        "claim_period_start_at": start,
        "claim_period_end_at": end,
        "notify_schedule_offset": terms.notify_schedule_offset or 0,
    }
    for which in ("claim_condition", "view_condition"):
        values[which] = _readable(session, which, parse(values[which]), site)
    _check_voucher_type(session, terms.voucher_type_id, site)
    _check_targets(session, terms, site, own_id)
    _check_external_id(session, terms.external_id, own_id)
    return values


def _readable(session: Session, which: str, rule: dict[str, Any], site: Site) -> dict[str, Any]:
    try:
        read(rule, conditions.variables(session) if rule else {}, site.timezone)
    except Refused as refused:
        raise Refused(refused.code, refused.message, which) from None
    return rule


def _check_voucher_type(session: Session, voucher_type_id: int | None, site: Site) -> None:
    kind = None if voucher_type_id is None else session.get(VoucherType, voucher_type_id)
    if voucher_type_id is not None and (kind is None or kind.site_id != site.id):
        raise Refused("voucher_type.not_found", f"Choose a voucher type of the site «{site.title}».", "voucher_type_id")


def _check_targets(session: Session, terms: DefinitionTerms, site: Site, own_id: int | None) -> None:
    """Targets of the same site in use; one that was archived since may stay where it is."""
    own = session.get(BenefitDefinition, own_id) if own_id else None
    for kind in NoticeKind:
        field = f"{kind}_target_id"
        number = getattr(terms, field)
        target = None if number is None else session.get(Target, number)
        if number is not None and (target is None or target.site_id != site.id):
            raise Refused("target.not_found", f"Choose a target of the site «{site.title}».", field)
        if target and target.archived_at and (own is None or getattr(own, field) != number):
            raise Refused(
                "target.archived", f"«{target.title}» is archived; choose another target, or restore it.", field
            )


def _check_external_id(session: Session, external_id: str, own_id: int | None) -> None:
    wanted = select(BenefitDefinition.name).where(BenefitDefinition.external_id == external_id)
    wanted = wanted.where(BenefitDefinition.id != (own_id or 0))
    if external_id and (other := session.scalar(wanted)):
        sentence = f"«{external_id}» is the external id of «{other}» already; choose another."
        raise Conflict("external_id.taken", sentence, "external_id")


def publish(work: Work, command: PublishDefinition) -> BenefitDefinition:
    """draft → live; ``Refused`` by the first line of the checklist that stops it, ``Conflict`` when it is live already."""
    definition = find.get(work.session, command.definition_id)
    checks = words.readiness(definition, work.now, work.session.get_one(Site, definition.site_id).timezone)
    failed = [Reason("definition.not_ready", check.sentence) for check in checks if check.stops and not check.ok]
    all_of(*failed).require()
    return put_live(work, definition)


def put_live(work: Work, definition: BenefitDefinition) -> BenefitDefinition:
    """draft → live without the checklist: for what gives a definition back the state it had."""
    _move(work, definition, {"is_published": True}, is_published=False)
    work.record(Event.DEFINITION_PUBLISHED, definition, definition.site_id, title=definition.name)
    return definition


def unpublish(work: Work, command: UnpublishDefinition) -> BenefitDefinition:
    """live → draft; nobody can claim it any more, what people hold stays good."""
    definition = find.get(work.session, command.definition_id)
    _move(work, definition, {"is_published": False}, is_published=True)
    work.record(Event.DEFINITION_UNPUBLISHED, definition, definition.site_id, title=definition.name)
    return definition


def archive(work: Work, command: ArchiveDefinition) -> BenefitDefinition:
    """Retire it; ``Conflict`` when somebody did already."""
    definition = find.get(work.session, command.definition_id)
    stops = command.stops_redemptions
    _move(work, definition, {"is_archived": True, "stops_redemptions": stops}, is_archived=False)
    effect = "redemptions stopped" if stops else "what is out can still be redeemed"
    work.record(Event.DEFINITION_ARCHIVED, definition, definition.site_id, title=definition.name, effect=effect)
    return definition


def restore(work: Work, command: RestoreDefinition) -> BenefitDefinition:
    """Take it out of the archive; redemptions go on with it."""
    definition = find.get(work.session, command.definition_id)
    _move(work, definition, {"is_archived": False, "stops_redemptions": False}, is_archived=True)
    work.record(Event.DEFINITION_RESTORED, definition, definition.site_id, title=definition.name)
    return definition


def _move(work: Work, definition: BenefitDefinition, values: dict[str, Any], **guard: bool) -> None:
    """Change a state if it is what ``guard`` says, in one statement; the loser of two hears who was faster."""
    held = [getattr(BenefitDefinition, name).is_(value) for name, value in guard.items()]
    stamps = {"version": BenefitDefinition.version + 1, "updated_at": work.now}
    moved = update(BenefitDefinition).where(BenefitDefinition.id == definition.id, *held).values(**values, **stamps)
    if changed_rows(work.session, moved) != 1:
        raise Conflict(
            "definition.moved", f"«{definition.name}» is so already; somebody was faster. Nothing was changed."
        )
    work.session.refresh(definition)


def clone(work: Work, command: CloneDefinition) -> BenefitDefinition:
    """A draft with the same terms: figures at nothing, no external id, dates ``shift_days`` later (benefits.md 13.1)."""
    original = find.get(work.session, command.definition_id)
    site = work.session.get_one(Site, original.site_id)
    handle = _free_handle(work, command.handle)
    values = {name: getattr(original, name) for name in LABELS if name != "handle"}
    values |= {name: rules.shifted(values[name], command.shift_days, site.timezone) for name in _DATES}
    values |= {"name": command.name or original.name, "external_id": None}
    made = add(work, original.site_id, handle, values)
    work.record(Event.DEFINITION_CLONED, made, made.site_id, title=made.name, original=original.name)
    return made


_DATES = ("absolute_expiry", "end_at", "claim_period_start_at", "claim_period_end_at")


def remove(work: Work, command: DeleteDefinition) -> BenefitDefinition:
    """Delete it with its versions; ``Refused`` once anything was issued from it or a batch was planned for it."""
    definition = find.held(work.session, command.definition_id)
    batches = find.batch_count(work.session, definition.id)
    rules.may_delete(definition.name, definition.total_global_created, batches).require()
    work.session.expunge(definition)
    of = BenefitDefinitionVersion
    work.session.execute(delete(of).where(of.definition_id == definition.id))
    unused = BenefitDefinition.total_global_created == 0
    if changed_rows(work.session, delete(BenefitDefinition).where(BenefitDefinition.id == definition.id, unused)) != 1:
        raise Conflict("definition.issued", f"Somebody issued «{definition.name}» a moment ago; archive it instead.")
    work.record(Event.DEFINITION_DELETED, definition, definition.site_id, title=definition.name)
    return definition
