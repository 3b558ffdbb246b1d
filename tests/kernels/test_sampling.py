"""Native sampling against the reference: the same random numbers, so the same draws, bit by bit."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gossamer.kernels import reference
from gossamer.kernels.reference import coo_to_csr, labor_chances
from gossamer.kernels.reference.candidates import BadWeightsError, Candidates, Relation
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import ID_TYPES, require_native

require_native()
from gossamer.kernels.cpu import sampling as native  # noqa: E402  (needs the extension)

NODES, EDGES = 40, 500
LIKE = torch.empty(0, dtype=torch.int64)  # ids like the rows


def rows_of(dtype: torch.dtype, generator: torch.Generator, count: int = 60) -> Tensor:
    return torch.randint(NODES, (count,), generator=generator).to(dtype)


def graph(dtype: torch.dtype, with_ids: bool = True) -> tuple[Tensor, Tensor, Tensor | None]:
    """Node 3 has more than half of the edges; some have none."""
    generator = torch.Generator().manual_seed(5)
    row, col = torch.randint(NODES, (2, EDGES), generator=generator)
    row[: EDGES // 2] = 3
    row[row > NODES - 4] = 0
    indptr, indices, eids = coo_to_csr(row, col, NODES, dtype)
    return indptr, indices, eids if with_ids else None


def weights_of(kind: str, generator: torch.Generator) -> Tensor | None:
    unit = torch.rand(EDGES, generator=generator, dtype=torch.float64)
    return {
        "none": None,
        "mask": (unit > 0.5).to(torch.uint8),
        "float": (unit * (unit > 0.3)).float(),
        "extreme": unit**40,  # most of the weight on few edges: the rest are drawn in a race
    }[kind]


def assert_same(actual, expected) -> None:
    assert len(actual) == len(expected)
    for mine, theirs in zip(actual, expected, strict=True):
        for x, y in zip(mine, theirs, strict=True):
            assert_tensor_equal(x, y)


def assert_same_candidates(mine: Candidates, theirs: Candidates) -> None:
    assert_tensor_equal(mine.indptr, theirs.indptr)
    assert mine.local == theirs.local
    for x, y in ((mine.slots, theirs.slots), (mine.weights, theirs.weights)):
        assert (x is None) == (y is None)
        if x is not None:
            assert_tensor_equal(x, y)
    assert (mine.sums is None) == (theirs.sums is None)
    if mine.sums is not None:
        torch.testing.assert_close(mine.sums, theirs.sums, rtol=1e-13, atol=0)


@pytest.mark.parametrize("weights", ["none", "mask", "float", "extreme"])
@pytest.mark.parametrize("with_ids", [False, True])
@pytest.mark.parametrize("rows_dtype", ID_TYPES)
@pytest.mark.parametrize("dtype", ID_TYPES)
def test_neighbors(dtype, rows_dtype, with_ids: bool, weights: str) -> None:
    generator = torch.Generator().manual_seed(1)
    csc = graph(dtype, with_ids)
    rows = rows_of(rows_dtype, generator)
    given = weights_of(weights, generator)
    excluded = torch.arange(0, EDGES, 7)
    for local in (None, rows):
        mine = theirs = None
        if given is not None:
            mine = native.candidates_of(*csc, local, given)
            theirs = reference.candidates_of(*csc, local, given)
            assert_same_candidates(mine, theirs)
        for fanout in (-1, 0, 1, 5, 70):
            for left_out in (None, excluded):
                for replace in (False, True):
                    relations = [
                        [
                            Relation(*csc, rows, fanout, 12345, candidates, left_out),
                            Relation(*csc, rows[:0], 2, 1),
                            Relation(*csc, rows[:7], 3, 2**64 - 5),
                        ]
                        for candidates in (mine, theirs)
                    ]
                    drawn = native.sample_neighbors(rows, relations[0], replace)
                    assert_same(drawn, reference.sample_neighbors(rows, relations[1], replace))
                if mine is None or mine.sums is None:
                    drawn = native.sample_labors(rows, relations[0])
                    assert_same(drawn, reference.sample_labors(rows, relations[1]))


@pytest.mark.parametrize("rounds", [0, 1, 3, -1])
@pytest.mark.parametrize("fanout", [1, 4, 1000])
@pytest.mark.parametrize("weighted", [False, True])
def test_labor_chances(weighted: bool, fanout: int, rounds: int) -> None:
    generator = torch.Generator().manual_seed(7)
    indptr, indices, _ = graph(torch.int64)
    w = torch.rand(EDGES, generator=generator, dtype=torch.float64) ** 8 + 1e-9
    if not weighted:
        w = torch.full_like(w, 3)
    args = indptr, indices.int(), w, NODES, fanout, rounds
    mine, theirs = native.labor_chances(*args), labor_chances(*args)
    torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=0)
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            assert_tensor_equal(native.labor_chances(*args), mine)
    finally:
        torch.set_num_threads(before)


def test_no_relations() -> None:
    assert native.sample_neighbors(LIKE, [], False) == native.sample_labors(LIKE, []) == []
    nothing = LIKE.new_zeros(1), LIKE.int(), LIKE.double(), 0, 2, -1
    assert len(native.labor_chances(*nothing)) == len(labor_chances(*nothing)) == 0


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_change_a_draw(threads: int) -> None:
    csc = graph(torch.int32)
    rows = torch.arange(NODES).repeat(500)
    relations = [Relation(*csc, rows, 6, key) for key in (3, 4)]
    expected = native.sample_neighbors(LIKE, relations, False)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert_same(native.sample_neighbors(LIKE, relations, False), expected)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("degree", [63, 64, 65, 128, 1000, 1024, 1025, 3000])
@pytest.mark.parametrize("fanout", [1, 7, 62, 64, 200, 900])
def test_rows_of_any_degree(degree: int, fanout: int) -> None:
    """Methods change with the degree and with the fanout; draws do not."""
    csc = torch.tensor([0, degree]), torch.arange(degree), None
    relation = Relation(*csc, torch.zeros(9, dtype=torch.int64), fanout, 4)
    drawn = native.sample_neighbors(LIKE, [relation], False)
    assert_same(drawn, reference.sample_neighbors(LIKE, [relation], False))


@pytest.mark.parametrize("bad", [-1.0, torch.nan, torch.inf])
def test_bad_weights_are_reported_for_rows_that_are_drawn_for(bad: float) -> None:
    csc = Relation(torch.tensor([0, 2, 4]), torch.tensor([0, 1, 0, 1]), None, None, 1, 0)[:3]
    weights = torch.tensor([1.0, 1.0, 1.0, bad])
    for module in (native, reference):
        candidates = module.candidates_of(*csc, None, weights)
        good, both = (Relation(*csc, torch.tensor(r), 1, 0, candidates) for r in ([0], [0, 1]))
        module.sample_neighbors(LIKE, [good], False)
        with pytest.raises(BadWeightsError) as caught:
            module.sample_neighbors(LIKE, [good, both], False)
        assert caught.value.relation == 1


@pytest.mark.parametrize("limit", [NODES, 10**9])
@pytest.mark.parametrize("places", ID_TYPES)
@pytest.mark.parametrize("dtype", ID_TYPES)
def test_numbering(dtype, places, limit: int) -> None:
    generator = torch.Generator().manual_seed(3)
    lists = [
        [rows_of(dtype, generator, count) for count in counts]
        for counts in ((20, 100), (0, 4, 60), (0,))
    ]
    mine = native.number_nodes(lists[0][0], lists, [limit] * 3, places)
    theirs = reference.number_nodes(lists[0][0], lists, [limit] * 3, places)
    assert_same([mine[0], *mine[1]], [theirs[0], *theirs[1]])
    assert mine[2] == theirs[2] == [len(lists[0][0].unique()), 0, 0]


@pytest.mark.parametrize("limit", [5000, 10**9])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_change_numbers(threads: int, limit: int) -> None:
    """Lists of several pieces, whose ids stand in several of them."""
    generator = torch.Generator().manual_seed(8)
    lists = [
        [torch.randint(5000, (count,), generator=generator) for count in counts]
        for counts in ((300, 60_000, 9), (0, 50_000), (40_000,))
    ]
    theirs = reference.number_nodes(LIKE, lists, [limit] * 3, torch.int32)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        mine = native.number_nodes(LIKE, lists, [limit] * 3, torch.int32)
    finally:
        torch.set_num_threads(before)
    assert_same([mine[0], *mine[1]], [theirs[0], *theirs[1]])
    assert mine[2] == theirs[2]


@pytest.mark.parametrize("stops", [None, [0.1, 0.5, 0.0, 0.3]])
@pytest.mark.parametrize("seeds_dtype", ID_TYPES)
@pytest.mark.parametrize("dtype", ID_TYPES)
def test_walks(dtype, seeds_dtype, stops) -> None:
    generator = torch.Generator().manual_seed(4)
    csr = graph(dtype)
    seeds = rows_of(seeds_dtype, generator, 300)
    weights = native.candidates_of(*csr, None, weights_of("float", generator))
    relations = [Relation(*csr, seeds, 0, 0), Relation(*csr, seeds, 0, 0, weights)]
    for path in ([0, 1, 1, 0], [1, 1, 1, 1]):
        args = relations, path, stops, seeds, 77
        assert_same([native.random_walk(*args)], [reference.random_walk(*args)])
    nodes, edges = native.random_walk(relations, [], None, seeds, 1)
    assert_same([(nodes, edges)], [reference.random_walk(relations, [], None, seeds, 1)])


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (0.25, 4.0), (1e5, 1e5)])
@pytest.mark.parametrize("weighted", [False, True])
def test_node2vec(p: float, q: float, weighted: bool) -> None:
    generator = torch.Generator().manual_seed(6)
    indptr, indices, eids = graph(torch.int32)
    rows = indices.split(indptr.diff().tolist())
    in_order = torch.cat([row.sort().values for row in rows])
    candidates = None
    if weighted:
        weights = weights_of("float", generator)
        candidates = native.candidates_of(indptr, indices, eids, None, weights)
    seeds = rows_of(torch.int64, generator)
    relation = Relation(indptr, indices, eids, seeds, 0, 0, candidates)
    args = relation, in_order, p, q, seeds[:25], 4, 99
    assert_same([native.node2vec(*args)], [reference.node2vec(*args)])
