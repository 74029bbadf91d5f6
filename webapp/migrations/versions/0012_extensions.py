"""Benefits that were extended together, with the ends they had, so that it can be taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0012_extensions"
down_revision = "0011_benefit_order"


def upgrade() -> None:
    op.create_table(
        "benefit_extensions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("passed_over", sa.JSON(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["staff_members.id"], name=op.f("fk_benefit_extensions_by_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefit_extensions")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "extended_benefits",
        sa.Column("extension_id", sa.Integer(), nullable=False),
        sa.Column("benefit_id", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redeemed_count", sa.Integer(), nullable=False),
        sa.Column("stays", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["benefit_id"], ["benefits.id"], name=op.f("fk_extended_benefits_benefit_id_benefits")),
        sa.ForeignKeyConstraint(
            ["extension_id"],
            ["benefit_extensions.id"],
            name=op.f("fk_extended_benefits_extension_id_benefit_extensions"),
        ),
        sa.PrimaryKeyConstraint("extension_id", "benefit_id", name=op.f("pk_extended_benefits")),
    )
    op.create_index("ix_extended_benefits_benefit_id", "extended_benefits", ["benefit_id"], unique=False)


def downgrade() -> None:
    """The program before has no word for an extension taken back: its histories call it another end that was set."""
    bind, guard = op.get_bind(), "guard_benefit_changes_update"
    translate = "update benefit_changes set move = 'expiry set' where move = 'extension undone'"
    if bind.dialect.name == "sqlite":
        made = bind.scalar(sa.text("select sql from sqlite_master where name = :guard"), {"guard": guard})
        op.execute(f"drop trigger {guard}")
        op.execute(translate)
        op.execute(made)
    else:
        op.execute(f"alter table benefit_changes disable trigger {guard}")
        op.execute(translate)
        op.execute(f"alter table benefit_changes enable trigger {guard}")
    op.drop_table("extended_benefits")
    op.drop_table("benefit_extensions")
