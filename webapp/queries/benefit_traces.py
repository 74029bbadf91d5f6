"""Who may know the code of a benefit by now."""

from __future__ import annotations

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from webapp.domain.audit import Event
from webapp.domain.notices import NoticeStatus
from webapp.models import AuditEntry, Benefit, Notice, Redemption, RedemptionAttempt, Voucher

_SEEN = (Event.BENEFIT_REVEALED, Event.VOUCHER_REVEALED)


def of_code(session: Session, benefit: Benefit) -> list[str]:
    """What became known of the code out of a pool that a benefit holds: «shown in full», «sent», «printed», «used»."""
    subjects = (f"benefits:{benefit.id}", f"vouchers:{benefit.voucher_id}")
    own = Notice.benefit_id == benefit.id
    questions = {
        "shown in full": exists().where(AuditEntry.subject.in_(subjects), AuditEntry.event.in_(_SEEN)),
        "sent": exists().where(own, or_(Notice.attempts > 0, Notice.status == NoticeStatus.SENT)),
        "printed": exists().where(Voucher.id == benefit.voucher_id, Voucher.printed_count > 0),
        "used at a till": or_(
            exists().where(Redemption.benefit_id == benefit.id),
            exists().where(RedemptionAttempt.benefit_id == benefit.id),
        ),
    }
    answers = session.execute(select(*questions.values())).one()
    return [words for words, is_so in zip(questions, answers, strict=True) if is_so]
