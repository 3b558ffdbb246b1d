"""`gossamer info`, `gossamer --version` and the recorded environment."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import gossamer
from gossamer import kernels
from gossamer.cli import info, main


def test_the_environment_is_plain_json_and_true() -> None:
    found = info.environment(torch.device("cpu"))
    assert json.loads(json.dumps(found)) == found
    assert found["torch"] == torch.__version__ and found["numpy"] == np.__version__
    assert found["threads"] == torch.get_num_threads()
    assert found["kernels"].keys() == kernels.info().keys() - {"table"}


def test_info_prints_versions_kernels_and_packages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = info._version
    monkeypatch.setattr(info, "_version", lambda name: None if name == "tqdm" else version(name))
    found = {**kernels.info(), "why_not": "", "available_isas": ["avx2", "generic"]}
    monkeypatch.setattr(kernels, "info", lambda: found)
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    lines = {line.split()[0]: line for line in out.splitlines() if line.startswith("  ")}
    assert torch.__version__ in out
    assert gossamer.__version__ in lines["gossamer"]
    assert lines["tqdm"].endswith("not installed")
    assert "CPU only" in out or "CUDA" in out
    for key, value in found.items():
        if key == "table":
            continue
        assert (key in lines) == (value not in (None, "")), key
    assert lines["available_isas"].endswith("  avx2, generic")


def test_info_shows_which_kernel_runs_where(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {"spmm": {"cpu": ["float32"]}, "topk": {"cpu": ["float32"]}, "sddmm": {}}
    found = {**kernels.info(), "forced": "", "table": table}
    monkeypatch.setattr(kernels, "info", lambda: found)
    info.print_info()
    out = " ".join(capsys.readouterr().out.split())
    assert "cpu float32 spmm, topk reference only sddmm reference all kernels on other" in out
    found["forced"] = "reference"
    info.print_info()
    out = " ".join(capsys.readouterr().out.split())
    assert "kernel table: reference only spmm, topk, sddmm" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"gossamer {gossamer.__version__}\n"
