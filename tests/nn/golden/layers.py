"""How layers are recorded and compared: graphs, arguments, and the first groups of cases.

Imports neither library: `evaluate` runs a case on whichever it is given, DGL to record and
Gossamer to compare. `record_nn.py` lists the files of cases.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

# No destination without in-edges; duplicates, self-loops, in no order.
PAIRS = [(3, 1), (0, 2), (4, 0), (1, 3), (2, 4), (0, 1), (3, 0), (1, 2), (0, 2), (4, 4), (0, 2)]
# Node 2 has no in-edges, node 4 no edges at all.
SPARSE_PAIRS = [(2, 1), (0, 1), (2, 1), (1, 3), (3, 0)]
BIPARTITE_PAIRS = [(3, 1), (0, 2), (1, 0), (0, 1), (2, 0), (5, 2), (3, 1)]


@dataclass(frozen=True)
class Extra:
    """A further argument of `forward`: a row per "node", "destination" or "edge"."""

    per: str = "edge"
    shape: tuple[int, ...] = ()
    positive: bool = False
    types: int = 0  # draw integers below it, if it is not 0


@dataclass(frozen=True)
class Case:
    """A layer, how to build it, the graph and what to pass."""

    layer: str
    args: tuple = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    graph: str = "homogeneous"
    feat: tuple[int, ...] = (5,)
    feat_dst: tuple[int, ...] | None = None  # given: pass a pair
    edge_weight: tuple[int, ...] | None = None
    weight: tuple[int, int] | None = None
    get_attention: bool = False
    extra: dict[str, Extra] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)  # arguments of `forward` as they are
    evaluation: bool = False


def make_graph(library: ModuleType, name: str) -> Any:
    """Build the graph called `name` with `library`."""

    def columns(pairs: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        u, v = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).unbind(1)
        return u.contiguous(), v.contiguous()

    if name == "homogeneous":
        return library.graph(columns(PAIRS), num_nodes=5)
    if name == "no_loops":
        return library.graph(columns([(u, v) for u, v in PAIRS if u != v]), num_nodes=5)
    if name == "thick":  # no node has a single in-edge, or in-edges from one node alone
        ring = [(i, (i + step) % 5) for step in (1, 2, 3) for i in range(5)]
        return library.graph(columns([*ring, (0, 3), (4, 4)]), num_nodes=5)
    if name == "sparse":
        return library.graph(columns(SPARSE_PAIRS), num_nodes=5)
    if name == "no_edges":
        return library.graph(columns([]), num_nodes=3)
    if name == "bipartite":
        relation = {("user", "rates", "item"): columns(BIPARTITE_PAIRS)}
        return library.heterograph(relation, {"user": 6, "item": 3})
    if name == "block":
        return library.create_block(columns(BIPARTITE_PAIRS), num_src_nodes=6, num_dst_nodes=3)
    if name == "dense":  # destinations by sources
        u, v = columns(PAIRS)
        weight = 1.0 + torch.arange(len(PAIRS), dtype=torch.float64) / 10
        return torch.zeros(5, 5, dtype=torch.float64).index_put((v, u), weight)
    if name == "batch":
        parts = [make_graph(library, part) for part in ("homogeneous", "no_edges", "sparse")]
        empty = library.graph(columns([]), num_nodes=0)
        return library.batch([parts[0], empty, *parts[1:]])
    raise ValueError(name)


def make_layer(library: ModuleType, case: Case) -> nn.Module:
    """Build the layer of a case with `library`, from seed 0."""
    torch.manual_seed(0)
    args = [_callable(value) for value in case.args]
    kwargs = {name: _callable(value) for name, value in case.kwargs.items()}
    return getattr(library.nn, case.layer)(*args, **kwargs)


def initial(layer: nn.Module) -> dict[str, np.ndarray]:
    """A few numbers of each parameter as it was drawn."""
    return {
        f"initial.{name}": np.array([*x.flatten()[:3].tolist(), float(x.double().sum())])
        for name, x in layer.state_dict().items()
    }


def make_inputs(library: ModuleType, name: str, case: Case) -> dict[str, np.ndarray]:
    """Draw the arguments of a case; they depend on its name alone."""
    graph = make_graph(library, case.graph)
    if case.graph == "dense":
        rows = {"node": graph.shape[1]}
    else:
        rows = {
            "node": graph.num_src_nodes(),
            "destination": graph.num_dst_nodes(),
            "edge": graph.num_edges(),
        }
    # The legacy generator: its stream is the same in every NumPy.
    draw = np.random.RandomState(zlib.crc32(name.encode()))
    inputs = {}
    if case.layer != "EdgeWeightNorm":
        inputs["feat"] = draw.randn(rows["node"], *case.feat)
    if case.feat_dst is not None:
        inputs["feat_dst"] = draw.randn(rows["destination"], *case.feat_dst)
    if case.edge_weight is not None:
        inputs["edge_weight"] = draw.rand(rows["edge"], *case.edge_weight) + 0.5
    if case.weight is not None:
        inputs["weight"] = draw.randn(*case.weight)
    for name, extra in case.extra.items():
        shape = rows[extra.per], *extra.shape
        if extra.types:
            inputs[name] = draw.randint(extra.types, size=shape)
        else:
            inputs[name] = draw.rand(*shape) + 0.5 if extra.positive else draw.randn(*shape)
    return inputs


def evaluate(
    library: ModuleType,
    case: Case,
    layer: nn.Module,
    inputs: dict[str, np.ndarray],
    cotangents: list[np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Run a case forward and backward; return outputs and gradients by name."""
    whole = {name for name, extra in case.extra.items() if extra.types}
    leaves = {
        name: torch.tensor(value).requires_grad_()
        for name, value in inputs.items()
        if name not in whole
    }
    arguments = leaves | {name: torch.tensor(inputs[name]).long() for name in whole}
    args = []
    if "feat" in arguments:
        feat = arguments.pop("feat")
        args = [(feat, arguments.pop("feat_dst")) if case.feat_dst is not None else feat]
    if case.get_attention:
        arguments["get_attention"] = True
    layer.train(not case.evaluation)
    result = layer(make_graph(library, case.graph), *args, **arguments, **case.fixed)
    outputs = result if isinstance(result, tuple) else (result,)
    if cotangents is None:
        cotangents = [np.random.RandomState(i).randn(*out.shape) for i, out in enumerate(outputs)]

    wanted = leaves | {name: p for name, p in layer.named_parameters() if p.requires_grad}
    grads = torch.autograd.grad(
        outputs, list(wanted.values()), [torch.tensor(c) for c in cotangents], allow_unused=True
    )
    found = {f"out.{i}": out.detach().numpy() for i, out in enumerate(outputs)}
    found |= {f"cotangent.{i}": value for i, value in enumerate(cotangents)}
    for name, grad in zip(wanted, grads, strict=True):
        if grad is not None:
            found[f"grad.{name}"] = grad.numpy()
    return found


def save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write float64 arrays end to end: thousands of small members would be mostly zip headers."""
    np.savez_compressed(
        path,
        names=np.array(list(arrays)),
        shapes=np.array([" ".join(map(str, value.shape)) for value in arrays.values()]),
        values=np.concatenate([value.ravel() for value in arrays.values()]),
    )


def load(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """Read what `save` wrote: for each case its arrays by name."""
    with np.load(path) as file:
        names, shapes, values = file["names"], file["shapes"], file["values"]
    cases: dict[str, dict[str, np.ndarray]] = {}
    start = 0
    for name, text in zip(names.tolist(), shapes.tolist(), strict=True):
        shape = tuple(int(size) for size in text.split())
        stop = start + math.prod(shape)
        case, _, key = name.partition(":")
        cases.setdefault(case, {})[key] = values[start:stop].reshape(shape)
        start = stop
    return cases


def _minus_one(x: Tensor) -> Tensor:
    return x - 1


def _callable(value: Any) -> Any:
    """Turn the name of a function into the function."""
    if callable(value) and getattr(value, "__name__", "") == "<lambda>":
        return value()  # a module or a tensor, made anew for each layer
    if isinstance(value, str) and value == "linear":
        return nn.Linear(5, 3)
    known = {"relu": torch.relu, "elu": nn.functional.elu, "minus_one": _minus_one}
    return known.get(value, value) if isinstance(value, str) else value


def _graphconv() -> dict[str, Case]:
    cases = {}
    for norm in ("none", "both", "right", "left"):
        for sizes in ((5, 3), (3, 5)):
            for graph in ("homogeneous", "block"):
                cases[f"{norm}-{sizes[0]}to{sizes[1]}-{graph}"] = Case(
                    "GraphConv", sizes, {"norm": norm}, graph, feat=sizes[:1]
                )
    cases["pair"] = Case("GraphConv", (5, 3), {}, "bipartite", feat_dst=(2,))
    for name, shape in (("vector", ()), ("column", (1,)), ("narrow", (3,))):
        for sizes in ((5, 3), (3, 5)):
            cases[f"weighted-{name}-{sizes[0]}to{sizes[1]}"] = Case(
                "GraphConv", sizes, feat=sizes[:1], edge_weight=shape
            )
    cases["weighted-block"] = Case("GraphConv", (5, 3), {}, "block", edge_weight=())
    without = {"weight": False}
    cases["external-weight"] = Case("GraphConv", (5, 3), without, weight=(5, 3))
    cases["external-weight-wide"] = Case("GraphConv", (3, 5), without, feat=(3,), weight=(3, 5))
    cases["no-weight"] = Case("GraphConv", (5, 5), without)
    cases["no-bias"] = Case("GraphConv", (5, 3), {"bias": False})
    cases["activation"] = Case("GraphConv", (5, 3), {"activation": "elu"})
    cases["zero-in-degree"] = Case("GraphConv", (5, 3), {"allow_zero_in_degree": True}, "sparse")
    cases["no-edges"] = Case("GraphConv", (5, 3), {"allow_zero_in_degree": True}, "no_edges")
    cases["deep"] = Case("GraphConv", (5, 3), feat=(2, 5))
    return cases


def _edgeweightnorm() -> dict[str, Case]:
    cases = {}
    for norm in ("none", "both", "right"):
        for graph in ("homogeneous", "bipartite"):
            cases[f"{norm}-{graph}"] = Case("EdgeWeightNorm", (norm,), graph=graph, edge_weight=())
    cases["eps"] = Case("EdgeWeightNorm", ("both", 0.5), edge_weight=())
    return cases


def _sageconv() -> dict[str, Case]:
    cases = {}
    for aggregator in ("mean", "gcn", "pool", "lstm"):
        args = (5, 3, aggregator)
        for graph in ("homogeneous", "block", "sparse", "no_edges"):
            cases[f"{aggregator}-{graph}"] = Case("SAGEConv", args, graph=graph)
        cases[f"{aggregator}-weighted"] = Case("SAGEConv", args, edge_weight=())
        cases[f"{aggregator}-weighted-column"] = Case("SAGEConv", args, edge_weight=(1,))
        cases[f"{aggregator}-no-bias"] = Case("SAGEConv", args, {"bias": False})
        wide = (3, 5, aggregator)
        cases[f"{aggregator}-wide"] = Case("SAGEConv", wide, feat=(3,))
        dst = (5,) if aggregator == "gcn" else (4,)
        sizes = (5, *dst)
        cases[f"{aggregator}-pair"] = Case(
            "SAGEConv", (sizes, 3, aggregator), graph="bipartite", feat_dst=dst
        )
    after = {"activation": "relu", "norm": "minus_one"}
    # DGL 2.1.0 sends the gradient of a maximum over no edges at all to node 0.
    del cases["pool-no_edges"]
    cases["activation-and-norm"] = Case("SAGEConv", (5, 3, "mean"), after)
    return cases


def _gatconv() -> dict[str, Case]:
    cases = {}
    for graph in ("homogeneous", "block"):
        cases[graph] = Case("GATConv", (5, 3, 2), graph=graph)
        cases[f"residual-{graph}"] = Case("GATConv", (5, 3, 2), {"residual": True}, graph)
        cases[f"identity-{graph}"] = Case(
            "GATConv", (6, 3, 2), {"residual": True}, graph, feat=(6,)
        )
    pair = {"graph": "bipartite", "feat_dst": (4,)}
    cases["pair"] = Case("GATConv", ((5, 4), 3, 2), **pair)
    cases["pair-residual"] = Case("GATConv", ((5, 4), 3, 2), {"residual": True}, **pair)
    cases["pair-one-size"] = Case("GATConv", (5, 3, 2), graph="bipartite", feat_dst=(5,))
    cases["no-bias"] = Case("GATConv", (5, 3, 2), {"bias": False})
    cases["no-bias-residual"] = Case("GATConv", (5, 3, 2), {"bias": False, "residual": True})
    cases["weighted"] = Case("GATConv", (5, 3, 2), edge_weight=())
    cases["attention"] = Case("GATConv", (5, 3, 2), get_attention=True)
    cases["attention-weighted"] = Case("GATConv", (5, 3, 2), edge_weight=(), get_attention=True)
    cases["slope"] = Case("GATConv", (5, 3, 2), {"negative_slope": 0.7})
    cases["activation"] = Case("GATConv", (5, 3, 2), {"activation": "elu"})
    cases["deep"] = Case("GATConv", (5, 3, 2), feat=(4, 5), get_attention=True)
    cases["zero-in-degree"] = Case("GATConv", (5, 3, 2), {"allow_zero_in_degree": True}, "sparse")
    cases["no-edges"] = Case("GATConv", (5, 3, 2), {"allow_zero_in_degree": True}, "no_edges")
    return cases


def _gatv2conv() -> dict[str, Case]:
    cases = {}
    for graph in ("homogeneous", "block"):
        for share in (False, True):
            kwargs = {"share_weights": share}
            suffix = "-shared" if share else ""
            cases[f"{graph}{suffix}"] = Case("GATv2Conv", (5, 3, 2), kwargs, graph)
        cases[f"residual-{graph}"] = Case("GATv2Conv", (5, 3, 2), {"residual": True}, graph)
        cases[f"identity-{graph}"] = Case(
            "GATv2Conv", (6, 3, 2), {"residual": True}, graph, feat=(6,)
        )
    pair = {"graph": "bipartite", "feat_dst": (4,)}
    cases["pair"] = Case("GATv2Conv", ((5, 4), 3, 2), **pair)
    cases["pair-residual"] = Case("GATv2Conv", ((5, 4), 3, 2), {"residual": True}, **pair)
    cases["pair-shared"] = Case("GATv2Conv", ((5, 4), 3, 2), {"share_weights": True}, **pair)
    cases["no-bias"] = Case("GATv2Conv", (5, 3, 2), {"bias": False})
    cases["attention"] = Case("GATv2Conv", (5, 3, 2), get_attention=True)
    cases["slope"] = Case("GATv2Conv", (5, 3, 2), {"negative_slope": 0.7})
    cases["activation"] = Case("GATv2Conv", (5, 3, 2), {"activation": "elu"})
    allow = {"allow_zero_in_degree": True}
    cases["zero-in-degree"] = Case("GATv2Conv", (5, 3, 2), allow, "sparse")
    cases["no-edges"] = Case("GATv2Conv", (5, 3, 2), allow, "no_edges")
    return cases


def _ginconv() -> dict[str, Case]:
    cases = {}
    for aggregator in ("sum", "max", "mean"):
        args = ("linear", aggregator)
        for graph in ("homogeneous", "block", "sparse", "no_edges"):
            cases[f"{aggregator}-{graph}"] = Case("GINConv", args, graph=graph)
        cases[f"{aggregator}-pair"] = Case("GINConv", args, graph="bipartite", feat_dst=(5,))
        cases[f"{aggregator}-weighted"] = Case("GINConv", args, edge_weight=())
    del cases["max-no_edges"]  # as in _sageconv
    learned = {"learn_eps": True, "init_eps": 0.25, "activation": "elu"}
    cases["learned-eps"] = Case("GINConv", ("linear", "sum"), learned)
    cases["fixed-eps"] = Case("GINConv", ("linear", "sum"), {"init_eps": 0.25})
    cases["no-function"] = Case("GINConv", (None,), edge_weight=(1,))
    return cases


def _pooling() -> dict[str, Case]:
    cases = {}
    for name in ("SumPooling", "AvgPooling", "MaxPooling"):
        for graph in ("homogeneous", "batch"):
            cases[f"{name}-{graph}"] = Case(name, graph=graph)
        cases[f"{name}-deep"] = Case(name, graph="batch", feat=(2, 3))
    return cases


GROUPS = {
    "graphconv": _graphconv(),
    "edgeweightnorm": _edgeweightnorm(),
    "sageconv": _sageconv(),
    "gatconv": _gatconv(),
    "gatv2conv": _gatv2conv(),
    "ginconv": _ginconv(),
    "pooling": _pooling(),
}


def flat(groups: dict[str, dict[str, Case]]) -> dict[str, Case]:
    """The cases of all groups by one name."""
    return {
        f"{group}/{name}": case for group, cases in groups.items() for name, case in cases.items()
    }


CASES = flat(GROUPS)
