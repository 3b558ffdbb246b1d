"""Parts of a graph that have few edges between them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gossamer._files import replacing
from gossamer._options import as_int
from gossamer.dataloading.base import Sampler, finished
from gossamer.errors import FileError, OutOfRangeError
from gossamer.graph import Graph
from gossamer.graph.arguments import require_homogeneous
from gossamer.graph.ids import as_id_tensor
from gossamer.kernels.rows import row_starts
from gossamer.transforms import metis_partition_assignment, node_subgraph

__all__ = ["ClusterGCNSampler"]


class ClusterGCNSampler(Sampler):
    """Sample subgraphs induced by parts of a graph that METIS partitions.

    The items of the loader are part ids, ``torch.arange(k)``.

    Parameters
    ----------
    g : Graph
        A homogeneous graph.
    k : int
        Number of parts.
    cache_path : str or path, optional
        File that stores the parts: read if it exists, written otherwise. None or "": no file.
    balance_ntypes, balance_edges, mode
        See :func:`gossamer.metis_partition_assignment`.
    prefetch_ndata, prefetch_edata : list of str, optional
        Features of the subgraph that the loader fetches.
    output_device : torch.device or str, optional
        Device of the subgraphs. Default: that of the graph.

    Raises
    ------
    FileError
        If the file at `cache_path` is not such a file, or has the parts of another graph.
    InvalidValueError
        If the graph is not homogeneous, or `k` is below 1.

    References
    ----------
    Chiang et al., "Cluster-GCN: an efficient algorithm for training deep and large graph
    convolutional networks", KDD 2019.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2, 3], [1, 0, 3, 2]))
    >>> sampler = gs.dataloading.ClusterGCNSampler(g, 2, cache_path=None)
    >>> loader = gs.dataloading.DataLoader(g, torch.arange(2), sampler, batch_size=2)
    >>> next(iter(loader)).num_nodes()
    4
    """

    needs_graph = True

    def __init__(
        self,
        g: Graph,
        k: int,
        cache_path: str | os.PathLike | None = "cluster_gcn.pkl",
        balance_ntypes: Any = None,
        balance_edges: bool = False,
        mode: str = "k-way",
        prefetch_ndata: Any = None,
        prefetch_edata: Any = None,
        output_device: torch.device | str | None = None,
    ) -> None:
        require_homogeneous(g, "ClusterGCNSampler")
        parts = as_int(k, "ClusterGCNSampler", "k", 1)
        if cache_path and os.path.exists(cache_path):
            assignment = _read(cache_path, parts, g.num_nodes())
        else:
            assignment = metis_partition_assignment(
                g, parts, balance_ntypes, balance_edges, mode
            ).long()
            if cache_path:
                with replacing(Path(cache_path)) as temporary:
                    torch.save({"parts": parts, "assignment": assignment}, temporary)
        self.partition_node_ids = torch.argsort(assignment, stable=True)
        self.partition_offset = row_starts(torch.bincount(assignment, minlength=parts))
        self.prefetch_ndata = prefetch_ndata or []
        self.prefetch_edata = prefetch_edata or []
        self.output_device = output_device

    def sample(self, g: Graph, partition_ids: Any) -> Graph:
        """Return the subgraph induced by all nodes in the parts `partition_ids`."""
        chosen = as_id_tensor(partition_ids, "parts").tolist()
        count = len(self.partition_offset) - 1
        for part in chosen:
            if not 0 <= part < count:
                raise OutOfRangeError(
                    f"ClusterGCNSampler: there is no part {part}; there are {count}."
                )
        bounds = self.partition_offset.tolist()
        parts = [self.partition_node_ids[bounds[p] : bounds[p + 1]] for p in chosen]
        nodes: Tensor = torch.cat(parts) if parts else self.partition_node_ids[:0]
        sub = node_subgraph(g, nodes.to(g.device))
        return finished(sub, self.prefetch_ndata, self.prefetch_edata, self.output_device)


def _read(path: str | os.PathLike, parts: int, num_nodes: int) -> Tensor:
    try:
        kept = torch.load(path, weights_only=True)
        assignment, found = kept["assignment"], kept["parts"]
    except Exception as error:
        raise FileError(
            f"ClusterGCNSampler: {path} does not hold parts of a graph. Remove it, or give another "
            "cache_path."
        ) from error
    fits = isinstance(assignment, Tensor) and assignment.shape == (num_nodes,) and found == parts
    if not fits or (num_nodes and not 0 <= int(assignment.min()) <= int(assignment.max()) < parts):
        raise FileError(
            f"ClusterGCNSampler: {path} holds {found} parts of another graph, not {parts} of one "
            f"with {num_nodes} nodes. Remove it, or give another cache_path."
        )
    return assignment
