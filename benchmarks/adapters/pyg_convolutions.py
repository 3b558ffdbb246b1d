"""PyG: convolutions with their gradients, and epochs of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric import nn as gnn

from benchmarks.adapters import Form
from benchmarks.adapters.pyg_edges import Edges
from benchmarks.adapters.training import (
    differentiate,
    epochs,
    set_parameters,
    transpose_weights,
    zero_biases,
)
from benchmarks.workload import D, F, H


def _layer(build: Callable[[], nn.Module], names: Mapping[str, str]) -> Callable:
    def make(edges: Edges, inputs: Mapping[str, Tensor]) -> dict[str, Callable[[], Form]]:
        def form(prepare: Callable[[], tuple]) -> Form:
            return _layer_form(build(), names, prepare()[0], inputs, compiled=edges.compiled)

        return {
            name: lambda prepare=prepare: form(prepare) for name, prepare in edges.layouts().items()
        }

    return make


def _layer_form(
    layer: nn.Module,
    names: Mapping[str, str],
    adjacency: Any,
    inputs: Mapping,
    *weights: Any,
    compiled: bool = False,
) -> Form:
    zero_biases(layer)
    wrt, turned = set_parameters(layer, names, inputs)
    if compiled:
        layer.compile()
    x = inputs["x"].requires_grad_()
    run = differentiate(lambda: layer(x, adjacency, *weights), {"x": x, **wrt}, inputs["g"])
    return Form(lambda: transpose_weights(run(), turned))


def _graph_conv(edges: Edges, inputs: Mapping[str, Tensor]) -> dict[str, Callable[[], Form]]:
    # The normalization of a directed graph, computed once: PyG's layer uses in-degrees only.
    degree_in = torch.bincount(edges.dst, minlength=edges.nodes).clamp(min=1).float()
    degree_out = torch.bincount(edges.src, minlength=edges.nodes).clamp(min=1).float()
    norm = (degree_out[edges.src] * degree_in[edges.dst]).rsqrt()

    def form(prepare: Callable[[], tuple]) -> Form:
        layer = gnn.GCNConv(F, F, normalize=False, add_self_loops=False)
        adjacency, weight = prepare()
        names = {"weight": "lin.weight", "bias": "bias"}
        return _layer_form(layer, names, adjacency, inputs, weight, compiled=edges.compiled)

    return {
        name: lambda prepare=prepare: form(prepare) for name, prepare in edges.layouts(norm).items()
    }


def _cora_gcn(
    edges: Edges, inputs: Mapping[str, Tensor], compiled: bool = False
) -> dict[str, Callable[[], Form]]:
    def form(prepare: Callable[[], tuple]) -> Form:
        x, (adjacency, _) = inputs["x"], prepare()
        options = {"cached": True, "add_self_loops": False}
        first = gnn.GCNConv(x.shape[1], inputs["weight_1"].shape[1], **options)
        second = gnn.GCNConv(*inputs["weight_2"].shape, **options)
        net = _stack((first, second), ("weight",), inputs)
        return epochs(net, lambda: second(first(x, adjacency).relu(), adjacency), inputs, compiled)

    return {n: lambda prepare=p: form(prepare) for n, p in edges.layouts().items()}


def _cora_gat(
    edges: Edges, inputs: Mapping[str, Tensor], compiled: bool = False
) -> dict[str, Callable[[], Form]]:
    def form(prepare: Callable[[], tuple]) -> Form:
        x, (adjacency, _) = inputs["x"], prepare()
        first = gnn.GATConv(x.shape[1], 8, heads=8, add_self_loops=False)
        second = gnn.GATConv(*inputs["weight_2"].shape, add_self_loops=False)
        net = _stack((first, second), ("weight", "att_src", "att_dst"), inputs)
        elu = nn.functional.elu
        return epochs(net, lambda: second(elu(first(x, adjacency)), adjacency), inputs, compiled)

    return {n: lambda prepare=p: form(prepare) for n, p in edges.layouts().items()}


def _compiled_or_not(make: Callable[..., dict]) -> Callable[..., dict[str, Callable[[], Form]]]:
    def forms(edges: Edges, inputs: Mapping[str, Tensor]) -> dict[str, Callable[[], Form]]:
        compiled = make(edges, inputs, compiled=True)
        return {**make(edges, inputs), **{f"{n}, compiled": form for n, form in compiled.items()}}

    return forms


def _stack(layers: tuple, arrays: tuple[str, ...], inputs: Mapping[str, Tensor]) -> nn.Module:
    paths = {"weight": "lin.weight", "att_src": "att_src", "att_dst": "att_dst"}
    for k, layer in enumerate(layers, 1):
        zero_biases(layer)
        set_parameters(layer, {f"{array}_{k}": paths[array] for array in arrays}, inputs)
    return nn.ModuleList(layers)


_GAT = {"weight": "lin.weight", "att_src": "att_src", "att_dst": "att_dst", "bias": "bias"}
_GATV2 = {
    "weight_src": "lin_l.weight",
    "bias_src": "lin_l.bias",
    "weight_dst": "lin_r.weight",
    "bias_dst": "lin_r.bias",
    "att": "att",
}

LAYER_ROWS: dict[str, Callable[..., dict[str, Callable[[], Form]]]] = {
    "GraphConv fwd+bwd": _graph_conv,
    "SAGEConv fwd+bwd": _layer(
        lambda: gnn.SAGEConv(F, F),
        {"weight": "lin_l.weight", "bias": "lin_l.bias", "weight_self": "lin_r.weight"},
    ),
    "GINConv fwd+bwd": _layer(
        lambda: gnn.GINConv(nn.Linear(F, F)), {"weight": "nn.weight", "bias": "nn.bias"}
    ),
    "GATConv fwd+bwd": _layer(lambda: gnn.GATConv(F, D, heads=H, add_self_loops=False), _GAT),
    "GATv2Conv fwd+bwd": _layer(lambda: gnn.GATv2Conv(F, D, heads=H, add_self_loops=False), _GATV2),
    "Cora GCN epoch": _cora_gcn,
    "Cora GAT epoch": _cora_gat,
    "Cora GCN epoch compiled": _compiled_or_not(_cora_gcn),
    "Cora GAT epoch compiled": _compiled_or_not(_cora_gat),
}
