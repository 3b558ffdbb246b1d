"""Structure, features, editing and slicing by type.

In the expressions `g` is the input, `E` one of its edge types with `U` and `V` at the ends (None on
a homogeneous graph), ``ids(...)`` makes ids of the graph's id type and ``x(...)`` a tensor of the
given shape.
"""

from __future__ import annotations

import copy
import pickle
from typing import Any

import torch

from golden.harness import Difference, Table

_COUNTS = [
    "g",
    "g.num_nodes()",
    "g.num_nodes(V)",
    "g.number_of_nodes()",
    "g.num_src_nodes(), g.num_src_nodes(U), g.number_of_src_nodes(U)",
    "g.num_dst_nodes(), g.num_dst_nodes(V), g.number_of_dst_nodes(V)",
    "g.num_edges(), g.num_edges(E), g.number_of_edges(E)",
    "g.ntypes, g.etypes, g.canonical_etypes, g.srctypes, g.dsttypes",
    "g.is_block, g.is_homogeneous, g.is_multigraph, g.is_unibipartite",
    "g.idtype, g.device, g.batch_size",
    "g.metagraph()",
    "g.to_canonical_etype(E)",
    "g.get_etype_id(E)",
    "g.get_ntype_id(U)",
    "g.get_ntype_id(V)",
    "g.node_attr_schemes(U)",
    "g.edge_attr_schemes(E)",
    "g.batch_num_nodes(U)",
    "g.batch_num_edges(E)",
    "g.nodes(V)",
    "g.srcnodes(U), g.dstnodes(V)",
    "g.nodes['nope'].data",
    "g.edges['nope'].data",
    "g.num_nodes('nope')",
    "g.num_src_nodes('nope')",
    "g.num_edges('nope')",
    "g.num_edges(('a', 'b', 'c'))",
]

_QUERIES = [
    "g.has_nodes(0, U)",
    "g.has_nodes([0, 1, 99], U)",
    "g.has_nodes(ids(2, 1), U)",
    "g.in_degrees(etype=E)",
    "g.out_degrees(etype=E)",
    "g.in_degrees(0, E)",
    "g.out_degrees(ids(1, 0, 1), E)",
    "g.in_degrees(ids(1, 0, 1), E)",
    "g.in_degrees([], E)",
    "g.in_degrees(99, E)",
    "g.out_degrees([-1], E)",
    "g.successors(0, E)",
    "g.predecessors(1, E)",
    "g.successors(99, E)",
    "g.all_edges(form='all', etype=E)",
    "g.all_edges(form='uv', order='srcdst', etype=E)",
    "g.all_edges(form='all', order='srcdst', etype=E)",
    "g.all_edges(form='eid', order=None, etype=E)",
    "g.all_edges(form='nope', etype=E)",
    "g.all_edges(order='nope', etype=E)",
    "g.edges(etype=E)",
    "g.edges(form='all', order='eid', etype=E)",
    "g.edges(form='eid', etype=E)",
    "g.in_edges(0, etype=E)",
    "g.in_edges([2, 0], form='all', etype=E)",
    "g.in_edges(ids(0, 0), form='eid', etype=E)",
    "g.in_edges([], etype=E)",
    "g.in_edges([99], etype=E)",
    "g.out_edges([2, 0], form='all', etype=E)",
    "g.out_edges(ids(1), form='eid', etype=E)",
    "g.out_edges(0, form='nope', etype=E)",
    "g.find_edges([1, 0], etype=E)",
    "g.find_edges(0, etype=E)",
    "g.find_edges(ids(2, 2), etype=E)",
    "g.find_edges([99], etype=E)",
    "g.find_edges([], etype=E)",
    "g.has_edges_between(0, 1, E)",
    "g.has_edges_between([0, 1], [1, 0], E)",
    "g.has_edges_between(0, [0, 1, 2], E)",
    "g.has_edges_between([0, 99], [0, 0], E)",
    "g.has_edges_between([0, 1], [0, 1, 2], E)",
    "u, v = g.edges(etype=E); g.edge_ids(u[:2], v[:2], etype=E)",
    "u, v = g.edges(etype=E); g.edge_ids(u, v, return_uv=True, etype=E)",
    "g.edge_ids([2, 0], [0, 0], etype=E)",
    "g.edge_ids([2, 0], [0, 0], return_uv=True, etype=E)",
    "g.edge_ids([], [], etype=E)",
    "g.edge_ids([0], [99], etype=E)",
    "g.adj(E).to_dense()",
    "g.adj(E, eweight_name='w1').to_dense()",
    "g.edges[E].data['s'] = x(g.num_edges(E)); g.adj(E, eweight_name='s').to_dense()",
    "g.adj(E, eweight_name='nope').to_dense()",
    "g.adj_external(etype=E)",
    "g.adj_external(transpose=True, etype=E)",
    "g.adj_external(scipy_fmt='csr', etype=E)",
    "g.adj_external(transpose=True, scipy_fmt='coo', etype=E)",
    "g.adj_external(scipy_fmt='nope', etype=E)",
    "g.adj_tensors('coo', E)",
    "g.adj_tensors('csr', E)",
    "g.adj_tensors('csc', E)",
    "g.adj_tensors('nope', E)",
    "g.inc('in', etype=E)",
    "g.inc('out', etype=E)",
    "g.inc('both', etype=E)",
    "g.incidence_matrix('in', etype=E)",
    "g.inc('nope', etype=E)",
    "g.filter_nodes(lambda nodes: nodes.data['h'][:, 0] > 0, ntype=U)",
    "g.filter_nodes(lambda nodes: nodes.data['label'] == 1, nodes=ids(1, 0), ntype=U)",
    "g.filter_nodes(lambda nodes: nodes.data['nope'] == 1, ntype=U)",
    "g.filter_edges(lambda edges: edges.data['w'][:, 0] > 0, etype=E)",
    "g.filter_edges(lambda edges: edges.src['h'][:, 1] > edges.dst['h'][:, 1], etype=E)",
    "g.filter_edges(lambda edges: edges.data['k'] > 0, edges=ids(2, 0), etype=E)",
]

_ONE_EDGE = [
    "u, v = g.edges(etype=E); g.edge_ids(int(u[1]), int(v[1]), etype=E)",
    "u, v = g.edges(etype=E); g.edge_ids(int(u[1]), int(v[1]), return_uv=True, etype=E)",
]

# Without the edge type, where only a graph of one relation can answer.
_UNTYPED = [
    "g.in_degrees()",
    "g.edges()",
    "g.find_edges([0])",
    "g.has_edges_between(0, 1)",
    "g.successors(1)",
    "g.adj().to_dense()",
    "g.batch_num_nodes()",
    "g.batch_num_edges()",
    "g.nodes()",
    "g.srcnodes()",
    "g.dstnodes()",
    "g.node_attr_schemes()",
    "g.edge_attr_schemes()",
    "g.ndata",
    "g.edata",
    "g.srcdata",
    "g.dstdata",
    "g.ndata['h']",
    "g.edata['w']",
    "g.ndata['nope']",
    "g.srcdata['h']",
    "g.dstdata['h']",
    "'h' in g.ndata, 'nope' in g.ndata, len(g.ndata), sorted(g.ndata.keys())",
    "g.ndata.pop('h'); g",
    "g.edata.pop('w'); g",
    "del g.ndata['nope']; g",
]

_FEATURES = [
    "g.nodes[U].data['z'] = x(g.num_nodes(U), 3); g",
    "g.srcnodes[U].data['z'] = x(g.num_src_nodes(U), 3); g",
    "g.dstnodes[V].data['h'] = x(g.num_dst_nodes(V)); g",
    "g.edges[E].data['w'] = x(g.num_edges(E), 2, 2); g",
    "g.edges[E].data['z'] = x(99, 2); g",
    "g.srcnodes[U].data['z'] = x(99); g",
    "g.srcnodes[U].data['z'] = torch.tensor(1.0); g",
    "g.srcnodes[U].data['z'] = [1.0, 2.0]; g",
    "g.srcnodes[U].data['z'] = 3; g",
    "del g.srcnodes[U].data['h']; g",
    "g.edges[E].data.update({'w': x(g.num_edges(E))}); g",
    "g.edges[E].data.clear(); g",
    "dict(g.edges[E].data)",
    "g.srcnodes[U].data.get('nope', 7)",
    "with_scope(g, E); g",
    "h = g.local_var(); h.edges[E].data['w'] = x(g.num_edges(E)); g",
    "h = g.local_var(); h.edges[E].data['w'] = x(g.num_edges(E)); h",
    "h = g.clone(); h.edges[E].data.pop('w'); g",
    "g.to('cpu')",
    "g.cpu()",
    "g.int()",
    "g.long()",
    "g.int().long().idtype",
    "g.int().in_degrees(etype=E)",
    "g.create_formats_(); g.formats()",
    "g.formats('coo').formats()",
    "g.formats(['csr', 'csc']).formats()",
    "g.formats('csc').in_degrees(etype=E)",
    "g.formats('csr').edges(form='all', etype=E)",
    "g.formats(['coo', 'csr']).formats('csc').formats()",
    "g.formats('nope')",
    "g.is_pinned()",
    "copy.deepcopy(g)",
    "copy.copy(g)",
    "pickle.loads(pickle.dumps(g))",
]

# Reading and writing rows through nodes[...] and edges[...], on graphs of one type.
_ROWS = [
    "g.nodes[[0, 2]].data['h']",
    "g.nodes[0].data['h']",
    "g.nodes[ids(1)].data['label']",
    "g.nodes[:].data['h']",
    "g.nodes[[0, 2]].data['h'] = x(2, 2); g",
    "g.nodes[[0, 2]].data['new'] = x(2, 3); g",
    "g.nodes[[0, 2]].data['h'] = x(3, 2); g",
    "g.nodes[[0, 2]].data['h'] = x(2, 3); g",
    "g.nodes[[99]].data['h']",
    "g.edges[[0, 1]].data['w']",
    "g.edges[ids(0)].data['k']",
    "g.edges[:].data['w']",
    "g.edges[[1]].data['w'] = x(1, 1); g",
    "g.edges[[1]].data['new'] = x(1, 2); g",
    "g.edges[(0, 1)].data['w']",
]

_EDITS = [
    "g.add_nodes(2, ntype=U); g",
    "g.add_nodes(0, ntype=U); g",
    "g.add_nodes(2, data={'h': x(2, 2)}, ntype=U); g",
    "g.add_nodes(2, data={'new': x(2, 3)}, ntype=U); g",
    "g.add_nodes(2, data={'h': x(3, 2)}, ntype=U); g",
    "g.add_nodes(2, data={'h': x(2, 5)}, ntype=U); g",
    "g.add_nodes(-1, ntype=U); g",
    "g.add_nodes(1, ntype='nope'); g",
    "g.set_n_initializer(ones, field='h', ntype=U); g.add_nodes(2, ntype=U); g",
    "g.set_n_initializer(ones, ntype=U); g.add_nodes(1, {'new': x(1, 2)}, ntype=U); g",
    "g.set_e_initializer(ones, field='w', etype=E); g.add_edges([0], [0], etype=E); g",
    "g.set_e_initializer(ones, etype=E); g.add_edges([0], [1], {'new': x(1)}, etype=E); g",
    "g.add_edges([0, 1], [1, 0], etype=E); g",
    "g.add_edges(ids(2, 2), ids(0, 0), {'w': x(2, 1)}, etype=E); g",
    "g.add_edges(0, 1, etype=E); g",
    "g.add_edges(0, [1, 0], etype=E); g",
    "g.add_edges([1, 7], [8, 0], etype=E); g",
    "g.add_edges([0, 1], [0, 1, 2], etype=E); g",
    "g.add_edges([-1], [0], etype=E); g",
    "g.add_edges([], [], etype=E); g",
    "g.add_edges([0], [0], {'w': x(1, 9)}, etype=E); g",
    "g.remove_edges([0], etype=E); g",
    "g.remove_edges(1, etype=E); g",
    "g.remove_edges(ids(2, 0), etype=E, store_ids=True); g",
    "g.remove_edges([1, 1], etype=E); g",
    "g.remove_edges([], etype=E); g",
    "g.remove_edges([99], etype=E); g",
    "g.remove_edges([0], etype='nope'); g",
    "g.remove_nodes([0], ntype=U); g",
    "g.remove_nodes(1, ntype=V); g",
    "g.remove_nodes(ids(2, 0), ntype=U, store_ids=True); g",
    "g.remove_nodes([], ntype=U); g",
    "g.remove_nodes([99], ntype=U); g",
]

_SLICES = [
    "g[E]",
    "g[E[1]]",
    "g[E[0], :, :]",
    "g[:, E[1], :]",
    "g[:, :, E[2]]",
    "g[:, :, :]",
    "g[E[0], :, E[2]]",
    "g['nope']",
    "g['nope', :, :]",
    "g[E].srcdata['h'] = x(g.num_src_nodes(U)); g.srcnodes[U].data['h']",
]

_TYPED_VIEWS = [
    "g.ndata['h'] = {U: x(g.num_nodes(U), 2)}; g",
    "g.ndata['new'] = {U: x(g.num_nodes(U)), V: x(g.num_nodes(V))}; g",
    "g.edata['new'] = {E: x(g.num_edges(E))}; g",
    "g.edata['new'] = {E[1]: x(g.num_edges(E))}; g",
    "g.srcdata['new'] = {U: x(g.num_src_nodes(U))}; g",
    "g.dstdata['new'] = {V: x(g.num_dst_nodes(V))}; g",
    "g.ndata['new'] = x(g.num_nodes()); g",
    "g.ndata['new'] = {'nope': x(1)}; g",
    "g.ndata['new'] = {U: x(99)}; g",
]

_HELD = [
    "held = g.edges[E].data; g.remove_edges([0], etype=E); held['w']",
    "held = g.nodes[U].data; g.add_nodes(2, ntype=U); held['new'] = x(g.num_nodes(U)); g",
    "held = g.nodes[V].data; g.remove_nodes([0], ntype=V); held['h'], len(held)",
]


def ones(shape: tuple, dtype: torch.dtype, ctx: torch.device, id_range: slice) -> torch.Tensor:
    """An initializer that shows the range of ids that it is asked for."""
    return torch.ones(shape, dtype=dtype, device=ctx) * id_range.start


def with_scope(g: Any, etype: Any) -> None:
    """Change and remove features within a local scope that ends in an exception."""
    try:
        with g.local_scope():
            g.edges[etype].data["w"] = torch.zeros(g.num_edges(etype))
            g.edges[etype].data["extra"] = torch.zeros(g.num_edges(etype))
            g.edges[etype].data.pop("k")
            raise RuntimeError("on purpose")
    except RuntimeError:
        return


TABLE = Table(
    area="graph",
    expressions=[
        *((e, "any shared_name") for e in _COUNTS),
        *((e, "simple awkward32 no_edges bipartite hetero block") for e in _QUERIES),
        *((e, "awkward awkward32 hetero32 block") for e in _ONE_EDGE),
        *((e, "awkward hetero32") for e in _QUERIES if "nope" not in e),
        *((e, "simple bipartite hetero block") for e in _UNTYPED),
        *((e, "awkward32 bipartite hetero block") for e in _FEATURES),
        *((e, "simple awkward32 batched") for e in _ROWS),
        *((e, "awkward awkward32 bipartite hetero block") for e in _EDITS),
        *((e, "hetero shared_name hetero_block") for e in _SLICES),
        *((e, "hetero hetero32 shared_name") for e in _TYPED_VIEWS),
        *((e, "simple awkward32 bipartite hetero") for e in _HELD),
    ],
    differences=[
        Difference(
            "g.in_degrees(99, *",
            "error",
            "A node that does not exist is an error; DGL reads whatever lies in memory there.",
        ),
        Difference(
            "g.has_edges_between([0, 1], [0, 1, 2], *",
            "error",
            "Sources and destinations must pair up; DGL reads past the end of the shorter.",
        ),
        Difference(
            "g.edges[E].data['s'] *adj(*@ hetero32",
            "other",
            "Weights of parallel edges add up in the adjacency matrix; DGL keeps one of them.",
        ),
        Difference(
            "g.edges[E].data['s'] *adj(*",
            "value",
            "Weights of the adjacency matrix can be named on every graph; DGL looks them up in the "
            "features of all types.",
        ),
        Difference(
            "g.adj(*to_dense()*",
            "other",
            "The adjacency matrix is a torch sparse tensor, of blocks too (sources, destinations), "
            "and parallel edges add up in it; DGL keeps one of them.",
        ),
        Difference(
            "g.filter_edges(*",
            "other",
            "Ids come in the graph's id type; DGL gives int64 for an int32 graph here.",
        ),
        Difference(
            "'h' in g.ndata, 'nope' in g.ndata*",
            "other",
            "`in` is true if one of the types has the feature; in DGL it is true for every name.",
        ),
        Difference(
            "del g.ndata['nope']*",
            "error",
            "Deleting a feature that no type has is an error, as it is on a graph of one type.",
        ),
        Difference(
            "g.formats('csr').edges(*",
            "value",
            "Edges come in the order of ids whatever format the graph is restricted to.",
        ),
        *(
            Difference(
                f"{call} @ block",
                "error",
                "A block cannot be edited: DGL gives both of its sides the same number of nodes.",
            )
            for call in ("g.add_*", "g.remove_*", "g.set_?_initializer(*g.add_*")
        ),
        Difference(
            "g.add_nodes(2, data={'h': x(3, 2)}*",
            "error",
            "Features of new nodes must have a row for each; DGL gives the feature a wrong length.",
        ),
        Difference("g.add_edges([-1], *", "error", "Negative node ids are an error."),
        Difference("g[:, :, :] @ hetero_block", "value", "Blocks can be sliced by type."),
    ],
    names={"copy": copy, "pickle": pickle, "ones": ones, "with_scope": with_scope},
)
