"""Methods of Graph that call functions of `transforms`, `sampling` and `interop`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from torch import Tensor

if TYPE_CHECKING:
    from gossamer.graph.graph import Graph
    from gossamer.graph.schema import CanonicalEType

__all__ = ["TransformMethods"]

Method = TypeVar("Method", bound=Callable[..., Any])


def _calls(target: str) -> Callable[[Method], Method]:
    """Decorate a method so that it calls the function `target` with the graph as first argument.

    The function has the signature of the method. Its package imports graphs, so it is imported when
    the method is called, by an import statement, which `torch.compile` can trace.
    """
    package, name = target.split(".")

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def call(self: Graph, *args: Any, **kwargs: Any) -> Any:
            from gossamer import interop, sampling, transforms

            modules = {"interop": interop, "sampling": sampling, "transforms": transforms}
            return getattr(modules[package], name)(self, *args, **kwargs)

        return call

    return decorate


class TransformMethods:
    """Methods of :class:`Graph` that return new graphs."""

    @_calls("transforms.add_self_loop")
    def add_self_loop(
        self: Graph,
        edge_feat_names: Sequence[str] | None = None,
        fill_data: float | Tensor | str = 1.0,
        etype: Any = None,
    ) -> Graph:
        """See :func:`gossamer.add_self_loop`."""

    @_calls("transforms.remove_self_loop")
    def remove_self_loop(self: Graph, etype: Any = None) -> Graph:
        """See :func:`gossamer.remove_self_loop`."""

    @_calls("transforms.node_subgraph")
    def subgraph(
        self: Graph,
        nodes: Any,
        *,
        relabel_nodes: bool = True,
        store_ids: bool = True,
        output_device: Any = None,
    ) -> Graph:
        """See :func:`gossamer.node_subgraph`."""

    @_calls("transforms.edge_subgraph")
    def edge_subgraph(
        self: Graph,
        edges: Any,
        *,
        relabel_nodes: bool = True,
        store_ids: bool = True,
        output_device: Any = None,
    ) -> Graph:
        """See :func:`gossamer.edge_subgraph`."""

    @_calls("transforms.node_type_subgraph")
    def node_type_subgraph(self: Graph, ntypes: Sequence[str], output_device: Any = None) -> Graph:
        """See :func:`gossamer.node_type_subgraph`."""

    @_calls("transforms.edge_type_subgraph")
    def edge_type_subgraph(self: Graph, etypes: Sequence[Any], output_device: Any = None) -> Graph:
        """See :func:`gossamer.edge_type_subgraph`."""

    @_calls("transforms.reverse")
    def reverse(
        self: Graph,
        copy_ndata: bool = True,
        copy_edata: bool = False,
        *,
        share_ndata: bool | None = None,
        share_edata: bool | None = None,
    ) -> Graph:
        """See :func:`gossamer.reverse`."""

    @_calls("transforms.to_simple")
    def to_simple(
        self: Graph,
        return_counts: str | None = "count",
        writeback_mapping: bool = False,
        copy_ndata: bool = True,
        copy_edata: bool = False,
        aggregator: str = "arbitrary",
    ) -> Graph | tuple[Graph, Tensor | dict[CanonicalEType, Tensor]]:
        """See :func:`gossamer.to_simple`."""

    @_calls("transforms.line_graph")
    def line_graph(self: Graph, backtracking: bool = True, shared: bool = False) -> Graph:
        """See :func:`gossamer.line_graph`."""

    @_calls("transforms.reorder_graph")
    def reorder_graph(
        self: Graph,
        node_permute_algo: str | None = None,
        edge_permute_algo: str = "src",
        store_ids: bool = True,
        permute_config: Mapping[str, Any] | None = None,
    ) -> Graph:
        """See :func:`gossamer.reorder_graph`."""

    @_calls("sampling.sample_neighbors")
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

    @_calls("sampling.sample_neighbors_biased")
    def sample_neighbors_biased(
        self: Graph,
        nodes: Any,
        fanout: int,
        bias: Any,
        edge_dir: str = "in",
        tag_offset_name: str = "_TAG_OFFSET",
        replace: bool = False,
        copy_ndata: bool = True,
        copy_edata: bool = True,
        output_device: Any = None,
    ) -> Graph:
        """See :func:`gossamer.sampling.sample_neighbors_biased`."""

    @_calls("sampling.sample_neighbors_fused")
    def sample_neighbors_fused(
        self: Graph,
        nodes: Any,
        fanout: Any,
        edge_dir: str = "in",
        prob: Any = None,
        replace: bool = False,
        copy_ndata: bool = True,
        copy_edata: bool = True,
        exclude_edges: Any = None,
        mapping: dict | None = None,
    ) -> Graph:
        """See :func:`gossamer.sampling.sample_neighbors_fused`."""

    @_calls("sampling.sample_labors")
    def sample_labors(
        self: Graph,
        nodes: Any,
        fanout: Any,
        edge_dir: str = "in",
        prob: Any = None,
        importance_sampling: int = 0,
        random_seed: Any = None,
        seed2_contribution: float = 0,
        copy_ndata: bool = True,
        copy_edata: bool = True,
        exclude_edges: Any = None,
        output_device: Any = None,
    ) -> tuple[Graph, list[Tensor]]:
        """See :func:`gossamer.sampling.sample_labors`."""

    @_calls("sampling.select_topk")
    def select_topk(
        self: Graph,
        k: Any,
        weight: str,
        nodes: Any = None,
        edge_dir: str = "in",
        ascending: bool = False,
        copy_ndata: bool = True,
        copy_edata: bool = True,
        output_device: Any = None,
    ) -> Graph:
        """See :func:`gossamer.sampling.select_topk`."""

    @_calls("sampling.global_uniform_negative_sampling")
    def global_uniform_negative_sampling(
        self: Graph,
        num_samples: int,
        exclude_self_loops: bool = True,
        replace: bool = False,
        etype: Any = None,
        redundancy: float | None = None,
    ) -> tuple[Tensor, Tensor]:
        """See :func:`gossamer.sampling.global_uniform_negative_sampling`."""

    @_calls("transforms.in_subgraph")
    def in_subgraph(
        self: Graph,
        nodes: Any,
        *,
        relabel_nodes: bool = False,
        store_ids: bool = True,
        output_device: Any = None,
    ) -> Graph:
        """See :func:`gossamer.in_subgraph`."""

    @_calls("transforms.out_subgraph")
    def out_subgraph(
        self: Graph,
        nodes: Any,
        *,
        relabel_nodes: bool = False,
        store_ids: bool = True,
        output_device: Any = None,
    ) -> Graph:
        """See :func:`gossamer.out_subgraph`."""

    @_calls("transforms.khop_in_subgraph")
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

    @_calls("transforms.khop_out_subgraph")
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

    @_calls("interop.to_networkx")
    def to_networkx(
        self: Graph,
        node_attrs: Sequence[str] | None = None,
        edge_attrs: Sequence[str] | None = None,
        ntype_attr: str | None = "ntype",
        etype_attr: str | None = "etype",
        eid_attr: str | None = "id",
    ) -> Any:
        """See :func:`gossamer.to_networkx`."""

    @_calls("interop.to_cugraph")
    def to_cugraph(self: Graph) -> Any:
        """See :func:`gossamer.to_cugraph`."""
