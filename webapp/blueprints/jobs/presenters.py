"""The tabs of the list of jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from webapp.domain.jobs import JobStatus
from webapp.queries.jobs import MOST_COUNTED


def tabs(counts: Mapping[JobStatus, int], chosen: JobStatus | None) -> list[dict[str, Any]]:
    """«All», then one tab a state; numbers are of the newest 1,000 jobs."""
    whole = sum(counts.values())
    more = "+" if whole >= MOST_COUNTED else ""
    rest = [
        {
            "label": str(status).capitalize(),
            "url": url_for(".index", status=status),
            "current": status is chosen,
            "count": f"{number:,}",
        }
        for status, number in counts.items()
    ]
    return [{"label": "All", "url": url_for(".index"), "current": chosen is None, "count": f"{whole:,}{more}"}, *rest]
