"""Break each layer of ``gossamer.nn`` on purpose and check that a test fails.

    python tools/mutate.py                    # every layer, half an hour
    python tools/mutate.py GATConv ChebConv   # some layers

Each layer is broken in three ways, one at a time: a sign (``a + b`` becomes ``a - b``), a
normalization (a mean becomes a sum, a division a product, a softmax is left out) and the ends of
the edges (all are reversed, or the two ends are swapped). If the source has no such place, the
result is negated or halved; a module without edges is not broken in the third way. Then the tests
that name the layer run, in a separate process. The table shows the broken line and whether a test
failed; the exit status is 1 if any break made no test fail.
"""

from __future__ import annotations

import argparse
import ast
import copy
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch

import gossamer.nn

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "nn"
# Files that go through many layers: of these, only the tests that name the layer run.
SHARED = ("test_conv_dense.py", "test_golden.py", "test_golden_modules.py", "test_contract.py")
# Files that use layers to test something else.
ELSEWHERE = re.compile("test_(compile|export|explain.*|factory|models|names)[.]py")
NO_LAYERS = re.compile(r"gossamer\.nn\.(models|explain|factory)")
UNTOUCHED = re.compile("__init__|extra_repr|_?(reset|draw|check|require|initial).*")
KINDS = ("sign", "normalization", "ends")
ENTRIES = ("enter", "enter_square", "enter_sources", "relation_for")
#: How the ends change places in a layer that enters no graph, by arguments of `forward`.
ENDS = {
    ("adj",): "adj = adj.t()",
    ("attn_bias",): "attn_bias = None if attn_bias is None else attn_bias.transpose(1, 2)",
    ("degrees",): "degrees = degrees.flip(0)",
    ("dist",): "dist = dist.transpose(1, 2)",
    ("efeat",): "efeat = efeat.transpose(1, 2)",
    ("g", "X"): "g = g.reverse()",
    ("g", "inputs"): "g = g.reverse()",
    ("h_head", "h_tail"): "h_head, h_tail = h_tail, h_head",
    ("h_src", "h_dst"): "h_src, h_dst = h_dst, h_src",
    ("pos_u", "pos_v"): "pos_u, pos_v = pos_v, pos_u",
}
RED, GREEN = "noticed", "NOT NOTICED"


class Break(NamedTuple):
    """A function of a layer's file with one change; `owner` is its class, if it is a method."""

    layer: type
    owner: str
    tree: ast.FunctionDef
    line: int
    text: str


def layers() -> dict[str, type]:
    """The layers by name, without those that only call another."""
    found = {}
    for name in gossamer.nn.__all__:
        value = getattr(gossamer.nn, name)
        if isinstance(value, type) and not NO_LAYERS.match(value.__module__):
            call = getattr(value, "forward", value.__call__)
            if "super()" not in inspect.getsource(call):
                found[name] = value
    return found


# ------------------------------------------------------------------------------------- the changes


def functions(layer: type) -> list[tuple[str, ast.FunctionDef]]:
    """The functions that compute a layer's formula, each with its class, `forward` first.

    After the methods of the layer come the functions of its file that they use, and the methods of
    classes that are not public, such as the towers of PNA.
    """
    tree = ast.parse(Path(inspect.getfile(layer)).read_text(encoding="utf-8"))
    named = {node.name: node for node in tree.body if hasattr(node, "name")}
    own = [c.__name__ for c in layer.__mro__ if c.__module__ == layer.__module__]
    used = [named.pop(name) for name in own]
    for node in used:  # grows by what its members use
        words = set(re.findall(r"\w+", ast.unparse(node)))
        used += [named.pop(n) for n in list(named) if n in words and n not in gossamer.nn.__all__]
    found = []
    for node in used:
        methods = node.body if isinstance(node, ast.ClassDef) else [node]
        owner = node.name if isinstance(node, ast.ClassDef) else ""
        found += [(owner, each) for each in methods if isinstance(each, ast.FunctionDef)]
    found.sort(key=lambda each: (each[0] not in own, each[1].name not in ("forward", "__call__")))
    return [
        (owner, function)
        for owner, function in found
        if not UNTOUCHED.fullmatch(function.name) and "super()" not in ast.unparse(function)
    ]


def is_size(node: ast.AST) -> bool:
    """Whether an operand is a count or an index instead of a tensor, or close to 0."""
    text = ast.unparse(node)
    if any(word in text for word in (".shape", ".dim()", "len(", "num_", "'", "_size", ".long()")):
        return True
    if text.endswith("tiny"):
        return True
    return isinstance(node, (ast.Constant, ast.Tuple, ast.List)) and not isinstance(
        getattr(node, "value", None), float
    )


def change_sign(node: ast.AST) -> ast.AST | None:
    """The node with another sign."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        if is_size(node.left) or is_size(node.right):
            return None
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return ast.BinOp(node.left, other, node.right)
    return None


def change_normalization(node: ast.AST) -> ast.AST | None:
    """The node with another normalization or none."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        if is_size(node.left) and is_size(node.right):
            return None
        return ast.BinOp(node.left, ast.Mult(), node.right)
    if isinstance(node, ast.Constant) and node.value == "mean":
        return ast.Constant("sum")
    if isinstance(node, ast.Attribute) and node.attr.endswith("_mean"):
        return ast.Attribute(node.value, node.attr.replace("_mean", "_sum"), node.ctx)
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        if name in ("edge_softmax", "segment_softmax"):
            return node.args[1]
        if name in ("softmax", "rsqrt"):
            return node.func.value
        if name == "normalize":
            return node.args[0]
        if name in ("degree_scale", "norm") and ast.unparse(node.func) != "self.norm":
            return ast.BinOp(node, ast.Pow(), ast.Constant(0))
    return None


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Each node and its place: (parent, field, index, node), in source order."""
    for name, value in ast.iter_fields(tree):
        if name in ("returns", "annotation", "decorator_list"):
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if isinstance(child, ast.AST):
                yield tree, name, index, child
                yield from places(child)


def first_change(layer: type, change: Callable[[ast.AST], ast.AST | None]) -> Break | None:
    """The first change that the source allows."""
    for owner, function in functions(layer):
        broken = copy.deepcopy(function)
        for parent, name, index, node in places(broken):
            new = change(node)
            if new is None:
                continue
            text = f"{ast.unparse(node)} -> {ast.unparse(new)}"
            if index is None:
                setattr(parent, name, new)
            else:
                getattr(parent, name)[index] = new
            return Break(layer, owner, broken, node.lineno, text)
    return None


def change_of_result(layer: type, factor: float) -> Break:
    """What `forward` returns times a number."""
    owner, function = functions(layer)[0]
    broken, line = copy.deepcopy(function), 0
    for node in ast.walk(broken):
        if isinstance(node, ast.Return) and node.value is not None:
            line = node.lineno
            node.value = scaled(node.value, factor)
    return Break(layer, owner, broken, line, f"the result times {factor:g}")


def scaled(value: ast.expr, factor: float) -> ast.expr:
    """A result times a number; of several, the first or each of a dict."""
    if isinstance(value, ast.IfExp):
        return ast.IfExp(value.test, scaled(value.body, factor), scaled(value.orelse, factor))
    if isinstance(value, ast.Tuple):
        return ast.Tuple([scaled(value.elts[0], factor), *value.elts[1:]], ast.Load())
    if isinstance(value, ast.DictComp):
        return ast.DictComp(value.key, scaled(value.value, factor), value.generators)
    return ast.BinOp(ast.Constant(factor), ast.Mult(), value)


def change_of_ends(layer: type) -> Break | None:
    """All edges reversed after a graph is entered, or the arguments of both ends exchanged."""
    for owner, function in functions(layer):
        broken = copy.deepcopy(function)
        for parent, field, index, node in places(broken):
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            if ast.unparse(node.value.func) in ENTRIES:
                target = node.targets[0]
                name = (target.elts[0] if isinstance(target, ast.Tuple) else target).id
                text = f"{name} = {name}.reverse()"
                getattr(parent, field).insert(index + 1, ast.parse(text).body[0])
                return Break(layer, owner, broken, node.lineno, text)
    owner, function = functions(layer)[0]
    arguments = {argument.arg for argument in function.args.args}
    for names, text in ENDS.items():
        if arguments.issuperset(names):
            broken = copy.deepcopy(function)
            broken.body.insert(0, ast.parse(text).body[0])
            return Break(layer, owner, broken, function.lineno, text)
    return None


def breaks(layer: type) -> list[Break | None]:
    """The three changes of a layer; None for ends if it has none."""
    return [
        first_change(layer, change_sign) or change_of_result(layer, -1.0),
        first_change(layer, change_normalization) or change_of_result(layer, 0.5),
        change_of_ends(layer),
    ]


# --------------------------------------------------------------------------------------- the tests


def apply(change: Break) -> None:
    """Put the broken function into the layer's file, in this process."""
    module = sys.modules[change.layer.__module__]
    code = ast.fix_missing_locations(ast.Module([change.tree], []))
    made: dict[str, object] = {}
    exec(compile(code, inspect.getfile(change.layer), "exec"), vars(module), made)
    owner = getattr(module, change.owner) if change.owner else module
    setattr(owner, change.tree.name, made[change.tree.name])


def noticed(change: Break) -> bool:
    """Whether a test fails; tests run in a child, so that the layer here is unchanged."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(nowhere.fileno(), 2)
            apply(change)
            status = int(not all(passes(*run) for run in runs_of(change.layer)))
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 99:
        raise SystemExit(f"{change.layer.__name__}: the change cannot be applied: {change.text}")
    return status != 0  # a negative one is a crash


def runs_of(layer: type) -> list[tuple[Path, str]]:
    """The files with tests of a layer, and which of their tests run: its own files come first."""
    word = re.compile(rf"\b{layer.__name__}\b")
    own = [
        (file, "")
        for file in sorted(TESTS.glob("test_*.py"))
        if file.name not in SHARED and not ELSEWHERE.fullmatch(file.name)
        if word.search(file.read_text(encoding="utf-8"))
    ]
    stem = Path(inspect.getfile(layer)).stem
    names = f"{layer.__name__} or {stem} or {stem.removesuffix('conv')}"
    return own + [(TESTS / name, names) for name in SHARED]


def passes(file: Path, names: str) -> bool:
    """Whether the tests of a file pass, or none has such a name."""
    import pytest

    options = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--rootdir", str(ROOT)]
    return int(pytest.main([*options, "-k", names, str(file)])) in (0, 5)


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
