"""The evidence bundle: written as a stream, checked from its own bytes, refused after any change (P8)."""

import io
import json
import re
import tracemalloc
import zipfile

import pytest

from tests.domain.protocol import vectors
from webapp.domain.protocol import bundle, codes, drand, entries, log, results, verify_draw
from webapp.domain.protocol.declarations import DrandRound, Prize, Seal, seal_json
from webapp.domain.protocol.ranking import Per
from webapp.domain.protocol.texts import fingerprint, instant

DRAWS = vectors.draws()
REDRAW = DRAWS["06 redraw"]
TAMPERING = vectors.load("06")["tampering_the_verifier_must_catch"]
FILES = sorted(name for name, _ in bundle.files(vectors.evidence(REDRAW)))
COPIES_OF_EACH_FILE = 60
SECRET = vectors.secret()


def verdicts(lines):
    """The lines both verifiers print: reasons are indented and only one of them prints any."""
    return [line for line in lines if not line.startswith(" ")]


def second_reading(path):
    """The report of the verifier in the bundle, in this process."""
    return verify_draw.Check(verify_draw.Files(path)).run()


def drand_draw():
    """A draw whose value is the beacon round of vector 07, with the terms sealed as well."""
    beacon = vectors.load("07")["beacons"][0]
    lines = [entries.row(n, f"h{n}", n, "ab" * 32) for n in range(1, 8)]
    kept = []
    seal = seal_json(
        Seal(
            draw="D-beacon",
            sealed_at=instant("2023-09-15T10:00:00Z"),
            per=Per.HOLDER,
            prizes=[Prize("car", "Car", 2)],
            reserves=1,
            entries=entries.seal_entries(lines, kept.append),
            commit=codes.commit(SECRET),
            source=DrandRound(beacon["round"]),
            terms_sha256=fingerprint(b"The terms."),
        )
    )
    file = b"".join(kept)
    value = results.PublicValue.beacon(drand.read_beacon(json.dumps(beacon), beacon["round"]), "the scheduler")
    drawn = results.Round(1, seal, codes.reveal(SECRET, 1), value)
    result = results.draw(drawn, entries.read_entries(io.BytesIO(file)))
    at, written, last = instant("2023-09-15T09:00:00Z"), b"", None
    for event, facts in (
        (log.Event.OPENED, {"commit": codes.commit(SECRET)}),
        (log.Event.SEALED, {"seal": fingerprint(seal)}),
        (log.Event.DRAWN, {"round": 1, "result": fingerprint(result)}),
    ):
        last = log.append(last, at, event, **facts)
        written += last + b"\n"
    return {
        "seal.json": seal,
        "entries.csv": file,
        "result-1.json": result,
        "log.jsonl": written,
        "terms.txt": b"The terms.",
    }


def swap_winners(files):
    told = json.loads(files["result-1.json"])
    first, second = told["winners"][:2]
    for key in ("entry", "holder", "ticket", "number"):
        first[key], second[key] = second[key], first[key]
    return {"result-1.json": json.dumps(told, indent=1).encode() + b"\n"}


def in_file(name, old, new):
    """A change that replaces the first match of a pattern in one file."""

    def change(files):
        changed, count = re.subn(old, new, files[name], count=1)
        assert count == 1
        return {name: changed}

    return change


CHANGES = {
    "one hex digit of a check in entries.csv": in_file("entries.csv", b"a168edd5", b"b168edd5"),
    "an entry appended": in_file("entries.csv", rb"\Z", b"11,h1,1," + b"a" * 64 + b",ok\n"),
    "a row made heavier": in_file("entries.csv", b"(?m)^(4,h0f9cbcd1251c48439bf4),1,", rb"\1,5,"),
    "result: first two winners swapped": swap_winners,
    "result: other public value": in_file("result-1.json", b"63454660390103169462", b"63454660390103169463"),
    "result: other code": in_file("result-1.json", b'"code": "9', b'"code": "8'),
    "seal: prize quantity": in_file("seal.json", b'"quantity": 2', b'"quantity": 3'),
    "log: the decline removed": in_file("log.jsonl", b'(?m)^.*"declined".*\n', b""),
    "log: a reason rewritten": in_file("log.jsonl", b"does not want it", b"prefers the car."),
    "redraw: skip list shortened": in_file("redraw-2.json", b'  "h0bd315486e7beb6a139c",\n', b""),
}


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("write", [vectors.write_zip, vectors.write_folder], ids=["zip", "folder"])
def test_a_bundle_of_the_vectors_is_accepted(name, write, tmp_path):
    path = write(DRAWS[name], tmp_path / "bundle")
    report = bundle.verify(path)
    assert report.ok, report.failures
    assert verdicts(report.lines) == second_reading(path)


def test_a_beacon_draw_is_accepted_with_its_signature_and_terms(tmp_path):
    path = vectors.write_zip(drand_draw(), tmp_path / "bundle")
    report = bundle.verify(path)
    assert report.ok, report.failures
    assert "ok    round 1: public value is of the source that was named" in report.lines
    assert "ok    terms.txt is the text the seal names" in report.lines
    assert verdicts(report.lines) == second_reading(path)


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        (b'"signature": "b7', b'"signature": "a7', "round 1: public value is of the source that was named"),
        (b'"round": 657413', b'"round": 657414', "round 1: public value is of the source that was named"),
        (b'"value": "f', b'"value": "e', "round 1: public value is of the source that was named"),
        (b'"kind": "drand"', b'"kind": "dream"', "round 1: public value is of the source that was named"),
    ],
)
def test_a_beacon_that_is_not_genuine_is_refused(old, new, refused, tmp_path):
    files = drand_draw()
    files["result-1.json"] = files["result-1.json"].replace(old, new, 1)
    path = vectors.write_folder(files, tmp_path / "bundle")
    report = bundle.verify(path)
    assert f"FAIL  {refused}" in report.failures
    assert verdicts(report.lines) == second_reading(path)


def test_every_tampering_of_vector_06_has_a_test():
    assert [told["change"] for told in TAMPERING] == list(CHANGES)


@pytest.mark.parametrize("told", TAMPERING, ids=lambda told: told["change"])
@pytest.mark.parametrize("consistent", [False, True], ids=["file changed", "hashes and pins rewritten"])
def test_a_tampering_of_vector_06_is_refused_in_the_published_words(told, consistent, tmp_path):
    changed = CHANGES[told["change"]](REDRAW)
    if consistent:
        path = vectors.write_folder(REDRAW | changed, tmp_path / "bundle")
    else:
        path = vectors.write_folder(REDRAW, tmp_path / "bundle")
        for name, data in changed.items():
            (path / name).write_bytes(data)
    report = bundle.verify(path)
    assert report.failures[0] == told["verifier_says"]
    assert verdicts(report.lines) == second_reading(path)


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_refused_and_the_file_named(name, tmp_path):
    path = vectors.write_folder(REDRAW, tmp_path / "bundle")
    original = (path / name).read_bytes()
    for copy in range(COPIES_OF_EACH_FILE):
        at = copy * (len(original) - 1) // (COPIES_OF_EACH_FILE - 1)
        changed = original[at] ^ (1 + copy * 37 % 255)
        (path / name).write_bytes(original[:at] + bytes([changed]) + original[at + 1 :])
        report = bundle.verify(path)
        assert any(name in line for line in report.failures), (at, report.failures)
        assert verdicts(report.lines) == second_reading(path), at


def test_one_changed_byte_of_the_zip_is_refused(tmp_path):
    path = vectors.write_zip(REDRAW, tmp_path / "bundle.zip")
    original = path.read_bytes()
    places = {*range(0, len(original), len(original) // 150), *range(len(original) - 110, len(original))}
    for at in sorted(places):
        path.write_bytes(original[:at] + bytes([original[at] ^ (1 + at * 37 % 255)]) + original[at + 1 :])
        report = bundle.verify(path)
        assert not report.ok, at


@pytest.mark.parametrize("cut", [1, 78, 100, 5000])
def test_a_zip_cut_short_or_lengthened_is_refused(cut, tmp_path):
    path = vectors.write_zip(REDRAW, tmp_path / "bundle.zip")
    original = path.read_bytes()
    for data in (original[:-cut], original[cut:], original + bytes(cut), bytes(cut) + original):
        path.write_bytes(data)
        assert not bundle.verify(path).ok


def members(path):
    with zipfile.ZipFile(path) as archive:
        return [(info, archive.read(info)) for info in archive.infolist()]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: found[1:], "README.txt is missing"),
        (lambda found: [*found, (zipfile.ZipInfo("extra.txt"), b"x")], "extra.txt is one too many"),
        (lambda found: [*found, (zipfile.ZipInfo("../up.txt"), b"x")], "../up.txt is one too many"),
        (lambda found: [*found, found[1]], "seal.json is one too many"),
        (lambda found: [(zipfile.ZipInfo("readme.txt"), found[0][1]), *found[1:]], "readme.txt is one too many"),
        (lambda found: [*found, (zipfile.ZipInfo("result-16.json"), b"{}")], "result-16.json is one too many"),
        (lambda found: found, "the zip is byte for byte as it was written"),
    ],
    ids=["missing", "extra", "outside", "twice", "other case", "round 16", "packed again"],
)
def test_a_zip_with_other_members_is_refused(change, says, tmp_path):
    found = change(members(vectors.write_zip(REDRAW, tmp_path / "bundle.zip")))
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        for info, data in found:
            archive.writestr(info.filename, data)
    report = bundle.verify(tmp_path / "other.zip")
    assert any(says in line for line in report.failures)
    assert verdicts(report.lines) == second_reading(tmp_path / "other.zip")


def test_an_unpacked_bundle_is_accepted_and_an_extra_file_is_not(tmp_path):
    with zipfile.ZipFile(vectors.write_zip(REDRAW, tmp_path / "bundle.zip")) as archive:
        archive.extractall(tmp_path / "folder")
    assert bundle.verify(tmp_path / "folder").ok
    (tmp_path / "folder" / "notes.txt").write_text("mine")
    assert any("notes.txt is one too many" in line for line in bundle.verify(tmp_path / "folder").failures)


def test_the_same_draw_makes_the_same_zip(tmp_path):
    first, second = (vectors.write_zip(REDRAW, tmp_path / name).read_bytes() for name in ("a", "b"))
    assert first == second
    assert all(info.date_time == (1980, 1, 1, 0, 0, 0) for info, _ in members(tmp_path / "a"))


def test_the_last_line_of_the_log_cannot_be_cut_off(tmp_path):
    shorter = b"".join(REDRAW["log.jsonl"].splitlines(keepends=True)[:-1])
    path = vectors.write_folder(REDRAW, tmp_path / "bundle")
    sums = (path / "SHA256SUMS").read_text()
    (path / "log.jsonl").write_bytes(shorter)
    (path / "SHA256SUMS").write_text(sums.replace(fingerprint(REDRAW["log.jsonl"]), fingerprint(shorter)))
    assert bundle.verify(path).failures == ["FAIL  certificate.html names this seal and the end of this log"]


def test_a_sealed_draw_not_yet_drawn_is_accepted(tmp_path):
    opened = b"".join(REDRAW["log.jsonl"].splitlines(keepends=True)[:2])
    files = {name: REDRAW[name] for name in ("seal.json", "entries.csv")} | {"log.jsonl": opened}
    path = vectors.write_folder(files, tmp_path / "bundle")
    report = bundle.verify(path)
    assert report.ok
    assert "look  round 1: declared and not yet drawn" in report.lines
    assert verdicts(report.lines) == second_reading(path)


def test_a_declared_redraw_not_yet_drawn_is_accepted(tmp_path):
    declared = b"".join(REDRAW["log.jsonl"].splitlines(keepends=True)[:9])
    files = {name: data for name, data in REDRAW.items() if name != "result-2.json"} | {"log.jsonl": declared}
    path = vectors.write_folder(files, tmp_path / "bundle")
    report = bundle.verify(path)
    assert report.ok, report.failures
    assert verdicts(report.lines) == second_reading(path)


HOSTILE = {
    "quantity of a billion": ("seal.json", b'"quantity": 2', b'"quantity": 2000000000'),
    "negative reserves": ("seal.json", b'"reserves": 1', b'"reserves": -1'),
    "unknown rule": ("seal.json", b'"per": "holder"', b'"per": "hunger"'),
    "a list for a seal": ("seal.json", b"(?s).*", b"[]"),
    "deep nesting": ("seal.json", b"(?s).*", b"[" * 100_000),
    "text for entries": ("seal.json", b'(?s)"entries": {.*?}', b'"entries": "\\\\u001b[31m"'),
    "text for rules": ("seal.json", b'(?s)"rules": {.*?}', b'"rules": "x"'),
    "number for a code": ("result-1.json", b'"code": "[0-9a-f]+"', b'"code": 7'),
    "text for winners": ("result-1.json", b'(?s)"winners": \\[.*?\\]', b'"winners": "x"'),
    "text for a round": ("log.jsonl", b'"round":1', b'"round":"1"'),
    "text for a number": ("log.jsonl", b'"n":4', b'"n":"four"'),
    "a line that is no JSON": ("log.jsonl", b'{"n":4', b"{"),
    "a list for a slot": ("log.jsonl", b'"slot":"car#1"', b'"slot":["car#1"]'),
    "an escape sequence": ("log.jsonl", b'"accepted"', b'"\\\\u001b[2Jaccepted"'),
    "an impossible date": ("redraw-2.json", b"2026-12-20T09", b"2026-13-20T09"),
    "text for slots": ("redraw-2.json", b'(?s)"slots": \\[.*?\\]', b'"slots": 7'),
    "not UTF-8": ("seal.json", b"Car", b"\xff\xfe"),
    "empty log": ("log.jsonl", b"(?s).*", b""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_evidence_is_refused_and_never_breaks_the_check(name, tmp_path):
    file, old, new = HOSTILE[name]
    path = vectors.write_folder(REDRAW, tmp_path / "bundle")
    (path / file).write_bytes(re.sub(old, new, REDRAW[file], count=1))
    report = bundle.verify(path)
    assert any(file in line for line in report.failures)
    assert not any("\x1b" in line for line in report.lines)
    assert report.failures[0] == next(line for line in second_reading(path) if line.startswith("FAIL"))


def test_what_is_no_bundle_is_refused(tmp_path):
    (tmp_path / "file.zip").write_bytes(b"not a zip")
    for path in (tmp_path / "file.zip", tmp_path / "nothing"):
        assert bundle.verify(path).failures == ["FAIL  the evidence can be opened"]
    (tmp_path / "empty").mkdir()
    assert not bundle.verify(tmp_path / "empty").ok


def test_a_long_list_is_written_and_checked_in_little_memory(tmp_path):
    lines = (entries.row(n, f"h{n:020x}", 1, f"{n:064x}") for n in range(1, 60_001))
    kept = tmp_path / "entries.csv"
    with kept.open("wb") as file:
        seal = entries.seal_entries(lines, file.write)
    told = json.loads(REDRAW["seal.json"])
    told["entries"] = {"count": 1, "eligible": 1, "tickets": 1, "sha256": seal.sha256, "root": seal.root}
    files = REDRAW | {"seal.json": json.dumps(told, indent=1).encode()}
    evidence = vectors.evidence(files)
    tracemalloc.start()
    with kept.open("rb") as file, (tmp_path / "bundle.zip").open("wb") as written:
        chunks = iter(lambda: file.read(65536), b"")
        for piece in bundle.write_zip(bundle.Evidence(evidence.draw, evidence.seal, chunks, evidence.log, b"")):
            written.write(piece)
    bundle.verify(tmp_path / "bundle.zip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000 < kept.stat().st_size
