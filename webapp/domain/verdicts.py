"""Yes/no answers that carry their reasons, shared by services and screens."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.domain.errors import Refused


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not: a stable code, a sentence for people, and the field it belongs to."""

    code: str
    message: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """All the reasons against an act; none means yes."""

    reasons: tuple[Reason, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.reasons

    def require(self) -> None:
        """Raise the first reason, if there is one, as ``Refused``."""
        for reason in self.reasons:
            raise Refused(reason.code, reason.message, reason.field)


def all_of(*checks: Reason | None) -> Verdict:
    """The verdict of several checks; each is None (passes) or the reason it does not."""
    return Verdict(tuple(check for check in checks if check is not None))
