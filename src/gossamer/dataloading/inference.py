"""Inference on all nodes, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer._options import as_int
from gossamer.dataloading.dataloader import DataLoader
from gossamer.dataloading.neighbor_sampler import MultiLayerFullNeighborSampler
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import Graph

__all__ = ["layerwise_inference"]


def layerwise_inference(
    graph: Graph,
    layers: Sequence[Callable[[Graph, Any], Any]],
    features: Tensor | Mapping[str, Tensor],
    batch_size: int = 4096,
    device: torch.device | str | None = None,
    **options: Any,
) -> Any:
    """Compute the layers of a model on all nodes with all their neighbors.

    Each layer is computed for all nodes, batch by batch, before the next layer begins. Every node
    is therefore computed once per layer; sampling all neighbors of a batch over all layers would
    compute most nodes many times. The result is that of the model on the whole graph.

    Parameters
    ----------
    graph : Graph
    layers : sequence of callables
        ``layer(block, h)`` returns the rows of the destination nodes of a block, given those of its
        source nodes; in a heterogeneous graph, both are dicts of node type to rows. Include
        activations and normalization in the layers, and call ``model.eval()`` first.
    features : Tensor or dict of str to Tensor
        ``(N, *)``: the rows of all nodes, the input of the first layer.
    batch_size : int
        Number of nodes in a batch. Larger batches are faster and need more memory.
    device : torch.device or str, optional
        Device on which layers are computed. Default: that of the graph. The rows of all nodes stay
        on the device of `features`.
    **options
        Further arguments of `DataLoader`, such as ``num_workers``.

    Returns
    -------
    Tensor or dict of str to Tensor
        The rows of all nodes after the last layer, without gradients.

    Raises
    ------
    InvalidTypeError
        If a layer is not callable, or the features do not match the graph's node types.
    InvalidValueError
        If there are no layers, or the features do not have one row per node.

    Examples
    --------
    >>> import gossamer as gs, torch
    >>> g = gs.graph(([0, 1, 2], [1, 2, 2]))
    >>> conv = gs.nn.SAGEConv(1, 2, "mean")
    >>> x = torch.ones(3, 1)
    >>> out = gs.dataloading.layerwise_inference(g, [conv], x, batch_size=2)
    >>> torch.allclose(out, conv(g, x))
    True
    """
    if not isinstance(layers, Iterable) or isinstance(layers, (Tensor, str)):
        raise InvalidTypeError(
            "layerwise_inference: layers is a sequence of functions of a block and rows, got "
            f"{type(layers).__name__}."
        )
    layers = list(layers)
    if not layers or not all(callable(layer) for layer in layers):
        kind = InvalidTypeError if layers else InvalidValueError
        raise kind(
            "layerwise_inference: layers is a sequence of functions of a block and rows, got "
            f"{[type(layer).__name__ for layer in layers]}."
        )
    as_int(batch_size, "layerwise_inference", "batch_size", 1)
    typed = isinstance(features, Mapping)
    rows: dict[str, Tensor] = dict(features) if typed else {graph.ntypes[0]: features}
    _check(graph, rows, typed)
    nodes: Any = {t: torch.arange(graph.num_nodes(t)) for t in graph.ntypes}
    loader = DataLoader(
        graph,
        nodes if typed else nodes[graph.ntypes[0]],
        MultiLayerFullNeighborSampler(1),
        device=device,
        batch_size=batch_size,
        **options,
    )
    for layer in layers:
        rows = _compute(graph, layer, rows, loader, typed)
    return rows if typed else rows[graph.ntypes[0]]


def _check(graph: Graph, rows: dict[str, Tensor], typed: bool) -> None:
    if not typed and len(graph.ntypes) > 1:
        raise InvalidTypeError(
            "layerwise_inference: a graph with several node types needs features by type, as in "
            f"{{{graph.ntypes[0]!r}: x}}; the types are {graph.ntypes}."
        )
    if not rows:
        raise InvalidValueError("layerwise_inference: there are no features of any node type.")
    for ntype, value in rows.items():
        if not isinstance(value, Tensor):
            raise InvalidTypeError(
                f"layerwise_inference: features must be tensors, got {type(value).__name__}."
            )
        if value.dim() == 0 or value.layout is not torch.strided:
            raise InvalidTypeError(
                "layerwise_inference: features are dense tensors with a row for each node, got "
                f"shape {tuple(value.shape)} in the layout {value.layout}."
            )
        if len(value) != graph.num_nodes(ntype):
            raise InvalidValueError(
                f"layerwise_inference: there are {graph.num_nodes(ntype)} nodes of type {ntype!r}, "
                f"but features have {len(value)} rows."
            )


@torch.no_grad()
def _compute(
    graph: Graph, layer: Callable, rows: dict[str, Tensor], loader: DataLoader, typed: bool
) -> dict[str, Tensor]:
    """Compute the rows of all nodes after one layer."""
    found: dict[str, Tensor] = {}
    for inputs, outputs, (block,) in loader:
        if not typed:
            inputs, outputs = ({graph.ntypes[0]: ids} for ids in (inputs, outputs))
        h = {
            ntype: rows[ntype][ids.to(rows[ntype].device)].to(ids.device)
            for ntype, ids in inputs.items()
            if ntype in rows
        }
        out = layer(block, h if typed else h[graph.ntypes[0]])
        for ntype, value in (out if typed else {graph.ntypes[0]: out}).items():
            if ntype not in outputs or not len(outputs[ntype]):
                continue
            home = rows[ntype].device if ntype in rows else value.device
            if ntype not in found:
                shape = graph.num_nodes(ntype), *value.shape[1:]
                found[ntype] = torch.zeros(shape, dtype=value.dtype, device=home)
            found[ntype][outputs[ntype].to(home)] = value.to(home)
    return found
