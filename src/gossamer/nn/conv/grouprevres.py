"""Grouped reversible residual connections."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.func import functional_call

from gossamer._options import as_int
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.nn._common import reset_children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gossamer.graph import Graph

__all__ = ["GroupRevRes"]


class GroupRevRes(nn.Module):
    r"""Grouped reversible residual connections of `Training Graph Neural Networks with 1000 Layers
    <https://arxiv.org/abs/2106.07476>`__.

    The features are split into :math:`C` groups :math:`X_1, \dots, X_C` of equal width, and each
    group has its own copy :math:`f_i` of the given layer:

    .. math::
        X_0' = \sum_{i=2}^{C} X_i, \qquad X_i' = f_i\big(X_{i-1}', G\big) + X_i

    The input can be computed from the output, so a stack of such layers stores only its last output
    for the backward pass: memory does not grow with the number of layers. The backward pass
    recomputes each :math:`f_i` with the random state of the forward pass, so that dropout drops the
    same entries.

    Parameters
    ----------
    gnn_module : Module
        The layer :math:`f`, called as ``f(g, x, *args)`` with :math:`D / C` features in and out.
        It becomes the first of the :math:`f_i`; the others are copies with the same parameters.
    groups : int
        Number of groups :math:`C`, at least 2.

    Raises
    ------
    InvalidValueError
        If there are fewer than two groups.

    Notes
    -----
    Due to rounding, the recomputed input differs slightly from the original one. Running
    statistics, such as those of batch normalization, are updated twice per training step. Second
    derivatives are not available.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> conv = gs.nn.GroupRevRes(gs.nn.GraphConv(3, 3), groups=2)
    >>> conv(g, torch.rand(3, 6)).shape
    torch.Size([3, 6])
    """

    def __init__(self, gnn_module: nn.Module, groups: int = 2) -> None:
        super().__init__()
        if not isinstance(gnn_module, nn.Module):
            raise InvalidTypeError(
                "GroupRevRes: gnn_module must be a torch.nn.Module, got "
                f"{type(gnn_module).__name__}."
            )
        self.groups = as_int(groups, "GroupRevRes", "groups", 2)
        self.gnn_modules = nn.ModuleList(
            [gnn_module if i == 0 else copy.deepcopy(gnn_module) for i in range(groups)]
        )

    def reset_parameters(self) -> None:
        """Reinitialize the parameters of each copy."""
        reset_children(self)

    def forward(self, g: Graph, x: Tensor, *args: Tensor) -> Tensor:
        r"""Apply the layer.

        Parameters
        ----------
        g : Graph
            The graph.
        x : Tensor
            :math:`(N, D)`.
        *args : Tensor
            Additional arguments for the copies. Each is split along its last dimension, like `x`.

        Returns
        -------
        Tensor
            :math:`(N, D)`.

        Raises
        ------
        InvalidValueError
            If a width is not divisible by the number of groups.
        InvalidTypeError
            If an argument is not a tensor.
        """
        for value in (x, *args):
            self._check_width(value)
        parameters = [p for p in self.gnn_modules.parameters() if p.requires_grad]
        wanted = any(value.requires_grad for value in (x, *args, *parameters))
        if not (wanted and torch.is_grad_enabled()):
            return _Layer(g, self.gnn_modules).output(x, args)
        previous = getattr(x.grad_fn, "layer", None)
        layer = _Layer(g, self.gnn_modules)
        return _apply(layer, previous, len(args), x, *args, *parameters)

    def _check_width(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise InvalidTypeError(
                f"GroupRevRes: arguments must be tensors, got {type(value).__name__}."
            )
        if value.dim() < 1 or value.shape[-1] % self.groups:
            raise InvalidValueError(
                f"GroupRevRes: the last dimension must be divisible by {self.groups} groups, "
                f"but got shape {tuple(value.shape)}."
            )


class _Layer:
    """One call of the layer, with the data needed to recompute its input."""

    def __init__(self, graph: Graph, modules: Sequence[nn.Module]) -> None:
        self.graph = graph
        self.modules = modules
        # The current ones: `torch.func.functional_call` replaces them temporarily.
        self.parameters = [dict(module.named_parameters()) for module in modules]
        self.states: list[_RandomState] = []
        self.result: Tensor | None = None  # dropped where `following` can compute it
        self.following: _Layer | None = None
        self.args: tuple[Tensor, ...] = ()

    def parts(self, value: Tensor) -> tuple[Tensor, ...]:
        """Split a tensor into its groups."""
        return value.chunk(len(self.modules), -1)

    def args_of(self, i: int) -> list[Tensor]:
        """Return the additional arguments of copy `i`."""
        return [self.parts(arg)[i] for arg in self.args]

    def call_again(self, i: int, below: Tensor, args: list[Tensor]) -> Tensor:
        """Recompute the output of copy `i` with the original random state and parameters."""
        with self.states[i].restored():
            inputs = self.graph, below, *args
            return functional_call(self.modules[i], self.parameters[i], inputs)

    def output(self, x: Tensor, args: tuple[Tensor, ...]) -> Tensor:
        """Apply the copies one after another."""
        self.args = args
        groups = self.parts(x)
        below = sum(groups[1:])
        results = []
        for i, module in enumerate(self.modules):
            self.states.append(_RandomState(x.device))
            below = module(self.graph, below, *self.args_of(i))
            if below.shape != groups[i].shape:
                raise InvalidValueError(
                    "GroupRevRes: the layer must give as many rows and features as it takes, "
                    f"{tuple(groups[i].shape)}, but it gave {tuple(below.shape)}."
                )
            below = below + groups[i]
            results.append(below)
        return torch.cat(results, -1)

    def known_result(self) -> Tensor:
        """Return the output, recomputed from that of the following layer if it was dropped."""
        if self.result is None:
            self.result = self.following.input()
        return self.result

    @torch.no_grad()
    def input(self) -> Tensor:
        """Compute the input from the output."""
        results = self.parts(self.known_result())
        groups: list[Tensor] = [None] * len(results)
        for i in range(len(results) - 1, -1, -1):
            below = results[i - 1] if i else sum(groups[1:])
            groups[i] = results[i] - self.call_again(i, below, self.args_of(i))
        return torch.cat(groups, -1)


class _Reversible(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, layer: _Layer, previous: _Layer | None, num_args: int, x: Tensor, *rest: Tensor
    ) -> Tensor:
        ctx.layer, ctx.previous, ctx.num_args = layer, previous, num_args
        ctx.parameters = rest[num_args:]
        out = layer.output(x, tuple(arg.detach() for arg in rest[:num_args]))
        layer.result = out.detach()
        if previous is not None:
            previous.result, previous.following = None, layer
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        layer = ctx.layer
        results, flows = layer.parts(layer.known_result()), list(layer.parts(grad))
        groups: list[Tensor] = [None] * len(results)
        arg_flows: list[list[Tensor | None]] = [[] for _ in range(ctx.num_args)]
        totals: list[Tensor | None] = [None] * len(ctx.parameters)
        first = None
        for i in range(len(results) - 1, -1, -1):
            below = (results[i - 1] if i else sum(groups[1:])).detach().requires_grad_()
            args = [arg.detach() for arg in layer.args_of(i)]
            for arg, wanted in zip(args, ctx.needs_input_grad[4:], strict=False):
                arg.requires_grad_(wanted and arg.is_floating_point())
            with torch.enable_grad():
                out = layer.call_again(i, below, args)
            groups[i] = (results[i] - out).detach()
            leaves = [below, *(arg for arg in args if arg.requires_grad), *ctx.parameters]
            found = iter(torch.autograd.grad(out, leaves, flows[i], allow_unused=True))
            down = next(found)
            if i:
                flows[i - 1] = flows[i - 1] if down is None else flows[i - 1] + down
            else:
                first = down
            for arg, parts in zip(args, arg_flows, strict=True):
                flow = next(found) if arg.requires_grad else None
                parts.append(torch.zeros_like(arg) if flow is None else flow)
            totals = [_sum(total, flow) for total, flow in zip(totals, found, strict=True)]
        if first is not None:  # the first input is the sum of all groups but the first
            flows[1:] = [flow + first for flow in flows[1:]]
        if ctx.previous is not None:
            ctx.previous.result = torch.cat(groups, -1)
        of_args = [
            torch.cat(parts[::-1], -1) if wanted else None
            for parts, wanted in zip(arg_flows, ctx.needs_input_grad[4:], strict=False)
        ]
        return None, None, None, torch.cat(flows, -1), *of_args, *totals


def _apply(*inputs: Any) -> Tensor:
    if torch.compiler.is_dynamo_compiling():
        # Tracers cannot follow a backward pass that runs modules. As a decorator, `disable` would
        # load torch's compiler in every program.
        return torch.compiler.disable(_Reversible.apply)(*inputs)
    return _Reversible.apply(*inputs)


def _sum(x: Tensor | None, y: Tensor | None) -> Tensor | None:
    if x is None or y is None:
        return y if x is None else x
    return x + y


class _RandomState:
    """The state of the random generators and of autocast, for recomputation."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.cpu = torch.get_rng_state()
        self.own = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
        self.autocast: dict[str, Any] | None = None
        if torch.amp.is_autocast_available(device.type):
            self.autocast = {
                "device_type": device.type,
                "dtype": torch.get_autocast_dtype(device.type),
                "enabled": torch.is_autocast_enabled(device.type),
            }

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Run the block with this state, then restore the previous state of the generators."""
        devices = [self.device] if self.own is not None else []
        autocast = nullcontext() if self.autocast is None else torch.autocast(**self.autocast)
        with torch.random.fork_rng(devices), autocast:
            torch.set_rng_state(self.cpu)
            if self.own is not None:
                torch.cuda.set_rng_state(self.own, self.device)
            yield
