"""Makes many benefits void: fixed when it is confirmed, done by a job some at a time, told benefit by benefit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import Table, select, true, update

from webapp.domain import benefit_lists as rules
from webapp.domain.audit import Event
from webapp.domain.benefit_acts import VOID_JOB
from webapp.domain.benefits import told
from webapp.domain.errors import Conflict
from webapp.domain.notices import Skip
from webapp.domain.permissions import Permission
from webapp.domain.redemptions import BenefitMove
from webapp.models import Benefit, BenefitChange, BenefitDefinition, Job
from webapp.queries import benefit_lists as read
from webapp.queries.benefit_filters import Filter
from webapp.queries.benefits import Scope
from webapp.queries.matching import among_ids
from webapp.services import bulk, files, jobs, notices
from webapp.services.benefits import batch_pool, counting
from webapp.services.benefits.changing import FREED, checked_reason
from webapp.services.jobs import NewJob
from webapp.services.work import Work, changed_rows

VOID = VOID_JOB
WIDTH = 11  # bytes of a line of the file of ids, so that any line is found at once
_HEADINGS = ("benefit", "reason")


@dataclass(frozen=True, slots=True)
class VoidBenefits:
    """The benefits of a list as it was shown; ``stated`` is how many the page said there were."""

    scope: Scope
    narrow: Filter
    stated: int
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What a job has done: changed and left as they were by definition, the file of those left, and the moments.

    At one of ``moments``, and by nobody else, a benefit was made void that this job made void.
    """

    counts: Mapping[str, Sequence[int]]
    left_file_id: int | None = None
    is_told: bool = False
    moments: Sequence[str] = ()

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> Progress:
        return cls(
            cursor.get("counts", {}),
            cursor.get("left_file_id"),
            cursor.get("is_told", False),
            tuple(cursor.get("moments", ())),
        )

    @property
    def cursor(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "left_file_id": self.left_file_id,
            "is_told": self.is_told,
            "moments": list(self.moments),
        }

    @property
    def changed(self) -> int:
        return sum(count[0] for count in self.counts.values())

    @property
    def left(self) -> int:
        return sum(count[1] for count in self.counts.values())


def start(work: Work, command: VoidBenefits) -> Job:
    """Fix which benefits are meant and queue the job; ``Conflict`` when they are more or fewer than the page said."""
    reason = checked_reason(command.reason)
    found = read.tally(work.session, command.scope, command.narrow, work.now)
    rules.may_void(found.count, found.void).require()
    numbers = read.ids(work.session, command.scope, command.narrow, work.now)
    if len(numbers) != command.stated:
        raise Conflict(
            "void.count_changed",
            f"{len(numbers):,} benefits match now, not {command.stated:,} as the page said. Look at the number again.",
        )
    file = files.store(work, "benefits.txt", "text/plain", _written(numbers))
    site_id = next(iter(command.scope)) if command.scope is not None and len(command.scope) == 1 else None
    sites = None if command.scope is None else sorted(command.scope)
    arguments = {"file_id": file.id, "reason": reason, "sites": sites}
    return jobs.enqueue(
        work, NewJob(VOID, f"Make {len(numbers):,} benefits void", site_id, "", arguments, len(numbers))
    )


def _written(numbers: Iterable[int]) -> Iterator[bytes]:
    for number in numbers:
        yield b"%010d\n" % number


def void_some(work: Work, before: Progress, numbers: Sequence[int], reason: str) -> Progress:
    """Make these void, those apart that are void already, and say how far it is then."""
    rows = work.session.execute(
        select(Benefit.id, Benefit.definition_id).where(among_ids(work.session, Benefit.id, numbers))
    )
    held: dict[int, list[int]] = {}
    for number, definition_id in rows:
        held.setdefault(definition_id, []).append(number)
    for definition_id in sorted(held):
        lock(work, definition_id)
    counts, left = dict(before.counts), []
    for definition_id in sorted(held):
        mine = sorted(held[definition_id])
        gone = void_many(work, definition_id, mine, reason)
        left += sorted(set(mine).difference(gone))
        voided, kept = counts.get(str(definition_id), (0, 0))
        counts[str(definition_id)] = [voided + len(gone), kept + len(mine) - len(gone)]
    wanted = select(Benefit.id, Benefit.voided_at, Benefit.zone, Benefit.voided_by)
    stay = work.session.execute(wanted.where(among_ids(work.session, Benefit.id, left)).order_by(Benefit.id))
    why = [(number, f"It was made void on {told(at, zone)} by {who}.") for number, at, zone, who in stay]
    moments = (*before.moments, work.now.isoformat())
    return Progress(counts, list_left(work, before.left_file_id, why), moments=moments)


def list_left(work: Work, file_id: int | None, left: Sequence[tuple[int, str]]) -> int | None:
    """Write into the file of what stays as it is, made when it is needed first, why these do; gives its id."""
    return files.append_rows(work, file_id, "left-as-they-were.csv", _HEADINGS, left)


def finish(work: Work, done: Progress, reason: str) -> Progress:
    """Tell the log, once for each definition, how many were made void and why."""
    if done.is_told:
        return done
    for key, (voided, left) in sorted(done.counts.items(), key=lambda item: int(item[0])):
        definition = work.session.get_one(BenefitDefinition, int(key))
        work.record(
            Event.BENEFITS_VOIDED, definition, definition.site_id, title=definition.name, count=voided, left=left, reason=reason
        )  # fmt: skip
    if done.left_file_id is not None:
        files.finish(work, done.left_file_id)
    return replace(done, is_told=True)


def _stopped(work: Work, job: Job) -> None:
    """A job that failed or was cancelled: what it did stays, and the log hears of it."""
    done = finish(work, Progress.of(job.cursor), str(job.arguments["reason"]))
    job.cursor, job.result_file_id = done.cursor, done.left_file_id


def lock(work: Work, definition_id: int) -> None:
    """Whoever redeems meanwhile waits at the definition's row, as in every move of a counter."""
    row = BenefitDefinition
    changed_rows(
        work.session, update(row).where(row.id == definition_id).values(total_global_voided=row.total_global_voided)
    )


def void_many(
    work: Work, definition_id: int, ids: Sequence[int], reason: str, *, only_unused: bool = False
) -> list[int]:
    """Those of ``ids``, all of one definition, that are void now; their codes do not go back to the pool."""
    gone: list[tuple[int, int | None]] = []
    for at in range(0, len(ids), 500):
        statement = (
            update(Benefit)
            .where(
                Benefit.id.in_(ids[at : at + 500]),
                Benefit.voided_at.is_(None),
                Benefit.redeemed_count == 0 if only_unused else true(),
            )
            .values(voided_at=work.now, voided_by=work.actor.label, void_reason=reason, **FREED)
            .returning(Benefit.id, Benefit.voucher_id)
            .execution_options(synchronize_session=False)
        )
        some = [(row[0], row[1]) for row in work.session.execute(statement)]
        notices.cancel_many(work, [number for number, _ in some], Skip.VOID)
        gone += some
    counting.voided(work, definition_id, len(gone))
    batch_pool.cancel(work, [voucher for _, voucher in gone if voucher is not None], reason)
    numbers = sorted(number for number, _ in gone)
    same = {"move": BenefitMove.VOIDED, "at": work.now, "by": work.actor.label, "note": reason}
    if numbers:
        bulk.insert_columns(work.session, cast(Table, BenefitChange.__table__), {"benefit_id": numbers}, same)
    return numbers


jobs.ENDINGS[VOID] = _stopped
jobs.RESULT_NEEDS[VOID] = Permission.BENEFITS_CHANGE
