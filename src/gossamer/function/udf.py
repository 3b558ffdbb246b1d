"""Batches of edges and nodes, the arguments of user-defined functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, NoReturn

import torch
from torch import Tensor

from gossamer.errors import UnknownKeyError

if TYPE_CHECKING:
    from gossamer.graph import Graph
    from gossamer.graph.frame import Frame

__all__ = ["EdgeBatch", "NodeBatch"]


class _Whole(MutableMapping[str, Tensor]):
    """Every feature of a frame; setting and deleting features changes the frame, as in DGL."""

    __slots__ = ("_device", "_frame")

    def __init__(self, frame: Frame, device: torch.device) -> None:
        self._frame = frame
        self._device = device

    def __getitem__(self, name: str) -> Tensor:
        return self._frame[name]

    def __setitem__(self, name: str, value: Tensor) -> None:
        self._frame.check(name, value, self._device, self._frame.num_rows)
        self._frame[name] = value

    def __delitem__(self, name: str) -> None:
        del self._frame[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frame)

    def __len__(self) -> int:
        return len(self._frame)

    def __repr__(self) -> str:
        return repr(self._frame)


class _Rows(MutableMapping[str, Tensor]):
    """Rows `index` (None: all) of every feature of a frame, copied when first read.

    User-defined functions may set and delete features; this does not change the frame.
    """

    __slots__ = ("_cache", "_deleted", "_frame", "_index")

    def __init__(self, frame: Mapping[str, Tensor], index: Tensor | None) -> None:
        self._frame = frame
        self._index = None if index is None else index.long()
        self._cache: dict[str, Tensor] = {}
        self._deleted: set[str] = set()

    def __getitem__(self, name: str) -> Tensor:
        if name in self._cache:
            return self._cache[name]
        if name in self._deleted:
            raise UnknownKeyError(f"Feature '{name}' was deleted from this batch.")
        whole = self._frame[name]
        self._cache[name] = (
            whole.clone() if self._index is None else whole.index_select(0, self._index)
        )
        return self._cache[name]

    def __setitem__(self, name: str, value: Tensor) -> None:
        self._deleted.discard(name)
        self._cache[name] = value

    def __delitem__(self, name: str) -> None:
        if name not in set(self):
            raise UnknownKeyError(f"There is no feature '{name}' to delete from this batch.")
        self._deleted.add(name)
        self._cache.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        names = dict.fromkeys([*self._frame, *self._cache])
        return (name for name in names if name not in self._deleted)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr({name: self[name] for name in self})


class EdgeBatch:
    """A batch of edges, the argument of a user-defined message function.

    Attributes
    ----------
    src, dst : Mapping[str, Tensor]
        Features of the source and destination node of each edge, ``(B, *)``.
    data : MutableMapping[str, Tensor]
        Features of the edges, ``(B, *)``. If the batch consists of all edges of the graph, setting
        or deleting a feature changes the graph.
    canonical_etype : (str, str, str)
        Type of the edges.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1], [1, 2]))
    >>> g.ndata["h"] = torch.tensor([1.0, 2.0, 4.0])
    >>> g.apply_edges(lambda edges: {"d": edges.dst["h"] - edges.src["h"]})
    >>> g.edata["d"]
    tensor([1., 2.])
    """

    __slots__ = ("_edges", "_graph", "canonical_etype", "data", "dst", "src")

    def __init__(
        self,
        edges: tuple[Tensor, Tensor, Tensor],
        src: Mapping[str, Tensor],
        dst: Mapping[str, Tensor],
        data: MutableMapping[str, Tensor],
        canonical_etype: tuple[str, str, str],
        graph: Graph | None = None,
    ) -> None:
        self._edges = edges
        self._graph = graph  # as in DGL; other packages read it
        self.src = src
        self.dst = dst
        self.data = data
        self.canonical_etype = canonical_etype

    def edges(self) -> tuple[Tensor, Tensor, Tensor]:
        """Source, destination and id of each edge."""
        source, destination, eids = self._edges
        return source.clone(), destination.clone(), eids.clone()

    def batch_size(self) -> int:
        """Number of edges."""
        return self._edges[0].shape[0]

    def __len__(self) -> int:
        return self.batch_size()


class Mailbox(dict[str, Tensor]):
    """The messages of a batch of nodes, by name."""

    def __missing__(self, name: str) -> NoReturn:
        raise UnknownKeyError(
            f"There is no message {name!r} in the mailbox; there are {list(self)}. "
            "Read a name that the message function returns."
        )


class NodeBatch:
    """A batch of nodes, the argument of a user-defined reduce or apply function.

    Attributes
    ----------
    data : Mapping[str, Tensor]
        Features of the nodes, ``(B, *)``.
    mailbox : Mapping[str, Tensor] or None
        In a reduce function, the messages, ``(B, D, *)``: every node of the batch receives `D`
        messages, in the order of edge ids. Otherwise, None.
    ntype : str
        Type of the nodes.
    """

    __slots__ = ("_nodes", "data", "mailbox", "ntype")

    def __init__(
        self,
        nodes: Tensor,
        data: Mapping[str, Tensor],
        mailbox: Mapping[str, Tensor] | None,
        ntype: str,
    ) -> None:
        self._nodes = nodes
        self.data = data
        self.mailbox = mailbox
        self.ntype = ntype

    def nodes(self) -> Tensor:
        """Ids of the nodes."""
        return self._nodes.clone()

    def batch_size(self) -> int:
        """Number of nodes."""
        return self._nodes.shape[0]

    def __len__(self) -> int:
        return self.batch_size()
