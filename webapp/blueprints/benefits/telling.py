"""Send a notice of a benefit again."""

from __future__ import annotations

from flask import flash
from flask.typing import ResponseReturnValue

from webapp.adapters import clock
from webapp.blueprints.benefits import bp
from webapp.domain.benefits import state
from webapp.domain.notices import NoticeStatus
from webapp.domain.permissions import Permission
from webapp.extensions import db
from webapp.queries import benefits as read
from webapp.queries import notices as read_notices
from webapp.services import notices
from webapp.web import benefit_words
from webapp.web.access import actor, requires, scope
from webapp.web.forms import PressForm
from webapp.web.rendering import go, render


@bp.route("/notices/<int:notice_id>/resend", methods=["GET", "POST"])
@requires(Permission.BENEFITS_CHANGE)
def resend(notice_id: int) -> ResponseReturnValue:
    """What sending it again does, and the button."""
    session, where = db.session(), scope(Permission.BENEFITS_CHANGE)
    notice = read_notices.get(session, notice_id, where)
    sheet, form = read.sheet(session, notice.benefit_id, where), PressForm()
    if form.press(lambda work: notices.resend(work, notices.ResendNotice(notice_id))):
        flash("It is sent again within a minute, if nothing stands in the way by then.", "success")
        return go(".show", benefit_id=notice.benefit_id)
    again = "It was sent before, so it arrives a second time." if notice.status is NoticeStatus.SENT else ""
    consequences = [
        (
            None,
            f"«{benefit_words.NOTICES[notice.kind]}» goes out with the words its target has now, by e-mail or webhook.",
        ),
        (None, "Consents and the target’s condition are asked anew; the audit log keeps your name."),
    ]
    return render(
        "benefits/resend.html",
        "benefits/_resend.html",
        form.status,
        form=form,
        sheet=sheet,
        state=state(sheet.benefit.facts, clock.now()),
        holder=benefit_words.person(sheet.holder, in_full=actor().may(Permission.PROFILES_VIEW)),
        consequences=([(None, again)] if again else []) + consequences,
    )
