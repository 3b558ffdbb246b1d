"""The exceptions can be caught as Gossamer's and as Python's."""

from __future__ import annotations

import pickle
import re
import sys
from pathlib import Path

import pytest
import torch

from gossamer import errors, kernels
from gossamer._optional import _DISTRIBUTION_OF, _EXTRA_OF, optional_import

PROJECT = Path(__file__).parents[1] / "pyproject.toml"

KINDS = {
    errors.InvalidValueError: ValueError,
    errors.InvalidTypeError: TypeError,
    errors.UnknownKeyError: KeyError,
    errors.OutOfRangeError: IndexError,
    errors.FileError: OSError,
    errors.MissingExtraError: ImportError,
    kernels.DeviceMemoryError: torch.OutOfMemoryError,
}


def test_every_kind_is_listed() -> None:
    public = {getattr(errors, name) for name in errors.__all__} | {kernels.DeviceMemoryError}
    assert public == set(KINDS) | {errors.GossamerError}


@pytest.mark.parametrize(("kind", "builtin"), KINDS.items(), ids=lambda kind: kind.__name__)
def test_kind(kind: type[Exception], builtin: type[Exception]) -> None:
    error = kind("node type 'usr' does not exist")
    assert isinstance(error, errors.GossamerError)
    assert isinstance(error, builtin)
    assert str(error) == "node type 'usr' does not exist"
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)


@pytest.mark.parametrize("kind", [errors.GossamerError, *KINDS], ids=lambda kind: kind.__name__)
def test_no_message_is_no_crash(kind: type[Exception]) -> None:
    assert str(kind()) == ""


class TestOptionalImport:
    def test_present(self) -> None:
        assert optional_import("json", "this test").__name__ == "json"

    def test_absent(self) -> None:
        message = (
            r"^Graph\.draw needs the package 'no_such_thing', which is not installed\. "
            r"Run: pip install no_such_thing$"
        )
        with pytest.raises(errors.MissingExtraError, match=message):
            optional_import("no_such_thing.part", "Graph.draw")

    def test_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "yaml", None)
        fix = r"\. Install Gossamer with its extra 'train', or run: pip install pyyaml$"
        with pytest.raises(errors.MissingExtraError, match=fix):
            optional_import("yaml", "--config")

    def test_the_caller_s_extra_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "scipy.sparse", None)
        with pytest.raises(errors.MissingExtraError, match="extra 'a', or run"):
            optional_import("scipy.sparse", "this test", "a")

    @pytest.mark.parametrize("package", _EXTRA_OF)
    def test_every_extra_brings_its_package(self, package: str) -> None:
        block = re.search(
            rf"^{_EXTRA_OF[package]} = \[(.*?)\]$", PROJECT.read_text(), re.DOTALL | re.MULTILINE
        )
        distribution = _DISTRIBUTION_OF.get(package, package)
        assert f'"{distribution}>=' in block[1]

    def test_a_broken_package_is_not_a_missing_one(self, tmp_path, monkeypatch) -> None:
        (tmp_path / "broken_package.py").write_text("import a_dependency_of_it\n")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ModuleNotFoundError, match="a_dependency_of_it") as caught:
            optional_import("broken_package", "this test")
        assert not isinstance(caught.value, errors.MissingExtraError)
