"""Message passing with built-in and user-defined functions.

In the expressions `g` is the input, `E` one of its edge types with `U` and `V` at the ends (None on
a homogeneous graph), ``ids(...)`` makes ids of the graph's id type and ``x(...)`` a tensor of the
given shape.
"""

from __future__ import annotations

from typing import Any

import torch

from golden.harness import Difference, Table

_MESSAGES = [
    "fn.copy_u('h', 'm')",
    "fn.copy_e('w', 'm')",
    "fn.u_mul_e('h', 'w', 'm')",
    "fn.e_sub_u('w', 'h', 'm')",
    "fn.u_add_v('h', 'h', 'm')",
    "fn.v_div_e('h', 'p', 'm')",
    "fn.u_dot_v('h', 'h', 'm')",
    "lambda edges: {'m': edges.src['h'] * edges.dst['h'] + edges.data['w']}",
]

_REDUCERS = [
    "fn.sum('m', 'out')",
    "fn.mean('m', 'out')",
    "fn.max('m', 'out')",
    "fn.min('m', 'out')",
    "lambda nodes: {'out': nodes.mailbox['m'].cumsum(1)[:, -1] + nodes.data['h'][:, :1]}",
]

_UPDATES = [
    f"positive(g, E); g.update_all({message}, {reducer}, etype=E); out(g, V)"
    for message in _MESSAGES
    for reducer in _REDUCERS
]

_EDGE_MESSAGES = [
    f"fn.{left}_{op}_{right}('{names[left]}', '{names[right]}', 'z')"
    for names in [{"u": "h", "v": "h", "e": "p"}]
    for left in "uve"
    for right in "uve"
    for op in ("add", "sub", "mul", "div", "dot")
    if left != right
]

_APPLY_EDGES = [
    f"positive(g, E); g.apply_edges({message}, etype=E); g.edges[E].data['z']"
    for message in ["fn.copy_u('h', 'z')", "fn.copy_e('w', 'z')", *_EDGE_MESSAGES]
]

_PAIR = "fn.u_mul_e('h', 'w', 'm'), fn.sum('m', 'h')"

_PASSING = [
    "g.update_all(fn.copy_u('h', 'm'), fn.sum('m', 'out'), double, etype=E); out(g, V)",
    "g.update_all(first, fn.max('m', 'out'), etype=E); out(g, V)",
    "g.update_all(first, degree, etype=E); out(g, V)",
    "g.update_all(edge_ends, last, etype=E); out(g, V)",
    "g.update_all(fn.copy_u('h', 'm'), node_ids, etype=E); out(g, V)",
    "g.update_all(fn.copy_u('h', 'm'), batch_sizes, etype=E); out(g, V)",
    "g.dstnodes[V].data['out'] = x(g.num_dst_nodes(V), 2); "
    "g.update_all(fn.copy_u('h', 'm'), degree, etype=E); out(g, V)",
    "g.dstnodes[V].data['out'] = x(g.num_dst_nodes(V), 2); "
    "g.update_all(fn.copy_u('h', 'm'), fn.sum('m', 'out'), etype=E); out(g, V)",
    "g.set_n_initializer(ones, ntype=V); "
    "g.update_all(fn.copy_u('h', 'm'), degree, etype=E); out(g, V)",
    "g.update_all(fn.copy_u('h', 'm'), fn.sum('other', 'out'), etype=E); out(g, V)",
    "g.update_all(fn.copy_u('nope', 'm'), fn.sum('m', 'out'), etype=E); out(g, V)",
    "g.update_all(fn.copy_u('label', 'm'), fn.sum('m', 'out'), etype=E); out(g, V)",
    "g.update_all(3, fn.sum('m', 'out'), etype=E); out(g, V)",
    "g.apply_edges(ratio, etype=E); g.edges[E].data['z']",
    "g.apply_edges(ratio, edges=ids(2, 0), etype=E); g.edges[E].data['z']",
    "g.apply_edges(fn.u_add_v('h', 'h', 'z'), edges=[1], etype=E); g.edges[E].data['z']",
    "g.apply_edges(fn.u_dot_v('h', 'h', 'w'), edges=ids(0, 2), etype=E); g.edges[E].data['w']",
    "u, v = g.edges(etype=E); "
    "g.apply_edges(fn.u_sub_v('h', 'h', 'z'), edges=(u[:1], v[:1]), etype=E); "
    "g.edges[E].data['z']",
    "g.apply_edges(fn.u_add_v('h', 'h', 'z'), edges=[99], etype=E); g.edges[E].data['z']",
    "g.apply_edges(fn.u_add_v('h', 'h', 'z'), edges=[], etype=E); dict(g.edges[E].data)",
    f"g.send_and_recv([0, 2], {_PAIR}, etype=E); g.dstnodes[V].data['h']",
    f"g.send_and_recv(ids(1), {_PAIR}, double, etype=E); g",
    "g.send_and_recv([2, 0, 1], first, last, etype=E); g.dstnodes[V].data",
    "g.send_and_recv([0], fn.copy_u('h', 'm'), fn.mean('m', 'fresh'), etype=E); "
    "g.dstnodes[V].data['fresh']",
    "u, v = g.edges(etype=E); "
    f"g.send_and_recv((u[:2], v[:2]), {_PAIR}, etype=E); g.dstnodes[V].data['h']",
    f"g.send_and_recv([], {_PAIR}, etype=E); g",
    f"g.send_and_recv([99], {_PAIR}, etype=E); g",
    f"g.pull([2, 0], {_PAIR}, etype=E); g.dstnodes[V].data['h']",
    f"g.pull(ids(1), {_PAIR}, double, etype=E); g",
    "g.pull([0, 1, 2], first, last, etype=E); g.dstnodes[V].data",
    "g.pull([0, 1, 2], fn.copy_u('h', 'm'), fn.max('m', 'fresh'), etype=E); "
    "g.dstnodes[V].data['fresh']",
    f"g.pull([], {_PAIR}, etype=E); g",
    f"g.pull([99], {_PAIR}, etype=E); g",
    f"g.push([2, 0], {_PAIR}, etype=E); g.dstnodes[V].data['h']",
    "g.push([0, 1], first, last, double, etype=E); g",
    f"g.push([], {_PAIR}, etype=E); g",
    f"g.prop_nodes([[0, 1], [2]], {_PAIR}, etype=E); g.dstnodes[V].data['h']",
    "g.prop_nodes([[2], [0, 1]], first, last, etype=E); g",
    f"g.prop_edges([[0, 1], [2]], {_PAIR}, etype=E); g.dstnodes[V].data['h']",
    "g.prop_edges(iter([ids(1), ids(0, 2)]), first, fn.min('m', 'h'), etype=E); g",
    "g.apply_nodes(halve, ntype=V); g",
    "g.apply_nodes(halve, v=[1, 0], ntype=V); g",
    "g.apply_nodes(lambda nodes: {'new': nodes.data['h'][:, 0]}, v=ids(1), ntype=V); g",
    "g.apply_nodes(lambda nodes: {'new': nodes.nodes()}, ntype=V); g",
    "g.apply_nodes(halve, v=[99], ntype=V); g",
    "g.apply_nodes(doubled_in_place, ntype=V); g",
]

_CROSS = [
    "g.update_all(fn.copy_u('h', 'm'), fn.{reduce}('m', 'out')); everywhere(g, 'out')",
    "same = fn.copy_u('h', 'm'), fn.sum('m', 'out'); "
    "g.multi_update_all(dict.fromkeys(g.canonical_etypes, same), '{reduce}'); everywhere(g, 'out')",
    "same = fn.copy_e('w', 'm'), fn.max('m', 'out'); "
    "g.multi_update_all(dict.fromkeys(g.canonical_etypes, same), '{reduce}', double); "
    "everywhere(g, 'out')",
]

_ACROSS = [
    *(case.format(reduce=reduce) for case in _CROSS for reduce in ("sum", "mean", "max", "min")),
    "g.multi_update_all({e: (fn.copy_u('h', 'm'), fn.sum('m', 'out')) for e in g.canonical_etypes},"
    " 'stack'); everywhere(g, 'out')",
    "same = fn.copy_u('h', 'm'), fn.sum('m', 'out'); "
    "g.multi_update_all(dict.fromkeys(g.canonical_etypes[::-1], same), 'stack'); "
    "everywhere(g, 'out')",
    "same = fn.copy_u('h', 'm'), fn.max('m', 'out'), renamed; "
    "g.multi_update_all(dict.fromkeys(g.canonical_etypes, same), 'max'); "
    "everywhere(g, 'new'), everywhere(g, 'out')",
    "g.multi_update_all({E: (fn.copy_u('h', 'm'), fn.sum('m', 'out'))}, 'sum'); "
    "everywhere(g, 'out')",
    "g.multi_update_all({E: (first, last, double)}, 'max'); everywhere(g, 'out')",
    "g.multi_update_all({E: (first, last)}, lambda values: values[0] * 2); everywhere(g, 'out')",
    "g.multi_update_all({E: (first, last)}, 'nope'); everywhere(g, 'out')",
    "g.apply_edges(fn.u_add_v('h', 'h', 'z')); [g.edges[e].data['z'] for e in g.canonical_etypes]",
    "g.apply_edges(ratio); [g.edges[e].data['z'] for e in g.canonical_etypes]",
    "g.update_all(first, last); everywhere(g, 'out')",
]


def first(edges: Any) -> dict:
    """Messages: what the source has."""
    return {"m": edges.src["h"]}


def edge_ends(edges: Any) -> dict:
    """Messages: the ids that the batch names."""
    source, target, eid = edges.edges()
    return {"m": torch.stack([source, target, eid], 1).float()}


def renamed(nodes: Any) -> dict:
    """A node function: what was reduced, by another name."""
    return {"new": nodes.data["out"]}


def doubled_in_place(nodes: Any) -> dict:
    """A node function that writes into what it reads."""
    return {"new": nodes.data["h"].mul_(2)}


def last(nodes: Any) -> dict:
    """The message that came last in the mailbox."""
    return {"out": nodes.mailbox["m"][:, -1]}


def degree(nodes: Any) -> dict:
    """Number of messages, one greater than nothing where there is none."""
    mail = nodes.mailbox["m"]
    return {"out": mail.new_full((mail.shape[0], 2), float(mail.shape[1]))}


def node_ids(nodes: Any) -> dict:
    """Ids of the nodes that receive."""
    return {"out": nodes.nodes().float()}


def batch_sizes(nodes: Any) -> dict:
    """Number of nodes in the same bucket."""
    return {"out": torch.full((nodes.batch_size(),), float(nodes.batch_size()))}


def double(nodes: Any) -> dict:
    """Twice every float feature there is."""
    names = [name for name in ("out", "h") if name in nodes.data]
    return {name: nodes.data[name] * 2 for name in names}


def halve(nodes: Any) -> dict:
    """Half the feature."""
    return {"h": nodes.data["h"] / 2}


def ratio(edges: Any) -> dict:
    """A feature from both ends and the edge."""
    return {"z": (edges.src["h"] - edges.dst["h"]) * edges.data["w"] + len(edges)}


def ones(shape: tuple, dtype: torch.dtype, ctx: torch.device, id_range: slice) -> torch.Tensor:
    """An initializer that is not the usual one."""
    return torch.ones(shape, dtype=dtype, device=ctx)


def positive(g: Any, etype: Any) -> None:
    """Add edge feature ``p``, as wide as ``h`` and fit to divide by."""
    count = g.num_edges(etype)
    g.edges[etype].data["p"] = (torch.arange(count * 2) % 3 + 1.0).reshape(count, 2)


def out(g: Any, vtype: Any) -> torch.Tensor:
    """The feature that the calls write."""
    return g.dstnodes[vtype].data["out"]


def everywhere(g: Any, name: str) -> dict:
    """A feature of every destination type that has it."""
    return {t: g.dstnodes[t].data[name] for t in g.dsttypes if name in g.dstnodes[t].data}


_UPDATE_INPUTS = "simple awkward32 no_edges bipartite block"
_PASSING_INPUTS = "simple awkward awkward32 bipartite hetero block"
_FUNCTIONS = [
    first,
    edge_ends,
    last,
    degree,
    node_ids,
    batch_sizes,
    double,
    doubled_in_place,
    halve,
    ratio,
    renamed,
    ones,
    positive,
    out,
    everywhere,
]

TABLE = Table(
    area="message_passing",
    expressions=[
        *((e, _UPDATE_INPUTS) for e in _UPDATES + _APPLY_EDGES),
        *((e, _PASSING_INPUTS) for e in _PASSING),
        *((e, "hetero shared_name hetero_block") for e in _ACROSS),
    ],
    differences=[
        Difference(
            "g.update_all(fn.copy_u('label', *",
            "value",
            "Message passing takes integer features too.",
        ),
        Difference(
            "g.push([0, 1], first, last, double, *@ block",
            "other",
            "On a block, the node function reads the destinations that it updates; DGL gives it "
            "the sources.",
        ),
        Difference(
            "*g.multi_update_all(*, double)*@ hetero_block",
            "other",
            "On a block, the node function reads the destinations that it updates; DGL gives it "
            "the sources.",
        ),
        Difference(
            "*fn.max('m', 'out'); g.multi_update_all(*",
            "other",
            "Where an edge type brings no message it counts as 0 in a sum, mean or minimum across "
            "types; DGL counts minus infinity, and then sets the result to 0.",
        ),
        Difference(
            "g.multi_update_all({E: *lambda*",
            "other",
            "A cross-type reducer given as a function is called for a single edge type, too.",
        ),
        Difference(
            "g.multi_update_all({E: *'nope'*",
            "error",
            "An unknown cross-type reducer is an error, also for a single edge type.",
        ),
        Difference(
            "g.update_all(fn.copy_u('h', 'm'), fn.*; everywhere*",
            "value",
            "Built-in functions run over all edge types also of blocks and where one has no edges.",
        ),
        Difference(
            "g.apply_edges(fn.u_add_v('h', 'h', 'z')); *@ hetero_block",
            "value",
            "Built-in functions run over all edge types of a block too.",
        ),
    ],
    names={f.__name__: f for f in _FUNCTIONS},
)
