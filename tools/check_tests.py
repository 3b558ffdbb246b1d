"""Reject assertions without effect and unreadable messages, by syntax tree.

usage: python tools/check_tests.py [PATH ...]      (default: src tests tools benchmarks examples)

Prints ``file:line: code message`` and exits with 1 when there is a finding. The codes:

dropped-comparison  a comparison whose result is unused
assert-free-test    a test that cannot fail, or an assert_*/check_* helper that asserts nothing
raise-braces        a message with ``{name}`` that is not an f-string
raise-empty         an exception without a message
raise-arguments     an error raised with two positional arguments, which prints as a tuple
swallowed-error     a bare ``except``, or ``except Exception`` that does nothing

The first two look at files under a folder called ``tests``, the others at all files.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PATHS = ("src", "tests", "tools", "benchmarks", "examples")

# Calls that are useless without their result.
VERDICTS = {
    "all", "allclose", "any", "array_equal", "array_equiv", "equal", "isclose", "isfinite",
    "isinstance", "issubset", "is_same_size",
}  # fmt: skip
# Calls that raise when something is wrong, besides those named assert_* or check_*.
RAISING_CALLS = {
    "deprecated_call", "fail", "gradcheck", "gradgradcheck", "opcheck", "raises", "warns",
}  # fmt: skip
# Exceptions that need no message, and those whose arguments are not a message.
WORDLESS = {
    "GeneratorExit", "KeyboardInterrupt", "StopAsyncIteration", "StopIteration", "SystemExit",
}  # fmt: skip
STRUCTURED = {
    "BlockingIOError", "CalledProcessError", "FileExistsError", "FileNotFoundError",
    "IsADirectoryError", "NotADirectoryError", "OSError", "PermissionError", "SyntaxError",
    "TimeoutExpired", "UnicodeDecodeError", "UnicodeEncodeError",
}  # fmt: skip
PLACEHOLDER = re.compile(r"\{[A-Za-z_][^{}\n]*\}")


@dataclass(frozen=True, order=True)
class Finding:
    """A defect and its place."""

    path: str
    line: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.code} {self.message}"


def check_source(source: str, path: str, *, is_test: bool) -> list[Finding]:
    """Return the findings in one file, in order of line."""
    tree = ast.parse(source, filename=path)
    checks = [_raises(tree, source), _swallowed(tree)]
    if is_test:
        checks += [_dropped(tree), _assert_free(tree)]
    return sorted(Finding(path, *found) for check in checks for found in check)


Found = tuple[int, str, str]


def _name(node: ast.expr) -> str:
    """Return the last part of a (dotted) name, or the empty string."""
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_checking_name(name: str) -> bool:
    return name.lstrip("_").startswith(("assert_", "check_"))


# --- comparisons whose result is dropped -------------------------------------------------------


def _dropped(node: ast.AST, expecting: bool = False) -> Iterator[Found]:
    """Find unused comparisons, except inside ``with pytest.raises``."""
    if isinstance(node, ast.With | ast.AsyncWith):
        expecting = expecting or any(
            _name(item.context_expr) in {"raises", "warns", "deprecated_call"}
            for item in node.items
        )
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        expecting = False
    elif isinstance(node, ast.Expr) and not expecting and _is_verdict(node.value):
        text = ast.unparse(node.value)
        yield node.lineno, "dropped-comparison", f"the result of `{text[:60]}` is unused"
    for child in ast.iter_child_nodes(node):
        yield from _dropped(child, expecting)


def _is_verdict(value: ast.expr) -> bool:
    if isinstance(value, ast.Compare):
        return True
    if isinstance(value, ast.BoolOp):
        return _is_verdict(value.values[-1])
    if isinstance(value, ast.UnaryOp):
        return isinstance(value.op, ast.Not)
    if isinstance(value, ast.Tuple):
        return any(_is_verdict(part) for part in value.elts)
    return isinstance(value, ast.Call) and _name(value.func) in VERDICTS


# --- tests that cannot fail --------------------------------------------------------------------


def _assert_free(tree: ast.Module) -> Iterator[Found]:
    functions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_fixture(node)
    ]
    checking = _checking_helpers(functions)
    for node in functions:
        if node.name.startswith("test") and not _can_fail(node, checking):
            yield node.lineno, "assert-free-test", f"{node.name} asserts nothing"
        elif _is_checking_name(node.name) and node.name not in checking:
            yield node.lineno, "assert-free-test", f"the helper {node.name} asserts nothing"


def _is_fixture(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(_name(decorator) == "fixture" for decorator in node.decorator_list)


def _checking_helpers(functions: list[ast.FunctionDef | ast.AsyncFunctionDef]) -> set[str]:
    """Return the helpers of this file that assert, or that call one that does.

    Names like assert_this and check_that count only for imported helpers.
    """
    helpers = [node for node in functions if not node.name.startswith("test")]
    local = {node.name for node in helpers}
    checking: set[str] = set()
    while True:
        found = {
            node.name
            for node in helpers
            if _can_fail(node, checking, local)
            or (_is_checking_name(node.name) and _contains_raise(node))
        }
        if found == checking:
            return checking
        checking = found


def _can_fail(function: ast.AST, checking: set[str], local: set[str] | None = None) -> bool:
    """Return whether a function asserts, directly or through a helper.

    `checking` are the helpers of this file that assert; other names in `local` do not.
    """
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not _is_constant_truth(node.test):
            return True
        if isinstance(node, ast.Call):
            name = _name(node.func)
            trusted = _is_checking_name(name) and name not in (local or ())
            if trusted or name in checking or name in RAISING_CALLS or _runs_checked(node):
                return True
    return False


def _contains_raise(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Raise) for node in ast.walk(function))


def _runs_checked(call: ast.Call) -> bool:
    """Return whether the call is ``subprocess.run(..., check=True)``."""
    return _name(call) == "run" and any(
        keyword.arg == "check" and _is_constant_truth(keyword.value) for keyword in call.keywords
    )


def _is_constant_truth(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


# --- messages ----------------------------------------------------------------------------------


def _raises(tree: ast.Module, source: str) -> Iterator[Found]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Raise) or node.exc is None:
            continue
        error = node.exc
        name = _name(error)
        if not isinstance(error, ast.Call):
            if name[:1].isupper() and name not in WORDLESS:
                yield node.lineno, "raise-empty", f"{name} is raised without a message"
            continue
        if not name.lstrip("_")[:1].isupper():  # a function that makes the exception
            continue
        if not (error.args or error.keywords or name in WORDLESS) or _is_blank(error.args[:1]):
            yield node.lineno, "raise-empty", f"{name} is raised without a message"
        if len(error.args) > 1 and name.endswith("Error") and name not in STRUCTURED:
            yield node.lineno, "raise-arguments", f"{name} gets {len(error.args)} arguments"
        for text in _unformatted(error.args[:1], source):
            yield node.lineno, "raise-braces", f"{text!r} is printed literally: no f-string"


def _is_blank(args: list[ast.expr]) -> bool:
    return any(
        isinstance(arg, ast.Constant) and isinstance(arg.value, str) and not arg.value.strip()
        for arg in args
    )


def _unformatted(nodes: list[ast.expr], source: str) -> Iterator[str]:
    """Find placeholders in plain strings, including those adjacent to f-strings."""
    for node in nodes:
        if isinstance(node, ast.Call) and _name(node.func) in {"format", "format_map"}:
            continue
        if isinstance(node, ast.JoinedStr):
            # "{{x}}" in an f-string and an adjacent plain "{x}" have the same syntax tree.
            if "{{" in (ast.get_source_segment(source, node) or ""):
                continue
            parts = [part for part in node.values if isinstance(part, ast.Constant)]
            yield from _unformatted(parts, source)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from PLACEHOLDER.findall(node.value)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            yield from _unformatted([node.left, node.right], source)


# --- swallowed errors --------------------------------------------------------------------------


def _swallowed(tree: ast.Module) -> Iterator[Found]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        if node.type is None:
            message = "a bare except also catches Ctrl-C: name the error"
            yield node.lineno, "swallowed-error", message
        elif _catches_everything(node.type) and all(_does_nothing(line) for line in node.body):
            caught = ast.unparse(node.type)
            yield node.lineno, "swallowed-error", f"except {caught} that does nothing hides bugs"


def _catches_everything(caught: ast.expr) -> bool:
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(_name(kind) in {"Exception", "BaseException"} for kind in kinds)


def _does_nothing(line: ast.stmt) -> bool:
    is_text = isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
    return is_text or isinstance(line, ast.Pass | ast.Continue)


# --- command line ------------------------------------------------------------------------------


def python_files(paths: list[Path]) -> Iterator[Path]:
    """List the Python files at and below `paths`, in a fixed order."""
    for path in paths:
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def main(arguments: list[str]) -> int:
    """Check the given paths and print what is found."""
    parser = argparse.ArgumentParser(
        description="Reject assertions without effect and unreadable messages."
    )
    default = f"files and folders (default: {' '.join(DEFAULT_PATHS)})"
    parser.add_argument("paths", nargs="*", default=(), type=Path, metavar="PATH", help=default)
    named = parser.parse_args(arguments).paths
    missing = [str(path) for path in named if not path.exists()]
    if missing:
        print(f"check_tests: no such file or folder: {', '.join(missing)}", file=sys.stderr)
        return 2
    root = Path(__file__).resolve().parents[1]
    paths = named or [root / name for name in DEFAULT_PATHS if (root / name).exists()]
    findings: list[Finding] = []
    count = 0
    for path in python_files(paths):
        source = path.read_text(encoding="utf-8")
        shown = path.relative_to(root) if path.is_relative_to(root) else path
        findings += check_source(source, str(shown), is_test="tests" in shown.parts)
        count += 1
    for finding in findings:
        print(finding)
    print(f"check_tests: {len(findings)} findings in {count} files")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
