"""edge_softmax against torch.softmax over the edges of each node."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import gossamer
from gossamer import ops
from gossamer.errors import InvalidTypeError, InvalidValueError, OutOfRangeError
from helpers.compare import assert_tensor_equal, random_cotangent_grads
from helpers.graphs import graph_cases
from ops import oracle

FLOATS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
SHAPES = [(), (1,), (8,), (2, 3), (0,)]
NORMS = ("dst", "src")


def _assert_agrees(g, logits, norm_by) -> None:
    def run(function, dtype):
        out, grads = random_cotangent_grads(
            lambda x: function(g, x, norm_by=norm_by), [logits.to(dtype)]
        )
        return (*out, *grads)

    oracle.assert_agrees(
        ("output", "gradient"),
        run(ops.edge_softmax, logits.dtype),
        run(oracle.edge_softmax, torch.float64),
        run(oracle.edge_softmax, logits.dtype),
    )


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("norm_by", NORMS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values_and_gradients(shape, norm_by, dtype) -> None:
    g = oracle.larger()
    _assert_agrees(g, torch.randn(g.num_edges(), *shape).to(dtype), norm_by)


@pytest.mark.parametrize("norm_by", NORMS)
@pytest.mark.parametrize(
    "case", graph_cases("homogeneous") + graph_cases("bipartite") + graph_cases("block")
)
def test_graph_cases(case, norm_by) -> None:
    g = case()
    _assert_agrees(g, torch.randn(g.num_edges(), 3, dtype=torch.float64), norm_by)


@pytest.mark.parametrize("norm_by", NORMS)
@pytest.mark.parametrize("formats", ["coo", "csr", "csc"])
def test_any_format_serves(formats, norm_by) -> None:
    g = oracle.awkward().formats(formats)
    _assert_agrees(g, torch.randn(9, 3, dtype=torch.float64), norm_by)


@pytest.mark.parametrize("norm_by", NORMS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradcheck(shape, norm_by) -> None:
    g = oracle.awkward()
    logits = torch.randn(9, *shape, dtype=torch.float64, requires_grad=True)

    def run(x):
        return ops.edge_softmax(g, x, norm_by=norm_by)

    assert gradcheck(run, logits)
    assert gradgradcheck(run, logits)


@pytest.mark.parametrize("norm_by", NORMS)
def test_gradient_penalty(norm_by) -> None:
    """A loss on the gradient, as `create_graph=True` makes it, against plain torch."""
    g = oracle.lopsided()
    logits = torch.randn(7, 2, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(7, 2, dtype=torch.float64)

    def penalty(function):
        out = function(g, logits, norm_by=norm_by)
        (grad,) = torch.autograd.grad((out * weight).sum(), logits, create_graph=True)
        return torch.autograd.grad((grad * weight).square().sum(), logits)[0]

    torch.testing.assert_close(penalty(ops.edge_softmax), penalty(oracle.edge_softmax))


@pytest.mark.parametrize("value", [1e4, -1e4])
def test_large_logits_do_not_overflow(value) -> None:
    g = oracle.awkward()
    logits = torch.randn(9, 2)
    shifted = ops.edge_softmax(g, logits.double() + value)
    torch.testing.assert_close(shifted, oracle.edge_softmax(g, logits.double()))
    assert bool(ops.edge_softmax(g, torch.full((9, 1), value * 1e30)).isfinite().all())


def test_masked_edges_get_no_weight() -> None:
    g = oracle.awkward()  # node 1 gets edges 0, 2, 4 and 8
    logits = torch.zeros(9)
    logits[[0, 4]] = -float("inf")
    out = ops.edge_softmax(g, logits)
    assert out[[0, 2, 4, 8]].tolist() == [0.0, 0.5, 0.0, 0.5]


@pytest.mark.parametrize("norm_by", NORMS)
def test_weights_of_a_node_add_up_to_one(norm_by) -> None:
    g = oracle.larger()
    out = ops.edge_softmax(g, torch.randn(500, 4, dtype=torch.float64), norm_by=norm_by)
    ends = g.adjacency if norm_by == "dst" else g.adjacency.reverse()
    total = ops.copy_e_sum(ends, out)
    expected = (ends.in_degrees() > 0).double()[:, None].expand_as(total)
    torch.testing.assert_close(total, expected)


class TestSubset:
    """Normalization over some of the edges."""

    @pytest.mark.parametrize("norm_by", NORMS)
    @pytest.mark.parametrize("eids", [[0, 2, 3, 8], [8, 3, 2, 0], [5], list(range(9)), []], ids=str)
    def test_values_and_gradient(self, eids, norm_by) -> None:
        g = oracle.awkward()
        logits = torch.randn(len(eids), 2, dtype=torch.float64, requires_grad=True)
        src, dst = g.edges(order="eid")
        part = gossamer.graph((src[eids], dst[eids]), num_nodes=7)
        chosen = torch.tensor(eids, dtype=torch.int64)
        out = ops.edge_softmax(g, logits, eids=chosen, norm_by=norm_by)
        expected = oracle.edge_softmax(part, logits, norm_by)
        torch.testing.assert_close(out, expected)
        if eids:
            flow = torch.randn_like(out)
            found = torch.autograd.grad(out, logits, flow)
            torch.testing.assert_close(found, torch.autograd.grad(expected, logits, flow))
            assert gradgradcheck(
                lambda x: ops.edge_softmax(g, x, eids=chosen, norm_by=norm_by), logits
            )

    def test_ids_may_come_as_a_list_a_mask_or_int32(self) -> None:
        g = oracle.awkward(torch.int32)
        logits = torch.randn(3)
        wanted = ops.edge_softmax(g, logits, eids=torch.tensor([0, 2, 4]))
        mask = torch.zeros(9, dtype=torch.bool)
        mask[[0, 2, 4]] = True
        for eids in ([0, 2, 4], mask, torch.tensor([0, 2, 4], dtype=torch.int32)):
            assert_tensor_equal(ops.edge_softmax(g, logits, eids=eids), wanted)

    def test_unknown_ids(self) -> None:
        with pytest.raises(OutOfRangeError, match="9"):
            ops.edge_softmax(oracle.awkward(), torch.randn(1), eids=torch.tensor([9]))

    def test_a_row_for_each_edge(self) -> None:
        with pytest.raises(InvalidValueError, match=r"must have 2 rows.*got shape \(9,\)"):
            ops.edge_softmax(oracle.awkward(), torch.randn(9), eids=torch.tensor([0, 1]))


class TestSeveralTypes:
    """Edge types that share an end are normalized together."""

    @staticmethod
    def _graph():
        return gossamer.heterograph(
            {
                ("user", "follows", "user"): ([1, 0, 2, 1], [0, 2, 2, 2]),
                ("user", "rates", "item"): ([3, 0, 1, 0], [1, 2, 0, 1]),
                ("item", "rated-by", "user"): ([1, 2, 0, 1], [3, 0, 1, 0]),
                ("tag", "describes", "item"): ([], []),
            },
            {"user": 5, "item": 3, "tag": 2},
        )

    @pytest.mark.parametrize("norm_by", NORMS)
    def test_values_and_gradients(self, norm_by) -> None:
        g = self._graph()
        end = 2 if norm_by == "dst" else 0
        logits = {
            etype: torch.randn(g.num_edges(etype), 2, dtype=torch.float64, requires_grad=True)
            for etype in g.canonical_etypes
        }
        found = ops.edge_softmax(g, logits, norm_by=norm_by)
        assert list(found) == list(logits)
        flows = {etype: torch.randn_like(value) for etype, value in logits.items()}
        for ntype in g.ntypes:
            etypes = [etype for etype in g.canonical_etypes if etype[end] == ntype]
            if not etypes:
                continue
            # All edges that meet at this type, as one graph: an oracle without edge types.
            ends = torch.cat([g.edges(etype=etype)[end // 2] for etype in etypes])
            joint = gossamer.heterograph(
                {("edge", "ends-at", "node"): (torch.arange(len(ends)), ends)},
                {"edge": len(ends), "node": g.num_nodes(ntype)},
            )
            expected = oracle.edge_softmax(joint, torch.cat([logits[etype] for etype in etypes]))
            out = torch.cat([found[etype] for etype in etypes])
            torch.testing.assert_close(out, expected)
            leaves = [logits[etype] for etype in etypes]
            flow = torch.cat([flows[etype] for etype in etypes])
            torch.testing.assert_close(
                torch.autograd.grad(out, leaves, flow), torch.autograd.grad(expected, leaves, flow)
            )

    def test_some_types_and_short_names(self) -> None:
        g = self._graph()
        logits = torch.randn(4)
        found = ops.edge_softmax(g, {"rates": logits})
        expected = ops.edge_softmax(g["rates"], logits)
        assert list(found) == [("user", "rates", "item")]
        assert_tensor_equal(found["user", "rates", "item"], expected)

    def test_bad_input(self) -> None:
        g = self._graph()
        with pytest.raises(InvalidValueError, match="must have 4 rows, one for each edge"):
            ops.edge_softmax(g, {"rates": torch.randn(3)})
        with pytest.raises(InvalidValueError, match="agree in row shape and dtype"):
            ops.edge_softmax(g, {"rates": torch.randn(4, 2), "describes": torch.randn(0, 1)})
        with pytest.raises(InvalidValueError, match="agree in row shape and dtype"):
            ops.edge_softmax(g, {"rates": torch.randn(4), "describes": torch.randn(0).double()})
        with pytest.raises(InvalidValueError, match="eids cannot be combined with a dict"):
            ops.edge_softmax(g, {"rates": torch.randn(4)}, eids=[0])
        with pytest.raises(InvalidTypeError, match=r"needs a gossamer\.Graph, got int"):
            ops.edge_softmax(3, {"rates": torch.randn(4)})


def test_bad_input() -> None:
    g = oracle.awkward()
    with pytest.raises(InvalidValueError, match=r"norm_by is one of \['dst', 'src'\], got 'both'"):
        ops.edge_softmax(g, torch.randn(9), norm_by="both")
    with pytest.raises(InvalidTypeError, match=r"floating-point, got torch\.int64"):
        ops.edge_softmax(g, torch.arange(9))
    with pytest.raises(InvalidValueError, match=r"must have 9 rows.*got shape \(7, 2\)"):
        ops.edge_softmax(g, torch.randn(7, 2))
    with pytest.raises(InvalidTypeError, match=r"must be a torch\.Tensor, got list"):
        ops.edge_softmax(g, [0.0] * 9)
    with pytest.raises(InvalidTypeError, match=r"gossamer\.Graph is expected, got str"):
        ops.edge_softmax("g", torch.randn(9))


def test_segment_softmax() -> None:
    from gossamer.ops.softmax import segment_softmax

    lengths = torch.tensor([2, 0, 3, 1])
    x = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    expected = torch.cat([torch.softmax(part, 0) for part in x.split(lengths.tolist())])
    torch.testing.assert_close(segment_softmax(lengths, x), expected)
    assert gradcheck(lambda x: segment_softmax(lengths, x), x)
    assert gradgradcheck(lambda x: segment_softmax(lengths, x), x)
    with pytest.raises(InvalidTypeError, match=r"floating-point, got torch\.int64"):
        segment_softmax(lengths, torch.arange(6))
