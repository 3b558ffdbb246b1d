"""Message passing against a loop over edges, forward and backward, with random cotangents."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import gossamer as gs
from gossamer.errors import InvalidValueError
from helpers.compare import assert_tensor_equal, random_cotangent_grads
from helpers.graphs import GraphCase, graph_cases

fn = gs.function

MESSAGES: dict[str, tuple[object, Callable[[Tensor, Tensor, Tensor], Tensor]]] = {
    "copy_u": (fn.copy_u("x", "m"), lambda u, v, e: u),
    "copy_e": (fn.copy_e("w", "m"), lambda u, v, e: e),
    "u_mul_e": (fn.u_mul_e("x", "w", "m"), lambda u, v, e: u * e),
    "e_sub_u": (fn.e_sub_u("w", "x", "m"), lambda u, v, e: e - u),
    "v_add_u": (fn.v_add_u("y", "x", "m"), lambda u, v, e: v + u),
    "e_div_v": (fn.e_div_v("w", "y", "m"), lambda u, v, e: e / v),
    "u_dot_v": (fn.u_dot_v("x", "y", "m"), lambda u, v, e: (u * v).sum(-1, keepdim=True)),
    "udf": (
        lambda edges: {"m": edges.src["x"] * edges.dst["y"] + edges.data["w"]},
        lambda u, v, e: u * v + e,
    ),
}
REDUCERS: dict[str, tuple[object, Callable[[Tensor], Tensor]]] = {
    "sum": (fn.sum("m", "out"), lambda mail: mail.sum(0)),
    "mean": (fn.mean("m", "out"), lambda mail: mail.mean(0)),
    "max": (fn.max("m", "out"), lambda mail: mail.amax(0)),
    "min": (fn.min("m", "out"), lambda mail: mail.amin(0)),
    "udf": (
        lambda nodes: {"out": nodes.mailbox["m"].prod(1)},
        lambda mail: mail.prod(0),
    ),
}
AWKWARD = {
    "unsorted-int64",
    "self_loops-int64",
    "duplicate_edges-int32",
    "isolated_nodes-int64",
    "no_edges-int64",
    "no_nodes-int64",
    "bipartite_sparse-int32",
    "block_sparse-int64",
}
SMALL = [case for case in graph_cases() if case.id in AWKWARD]


def features(g: gs.Graph, etype=None) -> dict[str, Tensor]:
    """Float64 features of distinct values, away from 0."""
    generator = torch.Generator().manual_seed(5)
    src, _, dst = g.to_canonical_etype(etype) if etype else g.canonical_etypes[0]

    def draw(count: int) -> Tensor:
        values = torch.rand(count, 3, generator=generator, dtype=torch.float64) + 0.5
        return values * (torch.randint(0, 2, values.shape, generator=generator) * 2 - 1)

    return {
        "x": draw(g.num_src_nodes(src)),
        "y": draw(g.num_dst_nodes(dst)),
        "w": draw(g.num_edges(etype)),
    }


def by_loop(g: gs.Graph, message, reduce, x: Tensor, y: Tensor, w: Tensor) -> Tensor:
    """The oracle: one message an edge, one reduction a node, in the order of edge ids."""
    row, col = (ids.tolist() for ids in g.edges())
    mail = [message(x[u], y[v], w[e]) for e, (u, v) in enumerate(zip(row, col, strict=True))]
    width = message(x.new_ones(3), x.new_ones(3), x.new_ones(3)).shape
    rows = []
    for node in range(y.shape[0]):
        received = [m for m, v in zip(mail, col, strict=True) if v == node]
        rows.append(reduce(torch.stack(received)) if received else x.new_zeros(width))
    empty = x.new_zeros((0, *width)) + 0 * (x.sum() + y.sum() + w.sum())
    return torch.cat([empty, *[row[None] + 0 * x.sum() for row in rows]])


def run(g: gs.Graph, message, reduce, x: Tensor, y: Tensor, w: Tensor) -> Tensor:
    with g.local_scope():
        g.srcdata["x"], g.dstdata["y"], g.edata["w"] = x, y, w
        g.update_all(message, reduce)
        return g.dstdata["out"]


@pytest.mark.parametrize("reducer", REDUCERS)
@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("case", SMALL)
def test_update_all_and_its_gradients(case: GraphCase, message: str, reducer: str) -> None:
    g = case()
    if reducer == "udf" and g.num_edges() == 0:
        with g.local_scope():
            g.srcdata["x"], g.dstdata["y"], g.edata["w"] = features(g).values()
            g.update_all(MESSAGES[message][0], REDUCERS[reducer][0])
            assert "out" not in g.dstdata, "no node is reduced, so no feature is known"
        return
    builtin, oracle = zip(MESSAGES[message], REDUCERS[reducer], strict=True)
    inputs = features(g)
    (found,), grads = random_cotangent_grads(lambda **f: run(g, *builtin, **f) + touch(f), inputs)
    (wanted,), expected = random_cotangent_grads(
        lambda **f: by_loop(g, *oracle, **f) + touch(f), inputs
    )
    torch.testing.assert_close(found, wanted)
    for name in inputs:
        torch.testing.assert_close(grads[name], expected[name], msg=f"gradient of {name}")


def touch(inputs: dict[str, Tensor]) -> Tensor:
    """Zero that depends on every input, so that each has a gradient."""
    return 0 * sum(value.sum() for value in inputs.values())


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "dot"])
@pytest.mark.parametrize("ends", ["u_v", "v_u", "u_e", "e_u", "v_e", "e_v"])
def test_apply_edges_for_each_pair_of_operands(name: str, ends: str) -> None:
    operators = {
        "add": torch.add,
        "sub": torch.sub,
        "mul": torch.mul,
        "div": torch.div,
        "dot": lambda a, b: (a * b).sum(-1, keepdim=True),
    }
    g = gs.create_block(([2, 0, 1, 1], [0, 1, 1, 0]), num_src_nodes=3, num_dst_nodes=2)
    data = features(g)
    row, col = g.edges()
    gathered = {"u": data["x"][row], "v": data["y"][col], "e": data["w"]}
    left, right = ends.split("_")
    g.srcdata["u"], g.dstdata["v"], g.edata["e"] = data["x"], data["y"], data["w"]
    g.apply_edges(getattr(fn, f"{left}_{name}_{right}")(left, right, "z"))

    wanted = operators[name](gathered[left], gathered[right])
    torch.testing.assert_close(g.edata["z"], wanted)


def test_features_broadcast_as_in_numpy() -> None:
    g = gs.graph(([0, 1, 0], [1, 1, 0]))
    g.ndata["h"] = torch.randn(2, 4, 3)
    g.edata["a"] = torch.randn(3, 4, 1)
    g.update_all(fn.u_mul_e("h", "a", "m"), fn.sum("m", "out"))
    g.apply_edges(fn.u_dot_v("h", "h", "z"))
    g.edata["s"] = torch.randn(3)
    g.ndata["scalar"] = torch.randn(2)
    g.apply_edges(fn.u_mul_e("scalar", "s", "z2"))

    row, col = g.edges()
    mail = g.ndata["h"][row] * g.edata["a"]
    torch.testing.assert_close(g.ndata["out"], torch.zeros(2, 4, 3).index_add_(0, col, mail))
    assert g.edata["z"].shape == (3, 4, 1)
    assert_tensor_equal(g.edata["z2"], g.ndata["scalar"][row] * g.edata["s"])


# --- user-defined functions ----------------------------------------------------------------------


@pytest.mark.parametrize("case", graph_cases("homogeneous", exclude="no_edges"))
def test_reduce_functions_get_buckets_of_equal_degree(case: GraphCase) -> None:
    g = case()
    row, col = (ids.tolist() for ids in g.edges())
    g.ndata["id"] = torch.arange(g.num_nodes())
    seen: dict[int, list[int]] = {}
    degrees = []

    def message(edges):
        source, target, eid = edges.edges()
        assert source.tolist() == edges.src["id"].tolist() == row
        assert target.tolist() == edges.dst["id"].tolist() == col
        assert {source.dtype, target.dtype, eid.dtype} == {case.idtype}
        assert edges.batch_size() == len(edges) == g.num_edges()
        return {"eid": eid}

    def reduce(nodes):
        mail = nodes.mailbox["eid"]
        assert mail.shape[0] == nodes.batch_size() == len(nodes)
        assert nodes.nodes().tolist() == nodes.data["id"].tolist()
        degrees.append(mail.shape[1])
        seen.update(zip(nodes.nodes().tolist(), mail.tolist(), strict=True))
        return {"out": mail[:, 0]}

    g.update_all(message, reduce)
    wanted: dict[int, list[int]] = {}
    for eid, node in enumerate(col):
        wanted.setdefault(node, []).append(eid)
    assert seen == wanted, "messages stand in the order of edge ids"
    assert degrees == sorted(set(map(len, wanted.values()))), "one call a degree"
    missing = [node for node in range(g.num_nodes()) if node not in wanted]
    assert g.ndata["out"][missing].tolist() == [0] * len(missing)


def test_nodes_without_messages_get_initial_values() -> None:
    g = gs.graph(([0], [1]), num_nodes=3)
    g.ndata["h"] = torch.ones(3)
    g.set_n_initializer(lambda shape, dtype, ctx, ids: torch.full(shape, 7.0, dtype=dtype))
    g.update_all(fn.copy_u("h", "m"), lambda nodes: {"out": nodes.mailbox["m"].sum(1)})

    assert_tensor_equal(g.ndata["out"], torch.tensor([7.0, 1.0, 7.0]))


def test_apply_functions_run_afterwards() -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.ndata["h"] = torch.tensor([1.0, 2.0, 3.0])
    g.update_all(
        fn.copy_u("h", "m"), fn.sum("m", "h"), lambda nodes: {"h": nodes.data["h"] + nodes.nodes()}
    )

    assert_tensor_equal(g.ndata["h"], torch.tensor([0.0, 2.0, 4.0]))


_SEND = {
    "update_all": lambda g, *functions: g.update_all(*functions),
    "pull": lambda g, *functions: g.pull([4, 2], *functions),
    "push": lambda g, *functions: g.push([0], *functions),
    "send_and_recv": lambda g, *functions: g.send_and_recv([1, 2], *functions),
    "prop_nodes": lambda g, *functions: g.prop_nodes([[1], [2]], *functions),
    "prop_edges": lambda g, *functions: g.prop_edges([[0], [1, 2]], *functions),
}
# What DGL 2.1.0 gives for the new feature.
_APPLIED = {
    "update_all": [0, 1, 3, 4, 0],
    "pull": [0, 0, 3, 0, 0],
    "push": [0, 1, 1, 0, 0],
    "send_and_recv": [0, 0, 3, 0, 0],
    "prop_nodes": [0, 1, 3, 0, 0],
    "prop_edges": [0, 1, 3, 0, 0],
}


@pytest.mark.parametrize("reduce", [fn.sum("m", "h"), lambda n: {"h": n.mailbox["m"].sum(1)}])
@pytest.mark.parametrize("how", _SEND)
def test_only_what_the_apply_function_returns_is_kept(how: str, reduce: Callable) -> None:
    g = gs.graph(([0, 0, 1, 3], [1, 2, 2, 3]), num_nodes=5)
    g.ndata["h"] = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    _SEND[how](g, fn.copy_u("h", "m"), reduce, lambda nodes: {"z": nodes.data["h"]})

    assert sorted(g.ndata) == ["h", "z"]
    assert g.ndata["h"].tolist() == [1, 2, 3, 4, 5]
    assert g.ndata["z"].tolist() == _APPLIED[how]


# --- parts of a graph ----------------------------------------------------------------------------


# What DGL 2.1.0 gives for sums and means.
_LISTED_TWICE = [
    (lambda g, *functions: g.pull([2, 1, 2], *functions), [0, 1, 6, 0], [0, 1, 1.5, 0]),
    (lambda g, *functions: g.pull([3, 3], *functions), [0, 0, 0, 0], [0, 0, 0, 0]),
    (lambda g, *functions: g.push([1, 0, 1], *functions), [0, 1, 5, 0], [0, 1, 5 / 3, 0]),
    (lambda g, *functions: g.send_and_recv([1, 2, 1], *functions), [0, 0, 4, 0], [0, 0, 4 / 3, 0]),
]


@pytest.mark.parametrize(("call", "sums", "means"), _LISTED_TWICE)
def test_what_is_listed_twice_counts_twice(call: Callable, sums: list, means: list) -> None:
    g = gs.graph(([0, 0, 1], [1, 2, 2]), num_nodes=4)
    g.ndata["h"] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    call(g, fn.copy_u("h", "m"), fn.sum("m", "sum"))
    call(g, fn.copy_u("h", "m"), fn.mean("m", "mean"))
    call(g, fn.copy_u("h", "m"), lambda nodes: {"udf": nodes.mailbox["m"].sum(1)})
    assert g.ndata["sum"].tolist() == sums
    assert_tensor_equal(g.ndata["mean"], torch.tensor(means, dtype=torch.float32))
    assert ("udf" in g.ndata) == any(sums)  # without messages, the function is not called
    if any(sums):
        assert g.ndata["udf"].tolist() == sums


@pytest.mark.parametrize("case", graph_cases("homogeneous", exclude="no_edges"))
def test_parts_update_only_who_receives(case: GraphCase) -> None:
    g = case()
    before = torch.randn(g.num_nodes(), 2, dtype=torch.float64)
    row, col = g.edges()
    chosen = torch.arange(0, g.num_edges(), 2, dtype=case.idtype)

    def wanted(eids: Tensor, nodes: Tensor) -> Tensor:
        sums = torch.zeros_like(before).index_add_(
            0, col[eids.long()].long(), before[row[eids.long()].long()]
        )
        result = before.clone()
        result[nodes.long()] = sums[nodes.long()]
        return result

    functions = fn.copy_u("h", "m"), fn.sum("m", "h")
    receivers = col[chosen.long()].unique()
    for ask in (
        lambda: g.send_and_recv(chosen, *functions),
        lambda: g.send_and_recv(chosen.tolist(), lambda e: {"m": e.src["h"]}, functions[1]),
        lambda: g.send_and_recv(
            chosen, functions[0], lambda nodes: {"h": nodes.mailbox["m"].sum(1)}
        ),
    ):
        g.ndata["h"] = before
        ask()
        torch.testing.assert_close(g.ndata["h"], wanted(chosen, receivers))
    some = torch.arange(0, g.num_nodes(), 3, dtype=case.idtype)
    incoming = g.in_edges(some, form="eid")
    g.ndata["h"] = before
    g.pull(some, *functions)
    torch.testing.assert_close(g.ndata["h"], wanted(incoming, some))
    outgoing = g.out_edges(some, form="eid")
    g.ndata["h"] = before
    g.push(some, *functions)
    torch.testing.assert_close(g.ndata["h"], wanted(outgoing, col[outgoing.long()].unique()))


def test_propagation_is_one_step_after_another() -> None:
    def chain() -> gs.Graph:
        g = gs.graph(([0, 1, 2], [1, 2, 3]))
        g.ndata["h"] = torch.tensor([1.0, 0.0, 0.0, 0.0])
        return g

    functions = fn.copy_u("h", "m"), fn.sum("m", "h")
    g = chain()
    g.prop_nodes([[1], [2], [3]], *functions)
    assert_tensor_equal(g.ndata["h"], torch.ones(4))
    g = chain()
    g.prop_edges(iter([[0], [1]]), *functions)
    assert_tensor_equal(g.ndata["h"], torch.tensor([1.0, 1.0, 1.0, 0.0]))


def test_apply_edges_on_some_edges() -> None:
    g = gs.graph(([0, 1, 2], [1, 2, 0]))
    g.ndata["h"] = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    g.edata["s"] = torch.full((3,), 9.0)
    g.apply_edges(fn.u_add_v("h", "h", "s"), edges=[2])
    g.apply_edges(fn.u_mul_v("h", "h", "new"), edges=([0], [1]))
    assert_tensor_equal(g.edata["s"].detach(), torch.tensor([9.0, 9.0, 5.0]))
    assert_tensor_equal(g.edata["new"].detach(), torch.tensor([2.0, 0.0, 0.0]))

    cotangent = torch.randn(3)
    (g.edata["s"] * cotangent).sum().backward()
    wanted = torch.stack([cotangent[2], torch.tensor(0.0), cotangent[2]])
    assert_tensor_equal(g.ndata["h"].grad, wanted)


def test_apply_nodes_on_some_nodes() -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.ndata["h"] = torch.tensor([1.0, 2.0, 3.0])
    g.apply_nodes(lambda nodes: {"h": nodes.data["h"] * 10, "id": nodes.nodes()}, [2, 0])

    assert_tensor_equal(g.ndata["h"], torch.tensor([10.0, 2.0, 30.0]))
    assert_tensor_equal(g.ndata["id"], torch.tensor([0, 0, 2]))


# --- several edge types --------------------------------------------------------------------------


def two_relations() -> gs.Graph:
    """Item 0 hears from both, 1 from ``likes``, 2 from ``owns``, 3 from none."""
    g = gs.heterograph(
        {
            ("user", "likes", "item"): ([0, 1, 1], [0, 0, 1]),
            ("user", "owns", "item"): ([1, 2], [0, 2]),
        },
        {"user": 3, "item": 4},
    )
    g.nodes["user"].data["h"] = torch.tensor([[-1.0], [-2.0], [-3.0]])
    return g


@pytest.mark.parametrize(
    ("cross", "reduce", "wanted"),
    [
        ("sum", "sum", [-5.0, -2, -3, 0]),
        ("mean", "sum", [-2.5, -1, -1.5, 0]),
        ("max", "sum", [-2.0, 0, 0, 0]),
        ("min", "sum", [-3.0, -2, -3, 0]),
        ("sum", "max", [-3.0, -2, -3, 0]),
        ("max", "max", [-1.0, -2, -3, 0]),
        ("min", "min", [-2.0, -2, -3, 0]),
        ("min", "max", [-2.0, -2, -3, 0]),
    ],
)
def test_cross_type_reducers(cross: str, reduce: str, wanted: list) -> None:
    g = two_relations()
    functions = fn.copy_u("h", "m"), getattr(fn, reduce)("m", "out")
    g.multi_update_all({"likes": functions, "owns": functions}, cross)

    assert_tensor_equal(g.nodes["item"].data["out"].flatten(), torch.tensor(wanted))


def test_a_maximum_over_types_is_that_over_all_messages() -> None:
    for name in ("max", "min", "sum"):
        g = two_relations()
        reduce = getattr(fn, name)("m", "out")
        g.update_all(fn.copy_u("h", "m"), reduce)
        merged = g[:, :, "item"]
        merged.update_all(fn.copy_u("h", "m"), reduce)
        assert_tensor_equal(g.nodes["item"].data["out"], merged.dstdata["out"])


def test_gradients_of_a_maximum_over_types() -> None:
    g = two_relations()
    h = torch.tensor([[-1.0], [-2.0], [-3.0]], requires_grad=True)
    g.nodes["user"].data["h"] = h
    g.update_all(fn.copy_u("h", "m"), fn.max("m", "out"))
    (g.nodes["item"].data["out"].flatten() * torch.tensor([1.0, 10, 100, 1000])).sum().backward()

    assert_tensor_equal(h.grad, torch.tensor([[1.0], [10.0], [100.0]]))


def test_stack_and_callables_see_every_type() -> None:
    g = two_relations()
    functions = fn.copy_u("h", "m"), fn.sum("m", "out")
    g.multi_update_all({"likes": functions, "owns": functions}, "stack")
    assert g.nodes["item"].data["out"].shape == (4, 2, 1)
    assert g.nodes["item"].data["out"][0].flatten().tolist() == [-3.0, -2.0]
    g.multi_update_all(
        {"likes": functions, "owns": functions},
        lambda values: torch.cat(values, dim=1),
        lambda nodes: {"out": -nodes.data["out"]},
    )
    assert g.nodes["item"].data["out"].tolist() == [[3, 2], [2, 0], [0, 3], [0, 0]]


def test_apply_function_of_one_edge_type() -> None:
    g = two_relations()
    g.multi_update_all(
        {
            "likes": (
                fn.copy_u("h", "m"),
                fn.sum("m", "out"),
                lambda nodes: {"out": nodes.data["out"] * 100},
            ),
            "owns": (fn.copy_u("h", "m"), fn.sum("m", "out")),
        },
        "sum",
    )
    assert g.nodes["item"].data["out"].flatten().tolist() == [-302, -200, -3, 0]


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (
            lambda g: g.update_all(fn.copy_u("x", "m"), fn.sum("m", "o")),
            gs.UnknownKeyError,
            r"no node feature 'x'; there are \['h'\]",
        ),
        (
            lambda g: g.update_all(fn.copy_u("h", "m"), fn.sum("n", "o")),
            gs.InvalidValueError,
            r"copy_u\('h', 'm'\) sends 'm' but sum\('n', 'o'\) reads 'n'. Give both",
        ),
        (
            lambda g: g.update_all(lambda edges: {"m": edges.src["h"]}, fn.sum("n", "o")),
            gs.InvalidValueError,
            r"reads message 'n', but the message function sends \['m'\]",
        ),
        (
            lambda g: g.update_all(3, fn.sum("m", "o")),
            gs.InvalidTypeError,
            "message function must be a built-in .* or a callable, got int: 3",
        ),
        (
            lambda g: g.update_all(fn.copy_u("h", "m"), None),
            gs.InvalidTypeError,
            "reduce function must be .*got NoneType",
        ),
        (
            lambda g: g.update_all(lambda edges: edges.src["h"], fn.sum("m", "o")),
            gs.InvalidTypeError,
            "message function returns a dict from feature name to tensor, got Tensor",
        ),
        (
            lambda g: g.apply_edges(lambda edges: {"z": torch.ones(5)}),
            gs.InvalidValueError,
            r"message function gave \(5,\) for 'z'; expected a tensor with 2 rows",
        ),
        (
            lambda g: g.update_all(fn.copy_u("h", "m"), lambda nodes: {"o": 3}),
            gs.InvalidValueError,
            "reduce function gave int for 'o'; expected a tensor with 2 rows",
        ),
        (
            lambda g: g.apply_nodes(lambda nodes: {"o": torch.ones(9)}),
            gs.InvalidValueError,
            r"apply function gave \(9,\) for 'o'; expected a tensor with 3 rows",
        ),
        (lambda g: g.apply_nodes(None), gs.InvalidTypeError, "apply function must be"),
        (
            lambda g: g.apply_nodes(lambda n: {"h": torch.ones(1, 5)}, [0]),
            gs.InvalidValueError,
            r"Rows of node feature 'h' have row shape \(2,\)",
        ),
        (
            lambda g: g.multi_update_all({"_E": fn.copy_u("h", "m")}, "sum"),
            gs.InvalidValueError,
            r"edge type '_E' needs \(message, reduce\) or .* functions, got copy_u",
        ),
        (
            lambda g: g.multi_update_all({"_E": (fn.copy_u("h", "m"), fn.sum("m", "o"))}, "prod"),
            gs.InvalidValueError,
            r"one of \['sum', 'mean', 'max', 'min', 'stack'\] or a callable, got 'prod'",
        ),
        (
            lambda g: g.multi_update_all({"x": (fn.copy_u("h", "m"), fn.sum("m", "o"))}, "sum"),
            gs.UnknownKeyError,
            "no edge type 'x'",
        ),
        (lambda g: g.apply_edges(fn.u_add_v("h", "x", "z")), gs.UnknownKeyError, "feature 'x'"),
        (lambda g: g.pull([0], fn.copy_u("x", "m"), fn.sum("m", "o")), gs.UnknownKeyError, "'x'"),
    ],
)
def test_wrong_functions(ask, error, message) -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.ndata["h"] = torch.ones(3, 2)
    with pytest.raises(error, match=message):
        ask(g)


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (
            lambda g: g.update_all(lambda edges: {}, fn.sum("m", "o")),
            gs.InvalidTypeError,
            "update_all without etype takes built-in functions only. Name the edge type",
        ),
        (
            lambda g: g.update_all(fn.copy_u("h", "m"), fn.mean("m", "o")),
            gs.InvalidValueError,
            "mean over several edge types is ambiguous",
        ),
        (
            lambda g: g.apply_edges(fn.copy_u("h", "z"), edges=[0]),
            gs.InvalidTypeError,
            "apply_edges without etype takes a built-in function and all edges",
        ),
        (
            lambda g: g.pull([0], fn.copy_u("h", "m"), fn.sum("m", "o")),
            gs.InvalidValueError,
            "several edge types, so the edge type must be named",
        ),
    ],
)
def test_several_edge_types_must_be_told_apart(ask, error, message) -> None:
    with pytest.raises(error, match=message):
        ask(two_relations())


def test_shapes_that_do_not_broadcast() -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.ndata["h"], g.edata["w"] = torch.ones(3, 4), torch.ones(2, 3)
    with pytest.raises(gs.GossamerError, match=r"shapes \(4,\) and \(3,\) must broadcast"):
        g.update_all(fn.u_mul_e("h", "w", "m"), fn.sum("m", "o"))
    g.edata["w"] = torch.ones(2, 4, dtype=torch.float64)
    with pytest.raises(gs.GossamerError, match="dtype"):
        g.update_all(fn.u_mul_e("h", "w", "m"), fn.sum("m", "o"))


@pytest.mark.parametrize("apply", [None, lambda nodes: {"out": nodes.data["out"]}])
@pytest.mark.parametrize("name", ["max", "min"])
def test_extremes_over_types_with_an_apply_function(name: str, apply: Callable | None) -> None:
    """A type that does not reach a node has no say there, as without the function."""
    g = two_relations()
    g.nodes["user"].data["h"].mul_(-1 if name == "min" else 1)  # a wrong 0 would win
    functions = fn.copy_u("h", "m"), getattr(fn, name)("m", "out")
    g.multi_update_all({"likes": functions, "owns": functions}, name)
    expected = g.nodes["item"].data.pop("out")
    functions = *functions, apply
    g.multi_update_all({"likes": functions, "owns": functions}, name)
    assert_tensor_equal(g.nodes["item"].data["out"], expected)


@pytest.mark.parametrize("name", ["max", "sum"])
def test_nodes_that_no_type_reaches_keep_what_the_apply_function_gives(name: str) -> None:
    g = gs.heterograph({("user", "likes", "item"): ([0], [1])})
    g.nodes["user"].data["h"] = torch.ones(1, 1)
    g.nodes["item"].data["own"] = torch.full((2, 1), 5.0)
    functions = (
        fn.copy_u("h", "m"),
        fn.max("m", "out"),
        lambda nodes: {"out": nodes.data["out"] + nodes.data["own"]},
    )
    g.multi_update_all({"likes": functions}, name)
    assert g.nodes["item"].data["out"].tolist() == [[5], [6]]


def test_the_features_of_an_edge_type_are_those_that_its_apply_function_returns() -> None:
    g = two_relations()
    functions = fn.copy_u("h", "m"), fn.max("m", "out"), lambda nodes: {"new": nodes.data["out"]}
    g.multi_update_all({"likes": functions}, "max")
    assert list(g.nodes["item"].data) == ["new"]


def test_types_are_stacked_in_the_order_of_their_ids() -> None:
    g = two_relations()
    functions = fn.copy_u("h", "m"), fn.sum("m", "out")
    results = []
    for order in (["likes", "owns"], ["owns", "likes"]):
        g.multi_update_all(dict.fromkeys(order, functions), "stack")
        results.append(g.nodes["item"].data["out"])
    assert_tensor_equal(*results)
    assert g.etypes.index("likes") < g.etypes.index("owns")
    assert results[0][0].flatten().tolist() == [-3.0, -2.0]


def test_writing_into_the_features_of_nodes_leaves_the_graph_alone() -> None:
    g = gs.graph(([0], [1]))
    g.ndata["h"] = torch.ones(2, 1)
    g.apply_nodes(lambda nodes: {"new": nodes.data["h"].mul_(2)})
    assert g.ndata["h"].tolist() == [[1], [1]]
    assert g.ndata["new"].tolist() == [[2], [2]]


@pytest.mark.parametrize("reducer", ["sum", "max"])
def test_types_with_features_of_different_width(reducer: str) -> None:
    g = gs.heterograph({("u", "a", "i"): ([0], [0]), ("v", "b", "i"): ([0], [0])})
    g.nodes["u"].data["h"], g.nodes["v"].data["h"] = torch.ones(1, 3), torch.ones(1, 1)
    reduce = getattr(gs.function, reducer)("m", "o")
    with pytest.raises(
        InvalidValueError, match=r"'o' has shape \(3,\) along \('u', 'a', 'i'\), but"
    ):
        g.update_all(gs.function.copy_u("h", "m"), reduce)
    assert "o" not in g.nodes["i"].data
