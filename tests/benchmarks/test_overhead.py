"""The costs of a call, once round."""

from __future__ import annotations

import pytest
import torch

from benchmarks import overhead


def test_each_way_gets_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []  # torch's own number is for the tests that follow
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    overhead.main(["--rounds", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert [line[:28].strip() for line in lines[2:]] == [
        "autograd.Function",
        "registered operator",
        "ops.u_mul_e_sum",
        "Graph.update_all",
        "torch: u * e",
    ]
    assert threads == [1]


def test_rounds_are_counted_from_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        overhead.main(["--rounds", "0"])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("usage: python -m benchmarks.overhead")
    assert "argument --rounds: '0' is not a whole number of at least 1" in said
