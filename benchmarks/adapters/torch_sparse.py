"""The rows of :mod:`benchmarks.sparse` for PyG's users: PyTorch's own sparse tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch_geometric.utils import softmax

from benchmarks.adapters import Form
from benchmarks.adapters.sparse import by_place
from benchmarks.workload import Sizes, Workload

Inputs = Mapping[str, Tensor]


def forms(row: Workload, inputs: Inputs, sizes: Sizes) -> dict[str, Callable[[], Form]]:
    """The ways to write a row, by layout."""
    offered = _ROWS[row.name]
    turned = row.graph == "matrix"
    return {
        layout: lambda make=make: make(inputs, sizes.nodes, turned)
        for layout, make in offered.items()
    }


def _coo(inputs: Inputs, value: Tensor, nodes: int, turned: bool = False) -> Tensor:
    ends = [inputs["dst"], inputs["src"]] if turned else [inputs["src"], inputs["dst"]]
    return torch.sparse_coo_tensor(torch.stack(ends), value, (nodes, nodes)).coalesce()


def _entries(matrix: Tensor) -> dict[str, Tensor]:
    matrix = (matrix.to_sparse_coo() if matrix.layout == torch.sparse_csr else matrix).coalesce()
    return by_place(*matrix.indices(), matrix.values())


def _of_two(operation: Callable[[Tensor, Tensor], Tensor], csr: bool) -> Callable[..., Form]:
    def make(inputs: Inputs, nodes: int, turned: bool) -> Form:
        value = inputs["v"]
        if turned:
            # The values are those of the turned entries by row, as in the other adapters.
            order = torch.argsort(inputs["dst"] * nodes + inputs["src"])
            value = torch.empty_like(value).index_copy_(0, order, value)
        pair = _coo(inputs, inputs["w"], nodes), _coo(inputs, value, nodes, turned)
        first, second = (m.to_sparse_csr() for m in pair) if csr else pair
        call = lambda: operation(first, second)  # noqa: E731
        return Form(lambda: {"matrix": call()}, lambda: _entries(call()))

    return make


def _times_dense(inputs: Inputs, nodes: int, turned: bool) -> Form:
    matrix = _coo(inputs, inputs["w"], nodes).to_sparse_csr()
    return Form(lambda: {"out": matrix @ inputs["x"]})


def _sddmm(inputs: Inputs, nodes: int, turned: bool) -> Form:
    matrix = _coo(inputs, inputs["w"], nodes).to_sparse_csr()
    x, y = inputs["x"], inputs["y"].t()

    def call() -> dict[str, Tensor]:
        product = torch.sparse.sampled_addmm(matrix, x, y, beta=0.0)
        return {"out": product.values() * inputs["w"]}

    return Form(call)


def _softmax(inputs: Inputs, nodes: int, turned: bool) -> Form:
    pointer = _coo(inputs, inputs["w"], nodes).to_sparse_csr().crow_indices()
    return Form(lambda: {"out": softmax(inputs["w"], ptr=pointer)})


def _index_softmax(inputs: Inputs, nodes: int, turned: bool) -> Form:
    return Form(lambda: {"out": softmax(inputs["w"], inputs["src"], num_nodes=nodes)})


def _transpose(inputs: Inputs, nodes: int, turned: bool) -> Form:
    def call() -> dict[str, Tensor]:
        matrix = _coo(inputs, inputs["w"], nodes, True).to_sparse_csr()
        places = {"indptr": matrix.crow_indices(), "indices": matrix.col_indices()}
        return places | {"out": matrix.values()}

    return Form(call)


def _gradient_of_product(inputs: Inputs, nodes: int, turned: bool) -> Form:
    given = {"w": inputs["w"].requires_grad_(), "v": inputs["v"].requires_grad_()}

    def call() -> dict[str, Tensor]:
        first, second = (_coo(inputs, value, nodes) for value in given.values())
        out = torch.sparse.sum(torch.sparse.mm(first, second))
        grads = torch.autograd.grad(out, list(given.values()))
        return {f"grad_{name}": grad for name, grad in zip(given, grads, strict=True)}

    return Form(call)


_ROWS: dict[str, dict[str, Callable[[Inputs, int, bool], Form]]] = {
    "sparse x dense": {"sparse_csr": _times_dense},
    "sddmm": {"sampled_addmm": _sddmm},
    "sum": {
        "sparse_csr": _of_two(torch.add, csr=True),
        "sparse_coo": _of_two(lambda a, b: (a + b).coalesce(), csr=False),
    },
    "product entry by entry": {"sparse_coo": _of_two(torch.mul, csr=False)},
    "softmax": {"ptr": _softmax, "index": _index_softmax},
    "transpose to CSR": {"sparse_csr": _transpose},
    "sparse x sparse": {
        "sparse_csr": _of_two(torch.matmul, csr=True),
        "sparse_coo": _of_two(torch.sparse.mm, csr=False),
    },
    "sparse x sparse fwd+bwd": {"sparse_coo": _gradient_of_product},
}
