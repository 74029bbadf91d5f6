"""The evidence bundle: the few small files from which anybody can check a draw, as one zip (draws.md 3.5).

The pins close the circle: `SHA256SUMS` lists every other file, `certificate.html` repeats the fingerprint of the seal
and the head of the log, and every log line holds the one before it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from webapp.domain.protocol import archive, log
from webapp.domain.protocol.evidence import check
from webapp.domain.protocol.report import Report
from webapp.domain.protocol.texts import fingerprint

_README = """\
Evidence of prize draw {draw}
{line}

Fingerprint of the sealed draw (SHA-256 of seal.json):
{fingerprint}
Compare all 64 digits with the fingerprint that was given out before the draw.

How to check everything else, with Python 3.11 or newer and no network:
    python3 -I verify_draw.py
It prints one line per check: ok, FAIL, or look where only a person can compare.

seal.json          rules, prizes, reserves, the list's hash, the operator's committed code, the named public source
entries.csv        the frozen list: entry, pseudonym, tickets, salted check, status
result-r.json      round r: revealed code, public value, seed, winners and reserves
redraw-r.json      declared before round r: the vacated slots and everybody it skips
log.jsonl          what happened, each line holding the hash of the one before
certificate.html   the same for people, with the fingerprint of the seal and the head of the log
verify_draw.py     the check itself; its rules: every ticket's number is SHA-256(seed, entry, ticket), lowest numbers win
SHA256SUMS         the hash of every file above; `sha256sum -c SHA256SUMS` reads it too

What this does not show: that every entry belongs to a real person, or that nobody was left out before the seal.
"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What goes into a bundle; `entries` is `entries.csv` in chunks, `results[0]` is round 1, `redraws[0]` round 2."""

    draw: str
    seal: bytes
    entries: Iterable[bytes]
    log: bytes
    certificate: bytes
    results: Sequence[bytes] = ()
    redraws: Sequence[bytes] = ()
    terms: bytes | None = None
    timestamp: bytes | None = None


def pins(seal: bytes, log_bytes: bytes) -> str:
    """The two lines that the head of `certificate.html` must hold, safe to put into the page as they are."""
    return (
        f'<meta name="largesse-seal" content="{fingerprint(seal)}">\n'
        f'<meta name="largesse-log-head" content="{log.head(log_bytes)}">'
    )


def readme(draw: str, seal: bytes) -> bytes:
    """The bytes of `README.txt`."""
    title = f"Evidence of prize draw {draw}"
    return _README.format(draw=draw, line="=" * len(title), fingerprint=fingerprint(seal)).encode()


def verifier() -> bytes:
    """The verifier that travels in the bundle."""
    return Path(__file__).with_name("verify_draw.py").read_bytes()


def files(evidence: Evidence) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Every file of the bundle as (name, chunks), in order; take the chunks of one before asking for the next."""
    digests: dict[str, str] = {}
    for name, chunks in _parts(evidence):
        yield name, _hashed(name, chunks, digests)
    yield "SHA256SUMS", [f"{digests[name]}  {name}\n".encode() for name in sorted(digests)]


def write_zip(evidence: Evidence) -> Iterator[bytes]:
    """The bundle as a stream of bytes: the same input gives the same files, and memory stays at one chunk."""
    return archive.stream(files(evidence))


def verify(path: Path | str) -> Report:
    """Check a bundle, zip or folder, from its own bytes alone; about 10 CPU seconds per million entries."""
    return check(Path(path))


def _parts(evidence: Evidence) -> Iterator[tuple[str, Iterable[bytes]]]:
    yield "README.txt", [readme(evidence.draw, evidence.seal)]
    yield "seal.json", [evidence.seal]
    yield "entries.csv", evidence.entries
    for number, result in enumerate(evidence.results, 1):
        yield f"result-{number}.json", [result]
    for number, redraw in enumerate(evidence.redraws, 2):
        yield f"redraw-{number}.json", [redraw]
    yield "log.jsonl", [evidence.log]
    if evidence.terms is not None:
        yield "terms.txt", [evidence.terms]
    if evidence.timestamp is not None:
        yield "seal.tsr", [evidence.timestamp]
    yield "certificate.html", [evidence.certificate]
    yield "verify_draw.py", [verifier()]


def _hashed(name: str, chunks: Iterable[bytes], digests: dict[str, str]) -> Iterator[bytes]:
    digest = sha256()
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    digests[name] = digest.hexdigest()
