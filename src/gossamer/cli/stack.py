"""Stacks of graph convolutions of one kind."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from gossamer.cli.config import TrainConfig
from gossamer.cli.model_list import ATTENTION
from gossamer.nn import GATConv, GATv2Conv, GINConv, GraphConv, SAGEConv

__all__ = ["Stack"]


class Stack(nn.Module):
    r"""A stack of graph convolutions from node features (N, D) to scores (N, C).

    Plain stack (``residual=False``), for layer :math:`l` of :math:`L`:

    .. math:: h^{l+1} = \sigma(norm(conv_l(dropout(h^l)))), \quad z = conv_L(dropout(h^{L}))

    Residual stack, pre-normalized blocks between two linear layers (Platonov et al. 2023):

    .. math::
        h^1 = \sigma(W_{in} x), \quad
        h^{l+1} = h^l + ffn_l(conv_l(norm(h^l))), \quad z = W_{out}\, norm(h^{L+1})

    :math:`\sigma` is ELU for attention layers, as in their papers, and ReLU otherwise. The heads of
    hidden layers are concatenated, and those of the last layer are averaged.

    Parameters
    ----------
    config : TrainConfig
        Uses model, hidden, layers, heads, out_heads, dropout, attn_dropout, norm and residual.
    in_size : int
        D, width of the node features.
    out_size : int
        C, width of the scores.
    """

    def __init__(self, config: TrainConfig, in_size: int, out_size: int) -> None:
        super().__init__()
        attention = config.model in ATTENTION
        self.activation = nn.ELU() if attention else nn.ReLU()
        self.dropout = nn.Dropout(config.dropout)
        self.residual = config.residual
        width = config.hidden * (config.heads if attention else 1)
        if config.residual:
            sizes = [(width, config.hidden, config.heads)] * config.layers
            self.input = nn.Linear(in_size, width)
            self.output = nn.Linear(width, out_size)
            self.feed_forward = nn.ModuleList(
                _feed_forward(width, config.dropout) for _ in range(config.layers)
            )
        else:
            hidden = [(width, config.hidden, config.heads)] * (config.layers - 1)
            last = (width if hidden else in_size, out_size, config.out_heads)
            sizes = [*hidden, last]
            sizes[0] = (in_size, *sizes[0][1:])
        num_norms = config.layers + (1 if config.residual else -1)
        self.convs = nn.ModuleList(_conv(config, *size) for size in sizes)
        self.norms = nn.ModuleList(_norm(config.norm, width) for _ in range(num_norms))

    def forward(self, graph: Any, feat: Tensor) -> Tensor:
        """Compute scores (N, C); for a list of blocks, of the destinations of the last block."""
        return self.classify(graph, self.embed(graph, feat))

    def embed(self, graph: Any, feat: Tensor) -> Tensor:
        """Compute the input (N, H) of the last layer."""
        if self.residual:
            return self._embed_residual(graph, feat)
        for each, conv, norm in zip(self._graphs(graph), self.convs[:-1], self.norms, strict=False):
            feat = conv(each, self.dropout(feat)).flatten(1)
            feat = self.activation(norm(feat))
        return feat

    def _embed_residual(self, graph: Any, feat: Tensor) -> Tensor:
        feat = self.dropout(self.activation(self.input(feat)))
        layers = zip(self.convs, self.norms[:-1], self.feed_forward, strict=True)
        for each, (conv, norm, ffn) in zip(self._graphs(graph), layers, strict=True):
            change = ffn(conv(each, norm(feat)).flatten(1))
            # The destinations of a block are its first sources.
            feat = feat[: len(change)] + change
        return self.norms[-1](feat)

    def classify(self, graph: Any, embedding: Tensor) -> Tensor:
        """Compute scores (N, C) from the result of `embed`."""
        if self.residual:
            return self.output(embedding)
        scores = self.convs[-1](self._graphs(graph)[-1], self.dropout(embedding))
        return scores.mean(1) if scores.dim() == 3 else scores

    def _graphs(self, graph: Any) -> list[Any]:
        """Return one graph per layer."""
        return graph if isinstance(graph, list) else [graph] * len(self.convs)


def _conv(config: TrainConfig, in_size: int, out_size: int, heads: int) -> nn.Module:
    """Create one graph convolution of the model in `config`."""
    match config.model:
        case "gcn":
            return GraphConv(in_size, out_size)
        case "sage":
            return SAGEConv(in_size, out_size, "mean")
        case "gin":
            mlp = nn.Sequential(
                nn.Linear(in_size, out_size), nn.ReLU(), nn.Linear(out_size, out_size)
            )
            return GINConv(mlp, "sum", learn_eps=True)
        case _:
            layer = GATConv if config.model == "gat" else GATv2Conv
            return layer(in_size, out_size, heads, attn_drop=config.attn_dropout)


def _norm(kind: str, width: int) -> nn.Module:
    layers = {"none": nn.Identity, "layer": nn.LayerNorm, "batch": nn.BatchNorm1d}
    return layers[kind](width)


def _feed_forward(width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, width), nn.Dropout(dropout), nn.GELU(), nn.Linear(width, width),
        nn.Dropout(dropout),
    )  # fmt: skip
