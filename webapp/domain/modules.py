"""Modules of learning, and when a completion lapses."""

from __future__ import annotations

from enum import StrEnum


class LapseUnit(StrEnum):
    """In what the life of a completion is counted."""

    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"
