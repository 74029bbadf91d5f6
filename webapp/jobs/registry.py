"""Every kind of job there is, gathered from the modules of this package that have ``KINDS``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from webapp import jobs
from webapp.jobs.running import Handler


@cache
def kinds() -> Mapping[str, Handler]:
    """Kind → handler. Two modules that claim one kind are a fault of the program."""
    found: dict[str, Handler] = {}
    for module in pkgutil.iter_modules(jobs.__path__):
        own = getattr(importlib.import_module(f"webapp.jobs.{module.name}"), "KINDS", {})
        if twice := found.keys() & own.keys():
            raise RuntimeError(f"Two modules run jobs of the kind {sorted(twice)}.")
        found |= own
    return found
