"""Targets that are webhooks, which message goes to one, what was said when it was taken, and who was told by others."""

import sqlalchemy as sa
from alembic import op

revision = "0010_webhooks"
down_revision = "0009_notices"

_WHOLE = (
    "(kind = 'webhook') = (url <> '') and (kind = 'webhook') = (secret <> '') "
    "and (kind = 'webhook') = (secret_made_at is not null)"
)
_CHECK = "ck_targets_webhook_whole"
_INDEX = "ix_outbox_messages_webhook_id_created_at"
_REFERENCE = "fk_outbox_messages_webhook_id_targets"


def upgrade() -> None:
    kind = sa.Enum("email", "webhook", name="targetkind", native_enum=False, length=32)
    op.add_column("targets", sa.Column("kind", kind, server_default="email", nullable=False))
    op.add_column("targets", sa.Column("url", sa.String(length=500), server_default="", nullable=False))
    op.add_column("targets", sa.Column("secret", sa.String(length=200), server_default="", nullable=False))
    op.add_column("outbox_messages", sa.Column("answer", sa.String(length=300), server_default="", nullable=False))
    op.add_column("benefit_batch_people", sa.Column("told", sa.String(length=20), server_default="", nullable=False))
    # On SQLite a new column brings its constraints along, so that no table has to be copied.
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"alter table targets add column secret_made_at datetime constraint {_CHECK} check ({_WHOLE})")
        op.execute(
            f"alter table outbox_messages add column webhook_id integer constraint {_REFERENCE} references targets (id)"
        )
    else:
        op.add_column("targets", sa.Column("secret_made_at", sa.DateTime(timezone=True), nullable=True))
        op.create_check_constraint(op.f(_CHECK), "targets", _WHOLE)
        op.add_column("outbox_messages", sa.Column("webhook_id", sa.Integer(), nullable=True))
        op.create_foreign_key(_REFERENCE, "outbox_messages", "targets", ["webhook_id"], ["id"])
    op.create_index(_INDEX, "outbox_messages", ["webhook_id", "created_at"], unique=False)


def downgrade() -> None:
    """The program before knew e-mails only: it finds webhooks archived, and what waits for one left out."""
    op.execute(
        "update notices set status = 'planned' where status = 'sending' "
        "and target_id in (select id from targets where kind = 'webhook')"
    )
    op.execute(
        "update outbox_messages set status = 'skipped', lease_until = null, error = 'There are no webhooks any more.' "
        "where webhook_id is not null and status in ('queued', 'retry', 'claimed')"
    )
    op.execute("update targets set archived_at = updated_at where kind = 'webhook' and archived_at is null")
    with op.batch_alter_table("benefit_batch_people") as table:
        table.drop_column("told")
    op.drop_index(_INDEX, table_name="outbox_messages")
    with op.batch_alter_table("outbox_messages", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("webhook_id")
        table.drop_column("answer")
    with op.batch_alter_table("targets", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(table.f(_CHECK), type_="check")
        for column in ("kind", "url", "secret", "secret_made_at"):
            table.drop_column(column)
