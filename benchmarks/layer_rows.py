"""The rows of :mod:`benchmarks.layers`: a layer, forward and backward.

This module runs no library. Arrays that are parameters have the name and shape of DGL's parameters
(letters as in :mod:`benchmarks.registry`, and ``B``, the graphs of a batch). ``x`` is the input,
``g`` the gradient of the output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.registry import WORKLOADS
from benchmarks.workload import HD, MOLECULE_EDGES, MOLECULE_NODES, D, Dims, F, H, Sizes, Workload

# If two messages are equal up to float32 errors, libraries may choose either as the maximum, which
# gets the gradient; the same holds for the sides of LeakyReLU's kink. One such edge changes the
# gradient of a weight, which is a sum over all edges, by less than 1 %.
DECISIONS = {"may_differ": 1e-3, "tolerance": 1e-2}

#: Types of nodes and edges in the typed rows, of edges in R-GCN's data set AIFB, and edge features.
NTYPES, ETYPES, AIFB_RELATIONS, EDGE = 3, 4, 90, 16
# Not "std": near 0 the gradient of the root amplifies rounding errors, so libraries disagree.
PNA_REDUCERS = ["mean", "max", "min", "var"]
DGN_REDUCERS = ["mean", "max", "dir1-av", "dir1-dx"]
SCALERS = ["identity", "amplification", "attenuation"]
DELTA = 2.5
GATHERED = 1 + len(PNA_REDUCERS) * len(SCALERS)  # widths of F that a tower of PNA or DGN combines


def _molecules(graphs: int) -> Sizes:
    return Sizes(nodes=MOLECULE_NODES * graphs, edges=MOLECULE_EDGES * graphs)


FULL: dict[str, Sizes] = {
    "both ways": Sizes(nodes=20_000, edges=400_000),
    "few edges": Sizes(nodes=2_000, edges=20_000),
    "aifb": Sizes(nodes=8_285, edges=58_086),
    "molecules": _molecules(128),
    "readout": _molecules(4_000),
}
SMALL: dict[str, Sizes] = {
    "both ways": Sizes(nodes=150, edges=1_000),
    "few edges": Sizes(nodes=40, edges=100),
    "aifb": Sizes(nodes=150, edges=1_000),
    "molecules": _molecules(4),
    "readout": _molecules(4),
}


def sizes(workload: Workload, small: bool = False, scale: float = 1.0) -> Sizes:
    """The size of a row's graph, `scale` times that of :data:`FULL`."""
    if small:
        return SMALL[workload.graph]
    size = FULL[workload.graph]
    whole = MOLECULE_NODES if workload.graph in ("molecules", "readout") else 1
    nodes = max(int(size.nodes * scale) // whole, 4) * whole
    edges = nodes * MOLECULE_EDGES // MOLECULE_NODES if whole > 1 else int(size.edges * scale)
    return Sizes(nodes=nodes, edges=max(edges, 2) // 2 * 2)


def _row(
    name: str,
    about: str,
    parameters: Mapping[str, Dims] | None = None,
    *,
    out: Dims = ("N", F),
    inputs: Mapping[str, Dims] | None = None,
    integers: Mapping[str, int] | None = None,
    graph: str = "both ways",
    **options: object,
) -> Workload:
    parameters = parameters or {}
    arrays = {"x": ("N", F), **(inputs or {}), "g": out, **parameters}
    return Workload(
        name,
        about,
        graph,
        arrays,
        None,
        lambda sizes: 0,
        weight_arrays=tuple(parameters),
        integers=integers or {},
        **options,
    )


def _linear(name: str, width_in: int = F, width_out: int = F, bias: bool = True) -> dict:
    weight = {f"{name}.weight": (width_out, width_in)}
    return weight | ({f"{name}.bias": (width_out,)} if bias else {})


def _maps(names: str, **kwargs: object) -> dict:
    return {k: v for name in names.split() for k, v in _linear(name, **kwargs).items()}


def _gru(name: str) -> dict:
    sides = ("ih", "hh")
    weights = {f"{name}.weight_{side}": (3 * F, F) for side in sides}
    return weights | {f"{name}.bias_{side}": (3 * F,) for side in sides}


_HEADS = ("N", H, D)
_ATTENTION = {"attn_l": (1, H, D), "attn_r": (1, H, D), "bias": (HD,)}
_EDGES = {"w": ("E", EDGE)}
_TYPED = {"integers": {"etype": ETYPES}}
_GATED = _linear("linears.0", bias=False) | _gru("gru")
# Without the bias before batch normalization, whose gradient is rounding error only.
_TOWER = (
    _linear("towers.0.M", 2 * F)
    | _linear("towers.0.U", GATHERED * F, bias=False)
    | _linear("mixing_layer.0")
)
_HGT = {
    **{f"linear_{name}.W": (NTYPES, F, F) for name in "kqva"},
    **{f"relation_pri.{h}": (ETYPES,) for h in range(4)},
    **{f"relation_{kind}.{h}.W": (ETYPES, D, D) for kind in ("att", "msg") for h in range(4)},
    "skip": (NTYPES,),
}
_RELATIONAL = {"h_bias": (F,), "loop_weight": (F, F)}


def _graph_rows() -> list[Workload]:
    """Layers without edge features."""
    return [
        _row("TAGConv", "2 hops", _linear("lin", 3 * F)),
        _row("SGConv", "2 hops", _linear("fc")),
        _row("APPNPConv", "10 hops"),
        _row("ChebConv", "3 polynomials", _linear("linear", 3 * F), goal=2.0),
        _row(
            "GCN2Conv",
            "one layer of GCNII",
            {"weight1": (F, F)},
            inputs={"initial": ("N", F)},
        ),
        _row("GatedGraphConv", "2 steps", _GATED, goal=2.0),
        _row(
            "GatedGraphConv typed",
            "2 steps, 4 edge types",
            _maps("linears.0 linears.1 linears.2 linears.3") | _gru("gru"),
            goal=2.0,
            **_TYPED,
        ),
        _row("EdgeConv", "maximum", _maps("theta phi"), **DECISIONS),
        _row("AGNNConv", "cosine attention", {"beta": (1,)}),
        _row(
            "DotGatConv",
            "8 heads x 16",
            _linear("fc", F, HD, bias=False),
            out=_HEADS,
        ),
        _row(
            "PNAConv",
            "4 aggregators, 3 scalers",
            _TOWER,
            goal=2.0,
            **DECISIONS,
        ),
        _row(
            "DGNConv",
            "4 aggregators, 3 scalers",
            _TOWER,
            inputs={"eigen": ("N", 1)},
            **DECISIONS,
        ),
        _row(
            "EGNNConv",
            "coordinates in space",
            _linear("edge_mlp.0", 2 * F + 1)
            | _linear("edge_mlp.2")
            | _linear("node_mlp.0", 2 * F)
            | _linear("node_mlp.2"),
            inputs={"place": ("N", 3)},
        ),
        _row("TWIRLSUnfolding", "4 steps of unfolding"),
    ]


def _edge_rows() -> list[Workload]:
    """Layers with edge features."""
    return [
        _row(
            "GMMConv",
            "4 kernels, mean",
            {"mu": (4, 2), "inv_sigma": (4, 2), **_linear("fc", F, 4 * F, bias=False)},
            inputs={"w": ("E", 2)},
        ),
        _row(
            "NNConv",
            "sum, a matrix 64 x 64 for each edge",
            {**_linear("edge_func", EDGE, F * F), "bias": (F,)},
            inputs=_EDGES,
            graph="few edges",
            goal=2.0,
        ),
        _row(
            "CFConv",
            "16 edge features",
            {**_linear("project_edge.0", EDGE), **_maps("project_edge.2 project_node")}
            | _linear("project_out.0"),
            inputs=_EDGES,
        ),
        _row("GINEConv", "64 edge features", _linear("apply_func"), inputs={"w": ("E", F)}),
        _row(
            "GatedGCNConv",
            "64 edge features",
            _linear("A", bias=False) | _linear("B", bias=False) | _maps("C D E"),
            inputs={"w": ("E", F)},
        ),
        _row(
            "EdgeGATConv",
            "8 heads x 16, 16 edge features",
            {
                **_linear("fc", F, HD, bias=False),
                **_ATTENTION,
                "attn_edge": (1, H, D),
                **_linear("fc_edge", EDGE, HD, bias=False),
            },
            out=_HEADS,
            inputs=_EDGES,
        ),
        _row(
            "EGATConv",
            "8 heads x 16 for nodes and edges, 16 edge features",
            {
                **_maps("fc_node_src fc_ni fc_nj", width_out=HD, bias=False),
                **_linear("fc_fij", EDGE, HD, bias=False),
                "attn": (1, H, D),
                "bias": (HD,),
            },
            out=_HEADS,
            inputs=_EDGES,
            goal=2.0,
        ),
    ]


def _typed_rows() -> list[Workload]:
    """Layers for typed nodes or edges."""
    sage = _maps("fc_self fc_neigh", bias=False)
    return [
        _row("RelGraphConv", "4 relations", {"linear_r.W": (ETYPES, F, F)} | _RELATIONAL, **_TYPED),
        _row(
            "RelGraphConv basis",
            "4 relations, 2 bases",
            {"linear_r.W": (2, F, F), "linear_r.coeff": (ETYPES, 2)} | _RELATIONAL,
            **_TYPED,
        ),
        _row(
            "RelGraphConv blocks",
            "4 relations, 4 blocks",
            {"linear_r.W": (ETYPES, F * F // 4)} | _RELATIONAL,
            **_TYPED,
        ),
        _row(
            "RelGraphConv AIFB",
            "AIFB's 8,285 nodes, 58,086 edges and 90 relations",
            {"linear_r.W": (AIFB_RELATIONS, F, F)} | _RELATIONAL,
            integers={"etype": AIFB_RELATIONS},
            graph="aifb",
            goal=2.0,
        ),
        _row(
            "HGTConv",
            "4 heads x 16, 3 node types, 4 edge types",
            _HGT,
            integers={"etype": ETYPES, "ntype": NTYPES},
            goal=2.0,
        ),
        _row(
            "HeteroGraphConv",
            "SAGEConv (mean) for each of 4 relations, sum",
            {f"mods.r{r}.{name}": dims for r in range(ETYPES) for name, dims in sage.items()},
            **_TYPED,
        ),
    ]


def _batched_rows() -> list[Workload]:
    """Many small graphs: readouts of 4,000, and layers on 128, where call overhead decides."""
    molecules = {"graph": "molecules"}
    readout = {"graph": "readout", "out": ("B", F)}
    wide = {"graph": "readout", "out": ("B", 2 * F)}
    lstm = {f"lstm.{k}": (4 * F, 2 * F if k == "weight_ih_l0" else F) for k in _LSTM_WEIGHTS}
    lstm |= {f"lstm.{k}": (4 * F,) for k in ("bias_ih_l0", "bias_hh_l0")}
    attentive = _linear("logit", 2 * F + EDGE, 1) | _linear("value") | _gru("gru")
    return [
        _row("SumPooling", "4,000 graphs of 25 nodes", **readout),
        _row("AvgPooling", "4,000 graphs of 25 nodes", **readout),
        _row("MaxPooling", "4,000 graphs of 25 nodes", **readout),
        _row(
            "GlobalAttentionPooling",
            "4,000 graphs of 25 nodes",
            # The same number added to all scores of a softmax has no gradient.
            _linear("gate_nn", F, 1, bias=False),
            **readout,
        ),
        _row(
            "WeightAndSum",
            "4,000 graphs of 25 nodes",
            _linear("atom_weighting.0", F, 1),
            **readout,
        ),
        _row("Set2Set", "4,000 graphs of 25 nodes, 3 steps", lstm, **wide),
        _row("GIN molecules", "GINConv, relu, SumPooling", _linear("apply_func"), **_per_graph()),
        _row(
            "GCN molecules",
            "GraphConv, relu, SumPooling",
            {"weight": (F, F), "bias": (F,)},
            **_per_graph(),
        ),
        _row(
            "MPNN molecules",
            "NNConv (16 edge features, 16 -> 16), relu, GRU",
            {
                **_linear("conv.edge_func", EDGE, D * D),
                "conv.bias": (D,),
                **{name: tuple(d * D // F for d in dims) for name, dims in _gru("gru").items()},
            },
            out=("N", D),
            inputs={"x": ("N", D), **_EDGES},
            **molecules,
        ),
        _row(
            "AttentiveFP molecules",
            "attention over edges with 16 features, elu, GRU",
            attentive,
            inputs=_EDGES,
            **molecules,
        ),
    ]


_LSTM_WEIGHTS = ("weight_ih_l0", "weight_hh_l0")


def _per_graph() -> dict:
    return {"graph": "molecules", "out": ("B", F)}


# The layers of benchmarks.ops, on the graph of the others.
_SHARED = [
    replace(WORKLOADS[f"{name} fwd+bwd"], graph="both ways", traffic=None, **options)
    for name, options in {
        "GraphConv": {},
        "SAGEConv": {},
        "GINConv": {},
        "GATConv": DECISIONS,
        "GATv2Conv": {},
    }.items()
]
LAYER_ROWS: dict[str, Workload] = {
    row.name: row
    for row in [*_SHARED, *_graph_rows(), *_edge_rows(), *_typed_rows(), *_batched_rows()]
}
