"""`vouchers generate` and `vouchers print`, run as processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from tests.adapters.pages import page_texts, readable
from tests.factories import Factories
from tests.support.server import Command
from webapp.adapters import clock, randomness
from webapp.adapters.engines import engine_options
from webapp.adapters.typesetting import LAYOUTS
from webapp.domain.audit import Event
from webapp.domain.identity import SYSTEM
from webapp.domain.voucher_codes import code_hash, grouped
from webapp.models import AuditEntry, Voucher, VoucherBatch, VoucherType
from webapp.services import benefits, vouchers
from webapp.services.benefits import IssueBenefit
from webapp.services.vouchers import AllocateVouchers, Mint, code_key
from webapp.services.work import perform


@pytest.fixture
def own(own_database: str) -> Iterator[Session]:
    """A session on the database that the commands of this test use."""
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


def test_codes_are_generated_printed_and_read_back(command: Command, own: Session, tmp_path: Path) -> None:
    """K92 from the database to the paper and back, by commands alone."""
    make = Factories(own)
    kind = make.voucher_type(
        code="COFFEE", title="Coffee for two", value_minor=900, currency="GBP", valid_for_days=None
    )
    reward = make.reward(name="spring-draw", title="Spring draw", site_id=kind.site_id, voucher_type_id=kind.id)
    done = command("vouchers", "generate", "COFFEE", "12")
    batch = own.scalars(select(VoucherBatch)).one()
    assert done.stdout == f"12 codes of COFFEE generated, fingerprint {batch.sha256[:16]}\n"

    winners = [make.winner(reward) for _ in range(2)]
    for winner in winners:
        ask = AllocateVouchers(kind.id, winner.id, winner.profile_id, 1, "Europe/London", "winner")
        perform(own, SYSTEM, clock.now(), lambda work, ask=ask: vouchers.allocate(work, ask))
    path = tmp_path / "out.pdf"
    done = command("vouchers", "print", "--reward", "spring-draw", "--layout", "a4-1", "-o", str(path))
    assert done.stdout == f"2 vouchers written to {path}\n"
    held = own.scalars(select(Voucher).where(Voucher.winner_id.is_not(None)).order_by(Voucher.id)).all()
    assert readable(path.read_bytes()) == [voucher.code for voucher in held]
    key = code_key(command.settings.secret_key)
    assert [voucher.code_hash for voucher in held] == [code_hash(key, voucher.code) for voucher in held]
    first = page_texts(path.read_bytes())[0]
    for words in ("Coffee for two", "£9.00", "Ann Example", grouped(held[0].code)):
        assert words in first

    sheet = tmp_path / "all.pdf"
    command("vouchers", "print", "--type", "COFFEE", "-o", str(sheet))
    own.rollback()
    own.expire_all()
    everything = own.scalars(select(Voucher)).all()
    assert sorted(readable(sheet.read_bytes())) == sorted(voucher.code for voucher in everything)
    assert sorted(voucher.printed_count for voucher in everything) == [1] * 10 + [2] * 2
    told = own.scalars(select(AuditEntry.event).order_by(AuditEntry.id)).all()
    assert told.count(Event.VOUCHERS_PRINTED) == told.count(Event.VOUCHERS_TYPE_PRINTED) == 1


def test_13_1_terms_conditions_are_printed_on_the_voucher_of_a_benefit(
    command: Command, own: Session, tmp_path: Path
) -> None:
    """Those it was issued under, whatever the definition says now; a code of nobody carries those of its type."""
    make = Factories(own)
    kind = make.voucher_type(code="COFFEE", terms="One pot.")
    definition = make.benefit_definition(
        site_id=kind.site_id, voucher_type_id=kind.id, terms_conditions="Not with other offers."
    )
    for _ in range(2):
        make.voucher(kind)
    own.commit()
    mint = Mint(code_key(command.settings.secret_key), randomness.entropy)
    ask = IssueBenefit(definition_id=definition.id, profile_id=make.profile().id, mint=mint)
    benefit = perform(own, SYSTEM, clock.now(), lambda work: benefits.issue(work, ask))
    definition.terms_conditions = "With every offer."
    own.commit()
    path = tmp_path / "out.pdf"
    command("vouchers", "print", "--type", "COFFEE", "--layout", "a4-1", "-o", str(path))
    codes = [grouped(code) for code in own.scalars(select(Voucher.code).order_by(Voucher.id))]
    pages = {code: page for page in page_texts(path.read_bytes()) for code in codes if code in page}
    held = grouped(own.get_one(Voucher, benefit.voucher_id).code)
    assert {
        code: [terms for terms in ("Not with other offers.", "With every offer.", "One pot.") if terms in page]
        for code, page in pages.items()
    } == {code: ["Not with other offers." if code == held else "One pot."] for code in codes}


def test_a_large_order_is_made_here_and_now(command: Command, own: Session) -> None:
    make = Factories(own)
    kind = make.voucher_type(code="COFFEE")
    done = command("vouchers", "generate", "COFFEE", "10001", "--json")
    answer = json.loads(done.stdout)
    own.rollback()
    own.expire_all()
    assert (answer["codes"], answer["type"], len(answer["sha256"])) == (10_001, "COFFEE", 64)
    assert own.get_one(VoucherType, kind.id).idle_count == 10_001


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["generate", "TEA", "5"], 1, "There is no voucher type with the code «TEA»."),
        (["generate", "COFFEE", "0"], 2, "not in the range 1<=x<=1000000"),
        (["generate", "COFFEE", "many"], 2, "not a valid integer"),
        (["print", "-o", "x.pdf"], 2, "Say whose vouchers"),
        (["print", "--type", "COFFEE", "--reward", "x", "-o", "x.pdf"], 2, "Say whose vouchers"),
        (["print", "--reward", "nothing", "-o", "x.pdf"], 1, "There is no such reward."),
        (["print", "--type", "COFFEE", "-o", "x.pdf"], 1, "There is no voucher to print"),
        (["print", "--type", "COFFEE", "--layout", "a5", "-o", "x.pdf"], 2, "is not one of 'a4-2x4', 'a4-1'"),
    ],
)
def test_what_cannot_be_done_is_one_plain_sentence(
    command: Command, own: Session, arguments: list[str], status: int, told: str
) -> None:
    Factories(own).voucher_type(code="COFFEE")
    done = command("vouchers", *arguments, status=status)
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path("x.pdf").exists()


def test_several_parts_need_an_archive(command: Command, own: Session, tmp_path: Path) -> None:
    Factories(own).voucher_type(code="COFFEE")
    command("vouchers", "generate", "COFFEE", str(LAYOUTS["a4-1"].per_part + 1))
    path = tmp_path / "out.pdf"
    done = command("vouchers", "print", "--type", "COFFEE", "--layout", "a4-1", "-o", str(path), status=1)
    assert "Give the output a name that ends in .zip." in done.stderr
    assert list(tmp_path.glob("*.pdf")) == []


def test_help_tells_every_option(command: Command) -> None:
    assert "VOUCHER_TYPE COUNT" in command("vouchers", "generate", "--help").stdout
    assert "--layout" in command("vouchers", "print", "--help").stdout
