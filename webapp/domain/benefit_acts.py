"""What may be done to a benefit besides redeeming it: extended, handed over, made void and back (benefits.md 5.3, 5.8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from webapp.domain.benefits import BenefitFacts, DefinitionFacts
from webapp.domain.gates import Gate, gate, told
from webapp.domain.verdicts import Reason, Verdict, all_of

VOID_WINDOW = timedelta(minutes=10)  # in which voiding can be undone
VOID_JOB, RESTORE_JOB = "benefits.void", "benefits.restore"  # the kinds of job that do it to many, and take it back


def gates_to_extend(definition: DefinitionFacts, benefit: BenefitFacts) -> tuple[Gate, ...]:
    """What must hold to extend; an expired benefit can be, one that is used up cannot."""
    return (
        gate(
            "it may be extended",
            not definition.is_extendable,
            "not_extendable",
            f"{definition.name} cannot be extended; its definition would have to allow it.",
        ),
        gate("it is not void", benefit.voided_at, "void", f"It was made void on {told(benefit.voided_at, benefit.zone)}."),
        gate("it can expire", benefit.expires_at is None, "never_expires", "It never expires, so there is nothing to extend."),
        gate("it is not used up", benefit.redemptions_left == 0, "no_redemptions_left", "It is used up; there is nothing to extend."),
        gate(
            "it has not been extended before",
            benefit.extended_at,
            "already_extended",
            f"It was extended on {told(benefit.extended_at, benefit.zone)}; a second time is an administrator's decision, with a reason.",
        ),
    )  # fmt: skip


def gates_to_reassign(definition: DefinitionFacts, benefit: BenefitFacts, *, is_same: bool) -> tuple[Gate, ...]:
    """What must hold to hand a benefit over to another person."""
    return (
        gate(
            "it may be reassigned",
            not definition.is_reassignable,
            "not_reassignable",
            f"{definition.name} cannot go to another person; its definition would have to allow it.",
        ),
        gate("it is not void", benefit.voided_at, "void", f"It was made void on {told(benefit.voided_at, benefit.zone)}."),
        gate("it is not used up", benefit.redemptions_left == 0, "no_redemptions_left", "It is used up; there is nothing to hand over."),
        gate("it goes to somebody else", is_same, "same_profile", "It belongs to this person already; choose another.", "profile"),
    )  # fmt: skip


def may_unvoid(voided_at: datetime | None, now: datetime, zone: str) -> Verdict:
    """Whether making it void can be undone: for ten minutes (benefits.md 5.8)."""
    if voided_at is None:
        return all_of(Reason("not_void", "It is not void; there is nothing to undo."))
    is_late = now - voided_at > VOID_WINDOW
    sentence = f"It was made void on {told(voided_at, zone)}, more than 10 minutes ago; issue a new one instead."
    return all_of(Reason("void_window_passed", sentence) if is_late else None)


def may_restore_together(finished_at: datetime | None, now: datetime, *, voided: int, is_taken_back: bool) -> Verdict:
    """Whether what a job made void can be restored together: once, within ten minutes of its end (product.md ruling 11).

    ``finished_at`` is None while the job is under way; ``voided`` is how many it made void.
    """
    return all_of(
        next(
            (
                Reason(code, sentence)
                for is_so, code, sentence in (
                    (is_taken_back, "void.taken_back", "This has been taken back already; the other job says what became of it."),
                    (finished_at is None, "void.under_way", "The job is still under way. Cancel it, or wait until it has ended."),
                    (voided == 0, "void.nothing", "The job made nothing void, so there is nothing to take back."),
                    (
                        finished_at is not None and now - finished_at > VOID_WINDOW,
                        "void_window_passed",
                        "The job ended more than 10 minutes ago, so what it made void stays; issue new ones instead.",
                    ),
                )
                if is_so
            ),
            None,
        )
    )  # fmt: skip


def may_release(voided_at: datetime | None, now: datetime, zone: str, known: Sequence[str]) -> Verdict:
    """Whether the code of a void benefit goes back to its pool: only one that nobody can know (benefits.md 6.4).

    ``known`` says how it may have become known. While voiding can be undone the benefit may want it back.
    """
    if voided_at is None:
        return all_of(Reason("not_void", "Only the code of a void benefit can be released; make it void first."))
    last = told(voided_at + VOID_WINDOW, zone)
    return all_of(
        Reason("void_window", f"Making it void can be undone until {last}; its code can be released after that.")
        if now - voided_at <= VOID_WINDOW
        else None,
        Reason("code_known", f"Its code was {' and '.join(known)}, so somebody may know it; it stays spent.")
        if known
        else None,
    )
