"""The program with the guard of the global limit taken out, as a twin for a test: `python -m tests.support.unguarded run`.

Its till looks at the total before it redeems and believes what it saw, without asking again.
"""

from __future__ import annotations

from flask import g
from sqlalchemy import select, update

from webapp.blueprints.till.verdicts import TillForm
from webapp.cli import main
from webapp.extensions import db
from webapp.models import BenefitDefinition
from webapp.queries import benefits
from webapp.services.benefits import counting
from webapp.services.work import Work

_submit, _take = TillForm.submit, counting.take


def submit(form: TillForm, service, **route):
    """Before anything is written, what is left of the definition at this moment."""
    session = db.session()
    of = benefits.owner(session, route["benefit_id"]).definition_id
    definition = session.scalars(select(BenefitDefinition).where(BenefitDefinition.id == of)).one()
    cap = definition.max_global_redemptions
    g.left = None if cap is None else cap - definition.total_global_redemptions
    return _submit(form, service, **route)


def take(work: Work, benefit_id: int, count: int, line):
    """Count what was seen to be free; the limit over all is out of the way meanwhile."""
    if g.left is not None and count > g.left:
        return None
    found = benefits.owner(work.session, benefit_id)
    own = update(BenefitDefinition).where(BenefitDefinition.id == found.definition_id)
    cap = work.session.scalar(
        select(BenefitDefinition.max_global_redemptions).where(BenefitDefinition.id == found.definition_id)
    )
    work.session.execute(own.values(max_global_redemptions=None))
    taken = _take(work, benefit_id, count, line)
    work.session.execute(own.values(max_global_redemptions=cap))
    return taken


if __name__ == "__main__":
    TillForm.submit = submit
    counting.take = take
    main()
