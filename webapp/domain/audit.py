"""Everything that can happen, the facts each event tells, and the sentence it is told in."""

from __future__ import annotations

import hashlib
import json
import re
import string
from collections.abc import Mapping
from enum import StrEnum

from webapp.domain.permissions import RIGHTS

START = "0" * 64  # what the first entry of the chain stands on


class Event(StrEnum):
    """Subject, then what happened to it, in the past tense."""

    STAFF_INVITED = "staff.invited"
    STAFF_JOINED = "staff.joined"
    STAFF_CHANGED = "staff.changed"
    STAFF_DISABLED = "staff.disabled"
    STAFF_ENABLED = "staff.enabled"
    STAFF_SIGNED_IN = "staff.signed-in"
    STAFF_SIGNED_OUT = "staff.signed-out"
    STAFF_REFUSED = "staff.refused"
    STAFF_CONFIRMED = "staff.confirmed"
    STAFF_RENAMED = "staff.renamed"
    STAFF_PASSWORD_CHANGED = "staff.password-changed"  # noqa: S105
    STAFF_SESSIONS_ENDED = "staff.sessions-ended"
    STAFF_PIN_SET = "staff.pin-set"
    STAFF_PIN_REMOVED = "staff.pin-removed"
    STAFF_PROOF_WRONG = "staff.proof-wrong"
    STAFF_TILL_ENDED = "staff.till-ended"
    STAFF_SECOND_FACTOR_SET = "staff.second-factor-set"
    STAFF_SECOND_FACTOR_REMOVED = "staff.second-factor-removed"
    STAFF_SECOND_FACTOR_RESET = "staff.second-factor-reset"
    STAFF_RECOVERY_RENEWED = "staff.recovery-codes-renewed"
    STAFF_RECOVERY_USED = "staff.recovery-code-used"
    STAFF_SEEING_STARTED = "staff.seeing-started"
    STAFF_SEEING_STOPPED = "staff.seeing-stopped"
    SETTINGS_CHANGED = "settings.changed"
    SITE_CREATED = "site.created"
    SITE_CHANGED = "site.changed"
    ORGANISATION_TYPE_CREATED = "organisation-type.created"
    ORGANISATION_TYPE_CHANGED = "organisation-type.changed"
    ORGANISATION_CREATED = "organisation.created"
    ORGANISATION_CHANGED = "organisation.changed"
    ORGANISATION_MOVED = "organisation.moved"
    ORGANISATION_ARCHIVED = "organisation.archived"
    ORGANISATION_RESTORED = "organisation.restored"
    GROUP_CREATED = "group.created"
    GROUP_CHANGED = "group.changed"
    GROUP_ARCHIVED = "group.archived"
    GROUP_RESTORED = "group.restored"
    GROUP_JOINED = "group.joined"
    GROUP_LEFT = "group.left"
    MODULE_CREATED = "module.created"
    MODULE_CHANGED = "module.changed"
    MODULE_ARCHIVED = "module.archived"
    MODULE_RESTORED = "module.restored"
    MODULE_COMPLETED = "module.completed"
    TIER_CREATED = "tier.created"
    TIER_CHANGED = "tier.changed"
    TIER_REMOVED = "tier.removed"
    LOCATION_CREATED = "location.created"
    LOCATION_CHANGED = "location.changed"
    LOCATION_CLOSED = "location.closed"
    VOUCHER_TYPE_CREATED = "voucher-type.created"
    VOUCHER_TYPE_CHANGED = "voucher-type.changed"
    VOUCHERS_GENERATED = "vouchers.generated"
    VOUCHERS_ALLOCATED = "vouchers.allocated"
    VOUCHERS_PRINTED = "vouchers.printed"
    VOUCHERS_TYPE_PRINTED = "vouchers.type-printed"
    VOUCHERS_UPLOADED = "vouchers.uploaded"
    VOUCHERS_TAKEN_BACK = "vouchers.taken-back"
    VOUCHER_CANCELLED = "voucher.cancelled"
    VOUCHER_HELD = "voucher.held"
    VOUCHER_LET_GO = "voucher.let-go"
    VOUCHER_REACTIVATED = "voucher.reactivated"
    VOUCHER_REDEEMED = "voucher.redeemed"
    VOUCHER_REVEALED = "voucher.revealed"
    VOUCHER_REVERSED = "voucher.reversed"
    DEFINITION_CREATED = "definition.created"
    DEFINITION_CHANGED = "definition.changed"
    DEFINITION_PUBLISHED = "definition.published"
    DEFINITION_UNPUBLISHED = "definition.unpublished"
    DEFINITION_ARCHIVED = "definition.archived"
    DEFINITION_RESTORED = "definition.restored"
    DEFINITION_CLONED = "definition.cloned"
    DEFINITION_DELETED = "definition.deleted"
    BENEFIT_ISSUED = "benefit.issued"
    BENEFIT_CLAIMED = "benefit.claimed"
    BENEFIT_CODE_ALLOCATED = "benefit.code-allocated"
    BENEFIT_REDEEMED = "benefit.redeemed"
    BENEFIT_RETURNED = "benefit.returned"
    BENEFIT_REVERSED = "benefit.reversed"
    BENEFIT_EXTENDED = "benefit.extended"
    BENEFIT_EXTENSION_UNDONE = "benefit.extension-undone"
    EXTENSION_UNDONE = "benefit-extension.undone"
    BENEFIT_EXPIRY_SET = "benefit.expiry-set"
    BENEFIT_REASSIGNED = "benefit.reassigned"
    BENEFIT_VOIDED = "benefit.voided"
    BENEFIT_RESTORED = "benefit.restored"
    BENEFIT_REVEALED = "benefit.revealed"
    BENEFIT_RELEASED = "benefit.released"
    BENEFITS_EXPIRED = "benefits.expired"
    BENEFITS_PRINTED = "benefits.printed"
    BENEFITS_VOIDED = "benefits.voided"
    BENEFITS_RESTORED = "benefits.restored"
    BATCH_PLANNED = "benefit-batch.planned"
    BATCH_STARTED = "benefit-batch.started"
    BATCH_ISSUED = "benefit-batch.issued"
    BATCH_UNDONE = "benefit-batch.undone"
    BATCH_WITHDRAWN = "benefit-batch.withdrawn"
    NOTICE_RESENT = "notice.resent"
    NOTICES_REPLANNED = "notices.replanned"
    TARGET_CREATED = "target.created"
    TARGET_CHANGED = "target.changed"
    TARGET_RENEWED = "target.renewed"
    TARGET_ARCHIVED = "target.archived"
    TARGET_RESTORED = "target.restored"
    REWARD_CREATED = "reward.created"
    REWARD_CHANGED = "reward.changed"
    REWARD_OPENED = "reward.opened"
    REWARD_CLOSED = "reward.closed"
    REWARD_FULFILLED = "reward.fulfilled"
    REWARD_DELETED = "reward.deleted"
    IMPORT_STARTED = "import.started"
    IMPORT_CHECKED = "import.checked"
    IMPORT_APPLIED = "import.applied"
    IMPORT_PUT = "import.put"
    IMPORT_REFUSED = "import.refused"
    IMPORT_UNDONE = "import.undone"
    IMPORT_DISCARDED = "import.discarded"
    EXPORT_TAKEN = "export.taken"
    ENTRIES_REVIEWED = "entries.reviewed"
    ENTRY_EXCLUDED = "entry.excluded"
    ENTRY_READMITTED = "entry.readmitted"
    DRAW_SEALED = "draw.sealed"
    DRAW_DRAWN = "draw.drawn"
    DRAW_EXPORTED = "draw.exported"
    WINNER_NOTIFIED = "winner.notified"
    WINNER_ACCEPTED = "winner.accepted"
    WINNER_DECLINED = "winner.declined"
    WINNER_UNCLAIMED = "winner.unclaimed"
    WINNER_DISQUALIFIED = "winner.disqualified"
    WINNER_PROMOTED = "winner.promoted"
    WINNER_FULFILLED = "winner.fulfilled"
    SLOT_VACANT = "slot.vacant"
    JOB_CANCELLED = "job.cancelled"
    JOB_FAILED = "job.failed"
    MESSAGE_RESENT = "message.resent"
    VIEW_SHARED = "view.shared"
    VIEW_UNSHARED = "view.unshared"
    PROFILE_CREATED = "profile.created"
    PROFILE_CHANGED = "profile.changed"
    PROFILE_MERGED = "profile.merged"
    PROFILE_ERASED = "profile.erased"
    ATTRIBUTE_CREATED = "attribute.created"
    ATTRIBUTE_ARCHIVED = "attribute.archived"
    ATTRIBUTE_RESTORED = "attribute.restored"


# The sentence follows the actor's name: «Ada Berg» + « sealed the draw of …». The facts are its blanks, exactly.
SENTENCES: dict[Event, str] = {
    Event.STAFF_INVITED: "invited {email} as {roles}",
    Event.STAFF_JOINED: "chose a password with the link sent to {email}",
    Event.STAFF_CHANGED: "changed what {email} may do from {before} to {after}",
    Event.STAFF_DISABLED: "disabled the account of {email}",
    Event.STAFF_ENABLED: "enabled the account of {email} again",
    Event.STAFF_SIGNED_IN: "signed in",
    Event.STAFF_SIGNED_OUT: "signed out",
    Event.STAFF_REFUSED: "was refused {what}",
    Event.STAFF_CONFIRMED: "gave the password again for {what}",
    Event.STAFF_RENAMED: "changed their own name from {before} to {after}",
    Event.STAFF_PASSWORD_CHANGED: "changed their own password; other sessions ended: {sessions}",
    Event.STAFF_SESSIONS_ENDED: "ended their own sessions elsewhere: {sessions}",
    Event.STAFF_PIN_SET: "set a PIN for the till",
    Event.STAFF_PIN_REMOVED: "removed their PIN for the till",
    Event.STAFF_PROOF_WRONG: "gave a wrong {what} at the locked till; wrong in a row: {number}",
    Event.STAFF_TILL_ENDED: "was signed out at the locked till; wrong in a row: {number}",
    Event.STAFF_SECOND_FACTOR_SET: "set up a second factor",
    Event.STAFF_SECOND_FACTOR_REMOVED: "removed their own second factor",
    Event.STAFF_SECOND_FACTOR_RESET: "reset the second factor of {email} and signed them out",
    Event.STAFF_RECOVERY_RENEWED: "made new recovery codes",
    Event.STAFF_RECOVERY_USED: "used a recovery code; left: {left}",
    Event.STAFF_SEEING_STARTED: "began to see the console as {email} does, read only",
    Event.STAFF_SEEING_STOPPED: "stopped seeing the console as {email} does",
    Event.SETTINGS_CHANGED: "changed the settings: {changes}",
    Event.SITE_CREATED: "created the site «{title}»",
    Event.SITE_CHANGED: "changed the site «{title}»: {changes}",
    Event.ORGANISATION_TYPE_CREATED: "created the organisation type «{title}» ({name})",
    Event.ORGANISATION_TYPE_CHANGED: "changed the organisation type «{title}»: {changes}",
    Event.ORGANISATION_CREATED: "created the organisation «{title}» ({external_id}) {place}",
    Event.ORGANISATION_CHANGED: "changed the organisation «{title}»: {changes}",
    Event.ORGANISATION_MOVED: "moved the organisation «{title}» from {before} to {after}; {below} below it went along",
    Event.ORGANISATION_ARCHIVED: "archived the organisation «{title}», which has {members} members",
    Event.ORGANISATION_RESTORED: "restored the organisation «{title}»",
    Event.GROUP_CREATED: "created the group «{title}» ({name})",
    Event.GROUP_CHANGED: "changed the group «{title}»: {changes}",
    Event.GROUP_ARCHIVED: "archived the group «{title}», which has {members} members",
    Event.GROUP_RESTORED: "restored the group «{title}»",
    Event.GROUP_JOINED: "put person {person} into the group «{title}» {place}",
    Event.GROUP_LEFT: "took person {person} out of the group «{title}» {place}",
    Event.MODULE_CREATED: "created the module «{title}» ({path})",
    Event.MODULE_CHANGED: "changed the module «{title}»: {changes}",
    Event.MODULE_ARCHIVED: "archived the module «{title}», which has {completions} completions",
    Event.MODULE_RESTORED: "restored the module «{title}»",
    Event.MODULE_COMPLETED: "recorded that person {person} completed the module «{title}» on {day}",
    Event.TIER_CREATED: "created the tier «{title}» ({name}) with rank {rank}",
    Event.TIER_CHANGED: "changed the tier «{title}»: {changes}",
    Event.TIER_REMOVED: "removed the tier «{title}», which nobody had",
    Event.LOCATION_CREATED: "created the location «{title}» ({external_id})",
    Event.LOCATION_CHANGED: "changed the location «{title}»: {changes}",
    Event.LOCATION_CLOSED: "closed the location «{title}» for good",
    Event.VOUCHER_TYPE_CREATED: "created the voucher type «{title}» ({code})",
    Event.VOUCHER_TYPE_CHANGED: "changed the voucher type «{title}»: {changes}",
    Event.VOUCHERS_GENERATED: "generated {count} codes of «{title}» (fingerprint {sha256})",
    Event.VOUCHERS_ALLOCATED: "allocated {count} codes of «{title}» to winner {rank} of «{reward}»",
    Event.VOUCHERS_PRINTED: "printed {count} vouchers of «{reward}» in the layout {layout}",
    Event.VOUCHERS_TYPE_PRINTED: "printed {count} vouchers of the type «{title}» in the layout {layout}",
    Event.VOUCHERS_UPLOADED: "uploaded {count} codes into «{title}» (fingerprint {sha256})",
    Event.VOUCHERS_TAKEN_BACK: "took back {count} codes uploaded into «{title}»; {left} stay as they are",
    Event.VOUCHER_CANCELLED: "cancelled the voucher {code} of «{title}»: {note}",
    Event.VOUCHER_HELD: "held the voucher {code} of «{title}» as pending: {note}",
    Event.VOUCHER_LET_GO: "let go the pending voucher {code} of «{title}»: {note}",
    Event.VOUCHER_REACTIVATED: "reactivated the voucher {code} of «{title}»: {note}",
    Event.VOUCHER_REDEEMED: "redeemed the voucher {code} of «{title}»: {note}",
    Event.VOUCHER_REVEALED: "revealed the whole code of the voucher {code} of «{title}»",
    Event.VOUCHER_REVERSED: "reversed the redemption of the voucher {code} of «{title}»: {note}",
    Event.DEFINITION_CREATED: "created the benefit definition «{title}» ({handle}) of the type {type}",
    Event.DEFINITION_CHANGED: "changed the benefit definition «{title}», version {number} of its terms: {changes}",
    Event.DEFINITION_PUBLISHED: "published the benefit definition «{title}»",
    Event.DEFINITION_UNPUBLISHED: "made the benefit definition «{title}» a draft again",
    Event.DEFINITION_ARCHIVED: "archived the benefit definition «{title}»; {effect}",
    Event.DEFINITION_RESTORED: "took the benefit definition «{title}» out of the archive",
    Event.DEFINITION_CLONED: "made the benefit definition «{title}» as a copy of «{original}»",
    Event.DEFINITION_DELETED: "deleted the benefit definition «{title}», from which nothing was issued",
    Event.BENEFIT_ISSUED: "issued «{title}» to person {person}, good until {until}",
    Event.BENEFIT_CLAIMED: "claimed «{title}» for person {person}, good until {until}",
    Event.BENEFIT_CODE_ALLOCATED: "allocated a code of «{pool}» to «{title}» of person {person}",
    Event.BENEFIT_REDEEMED: "redeemed {count} of «{title}» (receipt {receipt}): {note}",
    Event.BENEFIT_RETURNED: "took back {count} of «{title}» (receipt {receipt}): {note}",
    Event.BENEFIT_REVERSED: "reversed {count} of «{title}» (receipt {receipt}): {note}",
    Event.BENEFIT_EXTENDED: "extended «{title}» of person {person} until {until}",
    Event.BENEFIT_EXTENSION_UNDONE: "took the extension of «{title}» of person {person} back: good until {until}",
    Event.EXTENSION_UNDONE: "took an extension of benefits back: {count} have their former ends, {left} left alone",
    Event.BENEFIT_EXPIRY_SET: "set the end of «{title}» of person {person} from {before} to {until}: {reason}",
    Event.BENEFIT_REASSIGNED: "handed «{title}» over from person {before} to person {person}",
    Event.BENEFIT_VOIDED: "made «{title}» of person {person} void: {reason}",
    Event.BENEFIT_RESTORED: "restored «{title}» of person {person}, which had been made void",
    Event.BENEFIT_REVEALED: "revealed the whole code of «{title}» of person {person}",
    Event.BENEFIT_RELEASED: "put the code of «{title}» of person {person} back into its pool: {reason}",
    Event.BENEFITS_EXPIRED: "noted that {count} of «{title}» expired",
    Event.BENEFITS_PRINTED: "printed {count} of «{title}» in the layout {layout}: {reason}",
    Event.BENEFITS_VOIDED: "made {count} of «{title}» void together, {left} left as they were: {reason}",
    Event.BENEFITS_RESTORED: "restored {count} of «{title}» that had been made void together, {left} left as they were",
    Event.BATCH_PLANNED: "planned a batch of «{title}» for {audience}",
    Event.BATCH_STARTED: "started a batch of «{title}»; people: {people}",
    Event.BATCH_ISSUED: "issued {count} of «{title}» in a batch; people passed over: {passed}",
    Event.BATCH_UNDONE: "undid a batch of «{title}»: {count} made void, {left} left alone",
    Event.BATCH_WITHDRAWN: "withdrew a batch of «{title}» that had issued nothing",
    Event.NOTICE_RESENT: "had the {kind} notice of «{title}» sent to person {person} again",
    Event.NOTICES_REPLANNED: "had the notices of {count} open benefits of «{title}» planned anew",
    Event.TARGET_CREATED: "created the target «{title}» ({name})",
    Event.TARGET_CHANGED: "changed the target «{title}»: {changes}",
    Event.TARGET_RENEWED: "made a new secret for the webhook «{title}»",
    Event.TARGET_ARCHIVED: "archived the target «{title}»; nothing is sent with it any more",
    Event.TARGET_RESTORED: "took the target «{title}» out of the archive",
    Event.REWARD_CREATED: "created the {kind} «{title}» as {name}",
    Event.REWARD_CHANGED: "changed «{title}»: {changes}",
    Event.REWARD_OPENED: "opened «{title}» for entries; the code is committed as {commit}",
    Event.REWARD_CLOSED: "closed «{title}» with {entries} entries",
    Event.REWARD_FULFILLED: "marked «{title}» as fulfilled",
    Event.REWARD_DELETED: "deleted the draft «{title}», which nobody had entered",
    Event.IMPORT_STARTED: "uploaded {file} for «{reward}» (SHA-256 {sha256})",
    Event.IMPORT_CHECKED: "checked {file}: {good} good, {duplicates} duplicate and {bad} bad of {records} records",
    Event.IMPORT_APPLIED: "imported {file} into «{reward}»: {entries} entries, {people} new people, {bad} rows left out",
    Event.IMPORT_PUT: "imported {file}: {created} new and {changed} changed {kind}, {bad} rows left out",
    Event.IMPORT_UNDONE: "took the import of {file} back: {gone} undone, {left} left as they are",
    Event.IMPORT_DISCARDED: "threw {file} away; nothing of it was imported",
    Event.IMPORT_REFUSED: "could not import {file}: {problem}",
    Event.EXPORT_TAKEN: "took the list of {rows} as {media}, export {number}: {reason}",
    Event.ENTRIES_REVIEWED: "reviewed the entries of «{reward}»: {eligible} take part, {excluded} do not",
    Event.ENTRY_EXCLUDED: "excluded entry {number} of «{reward}» as {status}: {reason}",
    Event.ENTRY_READMITTED: "let entry {number} of «{reward}» take part again: {reason}",
    Event.DRAW_SEALED: "sealed the draw of «{reward}»: {entries} entries, {tickets} tickets, fingerprint {sha256}",
    Event.DRAW_DRAWN: "drew «{reward}» with the value {value} supplied by {witness}: {winners} winners",
    Event.DRAW_EXPORTED: "downloaded the evidence of the draw of «{reward}»",
    Event.WINNER_NOTIFIED: "told winner {rank} of «{reward}» about {slot}: {note}",
    Event.WINNER_ACCEPTED: "recorded that winner {rank} of «{reward}» accepts {slot}",
    Event.WINNER_DECLINED: "recorded that winner {rank} of «{reward}» declines {slot}: {reason}",
    Event.WINNER_UNCLAIMED: "recorded that winner {rank} of «{reward}» did not claim {slot}: {reason}",
    Event.WINNER_DISQUALIFIED: "disqualified winner {rank} of «{reward}» from {slot}: {reason}",
    Event.WINNER_PROMOTED: "passed {slot} of «{reward}» to reserve {rank}",
    Event.WINNER_FULFILLED: "handed {slot} of «{reward}» to winner {rank}: {note}",
    Event.SLOT_VACANT: "left {slot} of «{reward}» vacant: no reserve is left",
    Event.JOB_CANCELLED: "cancelled the job «{title}»",
    Event.JOB_FAILED: "could not finish the job «{title}»: {error}",
    Event.MESSAGE_RESENT: "sent the message «{title}» again",
    Event.VIEW_SHARED: "shared the view «{title}» of the list {list}",
    Event.VIEW_UNSHARED: "no longer shares the view «{title}» of the list {list}",
    Event.PROFILE_CREATED: "typed in person {person}",
    Event.PROFILE_CHANGED: "changed person {person}: {changes}",
    Event.PROFILE_MERGED: "merged person {loser} into person {winner}; what moved: {moved}",
    Event.PROFILE_ERASED: "erased person {person}: {cleared}",
    Event.ATTRIBUTE_CREATED: "created the fact «{title}» of people, a {kind}, as {name}",
    Event.ATTRIBUTE_ARCHIVED: "archived the fact «{title}» of people",
    Event.ATTRIBUTE_RESTORED: "brought back the fact «{title}» of people",
}


def _blanks(sentence: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(sentence) if name)


FACTS: dict[Event, frozenset[str]] = {event: _blanks(sentence) for event, sentence in SENTENCES.items()}


# Facts are kept as they were told; so what older entries say of a merge or an erasure is put right here, too.
_ONE = re.compile(
    r"\b1 ((?:reserved |sealed |import )?(?:code|voucher|winner|ticket|entrie|identitie|row|record|member|membership"
    r"|completion|benefit|notice|message|problem|file))s\b"
)


def _singular(found: re.Match[str]) -> str:
    return f"1 {found[1][:-2]}y" if found[1].endswith("ie") else f"1 {found[1]}"


def sentence(event: Event, facts: Mapping[str, object]) -> str:
    """What happened, in words, without who and when. Numbers are grouped: 50,000."""
    shown = {
        name: f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in facts.items()
    }
    if event is Event.STAFF_REFUSED:
        shown["what"] = _RIGHT.sub(_in_words, str(shown["what"]))
    return _ONE.sub(_singular, SENTENCES[event].format(**shown))


_RIGHT = re.compile(r"([a-z.-]+) at [A-Z]+ (/.*)", re.DOTALL)  # as a refusal is kept: «staff.manage at GET /staff»


def _in_words(found: re.Match[str]) -> str:
    words = RIGHTS.get(found[1])
    return f"{found[2]}, which is for those who may {words}" if words else found[0]


ANCHOR_WORDS = (
    "This is where the audit log ended when this was sent: the number of its last entry and the digest of everything up to\n"
    "it. Keep this message where nobody who runs the console can change it. Saved as a file it is an anchor:\n"
    "    largesse audit verify --anchor FILE\n"
    "finds a log whose end was cut off, or that was rewritten, since then."
)
_ANCHOR = re.compile(r"(?:largesse-audit )?([0-9]{1,12}) ([0-9a-f]{64})")


def anchor_line(position: int, digest: str) -> str:
    """The end of the chain in one line, as it is told outside."""
    return f"largesse-audit {position} {digest}"


def read_anchors(text: str) -> list[tuple[int, str]]:
    """Positions and digests from the lines of a file: a list of anchors, or a message that was saved as it came.

    Raises ``ValueError`` with the number of the first line that should be an anchor and is none.
    """
    lines = [line.strip() for line in text.splitlines()]
    is_message = any(line.startswith("largesse-audit ") for line in lines)
    found = []
    for number, line in enumerate(lines, 1):
        if line.startswith("largesse-audit ") or (line and not is_message and not line.startswith("#")):
            anchor = _ANCHOR.fullmatch(line)
            if anchor is None:
                raise ValueError(f"Line {number} is not «position digest»: «{line[:60]}».")
            found.append((int(anchor[1]), anchor[2]))
    return found


# Made once: a million entries are told in one walk.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode


def chain(previous: str, payload: Mapping[str, object]) -> str:
    """The digest of one entry on top of ``previous`` (64 hex digits, or 64 zeros before the first)."""
    return hashlib.sha256(f"{previous}\n{_CANONICAL(payload)}".encode()).hexdigest()
