"""Examples of sampling with `import dgl` in the place of `import gossamer`: the same figures."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gossamer.compat.dgl import install, uninstall
from helpers.paths import REPOSITORY

RUNS = [
    ("link_prediction", "seal-link-prediction", ["--sampler", "labor"]),
    ("link_prediction", "ml-100k", ["--dataset", "ml-100k", "--batch-size", "8192"]),
    ("minibatch", "heterophilous-graphs", ["--dataset", "texas", "--sampler", "labor"]),
    ("graphbolt_links", "seal-link-prediction", ["--negatives", "source"]),
    ("rgcn_minibatch", "AIFB", []),
]


@pytest.fixture
def alias() -> Iterator[None]:
    install()
    yield
    uninstall()


def for_dgl(text: str) -> str:
    """The program as it is written for DGL; DGL has no `nn.models`."""
    text = text.replace("import gossamer as gs", "import dgl as gs")
    return re.sub(r"^(from|import) gossamer(?!\.nn\.models)", r"\1 dgl", text, flags=re.M)


@pytest.mark.usefixtures("alias")
@pytest.mark.parametrize(
    ("name", "folder", "argv"), RUNS, ids=[" ".join([name, *argv]) for name, _, argv in RUNS]
)
def test_the_same_figure(
    figures: Callable,
    linked: Callable,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
    folder: str,
    argv: list[str],
) -> None:
    argv = ["--raw-dir", linked(folder), "--epochs", "1", "--seeds", "1", *argv]
    lines, _ = figures(name, *argv)
    program = for_dgl((REPOSITORY / "examples" / f"{name}.py").read_text())
    assert "import dgl as gs" in program
    (tmp_path / f"{name}.py").write_text(program)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *argv])
    runpy.run_path(str(tmp_path / f"{name}.py"), run_name="__main__")
    printed = [line.partition(" %, ")[0] for line in capsys.readouterr().out.splitlines()]
    assert printed[:-1] == [line.partition(" %, ")[0] for line in lines]
