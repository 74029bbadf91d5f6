"""Checking a bundle from its own bytes: what is proved, what is refused, and what a person must still compare.

Evidence may come from anybody, so each check expects damaged and hostile files; a fault ends that check and the report
goes on (draws.md 3.7, vector 06).
"""

import re
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from webapp.domain.protocol import FORMAT, codes, declarations, drand, log, results, seed
from webapp.domain.protocol.archive import Files, require_untouched
from webapp.domain.protocol.awarding import Awards
from webapp.domain.protocol.entries import EntriesSeal, Sealer, read_entries
from webapp.domain.protocol.errors import ProtocolError
from webapp.domain.protocol.ranking import Ranking
from webapp.domain.protocol.report import DAMAGE, Report
from webapp.domain.protocol.texts import LEAD, fingerprint, instant, read_json

REQUIRED = ("README.txt", "seal.json", "entries.csv", "log.jsonl", "certificate.html", "verify_draw.py", "SHA256SUMS")
_NUMBERED = re.compile(r"(result|redraw)-([1-9]|1[0-5])\.json")
_OPTIONAL = re.compile(rf"terms\.(txt|pdf)|seal\.tsr|(?!redraw-1\.){_NUMBERED.pattern}")
_PIN = re.compile(rb'<meta name="largesse-(seal|log-head)" content="([0-9a-f]{64})">')
_BATCH = 4096

Json = dict[str, Any]


def check(path: Path) -> Report:
    """The report on a bundle, zip or folder; memory stays the same at any length of the list."""
    report = Report()
    try:
        files = Files(path)
    except DAMAGE as problem:
        report.fail("the evidence can be opened", str(problem))
        return report
    with files:
        _Check(files, report).run()
    return report


class _Check:
    """One pass over one bundle; files are remembered once they read well."""

    def __init__(self, files: Files, report: Report) -> None:
        self.files, self.report = files, report
        self.raw: dict[str, bytes] = {}
        self.json: dict[str, Json] = {}
        self.rankings: dict[int, Ranking] = {}
        numbered = [found for found in map(_NUMBERED.fullmatch, sorted(set(files.names))) if found]
        self.drawn = sorted(int(found[2]) for found in numbered if found[1] == "result")
        self.declared = sorted(int(found[2]) for found in numbered if found[1] == "redraw")
        self.last = max([*self.drawn, *self.declared], default=1)

    def run(self) -> None:
        """Every check, the hashes of the files last, so that the first failure says what a change means."""
        if self.files.archive:
            self.report.check("the zip is byte for byte as it was written", self._container)
        self._names()
        self.report.check(f"seal.json is a {FORMAT} seal", self._seal)
        if "seal.json" in self.json:
            self._draw()
        self._sums()
        self._quietly(self._look)

    def _draw(self) -> None:
        self._load_rounds()
        self._entries()
        self.report.check("opened with this code commitment, then sealed once, with this seal", self._opened)
        for number in range(1, self.last + 1):
            self._round(number)
        self._log()
        self._terms()
        self.report.check("certificate.html names this seal and the end of this log", self._certificate)

    @staticmethod
    def _quietly(step: Callable[[], object]) -> None:
        """Prepare something whose own check fails, and says so, when this did."""
        try:
            step()
        except DAMAGE:
            return

    # The files and the seal

    def _container(self) -> None:
        require_untouched(self.files.path, len(self.files.names))

    def _names(self) -> None:
        names = self.files.names
        known = {name for name in names if name in REQUIRED or _OPTIONAL.fullmatch(name)}
        faults = [f"{name} is missing" for name in REQUIRED if name not in names]
        faults += [
            f"{name} is one too many" for name in sorted(set(names)) if name not in known or names.count(name) > 1
        ]
        what = "every file of the evidence is here, and no other"
        self.report.check("; ".join([what, *faults]), lambda: not faults)

    def _load(self, name: str) -> Json:
        if name not in self.json:
            self.raw[name] = self.files.read(name)
            self.json[name] = read_json(self.raw[name], name)
        return self.json[name]

    def _seal(self) -> bool:
        sealed = self._load("seal.json")
        declarations.plan(self.raw["seal.json"])
        return bool(sealed["format"] == FORMAT and sealed["code"]["chain"] == codes.LENGTH)

    def _load_rounds(self) -> None:
        """Prepare one ranking per drawn round, so that the list is read once for all of them."""
        for number in self.declared:
            self._quietly(partial(self._load, f"redraw-{number}.json"))
        for number in self.drawn:
            self._quietly(partial(self._prepare, number))

    def _prepare(self, number: int) -> None:
        self.rankings[number] = self._told(number).ranking()

    def _told(self, number: int) -> results.Round:
        """The round as its result tells it."""
        result = self._load(f"result-{number}.json")
        public = results.PublicValue(**result["public"])
        redraw = self.raw[f"redraw-{number}.json"] if number > 1 else None
        return results.Round(number, self.raw["seal.json"], result["code"], public, redraw)

    def _entries(self) -> None:
        told = self.json["seal.json"].get("entries")
        counts = (told.get("count"), told.get("tickets")) if isinstance(told, dict) else ("?", "?")
        what = f"entries.csv is exactly the sealed list: {counts[0]} entries, {counts[1]} tickets"
        self.report.check(what, lambda: self._rank_list() == EntriesSeal(**self.json["seal.json"]["entries"]))

    def _rank_list(self) -> EntriesSeal:
        sealer, rankings = Sealer(), self.rankings
        self.rankings = {}
        with self.files.open("entries.csv") as file:
            rows = read_entries(file, sealer)
            while batch := list(islice(rows, _BATCH)):
                for ranking in rankings.values():
                    ranking.add(batch)
        self.rankings = rankings  # only a list that reads to its end has an order
        return sealer.seal()

    def _opened(self) -> bool:
        events = map(self._event, self._lines())
        facts = [(told.get("event"), told.get("commit"), told.get("seal")) for told in events]
        commit, seal = self.json["seal.json"]["code"]["commit"], fingerprint(self.raw["seal.json"])
        fixed = [fact for fact in facts if fact[0] in {log.Event.OPENED, log.Event.SEALED}]
        return fixed == [("opened", commit, None), ("sealed", None, seal)]

    # The rounds

    def _round(self, number: int) -> None:
        if number > 1:
            self.report.check(
                f"redraw-{number}.json continues this draw and skips everyone already placed",
                partial(self._continues, number),
            )
        self.report.check(
            f"round {number}: public value was not due before the declaration",
            partial(self._due, number),
        )
        if number == self.last and number not in self.drawn:
            self.report.look(f"round {number}: declared and not yet drawn")
            return
        for what, test in (
            (f"result-{number}.json answers this declaration", self._answers),
            ("code was committed in advance", self._code),
            ("public value is of the source that was named", self._public),
            ("winners and reserves recomputed, identical", self._recomputed),
        ):
            self.report.check(f"round {number}: {what}", partial(test, number))

    @staticmethod
    def _declaration(number: int) -> str:
        return f"redraw-{number}.json" if number > 1 else "seal.json"

    def _continues(self, number: int) -> bool:
        redraw, seal = self._load(f"redraw-{number}.json"), self.raw["seal.json"]
        earlier = [self._load(f"result-{n}.json") for n in range(1, number)]
        plan = declarations.plan(seal)
        expected = {
            "format": FORMAT,
            "draw": plan.draw,
            "round": number,
            "seal": fingerprint(seal),
            "previous": fingerprint(self.raw[f"result-{number - 1}.json"]),
            "skip": declarations.placed(earlier, plan.per),
        }
        slots = set(redraw["slots"])
        return (
            {key: redraw[key] for key in expected} == expected
            and slots <= set(plan.slots)
            and len(slots) == len(redraw["slots"])
        )

    def _due(self, number: int) -> bool:
        declaration = self._load(self._declaration(number))
        dated = declaration["declared_at" if number > 1 else "sealed_at"]
        return declarations.due(declaration) >= instant(dated)

    def _hurried(self, number: int) -> bool:
        """Whether the fingerprint had too little time to be with anybody outside (draws.md 3.3 «Recorded»)."""
        declaration = self._load(self._declaration(number))
        dated = declaration["declared_at" if number > 1 else "sealed_at"]
        return declarations.due(declaration) < instant(dated) + LEAD

    def _answers(self, number: int) -> bool:
        result, declared = self._load(f"result-{number}.json"), self.raw[self._declaration(number)]
        told = (result["format"], result["draw"], result["round"], result["declaration"])
        return told == (FORMAT, self.json["seal.json"]["draw"], number, fingerprint(declared))

    def _code(self, number: int) -> bool:
        code = self._load(f"result-{number}.json")["code"]
        return codes.check(code, number, self.json["seal.json"]["code"]["commit"])

    def _public(self, number: int) -> bool:
        public = results.PublicValue(**self._load(f"result-{number}.json")["public"])
        source = self._load(self._declaration(number))["seed_source"]
        seed.check_value(public.value)
        if public.kind != source["kind"]:
            return False
        if public.kind == "witnessed":
            return public.round is None and public.signature is None
        signature = public.signature or ""
        if public.round != source["round"] or not drand.verify(source["round"], signature):
            raise ProtocolError(f"The signature is not the one of round {source['round']} of {drand.QUICKNET.name}.")
        return public.value == drand.randomness(signature)

    def _recomputed(self, number: int) -> bool:
        told, result = self._told(number), self._load(f"result-{number}.json")
        expected = {"seed": told.seed().hex(), **results.outcome(told.plan(), self.rankings[number].places())}
        return {key: result[key] for key in expected} == expected

    # What happened, and the pins

    def _log(self) -> None:
        awards = Awards(self._known("result", self.drawn), self._known("redraw", self.declared))
        before: Json | None = None
        last: bytes | None = None
        for number, line in enumerate(self._lines(), 1):
            told = self._event(line)
            test = partial(self._step, awards, told, before, last)
            self.report.check(f"log {number}: {told.get('event')}", test)
            before, last = told, line
        expected = ((self.drawn or [0])[-1], max(1, self.last))
        self.report.check("log.jsonl tells of every round", lambda: (awards.drawn, awards.declared) == expected)

    def _lines(self) -> list[bytes]:
        try:
            return log.lines(self.files.read("log.jsonl"))
        except DAMAGE:
            return []

    @staticmethod
    def _event(line: bytes) -> Json:
        try:
            return read_json(line, "the line")
        except ProtocolError:
            return {}

    @staticmethod
    def _step(awards: Awards, told: Json, before: Json | None, last: bytes | None) -> bool:
        awards.apply(told)
        return log.follows(told, before, last)

    def _known(self, kind: str, numbers: list[int]) -> dict[int, tuple[str, Json]]:
        names = {number: f"{kind}-{number}.json" for number in numbers}
        return {n: (fingerprint(self.raw[name]), self.json[name]) for n, name in names.items() if name in self.json}

    def _terms(self) -> None:
        terms = self.json["seal.json"].get("terms")
        named = sorted({name for name in self.files.names if name.startswith("terms.")})
        if terms or named:
            self.report.check(
                f"{', '.join(named) or 'terms.txt'} is the text the seal names",
                lambda: [self.files.fingerprint(name) for name in named] == [(terms or {})["sha256"]],
            )

    def _certificate(self) -> bool:
        pinned = _PIN.findall(self.files.read("certificate.html"))
        head = log.head(self.files.read("log.jsonl"))
        expected = [(b"log-head", head.encode()), (b"seal", fingerprint(self.raw["seal.json"]).encode())]
        return sorted(pinned) == expected

    def _sums(self) -> None:
        told: list[bytes] = []
        self._quietly(lambda: told.extend(self.files.read("SHA256SUMS").splitlines(keepends=True)))
        lines = [(name, self._sum(name)) for name in sorted(set(self.files.names) - {"SHA256SUMS"})]
        for name, line in lines:
            self.report.check(f"SHA256SUMS agrees with {name}", partial(told.__contains__, line))
        self.report.check(
            "SHA256SUMS lists every other file once, in order", lambda: told == [line for _, line in lines]
        )

    def _sum(self, name: str) -> bytes:
        try:
            return f"{self.files.fingerprint(name)}  {name}\n".encode()
        except DAMAGE:
            return b""

    def _look(self) -> None:
        """What a person compares with what was handed out."""
        sealed, look = self.json["seal.json"], self.report.look
        look(f"fingerprint {fingerprint(self.raw['seal.json'])}: is it the one given out before the draw?")
        look(f"sealed at {sealed['sealed_at']}, as dated by the operator")
        for number in self.drawn:
            value = self.json[f"result-{number}.json"]["public"]["value"]
            source = self.json[self._declaration(number)]["seed_source"]
            named = source["what"] if source["kind"] == "witnessed" else f"drand round {source['round']}"
            look(f"round {number}: is {value} the value of this source: {named}?")
            if self._hurried(number):
                look(
                    f"round {number}: under 10 minutes lay between the declaration and the value: Recorded, not Witnessed"
                )
        look(f"log head {log.head(self.files.read('log.jsonl'))}: is it the one published?")
