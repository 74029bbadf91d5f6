"""What the database would not take is told in a sentence that is true of it (benefits.md 5.9)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, update

from tests.factories import NOW
from webapp.domain.errors import Conflict
from webapp.domain.identity import SYSTEM
from webapp.models import Benefit, BenefitBatch, BenefitDefinition, Site
from webapp.services.work import transaction

_MISSING = {"definition_id": 4711, "audience": "list", "status": "checked"}


def _taken(benefit):
    return update(Site).values(name="the-one", title="The one")


def _refers(benefit):
    return delete(BenefitDefinition).where(BenefitDefinition.id == benefit.definition_id)


def _gone(benefit):
    return update(Benefit).where(Benefit.id == benefit.id).values(definition_id=4711)


def _unfit(benefit):
    return update(Benefit).where(Benefit.id == benefit.id).values(expires_at=benefit.issued_at - timedelta(days=1))


def _missing(benefit):
    return update(Benefit).where(Benefit.id == benefit.id).values(zone=None)


def _missing_too(benefit):
    return insert(BenefitBatch).values(**_MISSING)


@pytest.mark.parametrize(
    ("act", "code", "field", "told"),
    [
        (_taken, "conflict", "name", "This name is already in use; choose another."),
        (_refers, "referred_to", None, "Something refers to this, or what it refers to is gone."),
        (_gone, "referred_to", None, "Something refers to this, or what it refers to is gone."),
        (_unfit, "values_unfit", None, "the data keeps to «expires after issue»."),
        (_missing, "value_missing", "zone", "The zone is missing. Nothing was saved."),
        (_missing_too, "value_missing", "site_id", "The site id is missing. Nothing was saved."),
    ],
    ids=["taken", "referred to", "refers to nothing", "check", "empty", "left out"],
)
def test_5_9_a_fault_of_data_is_told_as_what_it_is(session, make, act, code, field, told):
    benefit = make.benefit()
    make.site()
    with pytest.raises(Conflict) as refusal, transaction(session, SYSTEM, NOW) as work:
        work.session.execute(act(benefit))
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert told in refusal.value.message
    assert ("already in use" in refusal.value.message) == (code == "conflict")
