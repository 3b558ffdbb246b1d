"""Tables of rows that are looked up by node."""

from __future__ import annotations

import pickle

import pytest
import torch

import gossamer as gs
from gossamer.nn import NodeEmbedding
from helpers.compare import assert_tensor_equal


def numbered(table: torch.Tensor) -> torch.Tensor:
    return torch.arange(table.numel()).reshape(table.shape).to(table)


def test_rows_are_leaves_that_take_gradients() -> None:
    embedding = NodeEmbedding(4, 2, "nodes", init_func=numbered)
    rows = embedding(torch.tensor([3, 0, 3]))

    assert_tensor_equal(rows.detach(), embedding.weight[[3, 0, 3]])
    assert rows.is_leaf and rows.requires_grad
    ((ids, remembered),) = embedding.trace
    assert remembered is rows
    assert_tensor_equal(ids, torch.tensor([3, 0, 3]))


def test_nothing_is_remembered_without_gradients() -> None:
    embedding = NodeEmbedding(4, 2, "nodes", init_func=numbered)
    with torch.no_grad():
        rows = embedding(torch.tensor([1]))
    assert embedding.trace == [] and not rows.requires_grad


def test_writing_into_rows_leaves_the_table_alone() -> None:
    embedding = NodeEmbedding(4, 2, "nodes", init_func=numbered)
    with torch.no_grad():
        embedding(torch.tensor([1])).zero_()
    assert_tensor_equal(embedding.weight, numbered(embedding.weight))


def fill_with_ones(table: torch.Tensor) -> None:
    table.fill_(1)


@pytest.mark.parametrize("init", [torch.nn.init.ones_, torch.ones_like, fill_with_ones])
def test_initializers_in_place_or_not(init) -> None:
    embedding = NodeEmbedding(3, 2, "nodes", init_func=init)
    assert_tensor_equal(embedding.weight, torch.ones(3, 2))
    assert not embedding.weight.requires_grad


def test_default_is_zeros() -> None:
    assert_tensor_equal(NodeEmbedding(3, 2, "nodes").weight, torch.zeros(3, 2))


def test_what_it_says_of_itself() -> None:
    embedding = NodeEmbedding(3, 2, "nodes")
    assert repr(embedding) == "NodeEmbedding(3, 2, name='nodes')"
    assert (embedding.num_embeddings, embedding.embedding_dim, embedding.name) == (3, 2, "nodes")
    assert (embedding.rank, embedding.world_size, embedding.partition) == (-1, 0, None)


def test_no_rows_and_no_columns() -> None:
    assert NodeEmbedding(0, 2, "nodes")(torch.empty(0, dtype=torch.int64)).shape == (0, 2)
    assert NodeEmbedding(3, 0, "nodes")(torch.tensor([2, 2])).shape == (2, 0)


def test_it_travels() -> None:
    embedding = NodeEmbedding(4, 2, "nodes", init_func=numbered)
    back = pickle.loads(pickle.dumps(embedding))
    assert_tensor_equal(back.weight, embedding.weight)
    assert back.name == "nodes"


def test_rows_arrive_where_they_are_wanted(device: torch.device) -> None:
    embedding = NodeEmbedding(4, 2, "nodes", init_func=numbered)
    rows = embedding(torch.tensor([1], device=device), device)
    assert rows.device == device and rows.is_leaf
    assert embedding(torch.tensor([1], device=device)).device.type == "cpu"


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        ("NodeEmbedding(-1, 2, 'e')", gs.InvalidValueError, "num_embeddings is at least 0"),
        ("NodeEmbedding(2.0, 2, 'e')", gs.InvalidTypeError, "num_embeddings is an int, got 2.0"),
        ("NodeEmbedding(2, True, 'e')", gs.InvalidTypeError, "embedding_dim is an int, got True"),
        ("NodeEmbedding(2, 2, None)", gs.InvalidTypeError, "name is a str, got None"),
        ("NodeEmbedding(2, 2, 'e', partition=3)", gs.InvalidValueError, "partition must be None"),
        (
            "NodeEmbedding(2, 2, 'e', init_func=lambda table: torch.ones(3))",
            gs.InvalidValueError,
            r"must return shape \(2, 2\), got \(3,\)",
        ),
        (
            "NodeEmbedding(2, 2, 'e', init_func=lambda table: 3)",
            gs.InvalidValueError,
            r"must return shape \(2, 2\), got int",
        ),
        ("NodeEmbedding(2, 2, 'e')(torch.tensor([2]))", gs.OutOfRangeError, "2"),
        ("NodeEmbedding(2, 2, 'e')(torch.tensor([-1]))", gs.OutOfRangeError, "-1"),
        ("NodeEmbedding(2, 2, 'e')(torch.tensor([0.5]))", gs.InvalidTypeError, "integers|dtype"),
        (
            "NodeEmbedding(2, 2, 'e').all_set_embedding(torch.ones(2))",
            gs.InvalidValueError,
            r"expected shape \(2, 2\), got \(2,\)",
        ),
        (
            "NodeEmbedding(2, 2, 'e').all_set_embedding([1])",
            gs.InvalidValueError,
            r"expected shape \(2, 2\), got list",
        ),
    ],
)
def test_bad_arguments(call: str, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        eval(call)


def test_the_initializers_own_tensor_is_not_the_table() -> None:
    mine = torch.ones(3, 2)
    emb = NodeEmbedding(3, 2, "mine", init_func=lambda table: mine)
    emb.weight[0] = 5
    assert mine.eq(1).all()
    emb = NodeEmbedding(3, 2, "expanded", init_func=lambda table: mine[:1].expand(3, 2))
    emb.weight[0] = 5
    assert emb.weight[1:].eq(1).all()
