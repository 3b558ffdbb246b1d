"""`python -m gossamer.compat.dgl` runs programs as Python does, with `import dgl` in them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gossamer
from compat import programs
from gossamer.compat.dgl import installed, uninstall
from gossamer.compat.dgl._runner import main

SHOW = """
import sys, os
print(__name__, sys.argv, sys.path[0], __file__, __spec__ and __spec__.name, __package__)
import dgl, sibling
main = sys.modules["__main__"]
print(dgl.graph(([0], [1])).num_edges(), sibling.WORD, vars(main) is globals())
"""


def output(*arguments: str, cwd: Path) -> str:
    """What a command line prints in a process of its own."""
    env = dict(os.environ)
    if not gossamer.kernels.info()["native"]:
        env["GOSSAMER_KERNELS"] = "reference"  # it would warn, and rightly
    command = [sys.executable, "-m", "gossamer.compat.dgl", *arguments]
    finished = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    return finished.stdout


@pytest.fixture
def run_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run a command line in this process: a new one costs seconds, most of them torch's."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setattr(sys, "path", [os.getcwd(), *sys.path[1:]])
    monkeypatch.setenv("PYTHONPATH", "")

    def run_command(*arguments: str, cwd: Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["program", *arguments])
        monkeypatch.chdir(cwd)
        status = 0
        try:
            main()
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else 1
            if isinstance(left.code, str):
                print(left.code, file=sys.stderr)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    yield run_command
    uninstall()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("package", "sibling")]:
        del sys.modules[name]


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder ``code`` with a script, its neighbor, and the same as a package."""
    for folder in (tmp_path / "code", tmp_path / "package"):
        folder.mkdir()
        (folder / "sibling.py").write_text("WORD = 'beside'\n")
    (tmp_path / "sibling.py").write_text("WORD = 'in the current folder'\n")
    (tmp_path / "code" / "show.py").write_text(SHOW)
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "__main__.py").write_text(SHOW)
    (tmp_path / "package" / "show.py").write_text(SHOW)
    return tmp_path


def test_script(project: Path) -> None:
    script = os.path.join("code", "show.py")
    first, second = output(script, "-m", "--flag", cwd=project).splitlines()
    folder = os.path.realpath(project / "code")
    assert first == f"__main__ {[script, '-m', '--flag']} {folder} {script} None None"
    assert second == "1 beside True"


@pytest.mark.parametrize("name", ["package.show", "package"])
def test_module(project: Path, run_here: Run, name: str) -> None:
    status, printed, _ = run_here("-m", name, "--flag", cwd=project)
    first, second = printed.splitlines()
    file = name.partition(".")[2] or "__main__"
    path = os.path.realpath(project / "package" / f"{file}.py")
    where = os.path.realpath(project)
    assert status == 0
    assert first == f"__main__ {[path, '--flag']} {where} {path} package.{file} package"
    assert second == "1 in the current folder True"


def test_folder_with_a_main(project: Path, run_here: Run) -> None:
    _, printed, _ = run_here("package", cwd=project)
    first, second = printed.splitlines()
    assert first.startswith(f"__main__ {['package']} {os.path.realpath(project / 'package')} ")
    assert second == "1 beside True"


@pytest.mark.parametrize(
    ("code", "expected"),
    [("raise SystemExit(7)", 7), ("import sys; sys.exit('words')", 1), ("pass", 0)],
)
def test_exit_code_is_the_programs(tmp_path: Path, run_here: Run, code: str, expected: int) -> None:
    (tmp_path / "program.py").write_text(code)
    assert run_here("program.py", cwd=tmp_path)[0] == expected


def test_an_error_of_the_program_is_its_own(tmp_path: Path, run_here: Run) -> None:
    (tmp_path / "program.py").write_text("import dgl\ndgl.nn.NNConv\ndgl.nothing_like_it\n")
    with pytest.raises(AttributeError, match="module 'dgl' has no attribute 'nothing_like_it'"):
        run_here("program.py", cwd=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "expected", "message"),
    [
        ((), 2, "usage: python -m gossamer.compat.dgl SCRIPT"),
        (("-m",), 2, "usage: python -m gossamer.compat.dgl SCRIPT"),
        (("nowhere.py",), 2, "can't open file 'nowhere.py': [Errno 2]"),
        (("-m", "no_such_module"), 1, "No module named no_such_module"),
        (("-m", "no_such_package.module"), 1, "No module named 'no_such_package'"),
        ((".",), 1, "can't find '__main__' module in '.'"),
    ],
)
def test_what_cannot_be_run(
    tmp_path: Path, run_here: Run, arguments: tuple[str, ...], expected: int, message: str
) -> None:
    status, _, errors = run_here(*arguments, cwd=tmp_path)
    assert status == expected
    assert message in errors


def test_help(tmp_path: Path, run_here: Run) -> None:
    status, printed, _ = run_here("--help", cwd=tmp_path)
    assert status == 0
    assert "usage: python -m gossamer.compat.dgl SCRIPT" in printed


def test_nothing_to_run_does_not_install(tmp_path: Path, run_here: Run) -> None:
    run_here(cwd=tmp_path)
    assert not installed()


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("MESSAGE_PASSING", "[400.0, 4001.0, 20.0]\n[5.0, 6.0, 6.0]\nrefused\n"),
        ("LAYER", "True\n"),
        ("DATA", "loaded\n6 3 3\n5 5 25\n5 5 50\n2 2 27\n"),
        ("HETERO", "[1.0, 3.0]\n[0, 0, 1, 1, 1] [0, 0, 1, 1]\n"),
    ],
)
def test_program_of_a_user(tmp_path: Path, run_here: Run, name: str, printed: str) -> None:
    (tmp_path / "program.py").write_text(getattr(programs, name))
    assert run_here("program.py", str(tmp_path), cwd=tmp_path) == (0, printed, "")


def test_spawned_workers_import_gossamer(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(programs.SPAWN)
    assert output("program.py", cwd=tmp_path) == "(6.0, True)\n"


def test_processes_of_a_program_import_gossamer(tmp_path: Path) -> None:
    """Launchers start the real program in a process of its own."""
    (tmp_path / "inner.py").write_text("import dgl.nn.pytorch as n; print(n.GraphConv.__module__)")
    (tmp_path / "outer.py").write_text(
        "import subprocess, sys; subprocess.run([sys.executable, 'inner.py'], check=True)"
    )
    assert output("outer.py", cwd=tmp_path) == "gossamer.nn.conv.graphconv\n"
