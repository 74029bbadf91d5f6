"""The shape report: do the winners lie evenly over the list? Printed for every draw of 30 winners or more.

In 2011 a programming error picked nine in ten Diversity Visa winners from the first two of thirty days; one look at this
table would have shown it (draws.md 1). A low p is a reason to look, not a proof: one honest draw in a hundred has p
below 0.01.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import erfc, exp, fsum, lgamma, log, sqrt

TENTHS = 10
ENOUGH_WINNERS = 30
"""Below this the chi-square approximation says nothing, and `p` is None."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Winners by tenth of the order of entry, how many were to be expected there, and the upper-tail p."""

    winners: tuple[int, ...]
    expected: tuple[float, ...]
    chi_square: float | None
    p: float | None


def tenth(entry: int, count: int) -> int:
    """The tenth of the list, 0 to 9, in which an entry (from 1) of `count` lies."""
    return (entry - 1) * TENTHS // count


def shape(winners: Iterable[int], count: int, tickets: Sequence[int] | None = None) -> Shape:
    """The report on the winning entry numbers of a list of `count` entries.

    `tickets` are the eligible tickets in each tenth, counted with `tenth`; without them every entry weighs the same.
    """
    won = [0] * TENTHS
    for entry in winners:
        won[tenth(entry, count)] += 1
    weights = tickets or [-(-count * (n + 1) // TENTHS) - -(-count * n // TENTHS) for n in range(TENTHS)]
    expected = [sum(won) * weight / sum(weights) if sum(weights) else 0.0 for weight in weights]
    filled = [(seen, awaited) for seen, awaited in zip(won, expected, strict=True) if awaited]
    if sum(won) < ENOUGH_WINNERS or len(filled) < 2:
        return Shape(tuple(won), tuple(expected), None, None)
    chi_square = fsum((seen - awaited) ** 2 / awaited for seen, awaited in filled)
    return Shape(tuple(won), tuple(expected), chi_square, chi_square_p(chi_square, len(filled) - 1))


def chi_square_p(chi_square: float, degrees: int) -> float:
    """The chance of a chi-square at least this large, for whole degrees of freedom, by the finite sums.

    Even degrees: a Poisson tail, the sum of e^-h · h^i / i!; odd ones: erfc(√h) and the same terms at half steps.
    """
    half = chi_square / 2
    if half <= 0:
        return 1.0
    start = 0.5 if degrees % 2 else 0.0
    steps = (start + i for i in range(degrees // 2))
    terms = [exp(step * log(half) - half - lgamma(step + 1)) for step in steps]
    return min(1.0, fsum(terms) + (erfc(sqrt(half)) if degrees % 2 else 0.0))
