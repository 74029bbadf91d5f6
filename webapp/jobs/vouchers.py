"""Makes codes by the million, takes uploads of them back, and makes sheets by the hundred, in steps that survive a kill."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from webapp.adapters import randomness, typesetting, voucher_cards
from webapp.adapters.typesetting import Card, Placement, TypesettingFailed
from webapp.domain.errors import Refused
from webapp.jobs.running import Cancelled, Outcome, RunningJob
from webapp.models import VoucherBatch
from webapp.queries import voucher_cards as read_cards
from webapp.queries import vouchers as read
from webapp.services import files, vouchers
from webapp.services.vouchers import Mint, TakeBackCodes, code_key
from webapp.services.vouchers.drawing import Row
from webapp.services.vouchers.taking_back import Progress
from webapp.services.work import Work

AT_ONCE = 1_000  # codes taken back in one transaction, for whose type a till may wait
PIECE = 1024 * 1024  # bytes of a result that one transaction stores
_LONG_AGO = (2000, 1, 1, 0, 0, 0)  # the same parts make the same archive, whenever it is packed


def generate(job: RunningJob) -> Outcome:
    """Add about 10,000 codes a step; after a kill the batch row knows how many there are."""
    batch_id = int(job.arguments["batch_id"])
    mint = Mint(code_key(job.settings.secret_key), randomness.entropy)
    with job.read() as session:
        batch = read.batch(session, batch_id)
    while batch.made < batch.wanted:  # more than once only when a code came up that exists already
        for rows in job.step(lambda work: vouchers.drawn(work, batch_id, mint)):
            batch = _add(job, batch_id, rows)
    with job.read() as session:
        sha256 = read.fingerprint(session, batch_id)
    job.step(lambda work: vouchers.finish(work, batch_id, sha256), done=batch.made)
    return Outcome(f"{batch.made:,} codes generated.")


def _add(job: RunningJob, batch_id: int, rows: list[Row]) -> VoucherBatch:
    return job.step(
        lambda work: vouchers.add(work, batch_id, rows),
        done=lambda batch: batch.made,
        message=lambda batch: f"{batch.made:,} codes made",
    )


def take_back(job: RunningJob) -> Outcome:
    """Look at the codes of an upload some at a time; goes on where the cursor says."""
    command, done = TakeBackCodes(**job.arguments), Progress.of(job.cursor)
    while not done.is_over:
        done = _take_back_some(job, command, done)
    job.step(lambda work: vouchers.finish_taking_back(work, command, done), done=done.done, total=done.done)
    left = f", {done.left:,} stay; the file says why." if done.left else "."
    return Outcome(f"{done.gone:,} taken back{left}", done.left_file_id)


def _take_back_some(job: RunningJob, command: TakeBackCodes, before: Progress) -> Progress:
    return job.step(
        lambda work: vouchers.take_some_back(work, command, before, AT_ONCE),
        done=lambda found: found.done,
        cursor=lambda found: found.cursor,
        message=lambda found: f"{found.gone:,} taken back, {found.left:,} stay",
    )


def print_sheets(job: RunningJob) -> Outcome:
    """Make the sheets and count what was printed."""

    def note(work: Work) -> None:
        ids, layout = job.arguments["voucher_ids"], str(job.arguments["layout"])
        vouchers.note_reward(work, int(job.arguments["reward_id"]), ids, layout)

    return make_sheets(job, _cards(job), note, "voucher")


def make_sheets(job: RunningJob, cards: Iterable[Card], note: Callable[[Work], None], noun: str) -> Outcome:
    """Typeset in parts whose codes are read back, pack the parts, store the file; ``note`` is done with the last step."""
    if result_of(job.cursor) is None:
        folder = job.settings.instance / "printing" / str(job.id)
        try:
            _note(job, _store(job, _typeset(job, cards, folder), noun), note)
        except (TypesettingFailed, Cancelled) as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, Cancelled):
                raise
            raise Refused("voucher.typesetting", str(error)) from error
        shutil.rmtree(folder, ignore_errors=True)
    return Outcome(f"{job.total:,} {noun if job.total == 1 else f'{noun}s'} ready to print.")


def _typeset(job: RunningJob, cards: Iterable[Card], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    parts = typesetting.voucher_sheets(
        cards,
        str(job.arguments["layout"]),
        folder,
        placement=Placement(start=int(job.arguments["start"])),
        progress=lambda done: job.step(lambda _: None, done=done, message="Typesetting and reading codes back"),
    )
    return parts[0] if len(parts) == 1 else pack(parts, folder / "vouchers.zip")


def _cards(job: RunningJob) -> Iterator[Card]:
    """The cards in order, fetched in short sessions."""
    ids: Sequence[int] = job.arguments["voucher_ids"]
    for at in range(0, len(ids), read_cards.MANY):
        with job.read() as session:
            some = list(read_cards.rows(session, ids[at : at + read_cards.MANY]))
        yield from map(voucher_cards.card, some)


def pack(parts: Sequence[Path], path: Path) -> Path:
    """The parts in one archive, not compressed again: a PDF is compressed already."""
    with zipfile.ZipFile(path, "w") as archive:
        for part in parts:
            with part.open("rb") as source, archive.open(zipfile.ZipInfo(part.name, _LONG_AGO), "w") as target:
                shutil.copyfileobj(source, target, PIECE)
    return path


def _store(job: RunningJob, path: Path, noun: str) -> int:
    """Keep the file in the database, a piece a step; a file begun before a kill goes on only if it is the same."""
    with path.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    cursor: dict[str, Any] = job.cursor
    if cursor.get("sha256") != sha256:
        name = f"{noun}s-{job.id}{path.suffix}"
        kind = "application/zip" if path.suffix == ".zip" else "application/pdf"
        job.step(
            lambda work: files.begin(work, name, kind).id,
            cursor=lambda number: {"file": number, "at": 0, "sha256": sha256},
            message="Storing the file",
        )
    file_id, at = int(job.cursor["file"]), int(job.cursor["at"])
    with path.open("rb") as content:
        content.seek(at)
        while data := content.read(PIECE):
            at += len(data)
            _append(job, file_id, data, {"file": file_id, "at": at, "sha256": sha256})
    return file_id


def _append(job: RunningJob, file_id: int, data: bytes, cursor: dict[str, Any]) -> None:
    job.step(lambda work: files.append(work, file_id, data), cursor=cursor)


def _note(job: RunningJob, file_id: int, note: Callable[[Work], None]) -> None:
    """The last step: the file is whole, and what is on it counts as printed."""

    def act(work: Work) -> None:
        files.finish(work, file_id)
        note(work)

    job.step(act, cursor=job.cursor | {"is_noted": True})


def result_of(cursor: dict[str, Any]) -> int | None:
    """The id of the finished file, from the cursor of a print job; None while there is none."""
    return int(cursor["file"]) if cursor.get("is_noted") else None


KINDS = {"vouchers.generate": generate, "vouchers.print": print_sheets, "vouchers.take_back": take_back}
