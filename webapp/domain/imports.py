"""What an upload can be, and when it may be applied."""

from __future__ import annotations

from enum import StrEnum


class ImportStatus(StrEnum):
    """uploaded → checking → checked → applying → done; refused when the file as a whole cannot be read."""

    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    APPLYING = "applying"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class ImportContract(StrEnum):
    """What happens to the good rows when there are bad ones."""

    ALL_OR_NOTHING = "all-or-nothing"
    GOOD_ROWS = "good-rows"
