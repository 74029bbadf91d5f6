"""Who claimed a benefit stays with it wherever it goes, and so does the key under which the claim stood."""

import sqlalchemy as sa
from alembic import op

revision = "0016_claimants"
down_revision = "0013_long_lists"

_KEY = "fk_benefits_claimed_by_id_profiles"
_INDEX, _CLAIMED = "ix_benefits_claimed_by_id_definition_id", sa.text("claimed_by_id is not null")
# Whoever had a claimed benefit first claimed it; a person who was merged since is the one they turned out to be.
_FIRST = (
    "update benefits set claimed_by_id = coalesce((select profile_id from benefit_changes where "
    "benefit_changes.benefit_id = benefits.id and move = 'reassigned' order by benefit_changes.id limit 1), profile_id) "
    "where source = 'claim'"
)
_MERGED = (
    "update benefits set claimed_by_id = (select merged_into_id from profiles where profiles.id = claimed_by_id) "
    "where claimed_by_id in (select id from profiles where merged_into_id is not null)"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":  # a new column needs no copy of the whole table
        op.execute(f"alter table benefits add column claimed_by_id integer constraint {_KEY} references profiles (id)")
    else:
        op.add_column("benefits", sa.Column("claimed_by_id", sa.Integer(), nullable=True))
        op.create_foreign_key(_KEY, "benefits", "profiles", ["claimed_by_id"], ["id"])
    op.add_column("benefits", sa.Column("freed_claim_key", sa.String(length=80), nullable=True))
    op.execute(_FIRST)
    op.execute(_MERGED)
    op.create_index(
        _INDEX,
        "benefits",
        ["claimed_by_id", "definition_id"],
        unique=False,
        sqlite_where=_CLAIMED,
        postgresql_where=_CLAIMED,
    )


def downgrade() -> None:
    op.drop_index(_INDEX, table_name="benefits", sqlite_where=_CLAIMED, postgresql_where=_CLAIMED)
    with op.batch_alter_table("benefits", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("freed_claim_key")
        table.drop_column("claimed_by_id")
