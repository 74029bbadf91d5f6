"""The lines a check prints: `ok`, `FAIL` or `look`, and an indented reason under a failure (draws.md 3.7)."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

DAMAGE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)
"""What reading damaged or hostile evidence can raise."""


@dataclass(slots=True)
class Report:
    """Lines to print, in order; indented lines say why the line above failed."""

    lines: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing failed; the `look` lines remain for a person."""
        return not self.failures

    @property
    def failures(self) -> list[str]:
        """The lines that say FAIL."""
        return [line for line in self.lines if line.startswith("FAIL")]

    def check(self, what: str, test: Callable[[], object]) -> None:
        """Run one check: it fails when it answers False or meets damage."""
        try:
            passed, why = test() is not False, ""
        except DAMAGE as problem:
            passed, why = False, str(problem)
        if passed:
            self.lines.append(f"ok    {printable(what)}")
        else:
            self.fail(what, why)

    def fail(self, what: str, why: str = "") -> None:
        """One line that refuses the evidence, and the reason below it."""
        self.lines.append(f"FAIL  {printable(what)}")
        if why:
            self.lines.append(f"      {printable(why)}")

    def look(self, what: str) -> None:
        """Something that only a person can compare."""
        self.lines.append(f"look  {printable(what)}")


def printable(text: str) -> str:
    """Text from a stranger's file without control and direction characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
