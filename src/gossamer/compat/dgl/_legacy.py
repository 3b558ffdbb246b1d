"""Small things of DGL's own making that programs import, and that Gossamer has no use for."""

from __future__ import annotations

import os
import warnings
from typing import Any

from torch import nn

__all__ = ["Identity", "dgl_warning", "get_dgl_url", "is_all"]


def dgl_warning(message: str, category: type[Warning] = UserWarning, stacklevel: int = 2) -> None:
    """Warn the caller's caller."""
    warnings.warn(message, category=category, stacklevel=stacklevel)


def is_all(arg: Any) -> bool:
    """Whether an argument is the constant ``ALL``: every node, every edge."""
    return isinstance(arg, str) and arg == "__ALL__"


def get_dgl_url(file_url: str) -> str:
    """Address of a file in DGL's store of datasets and models: `file_url` is its path there.

    ``$DGL_REPO`` names another store, as it does for DGL.
    """
    store = os.environ.get("DGL_REPO", "https://data.dgl.ai/")
    return f"{store.rstrip('/')}/{file_url.lstrip('/')}"


class Identity(nn.Identity):
    """Gives back what it is given."""
