"""The dense oracle against plain loops, on a graph small enough to read."""

from __future__ import annotations

import math

import torch
from benchmarks.adapters.oracle import Dense
from benchmarks.workload import Sizes

# Node 3 has no in-edges, 0 -> 1 is there twice, 2 -> 2 is a self-loop.
SRC, DST = [0, 0, 3, 2, 1], [1, 1, 1, 2, 0]


def _dense() -> Dense:
    return Dense({"src": torch.tensor(SRC), "dst": torch.tensor(DST)}, Sizes(nodes=4, edges=5))


def test_sum_and_degrees() -> None:
    dense = _dense()
    x = torch.tensor([[1.0], [10.0], [100.0], [1000.0]]).double()
    found = dense.sum(dense.at_source(x)).squeeze(1).tolist()
    assert found == [10, 1 + 1 + 1000, 100, 0]
    assert dense.degree_in().squeeze(1).tolist() == [1, 3, 1, 1]
    assert dense.degree_out().squeeze(1).tolist() == [2, 1, 1, 1]
    assert dense.at_target(x).squeeze(1).tolist() == [10, 10, 10, 100, 1]


def test_softmax_and_attention() -> None:
    dense = _dense()
    logits = torch.tensor([0.3, -1.0, 2.0, 0.5, -0.2]).double()
    weight = [0.0] * 5
    for e, v in enumerate(DST):
        total = sum(math.exp(logits[k]) for k in range(5) if DST[k] == v)
        weight[e] = math.exp(logits[e]) / total
    torch.testing.assert_close(dense.softmax(logits), torch.tensor(weight).double())

    x = torch.tensor([1.0, 2.0, 3.0, 4.0]).double()
    out = [sum(weight[e] * x[SRC[e]] for e in range(5) if DST[e] == v) for v in range(4)]
    found = dense.attend(x[:, None, None], logits[:, None])
    torch.testing.assert_close(found[:, 0, 0], torch.tensor(out).double())
