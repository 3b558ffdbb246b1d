"""Convert heterogeneous graphs to homogeneous ones and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from gossamer import kernels
from gossamer.errors import (
    InvalidTypeError,
    InvalidValueError,
    OutOfRangeError,
    UnknownKeyError,
)
from gossamer.graph import EID, ETYPE, NID, NTYPE, Graph
from gossamer.graph.arguments import (
    feature_names,
    refuse_block,
    require_homogeneous,
)
from gossamer.graph.frame import Frame
from gossamer.graph.schema import CanonicalEType, Schema
from gossamer.ops.adjacency import Adjacency

__all__ = ["to_heterogeneous", "to_homogeneous"]

Names = Sequence[str]


def to_homogeneous(
    G: Graph,
    ndata: Names | None = None,
    edata: Names | None = None,
    store_type: bool = True,
    return_count: bool = False,
) -> Graph | tuple[Graph, list[int], list[int]]:
    """Convert a heterogeneous graph to a homogeneous one.

    Nodes are concatenated type by type in the order of ``G.ntypes``, and edges in the order of
    ``G.canonical_etypes``. Node ``i`` of a type becomes ``i`` plus the number of nodes of all types
    before it.

    Parameters
    ----------
    G : Graph
        Any graph but a block.
    ndata, edata : sequence of str, optional
        Features to keep. Every type that has nodes or edges must have them, with the same row shape
        and dtype. They are concatenated over types. Default: none.
    store_type : bool
        Whether to store the position of the original type in ``G.ntypes`` and
        ``G.canonical_etypes`` as features ``gossamer.NTYPE`` and ``gossamer.ETYPE`` (int64).
    return_count : bool
        Whether to also return the number of nodes and of edges of each type.

    Returns
    -------
    Graph, or (Graph, list of int, list of int)
        The graph, whose features ``gossamer.NID`` and ``gossamer.EID`` hold the original ids within
        a type. Batch sizes are dropped.

    Raises
    ------
    InvalidTypeError
        If `G` is not a graph, or feature names are not str.
    InvalidValueError
        If `G` is a block, or a feature differs in shape or dtype between types.
    UnknownKeyError
        If a type that has nodes or edges lacks a feature.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.heterograph({("user", "likes", "item"): ([0, 2], [1, 0])})
    >>> h = gs.to_homogeneous(g)
    >>> h.edges()
    (tensor([2, 4]), tensor([1, 0]))
    >>> h.ndata[gs.NTYPE], h.ndata[gs.NID]
    (tensor([0, 0, 1, 1, 1]), tensor([0, 1, 0, 1, 2]))
    """
    refuse_block(G, "to_homogeneous")
    node_names, edge_names = feature_names(ndata, "ndata"), feature_names(edata, "edata")
    node_counts = [frame.num_rows for frame in G.node_frames]
    edge_counts = [adjacency.num_edges for adjacency in G.relations]
    nodes = _joined(G, G.node_frames, G.ntypes, node_names, NTYPE, NID, store_type)
    edges = _joined(G, G.edge_frames, G.canonical_etypes, edge_names, ETYPE, EID, store_type)
    adjacency = _end_to_end(G, node_counts, sum(edge_counts))
    graph = Graph.from_parts(Schema.homogeneous(), [adjacency], [nodes], [edges])
    return (graph, node_counts, edge_counts) if return_count else graph


def _bounds(counts: Sequence[int]) -> list[int]:
    """Offsets of concatenated parts of these lengths, and the total."""
    return list(accumulate(counts, initial=0))


def _end_to_end(graph: Graph, node_counts: list[int], num_edges: int) -> Adjacency:
    if graph.is_homogeneous:
        return graph.relations[0]
    first, num_nodes = _bounds(node_counts), sum(node_counts)
    row, col = (kernels.empty(num_edges, graph.idtype, graph.device) for _ in range(2))
    adjacency = Adjacency(num_nodes, num_nodes, graph.idtype, coo=(row, col))
    at = 0
    for relation, (src, dst) in zip(graph.relations, graph.schema.endpoints, strict=True):
        until = at + relation.num_edges
        u, v = relation.coo()
        torch.add(u, first[src], out=row[at:until])
        torch.add(v, first[dst], out=col[at:until])
        at = until
    return adjacency


def _joined(
    graph: Graph,
    frames: list[Frame],
    types: list,
    names: list[str],
    type_name: str,
    id_name: str,
    store_type: bool,
) -> Frame:
    """The concatenated rows of all `frames`, with former ids and types."""
    bounds = _bounds([frame.num_rows for frame in frames])
    joined = Frame(bounds[-1], frames[0].kind)
    for name in names:
        joined[name] = _concatenated(frames, types, name)
    ids = kernels.empty(bounds[-1], graph.idtype, graph.device)
    numbers = kernels.empty(bounds[-1] if store_type else 0, torch.int64, graph.device)
    for number, (first, until) in enumerate(pairwise(bounds)):
        torch.arange(until - first, out=ids[first:until])
        numbers[first:until] = number
    joined[id_name] = ids
    if store_type:
        joined[type_name] = numbers
    return joined


def _concatenated(frames: list[Frame], types: list, name: str) -> Tensor:
    kind = frames[0].kind
    # A type without rows needs no feature, unless no type has rows.
    if any(frame.num_rows for frame in frames):
        types = [of_type for of_type, frame in zip(types, frames, strict=True) if frame.num_rows]
        frames = [frame for frame in frames if frame.num_rows]
    for frame, of_type in zip(frames, types, strict=True):
        if name not in frame:
            raise UnknownKeyError(
                f"to_homogeneous: {kind} type {of_type!r} has no feature {name!r}, and every type "
                f"needs it; it has {list(frame)}. Set it, or remove it from {kind[0]}data."
            )
        if frame.scheme(name) != frames[0].scheme(name):
            schemes = dict(zip(types, (tuple(f.scheme(name)) for f in frames), strict=True))
            raise InvalidValueError(
                f"to_homogeneous: {kind} feature {name!r} needs one row shape and dtype in all "
                f"types, got {schemes}."
            )
    return frames[0][name] if len(frames) == 1 else torch.cat([frame[name] for frame in frames])


def to_heterogeneous(
    G: Graph,
    ntypes: Names,
    etypes: Names,
    ntype_field: str = NTYPE,
    etype_field: str = ETYPE,
    metagraph: Any = None,
) -> Graph:
    """Convert a homogeneous graph to a heterogeneous one, with types from two features.

    Parameters
    ----------
    G : Graph
        One node type and one edge type, with ``N`` nodes and ``E`` edges.
    ntypes : sequence of str
        Names of node types: node ``i`` is of type ``ntypes[G.ndata[ntype_field][i]]``.
    etypes : sequence of str
        Names of relations: edge ``i`` is of relation ``etypes[G.edata[etype_field][i]]``. Source
        and destination types are those of its nodes, so one relation may become several edge types.
    ntype_field, etype_field : str
        Integer features ``(N,)`` and ``(E,)``.
    metagraph : networkx.MultiDiGraph, optional
        The edge types of the result, as returned by :meth:`Graph.metagraph`: types without edges
        are kept, edges of other types are dropped. Default: the edge types that occur.

    Returns
    -------
    Graph
        Nodes and edges keep their order within a type; features ``gossamer.NID`` and
        ``gossamer.EID`` (int64) hold former ids. Features other than the two fields are copied,
        gathered when first read. Node and edge types are in alphabetical order.

    Raises
    ------
    InvalidTypeError
        If `G` is not a graph, names are not lists of str, fields are not integers, or `metagraph`
        is not a networkx.MultiDiGraph.
    InvalidValueError
        If `G` has several types, a field is not one number per row, a node type is named twice, or
        the graph has no edges and no `metagraph` is given.
    OutOfRangeError
        If a type number has no name.
    UnknownKeyError
        If a field is missing, or `metagraph` names an unknown type.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [2, 2, 0]))
    >>> g.ndata["kind"] = torch.tensor([0, 0, 1])
    >>> g.edata["kind"] = torch.tensor([0, 0, 1])
    >>> h = gs.to_heterogeneous(g, ["user", "item"], ["buys", "seen-by"], "kind", "kind")
    >>> h.canonical_etypes
    [('item', 'seen-by', 'user'), ('user', 'buys', 'item')]
    >>> h.edges(etype="buys")
    (tensor([0, 1]), tensor([0, 0]))
    """
    require_homogeneous(G, "to_heterogeneous")
    ntypes, etypes = _type_names(ntypes, "ntypes"), _type_names(etypes, "etypes")
    if len(set(ntypes)) < len(ntypes):
        raise InvalidValueError(f"to_heterogeneous: ntypes names a type twice: {ntypes}.")
    node_types = _type_numbers(G.node_frames[0], ntype_field, ntypes, "ntypes")
    edge_types = _type_numbers(G.edge_frames[0], etype_field, etypes, "etypes")
    row, col = (ends.long() for ends in G.relations[0].coo())
    keys = (node_types[row] * len(etypes) + edge_types) * len(ntypes) + node_types[col]
    found, numbers = torch.unique(keys, return_inverse=True)
    occurring = [_triplet(key, ntypes, etypes) for key in found.tolist()]
    canonical = _wanted(occurring, metagraph, ntypes, etypes)

    # Types are in alphabetical order; edges of a type that is dropped come last.
    place = {etype: i for i, etype in enumerate(canonical)}
    places = torch.tensor(
        [place.get(etype, len(canonical)) for etype in occurring], device=G.device, dtype=keys.dtype
    )
    edge_groups, _ = _grouped(places[numbers], len(canonical) + 1)
    order = sorted(range(len(ntypes)), key=ntypes.__getitem__)
    node_groups, local = _grouped(node_types, len(ntypes))

    schema = Schema(tuple(ntypes[i] for i in order), tuple(canonical))
    nodes = _split(G.node_frames[0], ntype_field, NID, [node_groups[i] for i in order])
    edges = _split(G.edge_frames[0], etype_field, EID, edge_groups[:-1])
    row, col = (local[ends].to(G.idtype) for ends in (row, col))
    adjacencies = [
        Adjacency(nodes[src].num_rows, nodes[dst].num_rows, G.idtype, coo=(row[eids], col[eids]))
        for (src, dst), eids in zip(schema.endpoints, edge_groups[:-1], strict=True)
    ]
    return Graph.from_parts(schema, adjacencies, nodes, edges)


def _type_names(names: Any, what: str) -> list[str]:
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise InvalidTypeError(f"to_heterogeneous: {what} is a list of names, got {names!r}.")
    names = list(names)
    if not all(isinstance(name, str) for name in names):
        raise InvalidTypeError(f"to_heterogeneous: {what} is a list of str, got {names}.")
    return names


def _type_numbers(frame: Frame, field: str, names: list[str], what: str) -> Tensor:
    if field not in frame:
        raise UnknownKeyError(
            f"to_heterogeneous: there is no {frame.kind} feature {field!r} with the number of each "
            f"{frame.kind}'s type; there are {list(frame)}. Set it, or name another field."
        )
    numbers = frame[field]
    if numbers.dim() != 1:
        raise InvalidValueError(
            f"to_heterogeneous: {frame.kind} feature {field!r} must be one number for each "
            f"{frame.kind}, got shape {tuple(numbers.shape)}."
        )
    if numbers.dtype.is_floating_point or numbers.dtype.is_complex or numbers.dtype == torch.bool:
        raise InvalidTypeError(
            f"to_heterogeneous: {frame.kind} feature {field!r} must be integers, "
            f"got {numbers.dtype}."
        )
    numbers = numbers.long()
    if numbers.numel():
        low, high = (int(end) for end in torch.aminmax(numbers))
        if low < 0 or high >= len(names):
            raise OutOfRangeError(
                f"to_heterogeneous: {frame.kind} feature {field!r} holds type "
                f"{low if low < 0 else high}, but {what} names {len(names)}: {names}."
            )
    return numbers


def _triplet(key: int, ntypes: list[str], etypes: list[str]) -> CanonicalEType:
    rest, dst = divmod(key, len(ntypes))
    src, relation = divmod(rest, len(etypes))
    return ntypes[src], etypes[relation], ntypes[dst]


def _wanted(
    occurring: list[CanonicalEType], metagraph: Any, ntypes: list[str], etypes: list[str]
) -> list[CanonicalEType]:
    """The edge types of the result, in alphabetical order."""
    if metagraph is None:
        if not occurring:
            raise InvalidValueError(
                "to_heterogeneous: the graph has no edges, so its edge types are unknown. "
                "Pass metagraph=..."
            )
        return sorted(set(occurring))
    try:
        wanted = [(src, relation, dst) for src, dst, relation in metagraph.edges(keys=True)]
    except (AttributeError, TypeError):
        raise InvalidTypeError(
            "to_heterogeneous: metagraph is a networkx.MultiDiGraph whose keys are relations, as "
            f"returned by Graph.metagraph(); got {type(metagraph).__name__}."
        ) from None
    if not wanted:
        raise InvalidValueError("to_heterogeneous: the metagraph has no edge types.")
    for src, relation, dst in wanted:
        unknown = [name for name in (src, dst) if name not in ntypes]
        if unknown or relation not in etypes:
            raise UnknownKeyError(
                f"to_heterogeneous: the metagraph has edge type {(src, relation, dst)}, but ntypes "
                f"is {ntypes} and etypes is {etypes}."
            )
    return sorted(wanted)


def _grouped(numbers: Tensor, count: int) -> tuple[list[Tensor], Tensor]:
    """Members of each of `count` groups, ascending, and the position of each in its group."""
    sizes = torch.bincount(numbers, minlength=count)
    positions = torch.arange(len(numbers), device=numbers.device)
    in_order = bool((numbers[1:] >= numbers[:-1]).all())
    members = positions if in_order else torch.sort(numbers, stable=True).indices
    first = sizes.cumsum(0) - sizes
    places = positions - first.repeat_interleave(sizes)
    if not in_order:
        places = torch.empty_like(places).index_copy_(0, members, places)
    return list(members.split(sizes.tolist())), places


def _split(frame: Frame, field: str, id_name: str, groups: list[Tensor]) -> list[Frame]:
    """The rows of each group, without the feature that holds types."""
    rest = frame.copy()
    del rest[field]
    return [rest.gather(group, id_name) for group in groups]
