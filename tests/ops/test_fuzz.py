"""Whatever comes through the operators' door: the oracle's result, or a GossamerError.

GOSSAMER_FUZZ_EXAMPLES is the number of examples of each test (50); with it they are new each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

import gossamer
from gossamer import kernels, ops
from gossamer.errors import GossamerError
from ops import oracle
from ops.strategies import (
    Ids,
    arranged,
    asking,
    features,
    graphs,
    graphs_of_two_relations,
    ids,
)

EXAMPLES = os.environ.get("GOSSAMER_FUZZ_EXAMPLES")
SETTINGS = settings(
    max_examples=int(EXAMPLES or 50),
    deadline=None,
    derandomize=EXAMPLES is None,
    # The fixtures only seed generators and poison memory: they need no reset between examples.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
REDUCERS = ["sum", "mean", "max", "min"]
LOW = {torch.float16: 2.0**-9, torch.bfloat16: 2.0**-6}


def _is_right(x: Tensor, rows: int, counts: bool = False) -> bool:
    """Whether `x` is an operand of `rows` rows; a sum `counts` booleans."""
    refused = (torch.complex64,) if counts else (torch.bool, torch.complex64)
    return x.dim() > 0 and len(x) == rows and x.dtype not in refused


def _fit(x: Tensor, y: Tensor, op: str) -> bool:
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


def _assert_same(
    call: Callable[..., Tensor],
    truth: Callable[..., Tensor],
    operands: Sequence[Tensor | None],
    valid: bool,
    smooth: bool = True,
) -> None:
    """`call` gives of `operands` what `truth` gives in double precision; or a GossamerError.

    So do the first and second gradients, in double precision. Without `smooth` they may differ, as
    on ties they do, but not in shape.
    """
    try:
        out = call(*operands)
    except GossamerError:
        assert not valid, "valid input was refused"
        return
    assert valid, "invalid input was accepted"
    precise = [_doubled(x) for x in operands]
    wanted = truth(*precise)
    _assert_near(out, wanted)
    leaves, doubles = ([x for x in y if _asks(x)] for y in (operands, precise))
    assert out.requires_grad == bool(leaves)
    if not leaves:
        return
    flow = torch.randn(out.shape).to(out.dtype).requires_grad_()
    found = torch.autograd.grad(out, leaves, flow, create_graph=True)
    flows = _doubled(flow)
    wanted = torch.autograd.grad(wanted, doubles, flows, create_graph=True)
    for x, y, leaf in zip(found, wanted, leaves, strict=True):
        assert x.shape == leaf.shape
        assert x.dtype == leaf.dtype
        if smooth:
            _assert_near(x, y)
    if out.dtype == torch.float64:
        again = [torch.randn_like(x) for x in found]
        second = _gradients(found, [*leaves, flow], again)
        expected = _gradients(wanted, [*doubles, flows], again)
        for x, y in zip(second, expected, strict=True):
            assert x.shape == y.shape
            if smooth:
                _assert_near(x, y)


def _gradients(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], flows: Sequence[Tensor]
) -> Sequence[Tensor]:
    """The gradients of `inputs`; 0 where an output does not depend on them."""
    pairs = [(x, flow) for x, flow in zip(outputs, flows, strict=True) if x.requires_grad]
    if not pairs:
        return [torch.zeros_like(x) for x in inputs]
    kept, flows = zip(*pairs, strict=True)
    return torch.autograd.grad(kept, inputs, flows, allow_unused=True, materialize_grads=True)


def _asks(x: Tensor | None) -> bool:
    return x is not None and x.requires_grad


def _doubled(x: Tensor | None) -> Tensor | None:
    if x is None or x.is_complex():
        return x
    if not x.is_floating_point():
        return x.long()
    return x.detach().double().requires_grad_(x.requires_grad)


def _assert_near(found: Tensor, wanted: Tensor) -> None:
    """As near as rounding allows; integers are the same, also where they overflow."""
    if not found.is_floating_point():
        # torch's own sum of small integers is wider.
        torch.testing.assert_close(found, wanted.to(found.dtype), rtol=0, atol=0)
        return
    assert found.shape == wanted.shape
    error = {torch.float64: 1e-9, torch.float32: 1e-4, **LOW}[found.dtype]
    wanted = wanted.detach().double()
    finite = wanted[wanted.isfinite()].abs()
    # Operands are of a size of 10, and a difference of two products is off by roundings of those.
    least = 10.0 if found.dtype in LOW else 1.0
    largest = max(least, float(finite.max())) if finite.numel() else least
    torch.testing.assert_close(
        found.detach().double(), wanted, equal_nan=True, rtol=error, atol=error * largest
    )


@SETTINGS
@given(st.data())
def test_gspmm(data) -> None:
    g = data.draw(graphs())
    op = data.draw(st.sampled_from(["copy_lhs", "copy_rhs", "add", "sub", "mul", "div"]))
    reducer = data.draw(st.sampled_from(REDUCERS))
    rows = g.num_src_nodes(), g.num_edges()
    u = None if op == "copy_rhs" else data.draw(features(rows[0]))
    e = None if op == "copy_lhs" else data.draw(features(rows[1]))
    given = [(x, n) for x, n in zip((u, e), rows, strict=True) if x is not None]
    sums = reducer in ("sum", "mean")
    valid = all(_is_right(x, n, sums) for x, n in given) and (len(given) < 2 or _fit(u, e, op))

    def call(u: Tensor | None, e: Tensor | None) -> Tensor:
        if not named:
            return ops.gspmm(g, op, reducer, u, e)
        name = {"copy_lhs": "copy_u", "copy_rhs": "copy_e"}.get(op, f"u_{op}_e")
        return getattr(ops, f"{name}_{reducer}")(g, *(x for x in (u, e) if x is not None))

    named = data.draw(st.booleans())
    _assert_same(call, lambda u, e: oracle.gspmm(g, op, reducer, u, e), (u, e), valid, smooth=sums)


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
    sums = op == "dot"
    valid = all(_is_right(z, n, sums) for z, n in given) and (len(given) < 2 or _fit(x, y, op))

    def call(x: Tensor | None, y: Tensor | None) -> Tensor:
        name = {"copy_lhs": f"copy_{targets[0]}"}.get(op, f"{targets[0]}_{op}_{targets[1]}")
        if named and hasattr(ops, name):
            return getattr(ops, name)(g, *(z for z in (x, y) if z is not None))
        return ops.gsddmm(g, op, x, y, *targets)

    named = data.draw(st.booleans())
    _assert_same(call, lambda x, y: oracle.combine(g, op, x, y, *targets), (x, y), valid)


@SETTINGS
@given(st.data())
def test_edge_softmax(data) -> None:
    """Over all edges, or over some of them, in any order and more than once."""
    g = data.draw(graphs())
    norm_by = data.draw(st.sampled_from(["dst", "src"]))
    count = g.num_edges()
    part, options, fits = g, {"norm_by": norm_by}, True
    if data.draw(st.booleans()):
        options["eids"], meant = _edge_ids(data.draw(ids(count)), count)
        fits = meant is not None and all(0 <= i < count for i in meant)
        if fits:
            src, dst = g.edges(order="eid")
            where = torch.tensor(meant, dtype=torch.int64)
            sizes = {ntype: g.num_nodes(ntype) for ntype in g.ntypes}
            edges = {("user", "rates", "item"): (src[where], dst[where])}
            part = gossamer.heterograph(edges, sizes)
    logits = data.draw(features(part.num_edges()))
    valid = fits and _is_right(logits, part.num_edges()) and logits.is_floating_point()
    _assert_same(
        lambda x: ops.edge_softmax(g, x, **options),
        lambda x: oracle.edge_softmax(part, x, norm_by),
        (logits,),
        valid,
    )


def _edge_ids(chosen: Ids, count: int) -> tuple[Tensor, list[int] | None]:
    """The ids as edges' ids, where one number, a mask and an empty list mean something as well."""
    given, meant = chosen
    if given.shape == (0,) and given.dtype != torch.bool:
        return given, []  # an empty list makes a tensor of floats
    if given.dtype == torch.bool and given.shape == (count,):
        return given, given.nonzero().flatten().tolist()
    if given.dim() == 0 and given.dtype != torch.bool and not given.is_floating_point():
        return given, [int(given)] if not given.is_complex() else None
    return given, meant


@SETTINGS
@given(st.data())
def test_edge_softmax_of_several_types(data) -> None:
    """Types that share an end are normalized together."""
    g = data.draw(graphs_of_two_relations())
    norm_by = data.draw(st.sampled_from(["dst", "src"]))
    end = 2 if norm_by == "dst" else 0
    etypes = data.draw(st.sampled_from([g.canonical_etypes, g.canonical_etypes[1:]]))
    shape = data.draw(st.sampled_from([(), (2,), (0,), None]))
    logits = [data.draw(features(g.num_edges(etype), shape)) for etype in etypes]
    rows = [g.num_edges(etype) for etype in etypes]
    valid = all(
        _is_right(x, n) and x.is_floating_point() for x, n in zip(logits, rows, strict=True)
    )
    shared = len({etype[end] for etype in etypes}) < len(etypes)
    if valid and shared:
        valid = len({(x.dtype, x.shape[1:]) for x in logits}) == 1
    which = data.draw(st.integers(0, len(etypes) - 1))

    def call(*logits: Tensor) -> Tensor:
        given = dict(zip(etypes, logits, strict=True))
        return ops.edge_softmax(g, given, norm_by=norm_by)[etypes[which]]

    def truth(*logits: Tensor) -> Tensor:
        alike = [i for i, etype in enumerate(etypes) if etype[end] == etypes[which][end]]
        ends = [g.edges(order="eid", etype=etypes[i])[0 if end == 0 else 1] for i in alike]
        owner = torch.cat(ends).long()
        star = gossamer.graph((torch.arange(len(owner)), owner), num_nodes=len(owner) + 4)
        found = oracle.edge_softmax(star, torch.cat([logits[i] for i in alike]))
        return found.split([rows[i] for i in alike])[alike.index(which)]

    if valid and not shared:
        # The other type's logits take no part, and autograd would say so.
        logits = [x if i == which else x.detach() for i, x in enumerate(logits)]
    _assert_same(call, truth, logits, valid)


@SETTINGS
@given(st.data())
def test_graph_attention(data) -> None:
    """Operands that fit, of which now and then one is replaced by something else."""
    g = data.draw(graphs())
    score = data.draw(st.sampled_from(["add", "dot", "add_dot"]))
    batch = data.draw(st.sampled_from([(), (), (2,), (0,)]))
    heads, dim, key_dim = (data.draw(st.integers(0, 9)) for _ in range(3))
    far = (*batch, heads) if score == "add" else (*batch, heads, key_dim)
    sources, destinations = g.num_src_nodes(), g.num_dst_nodes()
    shapes = {"value": (sources, *batch, heads, dim), "key": (sources, *far)}
    shapes["query"] = destinations, *far
    if score == "add_dot":
        shapes["weight"] = heads, key_dim
    if data.draw(st.booleans()):
        shapes["bias"] = g.num_edges(), *batch, heads
    if data.draw(st.booleans()):
        shapes["out_bias"] = heads, dim
    dtype = data.draw(st.sampled_from([torch.float64] * 3 + [torch.float32, *LOW]))
    operands = {
        name: data.draw(asking(data.draw(arranged(torch.randn(shape).to(dtype)))))
        for name, shape in shapes.items()
    }
    fits = True
    if data.draw(st.integers(0, 3)) == 0:
        name = data.draw(st.sampled_from(sorted(operands)))
        old, new = operands[name], data.draw(features(len(operands[name])))
        operands[name] = new
        same = old.shape == new.shape
        if name == "value" and "out_bias" not in operands:  # It may have any number of features.
            same = new.dim() == old.dim() and old.shape[:-1] == new.shape[:-1]
        fits = same and old.dtype == new.dtype
    options = {
        "score": score,
        "negative_slope": data.draw(st.sampled_from([0.2, 0.0, 1.0, -0.5])),
        "dropout": data.draw(st.sampled_from([0.0, 0.0, 0.5, 1.0])),
    }

    def call(*tensors: Tensor) -> Tensor:
        torch.manual_seed(5)
        return ops.graph_attention(g, **dict(zip(operands, tensors, strict=True)), **options)

    def truth(*tensors: Tensor) -> Tensor:
        if options["dropout"]:  # What is drawn is the same in every implementation.
            with kernels.use("reference"):
                return call(*tensors)
        given = dict(zip(operands, tensors, strict=True))
        return oracle.graph_attention(g, **given, score=score, slope=options["negative_slope"])

    _assert_same(call, truth, list(operands.values()), fits)


@SETTINGS
@given(st.data())
def test_scaled_sum(data) -> None:
    g = data.draw(graphs())
    sources, destinations = g.num_src_nodes(), g.num_dst_nodes()
    x = data.draw(features(sources))
    rows = {"src_scale": sources, "dst_scale": destinations, "self_scale": 1}
    names = data.draw(st.lists(st.sampled_from(sorted(rows)), unique=True))
    scales = {}
    for name in names:
        shape = data.draw(st.sampled_from([(), (), (1,), None]))
        scales[name] = data.draw(features(rows[name], shape, x.dtype))

    valid = _is_right(x, sources, counts=True)
    for name, scale in scales.items():
        one_each = scale.numel() == rows[name]
        if name == "self_scale":
            one_each = one_each and destinations <= sources
        else:
            one_each = one_each and _is_right(scale, rows[name])
        valid = valid and one_each and scale.dtype == x.dtype

    def truth(x: Tensor, *values: Tensor) -> Tensor:
        given = dict(zip(scales, values, strict=True))
        a, b, c = (given[name].flatten() if name in given else None for name in rows)
        columns = [1] * (x.dim() - 1)
        out = oracle.gspmm(g, "copy_lhs", "sum", x if a is None else x * a.view(-1, *columns), None)
        if b is not None:
            out = out * b.view(-1, *columns)
        return out if c is None else out + c * x[:destinations]

    def found(x: Tensor, *values: Tensor) -> Tensor:
        return ops.scaled_sum(g, x, **dict(zip(scales, values, strict=True)))

    _assert_same(found, truth, (x, *scales.values()), valid)


@SETTINGS
@given(st.data())
def test_segments(data) -> None:
    """Lengths may be huge or negative, and overflow when they are added."""
    given, lengths = data.draw(ids(4))
    total = sum(lengths) if lengths else 0
    x = data.draw(features(total if 0 <= total < 100 else 3))
    reducer = data.draw(st.sampled_from([*REDUCERS, "softmax"]))
    fits = lengths is not None and all(n >= 0 for n in lengths) and x.dim() and total == len(x)
    valid = bool(fits) and _is_right(x, total, reducer in ("sum", "mean"))
    if reducer == "softmax":
        valid = valid and x.is_floating_point()

    def call(x: Tensor) -> Tensor:
        if reducer == "softmax":
            return ops.segment_softmax(given, x)
        return ops.segment_reduce(given, x, reducer)

    def truth(x: Tensor) -> Tensor:
        owner = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths).long())
        if reducer == "softmax":
            star = gossamer.graph((owner, owner), num_nodes=len(lengths))
            return oracle.edge_softmax(star, x)
        return oracle.reduce(x, owner, len(lengths), reducer)

    _assert_same(call, truth, (x,), valid, smooth=reducer not in ("max", "min"))


@SETTINGS
@given(st.data())
def test_matrix_products(data) -> None:
    """A matrix for each segment of rows, or for each row."""
    by_segment = data.draw(st.booleans())
    limit = 4 if by_segment else data.draw(st.integers(0, 4))
    given, meant = data.draw(ids(limit))
    numbers = meant or []
    if by_segment:
        rows, matrices = sum(numbers), len(numbers) + data.draw(st.sampled_from([0] * 9 + [1]))
        rows = rows if 0 <= rows < 100 else 3
    else:
        rows, matrices = len(numbers), limit
    inner, width = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    a = data.draw(features(rows, (inner,)))
    shape = data.draw(st.sampled_from([(inner, width)] * 9 + [None]))
    b = data.draw(features(matrices, shape, a.dtype))
    valid = meant is not None and a.dtype == b.dtype and _is_right(a, rows) and b.dim() == 3
    valid = valid and b.shape[1] == inner
    if by_segment:
        valid = valid and all(n >= 0 for n in numbers) and sum(numbers) == rows
        valid = valid and len(b) == len(numbers)
    else:
        valid = valid and all(0 <= i < len(b) for i in numbers)

    def call(a: Tensor, b: Tensor) -> Tensor:
        return ops.segment_mm(a, b, given) if by_segment else ops.gather_mm(a, b, idx_b=given)

    def truth(a: Tensor, b: Tensor) -> Tensor:
        which = torch.tensor(numbers, dtype=torch.int64)
        if by_segment:
            which = torch.repeat_interleave(torch.arange(len(numbers)), which)
        return torch.einsum("ni,nij->nj", a, b[which])

    _assert_same(call, truth, (a, b), valid)
