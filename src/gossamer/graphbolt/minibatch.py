"""A mini-batch: seeds, their sampled subgraphs, features and labels."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer.errors import InvalidValueError
from gossamer.graph import EID, NID, create_block
from gossamer.graph.display import html_table
from gossamer.graphbolt.node_pairs import NodePairs, Pair
from gossamer.graphbolt.sampled_subgraph import CSCFormatBase, SampledSubgraph
from gossamer.graphbolt.types import ByType, etype_str_to_tuple, map_by_type
from gossamer.sampling import _core
from gossamer.utils import recursive_apply

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["MiniBatch", "random_numbers", "require_seeds"]


@dataclass
class MiniBatch(NodePairs):
    """A mini-batch, which the stages of a pipeline process one after another.

    Node and edge types of heterogeneous graphs are keys of dicts; edge types are written as
    ``"source type:relation:destination type"``.

    Parameters
    ----------
    labels : Tensor or dict of Tensor, optional
        Labels of the seeds.
    seeds : Tensor or dict of Tensor, optional
        Nodes ``(N,)``, or node pairs ``(N, 2)``, in the ids of the graph.
    indexes : Tensor or dict of Tensor, optional
        For each seed, the query that it belongs to: a negative pair has that of its positive pair.
    sampled_subgraphs : list of SampledSubgraph, optional
        A subgraph per layer, the outermost first.
    input_nodes : Tensor or dict of Tensor, optional
        Nodes whose features the first layer reads.
    node_features : dict, optional
        Features of the input nodes, by name or by ``(node type, name)``.
    edge_features : list of dict, optional
        Features of the edges of each layer, by name or by ``(edge type, name)``.
    compacted_seeds : Tensor or dict of Tensor, optional
        The seeds as positions among the output nodes of the last layer.
    seed_nodes, node_pairs, negative_dsts : optional
        The seeds by their names in GraphBolt 2.1; see :class:`NodePairs`.
    """

    labels: ByType | None = None
    seeds: ByType | None = None
    indexes: ByType | None = None
    sampled_subgraphs: list[SampledSubgraph] | None = None
    input_nodes: ByType | None = None
    node_features: dict[Any, Tensor] | None = None
    edge_features: list[dict[Any, Tensor]] | None = None
    compacted_seeds: ByType | None = None
    timestamp: ByType | None = field(default=None, repr=False)
    #: (seed, epoch, number of the batch): identifies the random numbers of its stages.
    _stream: tuple[int, ...] = field(default=(), repr=False, compare=False)
    _blocks: list[Graph] | None = field(default=None, repr=False, compare=False)

    def __init__(
        self,
        labels: ByType | None = None,
        seeds: ByType | None = None,
        indexes: ByType | None = None,
        sampled_subgraphs: list[SampledSubgraph] | None = None,
        input_nodes: ByType | None = None,
        node_features: dict[Any, Tensor] | None = None,
        edge_features: list[dict[Any, Tensor]] | None = None,
        compacted_seeds: ByType | None = None,
        timestamp: ByType | None = None,
        *,
        seed_nodes: ByType | None = None,
        node_pairs: ByType | Pair | dict[str, Pair] | None = None,
        negative_dsts: ByType | None = None,
    ) -> None:
        given = [x for x in (seeds, seed_nodes, node_pairs) if x is not None]
        if len(given) > 1:
            raise InvalidValueError("MiniBatch takes one of seeds, seed_nodes and node_pairs.")
        self.labels, self.indexes = labels, indexes
        self.node_pairs = given[0] if given else None
        self.sampled_subgraphs, self.input_nodes = sampled_subgraphs, input_nodes
        self.node_features, self.edge_features = node_features, edge_features
        self.compacted_seeds, self.timestamp = compacted_seeds, timestamp
        self._stream, self._blocks = (), None
        if negative_dsts is not None:
            self.negative_dsts = negative_dsts

    @property
    def seed_nodes(self) -> ByType | None:
        """The seeds, by their name in GraphBolt 2.1 for nodes."""
        return self.seeds

    @seed_nodes.setter
    def seed_nodes(self, seeds: ByType) -> None:
        self.seeds = seeds

    def node_ids(self) -> ByType | None:
        """Nodes whose features the first layer reads."""
        return self.input_nodes

    def num_layers(self) -> int:
        """Number of sampled subgraphs."""
        return 0 if self.sampled_subgraphs is None else len(self.sampled_subgraphs)

    def edge_ids(self, layer_id: int) -> ByType | None:
        """Return the edge ids in the graph of the edges of a layer."""
        return self.sampled_subgraphs[layer_id].original_edge_ids

    def set_node_features(self, node_features: dict[Any, Tensor]) -> None:
        """Set the features of the input nodes."""
        self.node_features = node_features

    def set_edge_features(self, edge_features: list[dict[Any, Tensor]]) -> None:
        """Set the features of the edges of each layer."""
        self.edge_features = edge_features

    @property
    def blocks(self) -> list[Graph] | None:
        """The subgraphs as blocks, for layers of :mod:`gossamer.nn`; see :meth:`compute_blocks`."""
        if self._blocks is None and self.sampled_subgraphs:
            self._blocks = self.compute_blocks()
        return self._blocks

    def compute_blocks(self) -> list[Graph]:
        """Build the blocks from the sampled subgraphs.

        Source nodes have their ids in the graph as feature ``_ID``; so do edges if the sampler
        returned edge ids.
        """
        if not self.sampled_subgraphs:
            raise InvalidValueError(
                "compute_blocks: the batch has no sampled subgraphs. Add a stage such as "
                "sample_neighbor to the pipeline."
            )
        return [_make_block(subgraph) for subgraph in self.sampled_subgraphs]

    def to_pyg_data(self) -> Any:
        """Convert to `torch_geometric.data.Data`; for homogeneous graphs only.

        Returns
        -------
        torch_geometric.data.Data
            With ``x`` (the only node feature), ``edge_index`` of the union of all layers, ``y``,
            ``batch_size`` and ``n_id``.
        """
        pyg = optional_import("torch_geometric.data", "MiniBatch.to_pyg_data")
        if isinstance(self.input_nodes, dict):
            raise InvalidValueError("to_pyg_data: the batch is heterogeneous.")
        edges = [subgraph.edge_index() for subgraph in self.sampled_subgraphs or []]
        edge_index = torch.cat(edges, 1).unique(dim=1) if edges else None
        features = self.node_features or {}
        if len(features) > 1:
            raise InvalidValueError(
                f"to_pyg_data: PyG takes one node feature, the batch has {sorted(features)}."
            )
        return pyg.Data(
            x=next(iter(features.values()), None),
            edge_index=edge_index,
            y=self.labels,
            batch_size=None if self.seeds is None else len(self.seeds),
            n_id=self.input_nodes,
        )

    def to(self, device: torch.device | str, non_blocking: bool = False) -> MiniBatch:
        """Move all tensors to a device, in place; return the batch."""
        return self._apply(lambda x: x.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> MiniBatch:
        """Move all tensors to pinned memory, in place; return the batch."""
        return self._apply(lambda x: x.pin_memory())

    def is_pinned(self) -> bool:
        """Whether all tensors are in pinned memory."""
        pinned = []
        self._apply(lambda x: (pinned.append(x.is_pinned()), x)[1])
        return bool(pinned) and all(pinned)

    def _apply(self, function: Any) -> MiniBatch:
        for name in self._names():
            setattr(self, name, recursive_apply(getattr(self, name), partial(_map, function)))
        self._blocks = None
        return self

    def _names(self) -> list[str]:
        known = [f.name for f in fields(self) if not f.name.startswith("_")]
        return known + [name for name in self.__dict__ if name not in known and name[0] != "_"]

    def __repr__(self) -> str:
        lines = []
        for name in self._names():
            value = getattr(self, name)
            if value is not None:
                text = repr(value).replace("\n", "\n" + " " * (11 + len(name)))
                lines.append(f"{name}={text}")
        return "MiniBatch(" + (",\n" + " " * 10).join(lines) + ")"

    def _repr_html_(self) -> str:
        rows = [[name, _shapes(getattr(self, name))] for name in self._names()]
        shown = [row for row in rows if row[1]]
        return html_table("MiniBatch", f"{len(shown)} fields", ["field", "content"], shown)


def require_seeds(batch: Any, stage: str) -> None:
    """Raise unless a batch has seeds, which `stage` needs."""
    if getattr(batch, "seeds", None) is None:
        raise InvalidValueError(
            f"{stage}: the batch has no seeds. Name the items, as in ItemSet(items, names='seeds')."
        )


def random_numbers(batch: MiniBatch, *purpose: int) -> AbstractContextManager:
    """Make random numbers in a ``with`` block depend on the batch number and `purpose`."""
    return _core.stream(*batch._stream, *purpose) if batch._stream else nullcontext()


def _shapes(value: Any, name: str = "") -> list[str]:
    """Return a line of text for each tensor in a field of a mini-batch."""
    if isinstance(value, Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        return [f"{name} {dtype} {tuple(value.shape)}".strip()]
    if isinstance(value, dict):
        return [line for key, item in value.items() for line in _shapes(item, str(key))]
    if isinstance(value, list | tuple):
        return [line for i, item in enumerate(value) for line in _shapes(item, str(i))]
    return [] if value is None else [f"{name} {type(value).__name__}".strip()]


def _map(function: Any, value: Any) -> Any:
    """Apply a function to a tensor, or to every tensor of a subgraph."""
    if isinstance(value, Tensor):
        return function(value)
    return value.apply(function) if isinstance(value, SampledSubgraph) else value


def _make_block(subgraph: SampledSubgraph) -> Graph:
    csc = subgraph.sampled_csc
    rows, cols = subgraph.original_row_node_ids, subgraph.original_column_node_ids
    edges = subgraph.original_edge_ids

    def count(ids: Tensor | None, default: int) -> int:
        return default if ids is None else len(ids)

    if isinstance(csc, CSCFormatBase):
        block = create_block(
            _edges_of(csc, csc.indices.dtype),
            num_src_nodes=count(rows, csc.num_rows()),
            num_dst_nodes=count(cols, len(csc.indptr) - 1),
        )
        block.srcdata[NID] = rows
        if edges is not None:
            block.edata[EID] = edges
        return block
    parts = {etype_str_to_tuple(etype): part for etype, part in csc.items()}
    dtypes = {part.indices.dtype for part in parts.values()}
    dtype = dtypes.pop() if len(dtypes) == 1 else torch.int64
    block = create_block(
        {etype: _edges_of(part, dtype) for etype, part in parts.items()},
        # A batch need not have nodes of all types.
        num_src_nodes={**{src: 0 for src, _, _ in parts}, **map_by_type(len, rows)},
        num_dst_nodes={**{dst: 0 for _, _, dst in parts}, **map_by_type(len, cols)},
    )
    for ntype, ids in rows.items():
        if ntype in block.srctypes:
            block.srcnodes[ntype].data[NID] = ids
    for etype, ids in (edges or {}).items():
        block.edges[etype_str_to_tuple(etype)].data[EID] = ids
    return block


def _edges_of(csc: CSCFormatBase, dtype: torch.dtype) -> tuple[str, tuple[Tensor, ...]]:
    """Return the edges of a block, with all tensors in one dtype."""
    indptr = csc.indptr.to(dtype)
    return "csc", (indptr, csc.indices.to(dtype), indptr[:0])
