"""People: taken up in bulk, typed in, changed, and what may be noted of them."""

from webapp.services.profiles.attributes import (
    ArchiveAttribute,
    CreateAttribute,
    RestoreAttribute,
    archive_attribute,
    create_attribute,
    restore_attribute,
)
from webapp.services.profiles.editing import ChangeProfile, CreateProfile, ProfileTerms, change, create
from webapp.services.profiles.enrolment import enrol
from webapp.services.profiles.identities import IdentityLine

__all__ = [
    "ArchiveAttribute",
    "ChangeProfile",
    "CreateAttribute",
    "CreateProfile",
    "IdentityLine",
    "ProfileTerms",
    "RestoreAttribute",
    "archive_attribute",
    "change",
    "create",
    "create_attribute",
    "enrol",
    "restore_attribute",
]
