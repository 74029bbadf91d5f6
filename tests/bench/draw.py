"""CPU seconds to seal and to draw a list, against bare reading and hashing: ``python -m tests.bench.draw [--rows N]``."""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from statistics import median

from webapp.domain.protocol import entries, ranking

SIZES = (100_000, 1_000_000)
ROUNDS = 5
WANTED = 100
SEED = bytes(range(32))


def write_list(path, count):
    """A list of one ticket each, as long as real rows are: 20 hex digits of holder, 64 of check."""
    rows = (
        entries.row(n, f"h{n * 2654435761 % 16**20:020x}", 1, f"{n * 0x9E3779B97F4A7C15:064x}")
        for n in range(1, count + 1)
    )
    with path.open("wb") as file:
        entries.seal_entries(rows, file.write)


def read_rows(file):
    """Rows (index, holder, tickets) as cheaply as Python can, for a list that was checked when it was sealed."""
    next(file)
    for index, line in enumerate(file):
        _, holder, tickets, _ = line.split(b",", 3)
        yield index, holder, int(tickets)


def hash_lines(path):
    """The floor of sealing: read every line and hash it once."""
    with path.open("rb") as file:
        for line in file:
            sha256(line).digest()


def hash_tickets(path):
    """The floor of drawing: read every row and hash its one ticket."""
    with path.open("rb") as file:
        for index, _, _ in read_rows(file):
            sha256(SEED + index.to_bytes(12)).digest()


def seal(path):
    """Grammar, counts, file hash and Merkle root: two hashes a row at least."""
    with path.open("rb") as file:
        entries.seal_file(file)


def draw(path):
    """Every ticket's number and the best places."""
    with path.open("rb") as file:
        ranking.rank(SEED, read_rows(file), wanted=WANTED)


def check(path):
    """What a verifier does: check the list and rank it in the same pass."""
    with path.open("rb") as file:
        ranking.rank(SEED, entries.read_entries(file), wanted=WANTED)


PATHS = {seal: hash_lines, draw: hash_tickets, check: hash_lines}
"""Each path and its floor."""


def cpu_seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(path, count):
    """One table line for each path; the paths take turns so that a busy machine slows all of them alike."""
    taken: dict[Callable[[Path], object], list[float]] = {work: [] for work in (*PATHS, *PATHS.values())}
    for _ in range(ROUNDS):
        for work, seconds in taken.items():
            seconds.append(cpu_seconds(partial(work, path)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for work, floor in PATHS.items():
        ours, bare = median(taken[work]), median(taken[floor])
        print(
            f"{count:10,}  {work.__name__:6} {ours:6.2f} {bare:8.2f} {ours / bare:6.2f} {ours / count * 1e6:7.2f} {peak:9.0f}"
        )


def main():
    """Write each list into a scratch folder, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, action="append", help="measure this many rows instead of 100,000 and 1,000,000"
    )
    sizes = parser.parse_args().rows or SIZES
    print(f"{'rows':>10}  {'path':6} {'CPU s':>6} {'floor s':>8} {'ratio':>6} {'µs/row':>7} {'peak MiB':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for count in sizes:
            path = Path(folder) / f"{count}.csv"
            write_list(path, count)
            measure(path, count)


if __name__ == "__main__":
    main()
