"""Sparse optimizers against torch's, and their bookkeeping."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

import gossamer as gs
from helpers.compare import assert_tensor_equal

KINDS = ["SparseAdam", "SparseAdagrad"]


def table(rows: int = 6, dim: int = 4, name: str = "table") -> gs.nn.NodeEmbedding:
    return gs.nn.NodeEmbedding(rows, dim, name, init_func=torch.nn.init.normal_)


def pull(rows: torch.Tensor, seed: int) -> torch.Tensor:
    """A loss whose gradient differs in every entry, and depends on the rows."""
    generator = torch.Generator().manual_seed(seed)
    return (rows.sin() * torch.randn(rows.shape, generator=generator)).sum()


def test_adam_on_different_rows_is_torch_s() -> None:
    """Every step touches the same rows once, so counting by row or by step is the same."""
    embedding = table()
    weight = torch.nn.Parameter(embedding.weight.clone())
    ours = gs.optim.SparseAdam([embedding], lr=0.1, betas=(0.8, 0.95), eps=1e-15)
    theirs = torch.optim.SparseAdam([weight], lr=0.1, betas=(0.8, 0.95), eps=1e-15)
    ids = torch.tensor([4, 0, 3])
    for step in range(5):
        ours.zero_grad(), theirs.zero_grad()
        pull(embedding(ids), step).backward()
        pull(torch.nn.functional.embedding(ids, weight, sparse=True), step).backward()
        ours.step(), theirs.step()
    torch.testing.assert_close(embedding.weight, weight.detach())


def test_adam_on_every_row_is_dense_adam() -> None:
    embedding = table()
    weight = torch.nn.Parameter(embedding.weight.clone())
    ours, theirs = gs.optim.SparseAdam([embedding], lr=0.2), torch.optim.Adam([weight], lr=0.2)
    ids = torch.randperm(6)
    for step in range(5):
        ours.zero_grad(), theirs.zero_grad()
        pull(embedding(ids), step).backward()
        pull(weight[ids], step).backward()
        ours.step(), theirs.step()
    torch.testing.assert_close(embedding.weight, weight.detach())


def test_adagrad_is_dense_adagrad() -> None:
    embedding = table()
    weight = torch.nn.Parameter(embedding.weight.clone())
    ours = gs.optim.SparseAdagrad([embedding], lr=0.2, eps=1e-20)
    theirs = torch.optim.Adagrad([weight], lr=0.2, eps=1e-20)
    for step, ids in enumerate(([0, 3], [3, 1, 5], [2], [5, 0])):
        ours.zero_grad(), theirs.zero_grad()
        pull(embedding(torch.tensor(ids)), step).backward()
        pull(weight[ids], step).backward()
        ours.step(), theirs.step()
    torch.testing.assert_close(embedding.weight, weight.detach())


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_looked_up_several_times_moves_by_the_mean(kind: str) -> None:
    embedding, other = table(), table()
    other.all_set_embedding(embedding.weight)
    start = embedding.weight.clone()
    optimizers = [getattr(gs.optim, kind)([e], lr=0.3) for e in (embedding, other)]
    scale = torch.tensor([[1.0], [2.0], [6.0]])
    ((embedding(torch.tensor([2, 5, 2])) * scale).sum() + embedding([2]).sum() * 3).backward()
    (other(torch.tensor([2, 5])) * torch.tensor([[10 / 3], [2.0]])).sum().backward()
    for optimizer in optimizers:
        optimizer.step()

    torch.testing.assert_close(embedding.weight, other.weight)
    assert_tensor_equal(embedding.weight[[0, 1, 3, 4]], start[[0, 1, 3, 4]])
    assert bool((embedding.weight[[2, 5]] != start[[2, 5]]).all())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["before", "between", "after"])
def test_zero_grad_may_stand_anywhere(kind: str, order: str) -> None:
    embedding, wanted = table(), table()
    wanted.all_set_embedding(embedding.weight)
    optimizer, reference = (getattr(gs.optim, kind)([e], lr=0.3) for e in (embedding, wanted))
    for step in range(3):
        if order == "before":
            optimizer.zero_grad()
        loss = pull(embedding(torch.tensor([step, 4])), step)
        if order == "between":
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if order == "after":
            optimizer.zero_grad()
        wanted.reset_trace()
        pull(wanted(torch.tensor([step, 4])), step).backward()
        reference.step()
    assert_tensor_equal(embedding.weight, wanted.weight)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_happens_without_gradients(kind: str) -> None:
    embedding = table()
    optimizer = getattr(gs.optim, kind)([embedding], lr=0.3)
    start = embedding.weight.clone()
    optimizer.step()
    embedding(torch.tensor([0, 1]))
    optimizer.step()

    assert_tensor_equal(embedding.weight, start)
    assert embedding.trace == [], "look-ups that nobody will use do not pile up"
    embedding(torch.empty(0, dtype=torch.int64)).sum().backward()
    optimizer.step()
    assert_tensor_equal(embedding.weight, start)


@pytest.mark.parametrize("kind", KINDS)
def test_several_tables_and_ids_of_any_shape(kind: str) -> None:
    users, items = table(name="users"), table(3, 2, name="items")
    optimizer = getattr(gs.optim, kind)([users, items], lr=0.1)
    starts = users.weight.clone(), items.weight.clone()
    rows = users(torch.tensor([[0, 1], [2, 2]], dtype=torch.int32))
    assert rows.shape == (2, 2, 4)
    (rows.sum() + items(torch.tensor([1])).sum()).backward()
    optimizer.step()

    moved = [(e.weight != s).any(1).tolist() for e, s in zip((users, items), starts, strict=True)]
    assert moved == [[True, True, True, False, False, False], [False, True, False]]


@pytest.mark.parametrize("kind", KINDS)
def test_training_goes_on_from_a_saved_state(kind: str) -> None:
    def train(embedding: gs.nn.NodeEmbedding, optimizer: Any, steps: range) -> None:
        for step in steps:
            optimizer.zero_grad()
            pull(embedding(torch.tensor([step % 6, 2])), step).backward()
            optimizer.step()

    embedding, resumed = table(), table()
    optimizer = getattr(gs.optim, kind)([embedding], lr=0.3, eps=1e-4)
    train(embedding, optimizer, range(3))
    saved = copy.deepcopy(optimizer.state_dict())
    resumed.all_set_embedding(embedding.weight)
    other = getattr(gs.optim, kind)([resumed], lr=9.0)
    other.load_state_dict(saved)
    train(embedding, optimizer, range(3, 6))
    train(resumed, other, range(3, 6))

    assert_tensor_equal(resumed.weight, embedding.weight)
    assert other.param_groups == optimizer.param_groups


def test_moments_in_half_precision() -> None:
    embedding = table()
    optimizer = gs.optim.SparseAdam([embedding], lr=0.1, dtype=torch.float16)
    embedding(torch.tensor([1])).sum().backward()
    optimizer.step()
    steps, moment, power = optimizer.state_dict()["state"]["table"]
    assert (steps.dtype, moment.dtype, power.dtype) == (torch.int32, *[torch.float16] * 2)
    assert embedding.weight.dtype == torch.float32


def test_both_doors_lead_to_the_same_classes() -> None:
    assert gs.optim.pytorch.SparseAdam is gs.optim.SparseAdam
    assert gs.optim.pytorch.SparseAdagrad is gs.optim.SparseAdagrad


E = "[table()]"


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        ("gs.optim.SparseAdam(table(), 0.1)", gs.InvalidTypeError, "a list of NodeEmbedding, got"),
        ("gs.optim.SparseAdam([], 0.1)", gs.InvalidValueError, "list of parameters is empty"),
        ("gs.optim.SparseAdagrad([], 0.1)", gs.InvalidValueError, "list of parameters is empty"),
        (
            "gs.optim.SparseAdagrad([torch.nn.Parameter(torch.ones(2))], 0.1)",
            gs.InvalidTypeError,
            "got Parameter. Use torch.optim",
        ),
        ("gs.optim.SparseAdam([table(), table()], 0.1)", gs.InvalidValueError, "different names"),
        (f"gs.optim.SparseAdam({E}, '0.1')", gs.InvalidTypeError, "lr must be a number, got '0.1'"),
        (f"gs.optim.SparseAdam({E}, -0.1)", gs.InvalidValueError, r"lr must be in \[0.0, inf\)"),
        (f"gs.optim.SparseAdam({E}, float('nan'))", gs.InvalidValueError, "lr must be in"),
        (f"gs.optim.SparseAdam({E}, 0.1, (0.9, 1.0))", gs.InvalidValueError, "betas must be in"),
        (f"gs.optim.SparseAdam({E}, 0.1, 0.9)", gs.InvalidTypeError, "betas are two numbers"),
        (f"gs.optim.SparseAdam({E}, 0.1, eps=-1)", gs.InvalidValueError, "eps must be in"),
        (f"gs.optim.SparseAdagrad({E}, 0.1, eps=-1)", gs.InvalidValueError, "eps must be in"),
        (f"gs.optim.SparseAdam({E}, 0.1, use_uva=3)", gs.InvalidTypeError, "use_uva is a bool"),
        (
            f"gs.optim.SparseAdam({E}, 0.1, dtype=torch.float64)",
            gs.InvalidTypeError,
            "float32 or torch.float16, got torch.float64",
        ),
        (
            f"gs.optim.SparseAdam({E}, 0.1).load_state_dict(3)",
            gs.InvalidValueError,
            "expected a state_dict",
        ),
        (
            f"gs.optim.SparseAdam({E}, 0.1).load_state_dict("
            "gs.optim.SparseAdam([table(7)], 0.1).state_dict())",
            gs.InvalidValueError,
            "in their shapes",
        ),
        (
            f"gs.optim.SparseAdam({E}, 0.1).load_state_dict("
            "gs.optim.SparseAdam([table(name='other')], 0.1).state_dict())",
            gs.InvalidValueError,
            r"the state of \['table'\] .* that of \['other'\]",
        ),
    ],
)
def test_bad_arguments(call: str, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        eval(call)
