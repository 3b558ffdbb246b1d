"""Convert graphs to the tensors and the header that :func:`save_graphs` writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph.frame import Frame
from gossamer.graph.graph import Graph
from gossamer.graph.io.checksum import checksum
from gossamer.graph.io.layout import (
    STORED_AS_BYTES,
    STORED_DIRECTLY,
    VERSION,
    Feature,
    Layout,
    Relation,
    as_json,
)
from gossamer.ops.adjacency import INT32_MAX, Adjacency

__all__ = ["pack"]


def pack(
    graphs: Sequence[Graph],
    labels: Mapping[str, Tensor],
    formats: Sequence[str] | None,
    in_place: bool = False,
) -> tuple[dict[str, Tensor], str]:
    """Return the tensors and the header of a file that holds `graphs` and `labels`.

    Graphs of the same layout are concatenated in shared tensors, so the number of tensors does not
    depend on the number of graphs. Unless the graph is to be used `in_place`, node ids are stored
    in 32 bits if they fit, and the header contains checksums of all tensors.
    """
    groups: dict[Layout, list[Graph]] = {}
    order: list[list[int]] = []
    numbers: dict[Layout, int] = {}
    for graph in graphs:
        layout = _layout(graph, formats)
        groups.setdefault(layout, []).append(graph)
        number = numbers.setdefault(layout, len(numbers))
        if order and order[-1][0] == number:
            order[-1][1] += 1
        else:
            order.append([number, 1])

    tensors: dict[str, Tensor] = {}
    for number, (layout, members) in enumerate(groups.items()):
        for name, parts in _columns(layout, members, narrow=not in_place):
            parts = [part.detach().cpu() for part in parts]
            tensors[f"{number}.{name}"] = _plain(parts[0] if len(parts) == 1 else torch.cat(parts))
    described = []
    for number, (name, label) in enumerate(labels.items()):
        described.append(Feature(name, label.dtype, tuple(label.shape)))
        tensors[f"label{number}"] = _plain(label)
    tensors = _without_sharing(tensors)
    header = {
        "version": VERSION,
        "order": order,
        "groups": [layout.to_json() for layout in groups],
        "labels": described,
    }
    if not in_place:
        header["checksums"] = {name: checksum(tensor) for name, tensor in tensors.items()}
    return tensors, json.dumps(as_json(header), separators=(",", ":"))


def _layout(graph: Graph, formats: Sequence[str] | None) -> Layout:
    return Layout(
        graph.schema,
        graph.idtype,
        tuple(_features(frame) for frame in graph.node_frames),
        tuple(
            _relation(adjacency, frame, formats)
            for adjacency, frame in zip(graph.relations, graph.edge_frames, strict=True)
        ),
        (graph._batch_num_nodes is not None, graph._batch_num_edges is not None),
    )


def _features(frame: Frame) -> tuple[Feature, ...]:
    return tuple(
        Feature(name, scheme.dtype, scheme.shape) for name, scheme in frame.schemes().items()
    )


def _relation(adjacency: Adjacency, frame: Frame, formats: Sequence[str] | None) -> Relation:
    stored = adjacency.created()[:1] if formats is None else tuple(formats)
    foreign = [name for name in stored if name not in adjacency.allowed]
    if foreign:
        raise InvalidValueError(
            f"save_graphs: the graph is restricted to the formats {list(adjacency.allowed)}, so it "
            f"cannot be saved as {foreign}. Leave formats out, or allow more formats with "
            "g.formats([...])."
        )
    with_eids = tuple(
        name for name in stored if name != "coo" and getattr(adjacency, name)().eids is not None
    )
    return Relation(adjacency.allowed, stored, with_eids, _features(frame))


def _columns(
    layout: Layout, graphs: list[Graph], narrow: bool
) -> Iterator[tuple[str, list[Tensor]]]:
    """The name of each tensor of a group, and the part of each graph."""
    yield "num_nodes", [_table([f.num_rows for f in graph.node_frames] for graph in graphs)]
    yield "num_edges", [_table([a.num_edges for a in graph.relations] for graph in graphs)]
    for i, relation in enumerate(layout.relations):
        adjacencies = [graph.relations[i] for graph in graphs]
        for form in relation.stored:
            kept = [getattr(adjacency, form)() for adjacency in adjacencies]
            if form == "coo" and narrow and all(map(_has_few_nodes, adjacencies)):
                kept = [(src.to(torch.int32), dst.to(torch.int32)) for src, dst in kept]
            names = ("src", "dst") if form == "coo" else ("indptr", "indices", "eids")
            for name, parts in zip(names, zip(*kept, strict=True), strict=True):
                if parts[0] is not None:
                    yield f"edges{i}.{form}.{name}", list(parts)
        for k, feature in enumerate(relation.features):
            yield f"edata{i}.{k}", [graph.edge_frames[i][feature.name] for graph in graphs]
    for i, features in enumerate(layout.nodes):
        for k, feature in enumerate(features):
            yield f"ndata{i}.{k}", [graph.node_frames[i][feature.name] for graph in graphs]
    kinds = (("nodes", layout.schema.ntype_ids), ("edges", layout.schema.canonical_etypes))
    for (kind, keys), batched in zip(kinds, layout.batched, strict=True):
        for i, key in enumerate(keys if batched else ()):
            parts = [getattr(graph, f"_batch_num_{kind}")[key] for graph in graphs]
            yield f"batch_{kind}{i}", parts
            yield (
                f"batch_{kind}{i}.count",
                [torch.tensor([len(part) for part in parts], device="cpu")],
            )


def _has_few_nodes(adjacency: Adjacency) -> bool:
    """Whether node ids fit 32 bits."""
    return max(adjacency.num_src, adjacency.num_dst) <= INT32_MAX


def _table(rows: Iterable[list[int]]) -> Tensor:
    return torch.tensor(list(rows), dtype=torch.int64, device="cpu")


def _plain(tensor: Tensor) -> Tensor:
    """The values in the form in which they are stored: contiguous, on the CPU, a stored dtype."""
    if tensor.layout != torch.strided or tensor.dtype not in STORED_DIRECTLY | STORED_AS_BYTES:
        raise InvalidTypeError(
            f"save_graphs: a file holds dense tensors of numbers, got {tensor.layout} and "
            f"{tensor.dtype}. Convert it first, as with tensor.to_dense()."
        )
    tensor = tensor.detach().resolve_conj().resolve_neg().cpu().contiguous()
    if tensor.dtype in STORED_DIRECTLY:
        return tensor
    return tensor.reshape(-1).view(torch.uint8).reshape(*tensor.shape, tensor.element_size())


def _without_sharing(tensors: dict[str, Any]) -> dict[str, Tensor]:
    """Copy tensors that share memory with an earlier one, because safetensors rejects them."""
    seen: set[int] = set()
    for name, tensor in tensors.items():
        address = tensor.untyped_storage().data_ptr()
        if address in seen:
            tensors[name] = tensor.clone()
        seen.add(address)
    return tensors
