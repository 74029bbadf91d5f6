"""Redemptions beside an empty page of the same server: `python -m tests.bench.redemptions [--database postgresql]`.

Clients keep their connections and press «Redeem» again and again, then ask for the sign-in page as often; both take
turns. An answer other than the one wanted is an error, a line of the ledger that no answer led to a double.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier
from uuid import uuid4

from sqlalchemy import func, select

from tests.bench.pages import database
from tests.factories import Factories
from tests.support.databases import migrate, settings_for
from tests.support.processes import free_port
from tests.support.server import Server
from tests.support.till import PHRASE, Till
from webapp.domain.permissions import Role
from webapp.models import Benefit, BenefitDefinition, Redemption
from webapp.services import passwords

CLIENTS, PEOPLE, ROUNDS, EMPTY = (1, 8, 32), 50, 5, "/sign-in"
# performance.md: of one client the middle answer, of several their rate and the slowest of a hundred.
MOST_P50, LEAST_RATE, MOST_P99 = 2.5, 0.5, 2.0
Ask = Callable[[HTTPConnection, int], bool]


@dataclass
class Seen:
    """What several rounds of one kind of request took, in seconds, and how many went wrong."""

    times: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    errors: int = 0

    def add(self, times: list[float], seconds: float, errors: int) -> None:
        self.times += times
        self.rates.append(len(times) / seconds)
        self.errors += errors

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    def slowest_of(self, hundred: float) -> float:
        """Milliseconds within which so many of a hundred were answered."""
        return statistics.quantiles(self.times, n=100, method="inclusive")[int(hundred) - 1] * 1000


def crowded(server: Server, clients: int, requests: int, ask: Ask, seen: Seen) -> None:
    """So many clients at once, each on a connection of its own that it keeps."""
    start = Barrier(clients + 1)

    def client(number: int) -> list[tuple[float, bool]]:
        line = HTTPConnection(f"127.0.0.1:{server.port}", timeout=60)
        line.connect()
        start.wait()
        found = [timed(ask, line, number * requests + at) for at in range(requests)]
        line.close()
        return found

    with ThreadPoolExecutor(clients) as pool:
        waiting = [pool.submit(client, number) for number in range(clients)]
        start.wait()
        begun = time.perf_counter()
        answers = [answer for one in waiting for answer in one.result()]
        seconds = time.perf_counter() - begun
    seen.add([took for took, _ in answers], seconds, sum(not is_right for _, is_right in answers))


def timed(ask: Ask, line: HTTPConnection, number: int) -> tuple[float, bool]:
    begun = time.perf_counter()
    is_right = ask(line, number)
    return time.perf_counter() - begun, is_right


def empty_page(line: HTTPConnection, _number: int) -> bool:
    line.request("GET", EMPTY)
    answer = line.getresponse()
    answer.read()
    return answer.status == 200


@dataclass
class Redeeming:
    """Presses «Redeem» on one page after the other and keeps where each answer led."""

    till: Till
    pages: list[str]
    led_to: list[str] = field(default_factory=list)

    def __call__(self, line: HTTPConnection, number: int) -> bool:
        fields = self.till.form | {"request_key": uuid4().hex}
        self.till.begin(line, self.pages[number % len(self.pages)], fields)
        answer = line.getresponse()
        answer.read()
        self.led_to.append(answer.headers.get("Location", ""))
        return answer.status == 303 and "/redemptions/" in self.led_to[-1]


def prepare(server: Server) -> Redeeming:
    """Somebody at a till, and people who hold a benefit with a limit over all that is never reached."""
    with server.session() as session:
        make = Factories(session)
        make.staff(Role.TILL, email="tilly@example.org", password_hash=passwords.hashed(PHRASE))
        definition = make.benefit_definition(max_redemptions=None, max_global_redemptions=1_000_000)
        pages = [f"/till/benefits/{make.benefit(definition).id}" for _ in range(PEOPLE)]
    till = Till(server.url)
    till.sign_in("tilly@example.org")
    till.read(pages[0])
    till.line.close()
    return Redeeming(till, pages)


def compare(server: Server, redeem: Redeeming, clients: int, requests: int) -> tuple[Seen, Seen]:
    """The empty page and the redemption in turns, the first round of each thrown away."""
    for warming in (empty_page, redeem):
        crowded(server, clients, 10, warming, Seen())
    empty, redeemed = Seen(), Seen()
    for _ in range(ROUNDS):
        crowded(server, clients, requests, empty_page, empty)
        crowded(server, clients, requests, redeem, redeemed)
    return empty, redeemed


def doubles(server: Server, redeem: Redeeming) -> int:
    """Lines of the ledger, counted three ways, beyond those that an answer led to."""
    led_to = len({address for address in redeem.led_to if "/redemptions/" in address})
    with server.session() as session:
        ledger, _, _ = counted = (
            session.scalar(select(func.coalesce(func.sum(Redemption.count), 0))) or 0,
            session.scalar(select(func.sum(Benefit.redeemed_count))) or 0,
            session.scalar(select(func.sum(BenefitDefinition.total_global_redemptions))) or 0,
        )
    assert len(set(counted)) == 1, f"ledger and counters differ: {counted}"
    return int(ledger) - led_to


def told(clients: int, empty: Seen, redeemed: Seen) -> str:
    """A line of the table; what misses its goal is marked."""
    middle = redeemed.slowest_of(50) / empty.slowest_of(50)
    rate, slowest = redeemed.rate / empty.rate, redeemed.slowest_of(99) / empty.slowest_of(99)
    missed = middle > MOST_P50 if clients == 1 else rate < LEAST_RATE or slowest > MOST_P99
    cells = [f"{seen.rate:>7.0f} {seen.slowest_of(50):>7.1f} {seen.slowest_of(99):>7.1f}" for seen in (empty, redeemed)]
    ratios = f"{rate:>7.2f} {middle:>7.2f} {slowest:>7.2f}"
    errors = empty.errors + redeemed.errors
    return f"{clients:>7} {cells[0]} {cells[1]} {ratios} {errors:>7}{' missed' if missed or errors else ''}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--requests", type=int, default=160, help="of each kind in a round, shared by the clients")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database(asked.database, Path(folder)) as url:
        migrate(url)
        port = free_port()
        server = Server(settings_for(url, Path(folder) / "instance", public_url=f"http://127.0.0.1:{port}"), port)
        server.start()
        try:
            redeem = prepare(server)
            print(f"{'':>7} {'empty page':^23} {'redemption':^23} {'redemption / empty page':^23}")
            print(f"{'clients':>7}{' rate/s  p50 ms  p99 ms' * 2}    rate     p50     p99  errors")
            for clients in CLIENTS:
                found = compare(server, redeem, clients, max(10, asked.requests // clients))
                print(told(clients, *found), flush=True)
            print(f"{len(redeem.led_to):,} pressed, {doubles(server, redeem)} doubles")
        finally:
            server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
