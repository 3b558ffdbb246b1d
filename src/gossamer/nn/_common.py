"""What several layers share: checks at the door, degree scaling, aggregation.

Private: layers import from here, users do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gossamer import ops
from gossamer._options import as_int, shown
from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.ops._check import relation_of
from gossamer.utils import expand_as_pair

if TYPE_CHECKING:
    from gossamer.graph import Graph
    from gossamer.ops.adjacency import Adjacency

__all__ = [
    "RELU_GAIN",
    "Activation",
    "Features",
    "ZeroInDegreeGuard",
    "aggregate",
    "check_edge_weight",
    "check_features",
    "check_sizes",
    "degree_scale",
    "drop_and_split",
    "relation_of",
    "scaled_sum",
]

#: Node features: one tensor, or a pair (source nodes, destination nodes).
Features = Tensor | tuple[Tensor, Tensor]

#: Element-wise function applied to a layer's output, or None.
Activation = Callable[[Tensor], Tensor] | None

RELU_GAIN = nn.init.calculate_gain("relu")


class ZeroInDegreeGuard:
    """Mixin of the layers whose output means nothing at a node without in-edges."""

    _allow_zero_in_degree: bool

    def set_allow_zero_in_degree(self, set_value: bool) -> None:
        """Choose whether `forward` accepts nodes without in-edges.

        Parameters
        ----------
        set_value : bool
            True to accept them, False to raise.
        """
        self._allow_zero_in_degree = set_value

    def _check_in_degrees(self, adjacency: Adjacency) -> None:
        """Raise InvalidValueError if a node has no in-edge and the layer forbids it."""
        if self._allow_zero_in_degree:
            return
        if torch.compiler.is_compiling() and not adjacency.knows("zero_in_degree"):
            # Values are unknown while tracing: the check becomes a part of the compiled graph.
            torch._assert_async(
                (adjacency.in_degrees() > 0).all(),
                f"{type(self).__name__}: some nodes have zero in-degree. Give each node a "
                "self-loop, or build the layer with allow_zero_in_degree=True.",
            )
            return
        if not adjacency.has_zero_in_degree():
            return
        lonely = int((adjacency.in_degrees() == 0).sum())
        raise InvalidValueError(
            f"{type(self).__name__}: {lonely} of {adjacency.num_dst} nodes have zero in-degree, so "
            "they receive no message and their output would be invalid. Give each node a self-loop "
            "with gossamer.add_self_loop(g), or build the layer with allow_zero_in_degree=True."
        )


def check_sizes(name: str, **sizes: Any) -> None:
    """Raise unless each size is a whole number; `in_feats` may be a pair of them."""
    for argument, value in sizes.items():
        pair = argument == "in_feats" and isinstance(value, tuple)
        if pair and len(value) != 2:
            raise InvalidValueError(
                f"{name}: in_feats is a size, or a pair (source, destination), got {shown(value)}."
            )
        for size in value if pair else (value,):
            as_int(size, name, argument, 0)


def check_features(
    owner: nn.Module,
    feat: Tensor,
    rows: int,
    width: int | None = None,
    like: Tensor | None = None,
    role: str = "node",
) -> None:
    """Raise unless `feat` has `rows` rows, `width` columns and the dtype of parameter `like`."""
    name = type(owner).__name__
    if not isinstance(feat, Tensor):
        raise InvalidTypeError(
            f"{name}: {role} features must be a tensor, or a pair (source, destination) of "
            f"tensors in a tuple, but got {type(feat).__name__}."
        )
    if feat.dim() < 1 or feat.shape[0] != rows:
        raise InvalidValueError(
            f"{name}: {role} features must have one row per {role} ({rows}), "
            f"but got shape {tuple(feat.shape)}."
        )
    if width is not None and (feat.dim() < 2 or feat.shape[-1] != width):
        raise InvalidValueError(
            f"{name}: {role} features must have shape ({rows}, ..., {width}), as the layer was "
            f"built for {width} input features, but got {tuple(feat.shape)}."
        )
    # Under autocast torch picks the dtype of each product itself.
    if (
        like is not None
        and feat.dtype != like.dtype
        and not torch.is_autocast_enabled(feat.device.type)
    ):
        raise InvalidTypeError(
            f"{name}: {role} features are {feat.dtype}, but the layer's parameters are "
            f"{like.dtype}. Cast one to the other: feat.to({like.dtype}) or layer.to({feat.dtype})."
        )


def check_edge_weight(
    owner: nn.Module, adjacency: Adjacency, edge_weight: Tensor, feat: Tensor | None = None
) -> None:
    """Raise unless `edge_weight` is a floating-point tensor with one row per edge.

    A row is one number, or has at most as many dimensions as those of `feat`, if that is given.
    """
    name = type(owner).__name__
    if not isinstance(edge_weight, Tensor) or not edge_weight.is_floating_point():
        kind = edge_weight.dtype if isinstance(edge_weight, Tensor) else type(edge_weight).__name__
        raise InvalidTypeError(
            f"{name}: edge_weight must be a floating-point tensor, but got {kind}."
        )
    if edge_weight.dim() < 1 or edge_weight.shape[0] != adjacency.num_edges:
        raise InvalidValueError(
            f"{name}: edge_weight must have one row per edge ({adjacency.num_edges}), "
            f"but got shape {tuple(edge_weight.shape)}."
        )
    if feat is None or edge_weight.numel() == edge_weight.shape[0]:
        return
    if edge_weight.dim() > feat.dim():
        raise InvalidValueError(
            f"{name}: edge_weight must be one number per edge, or have at most the {feat.dim()} "
            f"dimensions of the features, but got shape {tuple(edge_weight.shape)}."
        )


def drop_and_split(dropout: nn.Module, feat: Features, graph: Graph) -> tuple[Tensor, Tensor]:
    """Apply feature dropout, then tell source from destination features.

    In this order, so that a node that is both source and destination loses the same entries in
    both roles. On a homogeneous graph the two results are one tensor.
    """
    if isinstance(feat, tuple):
        feat = tuple(dropout(part) if isinstance(part, Tensor) else part for part in feat)
    elif isinstance(feat, Tensor):
        feat = dropout(feat)
    return expand_as_pair(feat, graph)


def degree_scale(adjacency: Adjacency, end: str, power: float, like: Tensor) -> Tensor:
    """``max(degree, 1) ** power`` of the nodes at an end of the edges, in the dtype of `like`.

    `end` is ``"src"`` for out-degrees or ``"dst"`` for in-degrees. An adjacency never changes, so
    it keeps the result for the next epoch.
    """

    # Single precision at least: degrees above 65,504 overflow float16. Out of inference mode, for
    # a later call may train.
    def compute() -> Tensor:
        with torch.inference_mode(False):
            degrees = adjacency.out_degrees() if end == "src" else adjacency.in_degrees()
            wide = torch.promote_types(like.dtype, torch.float32)
            return degrees.to(wide).clamp(min=1).pow(power).to(like.dtype)

    return adjacency.memo(("degree_scale", end, power, like.dtype), compute)


def scaled_sum(
    adjacency: Adjacency,
    x: Tensor,
    left: Tensor | None,
    right: Tensor | None,
    edge_weight: Tensor | None = None,
) -> Tensor:
    """Sum the features of each node's in-neighbours, scaled by `left` before, by `right` after."""
    if edge_weight is None:
        return ops.scaled_sum(adjacency, x, left, right)
    ones = (1,) * (x.dim() - 1)
    h = aggregate(adjacency, x if left is None else x * left.view(-1, *ones), "sum", edge_weight)
    return h if right is None else h * right.view(-1, *ones)


def aggregate(
    adjacency: Adjacency, x: Tensor, reduce: str, edge_weight: Tensor | None = None
) -> Tensor:
    """Reduce the features of each node's in-neighbours, weighted by `edge_weight` if given."""
    if edge_weight is None:
        return ops.gspmm(adjacency, "copy_lhs", reduce, x, None)
    if edge_weight.dim() > x.dim():
        edge_weight = edge_weight.reshape(-1, *(1,) * (x.dim() - 1))
    if not x.is_floating_point():
        # Fractions must not be cut off, nor large numbers be squeezed into 16 bits.
        x = x.to(torch.promote_types(edge_weight.dtype, torch.get_default_dtype()))
    return ops.gspmm(adjacency, "mul", reduce, x, edge_weight.to(x.dtype))
