"""Benefits in words: who holds one, how its code is shown, its history and ledger, and the tables of «why not»."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.domain import notices as rules
from webapp.domain.benefits import BenefitFacts, BenefitState, Gate, told
from webapp.domain.benefits import kept as as_kept
from webapp.domain.notices import NoticeKind
from webapp.domain.redemptions import BenefitMove, RedemptionKind
from webapp.domain.voucher_codes import masked
from webapp.queries.redemptions import Line
from webapp.web.filters import iso, moment

_SAID = {
    BenefitMove.ISSUED: ("Issued", "gift"),
    BenefitMove.CLAIMED: ("Claimed", "hand-heart"),
    BenefitMove.EXTENDED: ("Extended", "calendar"),
    BenefitMove.EXTENSION_UNDONE: ("Extension taken back", "undo-2"),
    BenefitMove.EXPIRY_SET: ("End set against the terms", "calendar"),
    BenefitMove.REASSIGNED: ("Handed over to another person", "users"),
    BenefitMove.VOIDED: ("Made void", "ban"),
    BenefitMove.RESTORED: ("Restored", "refresh-cw"),
    BenefitMove.EXPIRED: ("Expired", "clock"),
    BenefitMove.PRINTED: ("Printed", "printer"),
    BenefitMove.RELEASED: ("Its code went back to the pool", "undo-2"),
    RedemptionKind.REDEEM: ("Redeemed", "check"),
    RedemptionKind.RETURN: ("Came back", "undo-2"),
    RedemptionKind.REVERSAL: ("Reversed", "undo-2"),
}


def said(kind: BenefitMove | RedemptionKind) -> str:
    """What happened, as the history calls it."""
    return _SAID[kind][0]


STATES = [(state.value, state.value.capitalize()) for state in BenefitState]


def person(holder: Any, *, in_full: bool) -> str:
    """A name as this member of staff may see it: in full, or the first name and one letter (reliability.md 6.1)."""
    first, last = holder.first_name.strip(), holder.last_name.strip()
    if in_full:
        return f"{first} {last}".strip() or str(holder.external_id or "a person")
    initial = f" {last[0]}." if last else ""
    return f"{first}{initial}".strip() or "a person"


def tail(own: str | None, voucher_last_four: str | None) -> str:
    """A code by its last signs; a dash where the definition's code serves."""
    if own:
        return masked(own)
    return f"••••{voucher_last_four}" if voucher_last_four else "–"


def history(changes: Iterable[Any], ledger: Iterable[Line], zone: str) -> list[dict[str, Any]]:
    """Everything that happened to a benefit, the newest first, as the timeline draws it."""
    found: list[tuple[datetime, int, dict[str, Any]]] = [
        (change.at, 0, _entry(change.move, change, zone, change.note)) for change in changes
    ]
    for line in ledger:
        row = line.redemption
        words = [f"{row.count} ×", f"receipt {row.receipt}", line.place or "", row.receipt_ref, row.note]
        found.append((row.at, 1, _entry(row.kind, row, zone, " · ".join(word for word in words if word))))
    return [entry for _, _, entry in sorted(found, key=lambda one: one[:2], reverse=True)]


def _entry(kind: BenefitMove | RedemptionKind, row: Any, zone: str, detail: str) -> dict[str, Any]:
    words, icon = _SAID[kind]
    return {
        "at": moment(row.at, zone), "iso": iso(row.at), "who": row.by, "sentence": words, "icon": icon,
        "detail": detail or None,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table «why not»: a rule, the value seen and what it comes from, the value needed, when it opens."""

    words: str
    is_open: bool
    sentence: str
    seen: str = ""
    event: str = ""
    needed: str = ""
    turns: str = ""


def table(gates: Sequence[Gate], zone: str = "UTC") -> list[Rule]:
    """Every gate with a tick or a cross; ``zone`` is of the instants at which gates open by themselves."""
    return kept(as_kept(gates, zone))


def kept(gates: Iterable[Sequence[str]]) -> list[Rule]:
    """The table that was kept with a refusal; the oldest hold no more than the rule and the sentence against it."""
    return [Rule(words, not sentence, sentence, *more) for words, sentence, *more in gates]


def sentence(name: str, rules: Sequence[Rule], at: str) -> str:
    """One sentence to say on the telephone."""
    against = [rule.sentence for rule in rules if not rule.is_open]
    return f"{name}, on {at}: " + (" ".join(against) if against else "nothing is in the way.")


NOTICES = {NoticeKind.ISSUE: "Told of it", NoticeKind.REMIND: "Reminded", NoticeKind.EXTEND: "Extension offered"}


def notices(
    definition: Any, issued_at: datetime, expires_at: datetime | None, zone: str, now: datetime
) -> list[tuple[str, str]]:
    """When which message would go to the person, or why it would not."""
    facts = BenefitFacts(issued_at=issued_at, expires_at=expires_at, zone=zone)
    found = rules.drafts(definition.asked, facts, now, is_extendable=definition.is_extendable)
    return [(NOTICES[draft.kind], _planned(draft, zone, now)) for draft in found]


def _planned(draft: rules.Draft, zone: str, now: datetime) -> str:
    if draft.skip:
        return f"left out: {draft.skip}"
    return "at once" if draft.due_at <= now else told(draft.due_at, zone)
