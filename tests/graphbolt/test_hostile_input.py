"""Wrong arguments of functions and samples are refused by name, not by an error of torch."""

from __future__ import annotations

import pytest
import torch

from gossamer import graphbolt as gb
from gossamer.errors import InvalidTypeError

IDS = torch.tensor([0, 1])


def _exclude(edges: object) -> gb.SampledSubgraphImpl:
    csc = gb.CSCFormatBase(torch.tensor([0, 1, 2]), torch.tensor([1, 0]))
    sample = gb.SampledSubgraphImpl(
        sampled_csc=csc, original_column_node_ids=IDS, original_row_node_ids=IDS
    )
    return sample.exclude_edges(edges)


CALLS = {
    "index_select": (
        lambda: gb.index_select(IDS, [0]),
        "index_select: index must be a Tensor, got list",
    ),
    "index of floats": (
        lambda: gb.index_select(IDS, torch.ones(1)),
        "index is int32 or int64, got",
    ),
    "isin": (lambda: gb.isin(IDS, None), "isin: test_elements must be a Tensor, got NoneType"),
    "expand_indptr": (
        lambda: gb.expand_indptr([0], torch.int64),
        "expand_indptr: indptr must be a Tensor",
    ),
    "indptr_edge_ids": (lambda: gb.indptr_edge_ids(None), "indptr must be a Tensor, got NoneType"),
    "offset": (lambda: gb.indptr_edge_ids(IDS, offset=[0]), "offset must be a Tensor"),
    "rows of short integers": (
        lambda: gb.TorchBasedFeature(torch.ones(3, 1)).read(IDS.to(torch.uint8)),
        "integers of 32 or 64 bits, got torch.uint8. Use .long()",
    ),
    "edges: a number": (lambda: _exclude(3), r"Edges to exclude are .* \(n, 2\), got 3"),
    "edges: three columns": (
        lambda: _exclude(torch.zeros(2, 3, dtype=torch.int64)),
        r"\(n, 2\), got shape \(2, 3\)",
    ),
    "edges: floats": (
        lambda: _exclude(torch.tensor([[0.9, 1.0]])),
        "pairs of ids, int32 or int64, got torch.float32",
    ),
}


@pytest.mark.parametrize(("call", "text"), CALLS.values(), ids=CALLS)
def test_it_is_refused_by_name(call, text: str) -> None:
    with pytest.raises(InvalidTypeError, match=text):
        call()


def test_edges_are_excluded() -> None:
    for edges in (torch.tensor([[0, 1]]), torch.tensor([[0, 1]]).int(), (IDS[:1], IDS[1:])):
        assert _exclude(edges).sampled_csc.indptr.tolist() == [0, 1, 1]
    assert _exclude(torch.empty(0, 2)).sampled_csc.indptr.tolist() == [0, 1, 2]
