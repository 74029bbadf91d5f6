"""Who claimed a benefit stays with it, with the key of the claim; and histories keep the end that was moved."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0016_claimants"
down_revision = "0015_benefit_ways"

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
# «From 30 March 2026 23:59 (Australia/Melbourne) to …»: a day ends with its last second.
_ENDED = re.compile(r"From (\d{1,2} [A-Z][a-z]+ \d{4} \d\d:\d\d) \(([A-Za-z0-9/_+-]+)\) (?:back )?to ")
_GUARD = "guard_benefit_changes_update"
_CHANGES = sa.table(
    "benefit_changes",
    sa.column("id", sa.Integer),
    sa.column("move", sa.String),
    sa.column("note", sa.String),
    sa.column("ended_at", sa.DateTime(timezone=True)),
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
    op.add_column("benefit_changes", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    _read_ends()


def _read_ends() -> None:
    """Take from the lines there are, which said it in words, when a benefit ended until its end was moved."""
    bind, line = op.get_bind(), _CHANGES.c
    wanted = sa.select(line.id, line.note).where(line.move.in_(["extended", "extension undone", "expiry set"]))
    ends = [{"own_id": row.id, "end": _end(row.note)} for row in bind.execute(wanted).all() if _ENDED.match(row.note)]
    if not ends:
        return
    update = sa.update(_CHANGES).where(line.id == sa.bindparam("own_id")).values(ended_at=sa.bindparam("end"))
    if bind.dialect.name == "sqlite":
        made = bind.scalar(sa.text("select sql from sqlite_master where name = :guard"), {"guard": _GUARD})
        op.execute(f"drop trigger {_GUARD}")
        bind.execute(update, ends)
        op.execute(made)
    else:
        op.execute(f"alter table benefit_changes disable trigger {_GUARD}")
        bind.execute(update, ends)
        op.execute(f"alter table benefit_changes enable trigger {_GUARD}")


def _end(note: str) -> datetime:
    found = _ENDED.match(note)
    if found is None:
        raise AssertionError("only notes that match are read")
    moment = datetime.strptime(found[1], "%d %B %Y %H:%M").replace(tzinfo=ZoneInfo(found[2]))
    return moment.replace(second=59 if moment.minute == 59 else 0).astimezone(UTC)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("alter table benefit_changes drop column ended_at")
    else:
        op.drop_column("benefit_changes", "ended_at")
    op.drop_index(_INDEX, table_name="benefits", sqlite_where=_CLAIMED, postgresql_where=_CLAIMED)
    with op.batch_alter_table("benefits", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("freed_claim_key")
        table.drop_column("claimed_by_id")
