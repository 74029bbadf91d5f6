"""Takes people back that an import brought and that nobody has used since."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update

from webapp.models import Profile
from webapp.services.profiles import indexing, moving
from webapp.services.work import Work


def take_back(work: Work, run_id: int, until: datetime, size: int) -> tuple[int, list[str]]:
    """Look at up to ``size`` people whom the import ``run_id`` brought; how many went, and a sentence for each who stays.

    Who entered, won, holds or belongs to something stays, and who was changed after ``until``. Sentences name nobody.
    """
    ids = list(
        work.session.scalars(
            select(Profile.id).where(Profile.import_run_id == run_id).order_by(Profile.id.desc()).limit(size)
        )
    )
    free = work.session.execute(
        select(Profile.id, Profile.first_name, Profile.last_name).where(
            Profile.id.in_(ids), ~moving.is_used(), Profile.updated_at <= until, Profile.erased_at.is_(None)
        )
    ).all()
    gone = {row.id for row in free}
    indexing.drop(work, gone)
    quietly = {"synchronize_session": False}
    work.session.execute(delete(Profile).where(Profile.id.in_(gone)), execution_options=quietly)
    indexing.forget(work, {name for row in free for name in (row.first_name, row.last_name) if name})
    stay = [number for number in ids if number not in gone]
    work.session.execute(
        update(Profile).where(Profile.id.in_(stay)).values(import_run_id=None), execution_options=quietly
    )
    return len(gone), [f"Person {number} has been used or changed since." for number in stay]
