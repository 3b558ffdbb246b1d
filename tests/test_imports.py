"""Importing the package is cheap and pulls in nothing optional, in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import gossamer

OPTIONAL = [
    "matplotlib",
    "networkx",
    "pandas",
    "pyarrow",
    "safetensors",
    "scipy",
    "sklearn",
    "tqdm",
    "yaml",
]

# Some of OPTIONAL may come with torch itself (it imports networkx where it is installed, say);
# what counts is what we add.
PROGRAM = """
import json, sys
import torch, numpy
before = set(sys.modules)
{statement}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def _modules_added_by(statement: str) -> list[str]:
    env = dict(os.environ)
    if not gossamer.kernels.info()["native"]:
        env["GOSSAMER_KERNELS"] = "reference"  # it would warn, and rightly
    command = [sys.executable, "-c", PROGRAM.format(statement=statement)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert run.returncode == 0, run.stderr
    assert run.stderr == "", "importing must be silent"
    return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def added() -> list[str]:
    return _modules_added_by("import gossamer; gossamer.graph; gossamer.nn.GraphConv")


def test_no_optional_package_is_loaded(added: list[str]) -> None:
    assert "gossamer.graph" in added
    loaded = {name.partition(".")[0] for name in added}
    assert not loaded & set(OPTIONAL)


def test_nothing_heavy_is_loaded(added: list[str]) -> None:
    """A generous bound; torch alone loads well over a thousand modules."""
    foreign = [name for name in added if name.partition(".")[0] != "gossamer"]
    assert len(foreign) < 150, foreign
    heavy = {"torch._dynamo", "torch._inductor", "torch.distributed.rpc"}
    assert not heavy & set(added)


def test_the_command_line_is_not_loaded(added: list[str]) -> None:
    assert not [name for name in added if name.startswith(("gossamer.cli", "gossamer.compat"))]


@pytest.mark.skipif("CI" not in os.environ, reason="elsewhere a compiler may be missing")
def test_continuous_integration_has_the_native_core() -> None:
    """Otherwise every test would pass on the reference kernels, and nobody would notice."""
    info = gossamer.kernels.info()
    assert info["native"], info["why_not"]


@pytest.mark.parametrize(
    ("argv", "code"),
    [(["--help"], 0), (["--version"], 0), (["tarin"], 2), (["train", "--hiden", "3"], 2)],
)
def test_the_command_answers_without_torch(argv: list[str], code: int) -> None:
    program = (
        "import sys\nfrom gossamer.cli import main\n"
        "try:\n    code = main(sys.argv[1:])\nexcept SystemExit as stop:\n    code = stop.code\n"
        "print('torch' in sys.modules, code)"
    )
    command = [sys.executable, "-c", program, *argv]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == f"False {code}"


@pytest.mark.parametrize(
    "first", ["from gossamer import graph", "import gossamer.graph.io", "import gossamer.nn"]
)
def test_graph_is_the_function_whatever_is_imported_first(first: str) -> None:
    program = f"{first}\nimport gossamer\nprint(gossamer.graph(([0], [1])).num_edges())"
    command = [sys.executable, "-W", "ignore", "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == "1\n"


def test_dir_lists_the_public_names() -> None:
    assert set(gossamer.__all__) <= set(dir(gossamer))


@pytest.mark.parametrize(
    ("name", "message"),
    [("DGLGraph", r"'DGLGraph'; use gossamer\.Graph$"), ("grahp", r"no attribute 'grahp'$")],
)
def test_a_name_that_is_not_there(name: str, message: str) -> None:
    with pytest.raises(AttributeError, match=message):
        getattr(gossamer, name)


def test_the_measurement_itself() -> None:
    assert "json.tool" in _modules_added_by("import json.tool")
