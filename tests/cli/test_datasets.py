"""`gossamer datasets`."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from gossamer.cli import main
from gossamer.data.registry import DATASETS


def test_every_dataset_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    for name, info in DATASETS.items():
        for count in (info.nodes, info.edges, info.classes):
            assert ("?" if count < 0 else f"{count:,}") in rows[name].split(), name
        assert info.metric in rows[name].split()
        assert ("download" in rows[name].split()) == info.download
        assert info.reference in rows[name]
        assert info.licence in rows[name]


def test_summary_of_one_graph(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "show", "karate"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^_N +34$", out, re.MULTILINE)
    assert re.search(r"^_N _E _N +156$", out, re.MULTILINE)
    # 17 members on each side; 11 of the club have two friends, 6 have three.
    assert re.search(r"^0  17  #{40}$", out, re.MULTILINE)
    assert re.search(r"^ *2-3  17  #+$", out, re.MULTILINE)
    # Eleven of 78 friendships join the two sides.
    assert f"edge homophily     {67 / 78:.3f}" in out


def test_summary_of_many_graphs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "show", "mini-gc"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^graphs +160$", out, re.MULTILINE)
    assert re.search(r"classes of graphs\n0  20  #{40}", out)


def test_summary_of_an_unknown_dataset(fails: Callable[..., str]) -> None:
    assert "There is no dataset 'kora'" in fails("datasets", "show", "kora")
    assert "required: NAME" in fails("datasets", "show")
