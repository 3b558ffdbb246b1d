"""The model of `gossamer train`: inputs, a stack of layers, and a head for the task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gossamer.cli.config import TrainConfig
from gossamer.cli.model_list import MODELS, STACKS, require_fit
from gossamer.cli.schema import GRAPHS, NODES, RATINGS, Schema
from gossamer.cli.stack import Stack
from gossamer.graph import mean_nodes, sum_nodes
from gossamer.nn import models

__all__ = ["Network", "num_parameters"]

Features = Mapping[str, Tensor]


class Network(nn.Module):
    """A network that computes scores of nodes, links or graphs.

    Node types without features have a trainable vector for each node. The body is a `Stack` or one
    of `gossamer.nn.models`. The score of a graph is computed from the sum and the mean of its
    nodes' vectors. The score of a link is the inner product of the vectors of its ends or, if a
    value is predicted, the output of a network applied to both.

    Parameters
    ----------
    config : TrainConfig
        Model, widths, depth and dropout.
    schema : Schema
        Types, widths of features, and the items to predict.

    Raises
    ------
    InvalidValueError
        If the model does not fit the graph or the task.
    """

    def __init__(self, config: TrainConfig, schema: Schema) -> None:
        super().__init__()
        require_fit(config.model, schema)
        self.schema = schema
        self.model = config.model
        width = config.hidden
        own = [] if self.model == "lightgcn" else [t for t, d in schema.in_sizes.items() if not d]
        self.own_types = sorted(own)
        self.vectors = nn.ParameterList(
            nn.init.xavier_uniform_(torch.empty(schema.num_nodes[t], width)) for t in self.own_types
        )
        sizes = {t: size or width for t, size in schema.in_sizes.items()}
        out = schema.out_size if schema.level == NODES else width
        self.body = _body(config, schema, sizes, out)
        self.head = _head(config, schema, width)

    @property
    def layered(self) -> bool:
        """Whether the model accepts the blocks of a sampled batch, one per layer."""
        return self.model in STACKS

    def inputs(self, feat: Features, nodes: Features | None = None) -> dict[str, Tensor]:
        """Return the features or trainable vectors of all nodes, or of `nodes`, by type."""
        found = dict(feat) | dict(zip(self.own_types, self.vectors, strict=True))
        return found if nodes is None else {t: rows[nodes[t]] for t, rows in found.items()}

    def embed(self, graph: Any, feat: Features) -> Any:
        """Compute the last layer's input, a row per node or graph; for links, by node type."""
        only = next(iter(self.schema.in_sizes))
        if self.model == "lightgcn":
            return {only: self.body(graph)}
        if self.schema.level == NODES and isinstance(self.body, Stack):
            return self.body.embed(graph, feat[only])
        found = self.body(graph, feat) if self._typed else {only: self.body(graph, feat[only])}
        if self.schema.of_pairs:
            return found
        rows = found[self.schema.ends[0]]
        if self.schema.level == NODES:
            return rows
        with graph.local_scope():
            graph.ndata["h"] = rows
            return torch.cat([sum_nodes(graph, "h"), mean_nodes(graph, "h")], 1)

    def decide(self, graph: Any, embedding: Any, pairs: tuple[Tensor, Tensor] | None = None) -> Any:
        """Compute scores (N, C) from the result of `embed`; for links, of the pairs ``(u, v)``."""
        if self.schema.of_pairs:
            u, v = (embedding[t][ids] for t, ids in zip(self._ends, pairs, strict=True))
            if self.head is None:
                return (u * v).sum(1, keepdim=True)
            return self.head(torch.cat([u, v, u * v], 1))
        if self.schema.level == GRAPHS:
            return self.head(embedding)
        return self.body.classify(graph, embedding) if isinstance(self.body, Stack) else embedding

    def forward(
        self, graph: Any, feat: Features, pairs: tuple[Tensor, Tensor] | None = None
    ) -> Tensor:
        """Compute the scores; `feat` is the result of `inputs`."""
        return self.decide(graph, self.embed(graph, feat), pairs)

    @property
    def _ends(self) -> list[str]:
        return [self.schema.ends[0], self.schema.ends[-1]]

    @property
    def _typed(self) -> bool:
        return MODELS[self.model].typed


def _body(config: TrainConfig, schema: Schema, sizes: dict[str, int], out: int) -> nn.Module:
    width, deep, drop = config.hidden, config.layers, config.dropout
    size = next(iter(sizes.values()))
    match config.model:
        case "pna":
            return models.PNA(size, width, out, schema.delta, deep, drop)
        case "appnp":
            return models.APPNP(size, width, out, dropout=drop)
        case "gcnii":
            return models.GCNII(size, width, out, deep, dropout=drop)
        case "lightgcn":
            return models.LightGCN(next(iter(schema.num_nodes.values())), width, deep)
        case "rgcn":
            return models.RGCN(sizes, width, out, schema.num_etypes, deep, dropout=drop)
        case "hgt":
            return models.HGT(sizes, width, out, schema.num_etypes, deep, config.heads, drop)
    return Stack(config, size, out)


def _head(config: TrainConfig, schema: Schema, width: int) -> nn.Module | None:
    if schema.level not in (GRAPHS, RATINGS):
        return None
    size = (2 if schema.level == GRAPHS else 3) * width
    return nn.Sequential(
        nn.Dropout(config.dropout), nn.Linear(size, width), nn.ReLU(),
        nn.Linear(width, schema.out_size),
    )  # fmt: skip


def num_parameters(model: nn.Module) -> int:
    """Count the trainable parameters."""
    return sum(p.numel() for p in model.parameters())
