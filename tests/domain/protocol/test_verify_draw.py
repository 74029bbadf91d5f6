"""The verifier that travels in the bundle, run the way an outsider runs it: `python3 -I`, nothing of ours beside it."""

import ast
import subprocess
import sys

import pytest

from tests.domain.protocol import vectors
from tests.domain.protocol.test_bundle import CHANGES, REDRAW, TAMPERING, drand_draw
from webapp.domain.protocol import bundle, verify_draw

DRAWS = vectors.draws()


def run(script, *arguments):
    """Exit status and lines."""
    done = subprocess.run(
        [sys.executable, "-I", str(script), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert not done.stderr
    return done.returncode, done.stdout.splitlines()


def verdicts(lines):
    return [line for line in lines if not line.startswith(" ")]


def test_it_imports_nothing_but_the_standard_library():
    for node in ast.walk(ast.parse(bundle.verifier())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
            assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize("name", DRAWS)
def test_it_accepts_a_bundle_of_the_vectors(name, tmp_path):
    path = vectors.write_zip(DRAWS[name], tmp_path / "bundle.zip")
    (tmp_path / "verify.py").write_bytes(bundle.verifier())
    assert run(tmp_path / "verify.py", path) == (0, bundle.verify(path).lines)


def test_it_checks_the_folder_it_lies_in(tmp_path):
    path = vectors.write_folder(REDRAW, tmp_path / "bundle")
    assert run(path / "verify_draw.py") == (0, bundle.verify(path).lines)


def test_it_accepts_a_beacon_draw(tmp_path):
    path = vectors.write_folder(drand_draw(), tmp_path / "bundle")
    assert run(path / "verify_draw.py")[0] == 0


@pytest.mark.parametrize("told", TAMPERING, ids=lambda told: told["change"])
def test_it_refuses_a_tampering_of_vector_06_in_the_published_words(told, tmp_path):
    path = vectors.write_folder(REDRAW | CHANGES[told["change"]](REDRAW), tmp_path / "bundle")
    status, lines = run(path / "verify_draw.py")
    assert status == 1
    assert next(line for line in lines if line.startswith("FAIL")) == told["verifier_says"]
    assert lines == verdicts(bundle.verify(path).lines)


def test_it_refuses_what_it_cannot_open(tmp_path):
    (tmp_path / "verify.py").write_bytes(bundle.verifier())
    status, lines = run(tmp_path / "verify.py", tmp_path / "nothing.zip")
    assert status == 1
    assert lines[0] == "FAIL  the evidence can be opened"


@pytest.mark.parametrize("told", vectors.load("07")["beacons"], ids=lambda told: f"round {told['round']}")
def test_its_own_reading_of_the_beacons_signature_agrees(told):
    assert verify_draw.beacon_is_genuine(told["round"], bytes.fromhex(told["signature"])) is told["valid"]
    assert verify_draw.chain_hash() == vectors.load("07")["chain"]["chain_hash"]


def test_its_own_reading_of_the_hash_to_the_curve_agrees():
    told = vectors.load("11")
    point = verify_draw.hash_to_curve(bytes.fromhex(told["message"]))
    assert point == (int(told["hash_to_g1"]["x"], 16), int(told["hash_to_g1"]["y"], 16))
