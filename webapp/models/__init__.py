"""Tables. Importing this package registers every table on ``Base.metadata``."""

from webapp.models.audit import AuditEntry, RequestKey
from webapp.models.base import Base
from webapp.models.draws import Draw, DrawLogLine, DrawRound
from webapp.models.entries import Entry
from webapp.models.files import StoredChunk, StoredFile
from webapp.models.fulfilment import Winner, WinnerEvent
from webapp.models.imports import ImportMapping, ImportProblem, ImportRun
from webapp.models.jobs import Job, Lease
from webapp.models.outbox import OutboxMessage
from webapp.models.profiles import Profile
from webapp.models.rewards import Prize, Reward
from webapp.models.settings import AccountSettings
from webapp.models.sites import Site
from webapp.models.staff import SignInAttempt, StaffGrant, StaffInvitation, StaffMember, StaffSession
from webapp.models.vouchers import Voucher, VoucherBatch, VoucherChange, VoucherType

__all__ = [
    "AccountSettings",
    "AuditEntry",
    "Base",
    "Draw",
    "DrawLogLine",
    "DrawRound",
    "Entry",
    "ImportMapping",
    "ImportProblem",
    "ImportRun",
    "Job",
    "Lease",
    "OutboxMessage",
    "Prize",
    "Profile",
    "RequestKey",
    "Reward",
    "SignInAttempt",
    "Site",
    "StaffGrant",
    "StaffInvitation",
    "StaffMember",
    "StaffSession",
    "StoredChunk",
    "StoredFile",
    "Voucher",
    "VoucherBatch",
    "VoucherChange",
    "VoucherType",
    "Winner",
    "WinnerEvent",
]
