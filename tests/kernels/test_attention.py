"""Native attention against the reference, and the reference against plain autograd."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from gossamer.kernels import reference
from gossamer.kernels.reference.attention import dropout_mask
from helpers.compare import assert_tensor_equal
from helpers.kernel_cases import (
    DTYPES,
    GRAPHS,
    ID_TYPES,
    Adjacency,
    adjacency,
    assert_accurate,
    assert_accurate_differences,
    attention_edges,
    attention_operands,
    operand,
    require_native,
    truth_and_torch,
)

require_native()
from gossamer.kernels import cpu  # noqa: E402  (needs the extension)

SCORES = ["add", "dot", "add_dot"]
# Heads, features of the value, features of the keys; around the vectors' 4, 8 and 16 lanes.
SIZES = [(1, 1, 1), (8, 16, 16), (2, 5, 3), (3, 40, 20), (5, 33, 8), (20, 3, 9), (16, 4, 32)]
NAMES = "value", "key", "query", "weight", "bias", "edge_key", "edge_value"


def _transpose(adj: Adjacency):
    return reference.transpose(adj.indptr, adj.indices, adj.eids, adj.num_cols)


def _check(adj: Adjacency, score, sizes, dtype, *, bias=True, dropout=0.0, slope=0.2) -> None:
    operands = attention_operands(adj, score, sizes, dtype, bias)
    options = 7, score, slope, dropout
    rows = adj.indptr, adj.indices, adj.eids
    truth, same = truth_and_torch("attention", *rows, *operands, *options)
    found = cpu.attention(*rows, *operands, *options)
    for name, *results in zip(("out", "norms"), found, truth, same, strict=True):
        assert_accurate_differences(*results, name)

    grad = operand(adj.num_rows, sizes[:2], dtype, seed=6)
    columns = _transpose(adj)
    args = (*operands, *options, *same, grad)
    given = cpu.attention_backward(rows, columns, *args)
    truth, same = truth_and_torch("attention_backward", rows, columns, *args)
    for name, *results in zip(NAMES, given, truth, same, strict=True):
        if results[0] is not None:
            assert_accurate_differences(*results, f"gradient of {name}")
    assert [x is None for x in given] == [*(x is None for x in operands[:5]), True, True]

    # In the place of the value: the same to the last bit.
    value = operands[0].clone()
    again = cpu.attention_backward(rows, columns, value, *args[1:], overwrite=True)
    assert again[0] is value
    for name, over, result in zip(NAMES, again, given, strict=True):
        if result is not None:
            assert_tensor_equal(over, result, f"overwritten: {name}")


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_and_size(dtype, score, sizes) -> None:
    _check(adjacency("random", torch.int32), score, sizes, dtype)


@pytest.mark.parametrize("shuffled", [False, True], ids=["in_order", "shuffled"])
@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("idtype", ID_TYPES, ids=str)
@pytest.mark.parametrize("graph", GRAPHS)
def test_every_graph(graph, idtype, score, shuffled) -> None:
    _check(adjacency(graph, idtype, shuffled), score, (2, 5, 3), torch.float64, bias=shuffled)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_row_that_is_split_among_threads(dtype, score) -> None:
    """Ways in and out of a hub: both passes have a long row."""
    _check(adjacency("hub", torch.int32), score, (2, 5, 3), dtype)
    hub = adjacency("hub", torch.int32)
    indptr, indices, eids = _transpose(hub)
    _check(Adjacency(indptr, indices, eids, hub.num_rows), score, (2, 5, 3), dtype)


@pytest.mark.parametrize("score", SCORES)
def test_operands_of_edges_run_on_the_reference(score) -> None:
    adj = adjacency("random", torch.int32)
    rows = adj.indptr, adj.indices, adj.eids
    operands = attention_operands(adj, score, (2, 3, 4), torch.float32)
    edges = attention_edges(adj, score, (2, 3, 4), torch.float32)
    options = 7, score, 0.2, 0.4
    out, norms = cpu.attention(*rows, *operands, *options, *edges)
    expected = reference.attention(*rows, *operands, *options, *edges)
    assert_tensor_equal(out, expected[0])
    args = rows, _transpose(adj), *operands, *options, out, norms, out + 1, *edges
    found, expected = cpu.attention_backward(*args), reference.attention_backward(*args)
    for name, x, y in zip(NAMES, found, expected, strict=True):
        if y is not None:
            assert_tensor_equal(x, y, f"gradient of {name}")


@pytest.mark.parametrize("slope", [0.0, 1.0, -0.5])
@pytest.mark.parametrize("score", ["add", "add_dot"])
@pytest.mark.parametrize("heads", [2, 3])
def test_any_slope(heads, score, slope) -> None:
    _check(adjacency("random", torch.int32), score, (heads, 5, 3), torch.float64, slope=slope)


@pytest.mark.parametrize("dropout", [0.3, 1.0])
@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("graph", ["random", "duplicates"])
def test_dropout(graph, score, dropout) -> None:
    _check(adjacency(graph, torch.int64), score, (3, 5, 4), torch.float64, dropout=dropout)


def test_no_features_and_no_heads() -> None:
    adj = adjacency("random", torch.int32)
    for sizes in ((2, 0, 3), (0, 4, 3), (2, 4, 0)):
        _check(adj, "dot", sizes, torch.float32)


@pytest.mark.parametrize("heads", [2, 5])
def test_infinities_and_nan(heads) -> None:
    """As the reference has it: -inf takes no part, a row of nothing else has no softmax."""
    adj = adjacency("duplicates", torch.int32)
    value, key, query, _, bias, last = attention_operands(adj, "dot", (heads, 3, 4), torch.float32)
    first = int(adj.indptr[1])
    bias[adj.eids[:first].long(), 0] = -float("inf")
    bias[adj.eids[first + 2 :].long(), 1] = -float("inf")
    bias[adj.eids[0].long(), 1] = float("nan")
    args = adj.indptr, adj.indices, adj.eids, value, key, query, None, bias, last
    args = *args, 0, "dot", 0.2, 0.0
    out, _ = cpu.attention(*args)
    expected, _ = reference.attention(*args)
    assert expected.isnan().any(-1)[:, :2].tolist() == [[True, True], [False, False]]
    assert_tensor_equal(out.isnan(), expected.isnan(), "where NaN is")
    torch.testing.assert_close(out, expected, equal_nan=True)


@pytest.mark.parametrize("score", SCORES)
def test_large_scores_in_a_long_row(score) -> None:
    """The running maximum moves many times."""
    adj = adjacency("hub", torch.int32)
    value, key, query, weight, bias, _ = attention_operands(adj, score, (2, 3, 4), torch.float32)
    bias = bias * 60
    operands = value, key, query, weight, bias, None
    args = adj.indptr, adj.indices, adj.eids, *operands, 0, score, 0.2, 0.0
    truth, same = truth_and_torch("attention", *args)
    assert_accurate(cpu.attention(*args)[0], truth[0], same[0], "out")


@pytest.mark.parametrize("with_edges", [False, True])
@pytest.mark.parametrize("score", SCORES)
def test_the_references_gradient_is_that_of_its_forward_pass(score, with_edges) -> None:
    adj = adjacency("random", torch.int64)
    rows = adj.indptr, adj.indices, adj.eids
    operands = attention_operands(adj, score, (2, 3, 4), torch.float64)
    # The last one, which is added to each row, has a gradient that needs no kernel.
    edges = (None, None)
    if with_edges:
        edges = attention_edges(adj, score, (2, 3, 4), torch.float64)
    leaves = [x.requires_grad_() for x in (*operands[:5], *edges) if x is not None]
    options = 3, score, 0.2, 0.25
    out, norms = reference.attention(*rows, *operands, *options, *edges)
    grad = torch.randn_like(out)
    expected = torch.autograd.grad(out, leaves, grad)
    with torch.no_grad():
        found = reference.attention_backward(
            rows, _transpose(adj), *operands, *options, out, norms, grad, *edges
        )
    torch.testing.assert_close([x for x in found if x is not None], list(expected))


def test_the_reference_is_a_softmax_over_neighbours() -> None:
    """Row by row, in torch's own words."""
    adj = adjacency("random", torch.int64)
    value, key, query, _, bias, last = attention_operands(adj, "dot", (2, 3, 4), torch.float64)
    out, norms = reference.attention(
        adj.indptr, adj.indices, adj.eids, value, key, query, None, bias, last, 0, "dot", 0.2, 0.0
    )
    for row in range(adj.num_rows):
        slots = slice(int(adj.indptr[row]), int(adj.indptr[row + 1]))
        near = adj.indices[slots]
        scores = torch.einsum("khd,hd->kh", key[near], query[row]) + bias[adj.eids[slots]]
        expected = torch.einsum("kh,khd->hd", F.softmax(scores, 0), value[near])
        torch.testing.assert_close(out[row], expected + last)
        peak, total = norms[row]
        torch.testing.assert_close(peak, scores.amax(0))
        torch.testing.assert_close(peak + total.log(), scores.logsumexp(0))


class TestDropoutMask:
    """Random numbers that depend on nothing but seed, edge and head."""

    def test_first_numbers_of_splitmix64(self) -> None:
        """The published first outputs for the seed 1234567, against those that pass a threshold."""
        published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
        for number, wanted in enumerate(published):
            share = (wanted >> 11) / 2**53
            edge = torch.tensor([number])
            for dropout, kept in ((share, True), (share + 2**-53, False)):
                mask = dropout_mask(edge, 1, 1234567, dropout, torch.float64)
                assert bool(mask > 0) is kept

    def test_kept_share_and_scale(self) -> None:
        mask = dropout_mask(torch.arange(50_000), 4, 99, 0.3, torch.float64)
        assert set(mask.unique().tolist()) == {0.0, 1 / 0.7}
        # Five standard deviations of a binomial share of 200,000 draws, and of 50,000 in each head.
        assert abs(float((mask > 0).double().mean()) - 0.7) < 5 * (0.21 / 200_000) ** 0.5
        by_head = (mask > 0).double().mean(0)
        assert float((by_head - 0.7).abs().max()) < 5 * (0.21 / 50_000) ** 0.5
        together = float(((mask[:, 0] > 0) & (mask[:, 1] > 0)).double().mean())
        assert abs(together - 0.49) < 5 * (0.25 / 50_000) ** 0.5

    def test_other_seed_other_mask(self) -> None:
        edges = torch.arange(100)
        one = dropout_mask(edges, 2, 1, 0.5, torch.float32)
        assert not torch.equal(one, dropout_mask(edges, 2, 2, 0.5, torch.float32))
        order = torch.randperm(100)
        again = dropout_mask(order, 2, 1, 0.5, torch.float32)
        assert_tensor_equal(again, one[order])
