"""Gossamer and DGL, which have one API."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.adapters import Form, data, layers, sparse
from benchmarks.adapters.training import (
    differentiate,
    epochs,
    set_parameters,
    transpose_weights,
    zero_biases,
)
from benchmarks.workload import D, F, H, Sizes, Workload


class Adapter:
    """The rows written with DGL's API, run by the module of the given name."""

    def __init__(self, library: str) -> None:
        self.library = library
        self.api = importlib.import_module(library)
        self.fn = importlib.import_module(f"{library}.function")
        self.nn = importlib.import_module(f"{library}.nn")
        self.ops = importlib.import_module(f"{library}.ops")
        # torch.compile cannot trace DGL's operators, so DGL runs uncompiled.
        self.compiles = library == "gossamer"
        self.has_sparse = importlib.util.find_spec(f"{library}.sparse") is not None

    def versions(self) -> dict[str, str]:
        """The releases in use."""
        found = {self.library: self.api.__version__, "torch": torch.__version__}
        if self.library == "gossamer":
            found["isa"] = self.api.kernels.info()["isa"]
        return found

    def forms(
        self, row: Workload, inputs: Mapping[str, Tensor], sizes: Sizes
    ) -> dict[str, Callable[[], Form]]:
        """The ways to write a row, each a function that prepares it."""
        if row.name in _ROWS_WITHOUT_GRAPH:
            return _ROWS_WITHOUT_GRAPH[row.name](self, inputs, sizes)
        graph = self.graph(inputs, sizes)
        graph.create_formats_()
        return _ROWS[row.name](self, graph, inputs)

    def layers(
        self, row: Workload, inputs: Mapping[str, Tensor], sizes: Sizes
    ) -> dict[str, Callable[[], Form]]:
        """The way to write a row of layers."""
        return layers.forms(self.api, row, inputs, sizes)

    def matrices(
        self, row: Workload, inputs: Mapping[str, Tensor], sizes: Sizes
    ) -> dict[str, Callable[[], Form]]:
        """The way to write a row of sparse matrices."""
        return sparse.forms(self.library, row, inputs, sizes)

    def datasets(
        self, row: Workload, inputs: Mapping[str, Tensor], sizes: Sizes
    ) -> dict[str, Callable[[], Form]]:
        """The way to read the files of a row."""
        return data.forms(self.library, row, inputs, sizes)

    def graph(self, inputs: Mapping[str, Tensor], sizes: Sizes) -> Any:
        """The row's graph."""
        return self.api.graph((inputs["src"], inputs["dst"]), num_nodes=sizes.nodes)

    # ------------------------------------------------------------------ operators

    def release_memory(self) -> None:
        """Release memory that the library keeps for later results, if it keeps any."""
        kernels = getattr(self.api, "kernels", None)
        if hasattr(kernels, "release_memory"):
            kernels.release_memory()

    def copy_u(
        self, graph: Any, inputs: Mapping[str, Tensor], reduce: str, dtype: Any = torch.float32
    ) -> dict:
        """Rows ``copy_u/*``."""
        x = inputs["x"].to(dtype)
        message, reducer = self.fn.copy_u("x", "m"), getattr(self.fn, reduce)("m", "out")
        forms = {"update_all": lambda: self._update_all(graph, message, reducer, x=x)}
        # DGL's operator leaves -inf at nodes without in-edges; only update_all makes it 0.
        if reduce != "max":
            operator = getattr(self.ops, f"copy_u_{reduce}")
            forms["ops"] = lambda: Form(lambda: {"out": operator(graph, x)})
        return forms

    def _update_all(self, graph: Any, message: Any, reducer: Any, **data: Tensor) -> Form:
        for name, value in data.items():
            (graph.edata if name == "w" else graph.ndata)[name] = value

        def run() -> dict[str, Tensor]:
            graph.update_all(message, reducer)
            return {"out": graph.ndata.pop("out")}

        return Form(run)

    def weighted_sum(self, graph: Any, inputs: Mapping[str, Tensor]) -> dict:
        """Rows ``u_mul_e/sum*``."""
        x, w = inputs["x"], inputs["w"]
        message, reducer = self.fn.u_mul_e("x", "w", "m"), self.fn.sum("m", "out")
        forms = {
            "update_all": lambda: self._update_all(graph, message, reducer, x=x, w=w),
            "ops": lambda: Form(lambda: {"out": self.ops.u_mul_e_sum(graph, x, w)}),
        }
        if self.has_sparse:
            forms["sparse"] = lambda: self._sparse_sum(graph, x, w)
        return forms

    def _sparse(self, graph: Any, value: Tensor) -> tuple[Any, Any]:
        library = importlib.import_module(f"{self.library}.sparse")
        src, dst = graph.edges()
        nodes = graph.num_nodes()
        return library, library.spmatrix(torch.stack([dst, src]), value, (nodes, nodes))

    def _sparse_sum(self, graph: Any, x: Tensor, w: Tensor) -> Form:
        sparse, matrix = self._sparse(graph, w.flatten(1).squeeze(1))
        if x.dim() == 2:
            return Form(lambda: {"out": sparse.spmm(matrix, x)})
        heads_last = x.transpose(1, 2).contiguous()  # the sparse API's layout of heads
        return Form(lambda: {"out": sparse.bspmm(matrix, heads_last).transpose(1, 2)})

    def gradient_of_sum(self, graph: Any, inputs: Mapping[str, Tensor]) -> dict:
        """Row ``copy_u/sum fwd+bwd``."""
        x, g = inputs["x"].requires_grad_(), inputs["g"]

        def update_all() -> Form:
            graph.ndata["x"] = x
            message, reducer = self.fn.copy_u("x", "m"), self.fn.sum("m", "out")

            def forward() -> Tensor:
                graph.update_all(message, reducer)
                return graph.ndata.pop("out")

            return Form(differentiate(forward, {"x": x}, g))

        def ops() -> Form:
            return Form(differentiate(lambda: self.ops.copy_u_sum(graph, x), {"x": x}, g))

        return {"update_all": update_all, "ops": ops}

    def dot(self, graph: Any, inputs: Mapping[str, Tensor]) -> dict:
        """Row ``u_dot_v``."""
        x, y = inputs["x"], inputs["y"]

        def apply_edges() -> Form:
            graph.ndata["x"], graph.ndata["y"] = x, y
            message = self.fn.u_dot_v("x", "y", "out")

            def run() -> dict[str, Tensor]:
                graph.apply_edges(message)
                return {"out": graph.edata.pop("out")}

            return Form(run)

        def sparse() -> Form:
            library, matrix = self._sparse(graph, torch.ones(graph.num_edges()))
            left = y.transpose(1, 2).contiguous()  # (N, D, H)
            right = x.permute(2, 0, 1).contiguous()  # (D, N, H)
            return Form(lambda: {"out": library.bsddmm(matrix, left, right).val.unsqueeze(-1)})

        forms = {
            "apply_edges": apply_edges,
            "ops": lambda: Form(lambda: {"out": self.ops.u_dot_v(graph, x, y)}),
        }
        return forms | ({"sparse": sparse} if self.has_sparse else {})

    def to_edges(self, graph: Any, inputs: Mapping[str, Tensor]) -> dict:
        """Row ``copy_u to edges``."""
        x = inputs["x"]

        def apply_edges() -> Form:
            graph.ndata["x"] = x

            def run() -> dict[str, Tensor]:
                graph.apply_edges(self.fn.copy_u("x", "out"))
                return {"out": graph.edata.pop("out")}

            return Form(run)

        operator = partial(self.ops.copy_u, graph, x)
        return {"apply_edges": apply_edges, "ops": lambda: Form(lambda: {"out": operator()})}

    def segments(self, graph: Any, inputs: Mapping[str, Tensor], reduce: str) -> dict:
        """Rows ``segment_reduce *``."""
        operator = partial(self.ops.segment_reduce, graph.in_degrees(), inputs["v"], reduce)
        return {"ops": lambda: Form(lambda: {"out": operator()})}

    def products(self, inputs: Mapping[str, Tensor], sizes: Sizes, grouped: bool) -> dict:
        """Rows ``segment_mm*`` (the rows grouped by relation) and ``gather_mm*``."""
        x, weight, relation = inputs["x"], inputs["weight"], inputs["relation"]
        relation = relation.sort().values if grouped else relation
        lengths = torch.bincount(relation, minlength=len(weight))

        if grouped:
            operator = partial(self.ops.segment_mm, x, weight, lengths)
        else:
            operator = partial(self.ops.gather_mm, x, weight, idx_b=relation)

        def layer() -> Form:
            linear = self.nn.TypedLinear(*weight.shape[1:], len(weight)).requires_grad_(False)
            linear.W.copy_(weight)
            return Form(lambda: {"out": linear(x, relation, sorted_by_type=grouped)})

        forms = {"ops": lambda: Form(lambda: {"out": operator()})}
        return forms | ({"TypedLinear": layer} if hasattr(self.nn, "TypedLinear") else {})

    def softmax(self, graph: Any, inputs: Mapping[str, Tensor]) -> dict:
        """Row ``edge_softmax``."""
        e = inputs["e"]
        return {
            "edge_softmax": lambda: Form(lambda: {"out": self.nn.functional.edge_softmax(graph, e)})
        }

    def compress(self, inputs: Mapping[str, Tensor], sizes: Sizes) -> dict:
        """Row ``COO to CSC``."""

        def run() -> dict[str, Tensor]:
            indptr, indices, _ = self.graph(inputs, sizes).adj_tensors("csc")
            return {"indptr": indptr, "indices": indices}

        return {"adj_tensors": lambda: Form(run)}

    def transpose(self, inputs: Mapping[str, Tensor], sizes: Sizes) -> dict:
        """Row ``CSR to CSC``."""
        graph = self.graph(inputs, sizes)
        structure = graph.adj_tensors("csr")[:2]
        in_order = torch.empty(0, dtype=structure[0].dtype)  # edge ids are the slots

        def run() -> dict[str, Tensor]:
            turned = self.api.graph(("csr", (*structure, in_order)), num_nodes=sizes.nodes)
            indptr, indices, _ = turned.adj_tensors("csc")
            return {"indptr": indptr, "indices": indices}

        return {"adj_tensors": lambda: Form(run)}

    # ------------------------------------------------------------------ layers

    def layer(
        self,
        graph: Any,
        inputs: Mapping[str, Tensor],
        build: Callable[[Any], nn.Module],
        names: Mapping[str, str],
    ) -> dict:
        """Rows of one layer; `names` maps the registry's arrays to the layer's parameters."""
        layer = build(self.nn)
        wrt, turned = set_parameters(layer, names, inputs)
        x = inputs["x"].requires_grad_()
        run = differentiate(lambda: layer(graph, x), {"x": x, **wrt}, inputs["g"])
        return {"layer": lambda: Form(lambda: transpose_weights(run(), turned))}

    def cora_gcn(self, graph: Any, inputs: Mapping[str, Tensor], compiled: bool = False) -> dict:
        """Rows ``Cora GCN epoch`` and ``Cora GCN epoch compiled``."""
        compiled = compiled and self.compiles
        x, hidden = inputs["x"], inputs["weight_1"].shape[1]
        classes = inputs["weight_2"].shape[1]

        def model(norm: str) -> nn.ModuleList:
            first = self.nn.GraphConv(x.shape[1], hidden, norm=norm)
            second = self.nn.GraphConv(hidden, classes, norm=norm)
            zero_biases(first, second)
            set_parameters(first, {"weight_1": "weight"}, inputs)
            set_parameters(second, {"weight_2": "weight"}, inputs)
            return nn.ModuleList([first, second])

        def layers() -> Form:
            net = model("both")
            return epochs(net, lambda: net[1](graph, net[0](graph, x).relu()), inputs, compiled)

        def edge_weights() -> Form:
            net = model("none")
            ones = torch.ones(graph.num_edges())
            w = self.nn.EdgeWeightNorm(norm="both")(graph, ones)

            def forward() -> Tensor:
                hidden = net[0](graph, x, edge_weight=w).relu()
                return net[1](graph, hidden, edge_weight=w)

            return epochs(net, forward, inputs, compiled)

        return {"layers": layers, "EdgeWeightNorm": edge_weights}

    def cora_gat(self, graph: Any, inputs: Mapping[str, Tensor], compiled: bool = False) -> dict:
        """Rows ``Cora GAT epoch`` and ``Cora GAT epoch compiled``."""
        compiled = compiled and self.compiles
        x, classes = inputs["x"], inputs["weight_2"].shape[1]

        def layers() -> Form:
            first, second = self.nn.GATConv(x.shape[1], 8, 8), self.nn.GATConv(64, classes, 1)
            zero_biases(first, second)
            for k, layer in ((1, first), (2, second)):
                names = {f"weight_{k}": "fc.weight", f"att_src_{k}": "attn_l"}
                set_parameters(layer, {**names, f"att_dst_{k}": "attn_r"}, inputs)
            elu = nn.functional.elu

            def forward() -> Tensor:
                return second(graph, elu(first(graph, x).flatten(1))).squeeze(1)

            return epochs(nn.ModuleList([first, second]), forward, inputs, compiled)

        return {"layers": layers}


_ALLOW = {"allow_zero_in_degree": True}
_LINEAR = {"weight": "apply_func.weight", "bias": "apply_func.bias"}
_SAGE = {"weight": "fc_neigh.weight", "weight_self": "fc_self.weight", "bias": "fc_self.bias"}
_GAT = {"weight": "fc.weight", "att_src": "attn_l", "att_dst": "attn_r", "bias": "bias"}
_GATV2 = {
    "weight_src": "fc_src.weight",
    "bias_src": "fc_src.bias",
    "weight_dst": "fc_dst.weight",
    "bias_dst": "fc_dst.bias",
    "att": "attn",
}


def _layer(build: Callable[[Any], nn.Module], names: Mapping[str, str]) -> Callable:
    return partial(Adapter.layer, build=build, names=names)


_ROWS: dict[str, Callable] = {
    **{
        f"copy_u/{row}": partial(Adapter.copy_u, reduce=row.split()[0])
        for row in ("sum", "mean", "max", "sum hub", "sum large", "max large")
    },
    "copy_u/sum bfloat16": partial(Adapter.copy_u, reduce="sum", dtype=torch.bfloat16),
    "copy_u to edges": Adapter.to_edges,
    "u_mul_e/sum": Adapter.weighted_sum,
    "u_mul_e/sum heads": Adapter.weighted_sum,
    "copy_u/sum fwd+bwd": Adapter.gradient_of_sum,
    "u_dot_v": Adapter.dot,
    "edge_softmax": Adapter.softmax,
    "segment_reduce sum": partial(Adapter.segments, reduce="sum"),
    "segment_reduce max": partial(Adapter.segments, reduce="max"),
    "GraphConv fwd+bwd": _layer(
        lambda lib: lib.GraphConv(F, F, norm="both", **_ALLOW), {"weight": "weight", "bias": "bias"}
    ),
    "SAGEConv fwd+bwd": _layer(lambda lib: lib.SAGEConv(F, F, "mean"), _SAGE),
    "GINConv fwd+bwd": _layer(lambda lib: lib.GINConv(nn.Linear(F, F), "sum"), _LINEAR),
    "GATConv fwd+bwd": _layer(lambda lib: lib.GATConv(F, D, H, **_ALLOW), _GAT),
    "GATv2Conv fwd+bwd": _layer(lambda lib: lib.GATv2Conv(F, D, H, **_ALLOW), _GATV2),
    "Cora GCN epoch": Adapter.cora_gcn,
    "Cora GAT epoch": Adapter.cora_gat,
    "Cora GCN epoch compiled": partial(Adapter.cora_gcn, compiled=True),
    "Cora GAT epoch compiled": partial(Adapter.cora_gat, compiled=True),
}

_ROWS_WITHOUT_GRAPH: dict[str, Callable] = {
    "segment_mm": partial(Adapter.products, grouped=True),
    "gather_mm": partial(Adapter.products, grouped=False),
    "segment_mm few rows": partial(Adapter.products, grouped=True),
    "gather_mm few rows": partial(Adapter.products, grouped=False),
    "COO to CSC": Adapter.compress,
    "CSR to CSC": Adapter.transpose,
}
