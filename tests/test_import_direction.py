"""Imports point down: nn, graph, function, ops, kernels; and nobody imports nn, cli or compat.

Read from the syntax tree, so that an import on a path that no test runs counts as well. Imports
for type checkers only do not count: they are no dependency at run time.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpers.paths import REPOSITORY

PACKAGE = REPOSITORY / "src" / "gossamer"

# Room -> the rooms below it. Modules at the top of the package that are no room (errors, utils,
# random ...) lie below all of them. A room that is not listed is bound by NOT_IMPORTED alone.
BELOW = {
    "kernels": set(),
    "ops": {"kernels"},
    "sparse": {"ops", "kernels"},
    "function": {"ops", "kernels"},
    "graph": {"function", "ops", "kernels"},
    "sampling": {"graph", "function", "ops", "kernels"},
    "transforms": {"sampling", "graph", "function", "ops", "kernels", "sparse"},
    "dataloading": {"sampling", "transforms", "graph", "function", "ops", "kernels"},
    "graphbolt": {"data", "sampling", "dataloading", "transforms", "graph", "ops", "kernels"},
    "data": {"transforms", "interop", "graph", "function", "ops", "kernels"},
    "interop": {"graph", "function", "ops", "kernels"},
}
ROOMS = set(BELOW) | {"cli", "compat", "distributed", "nn"}

# Modules at the top that only offer, under DGL's name, what a room wrote.
DOORS = {"", "_public", "geometry", "udf"}
# Modules at the top that stand on all rooms, and that no room imports.
ABOVE = {"estimators"}

# Room -> the rooms that it may import inside a function, because a method hands over to them:
# `Graph.to_simple` is `transforms.to_simple` with the graph in front.
LAZY = {"graph": {"interop", "sampling", "sparse", "transforms"}, "sparse": {"sampling"}}

# Room -> who may import it. The package's own __init__ offers names, it depends on nothing.
NOT_IMPORTED = {
    "nn": {"", "cli", "compat", "distributed", "nn"},
    "cli": {"__main__", "cli", "estimators"},
    "compat": {"compat"},
}


@dataclass(frozen=True)
class Import:
    """`importer` (a room, or a module at the top, '' for the package) imports `imported`."""

    importer: str
    imported: str
    lazy: bool
    where: str


def read_imports(source: str, path: Path) -> Iterator[Import]:
    """Yield the imports within the package of one file, given its path below the package."""
    parts = path.with_suffix("").parts
    is_package = parts[-1] == "__init__"
    module = ["gossamer", *(parts[:-1] if is_package else parts)]
    importer = module[1] if len(module) > 1 else ""
    for node, lazy in _walk(ast.parse(source)):
        for name in _imported_modules(node, module, is_package):
            if name[0] == "gossamer" and len(name) > 1:
                yield Import(importer, name[1], lazy, f"{path}:{node.lineno}")


def _walk(node: ast.AST, lazy: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for alternative in child.orelse:
                yield from _walk(alternative, lazy)
            continue
        inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield child, inside
        yield from _walk(child, inside)


def _imported_modules(node: ast.AST, module: list[str], is_package: bool) -> list[list[str]]:
    """Return the dotted names that an import statement may load, split at the dots."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".") for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module.split(".") if node.module else []
    if node.level:
        package = module if is_package else module[:-1]
        base = package[: len(package) - node.level + 1] + base
    if base == ["gossamer"]:  # from gossamer import graph
        return [["gossamer", alias.name] for alias in node.names]
    return [base]


def forbidden(found: Import) -> bool:
    """Tell whether an import breaks the direction."""
    if found.importer == found.imported:
        return False
    if found.importer not in NOT_IMPORTED.get(found.imported, {found.importer}):
        return True
    if found.importer in DOORS | ABOVE or found.imported not in ROOMS:
        return False
    if found.importer not in ROOMS:  # modules at the top lie below the rooms
        return not found.lazy and found.importer != "__main__"
    if found.importer not in BELOW or found.imported in BELOW[found.importer]:
        return False
    return not (found.lazy and found.imported in LAZY.get(found.importer, ()))


def _all_imports() -> list[Import]:
    return [
        found
        for path in sorted(PACKAGE.rglob("*.py"))
        for found in read_imports(path.read_text(encoding="utf-8"), path.relative_to(PACKAGE))
    ]


def test_imports_point_down() -> None:
    imports = _all_imports()
    assert any(found.imported == "kernels" for found in imports), "no import found at all"
    wrong = [
        f"{found.where}: {found.importer or 'gossamer'} imports {found.imported}"
        for found in imports
        if forbidden(found)
    ]
    assert not wrong, "\n".join(wrong)


def test_torch_is_the_only_required_package() -> None:
    """At the top of a file only torch, numpy and the standard library may be imported."""
    allowed = {"gossamer", "torch", "numpy", "__future__"} | set(sys.stdlib_module_names)
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        shown = path.relative_to(PACKAGE)
        # The dispatch table imports this folder when the first tensor on a GPU comes.
        optional = {"triton"} if shown.parts[:2] == ("kernels", "triton") else set()
        for node, _ in _walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _imported_modules(node, ["gossamer", *shown.parts], False):
                if name[0] not in allowed | optional:
                    wrong.append(f"{shown}:{node.lineno}: {name[0]}, use optional_import")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("ops/spmm.py", "from gossamer.kernels import spmm", False),
        ("ops/spmm.py", "from gossamer.graph import Graph", True),
        ("ops/spmm.py", "def f():\n    from gossamer.graph import Graph", True),
        ("ops/spmm.py", "from gossamer import graph", True),
        ("ops/spmm.py", "import gossamer.graph.batch", True),
        ("ops/spmm.py", "from ..graph import Graph", True),
        ("ops/spmm.py", "from . import sddmm", False),
        ("ops/__init__.py", "from ..nn import conv", True),
        ("ops/spmm.py", "if TYPE_CHECKING:\n    from gossamer.graph import Graph", False),
        ("ops/spmm.py", "from gossamer.errors import InvalidValueError", False),
        ("graph/graph.py", "from gossamer.transforms import to_simple", True),
        ("graph/graph.py", "def f():\n    from gossamer.transforms import to_simple", False),
        ("graph/graph.py", "def f():\n    from gossamer.data import save", True),
        ("graph/graph.py", "def f():\n    from gossamer.nn import conv", True),
        ("nn/conv/gcn.py", "from gossamer.function import copy_u", False),
        ("cli/run.py", "from gossamer.nn import GraphConv", False),
        ("data/cora.py", "from gossamer.cli import run", True),
        ("errors.py", "from gossamer.graph import Graph", True),
        ("udf.py", "from gossamer.function.udf import EdgeBatch", False),
        ("utils.py", "def f():\n    from gossamer.graph import Graph", False),
        ("__init__.py", "from gossamer.nn import conv", False),
        ("__main__.py", "from gossamer.cli import main", False),
    ],
)
def test_the_reading_itself(path: str, source: str, expected: bool) -> None:
    assert any(forbidden(found) for found in read_imports(source, Path(path))) is expected
