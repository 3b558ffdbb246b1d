"""Every layer of `gossamer.nn`, for the contract suite: how to build it and what it takes.

A new layer needs a case here; `test_contract.py` fails without one.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

import gossamer.nn

if TYPE_CHECKING:
    from gossamer import Graph

WIDTH = 6


@dataclass(frozen=True)
class LayerCase:
    """A layer with its arguments, and what the contract must know of it.

    Attributes
    ----------
    build : callable
        Returns a new layer; nodes without in-edges are allowed.
    per : str
        What the output has a row for: "node", "edge" or "graph".
    out : tuple of int
        Shape of a row of the output.
    feat : bool
        Whether it takes node features of width `WIDTH`.
    edge_weight : bool
        Whether to pass edge weights.
    ordered : bool
        Whether the order of the in-edges of a node matters.
    whole : bool
        Whether the tracer takes the layer as a whole, once the graph has what the layer reads.
    strict : callable or None
        Returns a layer that forbids nodes without in-edges, if the layer can.
    """

    name: str
    build: Callable[[], nn.Module]
    per: str = "node"
    out: tuple[int, ...] = (3,)
    feat: bool = True
    edge_weight: bool = False
    ordered: bool = False
    whole: bool = True
    strict: Callable[[], nn.Module] | None = None

    def draw(self, g: Graph, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
        """Draw the arguments for a graph."""
        inputs = {}
        if self.feat:
            inputs["feat"] = torch.randn(g.num_src_nodes(), WIDTH).to(dtype)
        if self.edge_weight:
            inputs["edge_weight"] = (torch.rand(g.num_edges()) + 0.5).to(dtype)
        return inputs

    def rows(self, g: Graph) -> int:
        """How many rows the output has."""
        return {"node": g.num_dst_nodes(), "edge": g.num_edges(), "graph": g.batch_size}[self.per]


def _guarded(name: str, layer: type, args: tuple, out: tuple[int, ...], **kwargs: Any) -> LayerCase:
    """Case of a layer with `allow_zero_in_degree`."""
    case_kwargs = {"edge_weight": kwargs.pop("edge_weight", False)}
    strict = partial(layer, *args, **kwargs)
    return LayerCase(
        name, partial(strict, allow_zero_in_degree=True), out=out, strict=strict, **case_kwargs
    )


def _mlp(aggregator: str, **kwargs: Any) -> gossamer.nn.GINConv:
    mlp = nn.Sequential(nn.Linear(WIDTH, 4), nn.Tanh(), nn.Linear(4, 3))
    return gossamer.nn.GINConv(mlp, aggregator, **kwargs)


def _list_cases() -> list[LayerCase]:
    graphconv, gat, gatv2 = gossamer.nn.GraphConv, gossamer.nn.GATConv, gossamer.nn.GATv2Conv
    cases = [
        _guarded(f"GraphConv-{norm}", graphconv, (WIDTH, 3), (3,), norm=norm)
        for norm in ("both", "left", "right", "none")
    ]
    cases += [
        _guarded("GraphConv-weighted", graphconv, (WIDTH, 3), (3,), edge_weight=True),
        _guarded("GraphConv-widening", graphconv, (WIDTH, 8), (8,), activation=torch.tanh),
        _guarded("GATConv", gat, (WIDTH, 3, 2), (2, 3)),
        _guarded("GATConv-residual", gat, (WIDTH, 3, 2), (2, 3), residual=True, bias=False),
        _guarded("GATConv-linear-residual", gat, (WIDTH, 4, 2), (2, 4), residual=True),
        _guarded("GATConv-weighted", gat, (WIDTH, 3, 2), (2, 3), edge_weight=True),
        _guarded("GATv2Conv", gatv2, (WIDTH, 3, 2), (2, 3)),
        _guarded("GATv2Conv-shared", gatv2, (WIDTH, 3, 2), (2, 3), share_weights=True),
        _guarded("GATv2Conv-residual", gatv2, (WIDTH, 4, 2), (2, 4), residual=True),
    ]
    for kind in ("mean", "gcn", "pool", "lstm"):
        build = partial(gossamer.nn.SAGEConv, WIDTH, 3, kind)
        # A user-defined reducer runs once per degree, and the tracer does not know the degrees.
        reading = {"ordered": kind == "lstm", "whole": kind != "lstm"}
        cases.append(LayerCase(f"SAGEConv-{kind}", build, **reading))
        cases.append(LayerCase(f"SAGEConv-{kind}-weighted", build, edge_weight=True, **reading))
    for kind in ("sum", "max", "mean"):
        cases.append(LayerCase(f"GINConv-{kind}", partial(_mlp, kind)))
    cases.append(
        LayerCase("GINConv-learned", partial(_mlp, "sum", learn_eps=True), edge_weight=True)
    )
    for name in ("SumPooling", "AvgPooling", "MaxPooling"):
        cases.append(LayerCase(name, getattr(gossamer.nn, name), per="graph", out=(WIDTH,)))
    weights = {"per": "edge", "out": (), "feat": False, "edge_weight": True}
    both = partial(gossamer.nn.EdgeWeightNorm, "both")
    right = partial(gossamer.nn.EdgeWeightNorm, "right")
    # "both" looks at the weights: each must be positive.
    cases.append(LayerCase("EdgeWeightNorm-both", both, **weights, whole=False))
    cases.append(LayerCase("EdgeWeightNorm-right", right, **weights))
    return cases


LAYER_CASES = _list_cases()


def layer_classes() -> set[type[nn.Module]]:
    """Find every public layer defined anywhere under `gossamer.nn`."""
    modules = [gossamer.nn] + [
        importlib.import_module(info.name)
        for info in pkgutil.walk_packages(gossamer.nn.__path__, "gossamer.nn.")
    ]
    return {
        value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, nn.Module)
        and value.__module__.startswith("gossamer.nn")
        and "._" not in value.__module__
        and not name.startswith("_")
    }
