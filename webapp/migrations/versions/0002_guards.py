"""Triggers that refuse to rewrite history: sealed lists and terms, draw logs, results, change logs, the audit log."""

from alembic import op

revision = "0002_guards"
down_revision = "0001_frame"


def _rewritten(columns: str) -> str:
    """An update that puts another value, or none, into one of ``columns``."""
    found = ((f"cast({{row}}.{name} as text)" if name == "facts" else f"{{row}}.{name}") for name in columns.split())
    return " or ".join(f"{one.format(row='old')} {{differs}} {one.format(row='new')}" for one in found)


def _either(condition: str) -> str:
    """``condition`` holds for the row before the update or after it: nothing may be moved in either."""
    return f"{condition.format(row='old')} or {condition.format(row='new')}"


_SEALED = "exists (select 1 from draws where draws.reward_id = {row}.reward_id and draws.sealed_at is not null)"
_SEALED_FILE = "exists (select 1 from draws where draws.entries_file_id = {row}.file_id)"
_ALWAYS = "1 = 1"
_COMMITMENT = _rewritten("id reward_id reference secret holder_key code_commit opened_at")
_SEAL = _rewritten(
    "closed_at reviewed_at sealed_at sealed_by_id not_before seal seal_sha256 entries_file_id entries_root"
    " entry_count eligible_count person_count ticket_count"
)
_ROUND = _rewritten(
    "id draw_id round declaration_sha256 code value witness_name witness_capacity held_fingerprint seed result"
    " result_sha256 drawn_at drawn_by_id drawn_by"
)
_PLACE = _rewritten("id draw_id reward_id round rank entry_number ticket number holder profile_id")
_TOLD = _rewritten("id at actor staff_id address event subject site_id facts")
_DRAW = (
    f"{_COMMITMENT} or new.log_count < old.log_count"
    f" or (old.sealed_at is not null and ({_SEAL} or new.state not in ('sealed', 'drawn')))"
    f" or (old.drawn_at is not null and ({_rewritten('state drawn_at drawn_by_id')}))"
)

# table, act, the condition on the row before and after under which the act is refused, why
GUARDS = (
    ("entries", "update", _either(_SEALED), "entries of a sealed draw never change"),
    ("entries", "delete", _SEALED.format(row="old"), "entries of a sealed draw never go"),
    ("entries", "insert", _SEALED.format(row="new"), "a sealed draw never takes more entries"),
    ("prizes", "update", _either(_SEALED), "prizes of a sealed draw never change"),
    ("prizes", "delete", _SEALED.format(row="old"), "prizes of a sealed draw never go"),
    ("prizes", "insert", _SEALED.format(row="new"), "a sealed draw never gets more prizes"),
    ("stored_chunks", "update", _either(_SEALED_FILE), "a sealed list never changes"),
    ("stored_chunks", "delete", _SEALED_FILE.format(row="old"), "a sealed list never goes"),
    ("stored_chunks", "insert", _SEALED_FILE.format(row="new"), "a sealed list never grows"),
    ("draws", "update", _DRAW, "a commitment, a seal and the time of a draw never change"),
    ("draws", "delete", "old.sealed_at is not null", "a sealed draw never goes"),
    ("draw_log_lines", "update", _ALWAYS, "the log of a draw never changes"),
    ("draw_log_lines", "delete", _ALWAYS, "the log of a draw never goes"),
    ("draw_rounds", "update", f"{_ROUND} or new.attempts < old.attempts", "the result of a draw never changes"),
    ("draw_rounds", "delete", _ALWAYS, "the result of a draw never goes"),
    (
        "winners",
        "update",
        f"{_PLACE} or (old.slot is not null and ({_rewritten('slot prize_id passed_from_id')}))",
        "the place of a winner never changes",
    ),
    ("winners", "delete", _ALWAYS, "a winner never goes"),
    ("winner_events", "update", _ALWAYS, "the story of a winner never changes"),
    ("winner_events", "delete", _ALWAYS, "the story of a winner never goes"),
    ("voucher_changes", "update", _ALWAYS, "the change log of a voucher never changes"),
    ("voucher_changes", "delete", _ALWAYS, "the change log of a voucher never goes"),
    # The job that links the log sets all three of these at once, in the one update an entry ever sees.
    (
        "audit_entries",
        "update",
        f"old.position is not null or old.previous is not null or old.digest is not null or {_TOLD}"
        " or new.position is null or new.previous is null or new.digest is null",
        "the audit log never changes",
    ),
    ("audit_entries", "delete", _ALWAYS, "the audit log never goes"),
)
# Tables of which no row ever goes. PostgreSQL empties a table at one blow, past every trigger for rows.
KEPT = tuple(table for table, act, condition, _ in GUARDS if act == "delete" and condition == _ALWAYS)


def upgrade() -> None:
    create = _create_on_sqlite if _is_sqlite() else _create_on_postgresql
    for table, act, condition, why in GUARDS:
        create(table, act, condition, why)
    if not _is_sqlite():
        for table in KEPT:
            _create_on_postgresql(table, "truncate", _ALWAYS, "this table is never emptied", "STATEMENT")


def downgrade() -> None:
    emptied = () if _is_sqlite() else tuple((table, "truncate") for table in KEPT)
    for table, act in (*((table, act) for table, act, _, _ in GUARDS), *emptied):
        name = f"guard_{table}_{act}"
        if _is_sqlite():
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _create_on_sqlite(table: str, act: str, condition: str, why: str) -> None:
    op.execute(
        f"CREATE TRIGGER guard_{table}_{act} BEFORE {act} ON {table} FOR EACH ROW"
        f" WHEN {condition.format(differs='is not')} BEGIN SELECT RAISE(ABORT, '{why}'); END"
    )


def _create_on_postgresql(table: str, act: str, condition: str, why: str, each: str = "ROW") -> None:
    """The refusal is a breach of integrity there too (23001), so that both databases raise the same error."""
    name = f"guard_{table}_{act}"
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger AS $$ BEGIN"
        f" IF {condition.format(differs='is distinct from')} THEN"
        f" RAISE EXCEPTION USING MESSAGE = '{why}', ERRCODE = 'restrict_violation'; END IF;"
        f" RETURN {'old' if act == 'delete' else 'new'}; END $$ LANGUAGE plpgsql"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()")
