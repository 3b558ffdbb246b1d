"""Functions that transform graphs, and functions that measure or traverse them."""

from gossamer.transforms import modules
from gossamer.transforms.block import block_to_graph, to_block
from gossamer.transforms.cast import to_bfloat16, to_double, to_float, to_half
from gossamer.transforms.compact import compact_graphs
from gossamer.transforms.distances import double_radius_node_labeling, shortest_dist
from gossamer.transforms.encodings import lap_pe, laplacian_lambda_max, svd_pe
from gossamer.transforms.halo import partition_graph_with_halo
from gossamer.transforms.homogeneous import to_heterogeneous, to_homogeneous
from gossamer.transforms.homophily import (
    adjusted_homophily,
    edge_homophily,
    edge_label_informativeness,
    linkx_homophily,
    node_homophily,
    node_label_informativeness,
)
from gossamer.transforms.khop import khop_adj, khop_graph, metapath_reachable_graph
from gossamer.transforms.line import line_graph
from gossamer.transforms.merge import merge
from gossamer.transforms.modules import *  # noqa: F403
from gossamer.transforms.neighborhood import (
    in_subgraph,
    khop_in_subgraph,
    khop_out_subgraph,
    out_subgraph,
)
from gossamer.transforms.neighbors import knn_graph, radius_graph, segmented_knn_graph
from gossamer.transforms.norm import norm_by_dst
from gossamer.transforms.partition import metis_partition, metis_partition_assignment
from gossamer.transforms.products import adj_product_graph, adj_sum_graph
from gossamer.transforms.propagate import (
    prop_edges,
    prop_edges_dfs,
    prop_nodes,
    prop_nodes_bfs,
    prop_nodes_topo,
)
from gossamer.transforms.random_graphs import rand_bipartite, rand_graph
from gossamer.transforms.reorder import reorder_graph
from gossamer.transforms.reverse import add_reverse_edges, reverse
from gossamer.transforms.simple import to_bidirected, to_simple, to_simple_graph
from gossamer.transforms.sort import sort_csc_by_tag, sort_csr_by_tag
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
    node_subgraph,
    node_type_subgraph,
)
from gossamer.transforms.traversal import (
    bfs_edges_generator,
    bfs_nodes_generator,
    dfs_edges_generator,
    dfs_labeled_edges_generator,
    topological_nodes_generator,
)
from gossamer.transforms.walk_encodings import random_walk_pe

__all__ = [
    *modules.__all__, "add_edges", "add_nodes", "add_reverse_edges", "add_self_loop",
    "adj_product_graph", "adj_sum_graph", "adjusted_homophily", "bfs_edges_generator",
    "bfs_nodes_generator", "block_to_graph", "compact_graphs", "dfs_edges_generator",
    "dfs_labeled_edges_generator", "double_radius_node_labeling", "edge_homophily",
    "edge_label_informativeness", "edge_subgraph", "edge_type_subgraph", "in_subgraph",
    "khop_adj", "khop_graph", "khop_in_subgraph", "khop_out_subgraph", "knn_graph", "lap_pe",
    "laplacian_lambda_max", "line_graph", "linkx_homophily", "merge",
    "metapath_reachable_graph", "metis_partition", "metis_partition_assignment",
    "node_homophily", "node_label_informativeness", "node_subgraph", "node_type_subgraph",
    "norm_by_dst", "out_subgraph", "partition_graph_with_halo", "prop_edges", "prop_edges_dfs",
    "prop_nodes", "prop_nodes_bfs", "prop_nodes_topo", "radius_graph", "rand_bipartite",
    "rand_graph", "random_walk_pe", "remove_edges", "remove_nodes", "remove_self_loop",
    "reorder_graph", "reverse", "segmented_knn_graph", "shortest_dist", "sort_csc_by_tag",
    "sort_csr_by_tag", "svd_pe", "to_bfloat16", "to_bidirected", "to_block", "to_double",
    "to_float", "to_half", "to_heterogeneous", "to_homogeneous", "to_simple", "to_simple_graph",
    "topological_nodes_generator",
]  # fmt: skip
