"""Methods of Graph that call functions of `transforms`, `sampling` and `interop`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph
    from gossamer.graph.schema import CanonicalEType

__all__ = ["TransformMethods"]


class TransformMethods:
    """Methods of :class:`Graph` that return new graphs.

    Imports are inside the methods, because these packages import graphs.
    """

    def add_self_loop(
        self: Graph,
        edge_feat_names: Sequence[str] | None = None,
        fill_data: float | Tensor | str = 1.0,
        etype: Any = None,
    ) -> Graph:
        """See :func:`gossamer.add_self_loop`."""
        from gossamer import transforms

        return transforms.add_self_loop(self, edge_feat_names, fill_data, etype)

    def remove_self_loop(self: Graph, etype: Any = None) -> Graph:
        """See :func:`gossamer.remove_self_loop`."""
        from gossamer import transforms

        return transforms.remove_self_loop(self, etype)

    def subgraph(
        self: Graph,
        nodes: Any,
        *,
        relabel_nodes: bool = True,
        store_ids: bool = True,
        output_device: Any = None,
    ) -> Graph:
        """See :func:`gossamer.node_subgraph`."""
        from gossamer import transforms

        return transforms.node_subgraph(
            self,
            nodes,
            relabel_nodes=relabel_nodes,
            store_ids=store_ids,
            output_device=output_device,
        )

    def edge_subgraph(
        self: Graph,
        edges: Any,
        *,
        relabel_nodes: bool = True,
        store_ids: bool = True,
        output_device: Any = None,
    ) -> Graph:
        """See :func:`gossamer.edge_subgraph`."""
        from gossamer import transforms

        return transforms.edge_subgraph(
            self,
            edges,
            relabel_nodes=relabel_nodes,
            store_ids=store_ids,
            output_device=output_device,
        )

    def node_type_subgraph(self: Graph, ntypes: Sequence[str], output_device: Any = None) -> Graph:
        """See :func:`gossamer.node_type_subgraph`."""
        from gossamer import transforms

        return transforms.node_type_subgraph(self, ntypes, output_device)

    def edge_type_subgraph(self: Graph, etypes: Sequence[Any], output_device: Any = None) -> Graph:
        """See :func:`gossamer.edge_type_subgraph`."""
        from gossamer import transforms

        return transforms.edge_type_subgraph(self, etypes, output_device)

    def reverse(
        self: Graph,
        copy_ndata: bool = True,
        copy_edata: bool = False,
        *,
        share_ndata: bool | None = None,
        share_edata: bool | None = None,
    ) -> Graph:
        """See :func:`gossamer.reverse`."""
        from gossamer import transforms

        return transforms.reverse(
            self, copy_ndata, copy_edata, share_ndata=share_ndata, share_edata=share_edata
        )

    def to_simple(
        self: Graph,
        return_counts: str | None = "count",
        writeback_mapping: bool = False,
        copy_ndata: bool = True,
        copy_edata: bool = False,
        aggregator: str = "arbitrary",
    ) -> Graph | tuple[Graph, Tensor | dict[CanonicalEType, Tensor]]:
        """See :func:`gossamer.to_simple`."""
        from gossamer import transforms

        return transforms.to_simple(
            self, return_counts, writeback_mapping, copy_ndata, copy_edata, aggregator
        )

    def line_graph(self: Graph, backtracking: bool = True, shared: bool = False) -> Graph:
        """See :func:`gossamer.line_graph`."""
        from gossamer import transforms

        return transforms.line_graph(self, backtracking, shared)

    def reorder_graph(
        self: Graph,
        node_permute_algo: str | None = None,
        edge_permute_algo: str = "src",
        store_ids: bool = True,
        permute_config: Mapping[str, Any] | None = None,
    ) -> Graph:
        """See :func:`gossamer.reorder_graph`."""
        from gossamer import transforms

        return transforms.reorder_graph(
            self, node_permute_algo, edge_permute_algo, store_ids, permute_config
        )

    def sample_neighbors(
        self: Graph,
        nodes: Any,
        fanout: Any,
        edge_dir: str = "in",
        prob: Any = None,
        replace: bool = False,
        copy_ndata: bool = True,
        copy_edata: bool = True,
        exclude_edges: Any = None,
        output_device: Any = None,
    ) -> Graph:
        """See :func:`gossamer.sampling.sample_neighbors`."""
        from gossamer import sampling

        return sampling.sample_neighbors(
            self,
            nodes,
            fanout,
            edge_dir,
            prob,
            replace,
            copy_ndata,
            copy_edata,
            exclude_edges,
            output_device,
        )

    def in_subgraph(
        self: Graph,
        nodes: Any,
        *,
        relabel_nodes: bool = False,
        store_ids: bool = True,
        output_device: Any = None,
    ) -> Graph:
        """See :func:`gossamer.in_subgraph`."""
        from gossamer import transforms

        return transforms.in_subgraph(
            self,
            nodes,
            relabel_nodes=relabel_nodes,
            store_ids=store_ids,
            output_device=output_device,
        )

    def out_subgraph(
        self: Graph,
        nodes: Any,
        *,
        relabel_nodes: bool = False,
        store_ids: bool = True,
        output_device: Any = None,
    ) -> Graph:
        """See :func:`gossamer.out_subgraph`."""
        from gossamer import transforms

        return transforms.out_subgraph(
            self,
            nodes,
            relabel_nodes=relabel_nodes,
            store_ids=store_ids,
            output_device=output_device,
        )

    def khop_in_subgraph(
        self: Graph,
        nodes: Any,
        k: int,
        *,
        relabel_nodes: bool = True,
        store_ids: bool = True,
        output_device: Any = None,
    ) -> tuple[Graph, Any]:
        """See :func:`gossamer.khop_in_subgraph`."""
        from gossamer import transforms

        return transforms.khop_in_subgraph(
            self,
            nodes,
            k,
            relabel_nodes=relabel_nodes,
            store_ids=store_ids,
            output_device=output_device,
        )

    def khop_out_subgraph(
        self: Graph,
        nodes: Any,
        k: int,
        *,
        relabel_nodes: bool = True,
        store_ids: bool = True,
        output_device: Any = None,
    ) -> tuple[Graph, Any]:
        """See :func:`gossamer.khop_out_subgraph`."""
        from gossamer import transforms

        return transforms.khop_out_subgraph(
            self,
            nodes,
            k,
            relabel_nodes=relabel_nodes,
            store_ids=store_ids,
            output_device=output_device,
        )

    def to_networkx(
        self: Graph,
        node_attrs: Sequence[str] | None = None,
        edge_attrs: Sequence[str] | None = None,
        ntype_attr: str | None = "ntype",
        etype_attr: str | None = "etype",
        eid_attr: str | None = "id",
    ) -> Any:
        """See :func:`gossamer.to_networkx`."""
        from gossamer import interop

        return interop.to_networkx(self, node_attrs, edge_attrs, ntype_attr, etype_attr, eid_attr)

    def to_cugraph(self: Graph) -> Any:
        """See :func:`gossamer.to_cugraph`."""
        from gossamer import interop

        return interop.to_cugraph(self)
