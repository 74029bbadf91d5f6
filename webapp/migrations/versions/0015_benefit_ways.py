"""The list of benefits finds the few that a filter leaves along an index, whatever it is ordered by."""

import sqlalchemy as sa
from alembic import op

revision = "0015_benefit_ways"
down_revision = "0014_site_people"

_COLUMNS = (
    ("definition_id", "expires_at", "id"),
    ("definition_id", "issued_at", "id"),
    ("source", "id"),
    ("claimed_at", "id"),
    ("extended_at", "id"),
)
_PARTS = {
    "void": "voided_at is not null",
    "used_up": "voided_at is null and redeemed_count >= max_redemptions",
    "in_use": "voided_at is null and redeemed_count > 0 and (max_redemptions is null or redeemed_count < max_redemptions)",
    "unused": "voided_at is null and redeemed_count = 0",
}


def upgrade() -> None:
    for columns in _COLUMNS:
        op.create_index(f"ix_benefits_{'_'.join(columns)}", "benefits", list(columns))
    for name, words in _PARTS.items():
        where = sa.text(words)
        op.create_index(
            f"ix_benefits_{name}",
            "benefits",
            ["expires_at", "issued_at", "id"],
            sqlite_where=where,
            postgresql_where=where,
        )


def downgrade() -> None:
    for name in _PARTS:
        op.drop_index(f"ix_benefits_{name}", table_name="benefits")
    for columns in _COLUMNS:
        op.drop_index(f"ix_benefits_{'_'.join(columns)}", table_name="benefits")
