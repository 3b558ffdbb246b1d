"""Import hooks for the modules ``dgl`` and ``dgl.*``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
from types import ModuleType
from typing import Any

from gossamer.compat.dgl._errors import UnknownNameError
from gossamer.compat.dgl._modules import MODULES, VERSION, children_of, import_if_there, resolve
from gossamer.compat.dgl._placeholders import is_placeholder
from gossamer.errors import GossamerError, InvalidValueError, UnknownKeyError
from gossamer.graph.methods.batch import allow_other_totals

__all__ = ["install", "installed", "uninstall"]

_ROOT = "dgl"


def install() -> None:
    """Make ``import dgl``, and every module path below it, import Gossamer.

    An installed DGL is ignored, not changed. A second call has no effect.

    Raises
    ------
    InvalidValueError
        If DGL itself is already imported: the objects of the two must not be mixed in one process.

    Examples
    --------
    >>> install()
    >>> import dgl
    >>> g = dgl.graph(([0, 1], [1, 2]))
    >>> isinstance(g, dgl.DGLGraph), g.number_of_nodes()
    (True, 3)
    >>> uninstall()
    """
    if installed():
        return
    if _ROOT in sys.modules:
        where = getattr(sys.modules[_ROOT], "__file__", None) or "an unknown place"
        raise InvalidValueError(
            f"gossamer.compat.dgl.install: another 'dgl' is already imported, from {where}. Call "
            "install() before anything imports dgl."
        )
    sys.meta_path.insert(0, _FINDER)
    allow_other_totals(True)
    # Other finders may have cached the contents of the path.
    importlib.invalidate_caches()


def uninstall() -> None:
    """Undo :func:`install`, so that ``import dgl`` no longer imports Gossamer.

    Objects that were imported from them still work. Without `install`, this has no effect.

    Examples
    --------
    >>> install()
    >>> uninstall()
    >>> installed()
    False
    """
    if not installed():
        return
    sys.meta_path.remove(_FINDER)
    allow_other_totals(False)
    for name in [name for name in sys.modules if name == _ROOT or name.startswith(f"{_ROOT}.")]:
        del sys.modules[name]


def installed() -> bool:
    """Return whether ``import dgl`` imports Gossamer in this process.

    Examples
    --------
    >>> installed()
    False
    """
    return _FINDER in sys.meta_path


class _Finder(DistributionFinder, Loader):
    """Finds and loads the modules; their names are looked up on first access."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _ROOT and not fullname.startswith(f"{_ROOT}."):
            return None
        if _below(fullname) not in MODULES:
            return None
        is_package = fullname == _ROOT or bool(children_of(_below(fullname)))
        return ModuleSpec(fullname, self, origin="gossamer.compat.dgl", is_package=is_package)

    def exec_module(self, module: ModuleType) -> None:
        path = _below(module.__name__)
        module.__doc__ = f"Gossamer under the name that it has in DGL: {module.__name__}."
        # Shown in "cannot import name ... from ...".
        module.__file__ = __file__
        module.__getattr__ = _attribute_lookup(module, path)
        module.__dir__ = lambda: sorted({*vars(module), *_names(path), *children_of(path)})
        for name in MODULES[path].shadowed:
            # As in DGL, a function of the package hides the module of the same name. Importing the
            # module binds its name in the package, so import it before the function is bound.
            importlib.import_module(f"{module.__name__}.{name}")
            setattr(module, name, resolve(path, name))

    def find_distributions(
        self, context: DistributionFinder.Context | None = None
    ) -> Iterator[Distribution]:
        context = DistributionFinder.Context() if context is None else context
        if context.name is None or context.name.lower() == _ROOT:
            yield _Metadata()


class _Metadata(Distribution):
    """Metadata of the distribution ``dgl``, from which programs read the version."""

    def read_text(self, filename: str) -> str | None:
        if filename != "METADATA":
            return None
        return (
            f"Metadata-Version: 2.1\nName: {_ROOT}\nVersion: {VERSION}\n"
            "Summary: Gossamer under the name of DGL.\n"
        )

    def locate_file(self, path: Any) -> Any:
        return path


_FINDER = _Finder()


def _below(fullname: str) -> str:
    """Strip ``dgl.``: return ``nn.pytorch`` for ``dgl.nn.pytorch``, and ``""`` for ``dgl``."""
    return fullname.removeprefix(_ROOT).removeprefix(".")


def _names(path: str) -> list[str]:
    """Return the names of a module, without placeholders."""
    names = dict.fromkeys([*MODULES[path].known, *MODULES[path].names])
    if not MODULES[path].known or children_of(path):
        for source in MODULES[path].sources:
            names.update(dict.fromkeys(getattr(import_if_there(source), "__all__", ())))
    return [name for name in names if not name.startswith("_") and _exists(path, name)]


def _exists(path: str, name: str) -> bool:
    try:
        return not is_placeholder(resolve(path, name))
    except GossamerError:
        return False


def _attribute_lookup(module: ModuleType, path: str) -> Any:
    """Create the ``__getattr__`` of a module (PEP 562); it caches names in the module."""

    def __getattr__(name: str) -> Any:
        if name == "__all__":
            return _names(path)
        try:
            value = resolve(path, name)
        except UnknownKeyError:
            raise UnknownNameError(
                f"module {module.__name__!r} has no attribute {name!r}: Gossamer does not have "
                f"this name. docs/moving_from_dgl.md lists the names that it has."
            ) from None
        setattr(module, name, value)
        return value

    return __getattr__
