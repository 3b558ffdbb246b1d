"""Code shared by the explainers: subgraphs, their model arguments, evaluation mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gossamer.errors import InvalidTypeError
from gossamer.graph import EID, NID

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["at_rest", "entropy", "restrict"]


def require_model(model: Any, name: str) -> None:
    """Raise unless `model` is a module."""
    if not isinstance(model, nn.Module):
        raise InvalidTypeError(f"{name}: model is a Module, got {type(model).__name__}.")


@contextmanager
def at_rest(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, and restore its mode afterwards."""
    training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in training.items():
            module.training = mode


def restrict(graph: Graph, part: Graph, arguments: dict[str, Any]) -> dict[str, Any]:
    """Restrict arguments with one row per node or edge of `graph` to its subgraph `part`."""

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
    """Compute the entropy of Bernoulli distributions with probabilities `p`, in nats."""
    return -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p))


def node_ids(nodes: Any) -> list[int]:
    """Return nodes as a list of ints."""
    ids = torch.as_tensor(nodes if isinstance(nodes, Tensor | int) else list(nodes))
    return ids.flatten().long().tolist()


def both_ways(graph: Graph, mask: Tensor) -> Tensor:
    """Average the weights of the two directions of each pair of nodes that has both."""
    u, v = (x.long() for x in graph.edges())
    count = max(graph.num_nodes(), 1)
    pairs, place = torch.unique(torch.cat([u * count + v, v * count + u]), return_inverse=True)
    forth, back = place.split(len(u))
    zeros = mask.new_zeros(len(pairs))
    total = zeros.index_add(0, forth, mask)
    number = zeros.index_add(0, forth, torch.ones_like(mask))
    other = (total / number.clamp(min=1))[back]
    return torch.where(number[back] > 0, (mask + other) / 2, mask)
