"""Extensions of several remember the ends of the codes that last longer with their benefits."""

import sqlalchemy as sa
from alembic import op

revision = "0017_code_ends"
down_revision = "0016_claimants"


def upgrade() -> None:
    op.add_column("extended_benefits", sa.Column("code_over_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("extended_benefits") as table:
        table.drop_column("code_over_at")
