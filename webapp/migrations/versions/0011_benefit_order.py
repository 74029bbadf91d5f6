"""The list of benefits in the order of its dates."""

from alembic import op

revision = "0011_benefit_order"
down_revision = "0010_webhooks"

_COLUMNS = ("issued_at", "expires_at")


def upgrade() -> None:
    for column in _COLUMNS:
        op.create_index(f"ix_benefits_{column}_id", "benefits", [column, "id"], unique=False)


def downgrade() -> None:
    for column in _COLUMNS:
        op.drop_index(f"ix_benefits_{column}_id", table_name="benefits")
