"""Triggers that refuse to rewrite history: sealed entries, draw logs, results and the audit log."""

from alembic import op

revision = "0002_guards"
down_revision = "0001_frame"

# table, acts, the condition on OLD under which the act is refused, why
_SEALED = "exists (select 1 from draws where draws.reward_id = {row}.reward_id and draws.sealed_at is not null)"
_TOLD = (
    "old.digest is not null or old.at <> new.at or old.actor <> new.actor or old.event <> new.event"
    " or old.subject <> new.subject or cast(old.facts as text) <> cast(new.facts as text)"
)
GUARDS = (
    ("entries", "update", _SEALED.format(row="old"), "entries of a sealed draw never change"),
    ("entries", "delete", _SEALED.format(row="old"), "entries of a sealed draw never go"),
    ("entries", "insert", _SEALED.format(row="new"), "a sealed draw takes no more entries"),
    ("draw_log_lines", "update", "1 = 1", "the log of a draw never changes"),
    ("draw_log_lines", "delete", "1 = 1", "the log of a draw never goes"),
    ("draw_rounds", "delete", "1 = 1", "the result of a draw never goes"),
    (
        "draw_rounds",
        "update",
        "old.result <> new.result or old.value <> new.value",
        "the result of a draw never changes",
    ),
    ("draws", "update", "old.seal is not null and old.seal <> new.seal", "a seal never changes"),
    ("draws", "delete", "old.sealed_at is not null", "a sealed draw never goes"),
    ("audit_entries", "delete", "1 = 1", "the audit log never goes"),
    ("audit_entries", "update", _TOLD, "the audit log never changes"),
)


def upgrade() -> None:
    for table, act, condition, why in GUARDS:
        _create(table, act, condition, why)


def downgrade() -> None:
    for table, act, _, _ in GUARDS:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER guard_{table}_{act}")
        else:
            op.execute(f"DROP TRIGGER guard_{table}_{act} ON {table}")
            op.execute(f"DROP FUNCTION guard_{table}_{act}()")


def _create(table: str, act: str, condition: str, why: str) -> None:
    name = f"guard_{table}_{act}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{why}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger AS $$ BEGIN IF {condition} THEN RAISE EXCEPTION '{why}'; END IF; "
        f"RETURN {'old' if act == 'delete' else 'new'}; END $$ LANGUAGE plpgsql"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
