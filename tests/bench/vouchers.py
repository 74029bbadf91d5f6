"""Cards per second and per CPU second, memory per part, and codes against bare entropy: ``python -m tests.bench.vouchers``."""

import os
import resource
import tempfile
import time
from pathlib import Path
from statistics import median

from webapp.adapters.cards import LAYOUTS, Card
from webapp.adapters.typesetting import voucher_sheets
from webapp.domain import voucher_codes

CARDS = (1_000, 5_000)
CODES = 100_000
ROUNDS = 5
TERMS = "Valid once at any till during opening hours. Not exchangeable for cash, not replaced when lost. " * 3


def cards(count):
    """Vouchers as a real batch has them: one title and one set of terms, a holder and a code of its own each."""
    for number, code in enumerate(voucher_codes.codes(os.urandom, count), start=1):
        grouped = voucher_codes.grouped(code)
        yield Card(
            title="Two-course lunch for two",
            code=grouped,
            qr=grouped,
            subtitle="Harbour Kitchen, any weekday",
            holder=f"Guest number {number}",
            value="€25.00",
            expiry="31 March 2027",
            terms=TERMS,
            programme="Spring thank-you",
            organisation="Harbour Coffee",
            reference=f"HK · {number:05}",
        )


def children():
    """CPU seconds and the largest resident set in MiB of the workers that ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def print_sheets():
    """One line for each layout and number of cards; the proof of each part is included."""
    print(
        f"{'layout':8} {'cards':>6} {'wall s':>7} {'cards/s':>8} {'CPU s':>6} {'cards/CPU-s':>12} {'worker MiB':>11} {'MB':>6}"
    )
    for layout in LAYOUTS:
        for count in CARDS:
            batch = list(cards(count))
            with tempfile.TemporaryDirectory() as folder:
                own, (before, _), start = time.process_time(), children(), time.perf_counter()
                paths = voucher_sheets(batch, layout, Path(folder))
                wall, (after, peak) = time.perf_counter() - start, children()
                size = sum(path.stat().st_size for path in paths) / 1e6
            cpu = after - before + time.process_time() - own
            print(
                f"{layout:8} {count:6,} {wall:7.1f} {count / wall:8.0f} {cpu:6.1f} {count / cpu:12.0f} {peak:11.0f} {size:6.1f}"
            )


def seconds(work):
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def draw_codes():
    """Codes with check symbol, distinct and sorted, against the same number of random symbols with nothing done."""
    table = bytes(voucher_codes.ALPHABET[byte % 32].encode()[0] for byte in range(256))

    def floor():
        text = os.urandom(11 * CODES).translate(table).decode("ascii")
        return sorted({text[at : at + 11] for at in range(0, len(text), 11)})

    key = os.urandom(32)
    ours, bare, hashed = [], [], []
    for _ in range(ROUNDS):
        bare.append(seconds(floor))
        ours.append(seconds(lambda: list(voucher_codes.code_batches(os.urandom, CODES))))
        hashed.append(seconds(lambda: voucher_codes.code_hashes(key, voucher_codes.codes(os.urandom, CODES))))
    print(f"\n{CODES:,} codes, CPU seconds, median of {ROUNDS}")
    print(f"bare symbols, distinct and sorted   {median(bare):.3f}")
    print(f"codes with check symbol             {median(ours):.3f}   {median(ours) / median(bare):.2f} x the floor")
    print(f"and their look-up hashes            {median(hashed):.3f}   {median(hashed) / median(bare):.2f} x the floor")


if __name__ == "__main__":
    draw_codes()
    print()
    print_sheets()
