"""Benefits that people hold, the ledger of redemptions, what was refused, and the guards that keep them as written."""

import sqlalchemy as sa
from alembic import op

revision = "0005_benefits"
down_revision = "0004_benefit_definitions"

# These are written once: nothing of them is ever changed, and no row of them goes.
_KEPT = {
    "benefit_changes": "the history of a benefit",
    "redemptions": "the ledger of redemptions",
    "redemption_attempts": "what was refused",
}


def upgrade() -> None:
    op.create_table(
        "benefits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("definition_id", sa.Integer(), nullable=False),
        sa.Column("terms_number", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column(
            "source", sa.Enum("staff", "claim", name="benefitsource", native_enum=False, length=32), nullable=False
        ),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expiry_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_by", sa.String(length=120), nullable=False),
        sa.Column("void_reason", sa.String(length=300), nullable=False),
        sa.Column("max_redemptions", sa.Integer(), nullable=True),
        sa.Column("redeemed_count", sa.Integer(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("redeem_code_pos", sa.String(length=80), nullable=True),
        sa.Column("redeem_code_online", sa.String(length=80), nullable=True),
        sa.Column("code_key", sa.String(length=80), nullable=True),
        sa.Column("claim_key", sa.String(length=80), nullable=True),
        sa.Column("voucher_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(voided_at is null) = (void_reason = '')", name=op.f("ck_benefits_void_has_reason")),
        sa.CheckConstraint("expires_at >= issued_at", name=op.f("ck_benefits_expires_after_issue")),
        sa.CheckConstraint("length(zone) between 1 and 64", name=op.f("ck_benefits_zone_within")),
        sa.CheckConstraint("max_redemptions >= 1", name=op.f("ck_benefits_max_redemptions_positive")),
        sa.CheckConstraint("redeemed_count >= 0", name=op.f("ck_benefits_redeemed_not_negative")),
        sa.ForeignKeyConstraint(
            ["definition_id", "terms_number"],
            ["benefit_definition_versions.definition_id", "benefit_definition_versions.number"],
            name="fk_benefits_terms",
        ),
        sa.ForeignKeyConstraint(
            ["definition_id"], ["benefit_definitions.id"], name=op.f("fk_benefits_definition_id_benefit_definitions")
        ),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_benefits_profile_id_profiles")),
        sa.ForeignKeyConstraint(["voucher_id"], ["vouchers.id"], name=op.f("fk_benefits_voucher_id_vouchers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefits")),
        sa.UniqueConstraint("claim_key", name=op.f("uq_benefits_claim_key")),
        sa.UniqueConstraint("code_key", name=op.f("uq_benefits_code_key")),
        sa.UniqueConstraint("voucher_id", name=op.f("uq_benefits_voucher_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_benefits_definition_id_id", "benefits", ["definition_id", "id"], unique=False)
    op.create_index(
        "ix_benefits_not_told_expires_at",
        "benefits",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("expiry_told_at is null and voided_at is null and expires_at is not null"),
        postgresql_where=sa.text("expiry_told_at is null and voided_at is null and expires_at is not null"),
    )
    op.create_index("ix_benefits_profile_id_definition_id", "benefits", ["profile_id", "definition_id"], unique=False)
    op.create_table(
        "benefit_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("benefit_id", sa.Integer(), nullable=False),
        sa.Column(
            "move",
            sa.Enum(
                "issued",
                "claimed",
                "extended",
                "expiry set",
                "reassigned",
                "voided",
                "restored",
                "expired",
                name="benefitmove",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefits.id"], name=op.f("fk_benefit_changes_benefit_id_benefits")),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_benefit_changes_profile_id_profiles")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefit_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_benefit_changes_benefit_id"), "benefit_changes", ["benefit_id"], unique=False)
    op.create_index(op.f("ix_benefit_changes_profile_id"), "benefit_changes", ["profile_id"], unique=False)
    op.create_index(
        "uq_benefit_changes_expired",
        "benefit_changes",
        ["benefit_id", "at"],
        unique=True,
        sqlite_where=sa.text("move = 'expired'"),
        postgresql_where=sa.text("move = 'expired'"),
    )
    op.create_table(
        "redemption_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("benefit_id", sa.Integer(), nullable=True),
        sa.Column("location_id", sa.Integer(), nullable=True),
        sa.Column("typed", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("gates", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["benefit_id"], ["benefits.id"], name=op.f("fk_redemption_attempts_benefit_id_benefits")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_redemption_attempts_location_id_locations")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_members.id"], name=op.f("fk_redemption_attempts_staff_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemption_attempts")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_redemption_attempts_benefit_id"), "redemption_attempts", ["benefit_id"], unique=False)
    op.create_index("ix_redemption_attempts_staff_id_at", "redemption_attempts", ["staff_id", "at"], unique=False)
    op.create_table(
        "redemptions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("benefit_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("redeem", "return", "reversal", name="redemptionkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("location_id", sa.Integer(), nullable=True),
        sa.Column("receipt", sa.String(length=4), nullable=False),
        sa.Column("receipt_ref", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("original_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(kind = 'redeem') = (original_id is null)", name=op.f("ck_redemptions_comes_back_from")),
        sa.CheckConstraint("count between 1 and 1000", name=op.f("ck_redemptions_count_within")),
        sa.CheckConstraint("length(receipt) = 4", name=op.f("ck_redemptions_receipt_within")),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefits.id"], name=op.f("fk_redemptions_benefit_id_benefits")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_redemptions_location_id_locations")),
        sa.ForeignKeyConstraint(
            ["original_id"], ["redemptions.id"], name=op.f("fk_redemptions_original_id_redemptions")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_members.id"], name=op.f("fk_redemptions_staff_id_staff_members")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemptions")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_redemptions_benefit_id_id", "redemptions", ["benefit_id", "id"], unique=False)
    op.create_index(op.f("ix_redemptions_original_id"), "redemptions", ["original_id"], unique=False)
    op.create_index("ix_redemptions_receipt", "redemptions", ["receipt"], unique=False)
    op.create_index("ix_redemptions_staff_id_id", "redemptions", ["staff_id", "id"], unique=False)
    op.create_index(
        "uq_redemptions_reversal",
        "redemptions",
        ["original_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'reversal'"),
        postgresql_where=sa.text("kind = 'reversal'"),
    )
    for table, words in _KEPT.items():
        _guard(table, words)


def downgrade() -> None:
    for table in _KEPT:
        _unguard(table)
    op.drop_index(
        "uq_redemptions_reversal",
        table_name="redemptions",
        sqlite_where=sa.text("kind = 'reversal'"),
        postgresql_where=sa.text("kind = 'reversal'"),
    )
    op.drop_index("ix_redemptions_staff_id_id", table_name="redemptions")
    op.drop_index("ix_redemptions_receipt", table_name="redemptions")
    op.drop_index(op.f("ix_redemptions_original_id"), table_name="redemptions")
    op.drop_index("ix_redemptions_benefit_id_id", table_name="redemptions")
    op.drop_table("redemptions")
    op.drop_index("ix_redemption_attempts_staff_id_at", table_name="redemption_attempts")
    op.drop_index(op.f("ix_redemption_attempts_benefit_id"), table_name="redemption_attempts")
    op.drop_table("redemption_attempts")
    op.drop_index(
        "uq_benefit_changes_expired",
        table_name="benefit_changes",
        sqlite_where=sa.text("move = 'expired'"),
        postgresql_where=sa.text("move = 'expired'"),
    )
    op.drop_index(op.f("ix_benefit_changes_profile_id"), table_name="benefit_changes")
    op.drop_index(op.f("ix_benefit_changes_benefit_id"), table_name="benefit_changes")
    op.drop_table("benefit_changes")
    op.drop_index("ix_benefits_profile_id_definition_id", table_name="benefits")
    op.drop_index(
        "ix_benefits_not_told_expires_at",
        table_name="benefits",
        sqlite_where=sa.text("expiry_told_at is null and voided_at is null and expires_at is not null"),
        postgresql_where=sa.text("expiry_told_at is null and voided_at is null and expires_at is not null"),
    )
    op.drop_index("ix_benefits_definition_id_id", table_name="benefits")
    op.drop_table("benefits")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _guard(table: str, words: str) -> None:
    """Refuse to change or take away a row; PostgreSQL says it with the same class of error as SQLite (23001)."""
    for act, why in (("update", f"{words} never changes"), ("delete", f"{words} never goes")):
        name = f"guard_{table}_{act}"
        if _is_sqlite():
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW BEGIN SELECT RAISE(ABORT, '{why}'); END"
            )
        else:
            _create(name, table, act, why, "ROW")
    if not _is_sqlite():
        _create(f"guard_{table}_truncate", table, "truncate", "this table is never emptied", "STATEMENT")


def _create(name: str, table: str, act: str, why: str, each: str) -> None:
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger AS $$ BEGIN"
        f" RAISE EXCEPTION USING MESSAGE = '{why}', ERRCODE = 'restrict_violation'; END $$ LANGUAGE plpgsql"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()")


def _unguard(table: str) -> None:
    for act in ("update", "delete") if _is_sqlite() else ("update", "delete", "truncate"):
        name = f"guard_{table}_{act}"
        op.execute(f"DROP TRIGGER {name}" if _is_sqlite() else f"DROP TRIGGER {name} ON {table}")
        if not _is_sqlite():
            op.execute(f"DROP FUNCTION {name}()")
