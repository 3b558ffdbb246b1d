"""Distributions of the core at many draws, and its random numbers."""

from __future__ import annotations

import threading
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, kstest

from gossamer.ops.adjacency import Adjacency, Compressed
from gossamer.sampling import _core
from helpers.kernel_cases import require_native

# The reference kernels draw the same numbers, as tests/kernels/test_sampling.py shows, but slowly.
require_native()

DRAWS = 1_000_000
DEGREE = 12


def star(degree: int = DEGREE) -> Compressed:
    return Compressed(torch.tensor([0, degree]), torch.arange(degree), None)


def drawn(fanout: int, weights: torch.Tensor | None = None, replace: bool = False):
    rows = torch.zeros(DRAWS // fanout, dtype=torch.int64)
    candidates = None if weights is None else _core.candidates(star(), weights)
    relation = _core.relation(star(), rows, fanout, key=11, candidates=candidates)
    return _core.layer([relation], replace)[0][2].view(-1, fanout)


def assert_frequencies(codes: torch.Tensor, probabilities: np.ndarray) -> None:
    counts = torch.bincount(codes, minlength=len(probabilities)).numpy()
    assert len(counts) == len(probabilities)
    # The seed is fixed, so this fails always or never; a right sampler fails one seed in 10,000.
    assert chisquare(counts, probabilities * counts.sum()).pvalue > 1e-4


@pytest.mark.parametrize("fanout", [1, 2, 5])
def test_many_draws_with_replacement(fanout: int) -> None:
    assert_frequencies(drawn(fanout, replace=True).flatten(), np.full(DEGREE, 1 / DEGREE))
    weights = torch.linspace(0.1, 3, DEGREE)
    p = (weights / weights.sum()).double().numpy()
    assert_frequencies(drawn(fanout, weights, replace=True).flatten(), p / p.sum())


@pytest.mark.parametrize("fanout", [2, 3])
def test_many_draws_without_replacement(fanout: int) -> None:
    sets = list(combinations(range(DEGREE), fanout))
    code = {chosen: i for i, chosen in enumerate(sets)}
    picked = drawn(fanout)
    flat = (picked * torch.tensor([DEGREE**k for k in range(fanout)])).sum(1)
    table = torch.full((DEGREE**fanout,), -1)
    for chosen, i in code.items():
        table[sum(c * DEGREE**k for k, c in enumerate(chosen))] = i
    assert_frequencies(table[flat], np.full(len(sets), 1 / len(sets)))


def test_many_weighted_draws_without_replacement() -> None:
    weights = torch.linspace(0.1, 3, DEGREE, dtype=torch.float64)
    w = weights.numpy()
    first = w / w.sum()
    pairs = first[:, None] * w[None, :] / (w.sum() - w)[:, None]
    np.fill_diagonal(pairs, 0)
    pairs = np.triu(pairs + pairs.T)
    picked = drawn(2, weights)
    codes = picked[:, 0] * DEGREE + picked[:, 1]
    kept = np.flatnonzero(pairs.flatten())
    table = torch.full((DEGREE**2,), -1)
    table[torch.as_tensor(kept)] = torch.arange(len(kept))
    assert_frequencies(table[codes], pairs.flatten()[kept])


def test_large_fanouts_are_uniform() -> None:
    """Above 64 draws another method finds duplicates."""
    csc = Compressed(torch.tensor([0, 300]), torch.arange(300), None)
    rows = torch.zeros(5000, dtype=torch.int64)
    edges = _core.layer([_core.relation(csc, rows, 100, key=3)])[0][2].view(-1, 100)
    assert bool((edges.diff(dim=1) > 0).all())
    counts = torch.bincount(edges.flatten(), minlength=300).double()
    # Without replacement counts vary less than a multinomial's: by the factor 1 - 100 / 300.
    assert chisquare(counts, np.full(300, 5000 / 3)).statistic < 300


def test_random_numbers_are_uniform_and_pairs_independent() -> None:
    units = _core.random_units(DRAWS, key=5)
    assert kstest(units.numpy(), "uniform").pvalue > 1e-4
    grid = (units.view(-1, 2) * 10).long()
    assert_frequencies(grid[:, 0] * 10 + grid[:, 1], np.full(100, 0.01))
    with _core.stream(1):
        numbers = _core.random_integers(7, DRAWS, torch.int32)
    assert numbers.dtype == torch.int32
    assert_frequencies(numbers, np.full(7, 1 / 7))


def test_streams_name_their_keys() -> None:
    def keys(*numbers: int) -> list[int]:
        with _core.stream(*numbers):
            return [_core.next_key() for _ in range(3)]

    assert keys(1, 2) == keys(1, 2)
    assert len({*keys(1, 2), *keys(1, 3), *keys(2, 1), *keys(1)}) == 12
    with _core.stream(4):
        outer = _core.next_key()
        inner = keys(1, 2)
        assert inner == keys(1, 2)
        found: list[int] = []
        torch.manual_seed(0)
        thread = threading.Thread(target=lambda: found.append(_core.next_key()))
        thread.start()
        thread.join()
        torch.manual_seed(0)
        assert found == [int(torch.randint(2**63 - 1, ()))]  # a stream is its thread's
    with _core.stream(4):
        assert outer == _core.next_key()


def test_the_table_of_weights_is_kept_until_they_change() -> None:
    adjacency = Adjacency(30, 2, torch.int64, coo=(torch.arange(30), (torch.arange(30) > 9).long()))
    weights, rows = torch.rand(30), torch.tensor([0])
    first = _core.edge_candidates(adjacency, True, weights, rows)
    assert first.local
    kept = _core.edge_candidates(adjacency, True, weights, rows)
    assert not kept.local
    assert _core.edge_candidates(adjacency, True, weights, rows) is kept
    weights[3] = 0
    assert _core.edge_candidates(adjacency, True, weights, rows).local
    assert _core.edge_candidates(adjacency, True, weights.clone(), rows).local
    assert not _core.edge_candidates(adjacency, True, weights, torch.tensor([0, 1, 1])).local
    with torch.inference_mode():
        changing = torch.rand(30)
    for _ in range(3):
        assert _core.edge_candidates(adjacency, True, changing, rows).local


def test_weights_of_every_dtype() -> None:
    for dtype in (torch.float16, torch.bfloat16):
        assert _core.as_weights(torch.ones(3, 1, dtype=dtype)).dtype == torch.float32
    for dtype in (torch.bool, torch.uint8, torch.int8):
        mask = _core.as_weights(torch.tensor([0, 1, 7]).to(dtype))
        assert mask.tolist() == [0, 1, 1]
        assert mask.dtype == torch.uint8
