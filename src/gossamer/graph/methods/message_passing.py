"""Methods of Graph for message passing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError
from gossamer.function.execute import Relation, aggregate, apply_to_nodes, messages
from gossamer.function.message import MessageFunction
from gossamer.function.reducer import ReduceFunction
from gossamer.function.udf import NodeBatch, _Rows
from gossamer.graph.frame import Frame, Scheme
from gossamer.graph.ids import ALL, is_all
from gossamer.ops.adjacency import Adjacency

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph

__all__ = ["MessagePassing"]


class MessagePassing:
    """Methods of :class:`Graph` that send messages along edges and reduce them at nodes."""

    def update_all(
        self: Graph,
        message_func: Any,
        reduce_func: Any,
        apply_node_func: Callable | None = None,
        etype: Any = None,
    ) -> None:
        r"""Send messages along all edges and reduce them at every destination.

        .. math:: h_v = \rho\left(\{\phi(x_u, x_v, w_e) : e = (u, v)\}\right)

        Parameters
        ----------
        message_func : built-in or callable
            A function of :mod:`gossamer.function`, or a function that maps an edge batch to a dict
            of tensors.
        reduce_func : built-in or callable
            A function of :mod:`gossamer.function`, or a function that maps a node batch (with
            `mailbox`) to a dict of tensors; it is called once for each in-degree.
        apply_node_func : callable, optional
            A function that maps a node batch, which includes the reduced features, to a dict of the
            features to store.
        etype : str or (str, str, str), optional
            Edge type. If it is None and there are several, built-in functions are applied to each
            of them, and results for the same node type are reduced across edge types in the same
            way.

        Notes
        -----
        The result replaces the feature of every destination node. A node without in-edges gets 0,
        or, if the reduce function is user-defined, the value of :meth:`set_n_initializer`.

        Examples
        --------
        >>> import gossamer as gs, torch
        >>> from gossamer import function as fn
        >>> g = gs.graph(([0, 1, 2], [2, 2, 0]))
        >>> g.ndata["h"] = torch.tensor([[1.0], [2.0], [3.0]])
        >>> g.update_all(fn.copy_u("h", "m"), fn.sum("m", "h_new"))
        >>> g.ndata["h_new"].flatten()
        tensor([3., 0., 3.])
        """
        if etype is None and len(self._adjacencies) > 1:
            self._update_all_types(message_func, reduce_func, apply_node_func)
            return
        position = self._schema.etype_id(etype)
        result = aggregate(self._relation(position), message_func, reduce_func)
        target = self._schema.endpoints[position][1]
        frame = self._node_frames[target]
        if not isinstance(reduce_func, ReduceFunction):
            result = _initialized(result, frame, self._adjacencies[position], None, self.device)
        if apply_node_func is not None:
            result = self._applied(apply_node_func, target, frame, result, None)
        for name, value in result.items():
            frame[name] = value

    def apply_nodes(self: Graph, func: Callable, v: Any = ALL, ntype: str | None = None) -> None:
        """Update node features with a function that maps a node batch to a dict of tensors.

        Examples
        --------
        >>> import gossamer as gs, torch
        >>> g = gs.graph(([0], [1]))
        >>> g.ndata["h"] = torch.tensor([1.0, 2.0])
        >>> g.apply_nodes(lambda nodes: {"h": nodes.data["h"] * 10}, [1])
        >>> g.ndata["h"]
        tensor([ 1., 20.])
        """
        self._apply_nodes(func, self._schema.ntype_id(ntype), v)

    def _apply_nodes(self: Graph, function: Callable, position: int, nodes: Any) -> None:
        frame = self._node_frames[position]
        if is_all(nodes):
            result = apply_to_nodes(function, self._node_batch(frame, position, None))
            for name, value in result.items():
                frame[name] = value
        else:
            ids = self.checked_nodes(nodes, position)
            result = apply_to_nodes(function, self._node_batch(frame, position, ids))
            frame.update_rows(ids, result, self.device)

    def apply_edges(self: Graph, func: Any, edges: Any = ALL, etype: Any = None) -> None:
        """Update edge features from the features of edges, sources and destinations.

        Parameters
        ----------
        func : built-in or callable
            A message function of :mod:`gossamer.function`, or a function that maps an edge batch to
            a dict of tensors.
        edges : ids or (ids, ids), optional
            Edge ids, or sources and destinations. Default: all edges. Other edges keep their
            features; in a new feature, they get values from the initializer (by default, zeros).
        etype : str or (str, str, str), optional
            Edge type. If it is None and there are several, a built-in function is applied to each.

        Examples
        --------
        >>> import gossamer as gs, torch
        >>> from gossamer import function as fn
        >>> g = gs.graph(([0, 1], [1, 2]))
        >>> g.ndata["h"] = torch.tensor([[1.0], [2.0], [3.0]])
        >>> g.apply_edges(fn.u_add_v("h", "h", "s"))
        >>> g.edata["s"].flatten()
        tensor([3., 5.])
        """
        if etype is None and len(self._adjacencies) > 1:
            if not isinstance(func, MessageFunction) or not is_all(edges):
                raise InvalidTypeError(
                    "On a graph with several edge types, apply_edges without etype takes a "
                    "built-in function and all edges. Name the edge type."
                )
            positions: Iterable[int] = range(len(self._adjacencies))
        else:
            positions = [self._schema.etype_id(etype)]
        for position in positions:
            if is_all(edges):
                for name, value in messages(self._relation(position), func).items():
                    self._edge_frames[position][name] = value
            else:
                eids = self._edges_to_ids(edges, position)
                result = messages(self._part(position, eids), func)
                self._edge_frames[position].update_rows(eids, result, self.device)

    def send_and_recv(
        self: Graph,
        edges: Any,
        message_func: Any,
        reduce_func: Any,
        apply_node_func: Callable | None = None,
        etype: Any = None,
    ) -> None:
        """Send messages along `edges` only, and update their destinations.

        The parameters are those of :meth:`update_all`; `edges` are edge ids or ``(sources,
        destinations)``. Nodes that receive no message keep their features.

        Examples
        --------
        >>> import gossamer as gs, torch
        >>> from gossamer import function as fn
        >>> g = gs.graph(([0, 1, 2], [2, 2, 0]))
        >>> g.ndata["h"] = torch.tensor([[1.0], [2.0], [3.0]])
        >>> g.send_and_recv([1], fn.copy_u("h", "m"), fn.sum("m", "h"))
        >>> g.ndata["h"].flatten()
        tensor([1., 2., 2.])
        """
        position = self._schema.etype_id(etype)
        eids = self._edges_to_ids(edges, position)
        if eids.numel() == 0:
            return
        _, col = self._adjacencies[position].coo()
        nodes, local = torch.unique(col[eids.long()], return_inverse=True)
        self._receive(position, eids, nodes, local, message_func, reduce_func, apply_node_func)

    def pull(
        self: Graph,
        v: Any,
        message_func: Any,
        reduce_func: Any,
        apply_node_func: Callable | None = None,
        etype: Any = None,
    ) -> None:
        """Update the nodes `v` from all their in-edges; other nodes keep their features.

        A node that is listed twice receives each message twice, as with edges that are listed twice
        in :meth:`send_and_recv`.

        Examples
        --------
        >>> import gossamer as gs, torch
        >>> from gossamer import function as fn
        >>> g = gs.graph(([0, 1, 2], [2, 2, 0]))
        >>> g.ndata["h"] = torch.tensor([[1.0], [2.0], [3.0]])
        >>> g.pull([2], fn.copy_u("h", "m"), fn.max("m", "h"))
        >>> g.ndata["h"].flatten()
        tensor([1., 2., 2.])
        """
        position = self._schema.etype_id(etype)
        listed = self.checked_nodes(v, self._schema.endpoints[position][1])
        if listed.numel() == 0:
            return
        _, target, eids = self._adjacencies[position].in_slots(listed)
        nodes = listed.unique()
        local = torch.searchsorted(nodes, target)
        self._receive(position, eids, nodes, local, message_func, reduce_func, apply_node_func)

    def push(
        self: Graph,
        u: Any,
        message_func: Any,
        reduce_func: Any,
        apply_node_func: Callable | None = None,
        etype: Any = None,
    ) -> None:
        """Send messages from the nodes `u` along all their out-edges; see :meth:`send_and_recv`."""
        eids = self.out_edges(u, form="eid", etype=etype)
        self.send_and_recv(eids, message_func, reduce_func, apply_node_func, etype=etype)

    def prop_nodes(
        self: Graph,
        nodes_generator: Iterable,
        message_func: Any,
        reduce_func: Any,
        apply_node_func: Callable | None = None,
        etype: Any = None,
    ) -> None:
        """Call :meth:`pull` on each group of nodes that the generator yields, in turn."""
        for nodes in _groups(nodes_generator, "prop_nodes"):
            self.pull(nodes, message_func, reduce_func, apply_node_func, etype=etype)

    def prop_edges(
        self: Graph,
        edges_generator: Iterable,
        message_func: Any,
        reduce_func: Any,
        apply_node_func: Callable | None = None,
        etype: Any = None,
    ) -> None:
        """Call :meth:`send_and_recv` on each group of edges that the generator yields, in turn."""
        for edges in _groups(edges_generator, "prop_edges"):
            self.send_and_recv(edges, message_func, reduce_func, apply_node_func, etype=etype)

    # -------------------------------------------------------------------------------- relations

    def _relation(self: Graph, position: int) -> Relation:
        src, dst = self._schema.endpoints[position]
        return Relation(
            self._adjacencies[position],
            self._node_frames[src],
            self._node_frames[dst],
            self._edge_frames[position],
            self._schema.canonical_etypes[position],
            graph=self,
        )

    def _part(
        self: Graph,
        position: int,
        eids: Tensor,
        nodes: Tensor | None = None,
        local: Tensor | None = None,
    ) -> Relation:
        """The relation of the edges `eids`; with `nodes`, destinations are renumbered to these."""
        whole = self._relation(position)
        adjacency = whole.adjacency.edge_subset(eids)
        dst = whole.dst
        if nodes is not None:
            row, _ = adjacency.coo()
            coo = row, local.to(row.dtype)
            adjacency = Adjacency(adjacency.num_src, nodes.shape[0], adjacency.idtype, coo=coo)
            dst = dst.gather(nodes)
        edge = whole.edge.gather(eids)
        etype = whole.canonical_etype
        return Relation(
            adjacency, whole.src, dst, edge, etype, dst_ids=nodes, edge_ids=eids, graph=self
        )

    def _receive(
        self: Graph,
        position: int,
        eids: Tensor,
        nodes: Tensor,
        local: Tensor,
        message: Any,
        reduce: Any,
        apply: Callable | None,
    ) -> None:
        part = self._part(position, eids, nodes, local)
        result = aggregate(part, message, reduce)
        target = self._schema.endpoints[position][1]
        frame = self._node_frames[target]
        if not isinstance(reduce, ReduceFunction):
            result = _initialized(result, frame, part.adjacency, nodes, self.device)
        if apply is not None:
            result = self._applied(apply, target, frame, result, nodes)
        frame.update_rows(nodes, result, self.device)

    def _applied(
        self: Graph,
        function: Callable,
        position: int,
        frame: Frame,
        reduced: Mapping[str, Tensor],
        ids: Tensor | None,
    ) -> dict[str, Tensor]:
        """Apply `function` to the nodes `ids`, whose features are overridden by those in `reduced`.

        Only the result is stored: a feature that the function does not return does not change.
        """
        batch = self._node_batch(frame, position, ids)
        batch.data.update(reduced)
        return apply_to_nodes(function, batch)

    def _node_batch(
        self: Graph, frame: Mapping[str, Tensor], position: int, ids: Tensor | None
    ) -> NodeBatch:
        known = ids
        if known is None:
            count = self._node_frames[position].num_rows
            known = torch.arange(count, dtype=self.idtype, device=self.device)
        rows = _Rows(frame, ids)
        return NodeBatch(known, rows, None, self._schema.ntypes[position])


def _initialized(
    result: dict[str, Tensor],
    frame: Frame,
    adjacency: Adjacency,
    nodes: Tensor | None,
    device: torch.device,
) -> dict[str, Tensor]:
    """Replace results of a user-defined reduction by initial values for nodes without in-edges."""
    names = [name for name in result if frame.has_initializer(name)]
    if not names or not adjacency.has_zero_in_degree():
        return result
    reached = (adjacency.in_degrees() > 0).nonzero().squeeze(1)
    for name in names:
        value = result[name]
        column = frame.initial_column(name, Scheme(tuple(value.shape[1:]), value.dtype), device)
        if nodes is not None:
            column = column.index_select(0, nodes.long())
        result[name] = column.index_copy(0, reached, value.index_select(0, reached))
    return result


def _groups(groups: Any, name: str) -> Iterable:
    if not isinstance(groups, Iterable):
        raise InvalidTypeError(
            f"{name} takes an iterable of groups of ids, got {type(groups).__name__}."
        )
    return groups
