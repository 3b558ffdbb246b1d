"""Batches: making them, taking them apart, editing them.

In the expressions `g` is the input, `E` one of its edge types with `U` and `V` at the ends (None on
a homogeneous graph), ``ids(...)`` makes ids of the graph's id type and ``x(...)`` a tensor of the
given shape.
"""

from __future__ import annotations

import pickle

from golden.harness import Difference, Table

_BATCHES = [
    "gs.batch([g, g])",
    "gs.batch([g])",
    "gs.batch([g, g], ndata=['h'], edata=None)",
    "gs.batch([g, g], ndata=None, edata=['w'])",
    "gs.batch([g, g], ndata=['nope'])",
    "gs.batch([gs.batch([g, g]), g])",
    "gs.unbatch(gs.batch([g, g]))",
    "gs.unbatch(gs.batch([gs.batch([g, g]), g]))",
    "gs.unbatch(gs.batch([gs.reverse(g), gs.reverse(g)]))",
    "gs.unbatch(g)",
    "gs.slice_batch(gs.batch([g, g]), 1)",
    "gs.slice_batch(gs.batch([g, g]), 0, store_ids=True)",
    "gs.slice_batch(gs.batch([g, g]), 1, store_ids=True)",
    "gs.slice_batch(gs.batch([g, g]), 2)",
    "b = gs.batch([g, g]); b.batch_size, b.batch_num_nodes(U), b.batch_num_edges(E)",
    "b = gs.batch([g, g]); b.add_nodes(1, ntype=U); b.batch_size",
    "b = gs.batch([g, g]); b.remove_edges([0], etype=E); b.batch_num_edges(E)",
    "gs.batch([g, g]).int().batch_num_nodes(U)",
    "gs.batch([g, g]).local_var().batch_size",
    "pickle.loads(pickle.dumps(gs.batch([g, g])))",
]

_SIZES = [
    "n = g.num_nodes(); g.set_batch_num_nodes(torch.tensor([1, n - 1])); g.batch_num_nodes()",
    "g.set_batch_num_nodes(torch.tensor([g.num_nodes(), 0])); "
    "g.set_batch_num_edges(torch.tensor([g.num_edges(), 0])); gs.unbatch(g)",
    "gs.unbatch(g, torch.tensor([g.num_nodes(), 0]), torch.tensor([g.num_edges(), 0]))",
    "gs.unbatch(g, torch.tensor([1, g.num_nodes() - 1]), torch.tensor([0, g.num_edges()]))",
    "gs.unbatch(g, torch.tensor([g.num_nodes()]))",
    "gs.batch([g, g.int()])",
    "gs.batch([])",
]

_BATCH_EDITS = [
    "g.remove_nodes([0, 3], ntype=U); g",
    "g.remove_nodes([], ntype=U, store_ids=True); g",
    "g.remove_nodes(ids(1), ntype=U, store_ids=True); g",
    "g.remove_edges([2, 0], etype=E); g",
    "g.remove_edges([], etype=E, store_ids=True); g",
    "g.add_nodes(0, ntype=U); g",
    "g.add_nodes(1, ntype=U); g",
    "g.add_edges([], [], etype=E); g",
    "g.add_edges([0], [1], etype=E); g",
    "g.remove_edges([1], etype=E); gs.unbatch(g)",
]

_TYPED_SIZES = [
    "g.set_batch_num_nodes({t: torch.tensor([g.num_nodes(t), 0]) for t in g.ntypes}); "
    "g.set_batch_num_edges({e: torch.tensor([g.num_edges(e), 0]) for e in g.canonical_etypes}); "
    "gs.unbatch(g)",
]

_FEATURES_DIFFER = [
    "gs.batch([gs.graph(([0], [1])), gs.heterograph({('a', 'r', 'b'): ([0], [1])})])",
    "a = gs.graph(([0], [1])); a.ndata['h'] = x(2); gs.batch([a, gs.graph(([0], [1]))])",
    "a = gs.graph(([0], [1])); a.ndata['h'] = x(2); gs.batch([a, gs.graph(([], []))])",
    "a = gs.graph(([0], [1])); b = gs.graph(([0], [1])); a.ndata['h'] = x(2); "
    "b.ndata['h'] = x(2, 1); gs.batch([a, b])",
]

TABLE = Table(
    area="batch_readout",
    expressions=[
        *((e, "simple awkward32 no_edges bipartite hetero block") for e in _BATCHES),
        *((e, "simple awkward batched") for e in _SIZES),
        *((e, "batched hetero_batched") for e in _BATCH_EDITS),
        *((e, "hetero hetero32 shared_name") for e in _TYPED_SIZES),
        *((e, "simple") for e in _FEATURES_DIFFER),
    ],
    differences=[
        Difference(
            "gs.unbatch(g) @ block",
            "error",
            "Batches of blocks are not taken apart; DGL loses the difference of their sides.",
        ),
        Difference("*gs.batch(*@ block", "value", "Blocks can be batched."),
        Difference(
            "gs.unbatch(g, torch.tensor([1, *",
            "error",
            "A split must not cut through edges; DGL gives graphs with ids that do not exist.",
        ),
        Difference(
            "g.set_batch_num_nodes({*@ hetero32",
            "value",
            "Batch sizes may be int64 on an int32 graph.",
        ),
    ],
    names={"pickle": pickle},
)
