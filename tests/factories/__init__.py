"""Build valid rows in one line; a test states only what it is about.

Every row is committed at once, because a service begins by dropping whatever was not. A noun's builders
are a mixin in a module of its own, listed in `Factories` below.
"""

from __future__ import annotations

from tests.factories.belonging import Belonging
from tests.factories.benefits import Benefits
from tests.factories.known import Known
from tests.factories.vouchers import Vouchers
from tests.factories.winners import Winners
from tests.factories.work import LongWork
from tests.support.clock import NOW

__all__ = ["NOW", "Factories"]


class Factories(Known, Winners, Belonging, Vouchers, Benefits, LongWork):
    """`make.site()`, `make.reward(title="…")`, `make.staff("editor")` …"""
