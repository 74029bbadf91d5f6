"""The program with the guard of the global limit taken out, as a twin for a test: `python -m tests.support.unguarded run`.

Its till looks at the total when it reads the benefit and believes it when it redeems, without asking again.
"""

from __future__ import annotations

from flask import g
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.cli import main
from webapp.models import BenefitDefinition
from webapp.queries import benefits
from webapp.services.benefits import counting
from webapp.services.work import Work

_owner = benefits.owner


def look(session: Session, benefit_id: int, scope: frozenset[int] | None = None) -> benefits.Owner:
    """The definition; the first time, before anything is written, also what is left of it at this moment."""
    found = _owner(session, benefit_id, scope)
    if "left" not in g:
        definition = session.scalars(select(BenefitDefinition).where(BenefitDefinition.id == found.definition_id)).one()
        cap = definition.max_global_redemptions
        g.left = None if cap is None else cap - definition.total_global_redemptions
    return found


def take_overall(work: Work, benefit_id: int, count: int) -> benefits.Owner | None:
    """Count what was seen to be free."""
    found = _owner(work.session, benefit_id)
    if g.left is not None and count > g.left:
        return None
    total = BenefitDefinition.total_global_redemptions + count
    statement = update(BenefitDefinition).where(BenefitDefinition.id == found.definition_id)
    work.session.execute(statement.values(total_global_redemptions=total))
    return found


if __name__ == "__main__":
    benefits.owner = look
    counting._take_overall = take_overall
    main()
