"""A database with rows in every table: the sample programme, and by hand what a programme leaves empty."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, MetaData, create_engine, insert, select
from sqlalchemy.orm import Session

from tests.support.clock import NOW
from webapp.adapters.engines import engine_options
from webapp.config import Settings
from webapp.demo.programme import Builder
from webapp.jobs import audit
from webapp.models import (
    AccountSettings,
    AttributeDefinition,
    AuditAnchor,
    Base,
    Benefit,
    BenefitChange,
    BenefitDefinition,
    BenefitDefinitionVersion,
    BenefitExtension,
    Completion,
    ExportRun,
    ExtendedBenefit,
    Group,
    ImportChange,
    ImportProblem,
    ImportRun,
    Lease,
    Location,
    Membership,
    Module,
    Organisation,
    OrganisationType,
    OutboxMessage,
    Profile,
    ProfileIdentity,
    ProfileMerge,
    RecoveryCode,
    Redemption,
    RedemptionAttempt,
    RequestKey,
    SavedView,
    SignInAttempt,
    Site,
    StaffInvitation,
    StaffMember,
    StaffSession,
    Tier,
)

HASH = "0" * 64


def open_engine(url: str) -> Engine:
    return create_engine(url, **engine_options(url, threads=1))


def fill(engine: Engine) -> None:
    """Rows in every table, the audit log linked."""

    def sessions() -> Session:
        return Session(engine, expire_on_commit=False)

    Builder(sessions, NOW, Settings(secret_key="a secret of the tests"), "small").build()
    audit.run_due(sessions)
    with sessions() as session:
        session.connection(execution_options={"largesse_write": True})
        _fill_the_rest(session)
        session.commit()


def _fill_the_rest(session: Session) -> None:
    staff = session.scalars(select(StaffMember.id).limit(1)).one()
    run = session.scalars(select(ImportRun.id).limit(1)).one()
    site = session.scalars(select(Site.id).limit(1)).one()
    people = session.scalars(select(Profile.id).order_by(Profile.id).limit(2)).all()
    rows: dict[type[Base], dict[str, object]] = {
        AccountSettings: {"id": 1, "is_small_team": False},
        ImportProblem: {"run_id": run, "record": 1, "line": 2, "outcome": "bad", "reason": "A test."},
        Lease: {"name": "test", "owner": "nobody", "until": NOW},
        OutboxMessage: {
            "dedupe_key": "test", "recipient": "a@example.org", "subject": "A", "body": "B", "due_at": NOW, "created_at": NOW
        },
        RequestKey: {"key": HASH, "at": NOW, "digest": HASH},
        SavedView: {"staff_id": staff, "screen": "rewards", "title": "Mine", "query": "q=a", "created_at": NOW},
        SignInAttempt: {"at": NOW, "email": "a@example.org", "address": "::1"},
        StaffInvitation: {"staff_id": staff, "token_hash": HASH, "created_at": NOW, "expires_at": NOW},
        StaffSession: {
            "token_hash": HASH, "staff_id": staff, "created_at": NOW, "seen_at": NOW, "expires_at": NOW
        },
        RecoveryCode: {"staff_id": staff, "code_hash": HASH},
        AuditAnchor: {"at": NOW, "position": 1, "digest": HASH, "place": "a test"},
        ExportRun: {"kind": "profiles", "media": "csv", "created_at": NOW, "created_by": "A test"},
        ImportChange: {"run_id": run, "subject_id": people[0], "before": {}, "after": {}},
        OrganisationType: {"id": 1, "name": "club", "title": "Club", "created_at": NOW},
        Organisation: {
            "id": 1, "external_id": "o-1", "title": "A club", "path": "/1/", "created_at": NOW, "updated_at": NOW
        },
        Location: {"external_id": "l-1", "title": "A counter", "created_at": NOW, "updated_at": NOW},
        Group: {"id": 1, "name": "members", "title": "Members", "created_at": NOW},
        Membership: {"group_id": 1, "profile_id": people[0], "joined_at": NOW},
        Module: {"id": 1, "site_id": site, "path": "/p1/c1/m1", "title": "A module", "created_at": NOW},
        Completion: {"module_id": 1, "profile_id": people[0], "completed_at": NOW},
        Tier: {"name": "silver", "title": "Silver", "rank": 1, "created_at": NOW},
        ProfileIdentity: {"profile_id": people[0], "system": "till", "identifier": "1", "created_at": NOW},
        AttributeDefinition: {"name": "shop.size", "title": "Size", "kind": "text", "created_at": NOW},
        ProfileMerge: {"winner_id": people[0], "loser_id": people[1], "at": NOW, "by": "A test"},
        BenefitDefinition: {
            "id": 1, "site_id": site, "name": "A coffee", "handle": "coffee", "created_at": NOW, "updated_at": NOW
        },
        BenefitDefinitionVersion: {"definition_id": 1, "number": 1, "terms": {}, "at": NOW, "by": "A test"},
        Benefit: {
            "id": 1, "definition_id": 1, "terms_number": 1, "profile_id": people[0], "zone": "UTC", "issued_at": NOW,
            "created_at": NOW,
        },
        BenefitChange: {"benefit_id": 1, "move": "issued", "at": NOW, "by": "A test"},
        BenefitExtension: {"id": 1, "at": NOW, "by": "A test"},
        ExtendedBenefit: {"extension_id": 1, "benefit_id": 1, "ended_at": NOW, "ends_at": NOW, "redeemed_count": 0},
        Redemption: {"benefit_id": 1, "kind": "redeem", "count": 1, "at": NOW, "by": "A test", "receipt": "K7QD"},
        RedemptionAttempt: {"at": NOW, "by": "A test", "reason": "expired", "message": "It expired."},
    }  # fmt: skip
    for model, values in rows.items():
        if session.scalar(select(model).limit(1)) is None:
            session.execute(insert(model).values(values))


def columns(engine: Engine) -> dict[str, list[str]]:
    """The columns of every table there is, keys first."""
    found = MetaData()
    found.reflect(engine)
    return {
        table.name: [
            *(one.name for one in table.primary_key),
            *(one.name for one in table.columns if not one.primary_key),
        ]
        for table in found.sorted_tables
        if table.name != "alembic_version"
    }


def digests(engine: Engine, of: Mapping[str, Sequence[str]] | None = None) -> dict[str, tuple[int, str]]:
    """How many rows each table has, and a hash over their columns in the order of their keys.

    ``of`` names the tables and columns to look at; without it all there are.
    """
    tables = MetaData()
    tables.reflect(engine)
    found = {}
    with engine.connect() as connection:
        for name, wanted in (of or columns(engine)).items():
            table = tables.tables[name]
            content, count = hashlib.sha256(), 0
            for row in connection.execute(select(*(table.c[one] for one in wanted)).order_by(*table.primary_key)):
                content.update(repr(tuple(row)).encode())
                count += 1
            found[name] = (count, content.hexdigest())
    return found
