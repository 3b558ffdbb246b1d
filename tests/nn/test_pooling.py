"""Pooling against a loop over the graphs of a batch."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn import AvgPooling, MaxPooling, SumPooling
from helpers.compare import random_cotangent_grads
from helpers.graphs import GraphCase, graph_cases

ORACLES = {
    SumPooling: lambda rows: rows.sum(0),
    AvgPooling: lambda rows: rows.mean(0),
    MaxPooling: lambda rows: rows.amax(0),
}


@pytest.mark.parametrize("case", graph_cases("homogeneous"))
@pytest.mark.parametrize("pooling", ORACLES)
@pytest.mark.parametrize("shape", [(4,), (2, 3), ()], ids=str)
def test_matches_loop(case: GraphCase, pooling: type, shape: tuple) -> None:
    g = case()
    x = torch.randn(g.num_nodes(), *shape, dtype=torch.float64)

    def by_loop(x: torch.Tensor) -> torch.Tensor:
        parts = x.split(g.batch_num_nodes().tolist())
        reduce = ORACLES[pooling]
        return torch.stack([reduce(part) if len(part) else x.sum(0) * 0 for part in parts])

    (out,), (grad,) = random_cotangent_grads(lambda x: pooling()(g, x), [x])
    (wanted,), (wanted_grad,) = random_cotangent_grads(by_loop, [x])
    assert out.shape == (g.batch_size, *shape)
    torch.testing.assert_close(out, wanted)
    torch.testing.assert_close(grad, wanted_grad)


@pytest.mark.parametrize("pooling", ORACLES)
def test_rows(pooling: type) -> None:
    g = gs.batch([gs.graph(([0], [1])), gs.graph(([0], [2]))])
    message = rf"^{pooling.__name__}: node features must have one row per node \(5\)"
    with pytest.raises(InvalidValueError, match=message):
        pooling()(g, torch.randn(4, 3))


@pytest.mark.parametrize("pooling", ORACLES)
def test_a_pair_is_no_feature(pooling: type) -> None:
    with pytest.raises(InvalidTypeError, match="but got tuple"):
        pooling()(gs.graph(([0], [1])), (torch.randn(2, 3), torch.randn(2, 3)))
