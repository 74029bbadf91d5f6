"""`vouchers`: generate codes and print sheets."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from webapp.adapters import clock, randomness, typesetting, voucher_cards
from webapp.adapters.typesetting import LAYOUTS, Placement, TypesettingFailed
from webapp.cli import runtime
from webapp.domain.errors import Refused
from webapp.domain.jobs import FINISHED, JobStatus
from webapp.jobs import registry
from webapp.jobs.runner import Runner
from webapp.jobs.vouchers import pack
from webapp.queries import jobs as read_jobs
from webapp.queries import rewards as read_rewards
from webapp.queries import voucher_cards as read_cards
from webapp.queries import voucher_types as read_types
from webapp.services import vouchers
from webapp.services.vouchers import GenerateVouchers, Mint, code_key
from webapp.services.work import Work

Chosen = tuple[list[int], Callable[[Work, Sequence[int]], None]]  # what is printed, and how that is noted
_LOOK_AGAIN = 0.5  # seconds


@click.group(name="vouchers")
def group() -> None:
    """Generate codes and print sheets of vouchers."""


@group.command()
@click.argument("voucher_type")
@click.argument("count", type=click.IntRange(1, vouchers.LARGEST_ORDER))
@click.option("--json", "as_json", is_flag=True, help="Print the batch as JSON.")
def generate(voucher_type: str, count: int, *, as_json: bool) -> None:
    """Make COUNT idle codes of the type whose code is VOUCHER_TYPE."""
    mint = Mint(code_key(runtime.settings().secret_key), randomness.entropy)
    with runtime.session() as session:
        kind = read_types.id_of(session, voucher_type)
    batch = runtime.write(lambda work: vouchers.generate(work, GenerateVouchers(kind, count), mint))
    if batch.made < count:
        _finish(f"voucher_batches:{batch.id}")
    with runtime.session() as session:
        done = read_types.batch(session, kind, batch.id)
    if as_json:
        runtime.echo_json({"batch": done.id, "type": voucher_type, "codes": done.made, "sha256": done.sha256})
    else:
        click.echo(f"{done.made:,} codes of {voucher_type} generated, fingerprint {done.sha256[:16]}")


def _finish(subject: str) -> None:
    """Run the job about ``subject`` here, or wait while the server runs it."""
    runner = Runner(runtime.sessions, registry.kinds(), settings=runtime.settings())
    while True:
        runner.drain()
        with runtime.session() as session:
            job = read_jobs.latest(session, subject)
        if job is None or job.status is JobStatus.DONE:
            return
        if job.status in FINISHED:
            raise Refused("job.ended", job.error or f"The job «{job.title}» was cancelled.")
        time.sleep(_LOOK_AGAIN)  # another process has the lease of all jobs; nothing here tells us when it is done


@group.command(name="print")
@click.option("--reward", help="Vouchers of this reward's accepted winners.")
@click.option("--type", "voucher_type", help="Every code of this type that is still good, whoever has it.")
@click.option("--layout", type=click.Choice(list(LAYOUTS)), default=next(iter(LAYOUTS)), show_default=True)
@click.option("--start", type=click.IntRange(1, 8), default=1, help="First free label of a part-used sheet.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="FILE.pdf or .zip")
def print_sheets(reward: str | None, voucher_type: str | None, layout: str, start: int, output: Path) -> None:
    """Print vouchers as PDF; the codes of a sample of every part are read back from its pages."""
    if (reward is None) == (voucher_type is None):
        raise click.UsageError("Say whose vouchers: --reward NAME or --type CODE.")
    chosen: Chosen = _of_reward(reward, layout) if reward else _of_type(str(voucher_type), layout)
    ids, note = chosen
    if not ids:
        raise Refused("voucher.none_to_print", "There is no voucher to print: nobody holds one that is still good.")
    _require_name(output, len(ids) + start - 1, layout)
    with tempfile.TemporaryDirectory(dir=output.absolute().parent, prefix=".vouchers-") as name:
        made = _typeset(ids, layout, Placement(start), Path(name))
        runtime.write(lambda work: note(work, ids))
        shutil.move(made, output)
    click.echo(f"{len(ids):,} {'voucher' if len(ids) == 1 else 'vouchers'} written to {output}")


def _of_reward(name: str, layout: str) -> Chosen:
    with runtime.session() as session:
        reward_id = read_rewards.id_of(session, name, None)
        ids = read_cards.ids_of_reward(session, reward_id, clock.now())
    return ids, lambda work, printed: vouchers.note_reward(work, reward_id, printed, layout)


def _of_type(code: str, layout: str) -> Chosen:
    with runtime.session() as session:
        type_id = read_types.id_of(session, code)
        ids = read_cards.ids_of_type(session, type_id, clock.now())
    return ids, lambda work, printed: vouchers.note_type(work, type_id, printed, layout)


def _require_name(output: Path, labels: int, layout: str) -> None:
    """Several parts need an archive; better said before the work than after it."""
    most = LAYOUTS[layout].per_part
    if labels > most and output.suffix.lower() != ".zip":
        raise Refused(
            "voucher.many",
            f"So many vouchers make several PDF files of at most {most} each. Give the output a name that ends in .zip.",
        )


def _typeset(ids: Sequence[int], layout: str, placement: Placement, folder: Path) -> Path:
    """The finished file, in ``folder``."""
    with (
        runtime.session() as session,
        click.progressbar(length=len(ids), label="Typesetting", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar,
    ):
        cards = map(voucher_cards.card, read_cards.rows(session, ids))
        try:
            parts = typesetting.voucher_sheets(
                cards, layout, folder, placement=placement, progress=lambda done: bar.update(done - bar.pos)
            )
        except TypesettingFailed as error:
            raise Refused("voucher.typesetting", str(error)) from error
    return parts[0] if len(parts) == 1 else pack(parts, folder / "vouchers.zip")


commands: list[click.Command] = [group]
