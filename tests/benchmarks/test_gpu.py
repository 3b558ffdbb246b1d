"""The command for GPUs, end to end on Triton's interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")
from benchmarks import gpu, gpu_rows
from helpers.paths import REPOSITORY

ROWS = "copy_u/sum hub,u_dot_v"


def _run(*options: str, interpret: bool = True) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TRITON_INTERPRET": "1" if interpret else "0"}
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", "cpu", "--small", *options]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )


def test_the_whole_command(tmp_path) -> None:
    path = tmp_path / "gpu.json"
    run = _run("--rows", ROWS, "--json", str(path))
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-3000:]
    report = json.loads(path.read_text())
    assert report["about"]["tests"].startswith("passed (")
    rows = {record["row"]: record for record in report["rows"]}
    assert {"u_dot_v", "attention decoder", "sample 10 neighbors of 20"} <= set(rows)
    for name, record in rows.items():
        assert record["contenders"]["gossamer"]["ms"] > 0, name
        assert not record["faults"], name
    assert rows["copy_u/sum hub"]["contenders"]["torch"]["form"] in (
        "sparse CSR",
        "gather, index_add",
    )
    assert rows["copy_u/sum hub"]["stream_ms"] > 0
    assert "| attention encoder" in run.stdout


def test_without_a_gpu_the_command_says_so() -> None:
    run = _run(interpret=False)
    assert run.returncode == 2
    assert run.stderr.splitlines()[-1].endswith(
        "--device cpu needs TRITON_INTERPRET=1, for Triton's interpreter"
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_missing(capsys) -> None:
    with pytest.raises(SystemExit):
        gpu.arguments([])
    assert "--device cuda cannot be used: " in capsys.readouterr().err


def test_results_that_differ_are_reported() -> None:
    right = {"out": np.ones((2, 2))}
    wrong = {"out": np.array([[1.0, 1.0], [1.0, 3.0]])}
    assert not gpu.disagreements({"gossamer": right, "torch": right}, 1e-2)
    (fault,) = gpu.disagreements({"gossamer": right, "torch": wrong}, 1e-2)
    assert fault.startswith("gossamer and torch differ in out by ")


def test_a_form_that_fails_does_not_end_the_row() -> None:
    def broken() -> None:
        raise RuntimeError("no kernel")

    clock = gpu_rows.Clock(torch.device("cpu"))
    fine = {"good": lambda: gpu_rows._form(lambda: torch.ones(2)), "bad": broken}
    measured, results = gpu.measure_forms({"torch": fine}, clock, 0.001)
    assert measured["torch"]["form"] == "good"
    assert measured["torch"]["failures"] == {"bad": "RuntimeError: no kernel"}
    assert results["torch"]["out"].tolist() == [1.0, 1.0]


def test_plain_softmax_is_that_of_torch() -> None:
    e, dst = torch.randn(6, 2), torch.tensor([0, 2, 0, 2, 2, 0])
    out = gpu_rows.softmax(e, dst, 3)
    for node in (0, 2):
        torch.testing.assert_close(out[dst == node], e[dst == node].softmax(0))
