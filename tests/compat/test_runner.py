"""`python -m gossamer.compat.dgl` runs programs as Python does, with `import dgl` in them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gossamer
from compat import programs

SHOW = """
import sys, os
print(__name__, sys.argv, sys.path[0], __file__, __spec__ and __spec__.name, __package__)
import dgl, sibling
main = sys.modules["__main__"]
print(dgl.graph(([0], [1])).num_edges(), sibling.WORD, vars(main) is globals())
"""


def run(*arguments: str, cwd: Path, module: bool = True) -> subprocess.CompletedProcess[str]:
    env = dict(os.environ)
    if not gossamer.kernels.info()["native"]:
        env["GOSSAMER_KERNELS"] = "reference"  # it would warn, and rightly
    door = ["-m", "gossamer.compat.dgl"] if module else []
    command = [sys.executable, *door, *arguments]
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120
    )


def output(*arguments: str, cwd: Path) -> str:
    finished = run(*arguments, cwd=cwd)
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    return finished.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder ``code`` with a script, its neighbour, and the same as a package."""
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
def test_module(project: Path, name: str) -> None:
    first, second = output("-m", name, "--flag", cwd=project).splitlines()
    file = name.partition(".")[2] or "__main__"
    path = os.path.realpath(project / "package" / f"{file}.py")
    where = os.path.realpath(project)
    assert first == f"__main__ {[path, '--flag']} {where} {path} package.{file} package"
    assert second == "1 in the current folder True"


def test_folder_with_a_main(project: Path) -> None:
    first, second = output("package", cwd=project).splitlines()
    assert first.startswith(f"__main__ {['package']} {os.path.realpath(project / 'package')} ")
    assert second == "1 beside True"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("raise SystemExit(7)", 7),
        ("import sys; sys.exit('words')", 1),
        ("import os; os._exit(3)", 3),
        ("1 / 0", 1),
        ("import dgl; dgl.nn.NNConv; dgl.nothing_like_it", 1),
        ("pass", 0),
    ],
)
def test_exit_code_is_the_programs(tmp_path: Path, code: str, status: int) -> None:
    (tmp_path / "program.py").write_text(code)
    assert run("program.py", cwd=tmp_path).returncode == status


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
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
    tmp_path: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    finished = run(*arguments, cwd=tmp_path)
    assert finished.returncode == status
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr


def test_help(tmp_path: Path) -> None:
    assert "usage: python -m gossamer.compat.dgl SCRIPT" in output("--help", cwd=tmp_path)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("MESSAGE_PASSING", "[400.0, 4001.0, 20.0]\n[5.0, 6.0, 6.0]\nrefused\n"),
        ("LAYER", "True\n"),
        ("DATA", "loaded\n6 3 3\n5 5 25\n5 5 50\n2 2 27\n"),
        ("HETERO", "[1.0, 3.0]\n[0, 0, 1, 1, 1]\n[0, 0, 1, 1]\n"),
        ("SPAWN", "(6.0, True)\n"),
    ],
)
def test_program_of_a_user(tmp_path: Path, name: str, printed: str) -> None:
    (tmp_path / "program.py").write_text(getattr(programs, name))
    assert output("program.py", str(tmp_path), cwd=tmp_path) == printed


def test_processes_of_a_program_find_the_door(tmp_path: Path) -> None:
    """Launchers start the real program in a process of its own."""
    (tmp_path / "inner.py").write_text("import dgl.nn.pytorch as n; print(n.GraphConv.__module__)")
    (tmp_path / "outer.py").write_text(
        "import subprocess, sys; subprocess.run([sys.executable, 'inner.py'], check=True)"
    )
    assert output("outer.py", cwd=tmp_path) == "gossamer.nn.conv.graphconv\n"
