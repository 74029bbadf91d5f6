"""Long lists walk along indexes: staff by name, and types of vouchers by title."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0013_long_lists"
down_revision = "0012_extensions"

_STAFF = sa.table(
    "staff_members", sa.column("id", sa.Integer), sa.column("name", sa.String), sa.column("name_key", sa.String)
)


def upgrade() -> None:
    op.add_column("staff_members", sa.Column("name_key", sa.String(length=240), server_default="", nullable=False))
    connection = op.get_bind()
    rows = connection.execute(sa.select(_STAFF.c.id, _STAFF.c.name)).all()
    if rows:
        connection.execute(
            sa.update(_STAFF).where(_STAFF.c.id == sa.bindparam("own_id")).values(name_key=sa.bindparam("new_key")),
            [{"own_id": own_id, "new_key": _folded(name)} for own_id, name in rows],
        )
    op.create_index("ix_staff_members_name_key_id", "staff_members", ["name_key", "id"])
    op.create_index("ix_staff_members_is_active_name_key_id", "staff_members", ["is_active", "name_key", "id"])
    op.create_index("ix_voucher_types_title_id", "voucher_types", ["title", "id"])


def _folded(name: str) -> str:
    apart = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(sign for sign in apart if not unicodedata.combining(sign)).split())[:240]


def downgrade() -> None:
    op.drop_index("ix_voucher_types_title_id", table_name="voucher_types")
    op.drop_index("ix_staff_members_is_active_name_key_id", table_name="staff_members")
    op.drop_index("ix_staff_members_name_key_id", table_name="staff_members")
    with op.batch_alter_table("staff_members", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("name_key")
