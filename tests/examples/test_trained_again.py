"""The same seed gives the same figures, bit for bit, on any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from helpers.paths import shared_data

RUNS = [
    ("citation", "planetoid", ["--model", "gcnii", "--epochs", "5"]),
    ("heterophilous", "heterophilous-graphs", ["--model", "gt", "--epochs", "3"]),
    ("vgae", "planetoid", ["--epochs", "3"]),
]


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize(("name", "folder", "argv"), RUNS, ids=[run[0] for run in RUNS])
def test_trained_again(
    figures: Callable, threads: Callable, name: str, folder: str, argv: list[str]
) -> None:
    where = str(shared_data(folder))
    found = []
    for count in (1, 2, 1):
        threads(count)
        found.append(figures(name, "--raw-dir", where, "--seeds", "2", *argv)[0])
    assert found[0] == found[1] == found[2]
