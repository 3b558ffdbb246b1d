"""Removal of the edges to predict from the sampled subgraphs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gossamer._options import shown
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graphbolt.arguments import as_pairs
from gossamer.graphbolt.minibatch import MiniBatch, require_seeds
from gossamer.graphbolt.node_pairs import positive
from gossamer.graphbolt.sampled_subgraph import Done
from gossamer.graphbolt.types import CANONICAL_ETYPE_DELIMITER, etype_str_to_tuple

__all__ = ["add_reverse_edges", "check_reverse_types", "exclude_seed_edges"]


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

    Raises
    ------
    InvalidValueError
        If edges are given by type but `reverse_etypes_mapping` is not.

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
    check_reverse_types(reverse_etypes_mapping)
    if reverse_etypes_mapping is None:
        raise InvalidValueError(
            "Reverse edges of a heterogeneous graph need reverse_etypes_mapping, a dict from edge "
            f"type to reverse edge type; the edges are of types {list(edges)}."
        )
    combined = dict(edges)
    for etype, reverse in reverse_etypes_mapping.items():
        if etype in edges:
            turned = _turned(edges[etype])
            known = combined.get(reverse)
            combined[reverse] = turned if known is None else _joined(known, turned)
    return combined


def check_reverse_types(reverse_etypes_mapping: Any) -> None:
    """Raise unless the argument is None or a dict of edge types."""
    if reverse_etypes_mapping is None:
        return
    if not isinstance(reverse_etypes_mapping, Mapping):
        raise InvalidTypeError(
            "reverse_etypes_mapping is a dict from edge type to reverse edge type, got "
            f"{shown(reverse_etypes_mapping)}."
        )
    for pair in reverse_etypes_mapping.items():
        for etype in pair:
            etype_str_to_tuple(etype)


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
    """Remove the positive seed edges from the sampled subgraphs to avoid label leakage.

    Parameters
    ----------
    minibatch : MiniBatch
        A batch whose seeds are node pairs.
    include_reverse_edges : bool
        Whether to remove the reverse edges too.
    reverse_etypes_mapping : dict of str to str, optional
        The edge type of the reverse edges, by edge type.
    async_op : bool
        Whether to return an object whose ``wait()`` returns the batch.

    Returns
    -------
    MiniBatch
        The same object, modified in place.

    Raises
    ------
    InvalidValueError
        If the seeds are not node pairs, there are no subgraphs, or `include_reverse_edges` is True
        for a heterogeneous graph without `reverse_etypes_mapping`.

    Examples
    --------
    >>> import gossamer.graphbolt as gb, torch
    >>> graph = gb.fused_csc_sampling_graph(torch.tensor([0, 1, 2]), torch.tensor([1, 0]))
    >>> pipe = gb.ItemSampler(gb.ItemSet(torch.tensor([[1, 0]]), "seeds"), batch_size=1)
    >>> batch = next(iter(pipe.sample_neighbor(graph, [-1]).transform(gb.exclude_seed_edges)))
    >>> batch.blocks[0].num_edges()
    1
    """
    require_seeds(minibatch, "exclude_seed_edges")
    if minibatch.sampled_subgraphs is None:
        raise InvalidValueError(
            "exclude_seed_edges: the batch has no subgraphs. Put the stage after one such as "
            "sample_neighbor."
        )
    edges = _positive_pairs(minibatch)
    if include_reverse_edges:
        edges = add_reverse_edges(edges, reverse_etypes_mapping)
    minibatch.sampled_subgraphs = [
        subgraph.exclude_edges(edges) for subgraph in minibatch.sampled_subgraphs
    ]
    minibatch._blocks = None
    return Done(minibatch) if async_op else minibatch


def _positive_pairs(batch: MiniBatch) -> Any:
    """Return the seed pairs without the negative pairs that a sampler added."""
    name = "exclude_seed_edges"
    if isinstance(batch.seeds, dict):
        if not any(CANONICAL_ETYPE_DELIMITER in key for key in batch.seeds):
            raise InvalidValueError(
                f"{name}: the seeds are nodes of types {list(batch.seeds)}. Give node "
                "pairs by edge type."
            )
        labels, indexes = batch.labels or {}, batch.indexes or {}
        return {
            etype: positive(as_pairs(pairs, name), labels.get(etype), indexes.get(etype))
            for etype, pairs in batch.seeds.items()
            if CANONICAL_ETYPE_DELIMITER in etype
        }
    return positive(as_pairs(batch.seeds, name), batch.labels, batch.indexes)
