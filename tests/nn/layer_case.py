"""How the contract suite knows a layer: how to build it, what it takes and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from gossamer import Graph

WIDTH = 6


@dataclass(frozen=True)
class Input:
    """An argument of `forward`, by name.

    Attributes
    ----------
    per : str
        "node" for a row per source node, "edge" for a row per edge.
    shape : tuple of int
        Shape of a row.
    positive : bool
        Whether numbers are drawn from 0.5 to 1.5; otherwise they are normal.
    types : int
        Draw integers below `types` instead, if it is not 0.
    """

    name: str
    per: str = "node"
    shape: tuple[int, ...] = (WIDTH,)
    positive: bool = False
    types: int = 0


FEAT = Input("feat")
EDGE_WEIGHT = Input("edge_weight", "edge", (), positive=True)


@dataclass(frozen=True)
class LayerCase:
    """A layer with its arguments, and what the contract must know of it.

    Attributes
    ----------
    build : callable
        Returns a new layer; nodes without in-edges are allowed. A layer with batch normalization
        is in evaluation mode.
    per : str
        What the output has a row for: "node", "edge" or "graph".
    out : tuple of int
        Shape of a row of the output.
    inputs : tuple of Input
        What `forward` takes after the graph.
    ordered : bool
        Whether the order of the in-edges of a node matters.
    whole : bool
        Whether the tracer takes the layer as a whole, once the graph has what the layer reads.
    pair : bool
        Whether the layer takes a pair of source and destination features, and blocks.
    pick : int or None
        Which output is looked at, of a layer that returns several.
    counts_nodes : bool
        Whether the output depends on the number of nodes in the graph.
    unreached : tuple of str
        Parameters (prefixes of their names) on which the output does not depend.
    foreign : tuple of str
        Modules of the caller (prefixes), which `reset_parameters` leaves alone.
    strict : callable or None
        Returns a layer that forbids nodes without in-edges, if the layer can.
    named : str or None
        With which name errors begin, if it is not that of the class.
    """

    name: str
    build: Callable[[], nn.Module]
    per: str = "node"
    out: tuple[int, ...] = (3,)
    inputs: tuple[Input, ...] = (FEAT,)
    ordered: bool = False
    whole: bool = True
    pair: bool = True
    pick: int | None = None
    counts_nodes: bool = False
    unreached: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ("apply_func",)
    strict: Callable[[], nn.Module] | None = None
    named: str | None = None

    def __call__(self, layer: nn.Module, g: Graph, inputs: dict[str, Tensor]) -> Tensor:
        """Call the layer; return the output that is looked at."""
        return self.picked(layer(g, **inputs))

    def picked(self, out: Any) -> Tensor:
        """The output that is looked at."""
        return out if self.pick is None else out[self.pick]

    def draw(self, g: Graph, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
        """Draw the arguments for a graph."""
        drawn = {}
        for each in self.inputs:
            rows = g.num_src_nodes() if each.per == "node" else g.num_edges()
            if each.types:
                drawn[each.name] = torch.randint(each.types, (rows, *each.shape))
                continue
            draw = torch.rand if each.positive else torch.randn
            drawn[each.name] = (draw(rows, *each.shape) + 0.5 * each.positive).to(dtype)
        return drawn

    def names(self, per: str) -> list[str]:
        """The arguments with a row per "node" or "edge"."""
        return [each.name for each in self.inputs if each.per == per]

    def parameters(self, layer: nn.Module) -> dict[str, Tensor]:
        """The parameters that are trained, by name."""
        return {name: p for name, p in layer.named_parameters() if p.requires_grad}

    def rows(self, g: Graph) -> int:
        """How many rows the output has."""
        return {"node": g.num_dst_nodes(), "edge": g.num_edges(), "graph": g.batch_size}[self.per]


def guarded(
    name: str,
    layer: type,
    args: tuple,
    out: tuple[int, ...],
    inputs: tuple[Input, ...] = (FEAT,),
    case: dict[str, Any] | None = None,
    **kwargs: Any,
) -> LayerCase:
    """Case of a layer with `allow_zero_in_degree`; `case` has further attributes of `LayerCase`."""
    strict = partial(layer, *args, **kwargs)
    build = partial(strict, allow_zero_in_degree=True)
    return LayerCase(name, build, out=out, inputs=inputs, strict=strict, **(case or {}))
