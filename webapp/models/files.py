"""Files kept in the database, in compressed pieces, so that every server and every backup has them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import BIG, NEVER_REUSED, Base, Id


class StoredFile(Base):
    """An upload or a result: name, media type, size in bytes and SHA-256 of the whole."""

    __tablename__ = "stored_files"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BIG)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))

    __table_args__ = (NEVER_REUSED,)


class StoredChunk(Base):
    """Piece ``number`` (from 0) of a stored file, zlib-compressed."""

    __tablename__ = "stored_chunks"

    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes]
