"""Features that a loader fetches after sampling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph import EID, NID, Graph
from gossamer.graph.arguments import by_edge_type, feature_names, require_graph
from gossamer.graph.frame import Frame, Placeholder
from gossamer.ops._storage import gathered
from gossamer.utils import recursive_apply

__all__ = [
    "LazyFeature",
    "fetch",
    "map_graphs",
    "set_dst_lazy_features",
    "set_edge_lazy_features",
    "set_node_lazy_features",
    "set_src_lazy_features",
]


class LazyFeature(Placeholder):
    """A placeholder for a feature that :class:`DataLoader` fetches after sampling.

    Parameters
    ----------
    name : str, optional
        Name of a feature of the loader's graph, or of :meth:`DataLoader.attach_data`. Default: the
        name under which this object is stored.
    id_ : Tensor, optional
        Ids of the rows to fetch. Default: the ids of the nodes or edges in the loader's graph,
        ``gossamer.NID`` or ``gossamer.EID``.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> g.ndata["x"] = torch.eye(3)
    >>> class TwoNodes(gs.dataloading.Sampler):
    ...     def sample(self, g, ids):
    ...         sub = g.subgraph(ids)
    ...         sub.ndata["x"] = gs.dataloading.LazyFeature()
    ...         return sub
    >>> loader = gs.dataloading.DataLoader(g, torch.tensor([2, 0]), TwoNodes(), batch_size=2)
    >>> next(iter(loader)).ndata["x"]
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """

    def __init__(self, name: str | None = None, id_: Tensor | None = None) -> None:
        self.name = name
        self.id_ = id_

    def __repr__(self) -> str:
        return f"LazyFeature(name={self.name!r}, id_={self.id_!r})"

    def filter(self, new_ids: Tensor) -> LazyFeature:
        """Return a placeholder for some rows of the feature."""
        return LazyFeature(self.name, new_ids if self.id_ is None else self.id_[new_ids])

    def to(self, *args: Any, **kwargs: Any) -> LazyFeature:
        """Return the object itself: there is no data to move yet."""
        return self

    def pin_memory_(self) -> None:
        """Do nothing: there is no data yet."""

    def unpin_memory_(self) -> None:
        """Do nothing: there is no data yet."""

    def record_stream(self, stream: Any) -> None:
        """Do nothing: there is no data yet."""


Names = Sequence[str] | Mapping[Any, Sequence[str]]


def set_node_lazy_features(g: Graph, feature_names: Names) -> None:
    """Mark node features to be fetched by the loader.

    Parameters
    ----------
    g : Graph
        The graph that a sampler returns.
    feature_names : list of str, or dict of str to list of str
        Names of the features, by node type if there are several node types.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0], [1]))
    >>> gs.dataloading.set_node_lazy_features(g, ["x"])
    >>> g.ndata["x"]
    LazyFeature(name=None, id_=None)
    """
    _set_nodes(g, feature_names, None, "set_node_lazy_features")


def set_src_lazy_features(g: Graph, feature_names: Names) -> None:
    """Mark features of source nodes to be fetched; see :func:`set_node_lazy_features`."""
    _set_nodes(g, feature_names, "src", "set_src_lazy_features")


def set_dst_lazy_features(g: Graph, feature_names: Names) -> None:
    """Mark features of destination nodes to be fetched; see :func:`set_node_lazy_features`."""
    _set_nodes(g, feature_names, "dst", "set_dst_lazy_features")


def set_edge_lazy_features(g: Graph, feature_names: Names) -> None:
    """Mark edge features to be fetched by the loader.

    Parameters
    ----------
    g : Graph
        The graph that a sampler returns.
    feature_names : list of str, or dict of edge type to list of str
        Names of the features, by edge type if there are several edge types.
    """
    name = "set_edge_lazy_features"
    require_graph(g, name)
    if isinstance(feature_names, Mapping):
        wanted = by_edge_type(g, feature_names, name)
    else:
        wanted = {0: feature_names} if feature_names else {}
        if wanted and len(g.edge_frames) > 1:
            raise _needs_dict(name, "edge", g.canonical_etypes)
    _mark(g.edge_frames, wanted, name)


def _set_nodes(g: Graph, names: Names, side: str | None, caller: str) -> None:
    require_graph(g, caller)
    schema = g.schema
    by_side = {"src": schema.src_ids, "dst": schema.dst_ids}.get(side, schema.ntype_ids)
    if isinstance(names, Mapping):
        wanted = {schema.ntype_id(ntype, side or "any"): own for ntype, own in names.items()}
    else:
        wanted = {next(iter(by_side.values())): names} if names else {}
        if wanted and len(by_side) > 1:
            raise _needs_dict(caller, "node", list(by_side))
    _mark(g.node_frames, wanted, caller)


def _needs_dict(name: str, kind: str, types: Sequence[Any]) -> InvalidTypeError:
    return InvalidTypeError(
        f"{name}: there are several {kind} types, so feature names are a dict from {kind} type to "
        f"a list of names; the types are {list(types)}."
    )


def _mark(frames: Sequence[Frame], wanted: Mapping[int, Any], caller: str) -> None:
    for position, names in wanted.items():
        for name in feature_names(names, f"{caller}: feature_names"):
            frames[position][name] = LazyFeature()


# ------------------------------------------------------------------------------------------ fetch


def map_graphs(batch: Any, change: Callable[[Graph], Any]) -> Any:
    """Apply a function to every graph in nested lists, tuples and dicts."""
    return recursive_apply(batch, lambda x: change(x) if isinstance(x, Graph) else x)


def fetch(batch: Any, parent: Any, attached: Mapping[str, Any]) -> Any:
    """Replace every :class:`LazyFeature` in a batch by its rows.

    Parameters
    ----------
    parent : Graph
        The graph that was sampled.
    attached : dict of str to Tensor
        Other features by name, which take precedence. A value may also be an object with a method
        ``fetch(ids, device)``.
    """
    return map_graphs(batch, lambda g: _fetch_graph(g, parent, attached))


def _fetch_graph(g: Graph, parent: Any, attached: Mapping[str, Any]) -> Graph:
    schema = g.schema
    for kind, types, frames, ids in (
        ("node", schema.ntypes, g.node_frames, NID),
        ("edge", schema.canonical_etypes, g.edge_frames, EID),
    ):
        for named, frame in zip(types, frames, strict=True):
            for name, lazy in frame.placeholders().items():
                if lazy.id_ is None and ids not in frame:
                    raise InvalidValueError(
                        f"The {kind} feature {name!r} of {named} is to be fetched, but its graph "
                        f"has no feature {ids!r} with the ids. Set it, or give LazyFeature an id_."
                    )
                rows = frame[ids] if lazy.id_ is None else lazy.id_
                source = attached.get(lazy.name or name)
                if source is None:
                    source = _column(parent, kind, named, lazy.name or name)
                frame[name] = _rows(source, rows)
    return g


def _column(parent: Any, kind: str, named: Any, name: str) -> Tensor:
    """Return a feature of the sampled graph."""
    types = parent.schema.ntypes if kind == "node" else parent.schema.canonical_etypes
    frames = parent.node_frames if kind == "node" else parent.edge_frames
    frame = frames[types.index(named)] if named in types else {}
    if name not in frame:
        raise UnknownKeyError(
            f"The {kind} feature {name!r} of {named} is to be fetched, but the graph has only "
            f"{list(frame)}. Set it, or call attach_data({name!r}, tensor) on the loader."
        )
    return frame[name]


def _rows(source: Any, ids: Tensor) -> Tensor:
    if isinstance(source, Tensor):
        return gathered(source, ids.long().to(source.device))
    rows = source.fetch(ids, torch.device("cpu"))
    return rows.wait() if hasattr(rows, "wait") else rows
