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
from webapp.services.profiles.erasure import EraseProfile, erase
from webapp.services.profiles.identities import IdentityLine
from webapp.services.profiles.merging import MergeProfiles, facts, merge
from webapp.services.profiles.taking_back import restore, take_back
from webapp.services.profiles.taking_in import take_in

__all__ = [
    "ArchiveAttribute",
    "ChangeProfile",
    "CreateAttribute",
    "CreateProfile",
    "EraseProfile",
    "IdentityLine",
    "MergeProfiles",
    "ProfileTerms",
    "RestoreAttribute",
    "archive_attribute",
    "change",
    "create",
    "create_attribute",
    "enrol",
    "erase",
    "facts",
    "merge",
    "restore",
    "restore_attribute",
    "take_back",
    "take_in",
]
