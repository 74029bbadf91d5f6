"""What every test may ask of its database: which invariants are broken, and what stands there."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Base
from webapp.queries.invariants import INVARIANTS, broken

# What is written of every act and never taken back, and what work leaves behind.
_HISTORY = (
    "audit_", "benefit_changes", "benefit_definition_versions", "import_", "jobs", "leases", "outbox_messages", "stored_",
    "voucher_changes",
)  # fmt: skip
_STAMPS = ("version", "updated_at", "terms_number")
_MADE_ANEW = {"prizes": ("id",)}  # whenever the reward is saved


def faults(session: Session) -> dict[str, list[str]]:
    """Every invariant that does not hold, with the first rows that break it."""
    session.rollback()
    found = {item.name: broken(session, item) for item in INVARIANTS}
    return {name: rows for name, rows in found.items() if rows}


def picture(session: Session) -> dict[str, list[str]]:
    """Every row there is, less the record of what was done and the stamps of when."""
    session.rollback()
    found = {}
    for name, table in sorted(Base.metadata.tables.items()):
        if not name.startswith(_HISTORY):
            columns = [column for column in table.c if column.name not in (*_STAMPS, *_MADE_ANEW.get(name, ()))]
            found[name] = sorted(map(str, session.execute(select(*columns))))
    return {name: rows for name, rows in found.items() if rows}
