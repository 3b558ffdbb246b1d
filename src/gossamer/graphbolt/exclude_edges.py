"""Removing the edges that are predicted from the sampled subgraphs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gossamer.graphbolt.minibatch import MiniBatch
from gossamer.graphbolt.types import CANONICAL_ETYPE_DELIMITER

__all__ = ["add_reverse_edges", "exclude_seed_edges"]


Edges = Tensor | tuple[Tensor, Tensor]


def add_reverse_edges(
    edges: Edges | dict[str, Edges], reverse_etypes_mapping: dict[str, str] | None = None
) -> Edges | dict[str, Edges]:
    """Add the reverse of each edge.

    Parameters
    ----------
    edges : Tensor, tuple of Tensor, or dict of str to these
        ``(N, 2)`` pairs or ``(u, v)``, by edge type in a heterogeneous graph.
    reverse_etypes_mapping : dict of str to str, optional
        The edge type of the reverse edges, by edge type.

    Returns
    -------
    Tensor, tuple of Tensor, or dict of str to these
        The edges followed by their reverses.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> gb.add_reverse_edges(torch.tensor([[0, 1], [2, 3]]))
    tensor([[0, 1],
            [2, 3],
            [1, 0],
            [3, 2]])
    """
    if not isinstance(edges, dict):
        return _joined(edges, _turned(edges))
    combined = dict(edges)
    for etype, reverse in (reverse_etypes_mapping or {}).items():
        if etype in edges:
            turned = _turned(edges[etype])
            known = combined.get(reverse)
            combined[reverse] = turned if known is None else _joined(known, turned)
    return combined


def _turned(edges: Edges) -> Edges:
    return edges[::-1] if isinstance(edges, tuple) else edges.flip(1)


def _joined(first: Edges, second: Edges) -> Edges:
    if isinstance(first, tuple):
        return tuple(map(torch.cat, zip(first, second, strict=True)))
    return torch.cat([first, second])


def exclude_seed_edges(
    minibatch: MiniBatch,
    include_reverse_edges: bool = False,
    reverse_etypes_mapping: dict[str, str] | None = None,
    async_op: bool = False,
) -> Any:
    """Remove the positive seed edges from the sampled subgraphs, so that they do not leak.

    Parameters
    ----------
    minibatch : MiniBatch
        With node pairs as seeds.
    include_reverse_edges : bool
        Whether to remove the reverse edges too.
    reverse_etypes_mapping : dict of str to str, optional
        The edge type of the reverse edges, by edge type.
    async_op : bool
        Whether to return an object whose ``wait()`` gives the batch.

    Returns
    -------
    MiniBatch
        The same object.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> graph = gb.fused_csc_sampling_graph(torch.tensor([0, 1, 2]), torch.tensor([1, 0]))
    >>> pipe = gb.ItemSampler(gb.ItemSet(torch.tensor([[1, 0]]), "seeds"), batch_size=1)
    >>> batch = next(iter(pipe.sample_neighbor(graph, [-1]).transform(gb.exclude_seed_edges)))
    >>> batch.blocks[0].num_edges()
    1
    """
    edges = _positive_pairs(minibatch)
    if include_reverse_edges:
        edges = add_reverse_edges(edges, reverse_etypes_mapping)
    minibatch.sampled_subgraphs = [
        subgraph.exclude_edges(edges) for subgraph in minibatch.sampled_subgraphs
    ]
    minibatch._blocks = None
    if async_op:
        from gossamer.graphbolt.sampled_subgraph import Done

        return Done(minibatch)
    return minibatch


def _positive_pairs(batch: MiniBatch) -> Any:
    """Seed pairs, without the negative ones that a sampler added."""

    def positive(pairs: Tensor, labels: Tensor | None, indexes: Tensor | None) -> Tensor:
        return pairs if labels is None or indexes is None else pairs[labels.bool()]

    if isinstance(batch.seeds, dict):
        labels, indexes = batch.labels or {}, batch.indexes or {}
        return {
            etype: positive(pairs, labels.get(etype), indexes.get(etype))
            for etype, pairs in batch.seeds.items()
            if CANONICAL_ETYPE_DELIMITER in etype
        }
    return positive(batch.seeds, batch.labels, batch.indexes)
