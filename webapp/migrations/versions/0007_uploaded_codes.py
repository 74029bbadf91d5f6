"""Codes that others made: since when they are good, for whom they are kept, what they are worth, and their upload."""

import sqlalchemy as sa
from alembic import op

revision = "0007_uploaded_codes"
down_revision = "0006_benefit_batches"

_RESERVED = "fk_vouchers_reserved_for_id_profiles"
_FILE = "fk_voucher_batches_file_id_stored_files"
_IDLE = "status = 'idle' and {} is not null"
_INDEXES = (
    ("ix_vouchers_idle_expires_at", ["voucher_type_id", "expires_at", "id"], _IDLE.format("expires_at")),
    ("ix_vouchers_idle_valid_from", ["voucher_type_id", "valid_from"], _IDLE.format("valid_from")),
    ("ix_vouchers_own_value", ["voucher_type_id", "status", "value_minor"], "value_minor is not null"),
    ("ix_vouchers_reserved_for_id", ["reserved_for_id"], "reserved_for_id is not null"),
)


def upgrade() -> None:
    op.add_column("vouchers", sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("vouchers", sa.Column("value_minor", sa.BigInteger(), nullable=True))
    op.add_column("voucher_batches", sa.Column("upload", sa.JSON(), nullable=True))
    _add_reference("vouchers", "reserved_for_id", "profiles", _RESERVED)
    _add_reference("voucher_batches", "file_id", "stored_files", _FILE)
    for name, columns, where in _INDEXES:
        op.create_index(
            name, "vouchers", columns, unique=False, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )


def downgrade() -> None:
    for name, _columns, where in _INDEXES:
        op.drop_index(name, table_name="vouchers", sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    with op.batch_alter_table("vouchers", table_kwargs={"sqlite_autoincrement": True}) as table:
        for column in ("valid_from", "value_minor", "reserved_for_id"):
            table.drop_column(column)
    with op.batch_alter_table("voucher_batches", table_kwargs={"sqlite_autoincrement": True}) as table:
        for column in ("upload", "file_id"):
            table.drop_column(column)


def _add_reference(table: str, column: str, other: str, name: str) -> None:
    if op.get_bind().dialect.name == "sqlite":  # a new column needs no copy of the whole table
        op.execute(f"alter table {table} add column {column} integer constraint {name} references {other} (id)")
    else:
        op.add_column(table, sa.Column(column, sa.Integer(), nullable=True))
        op.create_foreign_key(name, table, other, [column], ["id"])
