"""Break each layer of ``gossamer.nn`` on purpose and see whether a test notices.

    python tools/mutate.py                    # every layer, some minutes
    python tools/mutate.py GATConv ChebConv   # some layers

Each layer is broken in three ways, one at a time: a sign (``a + b`` becomes ``a - b``), a
normalization (a mean becomes a sum, a division a product, a softmax is left out) and the ends of
the edges (all are reversed). Where the source has nothing of the kind, the result is negated or
halved. Then the tests that name the layer run, in a process of their own. The table shows the
broken line and whether a test failed; the exit status is 1 if one did not.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import inspect
import os
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch

import gossamer.nn

ROOT = Path(__file__).resolve().parent.parent
TESTS = ("test_golden.py", "test_golden_modules.py", "test_conv_dense.py", "test_contract.py")
KINDS = ("sign", "normalization", "ends")
UNTOUCHED = ("__init__", "reset_parameters", "extra_repr")
ENTRIES = ("enter", "enter_square", "enter_sources", "relation_for")
RED, GREEN = "noticed", "NOT NOTICED"


class Break(NamedTuple):
    """A function of a layer with one change."""

    layer: type
    kind: str
    tree: ast.FunctionDef
    line: int
    text: str


def layers() -> dict[str, type]:
    """The layers that work on graphs, by name."""
    for info in pkgutil.walk_packages(gossamer.nn.__path__, "gossamer.nn."):
        importlib.import_module(info.name)
    found = {}
    for name, value in vars(gossamer.nn).items():
        if isinstance(value, type) and issubclass(value, torch.nn.Module):
            own = "forward" in vars(value) and value.__module__.startswith("gossamer.nn")
            takes_graph = own and bool(
                {"graph", "g"} & set(inspect.signature(value.forward).parameters)
            )
            if takes_graph and "super()" not in inspect.getsource(value.forward):
                found[name] = value
    return found


# ------------------------------------------------------------------------------------- the changes


def functions(layer: type) -> list[ast.FunctionDef]:
    """The methods of a layer in which its formula is, `forward` first."""
    tree = ast.parse(Path(inspect.getfile(layer)).read_text(encoding="utf-8"))
    (own,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == layer.__name__)
    methods = [n for n in own.body if isinstance(n, ast.FunctionDef) and n.name not in UNTOUCHED]
    methods = [n for n in methods if "super()" not in ast.unparse(n)]
    return sorted(methods, key=lambda method: method.name != "forward")


def is_size(node: ast.AST) -> bool:
    """Whether an operand is a count or an index instead of a tensor."""
    text = ast.unparse(node)
    if any(word in text for word in (".shape", ".dim()", "len(", "num_", "'")):
        return True
    return isinstance(node, (ast.Constant, ast.Tuple, ast.List)) and not isinstance(
        getattr(node, "value", None), float
    )


def change_sign(node: ast.AST) -> ast.AST | None:
    """The node with another sign."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        if (is_size(node.left) and is_size(node.right)) or is_size(node.right):
            return None
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return ast.BinOp(node.left, other, node.right)
    return None


def change_normalization(node: ast.AST) -> ast.AST | None:
    """The node with another normalization."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        if is_size(node.left) and is_size(node.right):
            return None
        return ast.BinOp(node.left, ast.Mult(), node.right)
    if isinstance(node, ast.Constant) and node.value == "mean":
        return ast.Constant("sum")
    if isinstance(node, ast.Attribute) and node.attr.endswith("_mean"):
        return ast.Attribute(node.value, node.attr.replace("_mean", "_sum"), node.ctx)
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("edge_softmax"):
        return node.args[1]
    return None


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Each node with where it hangs: (parent, field, index, node), in the order of the text."""
    for name, value in ast.iter_fields(tree):
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if isinstance(child, ast.AST) and name not in (
                "returns",
                "annotation",
                "decorator_list",
            ):
                yield tree, name, index, child
                yield from places(child)


def hang(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    """Put a node in the place of another."""
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def change_of_kind(layer: type, kind: str) -> Break | None:
    """The first change of a kind that the source allows."""
    change = {"sign": change_sign, "normalization": change_normalization}[kind]
    for method in functions(layer):
        broken = copy.deepcopy(method)
        for parent, name, index, node in places(broken):
            new = change(node)
            if new is not None:
                text = f"{ast.unparse(node)} -> {ast.unparse(new)}"
                hang(parent, name, index, new)
                return Break(layer, kind, broken, node.lineno, text)
    return None


def change_of_result(layer: type, kind: str) -> Break:
    """The result of `forward` negated, or halved."""
    factor = {"sign": -1.0, "normalization": 0.5}[kind]
    broken = copy.deepcopy(functions(layer)[0])
    line = 0
    for node in ast.walk(broken):
        if isinstance(node, ast.Return) and node.value is not None:
            line = node.lineno
            node.value = scaled(node.value, factor)
    return Break(layer, kind, broken, line, f"the result times {factor:g}")


def scaled(value: ast.expr, factor: float) -> ast.expr:
    """A result times a number; of several, the first."""
    if isinstance(value, ast.IfExp):
        parts = scaled(value.body, factor), scaled(value.orelse, factor)
        return ast.IfExp(value.test, *parts)
    if isinstance(value, ast.Tuple):
        return ast.Tuple([scaled(value.elts[0], factor), *value.elts[1:]], ast.Load())
    return ast.BinOp(ast.Constant(factor), ast.Mult(), value)


def change_of_ends(layer: type) -> Break | None:
    """All edges reversed, after the call that gives the layer its edges."""
    for method in functions(layer):
        broken = copy.deepcopy(method)
        for parent, field, index, node in places(broken):
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            if ast.unparse(node.value.func) not in ENTRIES:
                continue
            target = node.targets[0]
            name = (target.elts[0] if isinstance(target, ast.Tuple) else target).id
            text = f"{name} = {name}.reverse()"
            getattr(parent, field).insert(index + 1, ast.parse(text).body[0])
            return Break(layer, "ends", broken, node.lineno, text)
    return None


def breaks(layer: type) -> list[Break | None]:
    """The three changes of a layer; None for ends that a readout does not have."""
    found = [change_of_kind(layer, k) or change_of_result(layer, k) for k in KINDS[:2]]
    return [*found, change_of_ends(layer)]


# --------------------------------------------------------------------------------------- the tests


def apply(change: Break) -> None:
    """Put the broken function into the layer of this process."""
    namespace = sys.modules[change.layer.__module__].__dict__
    module = ast.fix_missing_locations(ast.Module([change.tree], []))
    made: dict[str, object] = {}
    exec(compile(module, inspect.getfile(change.layer), "exec"), namespace, made)
    setattr(change.layer, change.tree.name, made[change.tree.name])


def noticed(change: Break) -> bool:
    """Whether a test fails; it runs in a child, so that the layer stays whole here."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(nowhere.fileno(), 2)
            apply(change)
            status = run_tests(change.layer)
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, 1):
        raise SystemExit(f"{change.layer.__name__}: pytest ended with status {status}")
    return status == 1


def run_tests(layer: type) -> int:
    """Run the tests that name a layer, or its file, until the first one that fails."""
    import pytest

    stem = Path(inspect.getfile(layer)).stem
    own = ROOT / "tests" / "nn" / f"test_{stem}.py"
    files = [str(ROOT / "tests" / "nn" / name) for name in TESTS]
    files += [str(own)] if own.exists() else []
    names = f"{layer.__name__} or {stem} or {stem.removesuffix('conv')}"
    options = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--rootdir", str(ROOT)]
    return int(pytest.main([*options, "-k", names, *files]))


def main() -> int:
    """Break the layers named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("layers", nargs="*", metavar="LAYER", help="names of layers (all)")
    parser.add_argument("--list", action="store_true", help="print the changes, run nothing")
    options = parser.parse_args()
    known = layers()
    unknown = [name for name in options.layers if name not in known]
    if unknown:
        parser.error(f"no layer is called {unknown[0]!r}; layers: {', '.join(sorted(known))}")
    torch.set_num_threads(1)
    print("| layer | break | line | change | tests |\n|---|---|---:|---|---|")
    missed = 0
    for name in options.layers or sorted(known):
        for kind, change in zip(KINDS, breaks(known[name]), strict=True):
            if change is None:
                continue
            seen = "-" if options.list else (RED if noticed(change) else GREEN)
            missed += seen == GREEN
            text = change.text.replace("|", "\\|").replace("\n", " ")
            print(f"| {name} | {kind} | {change.line} | `{text[:80]}` | {seen} |", flush=True)
    print(f"\nbreaks that no test noticed: {missed}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
