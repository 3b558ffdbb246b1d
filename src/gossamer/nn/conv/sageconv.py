"""GraphSAGE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gossamer import function as fn
from gossamer._options import number_in, one_of, require_function
from gossamer.errors import InvalidValueError
from gossamer.nn._common import (
    RELU_GAIN,
    Activation,
    Features,
    aggregate,
    check_edge_weight,
    check_sizes,
    enter,
    reset_bias,
)
from gossamer.utils import expand_as_pair

if TYPE_CHECKING:
    from gossamer.function.udf import NodeBatch
    from gossamer.graph import Graph
    from gossamer.ops.adjacency import Adjacency

__all__ = ["SAGEConv"]


class SAGEConv(nn.Module):
    r"""GraphSAGE layer of `Inductive Representation Learning on Large Graphs
    <https://arxiv.org/abs/1706.02216>`__.

    .. math::
        h_i' = \mathrm{norm}\big(\sigma\big(
            W_{self} h_i + b + W_{neigh} h_{\mathcal{N}(i)}\big)\big)

    where :math:`h_{\mathcal{N}(i)}` aggregates the sources :math:`j` of the in-edges of node
    :math:`i`, weighted by :math:`e_{ji}` (1 if no edge weights are given):

    ========== ==================================================================================
    ``"mean"`` :math:`\frac{1}{d_i} \sum_j e_{ji} h_j`
    ``"gcn"``  :math:`\frac{1}{d_i + 1} \big(h_i + \sum_j e_{ji} h_j\big)`, and no :math:`W_{self}`
    ``"pool"`` :math:`\max_j e_{ji}\, \mathrm{relu}(W_{pool} h_j + b_{pool})`, element-wise
    ``"lstm"`` last state of an LSTM that reads :math:`e_{ji} h_j` in the order of the edges
    ========== ==================================================================================

    Parameters
    ----------
    in_feats : int or (int, int)
        Input features :math:`D_{src}`, or those of source and destination nodes.
        ``"gcn"`` adds the two, so there they must be equal.
    out_feats : int
        Output features :math:`D_{out}`.
    aggregator_type : {"mean", "gcn", "pool", "lstm"}
        How the neighbors are aggregated, as above.
    feat_drop : float
        Dropout rate of the input features.
    bias : bool
        Whether to add :math:`b`.
    norm : callable, optional
        Normalization of the output, after the activation.
    activation : callable, optional
        :math:`\sigma`.

    Raises
    ------
    InvalidValueError
        If `aggregator_type` is unknown, or is ``"gcn"`` with unequal input sizes.

    Notes
    -----
    A node without in-edges has :math:`h_{\mathcal{N}(i)} = 0` (:math:`h_i` for ``"gcn"``).
    Duplicate edges each count. :math:`d_i` counts edges, not their weights.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> g = gs.graph(([0, 1, 2], [2, 2, 0]))
    >>> gs.nn.SAGEConv(4, 3, "mean")(g, torch.rand(3, 4)).shape
    torch.Size([3, 3])
    """

    def __init__(
        self,
        in_feats: int | tuple[int, int],
        out_feats: int,
        aggregator_type: str,
        feat_drop: float = 0.0,
        bias: bool = True,
        norm: Activation = None,
        activation: Activation = None,
    ) -> None:
        super().__init__()
        one_of(aggregator_type, "SAGEConv", "aggregator_type", ("mean", "gcn", "pool", "lstm"))
        check_sizes("SAGEConv", in_feats=in_feats, out_feats=out_feats)
        number_in(feat_drop, "SAGEConv", "feat_drop", 0, 1)
        require_function(norm, "SAGEConv", "norm")
        require_function(activation, "SAGEConv", "activation")
        self._in_src_feats, self._in_dst_feats = expand_as_pair(in_feats)
        if aggregator_type == "gcn" and self._in_src_feats != self._in_dst_feats:
            raise InvalidValueError(
                "SAGEConv: aggregator_type='gcn' adds source and destination features, so their "
                f"sizes must be equal, but in_feats is {in_feats}. Project one side first, or use "
                "'mean'."
            )
        self._out_feats = out_feats
        self._aggre_type = aggregator_type
        self.norm = norm
        self.activation = activation
        self.feat_drop = nn.Dropout(feat_drop)
        if aggregator_type == "pool":
            self.fc_pool = nn.Linear(self._in_src_feats, self._in_src_feats)
        if aggregator_type == "lstm":
            self.lstm = nn.LSTM(self._in_src_feats, self._in_src_feats, batch_first=True)
        self.fc_neigh = nn.Linear(self._in_src_feats, out_feats, bias=False)
        if aggregator_type == "gcn":
            self.bias = nn.Parameter(torch.empty(out_feats)) if bias else None
        else:
            self.fc_self = nn.Linear(self._in_dst_feats, out_feats, bias=bias)
        self._draw_weights()

    def _draw_weights(self) -> None:
        if self._aggre_type == "lstm":
            self.lstm.reset_parameters()
        for name in ("fc_pool", "fc_self", "fc_neigh"):
            if hasattr(self, name):
                nn.init.xavier_uniform_(getattr(self, name).weight, gain=RELU_GAIN)
        if self._aggre_type == "gcn" and self.bias is not None:
            nn.init.zeros_(self.bias)

    def reset_parameters(self) -> None:
        """Reinitialize weights (Xavier uniform, gain of relu), and biases and LSTM as in torch."""
        self._draw_weights()
        for name in ("fc_pool", "fc_self"):
            if hasattr(self, name):
                reset_bias(getattr(self, name))

    def forward(self, graph: Graph, feat: Features, edge_weight: Tensor | None = None) -> Tensor:
        r"""Convolve the features.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph, bipartite graph or block.
        feat : Tensor or (Tensor, Tensor)
            :math:`(N, *, D_{in})`, or one such tensor for source and one for destination nodes.
        edge_weight : Tensor, optional
            :math:`(E,)` or :math:`(E, 1)`.

        Returns
        -------
        Tensor
            :math:`(N_{dst}, *, D_{out})`.

        Raises
        ------
        InvalidValueError
            If features or edge weights have the wrong shape.
        InvalidTypeError
            If the features have a different dtype from the parameters.
        """
        widths = self._in_src_feats, self._in_dst_feats
        like = getattr(self.fc_neigh, "weight", None)  # a user may replace the map
        like = like if isinstance(like, Tensor) else None
        relation, x, x_dst = enter(self, graph, feat, widths, like, self.feat_drop)
        if edge_weight is not None:
            check_edge_weight(self, relation, edge_weight, x)

        if self._aggre_type == "pool":
            h = self.fc_neigh(aggregate(relation, F.relu(self.fc_pool(x)), "max", edge_weight))
        elif self._aggre_type == "lstm":
            h = self.fc_neigh(_last_state(self.lstm, graph, x, edge_weight))
        else:
            h = self._average(relation, x, x_dst, edge_weight)

        if self._aggre_type != "gcn":
            h = h + self.fc_self(x_dst)
        elif self.bias is not None:
            h = h + self.bias
        if self.activation is not None:
            h = self.activation(h)
        return h if self.norm is None else self.norm(h)

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        sizes = self._in_src_feats, self._in_dst_feats
        in_feats = sizes[0] if sizes[0] == sizes[1] else sizes
        return f"in={in_feats}, out={self._out_feats}, aggregator_type={self._aggre_type}"

    def _average(
        self, relation: Adjacency, x: Tensor, x_dst: Tensor, edge_weight: Tensor | None
    ) -> Tensor:
        # Averaging is linear, so the product comes before or after it, whichever has narrower rows.
        weight_first = self._in_src_feats > self._out_feats
        h = self.fc_neigh(x) if weight_first else x
        if self._aggre_type == "mean":
            h = aggregate(relation, h, "mean", edge_weight)
        else:
            own = h if x_dst is x else self.fc_neigh(x_dst) if weight_first else x_dst
            h = aggregate(relation, h, "sum", edge_weight) + own
            # Single precision at least: degrees above 65,504 overflow float16.
            wide = torch.promote_types(h.dtype, torch.float32)
            count = (relation.in_degrees() + 1).to(wide).view(-1, *(1,) * (h.dim() - 1))
            h = (h / count).to(h.dtype)
        return h if weight_first else self.fc_neigh(h)


def _last_state(lstm: nn.LSTM, graph: Graph, x: Tensor, edge_weight: Tensor | None) -> Tensor:
    """Return the last state of an LSTM over the messages of each node, in edge order."""
    if x.dim() != 2:
        raise InvalidValueError(
            "SAGEConv: aggregator_type='lstm' takes features of shape "
            f"({len(x)}, {lstm.input_size}), but got {tuple(x.shape)}."
        )
    if graph.num_edges() == 0:
        return x.new_zeros(graph.num_dst_nodes(), lstm.hidden_size)

    def read_messages(nodes: NodeBatch) -> dict[str, Tensor]:
        _, (state, _) = lstm(nodes.mailbox["m"])
        return {"h": state.squeeze(0)}

    graph = graph.local_var()  # do not change the caller's graph
    graph.srcdata["x"] = x
    message = fn.copy_u("x", "m")
    if edge_weight is not None:
        graph.edata["w"] = edge_weight
        message = fn.u_mul_e("x", "w", "m")
    graph.update_all(message, read_messages)
    return graph.dstdata["h"]
