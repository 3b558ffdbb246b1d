"""New graphs from old ones."""

from gossamer.transforms.block import block_to_graph, to_block
from gossamer.transforms.cast import to_bfloat16, to_double, to_float, to_half
from gossamer.transforms.compact import compact_graphs
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
    "add_self_loop",
    "block_to_graph",
    "compact_graphs",
    "edge_subgraph",
    "edge_type_subgraph",
    "in_subgraph",
    "khop_in_subgraph",
    "khop_out_subgraph",
    "node_subgraph",
    "node_type_subgraph",
    "out_subgraph",
    "remove_edges",
    "remove_nodes",
    "remove_self_loop",
    "to_bfloat16",
    "to_block",
    "to_double",
    "to_float",
    "to_half",
]
