"""The set-up script decides rightly what to do; the installing itself is what `make test` did."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import REPOSITORY


@pytest.fixture
def setup_env():
    path = REPOSITORY / "tools" / "setup_env.py"
    spec = importlib.util.spec_from_file_location("setup_env_tool", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def calls(setup_env, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Record what pip is asked for instead of running it."""
    recorded: list[tuple[str, ...]] = []
    monkeypatch.setattr(setup_env, "pip", lambda _, *args, doing: recorded.append(args))
    monkeypatch.setattr(setup_env, "create", lambda venv: venv.mkdir(exist_ok=True))
    monkeypatch.setattr(setup_env, "build", lambda _, *args: recorded.append(args))
    found = ["--extra-index-url", "an-index"]
    monkeypatch.setattr(setup_env, "find_torch", lambda *args: found)
    return recorded


def _flat(calls: list[tuple[str, ...]]) -> list[str]:
    return [argument for call in calls for argument in call]


def test_second_run_does_nothing(setup_env, calls, tmp_path: Path) -> None:
    setup_env.set_up(tmp_path / "venv", "test", "")
    first = _flat(calls)
    # The other index serves torch alone.
    assert [call[-1] for call in calls if "an-index" in call] == ["torch"]
    assert f"{REPOSITORY}[test]" in first
    assert str(setup_env.CONSTRAINTS) in first
    calls.clear()
    setup_env.set_up(tmp_path / "venv", "test", "")
    setup_env.set_up(tmp_path / "venv", "train", "")
    assert calls == []


def test_train_is_not_enough_for_test(setup_env, calls, tmp_path: Path) -> None:
    setup_env.set_up(tmp_path / "venv", "train", "")
    calls.clear()
    setup_env.set_up(tmp_path / "venv", "test", "")
    assert f"{REPOSITORY}[test]" in _flat(calls)


def test_the_documentation_is_added_to_what_is_there(setup_env, calls, tmp_path: Path) -> None:
    setup_env.set_up(tmp_path / "venv", "test", "")
    calls.clear()
    setup_env.set_up(tmp_path / "venv", "docs", "")
    assert f"{REPOSITORY}[docs]" in _flat(calls)
    calls.clear()
    for extra in ("docs", "test", "train"):
        setup_env.set_up(tmp_path / "venv", extra, "")
    assert calls == []


def test_an_interrupted_run_is_done_again(setup_env, calls, tmp_path: Path, monkeypatch) -> None:
    setup_env.set_up(tmp_path / "venv", "train", "")

    def stop(*args, **kwargs):
        raise setup_env.SetupError("no network")

    monkeypatch.setattr(setup_env, "pip", stop)
    with pytest.raises(setup_env.SetupError, match="no network"):
        setup_env.set_up(tmp_path / "venv", "test", "")
    assert setup_env.read_stamp(tmp_path / "venv" / "gossamer-stamp.json") == {}


def test_another_torch_is_taken_as_asked(setup_env, calls, tmp_path: Path) -> None:
    setup_env.set_up(tmp_path / "venv", "train", "")
    calls.clear()
    setup_env.set_up(tmp_path / "venv", "train", "torch==2.12.1")
    asked = _flat(calls)
    assert "torch==2.12.1" in asked
    assert "an-index" not in asked
    assert "--constraint" not in asked


@pytest.mark.parametrize("changed", ["pyproject.toml", "CMakeLists.txt", "csrc/core/new.cpp"])
def test_a_changed_build_changes_the_fingerprint(
    setup_env, tmp_path: Path, monkeypatch, changed: str
) -> None:
    monkeypatch.setattr(setup_env, "ROOT", tmp_path)
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("torch==2.13.0\n")
    monkeypatch.setattr(setup_env, "CONSTRAINTS", constraints)
    monkeypatch.setattr(setup_env, "__file__", str(constraints))
    before = setup_env.compute_fingerprint(tmp_path / ".venv", "")
    assert setup_env.compute_fingerprint(tmp_path / ".venv", "") == before
    (tmp_path / changed).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / changed).write_text("new\n")
    assert setup_env.compute_fingerprint(tmp_path / ".venv", "") != before


# A pip that answers a dry run for torch from the files "plain" and "cpu"; without a file it fails.
STUB = """#!{python}
import sys
from pathlib import Path

folder = Path(__file__).parent
with open(folder / "calls", "a") as calls:
    print(*sys.argv[1:], file=calls)
answer = folder / ("cpu" if "--extra-index-url" in sys.argv else "plain")
if not answer.exists():
    sys.exit("ERROR: no matching distribution")
print(answer.read_text())
"""
CPU, CUDA = ["torch", "sympy"], ["torch", "nvidia-cublas", "cuda-toolkit"]
OPTIONS = ["--extra-index-url", "https://download.pytorch.org/whl/cpu", "--retries", "1"]
SIZE = "2 more packages, about 3 GB to download"


@pytest.mark.parametrize(
    ("plain", "cpu", "gpu", "asked", "options", "message"),
    [
        pytest.param(CPU, None, False, 1, [], "", id="a CPU build by itself"),
        pytest.param([], None, False, 1, [], "", id="installed already"),
        pytest.param(CUDA, CPU, False, 2, OPTIONS, "", id="no GPU"),
        pytest.param(CUDA, CPU, True, 1, [], f"(there is a GPU): {SIZE}", id="a GPU"),
        # pip goes on without an index that it cannot reach, or fails: both happen.
        pytest.param(CUDA, CUDA, False, 2, [], f"cannot be reached): {SIZE}", id="skipped index"),
        pytest.param(CUDA, None, False, 2, [], f"cannot be reached): {SIZE}", id="no index"),
    ],
)
def test_torch_fits_the_machine(
    setup_env, tmp_path: Path, monkeypatch, capsys, plain, cpu, gpu, asked, options, message
) -> None:
    python = _stub(tmp_path, plain=plain, cpu=cpu)
    monkeypatch.setattr(setup_env, "has_gpu", lambda: gpu)
    assert setup_env.find_torch(python, ["--constraint", "file"]) == options
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == asked
    assert "--extra-index-url" not in calls[0]
    assert all("--constraint file torch" in call for call in calls)
    printed = capsys.readouterr().out
    assert message in printed and printed.count("\n") == bool(message)


def test_no_torch_for_this_python(setup_env, tmp_path: Path) -> None:
    with pytest.raises(setup_env.SetupError, match=r"pip finds no torch==.* Try another Python"):
        setup_env.find_torch(_stub(tmp_path), [])


def _stub(folder: Path, **answers: list[str] | None) -> Path:
    for name, packages in answers.items():
        if packages is not None:
            report = {"install": [{"metadata": {"name": package}} for package in packages]}
            (folder / name).write_text(json.dumps(report))
    python = folder / "python"
    python.write_text(STUB.format(python=sys.executable))
    python.chmod(0o755)
    return python


@pytest.mark.parametrize(("gpu", "expected"), [("nvidia-smi", True), ("other", False)])
def test_a_gpu_is_seen_by_its_driver(
    setup_env, tmp_path: Path, monkeypatch, gpu: str, expected: bool
) -> None:
    if Path("/proc/driver/nvidia").exists():
        pytest.skip("this machine has the driver")
    (tmp_path / gpu).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert setup_env.has_gpu() is expected


@pytest.mark.parametrize("code", [0, 1])
def test_the_build_shows_its_steps(setup_env, tmp_path: Path, capsys, code: int) -> None:
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\necho Collecting x\necho '  [1/2] Building CXX object a.o'\n"
        f"echo '  a.cpp: error: no' >&2\nexit {code}\n"
    )
    python.chmod(0o755)
    if code == 0:
        setup_env.build(python, "install", "-v")
    else:
        with pytest.raises(setup_env.SetupError, match=r"could not build gossamer: .*code 1\)"):
            setup_env.build(python, "install", "-v")
    out, err = capsys.readouterr()
    assert out == "[1/2] Building CXX object a.o\n"
    assert ("error: no" in err) is bool(code)


def test_the_environment_of_this_run_is_usable_and_a_missing_one_is_not(
    setup_env, tmp_path
) -> None:
    assert setup_env.is_usable(Path(sys.executable))
    assert not setup_env.is_usable(tmp_path / "bin" / "python")


def test_requirements_are_read_from_pyproject(setup_env) -> None:
    assert any(name.startswith("nanobind") for name in setup_env.build_requirements())
    assert setup_env.pinned_torch() == "torch==2.13.0"


def test_errors_are_one_line(setup_env, monkeypatch, capsys) -> None:
    def stop(*args):
        raise setup_env.SetupError("no network")

    monkeypatch.setattr(setup_env, "set_up", stop)
    # Somebody else's set-up in this tree may hold the lock for minutes.
    monkeypatch.setattr(setup_env.fcntl, "flock", lambda *args: None)
    monkeypatch.setattr(sys, "argv", ["setup_env.py", "train"])
    assert setup_env.main() == 2
    assert capsys.readouterr().err == "setup_env: no network\n"


def _make(target: str, *variables: str) -> subprocess.CompletedProcess:
    command = ["make", "-s", "-C", str(REPOSITORY), target, *variables]
    # What an outer `make test` hands down must not reach this one.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_an_old_python_is_refused_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text('#!/bin/sh\ncase "$2" in *exit*) exit 1;; *) echo Python 3.8.1;; esac\n')
    old.chmod(0o755)
    run = _make("python", f"PYTHON={old}")
    assert run.returncode == 2
    assert run.stderr.startswith(
        f"make: Gossamer needs Python 3.10 or newer, but '{old}' is Python 3.8.1; name another"
    )
    assert _make("python", f"PYTHON={sys.executable}").returncode == 0


def test_help_lists_the_two_commands() -> None:
    printed = _make("help").stdout
    assert "make train" in printed
    assert "make test" in printed
