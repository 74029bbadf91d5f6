"""What staff may do: permissions are data, roles are bundles of them (reliability.md 6.1)."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Named by every screen; a screen without one does not start."""

    PUBLIC = "public"  # nobody need be signed in
    SIGNED_IN = "signed-in"  # any member of staff
    PROGRAMMES_VIEW = "programmes.view"
    PROFILES_VIEW = "profiles.view"
    PROFILES_EDIT = "profiles.edit"
    PROFILES_ERASE = "profiles.erase"
    SITES_EDIT = "sites.edit"
    ORGANISATIONS_VIEW = "organisations.view"
    ORGANISATIONS_EDIT = "organisations.edit"
    DEFINITIONS_EDIT = "definitions.edit"
    DEFINITIONS_PUBLISH = "definitions.publish"
    REWARDS_EDIT = "rewards.edit"
    ENTRIES_IMPORT = "entries.import"
    DRAWS_SEAL = "draws.seal"
    DRAWS_RUN = "draws.run"
    DRAWS_EXPORT = "draws.export"
    VOUCHERS_EDIT = "vouchers.edit"
    BENEFITS_VIEW = "benefits.view"
    BENEFITS_ISSUE = "benefits.issue"
    BENEFITS_CLAIM = "benefits.claim"
    BENEFITS_CHANGE = "benefits.change"  # extend, reassign, void
    BENEFITS_OVERRIDE = "benefits.override"  # set an expiry against the terms
    BENEFITS_REDEEM = "benefits.redeem"
    BENEFITS_RETURN = "benefits.return"
    WINNERS_VIEW = "winners.view"
    FULFILMENT_WORK = "fulfilment.work"
    CODES_PRINT = "codes.print"
    JOBS_VIEW = "jobs.view"
    AUDIT_VIEW = "audit.view"
    REPORTS_EXPORT = "reports.export"
    EXPORTS_VIEW = "exports.view"
    STAFF_MANAGE = "staff.manage"
    SETTINGS_EDIT = "settings.edit"


# What each lets somebody do, as it follows «may».
RIGHTS: dict[str, str] = {
    Permission.PROGRAMMES_VIEW: "see the programmes",
    Permission.PROFILES_VIEW: "see people",
    Permission.PROFILES_EDIT: "change people",
    Permission.PROFILES_ERASE: "erase people",
    Permission.SITES_EDIT: "change sites",
    Permission.ORGANISATIONS_VIEW: "see organisations",
    Permission.ORGANISATIONS_EDIT: "change organisations and groups",
    Permission.DEFINITIONS_EDIT: "change benefit definitions",
    Permission.DEFINITIONS_PUBLISH: "publish benefit definitions",
    Permission.REWARDS_EDIT: "change rewards",
    Permission.ENTRIES_IMPORT: "import files",
    Permission.DRAWS_SEAL: "seal draws",
    Permission.DRAWS_RUN: "run draws",
    Permission.DRAWS_EXPORT: "export draws",
    Permission.VOUCHERS_EDIT: "change vouchers",
    Permission.BENEFITS_VIEW: "see benefits",
    Permission.BENEFITS_ISSUE: "issue benefits",
    Permission.BENEFITS_CLAIM: "claim benefits for people",
    Permission.BENEFITS_CHANGE: "extend, reassign and void benefits",
    Permission.BENEFITS_OVERRIDE: "set an end against the terms",
    Permission.BENEFITS_REDEEM: "redeem benefits",
    Permission.BENEFITS_RETURN: "take redemptions back",
    Permission.WINNERS_VIEW: "see winners",
    Permission.FULFILMENT_WORK: "hand prizes over",
    Permission.CODES_PRINT: "print and reveal codes",
    Permission.JOBS_VIEW: "see jobs",
    Permission.AUDIT_VIEW: "read the audit log",
    Permission.REPORTS_EXPORT: "export lists",
    Permission.EXPORTS_VIEW: "see which lists were exported",
    Permission.STAFF_MANAGE: "manage staff",
    Permission.SETTINGS_EDIT: "change the settings",
}


class Role(StrEnum):
    """A bundle of permissions, granted on one site or on all."""

    VIEWER = "viewer"
    TILL = "till"
    EDITOR = "editor"
    DRAW_SUPERVISOR = "draw supervisor"
    FULFILMENT = "fulfilment"
    ADMINISTRATOR = "administrator"


_P = Permission
ROLES: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({_P.PROGRAMMES_VIEW, _P.REPORTS_EXPORT}),
    Role.TILL: frozenset(
        {_P.PROGRAMMES_VIEW, _P.BENEFITS_VIEW, _P.BENEFITS_CLAIM, _P.BENEFITS_REDEEM, _P.BENEFITS_RETURN}
    ),
    Role.EDITOR: frozenset(
        {
            _P.PROGRAMMES_VIEW,
            _P.PROFILES_VIEW,
            _P.PROFILES_EDIT,
            _P.SITES_EDIT,
            _P.ORGANISATIONS_VIEW,
            _P.ORGANISATIONS_EDIT,
            _P.DEFINITIONS_EDIT,
            _P.DEFINITIONS_PUBLISH,
            _P.REWARDS_EDIT,
            _P.ENTRIES_IMPORT,
            _P.DRAWS_SEAL,
            _P.DRAWS_EXPORT,
            _P.VOUCHERS_EDIT,
            _P.BENEFITS_VIEW,
            _P.BENEFITS_ISSUE,
            _P.BENEFITS_CLAIM,
            _P.BENEFITS_CHANGE,
            _P.BENEFITS_RETURN,
            _P.WINNERS_VIEW,
            _P.JOBS_VIEW,
            _P.AUDIT_VIEW,
            _P.REPORTS_EXPORT,
        }
    ),
    Role.DRAW_SUPERVISOR: frozenset(
        {
            _P.PROGRAMMES_VIEW,
            _P.DRAWS_RUN,
            _P.DRAWS_EXPORT,
            _P.WINNERS_VIEW,
            _P.JOBS_VIEW,
            _P.AUDIT_VIEW,
            _P.REPORTS_EXPORT,
        }
    ),
    Role.FULFILMENT: frozenset(
        {
            _P.PROGRAMMES_VIEW,
            _P.WINNERS_VIEW,
            _P.FULFILMENT_WORK,
            _P.CODES_PRINT,
            _P.DRAWS_EXPORT,
            _P.JOBS_VIEW,
            _P.REPORTS_EXPORT,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            _P.PROGRAMMES_VIEW,
            _P.PROFILES_ERASE,
            _P.STAFF_MANAGE,
            _P.SETTINGS_EDIT,
            _P.BENEFITS_VIEW,
            _P.BENEFITS_OVERRIDE,
            _P.JOBS_VIEW,
            _P.AUDIT_VIEW,
            _P.REPORTS_EXPORT,
            _P.EXPORTS_VIEW,
        }
    ),
}

# Rights that a role carries also when it is given within one organisation only: the people who belong there, what they
# hold, and the organisations themselves. Every other right needs a role of all organisations, and so does a screen that
# does not say ``within`` where it names its permission (``web.access.requires``).
WITHIN_ORGANISATIONS: frozenset[Permission] = frozenset(
    {
        _P.ORGANISATIONS_VIEW,
        _P.ORGANISATIONS_EDIT,
        _P.PROFILES_VIEW,
        _P.PROFILES_EDIT,
        _P.BENEFITS_CLAIM,
        _P.BENEFITS_REDEEM,
        _P.BENEFITS_RETURN,
    }
)

# Two hats that may not sit on one head, unless the account says openly that the team is too small.
CONFLICTS: tuple[frozenset[Role], ...] = (
    frozenset({Role.EDITOR, Role.DRAW_SUPERVISOR}),
    frozenset({Role.DRAW_SUPERVISOR, Role.FULFILMENT}),
    frozenset({Role.ADMINISTRATOR, Role.DRAW_SUPERVISOR}),
)


def of_organisation(role: Role) -> frozenset[Permission]:
    """What the role carries when it is given within one organisation."""
    return ROLES[role] & WITHIN_ORGANISATIONS


def conflicts(roles: frozenset[Role]) -> tuple[frozenset[Role], ...]:
    """The pairs of roles in ``roles`` that one person may not hold together (reliability.md 6.1)."""
    return tuple(pair for pair in CONFLICTS if pair <= roles)
