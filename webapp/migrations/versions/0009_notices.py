"""Targets, the notices of benefits that are sent with them, and which target a definition names for which notice."""

import sqlalchemy as sa
from alembic import op

revision = "0009_notices"
down_revision = "0008_till_pin"

_KINDS = ("issue", "remind", "extend")


def upgrade() -> None:
    op.create_table(
        "targets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("condition", sa.JSON(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(body) >= 1", name=op.f("ck_targets_body_given")),
        sa.CheckConstraint("length(name) between 1 and 60", name=op.f("ck_targets_name_within")),
        sa.CheckConstraint("length(subject) between 1 and 200", name=op.f("ck_targets_subject_within")),
        sa.CheckConstraint("length(title) between 1 and 120", name=op.f("ck_targets_title_within")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_targets_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_targets")),
        sa.UniqueConstraint("name", name=op.f("uq_targets_name")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_targets_site_id_id", "targets", ["site_id", "id"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("benefit_id", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Enum(*_KINDS, name="noticekind", native_enum=False, length=32), nullable=False),
        sa.Column("anchor_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "planned",
                "sending",
                "sent",
                "skipped",
                "failed",
                name="noticestatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_notices_attempts_not_negative")),
        sa.CheckConstraint("status <> 'sent' or sent_at is not null", name=op.f("ck_notices_sent_at_known")),
        sa.CheckConstraint("status not in ('skipped', 'failed') or reason <> ''", name=op.f("ck_notices_has_reason")),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefits.id"], name=op.f("fk_notices_benefit_id_benefits")),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_notices_profile_id_profiles")),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name=op.f("fk_notices_target_id_targets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_notices_one", "notices", ["benefit_id", "kind", "anchor_at", "profile_id"], unique=True)
    op.create_index("ix_notices_status_due_at", "notices", ["status", "due_at"], unique=False)
    op.create_index("ix_notices_target_id_status", "notices", ["target_id", "status"], unique=False)
    op.create_index(op.f("ix_notices_profile_id"), "notices", ["profile_id"], unique=False)
    for kind in _KINDS:
        _add_reference(f"{kind}_target_id")


def downgrade() -> None:
    with op.batch_alter_table("benefit_definitions", table_kwargs={"sqlite_autoincrement": True}) as table:
        for kind in _KINDS:
            table.drop_column(f"{kind}_target_id")
    op.drop_table("notices")
    op.drop_table("targets")


def _add_reference(column: str) -> None:
    table, name = "benefit_definitions", f"fk_benefit_definitions_{column}_targets"
    if op.get_bind().dialect.name == "sqlite":  # a new column needs no copy of the whole table
        op.execute(f"alter table {table} add column {column} integer constraint {name} references targets (id)")
    else:
        op.add_column(table, sa.Column(column, sa.Integer(), nullable=True))
        op.create_foreign_key(name, table, "targets", [column], ["id"])
