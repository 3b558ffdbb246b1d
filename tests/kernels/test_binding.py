"""Arguments of native functions: each is given by name, exactly once."""

from __future__ import annotations

import pytest
import torch

from helpers.kernel_cases import require_native

require_native()
from gossamer.kernels.cpu import core  # noqa: E402  (needs the extension)

IDS = torch.tensor([0, 1, 2, 2], dtype=torch.int32)
ARGUMENTS = {"ids": IDS.data_ptr(), "wide": False, "count": 4, "threads": 1}


@pytest.mark.parametrize("names", [list(ARGUMENTS), list(ARGUMENTS)[::-1]], ids=str)
def test_the_order_does_not_matter(names) -> None:
    arguments = {name: ARGUMENTS[name] for name in names}
    assert core.is_sorted(**arguments) is True
    assert core.is_identity(**arguments) is False


def test_a_name_that_is_not_interned() -> None:
    arguments = {"".join(list(name)): value for name, value in ARGUMENTS.items()}
    assert core.is_sorted(**arguments) is True


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_missing_argument(name) -> None:
    arguments = {key: value for key, value in ARGUMENTS.items() if key != name}
    with pytest.raises(TypeError, match=rf"is_sorted\(\) misses the argument '{name}'"):
        core.is_sorted(**arguments)


def test_no_argument_at_all() -> None:
    with pytest.raises(TypeError, match=r"topk\(\) misses the argument 'values'"):
        core.topk()


def test_an_unknown_argument() -> None:
    with pytest.raises(TypeError, match=r"is_sorted\(\) has no argument 'length'"):
        core.is_sorted(**ARGUMENTS, length=4)


def test_arguments_by_position() -> None:
    with pytest.raises(TypeError, match=r"is_sorted\(\) takes its arguments by name"):
        core.is_sorted(*ARGUMENTS.values())


@pytest.mark.parametrize("value", ["4", None, 4.5, 1 << 70], ids=str)
def test_a_value_of_the_wrong_type(value) -> None:
    with pytest.raises((TypeError, OverflowError)):
        core.is_sorted(**{**ARGUMENTS, "count": value})
