"""Draws: what was committed, sealed and drawn, byte for byte, and the log that cannot be rewritten."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.domain.draws import DrawState
from webapp.models.base import BIG, NEVER_REUSED, Base, Id


class Draw(Base):
    """The draw of one reward (``draw/1``). ``secret`` never leaves the database; ``code_commit`` is public from opening.

    ``seal`` holds the bytes of ``seal.json``; ``entries_file_id`` the stored ``entries.csv``.
    """

    __tablename__ = "draws"

    id: Mapped[Id]
    reward_id: Mapped[int] = mapped_column(ForeignKey("rewards.id"), unique=True)
    reference: Mapped[str] = mapped_column(String(40), unique=True)  # «D-7KQ2M9XA», in every file and address
    state: Mapped[DrawState] = mapped_column(default=DrawState.OPEN)
    secret: Mapped[bytes]
    holder_key: Mapped[bytes]
    code_commit: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]  # when exclusions were last found
    sealed_at: Mapped[datetime | None]
    sealed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    not_before: Mapped[datetime | None]
    seal: Mapped[bytes | None]
    seal_sha256: Mapped[str | None] = mapped_column(String(64))
    entries_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"))
    entries_root: Mapped[str | None] = mapped_column(String(64))
    entry_count: Mapped[int] = mapped_column(default=0)
    eligible_count: Mapped[int] = mapped_column(default=0)
    person_count: Mapped[int] = mapped_column(default=0)  # different people among the eligible
    ticket_count: Mapped[int] = mapped_column(BIG, default=0)
    drawn_at: Mapped[datetime | None]
    drawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    log_count: Mapped[int] = mapped_column(default=0)
    log_head: Mapped[str] = mapped_column(String(64), default="0" * 64)

    __table_args__ = (
        CheckConstraint("state not in ('sealed', 'drawn') or seal is not null", name="sealed_has_seal"),
        CheckConstraint("drawn_at is null or drawn_at >= sealed_at", name="drawn_after_seal"),
        NEVER_REUSED,
    )


class DrawRound(Base):
    """One round: the declaration's hash, the code revealed, the public value, and the bytes of the result."""

    __tablename__ = "draw_rounds"

    id: Mapped[Id]
    draw_id: Mapped[int] = mapped_column(ForeignKey("draws.id"))
    round: Mapped[int]
    declaration_sha256: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(64))
    value: Mapped[str] = mapped_column(String(1024))
    witness_name: Mapped[str] = mapped_column(String(120))
    witness_capacity: Mapped[str] = mapped_column(String(200))
    held_fingerprint: Mapped[bool]
    seed: Mapped[str] = mapped_column(String(64))
    result: Mapped[bytes]
    result_sha256: Mapped[str] = mapped_column(String(64))
    drawn_at: Mapped[datetime]
    drawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    drawn_by: Mapped[str] = mapped_column(String(120))
    attempts: Mapped[int] = mapped_column(default=1)

    __table_args__ = (UniqueConstraint("draw_id", "round"), NEVER_REUSED)


class DrawLogLine(Base):
    """One line of ``log.jsonl`` as bytes without its newline; ``digest`` is its SHA-256, the next line's ``prev``."""

    __tablename__ = "draw_log_lines"

    draw_id: Mapped[int] = mapped_column(ForeignKey("draws.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line: Mapped[bytes]
    digest: Mapped[str] = mapped_column(String(64))
