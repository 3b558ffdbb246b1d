"""New graphs from old ones."""

from gossamer.transforms.block import block_to_graph, to_block
from gossamer.transforms.cast import to_bfloat16, to_double, to_float, to_half
from gossamer.transforms.compact import compact_graphs
from gossamer.transforms.distances import double_radius_node_labeling, shortest_dist
from gossamer.transforms.encodings import lap_pe, laplacian_lambda_max, random_walk_pe, svd_pe
from gossamer.transforms.khop import khop_adj, khop_graph, metapath_reachable_graph
from gossamer.transforms.line import line_graph
from gossamer.transforms.norm import norm_by_dst
from gossamer.transforms.reverse import add_reverse_edges, reverse
from gossamer.transforms.simple import to_bidirected, to_simple, to_simple_graph
from gossamer.transforms.structure import (
    add_edges,
    add_nodes,
    add_self_loop,
    remove_edges,
    remove_nodes,
    remove_self_loop,
)
from gossamer.transforms.subgraph import (
    edge_subgraph,
    edge_type_subgraph,
    in_subgraph,
    khop_in_subgraph,
    khop_out_subgraph,
    node_subgraph,
    node_type_subgraph,
    out_subgraph,
)

__all__ = [
    "add_edges",
    "add_nodes",
    "add_reverse_edges",
    "add_self_loop",
    "block_to_graph",
    "compact_graphs",
    "double_radius_node_labeling",
    "edge_subgraph",
    "edge_type_subgraph",
    "in_subgraph",
    "khop_adj",
    "khop_graph",
    "khop_in_subgraph",
    "khop_out_subgraph",
    "lap_pe",
    "laplacian_lambda_max",
    "line_graph",
    "metapath_reachable_graph",
    "node_subgraph",
    "node_type_subgraph",
    "norm_by_dst",
    "out_subgraph",
    "random_walk_pe",
    "remove_edges",
    "remove_nodes",
    "remove_self_loop",
    "reverse",
    "shortest_dist",
    "svd_pe",
    "to_bfloat16",
    "to_bidirected",
    "to_block",
    "to_double",
    "to_float",
    "to_half",
    "to_simple",
    "to_simple_graph",
]
