"""The private names of torch: each is there and does what is said, and no other file has one."""

from __future__ import annotations

import pkgutil
import re

import pytest
import torch
from torch.autograd import forward_ad

from gossamer.ops import _torch
from helpers.paths import REPOSITORY

# What _torch.py takes from torch, by dotted name.
NAMES = [
    "torch._C._are_functorch_transforms_active",
    "torch._C._DisableFuncTorch",
    "torch._C._functorch.is_functorch_wrapped_tensor",
    "torch._C._functorch.is_legacy_batchedtensor",
    "torch._C._len_torch_dispatch_stack",
    "torch._assert_async",
    "torch._guards.detect_fake_mode",
    "torch.nn.modules.module._global_forward_hooks",
    "torch.nn.modules.module._global_forward_pre_hooks",
    "torch.nn.modules.module._global_backward_hooks",
    "torch.nn.modules.module._global_backward_pre_hooks",
    "torch.autograd.forward_ad._current_level",
    "torch.utils._python_dispatch._disable_current_modes",
    "torch.Tensor._is_zerotensor",
]
# Attributes that each module has.
HOOKS = {"_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"}
_PRIVATE = re.compile(
    r"(?<!_)torch\._[a-zA-Z]\w+|torch\.[\w.]*\._[a-zA-Z]\w*|forward_ad\._\w+|\._is_zerotensor"
    r"|from torch[\w.]*\._|from torch[\w.]* import \(?_"
)


@pytest.mark.parametrize("name", NAMES)
def test_torch_has_it(name: str) -> None:
    assert pkgutil.resolve_name(name) is not None


def test_no_other_file_uses_a_private_name() -> None:
    wrong = []
    for path in sorted((REPOSITORY / "src" / "gossamer").rglob("*.py")):
        if path.name == "_torch.py":
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if _PRIVATE.search(re.sub(r'"torch\.[^"]*"', "", line)):  # names in pickles are no use
                wrong.append(f"{path.name}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)


def test_every_private_name_is_listed() -> None:
    source = (REPOSITORY / "src/gossamer/ops/_torch.py").read_text(encoding="utf-8")
    used = set(re.findall(r"(?<!\w)_[a-zA-Z]\w*", source)) - {"_torch", "_check"}
    listed = {part for name in NAMES for part in name.split(".") if part.startswith("_")}
    assert used == listed | HOOKS


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_module_has_it(name: str) -> None:
    assert len(getattr(torch.nn.Linear(1, 1), name)) == 0


def test_hooks() -> None:
    linear = torch.nn.Linear(1, 1)
    registers = [
        linear.register_forward_hook,
        linear.register_forward_pre_hook,
        linear.register_full_backward_hook,
        linear.register_full_backward_pre_hook,
        torch.nn.modules.module.register_module_forward_hook,
        torch.nn.modules.module.register_module_forward_pre_hook,
        torch.nn.modules.module.register_module_full_backward_hook,
        torch.nn.modules.module.register_module_full_backward_pre_hook,
    ]
    for register in registers:
        assert not _torch.has_hooks(linear)
        handle = register(lambda *_: None)
        assert _torch.has_hooks(linear), register.__name__
        handle.remove()
    assert not _torch.has_hooks(linear)
    linear.forward = torch.relu
    assert _torch.has_hooks(linear)


def test_transforms() -> None:
    assert not _torch.under_transform()

    def inside(x):
        assert _torch.under_transform()
        assert _torch.is_transform_wrapper(x)
        with _torch.outside_transforms():
            assert not _torch.is_transform_wrapper(torch.ones(2) + 1)
        return x.sum()

    torch.func.grad(inside)(torch.ones(2))
    torch.func.vmap(inside)(torch.ones(2, 3))
    assert not _torch.is_transform_wrapper(torch.ones(2))
    assert not _torch.is_legacy_batch(torch.ones(2))


def test_legacy_batches() -> None:
    seen = []

    class Identity(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            seen.append(_torch.is_legacy_batch(grad))
            return grad

    x = torch.ones(3, requires_grad=True)
    torch.autograd.grad(Identity.apply(x), x, torch.eye(3), is_grads_batched=True)
    assert seen == [True]


def test_modes() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    assert _torch.count_dispatch_modes() == 0
    assert not _torch.in_fake_mode()
    with FakeTensorMode():
        assert _torch.count_dispatch_modes() == 1
        assert _torch.in_fake_mode()
        with _torch.outside_modes():
            assert _torch.count_dispatch_modes() == 0
    assert not _torch.forward_mode_active()
    with forward_ad.dual_level():
        assert _torch.forward_mode_active()


def test_assertions_and_zero_tensors() -> None:
    _torch.assert_async(torch.tensor(True), "never")
    with pytest.raises(RuntimeError, match="as it should"):
        _torch.assert_async(torch.tensor(False), "as it should")
    assert _torch.is_zero_tensor(torch._efficientzerotensor((2,)))
    assert not _torch.is_zero_tensor(torch.zeros(2))
