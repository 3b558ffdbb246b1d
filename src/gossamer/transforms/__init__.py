"""New graphs from old ones."""

from gossamer.transforms.structure import (
    add_edges,
    add_nodes,
    add_self_loop,
    remove_edges,
    remove_nodes,
    remove_self_loop,
)

__all__ = [
    "add_edges",
    "add_nodes",
    "add_self_loop",
    "remove_edges",
    "remove_nodes",
    "remove_self_loop",
]
