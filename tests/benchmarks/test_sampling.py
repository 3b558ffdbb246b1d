"""The benchmark of samplers runs every row."""

from __future__ import annotations

from benchmarks import sampling


def test_every_row_prints_a_rate(capfd) -> None:
    small = ["--scale", "0.002", "--batch", "8", "--rounds", "1", "--threads", "1"]
    assert sampling.main(small) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(sampling.ROWS)
    assert all("/s (" in line for line in lines)
