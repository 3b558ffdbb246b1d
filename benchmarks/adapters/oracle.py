"""Reference results on small inputs, from dense incidence matrices in float64.

`source` and `target` are `(E, N)`: row `e` has a 1 at the edge's source or destination. Each row of
the table is then a matrix expression, with gradients from torch's autograd.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from benchmarks.adapters import Form
from benchmarks.adapters.training import differentiate, epochs
from benchmarks.workload import Sizes, Workload


class Adapter:
    """The rows in dense algebra."""

    def versions(self) -> dict[str, str]:
        """The release of torch."""
        return {"torch": torch.__version__}

    def forms(
        self, row: Workload, inputs: Mapping[str, Tensor], sizes: Sizes
    ) -> dict[str, Callable[[], Form]]:
        """The only way to write a row."""
        if sizes.nodes * sizes.edges > 10_000_000:
            raise ValueError("The oracle is dense: run it on small sizes only.")
        double = {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()}
        return {"dense": lambda: _ROWS[row.name](Dense(double, sizes), double)}


class Dense:
    """Incidence matrices of a graph."""

    def __init__(self, inputs: Mapping[str, Tensor], sizes: Sizes) -> None:
        self.src, self.dst = inputs["src"], inputs["dst"]
        self.source = nn.functional.one_hot(self.src, sizes.nodes).double()
        self.target = nn.functional.one_hot(self.dst, sizes.nodes).double()

    def sum(self, messages: Tensor) -> Tensor:
        """Sum of the messages at each destination."""
        return torch.einsum("en,e...->n...", self.target, messages)

    def max(self, messages: Tensor) -> Tensor:
        """Maximum of the messages at each destination; 0 without any."""
        rows = [messages[self.dst == v] for v in range(self.target.shape[1])]
        none = messages.new_zeros(messages.shape[1:])
        return torch.stack([r.amax(0) if len(r) else none for r in rows])

    def at_source(self, x: Tensor) -> Tensor:
        """The source's row of x, for each edge."""
        return torch.einsum("en,n...->e...", self.source, x)

    def at_target(self, x: Tensor) -> Tensor:
        """The destination's row of x, for each edge."""
        return torch.einsum("en,n...->e...", self.target, x)

    def degree_in(self) -> Tensor:
        """In-degrees, at least 1."""
        return self.target.sum(0).clamp(min=1)[:, None]

    def degree_out(self) -> Tensor:
        """Out-degrees, at least 1."""
        return self.source.sum(0).clamp(min=1)[:, None]

    def softmax(self, logits: Tensor) -> Tensor:
        """Softmax over the in-edges of each destination."""
        weight = (logits - logits.max().detach()).exp()
        return weight / self.at_target(self.sum(weight))

    def attend(self, values: Tensor, logits: Tensor) -> Tensor:
        """Sum of the sources' values `(N, H, D)`, weighted by the softmax of logits `(E, H)`."""
        return self.sum(self.at_source(values) * self.softmax(logits)[..., None])


def _value(call: Callable[[], Tensor]) -> Form:
    return Form(lambda: {"out": call()})


def _gradients(call: Callable[[], Tensor], inputs: Mapping[str, Tensor]) -> Form:
    names = [k for k, v in inputs.items() if v.is_floating_point() and k != "g"]
    wrt = {name: inputs[name].requires_grad_() for name in names}
    return Form(differentiate(call, wrt, inputs["g"]))


def _graph_conv(dense: Dense, i: Mapping[str, Tensor], k: str = "") -> Callable[[Tensor], Tensor]:
    def call(x: Tensor) -> Tensor:
        sent = dense.at_source(x @ i[f"weight{k}"] / dense.degree_out().sqrt())
        return dense.sum(sent) / dense.degree_in().sqrt() + i[f"bias{k}"]

    return call


def _sage(dense: Dense, i: Mapping[str, Tensor]) -> Form:
    def call() -> Tensor:
        mean = dense.sum(dense.at_source(i["x"])) / dense.degree_in()
        return i["x"] @ i["weight_self"] + mean @ i["weight"] + i["bias"]

    return _gradients(call, i)


def _gin(dense: Dense, i: Mapping[str, Tensor]) -> Form:
    def call() -> Tensor:
        return (i["x"] + dense.sum(dense.at_source(i["x"]))) @ i["weight"] + i["bias"]

    return _gradients(call, i)


def _gat(dense: Dense, i: Mapping[str, Tensor], k: str = "") -> Callable[[Tensor], Tensor]:
    def call(x: Tensor) -> Tensor:
        att_src, att_dst = i[f"att_src{k}"], i[f"att_dst{k}"]
        h = (x @ i[f"weight{k}"]).view(-1, *att_src.shape[1:])
        left, right = (h * att_src).sum(-1), (h * att_dst).sum(-1)
        logits = dense.at_source(left) + dense.at_target(right)
        out = dense.attend(h, nn.functional.leaky_relu(logits, 0.2))
        return out + i[f"bias{k}"].view(att_src.shape)

    return call


def _gatv2(dense: Dense, i: Mapping[str, Tensor]) -> Form:
    def call() -> Tensor:
        shape = (-1, *i["att"].shape[1:])
        left = (i["x"] @ i["weight_src"] + i["bias_src"]).view(shape)
        right = (i["x"] @ i["weight_dst"] + i["bias_dst"]).view(shape)
        both = nn.functional.leaky_relu(dense.at_source(left) + dense.at_target(right), 0.2)
        return dense.attend(left, (both * i["att"]).sum(-1))

    return _gradients(call, i)


def _products(i: Mapping[str, Tensor], relation: Tensor) -> Form:
    return _value(lambda: torch.einsum("nf,nfd->nd", i["x"], i["weight"][relation]))


def _segment_mm(dense: Dense, i: Mapping[str, Tensor]) -> Form:
    return _products(i, i["relation"].sort().values)


def _gather_mm(dense: Dense, i: Mapping[str, Tensor]) -> Form:
    return _products(i, i["relation"])


def _train(model: Callable[[], Tensor], inputs: Mapping[str, Tensor]) -> Form:
    arrays = [k for k in inputs if k.startswith(("weight", "att"))]
    held = nn.ParameterDict({k: nn.Parameter(inputs[k]) for k in arrays})
    for k, array in (("bias_1", "weight_1"), ("bias_2", "weight_2")):
        held[k] = nn.Parameter(torch.zeros(inputs[array].shape[1], dtype=torch.float64))
    inputs.update(held)
    return epochs(held, model, inputs)


def _cora_gcn(dense: Dense, i: dict[str, Tensor]) -> Form:
    def model() -> Tensor:
        hidden = _graph_conv(dense, i, "_1")(i["x"]).relu()
        return _graph_conv(dense, i, "_2")(hidden)

    return _train(model, i)


def _cora_gat(dense: Dense, i: dict[str, Tensor]) -> Form:
    def model() -> Tensor:
        hidden = nn.functional.elu(_gat(dense, i, "_1")(i["x"]).flatten(1))
        return _gat(dense, i, "_2")(hidden).squeeze(1)

    return _train(model, i)


def _compress(dense: Dense, i: Mapping[str, Tensor]) -> Form:
    counts = dense.target.sum(0).long()
    order = torch.argsort(dense.dst, stable=True)
    indptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return Form(lambda: {"indptr": indptr, "indices": dense.src[order]})


_ROWS: dict[str, Callable[[Dense, dict[str, Tensor]], Form]] = {
    "copy_u/sum": lambda d, i: _value(lambda: d.sum(d.at_source(i["x"]))),
    "copy_u/mean": lambda d, i: _value(lambda: d.sum(d.at_source(i["x"])) / d.degree_in()),
    "copy_u/max": lambda d, i: _value(lambda: d.max(d.at_source(i["x"]))),
    "copy_u/sum hub": lambda d, i: _value(lambda: d.sum(d.at_source(i["x"]))),
    "copy_u/sum large": lambda d, i: _value(lambda: d.sum(d.at_source(i["x"]))),
    "copy_u/max large": lambda d, i: _value(lambda: d.max(d.at_source(i["x"]))),
    "copy_u/sum bfloat16": lambda d, i: _value(
        lambda: d.sum(d.at_source(i["x"].bfloat16().double()))
    ),
    "copy_u to edges": lambda d, i: _value(lambda: d.at_source(i["x"])),
    "u_mul_e/sum": lambda d, i: _value(lambda: d.sum(d.at_source(i["x"]) * i["w"])),
    "u_mul_e/sum heads": lambda d, i: _value(lambda: d.sum(d.at_source(i["x"]) * i["w"])),
    "copy_u/sum fwd+bwd": lambda d, i: _gradients(lambda: d.sum(d.at_source(i["x"])), i),
    "u_dot_v": lambda d, i: _value(
        lambda: (d.at_source(i["x"]) * d.at_target(i["y"])).sum(-1, keepdim=True)
    ),
    "edge_softmax": lambda d, i: _value(lambda: d.softmax(i["e"])),
    "segment_reduce sum": lambda d, i: _value(lambda: d.sum(i["v"])),
    "segment_reduce max": lambda d, i: _value(lambda: d.max(i["v"])),
    "segment_mm": _segment_mm,
    "gather_mm": _gather_mm,
    "segment_mm few rows": _segment_mm,
    "gather_mm few rows": _gather_mm,
    "GraphConv fwd+bwd": lambda d, i: _gradients(lambda: _graph_conv(d, i)(i["x"]), i),
    "SAGEConv fwd+bwd": _sage,
    "GINConv fwd+bwd": _gin,
    "GATConv fwd+bwd": lambda d, i: _gradients(lambda: _gat(d, i)(i["x"]), i),
    "GATv2Conv fwd+bwd": _gatv2,
    "Cora GCN epoch": _cora_gcn,
    "Cora GAT epoch": _cora_gat,
    "Cora GCN epoch compiled": _cora_gcn,
    "Cora GAT epoch compiled": _cora_gat,
    "COO to CSC": _compress,
    "CSR to CSC": _compress,
}
