"""Shared by all libraries: backward with a given cotangent, and a training epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from benchmarks.adapters import Form

CHECKED_EPOCHS = 3


def differentiate(
    forward: Callable[[], Tensor], wrt: Mapping[str, Tensor], cotangent: Tensor
) -> Callable[[], dict[str, Tensor]]:
    """A call that runs `forward` and its backward, with the gradients of `wrt` by name."""

    def run() -> dict[str, Tensor]:
        out = forward()
        grads = torch.autograd.grad(out, list(wrt.values()), cotangent.view_as(out))
        named = {f"grad_{name}": grad for name, grad in zip(wrt, grads, strict=True)}
        return {"out": out.detach().view_as(cotangent), **named}

    return run


def transpose_weights(results: dict[str, Tensor], names: tuple[str, ...]) -> dict[str, Tensor]:
    """Turn gradients of ``nn.Linear`` weights (out, in) into the registry's (in, out): views."""
    return {
        name: value.t() if name.removeprefix("grad_") in names else value
        for name, value in results.items()
    }


def epochs(
    model: nn.Module,
    forward: Callable[[], Tensor],
    inputs: Mapping[str, Tensor],
    compiled: bool = False,
) -> Form:
    """Full-batch training: one call is forward, loss on the training nodes, backward, Adam."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
    label, train = inputs["label"][inputs["train"]], inputs["train"]

    def loss_of_epoch() -> Tensor:
        return nn.functional.cross_entropy(forward()[train], label)

    if compiled:
        # The whole step: forward and loss, their gradient, and the optimizer.
        loss_of_epoch = torch.compile(loss_of_epoch)
        optimizer.step = torch.compile(optimizer.step)
        loss_of_epoch().backward()

    def epoch() -> dict[str, Tensor]:
        loss = loss_of_epoch()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return {"loss": loss.detach()}

    def check() -> dict[str, Tensor]:
        logits = forward().detach()
        losses = torch.stack([epoch()["loss"] for _ in range(CHECKED_EPOCHS)])
        return {"logits": logits, "losses": losses}

    return Form(epoch, check)


def zero_biases(*layers: nn.Module) -> None:
    """Set every bias to zero, since libraries initialize them differently."""
    with torch.no_grad():
        for layer in layers:
            for name, parameter in layer.named_parameters():
                if name.endswith("bias"):
                    parameter.zero_()


def set_parameters(
    layer: nn.Module, names: Mapping[str, str], inputs: Mapping[str, Tensor]
) -> tuple[dict[str, nn.Parameter], tuple[str, ...]]:
    """Copy registry arrays into a layer's parameters.

    Returns the parameters by the registry's names, and those names whose array is transposed
    (the registry keeps (in, out), ``nn.Linear`` (out, in)).
    """
    found, turned = {}, []
    for array, path in names.items():
        parameter = layer.get_parameter(path)
        value = inputs[array]
        if path.endswith(".weight"):
            value = value.t()
            turned.append(array)
        with torch.no_grad():
            parameter.copy_(value.view(parameter.shape) if value.is_contiguous() else value)
        found[array] = parameter
    return found, tuple(turned)
