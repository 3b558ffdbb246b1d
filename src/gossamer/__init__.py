"""Gossamer: graph neural networks on PyTorch, with the API of DGL (Deep Graph Library).

The public names are listed in `gossamer._public`. They are loaded on first use, because importing
torch takes seconds and ``gossamer --help`` does not need it.
"""

import sys as _sys
from importlib import import_module as _import_module
from importlib.util import find_spec as _find_spec
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING as _TYPE_CHECKING

_FROM_DATALOADING = (
    "set_dst_lazy_features",
    "set_edge_lazy_features",
    "set_node_lazy_features",
    "set_src_lazy_features",
)
# Names in DGL that have a different name in Gossamer.
_RENAMED = {
    "DGLGraph": "gossamer.Graph",
    "DGLHeteroGraph": "gossamer.Graph",
    "DGLError": "gossamer.GossamerError",
}


class _Package(_ModuleType):
    """The package; its attribute ``graph`` is the function, even if the subpackage is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "graph" and isinstance(value, _ModuleType):
            value = value.graph
        super().__setattr__(name, value)


_sys.modules[__name__].__class__ = _Package

if _TYPE_CHECKING:
    from gossamer._public import *  # noqa: F403
    from gossamer._public import __all__ as __all__

    __version__: str
else:

    def __getattr__(name: str) -> object:
        if name == "__version__":
            value = _read_version()
        elif name in _FROM_DATALOADING:
            value = getattr(_import_module("gossamer.dataloading"), name)
        elif name == "__all__" or not name.startswith("_"):
            return _load(name)
        else:
            raise AttributeError(f"module 'gossamer' has no attribute {name!r}")
        globals()[name] = value
        return value


def _load(name: str) -> object:
    """Import the subpackage `name`, or all public names, and return the attribute `name`."""
    if name not in ("graph", "__all__") and _find_spec(f"gossamer.{name}"):
        return _import_module(f"gossamer.{name}")
    public = vars(_import_module("gossamer._public"))
    globals().update({key: public[key] for key in public["__all__"] if key in public})
    globals()["__all__"] = public["__all__"]
    if name in globals():
        return globals()[name]
    hint = f"; use {_RENAMED[name]}" if name in _RENAMED else ""
    raise AttributeError(f"module 'gossamer' has no attribute {name!r}{hint}")


def _read_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("gossamer")
    except PackageNotFoundError:  # a source tree on the path, not installed
        return "0+unknown"


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
