"""The oracle of the layers: dense matrices, and a comparison of outputs and each gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from helpers.compare import random_cotangent_grads
from helpers.graphs import graph_cases

if TYPE_CHECKING:
    from gossamer import Graph

Tensors = dict[str, Tensor]


def dense_cases(**kwargs: Any) -> list:
    """Every graph case that a layer takes; the contract suite compares the id types."""
    labels = ("homogeneous", "bipartite", "block")
    return [c for label in labels for c in graph_cases(label, idtypes=(torch.int64,), **kwargs)]


def ends(g: Graph) -> tuple[Tensor, Tensor]:
    """Source and destination of each edge, in the order of their ids, int64."""
    u, v = g.edges(form="uv", order="eid")
    return u.long(), v.long()


def matrix(g: Graph, weight: Tensor | None = None) -> Tensor:
    """Destinations by sources: how many edges there are, or what their weights add up to."""
    u, v = ends(g)
    values = torch.ones(len(u), dtype=torch.float64) if weight is None else weight.flatten()
    zeros = torch.zeros(g.num_dst_nodes(), g.num_src_nodes(), dtype=torch.float64)
    return zeros.index_put((v, u), values, accumulate=True)


def destinations(g: Graph, feat: Tensor, feat_dst: Tensor | None) -> Tensor:
    """Features of the destinations: their own, or those of the first sources."""
    return feat[: g.num_dst_nodes()] if feat_dst is None else feat_dst


def draw_features(
    g: Graph, width: int, width_dst: int | None = None, *, weighted: bool = False
) -> Tensors:
    """Draw float64 features, a pair of them on a bipartite graph, and positive edge weights."""
    inputs = {"feat": torch.randn(g.num_src_nodes(), width, dtype=torch.float64)}
    if not g.is_block and g.srctypes != g.dsttypes:
        shape = g.num_dst_nodes(), width_dst or width
        inputs["feat_dst"] = torch.randn(shape, dtype=torch.float64)
    if weighted:
        inputs["edge_weight"] = torch.rand(g.num_edges(), dtype=torch.float64) + 0.5
    return inputs


def assert_matches(
    layer: nn.Module, g: Graph, inputs: Tensors, oracle: Callable[..., Tensor]
) -> None:
    """Assert that `layer` gives what `oracle` gives: the output, and each gradient by name.

    `oracle` is called with the parameters by name, in a dict, then `inputs` as keywords.
    """
    parameters = dict(layer.named_parameters())

    def by_layer(**values: Tensor) -> Tensor:
        own = {name: values.pop(name) for name in parameters}
        feat, feat_dst = values.pop("feat"), values.pop("feat_dst", None)
        pair = feat if feat_dst is None else (feat, feat_dst)
        return functional_call(layer, own, (g, pair), values)

    def by_oracle(**values: Tensor) -> Tensor:
        own = {name: values.pop(name) for name in parameters}
        return oracle(own, **values)

    given = inputs | {name: value.detach() for name, value in parameters.items()}
    (out,), grads = random_cotangent_grads(by_layer, given)
    (wanted,), wanted_grads = random_cotangent_grads(by_oracle, given)
    torch.testing.assert_close(out, wanted, msg=lambda text: f"output: {text}")
    for name, value in given.items():
        # What takes no part has no gradient on one side and 0 on the other.
        zero = torch.zeros_like(value)
        found = zero if grads[name] is None else grads[name]
        expected = zero if wanted_grads[name] is None else wanted_grads[name]
        torch.testing.assert_close(
            found, expected, msg=lambda text, name=name: f"gradient of {name}: {text}"
        )
