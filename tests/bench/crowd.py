"""The sample programme with hundreds of everything a list can show, and the address of every screen on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import Session

from tests.support.clock import NOW
from webapp.adapters import schema
from webapp.config import Settings
from webapp.demo.programme import Builder
from webapp.domain.audit import Event
from webapp.domain.benefit_acts import VOID_JOB
from webapp.domain.fulfilment import Stage
from webapp.domain.jobs import JobStatus
from webapp.domain.rewards import RewardKind, RewardStatus
from webapp.domain.vouchers import VoucherStatus
from webapp.jobs import audit
from webapp.models import (
    AuditEntry,
    Base,
    Benefit,
    BenefitBatch,
    BenefitBatchPerson,
    BenefitChange,
    BenefitDefinition,
    BenefitDefinitionVersion,
    BenefitExtension,
    Completion,
    Draw,
    Entry,
    ExtendedBenefit,
    Group,
    ImportProblem,
    ImportRun,
    Job,
    Location,
    Membership,
    Module,
    Notice,
    Organisation,
    OrganisationType,
    Prize,
    Profile,
    Redemption,
    RedemptionAttempt,
    Reward,
    Site,
    StaffGrant,
    StaffInvitation,
    StaffMember,
    Target,
    Tier,
    Voucher,
    VoucherBatch,
    VoucherChange,
    VoucherType,
    Winner,
    WinnerEvent,
)
from webapp.services.vouchers.taking_back import MOST_LISTED

MANY = 220
SECRET = "a secret for measuring only"  # noqa: S105
Row = dict[str, Any]
AT = {"created_at": NOW}


def build(engine: Engine) -> None:
    """The schema, the sample programme, and ``MANY`` more rows of each kind."""
    schema.upgrade(engine)

    def sessions() -> Session:
        return Session(engine, expire_on_commit=False)

    Builder(sessions, NOW, Settings(secret_key=SECRET), "small").build()
    with sessions() as session:
        session.connection(execution_options={"largesse_write": True})
        _crowd(session)
        session.commit()
    audit.run_due(sessions)


def _crowd(session: Session) -> None:
    site = session.scalars(select(Site.id).order_by(Site.id).limit(1)).one()
    kind = session.scalars(select(VoucherType.id).order_by(VoucherType.id).limit(1)).one()
    awarding = session.scalars(select(Draw).join(Reward).where(Reward.title == "Summer in Whitby")).one()
    run = session.scalars(select(ImportRun).where(ImportRun.reward_id == awarding.reward_id)).one()
    session.execute(update(VoucherType).where(VoucherType.id == kind).values(idle_count=VoucherType.idle_count + MANY))
    _add(
        session,
        Site,
        lambda n: {"name": f"s-{n}", "title": f"Site {n}", "organiser": "Club Ltd", "timezone": "Europe/London"} | AT,
    )
    _add(session, VoucherType, lambda n: {"site_id": site, "code": f"T-{n}", "title": f"Type {n}"} | AT)
    _add(session, VoucherBatch, lambda n: {"voucher_type_id": kind, "wanted": 1, "made": 1, "sha256": f"{n:064}"} | AT)
    batches = session.scalars(select(VoucherBatch.id).order_by(VoucherBatch.id.desc()).limit(MANY)).all()
    _add(session, Voucher, lambda n: _voucher(kind, batches[n], n))
    session.add(VoucherBatch(voucher_type_id=kind, wanted=MANY, made=MANY, created_at=NOW, upload=_upload()))
    _add(session, Reward, lambda n: _reward(site, kind, n))
    drafts = session.scalars(select(Reward.id).where(Reward.status == RewardStatus.DRAFT).order_by(Reward.id)).all()
    _add(
        session,
        Prize,
        lambda n: {
            "reward_id": drafts[1],  # more than its form could have made; its own page shows them all
            "position": n + 100,
            "handle": f"p-{n}",
            "title": f"Prize {n}",
            "quantity": 1,
        },
    )
    _add(session, StaffMember, lambda n: {"email": f"s{n}@example.org", "name": f"Person {n}", "created_at": NOW})
    people = session.scalars(select(StaffMember.id).order_by(StaffMember.id.desc()).limit(MANY)).all()
    _add(session, StaffGrant, lambda n: {"staff_id": people[n], "role": "editor", "site_id": site})
    _add(session, StaffGrant, lambda n: {"staff_id": people[n], "role": "viewer", "site_id": None})
    _add(session, StaffInvitation, lambda n: {"staff_id": people[n], "token_hash": f"{n:064}", "expires_at": NOW} | AT)
    _add(session, Job, lambda n: _job(site, n))
    session.add(Job(**_voiding(site)))
    again = {"kind": "entries", "reward_id": awarding.reward_id, "site_id": site, "file_id": run.file_id}
    _add(session, ImportRun, lambda n: again | AT | {"encoding": "utf-8", "created_by": f"Person {n}"})
    _add(
        session,
        ImportProblem,
        lambda n: {
            "run_id": run.id,
            "record": n,
            "line": n + 2,
            "outcome": "bad",
            "column": "email",
            "value": "x",
            "reason": f"Reason {n % 7}.",
        },
    )
    _winners(session, awarding)
    _belonging(session)
    _benefits(session, site)
    top = session.scalars(select(Organisation.id).order_by(Organisation.id)).first()
    subjects = (
        f"organisations:{top}",
        "groups:1",
        f"rewards:{awarding.reward_id}",
        f"voucher_types:{kind}",
        f"sites:{site}",
    )
    for subject in subjects:
        _add(session, AuditEntry, partial(_audit_entry, subject, site))


def _definitions(session: Session, site: int | None) -> None:
    """Many of them, and one with many versions."""
    at = AT | {"updated_at": NOW}
    _add(session, BenefitDefinition, lambda n: {"site_id": site, "name": f"Benefit {n}", "handle": f"b-{n}"} | at)
    coffee = session.scalars(select(BenefitDefinition.id).where(BenefitDefinition.handle == "gold-coffee")).one()
    saved = {"definition_id": coffee, "terms": {}, "at": NOW}
    _add(session, BenefitDefinitionVersion, lambda n: saved | {"number": n + 100, "by": f"Person {n}"})


def _belonging(session: Session) -> None:
    """Many organisations below one, each with its type."""
    top = session.scalars(select(Organisation.id).order_by(Organisation.id)).first()
    at = AT | {"updated_at": NOW}
    _add(session, OrganisationType, lambda n: {"name": f"t-{n}", "title": f"Type {n}"} | AT)
    types = session.scalars(select(OrganisationType.id).order_by(OrganisationType.id.desc()).limit(MANY)).all()
    _add(
        session,
        Organisation,
        lambda n: {
            "external_id": f"O-{n}", "title": f"Shop {n}", "search_text": f"shop {n} o-{n}", "type_id": types[n],
            "parent_id": top, "path": f"/{top}/{1_000_000 + n}/",
        } | at,
    )  # fmt: skip

    _add(session, Group, lambda n: {"name": f"g-{n}", "title": f"Group {n}"} | AT)
    group = session.scalars(select(Group.id).order_by(Group.id)).first()
    people = session.scalars(select(Profile.id).order_by(Profile.id.desc()).limit(MANY)).all()
    within = {"group_id": group, "organisation_id": top, "joined_at": NOW}
    _add(session, Membership, lambda n: within | {"profile_id": people[n]})
    site = session.scalars(select(Site.id).order_by(Site.id)).first()
    _definitions(session, site)
    _add(session, Module, lambda n: {"site_id": site, "path": f"/many/m{n}", "title": f"Module {n}"} | AT)
    module = session.scalars(select(Module.id).order_by(Module.id)).first()
    _add(session, Completion, lambda n: {"module_id": module, "profile_id": people[n], "completed_at": NOW})
    session.execute(update(Module).where(Module.id == module).values(completion_count=Module.completion_count + MANY))
    _add(session, Tier, lambda n: {"name": f"tier-{n}", "title": f"Tier {n}", "rank": 100 + n} | AT)
    _add(
        session,
        Location,
        lambda n: (
            {"external_id": f"S-{n}", "title": f"Shop {n}", "search_text": f"shop {n} s-{n}"}
            | at
            | {"organisation_id": top}
        ),
    )
    for model, row in ((Group, group), (Organisation, top)):
        session.execute(update(model).where(model.id == row).values(member_count=model.member_count + MANY))


def _targets(session: Session, site: int) -> int:
    """Many targets, the first a webhook; gives the last."""
    letter = {"site_id": site, "subject": "A", "body": "((benefit.code))", "updated_at": NOW} | AT
    _add(session, Target, lambda n: letter | {"name": f"letter-{n}", "title": f"Letter {n}"})
    first, last = session.execute(select(func.min(Target.id), func.max(Target.id))).one()
    signed = {"kind": "webhook", "url": "https://hooks.example.org/in", "secret": "sealed", "secret_made_at": NOW}
    session.execute(update(Target).where(Target.id == first).values(**signed))
    return int(last)


def _benefits(session: Session, site: int) -> None:
    """One definition of which many hold a benefit, and one benefit that was redeemed many times."""
    made = {"site_id": site, "handle": "crowd", "name": "Crowd", "is_claimable": True, "is_published": True}
    made |= {"total_global_created": MANY, "total_global_redemptions": MANY, "created_at": NOW, "updated_at": NOW}
    session.execute(insert(BenefitDefinition), [made])
    definition = session.scalars(select(BenefitDefinition.id).where(BenefitDefinition.handle == "crowd")).one()
    terms = {"definition_id": definition, "number": 1, "terms": {}, "at": NOW, "by": "A"}
    session.execute(insert(BenefitDefinitionVersion), [terms])
    people = session.scalars(select(Profile.id).order_by(Profile.id.desc()).limit(MANY)).all()
    held = {"definition_id": definition, "terms_number": 1, "zone": "UTC", "issued_at": NOW} | AT
    _add(
        session,
        Benefit,
        lambda n: held | {"profile_id": people[n], "code_key": f"CROWD{n}", "redeemed_count": 0 if n else MANY},
    )
    used = session.scalars(select(Benefit.id).where(Benefit.code_key == "CROWD0")).one()
    line = {"benefit_id": used, "kind": "redeem", "count": 1, "at": NOW, "by": "A"}
    _add(session, Redemption, lambda n: line | {"receipt": f"{n:04}"})
    refused = {"benefit_id": used, "at": NOW, "by": "A", "reason": "expired"}
    _add(session, RedemptionAttempt, lambda n: refused | {"message": f"Refusal {n}."})
    _add(session, BenefitChange, lambda n: {"benefit_id": used, "move": "issued", "at": NOW, "by": f"Person {n}"})
    _extension(session, used)
    target = _targets(session, site)
    session.execute(
        update(BenefitDefinition)
        .where(BenefitDefinition.id == definition)
        .values(issue_target_id=target, notify_issue_offset_days=0)
    )
    notice = {"benefit_id": used, "profile_id": people[0], "target_id": target, "kind": "remind", "due_at": NOW} | AT
    _add(session, Notice, lambda n: notice | {"anchor_at": NOW + timedelta(days=n)})
    batch = {"definition_id": definition, "site_id": site, "audience": "list", "listed": "A", "created_by": "A"}
    _add(session, BenefitBatch, lambda n: batch | {"status": "issued" if n else "checked", "created_at": NOW})
    last = session.scalars(select(func.max(BenefitBatch.id))).one()
    passed = {"batch_id": last, "passed_over": "holds"}
    _add(session, BenefitBatchPerson, lambda n: passed | {"profile_id": people[n]})
    bad = [[str(n), f"M-{n}", "Nobody has it."] for n in range(100)]
    numbers = {"people_count": 2 * MANY, "passed_count": MANY, "issued_count": MANY, "bad_count": MANY, "problems": bad}
    session.execute(update(BenefitBatch).where(BenefitBatch.id == last).values(**numbers))


def _extension(session: Session, first: int) -> None:
    """As many benefits as one act extends."""
    session.execute(insert(BenefitExtension), [{"id": 1, "at": NOW, "by": "A"}])
    line = {"extension_id": 1, "ended_at": NOW, "ends_at": NOW, "redeemed_count": 0}
    session.execute(insert(ExtendedBenefit), [line | {"benefit_id": first + number} for number in range(50)])


def _add(session: Session, model: type[Base], row: Callable[[int], Row]) -> None:
    session.execute(insert(model), [row(number) for number in range(MANY)])


def _voucher(kind: int, batch: int, number: int) -> Row:
    return {
        "voucher_type_id": kind, "batch_id": batch, "code": f"MEASURE{number:04}", "code_hash": f"{number:064}",
        "last_four": f"{number:04}", "status": VoucherStatus.IDLE,
    }  # fmt: skip


def _reward(site: int, kind: int, number: int) -> Row:
    return {
        "site_id": site, "kind": RewardKind.PRIZE_DRAW, "title": f"Draw {number}", "name": f"draw-{number}",
        "status": (RewardStatus.DRAFT, RewardStatus.ACTIVE)[number % 2], "voucher_type_id": kind,
        "starts_at": NOW - timedelta(days=1), "ends_at": NOW + timedelta(days=30), "created_at": NOW,
    }  # fmt: skip


def _job(site: int, number: int) -> Row:
    status = (JobStatus.DONE, JobStatus.QUEUED)[number % 2]
    return {
        "kind": "count", "title": f"Job {number}", "status": status, "site_id": site, "created_at": NOW,
        "created_by": "A", "finished_at": NOW if status is JobStatus.DONE else None,
    }  # fmt: skip


def _upload() -> Row:
    """What is kept of a file of codes of which as many as a page lists stayed when it was taken back in part."""
    stay = [[number, "••••0000", "It is cancelled."] for number in range(1, MOST_LISTED + 1)]
    found = {"name": "codes.csv", "good": MANY, "twice": 0, "bad": 0, "problems": [], "unread": []}
    return found | {"undo": {"job_id": None, "gone": 0, "left_count": MOST_LISTED, "left": stay}}


def _voiding(site: int) -> Row:
    cursor = {"counts": {"1": [3, 0]}, "moments": [NOW.isoformat()]}
    return _job(site, 0) | {
        "kind": VOID_JOB,
        "title": "Make 3 benefits void",
        "cursor": cursor,
        "arguments": {"sites": None},
    }


def _audit_entry(subject: str, site: int, number: int) -> Row:
    return {
        "at": NOW, "actor": f"Person {number}", "event": Event.SITE_CREATED, "subject": subject, "site_id": site,
        "facts": {"title": f"Site {number}"},
    }  # fmt: skip


def _winners(session: Session, draw: Draw) -> None:
    """Many more winners of one draw, each with a story and a code."""
    fresh = select(Entry.number, Entry.profile_id).where(
        Entry.reward_id == draw.reward_id,
        Entry.profile_id.not_in(select(Winner.profile_id).where(Winner.draw_id == draw.id)),
    )
    entries = session.execute(fresh.order_by(Entry.number).limit(MANY)).all()
    prize = session.scalars(select(Prize.id).where(Prize.reward_id == draw.reward_id)).first()
    stages = (Stage.TO_CONTACT, Stage.NOTIFIED, Stage.ACCEPTED, Stage.FULFILLED)
    _add(session, Winner, lambda n: {
        "draw_id": draw.id, "reward_id": draw.reward_id, "round": 1, "rank": 100 + n, "entry_number": entries[n][0],
        "ticket": 1, "number": f"{n:064}", "holder": f"holder-{n}", "profile_id": entries[n][1], "prize_id": prize,
        "slot": f"more#{n}", "stage": stages[n % 4], "stage_at": NOW, "voucher_count": 1,
    })  # fmt: skip
    winners = session.scalars(select(Winner).where(Winner.draw_id == draw.id, Winner.rank >= 100)).all()
    codes = session.scalars(select(Voucher).where(Voucher.status == VoucherStatus.IDLE).limit(MANY)).all()
    for winner, code in zip(winners, codes, strict=True):
        code.status, code.winner_id, code.winner_place = VoucherStatus.ALLOCATED, winner.id, 1
        code.profile_id, code.allocated_at = winner.profile_id, NOW
    session.flush()
    first = winners[0].id
    _add(
        session,
        WinnerEvent,
        lambda n: {"winner_id": first, "at": NOW, "by": "A", "stage": Stage.TO_CONTACT, "note": f"{n}"},
    )
    _add(
        session,
        VoucherChange,
        lambda n: {"voucher_id": codes[0].id, "at": NOW, "by": "A", "status": VoucherStatus.ALLOCATED, "note": f"{n}"},
    )


# What a screen is called, and where it is; one that looks different by state appears once for each.
SCREENS = {
    "sign-in": "/sign-in",
    "today": "/today",
    "today, figures": "/today/figures",
    "sites": "/sites",
    "site": "/sites/{site}",
    "sites, export": "/sites/export",
    "site, new": "/sites/new",
    "site, edit": "/sites/{site}/edit",
    "people": "/profiles",
    "people, found": "/profiles?q=ann",
    "person": "/profiles/{profile}",
    "person, entries": "/profiles/{profile}/entries",
    "person, learning": "/profiles/{profile}/learning",
    "person, messages": "/profiles/{profile}/messages",
    "person, history": "/profiles/{profile}/history",
    "person, new": "/profiles/new",
    "person, edit": "/profiles/{profile}/edit",
    "person, merge?": "/profiles/{profile}/merge?q=a",
    "person, merge": "/profiles/{profile}/merge/{other}",
    "person, erase?": "/profiles/erase",
    "person, erase": "/profiles/{profile}/erase",
    "people, export": "/profiles/export?q=ann",
    "people, facts": "/profiles/attributes",
    "people, facts, export": "/profiles/attributes/export",
    "person, benefits": "/profiles/{profile}/benefits",
    "benefits": "/benefits",
    "benefits, found": "/benefits?state=active&q=ann",
    "benefits, ordered": "/benefits?sort=-expires_at&issued_from=2020-01-01&claimed=never&size=200",
    "benefits, export": "/benefits/export?state=active",
    "benefit": "/benefits/{benefit}",
    "benefit, why not": "/benefits/{benefit}/why-not",
    "benefit, issue": "/benefits/new?profile={profile}&definition={held}",
    "benefit, claim": "/benefits/claim?profile={profile}&definition={held}",
    "benefits, why not": "/benefits/why-not?profile={profile}&definition={held}",
    "benefit, redeem": "/benefits/{benefit}/redeem",
    "benefit, extend": "/benefits/{benefit}/extend",
    "benefits, extend": "/benefits/extend?" + "&".join(f"ids={n}" for n in range(1, 51)),
    "benefits, void": "/benefits/void?all=yes&ends=never&claimed=never",
    "benefits, void ticked": "/benefits/void?" + "&".join(f"ids={n}" for n in range(1, 51)),
    "benefits, extended": "/benefits/extensions/1",
    "batches": "/benefits/batches",
    "batch": "/benefits/batches/{many}",
    "batch, checked": "/benefits/batches/3",
    "batch, new": "/benefits/batches/new",
    "batch, undo": "/benefits/batches/{many}/undo",
    "benefit, expiry": "/benefits/{benefit}/expiry",
    "benefit, reassign": "/benefits/{benefit}/reassign",
    "benefit, void": "/benefits/{benefit}/void",
    "benefit, restore": "/benefits/{benefit}/restore",
    "benefit, release": "/benefits/{benefit}/release",
    "redemption, return": "/benefits/redemptions/{redemption}/return",
    "redemption, reverse": "/benefits/redemptions/{redemption}/reverse",
    "till": "/till",
    "till, people": "/till/people?q=ann",
    "till, benefit": "/till/benefits/{benefit}",
    "till, done": "/till/redemptions/{redemption}",
    "till, voucher": "/till/vouchers/{voucher}",
    "till, voucher done": "/till/vouchers/{voucher}/done",
    "organisations": "/organisations",
    "organisations, found": "/organisations?q=shop",
    "organisation": "/organisations/{organisation}",
    "organisation, deep": "/organisations/{shop}",
    "organisation, new": "/organisations/new",
    "organisation, edit": "/organisations/{organisation}/edit",
    "organisation, archive": "/organisations/{organisation}/archive",
    "organisations, export": "/organisations/export",
    "organisation types": "/organisation-types",
    "organisation type": "/organisation-types/{type}",
    "organisation type, new": "/organisation-types/new",
    "organisation types, export": "/organisation-types/export",
    "organisation type, edit": "/organisation-types/{type}/edit",
    "groups": "/groups",
    "groups, found": "/groups?q=group&show=primary",
    "group": "/groups/{group}",
    "group, found": "/groups/{group}?q=ann",
    "groups, export": "/groups/export",
    "group, export": "/groups/{group}/export",
    "group, new": "/groups/new",
    "group, edit": "/groups/{group}/edit",
    "group, archive": "/groups/{group}/archive",
    "group, add": "/groups/{group}/members/add",
    "search": "/search?q=a",
    "search, mistyped": "/search?q=Ferq+Birhc",
    "modules": "/modules",
    "modules, found": "/modules?q=module",
    "module": "/modules/{module}",
    "module, found": "/modules/{module}?q=ann",
    "modules, export": "/modules/export",
    "module, export": "/modules/{module}/export",
    "module, new": "/modules/new",
    "module, edit": "/modules/{module}/edit",
    "module, archive": "/modules/{module}/archive",
    "module, complete": "/modules/{module}/complete",
    "tiers": "/tiers",
    "tier": "/tiers/{tier}",
    "tiers, export": "/tiers/export",
    "tier, new": "/tiers/new",
    "tier, edit": "/tiers/{tier}/edit",
    "tier, remove": "/tiers/{tier}/remove",
    "locations": "/locations",
    "locations, found": "/locations?q=shop",
    "location": "/locations/{location}",
    "locations, export": "/locations/export",
    "location, new": "/locations/new",
    "location, edit": "/locations/{location}/edit",
    "location, close": "/locations/{location}/close",
    "targets": "/targets",
    "targets, found": "/targets?q=letter",
    "targets, archived": "/targets?show=archived",
    "targets, export": "/targets/export",
    "target, new": "/targets/new",
    "target": "/targets/{target}",
    "target, for a person": "/targets/{target}?q={other}",
    "target, webhook": "/targets/{hook}",
    "target, new secret": "/targets/{hook}/renew-secret",
    "target, edit": "/targets/{target}/edit",
    "target, archive": "/targets/{target}/archive",
    "target, restore": "/targets/{target}/restore",
    "notice, resend": "/benefits/notices/{notice}/resend",
    "definition, replan": "/benefits/definitions/{definition}/replan",
    "definitions": "/benefits/definitions",
    "definitions, found": "/benefits/definitions?q=benefit&type=gift&state=live",
    "definitions, export": "/benefits/definitions/export",
    "definition, new": "/benefits/definitions/new",
    "definition": "/benefits/definitions/{definition}",
    "definition, edit": "/benefits/definitions/{definition}/edit",
    "definition, figures": "/benefits/definitions/{held}/figures",
    "definition, publish": "/benefits/definitions/{definition}/publish",
    "definition, unpublish": "/benefits/definitions/{definition}/unpublish",
    "definition, archive": "/benefits/definitions/{definition}/archive",
    "definition, restore": "/benefits/definitions/{definition}/restore",
    "definition, clone": "/benefits/definitions/{definition}/clone",
    "definition, delete": "/benefits/definitions/{definition}/delete",
    "definition, version": "/benefits/definitions/{definition}/versions/1",
    "definition, try": "/benefits/definitions/{definition}/try?person={other}",
    "definitions, seen by": "/benefits/definitions/seen-by?person={other}",
    "definition, condition": "/benefits/definitions/{definition}/conditions/claim",
    "rewards": "/rewards",
    "rewards, found": "/rewards?q=draw&status=active",
    "rewards, export": "/rewards/export",
    "reward, new": "/rewards/new",
    "reward, draft": "/rewards/{draft}",
    "reward, 220 prizes": "/rewards/draw-0",
    "reward, edit": "/rewards/{draft}/edit",
    "reward, open?": "/rewards/{draft}/open",
    "reward, active": "/rewards/{opened}",
    "reward, close?": "/rewards/{opened}/close",
    "reward, drawn": "/rewards/{drawn}",
    "reward, fulfilled": "/rewards/{done}",
    "entries": "/rewards/{opened}/entries",
    "entries, found": "/rewards/{drawn}/entries?q=a&status=ok",
    "entries, export": "/rewards/{opened}/entries/export",
    "entries, upload": "/rewards/{opened}/entries/upload",
    "imports": "/imports",
    "import": "/imports/{run}",
    "import, columns": "/imports/{run}/columns",
    "imports, export": "/imports/export",
    "exports": "/exports",
    "exports, export": "/exports/export",
    "import, choose": "/imports/new",
    "import, new": "/imports/new/organisations",
    "import, undo": "/imports/{run}/undo",
    "import, discard": "/imports/{run}/discard",
    "draw, open": "/rewards/{opened}/draw",
    "draw, closed": "/rewards/{closed}/draw",
    "draw, exclude": "/rewards/{closed}/draw/exclude",
    "draw, readmit": "/rewards/{closed}/draw/readmit",
    "draw, seal?": "/rewards/{closed}/draw/seal",
    "draw, sealed": "/rewards/{sealed}/draw",
    "draw, sheet": "/rewards/{sealed}/draw/sheet",
    "draw, run": "/rewards/{sealed}/draw/run",
    "draw, drawn": "/rewards/{drawn}/draw",
    "draw, result": "/rewards/{drawn}/draw/result",
    "draw, record": "/draws/{reference}",
    "fulfilment": "/fulfilment",
    "fulfilment, export": "/fulfilment/export",
    "board, export": "/fulfilment/{drawn}/export",
    "board": "/fulfilment/{drawn}",
    "board, column": "/fulfilment/{drawn}?column=to-contact",
    "winner": "/fulfilment/winners/{winner}",
    "winner, notify": "/fulfilment/winners/{winner}/notify",
    "winner, accept": "/fulfilment/winners/{winner}/accept",
    "winner, leave": "/fulfilment/winners/{winner}/leave",
    "winner, hand over": "/fulfilment/winners/{winner}/hand-over",
    "winner, disqualify": "/fulfilment/winners/{winner}/disqualify",
    "voucher types": "/voucher-types",
    "voucher type": "/voucher-types/{kind}",
    "voucher types, export": "/voucher-types/export",
    "voucher type, new": "/voucher-types/new",
    "voucher type, edit": "/voucher-types/{kind}/edit",
    "codes, generate": "/voucher-types/{kind}/generate",
    "codes, upload": "/voucher-types/{kind}/upload",
    "codes, uploaded": "/voucher-types/{kind}/batches/{uploaded}",
    "codes, take back": "/voucher-types/{kind}/batches/{uploaded}/take-back",
    "vouchers": "/vouchers",
    "voucher": "/vouchers/{voucher}",
    "vouchers, export": "/vouchers/export",
    "voucher, redeem": "/vouchers/{voucher}/redeem",
    "print, choose": "/vouchers/print",
    "print, choose benefits": "/benefits/print",
    "print benefits": "/benefits/print?definition={held}",
    "print, ticked benefits": "/benefits/print?" + "&".join(f"ids={n}" for n in range(1, 51)),
    "print, batch": "/benefits/print?batch={many}",
    "print": "/vouchers/print?reward={drawn}",
    "jobs": "/jobs",
    "messages": "/notifications",
    "messages, export": "/notifications/export",
    "jobs, export": "/jobs/export",
    "views": "/saved-views",
    "view, new": "/saved-views/new/rewards?q=draw",
    "job": "/jobs/{job}",
    "benefits, restore": "/benefits/void/{voiding}",
    "audit": "/audit",
    "audit, export": "/audit/export",
    "account": "/account",
    "account, name": "/account/name",
    "account, site": "/account/site",
    "account, password": "/account/password",
    "account, pin": "/account/pin",
    "account, second factor": "/account/second-factor",
    "confirm": "/confirm",
    "staff": "/staff",
    "member of staff": "/staff/{staff}",
    "staff, export": "/staff/export",
    "staff, new": "/staff/new",
    "staff, edit": "/staff/{staff}/edit",
    "staff, disable": "/staff/{staff}/disable",
    "staff, second factor": "/staff/{staff}/second-factor",
    "staff, see as": "/staff/{staff}/see-as",
    "settings": "/settings",
    "help": "/help",
    "help, draws": "/help/draws",
}


def addresses(session: Session) -> dict[str, str]:
    """The screens' addresses in the crowd of ``session``."""
    names = dict(session.execute(select(Reward.title, Reward.name)).all())
    drawn = session.scalars(select(Draw).join(Reward).where(Reward.title == "Summer in Whitby")).one()
    runs = select(ImportRun.id).where(ImportRun.reward_id == drawn.reward_id).order_by(ImportRun.id)
    winner = session.scalars(select(WinnerEvent.winner_id).order_by(WinnerEvent.id.desc())).first()
    values = {
        "draft": names["A year of coffee"],
        "opened": names["Autumn ferry draw"],
        "closed": names["Park pass giveaway"],
        "sealed": names["Harvest hamper draw"],
        "drawn": names["Summer in Whitby"],
        "done": names["Spring tent draw"],
        "reference": drawn.reference,
        "run": session.scalars(runs).first(),
        "winner": winner,
        "voucher": session.scalars(select(VoucherChange.voucher_id).order_by(VoucherChange.id.desc())).first(),
        "kind": session.scalars(select(VoucherType.id).order_by(VoucherType.id)).first(),
        "profile": session.scalars(select(Winner.profile_id).where(Winner.id == winner)).one(),
        "benefit": session.scalars(select(Redemption.benefit_id).order_by(Redemption.id.desc())).first(),
        "redemption": session.scalars(select(Redemption.id).order_by(Redemption.id.desc())).first(),
        "many": session.scalars(select(func.max(BenefitBatch.id))).one(),
        "held": session.scalars(select(Benefit.definition_id).order_by(Benefit.id.desc())).first(),
        "group": session.scalars(select(Group.id).order_by(Group.id)).first(),
        "module": session.scalars(select(Module.id).order_by(Module.id)).first(),
        "target": session.scalars(select(func.max(Target.id))).one(),
        "hook": session.scalars(select(func.min(Target.id))).one(),
        "notice": session.scalars(select(func.max(Notice.id))).one(),
        "tier": session.scalars(select(Tier.id).order_by(Tier.id)).first(),
        "location": session.scalars(select(Location.id).order_by(Location.id)).first(),
        "organisation": session.scalars(select(Organisation.id).order_by(Organisation.id)).first(),
        "shop": session.scalars(select(Organisation.id).order_by(Organisation.id.desc())).first(),
        "type": session.scalars(select(OrganisationType.id).order_by(OrganisationType.id)).first(),
        "other": session.scalars(
            select(Profile.id).where(Profile.merged_into_id.is_(None)).order_by(Profile.id)
        ).first(),
        "definition": session.scalars(
            select(BenefitDefinition.id).where(BenefitDefinition.handle == "gold-coffee")
        ).first(),
        "staff": session.scalars(select(StaffMember.id).order_by(StaffMember.id.desc())).first(),
        "site": session.scalars(select(Site.name).order_by(Site.id)).first(),
        "job": session.scalars(select(Job.id).order_by(Job.id)).first(),
        "voiding": session.scalars(select(Job.id).where(Job.kind == VOID_JOB)).first(),
        "uploaded": session.scalars(
            select(VoucherBatch.id).where(VoucherBatch.upload.is_not(None)).order_by(VoucherBatch.id.desc())
        ).first(),
        "batch": session.scalars(select(VoucherBatch.id).order_by(VoucherBatch.id)).first(),
    }
    return {name: address.format(**values) for name, address in SCREENS.items()}
