"""The published vectors of draw/1, and evidence bundles made of them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from webapp.domain.protocol import bundle

FOLDER = Path(__file__).parents[2] / "data" / "draw-vectors"


@cache
def load(name: str) -> Any:
    """One vector file by the beginning of its name, for example «01»."""
    return json.loads(next(FOLDER.glob(f"{name}-*.json")).read_text(encoding="utf-8"))


def secret() -> bytes:
    """The operator's secret behind every code in the vectors."""
    return bytes.fromhex(load("01")["code_chain"]["secret"])


def draws() -> dict[str, dict[str, bytes]]:
    """Every complete draw of vectors 02, 03, 05 and 06: name → file name → bytes."""
    found = {"02 ten entries": load("02")["files"], "06 redraw": load("06")["files"]}
    found |= {f"03 weighted per {per}": files for per, files in load("03")["modes"].items()}
    found |= {f"05 {draw['name']}": draw["files"] for draw in load("05")["draws"]}
    return {name: {file: told["text"].encode() for file, told in files.items()} for name, files in found.items()}


def evidence(files: Mapping[str, bytes]) -> bundle.Evidence:
    """What a bundle of these files holds, with a certificate that pins them."""
    page = f"<!doctype html>\n<title>Certificate</title>\n{bundle.pins(files['seal.json'], files['log.jsonl'])}\n"
    return bundle.Evidence(
        draw=json.loads(files["seal.json"])["draw"],
        seal=files["seal.json"],
        entries=[files["entries.csv"]],
        log=files["log.jsonl"],
        certificate=page.encode(),
        results=[files[name] for name in sorted(files) if name.startswith("result-")],
        redraws=[files[name] for name in sorted(files) if name.startswith("redraw-")],
        terms=files.get("terms.txt"),
    )


def write_zip(files: Mapping[str, bytes], path: Path) -> Path:
    """The bundle as a zip."""
    path.write_bytes(b"".join(bundle.write_zip(evidence(files))))
    return path


def write_folder(files: Mapping[str, bytes], path: Path) -> Path:
    """The bundle as a folder."""
    path.mkdir()
    for name, chunks in bundle.files(evidence(files)):
        (path / name).write_bytes(b"".join(chunks))
    return path
