"""Plans, sends and repeats the notices of benefits."""

from webapp.services.notices.planning import cancel, cancel_many, hand_over, move, plan, plan_many, replan, revive
from webapp.services.notices.replanning import ReplanNotices, replan_some, start
from webapp.services.notices.sending import ResendNotice, resend, send_some

__all__ = [
    "ReplanNotices",
    "ResendNotice",
    "cancel",
    "cancel_many",
    "hand_over",
    "move",
    "plan",
    "plan_many",
    "replan",
    "replan_some",
    "resend",
    "revive",
    "send_some",
    "start",
]
