"""Names of DGL that programs import and that Gossamer itself does not use."""

from __future__ import annotations

import importlib
import os
import warnings
from typing import Any, ClassVar

from torch import Tensor, nn

from gossamer._options import one_of
from gossamer.ops import gather_mm

__all__ = [
    "DEFAULT_ETYPE", "DEFAULT_NTYPE", "AmazonCoBuy", "Coauthor", "DGLWarning", "GBWarning",
    "Identity", "TargetCode", "bmm_maybe_select", "dgl_warning", "get_dgl_url", "is_all",
    "load_knowledge_graph", "matmul_maybe_select", "register_service",
]  # fmt: skip

DEFAULT_NTYPE = "_N"
DEFAULT_ETYPE = ("_N", "_E", "_N")

# Request and response classes of remote procedure calls, by service id.
_SERVICES: dict[int, tuple[type, type | None]] = {}


class DGLWarning(UserWarning):
    """The category of DGL's own warnings."""


class GBWarning(UserWarning):
    """The warning category of programs written for GraphBolt."""


def dgl_warning(message: str, category: type[Warning] = DGLWarning, stacklevel: int = 2) -> None:
    """Warn the caller's caller."""
    warnings.warn(message, category=category, stacklevel=stacklevel)


def is_all(arg: Any) -> bool:
    """Return whether an argument is the constant ``ALL``: every node or edge."""
    return isinstance(arg, str) and arg == "__ALL__"


def get_dgl_url(file_url: str) -> str:
    """Return the URL of a file in DGL's repository of datasets; `file_url` is its path there.

    As in DGL, ``$DGL_REPO`` sets another repository.
    """
    store = os.environ.get("DGL_REPO", "https://data.dgl.ai/")
    return f"{store.rstrip('/')}/{file_url.lstrip('/')}"


class Identity(nn.Identity):
    """Return the input."""


class TargetCode:
    """Codes of the operands of a message function."""

    SRC = 0
    DST = 1
    EDGE = 2
    CODE2STR: ClassVar[dict[int, str]] = {0: "u", 1: "v", 2: "e"}


def matmul_maybe_select(A: Tensor, B: Tensor) -> Tensor:
    """Return ``A @ B``, or ``B[A]`` if A is a vector of ids, which stand for one-hot rows."""
    if A.dim() == 1 and not A.is_floating_point():
        return B[A.long()]
    return A @ B


def bmm_maybe_select(A: Tensor, B: Tensor, index: Tensor) -> Tensor:
    """Multiply row i of A by ``B[index[i]]``; a vector of ids stands for one-hot rows."""
    if A.dim() == 1 and not A.is_floating_point():
        return B[index.long(), A.long()]
    return gather_mm(A, B, idx_b=index)


def register_service(service_id: int, req_cls: type, res_cls: type | None = None) -> None:
    """Register the classes of a remote procedure call under a service id. Nothing is connected."""
    _SERVICES[service_id] = (req_cls, res_cls)


def load_knowledge_graph(dataset: str) -> Any:
    """Open the dataset of a knowledge graph by its name."""
    names = {"wn18": "WN18Dataset", "FB15k": "FB15kDataset", "FB15k-237": "FB15k237Dataset"}
    return _named_dataset("load_data", "dataset", names, dataset)


def AmazonCoBuy(name: str) -> Any:
    """Open the dataset of products bought together: ``"computers"`` or ``"photo"``."""
    kinds = {"computers": "AmazonCoBuyComputerDataset", "photo": "AmazonCoBuyPhotoDataset"}
    return _named_dataset("AmazonCoBuy", "the name", kinds, name)


def Coauthor(name: str) -> Any:
    """Open the dataset of coauthors: ``"cs"`` or ``"physics"``."""
    kinds = {"cs": "CoauthorCSDataset", "physics": "CoauthorPhysicsDataset"}
    return _named_dataset("Coauthor", "the name", kinds, name)


def _named_dataset(function: str, argument: str, kinds: dict[str, str], name: str) -> Any:
    kind = kinds[one_of(name, function, argument, kinds)]
    return getattr(importlib.import_module("gossamer.data"), kind)()
