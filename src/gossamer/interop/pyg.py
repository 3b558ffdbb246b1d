"""Conversion from and to PyG's `Data` and `HeteroData`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import EID, ETYPE, NID, NTYPE, Frame, Graph, graph, heterograph
from gossamer.graph.arguments import require_graph
from gossamer.graph.schema import Schema

__all__ = ["from_pyg", "to_pyg"]

# PyG's names for former ids and types; names that begin with "_" have another meaning in PyG.
_NODE_NAMES = {NID: "n_id", NTYPE: "node_type"}
_EDGE_NAMES = {EID: "e_id", ETYPE: "edge_type"}

_STRUCTURE = {"edge_index", "num_nodes", "batch", "ptr"}


def from_pyg(
    data: Any, idtype: torch.dtype | None = None, return_rest: bool = False
) -> Graph | tuple[Graph, dict[Any, Any]]:
    """Make a graph from a PyG ``Data``, ``HeteroData`` or ``Batch``.

    Tensors with one row per node or edge become features with the same name (``x``, ``y``, ``pos``,
    ``train_mask``, ``edge_attr`` ...). As in PyG, if there are as many nodes as edges, tensors with
    "edge" in their name belong to edges. ``n_id``, ``node_type``, ``e_id`` and ``edge_type`` become
    the features ``gossamer.NID``, ``NTYPE``, ``EID`` and ``ETYPE``. A batch is converted to a
    batch.

    Parameters
    ----------
    data : torch_geometric.data.Data or HeteroData
        With ``edge_index`` of shape ``(2, E)``, or without edges.
    idtype : torch.dtype, optional
        torch.int32 or torch.int64. Default: that of ``edge_index``.
    return_rest : bool
        Whether to also return attributes of the graph as a whole, such as its label.

    Returns
    -------
    Graph, or (Graph, dict)
        Tensors are shared, not copied. The dict has the remaining attributes by name, or by
        ``(type, name)`` if they belong to one type.

    Raises
    ------
    InvalidTypeError
        If `data` is not an object of PyG.
    InvalidValueError
        If edges are stored as ``adj_t``, there are node types but no edge type, or the edges of a
        batch are not sorted by graph.
    OutOfRangeError
        If an edge names a negative node.
    """
    if hasattr(data, "edge_types") and hasattr(data, "node_types"):
        return _from_hetero(data, idtype, return_rest)
    if not hasattr(data, "is_node_attr") or not hasattr(data, "to_dict"):
        raise InvalidTypeError(
            f"from_pyg takes a torch_geometric.data.Data or HeteroData, got {type(data).__name__}."
        )
    _require_edge_index(data.to_dict(), "the data")
    ends = data.to_dict().get("edge_index")
    device = next((v.device for v in data.to_dict().values() if isinstance(v, Tensor)), None)
    num_nodes = data.num_nodes or 0
    empty = torch.empty(2, 0, dtype=torch.int64, device=device)
    g = graph(tuple(empty if ends is None else ends), num_nodes=num_nodes, idtype=idtype)
    rest: dict[Any, Any] = {}
    for name, value in _attributes(data, rest, None):
        if data.is_node_attr(name):
            _set(g.ndata, _NODE_NAMES, name, value)
        else:
            _set(g.edata, _EDGE_NAMES, name, value)
    _keep_batch(g, {g.ntypes[0]: data.to_dict()})
    return (g, rest) if return_rest else g


def to_pyg(g: Graph, rest: Mapping[Any, Any] | None = None) -> Any:
    """Convert to a PyG ``Data`` or ``HeteroData`` with the same nodes, edges and features.

    Parameters
    ----------
    g : Graph
        Any graph but a block. Features keep their names, except former ids and types: see
        :func:`from_pyg`.
    rest : dict, optional
        Attributes of the graph as a whole, or of a type, as :func:`from_pyg` returns them.

    Returns
    -------
    torch_geometric.data.Data or HeteroData
        ``Data`` if there is one node type and one edge type, with the default names.
        ``edge_index`` is int64 and ``num_nodes`` is always set; for a batch, ``batch`` and ``ptr``
        too. Features are shared, not copied.

    Raises
    ------
    InvalidTypeError
        If `g` is not a graph.
    InvalidValueError
        If it is a block, or a node feature and an edge feature of ``Data`` have the same name.
    MissingExtraError
        If torch_geometric is not installed.
    """
    require_graph(g, "to_pyg")
    if g.is_block:
        raise InvalidValueError("to_pyg does not take a block. Use gossamer.block_to_graph first.")
    module = optional_import("torch_geometric.data", "gossamer.interop.to_pyg")
    batched = g.is_batch
    if g.schema == Schema.homogeneous():
        result = module.Data(edge_index=_edge_index(g, g.canonical_etypes[0]))
        nodes = _renamed(g.node_frames[0], _NODE_NAMES)
        edges = _renamed(g.edge_frames[0], _EDGE_NAMES)
        both = sorted(nodes.keys() & edges.keys())
        if both:
            raise InvalidValueError(
                f"to_pyg: {both[0]!r} is the name of a node feature and of an edge feature; Data "
                "can have only one. Rename one of them."
            )
        stores = {None: result}
        _fill(result, {"num_nodes": g.num_nodes(), **nodes, **edges})
        if batched:
            _fill(result, _batch(g.batch_num_nodes()))
    else:
        result = module.HeteroData()
        for ntype, frame in zip(g.ntypes, g.node_frames, strict=True):
            _fill(result[ntype], {"num_nodes": frame.num_rows, **_renamed(frame, _NODE_NAMES)})
            if batched:
                _fill(result[ntype], _batch(g.batch_num_nodes(ntype)))
        for etype, frame in zip(g.canonical_etypes, g.edge_frames, strict=True):
            features = _renamed(frame, _EDGE_NAMES)
            _fill(result[etype], {"edge_index": _edge_index(g, etype), **features})
        stores = {kind: result[kind] for kind in (*g.ntypes, *g.canonical_etypes)}
    for key, value in (rest or {}).items():
        if isinstance(key, tuple) and key[0] in stores:
            _fill(stores[key[0]], {key[1]: value})
        else:
            _fill(result, {key: value})
    return result


def _from_hetero(data: Any, idtype: Any, return_rest: bool) -> Any:
    stores = data.to_dict()
    if not data.edge_types:
        raise InvalidValueError(
            f"from_pyg: the HeteroData has node types {list(data.node_types)} but no edge type. "
            "Add an edge_index, which may be empty."
        )
    edges = {}
    for etype in data.edge_types:
        _require_edge_index(stores[etype], f"edge type {etype}")
        edges[etype] = tuple(stores[etype]["edge_index"])
    counts = {ntype: data[ntype].num_nodes or 0 for ntype in data.node_types}
    g = heterograph(edges, counts, idtype=idtype)
    rest: dict[Any, Any] = dict(stores.get("_global_store", {}))
    for ntype in data.node_types:
        for name, value in _attributes(data[ntype], rest, ntype):
            _set(g.nodes[ntype].data, _NODE_NAMES, name, value)
    for etype in data.edge_types:
        for name, value in _attributes(data[etype], rest, etype):
            _set(g.edges[etype].data, _EDGE_NAMES, name, value)
    _keep_batch(g, {ntype: stores[ntype] for ntype in data.node_types})
    return (g, rest) if return_rest else g


def _require_edge_index(store: Mapping[str, Any], what: str) -> None:
    if "adj_t" in store or ("edge_index" not in store and what != "the data"):
        raise InvalidValueError(
            f"from_pyg: {what} has no edge_index. Set it, for example from adj_t with "
            "torch_geometric.utils.to_edge_index."
        )
    ends = store.get("edge_index")
    if ends is not None and (not isinstance(ends, Tensor) or ends.dim() != 2 or len(ends) != 2):
        shape = tuple(ends.shape) if isinstance(ends, Tensor) else type(ends).__name__
        raise InvalidValueError(f"from_pyg: edge_index of {what} must be (2, E), got {shape}.")


def _attributes(store: Any, rest: dict[Any, Any], kind: Any) -> list[tuple[str, Tensor]]:
    """Return the attributes with one row per node or edge, and add others to `rest`."""
    found = []
    batched = {"batch", "ptr"} <= set(store.to_dict())
    for name, value in store.to_dict().items():
        if name in ("edge_index", "num_nodes") or (batched and name in ("batch", "ptr")):
            continue
        if isinstance(value, Tensor) and (store.is_node_attr(name) or store.is_edge_attr(name)):
            found.append((name, value))
        else:
            rest[name if kind is None else (kind, name)] = value
    return found


def _set(view: Any, names: dict[str, str], name: str, value: Tensor) -> None:
    ours = {theirs: ours for ours, theirs in names.items()}
    view[ours.get(name, name)] = value


def _renamed(frame: Frame, names: dict[str, str]) -> dict[str, Tensor]:
    clash = [name for name in frame if name in _STRUCTURE]
    if clash:
        raise InvalidValueError(
            f"to_pyg: {frame.kind} feature {clash[0]!r} has a name that PyG uses for structure. "
            "Rename it."
        )
    return {names.get(name, name): frame[name] for name in frame}


def _fill(store: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        store[name] = value


def _edge_index(g: Graph, etype: Any) -> Tensor:
    return torch.stack(g.relation(etype).coo()).long()


def _batch(counts: Tensor) -> dict[str, Tensor]:
    """Return PyG's ``batch`` and ``ptr``, which assign nodes to the graphs of a batch."""
    counts = counts.long()
    ptr = torch.nn.functional.pad(counts.cumsum(0), (1, 0))
    graphs = torch.arange(len(counts), device=counts.device)
    return {"batch": graphs.repeat_interleave(counts), "ptr": ptr}


def _keep_batch(g: Graph, stores: Mapping[str, Mapping[str, Any]]) -> None:
    """Set the sizes of the batched graphs if every node type has a batch vector."""
    if not all("batch" in store and "ptr" in store for store in stores.values()):
        return
    sizes = {}
    for etype in g.canonical_etypes:
        owner = stores[etype[0]]["batch"][g.edges(etype=etype)[0].long()]
        if bool((owner[1:] < owner[:-1]).any()):
            raise InvalidValueError(
                f"from_pyg: edges of type {etype} are not sorted by graph, as a batch "
                "requires. Remove batch and ptr, or sort the edges."
            )
        sizes[etype] = torch.bincount(owner, minlength=len(stores[etype[0]]["ptr"]) - 1)
    g.set_batch_num_nodes({ntype: store["ptr"].diff() for ntype, store in stores.items()})
    g.set_batch_num_edges(sizes)
