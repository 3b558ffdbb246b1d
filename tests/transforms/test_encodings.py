"""Positional encodings against dense numpy and against what they are defined by."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gossamer as gs
from gossamer import GossamerError, InvalidTypeError, InvalidValueError, UnknownKeyError
from gossamer.transforms import walk_encodings
from helpers.graphs import graph_cases


def _undirected(num_nodes: int, num_edges: int, idtype: torch.dtype = torch.int64) -> gs.Graph:
    """Connected by a cycle, with random chords, each edge in both directions."""
    ring = torch.arange(num_nodes)
    u = torch.cat([ring, torch.randint(0, num_nodes, (num_edges,))])
    v = torch.cat([(ring + 1) % num_nodes, torch.randint(0, num_nodes, (num_edges,))])
    return gs.graph((torch.cat([u, v]).to(idtype), torch.cat([v, u]).to(idtype)))


def _dense(g: gs.Graph, weights: torch.Tensor | None = None) -> np.ndarray:
    matrix = np.zeros((g.num_nodes(), g.num_nodes()))
    u, v = (end.numpy() for end in g.edges())
    np.add.at(matrix, (u, v), 1.0 if weights is None else weights.double().numpy())
    return matrix


def _laplacian(g: gs.Graph) -> np.ndarray:
    scale = g.in_degrees().clamp(min=1).double().numpy() ** -0.5
    return np.eye(g.num_nodes()) - scale[:, None] * _dense(g) * scale


# --- Laplacian ------------------------------------------------------------


@pytest.mark.parametrize("num_nodes", [12, 60, 400])
@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
def test_lap_pe_gives_eigenvectors(num_nodes: int, idtype: torch.dtype) -> None:
    g = _undirected(num_nodes, num_nodes, idtype)
    laplacian = _laplacian(g)
    pe, eigval = gs.lap_pe(g, 5, return_eigval=True)
    assert pe.dtype == eigval.dtype == torch.float32
    np.testing.assert_allclose(eigval, np.linalg.eigvalsh(laplacian)[1:6], atol=1e-5)
    np.testing.assert_allclose(laplacian @ pe.numpy(), pe.numpy() * eigval.numpy(), atol=1e-5)
    np.testing.assert_allclose(pe.T @ pe, np.eye(5), atol=1e-5)


def test_lap_pe_of_a_directed_graph_has_the_real_parts_of_the_spectrum() -> None:
    u, v = torch.randint(0, 15, (2, 50))
    g = gs.graph((u, v), num_nodes=15)
    expected = np.sort(np.linalg.eigvals(_laplacian(g)).real)
    _, eigval = gs.lap_pe(g, 14, return_eigval=True)
    np.testing.assert_allclose(eigval, expected[1:], atol=1e-5)


def test_lap_pe_of_a_large_directed_graph_iterates() -> None:
    u, v = torch.randint(0, 300, (2, 3000))
    g = gs.graph((u, v), num_nodes=300)
    expected = np.sort(np.linalg.eigvals(_laplacian(g)).real)
    _, eigval = gs.lap_pe(g, 3, return_eigval=True)
    np.testing.assert_allclose(eigval, expected[1:4], atol=1e-5)


def test_lap_pe_falls_back_where_iteration_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    import scipy.sparse.linalg

    def fail(*args: object, **kwargs: object) -> None:
        raise scipy.sparse.linalg.ArpackNoConvergence("no", [], [])

    monkeypatch.setattr(scipy.sparse.linalg, "eigsh", fail)
    g = _undirected(300, 100)
    _, eigval = gs.lap_pe(g, 3, return_eigval=True)
    np.testing.assert_allclose(eigval, np.linalg.eigvalsh(_laplacian(g))[1:4], atol=1e-5)


def test_lap_pe_pads() -> None:
    g = _undirected(6, 3)
    pe, eigval = gs.lap_pe(g, 8, padding=True, return_eigval=True)
    assert pe.shape == (6, 8)
    assert torch.equal(pe[:, 5:], torch.zeros(6, 3))
    assert eigval[5:].isnan().all()
    assert not eigval[:5].isnan().any()
    short = gs.lap_pe(g, 5)
    torch.testing.assert_close(pe[:, :5].abs(), short.abs(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("call", [lambda g: gs.lap_pe(g, 4), lambda g: gs.svd_pe(g, 4)])
def test_signs_follow_the_seed(call) -> None:
    g = _undirected(40, 10)
    gs.seed(3)
    first = call(g)
    gs.seed(3)
    assert torch.equal(call(g), first)
    others = [call(g) for _ in range(20)]
    assert any(not torch.equal(other, first) for other in others)
    for other in others:
        torch.testing.assert_close(other.abs(), first.abs())


@pytest.mark.parametrize("directed", [False, True])
def test_lambda_max_of_a_batch(directed: bool) -> None:
    graphs = [_undirected(n, 4) for n in (3, 5, 9, 30, 3, 70, 280)]
    graphs.insert(2, gs.graph(([], []), num_nodes=2))
    graphs.insert(2, gs.graph(([0], [0])))
    if directed:
        graphs.append(gs.graph(tuple(torch.randint(0, 12, (2, 30))), num_nodes=12))
    expected = []
    for g in graphs:
        values = np.linalg.eigvals(_laplacian(g))
        expected.append(values[np.abs(values).argmax()].real)
    np.testing.assert_allclose(gs.laplacian_lambda_max(gs.batch(graphs)), expected, atol=1e-6)
    alone = [gs.laplacian_lambda_max(g)[0] for g in graphs]
    np.testing.assert_allclose(alone, expected, atol=1e-6)


def test_lambda_max_of_a_large_directed_graph() -> None:
    g = gs.graph(tuple(torch.randint(0, 300, (2, 4000))), num_nodes=300)
    values = np.linalg.eigvals(_laplacian(g))
    expected = values[np.abs(values).argmax()].real
    np.testing.assert_allclose(gs.laplacian_lambda_max(g), [expected], atol=1e-6)


# --- repeated eigenvalues ------------------------------------------------------------


def _both_ways(u: torch.Tensor, v: torch.Tensor, num_nodes: int | None = None) -> gs.Graph:
    return gs.graph((torch.cat([u, v]), torch.cat([v, u])), num_nodes=num_nodes)


def _cycle(size: int) -> gs.Graph:
    at = torch.arange(size)
    return _both_ways(at, (at + 1) % size)


def _path(size: int) -> gs.Graph:
    at = torch.arange(size - 1)
    return _both_ways(at, at + 1)


def _multigraph(copies: int = 1) -> gs.Graph:
    """A hub with 5 leaves by 10 parallel edges each, and another node on each leaf."""
    hub = torch.zeros(50, dtype=torch.int64)
    leaves = torch.arange(1, 6)
    u = torch.cat([hub, leaves])
    v = torch.cat([leaves.repeat(10), leaves + 5])
    return gs.batch([_both_ways(u, v)] * copies)


def _hypercube(dimensions: int) -> gs.Graph:
    at = torch.arange(2**dimensions)
    return _both_ways(
        at.repeat(dimensions), torch.cat([at ^ 2**bit for bit in range(dimensions)]), len(at)
    )


REPEATED = {
    "cycles of 40": lambda: gs.batch([_cycle(40)] * 10),
    "cycles of 300": lambda: gs.batch([_cycle(300)] * 2),
    "cycle and nodes alone": lambda: gs.batch([_cycle(300), gs.graph(([], []), num_nodes=50)]),
    "no edges": lambda: gs.graph(([], []), num_nodes=300),
    "self-loops": lambda: gs.graph((range(5), range(5)), num_nodes=300),
    "paths": lambda: gs.batch([_path(n) for n in (50, 300, 7, 50)]),
    "multigraph": _multigraph,
    "multigraphs": lambda: _multigraph(30),
    "star": lambda: _both_ways(torch.zeros(400, dtype=torch.int64), torch.arange(1, 401)),
    "hypercube": lambda: _hypercube(9),
    "path of 50": lambda: _path(50),
    "path of 300": lambda: _path(300),
    "two random graphs": lambda: gs.batch([_undirected(300, 300)] * 2),
}


@pytest.mark.parametrize("name", REPEATED)
def test_lap_pe_of_repeated_eigenvalues(name: str) -> None:
    g = REPEATED[name]()
    k = min(12, g.num_nodes() - 2)
    pe, eigval = gs.lap_pe(g, k, return_eigval=True)
    laplacian = _laplacian(g)
    np.testing.assert_allclose(eigval, np.linalg.eigvalsh(laplacian)[1 : k + 1], atol=1e-6)
    pe = pe.double().numpy()
    np.testing.assert_allclose(pe.T @ pe, np.eye(k), atol=1e-6)
    np.testing.assert_allclose(laplacian @ pe, pe * eigval.numpy(), atol=1e-5)
    again = gs.lap_pe(g, k)
    torch.testing.assert_close(again.abs(), torch.from_numpy(abs(pe)).float())


@pytest.mark.parametrize("name", REPEATED)
def test_svd_pe_of_repeated_values(name: str) -> None:
    g = REPEATED[name]()
    k = min(12, g.num_nodes())
    pe = gs.svd_pe(g, k, random_flip=False).double().numpy()
    dense = _dense(g)
    values = np.linalg.svd(dense, compute_uv=False)[:k]
    left, right = pe[:, :k], pe[:, k:]
    for side in (left, right):
        np.testing.assert_allclose(side.T @ side, np.diag(values), atol=1e-5 * max(values[0], 1))
    np.testing.assert_allclose(dense @ right, left * values, atol=1e-5 * max(values[0], 1))


def test_ten_components_have_ten_zeros() -> None:
    _, eigval = gs.lap_pe(gs.batch([_cycle(40)] * 10), 12, return_eigval=True)
    assert (eigval < 1e-6).tolist() == [True] * 9 + [False] * 3
    values = gs.svd_pe(gs.batch([_cycle(40)] * 10), 12)[:, :12].square().sum(0)
    torch.testing.assert_close(values, torch.full((12,), 2.0))


@pytest.mark.parametrize("copies", [1, 3])
def test_lap_pe_of_directed_components(copies: int) -> None:
    at = torch.arange(100)
    parts = [gs.graph((at, (at + 1) % 100)), gs.graph(tuple(torch.randint(0, 100, (2, 400))))]
    g = gs.batch(parts * copies)
    _, eigval = gs.lap_pe(g, 9, return_eigval=True)
    expected = np.sort(np.linalg.eigvals(_laplacian(g)).real)[1:10]
    np.testing.assert_allclose(eigval, expected, atol=1e-5)


def test_encodings_of_a_long_path() -> None:
    size = 5000
    g = _path(size)
    pe, eigval = gs.lap_pe(g, 4, return_eigval=True)
    torch.testing.assert_close(
        eigval.double(),
        1 - torch.cos(torch.pi * torch.arange(1, 5).double() / (size - 1)),
        atol=1e-9,
        rtol=0,
    )
    torch.testing.assert_close(pe.T @ pe, torch.eye(4), atol=1e-5, rtol=0)
    values = gs.svd_pe(g, 4).square().sum(0)[:4]
    at = torch.tensor([1, 1, 2, 2], dtype=torch.float64)
    expected = 2 * torch.cos(torch.pi * at / (size + 1))
    torch.testing.assert_close(values, expected.float())
    assert gs.laplacian_lambda_max(g) == [pytest.approx(2.0)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "build", [lambda: gs.batch([_path(750)] * 4), lambda: _path(3000), lambda: _multigraph(273)]
)
def test_lap_pe_of_3000_nodes(build) -> None:
    g = build()
    pe, eigval = gs.lap_pe(g, 10, return_eigval=True)
    np.testing.assert_allclose(eigval, np.linalg.eigvalsh(_laplacian(g))[1:11], atol=1e-6)
    torch.testing.assert_close(pe.T @ pe, torch.eye(10), atol=1e-5, rtol=0)


def test_encodings_are_float32_whatever_the_default() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        g = _cycle(8)
        pe, eigval = gs.lap_pe(g, 9, padding=True, return_eigval=True)
        results = [pe, eigval, gs.svd_pe(g, 3), gs.random_walk_pe(g, 3)]
    finally:
        torch.set_default_dtype(torch.float32)
    assert {result.dtype for result in results} == {torch.float32}


# --- adjacency ------------------------------------------------------------


@pytest.mark.parametrize("num_nodes", [8, 400])
@pytest.mark.parametrize("k", [1, 5])
def test_svd_pe_is_the_best_approximation(num_nodes: int, k: int) -> None:
    u, v = torch.randint(0, num_nodes, (2, 5 * num_nodes))
    g = gs.graph((u, v), num_nodes=num_nodes)
    left, values, right = np.linalg.svd(_dense(g))
    expected = (left[:, :k] * values[:k]) @ right[:k]
    pe = gs.svd_pe(g, k, random_flip=False)
    assert pe.dtype == torch.float32
    np.testing.assert_allclose(pe[:, :k] @ pe[:, k:].T, expected, atol=1e-4)
    np.testing.assert_allclose((pe[:, :k] ** 2).sum(0), values[:k], rtol=1e-5)


def test_svd_pe_flips_both_halves_of_a_node_together() -> None:
    g = _undirected(30, 20)
    plain = gs.svd_pe(g, 3, random_flip=False)
    flipped = gs.svd_pe(g, 3)
    signs = (flipped * plain).sum(1).sign()
    assert set(signs.tolist()) == {-1.0, 1.0}
    torch.testing.assert_close(flipped, plain * signs[:, None])


# --- walks ------------------------------------------------------------


@pytest.mark.parametrize("case", graph_cases("homogeneous"))
def test_random_walk_pe_is_the_diagonal_of_powers(case) -> None:
    g = case()
    adjacency = _dense(g)
    total = adjacency.sum(1, keepdims=True)
    walk = np.divide(adjacency, total, out=np.zeros_like(adjacency), where=total != 0)
    expected = [np.linalg.matrix_power(walk, step).diagonal() for step in range(1, 5)]
    np.testing.assert_allclose(gs.random_walk_pe(g, 4), np.stack(expected, axis=1), atol=1e-6)


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_random_walk_pe_with_weights(shape: tuple[int, ...]) -> None:
    g = _undirected(20, 30)
    weights = torch.rand(g.num_edges())
    weights[g.out_edges(3, form="eid")] = 0
    g.edata["w"] = weights.view(shape)
    adjacency = _dense(g, weights)
    total = adjacency.sum(1, keepdims=True)
    walk = np.divide(adjacency, total, out=np.zeros_like(adjacency), where=total != 0)
    expected = [np.linalg.matrix_power(walk, step).diagonal() for step in (1, 2, 3)]
    np.testing.assert_allclose(
        gs.random_walk_pe(g, 3, eweight_name="w"), np.stack(expected, axis=1), atol=1e-6
    )


def test_random_walk_pe_is_the_same_in_pieces_sparse_or_dense(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    g = _undirected(50, 60)
    whole = gs.random_walk_pe(g, 6)
    for entries, filled in ((100, 20), (100, 0), (1 << 20, 0), (1 << 20, 10**6)):
        monkeypatch.setattr(walk_encodings, "ENTRIES", entries)
        monkeypatch.setattr(walk_encodings, "_FILLED", filled)
        torch.testing.assert_close(gs.random_walk_pe(g, 6), whole)


def test_relabelled_nodes_have_the_same_walks() -> None:
    g = _undirected(25, 20)
    order = torch.randperm(25)
    u, v = g.edges()
    relabeled = gs.graph((order[u], order[v]))
    torch.testing.assert_close(gs.random_walk_pe(relabeled, 5)[order], gs.random_walk_pe(g, 5))


# --- errors ------------------------------------------------------------

HETERO = {("a", "r", "b"): ([0], [0]), ("b", "s", "a"): ([0], [0])}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: gs.lap_pe(g, 0), InvalidValueError, "k is at least 1, got 0"),
        (lambda g: gs.lap_pe(g, -2), InvalidValueError, "k is at least 1, got -2"),
        (lambda g: gs.lap_pe(g, 1.0), InvalidTypeError, "k is an int, got 1.0"),
        (lambda g: gs.lap_pe(g, True), InvalidTypeError, "k is an int, got True"),
        (lambda g: gs.lap_pe(g, 3), InvalidValueError, "3 nodes .* k is 3. Use a smaller k, or"),
        (lambda g: gs.svd_pe(g, 4), InvalidValueError, "3 nodes .* k is 4. Use a smaller k, or"),
        (lambda g: gs.svd_pe(g, -1), InvalidValueError, "k is at least 0, got -1"),
        (lambda g: gs.random_walk_pe(g, 0), InvalidValueError, "k is at least 1, got 0"),
        (
            lambda g: gs.random_walk_pe(g, 2, "nope"),
            UnknownKeyError,
            "no edge feature 'nope'; the graph has .'wide', 'mask'",
        ),
        (lambda g: gs.random_walk_pe(g, 2, "wide"), InvalidValueError, "one real number per edge"),
        (lambda g: gs.random_walk_pe(g, 2, "mask"), InvalidValueError, "one real number per edge"),
        (
            lambda g: gs.laplacian_lambda_max(gs.batch([gs.graph(([], [])), gs.graph(([0], [1]))])),
            InvalidValueError,
            "without nodes",
        ),
        *(
            (lambda g, f=f: f(gs.heterograph(HETERO), 1), InvalidValueError, "one edge type")
            for f in (gs.lap_pe, gs.svd_pe, gs.random_walk_pe)
        ),
        *(
            (lambda g, f=f: f(gs.to_block(g), 1), InvalidValueError, "does not take a block")
            for f in (gs.lap_pe, gs.svd_pe, gs.random_walk_pe)
        ),
        (lambda g: gs.lap_pe("g", 1), InvalidTypeError, "takes a graph, got str"),
        (lambda g: gs.laplacian_lambda_max(None), GossamerError, "takes a graph"),
    ],
)
def test_bad_input(call, error: type[Exception], message: str) -> None:
    g = gs.graph(([0, 1], [1, 2]))
    g.edata["wide"] = torch.ones(2, 2)
    g.edata["mask"] = torch.ones(2, dtype=torch.bool)
    with pytest.raises(error, match=message):
        call(g)
