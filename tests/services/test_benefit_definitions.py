"""Benefit definitions as the services keep them: defaults, versions, states, and two editors at once (benefits.md 13.1)."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from tests.factories import NOW
from webapp.domain.benefit_batches import BatchStatus
from webapp.domain.benefit_claims import ReclaimEvery
from webapp.domain.benefit_dates import PeriodType
from webapp.domain.benefits import BenefitType
from webapp.domain.errors import Conflict, Refused
from webapp.models import AuditEntry, BenefitDefinition, BenefitDefinitionVersion, Site
from webapp.services import benefit_definitions as definitions
from webapp.services.benefit_definitions import (
    ArchiveDefinition,
    ChangeDefinition,
    CloneDefinition,
    CreateDefinition,
    DeleteDefinition,
    PublishDefinition,
    RestoreDefinition,
    UnpublishDefinition,
)
from webapp.services.work import Work, perform


@pytest.fixture
def site(make) -> Site:
    return make.site(timezone="Australia/Melbourne")


def create(work: Work, site: Site, **changes) -> BenefitDefinition:
    found = definitions.create(
        work, CreateDefinition(**{"site_id": site.id, "handle": "d", "name": "D", "period": 30} | changes)
    )
    work.session.flush()
    return found


def change(work: Work, definition: BenefitDefinition, **changes) -> BenefitDefinition:
    typed = {"definition_id": definition.id, "handle": definition.handle, "name": definition.name, "period": 30}
    return definitions.change(work, ChangeDefinition(**typed | {"version": definition.version} | changes))


def test_13_1_minimal_create(work, site):
    found = create(work, site)
    work.session.refresh(found)
    assert (found.is_published, found.is_claimable, found.is_archived, found.is_assignable) == (
        False,
        False,
        False,
        True,
    )
    assert (found.max_global_redemptions, found.max_redemptions, found.period_type) == (None, None, PeriodType.DAYS)
    assert (found.type, found.tags, found.meta, found.claim_condition) == (BenefitType.OTHER, [], {}, {})
    assert (found.reclaim_every, found.reclaim_requires_used, found.notify_schedule_offset) == (
        ReclaimEvery.NONE,
        True,
        0,
    )
    assert (found.campaign, found.external_id, found.icon, found.redeem_code_pos) == (None, None, None, None)


def test_13_1_handle_unique(work, site):
    create(work, site)
    with pytest.raises(Conflict) as refused:
        create(work, site, handle="D")
    assert refused.value.field == "handle"


def test_13_1_handle_immutable(work, site):
    found = create(work, site)
    assert change(work, found, handle="other").handle == "other"
    found.total_global_created = 1
    work.session.flush()
    with pytest.raises(Refused) as refused:
        change(work, found, handle="d")
    assert refused.value.field == "handle"


def test_days_and_times_are_those_of_the_site(work, site):
    found = create(
        work, site, end_at=date(2026, 2, 10), claim_period_start_at=datetime(2026, 2, 1, 10, 0)  # noqa: DTZ001 - local
    )  # fmt: skip
    assert found.end_at == datetime(2026, 2, 10, 12, 59, 59, tzinfo=UTC)
    assert found.claim_period_start_at == datetime(2026, 1, 31, 23, 0, tzinfo=UTC)


def test_13_1_meta(work, site):
    found = create(work, site, meta='{"k":1}')
    work.session.refresh(found)
    assert found.meta == {"k": 1}


def test_13_1_created_at_updated_at(work, site, actor, session):
    found = create(work, site)
    later = Work(session, actor, datetime(2026, 3, 3, tzinfo=UTC))
    change(later, found, name="New")
    assert (found.created_at, found.updated_at) == (NOW, datetime(2026, 3, 3, tzinfo=UTC))


def test_13_1_optimistic_lock(work, site):
    found = create(work, site)
    seen = found.version
    change(work, found, name="Theirs", version=seen)
    with pytest.raises(Conflict) as refused:
        change(work, found, name="Ours", version=seen)
    assert "Nothing of yours was written" in refused.value.message
    assert found.name == "Theirs"


def test_every_change_is_a_version_and_the_same_again_is_none(work, site, session):
    found = create(work, site)
    change(work, found, period=60)
    change(work, found, period=60)
    session.flush()
    kept = session.scalars(select(BenefitDefinitionVersion).order_by(BenefitDefinitionVersion.number)).all()
    assert [(one.number, one.terms["period"]) for one in kept] == [(1, 30), (2, 60)]
    assert found.terms_number == 2


def test_a_voucher_type_is_one_of_the_same_site(work, site, make):
    other = make.voucher_type()
    with pytest.raises(Refused) as refused:
        create(work, site, voucher_type_id=other.id)
    assert refused.value.field == "voucher_type_id"


def test_a_condition_that_cannot_be_read_is_refused_at_its_own_field(work, site):
    with pytest.raises(Refused) as refused:
        create(work, site, view_condition='{"frob": [1]}')
    assert refused.value.field == "view_condition"
    assert "frob" in refused.value.message


def test_publish_unpublish_archive_and_restore(work, site):
    found = create(work, site)
    definitions.publish(work, PublishDefinition(found.id))
    with pytest.raises(Conflict, match="somebody was faster"):
        definitions.publish(work, PublishDefinition(found.id))
    definitions.unpublish(work, UnpublishDefinition(found.id))
    definitions.archive(work, ArchiveDefinition(found.id, stops_redemptions=True))
    assert (found.is_archived, found.stops_redemptions) == (True, True)
    with pytest.raises(Refused, match="restore it first"):
        definitions.publish(work, PublishDefinition(found.id))
    definitions.restore(work, RestoreDefinition(found.id))
    assert (found.is_archived, found.stops_redemptions, found.is_published) == (False, False, False)


def test_13_1_clone_moves_dates_by_calendar_days(work, site):
    found = create(
        work, site, end_at=date(2026, 3, 10), period_type=PeriodType.ABSOLUTE_DATE, absolute_expiry=date(2026, 3, 9),
        claim_period_start_at=datetime(2026, 3, 1, 10, 0),  # noqa: DTZ001 - local
        claim_condition='{"===": [{"var": "gender"}, "x"]}', external_id="X",
    )  # fmt: skip
    made = definitions.clone(work, CloneDefinition(found.id, "e", "Copy", 60))
    assert (made.absolute_expiry, made.end_at) == (date(2026, 5, 8), datetime(2026, 5, 9, 13, 59, 59, tzinfo=UTC))
    assert made.claim_period_start_at == datetime(2026, 4, 30, 0, 0, tzinfo=UTC)  # 10:00, an hour later by the sun
    assert (made.claim_condition, made.external_id, made.terms_number) == (found.claim_condition, None, 1)
    with pytest.raises(Refused):
        definitions.clone(work, CloneDefinition(found.id, "", "Copy"))


def test_13_1_delete_definition(work, site, session):
    found = create(work, site)
    definitions.remove(work, DeleteDefinition(found.id))
    assert session.scalars(select(BenefitDefinition)).all() == []
    assert session.scalars(select(BenefitDefinitionVersion)).all() == []
    used = create(work, site, handle="e")
    used.total_global_created = 1
    session.flush()
    with pytest.raises(Refused, match="archive it instead"):
        definitions.remove(work, DeleteDefinition(used.id))


@pytest.mark.parametrize(("count", "told"), [(1, "A batch was planned for «D»"), (2, "2 batches were planned for «D»")])
def test_13_1_delete_definition_with_a_batch_of_which_nothing_came_is_refused_too(work, site, make, count, told):
    found = create(work, site)
    for _ in range(count):
        make.benefit_batch(found, status=BatchStatus.WITHDRAWN)
    with pytest.raises(Refused, match=f"^{told}; archive it instead") as refusal:
        definitions.remove(work, DeleteDefinition(found.id))
    assert refusal.value.code == "definition.planned"


def test_the_log_tells_each_change(make, actor, session, site):
    command = CreateDefinition(site_id=site.id, handle="d", name="D", period=30)
    found = perform(session, actor, NOW, lambda work: definitions.create(work, command))
    perform(session, actor, NOW, lambda work: change(work, found, period=60))
    perform(session, actor, NOW, lambda work: definitions.clone(work, CloneDefinition(found.id, "e", "Copy")))
    told = session.scalars(select(AuditEntry.event).where(AuditEntry.subject.startswith("benefit_definitions:"))).all()
    assert told == ["definition.created", "definition.changed", "definition.created", "definition.cloned"]
