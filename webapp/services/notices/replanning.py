"""Plans the notices of all open benefits of a definition anew, some in each transaction."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.domain.audit import Event
from webapp.models import BenefitDefinition, Job
from webapp.queries import benefit_definitions as read_definitions
from webapp.queries import notices as read
from webapp.services import jobs
from webapp.services.jobs import NewJob
from webapp.services.notices import planning
from webapp.services.work import Work, name_of

JOB = "notices.replan"
SOME = 200


@dataclass(frozen=True, slots=True)
class ReplanNotices:
    """Let the open benefits of a definition follow its notices as they are now."""

    definition_id: int


def start(work: Work, command: ReplanNotices) -> Job:
    """Queue the job that does it; whoever looks sees how far it is."""
    definition = read_definitions.get(work.session, command.definition_id)
    count = read.open_count(work.session, definition.id, work.now)
    work.record(Event.NOTICES_REPLANNED, definition, definition.site_id, title=definition.name, count=count)
    title = f"Plan the notices of «{definition.name}» anew"
    return jobs.enqueue(
        work, NewJob(JOB, title, definition.site_id, name_of(definition), {"definition_id": definition.id}, count)
    )


def replan_some(work: Work, definition_id: int, after: int) -> tuple[int, int]:
    """The next open benefits with an id above ``after``: the last id dealt with, 0 when none is left, and how many."""
    definition = work.session.get_one(BenefitDefinition, definition_id, populate_existing=True)
    found = read.open_benefits(work.session, definition_id, work.now, after, SOME)
    for benefit in found:
        planning.replan(work, benefit, definition)
    return (found[-1].id if found else 0), len(found)
