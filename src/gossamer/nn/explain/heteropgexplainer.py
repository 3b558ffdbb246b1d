"""PGExplainer for graphs of several types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gossamer.errors import InvalidTypeError, InvalidValueError
from gossamer.graph import NID, batch
from gossamer.nn.explain._common import node_ids
from gossamer.nn.explain.pgexplainer import PGExplainer
from gossamer.transforms import khop_in_subgraph, to_homogeneous

if TYPE_CHECKING:
    from gossamer.graph import Graph

__all__ = ["HeteroPGExplainer"]


class HeteroPGExplainer(PGExplainer):
    r"""`PGExplainer` for graphs of several types.

    Parameters
    ----------
    model : Module
        Called as ``model(graph, feat, embed=, edge_weight=)`` with features by node type and
        weights by canonical edge type. It returns embeddings of one width, or logits of nodes, by
        node type; or logits of graphs.
    num_features, num_hops, explain_graph, coff_budget, coff_connect, sample_bias
        As for :class:`PGExplainer`.

    Examples
    --------
    >>> import torch, gossamer as gs
    >>> class Model(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         names = ("plays", "played by")
    ...         self.conv = gs.nn.HeteroGraphConv({name: gs.nn.GraphConv(3, 4) for name in names})
    ...         self.out = torch.nn.Linear(4, 2)
    ...     def forward(self, graph, feat, embed=False, edge_weight=None):
    ...         weights = {} if edge_weight is None else edge_weight
    ...         kwargs = {etype: {"edge_weight": w} for etype, w in weights.items()}
    ...         h = self.conv(graph, feat, mod_kwargs=kwargs)
    ...         if embed:
    ...             return h
    ...         return self.out(torch.stack([x.mean(0) for x in h.values()]).mean(0, keepdim=True))
    >>> g = gs.heterograph({
    ...     ("user", "plays", "game"): ([0, 1], [0, 0]),
    ...     ("game", "played by", "user"): ([0, 0], [0, 1]),
    ... })
    >>> feat = {"user": torch.rand(2, 3), "game": torch.rand(1, 3)}
    >>> explainer = gs.nn.HeteroPGExplainer(Model(), num_features=4)
    >>> probabilities, weights = explainer.explain_graph(g, feat)
    >>> weights["user", "plays", "game"].shape
    torch.Size([2])
    """

    def train_step_node(
        self,
        nodes: Mapping[str, Iterable[int]],
        graph: Graph,
        feat: Mapping[str, Tensor],
        temperature: float,
        **kwargs: Any,
    ) -> Tensor:
        """Same as :meth:`PGExplainer.train_step_node`, with nodes and features by node type."""
        prob, _, parts, centers = self.explain_node(
            nodes, graph, feat, temperature, training=True, **kwargs
        )
        with torch.no_grad():
            logits = self.model(parts, _rows(feat, parts), embed=False, **kwargs)
        own = torch.cat([prob[ntype][ids] for ntype, ids in centers.items()])
        predicted = torch.cat([logits[ntype][ids].argmax(-1) for ntype, ids in centers.items()])
        return self.loss(own, predicted)

    def explain_graph(
        self,
        graph: Graph,
        feat: Mapping[str, Tensor],
        temperature: float = 1.0,
        training: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, dict[tuple[str, str, str], Tensor]]:
        """Same as :meth:`PGExplainer.explain_graph`, with weights by canonical edge type."""
        self._require(True)
        joined, embed = self._join(graph, self._embed(graph, feat, kwargs))
        mask = self._weigh(joined, embed, temperature, training)
        weights = _by_type(mask, graph)
        logits = self.model(graph, feat, edge_weight=weights, **kwargs)
        return logits.softmax(-1), weights

    def explain_node(
        self,
        nodes: Mapping[str, Iterable[int]],
        graph: Graph,
        feat: Mapping[str, Tensor],
        temperature: float = 1.0,
        training: bool = False,
        **kwargs: Any,
    ) -> tuple[dict[str, Tensor], dict[tuple[str, str, str], Tensor], Graph, dict[str, Tensor]]:
        """Same as :meth:`PGExplainer.explain_node`, with all values by node or edge type."""
        self._require(False)
        if not isinstance(nodes, Mapping):
            raise InvalidTypeError(
                "HeteroPGExplainer: nodes are ids by node type, a dict, but got "
                f"{type(nodes).__name__}."
            )
        parts, centers, owner = self._typed_parts(graph, nodes)
        joined, embed = self._join(parts, self._embed(parts, _rows(feat, parts), kwargs))
        # The center of each part and of each edge, numbered across all node types.
        sizes = [parts.num_nodes(ntype) for ntype in parts.ntypes]
        first = dict(zip(parts.ntypes, accumulate(sizes, initial=0), strict=False))
        center = torch.stack([first[ntype] + place for ntype, place in owner])
        counts = [parts.batch_num_edges(etype) for etype in parts.canonical_etypes]
        part = torch.cat([torch.repeat_interleave(count.long()) for count in counts])
        mask = self._weigh(joined, embed, temperature, training, center[part])
        weights = _by_type(mask, parts)
        logits = self.model(parts, _rows(feat, parts), edge_weight=weights, **kwargs)
        return {key: x.softmax(-1) for key, x in logits.items()}, weights, parts, centers

    def _typed_parts(
        self, graph: Graph, nodes: Mapping[str, Iterable[int]]
    ) -> tuple[Graph, dict[str, Tensor], list[tuple[str, Tensor]]]:
        """Return the parts as one batch, the positions of the nodes by type, and in part order."""
        parts, owner = [], []
        first = dict.fromkeys(graph.ntypes, 0)
        for ntype, ids in nodes.items():
            for node in node_ids(ids):
                part, center = khop_in_subgraph(graph, {ntype: node}, self.num_hops)
                parts.append(part)
                owner.append((ntype, center[ntype].long()[0] + first[ntype]))
                for key in first:
                    first[key] += part.num_nodes(key)
        if not parts:
            raise InvalidValueError("HeteroPGExplainer: there is no node to explain.")
        centers = {
            ntype: torch.stack([place for key, place in owner if key == ntype])
            for ntype in dict.fromkeys(key for key, _ in owner)
        }
        return batch(parts), centers, owner

    def _join(self, graph: Graph, embed: Mapping[str, Tensor]) -> tuple[Graph, Tensor]:
        """Return the graph with all types merged into one, and the embeddings of its nodes."""
        missing = [ntype for ntype in graph.ntypes if ntype not in embed]
        like = next(iter(embed.values()))
        zeros = {key: like.new_zeros(graph.num_nodes(key), like.shape[-1]) for key in missing}
        rows = {**embed, **zeros}
        return to_homogeneous(graph), torch.cat([rows[ntype] for ntype in graph.ntypes])


def _by_type(edge_mask: Tensor, graph: Graph) -> dict[tuple[str, str, str], Tensor]:
    """Split the concatenated mask of the edges of all types by type."""
    sizes = [graph.num_edges(etype) for etype in graph.canonical_etypes]
    return dict(zip(graph.canonical_etypes, edge_mask.split(sizes), strict=True))


def _rows(values: Mapping[str, Tensor], parts: Graph) -> dict[str, Tensor]:
    return {key: x[parts.nodes[key].data[NID].long()] for key, x in values.items()}
