"""Laws of the graph, on graphs that Hypothesis makes up."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gossamer as gs
from gossamer.graph import Adjacency
from gossamer.ops.adjacency import FORMATS
from helpers.compare import assert_graph_equal, assert_graph_valid, assert_tensor_equal

few = settings(
    max_examples=40,
    deadline=None,
    # The fixtures (seeds, poisoned memory) need no renewal between examples.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
idtypes = st.sampled_from([torch.int32, torch.int64])


@st.composite
def edge_lists(draw, num_src: int, num_dst: int) -> tuple[list[int], list[int]]:
    if not num_src or not num_dst:
        return [], []
    pair = st.tuples(st.integers(0, num_src - 1), st.integers(0, num_dst - 1))
    pairs = draw(st.lists(pair, max_size=12))
    return [u for u, _ in pairs], [v for _, v in pairs]


def dressed(g: gs.Graph) -> gs.Graph:
    for ntype in g.ntypes:
        g.nodes[ntype].data["h"] = torch.randn(g.num_nodes(ntype), 2)
    for etype in g.canonical_etypes:
        g.edges[etype].data["w"] = torch.randn(g.num_edges(etype))
    return g


@st.composite
def homogeneous(draw, idtype: torch.dtype | None = None) -> gs.Graph:
    num_nodes = draw(st.integers(0, 6))
    u, v = draw(edge_lists(num_nodes, num_nodes))
    return dressed(gs.graph((u, v), num_nodes=num_nodes, idtype=idtype or draw(idtypes)))


RELATIONS = [("a", "r", "a"), ("a", "r", "b"), ("a", "s", "b"), ("b", "t", "c"), ("c", "r", "a")]


@st.composite
def heterogeneous(draw) -> gs.Graph:
    relations = draw(st.lists(st.sampled_from(RELATIONS), min_size=1, unique=True))
    names = {name for src, _, dst in relations for name in (src, dst)}
    counts = {name: draw(st.integers(0, 4)) for name in sorted(names)}
    data = {(s, r, d): draw(edge_lists(counts[s], counts[d])) for s, r, d in relations}
    return dressed(gs.heterograph(data, counts, idtype=draw(idtypes)))


graphs = st.one_of(homogeneous(), heterogeneous())


@st.composite
def blocks(draw) -> gs.Graph:
    relations = draw(st.lists(st.sampled_from(RELATIONS), min_size=1, unique=True))
    num_src = {src: draw(st.integers(0, 4)) for src in sorted({src for src, _, _ in relations})}
    num_dst = {dst: draw(st.integers(0, 4)) for dst in sorted({dst for _, _, dst in relations})}
    data = {(s, r, d): draw(edge_lists(num_src[s], num_dst[d])) for s, r, d in relations}
    g = gs.create_block(data, num_src, num_dst, idtype=draw(idtypes))
    for ntype in g.srctypes:
        g.srcnodes[ntype].data["h"] = torch.randn(g.num_src_nodes(ntype), 2)
    for ntype in g.dsttypes:
        g.dstnodes[ntype].data["k"] = torch.randn(g.num_dst_nodes(ntype)) > 0
    for etype in g.canonical_etypes:
        g.edges[etype].data["w"] = torch.randn(g.num_edges(etype)).bfloat16()
    return g


@st.composite
def batches(draw) -> gs.Graph:
    idtype = draw(idtypes)
    return gs.batch(draw(st.lists(homogeneous(idtype), min_size=1, max_size=3)))


# With blocks and batches.
every_kind = st.one_of(graphs, blocks(), batches())


@few
@given(graphs, st.lists(st.sampled_from(FORMATS), min_size=1, max_size=5))
def test_edges_survive_any_walk_through_formats(g: gs.Graph, walk: list[str]) -> None:
    for etype in g.canonical_etypes:
        adjacency = wanted = g.relation(etype)
        for name in walk:
            kept = {name: getattr(adjacency, name)()}
            adjacency = Adjacency(wanted.num_src, wanted.num_dst, wanted.idtype, **kept)
        for found, expected in zip(adjacency.coo(), wanted.coo(), strict=True):
            assert_tensor_equal(found, expected)


@few
@given(graphs, st.sets(st.sampled_from(FORMATS), min_size=1))
def test_restricted_graphs_answer_alike(g: gs.Graph, formats: set[str]) -> None:
    restricted = g.formats(sorted(formats))
    assert_graph_equal(restricted, g)
    for etype in g.canonical_etypes:
        nodes = g.nodes(etype[0])
        for found, wanted in zip(
            restricted.out_edges(nodes, form="all", etype=etype),
            g.out_edges(nodes, form="all", etype=etype),
            strict=True,
        ):
            assert_tensor_equal(found, wanted)
        assert_tensor_equal(restricted.in_degrees(etype=etype), g.in_degrees(etype=etype))


@few
@given(graphs)
def test_the_reverse_of_the_reverse_is_the_graph(g: gs.Graph) -> None:
    for etype in g.canonical_etypes:
        adjacency = g.relation(etype)
        back = adjacency.reverse().reverse()
        for found, wanted in zip(back.coo(), adjacency.coo(), strict=True):
            assert_tensor_equal(found, wanted)
        assert_tensor_equal(adjacency.reverse().in_degrees(), adjacency.out_degrees())
        assert (back.num_src, back.num_dst) == (adjacency.num_src, adjacency.num_dst)


@few
@given(st.integers(0, 1), st.data())
def test_unbatch_undoes_batch(kind: int, data: st.DataObject) -> None:
    idtype = data.draw(idtypes)
    if kind:
        parts = data.draw(st.lists(homogeneous(idtype), min_size=1, max_size=4))
    else:
        parts = [data.draw(heterogeneous())] * data.draw(st.integers(1, 3))
    bg = gs.batch(parts)
    assert_graph_valid(bg)
    assert bg.batch_size == len(parts)
    for i, (found, wanted) in enumerate(zip(gs.unbatch(bg), parts, strict=True)):
        assert_graph_equal(found, wanted)
        assert_graph_equal(gs.slice_batch(bg, i), wanted)
    assert_graph_equal(gs.batch(gs.unbatch(bg)), bg)


@few
@given(st.lists(homogeneous(torch.int64), min_size=3, max_size=3))
def test_batching_is_associative(parts: list[gs.Graph]) -> None:
    a, b, c = parts
    assert_graph_equal(gs.batch([gs.batch([a, b]), c]), gs.batch([a, b, c]))
    assert_graph_equal(gs.batch([a, gs.batch([b, c])]), gs.batch([a, b, c]))


@few
@given(heterogeneous())
def test_slices_hold_every_edge_once(g: gs.Graph) -> None:
    everything = g[:, :, :]
    assert everything.num_edges() == g.num_edges()
    offset = 0
    for etype in g.canonical_etypes:
        part = g[etype]
        assert_graph_valid(part)
        for found, wanted in zip(part.edges(), g.edges(etype=etype), strict=True):
            assert_tensor_equal(found, wanted)
        assert part.edata["w"] is g.edges[etype].data["w"]
        if len(g.canonical_etypes) > 1:
            rows = slice(offset, offset + part.num_edges())
            assert_tensor_equal(everything.edata["w"][rows], part.edata["w"])
        offset += part.num_edges()


@few
@given(graphs, st.data())
def test_removing_added_edges_restores_the_graph(g: gs.Graph, data: st.DataObject) -> None:
    etype = data.draw(st.sampled_from(g.canonical_etypes))
    u, v = data.draw(edge_lists(g.num_nodes(etype[0]), g.num_nodes(etype[2])))
    changed = g.clone()
    changed.add_edges(u, v, etype=etype)
    assert_graph_valid(changed)
    added = range(g.num_edges(etype), g.num_edges(etype) + len(u))
    changed.remove_edges(list(added), etype=etype)

    assert_graph_equal(changed, g)


@few
@given(graphs, st.data())
def test_removing_added_nodes_restores_nodes_and_edges(g: gs.Graph, data: st.DataObject) -> None:
    ntype = data.draw(st.sampled_from(g.ntypes))
    count = data.draw(st.integers(1, 3))
    changed = g.clone()
    changed.add_nodes(count, ntype=ntype)
    assert_graph_valid(changed)
    first = g.num_nodes(ntype)
    changed.remove_nodes(list(range(first, first + count)), ntype=ntype, store_ids=True)

    assert_graph_valid(changed)
    for name in g.ntypes:
        assert_tensor_equal(changed.nodes[name].data["h"], g.nodes[name].data["h"])
    for etype in g.canonical_etypes:  # edges come by source now, with their former ids
        eids = changed.edges[etype].data[gs.EID]
        assert_tensor_equal(changed.edges[etype].data["w"], g.edges[etype].data["w"][eids.long()])
        for found, wanted in zip(
            changed.edges(etype=etype), g.find_edges(eids, etype=etype), strict=True
        ):
            assert_tensor_equal(found, wanted)


@few
@given(graphs, st.data())
def test_edges_are_removed_one_by_one_or_at_once(g: gs.Graph, data: st.DataObject) -> None:
    etype = data.draw(st.sampled_from(g.canonical_etypes))
    count = g.num_edges(etype)
    chosen = data.draw(st.sets(st.integers(0, count - 1))) if count else set()
    at_once, one_by_one = g.clone(), g.clone()
    at_once.remove_edges(sorted(chosen), etype=etype)
    for eid in sorted(chosen, reverse=True):
        one_by_one.remove_edges([eid], etype=etype)

    assert_graph_equal(at_once, one_by_one)


@few
@given(every_kind)
def test_pickles_are_faithful(g: gs.Graph) -> None:
    assert_graph_equal(pickle.loads(pickle.dumps(g)), g)


@few
@given(
    saved=st.lists(every_kind, max_size=4),
    formats=st.one_of(st.none(), st.lists(st.sampled_from(FORMATS), unique=True)),
    data=st.data(),
)
def test_saved_graphs_come_back(
    saved: list[gs.Graph], formats: list[str] | None, data: st.DataObject, tmp_path: Path
) -> None:
    gs.save_graphs(tmp_path / "graphs", saved, formats=formats)
    numbers = data.draw(st.lists(st.integers(0, len(saved) - 1))) if saved else []
    loaded, _ = gs.load_graphs(tmp_path / "graphs", numbers)
    for found, number in zip(loaded, numbers or range(len(saved)), strict=True):
        assert_graph_equal(found, saved[number])


@few
@given(graphs)
def test_id_types_do_not_matter(g: gs.Graph) -> None:
    other = g.int() if g.idtype == torch.int64 else g.long()
    assert_graph_valid(other)
    back = other.long() if g.idtype == torch.int64 else other.int()
    assert_graph_equal(back, g)
