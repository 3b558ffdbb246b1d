"""Transforms of structure: reversal, simple and line graphs, walks, products, orders, parts.

In the expressions `g` is the input. Where the order of DGL's answer says nothing, because it comes
from a hash table or an unstable sort, `entries` and `contents` put it into one that does.
"""

from __future__ import annotations

from typing import Any

import torch

from golden.harness import Difference, Table


def entries(g: Any, name: str) -> list:
    """Types and sizes of a graph of one relation, and its weighted edges, sorted."""
    src, relation, dst = g.canonical_etypes[0]
    row, col = (end.tolist() for end in g.edges())
    weights = g.edata[name].flatten().tolist()
    sizes = [g.num_nodes(src), g.num_nodes(dst)]
    return [g.ntypes, relation, sizes, g.idtype, sorted(zip(row, col, weights, strict=True))]


def contents(parts: dict) -> dict:
    """The nodes and edges of each part, as a sorted list of all that is known of each."""
    return {key: [_rows(part), _edge_rows(part)] for key, part in parts.items()}


def _rows(part: Any) -> list:
    columns = [part.ndata[name].tolist() for name in sorted(part.ndata)]
    return [sorted(part.ndata), sorted(zip(*columns, strict=True))]


def _edge_rows(part: Any) -> list:
    ids = part.ndata["_ID"]
    columns = [part.edata[name].tolist() for name in sorted(part.edata)]
    ends = [ids[end].tolist() for end in part.edges()]
    return [sorted(part.edata), sorted(zip(*ends, *columns, strict=True))]


def own(parts: dict) -> list:
    """The own nodes of each part in their order: they stand first."""
    found = []
    for key, part in sorted(parts.items()):
        inner = part.ndata["inner_node"]
        count = int(inner.sum())
        found.append([key, count, bool(inner[:count].all()), part.ndata["_ID"][:count].tolist()])
    return found


def arranged(g: Any, end: int) -> list:
    """A graph after `reorder_graph` whose edges are in the order of their sources or targets."""
    assert list(g.edges()[end]) == sorted(g.edges()[end])
    columns = [g.edata["_ID"], *g.edges(), g.edata["k"]]
    nodes = [g.ndata["_ID"], g.ndata["h"], g.ndata["label"]]
    return [nodes, sorted(zip(*(column.tolist() for column in columns), strict=True))]


def coverage(parts: dict) -> list:
    """The features of parts and the nodes that are theirs; METIS chooses freely whose are whose."""
    names = sorted({name for part in parts.values() for name in [*part.ndata, *part.edata]})
    nodes = [part.ndata["_ID"][part.ndata["inner_node"].bool()] for part in parts.values()]
    return [names, sorted(parts), torch.cat(nodes).sort().values]


def weighted(g: Any, name: str = "w", dtype: torch.dtype = torch.float32) -> Any:
    """`g` with the weights 1, 2, 3, ... as edge feature `name`."""
    g.edata[name] = torch.arange(1, g.num_edges() + 1).to(dtype)
    return g


def without_integers(g: Any) -> Any:
    """`g` without the integer edge features, which DGL cannot add up."""
    for etype in g.canonical_etypes:
        g.edges[etype].data.pop("k")
    return g


_ANY = [
    "gs.reverse(g)",
    "gs.reverse(g, copy_ndata=False, copy_edata=True)",
    "gs.reverse(g, True, True)",
    "gs.reverse(g, share_ndata=False, share_edata=True)",
    "g.reverse()",
    "g.reverse(copy_edata=True)",
    "gs.reverse(gs.reverse(g, copy_edata=True), copy_edata=True)",
    "gs.add_reverse_edges(g)",
    "gs.add_reverse_edges(g, ignore_bipartite=True)",
    "gs.add_reverse_edges(g, None, False, True, True)",
    "gs.add_reverse_edges(gs.reverse(g, copy_edata=True), True, True, True)",
    "gs.add_reverse_edges(g, copy_edata=True, ignore_bipartite=True, exclude_self=False)",
    "gs.to_simple(g)",
    "gs.to_simple(g, return_counts=None)",
    "gs.to_simple(g, return_counts='c', writeback_mapping=True)",
    "gs.to_simple(g, copy_ndata=False, copy_edata=True)",
    "gs.to_simple(g, None, True, True, True, 'arbitrary')",
    "gs.to_simple(without_integers(g), copy_edata=True, aggregator='sum')",
    "gs.to_simple(without_integers(g), copy_edata=True, aggregator='mean')",
    "gs.to_simple(g, copy_edata=True, aggregator='sum')",
    "gs.to_simple(g, copy_edata=True, aggregator='mean')",
    "gs.to_simple(g, copy_edata=True, aggregator='max')",
    "gs.to_simple(g, return_counts='w', copy_edata=True)",
    "gs.to_simple_graph(g)",
    "g.to_simple()",
    "g.to_simple(return_counts='n', copy_edata=True)",
    "gs.to_bidirected(g)",
    "gs.to_bidirected(g, copy_ndata=True)",
    "gs.norm_by_dst(g)",
    "gs.norm_by_dst(g, g.canonical_etypes[0])",
    "gs.norm_by_dst(g, g.etypes[-1])",
    "gs.norm_by_dst(g, 'nope')",
]

_HOMOGENEOUS = [
    "gs.add_reverse_edges(g, copy_edata=True)",
    "gs.add_reverse_edges(g, copy_ndata=False, exclude_self=False)",
    "gs.line_graph(g)",
    "gs.line_graph(g, backtracking=False)",
    "gs.line_graph(g, shared=True)",
    "g.line_graph()",
    "g.line_graph(False, True)",
    "gs.line_graph(gs.line_graph(g))",
    "gs.khop_adj(g, 0)",
    "gs.khop_adj(g, 1)",
    "gs.khop_adj(g, 3)",
    "gs.khop_adj(g, -1)",
    "gs.khop_graph(g, 0)",
    "gs.khop_graph(g, 1)",
    "gs.khop_graph(g, 2)",
    "gs.khop_graph(g, 3, copy_ndata=False)",
    "gs.khop_graph(g, -1)",
    "gs.khop_graph(g, 1.5)",
    "gs.metapath_reachable_graph(g, ['_E'])",
    "gs.metapath_reachable_graph(g, ['_E', '_E'])",
    "gs.metapath_reachable_graph(g, ('_E', ('_N', '_E', '_N'), '_E'))",
    "gs.metapath_reachable_graph(g, [])",
    "gs.metapath_reachable_graph(g, ['nope'])",
    "entries(gs.adj_product_graph(weighted(g), g, 'w'), 'w')",
    "entries(gs.adj_product_graph(weighted(g), weighted(g, 'w', torch.float64), 'w', 'E'), 'w')",
    "entries(gs.adj_product_graph(weighted(g), gs.reverse(g, True, True), 'w', etype='E'), 'w')",
    "entries(gs.adj_sum_graph([weighted(g), gs.reverse(g, True, True)], 'w'), 'w')",
    "entries(gs.adj_sum_graph((weighted(g),), 'w'), 'w')",
    "entries(gs.adj_sum_graph([g, g, g], 'w'), 'w')",
    "gs.adj_product_graph(g, g, 'nope')",
    "gs.adj_sum_graph([g], 'nope')",
    "gs.adj_sum_graph([], 'w')",
    "gs.adj_sum_graph([g, gs.add_nodes(g, 1)], 'w')",
    "gs.adj_product_graph(g, gs.add_nodes(g, 1), 'w')",
    "gs.adj_sum_graph([g, g.int() if g.idtype == torch.int64 else g.long()], 'w')",
    "gs.sort_csr_by_tag(g, torch.arange(g.num_nodes()) % 3)",
    "gs.sort_csr_by_tag(g, torch.arange(g.num_nodes()) % 2, 'offset')",
    "gs.sort_csr_by_tag(g, torch.arange(g.num_edges()) % 3, tag_type='edge')",
    "gs.sort_csc_by_tag(g, torch.arange(g.num_nodes()) % 3)",
    "gs.sort_csc_by_tag(g, torch.arange(g.num_edges()) % 2, tag_type='edge')",
    "gs.sort_csr_by_tag(g, torch.arange(g.num_nodes()) % 3).adj_tensors('csr')",
    "gs.sort_csr_by_tag(g, torch.arange(g.num_edges()) % 3, tag_type='edge').adj_tensors('csr')",
    "gs.sort_csc_by_tag(g, torch.arange(g.num_nodes()) % 3).adj_tensors('csc')",
    "gs.sort_csr_by_tag(g, torch.arange(g.num_nodes()), tag_type='nope')",
    "gs.sort_csr_by_tag(g, torch.arange(g.num_nodes()).float())",
    "arranged(gs.reorder_graph(g), 0)",
    "arranged(gs.reorder_graph(g, edge_permute_algo='dst'), 1)",
    "arranged(gs.reorder_graph(g, 'rcmk'), 0)",
    "arranged(g.reorder_graph('rcmk', 'dst'), 1)",
    "g.reorder_graph('rcmk', store_ids=False)",
    "gs.reorder_graph(g, 'custom', permute_config="
    "{'nodes_perm': list(range(g.num_nodes()))[::-1]})",
    "gs.reorder_graph(g, None, 'custom', permute_config="
    "{'edges_perm': torch.arange(g.num_edges()).flip(0).to(g.idtype)})",
    "gs.reorder_graph(g, 'custom', 'custom', True, {"
    "'nodes_perm': torch.arange(g.num_nodes()).roll(2).numpy(),"
    "'edges_perm': torch.arange(g.num_edges()).roll(1).to(g.idtype)})",
    "gs.reorder_graph(g, 'nope')",
    "gs.reorder_graph(g, edge_permute_algo=None)",
    "gs.reorder_graph(g, 'custom')",
    "gs.reorder_graph(g, 'metis')",
    "gs.reorder_graph(g, 'custom', permute_config={'nodes_perm': [0]})",
    "gs.reorder_graph(g, edge_permute_algo='custom', permute_config={'edges_perm': [0, 0]})",
    "gs.reorder_graph(g, 'metis', permute_config={'k': 2}).num_edges()",
    "g.reorder_graph('metis', permute_config={'k': 2}, store_ids=False).ndata['label'].sum()",
]

_PARTS = [
    "contents(gs.partition_graph_with_halo(g, parts(g), 0)[0])",
    "contents(gs.partition_graph_with_halo(g, parts(g), 1)[0])",
    "contents(gs.partition_graph_with_halo(g, parts(g), 2)[0])",
    "contents(gs.partition_graph_with_halo(g, parts(g), 1, reshuffle=True)[0])",
    "contents(gs.partition_graph_with_halo(g, parts(g), 3, True)[0])",
    "own(gs.partition_graph_with_halo(g, parts(g), 1)[0])",
    "own(gs.partition_graph_with_halo(g, parts(g), 2, True)[0])",
    "gs.partition_graph_with_halo(g, parts(g), 1)[1:]",
    "gs.partition_graph_with_halo(g, parts(g), 1, True)[1:]",
    "gs.partition_graph_with_halo(g, parts(g), 0)[0]",
    "coverage(gs.metis_partition(g, 2))",
    "coverage(gs.metis_partition(g, 2, extra_cached_hops=1, reshuffle=True))",
    "coverage(gs.metis_partition(g, 2, 0, False, torch.arange(g.num_nodes()) % 2, True))",
    "coverage(gs.metis_partition(g, 2, mode='recursive'))",
    "a = gs.metis_partition_assignment(g, 2); [a.dtype, len(a), a.unique().tolist()]",
    "a = gs.metis_partition_assignment(g, 2, mode='recursive'); [a.dtype, a.unique().tolist()]",
    "a = gs.metis_partition_assignment(g, 2, objtype='vol'); [a.dtype, len(a)]",
    "gs.metis_partition_assignment(g, 2, mode='nope')",
    "gs.metis_partition_assignment(g, 2, mode='recursive', objtype='vol')",
    "gs.metis_partition(g, 2, mode='nope')",
    "gs.metis_partition_assignment(g, 0)",
]

_TYPED = [
    "gs.metapath_reachable_graph(g, ['rates', 'rated-by'])",
    "gs.metapath_reachable_graph(g, ['follows', 'rates'])",
    "gs.metapath_reachable_graph(g, ['follows'])",
    "gs.metapath_reachable_graph(g, ['rates'])",
    "gs.metapath_reachable_graph(g, ['describes'])",
    "gs.metapath_reachable_graph(g, ['likes', 'rated-by', 'rates'])",
    "gs.metapath_reachable_graph(g, [('user', 'likes', 'item'), 'rated-by', 'follows'])",
    "gs.metapath_reachable_graph(g, ['rates', 'rates'])",
    "gs.metapath_reachable_graph(g, ['nope'])",
    "gs.metapath_reachable_graph(g, 'rates')",
    "gs.metapath_reachable_graph(g, [])",
    "gs.norm_by_dst(g, 'follows')",
    "gs.norm_by_dst(g, ('user', 'likes', 'item'))",
    "gs.line_graph(g)",
    "gs.line_graph(g['follows'], shared=True)",
    "gs.khop_adj(g, 2)",
    "gs.khop_graph(g, 2)",
    "gs.khop_graph(g['follows'], 2)",
    "gs.adj_product_graph(g, g, 'w')",
    "gs.adj_sum_graph([g], 'w')",
    "entries(gs.adj_product_graph(g['rates'], g['rated-by'], 'w'), 'w')",
    "entries(gs.adj_product_graph(g['rated-by'], g['likes'], 'w', etype='both'), 'w')",
    "entries(gs.adj_product_graph(g['follows'], g['rates'], 'w'), 'w')",
    "entries(gs.adj_sum_graph([g['rates'], g['likes']], 'w'), 'w')",
    "entries(gs.adj_sum_graph([g['likes'], g['rates'], g['likes']], 'w'), 'w')",
    "gs.adj_product_graph(g['rates'], g['rates'], 'w')",
    "gs.adj_sum_graph([g['rates'], g['follows']], 'w')",
    "gs.sort_csr_by_tag(g, torch.tensor([0, 1, 0]))",
    "gs.reorder_graph(g)",
    "gs.partition_graph_with_halo(g, torch.tensor([0, 1]), 1)",
    "gs.metis_partition(g, 2)",
    "gs.metis_partition_assignment(g, 2)",
]

_TWO_SIDED = [
    "gs.sort_csr_by_tag(g, torch.arange(g.num_nodes(g.dsttypes[0])) % 2)",
    "gs.sort_csc_by_tag(g, torch.arange(g.num_nodes(g.srctypes[0])) % 3)",
    "gs.sort_csc_by_tag(g, torch.arange(g.num_edges()) % 3, tag_type='edge')",
    "gs.line_graph(g)",
    "gs.khop_adj(g, 1)",
    "gs.khop_graph(g, 1)",
    "gs.reorder_graph(g)",
    "gs.metapath_reachable_graph(g, [g.etypes[0]] * 2)",
]

_NO_GRAPH = [
    f"gs.{name}(3{more})"
    for name, more in (
        ("reverse", ""),
        ("add_reverse_edges", ""),
        ("to_simple", ""),
        ("to_simple_graph", ""),
        ("to_bidirected", ""),
        ("norm_by_dst", ""),
        ("line_graph", ""),
        ("khop_adj", ", 1"),
        ("khop_graph", ", 1"),
        ("metapath_reachable_graph", ", ['_E']"),
        ("adj_product_graph", ", g, 'w'"),
        ("adj_sum_graph", ", 'w'"),
        ("sort_csr_by_tag", ", torch.arange(3)"),
        ("sort_csc_by_tag", ", torch.arange(3)"),
        ("reorder_graph", ""),
        ("metis_partition", ", 2"),
        ("metis_partition_assignment", ", 2"),
        ("partition_graph_with_halo", ", torch.arange(3), 1"),
    )
]

_DIFFERENCES = [
    Difference(
        "gs.to_simple(*aggregator='sum')*",
        "value",
        "Integer edge features can be added up; DGL knows floating-point ones only.",
    ),
    Difference(
        "gs.metapath_reachable_graph(g, [g.etypes[0]] * 2)*",
        "error",
        "Each edge type of a metapath must begin where the one before ends; DGL compares only the "
        "numbers of nodes.",
    ),
    Difference(
        "gs.sort_cs*@ no_edges",
        "value",
        "Neighbors of a graph without edges can be sorted; there are no tags then.",
    ),
    Difference(
        "g.reorder_graph('rcmk', store_ids=False)*",
        "other",
        "Without store_ids no ids are stored; DGL leaves edge feature '__orig__' behind.",
    ),
    Difference(
        "gs.reorder_graph(*edges_perm': [0, 0]*",
        "error",
        "A permutation must contain each id once; DGL drops and repeats edges.",
    ),
    Difference(
        "g*.reorder_graph(*'metis', permute_config*@ awkward32",
        "value",
        "Graphs with int32 ids can be partitioned; DGL requires int64.",
    ),
]

TABLE = Table(
    "structural",
    [
        *((call, "homo no_nodes bipartite het") for call in _ANY),
        *((call, "homo") for call in _HOMOGENEOUS),
        *((call, "simple awkward batched") for call in _PARTS),
        *((call, "hetero hetero32 hetero_batched") for call in _TYPED),
        *((call, "bipartite") for call in _TWO_SIDED),
        *((call, "simple") for call in _NO_GRAPH),
        ("gs.reverse(g)", "hetero_block block shared_name"),
        ("gs.to_simple(g)", "hetero_block block shared_name"),
        ("gs.add_reverse_edges(g)", "shared_name"),
        ("gs.add_reverse_edges(g, copy_edata=True, ignore_bipartite=True)", "shared_name"),
        ("gs.norm_by_dst(g)", "block"),
        ("gs.norm_by_dst(g, 'rates')", "hetero_block"),
        ("gs.line_graph(g)", "block no_nodes"),
        ("gs.khop_graph(g, 2)", "block no_nodes"),
        ("gs.sort_csr_by_tag(g, torch.arange(g.num_dst_nodes()) % 2)", "block"),
    ],
    differences=_DIFFERENCES,
    names={
        "entries": entries,
        "contents": contents,
        "own": own,
        "arranged": arranged,
        "coverage": coverage,
        "weighted": weighted,
        "without_integers": without_integers,
        "parts": lambda g: torch.arange(g.num_nodes()) * 2 // 3 % 2,
    },
)
