"""Neighbor graphs against scikit-learn, in every way of searching."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from sklearn.neighbors import NearestNeighbors

import gossamer as gs
from gossamer import InvalidTypeError, InvalidValueError, MissingExtraError
from gossamer.geometry import farthest_point_sampler
from gossamer.transforms import _nearest

ALGORITHMS = ["bruteforce-blas", "bruteforce", "bruteforce-sharemem", "kd-tree", "nn-descent"]


@pytest.fixture(params=["tree", "blocks", "small blocks"])
def search(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Force each way of searching; the tree still only where it can be."""
    if request.param == "tree":
        monkeypatch.setattr(_nearest, "_TREE_POINTS", 0)
    else:
        monkeypatch.setattr(_nearest, "_TREE_COORDINATES", 0)
    if request.param == "small blocks":
        monkeypatch.setattr(_nearest, "_ENTRIES", 200)
    return request.param


def _expected(x: torch.Tensor, k: int, metric: str, exclude_self: bool) -> np.ndarray:
    finder = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(x.numpy())
    return finder.kneighbors(None if exclude_self else x.numpy(), return_distance=False)


# On a line all cosines are 1 or -1, and a single point has no other.
CASES = [
    (1, 3, 1, "euclidean", False),
    (50, 1, 3, "euclidean", False),
    (50, 1, 3, "euclidean", True),
    *(
        (80, coordinates, 7, metric, exclude_self)
        for coordinates in (3, 24)
        for metric in ("euclidean", "cosine")
        for exclude_self in (False, True)
    ),
]


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize(("count", "coordinates", "k", "metric", "exclude_self"), CASES)
def test_neighbors_are_those_of_sklearn(
    count: int, coordinates: int, k: int, metric: str, exclude_self: bool
) -> None:
    x = torch.randn(count, coordinates, dtype=torch.float64)
    g = gs.knn_graph(x, k, dist=metric, exclude_self=exclude_self)
    u, v = g.edges()
    assert g.num_nodes() == count
    assert torch.equal(v, torch.arange(count).repeat_interleave(k))
    np.testing.assert_array_equal(u.view(count, k), _expected(x, k, metric, exclude_self))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_gives_the_same(algorithm: str) -> None:
    x = torch.randn(60, 4)
    got = gs.knn_graph(x, 5, algorithm=algorithm).edges()
    assert torch.equal(got[0], gs.knn_graph(x, 5).edges()[0])


def _outlier(coordinates: int) -> torch.Tensor:
    x = torch.rand(60, coordinates, dtype=torch.float64)
    x[-1] = 1e9
    return x


def _two_clusters(coordinates: int) -> torch.Tensor:
    x = 1e-3 * torch.rand(80, coordinates, dtype=torch.float64)
    x[40:] += 1e6
    return x


def _far_from_origin(coordinates: int) -> torch.Tensor:
    return 1e7 + torch.rand(70, coordinates, dtype=torch.float64)


def _mixed_units(coordinates: int) -> torch.Tensor:
    return torch.rand(90, coordinates, dtype=torch.float64) * 10.0 ** torch.arange(coordinates)


def _copies(coordinates: int) -> torch.Tensor:
    x = torch.rand(6, coordinates, dtype=torch.float64).repeat(15, 1)
    return x + 1e-9 * torch.rand(90, coordinates, dtype=torch.float64)


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("coordinates", [2, 12])
@pytest.mark.parametrize("exclude_self", [False, True])
@pytest.mark.parametrize(
    "build", [_outlier, _two_clusters, _far_from_origin, _mixed_units, _copies]
)
def test_badly_scaled_points_have_their_nearest_neighbors(
    build, dtype: torch.dtype, coordinates: int, exclude_self: bool
) -> None:
    x = build(coordinates).to(dtype)
    k = 3
    u, _ = gs.knn_graph(x, k, exclude_self=exclude_self).edges()
    exact = x.double().numpy()
    distance = np.linalg.norm(exact[u.view(-1, k)] - exact[:, None], axis=2)
    # Points that are equally far may be exchanged, so distances are compared.
    expected, nearest = cKDTree(exact).query(exact, k=k + exclude_self)
    np.testing.assert_allclose(distance, expected[:, exclude_self:], rtol=1e-7)
    if exclude_self:
        assert not (u.view(-1, k) == torch.arange(len(x))[:, None]).any()
    gaps = np.diff(cKDTree(exact).query(exact, k=k + 2)[0][:, 1:], axis=1)
    if (gaps > 0).all() and not exclude_self:
        np.testing.assert_array_equal(u.view(-1, k), nearest)


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("coordinates", [2, 12])
def test_badly_scaled_sets(coordinates: int) -> None:
    builds = (_outlier, _two_clusters, _far_from_origin, _mixed_units)
    parts = [build(coordinates) for build in builds]
    g = gs.segmented_knn_graph(torch.cat(parts), 3, [len(x) for x in parts], exclude_self=True)
    for part, x in zip(gs.unbatch(g), parts, strict=True):
        expected = gs.knn_graph(x, 3, exclude_self=True)
        assert torch.equal(torch.stack(part.edges()), torch.stack(expected.edges()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("tree", [False, True])
def test_radius_graph_of_badly_scaled_points(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, tree: bool
) -> None:
    monkeypatch.setattr(_nearest, "_TREE_COORDINATES", 10 if tree else 0)
    for x, r in ((_outlier(3), 0.4), (_two_clusters(3), 6e-4)):
        x = x.to(dtype)
        pairs = cKDTree(x.double().numpy()).query_pairs(r)
        u, v = gs.radius_graph(x, r).edges()
        assert {(a, b) for a, b in zip(u.tolist(), v.tolist(), strict=True) if a < b} == pairs
        assert len(u) == 2 * len(pairs)


def test_farthest_points_far_from_origin() -> None:
    pos = torch.rand(1, 50, 3, dtype=torch.float64)
    expected = farthest_point_sampler(pos, 20, start_idx=0)
    moved = farthest_point_sampler(pos + 2.0**20, 20, start_idx=0)
    assert torch.equal(moved, expected)


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("coordinates", [2, 12])
@pytest.mark.parametrize("exclude_self", [False, True])
def test_sets_are_searched_apart(coordinates: int, exclude_self: bool) -> None:
    sizes = [5, 30, 6, 17, 5, 90]
    x = torch.randn(sum(sizes), coordinates)
    g = gs.segmented_knn_graph(x, 4, sizes, exclude_self=exclude_self)
    parts = [gs.knn_graph(part, 4, exclude_self=exclude_self) for part in x.split(sizes)]
    expected = gs.batch(parts)
    assert torch.equal(torch.stack(g.edges()), torch.stack(expected.edges()))
    assert torch.equal(g.batch_num_nodes(), torch.tensor(sizes))
    assert torch.equal(g.batch_num_edges(), 4 * torch.tensor(sizes))
    assert [part.num_edges() for part in gs.unbatch(g)] == [4 * size for size in sizes]


@pytest.mark.usefixtures("search")
def test_three_dimensions_are_a_batch() -> None:
    x = torch.randn(4, 20, 3)
    g = gs.knn_graph(x, 6)
    expected = gs.batch([gs.knn_graph(part, 6) for part in x])
    assert g.batch_size == 4
    assert torch.equal(torch.stack(g.edges()), torch.stack(expected.edges()))


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("coordinates", [2, 12])
def test_copies_of_a_point(coordinates: int) -> None:
    """Many copies: still k different neighbors, not itself, and none that is further away."""
    x = torch.cat([torch.zeros(20, coordinates), torch.ones(20, coordinates)])
    u, v = gs.knn_graph(x, 6, exclude_self=True).edges()
    assert not bool((u == v).any())
    assert torch.equal(u // 20, v // 20)
    assert all(len(set(row)) == 6 for row in u.view(40, 6).tolist())


@pytest.mark.usefixtures("search")
def test_far_from_the_origin_nothing_is_lost() -> None:
    x = torch.rand(60, 3, dtype=torch.float64)
    near = gs.knn_graph(x, 4).edges()[0]
    assert torch.equal(gs.knn_graph(x + 1e6, 4).edges()[0], near)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int64])
def test_every_real_dtype(dtype: torch.dtype) -> None:
    x = (torch.arange(12) ** 2).view(12, 1).to(dtype)
    g = gs.knn_graph(x, 2)
    assert torch.equal(g.edges()[0], gs.knn_graph(x.double(), 2).edges()[0])


def test_without_scipy_the_answer_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(100, 3)
    expected = gs.knn_graph(x, 5).edges()

    def absent(name: str, purpose: str) -> None:
        raise MissingExtraError(f"{purpose} needs {name}")

    monkeypatch.setattr(_nearest, "optional_import", absent)
    assert torch.equal(gs.knn_graph(x, 5).edges()[0], expected[0])
    assert gs.radius_graph(x, 0.5).num_edges() > 0


# --- radius ---------------------------------------------------------------------------------------


def _within(x: torch.Tensor, r: float, p: float, self_loop: bool) -> torch.Tensor:
    apart = (x[:, None] - x[None]).abs()
    distances = apart.amax(-1) if math.isinf(p) else apart.pow(p).sum(-1).pow(1 / p)
    near = distances <= r
    if not self_loop:
        near.fill_diagonal_(False)
    return near.nonzero().T


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("p", [0.5, 1, 2, 3.5, math.inf])
@pytest.mark.parametrize("self_loop", [False, True])
@pytest.mark.parametrize("coordinates", [1, 3, 14])
def test_radius_graph_joins_what_is_near(p: float, self_loop: bool, coordinates: int) -> None:
    x = torch.randn(60, coordinates, dtype=torch.float64)
    spread = (x[:, None] - x[None]).norm(p=p, dim=-1)
    r = float(spread.median()) * 0.6
    u, v = gs.radius_graph(x, r, p=p, self_loop=self_loop).edges()
    assert torch.equal(torch.stack([u, v]), _within(x, r, p, self_loop))


@pytest.mark.usefixtures("search")
def test_points_on_the_sphere_count() -> None:
    x = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 5.0], [5.0001, 0.0]])
    g, distances = gs.radius_graph(x, 5, get_distances=True)
    assert g.has_edges_between([0, 0], [1, 2]).all()
    assert not g.has_edges_between(0, 3)
    assert distances.shape == (g.num_edges(), 1)


@pytest.mark.parametrize("mode", ["use_mm_for_euclid_dist", "use_mm_for_euclid_dist_if_necessary"])
def test_compute_modes(mode: str) -> None:
    x = torch.randn(40, 3, dtype=torch.float64)
    expected = gs.radius_graph(x, 1.0)
    got = gs.radius_graph(x, 1.0, compute_mode=mode)
    assert torch.equal(torch.stack(got.edges()), torch.stack(expected.edges()))


def test_distances_carry_gradients() -> None:
    x = torch.randn(12, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(12 * 12, 1, dtype=torch.float64)

    def total(x: torch.Tensor) -> torch.Tensor:
        _, distances = gs.radius_graph(x, 1e3, get_distances=True)
        return (distances * weight[: len(distances)]).sum()

    assert torch.autograd.gradcheck(total, (x,))
    _, distances = gs.radius_graph(x, 1e3, self_loop=True, get_distances=True)
    (gradient,) = torch.autograd.grad(distances, x, weight)
    assert bool(torch.isfinite(gradient).all())


def test_half_precision_has_distances_in_half_precision() -> None:
    x = torch.randn(30, 2).half()
    _, distances = gs.radius_graph(x, 1.0, get_distances=True)
    assert distances.dtype == torch.float16
    assert float(distances.max()) <= 1.001


# --- errors ---------------------------------------------------------------------------------------

X = torch.randn(5, 2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gs.knn_graph(X, 6), InvalidValueError, "set of 5 has 5 neighbors, but k is 6"),
        (
            lambda: gs.knn_graph(X, 5, exclude_self=True),
            InvalidValueError,
            "set of 5 has 4 neighbors other than itself, but k is 5",
        ),
        (lambda: gs.knn_graph(X, 0), InvalidValueError, "k is at least 1, got 0"),
        (lambda: gs.knn_graph(X, -3), InvalidValueError, "k is at least 1, got -3"),
        (lambda: gs.knn_graph(X, 2.0), InvalidTypeError, "k is an int, got 2.0"),
        (
            lambda: gs.knn_graph(X, 2, "tree"),
            InvalidValueError,
            "algorithm is one of .* got 'tree'",
        ),
        (lambda: gs.knn_graph(X, 2, dist="l1"), InvalidValueError, "dist is one of .* got 'l1'"),
        (lambda: gs.knn_graph(X[:0], 1), InvalidValueError, "the point set is empty"),
        (lambda: gs.knn_graph(X[:, 0], 1), InvalidValueError, r"got \(5,\)"),
        (lambda: gs.knn_graph(X.tolist(), 1), InvalidTypeError, "points as a tensor, got list"),
        (lambda: gs.knn_graph(X > 0, 1), InvalidTypeError, "real numbers, got torch.bool"),
        (lambda: gs.knn_graph(X / 0, 1), InvalidValueError, "infinite or not a number"),
        (lambda: gs.segmented_knn_graph(X, 1, [2, 2]), InvalidValueError, "adds up to 4"),
        (
            lambda: gs.segmented_knn_graph(X, 1, [0, 5]),
            InvalidValueError,
            "every set needs a point",
        ),
        (lambda: gs.segmented_knn_graph(X, 1, []), InvalidValueError, "every set needs a point"),
        (lambda: gs.segmented_knn_graph(X, 1, [7, -2]), InvalidValueError, "every set needs"),
        (lambda: gs.segmented_knn_graph(X, 1, [2.5, 2.5]), InvalidTypeError, "segs"),
        (lambda: gs.segmented_knn_graph(X, 3, [2, 3]), InvalidValueError, "set of 2 has 2"),
        (lambda: gs.segmented_knn_graph(X[None], 1, [5]), InvalidValueError, r"shape \(N, D\)"),
        (lambda: gs.radius_graph(X, 0), InvalidValueError, "radius r is positive, got 0"),
        (lambda: gs.radius_graph(X, -1), InvalidValueError, "r is a number of at least 0, got -1"),
        (lambda: gs.radius_graph(X, math.nan), InvalidValueError, "r is a number .* got nan"),
        (lambda: gs.radius_graph(X, "1"), InvalidTypeError, "r is a number, got '1'"),
        (
            lambda: gs.radius_graph(X, 1, p=-2),
            InvalidValueError,
            "p is a number of at least 0",
        ),
        (
            lambda: gs.radius_graph(X, 1, compute_mode="mm"),
            InvalidValueError,
            "compute_mode is one",
        ),
        (
            lambda: gs.radius_graph(X.long(), 1),
            InvalidTypeError,
            "floating-point .* got torch.int64",
        ),
        (lambda: gs.radius_graph(X[:0], 1), InvalidValueError, "the point set is empty"),
        (
            lambda: gs.radius_graph(X[None], 1),
            InvalidValueError,
            r"shape \(N, D\), got \(1, 5, 2\)",
        ),
    ],
)
def test_bad_input(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("number", [np.int64(3), np.uint8(3), np.array(3), torch.tensor(3)])
def test_integers_of_every_kind(number) -> None:
    x = torch.rand(20, 2)
    expected = gs.knn_graph(x, 3).edges()
    assert torch.equal(torch.stack(gs.knn_graph(x, number).edges()), torch.stack(expected))
    assert gs.lap_pe(gs.knn_graph(x, 3), number).shape == (20, 3)
    assert gs.random_walk_pe(gs.knn_graph(x, 3), number).shape == (20, 3)
    chosen = farthest_point_sampler(x[None], number, start_idx=number)
    assert chosen.shape == (1, 3) and int(chosen[0, 0]) == 3


def test_radius_of_every_kind() -> None:
    x = torch.rand(20, 2)
    expected = torch.stack(gs.radius_graph(x, 0.5).edges())
    assert torch.equal(
        torch.stack(gs.radius_graph(x, np.float64(0.5), np.int64(2)).edges()), expected
    )
    assert torch.equal(torch.stack(gs.radius_graph(x, np.float32(0.5)).edges()), expected)
