"""The errors a person can be told about; anything else is a bug and becomes a 500."""


class DomainError(Exception):
    """A refusal with a stable code, a sentence for people, and the field it belongs to."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


class Refused(DomainError):
    """A rule of the programme says no."""


class Conflict(DomainError):
    """Somebody or something already has this value, or changed the record first."""


class NotFound(DomainError):
    """There is no such record, or this person may not know of it."""


class Busy(DomainError):
    """The database could not take the change in time; the same request may work in a moment."""
