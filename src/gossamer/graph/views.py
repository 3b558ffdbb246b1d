"""Mappings for reading and writing features: ndata, nodes[...], edges[...]."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, KeysView, Mapping, MutableMapping, ValuesView
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.graph.frame import Frame

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph

__all__ = [
    "EdgeSpace", "EdgeView", "FeatureView", "Features", "NodeSpace", "NodeView", "TypedFeatureView",
]  # fmt: skip


class Features(MutableMapping[str, Any]):
    """Base of the mappings ``g.ndata``, ``g.edata`` and similar.

    With one type it is a `FeatureView`, with several a `TypedFeatureView`.
    """

    __slots__ = ()

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """The features as plain dicts."""

    def keys(self) -> KeysView[str]:
        """A copy of the current names, so that a loop over them may set and delete features."""
        return dict.fromkeys(self).keys()

    def values(self) -> ValuesView[Any]:
        """A copy of the current values, so that a loop over them may set and delete features."""
        return self.as_dict().values()


class FeatureView(Features):
    """The features of one node or edge type, or of some rows of it.

    Reading returns the tensor itself; assigning checks the length and device of the new tensor. In
    a view of some rows, such as ``g.nodes[[0, 2]].data``, reading gathers these rows and assigning
    writes them. The view always shows the current features of the graph, even after an edit.
    """

    __slots__ = ("_graph", "_index", "_kind", "_position")

    def __init__(self, graph: Graph, kind: str, position: int, index: Tensor | None = None) -> None:
        self._graph = graph
        self._kind = kind
        self._position = position
        self._index = index

    @property
    def _frame(self) -> Frame:
        return _frames_of(self._graph, self._kind)[self._position]

    @property
    def _device(self) -> torch.device:
        return self._graph.device

    def __getitem__(self, name: str) -> Tensor:
        value = self._frame[name]
        return value if self._index is None else value[self._index.long()]

    def __setitem__(self, name: str, value: Tensor) -> None:
        if self._index is None:
            self._frame.check(name, value, self._device, self._frame.num_rows)
            self._frame[name] = value
        else:
            self._frame.update_rows(self._index, {name: value}, self._device)

    def __delitem__(self, name: str) -> None:
        if self._index is not None:
            raise InvalidValueError(
                f"Feature {name!r} cannot be deleted for some rows only. "
                "Delete it for all rows of the type, as in del g.ndata[...]."
            )
        del self._frame[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frame)

    def __len__(self) -> int:
        return len(self._frame)

    def __contains__(self, name: object) -> bool:
        return name in self._frame

    def __repr__(self) -> str:
        return repr({name: self[name] for name in self})

    def as_dict(self) -> dict[str, Tensor]:
        """The features as a plain dict."""
        return {name: self[name] for name in self}


class TypedFeatureView(Features):
    """A feature across several node or edge types: name to ``{type: tensor}``."""

    __slots__ = ("_graph", "_kind", "_positions")

    def __init__(self, graph: Graph, kind: str, positions: Mapping[Any, int]) -> None:
        self._graph = graph
        self._kind = kind
        self._positions = positions

    @property
    def _frames(self) -> dict[Any, Frame]:
        frames = _frames_of(self._graph, self._kind)
        return {key: frames[position] for key, position in self._positions.items()}

    def __getitem__(self, name: str) -> dict[Any, Tensor]:
        return {key: frame[name] for key, frame in self._frames.items() if name in frame}

    def __setitem__(self, name: str, value: Mapping[Any, Tensor]) -> None:
        if not isinstance(value, Mapping):
            raise InvalidTypeError(
                f"Feature {name!r} of several {self._kind} types must be given as a dict "
                f"{{{self._kind} type: tensor}}, got {type(value).__name__}. "
                f"The types are {list(self._positions)}."
            )
        chosen = {self._resolve(key): tensor for key, tensor in value.items()}
        frames, device = self._frames, self._graph.device
        for key, tensor in chosen.items():
            frames[key].check(name, tensor, device, frames[key].num_rows)
        for key, tensor in chosen.items():
            frames[key][name] = tensor

    def _resolve(self, key: Any) -> Any:
        if key in self._positions:
            return key
        # An edge type may be given by its relation name alone.
        found = [full for full in self._positions if isinstance(full, tuple) and full[1] == key]
        if len(found) == 1:
            return found[0]
        raise UnknownKeyError(
            f"There is no {self._kind} type {key!r} here, or it is ambiguous; "
            f"there are {list(self._positions)}."
        )

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise UnknownKeyError(f"There is no {self._kind} feature {name!r}.")
        for frame in self._frames.values():
            if name in frame:
                del frame[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for frame in self._frames.values() for name in frame))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return any(name in frame for frame in self._frames.values())

    def __repr__(self) -> str:
        return repr(self.as_dict())

    def as_dict(self) -> dict[str, dict[Any, Tensor]]:
        """The features as plain dicts."""
        result: dict[str, dict[Any, Tensor]] = defaultdict(dict)
        for name in self:
            result[name] = self[name]
        return dict(result)


def _frames_of(graph: Graph, kind: str) -> list[Frame]:
    return graph.node_frames if kind == "node" else graph.edge_frames


class NodeSpace(NamedTuple):
    """The result of ``g.nodes[...]``: `data` maps feature names to tensors."""

    data: FeatureView


class EdgeSpace(NamedTuple):
    """The result of ``g.edges[...]``: `data` maps feature names to tensors."""

    data: FeatureView


class NodeView:
    """``g.nodes``: call it for ids; index it by type or ids for features.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.heterograph({("user", "plays", "game"): ([0, 1], [0, 0])})
    >>> g.nodes("user")
    tensor([0, 1])
    >>> g.nodes["game"].data
    {}
    """

    __slots__ = ("_graph", "_side")

    def __init__(self, graph: Graph, side: str = "any") -> None:
        self._graph = graph
        self._side = side

    def __call__(self, ntype: str | None = None) -> Tensor:
        """Ids of all nodes of a type, ``0 ... n - 1``."""
        graph = self._graph
        count = graph.node_frames[graph.schema.ntype_id(ntype, self._side)].num_rows
        return torch.arange(count, dtype=graph.idtype, device=graph.device)

    def __getitem__(self, key: Any) -> NodeSpace:
        graph = self._graph
        if key is None or isinstance(key, str):
            ntype, nodes = key, slice(None)
        elif isinstance(key, tuple) and len(key) == 2 and isinstance(key[0], str):
            ntype, nodes = key
        else:
            ntype, nodes = None, key
        position = graph.schema.ntype_id(ntype, self._side)
        index = _index_of(nodes, lambda ids: graph.checked_nodes(ids, position))
        return NodeSpace(FeatureView(graph, "node", position, index))


class EdgeView:
    """``g.edges``: call it for sources, destinations and ids; index it for features.

    Examples
    --------
    >>> import gossamer as gs
    >>> g = gs.graph(([0, 1], [1, 2]))
    >>> g.edges()
    (tensor([0, 1]), tensor([1, 2]))
    >>> g.edges(form="eid")
    tensor([0, 1])
    """

    __slots__ = ("_graph",)

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def __call__(
        self, form: str = "uv", order: str | None = "eid", etype: Any = None
    ) -> Tensor | tuple[Tensor, ...]:
        """See :meth:`Graph.all_edges`."""
        return self._graph.all_edges(form=form, order=order, etype=etype)

    def __getitem__(self, key: Any) -> EdgeSpace:
        graph = self._graph
        if key is None or isinstance(key, str) or _is_canonical(key):
            etype, edges = key, slice(None)
        elif (
            isinstance(key, tuple)
            and len(key) == 2
            and (isinstance(key[0], str) or _is_canonical(key[0]))
        ):
            etype, edges = key
        else:
            etype, edges = None, key
        position = graph.schema.etype_id(etype)
        index = _index_of(edges, lambda ids: graph._edges_to_ids(ids, position))
        return EdgeSpace(FeatureView(graph, "edge", position, index))


def _is_canonical(key: Any) -> bool:
    return isinstance(key, tuple) and len(key) == 3 and isinstance(key[1], str)


def _index_of(ids: Any, convert: Callable[[Any], Tensor]) -> Tensor | None:
    """None for all rows, otherwise the ids as a tensor."""
    if isinstance(ids, slice):
        if ids != slice(None):
            raise InvalidValueError(
                f"Features can be sliced by ':' only, got {ids}. Pass the ids instead."
            )
        return None
    return convert(ids)
