"""Largest eigenvalues and singular values of sparse matrices, with multiplicity.

A Krylov method that starts from one vector can miss copies of a repeated eigenvalue. Therefore the
vectors found are projected out and the search is repeated until it finds no larger eigenvalue.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from gossamer._optional import optional_import

__all__ = ["DENSE_SIZE", "is_symmetric", "largest_pairs", "largest_singular", "largest_value"]

# Up to this size, decomposing the dense matrix is faster than iterating on the sparse one.
DENSE_SIZE = 256

# Restarts of the Krylov method before a symmetric matrix is factorized. Close eigenvalues, such as
# those of a long path, need thousands of restarts on the matrix but few on its inverse.
_RESTARTS = 30

# Limit on the multiplications of a factorization. Random graphs need far more, but their
# eigenvalues are well separated.
_FACTORIZATION_WORK = 2e10

# Up to this size, an unsymmetric matrix is decomposed as a dense one if iteration is slow.
_DENSE_UNSYMMETRIC = 3000

# Residual of an eigenpair relative to its eigenvalue. Results are returned in float32.
_TOLERANCE = 1e-9

# Eigenvalues that differ by less, relative to the bound on all of them, count as equal.
_SAME = 1e-8

# Distance of the shift from the largest eigenvalue, relative to the bound on all of them.
_SHIFT = 1e-6


def largest_pairs(
    matrix: Any, count: int, known: np.ndarray | None = None, bound: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The `count` eigenvalues of largest real part, descending, and eigenvectors as columns.

    Parameters
    ----------
    matrix : scipy.sparse matrix
        ``(N, N)``. If it is symmetric, the eigenvectors are orthonormal.
    count : int
        Number of eigenvalues, from 1 to N.
    known : numpy.ndarray, optional
        ``(N, M)``: orthonormal eigenvectors that are part of the result.
    bound : float, optional
        An upper bound on the eigenvalues, close to the largest one.
    """
    size = matrix.shape[0]
    symmetric = is_symmetric(matrix)
    if size <= DENSE_SIZE or count >= size // 4:
        return _dense_pairs(matrix, count, symmetric)
    search = _Search(matrix, symmetric, bound)
    basis = np.empty((size, 0)) if known is None else known
    values, vectors = _ritz(matrix, basis, symmetric)
    wanted = max(count - len(values), 1)
    try:
        while basis.shape[1] + wanted < size // 2:
            found, new = search.run(basis, wanted)
            enough = len(values) >= count
            if enough and found.max() <= values[count - 1] + _SAME * search.scale:
                return values[:count], vectors[:, :count]
            basis = _extended(basis, new)
            values, vectors = _ritz(matrix, basis, symmetric)
            # First the missing pairs, then missed copies, in runs of growing size.
            lacking = count - len(values)
            wanted = lacking if lacking > 0 else min(2 * wanted, count) if enough else 1
    except search.linalg.ArpackError:
        pass
    return _dense_pairs(matrix, count, symmetric)


def largest_value(matrix: Any, bound: float | None = None) -> float:
    """The largest eigenvalue of a symmetric sparse matrix; `bound` as in `largest_pairs`."""
    size = matrix.shape[0]
    if size > DENSE_SIZE:
        search = _Search(matrix, True, bound)
        try:
            return float(search.run(np.empty((size, 0)), 1)[0].max())
        except search.linalg.ArpackError:
            pass
    return float(np.linalg.eigvalsh(matrix.toarray())[-1])


def largest_singular(matrix: Any, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The `count` largest singular values, descending, with left columns and right rows."""
    size = matrix.shape[0]
    if size <= DENSE_SIZE or count >= size // 4:
        left, values, right = np.linalg.svd(matrix.toarray())
        return left[:, :count], values[:count], right[:count]
    sparse = optional_import("scipy.sparse", "largest_singular")
    # The eigenvalues of this matrix are the singular values and their negatives.
    both = sparse.bmat([[None, matrix], [matrix.T, None]], format="csr")
    _, vectors = largest_pairs(both, count)
    basis, _ = np.linalg.qr(vectors[size:])
    left, values, turn = np.linalg.svd(matrix @ basis, full_matrices=False)
    return left, values, turn @ basis.T


def is_symmetric(matrix: Any) -> bool:
    """Whether a sparse matrix equals its transpose."""
    return (matrix != matrix.T).nnz == 0


def _dense_pairs(matrix: Any, count: int, symmetric: bool) -> tuple[np.ndarray, np.ndarray]:
    decompose = np.linalg.eigh if symmetric else np.linalg.eig
    values, vectors = decompose(matrix.toarray())
    values, vectors = values.real, vectors.real
    order = np.argsort(-values, kind="stable")[:count]
    return values[order], vectors[:, order]


def _ritz(matrix: Any, basis: np.ndarray, symmetric: bool) -> tuple[np.ndarray, np.ndarray]:
    """Real parts of eigenvalues, descending, and of eigenvectors, within an invariant subspace."""
    decompose = np.linalg.eigh if symmetric else np.linalg.eig
    values, turn = decompose(basis.T @ (matrix @ basis))
    order = np.argsort(-values.real, kind="stable")
    return values.real[order], (basis @ turn[:, order]).real


def _extended(basis: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the span of `basis` and `vectors`, which may be complex."""
    if np.iscomplexobj(vectors):
        vectors = np.concatenate([vectors.real, vectors.imag], axis=1)
    for _ in range(2):  # The second pass removes rounding errors.
        vectors = vectors - basis @ (basis.T @ vectors)
    left, sizes, _ = np.linalg.svd(vectors, full_matrices=False)
    return np.concatenate([basis, left[:, sizes > 1e-6]], axis=1)


class _Search:
    """Searches for the largest eigenvalues of one matrix.

    The search multiplies by the matrix. If this converges slowly and the matrix is symmetric, a
    shifted matrix is factorized, and this and later searches multiply by its inverse.
    """

    def __init__(self, matrix: Any, symmetric: bool, bound: float | None) -> None:
        self.linalg = optional_import("scipy.sparse.linalg", "gossamer.transforms")
        self._matrix = matrix
        self._symmetric = symmetric
        # The start vectors are fixed, so that results are reproducible.
        self._random = np.random.default_rng(0)
        self._bound = _upper_bound(matrix) if bound is None else bound
        self._cheap: bool | None = None
        self._factors: Any = None
        self._shift = 0.0
        # Bound on the magnitude of the eigenvalues.
        self.scale = max(float(abs(matrix).sum(1).max()), np.finfo(float).tiny)

    def run(self, basis: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Real parts of the largest eigenvalues, and eigenvectors, on the complement of `basis`."""
        if self._factors is None:
            try:
                return self._by_products(basis, count)
            except self.linalg.ArpackNoConvergence:
                if not self._factorizable():
                    raise
                self._factorize()
        return self._by_solves(basis, count, _TOLERANCE)

    def _by_products(self, basis: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        def apply(x: np.ndarray) -> np.ndarray:
            inside = basis.T @ x
            y = self._matrix @ (x - basis @ inside)
            # The eigenvalues of known vectors are moved below all others.
            return y - basis @ (basis.T @ y + 2 * self.scale * inside)

        solve, which = self.linalg.eigs, "LR"
        if self._symmetric:
            solve, which = self.linalg.eigsh, "LA"
        restarts = None
        if self._factorizable():
            restarts = _RESTARTS
        elif not self._symmetric and self._matrix.shape[0] <= _DENSE_UNSYMMETRIC:
            restarts = 10 * _RESTARTS
        values, vectors = self._solve(solve, apply, count, which, restarts, _TOLERANCE)
        return values.real, vectors

    def _by_solves(
        self, basis: np.ndarray, count: int, tolerance: float
    ) -> tuple[np.ndarray, np.ndarray]:
        def apply(x: np.ndarray) -> np.ndarray:
            y = self._factors.solve(x - basis @ (basis.T @ x))
            return y - basis @ (basis.T @ y)

        values, vectors = self._solve(self.linalg.eigsh, apply, count, "LA", None, tolerance)
        return self._shift - 1 / values, vectors

    def _solve(
        self,
        solve: Any,
        apply: Any,
        count: int,
        which: str,
        restarts: int | None,
        tolerance: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        size = self._matrix.shape[0]
        operator = self.linalg.LinearOperator((size, size), matvec=apply, dtype=np.float64)
        start = self._random.standard_normal(size)
        space = min(max(2 * count + 1, 40), size)
        options = {"ncv": space, "maxiter": restarts, "tol": tolerance}
        if "rng" in inspect.signature(solve).parameters:  # since scipy 1.17
            options["rng"] = self._random
        return solve(operator, count, which=which, v0=start, **options)

    def _factorizable(self) -> bool:
        if self._cheap is None:
            work = _factorization_work(self._matrix) if self._symmetric else np.inf
            self._cheap = work <= _FACTORIZATION_WORK
        return self._cheap

    def _factorize(self) -> None:
        """Factorize shift * I - matrix, with a shift just above the largest eigenvalue."""
        sparse = optional_import("scipy.sparse", "gossamer.transforms")
        size = self._matrix.shape[0]
        identity, matrix = sparse.identity(size, format="csc"), self._matrix.tocsc()
        self._shift = self._bound + _SHIFT * self.scale
        for _ in range(5):
            # The matrix is positive definite, so its diagonal serves as pivots.
            self._factors = self.linalg.splu(
                self._shift * identity - matrix,
                permc_spec="MMD_AT_PLUS_A",
                diag_pivot_thresh=0.0,
                options={"SymmetricMode": True},
            )
            gap = self._shift - self._by_solves(np.empty((size, 0)), 1, 1e-2)[0].max()
            if gap <= 10 * _SHIFT * self.scale:
                return
            # The estimated eigenvalue is too small by at most about a hundredth of the gap.
            self._shift -= 0.9 * gap


def _factorization_work(matrix: Any) -> float:
    """An upper estimate of the multiplications to factorize a symmetric matrix.

    The estimate assumes a banded factorization of the matrix without the leaves of trees, which
    need almost no work.
    """
    graphs = optional_import("scipy.sparse.csgraph", "gossamer.transforms")
    for _ in range(30):
        kept = np.diff(matrix.indptr) > 1
        if kept.all() or not kept.any():
            break
        matrix = matrix[kept][:, kept]
    order = graphs.reverse_cuthill_mckee(matrix, symmetric_mode=True)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    row, col = matrix.nonzero()
    width = np.zeros(len(order))
    np.maximum.at(width, place[row], place[row] - place[col])
    return float(np.square(width).sum())


def _upper_bound(matrix: Any) -> float:
    """An upper bound on the eigenvalues: the largest (|A|x)_i / x_i, for any positive x."""
    magnitude = abs(matrix)
    x = np.ones(matrix.shape[0])
    bound = np.inf
    for _ in range(50):
        y = magnitude @ x
        bound = min(bound, float((y / x).max()))
        x = x + y / max(bound, np.finfo(float).tiny)
        x /= x.max()
    return bound
