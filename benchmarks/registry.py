"""The rows of ``benchmarks.ops``, and the sizes of their graphs.

This module runs no library.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import replace

from benchmarks.verify import undecided_nodes
from benchmarks.workload import FLOAT, HD, INDEX, D, F, H, Sizes, Traffic, Workload

FULL: dict[str, Sizes] = {
    "skew": Sizes(nodes=200_000, edges=4_000_000),
    "shuffled": Sizes(nodes=200_000, edges=4_000_000),
    "hub": Sizes(nodes=200_000, edges=4_000_000),
    # Features of 512 MB, larger than any cache.
    "large": Sizes(nodes=2_000_000, edges=8_000_000),
    "rows": Sizes(nodes=200_000, edges=1),
    "few rows": Sizes(nodes=4_000, edges=1),
    # Cora: 5,278 undirected edges stored both ways, and a self-loop at each node.
    "cora": Sizes(nodes=2_708, edges=10_556 + 2_708, features=1_433, classes=7, train=140),
}
SMALL: dict[str, Sizes] = {
    "skew": Sizes(nodes=150, edges=1_000),
    "shuffled": Sizes(nodes=150, edges=1_000),
    "hub": Sizes(nodes=150, edges=1_000),
    "large": Sizes(nodes=300, edges=1_500),
    "rows": Sizes(nodes=150, edges=1),
    "few rows": Sizes(nodes=40, edges=1),
    "cora": Sizes(nodes=150, edges=2 * 300 + 150, features=40, classes=7, train=60),
}


def _structure(s: Sizes, passes: int = 1) -> int:
    """Bytes of one walk over a compressed adjacency, times the passes."""
    return passes * INDEX * (s.edges + s.nodes + 1)


def _aggregate(width: int, *, per_edge: int = 0, passes: int = 1, nodes_io: int = 0):
    """Traffic of sums over neighbors.

    ``passes`` walks, each gathering ``width`` floats per edge and reading ``per_edge`` floats of
    the edge in order; ``nodes_io`` floats per node are read or written once.
    """

    def traffic(s: Sizes) -> Traffic:
        stream = _structure(s, passes)
        stream += FLOAT * (passes * per_edge * s.edges + nodes_io * s.nodes)
        return Traffic(stream, {FLOAT * width: passes * s.edges})

    return traffic


def _attention(wide_gathers: int, narrow_gathers: int, nodes_io: int):
    """Traffic of fused attention: rows of 128 and of 8 floats gathered, forward and backward."""

    def traffic(s: Sizes) -> Traffic:
        gathers = {FLOAT * HD: wide_gathers * s.edges}
        if narrow_gathers:
            gathers[FLOAT * H] = narrow_gathers * s.edges
        # Three walks: forward by destination, backward by destination and by source.
        return Traffic(_structure(s, 3) + FLOAT * nodes_io * s.nodes, gathers)

    return traffic


def _dense(s: Sizes, width_in: int, width_out: int, products: int = 1) -> int:
    """Operations of a dense product forward, and of both its gradients backward."""
    return products * 3 * 2 * s.nodes * width_in * width_out


_LAYER = {"x": ("N", "F"), "g": ("N", "F"), "weight": ("F", "F"), "bias": ("F",)}

_ROWS = [
    Workload(
        "copy_u/sum",
        "sum of neighbors, 64 features",
        "skew",
        {"x": ("N", "F")},
        _aggregate(F, nodes_io=F),
        lambda s: s.edges * F,
        goal=1.6,
    ),
    Workload(
        "copy_u/mean",
        "mean of neighbors, 64 features",
        "skew",
        {"x": ("N", "F")},
        _aggregate(F, nodes_io=F),
        lambda s: (s.edges + s.nodes) * F,
        goal=1.6,
    ),
    Workload(
        "copy_u/max",
        "maximum of neighbors, 64 features",
        "skew",
        {"x": ("N", "F")},
        _aggregate(F, nodes_io=F),
        lambda s: s.edges * F,
        goal=2.5,
    ),
    Workload(
        "copy_u/sum hub",
        "sum of neighbors, 64 features; a quarter of the edges enter one node",
        "hub",
        {"x": ("N", "F")},
        _aggregate(F, nodes_io=F),
        lambda s: s.edges * F,
        goal=1.6,
    ),
    *(
        Workload(
            f"copy_u/{reduce} large",
            f"{about} of neighbors, 64 features; 2,000,000 nodes, 8,000,000 edges",
            "large",
            {"x": ("N", "F")},
            _aggregate(F, nodes_io=F),
            lambda s: s.edges * F,
            goal=goal,
        )
        for reduce, about, goal in (("sum", "sum", 1.6), ("max", "maximum", 2.5))
    ),
    Workload(
        "copy_u/sum bfloat16",
        "sum of neighbors, 64 features in 16 bits",
        "skew",
        {"x": ("N", "F")},
        # Half the bytes of a float32 row, so those of 32 floats.
        _aggregate(F // 2, nodes_io=F // 2),
        lambda s: s.edges * F,
        goal=1.6,
        # Correct results that round differently differ by 2 ** -8.
        tolerance=2**-7,
    ),
    Workload(
        "copy_u to edges",
        "the source's row for each edge, 16 features: a message without a reduction",
        "skew",
        {"x": ("N", "D")},
        lambda s: Traffic(INDEX * s.edges + FLOAT * D * s.edges, {FLOAT * D: s.edges}),
        lambda s: 0,
        goal=1.5,
    ),
    Workload(
        "u_mul_e/sum",
        "weighted sum, one weight an edge, 64 features",
        "skew",
        {"x": ("N", "F"), "w": ("E", 1)},
        _aggregate(F, per_edge=1, nodes_io=F),
        lambda s: 2 * s.edges * F,
        goal=3.0,
    ),
    Workload(
        "u_mul_e/sum heads",
        "weighted sum, 8 heads x 16, one weight an edge and head",
        "skew",
        {"x": ("N", "H", "D"), "w": ("E", "H", 1)},
        _aggregate(HD, per_edge=H, nodes_io=HD),
        lambda s: 2 * s.edges * HD,
        goal=3.0,
    ),
    Workload(
        "copy_u/sum fwd+bwd",
        "sum of neighbors and its gradient, 64 features",
        "skew",
        {"x": ("N", "F"), "g": ("N", "F")},
        _aggregate(F, passes=2, nodes_io=2 * F),
        lambda s: 2 * s.edges * F,
        goal=2.0,
    ),
    Workload(
        "u_dot_v",
        "dot product of the ends, 8 heads x 16",
        "skew",
        {"x": ("N", "H", "D"), "y": ("N", "H", "D")},
        _aggregate(HD, per_edge=H, nodes_io=HD),
        lambda s: 2 * s.edges * HD,
        goal=4.0,
    ),
    Workload(
        "edge_softmax",
        "softmax over in-edges, 8 heads",
        "skew",
        {"e": ("E", "H", 1)},
        lambda s: Traffic(INDEX * (s.nodes + 1) + 2 * FLOAT * H * s.edges),
        lambda s: 4 * s.edges * H,
        goal=6.0,
    ),
    *(
        Workload(
            f"segment_reduce {reduce}",
            f"{reduce} of each destination's consecutive rows, 16 features",
            "skew",
            {"v": ("E", "D")},
            lambda s: Traffic(INDEX * s.nodes + FLOAT * D * (s.edges + s.nodes)),
            lambda s: s.edges * D,
            goal=1.5,
        )
        for reduce in ("sum", "max")
    ),
    *(
        Workload(
            name + label,
            f"{about}, {rows} rows in 10 relations, 64 x 64",
            graph,
            {"x": ("N", "F"), "weight": ("R", "F", "F")},
            traffic,
            lambda s: 2 * s.nodes * F * F,
            goal=1.0,
            weight_arrays=("weight",),
        )
        for graph, label, rows, traffic in (
            ("rows", "", "200,000", lambda s: Traffic(2 * FLOAT * F * s.nodes)),
            ("few rows", " few rows", "4,000", None),
        )
        for name, about in (
            ("segment_mm", "a matrix for each segment of rows"),
            ("gather_mm", "a matrix for each row, by its relation"),
        )
    ),
    Workload(
        "GraphConv fwd+bwd",
        "64 -> 64, symmetric normalization; gradients of input and parameters",
        "skew",
        _LAYER,
        _aggregate(F, passes=2, nodes_io=3 * F),
        lambda s: 2 * s.edges * F + _dense(s, F, F),
        goal=1.6,
        weight_arrays=("weight", "bias"),
    ),
    Workload(
        "SAGEConv fwd+bwd",
        "64 -> 64, mean; gradients of input and parameters",
        "skew",
        {**_LAYER, "weight_self": ("F", "F")},
        _aggregate(F, passes=2, nodes_io=3 * F),
        lambda s: 2 * s.edges * F + _dense(s, F, F, 2),
        goal=1.6,
        weight_arrays=("weight", "weight_self", "bias"),
    ),
    Workload(
        "GINConv fwd+bwd",
        "64 -> 64, sum; gradients of input and parameters",
        "skew",
        _LAYER,
        _aggregate(F, passes=2, nodes_io=3 * F),
        lambda s: 2 * s.edges * F + _dense(s, F, F),
        goal=1.6,
        weight_arrays=("weight", "bias"),
    ),
    Workload(
        "GATConv fwd+bwd",
        "64 -> 8 heads x 16; gradients of input and parameters",
        "skew",
        {
            "x": ("N", "F"),
            "g": ("N", "H", "D"),
            "weight": ("F", "HD"),
            "att_src": (1, "H", "D"),
            "att_dst": (1, "H", "D"),
            "bias": ("HD",),
        },
        # Forward: h of the source. Backward by destination: h again; by source: the gradient.
        # Narrow rows: the source's score, twice; the destination's score and normalizer.
        _attention(3, 4, 2 * F + 2 * HD),
        lambda s: 3 * s.edges * (2 * HD + 6 * H) + _dense(s, F, HD),
        goal=5.0,
        weight_arrays=("weight", "att_src", "att_dst", "bias"),
        undecided={"grad_x": undecided_nodes},
    ),
    Workload(
        "GATv2Conv fwd+bwd",
        "64 -> 8 heads x 16; gradients of input and parameters",
        "skew",
        {
            "x": ("N", "F"),
            "g": ("N", "H", "D"),
            "weight_src": ("F", "HD"),
            "bias_src": ("HD",),
            "weight_dst": ("F", "HD"),
            "bias_dst": ("HD",),
            "att": (1, "H", "D"),
        },
        # As GATConv, but the backward by source also needs the destination's row.
        _attention(4, 1, 2 * F + 2 * HD),
        lambda s: 3 * s.edges * (6 * HD + 6 * H) + _dense(s, F, HD, 2),
        goal=5.0,
        weight_arrays=("weight_src", "bias_src", "weight_dst", "bias_dst", "att"),
    ),
    Workload(
        "Cora GCN epoch",
        "2 layers, 16 hidden, full batch, Adam; no dropout",
        "cora",
        {"x": ("N", "X"), "weight_1": ("X", 16), "weight_2": (16, "C")},
        None,
        lambda s: 4 * s.edges * 16 + 6 * s.nodes * 16 * (s.features + s.classes),
        weight_arrays=("weight_1", "weight_2"),
    ),
    Workload(
        "Cora GAT epoch",
        "2 layers, 8 heads x 8 then 1 head, full batch, Adam; no dropout",
        "cora",
        {
            "x": ("N", "X"),
            "weight_1": ("X", 64),
            "att_src_1": (1, 8, 8),
            "att_dst_1": (1, 8, 8),
            "weight_2": (64, "C"),
            "att_src_2": (1, 1, "C"),
            "att_dst_2": (1, 1, "C"),
        },
        None,
        lambda s: 6 * s.edges * (64 + s.classes) + 6 * s.nodes * 64 * (s.features + s.classes),
        weight_arrays=(
            "weight_1",
            "att_src_1",
            "att_dst_1",
            "weight_2",
            "att_src_2",
            "att_dst_2",
        ),
    ),
    Workload(
        "COO to CSC",
        "a new graph from shuffled edges (int64), compressed by destination",
        "shuffled",
        {},
        # Both ends read once (8-byte ids, as given), sources and edge ids written once.
        lambda s: Traffic(2 * 8 * s.edges + 2 * INDEX * s.edges + INDEX * (s.nodes + 1)),
        lambda s: 0,
    ),
    Workload(
        "CSR to CSC",
        "a new graph from row pointers and columns (int64), compressed by destination",
        "skew",
        {},
        # The given structure read once, the new one with its edge ids written once.
        lambda s: Traffic((8 + INDEX) * (s.edges + s.nodes + 1) + INDEX * s.edges),
        lambda s: 0,
    ),
]

# The same epochs under torch.compile. A library counts with its best, compiled or not.
_ROWS += [
    replace(
        row,
        name=f"{row.name} compiled",
        about=f"{row.about}; torch.compile where the library takes it",
        goal=1.5,
    )
    for row in _ROWS
    if row.name in ("Cora GCN epoch", "Cora GAT epoch")
]

WORKLOADS: dict[str, Workload] = {row.name: row for row in _ROWS}


def select(names: str | None, rows: Mapping[str, Workload]) -> list[Workload]:
    """The rows whose name is, or begins with, one of the comma-separated names (None: all)."""
    if names is None:
        return list(rows.values())
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if not any(row.startswith(name) for row in rows):
            # Break lines between names only, not at the spaces within them.
            known = ", ".join(row.replace(" ", "\xa0") for row in rows)
            wrapped = textwrap.fill(known, break_on_hyphens=False).replace("\xa0", " ")
            raise SystemExit(f"No row is called {name!r}. Rows:\n{wrapped}")
    return [
        row
        for row in rows.values()
        if row.name in wanted
        or any(row.name.startswith(name) for name in wanted if name not in rows)
    ]
