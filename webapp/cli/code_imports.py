"""`import codes`: codes that others made come into a voucher type, as on its page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from webapp.adapters import randomness, spreadsheets
from webapp.cli import runtime
from webapp.domain import voucher_uploads as rules
from webapp.domain.errors import Refused
from webapp.domain.exports import unguard
from webapp.domain.imports import original_headings, reject_headings
from webapp.domain.plurals import plural
from webapp.queries import voucher_types as read_types
from webapp.services import vouchers
from webapp.services.vouchers import AddCodes, CheckedCodes, Mint, UploadCodes, code_key
from webapp.services.work import Work


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--voucher-type", required=True, metavar="CODE", help="Code of the voucher type.")
@click.option("--dry-run", is_flag=True, help="Check the file and write nothing but the rejects file.")
@click.option("--good-rows", is_flag=True, help="Add the good codes although there are bad rows.")
@click.option("--encoding", type=click.Choice(list(spreadsheets.ENCODINGS)), help="For files that are not Unicode.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts and problems as an object.")
def codes(
    file: Path, voucher_type: str, encoding: str | None, *, dry_run: bool, good_rows: bool, as_json: bool
) -> None:
    """Add the codes in FILE to a voucher type as idle codes; what stands there already is passed over."""
    mint = Mint(code_key(runtime.settings().secret_key), randomness.entropy)
    with runtime.session() as session:
        kind = read_types.id_of(session, voucher_type)
    command = _read(file, kind, encoding or spreadsheets.AUTOMATIC)
    found = runtime.write(lambda work: vouchers.check_codes(work, command, mint))
    _keep_rejects(file, command, found)
    if as_json:
        runtime.echo_json(_report(command, found))
    counted = (
        f"{len(found.given):,} good, {len(found.twice):,} duplicate and {len(found.bad):,} bad of "
        f"{plural(len(command.rows), 'record')}"
    )
    if found.bad and not (dry_run or good_rows):
        raise Refused(
            "import.bad_rows", f"{counted}: no code was added. Mend the bad rows, or add the others with --good-rows."
        )
    made = 0 if dry_run or not found.given else runtime.write(lambda work: _add(work, command, mint))
    added = f"{plural(made, 'code')} added to {voucher_type}" if made else "no code was added"
    click.echo(f"{counted}; {added}.", err=as_json)


def _add(work: Work, command: UploadCodes, mint: Mint) -> int:
    """Both steps of the page in one transaction; how many codes there are more."""
    batch = vouchers.upload(work, command, mint)
    return int(vouchers.add_uploaded(work, AddCodes(command.voucher_type_id, batch.id), mint).made)


def _read(file: Path, voucher_type_id: int, encoding: str) -> UploadCodes:
    with file.open("rb") as stream:
        rules.require_size(spreadsheets.survey(stream, file.name, encoding).record_count)
        table = spreadsheets.open_table(stream, file.name, encoding)
        return UploadCodes(voucher_type_id, file.name, table.headings, list(table.rows))


def _keep_rejects(file: Path, command: UploadCodes, found: CheckedCodes) -> None:
    """The bad rows as ``FILE.rejects.csv`` beside the file, whole or not at all."""
    if not found.bad:
        return
    reasons = {line: reason for line, _, reason in found.bad}
    bad = (_reject(command, line, values, reasons[line]) for line, values in command.rows if line in reasons)
    target = file.with_name(f"{file.name}.rejects.csv")
    half = target.with_name(f"{target.name}.part")
    half.write_bytes(spreadsheets.csv_bytes([reject_headings(command.headings), *bad], mark=True))
    half.replace(target)
    click.echo(f"The bad rows are in {target}.", err=True)


def _reject(command: UploadCodes, line: int, values: Sequence[str], reason: str) -> list[str]:
    """A bad row as it was, with its line and what is wrong; what an earlier rejects file said of it goes."""
    width = len(original_headings(command.headings))
    cells = [unguard(value) for value in values]  # they are guarded when the file is written
    own = [*cells[:width], *[""] * (width - len(cells))]
    return [*own, str(line), "", reason, *cells[len(command.headings) :]]


def _report(command: UploadCodes, found: CheckedCodes) -> dict[str, object]:
    """The object that product.md section 4 fixes; of a code its last four signs."""
    return {
        "records": len(command.rows),
        "good": len(found.given),
        "duplicates": len(found.twice),
        "bad": len(found.bad),
        "problems": [{"line": line, "column": "", "value": code, "reason": reason} for line, code, reason in found.bad],
    }
