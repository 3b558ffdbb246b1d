"""`gossamer datasets`."""

from __future__ import annotations

import pytest

from gossamer.cli import main
from gossamer.data.registry import DATASETS


def test_every_dataset_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    for name, info in DATASETS.items():
        for value in (f"{info.nodes:,}", f"{info.edges:,}", str(info.classes), info.metric):
            assert value in rows[name].split(), name
        assert ("download" in rows[name].split()) == info.download
        assert info.reference in rows[name]
