"""The benchmark of training from disk, on small graphs."""

from __future__ import annotations

import pytest

from benchmarks import out_of_core


@pytest.mark.parametrize(
    ("scale", "batches"), [(0.0005, 12), pytest.param(0.01, 50, marks=pytest.mark.slow)]
)
def test_phases_and_figures(scale: float, batches: int, monkeypatch, tmp_path, capsys) -> None:
    results = []
    run = out_of_core.run
    monkeypatch.setattr(out_of_core, "run", lambda options: results.append(run(options)))
    command = ["--scale", str(scale), "--batches", str(batches), "--batch", "64", "--lookahead"]
    assert out_of_core.main([*command, "8", "--threads", "1", "--folder", str(tmp_path)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == [
        "preprocess",
        "lru",
        "lookahead",
    ]
    (found,) = results
    assert found["preprocess"]["edges/s"] > 0
    assert found["lru"]["batches"] == found["lookahead"]["batches"] == batches
    assert found["lru"]["rows/batch"] == found["lookahead"]["rows/batch"]
    assert found["lookahead"]["hit rate"] > found["lru"]["hit rate"]
    assert found["lookahead"]["loss"] == pytest.approx(found["lru"]["loss"], rel=1e-4)
    assert all(phase["peak GB"] < 2 for phase in found.values())
    assert not list(tmp_path.iterdir())
