"""What the recorded modules are: how to build each, and what to pass.

Imports neither library: `evaluate` runs a case on whichever it is given, DGL to record and
Gossamer to compare. Unlike in `layers.py` a case also fixes the initial weights of one seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

FEW = 48  # arrays up to this size are kept whole, larger ones as a few projections


@dataclass(frozen=True)
class Case:
    """How to build a module with a library, and the arguments of its `forward`."""

    build: Callable[[ModuleType], nn.Module]
    args: Callable[[ModuleType, Draw], tuple]
    call: Callable[..., Any] = lambda module, *args: module(*args)
    train: bool = False
    single: bool = False  # DGL's module takes single precision alone
    grads: bool = True  # whether DGL's module can be differentiated


class Draw:
    """Random arguments that depend on the name of the case alone."""

    def __init__(self, name: str, dtype: torch.dtype = torch.float64) -> None:
        self.dtype = dtype
        # The legacy generator: its stream is the same in every NumPy.
        self.state = np.random.RandomState(zlib.crc32(name.encode()))

    def normal(self, *shape: int) -> Tensor:
        """Features, of which the gradient is compared too."""
        return torch.tensor(self.state.randn(*shape), dtype=self.dtype).requires_grad_()

    def positive(self, *shape: int) -> Tensor:
        """Weights between 0.5 and 1.5."""
        return torch.tensor(self.state.rand(*shape) + 0.5, dtype=self.dtype).requires_grad_()

    def below(self, bound: int, *shape: int) -> Tensor:
        """Integers from 0."""
        return torch.tensor(self.state.randint(0, bound, shape))


def summary(array: np.ndarray) -> np.ndarray:
    """A small array itself, of a large one some random projections."""
    flat = np.asarray(array, dtype=np.float64).ravel()
    if flat.size <= FEW:
        return flat
    return np.random.RandomState(flat.size).randn(6, flat.size) @ flat / np.sqrt(flat.size)


def flatten(value: Any, prefix: str) -> dict[str, Tensor]:
    """The tensors in tuples, lists and dicts, by a path to each."""
    if isinstance(value, Tensor):
        return {prefix: value}
    if isinstance(value, Mapping):
        parts = [(str(key), value[key]) for key in sorted(value, key=str)]
    elif isinstance(value, tuple | list):
        parts = [(str(key), part) for key, part in enumerate(value)]
    else:
        return {}
    return {name: x for key, part in parts for name, x in flatten(part, f"{prefix}.{key}").items()}


def initial(case: Case, library: ModuleType) -> tuple[nn.Module, dict[str, np.ndarray]]:
    """The module that seed 0 gives, with the shape and the values of each weight."""
    torch.manual_seed(0)
    module = case.build(library)
    found = {}
    for name, value in module.state_dict().items():
        found[f"shape.{name}"] = np.array(value.shape, dtype=np.float64)
        found[f"init.{name}"] = summary(value.numpy())
    return module, found


def evaluate(
    case: Case, name: str, library: ModuleType, module: nn.Module
) -> dict[str, np.ndarray]:
    """Outputs and gradients of a module in float64, its weights moved away from zeros and ones."""
    dtype = torch.float32 if case.single else torch.float64
    module = module.to(dtype).train(case.train)
    with torch.no_grad():
        for key, value in module.named_parameters():
            noise = np.random.RandomState(zlib.crc32(key.encode())).randn(*value.shape)
            value.add_(0.1 * torch.tensor(noise, dtype=dtype))
    args = case.args(library, Draw(name, dtype))
    outputs = flatten(case.call(module, *args), "out")
    leaves = {key: x for key, x in flatten(args, "in").items() if x.requires_grad}
    leaves |= dict(module.named_parameters())
    found = {key: summary(x.detach().to_dense().numpy()) for key, x in outputs.items()}
    through = [x for x in outputs.values() if x.requires_grad]
    if case.grads and through and leaves:
        flows = [
            torch.tensor(np.random.RandomState(i).randn(*x.shape), dtype=x.dtype)
            for i, x in enumerate(through)
        ]
        grads = torch.autograd.grad(through, list(leaves.values()), flows, allow_unused=True)
        for (key, leaf), grad in zip(leaves.items(), grads, strict=True):
            grad = torch.zeros_like(leaf) if grad is None else grad.to_dense()
            found[f"grad.{key}"] = summary(grad.numpy())
    return found


# --- graphs ----------------------------------------------------------------------------------

EDGES = [(3, 1), (0, 2), (4, 0), (1, 3), (2, 4), (0, 1), (3, 0), (1, 2), (0, 2), (4, 4), (0, 2)]


def graph(library: ModuleType) -> Any:
    """Five nodes and eleven edges, with duplicates and self-loops."""
    return library.graph(_columns(EDGES), num_nodes=5)


def block(library: ModuleType) -> Any:
    """Six sources, three destinations, seven edges."""
    pairs = [(3, 1), (0, 2), (1, 0), (0, 1), (2, 0), (5, 2), (3, 1)]
    return library.create_block(_columns(pairs), num_src_nodes=6, num_dst_nodes=3)


def batch(library: ModuleType) -> Any:
    """Graphs of five, one and three nodes: nine nodes."""
    path = library.graph(_columns([(0, 1), (1, 2)]), num_nodes=3)
    lonely = library.add_self_loop(library.graph(_columns([]), num_nodes=1))
    return library.batch([graph(library), lonely, path])


def hetero(library: ModuleType) -> Any:
    """Three users, two games and a store; each node type is reached by some edge type."""
    relations = {
        ("user", "follows", "user"): [(0, 1), (1, 2), (2, 0), (0, 2)],
        ("user", "plays", "game"): [(0, 0), (1, 1), (2, 1)],
        ("store", "sells", "game"): [(0, 1), (0, 0)],
        ("user", "visits", "store"): [(2, 0)],
    }
    return library.heterograph({key: _columns(pairs) for key, pairs in relations.items()})


def _columns(pairs: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
    u, v = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).unbind(1)
    return u.contiguous(), v.contiguous()


# --- cases -----------------------------------------------------------------------------------


def _typed_linear() -> dict[str, Case]:
    def case(*args: Any, sort: bool = False) -> Case:
        def arguments(library: ModuleType, draw: Draw) -> tuple:
            types = draw.below(3, 10)
            return draw.normal(10, 4), types.sort().values if sort else types, sort

        return Case(lambda library: library.nn.TypedLinear(4, 6, 3, *args), arguments)

    return {
        "free": case(),
        "free-sorted": case(sort=True),
        "basis": case("basis", 2),
        "basis-sorted": case("basis", 2, sort=True),
        "blocks": case("bdd", 2),
        "blocks-sorted": case("bdd", 2, sort=True),
        "blocks-weight": Case(
            lambda library: library.nn.TypedLinear(4, 6, 3, "bdd", 2),
            lambda library, draw: (),
            lambda module: module.get_weight(),
        ),
    }


def _relgraphconv() -> dict[str, Case]:
    def case(
        on: Callable, nodes: int, edges: int, *args: Any, norm: bool = False, **kwargs: Any
    ) -> Case:
        def arguments(library: ModuleType, draw: Draw) -> tuple:
            found = on(library), draw.normal(nodes, 4), draw.below(3, edges)
            return (*found, draw.positive(edges, 1)) if norm else found

        return Case(lambda library: library.nn.RelGraphConv(4, 6, 3, *args, **kwargs), arguments)

    return {
        "free": case(graph, 5, 11),
        "free-norm": case(graph, 5, 11, norm=True),
        "free-block": case(block, 6, 7),
        "basis": case(graph, 5, 11, "basis", 2, layer_norm=True, activation=torch.tanh),
        "basis-norm-block": case(block, 6, 7, "basis", norm=True, bias=False),
        "blocks": case(graph, 5, 11, "bdd", 2, self_loop=False),
    }


def _hgtconv() -> dict[str, Case]:
    def case(on: Callable, nodes: int, edges: int, *args: Any, **kwargs: Any) -> Case:
        def arguments(library: ModuleType, draw: Draw) -> tuple:
            features = draw.normal(nodes, args[0])
            return on(library), features, draw.below(3, nodes), draw.below(2, edges)

        return Case(lambda library: library.nn.HGTConv(*args, 3, 2, **kwargs), arguments)

    return {
        "same-width": case(graph, 5, 11, 6, 3, 2),
        "narrower": case(graph, 5, 11, 4, 3, 2),
        "norm": case(graph, 5, 11, 4, 2, 3, use_norm=True),
        "block": case(block, 6, 7, 4, 3, 2),
    }


def _hetero() -> dict[str, Case]:
    follows = ("user", "follows", "user")

    def convolution(library: ModuleType, aggregate: Any) -> nn.Module:
        names = ("plays", "sells", "visits")
        mods = {name: library.nn.GraphConv(4, 3) for name in names}
        mods[follows] = library.nn.GraphConv(4, 3, norm="right")
        return library.nn.HeteroGraphConv(mods, aggregate)

    def features(library: ModuleType, draw: Draw) -> tuple:
        sizes = {"user": 3, "game": 2, "store": 1}
        return hetero(library), {name: draw.normal(size, 4) for name, size in sizes.items()}

    def pair(library: ModuleType, draw: Draw) -> tuple:
        g, sources = features(library, draw)
        return g, (sources, {"user": draw.normal(3, 4), "game": draw.normal(2, 4)})

    def some(library: ModuleType, draw: Draw) -> tuple:
        g, found = features(library, draw)
        del found["store"]
        return g, (found, found)

    def weighted(module: nn.Module, g: Any, inputs: Any) -> Any:
        weight = torch.tensor([0.5, 2.0, 3.0], dtype=torch.float64)
        return module(g, inputs, mod_kwargs={"plays": {"edge_weight": weight}})

    cases = {
        f"conv-{aggregate}": Case(lambda lib, a=aggregate: convolution(lib, a), features)
        for aggregate in ("sum", "mean", "max", "min", "stack")
    }
    cases["conv-pair"] = Case(lambda lib: convolution(lib, "sum"), pair)
    cases["conv-some"] = Case(lambda lib: convolution(lib, "stack"), some)
    cases["conv-weighted"] = Case(lambda lib: convolution(lib, "sum"), features, weighted)
    sizes = {"user": 2, follows: 3}
    cases["linear"] = Case(
        lambda lib: lib.nn.HeteroLinear(sizes, 4),
        lambda _, draw: ({"user": draw.normal(3, 2), follows: draw.normal(2, 3)},),
    )
    cases["linear-no-bias"] = Case(
        lambda lib: lib.nn.HeteroLinear(sizes, 4, bias=False),
        lambda _, draw: ({follows: draw.normal(2, 3)},),
    )
    cases["embedding"] = Case(
        lambda lib: lib.nn.HeteroEmbedding(sizes, 4),
        lambda _, draw: ({"user": draw.below(2, 3), follows: draw.below(3, 2)},),
    )
    cases["embedding-reset"] = Case(
        lambda lib: _reset(lib.nn.HeteroEmbedding(sizes, 4)),
        lambda _, draw: ({follows: draw.below(3, 2)},),
    )
    return cases


def _reset(module: nn.Module) -> nn.Module:
    module.reset_parameters()
    return module


def _glob() -> dict[str, Case]:
    def case(name: str, *args: Any, call: Any = None, on: Callable = batch, **kwargs: Any) -> Case:
        nodes = 9 if on is batch else 5

        def build(library: ModuleType) -> nn.Module:
            given = [part() if callable(part) else part for part in args]
            return getattr(library.nn, name)(*given, **kwargs)

        def arguments(library: ModuleType, draw: Draw) -> tuple:
            return on(library), draw.normal(nodes, 4)

        return Case(build, arguments, call or (lambda module, *given: module(*given)))

    def gate() -> nn.Module:
        return nn.Linear(4, 1)

    def values() -> nn.Module:
        return nn.Sequential(nn.Linear(4, 3), nn.Tanh())

    def with_attention(module: nn.Module, g: Any, x: Tensor) -> Any:
        return module(g, x, get_attention=True)

    return {
        "sort": case("SortPooling", 2),
        "sort-many": case("SortPooling", 7),
        "sort-one-graph": case("SortPooling", 3, on=graph),
        "attention": case("GlobalAttentionPooling", gate),
        "attention-values": case("GlobalAttentionPooling", gate, values, call=with_attention),
        "weight-and-sum": case("WeightAndSum", 4),
        "weight-and-sum-one-graph": case("WeightAndSum", 4, on=graph),
        "set2set": case("Set2Set", 4, 3, 1),
        "set2set-layers": case("Set2Set", 4, 2, 2),
        "encoder": case("SetTransformerEncoder", 4, 2, 3, 5, 2),
        "encoder-induced": case("SetTransformerEncoder", 4, 2, 2, 5, 2, "isab", 3),
        "encoder-one-graph": case("SetTransformerEncoder", 4, 1, 4, 5, on=graph),
        "decoder": case("SetTransformerDecoder", 4, 2, 3, 5, 1, 3),
        "decoder-deep": case("SetTransformerDecoder", 4, 2, 2, 5, 2, 1),
    }


def _gt() -> dict[str, Case]:
    def case(name: str, arguments: Callable, *args: Any, **kwargs: Any) -> Case:
        build = lambda library: getattr(library.nn, name)(*args, **kwargs)  # noqa: E731
        single = name == "LapPosEncoder"
        found = lambda library, draw: arguments(draw)  # noqa: E731
        return Case(build, found, single=single, grads="DeepSet" not in args)

    def biased(draw: Draw) -> tuple:
        return draw.normal(2, 5, 6), draw.normal(2, 5, 5, 2)

    def masked(draw: Draw) -> tuple:
        mask = draw.below(2, 2, 5, 5).bool() & ~torch.eye(5, dtype=torch.bool)
        return *biased(draw), mask

    def paths(draw: Draw) -> tuple:
        return draw.below(5, 2, 4, 4) - 1, draw.normal(2, 4, 4, 3, 5)

    def spectrum(draw: Draw) -> tuple:
        return draw.normal(6, 4), draw.normal(6, 4)

    def short_spectrum(draw: Draw) -> tuple:
        absent = torch.arange(4) >= torch.tensor([4, 4, 2, 2, 3, 1])[:, None]
        values, vectors = spectrum(draw)
        nan = float("nan")
        return tuple(x.detach().masked_fill(absent, nan) for x in (values, vectors))

    def pairs(draw: Draw) -> tuple:
        return draw.normal(2, 5, 6), draw.normal(2, 5, 5, 4)

    def masked_pairs(draw: Draw) -> tuple:
        mask = draw.below(2, 2, 5, 5).bool() & ~torch.eye(5, dtype=torch.bool)
        return *pairs(draw), torch.zeros(2, 5, 5).double().masked_fill(mask, float("-inf"))

    points = lambda draw: (draw.normal(2, 4, 3).detach(),)  # noqa: E731
    typed = lambda draw: (draw.normal(2, 4, 3).detach(), draw.below(3, 2, 4))  # noqa: E731
    return {
        "mha": case("BiasedMHA", biased, 6, 2),
        "mha-mul": case("BiasedMHA", masked, 6, 2, bias=False, attn_bias_type="mul"),
        "graphormer": case("GraphormerLayer", masked, 6, 7, 2),
        "graphormer-first": case("GraphormerLayer", biased, 6, 7, 2, "mul", norm_first=True),
        "degree": case("DegreeEncoder", lambda draw: (draw.below(9, 2, 3, 4),), 5, 4),
        "degree-in": case("DegreeEncoder", lambda draw: (draw.below(9, 3, 4),), 5, 4, "in"),
        "spatial": case("SpatialEncoder", lambda draw: (draw.below(6, 2, 4, 4) - 1,), 3, 2),
        "spatial-one-head": case("SpatialEncoder", lambda draw: (draw.below(6, 1, 4, 4) - 1,), 2),
        "spatial3d": case("SpatialEncoder3d", typed, 4, 3, 5),
        "spatial3d-untyped": case("SpatialEncoder3d", points, 3),
        "path": case("PathEncoder", paths, 3, 5, 2),
        "path-one-head": case("PathEncoder", paths, 3, 5),
        "laplacian-transformer": case(
            "LapPosEncoder", spectrum, "Transformer", 2, 4, 6, 2, True, 2
        ),
        "laplacian-transformer-short": case(
            "LapPosEncoder", short_spectrum, "Transformer", 1, 4, 6
        ),
        "laplacian-set": case("LapPosEncoder", spectrum, "DeepSet", 3, 4, 6, num_post_layer=1),
        "laplacian-set-short": case("LapPosEncoder", short_spectrum, "DeepSet", 1, 4, 6),
        "egt": case("EGTLayer", masked_pairs, 6, 4, 2, 1),
        "egt-nodes-only": case("EGTLayer", pairs, 6, 4, 3, 0, edge_update=False),
    }


def _link() -> dict[str, Case]:
    def case(
        name: str,
        *args: Any,
        triples: tuple[int, int] | None = None,
        rows: tuple[int, int, int] = (5, 5, 5),
        **kwargs: Any,
    ) -> Case:
        def arguments(library: ModuleType, draw: Draw) -> tuple:
            if triples is None:
                return draw.normal(5, 4), draw.normal(5, 4)
            rels, width = triples
            heads, tails, count = rows
            return draw.normal(heads, width), draw.normal(tails, width), draw.below(rels, count)

        return Case(lambda library: getattr(library.nn, name)(*args, **kwargs), arguments)

    cases = {f"pair-{op}": case("EdgePredictor", op) for op in ("dot", "cos", "ele", "cat")}
    cases |= {
        f"pair-{op}-linear": case("EdgePredictor", op, 4, 3, bias=op == "ele")
        for op in ("dot", "cos", "ele", "cat")
    }
    return cases | {
        "transe": case("TransE", 3, 4, triples=(3, 4)),
        "transe-2": case("TransE", 3, 4, 2, triples=(3, 4)),
        "transe-one-head": case("TransE", 3, 4, triples=(3, 4), rows=(1, 5, 1)),
        "transr": case("TransR", 3, 2, 4, triples=(3, 4)),
        "transr-one-tail": case("TransR", 3, 2, 4, triples=(3, 4), rows=(5, 1, 5)),
        "transr-2": case("TransR", 3, 5, 4, p=2, triples=(3, 4)),
    }


def _utils() -> dict[str, Case]:
    def spread(labels: Callable, mask: bool, *args: Any, **kwargs: Any) -> Case:
        def arguments(library: ModuleType, draw: Draw) -> tuple:
            known = torch.tensor([True, False, True, True, False]) if mask else None
            return graph(library), labels(draw), known

        return Case(lambda library: library.nn.LabelPropagation(*args, **kwargs), arguments)

    def classes(draw: Draw) -> Tensor:
        return torch.tensor([2, 0, 0, 1, 2])

    def columns(draw: Draw) -> Tensor:
        return draw.below(2, 5, 3)

    def layers(library: ModuleType, draw: Draw) -> tuple:
        return ([draw.normal(5, 4) for _ in range(3)],)

    def two_layers(library: ModuleType) -> nn.Module:
        return library.nn.Sequential(library.nn.GraphConv(4, 3), library.nn.GraphConv(3, 2))

    def many(module: nn.Module, g: Any, x: Tensor) -> Any:
        return module([g, g], x)

    cases = {
        f"jumping-{mode}": Case(lambda lib, m=mode: lib.nn.JumpingKnowledge(m, 4, 3), layers)
        for mode in ("cat", "max", "lstm")
    }
    features = lambda library, draw: (graph(library), draw.normal(5, 4))  # noqa: E731
    return cases | {
        "labels": spread(classes, True, 3, 0.7),
        "labels-all-known": spread(classes, False, 3, 0.7),
        "labels-rows": spread(classes, True, 2, 0.4, "row", clamp=False, normalize=True),
        "labels-reset": spread(columns, True, 2, 0.9, normalize=True, reset=True),
        "labels-columns": spread(columns, True, 4, 0.9, "row"),
        "basis": Case(lambda lib: lib.nn.WeightBasis((3, 4), 2, 5), lambda lib, draw: ()),
        "basis-of-vectors": Case(lambda lib: lib.nn.WeightBasis((4,), 3, 4), lambda lib, draw: ()),
        "sequence": Case(two_layers, features),
        "sequence-of-graphs": Case(two_layers, features, many),
    }


def _network_emb() -> dict[str, Case]:
    def deepwalk(library: ModuleType, window: int) -> nn.Module:
        return library.nn.DeepWalk(
            graph(library), 4, 5, window, negative_size=2, neg_weight=0, sparse=False
        )

    def walks(library: ModuleType, draw: Draw) -> tuple:
        return (draw.below(5, 6, 5),)

    def metapath2vec(library: ModuleType, size: int) -> nn.Module:
        u, v = _columns([(0, 0), (1, 1), (2, 1)])
        g = library.heterograph(
            {("user", "uc", "company"): (u, v), ("company", "cu", "user"): (v, u)}
        )
        return library.nn.MetaPath2Vec(g, ["uc", "cu"], 1, 4, size, sparse=False)

    def pairs(size: int) -> Callable:
        return lambda library, draw: (draw.below(5, 7), draw.below(5, 7), draw.below(5, 7, size))

    return {
        "deepwalk": Case(lambda lib: deepwalk(lib, 2), walks),
        "deepwalk-wide": Case(lambda lib: deepwalk(lib, 4), walks),
        "metapath2vec": Case(lambda lib: metapath2vec(lib, 2), pairs(2)),
        "metapath2vec-three": Case(lambda lib: metapath2vec(lib, 3), pairs(3)),
    }


class Explained(nn.Module):
    """A model that every explainer can call: one weighted convolution and a linear map."""

    def __init__(self, library: ModuleType, whole: bool) -> None:
        super().__init__()
        self.conv = library.nn.GraphConv(4, 5, norm="right", allow_zero_in_degree=True)
        self.out = nn.Linear(5, 3)
        self.pool = library.nn.AvgPooling() if whole else None

    def forward(
        self,
        graph: Any,
        feat: Tensor,
        embed: bool = False,
        edge_weight: Any = None,
        eweight: Any = None,
    ) -> Tensor:
        """Embeddings, or logits of nodes or graphs."""
        weight = eweight if edge_weight is None else edge_weight
        h = self.conv(graph, feat, edge_weight=weight).tanh()
        if embed:
            return h
        return self.out(h if self.pool is None else self.pool(graph, h))


class ExplainedByType(nn.Module):
    """A model of several edge types that explainers can call."""

    def __init__(self, library: ModuleType) -> None:
        super().__init__()
        names = ("follows", "plays", "sells", "visits")
        convs = {name: library.nn.GraphConv(4, 3, allow_zero_in_degree=True) for name in names}
        self.conv = library.nn.HeteroGraphConv(convs)

    def forward(self, graph: Any, feat: dict[str, Tensor], eweight: Any = None) -> dict:
        """Logits of the nodes of each type."""
        weights = eweight or {}
        kwargs = {etype[1]: {"edge_weight": weight} for etype, weight in weights.items()}
        return self.conv(graph, feat, mod_kwargs=kwargs)


def _explain() -> dict[str, Case]:
    def two_ways(library: ModuleType) -> Any:
        pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (1, 3), (4, 0)]
        return library.graph(_columns(pairs + [(v, u) for u, v in pairs]), num_nodes=5)

    def arguments(library: ModuleType, draw: Draw) -> tuple:
        return two_ways(library), draw.normal(5, 4).detach()

    def pg(whole: bool) -> Callable:
        hops = {} if whole else {"num_hops": 1, "explain_graph": False}
        return lambda library: library.nn.PGExplainer(Explained(library, whole), 5, **hops)

    def gnn(whole: bool) -> Callable:
        return lambda library: library.nn.GNNExplainer(
            Explained(library, whole), 1, lr=0.05, num_epochs=5, log=False
        )

    def masks_of_graph(module: nn.Module, g: Any, feat: Tensor) -> Any:
        torch.manual_seed(0)
        return module.explain_graph(g, feat)

    def masks_of_node(module: nn.Module, g: Any, feat: Tensor) -> Any:
        torch.manual_seed(0)
        _, _, feat_mask, edge_mask = module.explain_node(2, g, feat)
        return feat_mask, edge_mask

    def features_by_type(library: ModuleType, draw: Draw) -> tuple:
        sizes = {"user": 3, "store": 1, "game": 2}
        feat = {ntype: draw.normal(size, 4).detach() for ntype, size in sizes.items()}
        return hetero(library), feat

    def masks_by_type(module: nn.Module, g: Any, feat: dict[str, Tensor]) -> Any:
        torch.manual_seed(0)
        _, _, feat_mask, edge_mask = module.explain_node("game", 1, g, feat)
        return feat_mask, edge_mask

    def weights_of_nodes(module: nn.Module, g: Any, feat: Tensor) -> Any:
        probabilities, weights, _, centers = module.explain_node([2, 0], g, feat)
        return probabilities[centers], weights

    return {
        "pg-graph": Case(pg(True), arguments, lambda m, g, x: m.explain_graph(g, x), grads=False),
        "pg-nodes": Case(pg(False), arguments, weights_of_nodes, grads=False),
        "gnn-graph": Case(gnn(True), arguments, masks_of_graph, single=True, grads=False),
        "gnn-node": Case(gnn(False), arguments, masks_of_node, single=True, grads=False),
        "hetero-gnn-node": Case(
            lambda library: library.nn.HeteroGNNExplainer(
                ExplainedByType(library), 2, lr=0.05, num_epochs=5, log=False
            ),
            features_by_type,
            masks_by_type,
            single=True,
            grads=False,
        ),
    }


GROUPS = {
    "typedlinear": _typed_linear(),
    "relgraphconv": _relgraphconv(),
    "hgtconv": _hgtconv(),
    "hetero": _hetero(),
    "glob": _glob(),
    "gt": _gt(),
    "link": _link(),
    "utils": _utils(),
    "network_emb": _network_emb(),
    "explain": _explain(),
}

CASES = {f"{group}/{name}": case for group, cases in GROUPS.items() for name, case in cases.items()}
