"""Methods of Graph for its storage: device, id type, kind of memory, sparse formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer._options import as_device
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph.storages import TensorStorage
from gossamer.ops.adjacency import FORMATS

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph

__all__ = ["Storage"]


class Storage:
    """Methods of :class:`Graph` for its device, id type, kind of memory and sparse formats."""

    def to(self: Graph, device: torch.device | str, **kwargs: Any) -> Graph:
        """Return the graph on a device; the graph itself if it is already there.

        Parameters
        ----------
        device : torch.device or str
            The target device.
        **kwargs
            Passed to :meth:`torch.Tensor.to`, such as ``non_blocking=True``.
        """
        device = as_device(device)
        if device == self.device:
            return self
        return self._apply(lambda tensor: tensor.to(device, **kwargs))

    def get_node_storage(self: Graph, key: str, ntype: str | None = None) -> TensorStorage:
        """Return a node feature as an object whose method `fetch` returns rows.

        Parameters
        ----------
        key : str
            Name of the feature.
        ntype : str, optional
            Node type; may be left out if there is only one.

        Examples
        --------
        >>> import gossamer as gs, torch
        >>> g = gs.graph(([0, 1], [1, 2]))
        >>> g.ndata["h"] = torch.tensor([1.0, 2.0, 3.0])
        >>> g.get_node_storage("h").fetch(torch.tensor([2, 0]), "cpu")
        tensor([3., 1.])
        """
        return TensorStorage(self.node_frames[self.schema.ntype_id(ntype)][key])

    def get_edge_storage(
        self: Graph, key: str, etype: str | tuple[str, str, str] | None = None
    ) -> TensorStorage:
        """Return an edge feature as an object whose method `fetch` returns rows.

        Parameters
        ----------
        key : str
            Name of the feature.
        etype : str or (str, str, str), optional
            Edge type; may be left out if there is only one.
        """
        return TensorStorage(self.edge_frames[self.schema.etype_id(etype)][key])

    def cpu(self: Graph) -> Graph:
        """Return the graph on the CPU."""
        return self.to("cpu")

    def int(self: Graph) -> Graph:
        """Return the graph with int32 ids; the graph itself if its ids are int32."""
        return self.astype(torch.int32)

    def long(self: Graph) -> Graph:
        """Return the graph with int64 ids; the graph itself if its ids are int64."""
        return self.astype(torch.int64)

    def astype(self: Graph, idtype: torch.dtype) -> Graph:
        """Return the graph with ids of `idtype`, torch.int32 or torch.int64."""
        if idtype not in (torch.int32, torch.int64):
            raise InvalidTypeError(f"idtype is torch.int32 or torch.int64, got {idtype!r}.")
        if idtype == self.idtype:
            return self
        adjacencies = [adjacency.astype(idtype) for adjacency in self.relations]
        return self.local_var().replaced(relations=adjacencies)

    def _apply(self: Graph, function: Callable[[Tensor], Tensor]) -> Graph:
        def batch(sizes: dict | None) -> dict | None:
            return None if sizes is None else {key: function(t) for key, t in sizes.items()}

        graph = self.replaced(
            relations=[adjacency.apply(function) for adjacency in self.relations],
            node_frames=[frame.apply(function) for frame in self.node_frames],
            edge_frames=[frame.apply(function) for frame in self.edge_frames],
        )
        graph._batch_num_nodes = batch(self._batch_num_nodes)
        graph._batch_num_edges = batch(self._batch_num_edges)
        return graph

    def pin_memory_(self: Graph) -> Graph:
        """Move structure and features to page-locked memory, for fast copies to a CUDA device.

        Raises
        ------
        InvalidValueError
            If the graph is not in main memory, or there is no CUDA device.
        """
        if self.device.type != "cpu" or not torch.cuda.is_available():
            raise InvalidValueError(
                f"Pinning needs a graph in main memory and a CUDA device; the graph is on "
                f"{self.device} and CUDA is {'' if torch.cuda.is_available() else 'not '}available."
            )
        self.__dict__.update(self._apply(lambda tensor: tensor.pin_memory()).__dict__)
        return self

    def unpin_memory_(self: Graph) -> Graph:
        """Move structure and features back to pageable memory."""
        if self.is_pinned():
            self.__dict__.update(self._apply(lambda tensor: tensor.clone()).__dict__)
        return self

    def record_stream(self: Graph, stream: torch.cuda.Stream) -> Graph:
        """Keep the memory of structure and features until the work queued on `stream` is done.

        Calls :meth:`torch.Tensor.record_stream` on all tensors of the graph, which is needed if the
        graph was copied on another stream.

        Raises
        ------
        InvalidValueError
            If the graph is not on a CUDA device.
        """
        if self.device.type != "cuda":
            raise InvalidValueError(
                f"record_stream needs a graph on a CUDA device, got one on {self.device}. "
                "Move it with .to('cuda')."
            )

        def record(tensor: Tensor) -> Tensor:
            tensor.record_stream(stream)
            return tensor

        self._apply(record)
        return self

    def is_pinned(self: Graph) -> bool:
        """Whether the structure is in page-locked memory."""
        if self.device.type != "cpu" or not torch.cuda.is_available():
            return False
        return all(t.is_pinned() for a in self.relations for t in a.tensors())

    def shared_memory(self: Graph, name: str, formats: Sequence[str] = FORMATS) -> Graph:
        """Copy the structure to shared memory, for other processes on this machine.

        Other processes access it with :func:`gossamer.hetero_from_shared_memory`. Features are not
        shared. The memory is released when the returned graph is deleted or this process ends.

        Parameters
        ----------
        name : str
            A new name of letters, digits, ``_``, ``-`` and ``.``.
        formats : list of str
            Sparse formats to store, among "coo", "csr" and "csc".

        Returns
        -------
        Graph
            A graph whose structure is in shared memory, without features.

        Raises
        ------
        InvalidValueError
            If the name is in use or invalid, or no format is allowed.
        """
        from gossamer.graph.io import shared_memory

        return shared_memory.share(self, name, formats)

    # ------------------------------------------------------------------------------------ formats

    def formats(
        self: Graph, formats: str | list[str] | None = None
    ) -> dict[str, list[str]] | Graph:
        """Return the sparse formats of the graph, or a copy restricted to some formats.

        Parameters
        ----------
        formats : str or list of str, optional
            Formats to which the copy is restricted: any of "coo", "csr", "csc".

        Returns
        -------
        dict or Graph
            ``{"created": [...], "not created": [...]}`` if `formats` is None, else the copy.

        Examples
        --------
        >>> import gossamer as gs
        >>> gs.graph(([0], [1])).formats("csc").formats()
        {'created': ['csc'], 'not created': []}
        """
        if formats is None:
            created = [n for n in FORMATS if all(n in a.created() for a in self.relations)]
            allowed = self.relations[0].allowed
            return {
                "created": created,
                "not created": [name for name in allowed if name not in created],
            }
        names = formats if isinstance(formats, (list, tuple, set)) else [formats]
        if not names or any(name not in FORMATS for name in names):
            raise InvalidValueError(f"Formats are among {list(FORMATS)}, got {formats!r}.")
        adjacencies = [adjacency.restrict(names) for adjacency in self.relations]
        return self.local_var().replaced(relations=adjacencies)

    def create_formats_(self: Graph) -> Graph:
        """Build all allowed sparse formats now, for example before forking workers."""
        for adjacency in self.relations:
            adjacency.create()
        return self
