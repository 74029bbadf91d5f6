"""The two Flask extensions, created here and bound in ``webapp.app``."""

from __future__ import annotations

from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import event

from webapp.adapters.engines import only_reads
from webapp.models import Base

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})  # tables are plain SQLAlchemy
event.listen(db.session, "after_begin", only_reads)
csrf = CSRFProtect()
