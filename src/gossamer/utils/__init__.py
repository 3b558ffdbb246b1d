"""Small helpers that layers share."""

from gossamer.utils.pairs import expand_as_pair

__all__ = ["expand_as_pair"]
