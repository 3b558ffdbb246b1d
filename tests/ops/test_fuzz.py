"""Whatever comes through the operators' door: the oracle's result, or a GossamerError.

GOSSAMER_FUZZ_EXAMPLES is the number of examples of each test (150); with it they are new each time.
"""

from __future__ import annotations

import os

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gossamer
from gossamer import ops
from gossamer.errors import GossamerError
from ops import oracle

EXAMPLES = os.environ.get("GOSSAMER_FUZZ_EXAMPLES")
SETTINGS = settings(
    max_examples=int(EXAMPLES or 150),
    deadline=None,
    derandomize=EXAMPLES is None,
    # The fixtures only seed generators and poison memory: they need no reset between examples.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
DTYPES = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int8,
    torch.bool,
    torch.complex64,
]
FEATURES = st.lists(st.sampled_from([0, 1, 1, 2, 3]), max_size=3).map(tuple)


@st.composite
def graphs(draw):
    """A relation between up to 6 and 6 nodes; one side may be as large as a graph allows."""
    num_src, num_dst = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    count = draw(st.integers(0, 12)) if num_src and num_dst else 0
    src = draw(st.lists(st.integers(0, max(num_src - 1, 0)), min_size=count, max_size=count))
    dst = draw(st.lists(st.integers(0, max(num_dst - 1, 0)), min_size=count, max_size=count))
    idtype = draw(st.sampled_from([torch.int32, torch.int64]))
    edges = torch.tensor(src, dtype=idtype), torch.tensor(dst, dtype=idtype)
    sizes = {"user": num_src, "item": num_dst}
    g = gossamer.heterograph({("user", "rates", "item"): edges}, sizes, idtype=idtype)
    return g.formats(draw(st.sampled_from(["coo", "csr", "csc", ["coo", "csr", "csc"]])))


@st.composite
def features(draw, rows: int):
    """A tensor with about `rows` rows: mostly of one dtype, in any layout."""
    rows = draw(st.sampled_from([rows] * 12 + [rows + 1, max(rows - 1, 0), 1]))
    shape = (rows, *draw(FEATURES))
    layout = draw(st.sampled_from(["plain", "plain", "expanded", "transposed", "strided", "flat"]))
    dtype = draw(st.sampled_from([torch.float64] * 6 + DTYPES))
    if layout == "flat":
        x = torch.randn(()).expand(shape)
    elif layout == "expanded":
        x = torch.randn(rows, *[1] * (len(shape) - 1)).expand(shape)
    elif layout == "transposed":
        x = torch.randn(*reversed(shape)).permute(*reversed(range(len(shape))))
    elif layout == "strided":
        x = torch.randn(2 * rows + 1, *shape[1:])[1::2]
    else:
        x = torch.randn(shape)
    # A cast keeps the layout.
    x = x.to(dtype) if dtype.is_complex else (4 * x).round().add(0.5).to(dtype)
    if x.is_floating_point() and draw(st.booleans()):
        x.requires_grad_()
    return x


def _is_right(x, rows: int) -> bool:
    return x.shape[0] == rows and x.dtype not in (torch.bool, torch.complex64)


def _fit(x, y, op: str) -> bool:
    """Whether two operands may meet: the rule in the words of torch."""
    if x.dtype != y.dtype:
        return False
    dims = max(x.dim(), y.dim())
    a, b = ([1] * (dims - z.dim()) + list(z.shape[1:]) for z in (x, y))
    if op == "dot" and dims > 1 and a[-1] != b[-1]:
        return False
    try:
        torch.broadcast_shapes(a, b)
    except RuntimeError:
        return False
    return True


def _assert_same(function, expected, operands, valid: bool, smooth: bool = True) -> None:
    """`function` gives what `expected` gives, with its gradients; or a GossamerError.

    Without `smooth` the gradients may differ, as on ties they do, but not in shape.
    """
    try:
        out = function()
    except GossamerError:
        assert not valid, "valid input was refused"
        return
    assert valid, "invalid input was accepted"
    wanted = expected()
    if not out.is_floating_point():
        wanted = wanted.to(out.dtype)  # torch's own sum of small integers is wider.
    low = out.dtype in (torch.float16, torch.bfloat16)
    near = {"rtol": 0.05, "atol": 0.5} if low else {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(out, wanted, equal_nan=True, **near)
    leaves = [x for x in operands if x is not None and x.requires_grad]
    if leaves and out.dtype == torch.float64:
        flow = torch.randn_like(out)
        found = torch.autograd.grad(out, leaves, flow)
        wanted = torch.autograd.grad(wanted, leaves, flow)
        for x, y in zip(found, wanted, strict=True):
            assert x.shape == y.shape
            assert bool(x.isfinite().all())
            if smooth:
                torch.testing.assert_close(x, y)


@SETTINGS
@given(st.data())
def test_gspmm(data) -> None:
    g = data.draw(graphs())
    op = data.draw(st.sampled_from(["copy_lhs", "copy_rhs", "add", "sub", "mul", "div"]))
    reducer = data.draw(st.sampled_from(["sum", "mean", "max", "min"]))
    rows = g.num_src_nodes(), g.num_edges()
    u = None if op == "copy_rhs" else data.draw(features(rows[0]))
    e = None if op == "copy_lhs" else data.draw(features(rows[1]))
    given = [(x, n) for x, n in zip((u, e), rows, strict=True) if x is not None]
    valid = all(_is_right(x, n) for x, n in given) and (len(given) < 2 or _fit(u, e, op))
    _assert_same(
        lambda: ops.gspmm(g, op, reducer, u, e),
        lambda: oracle.gspmm(g, op, reducer, u, e),
        (u, e),
        valid,
        smooth=reducer in ("sum", "mean"),
    )


@SETTINGS
@given(st.data())
def test_gsddmm(data) -> None:
    g = data.draw(graphs())
    op = data.draw(st.sampled_from(["copy_lhs", "copy_rhs", "add", "sub", "mul", "div", "dot"]))
    targets = data.draw(st.tuples(st.sampled_from("uve"), st.sampled_from("uve")))
    rows = [oracle.rows_of(g, target) for target in targets]
    x = None if op == "copy_rhs" else data.draw(features(rows[0]))
    y = None if op == "copy_lhs" else data.draw(features(rows[1]))
    given = [(z, n) for z, n in zip((x, y), rows, strict=True) if z is not None]
    valid = all(_is_right(z, n) for z, n in given) and (len(given) < 2 or _fit(x, y, op))
    _assert_same(
        lambda: ops.gsddmm(g, op, x, y, *targets),
        lambda: oracle.combine(g, op, x, y, *targets),
        (x, y),
        valid,
    )


@SETTINGS
@given(st.data())
def test_edge_softmax(data) -> None:
    g = data.draw(graphs())
    logits = data.draw(features(g.num_edges()))
    norm_by = data.draw(st.sampled_from(["dst", "src"]))
    valid = _is_right(logits, g.num_edges()) and logits.is_floating_point()
    _assert_same(
        lambda: ops.edge_softmax(g, logits, norm_by=norm_by),
        lambda: oracle.edge_softmax(g, logits, norm_by),
        (logits,),
        valid,
    )


@SETTINGS
@given(st.data())
def test_graph_attention(data) -> None:
    """Operands that fit, of which now and then one is replaced by something else."""
    g = data.draw(graphs())
    score = data.draw(st.sampled_from(["add", "dot", "add_dot"]))
    batch = data.draw(st.sampled_from([(), (), (2,), (0,)]))
    heads, dim, key_dim = (data.draw(st.integers(0, 9)) for _ in range(3))
    far = (*batch, heads) if score == "add" else (*batch, heads, key_dim)
    rows = {"value": g.num_src_nodes(), "key": g.num_src_nodes(), "query": g.num_dst_nodes()}
    shapes = {"value": (*batch, heads, dim), "key": far, "query": far}
    operands = {
        name: torch.randn(rows[name], *shape, dtype=torch.float64, requires_grad=True)
        for name, shape in shapes.items()
    }
    if score == "add_dot":
        operands["weight"] = torch.randn(heads, key_dim, dtype=torch.float64, requires_grad=True)
    if data.draw(st.booleans()):
        bias = torch.randn(*batch, heads, g.num_edges(), dtype=torch.float64).movedim(-1, 0)
        operands["bias"] = bias.requires_grad_()
    fits = True
    if data.draw(st.integers(0, 3)) == 0:
        name = data.draw(st.sampled_from(sorted(operands)))
        old, new = operands[name], data.draw(features(len(operands[name])))
        operands[name] = new
        same = old.shape == new.shape
        if name == "value":  # which may have any number of features
            same = new.dim() == old.dim() and old.shape[:-1] == new.shape[:-1]
        fits = same and old.dtype == new.dtype
    _assert_same(
        lambda: ops.graph_attention(g, **operands, score=score),
        lambda: oracle.graph_attention(g, **operands, score=score),
        tuple(operands.values()),
        fits,
    )


EXTREMES = [-1, 2**31 - 1, 2**31, 2**62, -(2**63), 2**63 - 1]
IDS = st.sampled_from([0, 1, 2, 3] * 6 + EXTREMES)


@SETTINGS
@given(st.data())
def test_segments(data) -> None:
    """Lengths and ids may be huge or negative, and overflow when they are added."""
    lengths = torch.tensor(data.draw(st.lists(IDS, max_size=5)), dtype=torch.int64)
    counts = lengths.tolist()
    x = data.draw(features(sum(counts) if 0 <= sum(counts) < 100 else 3))
    reducer = data.draw(st.sampled_from(["sum", "mean", "max", "min"]))
    fits = all(n >= 0 for n in counts) and sum(counts) == x.shape[0]

    def expected():
        owner = torch.repeat_interleave(torch.arange(len(counts)), lengths)
        return oracle.reduce(x, owner, len(counts), reducer)

    valid = fits and _is_right(x, x.shape[0])
    smooth = reducer in ("sum", "mean")
    _assert_same(lambda: ops.segment_reduce(lengths, x, reducer), expected, (x,), valid, smooth)


@SETTINGS
@given(st.data())
def test_gather_mm(data) -> None:
    ids = torch.tensor(data.draw(st.lists(IDS, max_size=5)), dtype=torch.int64)
    matrices = data.draw(st.integers(0, 4))
    a = torch.randn(len(ids), 2, dtype=torch.float64, requires_grad=True)
    b = torch.randn(matrices, 2, 3, dtype=torch.float64, requires_grad=True)
    valid = all(0 <= i < matrices for i in ids.tolist())
    _assert_same(
        lambda: ops.gather_mm(a, b, idx_b=ids),
        lambda: torch.einsum("ni,nij->nj", a, b[ids]),
        (a, b),
        valid,
    )


@SETTINGS
@given(st.data())
def test_ids_of_edges(data) -> None:
    """edge_softmax over a subset never reads beyond the edges."""
    g = data.draw(graphs())
    eids = data.draw(st.lists(IDS, max_size=4))
    logits = torch.randn(len(eids), dtype=torch.float64)
    try:
        out = ops.edge_softmax(g, logits, eids=torch.tensor(eids, dtype=torch.int64))
    except GossamerError:
        assert not all(0 <= i < g.num_edges() for i in eids)
        return
    assert all(0 <= i < g.num_edges() for i in eids)
    src, dst = g.edges(order="eid")
    sizes = {"user": g.num_src_nodes(), "item": g.num_dst_nodes()}
    chosen = torch.tensor(eids, dtype=torch.int64)
    part = gossamer.heterograph({("user", "rates", "item"): (src[chosen], dst[chosen])}, sizes)
    torch.testing.assert_close(out, oracle.edge_softmax(part, logits))
