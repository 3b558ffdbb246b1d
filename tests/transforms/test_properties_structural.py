"""Laws of the transforms of structure, with networkx, scipy and plain loops as oracles."""

from __future__ import annotations

from collections import Counter
from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gossamer as gs
from helpers.compare import (
    assert_graph_equal,
    assert_graph_valid,
    assert_tensor_equal,
    random_cotangent_grads,
)
from helpers.generated import graphs, heterogeneous_graphs, homogeneous_graphs

few = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def pairs(g: gs.Graph, etype: Any = None) -> list[tuple[int, int]]:
    """The edges of one type, in the order of ids."""
    u, v = g.edges(etype=etype)
    return list(zip(u.tolist(), v.tolist(), strict=True))


def matrix(g: gs.Graph, weights: torch.Tensor | None = None, etype: Any = None) -> np.ndarray:
    """The dense adjacency matrix; parallel edges add up."""
    relation = g.relation(etype)
    values = np.ones(relation.num_edges) if weights is None else weights.detach().double().numpy()
    u, v = (end.numpy() for end in g.edges(etype=etype))
    return sp.coo_matrix((values, (u, v)), (relation.num_src, relation.num_dst)).toarray()


# ------------------------------------------------------------------------------- reverse, simple


@few
@given(graphs())
def test_reversing_twice_gives_the_graph_back(g: gs.Graph) -> None:
    turned = gs.reverse(g, copy_edata=True)
    assert_graph_valid(turned)
    for src, relation, dst in g.canonical_etypes:
        back = [(v, u) for u, v in pairs(g, (src, relation, dst))]
        assert pairs(turned, (dst, relation, src)) == back
    assert_graph_equal(turned.reverse(copy_edata=True), g)


@few
@given(graphs(), st.booleans())
def test_reverse_edges_follow_the_edges(g: gs.Graph, exclude_self: bool) -> None:
    both = gs.add_reverse_edges(
        g, copy_edata=True, ignore_bipartite=True, exclude_self=exclude_self
    )
    assert_graph_valid(both)
    for etype in g.canonical_etypes:
        before, after = pairs(g, etype), pairs(both, etype)
        assert after[: len(before)] == before
        turned = []
        if etype[0] == etype[2]:
            turned = [(v, u) for u, v in before if u != v or not exclude_self]
        assert after[len(before) :] == turned
        edges = both.edges[etype].data
        assert_tensor_equal(edges["x"], g.edges[etype].data["x"][edges[gs.EID]])


@few
@given(graphs(), st.sampled_from(["arbitrary", "sum", "mean"]))
def test_simple_graphs_hold_each_pair_once(g: gs.Graph, aggregator: str) -> None:
    simple, mapping = gs.to_simple(
        g, writeback_mapping=True, copy_edata=True, aggregator=aggregator
    )
    assert_graph_valid(simple)
    assert not simple.is_multigraph
    for etype in g.canonical_etypes:
        times = Counter(pairs(g, etype))
        assert pairs(simple, etype) == sorted(times)
        assert simple.edges[etype].data["count"].tolist() == [times[p] for p in sorted(times)]
        became = mapping if isinstance(mapping, torch.Tensor) else mapping[etype]
        found = [pairs(simple, etype)[i] for i in became.tolist()]
        assert found == pairs(g, etype)
        groups = {pair: [] for pair in sorted(times)}
        for pair, value in zip(pairs(g, etype), g.edges[etype].data["x"].tolist(), strict=True):
            groups[pair].append(value)
        reduce = {"arbitrary": lambda xs: xs[0], "sum": sum, "mean": np.mean}[aggregator]
        expected = torch.tensor([reduce(xs) for xs in groups.values()], dtype=torch.float64)
        torch.testing.assert_close(simple.edges[etype].data["x"], expected)
    assert_graph_equal(gs.to_simple(simple), gs.to_simple(g), features=False)


@few
@given(homogeneous_graphs())
def test_bidirected_graphs_are_simple_and_symmetric(g: gs.Graph) -> None:
    both = gs.to_bidirected(g, copy_ndata=True)
    assert_graph_valid(both)
    expected = sorted({*pairs(g), *((v, u) for u, v in pairs(g))})
    assert pairs(both) == expected
    assert_tensor_equal(both.ndata["x"], g.ndata["x"])
    assert_graph_equal(gs.to_bidirected(both, copy_ndata=True), both)


@few
@given(graphs())
def test_norms_add_up_to_one(g: gs.Graph) -> None:
    for etype in g.canonical_etypes:
        total = torch.zeros(g.num_nodes(etype[2]))
        total.index_add_(0, g.edges(etype=etype)[1].long(), gs.norm_by_dst(g, etype))
        torch.testing.assert_close(total, (g.in_degrees(etype=etype) > 0).float())


# ------------------------------------------------------------------------- lines, walks, products


@few
@given(homogeneous_graphs(), st.booleans())
def test_line_graph_joins_edges_that_follow(g: gs.Graph, backtracking: bool) -> None:
    line = gs.line_graph(g, backtracking=backtracking, shared=True)
    assert_graph_valid(line)
    edges = pairs(g)
    expected = [
        (i, j)
        for i, (u, v) in enumerate(edges)
        for j, (x, y) in enumerate(edges)
        if v == x and i != j and (backtracking or y != u)
    ]
    assert pairs(line) == expected
    assert_tensor_equal(line.ndata["x"], g.edata["x"])


@few
@given(homogeneous_graphs())
def test_line_graph_as_in_networkx(g: gs.Graph) -> None:
    simple = gs.remove_self_loop(gs.to_simple(g))
    ends = pairs(simple)
    expected = nx.line_graph(nx.DiGraph(ends))
    found = [(ends[i], ends[j]) for i, j in pairs(gs.line_graph(simple))]
    assert sorted(found) == sorted(expected.edges)


@few
@given(homogeneous_graphs(), st.integers(0, 4))
def test_walks_as_powers_of_the_adjacency_matrix(g: gs.Graph, k: int) -> None:
    power = np.linalg.matrix_power(matrix(g), k)
    np.testing.assert_allclose(gs.khop_adj(g, k).numpy(), power)
    walks = gs.khop_graph(g, k)
    assert_graph_valid(walks)
    np.testing.assert_array_equal(matrix(walks), power)
    assert_tensor_equal(walks.ndata["x"], g.ndata["x"])
    if k == 1:
        assert pairs(walks) == pairs(g)


@few
@given(st.data())
def test_metapaths_as_products_of_adjacency_matrices(data: st.DataObject) -> None:
    g = data.draw(heterogeneous_graphs())
    path = [data.draw(st.sampled_from(g.canonical_etypes))]
    for _ in range(data.draw(st.integers(0, 3))):
        following = [etype for etype in g.canonical_etypes if etype[0] == path[-1][2]]
        if following:
            path.append(data.draw(st.sampled_from(following)))
    before = [pairs(g, etype) for etype in g.canonical_etypes]
    reached = gs.metapath_reachable_graph(g, path)
    assert_graph_valid(reached)
    product = matrix(g, etype=path[0])
    for etype in path[1:]:
        product = product @ matrix(g, etype=etype)
    assert pairs(reached) == list(zip(*(end.tolist() for end in product.nonzero()), strict=True))
    assert reached.canonical_etypes == [(path[0][0], "_E", path[-1][2])]
    for ntype in reached.ntypes:
        assert_tensor_equal(reached.nodes[ntype].data["x"], g.nodes[ntype].data["x"])
    assert [pairs(g, etype) for etype in g.canonical_etypes] == before
    assert_graph_valid(g)


@few
@given(homogeneous_graphs(), st.randoms(use_true_random=False))
def test_products_and_sums_of_weighted_graphs(g: gs.Graph, random: Any) -> None:
    u, v = g.edges()
    order = torch.tensor(random.sample(range(g.num_edges()), g.num_edges()), dtype=torch.long)
    other = gs.graph((v[order], u), num_nodes=g.num_nodes(), idtype=g.idtype)
    g.edata["w"] = torch.randn(g.num_edges(), dtype=torch.float64)
    other.edata["w"] = torch.randn(g.num_edges(), dtype=torch.float64)
    product = gs.adj_product_graph(g, other, "w")
    total = gs.adj_sum_graph([g, other, g], "w")
    for result, dense, paths in (
        (
            product,
            matrix(g, g.edata["w"]) @ matrix(other, other.edata["w"]),
            matrix(g) @ matrix(other),
        ),
        (
            total,
            2 * matrix(g, g.edata["w"]) + matrix(other, other.edata["w"]),
            matrix(g) + matrix(other),
        ),
    ):
        assert_graph_valid(result)
        assert pairs(result) == list(zip(*(end.tolist() for end in paths.nonzero()), strict=True))
        np.testing.assert_allclose(matrix(result, result.edata["w"]), dense, atol=1e-12)


# ------------------------------------------------------------------------------------ new orders


@few
@given(graphs(), st.data())
def test_rows_by_tag(g: gs.Graph, data: st.DataObject) -> None:
    etype = data.draw(st.sampled_from(g.canonical_etypes))
    g = gs.edge_type_subgraph(g, [etype])
    by_source, of_nodes = data.draw(st.booleans()), data.draw(st.booleans())
    near, far = (etype[0], etype[2]) if by_source else (etype[2], etype[0])
    count = g.num_nodes(far) if of_nodes else g.num_edges()
    tags = torch.tensor(data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)))
    tags = tags.long()
    sort = gs.sort_csr_by_tag if by_source else gs.sort_csc_by_tag
    arranged = sort(g, tags, "offsets", "node" if of_nodes else "edge")
    indptr, indices, eids = arranged.adj_tensors("csr" if by_source else "csc")
    offsets = arranged.nodes[near].data["offsets"]
    assert offsets.dtype == g.idtype
    seen = tags[indices.long()] if of_nodes else tags[eids.long()]
    rows, columns = g.edges(etype=etype) if by_source else g.edges(etype=etype)[::-1]
    for row in range(g.num_nodes(near)):
        slots = range(int(indptr[row]), int(indptr[row + 1]))
        mine = [(int(seen[k]), int(eids[k])) for k in slots]
        assert mine == sorted(mine)
        assert [int(columns[e]) for _, e in mine] == [int(indices[k]) for k in slots]
        assert [e for _, e in sorted(mine, key=lambda x: x[1])] == [
            e for e, r in enumerate(rows.tolist()) if r == row
        ]
        for tag in range(offsets.shape[1] - 1):
            begin, end = int(offsets[row, tag]), int(offsets[row, tag + 1])
            assert [t for t, _ in mine[begin:end]] == [tag] * (end - begin)
        assert int(offsets[row, -1]) == len(mine)
    assert pairs(arranged) == pairs(g)
    assert_tensor_equal(arranged.edata["x"], g.edata["x"])


@few
@given(
    homogeneous_graphs(),
    st.sampled_from([None, "rcmk", "custom"]),
    st.sampled_from(["src", "dst", "custom"]),
    st.randoms(use_true_random=False),
)
def test_reordered_graphs_are_the_same_graphs(
    g: gs.Graph, nodes: str | None, edges: str, random: Any
) -> None:
    count, size = g.num_nodes(), g.num_edges()
    config = {
        "nodes_perm": random.sample(range(count), count),
        "edges_perm": torch.tensor(random.sample(range(size), size), dtype=torch.long),
    }
    new = gs.reorder_graph(g, nodes, edges, permute_config=config)
    assert_graph_valid(new)
    assert sorted(new.ndata[gs.NID].tolist()) == list(range(count))
    assert sorted(new.edata[gs.EID].tolist()) == list(range(size))
    former, eids = new.ndata[gs.NID].long(), new.edata[gs.EID].long()
    assert_tensor_equal(new.ndata["x"], g.ndata["x"][former])
    assert_tensor_equal(new.edata["x"], g.edata["x"][eids])
    for new_end, end in zip(new.edges(), g.edges(), strict=True):
        assert_tensor_equal(former[new_end.long()].to(g.idtype), end[eids])
    if nodes == "custom":
        assert former.tolist() == config["nodes_perm"]
    if edges == "custom":
        assert eids.tolist() == config["edges_perm"].tolist()
    else:
        keys = new.edges()[0 if edges == "src" else 1].tolist()
        ranked = list(zip(keys, eids.tolist(), strict=True))
        assert ranked == sorted(ranked)
    again = {"nodes_perm": torch.argsort(former), "edges_perm": torch.argsort(eids)}
    back = new.reorder_graph("custom", "custom", store_ids=False, permute_config=again)
    del back.ndata[gs.NID], back.edata[gs.EID]
    assert_graph_equal(back, g)


# ----------------------------------------------------------------------------------------- parts


@few
@given(homogeneous_graphs(), st.data())
def test_parts_cover_the_graph_once(g: gs.Graph, data: st.DataObject) -> None:
    count = g.num_nodes()
    home = torch.tensor(data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)))
    home = home.long()
    hops, reshuffle = data.draw(st.integers(0, 3)), data.draw(st.booleans())
    parts, nodes, edges = gs.partition_graph_with_halo(g, home, hops, reshuffle)
    assert (nodes is None) == (edges is None) == (not reshuffle)
    owned, led_to = [], []
    for p, part in parts.items():
        assert_graph_valid(part)
        inner = part.ndata["inner_node"].bool()
        ids = part.ndata["orig_id" if reshuffle else gs.NID].long()
        eids = part.edata["orig_id" if reshuffle else gs.EID].long()
        assert len(ids.unique()) == len(ids) and len(eids.unique()) == len(eids)
        assert_tensor_equal(part.ndata["part_id"], home[ids])
        assert bool((home[ids[inner]] == p).all())
        for end, full in zip(part.edges(), g.edges(), strict=True):
            assert_tensor_equal(ids[end.long()], full[eids].long())
        owned += ids[inner].tolist()
        led_to += eids[part.edata["inner_edge"].bool()].tolist()
        assert set(eids.tolist()) == _edges_of_part(g, home.tolist(), p, hops)
        if reshuffle:
            assert_tensor_equal(nodes[part.ndata[gs.NID].long()].long(), ids)
            assert_tensor_equal(edges[part.edata[gs.EID].long()].long(), eids)
            mine = part.ndata[gs.NID][inner].tolist()
            assert mine == list(range(mine[0], mine[0] + len(mine))) if mine else True
    assert sorted(owned) == list(range(count))
    if hops:
        assert sorted(led_to) == list(range(g.num_edges()))


def _edges_of_part(g: gs.Graph, home: list[int], p: int, hops: int) -> set[int]:
    """The edges that the docstring promises, from the definition."""
    ends = dict(enumerate(pairs(g)))
    own = {node for node, part in enumerate(home) if part == p}
    if hops == 0:
        return {e for e, (u, v) in ends.items() if u in own and v in own}
    near = set(own)
    found = {e for e, (u, _) in ends.items() if u in own}
    for _ in range(hops):
        into = {e for e, (_, v) in ends.items() if v in near}
        found |= into
        near |= {ends[e][0] for e in into}
    return found


@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
@pytest.mark.parametrize(
    ("mode", "objtype"), [("k-way", "cut"), ("k-way", "vol"), ("recursive", "cut")]
)
def test_metis_finds_small_cuts_and_even_parts(mode: str, objtype: str, idtype: torch.dtype):
    # Four cliques of 30 nodes in a ring: the best cut is plain.
    ends = [(30 * c + i, 30 * c + j) for c in range(4) for i in range(30) for j in range(i)]
    ends += [(30 * c, (30 * c + 31) % 120) for c in range(4)]
    shuffle = torch.randperm(120)
    u, v = shuffle[torch.tensor(ends)].t().to(idtype)
    g = gs.graph((u, v), idtype=idtype)
    part = gs.metis_partition_assignment(g, 4, mode=mode, objtype=objtype)
    assert torch.bincount(part).tolist() == [30] * 4
    assert int((part[u.long()] != part[v.long()]).sum()) == 4
    parts = gs.metis_partition(g, 4, extra_cached_hops=1, mode=mode)
    assert sorted(int(p.ndata["inner_node"].sum()) for p in parts.values()) == [30] * 4


def test_metis_balances_kinds_of_nodes_and_edges():
    generator = torch.Generator().manual_seed(1)
    u = torch.randint(0, 400, (3000,), generator=generator)
    # In-edges crowd at the nodes with small ids.
    v = (torch.rand(3000, generator=generator) ** 3 * 400).long()
    g = gs.graph((u, v), num_nodes=400)
    kinds = torch.arange(400) // 40 % 3
    part = gs.metis_partition_assignment(g, 4, balance_ntypes=kinds)
    for kind in range(3):
        sizes = torch.bincount(part[kinds == kind], minlength=4)
        assert int(sizes.max()) <= 1.03 * sizes.sum() / 4 + 1
    part = gs.metis_partition_assignment(g, 4, balance_edges=True)
    edges = torch.zeros(4, dtype=torch.long).index_add_(0, part, g.in_degrees())
    assert int(edges.max()) <= 1.25 * 3000 / 4
    two = gs.metis_partition_assignment(g, 2, balance_ntypes=kinds == 0)
    assert abs(int((kinds[two == 0] == 0).sum()) - int((kinds[two == 1] == 0).sum())) <= 4


def test_metis_reorders_part_by_part():
    g = gs.graph((torch.arange(0, 40), (torch.arange(0, 40) + 20) % 40))
    new = gs.reorder_graph(g, "metis", permute_config={"k": 4})
    part = gs.metis_partition_assignment(g, 4)
    parts = part[new.ndata[gs.NID]].tolist()
    assert parts == sorted(parts)


# ------------------------------------------------------------------------------------- gradients

_PARALLEL = ([1, 0, 1, 2, 1], [0, 1, 0, 2, 0])


@pytest.mark.parametrize("aggregator", ["arbitrary", "sum", "mean"])
def test_gradients_through_parallel_edges(aggregator: str) -> None:
    groups = torch.tensor([[0, 1, 0, 0, 0], [1, 0, 1, 0, 1], [0, 0, 0, 1, 0]], dtype=torch.float64)
    if aggregator == "arbitrary":
        groups[1] = torch.tensor([1.0, 0, 0, 0, 0])
    if aggregator == "mean":
        groups /= groups.sum(1, keepdim=True)

    def run(w: torch.Tensor) -> torch.Tensor:
        g = gs.graph(_PARALLEL)
        g.edata["w"] = w
        return gs.to_simple(g, copy_edata=True, aggregator=aggregator).edata["w"]

    w = torch.randn(5, 3, dtype=torch.float64)
    (found,), grads = random_cotangent_grads(run, [w])
    (expected,), wanted = random_cotangent_grads(lambda w: groups @ w, [w])
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(grads[0], wanted[0])


def test_gradients_through_products_and_sums() -> None:
    a, b = gs.graph(_PARALLEL), gs.graph(([0, 0, 2, 1, 0], [1, 2, 0, 1, 1]))

    def weighted(wa: torch.Tensor, wb: torch.Tensor, function: Any) -> torch.Tensor:
        a.edata["w"], b.edata["w"] = wa, wb
        result = function()
        dense = torch.zeros(3, 3, dtype=wa.dtype)
        return dense.index_put(result.edges(), result.edata["w"])

    def dense(g: gs.Graph, w: torch.Tensor) -> torch.Tensor:
        return torch.zeros(3, 3, dtype=w.dtype).index_put(g.edges(), w, accumulate=True)

    inputs = [torch.randn(5, dtype=torch.float64), torch.randn(5, dtype=torch.float64)]
    for ours, oracle in (
        (lambda: gs.adj_product_graph(a, b, "w"), lambda wa, wb: dense(a, wa) @ dense(b, wb)),
        (lambda: gs.adj_sum_graph([a, b], "w"), lambda wa, wb: dense(a, wa) + dense(b, wb)),
    ):
        found, grads = random_cotangent_grads(lambda x, y, f=ours: weighted(x, y, f), inputs)
        expected, wanted = random_cotangent_grads(oracle, inputs)
        torch.testing.assert_close(found, expected)
        for grad, truth in zip(grads, wanted, strict=True):
            torch.testing.assert_close(grad, truth)


@pytest.mark.parametrize(
    ("transform", "rows"),
    [
        (lambda g: gs.reverse(g, copy_edata=True).edata["w"], [0, 1, 2, 3, 4]),
        (lambda g: gs.add_reverse_edges(g, copy_edata=True).edata["w"], [*range(5), 0, 1, 2, 4]),
        (lambda g: gs.line_graph(g, shared=True).ndata["w"], [0, 1, 2, 3, 4]),
        (lambda g: gs.reorder_graph(g).edata["w"], [1, 0, 2, 4, 3]),
    ],
    ids=["reverse", "add_reverse_edges", "line_graph", "reorder_graph"],
)
def test_gradients_of_features_that_move(transform: Any, rows: list[int]) -> None:
    g = gs.graph(_PARALLEL)

    def run(w: torch.Tensor) -> torch.Tensor:
        g.edata["w"] = w
        return transform(g)

    w = torch.randn(5, 2)
    (found,), grads = random_cotangent_grads(run, [w])
    (expected,), wanted = random_cotangent_grads(lambda w: w[rows], [w])
    assert_tensor_equal(found, expected)
    torch.testing.assert_close(grads[0], wanted[0])
