from __future__ import annotations

import pytest
import torch

import gossamer as gs

SIZES = [3, 0, 1, 4]
REDUCERS = {
    "sum": lambda x: x.sum(0),
    "mean": lambda x: x.mean(0),
    "max": lambda x: x.amax(0),
    "min": lambda x: x.amin(0),
}


def batched(idtype=torch.int64) -> gs.Graph:
    graphs = [gs.graph((list(range(n)), list(range(n))), num_nodes=n, idtype=idtype) for n in SIZES]
    g = gs.batch(graphs)
    generator = torch.Generator().manual_seed(3)
    g.ndata["h"] = torch.randn(sum(SIZES), 2, generator=generator, dtype=torch.float64)
    g.ndata["w"] = torch.rand(sum(SIZES), 1, generator=generator, dtype=torch.float64)
    g.edata["h"], g.edata["w"] = g.ndata["h"] * 2, g.ndata["w"]
    return g


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("op", list(REDUCERS))
@pytest.mark.parametrize("idtype", [torch.int32, torch.int64])
def test_readouts_reduce_each_graph(op, weight, idtype):
    g = batched(idtype)
    for kind, data in (("nodes", g.ndata), ("edges", g.edata)):
        rows = data["h"] if weight is None else data["h"] * data["w"]
        expected = [REDUCERS[op](x) if len(x) else x.new_zeros(2) for x in rows.split(SIZES)]
        actual = getattr(gs, f"readout_{kind}")(g, "h", weight, op=op)
        torch.testing.assert_close(actual, torch.stack(expected))
        if op != "min":
            named = getattr(gs, f"{op}_{kind}")(g, "h", weight)
            torch.testing.assert_close(named, actual, rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["nodes", "edges"])
def test_softmax_normalises_each_graph(kind):
    g = batched()
    rows = (g.ndata if kind == "nodes" else g.edata)["h"]
    expected = torch.cat([x.softmax(0) for x in rows.split(SIZES)])
    torch.testing.assert_close(getattr(gs, f"softmax_{kind}")(g, "h"), expected)


@pytest.mark.parametrize("kind", ["nodes", "edges"])
def test_broadcast_repeats_the_row_of_each_graph(kind):
    g = batched()
    rows = torch.arange(8.0).view(4, 2)
    expected = torch.cat([rows[i].expand(n, 2) for i, n in enumerate(SIZES)])
    assert torch.equal(getattr(gs, f"broadcast_{kind}")(g, rows), expected)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("k", [1, 2, 6])
def test_topk_without_sortby_ranks_columns(k, descending):
    g = batched()
    g.ndata["h"] = g.ndata["h"] - 5  # rows that fill up are 0 and must not win
    values, indices = gs.topk_nodes(g, "h", k, descending=descending)
    assert values.shape == (4, k, 2)
    for i, x in enumerate(g.ndata["h"].split(SIZES)):
        n = min(k, len(x))
        best = x.sort(0, descending=descending).values[:n]
        torch.testing.assert_close(values[i, :n], best, rtol=0, atol=0)
        assert values[i, n:].abs().sum() == 0
        torch.testing.assert_close(x.gather(0, indices[i, :n]), best, rtol=0, atol=0)


def test_topk_with_sortby_keeps_rows_whole():
    g = batched()
    values, indices = gs.topk_edges(g, "h", 2, sortby=-1)
    for i, x in enumerate(g.edata["h"].split(SIZES)):
        order = x[:, -1].argsort(descending=True, stable=True)[:2]
        assert indices[i, : len(order)].tolist() == order.tolist()
        torch.testing.assert_close(values[i, : len(order)], x[order], rtol=0, atol=0)


@pytest.mark.parametrize("read", [gs.readout_nodes, gs.softmax_nodes, "topk"])
def test_readouts_are_differentiable(read):
    g = batched()

    def run(x):
        with g.local_scope():
            g.ndata["h"] = x
            return gs.topk_nodes(g, "h", 2)[0] if read == "topk" else read(g, "h")

    x = g.ndata["h"].clone().requires_grad_()
    assert torch.autograd.gradcheck(run, (x,))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: gs.readout_nodes(g, "h", op="median"), ValueError, "one of"),
        (lambda g: gs.sum_nodes(g, "nothing"), KeyError, "no node feature 'nothing'"),
        (lambda g: gs.sum_nodes(3, "h"), TypeError, "A readout takes a graph, got int"),
        (lambda g: gs.broadcast_nodes(g, torch.ones(3, 1)), ValueError, "each of 4 graphs"),
        (lambda g: gs.broadcast_nodes(g, [1.0]), TypeError, "must be a tensor"),
        (lambda g: gs.topk_nodes(g, "h", 0), ValueError, "at least 1"),
        (lambda g: gs.topk_nodes(g, "h", 1, sortby=2), IndexError, "no column 2"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(gs.GossamerError, match=message) as caught:
        call(batched())
    assert isinstance(caught.value, error)
