"""Operations that turn graphs into graphs, for Gossamer and DGL, which have one API.

The time of a call includes reading the edges and features of its result, since a library may
compute them lazily. The formats of the inputs are created before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from benchmarks.adapters import Form
from benchmarks.graph_rows import SET_POINTS
from benchmarks.workload import MOLECULE_EDGES, MOLECULE_NODES, Sizes

WIDTH = 16


def forms(
    api: Any, name: str, inputs: Mapping[str, Tensor], sizes: Sizes
) -> dict[str, Callable[[], Form]]:
    """The only way to write the row `name` with the library `api`."""
    return {"function": lambda: _ROWS[name](api, inputs, sizes)}


def read(*graphs: Any) -> dict[str, Tensor]:
    """The edges and features of graphs, by name."""
    found = {}
    for i, g in enumerate(graphs):
        for etype in g.canonical_etypes:
            key = f"{i} {' '.join(etype)}"
            found[f"{key} src"], found[f"{key} dst"] = g.edges(etype=etype)
            found |= {f"{key} {k}": v for k, v in g.edges[etype].data.items()}
        for side, types in (("src", g.srctypes), ("dst", g.dsttypes)):
            for ntype in types:
                data = getattr(g, f"{side}nodes")[ntype].data
                found |= {f"{i} {side} {ntype} {k}": v for k, v in data.items()}
    return found


def _result(call: Callable[[], Any]) -> Form:
    return Form(lambda: read(call()))


# ----------------------------------------------------------------------------------------- inputs


def _graph(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Any:
    g = api.graph((inputs["src"], inputs["dst"]), num_nodes=sizes.nodes)
    g.create_formats_()
    return g


def _featured(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Any:
    g = _graph(api, inputs, sizes)
    g.ndata["h"] = _feature(sizes.nodes)
    return g


def _feature(count: int) -> Tensor:
    return torch.arange(count * WIDTH, dtype=torch.float32).view(count, WIDTH) % 1_009


def _molecules(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> list[Any]:
    u, v = ((inputs[end] % MOLECULE_NODES).split(MOLECULE_EDGES) for end in ("src", "dst"))
    graphs = []
    for i, ends in enumerate(zip(u, v, strict=True)):
        g = api.graph(ends, num_nodes=MOLECULE_NODES)
        g.ndata["h"] = torch.full((MOLECULE_NODES, WIDTH), float(i))
        g.edata["k"] = torch.full((len(ends[0]),), i)
        graphs.append(g)
    return graphs


def _typed(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Any:
    """Three node types and four edge types, each with a share of the nodes and edges."""
    share = max(sizes.nodes // 4, 1)
    parts = [inputs[end].tensor_split(4) for end in ("src", "dst")]
    etypes = [("a", "r", "b"), ("b", "s", "a"), ("b", "t", "c"), ("c", "u", "c")]
    data = {
        etype: (u % share, v % share)
        for etype, u, v in zip(etypes, parts[0], parts[1], strict=True)
    }
    g = api.heterograph(data, dict.fromkeys("abc", share))
    for ntype in g.ntypes:
        g.nodes[ntype].data["h"] = _feature(share)
    return g


# ------------------------------------------------------------------------------------------- rows


def _batch(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    graphs = _molecules(api, inputs, sizes)
    return _result(lambda: api.batch(graphs))


def _unbatch(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    batch = api.batch(_molecules(api, inputs, sizes))
    # Reading all ten thousand graphs would dominate the time, so read every hundredth.
    return Form(lambda: read(*api.unbatch(batch)[::100]))


def _to_simple(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    g = _graph(api, inputs, sizes)
    return _result(lambda: api.to_simple(g))


def _add_reverse_edges(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    g = _graph(api, inputs, sizes)
    return _result(lambda: api.add_reverse_edges(g))


def _line_graph(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    g = _graph(api, inputs, sizes)
    return _result(lambda: api.line_graph(g))


def _khop_in_subgraph(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    g = _featured(api, inputs, sizes)
    seeds = torch.arange(100)
    return _result(lambda: api.khop_in_subgraph(g, seeds, 2)[0])


def _to_homogeneous(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    g = _typed(api, inputs, sizes)
    return _result(lambda: api.to_homogeneous(g, ndata=["h"]))


def _node_subgraph(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    g = _featured(api, inputs, sizes)
    # Every fourth node, out of order: 7 and the number of nodes are coprime.
    nodes = (torch.arange(sizes.nodes // 4) * 7) % sizes.nodes
    return _result(lambda: api.node_subgraph(g, nodes))


def _metapath(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    u, v = inputs["src"], inputs["dst"]
    data = {("user", "rates", "item"): (u, v), ("item", "rated-by", "user"): (v, u)}
    g = api.heterograph(data, {"user": sizes.nodes, "item": sizes.nodes})
    g.create_formats_()
    return _result(lambda: api.metapath_reachable_graph(g, ["rates", "rated-by"]))


def _compact_graphs(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    g = _featured(api, inputs, sizes)
    return _result(lambda: api.compact_graphs(g))


def _to_block(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    g = _featured(api, inputs, sizes)
    targets = inputs["dst"].unique()

    def check() -> dict[str, Tensor]:
        # DGL's threads may order the sources that are not targets arbitrarily.
        block = api.to_block(g, targets)
        (u, v), sources = block.edges(), block.srcdata[api.NID]
        found = read(block)
        features = {name: x for name, x in found.items() if name.startswith("0 dst")}
        order = sources.argsort()
        return features | {
            "u": sources[u],
            "v": v,
            "nodes": sources[order],
            "h": block.srcdata["h"][order],
            "first": sources[: len(targets)],
            "ids": block.edata[api.EID],
        }

    return Form(lambda: read(api.to_block(g, targets)), check)


def _knn_graph(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    return _nearest(api, inputs["x"])


def _knn_graph_small_sets(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    return _nearest(api, inputs["x"].view(-1, SET_POINTS, inputs["x"].shape[1]))


def _nearest(api: Any, points: Tensor) -> Form:
    def run() -> dict[str, Tensor]:
        return read(api.knn_graph(points, 8))

    def check() -> dict[str, Tensor]:
        # The neighbors of a point may come in any order.
        g = api.knn_graph(points, 8)
        src, dst = g.edges()
        return {"pairs": (dst * g.num_nodes() + src).sort().values}

    return Form(run, check)


def _frontiers(search: Callable[[], Any]) -> Form:
    def run() -> dict[str, Tensor]:
        found = search()
        return {"order": torch.cat(found), "sizes": torch.tensor([len(part) for part in found])}

    return Form(run)


def _bfs_nodes(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    g = _graph(api, inputs, sizes)
    return _frontiers(lambda: api.bfs_nodes_generator(g, 0))


def _topological_nodes(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    u, v = inputs["src"], inputs["dst"]
    # Every edge leads to a larger id, so there is no cycle.
    ends = torch.minimum(u, v), torch.maximum(u, v)
    kept = ends[0] < ends[1]
    g = api.graph((ends[0][kept], ends[1][kept]), num_nodes=sizes.nodes)
    g.create_formats_()
    return _frontiers(lambda: api.topological_nodes_generator(g))


def _dfs_edges(api: Any, inputs: Mapping[str, Tensor], sizes: Sizes) -> Form:
    g = _graph(api, inputs, sizes)
    return _frontiers(lambda: api.dfs_edges_generator(g, 0))


_ROWS: dict[str, Callable[[Any, Mapping[str, Tensor], Sizes], Form]] = {
    "batch": _batch,
    "unbatch": _unbatch,
    "to_simple": _to_simple,
    "add_reverse_edges": _add_reverse_edges,
    "line_graph": _line_graph,
    "khop_in_subgraph": _khop_in_subgraph,
    "to_homogeneous": _to_homogeneous,
    "node_subgraph": _node_subgraph,
    "metapath_reachable_graph": _metapath,
    "compact_graphs": _compact_graphs,
    "to_block": _to_block,
    "knn_graph": _knn_graph,
    "knn_graph_small_sets": _knn_graph_small_sets,
    "bfs_nodes": _bfs_nodes,
    "topological_nodes": _topological_nodes,
    "dfs_edges": _dfs_edges,
}
