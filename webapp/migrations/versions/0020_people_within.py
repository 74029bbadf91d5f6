"""People are found within organisations: an index tells whose a key is, and where somebody belongs."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0020_people_within"
down_revision = "0019_audit_ways"

_UNIQUE = ("external_id", "email_key")
_KEYS = {
    "profiles": ("id", ("search_text", "name_key", "phone_key", "merged_into_id")),
    "profile_terms": ("profile_id", ("term",)),
    "profile_identities": ("profile_id", ("identifier",)),
}


def upgrade() -> None:
    op.create_index("ix_memberships_profile_id_organisation_id", "memberships", ["profile_id", "organisation_id"])
    op.drop_index("ix_memberships_profile_id", table_name="memberships")
    _rebuild(with_owner=True)


def downgrade() -> None:
    _rebuild(with_owner=False)
    op.create_index("ix_memberships_profile_id", "memberships", ["profile_id"])
    op.drop_index("ix_memberships_profile_id_organisation_id", table_name="memberships")


def _rebuild(*, with_owner: bool) -> None:
    """An index of SQLite tells whose its keys are ever since: there is nothing to do."""
    if op.get_context().dialect.name == "sqlite":
        return
    for key in _UNIQUE:
        told = " include (id)" if with_owner else ""
        op.drop_constraint(f"uq_profiles_{key}", "profiles", type_="unique")
        op.execute(f"alter table profiles add constraint uq_profiles_{key} unique ({key}){told}")
    for table, owner, key in _indexes():
        where = sa.text(f"{key} is not null") if key == "merged_into_id" else None
        op.drop_index(f"ix_{table}_{key}", table_name=table)
        op.create_index(
            f"ix_{table}_{key}",
            table,
            [key],
            postgresql_include=[owner] if with_owner else None,
            postgresql_where=where,
        )


def _indexes() -> Iterator[tuple[str, str, str]]:
    for table, (owner, keys) in _KEYS.items():
        for key in keys:
            yield table, owner, key
