"""GNNExplainer."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gossamer._options import as_int, number_in
from gossamer.graph import NID
from gossamer.nn.explain._common import at_rest, entropy, require_model, restrict
from gossamer.transforms import khop_in_subgraph

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["GNNExplainer", "HeteroGNNExplainer"]

_LOG = logging.getLogger("gossamer.nn.explain")

Masks = dict[Any, Tensor]


class _Learner(nn.Module):
    """Learn masks of features and edges by type; the subclasses define the types."""

    def __init__(
        self,
        model: nn.Module,
        num_hops: int,
        lr: float = 0.01,
        num_epochs: int = 100,
        *,
        alpha1: float = 0.005,
        alpha2: float = 1.0,
        beta1: float = 1.0,
        beta2: float = 0.1,
        log: bool = True,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        require_model(model, name)
        self.model = model
        self.num_hops = as_int(num_hops, name, "num_hops", 0)
        self.lr = number_in(lr, name, "lr", 0)
        self.num_epochs = as_int(num_epochs, name, "num_epochs", 0)
        self.alpha1 = alpha1
        self.alpha2 = alpha2
        self.beta1 = beta1
        self.beta2 = beta2
        self.log = log

    def _explain(
        self, graph: Graph, feat: Mapping[Any, Tensor], predict: Callable[..., Tensor]
    ) -> tuple[Masks, Masks]:
        """Learn masks under which `predict` gives the same class as without them.

        `predict` takes features and edge weights by type (or None for no weights), and returns
        logits ``(B, C)``.
        """
        with at_rest(self.model):
            with torch.no_grad():
                label = predict(feat, None).argmax(-1, keepdim=True)
            with torch.enable_grad():
                return self._learn(graph, feat, predict, label)

    def _learn(
        self,
        graph: Graph,
        feat: Mapping[Any, Tensor],
        predict: Callable[..., Tensor],
        label: Tensor,
    ) -> tuple[Masks, Masks]:
        feat_masks = {
            key: nn.Parameter(0.1 * torch.randn(1, x.shape[-1], device=x.device, dtype=x.dtype))
            for key, x in feat.items()
        }
        like = next(iter(feat.values()))
        edge_masks = {}
        for etype in graph.canonical_etypes:
            nodes = graph.num_nodes(etype[0]) + graph.num_nodes(etype[2])
            std = nn.init.calculate_gain("relu") * math.sqrt(2.0 / max(nodes, 1))
            draw = torch.randn(graph.num_edges(etype), device=like.device, dtype=like.dtype)
            edge_masks[etype] = nn.Parameter(std * draw)
        parameters = [*feat_masks.values(), *edge_masks.values()]
        optimizer = torch.optim.Adam(parameters, lr=self.lr)
        for epoch in range(self.num_epochs):
            masked = {key: x * feat_masks[key].sigmoid() for key, x in feat.items()}
            weights = {etype: mask.sigmoid() for etype, mask in edge_masks.items()}
            share = predict(masked, weights).log_softmax(-1)
            loss = -share.gather(-1, label).mean()
            loss = loss + self._cost(feat_masks, edge_masks)
            # The gradients of the model's parameters are not changed.
            grads = torch.autograd.grad(loss, parameters, allow_unused=True)
            for parameter, grad in zip(parameters, grads, strict=True):
                parameter.grad = grad
            optimizer.step()
            if self.log:
                _LOG.info("epoch %d: loss %.4f", epoch + 1, loss.item())
        return (
            {key: mask.detach().sigmoid().flatten() for key, mask in feat_masks.items()},
            {etype: mask.detach().sigmoid() for etype, mask in edge_masks.items()},
        )

    def _cost(self, feat_masks: Masks, edge_masks: Masks) -> Tensor:
        """Compute the terms of the loss that keep masks small and close to 0 or 1."""
        cost = torch.zeros(())
        for mask in edge_masks.values():
            if mask.numel():
                p = mask.sigmoid()
                cost = cost + self.alpha1 * p.sum() + self.alpha2 * entropy(p).mean()
        for mask in feat_masks.values():
            p = mask.sigmoid()
            cost = cost + self.beta1 * p.mean() + self.beta2 * entropy(p).mean()
        return cost

    def extra_repr(self) -> str:
        """Return the arguments of the constructor, for `repr`."""
        return f"num_hops={self.num_hops}, lr={self.lr}, num_epochs={self.num_epochs}"


class GNNExplainer(_Learner):
    r"""Explain a prediction by its most important edges and features, from `GNNExplainer:
    Generating Explanations for Graph Neural Networks <https://arxiv.org/abs/1903.03894>`__.

    It learns masks :math:`M` of edges and :math:`F` of features, both from 0 to 1, that minimize

    .. math::
        l(y, \hat y) + \alpha_1 \Vert M \Vert_1 + \alpha_2 H(M) + \beta_1 \Vert F \Vert_1
            + \beta_2 H(F)

    where :math:`l` is the cross-entropy between the prediction under the masks and the class that
    the model predicts without them, and :math:`H` is the entropy, which drives masks to 0 or 1. The
    term of :math:`\alpha_1` is a sum; the other terms are means.

    Parameters
    ----------
    model : Module
        Called as ``model(graph=, feat=, eweight=)``; it multiplies messages by `eweight` if given,
        and returns logits of nodes or graphs.
    num_hops : int
        Number of hops from which messages reach a node: the number of layers of the model.
    lr : float
        Learning rate of Adam.
    num_epochs : int
        Number of optimization steps.
    alpha1, alpha2, beta1, beta2 : float
        Weights of the terms, as above.
    log : bool
        Whether to log the loss of each step to the logger ``gossamer.nn.explain``.

    Notes
    -----
    The model runs in evaluation mode. Its mode is restored, and its gradients are not changed.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> class Model(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.conv = gs.nn.GraphConv(3, 2, allow_zero_in_degree=True)
    ...     def forward(self, graph, feat, eweight=None):
    ...         return self.conv(graph, feat, edge_weight=eweight)
    >>> g = gs.graph(([0, 1, 2, 3], [1, 2, 3, 0]))
    >>> explainer = gs.nn.GNNExplainer(Model(), num_hops=1, num_epochs=5)
    >>> center, part, feat_mask, edge_mask = explainer.explain_node(2, g, torch.rand(4, 3))
    >>> part.ndata[gs.NID], feat_mask.shape, edge_mask.shape
    (tensor([1, 2]), torch.Size([3]), torch.Size([1]))
    """

    def explain_node(
        self, node_id: int, graph: Graph, feat: Tensor, **kwargs: Any
    ) -> tuple[Tensor, Graph, Tensor, Tensor]:
        r"""Explain the class of a node.

        Parameters
        ----------
        node_id : int
            The node.
        graph : Graph
            Homogeneous graph.
        feat : Tensor
            :math:`(N, D)`.
        **kwargs
            Further arguments of the model. Tensors with a row per node or edge are restricted to
            the part of the graph that is explained.

        Returns
        -------
        Tensor
            The id of the node in this part.
        Graph
            The nodes from which `num_hops` edges lead to the node, with ``NID`` and ``EID``.
        Tensor
            Mask of features, :math:`(D,)`.
        Tensor
            Mask of the edges of this part.
        """
        part, center = khop_in_subgraph(graph, node_id, self.num_hops)
        kwargs = restrict(graph, part, kwargs)
        own = feat[part.ndata[NID].long()]
        index = center.long()
        masks = self._homogeneous(part, own, lambda logits: logits[index], kwargs)
        return center, part, *masks

    def explain_graph(self, graph: Graph, feat: Tensor, **kwargs: Any) -> tuple[Tensor, Tensor]:
        r"""Explain the class of a graph.

        Parameters
        ----------
        graph : Graph
            Homogeneous graph.
        feat : Tensor
            :math:`(N, D)`.
        **kwargs
            Further arguments of the model.

        Returns
        -------
        Tensor
            Mask of features, :math:`(D,)`.
        Tensor
            Mask of edges, :math:`(E,)`.
        """
        return self._homogeneous(graph, feat, lambda logits: logits, kwargs)

    def _homogeneous(
        self, graph: Graph, feat: Tensor, pick: Callable[[Tensor], Tensor], kwargs: dict
    ) -> tuple[Tensor, Tensor]:
        (etype,) = graph.canonical_etypes

        def predict(feats: Masks, weights: Masks | None) -> Tensor:
            given = {} if weights is None else {"eweight": weights[etype]}
            return pick(self.model(graph=graph, feat=feats[0], **given, **kwargs))

        feat_masks, edge_masks = self._explain(graph, {0: feat}, predict)
        return feat_masks[0], edge_masks[etype]


class HeteroGNNExplainer(_Learner):
    r"""`GNNExplainer` for graphs of several types: it learns a mask of features for each node type
    and a mask of edges for each edge type.

    Parameters
    ----------
    model : Module
        Called as ``model(graph=, feat=, eweight=)`` with dicts of features by node type and of
        weights by canonical edge type. It returns logits of nodes by node type, or logits of
        graphs.
    num_hops, lr, num_epochs, alpha1, alpha2, beta1, beta2, log
        As for :class:`GNNExplainer`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> class Model(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         names = ("plays", "played by")
    ...         self.conv = gs.nn.HeteroGraphConv({name: gs.nn.GraphConv(3, 2) for name in names})
    ...     def forward(self, graph, feat, eweight=None):
    ...         weights = {} if eweight is None else eweight
    ...         kwargs = {etype: {"edge_weight": w} for etype, w in weights.items()}
    ...         return self.conv(graph, feat, mod_kwargs=kwargs)
    >>> g = gs.heterograph({
    ...     ("user", "plays", "game"): ([0, 1], [0, 0]),
    ...     ("game", "played by", "user"): ([0, 0], [0, 1]),
    ... })
    >>> feat = {"user": torch.rand(2, 3), "game": torch.rand(1, 3)}
    >>> explainer = gs.nn.HeteroGNNExplainer(Model(), num_hops=1, num_epochs=5)
    >>> center, part, feat_mask, edge_mask = explainer.explain_node("game", 0, g, feat)
    >>> edge_mask["user", "plays", "game"].shape
    torch.Size([2])
    """

    def explain_node(
        self, ntype: str, node_id: int, graph: Graph, feat: Mapping[str, Tensor], **kwargs: Any
    ) -> tuple[Tensor, Graph, dict[str, Tensor], dict[tuple[str, str, str], Tensor]]:
        r"""Explain the class of a node.

        Parameters
        ----------
        ntype : str
            Type of the node.
        node_id : int
            The node.
        graph : Graph
            Heterogeneous graph.
        feat : dict of str to Tensor
            Features by node type.
        **kwargs
            Further arguments of the model.

        Returns
        -------
        Tensor
            The id of the node in the part of the graph that is explained.
        Graph
            The nodes from which `num_hops` edges lead to the node.
        dict of str to Tensor
            Masks of features by node type.
        dict of (str, str, str) to Tensor
            Masks of the edges of this part by edge type.
        """
        part, centers = khop_in_subgraph(graph, {ntype: node_id}, self.num_hops)
        own = {
            key: feat[key][part.nodes[key].data[NID].long()]
            for key in sorted(feat, key=part.get_ntype_id)
        }
        index = centers[ntype].long()

        def pick(logits: Mapping[str, Tensor]) -> Tensor:
            return logits[ntype][index]

        return centers[ntype], part, *self._by_type(part, own, pick, kwargs)

    def explain_graph(
        self, graph: Graph, feat: Mapping[str, Tensor], **kwargs: Any
    ) -> tuple[dict[str, Tensor], dict[tuple[str, str, str], Tensor]]:
        r"""Explain the class of a graph.

        Parameters
        ----------
        graph : Graph
            Heterogeneous graph.
        feat : dict of str to Tensor
            Features by node type.
        **kwargs
            Further arguments of the model.

        Returns
        -------
        dict of str to Tensor
            Masks of features by node type.
        dict of (str, str, str) to Tensor
            Masks of edges by edge type.
        """
        return self._by_type(graph, feat, lambda logits: logits, kwargs)

    def _by_type(
        self, graph: Graph, feat: Mapping[str, Tensor], pick: Callable, kwargs: dict
    ) -> tuple[Masks, Masks]:
        def predict(feats: Masks, weights: Masks | None) -> Tensor:
            given = {} if weights is None else {"eweight": weights}
            return pick(self.model(graph=graph, feat=feats, **given, **kwargs))

        return self._explain(graph, feat, predict)
