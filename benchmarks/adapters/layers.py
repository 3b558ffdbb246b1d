"""The rows of :mod:`benchmarks.layers` for Gossamer and DGL, which have one API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.adapters import Form
from benchmarks.adapters.training import differentiate, zero_biases
from benchmarks.layer_rows import (
    AIFB_RELATIONS,
    DELTA,
    DGN_REDUCERS,
    EDGE,
    ETYPES,
    NTYPES,
    PNA_REDUCERS,
    SCALERS,
)
from benchmarks.workload import MOLECULE_EDGES, MOLECULE_NODES, D, F, H, Sizes, Workload

Inputs = Mapping[str, Tensor]
# A layer, and the call of it whose output is differentiated.
Built = tuple[nn.Module, Callable[[], Tensor]]
_ALLOW = {"allow_zero_in_degree": True}


def forms(api: Any, row: Workload, inputs: Inputs, sizes: Sizes) -> dict[str, Callable[[], Form]]:
    """The only way to write a row with the library `api`."""
    return {"layer": lambda: _form(api, row, inputs, sizes)}


def _form(api: Any, row: Workload, inputs: Inputs, sizes: Sizes) -> Form:
    graph = _graph(api, row, inputs, sizes)
    leaves = inputs_of(row, inputs)
    layer, call = _ROWS[row.name](api, graph, inputs)
    zero_biases(layer)
    parameters = {name: layer.get_parameter(name) for name in row.weight_arrays}
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(inputs[name].view(parameter.shape))
    shapes = {f"grad_{name}": inputs[name].shape for name in parameters}
    run = differentiate(call, leaves | parameters, inputs["g"])

    def results() -> dict[str, Tensor]:
        return {k: v.view(shapes[k]) if k in shapes else v for k, v in run().items()}

    return Form(results)


def inputs_of(row: Workload, inputs: Inputs) -> dict[str, Tensor]:
    """The inputs of a row other than parameters, with gradients."""
    names = [name for name in row.arrays if name not in row.weight_arrays and name != "g"]
    return {name: inputs[name].requires_grad_() for name in names}


def _graph(api: Any, row: Workload, inputs: Inputs, sizes: Sizes) -> Any:
    if row.name == "HeteroGraphConv":
        chosen = [inputs["etype"] == r for r in range(ETYPES)]
        edges = {
            ("n", f"r{r}", "n"): (inputs["src"][own], inputs["dst"][own])
            for r, own in enumerate(chosen)
        }
        graph = api.heterograph(edges, {"n": sizes.nodes})
    else:
        graph = api.graph((inputs["src"], inputs["dst"]), num_nodes=sizes.nodes)
    if row.graph in ("molecules", "readout"):
        count = sizes.nodes // MOLECULE_NODES
        graph.set_batch_num_nodes(torch.full((count,), MOLECULE_NODES))
        graph.set_batch_num_edges(torch.full((count,), MOLECULE_EDGES))
    graph.create_formats_()
    return graph


def _layer(make: Callable[[Any], nn.Module], *names: str, **keywords: str) -> Callable[..., Built]:
    """The layer that `make` builds, called with the graph, ``x`` and the named inputs."""

    def build(api: Any, graph: Any, inputs: Inputs) -> Built:
        layer = make(api.nn)
        values = [inputs[name] for name in ("x", *names)]
        named = {key: inputs[name] for key, name in keywords.items()}

        def call() -> Tensor:
            out = layer(graph, *values, **named)
            return out[0] if isinstance(out, tuple) else out

        return layer, call

    return build


def _cheb(api: Any, graph: Any, inputs: Inputs) -> Built:
    layer = api.nn.ChebConv(F, F, 3, activation=None)
    return layer, lambda: layer(graph, inputs["x"], lambda_max=[2.0])


def _egat(lib: Any) -> nn.Module:
    layer = lib.EGATConv(F, EDGE, D, D, H)
    if hasattr(layer, "set_allow_zero_in_degree"):
        layer.set_allow_zero_in_degree(True)
    return layer


def _hetero(api: Any, graph: Any, inputs: Inputs) -> Built:
    layer = api.nn.HeteroGraphConv(
        {f"r{r}": api.nn.SAGEConv(F, F, "mean", bias=False) for r in range(ETYPES)}
    )
    return layer, lambda: layer(graph, {"n": inputs["x"]})["n"]


def _relational(relations: int, *options: Any) -> Callable[..., Built]:
    return _layer(lambda lib: lib.RelGraphConv(F, F, relations, *options), "etype")


def _then_sum(make: Callable[[Any], nn.Module]) -> Callable[..., Built]:
    """A layer, relu and the sum over each graph."""

    def build(api: Any, graph: Any, inputs: Inputs) -> Built:
        layer, pool = make(api.nn), api.nn.SumPooling()
        return layer, lambda: pool(graph, layer(graph, inputs["x"]).relu())

    return build


class MessagePassing(nn.Module):
    """A step of the message-passing network for molecules, with the layers of a library."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv
        self.gru = nn.GRUCell(D, D)


def _mpnn(api: Any, graph: Any, inputs: Inputs) -> Built:
    step = MessagePassing(api.nn.NNConv(D, D, nn.Linear(EDGE, D * D), "sum"))
    x, w = inputs["x"], inputs["w"]
    return step, lambda: step.gru(step.conv(graph, x, w).relu(), x)


class Attentive(nn.Module):
    """The parameters of a step of AttentiveFP."""

    def __init__(self) -> None:
        super().__init__()
        self.logit = nn.Linear(2 * F + EDGE, 1)
        self.value = nn.Linear(F, F)
        self.gru = nn.GRUCell(F, F)


def _attentive(api: Any, graph: Any, inputs: Inputs) -> Built:
    step = Attentive()
    fn, softmax = api.function, api.nn.functional.edge_softmax

    def call() -> Tensor:
        with graph.local_scope():
            graph.ndata["x"], graph.edata["w"] = inputs["x"], inputs["w"]
            graph.apply_edges(lambda e: {"m": torch.cat([e.dst["x"], e.src["x"], e.data["w"]], 1)})
            score = nn.functional.leaky_relu(step.logit(graph.edata["m"]))
            graph.edata["a"], graph.ndata["v"] = softmax(graph, score), step.value(inputs["x"])
            graph.update_all(fn.u_mul_e("v", "a", "m"), fn.sum("m", "c"))
            return step.gru(nn.functional.elu(graph.ndata["c"]), inputs["x"])

    return step, call


_ROWS: dict[str, Callable[..., Built]] = {
    "TAGConv": _layer(lambda lib: lib.TAGConv(F, F, 2)),
    "SGConv": _layer(lambda lib: lib.SGConv(F, F, 2, **_ALLOW)),
    "APPNPConv": _layer(lambda lib: lib.APPNPConv(10, 0.1)),
    "ChebConv": _cheb,
    "GCN2Conv": _layer(lambda lib: lib.GCN2Conv(F, 1, bias=False, **_ALLOW), "initial"),
    "GatedGraphConv": _layer(lambda lib: lib.GatedGraphConv(F, F, 2, 1)),
    "GatedGraphConv typed": _layer(lambda lib: lib.GatedGraphConv(F, F, 2, ETYPES), "etype"),
    "EdgeConv": _layer(lambda lib: lib.EdgeConv(F, F, **_ALLOW)),
    "AGNNConv": _layer(lambda lib: lib.AGNNConv(**_ALLOW)),
    "DotGatConv": _layer(lambda lib: lib.DotGatConv(F, D, H, **_ALLOW)),
    "PNAConv": _layer(lambda lib: lib.PNAConv(F, F, PNA_REDUCERS, SCALERS, DELTA)),
    "DGNConv": _layer(lambda lib: lib.DGNConv(F, F, DGN_REDUCERS, SCALERS, DELTA), eig_vec="eigen"),
    "EGNNConv": _layer(lambda lib: lib.EGNNConv(F, F, F), "place"),
    "TWIRLSUnfolding": _layer(lambda lib: lib.TWIRLSUnfoldingAndAttention(F, 0.5, 0.5, 4)),
    "GMMConv": _layer(lambda lib: lib.GMMConv(F, F, 2, 4, "mean", bias=False, **_ALLOW), "w"),
    "NNConv": _layer(lambda lib: lib.NNConv(F, F, nn.Linear(EDGE, F * F), "sum"), "w"),
    "CFConv": _layer(lambda lib: lib.CFConv(F, EDGE, F, F), "w"),
    "GINEConv": _layer(lambda lib: lib.GINEConv(nn.Linear(F, F)), "w"),
    "GatedGCNConv": _layer(lambda lib: lib.GatedGCNConv(F, F, F), "w"),
    "EdgeGATConv": _layer(
        lambda lib: lib.EdgeGATConv(F, EDGE, D, H, residual=False, **_ALLOW), "w"
    ),
    "EGATConv": _layer(_egat, "w"),
    "RelGraphConv": _relational(ETYPES),
    "RelGraphConv basis": _relational(ETYPES, "basis", 2),
    "RelGraphConv blocks": _relational(ETYPES, "bdd", 4),
    "RelGraphConv AIFB": _relational(AIFB_RELATIONS),
    "HGTConv": _layer(lambda lib: lib.HGTConv(F, D, 4, NTYPES, ETYPES, 0.0), "ntype", "etype"),
    "HeteroGraphConv": _hetero,
    "SumPooling": _layer(lambda lib: lib.SumPooling()),
    "AvgPooling": _layer(lambda lib: lib.AvgPooling()),
    "MaxPooling": _layer(lambda lib: lib.MaxPooling()),
    "GlobalAttentionPooling": _layer(lambda lib: lib.GlobalAttentionPooling(nn.Linear(F, 1))),
    "WeightAndSum": _layer(lambda lib: lib.WeightAndSum(F)),
    "Set2Set": _layer(lambda lib: lib.Set2Set(F, 3, 1)),
    "GIN molecules": _then_sum(lambda lib: lib.GINConv(nn.Linear(F, F), "sum")),
    "GCN molecules": _then_sum(lambda lib: lib.GraphConv(F, F, norm="both", **_ALLOW)),
    "MPNN molecules": _mpnn,
    "AttentiveFP molecules": _attentive,
}
