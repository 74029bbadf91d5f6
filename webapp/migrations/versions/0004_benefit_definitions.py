"""Benefit definitions with every version of their terms; one index of entries by person instead of two."""

import sqlalchemy as sa
from alembic import op

revision = "0004_benefit_definitions"
down_revision = "0003_people"


def upgrade() -> None:
    op.create_table(
        "benefit_definitions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("handle", sa.String(length=80), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "discount",
                "value",
                "competition",
                "event",
                "gift",
                "voucher",
                "bonus",
                "other",
                name="benefittype",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("campaign", sa.String(length=80), nullable=True),
        sa.Column("external_id", sa.String(length=64), nullable=True),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("meta", sa.JSON(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("internal_notes", sa.Text(), nullable=False),
        sa.Column("short_description", sa.Text(), nullable=False),
        sa.Column("long_description", sa.Text(), nullable=False),
        sa.Column("terms_conditions", sa.Text(), nullable=False),
        sa.Column("earn_instructions", sa.Text(), nullable=False),
        sa.Column("redeem_instructions_store", sa.Text(), nullable=False),
        sa.Column("redeem_instructions_online", sa.Text(), nullable=False),
        sa.Column("icon", sa.String(length=500), nullable=True),
        sa.Column("image_url", sa.String(length=500), nullable=True),
        sa.Column("period", sa.Integer(), nullable=True),
        sa.Column(
            "period_type",
            sa.Enum(
                "days",
                "weeks",
                "months",
                "years",
                "absolute_date",
                "absolute_week",
                "absolute_month",
                name="periodtype",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("absolute_expiry", sa.Date(), nullable=True),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("redeem_code_pos", sa.String(length=80), nullable=True),
        sa.Column("redeem_code_online", sa.String(length=80), nullable=True),
        sa.Column("voucher_type_id", sa.Integer(), nullable=True),
        sa.Column("force_allocation", sa.Boolean(), nullable=False),
        sa.Column("max_redemptions", sa.Integer(), nullable=True),
        sa.Column("max_global_redemptions", sa.Integer(), nullable=True),
        sa.Column("max_per_profile", sa.Integer(), nullable=True),
        sa.Column("is_extendable", sa.Boolean(), nullable=False),
        sa.Column("is_assignable", sa.Boolean(), nullable=False),
        sa.Column("is_reassignable", sa.Boolean(), nullable=False),
        sa.Column("allow_user_redeem", sa.Boolean(), nullable=False),
        sa.Column("is_claimable", sa.Boolean(), nullable=False),
        sa.Column("is_reclaimable", sa.Boolean(), nullable=False),
        sa.Column(
            "reclaim_every",
            sa.Enum("none", "day", "week", "month", "year", name="reclaimevery", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("reclaim_requires_used", sa.Boolean(), nullable=False),
        sa.Column("claim_period_start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim_period_end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim_condition", sa.JSON(), nullable=False),
        sa.Column("view_condition", sa.JSON(), nullable=False),
        sa.Column("notify_issue_offset_days", sa.Integer(), nullable=True),
        sa.Column("notify_issue_offset_hour", sa.Integer(), nullable=True),
        sa.Column("notify_remind_offset_days", sa.Integer(), nullable=True),
        sa.Column("notify_remind_offset_hour", sa.Integer(), nullable=True),
        sa.Column("notify_extend_offset_days", sa.Integer(), nullable=True),
        sa.Column("notify_extend_offset_hour", sa.Integer(), nullable=True),
        sa.Column("notify_schedule_offset", sa.Integer(), nullable=False),
        sa.Column("is_published", sa.Boolean(), nullable=False),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.Column("stops_redemptions", sa.Boolean(), nullable=False),
        sa.Column("total_global_created", sa.Integer(), nullable=False),
        sa.Column("total_global_claimed", sa.Integer(), nullable=False),
        sa.Column("total_global_voided", sa.Integer(), nullable=False),
        sa.Column("total_global_redemptions", sa.Integer(), nullable=False),
        sa.Column("terms_number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "period_type <> 'absolute_date' or absolute_expiry is not null",
            name=op.f("ck_benefit_definitions_absolute_has_date"),
        ),
        sa.CheckConstraint(
            "claim_period_start_at is null or claim_period_end_at is null or claim_period_end_at >= claim_period_start_at",
            name=op.f("ck_benefit_definitions_window_in_order"),
        ),
        sa.CheckConstraint(
            "length(handle) between 1 and 80 and handle = lower(handle)",
            name=op.f("ck_benefit_definitions_handle_within"),
        ),
        sa.CheckConstraint("length(name) between 1 and 200", name=op.f("ck_benefit_definitions_name_within")),
        sa.CheckConstraint(
            "max_redemptions >= 1 and max_global_redemptions >= 0 and max_per_profile >= 1",
            name=op.f("ck_benefit_definitions_limits_within"),
        ),
        sa.CheckConstraint(
            "not force_allocation or voucher_type_id is not null", name=op.f("ck_benefit_definitions_forced_has_pool")
        ),
        sa.CheckConstraint(
            "notify_issue_offset_hour between 0 and 23 and notify_remind_offset_hour between 0 and 23 and notify_extend_offset_hour between 0 and 23",
            name=op.f("ck_benefit_definitions_hours_within"),
        ),
        sa.CheckConstraint("period between 0 and 36500", name=op.f("ck_benefit_definitions_period_within")),
        sa.CheckConstraint(
            "total_global_created >= 0 and total_global_claimed >= 0 and total_global_voided >= 0 and total_global_redemptions >= 0",
            name=op.f("ck_benefit_definitions_totals_not_negative"),
        ),
        sa.CheckConstraint("value_minor >= 0", name=op.f("ck_benefit_definitions_value_not_negative")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff_members.id"], name=op.f("fk_benefit_definitions_created_by_id_staff_members")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_benefit_definitions_site_id_sites")),
        sa.ForeignKeyConstraint(
            ["voucher_type_id"], ["voucher_types.id"], name=op.f("fk_benefit_definitions_voucher_type_id_voucher_types")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefit_definitions")),
        sa.UniqueConstraint("external_id", name=op.f("uq_benefit_definitions_external_id")),
        sa.UniqueConstraint("handle", name=op.f("uq_benefit_definitions_handle")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_benefit_definitions_campaign"), "benefit_definitions", ["campaign"], unique=False)
    op.create_index("ix_benefit_definitions_site_id_id", "benefit_definitions", ["site_id", "id"], unique=False)
    op.create_index(
        op.f("ix_benefit_definitions_voucher_type_id"), "benefit_definitions", ["voucher_type_id"], unique=False
    )
    op.create_table(
        "benefit_definition_versions",
        sa.Column("definition_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_benefit_definition_versions_number_positive")),
        sa.ForeignKeyConstraint(
            ["definition_id"], ["benefit_definitions.id"], name="fk_benefit_definition_versions_definition_id"
        ),
        sa.PrimaryKeyConstraint("definition_id", "number", name=op.f("pk_benefit_definition_versions")),
    )
    op.drop_index(op.f("ix_entries_profile_id"), table_name="entries")
    op.drop_index(op.f("ix_entries_reward_id_profile_id"), table_name="entries")
    op.create_index("ix_entries_profile_id_reward_id", "entries", ["profile_id", "reward_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_entries_profile_id_reward_id", table_name="entries")
    op.create_index(op.f("ix_entries_reward_id_profile_id"), "entries", ["reward_id", "profile_id"], unique=False)
    op.create_index(op.f("ix_entries_profile_id"), "entries", ["profile_id"], unique=False)
    op.drop_table("benefit_definition_versions")
    op.drop_index(op.f("ix_benefit_definitions_voucher_type_id"), table_name="benefit_definitions")
    op.drop_index("ix_benefit_definitions_site_id_id", table_name="benefit_definitions")
    op.drop_index(op.f("ix_benefit_definitions_campaign"), table_name="benefit_definitions")
    op.drop_table("benefit_definitions")
