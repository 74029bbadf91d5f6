"""Every table of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001_frame"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "account_settings",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_small_team", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_account_settings_only_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_settings")),
    )
    op.create_table(
        "import_mappings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("heading_hash", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_mappings")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_import_mappings_kind_heading_hash", "import_mappings", ["kind", "heading_hash"], unique=True)
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "outbox_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=120), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "claimed",
                "sent",
                "retry",
                "failed",
                "skipped",
                name="outboxstatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_outbox_messages_attempts_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_messages")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbox_messages_dedupe_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_messages_status_due_at", "outbox_messages", ["status", "due_at"], unique=False)
    op.create_table(
        "profiles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "external_id",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("first_name", sa.String(length=120), nullable=False),
        sa.Column("last_name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column(
            "email_key",
            sa.String(length=254).with_variant(sa.String(length=254, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column(
            "search_text",
            sa.String(length=600).with_variant(sa.String(length=600, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "name_key",
            sa.String(length=250).with_variant(sa.String(length=250, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "phone_key",
            sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "external_id is not null or email_key is not null or first_name <> '' or merged_into_id is not null",
            name=op.f("ck_profiles_known"),
        ),
        sa.ForeignKeyConstraint(["merged_into_id"], ["profiles.id"], name=op.f("fk_profiles_merged_into_id_profiles")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("email_key", name=op.f("uq_profiles_email_key")),
        sa.UniqueConstraint("external_id", name=op.f("uq_profiles_external_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_profiles_merged_into_id",
        "profiles",
        ["merged_into_id"],
        unique=False,
        sqlite_where=sa.text("merged_into_id is not null"),
        postgresql_where=sa.text("merged_into_id is not null"),
    )
    op.create_index("ix_profiles_name_key", "profiles", ["name_key"], unique=False)
    op.create_index("ix_profiles_phone_key", "profiles", ["phone_key"], unique=False)
    op.create_index("ix_profiles_search_text", "profiles", ["search_text"], unique=False)
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sign_in_attempts_address_at", "sign_in_attempts", ["address", "at"], unique=False)
    op.create_index("ix_sign_in_attempts_at", "sign_in_attempts", ["at"], unique=False)
    op.create_index("ix_sign_in_attempts_email_at", "sign_in_attempts", ["email", "at"], unique=False)
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("organiser", sa.String(length=120), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("staff_domains", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(name) between 1 and 60", name=op.f("ck_sites_name_within")),
        sa.CheckConstraint("length(title) between 1 and 120", name=op.f("ck_sites_title_within")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("name", name=op.f("uq_sites_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "staff_members",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("length(email) between 3 and 254", name=op.f("ck_staff_members_email_within")),
        sa.CheckConstraint("length(name) between 1 and 120", name=op.f("ck_staff_members_name_within")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff_members.id"], name=op.f("fk_staff_members_created_by_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_members")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_members_email")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column(
            "event",
            sa.Enum(
                "staff.invited",
                "staff.joined",
                "staff.changed",
                "staff.disabled",
                "staff.enabled",
                "staff.signed-in",
                "staff.signed-out",
                "staff.refused",
                "settings.changed",
                "site.created",
                "site.changed",
                "voucher-type.created",
                "voucher-type.changed",
                "vouchers.generated",
                "vouchers.allocated",
                "vouchers.printed",
                "vouchers.type-printed",
                "voucher.cancelled",
                "voucher.held",
                "voucher.let-go",
                "voucher.reactivated",
                "voucher.redeemed",
                "voucher.revealed",
                "voucher.reversed",
                "reward.created",
                "reward.changed",
                "reward.opened",
                "reward.closed",
                "reward.fulfilled",
                "import.started",
                "import.checked",
                "import.applied",
                "import.refused",
                "entries.reviewed",
                "entry.excluded",
                "entry.readmitted",
                "draw.sealed",
                "draw.drawn",
                "draw.exported",
                "winner.notified",
                "winner.accepted",
                "winner.declined",
                "winner.unclaimed",
                "winner.disqualified",
                "winner.promoted",
                "winner.fulfilled",
                "slot.vacant",
                "job.cancelled",
                "job.failed",
                name="event",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("previous", sa.String(length=64), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_audit_entries_site_id_sites")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_members.id"], name=op.f("fk_audit_entries_staff_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sa.UniqueConstraint("position", name=op.f("uq_audit_entries_position")),
        sa.UniqueConstraint("previous", name=op.f("uq_audit_entries_previous")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_entries_site_id_id", "audit_entries", ["site_id", "id"], unique=False)
    op.create_index("ix_audit_entries_subject_id", "audit_entries", ["subject", "id"], unique=False)
    op.create_table(
        "request_keys",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_members.id"], name=op.f("fk_request_keys_staff_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_request_keys")),
    )
    op.create_table(
        "staff_grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "viewer",
                "till",
                "editor",
                "draw supervisor",
                "fulfilment",
                "administrator",
                name="role",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_staff_grants_site_id_sites")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_members.id"], name=op.f("fk_staff_grants_staff_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_grants")),
        sa.UniqueConstraint("staff_id", "role", "site_id", name=op.f("uq_staff_grants_staff_id_role_site_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_staff_grants_staff_id"), "staff_grants", ["staff_id"], unique=False)
    op.create_table(
        "staff_invitations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_members.id"], name=op.f("fk_staff_invitations_staff_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_invitations_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_staff_invitations_staff_id"), "staff_invitations", ["staff_id"], unique=False)
    op.create_table(
        "staff_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_members.id"], name=op.f("fk_staff_sessions_staff_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_sessions_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_staff_sessions_staff_id"), "staff_sessions", ["staff_id"], unique=False)
    op.create_table(
        "stored_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff_members.id"], name=op.f("fk_stored_files_created_by_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_files")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_stored_files_sha256"), "stored_files", ["sha256"], unique=False)
    op.create_table(
        "voucher_types",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("subtitle", sa.String(length=120), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("valid_for_days", sa.Integer(), nullable=True),
        sa.Column("static_expiry_on", sa.Date(), nullable=True),
        sa.Column("id_pattern", sa.String(length=60), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("idle_count", sa.Integer(), nullable=False),
        sa.Column("allocated_count", sa.Integer(), nullable=False),
        sa.Column("pending_count", sa.Integer(), nullable=False),
        sa.Column("redeemed_count", sa.Integer(), nullable=False),
        sa.Column("cancelled_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "idle_count >= 0 and allocated_count >= 0 and pending_count >= 0 and redeemed_count >= 0 and cancelled_count >= 0",
            name=op.f("ck_voucher_types_counts_not_negative"),
        ),
        sa.CheckConstraint("length(title) between 1 and 120", name=op.f("ck_voucher_types_title_within")),
        sa.CheckConstraint(
            "valid_for_days is null or valid_for_days between 1 and 36500", name=op.f("ck_voucher_types_days_within")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_voucher_types_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_types")),
        sa.UniqueConstraint("code", name=op.f("uq_voucher_types_code")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_voucher_types_site_id"), "voucher_types", ["site_id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column(
            "status",
            sa.Enum("queued", "running", "done", "failed", "cancelled", name="jobstatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("cursor", sa.JSON(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("error", sa.String(length=2000), nullable=False),
        sa.Column("result_file_id", sa.Integer(), nullable=True),
        sa.Column("is_cancel_wanted", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("done >= 0 and total >= 0", name=op.f("ck_jobs_counts_not_negative")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff_members.id"], name=op.f("fk_jobs_created_by_id_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["result_file_id"], ["stored_files.id"], name=op.f("fk_jobs_result_file_id_stored_files")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_jobs_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_status_id", "jobs", ["status", "id"], unique=False)
    op.create_table(
        "rewards",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "giveaway",
                "competition",
                "prize_draw",
                "gift_vouchers",
                "points_bucket",
                name="rewardkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("sub_title", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("draft", "active", "expired", "fulfilled", name="rewardstatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("one_per_recipient", sa.Boolean(), nullable=False),
        sa.Column("exclude_previous_winners", sa.Boolean(), nullable=False),
        sa.Column("reserve_count", sa.Integer(), nullable=False),
        sa.Column("min_wait_minutes", sa.Integer(), nullable=False),
        sa.Column("witnessed_value", sa.String(length=300), nullable=False),
        sa.Column("voucher_type_id", sa.Integer(), nullable=True),
        sa.Column("vouchers_per_winner", sa.Integer(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fulfilled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("entry_count >= 0", name=op.f("ck_rewards_entries_not_negative")),
        sa.CheckConstraint("length(name) between 1 and 60", name=op.f("ck_rewards_name_within")),
        sa.CheckConstraint("length(title) between 1 and 120", name=op.f("ck_rewards_title_within")),
        sa.CheckConstraint("min_wait_minutes between 0 and 525600", name=op.f("ck_rewards_wait_within")),
        sa.CheckConstraint("reserve_count between 0 and 1000", name=op.f("ck_rewards_reserves_within")),
        sa.CheckConstraint(
            "starts_at is null or ends_at is null or ends_at > starts_at", name=op.f("ck_rewards_ends_after_start")
        ),
        sa.CheckConstraint("vouchers_per_winner between 1 and 100", name=op.f("ck_rewards_vouchers_within")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff_members.id"], name=op.f("fk_rewards_created_by_id_staff_members")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_rewards_site_id_sites")),
        sa.ForeignKeyConstraint(
            ["voucher_type_id"], ["voucher_types.id"], name=op.f("fk_rewards_voucher_type_id_voucher_types")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rewards")),
        sa.UniqueConstraint("name", name=op.f("uq_rewards_name")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rewards_site_id_status_id", "rewards", ["site_id", "status", "id"], unique=False)
    op.create_table(
        "stored_chunks",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=op.f("fk_stored_chunks_file_id_stored_files")),
        sa.PrimaryKeyConstraint("file_id", "number", name=op.f("pk_stored_chunks")),
    )
    op.create_table(
        "voucher_batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("voucher_type_id", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff_members.id"], name=op.f("fk_voucher_batches_created_by_id_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["voucher_type_id"], ["voucher_types.id"], name=op.f("fk_voucher_batches_voucher_type_id_voucher_types")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_batches")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_voucher_batches_voucher_type_id"), "voucher_batches", ["voucher_type_id"], unique=False)
    op.create_table(
        "draws",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reward_id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "closed", "sealed", "drawn", name="drawstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("holder_key", sa.LargeBinary(), nullable=False),
        sa.Column("code_commit", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_by_id", sa.Integer(), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=True),
        sa.Column("seal_sha256", sa.String(length=64), nullable=True),
        sa.Column("entries_file_id", sa.Integer(), nullable=True),
        sa.Column("entries_root", sa.String(length=64), nullable=True),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("eligible_count", sa.Integer(), nullable=False),
        sa.Column("person_count", sa.Integer(), nullable=False),
        sa.Column("ticket_count", sa.BigInteger(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drawn_by_id", sa.Integer(), nullable=True),
        sa.Column("log_count", sa.Integer(), nullable=False),
        sa.Column("log_head", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "state not in ('sealed', 'drawn') or seal is not null", name=op.f("ck_draws_sealed_has_seal")
        ),
        sa.CheckConstraint("drawn_at is null or drawn_at >= sealed_at", name=op.f("ck_draws_drawn_after_seal")),
        sa.ForeignKeyConstraint(["drawn_by_id"], ["staff_members.id"], name=op.f("fk_draws_drawn_by_id_staff_members")),
        sa.ForeignKeyConstraint(
            ["entries_file_id"], ["stored_files.id"], name=op.f("fk_draws_entries_file_id_stored_files")
        ),
        sa.ForeignKeyConstraint(["reward_id"], ["rewards.id"], name=op.f("fk_draws_reward_id_rewards")),
        sa.ForeignKeyConstraint(
            ["sealed_by_id"], ["staff_members.id"], name=op.f("fk_draws_sealed_by_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draws")),
        sa.UniqueConstraint("reference", name=op.f("uq_draws_reference")),
        sa.UniqueConstraint("reward_id", name=op.f("uq_draws_reward_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "import_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("reward_id", sa.Integer(), nullable=True),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("rejects_file_id", sa.Integer(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "uploaded",
                "checking",
                "checked",
                "applying",
                "done",
                "refused",
                "cancelled",
                name="importstatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("encoding", sa.String(length=20), nullable=False),
        sa.Column("headings", sa.JSON(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column(
            "contract",
            sa.Enum("all-or-nothing", "good-rows", name="importcontract", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("record_count", sa.Integer(), nullable=False),
        sa.Column("good_count", sa.Integer(), nullable=False),
        sa.Column("duplicate_count", sa.Integer(), nullable=False),
        sa.Column("bad_count", sa.Integer(), nullable=False),
        sa.Column("created_count", sa.Integer(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=1000), nullable=False),
        sa.Column("check_job_id", sa.Integer(), nullable=True),
        sa.Column("apply_job_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "good_count >= 0 and duplicate_count >= 0 and bad_count >= 0",
            name=op.f("ck_import_runs_counts_not_negative"),
        ),
        sa.ForeignKeyConstraint(["apply_job_id"], ["jobs.id"], name=op.f("fk_import_runs_apply_job_id_jobs")),
        sa.ForeignKeyConstraint(["check_job_id"], ["jobs.id"], name=op.f("fk_import_runs_check_job_id_jobs")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff_members.id"], name=op.f("fk_import_runs_created_by_id_staff_members")
        ),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=op.f("fk_import_runs_file_id_stored_files")),
        sa.ForeignKeyConstraint(
            ["rejects_file_id"], ["stored_files.id"], name=op.f("fk_import_runs_rejects_file_id_stored_files")
        ),
        sa.ForeignKeyConstraint(["reward_id"], ["rewards.id"], name=op.f("fk_import_runs_reward_id_rewards")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_import_runs_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_runs")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_import_runs_reward_id"), "import_runs", ["reward_id"], unique=False)
    op.create_table(
        "prizes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reward_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("handle", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("quantity between 1 and 10000", name=op.f("ck_prizes_quantity_within")),
        sa.ForeignKeyConstraint(["reward_id"], ["rewards.id"], name=op.f("fk_prizes_reward_id_rewards")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prizes")),
        sa.UniqueConstraint("reward_id", "handle", name=op.f("uq_prizes_reward_id_handle")),
        sa.UniqueConstraint("reward_id", "position", name=op.f("uq_prizes_reward_id_position")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "draw_log_lines",
        sa.Column("draw_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draws.id"], name=op.f("fk_draw_log_lines_draw_id_draws")),
        sa.PrimaryKeyConstraint("draw_id", "number", name=op.f("pk_draw_log_lines")),
    )
    op.create_table(
        "draw_rounds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draw_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("declaration_sha256", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=1024), nullable=False),
        sa.Column("witness_name", sa.String(length=120), nullable=False),
        sa.Column("witness_capacity", sa.String(length=200), nullable=False),
        sa.Column("held_fingerprint", sa.Boolean(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=False),
        sa.Column("result_sha256", sa.String(length=64), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_by_id", sa.Integer(), nullable=True),
        sa.Column("drawn_by", sa.String(length=120), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draws.id"], name=op.f("fk_draw_rounds_draw_id_draws")),
        sa.ForeignKeyConstraint(
            ["drawn_by_id"], ["staff_members.id"], name=op.f("fk_draw_rounds_drawn_by_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw_rounds")),
        sa.UniqueConstraint("draw_id", "round", name=op.f("uq_draw_rounds_draw_id_round")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "entries",
        sa.Column("reward_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "ok",
                "staff",
                "previous-winner",
                "duplicate",
                "household",
                "over-limit",
                "ineligible",
                "withdrawn",
                "late",
                "test",
                name="status",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column(
            "receipt",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("import_run_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("number > 0", name=op.f("ck_entries_number_positive")),
        sa.CheckConstraint("tickets between 1 and 1000000", name=op.f("ck_entries_tickets_within")),
        sa.ForeignKeyConstraint(
            ["import_run_id"], ["import_runs.id"], name=op.f("fk_entries_import_run_id_import_runs")
        ),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_entries_profile_id_profiles")),
        sa.ForeignKeyConstraint(["reward_id"], ["rewards.id"], name=op.f("fk_entries_reward_id_rewards")),
        sa.PrimaryKeyConstraint("reward_id", "number", name=op.f("pk_entries")),
    )
    op.create_index("ix_entries_profile_id", "entries", ["profile_id"], unique=False)
    op.create_index("ix_entries_reward_id_profile_id", "entries", ["reward_id", "profile_id"], unique=False)
    op.create_index("ix_entries_reward_id_status_number", "entries", ["reward_id", "status", "number"], unique=False)
    op.create_index("uq_entries_reward_id_receipt", "entries", ["reward_id", "receipt"], unique=True)
    op.create_table(
        "import_problems",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("record", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("column", sa.String(length=120), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["import_runs.id"], name=op.f("fk_import_problems_run_id_import_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_problems")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_import_problems_run_id_id", "import_problems", ["run_id", "id"], unique=False)
    op.create_table(
        "winners",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draw_id", sa.Integer(), nullable=False),
        sa.Column("reward_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("entry_number", sa.Integer(), nullable=False),
        sa.Column("ticket", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("prize_id", sa.Integer(), nullable=True),
        sa.Column("slot", sa.String(length=60), nullable=True),
        sa.Column(
            "stage",
            sa.Enum(
                "reserve",
                "to-contact",
                "notified",
                "accepted",
                "fulfilled",
                "declined",
                "unclaimed",
                "disqualified",
                name="stage",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("stage_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("passed_from_id", sa.Integer(), nullable=True),
        sa.Column("claim_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voucher_count", sa.Integer(), nullable=False),
        sa.CheckConstraint("stage = 'reserve' or slot is not null", name=op.f("ck_winners_winner_has_slot")),
        sa.ForeignKeyConstraint(["draw_id"], ["draws.id"], name=op.f("fk_winners_draw_id_draws")),
        sa.ForeignKeyConstraint(["passed_from_id"], ["winners.id"], name=op.f("fk_winners_passed_from_id_winners")),
        sa.ForeignKeyConstraint(["prize_id"], ["prizes.id"], name=op.f("fk_winners_prize_id_prizes")),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_winners_profile_id_profiles")),
        sa.ForeignKeyConstraint(["reward_id"], ["rewards.id"], name=op.f("fk_winners_reward_id_rewards")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_winners")),
        sa.UniqueConstraint("draw_id", "holder", name=op.f("uq_winners_draw_id_holder")),
        sa.UniqueConstraint("draw_id", "round", "rank", name=op.f("uq_winners_draw_id_round_rank")),
        sa.UniqueConstraint("passed_from_id", name=op.f("uq_winners_passed_from_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_winners_profile_id"), "winners", ["profile_id"], unique=False)
    op.create_index(op.f("ix_winners_reward_id"), "winners", ["reward_id"], unique=False)
    op.create_index(
        "uq_winners_draw_id_slot_standing",
        "winners",
        ["draw_id", "slot"],
        unique=True,
        sqlite_where=sa.text("slot is not null and stage not in ('declined', 'unclaimed', 'disqualified')"),
        postgresql_where=sa.text("slot is not null and stage not in ('declined', 'unclaimed', 'disqualified')"),
    )
    op.create_table(
        "vouchers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("voucher_type_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "idle",
                "allocated",
                "pending",
                "redeemed",
                "cancelled",
                name="voucherstatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("profile_id", sa.Integer(), nullable=True),
        sa.Column("winner_id", sa.Integer(), nullable=True),
        sa.Column("winner_place", sa.Integer(), nullable=True),
        sa.Column("allocated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("printed_count", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(status <> 'idle' or allocated_at is null) and (status in ('idle', 'cancelled') or allocated_at is not null)",
            name=op.f("ck_vouchers_idle_is_free"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["voucher_batches.id"], name=op.f("fk_vouchers_batch_id_voucher_batches")
        ),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_vouchers_profile_id_profiles")),
        sa.ForeignKeyConstraint(
            ["voucher_type_id"], ["voucher_types.id"], name=op.f("fk_vouchers_voucher_type_id_voucher_types")
        ),
        sa.ForeignKeyConstraint(["winner_id"], ["winners.id"], name=op.f("fk_vouchers_winner_id_winners")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vouchers")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_vouchers_code_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_vouchers_batch_id"), "vouchers", ["batch_id"], unique=False)
    op.create_index(
        "ix_vouchers_open_expires_at",
        "vouchers",
        ["voucher_type_id", "expires_at"],
        unique=False,
        sqlite_where=sa.text("status in ('allocated', 'pending')"),
        postgresql_where=sa.text("status in ('allocated', 'pending')"),
    )
    op.create_index(
        "ix_vouchers_profile_id",
        "vouchers",
        ["profile_id"],
        unique=False,
        sqlite_where=sa.text("profile_id is not null"),
        postgresql_where=sa.text("profile_id is not null"),
    )
    op.create_index(
        "ix_vouchers_taken_status_id",
        "vouchers",
        ["status", "id"],
        unique=False,
        sqlite_where=sa.text("status <> 'idle'"),
        postgresql_where=sa.text("status <> 'idle'"),
    )
    op.create_index(
        "ix_vouchers_voucher_type_id_status_id", "vouchers", ["voucher_type_id", "status", "id"], unique=False
    )
    op.create_index(
        "uq_vouchers_winner_id_winner_place",
        "vouchers",
        ["winner_id", "winner_place"],
        unique=True,
        sqlite_where=sa.text("winner_id is not null"),
        postgresql_where=sa.text("winner_id is not null"),
    )
    op.create_table(
        "winner_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("winner_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "reserve",
                "to-contact",
                "notified",
                "accepted",
                "fulfilled",
                "declined",
                "unclaimed",
                "disqualified",
                name="stage",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["winner_id"], ["winners.id"], name=op.f("fk_winner_events_winner_id_winners")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_winner_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_winner_events_winner_id"), "winner_events", ["winner_id"], unique=False)
    op.create_table(
        "voucher_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("voucher_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "idle",
                "allocated",
                "pending",
                "redeemed",
                "cancelled",
                name="voucherstatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["voucher_id"], ["vouchers.id"], name=op.f("fk_voucher_changes_voucher_id_vouchers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_voucher_changes_voucher_id"), "voucher_changes", ["voucher_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_voucher_changes_voucher_id"), table_name="voucher_changes")
    op.drop_table("voucher_changes")
    op.drop_index(op.f("ix_winner_events_winner_id"), table_name="winner_events")
    op.drop_table("winner_events")
    op.drop_index(
        "uq_vouchers_winner_id_winner_place",
        table_name="vouchers",
        sqlite_where=sa.text("winner_id is not null"),
        postgresql_where=sa.text("winner_id is not null"),
    )
    op.drop_index("ix_vouchers_voucher_type_id_status_id", table_name="vouchers")
    op.drop_index(
        "ix_vouchers_taken_status_id",
        table_name="vouchers",
        sqlite_where=sa.text("status <> 'idle'"),
        postgresql_where=sa.text("status <> 'idle'"),
    )
    op.drop_index(
        "ix_vouchers_profile_id",
        table_name="vouchers",
        sqlite_where=sa.text("profile_id is not null"),
        postgresql_where=sa.text("profile_id is not null"),
    )
    op.drop_index(
        "ix_vouchers_open_expires_at",
        table_name="vouchers",
        sqlite_where=sa.text("status in ('allocated', 'pending')"),
        postgresql_where=sa.text("status in ('allocated', 'pending')"),
    )
    op.drop_index(op.f("ix_vouchers_batch_id"), table_name="vouchers")
    op.drop_table("vouchers")
    op.drop_index(
        "uq_winners_draw_id_slot_standing",
        table_name="winners",
        sqlite_where=sa.text("slot is not null and stage not in ('declined', 'unclaimed', 'disqualified')"),
        postgresql_where=sa.text("slot is not null and stage not in ('declined', 'unclaimed', 'disqualified')"),
    )
    op.drop_index(op.f("ix_winners_reward_id"), table_name="winners")
    op.drop_index(op.f("ix_winners_profile_id"), table_name="winners")
    op.drop_table("winners")
    op.drop_index("ix_import_problems_run_id_id", table_name="import_problems")
    op.drop_table("import_problems")
    op.drop_index("uq_entries_reward_id_receipt", table_name="entries")
    op.drop_index("ix_entries_reward_id_status_number", table_name="entries")
    op.drop_index("ix_entries_reward_id_profile_id", table_name="entries")
    op.drop_index("ix_entries_profile_id", table_name="entries")
    op.drop_table("entries")
    op.drop_table("draw_rounds")
    op.drop_table("draw_log_lines")
    op.drop_table("prizes")
    op.drop_index(op.f("ix_import_runs_reward_id"), table_name="import_runs")
    op.drop_table("import_runs")
    op.drop_table("draws")
    op.drop_index(op.f("ix_voucher_batches_voucher_type_id"), table_name="voucher_batches")
    op.drop_table("voucher_batches")
    op.drop_table("stored_chunks")
    op.drop_index("ix_rewards_site_id_status_id", table_name="rewards")
    op.drop_table("rewards")
    op.drop_index("ix_jobs_status_id", table_name="jobs")
    op.drop_table("jobs")
    op.drop_index(op.f("ix_voucher_types_site_id"), table_name="voucher_types")
    op.drop_table("voucher_types")
    op.drop_index(op.f("ix_stored_files_sha256"), table_name="stored_files")
    op.drop_table("stored_files")
    op.drop_index(op.f("ix_staff_sessions_staff_id"), table_name="staff_sessions")
    op.drop_table("staff_sessions")
    op.drop_index(op.f("ix_staff_invitations_staff_id"), table_name="staff_invitations")
    op.drop_table("staff_invitations")
    op.drop_index(op.f("ix_staff_grants_staff_id"), table_name="staff_grants")
    op.drop_table("staff_grants")
    op.drop_table("request_keys")
    op.drop_index("ix_audit_entries_subject_id", table_name="audit_entries")
    op.drop_index("ix_audit_entries_site_id_id", table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_table("staff_members")
    op.drop_table("sites")
    op.drop_index("ix_sign_in_attempts_email_at", table_name="sign_in_attempts")
    op.drop_index("ix_sign_in_attempts_at", table_name="sign_in_attempts")
    op.drop_index("ix_sign_in_attempts_address_at", table_name="sign_in_attempts")
    op.drop_table("sign_in_attempts")
    op.drop_index("ix_profiles_search_text", table_name="profiles")
    op.drop_index("ix_profiles_phone_key", table_name="profiles")
    op.drop_index("ix_profiles_name_key", table_name="profiles")
    op.drop_index(
        "ix_profiles_merged_into_id",
        table_name="profiles",
        sqlite_where=sa.text("merged_into_id is not null"),
        postgresql_where=sa.text("merged_into_id is not null"),
    )
    op.drop_table("profiles")
    op.drop_index("ix_outbox_messages_status_due_at", table_name="outbox_messages")
    op.drop_table("outbox_messages")
    op.drop_table("leases")
    op.drop_index("uq_import_mappings_kind_heading_hash", table_name="import_mappings")
    op.drop_table("import_mappings")
    op.drop_table("account_settings")
