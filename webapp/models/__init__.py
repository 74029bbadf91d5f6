"""Tables. Importing this package registers every table on ``Base.metadata``."""

from webapp.models.audit import AuditAnchor, AuditEntry, RequestKey
from webapp.models.base import Base
from webapp.models.benefit_batches import BenefitBatch, BenefitBatchPerson
from webapp.models.benefit_definitions import BenefitDefinition, BenefitDefinitionVersion
from webapp.models.benefits import Benefit, BenefitChange, Redemption, RedemptionAttempt
from webapp.models.draws import Draw, DrawLogLine, DrawRound
from webapp.models.entries import Entry, EntryDay
from webapp.models.exports import ExportRun
from webapp.models.extensions import BenefitExtension, ExtendedBenefit
from webapp.models.files import StoredChunk, StoredFile
from webapp.models.fulfilment import Winner, WinnerEvent
from webapp.models.groups import Group, Membership
from webapp.models.imports import ImportChange, ImportMapping, ImportProblem, ImportRun
from webapp.models.jobs import Job, Lease
from webapp.models.modules import Completion, Module
from webapp.models.notices import Notice, Target
from webapp.models.organisations import Location, Organisation, OrganisationType
from webapp.models.outbox import OutboxMessage
from webapp.models.profiles import (
    AttributeDefinition,
    NameSlip,
    Profile,
    ProfileIdentity,
    ProfileMerge,
    ProfileTerm,
    SitePerson,
    SiteTerm,
    Tier,
)
from webapp.models.rewards import Prize, Reward
from webapp.models.saved_views import SavedView
from webapp.models.settings import AccountSettings
from webapp.models.sites import Site
from webapp.models.staff import RecoveryCode, SignInAttempt, StaffGrant, StaffInvitation, StaffMember, StaffSession
from webapp.models.vouchers import Voucher, VoucherBatch, VoucherChange, VoucherType

__all__ = [
    "AccountSettings",
    "AttributeDefinition",
    "AuditAnchor",
    "AuditEntry",
    "Base",
    "Benefit",
    "BenefitBatch",
    "BenefitBatchPerson",
    "BenefitChange",
    "BenefitDefinition",
    "BenefitDefinitionVersion",
    "BenefitExtension",
    "Completion",
    "Draw",
    "DrawLogLine",
    "DrawRound",
    "Entry",
    "EntryDay",
    "ExportRun",
    "ExtendedBenefit",
    "Group",
    "ImportChange",
    "ImportMapping",
    "ImportProblem",
    "ImportRun",
    "Job",
    "Lease",
    "Location",
    "Membership",
    "Module",
    "NameSlip",
    "Notice",
    "Organisation",
    "OrganisationType",
    "OutboxMessage",
    "Prize",
    "Profile",
    "ProfileIdentity",
    "ProfileMerge",
    "ProfileTerm",
    "RecoveryCode",
    "Redemption",
    "RedemptionAttempt",
    "RequestKey",
    "Reward",
    "SavedView",
    "SignInAttempt",
    "Site",
    "SitePerson",
    "SiteTerm",
    "StaffGrant",
    "StaffInvitation",
    "StaffMember",
    "StaffSession",
    "StoredChunk",
    "StoredFile",
    "Target",
    "Tier",
    "Voucher",
    "VoucherBatch",
    "VoucherChange",
    "VoucherType",
    "Winner",
    "WinnerEvent",
]
