"""P1 through real servers: 200 tills press «Redeem» at the same moment, and a benefit capped at 100 is had 100 times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from itertools import cycle, islice
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.services.test_benefits import ABOUT_BENEFITS
from tests.support.server import Server
from tests.support.till import PHRASE, Till
from webapp.domain.permissions import Role
from webapp.models import Benefit, BenefitDefinition, Profile, Redemption, RedemptionAttempt
from webapp.queries.invariants import broken
from webapp.services import passwords

CAP, PRESSED, PEOPLE = 100, 200, 10
SERVERS = {"sqlite": 4, "postgresql": 2}  # one process each, and two
REFUSAL = "may be redeemed 100 times over all; 0 are left."
TWIN = ("-m", "tests.support.unguarded")


@dataclass
class Crowd:
    """Servers on one database, a till signed in at each, and people who hold benefits."""

    server: Server
    tills: list[Till]
    people: list[Profile]

    def capped(self) -> list[Benefit]:
        """A new definition with the limit, and a benefit of it for everybody."""
        with self.server.session() as session:
            make = Factories(session)
            name = f"capped-{session.scalar(select(func.count()).select_from(BenefitDefinition))}"
            site = session.scalar(select(func.min(BenefitDefinition.site_id))) or make.site().id
            terms = {"max_redemptions": None, "max_global_redemptions": CAP, "site_id": site}
            definition = make.benefit_definition(handle=name, **terms)
            return [
                make.benefit(definition, holder, redeem_code_pos=f"{name}-{n}", code_key=f"{name}-{n}".upper())
                for n, holder in enumerate(self.people)
            ]

    def press(self) -> tuple[Counter[object], tuple[int, int, int]]:
        """All at once; how often each answer came, and the definition's total, its ledger's and what was kept."""
        held = self.capped()
        pages = [f"/till/benefits/{benefit.id}" for benefit in held]
        for till in self.tills:
            assert "Good" in till.read(pages[0])
        pressed = zip(islice(cycle(self.tills), PRESSED), islice(cycle(pages), PRESSED), strict=True)
        lines = [till.press(page) for till, page in pressed]  # nobody waits for an answer before all have been sent
        said = Counter(answered(line) for line in lines)
        with self.server.session() as session:
            return said, counted(session, held[0].definition_id)


def answered(line) -> object:
    """«redeemed», «refused» with the sentence a person reads, or the status of anything else."""
    answer = line.getresponse()
    page = unescape(answer.read().decode())
    line.close()
    if answer.status == 303 and "/till/redemptions/" in answer.headers["Location"]:
        return "redeemed"
    return "refused" if answer.status == 422 and REFUSAL in page else answer.status


def counted(session: Session, definition_id: int) -> tuple[int, int, int]:
    of_it = Benefit.definition_id == definition_id
    ledger = select(func.coalesce(func.sum(Redemption.count), 0)).join(Benefit, Redemption.benefit_id == Benefit.id)
    kept = select(func.count(RedemptionAttempt.id)).join(Benefit, RedemptionAttempt.benefit_id == Benefit.id)
    total = session.get_one(BenefitDefinition, definition_id).total_global_redemptions
    return total, session.scalar(ledger.where(of_it)) or 0, session.scalar(kept.where(of_it)) or 0


@pytest.fixture
def crowd(new_server: Callable[..., Server], own_database: str) -> Iterator[Callable[..., Crowd]]:
    """`crowd(number)` starts so many servers on one database, each with a till that is signed in."""

    def gather(number: int, *program: str) -> Crowd:
        shared = {"database_url": own_database, "secret_key": uuid4().hex}
        servers = [new_server(**shared) for _ in range(number)]
        for server in servers:
            server.program = program or server.program
            server.launch()
        for server in servers:
            server.wait()
        with servers[0].session() as session:
            make = Factories(session)
            make.staff(Role.TILL, email="tilly@example.org", password_hash=passwords.hashed(PHRASE))
            people = [make.profile() for _ in range(PEOPLE)]
        tills.extend(Till(server.url) for server in servers)
        for till in tills:
            till.sign_in("tilly@example.org")
        return Crowd(servers[0], tills, people)

    tills: list[Till] = []
    yield gather
    for till in tills:
        till.line.close()


def test_p1_two_hundred_at_several_servers_redeem_exactly_a_hundred(
    crowd: Callable[..., Crowd], database: str, repeat: Callable[[int, int], int]
) -> None:
    found = crowd(SERVERS[database])
    for _ in range(repeat(1, 20)):
        said, (total, ledger, kept) = found.press()
        assert said == {"redeemed": CAP, "refused": PRESSED - CAP}
        assert (total, ledger, kept) == (CAP, CAP, PRESSED - CAP)
    with found.server.session() as session:
        assert [item.name for item in ABOUT_BENEFITS if broken(session, item)] == []


def test_p1_its_twin_without_the_guard_redeems_too_many(crowd: Callable[..., Crowd]) -> None:
    """Proves that the test above can fail; how often in a round is left to chance, so there may be several."""
    found = crowd(2, *TWIN)
    ledgers = (found.press()[1][1] for _ in range(5))
    assert any(ledger > CAP for ledger in ledgers)
