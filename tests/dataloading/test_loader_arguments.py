"""Arguments of loaders and samplers that do not fit are refused where they are given."""

from __future__ import annotations

import pytest
import torch

import gossamer as gs

SAMPLERS = [
    lambda g: gs.dataloading.NeighborSampler([1]),
    lambda g: gs.dataloading.MultiLayerFullNeighborSampler(1),
    lambda g: gs.dataloading.LaborSampler([1]),
    lambda g: gs.dataloading.ShaDowKHopSampler([1]),
    lambda g: gs.dataloading.ClusterGCNSampler(g, 2, cache_path=None),
    lambda g: gs.dataloading.SAINTSampler("node", 2),
    lambda g: gs.dataloading.as_edge_prediction_sampler(gs.dataloading.NeighborSampler([1])),
]


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("graph", [None, "graph", [gs.graph(([0], [1]))]])
@pytest.mark.parametrize("make", SAMPLERS)
def test_a_loader_without_a_graph_is_refused_at_once(make, graph, workers) -> None:
    sampler = make(gs.graph(([0, 1], [1, 0])))
    message = f"DataLoader takes a graph, got {type(graph).__name__}"
    with pytest.raises(gs.InvalidTypeError, match=message):
        gs.dataloading.DataLoader(graph, torch.arange(2), sampler, num_workers=workers)


def test_a_sampler_of_the_user_may_take_anything() -> None:
    class Own(gs.dataloading.Sampler):
        def sample(self, g, indices):
            return g, indices.tolist()

    assert list(gs.dataloading.DataLoader(None, torch.arange(2), Own())) == [
        (None, [0]),
        (None, [1]),
    ]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"exclude": "all"}, gs.InvalidValueError, "exclude is one of"),
        ({"exclude": 3}, gs.InvalidValueError, "exclude is one of"),
        ({"exclude": "reverse_id"}, gs.InvalidValueError, "needs reverse_eids"),
        ({"exclude": "reverse_types"}, gs.InvalidValueError, "needs reverse_etypes"),
        ({"negative_sampler": 5}, gs.InvalidTypeError, "negative_sampler is a function"),
    ],
)
def test_exclusion_is_checked_before_the_first_batch(options, error, message) -> None:
    with pytest.raises(error, match=message):
        gs.dataloading.as_edge_prediction_sampler(gs.dataloading.NeighborSampler([1]), **options)
    if "exclude" in options:
        with pytest.raises(error, match=message):
            gs.dataloading.SpotTarget(gs.graph(([0], [1])), **options)
