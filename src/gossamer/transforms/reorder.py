"""Reorder nodes and edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gossamer import kernels
from gossamer._optional import optional_import
from gossamer._options import as_int, one_of
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import NID, Graph
from gossamer.graph.arguments import require_homogeneous
from gossamer.graph.edge_selection import with_edges
from gossamer.graph.ids import as_id_tensor, check_range
from gossamer.transforms.partition import metis_partition_assignment

__all__ = ["reorder_graph"]

_NODE_ORDERS = ("rcmk", "metis", "custom")
_EDGE_ORDERS = ("src", "dst", "custom")


def reorder_graph(
    g: Graph,
    node_permute_algo: str | None = None,
    edge_permute_algo: str = "src",
    store_ids: bool = True,
    permute_config: Mapping[str, Any] | None = None,
) -> Graph:
    """Reorder nodes and edges, for better memory locality or in a given order.

    Node ``i`` of the result is node ``perm[i]`` of `g`, and likewise for edges and features.

    Parameters
    ----------
    g : Graph
        One node type and one edge type.
    node_permute_algo : {"rcmk", "metis", "custom"}, optional
        ``"rcmk"``: the reverse Cuthill-McKee order of SciPy, in which neighbors have close ids.
        Nodes of equal degree are in the order of NumPy's sort, which can differ between processors
        and versions. ``"metis"``: sorted by part of a METIS partition into ``permute_config["k"]``
        parts. ``"custom"``: ``permute_config["nodes_perm"]``. Default: nodes keep their ids.
    edge_permute_algo : {"src", "dst", "custom"}
        Sort by new source id, sort by new destination id, or use ``permute_config["edges_perm"]``.
        Ties keep the order of edge ids.
    store_ids : bool
        If True, ``gossamer.NID`` and ``gossamer.EID`` hold former ids.
    permute_config : dict, optional
        Arguments of the algorithms: ``"k"``, ``"nodes_perm"`` ``(N,)`` and ``"edges_perm"``
        ``(E,)``.

    Returns
    -------
    Graph
        The reordered graph. Features are gathered when first read. Batch sizes are dropped.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph or a permutation does not consist of integers.
    InvalidValueError
        If `g` is a block or has several types, an algorithm is unknown, `permute_config` lacks a
        key, or a permutation does not contain every id exactly once.
    OutOfRangeError
        If a permutation contains an id that does not exist.
    MissingExtraError
        If scipy ("rcmk") or pymetis ("metis") is not installed.

    References
    ----------
    Cuthill and McKee, "Reducing the bandwidth of sparse symmetric matrices", ACM 1969.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 0, 3], [3, 2, 1]))
    >>> new = gs.reorder_graph(g, "custom", permute_config={"nodes_perm": [3, 2, 1, 0]})
    >>> new.edges(), new.edata[gs.EID]
    ((tensor([0, 3, 3]), tensor([2, 0, 1])), tensor([2, 0, 1]))
    """
    require_homogeneous(g, "reorder_graph")
    config = {} if permute_config is None else permute_config
    if not isinstance(config, Mapping):
        raise InvalidTypeError(
            f"reorder_graph: permute_config is a dict, got {type(config).__name__}."
        )
    if node_permute_algo is not None:
        one_of(node_permute_algo, "reorder_graph", "node_permute_algo", _NODE_ORDERS)
    one_of(edge_permute_algo, "reorder_graph", "edge_permute_algo", _EDGE_ORDERS)
    row, col = g.adjacency.coo()
    nodes = _node_order(g, node_permute_algo, config)
    if nodes is not None:
        place = torch.empty_like(nodes).index_copy_(
            0, nodes.long(), torch.arange(len(nodes)).to(nodes)
        )
        row, col = place.index_select(0, row), place.index_select(0, col)
    edges = _edge_order(g, edge_permute_algo, row, col, config)
    coo = row.index_select(0, edges), col.index_select(0, edges)
    of_nodes = None if nodes is None else [nodes]
    result = with_edges(g, [coo], [edges], of_nodes, store_ids=store_ids)
    if store_ids and nodes is None:
        result.ndata[NID] = g.nodes()
    return result


def _node_order(g: Graph, algorithm: str | None, config: Mapping[str, Any]) -> Tensor | None:
    """The former id of each node, in the id type of the graph; None if nodes keep their ids."""
    if algorithm is None:
        return None
    if algorithm == "custom":
        return _permutation(g, config, "nodes_perm", g.num_nodes(), "node_permute_algo")
    if algorithm == "metis":
        k = as_int(_required(config, "k", "node_permute_algo='metis'"), "reorder_graph", "k", 1)
        return torch.argsort(metis_partition_assignment(g, k), stable=True).to(g.idtype)
    if g.num_nodes() == 0:
        return g.nodes()
    graphs = optional_import("scipy.sparse.csgraph", "reorder_graph with 'rcmk'")
    order = graphs.reverse_cuthill_mckee(g.adj_external(scipy_fmt="csr"))
    return torch.from_numpy(order.copy()).to(device=g.device, dtype=g.idtype)


def _edge_order(
    g: Graph, algorithm: str, row: Tensor, col: Tensor, config: Mapping[str, Any]
) -> Tensor:
    """The former id of each edge, in the id type of the graph."""
    if algorithm == "custom":
        return _permutation(g, config, "edges_perm", g.num_edges(), "edge_permute_algo")
    keys = row if algorithm == "src" else col
    _, _, order = kernels.coo_to_csr(keys, keys, g.num_nodes(), dtype=g.idtype)
    return g.edges(form="eid") if order is None else order


def _required(config: Mapping[str, Any], key: str, why: str) -> Any:
    if config.get(key) is None:
        raise InvalidValueError(
            f"reorder_graph: {why} needs {key!r} in permute_config, which has {list(config)}."
        )
    return config[key]


def _permutation(
    g: Graph, config: Mapping[str, Any], key: str, count: int, argument: str
) -> Tensor:
    what = key.partition("_")[0]
    ids = as_id_tensor(_required(config, key, f"{argument}='custom'"), key, g.device)
    if len(ids) != count:
        raise InvalidValueError(
            f"reorder_graph: {key} must name each of the {count} {what} once, got {len(ids)} ids."
        )
    check_range(ids, count, what)
    times = torch.bincount(ids, minlength=count)
    if bool((times != 1).any()):
        raise InvalidValueError(
            f"reorder_graph: {key} must name each of the {count} {what} once, but it lacks "
            f"{int((times == 0).nonzero()[0])}."
        )
    return ids.to(g.idtype)
