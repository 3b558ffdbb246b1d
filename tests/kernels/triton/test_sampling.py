"""The same seed draws the same neighbors on a GPU and on the CPU."""

from __future__ import annotations

from importlib import import_module

import pytest
import torch
from torch import Tensor

pytest.importorskip("triton", reason="triton is not installed")
from gossamer import kernels
from gossamer.kernels.reference import coo_to_csr
from gossamer.kernels.reference.candidates import BadWeightsError, Relation
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import ID_TYPES
from helpers.triton_cases import fast

MODULE = import_module("gossamer.kernels.triton.sampling")
NODES, EDGES = 10, 160


def _graph(dtype: torch.dtype, with_ids: bool = True) -> tuple[Tensor, Tensor, Tensor | None]:
    """Node 3 has more than half of the edges; the last ones have none."""
    generator = torch.Generator().manual_seed(5)
    row, col = torch.randint(NODES, (2, EDGES), generator=generator)
    row[: EDGES // 2] = 3
    row[row > NODES - 3] = 0
    indptr, indices, eids = coo_to_csr(row, col, NODES, dtype)
    return indptr, indices, eids if with_ids else None


def _weights(kind: str) -> Tensor | None:
    unit = torch.rand(EDGES, dtype=torch.float64)
    return {
        "none": None,
        "mask": (unit > 0.5).to(torch.uint8),
        "float": (unit * (unit > 0.3)).float(),
        "extreme": unit**40,  # most of the weight on few edges: the rest are drawn in a race
    }[kind]


def _assert_same(actual, expected) -> None:
    for mine, theirs in zip(actual, expected, strict=True):
        for x, y in zip(mine, theirs, strict=True):
            assert_tensor_equal(x, y)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("weights", ["none", "mask", "float", "extreme"])
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
def test_neighbors(idtype, weights, replace) -> None:
    csc = _graph(idtype, with_ids=weights != "mask")
    rows = torch.tensor([3, 9, 0, 4, 3], dtype=ID_TYPES[weights == "none"])
    given = _weights(weights)
    relations = [Relation(*csc, rows[:0], 2, 1)]
    for fanout in (-1, 0, 1, 5, 12):
        for left_out, local in ((None, rows), (torch.arange(0, EDGES, 7), None)):
            candidates = None
            if given is not None:
                candidates = kernels.candidates_of(*csc, local, given)
            relations.append(Relation(*csc, rows, fanout, 2**64 - fanout, candidates, left_out))
    drawn = fast.sample_neighbors(rows, relations, replace)
    _assert_same(drawn, kernels.sample_neighbors(rows, relations, replace))


@pytest.mark.parametrize("weights", ["none", "float"])
def test_more_edges_than_are_drawn_one_by_one(weights) -> None:
    csc, rows, given = _graph(torch.int32), torch.tensor([3, 1]), _weights(weights)
    candidates = None if given is None else kernels.candidates_of(*csc, None, given)
    relations = [Relation(*csc, rows, 66, 3, candidates)]
    drawn = fast.sample_neighbors(rows, relations, False)
    _assert_same(drawn, kernels.sample_neighbors(rows, relations, False))


def test_larger_fanouts_run_on_the_reference(monkeypatch) -> None:
    monkeypatch.setattr(MODULE, "MAX_FANOUT", 4)
    csc, rows = _graph(torch.int64), torch.tensor([3, 1])
    relations = [Relation(*csc, rows, 5, 3)]
    drawn = fast.sample_neighbors(rows, relations, False)
    _assert_same(drawn, kernels.sample_neighbors(rows, relations, False))


def test_no_relations() -> None:
    assert fast.sample_neighbors(torch.empty(0, dtype=torch.int64), [], False) == []


@pytest.mark.parametrize("bad", [-1.0, torch.nan, torch.inf])
def test_bad_weights_are_reported_for_rows_that_are_drawn_for(bad) -> None:
    csc = torch.tensor([0, 2, 4]), torch.tensor([0, 1, 0, 1]), None
    candidates = fast.candidates_of(*csc, None, torch.tensor([1.0, 1.0, 1.0, bad]))
    good, both = (Relation(*csc, torch.tensor(r), 1, 0, candidates) for r in ([0], [0, 1]))
    fast.sample_neighbors(good.rows, [good], False)
    with pytest.raises(BadWeightsError) as caught:
        fast.sample_neighbors(good.rows, [good, both], False)
    assert caught.value.relation == 1
