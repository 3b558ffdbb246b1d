"""The rows of :mod:`benchmarks.layers` for PyG, where it has a layer with the same formula.

PyG's parameters differ from DGL's in name and layout. Each row converts DGL's parameters to PyG's
(`put`) and PyG's gradients to DGL's (`get`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric import nn as gnn
from torch_geometric.utils import scatter, softmax

from benchmarks.adapters import Form
from benchmarks.adapters.layers import Attentive, MessagePassing, inputs_of
from benchmarks.adapters.pyg_edges import Edges
from benchmarks.adapters.training import differentiate, zero_biases
from benchmarks.layer_rows import AIFB_RELATIONS, EDGE, ETYPES
from benchmarks.workload import MOLECULE_NODES, D, F, H, Sizes, Workload

Inputs = Mapping[str, Tensor]
Making = str | Callable[[Inputs], Tensor]


@dataclass
class Row:
    """How PyG computes a row.

    Attributes
    ----------
    make : callable
        Builds the layer.
    call : callable
        (layer, edges, inputs) -> the ways to call it; each is a function that prepares a call.
    put : mapping
        Parameter of the layer -> DGL's parameter with the same numbers, or a function that computes
        it from DGL's parameters. Default: the same names.
    get : mapping
        DGL's parameter -> a function that computes its gradient from those of the layer, if it is
        not the gradient of one parameter.
    """

    make: Callable[[], nn.Module]
    call: Callable[[nn.Module, Edges, Inputs], dict[str, Callable[[], Callable[[], Tensor]]]]
    put: Mapping[str, Making] | None = None
    get: Mapping[str, Callable[[Inputs, Inputs], Tensor]] = field(default_factory=dict)


def forms(row: Workload, inputs: Inputs, sizes: Sizes) -> dict[str, Callable[[], Form]]:
    """The ways to write a row."""
    if row.name not in _ROWS:
        raise LookupError("PyG has no layer with this formula")
    edges, leaves = Edges(inputs, sizes), inputs_of(row, inputs)
    offered = _ROWS[row.name]
    offered = offered if isinstance(offered, dict) else {"": offered}

    def form(each: Row, kind: str) -> Form:
        layer = each.make()
        zero_biases(layer)
        call = each.call(layer, edges, inputs)[kind]()
        return _form(each, layer, call, row, leaves, inputs)

    return {
        f"{name} {kind}".strip(): lambda each=each, kind=kind: form(each, kind)
        for name, each in offered.items()
        for kind in each.call(nn.Identity(), edges, inputs)
    }


def _form(
    each: Row,
    layer: nn.Module,
    call: Callable[[], Tensor],
    row: Workload,
    leaves: Inputs,
    inputs: Inputs,
) -> Form:
    put = {name: name for name in row.weight_arrays} if each.put is None else each.put
    own = {path: layer.get_parameter(path) for path in put}
    with torch.no_grad():
        for path, making in put.items():
            value = inputs[making] if isinstance(making, str) else making(inputs)
            own[path].copy_(value.reshape(own[path].shape))
    run = differentiate(call, {**leaves, **own}, inputs["g"])
    same = {making: path for path, making in put.items() if isinstance(making, str)}

    def results() -> dict[str, Tensor]:
        found = run()
        grads = {path: found.pop(f"grad_{path}") for path in own}
        for name in row.weight_arrays:
            made = each.get[name](grads, inputs) if name in each.get else grads[same[name]]
            found[f"grad_{name}"] = made.reshape(inputs[name].shape)
        return found

    return Form(results)


# ------------------------------------------------------------------------------------------ calls


def _plain(layer: nn.Module, edges: Edges, inputs: Inputs, *names: str, weight: Any = None) -> dict:
    """The layer on each layout of the edges, with the named inputs after ``x``."""

    def prepare(layout: Callable[[], tuple]) -> Callable[[], Tensor]:
        adjacency, weights = layout()
        values = [inputs[name] for name in ("x", *names)]
        rest = () if weights is None else (weights,)
        return lambda: layer(*values, adjacency, *rest)

    return {k: lambda v=v: prepare(v) for k, v in edges.layouts(weight).items()}


def _with(*names: str) -> Callable:
    """The layer on an edge index, with the named inputs after it."""

    def call(layer: nn.Module, edges: Edges, inputs: Inputs) -> dict:
        values = [inputs[name] for name in names]
        layouts = {"edge_index": lambda: edges.pair}
        if edges.sorted:
            layouts["EdgeIndex"] = edges.edge_index

        def prepare(layout: Callable[[], Any]) -> Callable[[], Tensor]:
            adjacency = layout()
            return lambda: layer(inputs["x"], adjacency, *values)

        return {k: lambda v=v: prepare(v) for k, v in layouts.items()}

    return call


def _normalized(layer: nn.Module, edges: Edges, inputs: Inputs) -> dict:
    return _plain(layer, edges, inputs, weight=_norm(edges))


def _norm(edges: Edges) -> Tensor:
    """The symmetric normalization of each edge."""
    degrees = [torch.bincount(end, minlength=edges.nodes) for end in (edges.src, edges.dst)]
    out, into = (degree.clamp(min=1).float() for degree in degrees)
    return (out[edges.src] * into[edges.dst]).rsqrt()


def _graphs(edges: Edges) -> tuple[Tensor, int]:
    count = edges.nodes // MOLECULE_NODES
    return torch.arange(count).repeat_interleave(MOLECULE_NODES), count


def _pool(function: Callable | None = None) -> Callable:
    """A readout by index, by pointer and, if given, by `function`."""

    def call(layer: nn.Module, edges: Edges, inputs: Inputs) -> dict:
        index, count = _graphs(edges)
        pointer = torch.arange(count + 1) * MOLECULE_NODES
        x = inputs["x"]
        ways = {
            "index": lambda: lambda: layer(x, index, dim_size=count),
            "ptr": lambda: lambda: layer(x, index, ptr=pointer, dim_size=count),
        }
        if function is not None:
            ways["function"] = lambda: lambda: function(x, index, count)
        return ways

    return call


def _then_sum(call: Callable) -> Callable:
    def summed(layer: nn.Module, edges: Edges, inputs: Inputs) -> dict:
        index, count = _graphs(edges)

        def prepare(way: Callable) -> Callable[[], Tensor]:
            run = way()
            return lambda: gnn.global_add_pool(run().relu(), index, count)

        return {k: lambda v=v: prepare(v) for k, v in call(layer, edges, inputs).items()}

    return summed


def _hetero(layer: nn.Module, edges: Edges, inputs: Inputs) -> dict:
    pairs = {
        ("n", f"r{r}", "n"): edges.pair[:, inputs["etype"] == r].contiguous() for r in range(ETYPES)
    }
    return {"edge_index": lambda: lambda: layer({"n": inputs["x"]}, pairs)["n"]}


def _mpnn(step: nn.Module, edges: Edges, inputs: Inputs) -> dict:
    x, w = inputs["x"], inputs["w"]
    return {"edge_index": lambda: lambda: step.gru(step.conv(x, edges.pair, w).relu(), x)}


def _attentive(step: nn.Module, edges: Edges, inputs: Inputs) -> dict:
    x, w = inputs["x"], inputs["w"]

    def call() -> Tensor:
        message = torch.cat([x[edges.dst], x[edges.src], w], 1)
        score = nn.functional.leaky_relu(step.logit(message))
        weighted = softmax(score, edges.dst, num_nodes=edges.nodes) * step.value(x)[edges.src]
        context = scatter(weighted, edges.dst, dim_size=edges.nodes, reduce="sum")
        return step.gru(nn.functional.elu(context), x)

    return {"scatter": lambda: call}


# ------------------------------------------------------------------------------------- parameters


def _columns(name: str, path: str, count: int) -> dict[str, Any]:
    """`count` linear maps whose weights are column blocks of DGL's weight."""

    def part(k: int) -> Callable[[Inputs], Tensor]:
        return lambda inputs: inputs[name][:, F * k : F * (k + 1)]

    def joined(grads: Inputs, inputs: Inputs) -> Tensor:
        return torch.cat([grads[path.format(k)] for k in range(count)], 1)

    put = {path.format(k): part(k) for k in range(count)}
    return {"put": put | {"bias": name.replace("weight", "bias")}, "get": {name: joined}}


def _turned(name: str, path: str) -> dict[str, Any]:
    """A weight that is transposed in PyG."""
    return {
        "put": {path: lambda inputs: inputs[name].t(), "bias": "bias"},
        "get": {name: lambda grads, inputs: grads[path].t()},
    }


def _gates(kind: str) -> dict[str, str]:
    names = [f"{part}_{side}" for part in ("weight", "bias") for side in ("ih", "hh")]
    return {f"{kind}.{name}": f"gru.{name}" for name in names}


def _edge_conv() -> Row:
    # DGL subtracts the ends in the other order.
    def weight(inputs: Inputs) -> Tensor:
        return torch.cat([inputs["phi.weight"], -inputs["theta.weight"]], 1)

    return Row(
        lambda: gnn.EdgeConv(nn.Linear(2 * F, F)),
        _plain_index,
        {"nn.weight": weight, "nn.bias": lambda i: i["theta.bias"] + i["phi.bias"]},
        {
            "phi.weight": lambda g, i: g["nn.weight"][:, :F],
            "theta.weight": lambda g, i: -g["nn.weight"][:, F:],
            "phi.bias": lambda g, i: g["nn.bias"],
            "theta.bias": lambda g, i: g["nn.bias"],
        },
    )


_plain_index = _with()
_ALONE = {"add_self_loops": False}


def _rgcn(kind: type[nn.Module], relations: int, put: dict | None = None, **options: int) -> Row:
    put = put or {"weight": "linear_r.W"}
    return Row(
        lambda: kind(F, F, relations, aggr="add", **options),
        _with("etype"),
        {**put, "root": "loop_weight", "bias": "h_bias"},
    )


def _both(*args: Any, **options: Any) -> dict[str, Row]:
    kinds = gnn.RGCNConv, gnn.FastRGCNConv
    return {kind.__name__: _rgcn(kind, *args, **options) for kind in kinds}


def _attention_maps() -> dict[str, Any]:
    """DGL's layer uses one linear map for key, query and value."""
    paths = [f"lin_{role}.weight" for role in ("key", "query", "value")]
    return {
        "put": {path: lambda inputs: inputs["fc.weight"] for path in paths},
        "get": {"fc.weight": lambda grads, inputs: sum(grads[path] for path in paths)},
    }


def _mixture() -> nn.Module:
    layer = gnn.GMMConv(F, F, 2, 4, aggr="mean", root_weight=False, bias=False)
    layer.root = None  # the layer reads this attribute even without a root weight
    return layer


def _sage_names() -> dict[str, str]:
    sides = {"lin_l": "fc_neigh", "lin_r": "fc_self"}
    return {
        f"convs.<n___r{r}___n>.{own}.weight": f"mods.r{r}.{name}.weight"
        for r in range(ETYPES)
        for own, name in sides.items()
    }


def _hetero_layer() -> nn.Module:
    convs = {("n", f"r{r}", "n"): gnn.SAGEConv(F, F, bias=False) for r in range(ETYPES)}
    return gnn.HeteroConv(convs, aggr="sum")


_ROWS: dict[str, Row | dict[str, Row]] = {
    "TAGConv": Row(
        lambda: gnn.TAGConv(F, F, 2, normalize=False),
        _normalized,
        **_columns("lin.weight", "lins.{}.weight", 3),
    ),
    "SGConv": Row(
        lambda: gnn.SGConv(F, F, 2, **_ALONE),
        _plain,
        {"lin.weight": "fc.weight", "lin.bias": "fc.bias"},
    ),
    "APPNPConv": Row(lambda: gnn.APPNP(10, 0.1, cached=True, **_ALONE), _plain),
    "ChebConv": Row(
        lambda: gnn.ChebConv(F, F, 3),
        _plain_index,
        **_columns("linear.weight", "lins.{}.weight", 3),
    ),
    "GCN2Conv": Row(
        lambda: gnn.GCN2Conv(F, 0.1, 1.0, 1, cached=True, **_ALONE),
        lambda *args: _plain(*args, "initial"),
    ),
    "GatedGraphConv": Row(
        lambda: gnn.GatedGraphConv(F, 2),
        _plain,
        {"weight": lambda i: torch.stack([i["linears.0.weight"].t()] * 2), **_gates("rnn")},
        {"linears.0.weight": lambda g, i: g["weight"].sum(0).t()},
    ),
    "EdgeConv": _edge_conv(),
    "AGNNConv": Row(lambda: gnn.AGNNConv(**_ALONE), _plain_index),
    "DotGatConv": Row(
        lambda: gnn.TransformerConv(F, D, heads=H, root_weight=False, bias=False),
        _plain_index,
        **_attention_maps(),
    ),
    "GMMConv": Row(
        _mixture,
        _with("w"),
        {
            "g": lambda i: i["fc.weight"].t(),
            "mu": "mu",
            "sigma": lambda i: 1 / i["inv_sigma"],
        },
        {
            "fc.weight": lambda g, i: g["g"].t(),
            "inv_sigma": lambda g, i: -g["sigma"] / i["inv_sigma"] ** 2,
        },
    ),
    "NNConv": Row(
        lambda: gnn.NNConv(F, F, nn.Linear(EDGE, F * F), aggr="add", root_weight=False),
        _with("w"),
        {"nn.weight": "edge_func.weight", "nn.bias": "edge_func.bias", "bias": "bias"},
    ),
    "GINEConv": Row(
        lambda: gnn.GINEConv(nn.Linear(F, F)),
        _with("w"),
        {"nn.weight": "apply_func.weight", "nn.bias": "apply_func.bias"},
    ),
    "RelGraphConv": _both(ETYPES),
    "RelGraphConv basis": _both(
        ETYPES, {"weight": "linear_r.W", "comp": "linear_r.coeff"}, num_bases=2
    ),
    "RelGraphConv blocks": _both(ETYPES, num_blocks=4),
    "RelGraphConv AIFB": _both(AIFB_RELATIONS),
    "HeteroGraphConv": Row(_hetero_layer, _hetero, _sage_names()),
    "SumPooling": Row(gnn.SumAggregation, _pool(gnn.global_add_pool)),
    "AvgPooling": Row(gnn.MeanAggregation, _pool(gnn.global_mean_pool)),
    "MaxPooling": Row(gnn.MaxAggregation, _pool(gnn.global_max_pool)),
    "GlobalAttentionPooling": Row(lambda: gnn.AttentionalAggregation(nn.Linear(F, 1)), _pool()),
    "Set2Set": Row(lambda: gnn.Set2Set(F, 3), _pool()),
    "GIN molecules": Row(
        lambda: gnn.GINConv(nn.Linear(F, F)),
        _then_sum(_plain),
        {"nn.weight": "apply_func.weight", "nn.bias": "apply_func.bias"},
    ),
    "GCN molecules": Row(
        lambda: gnn.GCNConv(F, F, normalize=False, **_ALONE),
        _then_sum(_normalized),
        **_turned("weight", "lin.weight"),
    ),
    "MPNN molecules": Row(
        lambda: MessagePassing(
            gnn.NNConv(D, D, nn.Linear(EDGE, D * D), aggr="add", root_weight=False)
        ),
        _mpnn,
        {
            "conv.nn.weight": "conv.edge_func.weight",
            "conv.nn.bias": "conv.edge_func.bias",
            "conv.bias": "conv.bias",
            **_gates("gru"),
        },
    ),
    "AttentiveFP molecules": Row(Attentive, _attentive),
}
