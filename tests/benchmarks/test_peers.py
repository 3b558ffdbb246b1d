"""Making the peers' environments, without making them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks import peers


def test_each_peer_gets_an_environment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    assert peers.main(["create", str(tmp_path), "--python", "python3.11"]) == 0
    made = [command[-1] for command in commands if command[1:3] == ["-m", "venv"]]
    assert made == [str(tmp_path / "dgl"), str(tmp_path / "pyg")]
    installed = [command for command in commands if "install" in command]
    assert installed[0][0] == str(peers.python_of(tmp_path / "dgl"))
    assert "dgl==2.1.0" in installed[0]
    assert "torch-geometric==2.8.1" in installed[1]
    assert f"--peer dgl={peers.python_of(tmp_path / 'dgl')}" in capsys.readouterr().out


def test_a_failing_installation_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(command: list[str], check: bool) -> None:
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(subprocess, "run", fail)
    assert peers.main(["create", str(tmp_path), "--only", "pyg"]) == 1
    assert "Stopped" in capsys.readouterr().err


def test_dgl_needs_an_older_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peers, "DGL_PYTHONS", [])
    with pytest.raises(SystemExit):
        peers.main(["create", str(tmp_path)])
