"""The operators as torch sees them: schema, shape-only twin, compiler, torch.func, export."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.torch_version import TorchVersion

import gossamer
from gossamer import function as fn
from gossamer import ops
from helpers.compare import assert_tensor_equal
from ops import oracle

REDUCERS = ("sum", "mean", "max", "min")


def _structure(g, **parts):
    return list(g.adjacency.structure(**parts))


def _everything(g):
    return _structure(g, by_dst=True, by_src=True, slots=True)


def _features(*shape, dtype=torch.float64):
    return (torch.rand(*shape, dtype=dtype) + 0.5).requires_grad_()


def _assert_passes(operator, *arguments) -> None:
    """Put an operator through torch's own checks."""
    result = torch.library.opcheck(operator.default, arguments)
    assert result
    assert set(result.values()) == {"SUCCESS"}


# torch 2.14's own opcheck reads the gradient of tensors that are no leaves.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
class TestOpcheck:
    """torch's own checks: schema, autograd registration, fake tensors, tracing forward and back."""

    @pytest.mark.parametrize("op", ["copy_lhs", "copy_rhs", "sub", "mul", "div"])
    @pytest.mark.parametrize("reducer", ["sum", "max"])
    def test_spmm(self, reducer, op) -> None:
        self._check_spmm(oracle.awkward(), op, reducer)

    @pytest.mark.parametrize("reducer", ["mean", "min"])
    def test_spmm_where_edges_come_sorted(self, reducer) -> None:
        """There the structure has a None; elsewhere it is all tensors."""
        self._check_spmm(gossamer.graph(([0, 1, 1], [0, 1, 2])), "mul", reducer)

    @staticmethod
    def _check_spmm(g, op, reducer) -> None:
        u = None if op == "copy_rhs" else _features(g.num_nodes(), 2, 3)
        e = None if op == "copy_lhs" else _features(g.num_edges(), 2, 1)
        _assert_passes(torch.ops.gossamer.spmm, _everything(g), u, e, op, reducer, True)

    @pytest.mark.parametrize("op", ["copy_lhs", "copy_rhs", "sub", "mul", "div", "dot"])
    def test_sddmm(self, op) -> None:
        g = oracle.lopsided()
        x = None if op == "copy_rhs" else _features(3, 2, 3)
        y = None if op == "copy_lhs" else _features(7, 1, 3)
        _assert_passes(torch.ops.gossamer.sddmm, _everything(g), x, y, op, "u", "e")

    def test_integers(self) -> None:
        g = oracle.awkward()
        u, e = torch.arange(14).reshape(7, 2), torch.ones(9, 1, dtype=torch.int64)
        for op, reducer in (("mul", "sum"), ("mul", "max"), ("div", "sum"), ("copy_lhs", "mean")):
            second = None if op == "copy_lhs" else e
            _assert_passes(torch.ops.gossamer.spmm, _everything(g), u, second, op, reducer, True)
        _assert_passes(torch.ops.gossamer.sddmm, _everything(g), u, e, "div", "u", "e")

    def test_edge_softmax(self) -> None:
        structure = _everything(oracle.awkward())
        _assert_passes(torch.ops.gossamer.edge_softmax, structure, _features(9, 2))

    def test_backward_kernels(self) -> None:
        structure = _everything(oracle.awkward())
        indptr, indices, eids = structure[3:6]
        out, grad = torch.rand(9, 2), torch.rand(9, 2)
        _assert_passes(torch.ops.gossamer.edge_softmax_backward, indptr, eids, out, grad)
        u, e = torch.rand(7, 2), torch.rand(9, 1)
        out, winners = torch.ops.gossamer.spmm(structure, u, e, "mul", "max", True)
        operands = indices, eids, winners, torch.rand_like(out), u, e, "mul"
        for rows in ((7, 9), (7, -1), (-1, 9)):
            _assert_passes(torch.ops.gossamer.spmm_winners_backward, *operands, *rows)

    @pytest.mark.parametrize("reducer", ["max", "min"])
    def test_winners_are_recorded_only_on_demand(self, reducer) -> None:
        structure = _everything(oracle.awkward())
        u, e = torch.rand(7, 2), torch.rand(9, 1)
        out, winners = torch.ops.gossamer.spmm(structure, u, e, "mul", reducer, True)
        same, none = torch.ops.gossamer.spmm(structure, u, e, "mul", reducer, False)
        assert winners.shape == out.shape
        assert none.numel() == 0
        assert_tensor_equal(same, out)

    def test_segment_mm(self) -> None:
        operands = _features(5, 3), _features(3, 3, 2), torch.tensor([2, 0, 3])
        _assert_passes(torch.ops.gossamer.segment_mm, *operands)
        order = torch.tensor([3, 0, 4, 1, 2])
        rows = _features(5, 3), order, order.argsort()
        _assert_passes(torch.ops.gossamer.permute_rows, *rows)
        constants = [x.detach() for x in operands]
        _assert_passes(torch.ops.gossamer.gather_mm, *constants, *rows[1:])
        operands = _features(5, 3), _features(5, 2), torch.tensor([2, 0, 3])
        _assert_passes(torch.ops.gossamer.segment_outer, *operands)

    def test_a_broken_operator_is_found(self) -> None:
        """opcheck does look: an operator whose twin lies about the shape fails it."""
        lib = torch.library.Library("gossamer_broken", "DEF")
        lib.define("twice(Tensor x) -> Tensor")
        lib.impl("twice", lambda x: 2 * x, "CompositeExplicitAutograd")
        torch.library.register_fake("gossamer_broken::twice", lambda x: x.new_empty(1), lib=lib)
        with pytest.raises(Exception, match="test_faketensor"):
            torch.library.opcheck(torch.ops.gossamer_broken.twice.default, (torch.rand(3),))


def _compiled(function, **options):
    torch._dynamo.reset()
    return torch.compile(function, fullgraph=True, backend="aot_eager", **options)


def _assert_compiles(function, *inputs, **options) -> None:
    """The compiled function is one graph and gives the same output and gradients."""
    compiled = _compiled(function, **options)
    leaves = [x for x in inputs if x.requires_grad]
    out, expected = compiled(*inputs), function(*inputs)
    torch.testing.assert_close(out, expected)
    flow = torch.randn_like(out)
    torch.testing.assert_close(
        torch.autograd.grad(out, leaves, flow), torch.autograd.grad(expected, leaves, flow)
    )


@pytest.fixture
def ready():
    """A graph whose formats exist, so that the compiler finds tensors and no work to trace."""
    return oracle.awkward().create_formats_()


class TestCompile:
    @pytest.mark.parametrize("reducer", REDUCERS)
    @pytest.mark.parametrize("op", ["copy_lhs", "mul", "div"])
    def test_gspmm(self, ready, op, reducer) -> None:
        if op == "copy_lhs":
            _assert_compiles(lambda u: 2 * ops.gspmm(ready, op, reducer, u, None), _features(7, 3))
        else:
            _assert_compiles(
                lambda u, e: 2 * ops.gspmm(ready, op, reducer, u, e),
                _features(7, 2, 3),
                _features(9, 2, 1),
            )

    @pytest.mark.parametrize("op", ["add", "dot"])
    def test_gsddmm(self, ready, op) -> None:
        _assert_compiles(
            lambda x, y: 2 * ops.gsddmm(ready, op, x, y), _features(7, 3), _features(7, 3)
        )

    @pytest.mark.parametrize("norm_by", ["dst", "src"])
    def test_edge_softmax(self, ready, norm_by) -> None:
        _assert_compiles(lambda x: 2 * ops.edge_softmax(ready, x, norm_by=norm_by), _features(9, 2))

    def test_segments(self) -> None:
        lengths, idx = torch.tensor([2, 0, 3]), torch.tensor([2, 0, 2, 2, 0])
        for reducer in REDUCERS:
            _assert_compiles(
                lambda x, r=reducer: ops.segment_reduce(lengths, x, r), _features(5, 3)
            )
        a, b = _features(5, 3), _features(3, 3, 2)
        _assert_compiles(lambda a, b: ops.segment_mm(a, b, lengths), a, b)
        _assert_compiles(lambda a, b: ops.gather_mm(a, b, idx_b=idx), a, b)
        a, b = a.detach(), b.detach()
        compiled = _compiled(lambda a, b: ops.gather_mm(a, b, idx_b=idx))
        torch.testing.assert_close(compiled(a, b), ops.gather_mm(a, b, idx_b=idx))

    def test_wrong_segments_are_found_when_compiled_code_runs(self) -> None:
        compiled = _compiled(lambda n, x: ops.segment_reduce(n, x))
        x = torch.ones(5, 2)
        assert compiled(torch.tensor([2, 3]), x).tolist() == [[2.0, 2.0], [3.0, 3.0]]
        with pytest.raises(RuntimeError, match="segment lengths must add up"):
            compiled(torch.tensor([2, 4]), x)

    @pytest.mark.xfail(
        TorchVersion(torch.__version__) < (2, 7),
        reason="the compiler of torch 2.6 takes no context managers made of generators, "
        "and makes no objects of subclasses of MutableMapping: local_scope and srcdata",
    )
    @pytest.mark.parametrize("reducer", ["sum", "max"])
    def test_update_all(self, ready, reducer) -> None:
        reduce = getattr(fn, reducer)

        def attend(x, w):
            with ready.local_scope():
                ready.srcdata["h"] = x
                ready.edata["a"] = ops.edge_softmax(ready, w)
                ready.update_all(fn.u_mul_e("h", "a", "m"), reduce("m", "o"))
                return ready.dstdata["o"]

        inputs = _features(7, 2, 3), _features(9, 2, 1)
        attend(*inputs)  # A graph keeps some of its answers; the compiler finds them made.
        _assert_compiles(attend, *inputs)

    def test_feature_sizes_do_not_recompile(self, ready) -> None:
        compiled = _compiled(lambda x: ops.copy_u_sum(ready, x), dynamic=True)
        torch._dynamo.utils.counters.clear()
        for width in (3, 4, 5, 6):
            x = torch.randn(7, width)
            torch.testing.assert_close(compiled(x), ops.copy_u_sum(ready, x))
        assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


class Layer(nn.Module):
    """A layer over a graph that it holds."""

    def __init__(self, g) -> None:
        super().__init__()
        self.g = g
        self.linear = nn.Linear(3, 4)

    def forward(self, x):
        return ops.copy_u_max(self.g, torch.tanh(ops.copy_u_mean(self.g, self.linear(x))))


# torch 2.6 warns of the graph's own tensors, which it does put into the module that it returns.
@pytest.mark.filterwarnings("ignore:.*get_attr:UserWarning")
def test_export(ready) -> None:
    layer = Layer(ready)
    x = torch.randn(7, 3)
    exported = torch.export.export(layer, (x,))
    assert "gossamer.spmm" in str(exported.graph)
    torch.testing.assert_close(exported.module()(x), layer(x))


def test_functional_call(ready) -> None:
    layer, x = Layer(ready), torch.randn(7, 3)
    doubled = {name: 2 * value for name, value in layer.named_parameters()}
    found = torch.func.functional_call(layer, doubled, (x,))
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(2)
    torch.testing.assert_close(found, layer(x))


_MATRIX_OF_ROW = torch.tensor([1, 0, 0, 1, 1, 0, 1])
_LENGTHS, _TWO_LENGTHS = torch.tensor([3, 0, 4]), torch.tensor([3, 4])

# Functions of a graph, features of its 7 nodes and of its 9 edges.
CASES = {
    **{
        f"{op}-{reducer}": (
            lambda g, u, e, op=op, r=reducer: ops.gspmm(
                g, op, r, u, None if op == "copy_lhs" else e
            )
        )
        for op in ("copy_lhs", "mul", "div")
        for reducer in REDUCERS
    },
    "dot": lambda g, u, e: ops.gsddmm(g, "dot", u, u * 2, "u", "v"),
    "sub": lambda g, u, e: ops.gsddmm(g, "sub", u, e, "u", "e"),
    "softmax": lambda g, u, e: ops.edge_softmax(g, u[:1] * e),
    "softmax-subset": lambda g, u, e: ops.edge_softmax(g, u[:4], eids=[0, 2, 4, 1]),
    "segment_reduce": lambda g, u, e: ops.segment_reduce(_LENGTHS, u, "max"),
    "segment_mm": lambda g, u, e: ops.segment_mm(u, u[:6].reshape(2, 3, 3), _TWO_LENGTHS),
    "gather_mm": lambda g, u, e: ops.gather_mm(u, u[:6].reshape(2, 3, 3), idx_b=_MATRIX_OF_ROW),
}


class TestFunc:
    """torch.func takes gradients, Jacobians and batches of every operator."""

    @pytest.mark.parametrize("name", CASES)
    def test_grad_and_jacobian(self, name) -> None:
        g, function = oracle.awkward(), CASES[name]
        u, e = _features(7, 3), _features(9, 3)
        weight = torch.randn_like(function(g, u, e))
        wanted = torch.autograd.grad((function(g, u, e) * weight).sum(), u)[0]
        e = e.detach()
        found = torch.func.grad(lambda u: (function(g, u, e) * weight).sum())(u.detach())
        torch.testing.assert_close(found, wanted)
        jacobian = torch.func.jacrev(lambda u: function(g, u, e))(u.detach())
        torch.testing.assert_close(
            torch.einsum("...,...nf->nf", weight, jacobian)
            if weight.dim() == 0
            else torch.tensordot(weight, jacobian, weight.dim()),
            wanted,
        )

    @pytest.mark.parametrize("name", CASES)
    def test_vmap(self, name) -> None:
        g, function = oracle.awkward(), CASES[name]
        us, es = torch.rand(5, 7, 3) + 0.5, torch.rand(9, 5, 3) + 0.5
        both = torch.func.vmap(lambda u, e: function(g, u, e), in_dims=(0, 1))(us, es)
        one = torch.func.vmap(lambda u: function(g, u, es[:, 0]))(us)
        for i in range(5):
            torch.testing.assert_close(both[i], function(g, us[i], es[:, i]))
            torch.testing.assert_close(one[i], function(g, us[i], es[:, 0]))

    @pytest.mark.parametrize("name", CASES)
    def test_gradients_of_a_batch(self, name) -> None:
        """vmap around grad, and grad around vmap."""
        g, function = oracle.awkward(), CASES[name]
        us, e = torch.rand(4, 7, 3) + 0.5, torch.rand(9, 3) + 0.5
        weight = torch.randn_like(function(g, us[0], e))

        def loss(u):
            return (function(g, u, e) * weight).sum()

        wanted = torch.stack([torch.func.grad(loss)(u) for u in us])
        torch.testing.assert_close(torch.func.vmap(torch.func.grad(loss))(us), wanted)
        found = torch.func.grad(lambda us: torch.func.vmap(loss)(us).sum())(us)
        torch.testing.assert_close(found, wanted)

    def test_per_sample_gradients_of_a_layer(self) -> None:
        layer = Layer(oracle.awkward())
        xs, weight = torch.randn(4, 7, 3), torch.randn(7, 4)

        def loss(parameters, x):
            return (torch.func.functional_call(layer, parameters, (x,)) * weight).sum()

        parameters = {name: value.detach() for name, value in layer.named_parameters()}
        found = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(parameters, xs)
        for i, x in enumerate(xs):
            wanted = torch.autograd.grad((layer(x) * weight).sum(), list(layer.parameters()))
            for name, value in zip(parameters, wanted, strict=True):
                torch.testing.assert_close(found[name][i], value)


# torch's own module for it still mentions torch.jit when it is first used.
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
# torch 2.14's own forward mode loads its formulas through torch.jit.script.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_forward_mode_says_that_it_is_missing() -> None:
    """An operator without a forward-mode formula must not drop the tangent silently."""
    import torch.autograd.forward_ad as forward_ad

    g = oracle.awkward()
    with forward_ad.dual_level():
        x = forward_ad.make_dual(torch.randn(7, 3), torch.randn(7, 3))
        with pytest.raises((RuntimeError, NotImplementedError), match="jvp"):
            ops.copy_u_sum(g, x)
        with pytest.raises((RuntimeError, NotImplementedError), match="jvp"):
            ops.gather_mm(x, torch.randn(2, 3, 3), idx_b=_MATRIX_OF_ROW)


def test_the_registered_operators_give_what_eager_code_gives() -> None:
    g = oracle.awkward()
    u, e = torch.randn(7, 3), torch.randn(9, 3)
    for reducer in REDUCERS:
        structure = _structure(g, by_dst=True)
        found, _ = torch.ops.gossamer.spmm(structure, u, e, "mul", reducer, True)
        assert_tensor_equal(found, ops.gspmm(g, "mul", reducer, u, e))
    found = torch.ops.gossamer.sddmm(_structure(g, slots=True), u, e, "mul", "u", "e")
    assert_tensor_equal(found, ops.gsddmm(g, "mul", u, e, "u", "e"))


def test_saved_tensor_hooks_see_the_operands() -> None:
    """As activation offloading and checkpoints need it."""
    g = oracle.awkward()
    u, e = _features(7, 3), _features(9, 3)
    seen = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: seen.append(x.shape) or x, lambda x: x):
        ops.u_mul_e_sum(g, u, e)
    assert {(7, 3), (9, 3)} <= {tuple(shape) for shape in seen}


def test_checkpoint_and_anomaly_mode() -> None:
    from torch.utils.checkpoint import checkpoint

    g = oracle.awkward()
    u, e = _features(7, 3), _features(9, 3)
    flow = torch.randn(7, 3, dtype=torch.float64)
    wanted = torch.autograd.grad(ops.u_mul_e_max(g, u, e), (u, e), flow)
    out = checkpoint(lambda u, e: ops.u_mul_e_max(g, u, e), u, e, use_reentrant=False)
    torch.testing.assert_close(torch.autograd.grad(out, (u, e), flow), wanted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "Anomaly Detection has been enabled"
        with torch.autograd.detect_anomaly():
            out = ops.u_mul_e_max(g, u, e)
            torch.testing.assert_close(torch.autograd.grad(out, (u, e), flow), wanted)
