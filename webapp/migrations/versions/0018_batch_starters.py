"""Batches of benefits: who let one issue, when its people were looked up, which wait for somebody, and «everybody»."""

import sqlalchemy as sa
from alembic import op

revision = "0018_batch_starters"
down_revision = "0017_code_ends"

_KEY = "fk_benefit_batches_started_by_id_staff_members"
_STANDS = sa.text("status in ('checked', 'stopped')")
# The audit log knows who started a batch last.
_STARTED = sa.text(
    "update benefit_batches set started_by_id = (select staff_id from audit_entries where event = 'benefit-batch.started' "
    "and subject = 'benefit_batches:' || benefit_batches.id order by audit_entries.id desc limit 1)"
)
# An empty condition held for everybody, which is an audience of its own now.
_EVERYBODY = sa.text(
    "update benefit_batches set audience = 'everybody' "
    "where audience = 'condition' and cast(condition as text) in ('{}', 'null')"
)
_BY_CONDITION = sa.text(
    "update benefit_batches set audience = 'condition', condition = '{}' where audience = 'everybody'"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":  # a new column needs no copy of the whole table
        op.execute(
            f"alter table benefit_batches add column started_by_id integer constraint {_KEY} references staff_members (id)"
        )
    else:
        op.add_column("benefit_batches", sa.Column("started_by_id", sa.Integer(), nullable=True))
        op.create_foreign_key(_KEY, "benefit_batches", "staff_members", ["started_by_id"], ["id"])
    op.add_column("benefit_batches", sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_benefit_batches_stands", "benefit_batches", ["id"], sqlite_where=_STANDS, postgresql_where=_STANDS
    )
    op.execute(_STARTED)
    op.execute(_EVERYBODY)


def downgrade() -> None:
    op.execute(_BY_CONDITION)
    op.drop_index(
        "ix_benefit_batches_stands", table_name="benefit_batches", sqlite_where=_STANDS, postgresql_where=_STANDS
    )
    with op.batch_alter_table("benefit_batches", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("evaluated_at")
        table.drop_column("started_by_id")
