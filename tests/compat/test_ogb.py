"""OGB's package opens sets on the disk through the compatibility layer as it does on DGL 2.1.0.

`golden/ogb.json` was recorded by `ogb_datasets.py`, which says how. To run this test, install
``ogb==1.3.6``.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "golden" / "ogb.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the program prints when it runs unchanged on Gossamer."""
    if importlib.util.find_spec("ogb") is None:
        pytest.skip("ogb is not installed")
    program = [str(HERE / "ogb_datasets.py"), str(tmp_path_factory.mktemp("sets"))]
    command = [sys.executable, "-m", "gossamer.compat.dgl", *program]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_record_is_of_every_kind_of_set() -> None:
    assert list(RECORDED) == ["nodes", "kinds", "links", "graphs"]
    assert RECORDED["nodes"][0]["nodes"] == {"_N": 10}


@pytest.mark.parametrize("kind", RECORDED)
def test_same_set(opened: dict[str, object], kind: str) -> None:
    assert opened[kind] == RECORDED[kind]
