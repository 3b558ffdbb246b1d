"""Writers of tiny datasets in public raw formats, and a library-independent summary of graphs.

The same files were read by DGL 2.1.0, whose answers are in ``tests/data/golden``; so this module
must not depend on Gossamer, and the content of the files depends on nothing but the seed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse


def _rng(seed: int = 0) -> np.random.RandomState:
    return np.random.RandomState(seed)


def _sparse(rng: np.random.RandomState, rows: int, columns: int, entries: int) -> Any:
    """Distinct random entries of a matrix of ones."""
    flat = np.unique(rng.randint(0, rows * columns, 2 * entries))
    flat = np.sort(rng.permutation(flat)[:entries])
    ones = np.ones(len(flat), dtype=np.float32)
    return scipy.sparse.csr_matrix((ones, (flat // columns, flat % columns)), (rows, columns))


def write_gnn_benchmark(folder: Path, name: str, nodes: int = 12) -> None:
    """``<name>.npz``, with a self-loop, a pair in both directions and a repeated class."""
    rng = _rng(1)
    adjacency = _sparse(rng, nodes, nodes, 30).tolil()
    adjacency[0, 1] = adjacency[1, 0] = adjacency[2, 2] = 1
    adjacency = adjacency.tocsr().astype(np.float32)
    attributes = _sparse(rng, nodes, 9, 40)
    parts = {}
    for key, matrix in (("adj", adjacency), ("attr", attributes)):
        parts[f"{key}_data"], parts[f"{key}_indices"] = matrix.data, matrix.indices
        parts[f"{key}_indptr"], parts[f"{key}_shape"] = matrix.indptr, matrix.shape
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"{name}.npz", labels=rng.randint(0, 4, nodes), **parts)


def write_reddit(folder: Path, prefix: str = "", nodes: int = 15) -> None:
    """``reddit_data.npz`` and ``reddit<_self_loop>_graph.npz``."""
    rng = _rng(2)
    folder.mkdir(parents=True, exist_ok=True)
    adjacency = _sparse(rng, nodes, nodes, 40)
    scipy.sparse.save_npz(folder / f"reddit{prefix}_graph.npz", adjacency.tocoo())
    np.savez(
        folder / "reddit_data.npz",
        feature=rng.rand(nodes, 5).astype(np.float32),
        label=rng.randint(0, 41, nodes),
        node_types=rng.randint(1, 4, nodes),
        node_ids=np.arange(nodes),
    )


def write_saint(folder: Path, multi_label: bool, nodes: int = 14) -> None:
    """The four files of GraphSAINT: ``adj_full.npz``, ``feats.npy`` and two JSON files."""
    rng = _rng(3)
    folder.mkdir(parents=True, exist_ok=True)
    scipy.sparse.save_npz(folder / "adj_full.npz", _sparse(rng, nodes, nodes, 40))
    np.save(folder / "feats.npy", rng.rand(nodes, 6))
    order = rng.permutation(nodes).tolist()
    if multi_label:
        classes = {str(n): rng.randint(0, 2, 5).tolist() for n in order}
    else:
        classes = {str(n): int(rng.randint(0, 7)) for n in order}
    (folder / "class_map.json").write_text(json.dumps(classes))
    role = {"tr": order[:7], "va": order[7:10], "te": order[10:]}
    (folder / "role.json").write_text(json.dumps(role))


def write_ppi(folder: Path, mode: str = "train", key: str = "links") -> None:
    """``<mode>_graph.json`` and three arrays, with graphs of the numbers that the mode has."""
    rng = _rng(4)
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {"train": range(1, 21), "valid": (21, 22), "test": (23, 24)}[mode]
    graph_id = np.repeat(numbers, rng.randint(3, 6, len(numbers)))
    links = []
    for number in numbers:
        members = np.flatnonzero(graph_id == number)
        pairs = members[rng.randint(0, len(members), (7, 2))]
        links += [{"source": int(u), "target": int(v)} for u, v in np.unique(pairs, axis=0)]
    nodes = [{"id": n, "test": False, "val": False} for n in range(len(graph_id))]
    content = {"directed": True, "graph": {}, "multigraph": False, "nodes": nodes, key: links}
    (folder / f"{mode}_graph.json").write_text(json.dumps(content))
    np.save(folder / f"{mode}_feats.npy", rng.rand(len(graph_id), 5))
    np.save(folder / f"{mode}_labels.npy", rng.randint(0, 2, (len(graph_id), 121)))
    np.save(folder / f"{mode}_graph_id.npy", graph_id)


def write_wiki_cs(folder: Path, nodes: int = 13) -> None:
    """``data.json``."""
    rng = _rng(5)
    folder.mkdir(parents=True, exist_ok=True)
    masks = rng.randint(0, 3, (20, nodes))
    content = {
        "features": rng.rand(nodes, 4).round(4).tolist(),
        "labels": rng.randint(0, 10, nodes).tolist(),
        "links": [np.unique(rng.randint(0, nodes, 3)).tolist() for _ in range(nodes)],
        "train_masks": (masks == 0).tolist(),
        "val_masks": (masks == 1).tolist(),
        "stopping_masks": (masks == 2).tolist(),
        "test_mask": (rng.rand(nodes) < 0.5).tolist(),
    }
    (folder / "data.json").write_text(json.dumps(content))


FRAUD = {
    "yelp": ("YelpChi.mat", ("net_rsr", "net_rtr", "net_rur")),
    "amazon": ("Amazon.mat", ("net_upu", "net_usu", "net_uvu")),
}


def _with_last(matrix: Any) -> Any:
    """The matrix with an entry in its last row and in its last column."""
    matrix = matrix.tolil()
    matrix[-1, 0] = matrix[0, -1] = 1
    return matrix.tocsc().astype(np.float64)


def write_fraud(folder: Path, name: str, nodes: int = 4000) -> None:
    """A MATLAB file with three relations."""
    rng = _rng(6)
    folder.mkdir(parents=True, exist_ok=True)
    file, relations = FRAUD[name]
    content = {key: _with_last(_sparse(rng, nodes, nodes, 50)) for key in relations}
    content["homo"] = sum(content.values()).tocsc()
    content["features"] = scipy.sparse.csc_matrix(rng.rand(nodes, 3).round(3))
    content["label"] = (rng.rand(1, nodes) < 0.3).astype(np.float64)
    scipy.io.savemat(folder / file, content)


def write_tu(
    folder: Path, name: str, *, labels: bool = True, attributes: bool = True, edges: bool = True
) -> None:
    """``<name>_A.txt`` and the other text files of the TU collection: 5 graphs."""
    rng = _rng(7)
    folder.mkdir(parents=True, exist_ok=True)
    sizes = [4, 3, 5, 2, 6]
    indicator = np.repeat(np.arange(1, 6), sizes)
    pairs = []
    for number in range(1, 6):
        members = np.flatnonzero(indicator == number) + 1
        for u, v in np.unique(members[rng.randint(0, len(members), (7, 2))], axis=0).tolist():
            pairs.append((u, v))
    nodes = len(indicator)

    def lines(suffix: str, rows: list) -> None:
        (folder / f"{name}_{suffix}.txt").write_text("".join(f"{row}\n" for row in rows))

    lines("A", [f"{u}, {v}" for u, v in pairs])
    lines("graph_indicator", indicator.tolist())
    lines("graph_labels", [1, -1, 1, 3, -1])
    if labels:
        lines("node_labels", rng.choice([1, 2, 4], nodes).tolist())
    if attributes:
        lines("node_attributes", [", ".join(f"{x:.3f}" for x in row) for row in rng.rand(nodes, 3)])
    if edges:
        lines("edge_labels", rng.choice([2, 3, 7], len(pairs)).tolist())
        lines("edge_attributes", [f"{x:.3f}" for x in rng.rand(len(pairs))])


def write_dgcnn(folder: Path, name: str) -> None:
    """``<name>.txt`` of graph-classification papers: labels 0 and 2, tags 5, 1, 3."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "3\n3 2\n5 2 1 2\n1 1 0\n5 1 0\n4 0\n1 3 1 2 3\n1 1 0\n3 1 0\n3 1 0\n2 2\n3 1 1\n3 1 0\n"
    (folder / f"{name}.txt").write_text(text)


def write_openke(folder: Path) -> None:
    """``entities.dict``, ``relations.dict`` and triples by name, as R-GCN's repository has them."""
    rng = _rng(8)
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"/m/{n:02d}" for n in range(9)]
    relations = ["likes", "knows", "is part of"]
    for file, words in (("entities", names), ("relations", relations)):
        (folder / f"{file}.dict").write_text("".join(f"{i}\t{w}\n" for i, w in enumerate(words)))
    triples = np.unique(np.column_stack([rng.randint(0, n, 40) for n in (9, 3, 9)]), axis=0)
    triples = triples[rng.permutation(len(triples))]
    for file, part in zip(("train", "valid", "test"), np.split(triples, [20, 25]), strict=True):
        rows = [f"{names[h]}\t{relations[r]}\t{names[t]}\n" for h, r, t in part]
        (folder / f"{file}.txt").write_text("".join(rows))


def write_events(folder: Path, step: int) -> None:
    """``train.txt``, ``valid.txt`` and ``test.txt``: head, relation, tail, time, tab-separated."""
    rng = _rng(9)
    folder.mkdir(parents=True, exist_ok=True)
    begin = 0
    for file, times in (("train", 4), ("valid", 2), ("test", 2)):
        rows = []
        for time in range(begin, begin + times):
            for _ in range(5):
                head, tail = rng.randint(0, 8, 2)
                rows.append(f"{head}\t{rng.randint(0, 3)}\t{tail}\t{time * step}\t-1\n")
        begin += times
        (folder / f"{file}.txt").write_text("".join(rows))
    (folder / "stat.txt").write_text("8\t3\t0\n")


def write_bitcoin(folder: Path, packed: bool = False) -> None:
    """``bitcoinotc.csv``: ratings over 60 days, ids with gaps."""
    rng = _rng(10)
    folder.mkdir(parents=True, exist_ok=True)
    times = np.sort(rng.rand(50) * 60 * 86400 + 1289241911)
    rows = [
        ",".join(
            map(
                str,
                [
                    rng.choice([1, 2, 3, 7, 9]),
                    rng.choice([4, 5, 6, 12]),
                    rng.randint(-10, 11),
                    f"{t:.5f}\n",
                ],
            )
        )
        for t in times
    ]
    text = "".join(rows)
    if packed:
        (folder / "soc-sign-bitcoinotc.csv.gz").write_bytes(gzip.compress(text.encode()))
    else:
        for name in ("bitcoinotc.csv", "soc-sign-bitcoinotc.csv"):
            (folder / name).write_text(text)


def write_qm7b(folder: Path) -> None:
    """``qm7b.mat``: Coulomb matrices padded with zeros."""
    rng = _rng(11)
    folder.mkdir(parents=True, exist_ok=True)
    matrices = np.zeros((4, 23, 23))
    for molecule, atoms in zip(matrices, (3, 5, 2, 4), strict=True):
        block = rng.rand(atoms, atoms) + 0.1
        molecule[:atoms, :atoms] = block + block.T
    matrices[1, 0, 2] = matrices[1, 2, 0] = 0
    scipy.io.savemat(folder / "qm7b.mat", {"X": matrices.astype(np.float32), "T": rng.rand(4, 14)})


QM9_TARGETS = ["mu", "alpha", "homo", "lumo", "gap", "r2", "zpve", "U0", "U", "H", "G", "Cv"]


def write_qm9(folder: Path) -> None:
    """``qm9_eV.npz``: four molecules."""
    rng = _rng(12)
    folder.mkdir(parents=True, exist_ok=True)
    atoms = np.array([3, 5, 2, 4])
    arrays = {key: rng.rand(4).astype(np.float32) for key in (*QM9_TARGETS, *"ABC")}
    np.savez(
        folder / "qm9_eV.npz",
        N=atoms,
        R=(rng.rand(atoms.sum(), 3) * 3).astype(np.float32),
        Z=rng.choice([1, 6, 7, 8, 9], atoms.sum()),
        id=np.arange(4),
        **arrays,
    )


def write_qm9_edge(folder: Path) -> None:
    """``qm9_edge.npz``: three molecules."""
    rng = _rng(13)
    folder.mkdir(parents=True, exist_ok=True)
    n_node, n_edge = np.array([3, 4, 2]), np.array([4, 6, 2])
    ends = [rng.randint(0, n, (2, e)) for n, e in zip(n_node, n_edge, strict=True)]
    src, dst = np.concatenate(ends, axis=1)
    np.savez(
        folder / "qm9_edge.npz",
        n_node=n_node,
        n_edge=n_edge,
        node_attr=rng.rand(n_node.sum(), 15).astype(np.float32),
        node_pos=rng.rand(n_node.sum(), 3).astype(np.float32),
        edge_attr=rng.rand(n_edge.sum(), 4).astype(np.float32),
        src=src,
        dst=dst,
        targets=rng.rand(3, 19).astype(np.float32),
    )


def write_ba2motif(folder: Path, file: str = "BA-2motif.pkl", nodes: int = 25) -> None:
    """``BA-2motif.pkl``: dense adjacencies, features and one-hot labels."""
    rng = _rng(14)
    folder.mkdir(parents=True, exist_ok=True)
    upper = np.triu(rng.rand(6, nodes, nodes) < 0.1, 1)
    upper[:, -2, -1] = True
    adjacency = (upper | upper.transpose(0, 2, 1)).astype(np.float64)
    labels = np.eye(2)[[0, 0, 1, 0, 1, 1]]
    content = (adjacency, np.full((6, nodes, 10), 0.1), labels)
    (folder / file).write_bytes(pickle.dumps(content, protocol=2))


def write_fake_news(folder: Path, feature: str = "bert") -> None:
    """The text, npy and npz files of UPFD: three news trees."""
    rng = _rng(15)
    folder.mkdir(parents=True, exist_ok=True)
    node_graph_id = np.repeat([0, 1, 2], [4, 3, 5])
    edges = []
    for number in range(3):
        members = np.flatnonzero(node_graph_id == number)
        edges += [(int(members[0]), int(leaf)) for leaf in members[1:]]
    (folder / "A.txt").write_text("".join(f"{u}, {v}\n" for u, v in edges))
    np.save(folder / "node_graph_id.npy", node_graph_id)
    np.save(folder / "graph_labels.npy", np.array([0, 1, 1]))
    for name, part in (("train", [2]), ("val", [0]), ("test", [1])):
        np.save(folder / f"{name}_idx.npy", np.array(part))
    width = 5
    scipy.sparse.save_npz(
        folder / f"new_{feature}_feature.npz", _sparse(rng, len(node_graph_id), width, 30)
    )


SST_TREES = "(3 (2 (2 the) (2 movie)) (4 (3 is) (4 (2 not) (1 bad))))\n(1 (2 it) (0 fails))\n"


def write_sst(folder: Path) -> None:
    """Trees in brackets, and the words of a vocabulary."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("train", "dev", "test"):
        (folder / f"{name}.txt").write_text(SST_TREES)
    (folder / "vocab.txt").write_text("the\nmovie\nis\nbad\nit\nfails\n")


def summary(g: Any, by_ends: bool = False) -> dict[str, Any]:
    """Numbers of nodes, digests of edges in order of their ids, and digests of features.

    With `by_ends`, edges are put in the order of their destination, then of their source.
    """

    def digest(tensor: Any) -> str:
        content = np.ascontiguousarray(tensor.detach().numpy())
        text = f"{tensor.dtype} {tuple(tensor.shape)} "
        return text + hashlib.sha256(content.tobytes()).hexdigest()[:16]

    found: dict[str, Any] = {"nodes": {}, "edges": {}}
    for ntype in g.ntypes:
        data = g.nodes[ntype].data
        features = {key: digest(data[key]) for key in sorted(data)}
        found["nodes"][ntype] = [g.num_nodes(ntype), features]
    for etype in g.canonical_etypes:
        u, v = g.edges(etype=etype, order="eid")
        if by_ends:
            order = np.lexsort((u.numpy(), v.numpy()))
            u, v = u[order], v[order]
        u, v = u.long(), v.long()
        data = g.edges[etype].data
        features = {key: digest(data[key]) for key in sorted(data)}
        ends = f"{digest(u)} {digest(v)}"
        found["edges"][" ".join(etype)] = [g.num_edges(etype), ends, features]
    return found
