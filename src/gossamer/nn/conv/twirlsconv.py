"""TWIRLS: propagation and attention as steps that minimize an energy."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer import ops
from gossamer._options import as_int, number_in, one_of
from gossamer.nn._common import check_sizes, enter_square, scaled_sum
from gossamer.ops.adjacency import Adjacency

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["TWIRLSConv", "TWIRLSUnfoldingAndAttention"]


class TWIRLSUnfoldingAndAttention(nn.Module):
    r"""Unfolded minimization of `Graph Neural Networks Inspired by Classical Iterative Algorithms
    <https://arxiv.org/abs/2103.06064>`__, with attention by reweighted least squares.

    With :math:`Y^{(0)} = X` and edge weights :math:`A` that are 1 until attention changes them,

    .. math::
        Y^{(k+1)} = (1 - \alpha) Y^{(k)}
            + \alpha \lambda \tilde{D}^{-1/2} A \tilde{D}^{-1/2} Y^{(k)}
            + \alpha \tilde{D}^{-1} X, \qquad \tilde{D} = \lambda D + (1 - \lambda) I

    with preconditioning, and without

    .. math::
        Y^{(k+1)} = (1 - \alpha \lambda - \alpha) Y^{(k)}
            + \alpha \lambda D^{-1/2} A D^{-1/2} Y^{(k)} + \alpha X

    where :math:`D` is the diagonal matrix of weighted in-degrees. Attention sets the weight of each
    edge to

    .. math::
        A_{ij} = \gamma\big(\|\eta \odot (y_i - y_j)\|\big), \qquad
        \gamma(z) = \min\big(z^{p - 2}, \tau^{-1}\big), \text{ but } 0 \text{ below } T^{-1}

    Parameters
    ----------
    d : int
        Features :math:`D`, in and out.
    alp : float
        Step size :math:`\alpha`; 0 stands for :math:`1 / (\lambda + 1)`.
    lam : float
        Weight :math:`\lambda` of the smoothness term.
    prop_step : int
        Steps of propagation.
    attn_aft : int
        Number of steps after which attention is applied; -1 for never.
    tau : float
        :math:`\tau`, which bounds the weights from above.
    T : float
        :math:`T`, which cuts off distant pairs; with 0 or less, no pair is cut off.
    p : float
        Exponent :math:`p` of the penalty.
    use_eta : bool
        Whether :math:`\eta` is a parameter, initialized to 1; otherwise it is fixed at 1.
    init_att : bool
        Whether to apply attention to the input too.
    attn_dropout : float
        Dropout rate of the edge weights.
    precond : bool
        Whether to precondition.

    Notes
    -----
    The degree of a node without in-edges counts as 1 where it would divide by 0. Duplicate edges
    each count.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> layer = gs.nn.TWIRLSUnfoldingAndAttention(1, alp=0.5, lam=1.0, prop_step=1)
    >>> layer(g, torch.tensor([[4.0], [2.0], [0.0]]))
    tensor([[4.],
            [4.],
            [1.]])
    """

    def __init__(
        self,
        d: int,
        alp: float,
        lam: float,
        prop_step: int,
        attn_aft: int = -1,
        tau: float = 0.2,
        T: float = -1,
        p: float = 1,
        use_eta: bool = False,
        init_att: bool = False,
        attn_dropout: float = 0,
        precond: bool = True,
    ) -> None:
        super().__init__()
        name = "TWIRLSUnfoldingAndAttention"
        self.d = as_int(d, name, "d", 0)
        self.lam = number_in(lam, name, "lam")
        alp = number_in(alp, name, "alp")
        self.alp = alp if alp > 0 else 1 / (self.lam + 1)
        self.tau = number_in(tau, name, "tau")
        self.T = number_in(T, name, "T")
        self.p = number_in(p, name, "p")
        self.prop_step = as_int(prop_step, name, "prop_step", 0)
        self.attn_aft = as_int(attn_aft, name, "attn_aft", -1)
        self.use_eta = use_eta
        self.init_att = init_att
        self.precond = precond
        self.attn_dropout = number_in(attn_dropout, name, "attn_dropout", 0, 1)
        self.etas = nn.Parameter(torch.ones(d)) if use_eta else None

    def reset_parameters(self) -> None:
        r"""Set :math:`\eta` back to 1."""
        if self.etas is not None:
            nn.init.ones_(self.etas)

    def forward(self, g: Graph, X: Tensor) -> Tensor:
        r"""Run the steps.

        Parameters
        ----------
        g : Graph
            Homogeneous graph.
        X : Tensor
            :math:`(N, D)`.

        Returns
        -------
        Tensor
            :math:`(N, D)`.

        Raises
        ------
        InvalidValueError
            If sources and destinations are not the same nodes, or the features have the wrong
            shape.
        """
        return self.unfold(*enter_square(self, g, X, self.d, self.etas))

    def unfold(self, relation: Adjacency, x: Tensor) -> Tensor:
        """Run the steps of `forward` on checked input."""
        y = x
        weight, degree = None, relation.in_degrees().to(x.dtype)
        if self.init_att:
            weight, degree = self._attend(relation, y)
        for k in range(self.prop_step):
            y = self._step(relation, y, x, weight, degree)
            if k + 1 == self.attn_aft:
                weight, degree = self._attend(relation, y)
        return y

    def _step(
        self, relation: Adjacency, y: Tensor, x: Tensor, weight: Tensor | None, degree: Tensor
    ) -> Tensor:
        scale = self.lam * degree + (1 - self.lam) if self.precond else degree
        scale = scale.masked_fill(scale == 0, 1)
        root = scale.rsqrt()
        received = scaled_sum(relation, y, root, self.alp * self.lam * root, weight)
        kept = 1 - self.alp if self.precond else 1 - self.alp * self.lam - self.alp
        own = x / scale.unsqueeze(-1) if self.precond else x
        return torch.add(torch.add(received, y, alpha=kept), own, alpha=self.alp)

    def _attend(self, relation: Adjacency, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the edge weights, and the weighted degrees before dropout."""
        z = y if self.etas is None else y * self.etas
        squared = ops.u_sub_v(relation, z, z).square().sum(-1)
        # In 16 bits this would round to 0.
        tiny = max(1e-7, torch.finfo(squared.dtype).tiny)
        weight = (squared + tiny) ** (self.p / 2 - 1)
        weight = weight.masked_fill(weight > 1 / self.tau, 1 / self.tau)
        if self.T > 0:
            weight = weight.masked_fill(weight < 1 / self.T, 0)
        weight = weight + 1e-9  # no node loses all its in-edges
        degree = ops.copy_e_sum(relation, weight)
        return F.dropout(weight, self.attn_dropout, self.training), degree

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"d={self.d}, alp={self.alp:.4g}, lam={self.lam}, prop_step={self.prop_step}"


class MLP(nn.Module):
    """Linear layers with normalization, relu and dropout between them.

    With `init_activate`, these are also applied before the first layer. Weights are initialized
    Xavier normal, biases to 0.
    """

    def __init__(self, sizes: list[int], dropout: float, norm: str, *, init_activate: bool) -> None:
        super().__init__()
        self.init_activate = init_activate
        self.dropout = dropout
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in pairwise(sizes)])
        kinds = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}
        if norm != "none":
            normalized = sizes[:-1] if init_activate else sizes[1:-1]
            self.norms = nn.ModuleList([kinds[norm](size) for size in normalized])
        else:
            self.norms = None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reinitialize the weights, set the biases to 0 and reset the normalizations."""
        for linear in self.layers:
            nn.init.xavier_normal_(linear.weight)
            nn.init.zeros_(linear.bias)
        for norm in self.norms or ():
            norm.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layers."""
        first = 0 if self.init_activate else 1
        for i, linear in enumerate(self.layers):
            if i >= first:
                if self.norms is not None and x.shape[0]:
                    x = self.norms[i - first](x)
                x = F.dropout(F.relu(x), self.dropout, self.training)
            x = linear(x)
        return x


class TWIRLSConv(nn.Module):
    r"""Model of `Graph Neural Networks Inspired by Classical Iterative Algorithms
    <https://arxiv.org/abs/2103.06064>`__: a perceptron, propagation with attention, a perceptron.

    .. math:: H' = \mathrm{MLP}_2\big(\mathrm{unfold}(G, \mathrm{MLP}_1(H))\big)

    where unfold is `TWIRLSUnfoldingAndAttention` on the graph with exactly one self-loop per node.
    Attention, if used, is applied after half of the steps.

    Parameters
    ----------
    input_d : int
        Input features :math:`D_{in}`.
    output_d : int
        Output features :math:`D_{out}`.
    hidden_d : int
        Width between the layers.
    prop_step : int
        Steps of propagation.
    num_mlp_before, num_mlp_after : int
        Number of linear layers of the two perceptrons; 0 for none.
    norm : {"none", "batch", "layer"}
        Normalization between the linear layers.
    precond : bool
        Whether to precondition.
    alp : float
        Step size :math:`\alpha`; 0 stands for :math:`1 / (\lambda + 1)`.
    lam : float
        Weight :math:`\lambda` of the smoothness term.
    attention : bool
        Whether to use attention.
    tau, T, p, use_eta
        As in `TWIRLSUnfoldingAndAttention`.
    attn_bef : bool
        Whether to apply attention to the input of the propagation too.
    dropout : float
        Dropout rate between the linear layers.
    attn_dropout : float
        Dropout rate of the edge weights that attention computes.
    inp_dropout : float
        Dropout rate of the input features.

    Raises
    ------
    InvalidValueError
        If `norm` is unknown.

    Notes
    -----
    Weights are initialized Xavier normal, biases to 0. Without any linear layer, the features keep
    their width.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> conv = gs.nn.TWIRLSConv(4, 3, 8, prop_step=4, attention=True)
    >>> conv(g, torch.rand(3, 4)).shape
    torch.Size([3, 3])
    """

    def __init__(
        self,
        input_d: int,
        output_d: int,
        hidden_d: int,
        prop_step: int,
        num_mlp_before: int = 1,
        num_mlp_after: int = 1,
        norm: str = "none",
        precond: bool = True,
        alp: float = 0,
        lam: float = 1,
        attention: bool = False,
        tau: float = 0.2,
        T: float = -1,
        p: float = 1,
        use_eta: bool = False,
        attn_bef: bool = False,
        dropout: float = 0.0,
        attn_dropout: float = 0.0,
        inp_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_sizes("TWIRLSConv", input_d=input_d, output_d=output_d, hidden_d=hidden_d)
        as_int(prop_step, "TWIRLSConv", "prop_step", 0)
        before = as_int(num_mlp_before, "TWIRLSConv", "num_mlp_before", 0)
        after = as_int(num_mlp_after, "TWIRLSConv", "num_mlp_after", 0)
        one_of(norm, "TWIRLSConv", "norm", ("none", "batch", "layer"))
        dropout = number_in(dropout, "TWIRLSConv", "dropout", 0, 1)
        self._input_d = input_d
        self.inp_dropout = number_in(inp_dropout, "TWIRLSConv", "inp_dropout", 0, 1)
        # Hidden layers have width `hidden_d`; the very last layer has width `output_d`.
        widths = [input_d, *[hidden_d] * (before + after - 1), output_d][: before + after + 1]
        self.mlp_bef = MLP(widths[: before + 1], dropout, norm, init_activate=False)
        options = tau, T, p, use_eta, attention and attn_bef, attn_dropout, precond
        self.unfolding = TWIRLSUnfoldingAndAttention(
            widths[before], alp, lam, prop_step, prop_step // 2 if attention else -1, *options
        )
        both = before > 0 and after > 0
        self.mlp_aft = MLP(widths[before:], dropout, norm, init_activate=both)

    def reset_parameters(self) -> None:
        """Reinitialize all parameters."""
        for part in (self.mlp_bef, self.unfolding, self.mlp_aft):
            part.reset_parameters()

    def forward(self, graph: Graph, feat: Tensor) -> Tensor:
        r"""Apply the model.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph.
        feat : Tensor
            :math:`(N, D_{in})`.

        Returns
        -------
        Tensor
            :math:`(N, D_{out})`.

        Raises
        ------
        InvalidValueError
            If sources and destinations are not the same nodes, or the features have the wrong
            shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        like = next(self.parameters(), None)
        relation, x = enter_square(self, graph, feat, self._input_d, like)
        relation = relation.memo("self_loops", lambda: _with_self_loops(relation))
        x = F.dropout(x, self.inp_dropout, self.training)
        return self.mlp_aft(self.unfolding.unfold(relation, self.mlp_bef(x)))


def _with_self_loops(relation: Adjacency) -> Adjacency:
    """Return the edges with exactly one self-loop per node; the self-loops come last."""
    src, dst = relation.coo()
    others = src != dst
    loops = torch.arange(relation.num_src, dtype=src.dtype, device=src.device)
    coo = torch.cat([src[others], loops]), torch.cat([dst[others], loops])
    return Adjacency(relation.num_src, relation.num_dst, src.dtype, coo=coo)
