"""Why people should not be sent here, as far as a page can tell."""

from __future__ import annotations

import shutil
from datetime import datetime

from flask import current_app

from webapp.adapters import schema
from webapp.config import Settings
from webapp.domain.health import HealthFacts, unready


def warnings(facts: HealthFacts, now: datetime) -> tuple[str, ...]:
    """Every reason as a sentence: schema, scheduler, mail, disk."""
    settings: Settings = current_app.extensions["largesse"]
    free = shutil.disk_usage(settings.instance).free
    return unready(facts, now, head=schema.head(), free_bytes=free, sends_mail=bool(settings.smtp_url))
