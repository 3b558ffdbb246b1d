"""dgllife builds through the compatibility layer the graphs that it builds on DGL 2.1.0.

`golden/dgllife.json` was recorded by `dgllife_graphs.py`, which says how. To run this test, install
``rdkit`` and, without its dependency DGL, ``pip install --no-deps dgllife==0.3.2``.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import shared_data

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "golden" / "dgllife.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def built() -> dict[str, object]:
    """What the program prints when it runs unchanged on Gossamer."""
    for package in ("dgllife", "rdkit"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    program = [str(HERE / "dgllife_graphs.py"), str(shared_data("moleculenet"))]
    command = [sys.executable, "-m", "gossamer.compat.dgl", *program]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_record_is_of_many_graphs() -> None:
    kinds = {name.partition(" ")[0] for name in RECORDED}
    assert len(kinds) == 8
    assert len(RECORDED) > 300


@pytest.mark.parametrize("kind", sorted({name.partition(" ")[0] for name in RECORDED}))
def test_same_graphs(built: dict[str, object], kind: str) -> None:
    expected = {name: graph for name, graph in RECORDED.items() if name.split()[0] == kind}
    assert {name: built.get(name) for name in expected} == expected
