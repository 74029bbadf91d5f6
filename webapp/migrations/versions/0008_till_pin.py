"""The PIN of a member of staff, when a session's till was last used, and the wrong answers to its lock."""

import sqlalchemy as sa
from alembic import op

revision = "0008_till_pin"
down_revision = "0007_uploaded_codes"


def upgrade() -> None:
    op.add_column("staff_members", sa.Column("pin_hash", sa.String(length=200), nullable=True))
    op.add_column("staff_sessions", sa.Column("till_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "staff_sessions", sa.Column("wrong_proof_count", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )


def downgrade() -> None:
    with op.batch_alter_table("staff_sessions", table_kwargs={"sqlite_autoincrement": True}) as table:
        for column in ("till_seen_at", "wrong_proof_count"):
            table.drop_column(column)
    with op.batch_alter_table("staff_members", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("pin_hash")
