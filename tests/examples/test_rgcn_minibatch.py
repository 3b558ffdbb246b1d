"""R-GCN on minibatches of AIFB: a few epochs run, whole runs reach the published figure."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.paths import shared_data


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """The raw files in one folder."""
    shutil.copy(shared_data("AIFB", "aifb+.nt.gz"), tmp_path)
    for name in ("trainingSet.tsv", "testSet.tsv"):
        shutil.copy(shared_data("AIFB", "rgcn-splits", name), tmp_path)
    return str(tmp_path)


def test_two_epochs(figures: Callable, folder: str) -> None:
    command = ["--raw-dir", folder, "--epochs", "2", "--seeds", "1", "--bases", "5"]
    assert math.isfinite(figures("rgcn_minibatch", *command)[1])


@pytest.mark.slow
def test_figure(figures: Callable, folder: str) -> None:
    assert figures("rgcn_minibatch", "--raw-dir", folder, "--seeds", "3")[1] > 89
