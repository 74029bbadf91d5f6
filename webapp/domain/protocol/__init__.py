"""The draw protocol draw/1: frozen list first, public value after, one result anybody can recompute.

Read in this order: `entries` (the list), `merkle` (its root and proofs), `codes` (the committed secret), `declarations`
(what is fixed in advance), `seed` and `ranking` (what follows from it), `results`, `log`, `bundle`. `verify_draw` is a
second reading of the same rules in one file that travels inside every evidence bundle and imports none of these.
"""

FORMAT = "draw/1"
