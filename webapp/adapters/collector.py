"""Sets Python's search for cycles to what a process that lives long needs."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 50_000  # Python's 700 makes an import look through its rows a thousand times


def settle() -> None:
    """Look less often for cycles, and never again through what is there now: call it when everything is loaded.

    Without it every long request and job stops now and then for a look through all modules and tables.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 20, 20)


def sweep() -> None:
    """Drop the cycles of what has ended: call it now and then in the midst of long work.

    A statement of the database library is a cycle and keeps its parameters, a hundred thousand bytes and more where it
    asks for many; looked for so seldom, they pile up to tens of megabytes.
    """
    gc.collect()
