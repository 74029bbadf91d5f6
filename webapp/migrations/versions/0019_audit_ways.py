"""The audit log is walked along an index by what happened, by who did it and from where."""

from alembic import op

revision = "0019_audit_ways"
down_revision = "0018_batch_starters"

_WAYS = ("event", "staff_id", "address")


def upgrade() -> None:
    for column in _WAYS:
        op.create_index(f"ix_audit_entries_{column}_id", "audit_entries", [column, "id"])


def downgrade() -> None:
    for column in reversed(_WAYS):
        op.drop_index(f"ix_audit_entries_{column}_id", table_name="audit_entries")
