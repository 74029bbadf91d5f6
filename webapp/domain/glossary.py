"""The words of the product, and what each attribute of the seed documents is called here (product.md 4, 5)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One page of the handbook."""

    handle: str
    title: str
    lead: str
    icon: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a seed document: its name there, its name here, and what it does."""

    seed: str
    ours: str
    does: str


TOPICS = (
    Topic(
        "first-draw",
        "Your first draw",
        "From a list of entrants to winners and printed vouchers, step by step.",
        "trophy",
    ),
    Topic("today", "Today", "What waits for you, who sees what, and what the figures count.", "inbox"),
    Topic("sites", "Sites", "Who organises a programme, and whose days count.", "globe"),
    Topic("people", "People", "Who is one person, what is kept of them, and what they agreed to.", "users"),
    Topic(
        "organisations",
        "Organisations and groups",
        "The tree of organisations, who belongs where, modules, tiers and locations.",
        "building-2",
    ),
    Topic(
        "benefits",
        "Benefit definitions",
        "Validity, limits, codes, claiming, conditions and notices, and how terms change.",
        "gift",
    ),
    Topic("rewards", "Rewards", "Prizes, dates and rules, and the states a reward goes through.", "gift"),
    Topic(
        "imports",
        "Uploading entrants",
        "Columns, the check, the rejects file, and what counts as one person.",
        "upload",
    ),
    Topic("exports", "Exports", "Any list as a file, what is kept of it, and how it is read back.", "download"),
    Topic(
        "draws",
        "Fair draws",
        "Exclusions, the seal, the witness, the result, and how anyone can check it.",
        "shield-check",
    ),
    Topic(
        "fulfilment", "Fulfilment", "Winners and reserves from the first call to the prize in their hand.", "package"
    ),
    Topic(
        "issued",
        "Benefits of people",
        "Issuing, claiming, redeeming, taking back, extending, handing over, voiding.",
        "hand-heart",
    ),
    Topic("till", "The till", "Scan, look, press Enter; undo a slip; say why not.", "scan-line"),
    Topic("vouchers", "Vouchers", "Types, codes, allocation and printing.", "ticket"),
    Topic("jobs", "Jobs", "Long work: where it stands, how to stop it, what happens after a restart.", "list-checks"),
    Topic("audit", "Audit", "Who did what and when, and how the log shows tampering.", "scroll-text"),
    Topic("staff", "Staff and roles", "Inviting people, what each role may do, signing in.", "user-cog"),
    Topic("operations", "Running it", "Commands, settings, backups and health.", "settings"),
)

# In the order of the seed. An empty text: the name is settled, this release does not have the attribute yet.
REWARD_ATTRIBUTES = (
    Attribute("website", "site", "The site a reward belongs to: its organiser, its time zone, who may see it"),
    Attribute("id", "id", "The number of the row, never used twice"),
    Attribute("pointsType", "points_type", ""),
    Attribute("template", "template", ""),
    Attribute("pointsOrgType", "points_org_type", ""),
    Attribute("title", "title", "What people read; may change while the reward is a draft"),
    Attribute("name", "name", "Made from the title once, never changes; used in addresses and files"),
    Attribute("notes", "notes", "For staff only"),
    Attribute(
        "onePerRecipient", "one_per_recipient", "Later entries of the same person keep their place with 0 tickets"
    ),
    Attribute("status", "status", "Draft (empty), active (a), expired (e), fulfilled (f)"),
    Attribute("startDate", "starts_at", "First day on which an entry counts"),
    Attribute("endDate", "ends_at", "Last day, until 23:59:59 of the site; the reward closes by itself then"),
    Attribute("expiryDate", "expires_at", ""),
    Attribute("deletedDate", "deleted_at", ""),
    Attribute("deletedBy", "deleted_by", ""),
    Attribute("validForDays", "valid_for_days", "On the voucher type: days a voucher is valid from its allocation"),
    Attribute(
        "fulfiledDate", "fulfilled_at", "When the last prize was handed over and the reward was marked as fulfilled"
    ),
    Attribute("completedModulesOrgType", "completed_modules_org_type", ""),
    Attribute("orgCompletedModules", "org_completed_modules", ""),
    Attribute("userCompletedModules", "user_completed_modules", ""),
    Attribute("groupRewards", "group_rewards", ""),
    Attribute("subTitle", "sub_title", "A line under the title"),
    Attribute("image", "image", ""),
    Attribute("winners", "winners", "Drawn, never typed; each with stage, reason and history"),
    Attribute("extraFields", "extra_fields", ""),
    Attribute("autoReconcile", "auto_reconcile", ""),
    Attribute("requireApproval", "require_approval", ""),
    Attribute("externalUrl", "external_url", ""),
)

# In the order of the seed; names are kept as they are.
DEFINITION_ATTRIBUTES = (
    Attribute("id", "id", "The number of the row, never used twice"),
    Attribute("name", "name", "What people read"),
    Attribute("handle", "handle", "What programs and files call it; fixed once anything was issued"),
    Attribute(
        "period", "period", "How many days, weeks, months or years a benefit is valid; 0 days is the day of issue"
    ),
    Attribute("description", "description", "For staff only"),
    Attribute("internal_notes", "internal_notes", "For staff only; never exported"),
    Attribute("short_description", "short_description", "Beside the name, in lists and at the till"),
    Attribute("long_description", "long_description", "HTML, cleaned whenever it is shown"),
    Attribute("terms_conditions", "terms_conditions", "Printed on vouchers; a benefit keeps those it was issued under"),
    Attribute("redeem_instructions_store", "redeem_instructions_store", "Shown on the benefit, under its own heading"),
    Attribute(
        "redeem_instructions_online", "redeem_instructions_online", "Shown on the benefit, under its own heading"
    ),
    Attribute("redeem_code_pos", "redeem_code_pos", "The code of every benefit without one of its own"),
    Attribute("redeem_code_online", "redeem_code_online", "The same for the web shop"),
    Attribute("icon", "icon", "An address of the web"),
    Attribute("image_url", "image_url", "An address of the web"),
    Attribute("max_redemptions", "max_redemptions", "Of one benefit, copied to it when it is issued"),
    Attribute("is_extendable", "is_extendable", "Whether staff may extend a benefit, once"),
    Attribute("is_assignable", "is_assignable", "Whether staff, files and rules may issue it"),
    Attribute("is_reassignable", "is_reassignable", "Whether a benefit may go to another person"),
    Attribute("is_published", "is_published", "Whether it is live; a draft is not seen or claimed"),
    Attribute("is_archived", "is_archived", "Out of use; with redemptions stopped, nothing is redeemed either"),
    Attribute("tags", "tags", "Words to find it by"),
    Attribute("is_claimable", "is_claimable", "Whether people may claim it"),
    Attribute("max_global_redemptions", "max_global_redemptions", "Redemptions over all benefits, not benefits"),
    Attribute("total_global_redemptions_remaining", "global_left", "The cap less what is redeemed; none without a cap"),
    Attribute("total_global_redemptions", "total_global_redemptions", "Redeemed less what came back"),
    Attribute("total_global_created", "total_global_created", "Ever issued, void ones too"),
    Attribute("claim_period_start_at", "claim_period_start_at", "From this moment on it can be claimed"),
    Attribute("claim_period_end_at", "claim_period_end_at", "Up to this moment, which still counts"),
    Attribute("claim_condition", "claim_condition", "Who may claim it, as JsonLogic"),
    Attribute("is_reclaimable", "is_reclaimable", "Whether one person may claim it again"),
    Attribute("notify_schedule_offset", "notify_schedule_offset", "Hours taken off every due time"),
    Attribute("notify_issue_offset_days", "notify_issue_offset_days", "Days after issue"),
    Attribute("notify_issue_offset_hour", "notify_issue_offset_hour", "O'clock, local"),
    Attribute("notify_remind_offset_days", "notify_remind_offset_days", "Days from expiry; before it is negative"),
    Attribute("notify_remind_offset_hour", "notify_remind_offset_hour", "O'clock, local"),
    Attribute("notify_extend_offset_days", "notify_extend_offset_days", "Days from expiry; before it is negative"),
    Attribute("notify_extend_offset_hour", "notify_extend_offset_hour", "O'clock, local"),
    Attribute("remind_target_id", "remind_target_id", "The target that reminders are sent with"),
    Attribute("extend_target_id", "extend_target_id", "The target that offers to extend are sent with"),
    Attribute("issue_target_id", "issue_target_id", "The target that tells of an issue"),
    Attribute("end_at", "end_at", "The last day of the definition; no benefit is valid longer"),
    Attribute("total_allocations", "codes of its voucher type", "How many codes its voucher type ever had"),
    Attribute("total_allocations_remaining", "codes left", "How many of them nobody has"),
    Attribute("force_allocation", "force_allocation", "Nothing is issued without a code"),
    Attribute("created_at", "created_at", "UTC"),
    Attribute("updated_at", "updated_at", "UTC"),
)

WORDS = (
    ("Definition", "The mould of a benefit: its texts, validity, limits, codes, conditions and notices."),
    (
        "Organisation",
        "A club, a shop or a company in the tree of organisations; each has one place and perhaps a type.",
    ),
    ("Group", "A named set of people. Whoever is in it is there within one organisation, or within none."),
    ("Module", "Something to complete, known by its path such as /p1/c1/m1; a completion may lapse."),
    ("Tier", "A rank of the loyalty programme; a person has one at most."),
    ("Location", "A shop or counter: where somebody joined, likes to go, or redeems."),
    ("Entry", "One line in the list of a draw, with one or more tickets."),
    ("Ticket", "One equal chance. An entry with five tickets has five."),
    ("Prize", "What can be won, in the order drawn."),
    ("Slot", "One piece of a prize: «weekend#2» is the second weekend."),
    ("Reserve", "Somebody drawn after the winners, who gets a prize that is passed on."),
    ("Seal", "The moment after which list, prizes and rules cannot change; known by its fingerprint."),
    ("Witness", "An independent person who supplies the value that decides the draw."),
    ("Code", "A voucher's number. Lists show its last four signs."),
    ("Allocation", "Giving a code from the pool to a person."),
    ("Job", "Long work that goes on in the background and survives a restart."),
    ("Rejects file", "The rows of an upload that could not be used, each with the reason, ready to be mended."),
)

SETTINGS = (
    ("LARGESSE_DATABASE_URL", "Where the data is; without it a SQLite file in the instance folder."),
    ("LARGESSE_INSTANCE", "The folder of the database, the secret key and backups."),
    ("LARGESSE_SECRET_KEY", "The secret behind sessions and codes, at least 32 characters; init writes one."),
    ("LARGESSE_PUBLIC_URL", "The address people use, for links in e-mails."),
    ("LARGESSE_TRUSTED_HOSTS", "Further host names the console answers to, separated by commas."),
    ("LARGESSE_TIMEZONE", "The zone of the programme's clock."),
    ("LARGESSE_SMTP_URL", "The mail server, such as smtp://user:password@host:587; file:FOLDER writes files instead."),
    ("LARGESSE_MAIL_FROM", "The sender of e-mails."),
    ("LARGESSE_WEBHOOKS", "on sends webhooks; file writes them into the folder webhooks of the instance instead."),
    (
        "LARGESSE_WEBHOOK_HOSTS",
        "Hosts inside that webhooks may go to, separated by commas; they may use plain http and any port.",
    ),
    ("LARGESSE_SCHEDULER", "on or off: whether this server does the regular work."),
    ("LARGESSE_INSECURE_LOCAL", "on allows plain http on this machine only, with a warning on every page."),
    ("LARGESSE_IMAGE_HOSTS", "Hosts whose pictures pages may show."),
    ("LARGESSE_LOG_LEVEL", "debug, info, warning or error."),
)

COMMANDS = (
    ("demo", "Builds a sample programme and serves it."),
    ("test", "Runs every check and test on both databases."),
    ("init", "Prepares an empty database and invites the first administrator."),
    ("run", "Serves the console, with the scheduler inside."),
    ("migrate", "Brings the database to this program's schema, with a backup first."),
    ("doctor", "Looks at settings and health and says what is wrong."),
    ("check", "Looks for data that contradicts itself."),
    ("tick", "Does once whatever the scheduler would do now."),
    ("backup FILE", "Copies the database while it is in use."),
    ("staff add, list, disable", "People who may sign in."),
    ("import KIND FILE", "Reads people, entrants, codes … from a file; rejects go to FILE.rejects.csv."),
    ("export KIND [FILE]", "Writes people, entries, benefits, codes … as a stream; --filter narrows it as its list."),
    ("vouchers generate TYPE N", "Makes codes."),
    ("vouchers print", "Prints vouchers into a PDF."),
    ("erase PROFILE", "Erases a person who asks to be forgotten; draws still verify."),
    ("draw verify BUNDLE", "Recomputes a draw from its evidence, without a database."),
    ("draw bundle REWARD -o FILE.zip", "Writes the evidence of a draw."),
    ("audit verify", "Checks the chain of the audit log."),
    ("audit anchor FILE", "Adds the end of the audit log to a file that is kept elsewhere."),
    ("permissions, routes", "The roles and addresses, for machines with --json."),
)
