"""What explainers share: neighborhoods, arguments that go with them, models at rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gossamer.graph import EID, NID

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["at_rest", "entropy", "restrict"]


@contextmanager
def at_rest(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, and back into its own afterwards."""
    training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in training.items():
            module.training = mode


def restrict(graph: Graph, part: Graph, arguments: dict[str, Any]) -> dict[str, Any]:
    """Of arguments with a row per node or edge of `graph`, the rows of its subgraph `part`."""

    def pick(value: Any) -> Any:
        if not isinstance(value, Tensor) or value.dim() == 0:
            return value
        if len(value) == graph.num_nodes():
            return value[part.ndata[NID].long()]
        if len(value) == graph.num_edges():
            return value[part.edata[EID].long()]
        return value

    return {name: pick(value) for name, value in arguments.items()}


def entropy(p: Tensor) -> Tensor:
    """Entropy of coins that show heads with probability `p`, in nats."""
    return -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p))
