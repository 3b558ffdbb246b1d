"""PyG: each row in every form that its documentation recommends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
import torch_geometric
from torch import Tensor, nn
from torch_geometric import EdgeIndex
from torch_geometric import nn as gnn
from torch_geometric.utils import scatter, segment, softmax, sort_edge_index, spmm

from benchmarks.adapters import Form
from benchmarks.adapters.pyg_convolutions import LAYER_ROWS
from benchmarks.adapters.pyg_edges import Edges
from benchmarks.adapters.training import (
    differentiate,
)
from benchmarks.workload import Sizes, Workload


class Adapter:
    """The rows written for PyG.

    Attributes
    ----------
    compiled_layers : bool
        Whether rows of layers also offer forms with ``torch.compile``.
    """

    compiled_layers = False

    def versions(self) -> dict[str, str]:
        """The releases in use."""
        return {"torch_geometric": torch_geometric.__version__, "torch": torch.__version__}

    def forms(
        self, row: Workload, inputs: Mapping[str, Tensor], sizes: Sizes
    ) -> dict[str, Callable[[], Form]]:
        """The ways to write a row, each a function that prepares it."""
        make = _ROWS[row.name]
        forms = make(Edges(inputs, sizes), inputs)
        if self.compiled_layers and row.name.endswith("Conv fwd+bwd"):
            compiled = make(Edges(inputs, sizes, compiled=True), inputs)
            forms |= {f"{name}, compiled": form for name, form in compiled.items()}
        return forms

    def layers(
        self, row: Workload, inputs: Mapping[str, Tensor], sizes: Sizes
    ) -> dict[str, Callable[[], Form]]:
        """The ways to write a row of layers."""
        from benchmarks.adapters import pyg_layers

        return pyg_layers.forms(row, inputs, sizes)

    def matrices(
        self, row: Workload, inputs: Mapping[str, Tensor], sizes: Sizes
    ) -> dict[str, Callable[[], Form]]:
        """The ways to write a row of sparse matrices."""
        from benchmarks.adapters import torch_sparse

        return torch_sparse.forms(row, inputs, sizes)


# ---------------------------------------------------------------------- operators


def _copy_u(edges: Edges, inputs: Mapping[str, Tensor], reduce: str) -> dict:
    calls = _aggregations(edges, inputs["x"], reduce)
    return {name: lambda prepare=prepare: _form(prepare()) for name, prepare in calls.items()}


def _bfloat16(edges: Edges, inputs: Mapping[str, Tensor]) -> dict[str, Callable[[], Form]]:
    x = inputs["x"].bfloat16()
    ones = torch.ones(len(edges.src), dtype=x.dtype)
    calls = _aggregations(edges, x, "sum")

    def index() -> Callable[[], Tensor]:
        adjacency = edges.edge_index()
        return lambda: adjacency.matmul(x, input_value=ones, transpose=True)

    def reduced() -> Callable[[], Tensor]:
        adjacency = edges.csr(ones)
        return lambda: torch.sparse.mm(adjacency, x, reduce="sum")

    # Not ``segment``: it sums in 16 bits, so its results are wrong in the second digit.
    calls = {"EdgeIndex": index, "torch.sparse.mm": reduced, "scatter": calls["scatter"]}
    return {name: lambda prepare=prepare: _form(prepare()) for name, prepare in calls.items()}


def _to_edges(edges: Edges, inputs: Mapping[str, Tensor]) -> dict[str, Callable[[], Form]]:
    x = inputs["x"]
    return {
        "index_select": lambda: _form(lambda: x.index_select(0, edges.src)),
        "x[index]": lambda: _form(lambda: x[edges.src]),
    }


def _segments(edges: Edges, inputs: Mapping[str, Tensor], reduce: str) -> dict:
    v, (indptr, _, _) = inputs["v"], edges.by_destination()
    return {
        "segment": lambda: _form(lambda: segment(v, indptr, reduce)),
        "scatter": lambda: _form(lambda: scatter(v, edges.dst, 0, edges.nodes, reduce)),
    }


def _products(
    edges: Edges, inputs: Mapping[str, Tensor], grouped: bool
) -> dict[str, Callable[[], Form]]:
    x, weight, relation = inputs["x"], inputs["weight"], inputs["relation"]
    relation = relation.sort().values if grouped else relation
    lengths = torch.bincount(relation, minlength=len(weight))
    ends = lengths.cumsum(0).int()

    def layer() -> Form:
        options = {"is_sorted": grouped, "bias": False}
        linear = gnn.HeteroLinear(*weight.shape[1:], len(weight), **options)
        linear.weight = nn.Parameter(weight, requires_grad=False)
        return _form(lambda: linear(x, relation))

    def torch_grouped() -> Form:
        return _form(lambda: nn.functional.grouped_mm(x, weight, offs=ends))

    def torch_nested() -> Form:
        matrices = torch.nested.as_nested_tensor(list(weight))

        def call() -> Tensor:
            groups = torch.nested.as_nested_tensor(list(x.split(lengths.tolist())))
            return torch.cat(torch.bmm(groups, matrices).unbind())

        return _form(call)

    def loop() -> Form:
        def call() -> Tensor:
            groups = zip(x.split(lengths.tolist()), weight, strict=True)
            return torch.cat([rows @ matrix for rows, matrix in groups])

        return _form(call)

    def sorted_first() -> Form:
        def call() -> Tensor:
            kind, order = relation.sort(stable=True)
            ends = torch.bincount(kind, minlength=len(weight)).cumsum(0).int()
            out = nn.functional.grouped_mm(x.index_select(0, order), weight, offs=ends)
            return torch.empty_like(out).index_copy_(0, order, out)

        return _form(call)

    if not grouped:
        return {"HeteroLinear": layer, "sort, grouped_mm": sorted_first}
    forms = {"grouped_mm": torch_grouped, "nested bmm": torch_nested, "loop": loop}
    return {"HeteroLinear": layer, **forms}


def _form(call: Callable[[], Tensor]) -> Form:
    return Form(lambda: {"out": call()})


def _aggregations(edges: Edges, x: Tensor, reduce: str) -> dict[str, Callable[[], Callable]]:
    """Sums over neighbors in each layout; every entry prepares a call."""

    def csr() -> Callable[[], Tensor]:
        adjacency = edges.csr()
        return lambda: spmm(adjacency, x, reduce)

    def index() -> Callable[[], Tensor]:
        adjacency = edges.edge_index()
        return lambda: adjacency.matmul(x, reduce=reduce, transpose=True)

    def scattered() -> Callable[[], Tensor]:
        return lambda: scatter(x.index_select(0, edges.src), edges.dst, 0, edges.nodes, reduce)

    def segmented() -> Callable[[], Tensor]:
        indptr, indices, _ = edges.by_destination()
        return lambda: segment(x.index_select(0, indices), indptr, reduce)

    return {"sparse_csr": csr, "EdgeIndex": index, "scatter": scattered, "segment": segmented}


def _weighted_sum(edges: Edges, inputs: Mapping[str, Tensor]) -> dict[str, Callable[[], Form]]:
    x, w = inputs["x"], inputs["w"]

    def csr() -> Form:
        adjacency = edges.csr(w.squeeze(1))
        return _form(lambda: spmm(adjacency, x, "sum"))

    def index() -> Form:
        adjacency = edges.edge_index()
        value = w.squeeze(1)[edges.by_destination()[2]]
        return _form(lambda: adjacency.matmul(x, input_value=value, transpose=True))

    return {"sparse_csr": csr, "EdgeIndex": index, "scatter": lambda: _scatter_sum(edges, x, w)}


def _scatter_sum(edges: Edges, x: Tensor, w: Tensor) -> Form:
    return _form(
        lambda: scatter(x.index_select(0, edges.src) * w, edges.dst, 0, edges.nodes, "sum")
    )


def _weighted_sum_heads(edges: Edges, inputs: Mapping[str, Tensor]) -> dict:
    x, w = inputs["x"], inputs["w"]

    def csr_per_head() -> Form:
        matrices = [edges.csr(w[:, h, 0].contiguous()) for h in range(w.shape[1])]
        columns = [x[:, h].contiguous() for h in range(w.shape[1])]

        def call() -> Tensor:
            parts = [spmm(m, c, "sum") for m, c in zip(matrices, columns, strict=True)]
            return torch.stack(parts, 1)

        return _form(call)

    return {"sparse_csr per head": csr_per_head, "scatter": lambda: _scatter_sum(edges, x, w)}


def _gradient_of_sum(edges: Edges, inputs: Mapping[str, Tensor]) -> dict[str, Callable[[], Form]]:
    x, g = inputs["x"].requires_grad_(), inputs["g"]
    return {
        name: lambda prepare=prepare: Form(differentiate(prepare(), {"x": x}, g))
        for name, prepare in _aggregations(edges, x, "sum").items()
    }


def _dot(edges: Edges, inputs: Mapping[str, Tensor]) -> dict[str, Callable[[], Form]]:
    x, y = inputs["x"], inputs["y"]

    def gathered() -> Form:
        def call() -> Tensor:
            left, right = x.index_select(0, edges.src), y.index_select(0, edges.dst)
            return (left * right).sum(-1, keepdim=True)

        return _form(call)

    def sampled_per_head() -> Form:
        # The edges' dot products in slot order; duplicates are separate slots.
        pattern = edges.csr(torch.zeros(len(edges.src)))
        left = [y[:, h].contiguous() for h in range(y.shape[1])]
        right = [x[:, h].t().contiguous() for h in range(x.shape[1])]
        back = torch.argsort(edges.by_destination()[2])

        def call() -> Tensor:
            heads = [
                torch.sparse.sampled_addmm(pattern, a, b, beta=0.0).values()
                for a, b in zip(left, right, strict=True)
            ]
            out = torch.stack(heads, 1).unsqueeze(-1)
            return out if edges.sorted else out[back]

        return _form(call)

    return {"gather": gathered, "sampled_addmm per head": sampled_per_head}


def _softmax(edges: Edges, inputs: Mapping[str, Tensor]) -> dict[str, Callable[[], Form]]:
    e = inputs["e"]
    forms = {"softmax(index)": lambda: _form(lambda: softmax(e, edges.dst, num_nodes=edges.nodes))}
    if edges.sorted:
        indptr, _, _ = edges.by_destination()
        forms["softmax(ptr)"] = lambda: _form(lambda: softmax(e, ptr=indptr))
    return forms


def _compress(edges: Edges, inputs: Mapping[str, Tensor]) -> dict[str, Callable[[], Form]]:
    size = (edges.nodes, edges.nodes)

    def index() -> dict[str, Tensor]:
        index = EdgeIndex(torch.stack([edges.src, edges.dst]), sparse_size=size)
        (indptr, indices), _ = index.sort_by("col").values.get_csc()
        return {"indptr": indptr, "indices": indices}

    # Not ``to_torch_csc_tensor``, which merges duplicate edges.
    def sort() -> dict[str, Tensor]:
        src, dst = sort_edge_index(torch.stack([edges.src, edges.dst]), sort_by_row=False)
        counts = torch.bincount(dst, minlength=edges.nodes)
        return {"indptr": torch.cat([counts.new_zeros(1), counts.cumsum(0)]), "indices": src}

    return {"EdgeIndex": lambda: Form(index), "sort_edge_index": lambda: Form(sort)}


def _transpose(edges: Edges, inputs: Mapping[str, Tensor]) -> dict[str, Callable[[], Form]]:
    size = (edges.nodes, edges.nodes)
    order = torch.argsort(edges.src, stable=True)
    pair = edges.pair[:, order].contiguous()
    counts = torch.bincount(edges.src, minlength=edges.nodes)
    indptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    value = torch.ones(len(order))

    def index() -> dict[str, Tensor]:
        index = EdgeIndex(pair, sparse_size=size, sort_order="row")
        (indptr, indices), _ = index.get_csc()
        return {"indptr": indptr, "indices": indices}

    def sparse() -> dict[str, Tensor]:
        matrix = torch.sparse_csr_tensor(indptr, pair[1], value, size).to_sparse_csc()
        return {"indptr": matrix.ccol_indices(), "indices": matrix.row_indices()}

    return {"EdgeIndex": lambda: Form(index), "to_sparse_csc": lambda: Form(sparse)}


_ROWS: dict[str, Callable[..., dict[str, Callable[[], Form]]]] = {
    "copy_u/sum": partial(_copy_u, reduce="sum"),
    "copy_u/mean": partial(_copy_u, reduce="mean"),
    "copy_u/max": partial(_copy_u, reduce="max"),
    "copy_u/sum hub": partial(_copy_u, reduce="sum"),
    "copy_u/sum large": partial(_copy_u, reduce="sum"),
    "copy_u/max large": partial(_copy_u, reduce="max"),
    "copy_u/sum bfloat16": _bfloat16,
    "copy_u to edges": _to_edges,
    "u_mul_e/sum": _weighted_sum,
    "u_mul_e/sum heads": _weighted_sum_heads,
    "copy_u/sum fwd+bwd": _gradient_of_sum,
    "u_dot_v": _dot,
    "edge_softmax": _softmax,
    "segment_reduce sum": partial(_segments, reduce="sum"),
    "segment_reduce max": partial(_segments, reduce="max"),
    "segment_mm": partial(_products, grouped=True),
    "gather_mm": partial(_products, grouped=False),
    "segment_mm few rows": partial(_products, grouped=True),
    "gather_mm few rows": partial(_products, grouped=False),
    **LAYER_ROWS,
    "COO to CSC": _compress,
    "CSR to CSC": _transpose,
}
