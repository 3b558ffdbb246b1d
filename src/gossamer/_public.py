"""The public names of `gossamer`, which `gossamer.__getattr__` loads on first use."""

from typing import TYPE_CHECKING

from gossamer import function, geometry, kernels, ops, random, transforms, udf, utils
from gossamer.errors import (
    FileError,
    GossamerError,
    InvalidTypeError,
    InvalidValueError,
    MissingExtraError,
    OutOfRangeError,
    UnknownKeyError,
)
from gossamer.graph import (
    ALL,
    EID,
    ETYPE,
    NID,
    NTYPE,
    Graph,
    batch,
    broadcast_edges,
    broadcast_nodes,
    create_block,
    graph,
    hetero_from_shared_memory,
    heterograph,
    load_graphs,
    max_edges,
    max_nodes,
    mean_edges,
    mean_nodes,
    readout_edges,
    readout_nodes,
    save_graphs,
    slice_batch,
    softmax_edges,
    softmax_nodes,
    sum_edges,
    sum_nodes,
    topk_edges,
    topk_nodes,
    unbatch,
)
from gossamer.interop import (
    bipartite_from_networkx,
    bipartite_from_scipy,
    from_cugraph,
    from_networkx,
    from_scipy,
    to_cugraph,
    to_networkx,
)
from gossamer.kernels import DeviceMemoryError
from gossamer.random import seed
from gossamer.transforms import *  # noqa: F403
from gossamer.utils import apply_each, is_libxsmm_enabled, use_libxsmm

# These are not needed to build graphs, so `gossamer.__getattr__` loads them separately.
if TYPE_CHECKING:
    from gossamer import (
        __version__,
        data,
        dataloading,
        graphbolt,
        interop,
        multiprocessing,
        nn,
        optim,
        sampling,
        sparse,
    )
    from gossamer.dataloading import (
        set_dst_lazy_features,
        set_edge_lazy_features,
        set_node_lazy_features,
        set_src_lazy_features,
    )

__all__ = [
    *transforms.__all__, "ALL", "EID", "ETYPE", "NID", "NTYPE", "DeviceMemoryError",
    "FileError", "GossamerError", "Graph", "InvalidTypeError", "InvalidValueError",
    "MissingExtraError", "OutOfRangeError", "UnknownKeyError", "__version__", "apply_each",
    "batch", "bipartite_from_networkx", "bipartite_from_scipy", "broadcast_edges",
    "broadcast_nodes", "create_block", "data", "dataloading", "from_cugraph", "from_networkx",
    "from_scipy", "function", "geometry", "graph", "graphbolt", "hetero_from_shared_memory",
    "heterograph", "interop", "is_libxsmm_enabled", "kernels", "load_graphs", "max_edges",
    "max_nodes", "mean_edges", "mean_nodes", "multiprocessing", "nn", "ops", "optim", "random",
    "readout_edges", "readout_nodes", "sampling", "save_graphs", "seed",
    "set_dst_lazy_features", "set_edge_lazy_features", "set_node_lazy_features",
    "set_src_lazy_features", "slice_batch", "softmax_edges", "softmax_nodes", "sparse",
    "sum_edges", "sum_nodes", "to_cugraph", "to_networkx", "topk_edges", "topk_nodes",
    "transforms", "udf", "unbatch", "use_libxsmm", "utils",
]  # fmt: skip
