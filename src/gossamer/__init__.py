"""Gossamer: graph neural networks on today's PyTorch, with the API of the Deep Graph Library."""

from importlib.metadata import PackageNotFoundError as _PackageNotFoundError
from importlib.metadata import version as _version

from gossamer import function, kernels, ops, random, udf, utils
from gossamer.errors import (
    FileError,
    GossamerError,
    InvalidTypeError,
    InvalidValueError,
    MissingExtraError,
    OutOfRangeError,
    UnknownKeyError,
)
from gossamer.graph import (
    ALL,
    EID,
    ETYPE,
    NID,
    NTYPE,
    Graph,
    batch,
    create_block,
    graph,
    heterograph,
    slice_batch,
    unbatch,
)
from gossamer.random import seed

try:
    __version__ = _version("gossamer")
except _PackageNotFoundError:  # a source tree on the path, not installed
    __version__ = "0+unknown"

__all__ = [
    "ALL",
    "EID",
    "ETYPE",
    "NID",
    "NTYPE",
    "FileError",
    "GossamerError",
    "Graph",
    "InvalidTypeError",
    "InvalidValueError",
    "MissingExtraError",
    "OutOfRangeError",
    "UnknownKeyError",
    "__version__",
    "batch",
    "create_block",
    "function",
    "graph",
    "heterograph",
    "kernels",
    "ops",
    "random",
    "seed",
    "slice_batch",
    "udf",
    "unbatch",
    "utils",
]
