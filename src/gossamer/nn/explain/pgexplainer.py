"""PGExplainer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gossamer._options import as_int, number_in
from gossamer.errors import InvalidValueError
from gossamer.graph import NID, batch
from gossamer.nn.explain._common import both_ways, entropy, node_ids, require_model
from gossamer.transforms import khop_in_subgraph

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["PGExplainer", "node_ids"]

_FAR = 1e-6  # keeps logarithms finite


class PGExplainer(nn.Module):
    r"""Explain predictions with a network that weights the edges of any graph, from `Parameterized
    Explainer for Graph Neural Network <https://arxiv.org/abs/2011.04573>`__.

    From the model's own embeddings :math:`z` it computes, for each edge,

    .. math::
        \omega_{uv} = \mathrm{mlp}(z_u \,\Vert\, z_v), \qquad
        m_{uv} = \mathrm{sigmoid}\Big(\frac{\omega_{uv} + \log \epsilon - \log (1 - \epsilon)}{T}
        \Big), \quad \epsilon \sim U(0, 1)

    (to explain a node :math:`c`, :math:`z_c` is appended), averaged with the weight of the reverse
    edge if there is one. The network is trained so that the model's predictions are the same under
    these weights, with few edges. After training, it explains further graphs without optimization:
    the weights are then :math:`\mathrm{sigmoid}(\omega)`.

    Parameters
    ----------
    model : Module
        Called as ``model(graph, feat, embed=, edge_weight=)``. It returns embeddings of nodes if
        `embed` is True, otherwise logits of graphs or nodes, and multiplies messages by
        `edge_weight` if given.
    num_features : int
        Width of the embeddings.
    num_hops : int, optional
        Number of hops from which messages reach a node; required to explain nodes.
    explain_graph : bool
        Whether to explain graphs; otherwise nodes.
    coff_budget : float
        Weight of the number of edges in the loss.
    coff_connect : float
        Weight of the entropy of the edge weights in the loss.
    sample_bias : float
        :math:`\epsilon` is drawn between `sample_bias` and ``1 - sample_bias``.

    Raises
    ------
    InvalidValueError
        If `explain_graph` is False and `num_hops` is missing.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> class Model(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.conv = gs.nn.GraphConv(3, 4, allow_zero_in_degree=True)
    ...         self.out = torch.nn.Linear(4, 2)
    ...     def forward(self, graph, feat, embed=False, edge_weight=None):
    ...         h = self.conv(graph, feat, edge_weight=edge_weight).relu()
    ...         return h if embed else self.out(gs.nn.AvgPooling()(graph, h))
    >>> g, feat = gs.graph(([0, 1, 2], [1, 2, 0])), torch.rand(3, 3)
    >>> explainer = gs.nn.PGExplainer(Model(), num_features=4)
    >>> optimizer = torch.optim.Adam(explainer.parameters(), lr=0.01)
    >>> for temperature in (5.0, 2.0):
    ...     loss = explainer.train_step(g, feat, temperature)
    ...     optimizer.zero_grad(); loss.backward(); optimizer.step()
    >>> probabilities, weights = explainer.explain_graph(g, feat)
    >>> probabilities.shape, weights.shape
    (torch.Size([1, 2]), torch.Size([3]))
    """

    def __init__(
        self,
        model: nn.Module,
        num_features: int,
        num_hops: int | None = None,
        explain_graph: bool = True,
        coff_budget: float = 0.01,
        coff_connect: float = 5e-4,
        sample_bias: float = 0.0,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        require_model(model, name)
        as_int(num_features, name, "num_features", 1)
        if num_hops is not None:
            as_int(num_hops, name, "num_hops", 0)
        elif not explain_graph:
            raise InvalidValueError(
                f"{name}: explain_graph=False explains nodes, which needs num_hops, the number of "
                "layers of the model."
            )
        self.model = model
        self.graph_explanation = explain_graph
        self.num_features = (2 if explain_graph else 3) * num_features
        self.num_hops = num_hops
        self.coff_budget = number_in(coff_budget, name, "coff_budget")
        self.coff_connect = number_in(coff_connect, name, "coff_connect")
        self.sample_bias = number_in(sample_bias, name, "sample_bias", 0, 0.5)
        self.init_bias = 0.0
        self.edge_mask: Tensor | None = None
        self.sparse_mask_values: Tensor | None = None
        self.elayers = nn.Sequential(nn.Linear(self.num_features, 64), nn.ReLU(), nn.Linear(64, 1))

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Return the parameters to train: those of the explanation network, not the model's."""
        return self.elayers.parameters(recurse)

    def set_masks(self, graph: Graph, edge_mask: Tensor | None = None) -> None:
        """Set the edge weights explicitly.

        Parameters
        ----------
        graph : Graph
            The graph.
        edge_mask : Tensor, optional
            A weight for each edge. Default: drawn at random.
        """
        if edge_mask is None:
            std = nn.init.calculate_gain("relu") * max(graph.num_nodes(), 1) ** -0.5
            edge_mask = std * torch.randn(graph.num_edges(), device=graph.device) + self.init_bias
        self.edge_mask = edge_mask

    def clear_masks(self) -> None:
        """Delete the edge weights of the last explanation."""
        self.edge_mask = None
        self.sparse_mask_values = None

    def concrete_sample(self, w: Tensor, beta: float = 1.0, training: bool = True) -> Tensor:
        """Draw edge weights at random, given their scores.

        Parameters
        ----------
        w : Tensor
            Scores.
        beta : float
            Temperature; lower values give weights closer to 0 and 1.
        training : bool
            Whether to draw the weights; otherwise the sigmoid of the scores is returned.

        Returns
        -------
        Tensor
            Weights from 0 to 1, of the shape of `w`.
        """
        if not training:
            return w.sigmoid()
        low = max(self.sample_bias, torch.finfo(w.dtype).eps)
        noise = torch.empty_like(w).uniform_(low, 1 - low)
        return ((noise.logit() + w) / beta).sigmoid()

    def loss(self, prob: Tensor, ori_pred: Tensor) -> Tensor:
        """Compute the loss of the last explanation.

        Parameters
        ----------
        prob : Tensor
            Probabilities under the edge weights, ``(B, C)``.
        ori_pred : Tensor
            Classes that the model predicts without them, ``(B,)``.

        Returns
        -------
        Tensor
            A number.
        """
        if self.sparse_mask_values is None:
            raise InvalidValueError(
                f"{type(self).__name__}: there is no explanation yet. Call train_step instead."
            )
        right = prob.gather(-1, ori_pred.view(-1, 1))
        p = self.sparse_mask_values
        undecided = entropy(0.99 * p + 0.005).mean() if p.numel() else 0.0
        return (
            -(right + _FAR).log().mean()
            + self.coff_budget * p.sum()
            + self.coff_connect * undecided
        )

    def train_step(self, graph: Graph, feat: Any, temperature: float, **kwargs: Any) -> Tensor:
        r"""Compute the loss of explaining graphs.

        Parameters
        ----------
        graph : Graph
            A graph or a batch.
        feat : Tensor
            :math:`(N, D)`.
        temperature : float
            :math:`T`; usually lowered from epoch to epoch.
        **kwargs
            Further arguments of the model.

        Returns
        -------
        Tensor
            The loss, a number.

        Raises
        ------
        InvalidValueError
            If the explainer was built for nodes.
        """
        with torch.no_grad():
            predicted = self.model(graph, feat, embed=False, **kwargs).argmax(-1)
        prob, _ = self.explain_graph(graph, feat, temperature, training=True, **kwargs)
        return self.loss(prob, predicted)

    def train_step_node(
        self, nodes: Any, graph: Graph, feat: Any, temperature: float, **kwargs: Any
    ) -> Tensor:
        r"""Compute the loss of explaining nodes.

        Parameters
        ----------
        nodes : int or iterable of int
            The nodes, each once.
        graph : Graph
            Homogeneous graph.
        feat : Tensor
            :math:`(N, D)`.
        temperature : float
            :math:`T`.
        **kwargs
            Further arguments of the model.

        Returns
        -------
        Tensor
            The loss, a number.

        Raises
        ------
        InvalidValueError
            If the explainer was built for graphs.
        """
        prob, _, parts, centers = self.explain_node(
            nodes, graph, feat, temperature, training=True, **kwargs
        )
        with torch.no_grad():
            own = feat[parts.ndata[NID].long()]
            predicted = self.model(parts, own, embed=False, **kwargs)
        return self.loss(prob[centers], predicted[centers].argmax(-1))

    def explain_graph(
        self,
        graph: Graph,
        feat: Any,
        temperature: float = 1.0,
        training: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, Any]:
        r"""Explain the classes of graphs.

        Parameters
        ----------
        graph : Graph
            A graph or a batch.
        feat : Tensor
            :math:`(N, D)`.
        temperature : float
            :math:`T`, used in training.
        training : bool
            Whether weights are drawn, to train the explanation network.
        **kwargs
            Further arguments of the model.

        Returns
        -------
        Tensor
            Probabilities of the classes under the edge weights, :math:`(B, C)`.
        Tensor
            Edge weights, :math:`(E,)`; higher ones matter more.

        Raises
        ------
        InvalidValueError
            If the explainer was built for nodes.
        """
        self._require(True)
        embed = self._embed(graph, feat, kwargs)
        mask = self._weigh(graph, embed, temperature, training)
        logits = self.model(graph, feat, edge_weight=mask, **kwargs)
        return logits.softmax(-1), mask

    def explain_node(
        self,
        nodes: Any,
        graph: Graph,
        feat: Any,
        temperature: float = 1.0,
        training: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, Any, Graph, Any]:
        r"""Explain the classes of nodes.

        Parameters
        ----------
        nodes : int or iterable of int
            The nodes, each once.
        graph : Graph
            Homogeneous graph.
        feat : Tensor
            :math:`(N, D)`.
        temperature : float
            :math:`T`, used in training.
        training : bool
            Whether weights are drawn, to train the explanation network.
        **kwargs
            Further arguments of the model.

        Returns
        -------
        Tensor
            Class probabilities under the edge weights, for all nodes of the returned graph.
        Tensor
            Edge weights; higher ones matter more.
        Graph
            Batch of the subgraphs around each node, with ``NID`` and ``EID``.
        Tensor
            The ids of `nodes` in this batch.

        Raises
        ------
        InvalidValueError
            If the explainer was built for graphs.
        """
        self._require(False)
        parts, centers = self._parts(graph, node_ids(nodes))
        own = feat[parts.ndata[NID].long()]
        embed = self._embed(parts, own, kwargs)
        center = torch.repeat_interleave(centers, parts.batch_num_edges())
        mask = self._weigh(parts, embed, temperature, training, center)
        logits = self.model(parts, own, edge_weight=mask, **kwargs)
        return logits.softmax(-1), mask, parts, centers

    # --------------------------------------------------------------------------------- parts

    def _require(self, graphs: bool) -> None:
        if self.graph_explanation is not graphs:
            kind, other = ("graphs", "nodes") if graphs else ("nodes", "graphs")
            raise InvalidValueError(
                f"{type(self).__name__}: the explainer was built for {other}, with explain_graph="
                f"{not graphs}. Build one for {kind}."
            )

    def _embed(self, graph: Graph, feat: Any, kwargs: dict[str, Any]) -> Any:
        with torch.no_grad():
            return self.model(graph, feat, embed=True, **kwargs)

    def _parts(self, graph: Graph, nodes: list[int]) -> tuple[Graph, Tensor]:
        """Return the parts around nodes as one batch, and the positions of the nodes in it."""
        parts, centers, first = [], [], 0
        for node in nodes:
            part, center = khop_in_subgraph(graph, node, self.num_hops)
            parts.append(part)
            centers.append(center.long() + first)
            first += part.num_nodes()
        if not parts:
            raise InvalidValueError(f"{type(self).__name__}: there is no node to explain.")
        return batch(parts), torch.cat(centers)

    def _weigh(
        self, graph: Graph, embed: Tensor, temperature: float, training: bool, *centers: Tensor
    ) -> Tensor:
        """Compute edge weights, equal in both directions; `centers` has one explained node each."""
        ends = [embed[x.long()] for x in (*graph.edges(), *centers)]
        scores = self.elayers(torch.cat(ends, dim=-1)).flatten()
        self.sparse_mask_values = self.concrete_sample(scores, temperature, training)
        self.edge_mask = both_ways(graph, self.sparse_mask_values)
        return self.edge_mask

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"num_hops={self.num_hops}, explain_graph={self.graph_explanation}"
