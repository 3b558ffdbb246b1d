"""Every public module says what it exports, and everything exported is documented."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import gossamer

# Importable only where the native core was built; nobody but the dispatch imports from there.
NATIVE = "gossamer.kernels.cpu"


def _public_modules() -> list[str]:
    """List what users import from: packages, modules at the top, and files with an __all__.

    A file inside a room is where something is written, not where it is found, unless it says what
    it exports.
    """
    root = Path(gossamer.__file__).parent
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = ["gossamer", *path.relative_to(root).with_suffix("").parts]
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        if any(part.startswith("_") for part in name.split(".")) or name.startswith(NATIVE):
            continue
        if is_package or len(parts) == 2 or _names_exports(name):
            found.append(name)
    return found


def _names_exports(name: str) -> bool:
    return hasattr(importlib.import_module(name), "__all__")


def _exported(module: ModuleType) -> list[tuple[str, object]]:
    return [(name, getattr(module, name)) for name in module.__all__]


MODULES = _public_modules()


@pytest.mark.parametrize("name", MODULES)
def test_module_is_documented_and_says_what_it_exports(name: str) -> None:
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip(), f"{name} has no docstring"
    assert isinstance(getattr(module, "__all__", None), list | tuple), f"{name} has no __all__"
    assert len(set(module.__all__)) == len(module.__all__), f"{name}.__all__ repeats a name"
    absent = [exported for exported in module.__all__ if not hasattr(module, exported)]
    assert not absent, f"{name}.__all__ lists names that do not exist"


@pytest.mark.parametrize("name", MODULES)
def test_everything_exported_has_a_docstring(name: str) -> None:
    module = importlib.import_module(name)
    silent = []
    for exported, value in _exported(module):
        if not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        if not _own_docstring(value):
            silent.append(exported)
        if inspect.isclass(value):
            silent += [f"{exported}.{member}" for member in _silent_methods(value)]
    assert not silent, f"{name}: no docstring"


def _silent_methods(cls: type) -> list[str]:
    """List the public methods and properties without a docstring, their own or an inherited one."""
    silent = []
    for name, member in vars(cls).items():
        if name.startswith("_") or name == "forward":
            continue
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if (inspect.isfunction(plain) or isinstance(plain, property)) and not inspect.getdoc(
            getattr(cls, name)
        ):
            silent.append(name)
    return silent


def _own_docstring(value: object) -> str:
    """Return the docstring; a class does not count its base's."""
    text = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    return (text or "").strip()


def test_star_import_brings_exactly_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from gossamer import *", names)
    assert set(names) - {"__builtins__"} == set(gossamer.__all__)


def test_version_is_the_distribution_version() -> None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        installed = version("gossamer")
    except PackageNotFoundError:
        pytest.skip("the package is on the path without being installed")
    assert gossamer.__version__ == installed
