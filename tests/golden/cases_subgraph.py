"""Subgraphs, compaction, blocks from graphs and casts of features.

In the expressions `g` is the input, ``ids(...)`` makes ids of the graph's id type, and `even(n)` is
a mask over n rows.
"""

from __future__ import annotations

import torch

from golden.harness import Difference, Table


def even(count: int) -> torch.Tensor:
    """True at 0, 2, 4 ..."""
    return torch.arange(count) % 2 == 0


_NODES = [
    "gs.node_subgraph(g, ids(2, 0, 1))",
    "gs.node_subgraph(g, [1, 2], relabel_nodes=False)",
    "gs.node_subgraph(g, ids(2, 1, 0), relabel_nodes=False, store_ids=False)",
    "gs.node_subgraph(g, [2, 0], store_ids=False)",
    "gs.node_subgraph(g, [2, 0, 2, 1])",
    "gs.node_subgraph(g, [2, 0, 2], relabel_nodes=False)",
    "gs.node_subgraph(g, even(g.num_nodes()))",
    "gs.node_subgraph(g, even(1))",
    "gs.node_subgraph(g, [])",
    "gs.node_subgraph(g, 2)",
    "gs.node_subgraph(g, [99])",
    "gs.node_subgraph(g, [-1])",
    "gs.node_subgraph(g, [0.5])",
    "gs.node_subgraph(g, None)",
    "gs.node_subgraph(g, {'_N': ids(1, 2)})",
    "gs.node_subgraph(g, {'nope': [1]})",
    "g.ndata['_ID'] = x(g.num_nodes()); gs.node_subgraph(g, [2, 0], store_ids=False)",
    "g.subgraph([1, 0, 2])",
    "g.subgraph(even(g.num_nodes()), output_device='cpu')",
    "g.subgraph([1, 0], relabel_nodes=False, store_ids=False)",
]

_TYPED_NODES = [
    "gs.node_subgraph(g, {'user': ids(2, 0, 1), 'item': ids(2, 0)})",
    "gs.node_subgraph(g, {'user': ids(1, 3)})",
    "gs.node_subgraph(g, {'user': [1, 0], 'item': [1]}, relabel_nodes=False)",
    "gs.node_subgraph(g, {'user': [1, 0], 'item': [1]}, store_ids=False)",
    "gs.node_subgraph(g, {'user': even(g.num_nodes('user')), 'item': [1, 1]})",
    "gs.node_subgraph(g, {'tag': [1]})",
    "gs.node_subgraph(g, [0, 1])",
    "gs.node_subgraph(g, {})",
    "gs.node_subgraph(g, {'user': [99]})",
    "g.subgraph({'user': [3, 0, 1], 'item': 1})",
]

_EDGES = [
    "gs.edge_subgraph(g, ids(4, 1, 3))",
    "gs.edge_subgraph(g, [4, 1, 4])",
    "gs.edge_subgraph(g, [4, 1], relabel_nodes=False)",
    "gs.edge_subgraph(g, [4, 1], relabel_nodes=False, store_ids=False)",
    "gs.edge_subgraph(g, [4, 1], store_ids=False)",
    "gs.edge_subgraph(g, even(g.num_edges()))",
    "gs.edge_subgraph(g, even(1))",
    "gs.edge_subgraph(g, [])",
    "gs.edge_subgraph(g, 2)",
    "gs.edge_subgraph(g, [99])",
    "gs.edge_subgraph(g, [-1])",
    "gs.edge_subgraph(g, ([0, 1], [1, 2]))",
    "gs.edge_subgraph(g, {'_E': ids(1, 2)})",
    "gs.edge_subgraph(g, {'nope': [1]})",
    "g.edge_subgraph([3, 0])",
    "g.edge_subgraph(even(g.num_edges()), relabel_nodes=False, output_device='cpu')",
    "g.edge_subgraph([3, 0], store_ids=False)",
]

_TYPED_EDGES = [
    "gs.edge_subgraph(g, {'follows': ids(2, 0), ('user', 'rates', 'item'): ids(2, 0)})",
    "gs.edge_subgraph(g, {'follows': [2, 0], 'rates': [2, 0]}, relabel_nodes=False)",
    "gs.edge_subgraph(g, {'follows': [2, 0], 'likes': 1}, store_ids=False)",
    "gs.edge_subgraph(g, {'rated-by': even(g.num_edges('rated-by'))})",
    "gs.edge_subgraph(g, {'describes': []})",
    "gs.edge_subgraph(g, [0])",
    "gs.edge_subgraph(g, {})",
    "gs.edge_subgraph(g, {'follows': [0], ('user', 'follows', 'user'): [1]})",
    "g.edge_subgraph({'likes': [2, 0]})",
]

_ONE_SIDED = [
    f"gs.{call}"
    for name in ("in_subgraph", "out_subgraph")
    for call in (
        f"{name}(g, ids(2, 1))",
        f"{name}(g, [2, 0, 2])",
        f"{name}(g, [1, 2], relabel_nodes=True)",
        f"{name}(g, [1, 2], relabel_nodes=True, store_ids=False)",
        f"{name}(g, [1, 2], store_ids=False)",
        f"{name}(g, [])",
        f"{name}(g, [], relabel_nodes=True)",
        f"{name}(g, 2)",
        f"{name}(g, [99])",
        f"{name}(g, [-1])",
        f"{name}(g, even(g.num_nodes()))",
        f"{name}(g, {{'_N': ids(1)}}, output_device='cpu')",
    )
]

_TYPED_ONE_SIDED = [
    f"gs.{call}"
    for name in ("in_subgraph", "out_subgraph")
    for call in (
        f"{name}(g, {{'user': ids(2, 0), 'item': ids(1, 0)}})",
        f"{name}(g, {{'user': ids(2, 0), 'item': ids(1, 0)}}, relabel_nodes=True)",
        f"{name}(g, {{'item': [1, 0, 1]}}, relabel_nodes=True)",
        f"{name}(g, {{'item': [1]}}, store_ids=False)",
        f"{name}(g, [1])",
        f"{name}(g, {{'nope': [1]}})",
    )
]

_HOPS = [
    f"gs.{call}"
    for name in ("khop_in_subgraph", "khop_out_subgraph")
    for call in (
        f"{name}(g, ids(2, 0), 1)",
        f"{name}(g, [1], 2)",
        f"{name}(g, [1, 0, 1], 1)",
        f"{name}(g, 2, 3)",
        f"{name}(g, [1, 0], 0)",
        f"{name}(g, [1, 0], 1, relabel_nodes=False)",
        f"{name}(g, [1, 0], 1, relabel_nodes=False, store_ids=False)",
        f"{name}(g, [1, 0], 1, store_ids=False, output_device='cpu')",
        f"{name}(g, [], 1)",
        f"{name}(g, [1], -1)",
        f"{name}(g, [1], 1.5)",
        f"{name}(g, [99], 1)",
        f"{name}(g, even(g.num_nodes()), 1)",
        f"{name}(g, {{'_N': [1]}}, 1)",
    )
]

_TYPED_HOPS = [
    f"gs.{call}"
    for name in ("khop_in_subgraph", "khop_out_subgraph")
    for call in (
        f"{name}(g, {{'item': [1, 0]}}, 1)",
        f"{name}(g, {{'item': ids(1), 'user': ids(2)}}, 2)",
        f"{name}(g, {{'user': 1, 'item': [2, 2]}}, 1)",
        f"{name}(g, {{'user': [3]}}, 1, relabel_nodes=False)",
        f"{name}(g, [1], 1)",
        f"{name}(g, {{'nope': [1]}}, 1)",
    )
]

_TYPES = [
    "gs.node_type_subgraph(g, ['user'])",
    "gs.node_type_subgraph(g, ['user', 'item'])",
    "gs.node_type_subgraph(g, ('tag', 'item'), output_device='cpu')",
    "gs.node_type_subgraph(g, ['user', 'user'])",
    "gs.node_type_subgraph(g, ['tag'])",
    "gs.node_type_subgraph(g, [])",
    "gs.node_type_subgraph(g, 'user')",
    "gs.node_type_subgraph(g, ['nope'])",
    "g.node_type_subgraph(['item', 'user'])",
    "s = gs.node_type_subgraph(g, ['user']); s.ndata['new'] = x(s.num_nodes()); g",
    "gs.edge_type_subgraph(g, ['follows'])",
    "gs.edge_type_subgraph(g, ['rates', ('user', 'follows', 'user')])",
    "gs.edge_type_subgraph(g, [('tag', 'describes', 'item')], output_device='cpu')",
    "gs.edge_type_subgraph(g, ['rates', 'likes'])",
    "gs.edge_type_subgraph(g, ['follows', 'follows'])",
    "gs.edge_type_subgraph(g, [])",
    "gs.edge_type_subgraph(g, 'follows')",
    "gs.edge_type_subgraph(g, ('user', 'follows', 'user'))",
    "gs.edge_type_subgraph(g, ['nope'])",
    "g.edge_type_subgraph(['rated-by', 'rates'])",
    "s = gs.edge_type_subgraph(g, ['rates']); s.edata['new'] = x(s.num_edges()); g",
]

_COMPACT = [
    "gs.compact_graphs(g)",
    "gs.compact_graphs([g, g])",
    "gs.compact_graphs((g,))",
    "gs.compact_graphs(g, copy_ndata=False)",
    "gs.compact_graphs(g, copy_edata=False)",
    "gs.compact_graphs([g], copy_ndata=False, copy_edata=False)",
    "gs.compact_graphs(g, always_preserve={'nope': ids(0)})",
]

_COMPACT_HOMOGENEOUS = [
    "gs.compact_graphs(g, always_preserve=ids(2, 1))",
    "gs.compact_graphs(g, always_preserve=[2, 1, 2])",
    "gs.compact_graphs(g, {'_N': ids(0)})",
    "gs.compact_graphs(g, always_preserve=ids(99))",
    "gs.compact_graphs([g, gs.add_edges(g, [2], [1])], always_preserve=ids(2))",
    "gs.compact_graphs([g, gs.add_nodes(g, 1)])",
    "gs.compact_graphs([g, g.int() if g.idtype == torch.int64 else g.long()])",
    "g.edata['_ID'] = x(g.num_edges()); gs.compact_graphs(g)",
]

_COMPACT_TYPED = [
    "gs.compact_graphs(g, {'user': ids(4), 'tag': ids(1)})",
    "gs.compact_graphs(g, {'item': [2, 0]})",
    "gs.compact_graphs(g, always_preserve=ids(1))",
    "gs.compact_graphs([g, gs.edge_type_subgraph(g, ['follows'])])",
]

_BLOCKS = [
    "gs.to_block(g)",
    "gs.to_block(g, include_dst_in_src=False)",
    "gs.to_block(g, {'nope': [0]})",
    "gs.block_to_graph(gs.to_block(g))",
    "gs.block_to_graph(gs.to_block(g, include_dst_in_src=False))",
    "gs.block_to_graph(g)",
]

_BLOCKS_HOMOGENEOUS = [
    "gs.to_block(g, [])",
    "gs.to_block(gs.in_subgraph(g, [2, 1]), [2, 1])",
    "gs.to_block(gs.in_subgraph(g, ids(2, 1)), ids(2, 0, 1), include_dst_in_src=False)",
    "gs.to_block(gs.in_subgraph(g, [1]), {'_N': ids(0, 1)})",
    "gs.to_block(gs.in_subgraph(g, [2, 1]), [2, 1, 2])",
    "gs.to_block(gs.in_subgraph(g, [2, 1]), [2])",
    "gs.to_block(gs.in_subgraph(g, [2, 1]), [2, 1, 99])",
    "gs.to_block(gs.in_subgraph(g, [2, 1]), even(g.num_nodes()) | True)",
    "gs.to_block(gs.in_subgraph(g, [1]), [1], src_nodes=torch.cat([ids(1), "
    "ids(*range(2, g.num_nodes())), ids(0)]))",
    "gs.to_block(gs.in_subgraph(g, [1]), [1], False, ids(*range(g.num_nodes())))",
    "gs.to_block(gs.in_subgraph(g, [1]), [1], src_nodes=ids(0, 1, 2, 3, 4))",
    "gs.to_block(gs.in_subgraph(g, [1]), [1], False, ids(1))",
    "g.ndata['_ID'] = x(g.num_nodes()); gs.to_block(g)",
]

_BLOCKS_TYPED = [
    "gs.to_block(g, {'user': ids(3, 1, 0, 2), 'item': ids(2, 0, 1)})",
    "gs.to_block(g, {'user': [3, 1, 0, 2]})",
    "gs.to_block(g, {'user': [3, 1, 0, 2], 'item': [2, 0, 1], 'tag': [1]})",
    "gs.to_block(g, {'user': [3, 1, 0, 2], 'item': [2, 0, 1]}, include_dst_in_src=False)",
    "gs.to_block(g, ids(0, 1))",
    "gs.to_block(g, {'item': [2]})",
    "gs.to_block(g, {'user': [3, 1, 0, 2], 'item': [2, 0, 1]}, False, "
    "{'user': ids(4, 3, 2, 1, 0)})",
]

_CASTS = [f"gs.{name}(g)" for name in ("to_half", "to_float", "to_double", "to_bfloat16")]
_CASTS += [f"gs.to_double(gs.{name}(g))" for name in ("to_half", "to_bfloat16")]

_NO_GRAPH = [
    "gs.node_subgraph(3, [0])",
    "gs.edge_subgraph(None, [0])",
    "gs.in_subgraph('g', [0])",
    "gs.khop_out_subgraph([], [0], 1)",
    "gs.node_type_subgraph(3, ['user'])",
    "gs.edge_type_subgraph(3, ['user'])",
    "gs.compact_graphs(3)",
    "gs.compact_graphs([g, 3])",
    "gs.compact_graphs([])",
    "gs.to_block(3)",
    "gs.block_to_graph(3)",
    "gs.to_half(3)",
    "gs.node_subgraph(g, [0], output_device='nowhere')",
]

_ON_BLOCKS = [
    "gs.node_subgraph(g, {'user': [0]}, relabel_nodes=False)",
    "gs.edge_subgraph(g, {g.canonical_etypes[0]: [1, 0]})",
    "gs.edge_subgraph(g, {g.canonical_etypes[0]: [1, 0]}, relabel_nodes=False)",
    "gs.edge_subgraph(g, {g.canonical_etypes[0]: [1]}, relabel_nodes=False, store_ids=False)",
    "gs.in_subgraph(g, {'user': [0]})",
    "gs.out_subgraph(g, {'user': [0]})",
    "gs.khop_in_subgraph(g, {'user': [0]}, 1)",
    "gs.node_type_subgraph(g, ['user'])",
    "gs.edge_type_subgraph(g, [g.canonical_etypes[-1]])",
    "gs.compact_graphs(g)",
    "gs.to_block(g)",
    "gs.block_to_graph(g)",
]

_ON_BIPARTITE = [
    "gs.node_subgraph(g, {'user': [3, 0], 'item': [1, 2]})",
    "gs.node_subgraph(g, [1])",
    "gs.edge_subgraph(g, [3, 0])",
    "gs.edge_subgraph(g, {E: ids(1, 1)}, relabel_nodes=False)",
    "gs.in_subgraph(g, {'item': [1, 0]})",
    "gs.in_subgraph(g, {'user': [1, 0]})",
    "gs.out_subgraph(g, {'user': [1, 0]}, relabel_nodes=True)",
    "gs.khop_in_subgraph(g, {'item': [1]}, 2)",
    "gs.khop_out_subgraph(g, {'user': [2, 1]}, 2)",
    "gs.node_type_subgraph(g, ['item', 'user'])",
    "gs.node_type_subgraph(g, ['item'])",
    "gs.edge_type_subgraph(g, ['rates'])",
    "gs.compact_graphs(g)",
    "gs.compact_graphs(g, {'item': ids(3)})",
    "gs.to_block(g)",
    "gs.to_block(g, {'item': ids(0, 2, 1)})",
    "gs.to_block(g, ids(0, 2, 1))",
    "gs.block_to_graph(gs.to_block(g))",
]

_DIFFERENCES = [
    Difference(
        "gs.node_subgraph(g, [2, 0, 2, 1])*",
        "other",
        "After a node that is listed twice, in-edges go to the listed nodes; DGL's go to the nodes "
        "before them.",
    ),
    *(
        Difference(
            f"gs.{call}_subgraph(g, even(1))*",
            "error",
            "A mask needs a value for each node or edge; DGL takes a shorter one.",
        )
        for call in ("node", "edge")
    ),
    *(
        Difference(
            call,
            "value",
            "Nodes may be given by a mask wherever they are given by ids; DGL takes masks in some "
            "functions only.",
        )
        for call in (
            "gs.in_subgraph(g, even(*",
            "gs.out_subgraph(g, even(*",
            "gs.khop_*(g, even(*",
            "gs.to_block(*even(*",
        )
    ),
    *(
        Difference(
            call, "error", "A node type that does not exist is an error; DGL passes over it."
        )
        for call in (
            "gs.node_subgraph(g, {'nope'*",
            "gs.in_subgraph(g, {'nope'*",
            "gs.out_subgraph(g, {'nope'*",
            "gs.compact_graphs(*{'nope'*",
            "gs.to_block(g, {'nope'*",
        )
    ),
    *(
        Difference(f"gs.{call}(g, [-1])*", "error", "A negative node id is an error.")
        for call in ("in_subgraph", "out_subgraph")
    ),
    Difference(
        "gs.khop_*(g, [1], -1)*",
        "error",
        "A negative number of hops is an error; DGL takes it for 0.",
    ),
    Difference(
        "gs.*_subgraph(g, {}) *",
        "value",
        "An empty dict of nodes or edges gives an empty subgraph.",
    ),
    Difference(
        "gs.edge_subgraph(g, {'follows': [0], ('user'*",
        "error",
        "An edge type may occur only once; DGL takes the last one.",
    ),
    Difference(
        "gs.edge_type_subgraph(g, ['follows', 'follows'])*",
        "error",
        "An edge type may be named once; DGL gives a graph that has it twice.",
    ),
    *(
        Difference(
            call,
            "other",
            "A part of a block is a block; DGL keeps both sides of its types and forgets that it "
            "is one.",
        )
        for call in ("gs.edge_subgraph(*@ hetero_block", "gs.edge_type_subgraph(*@ hetero_block")
    ),
    Difference(
        "gs.compact_graphs([g, gs.add_nodes(g, 1)])*",
        "error",
        "Graphs that are compacted together need the same nodes, as DGL's documentation says too.",
    ),
    Difference(
        "gs.to_block(gs.in_subgraph(g, [2, 1]), [2])*",
        "error",
        "Destination nodes that lack the end of an edge are an error, as DGL's documentation says "
        "too; DGL gives a block with edges to nodes that it does not have.",
    ),
    Difference(
        "gs.to_block(g, {'item': [2]})*",
        "error",
        "Destination nodes that lack the end of an edge are an error, as DGL's documentation says "
        "too; DGL gives a block with edges to nodes that it does not have.",
    ),
    Difference(
        "gs.to_block(*, [1], src_nodes=ids(0*",
        "error",
        "Source nodes must begin with the destination nodes unless include_dst_in_src is False.",
    ),
    Difference(
        "gs.to_block(*, [1], False, ids(1)) @ no_edges",
        "other",
        "A block made with src_nodes has that many source nodes; in DGL it has none.",
    ),
    Difference(
        "gs.to_block(*, [1], False, ids(1))*",
        "error",
        "Source nodes that lack the end of an edge are an error; DGL gives an edge from node -1.",
    ),
    *(
        Difference(
            call,
            "other",
            "A block made with src_nodes has that many source nodes; in DGL it has none.",
        )
        for call in ("gs.to_block(*src_nodes=torch.cat*", "gs.to_block(*False, ids(*range*")
    ),
    Difference(
        "gs.to_block(*False, {'user'*",
        "other",
        "src_nodes may be a dict by node type; DGL passes over it.",
    ),
    Difference(
        "gs.to_block(g) @ hetero_block",
        "error",
        "A block cannot be made of a block; DGL mixes up its sides.",
    ),
]

TABLE = Table(
    "subgraph",
    [
        *((call, "homo") for call in [*_NODES, *_ONE_SIDED, *_HOPS]),
        *((call, "simple awkward awkward32 batched") for call in _EDGES),
        *((call, "hetero hetero32 hetero_batched") for call in _TYPES),
        *((call, "hetero hetero32") for call in _TYPED_NODES + _TYPED_EDGES),
        *((call, "hetero hetero32") for call in _TYPED_ONE_SIDED + _TYPED_HOPS),
        *((call, "homo no_nodes hetero hetero32") for call in [*_COMPACT, *_BLOCKS]),
        *((call, "homo") for call in [*_COMPACT_HOMOGENEOUS, *_BLOCKS_HOMOGENEOUS]),
        *((call, "hetero hetero32") for call in [*_COMPACT_TYPED, *_BLOCKS_TYPED]),
        *((call, "simple awkward32 hetero_batched hetero_block") for call in _CASTS),
        *((call, "simple") for call in _NO_GRAPH),
        *((call, "hetero_block") for call in _ON_BLOCKS),
        *((call, "bipartite") for call in _ON_BIPARTITE),
        ("gs.edge_type_subgraph(g, ['likes'])", "shared_name"),
        ("gs.edge_type_subgraph(g, [('user', 'likes', 'item')])", "shared_name"),
        ("gs.edge_subgraph(g, {'likes': [0]})", "shared_name"),
        ("gs.node_subgraph(g, [])", "no_nodes"),
        ("gs.edge_subgraph(g, [])", "no_edges no_nodes"),
    ],
    differences=_DIFFERENCES,
    names={"even": even},
)
