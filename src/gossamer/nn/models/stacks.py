"""Stacks of convolutions over graphs of one node type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional as F

from gossamer._options import as_int, number_in
from gossamer.errors import InvalidValueError
from gossamer.nn.conv import GATConv, GATv2Conv, GINConv, GraphConv, PNAConv, SAGEConv
from gossamer.nn.models._base import Model

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["GAT", "GCN", "GIN", "PNA", "GATv2", "GraphSAGE"]


class _Stack(Model):
    """A stack of convolutions, with dropout before each and an activation between them."""

    activation: Callable[[Tensor], Tensor] = staticmethod(F.relu)

    def _make(self, build: Callable[[int, int], nn.Module]) -> None:
        """Create the layers; `build` takes input and output sizes."""
        name, o = type(self).__name__, self.options
        for argument in ("in_size", "hidden_size", "out_size", "num_layers"):
            as_int(o[argument], name, argument, 1)
        self.dropout = nn.Dropout(number_in(o["dropout"], name, "dropout", 0, 1))
        between = [o["hidden_size"]] * (o["num_layers"] - 1)
        heads = o.get("num_heads", 1)
        sizes = [o["in_size"], *(heads * size for size in between)]
        self.convs = nn.ModuleList(map(build, sizes, [*between, o["out_size"]]))

    def forward(self, graph: Graph | Sequence[Graph], feat: Tensor) -> Tensor:
        r"""Compute a vector for each node.

        Parameters
        ----------
        graph : Graph or list of Graph
            A homogeneous graph, or the blocks of a mini-batch, one for each layer.
        feat : Tensor
            :math:`(N, D_{in})`.

        Returns
        -------
        Tensor
            :math:`(N, D_{out})`; with blocks, for the destinations of the last block.

        Raises
        ------
        InvalidValueError
            If the number of blocks is not the number of layers, or features have the wrong width.
        """
        graphs = list(graph) if isinstance(graph, list | tuple) else [graph] * len(self.convs)
        if len(graphs) != len(self.convs):
            raise InvalidValueError(
                f"{type(self).__name__}: {len(self.convs)} layers need one graph, or a list of as "
                f"many blocks, but got {len(graphs)}."
            )
        h = feat
        for i, (each, conv) in enumerate(zip(graphs, self.convs, strict=True)):
            h = conv(each, self.dropout(h))
            if i < len(graphs) - 1:
                h = self.activation(h.flatten(1))
        return h.mean(1) if h.dim() == 3 else h


class GCN(_Stack):
    r"""Graph convolutional network of `Kipf and Welling <https://arxiv.org/abs/1609.02907>`__:
    layers of :class:`gossamer.nn.GraphConv` with relu between them.

    Parameters
    ----------
    in_size, hidden_size, out_size : int
        Width of the features, of the hidden layers, and of the output.
    num_layers : int
        Number of layers.
    dropout : float
        Dropout rate before each layer.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> from gossamer.nn.models import GCN
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> GCN(4, 8, 2)(g, torch.rand(3, 4)).shape
    torch.Size([3, 2])
    """

    name = "gcn"

    def __init__(
        self,
        in_size: int,
        hidden_size: int,
        out_size: int,
        num_layers: int = 2,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(
            in_size=in_size,
            hidden_size=hidden_size,
            out_size=out_size,
            num_layers=num_layers,
            dropout=dropout,
        )
        self._make(lambda a, b: GraphConv(a, b, allow_zero_in_degree=True))


class GraphSAGE(_Stack):
    r"""GraphSAGE of `Hamilton, Ying and Leskovec <https://arxiv.org/abs/1706.02216>`__: layers of
    :class:`gossamer.nn.SAGEConv` with relu between them.

    Parameters
    ----------
    in_size, hidden_size, out_size : int
        Width of the features, of the hidden layers, and of the output.
    num_layers : int
        Number of layers.
    dropout : float
        Dropout rate before each layer.
    aggregator : {"mean", "gcn", "pool", "lstm"}
        How the neighbors are aggregated.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> from gossamer.nn.models import GraphSAGE
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> GraphSAGE(4, 8, 2)(g, torch.rand(3, 4)).shape
    torch.Size([3, 2])
    """

    name = "sage"

    def __init__(
        self,
        in_size: int,
        hidden_size: int,
        out_size: int,
        num_layers: int = 2,
        dropout: float = 0.5,
        aggregator: str = "mean",
    ) -> None:
        super().__init__(
            in_size=in_size,
            hidden_size=hidden_size,
            out_size=out_size,
            num_layers=num_layers,
            dropout=dropout,
            aggregator=aggregator,
        )
        self._make(lambda a, b: SAGEConv(a, b, aggregator))


class GAT(_Stack):
    r"""Graph attention network of `Veličković et al. <https://arxiv.org/abs/1710.10903>`__: layers
    of :class:`gossamer.nn.GATConv` with elu between them. The heads of hidden layers are
    concatenated, those of the last layer averaged.

    Parameters
    ----------
    in_size, hidden_size, out_size : int
        Width of the features, of a head of the hidden layers, and of the output.
    num_layers : int
        Number of layers.
    num_heads : int
        Number of heads.
    dropout : float
        Dropout rate before each layer, and of the attention weights.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> from gossamer.nn.models import GAT
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> GAT(4, 8, 2, num_heads=3)(g, torch.rand(3, 4)).shape
    torch.Size([3, 2])
    """

    name = "gat"
    activation = staticmethod(F.elu)
    _layer: type = GATConv

    def __init__(
        self,
        in_size: int,
        hidden_size: int,
        out_size: int,
        num_layers: int = 2,
        num_heads: int = 8,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(
            in_size=in_size,
            hidden_size=hidden_size,
            out_size=out_size,
            num_layers=num_layers,
            num_heads=num_heads,
            dropout=dropout,
        )
        as_int(num_heads, type(self).__name__, "num_heads", 1)
        self._make(
            lambda a, b: self._layer(a, b, num_heads, attn_drop=dropout, allow_zero_in_degree=True)
        )


class GATv2(GAT):
    r"""GATv2 of `Brody, Alon and Yahav <https://arxiv.org/abs/2105.14491>`__: same as :class:`GAT`,
    with layers of :class:`gossamer.nn.GATv2Conv`.

    Parameters
    ----------
    in_size, hidden_size, out_size, num_layers, num_heads, dropout
        As for :class:`GAT`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> from gossamer.nn.models import GATv2
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> GATv2(4, 8, 2, num_heads=3)(g, torch.rand(3, 4)).shape
    torch.Size([3, 2])
    """

    name = "gatv2"
    _layer = GATv2Conv


class GIN(_Stack):
    r"""Graph isomorphism network of `Xu et al. <https://arxiv.org/abs/1810.00826>`__: layers of
    :class:`gossamer.nn.GINConv`, each with two linear maps, and batch normalization and relu
    between them.

    Parameters
    ----------
    in_size, hidden_size, out_size : int
        Width of the features, of the hidden layers, and of the output.
    num_layers : int
        Number of layers.
    dropout : float
        Dropout rate before each layer.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> from gossamer.nn.models import GIN
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> GIN(4, 8, 2)(g, torch.rand(3, 4)).shape
    torch.Size([3, 2])
    """

    name = "gin"

    def __init__(
        self,
        in_size: int,
        hidden_size: int,
        out_size: int,
        num_layers: int = 2,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(
            in_size=in_size,
            hidden_size=hidden_size,
            out_size=out_size,
            num_layers=num_layers,
            dropout=dropout,
        )

        def layer(a: int, b: int) -> GINConv:
            mlp = nn.Sequential(
                nn.Linear(a, hidden_size),
                nn.BatchNorm1d(hidden_size),
                nn.ReLU(),
                nn.Linear(hidden_size, b),
            )
            return GINConv(mlp, "sum", learn_eps=True)

        self._make(layer)


class PNA(_Stack):
    r"""Principal neighborhood aggregation of `Corso et al. <https://arxiv.org/abs/2004.05718>`__:
    layers of :class:`gossamer.nn.PNAConv` with relu between them.

    Parameters
    ----------
    in_size, hidden_size, out_size : int
        Width of the features, of the hidden layers, and of the output.
    delta : float
        Mean of ``log(degree + 1)`` over the nodes of the training graphs.
    num_layers : int
        Number of layers.
    dropout : float
        Dropout rate before each layer.
    aggregators, scalers : list of str
        As for :class:`gossamer.nn.PNAConv`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> from gossamer.nn.models import PNA
    >>> g = gs.graph(([0, 1, 2], [1, 2, 0]))
    >>> delta = (g.in_degrees() + 1).log().mean().item()
    >>> PNA(4, 8, 2, delta)(g, torch.rand(3, 4)).shape
    torch.Size([3, 2])
    """

    name = "pna"

    def __init__(
        self,
        in_size: int,
        hidden_size: int,
        out_size: int,
        delta: float,
        num_layers: int = 2,
        dropout: float = 0.0,
        aggregators: Sequence[str] = ("mean", "max", "min", "std"),
        scalers: Sequence[str] = ("identity", "amplification", "attenuation"),
    ) -> None:
        super().__init__(
            in_size=in_size,
            hidden_size=hidden_size,
            out_size=out_size,
            delta=delta,
            num_layers=num_layers,
            dropout=dropout,
            aggregators=list(aggregators),
            scalers=list(scalers),
        )
        self._make(lambda a, b: PNAConv(a, b, list(aggregators), list(scalers), delta))
