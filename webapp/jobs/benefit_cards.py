"""Makes sheets of benefits, on the same machinery as those of vouchers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from webapp.adapters import benefit_cards
from webapp.adapters.typesetting import Card
from webapp.jobs.running import Outcome, RunningJob
from webapp.jobs.vouchers import make_sheets
from webapp.queries import benefit_cards as read_cards
from webapp.services import benefits
from webapp.services.work import Work


def print_sheets(job: RunningJob) -> Outcome:
    """Typeset, store, and write down what was printed and why."""

    def note(work: Work) -> None:
        arguments = job.arguments
        benefits.note_printed(work, arguments["benefit_ids"], str(arguments["layout"]), str(arguments["reason"]))

    return make_sheets(job, _cards(job), note, "benefit")


def _cards(job: RunningJob) -> Iterator[Card]:
    """The cards in order, fetched in short sessions."""
    ids: Sequence[int] = job.arguments["benefit_ids"]
    for at in range(0, len(ids), read_cards.MANY):
        with job.read() as session:
            some = list(read_cards.rows(session, ids[at : at + read_cards.MANY]))
        yield from map(benefit_cards.card, some)


KINDS = {"benefits.print": print_sheets}
