"""Code shared by the attention layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from gossamer import ops
from gossamer._options import as_int, number_in, require_function
from gossamer.errors import InvalidValueError
from gossamer.nn._common import (
    RELU_GAIN,
    Activation,
    ZeroInDegreeGuard,
    check_edge_weight,
    check_sizes,
)
from gossamer.ops._torch import has_hooks
from gossamer.utils import expand_as_pair

if TYPE_CHECKING:
    from gossamer.ops.adjacency import Adjacency

__all__ = [
    "AttentionBase",
    "add_maps",
    "attend",
    "check_head_weight",
    "fused_options",
    "only_multiplies",
    "project",
    "reset_linear",
]


class AttentionBase(ZeroInDegreeGuard, nn.Module):
    """Check and store the arguments shared by GAT, GATv2 and EdgeGAT, and create their modules."""

    def __init__(
        self,
        in_feats: int | tuple[int, int],
        out_feats: int,
        num_heads: int,
        feat_drop: float,
        attn_drop: float,
        negative_slope: float,
        activation: Activation,
        allow_zero_in_degree: bool,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_sizes(name, in_feats=in_feats, out_feats=out_feats, num_heads=num_heads)
        as_int(out_feats, name, "out_feats", 1)
        require_function(activation, name, "activation")
        self._in_src_feats, self._in_dst_feats = expand_as_pair(in_feats)
        self._out_feats = out_feats
        self._num_heads = num_heads
        self._allow_zero_in_degree = allow_zero_in_degree
        self.feat_drop = nn.Dropout(number_in(feat_drop, name, "feat_drop", 0, 1))
        self.attn_drop = nn.Dropout(number_in(attn_drop, name, "attn_drop", 0, 1))
        self.leaky_relu = nn.LeakyReLU(number_in(negative_slope, name, "negative_slope"))
        self.activation = activation

    @property
    def _widths(self) -> tuple[int, int]:
        return self._in_src_feats, self._in_dst_feats

    @property
    def _heads(self) -> tuple[int, int]:
        return self._num_heads, self._out_feats

    def _finished(self, h: Tensor, x_dst: Tensor) -> Tensor:
        """Add the residual to `h` and apply the activation, to a copy if it works in place.

        The backward pass of attention needs its output.
        """
        if self.res_fc is not None:
            h = h + self.res_fc(x_dst).unflatten(-1, self._heads)
        if self.activation is None:
            return h
        modules = self.activation.modules() if isinstance(self.activation, nn.Module) else ()
        in_place = any(getattr(module, "inplace", False) for module in modules)
        return self.activation(h.clone() if in_place and h.requires_grad else h)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"out={self._out_feats}, heads={self._num_heads}"


def add_maps(layer: nn.Module, in_feats: int | tuple[int, int], width: int) -> None:
    """Add to `layer` one linear map `fc` for both ends of the edges or, for a pair, one per end."""
    layer._one_weight = not isinstance(in_feats, tuple)
    if layer._one_weight:
        layer.fc = nn.Linear(in_feats, width, bias=False)
    else:
        layer.fc_src, layer.fc_dst = (nn.Linear(size, width, bias=False) for size in in_feats)


def reset_linear(module: nn.Module | None) -> None:
    """Draw the weight of a linear layer (Xavier normal, gain of relu) and set its bias to 0.

    Other modules, such as an identity used as the residual map, are unchanged.
    """
    if isinstance(module, nn.Linear):
        nn.init.xavier_normal_(module.weight, gain=RELU_GAIN)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def project(
    fc_src: nn.Linear,
    fc_dst: nn.Linear,
    x: Tensor,
    x_dst: Tensor,
    heads: tuple[int, int],
    *,
    dst_in_src: bool,
) -> tuple[Tensor, Tensor]:
    """Project source and destination features to ``(N, *, H, D)``, with `heads` = ``(H, D)``.

    With `dst_in_src`, the destinations are the first sources, so a shared map is applied only once.
    """
    z = fc_src(x).unflatten(-1, heads)
    if fc_src is not fc_dst or not dst_in_src:
        return z, fc_dst(x_dst).unflatten(-1, heads)
    return z, z if x_dst is x else z[: x_dst.shape[0]]


def fused_options(leaky_relu: nn.Module, attn_drop: nn.Module) -> dict[str, float] | None:
    """Return the options of `ops.graph_attention` that replace two modules of a layer.

    Return None if the modules are of other classes or have hooks. The mode of the dropout module
    may differ from that of the layer, as for Monte Carlo dropout.
    """
    if type(leaky_relu) is not nn.LeakyReLU or type(attn_drop) is not nn.Dropout:
        return None
    if has_hooks(leaky_relu) or has_hooks(attn_drop):
        return None
    dropout = attn_drop.p if attn_drop.training else 0.0
    return {"negative_slope": leaky_relu.negative_slope, "dropout": dropout}


def only_multiplies(module: nn.Module) -> bool:
    """Return whether a module is a linear map without a bias, hooks or parametrizations."""
    return type(module) is nn.Linear and module.bias is None and not has_hooks(module)


def check_head_weight(
    layer: nn.Module, relation: Adjacency, edge_weight: Tensor, heads: int
) -> None:
    """Raise unless `edge_weight` has a number per edge, or one per edge and head."""
    check_edge_weight(layer, relation, edge_weight)
    if tuple(edge_weight.shape[1:]) not in ((), (1,), (heads,)):
        raise InvalidValueError(
            f"{type(layer).__name__}: edge_weight must have shape ({relation.num_edges},), or "
            f"({relation.num_edges}, {heads}) for a weight per head, but got "
            f"{tuple(edge_weight.shape)}."
        )


def attend(
    adjacency: Adjacency,
    scores: Tensor,
    values: Tensor,
    attn_drop: nn.Module,
    edge_weight: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Sum `values` over in-edges, weighted by the softmax of `scores`.

    Takes scores ``(E, *, H)`` and values ``(N_src, *, H, D)``; returns ``(N_dst, *, H, D)`` and the
    attention weights ``(E, *, H, 1)``.
    """
    attention = attn_drop(ops.edge_softmax(adjacency, scores).unsqueeze(-1))
    if edge_weight is not None:
        columns = edge_weight.shape[1] if edge_weight.dim() > 1 else 1
        ones = (1,) * (scores.dim() - 2)
        weight = edge_weight.reshape(edge_weight.shape[0], *ones, columns, 1)
        attention = attention * weight.to(attention.dtype)
    return ops.gspmm(adjacency, "mul", "sum", values, attention.to(values.dtype)), attention
