"""The syntax-tree check finds what it is for, and nothing else."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import textwrap

import pytest

from helpers.paths import REPOSITORY

TOOL = REPOSITORY / "tools" / "check_tests.py"


def _load():
    spec = importlib.util.spec_from_file_location("check_tests_tool", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses looks its module up
    spec.loader.exec_module(module)
    return module


check_source = _load().check_source


def _codes(source: str, is_test: bool = True) -> list[str]:
    source = textwrap.dedent(source)
    return [finding.code for finding in check_source(source, "file.py", is_test=is_test)]


def _in_test(line: str) -> str:
    return f"def test_it(x, y):\n    assert x\n    {line}\n"


@pytest.mark.parametrize(
    "line",
    [
        "x == y",
        "x.shape == (2, 3)",
        "x < 3 < y",
        "x and x == y",
        "not x",
        "(x == y, 'message')",
        "torch.equal(x, y)",
        "torch.allclose(x, y)",
        "x.equal(y)",
        "x.allclose(y, atol=1e-3)",
        "np.array_equal(x, y)",
        "(x == y).all()",
        "isinstance(x, int)",
    ],
)
def test_dropped_comparison(line: str) -> None:
    assert _codes(_in_test(line)) == ["dropped-comparison"]
    assert _codes(_in_test(f"if y:\n        {line}")) == ["dropped-comparison"]
    assert _codes(_in_test(line), is_test=False) == []


@pytest.mark.parametrize(
    "line",
    [
        "assert x == y",
        "z = x == y",
        "return x == y",
        "assert_equal(x, y)",
        "x.append(y == 1)",
        "with pytest.raises(TypeError):\n        x < y",
        "'text'",
    ],
)
def test_used_comparison(line: str) -> None:
    assert _codes(_in_test(line)) == []


def test_raises_does_not_excuse_what_follows() -> None:
    source = """
    def test_it(x, y):
        with pytest.raises(TypeError):
            x < y
        x == y
    """
    assert _codes(source) == ["dropped-comparison"]


@pytest.mark.parametrize(
    "body",
    [
        "run(x)",
        "pass",
        "assert True",
        "print(x == 1)",
        "result = torch.equal(x, x)",
        "subprocess.run(x, check=False)",
    ],
)
def test_assert_free(body: str) -> None:
    assert _codes(f"def test_it(x):\n    {body}\n") == ["assert-free-test"]
    assert _codes(f"class TestIt:\n    def test_it(self, x):\n        {body}\n") == [
        "assert-free-test"
    ]
    assert _codes(f"def check_it(x):\n    {body}\n") == ["assert-free-test"]
    assert _codes(f"def helper(x):\n    {body}\n") == []
    assert _codes(f"@pytest.fixture\ndef check_mode(x):\n    {body}\n") == []


@pytest.mark.parametrize(
    "body",
    [
        "assert x",
        "np.testing.assert_allclose(x, x)",
        "assert_graph_equal(x, x)",
        "_check_layer(x)",
        "torch.autograd.gradcheck(f, x)",
        "torch.library.opcheck(op, x)",
        "subprocess.run(x, check=True)",
        "pytest.fail('no')",
        "with pytest.raises(ValueError, match='x'):\n        run(x)",
        "with pytest.warns(UserWarning):\n        run(x)",
        "for y in x:\n        assert y",
    ],
)
def test_asserting(body: str) -> None:
    assert _codes(f"def test_it(x):\n    {body}\n") == []


@pytest.mark.parametrize(
    ("helper", "codes"),
    [
        ("def _compare(x):\n    assert x", []),
        ("def _compare(x):\n    _inner(x)\ndef _inner(x):\n    assert_equal(x, 1)", []),
        ("def _compare(x):\n    print(x == 1)", ["assert-free-test"]),
        ("def _compare(x):\n    _inner(x)\ndef _inner(x):\n    return x", ["assert-free-test"]),
        ("def _compare(x):\n    raise ValueError(x)", ["assert-free-test"]),
        ("def check_it(x):\n    raise ValueError(x)\ndef _compare(x):\n    check_it(x)", []),
        ("def check_it(x):\n    pass\ndef _compare(x):\n    check_it(x)", ["assert-free-test"] * 2),
    ],
)
def test_helpers_of_the_file_are_looked_into(helper: str, codes: list[str]) -> None:
    assert _codes(f"{helper}\ndef test_it(x):\n    _compare(x)\n") == codes


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("raise ValueError('got {name}')", "raise-braces"),
        ("raise ValueError('got {name!r:>10}')", "raise-braces"),
        ("raise ValueError('a' 'got {x.shape[0]}')", "raise-braces"),
        ("raise ValueError(f'{a} and ' 'then {name}')", "raise-braces"),
        ("raise ValueError('got {name}' + text)", "raise-braces"),
        ("raise ValueError", "raise-empty"),
        ("raise ValueError()", "raise-empty"),
        ("raise ValueError('')", "raise-empty"),
        ("raise errors.UnknownKeyError(' ') from None", "raise-empty"),
        ("raise NotImplementedError", "raise-empty"),
        ("raise InvalidValueError('expected %s', name)", "raise-arguments"),
        ("raise KeyError(key, 'is missing')", "raise-arguments"),
    ],
)
def test_unreadable_messages(line: str, code: str) -> None:
    assert _codes(f"def f(name):\n    {line}\n", is_test=False) == [code]


@pytest.mark.parametrize(
    "line",
    [
        "raise ValueError(f'got {name}')",
        "raise ValueError('got {name}'.format(name=name))",
        "raise ValueError(f'write {{name}}, got {name}')",
        "raise ValueError('a set: {1, 2}, a dict: {}')",
        "raise ValueError(message)",
        "raise",
        "raise error",
        "raise error from None",
        "raise StopIteration",
        "raise SystemExit(2)",
        "raise _missing(name, 'node')",
        "raise FileNotFoundError(2, 'missing', name)",
    ],
)
def test_readable_messages(line: str) -> None:
    assert _codes(f"def f(name):\n    {line}\n", is_test=False) == []


@pytest.mark.parametrize(
    ("handler", "codes"),
    [
        ("except:\n    recover()", ["swallowed-error"]),
        ("except Exception:\n    pass", ["swallowed-error"]),
        ("except (ValueError, BaseException):\n    pass", ["swallowed-error"]),
        ("except Exception:\n    'a reason is no answer'", ["swallowed-error"]),
        ("except Exception as error:\n    report(error)", []),
        ("except FileNotFoundError:\n    pass", []),
    ],
)
def test_swallowed_errors(handler: str, codes: list[str]) -> None:
    assert _codes(f"try:\n    run()\n{handler}\n", is_test=False) == codes


def _run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(TOOL), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_command_line(tmp_path) -> None:
    folder = tmp_path / "tests" / "nn"
    folder.mkdir(parents=True)
    (folder / "test_good.py").write_text("def test_it():\n    assert f() == 1\n")
    clean = _run(str(tmp_path))
    assert (clean.returncode, clean.stdout) == (0, "check_tests: 0 findings in 1 files\n")

    bad = folder / "test_bad.py"
    bad.write_text("def test_it():\n    f() == 1\n")
    found = _run(str(tmp_path))
    assert found.returncode == 1
    assert found.stdout.splitlines() == [
        f"{bad}:1: assert-free-test test_it asserts nothing",
        f"{bad}:2: dropped-comparison the result of `f() == 1` is unused",
        "check_tests: 2 findings in 2 files",
    ]


def test_command_line_with_a_wrong_path(tmp_path) -> None:
    run = _run(str(tmp_path / "nowhere"))
    assert run.returncode == 2
    assert run.stderr.startswith("check_tests: no such file or folder")


def test_help_and_unknown_options() -> None:
    shown = _run("--help")
    assert shown.returncode == 0
    assert "default: src tests tools benchmarks examples" in shown.stdout
    wrong = _run("--nope")
    assert wrong.returncode == 2
    assert "unrecognized arguments: --nope" in wrong.stderr
