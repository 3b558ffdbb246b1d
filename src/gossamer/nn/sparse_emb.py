"""Node embeddings, under the name of DGL's module."""

from gossamer.nn.node_embedding import NodeEmbedding

__all__ = ["NodeEmbedding"]
