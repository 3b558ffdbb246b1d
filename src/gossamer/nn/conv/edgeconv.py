"""EdgeConv."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from gossamer import ops
from gossamer._options import as_int
from gossamer.nn._common import Features, ZeroInDegreeGuard, enter, reset_children

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["EdgeConv"]


class EdgeConv(ZeroInDegreeGuard, nn.Module):
    r"""Edge convolution of `Dynamic Graph CNN for Learning on Point Clouds
    <https://arxiv.org/abs/1801.07829>`__.

    .. math::
        h_i' = \max_{j \in \mathcal{N}(i)} \big(\Theta (h_i - h_j) + \Phi h_i\big)

    where :math:`\mathcal{N}(i)` is the set of sources of the in-edges of node :math:`i`, and
    :math:`\Theta` and :math:`\Phi` are linear maps with biases.

    Parameters
    ----------
    in_feat : int
        Input features :math:`D_{in}`.
    out_feat : int
        Output features :math:`D_{out}`.
    batch_norm : bool
        Whether to normalize the messages over all edges before the maximum is taken.
    allow_zero_in_degree : bool
        Whether to accept nodes without in-edges. Their output is 0.

    Notes
    -----
    The maps are initialized as in `torch.nn.Linear`. Duplicate edges do not change the maximum, but
    they count in the statistics of the batch normalization. Without batch normalization, no tensor
    with a row per edge is created: the maximum of :math:`-\Theta h_j` is computed directly.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 1]))
    >>> gs.nn.EdgeConv(4, 3)(g, torch.rand(3, 4)).shape
    torch.Size([3, 3])
    """

    def __init__(
        self,
        in_feat: int,
        out_feat: int,
        batch_norm: bool = False,
        allow_zero_in_degree: bool = False,
    ) -> None:
        super().__init__()
        self._in_feat = as_int(in_feat, "EdgeConv", "in_feat", 0)
        as_int(out_feat, "EdgeConv", "out_feat", 0)
        self.batch_norm = batch_norm
        self._allow_zero_in_degree = allow_zero_in_degree
        self.theta = nn.Linear(in_feat, out_feat)
        self.phi = nn.Linear(in_feat, out_feat)
        if batch_norm:
            self.bn = nn.BatchNorm1d(out_feat)

    def reset_parameters(self) -> None:
        """Reinitialize the maps, and reset the statistics of the batch normalization."""
        reset_children(self)

    def forward(self, g: Graph, feat: Features) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        g : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, *, D_{in})`, or one such tensor for source and one for destination nodes;
            :math:`(N, D_{in})` with batch normalization.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, *, D_{out})`.

        Raises
        ------
        InvalidValueError
            If a node has no in-edges (unless allowed), or features have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        relation, x, x_dst = enter(self, g, feat, self._in_feat, self.theta.weight)
        own = self.theta(x_dst) + self.phi(x_dst)
        theirs = x @ self.theta.weight.t()
        if self.batch_norm:
            messages = ops.e_sub_u(relation, ops.copy_v(relation, own), theirs)
            if messages.shape[0]:
                messages = self.bn(messages)
            return ops.copy_e_max(relation, messages)
        h = own - ops.copy_u_min(relation, theirs)
        lonely = (relation.in_degrees() == 0).view(-1, *(1,) * (h.dim() - 1))
        return h.masked_fill(lonely, 0)
