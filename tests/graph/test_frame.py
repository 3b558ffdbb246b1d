"""Frames: checks, lazily gathered columns, initializers, new rows."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
import torch

import gossamer as gs
from gossamer.graph import Frame, Scheme
from helpers.compare import assert_tensor_equal

CPU = torch.device("cpu")


def filled(num_rows: int = 4) -> Frame:
    frame = Frame(num_rows, "node")
    frame["h"] = torch.arange(num_rows * 2.0).reshape(num_rows, 2)
    frame["k"] = torch.arange(num_rows)
    return frame


def fives(shape, dtype, ctx, id_range) -> torch.Tensor:
    """An initializer that shows which rows it was asked for."""
    rows = torch.arange(id_range.start, id_range.stop, device=ctx, dtype=dtype)
    return (5 + rows).reshape(-1, *[1] * (len(shape) - 1)).expand(shape).clone()


@pytest.mark.parametrize("kind", ["node", "edge"])
def test_missing_feature_is_told_what_there_is(kind: str) -> None:
    frame = Frame(2, kind)
    frame["h"] = torch.ones(2)
    message = rf"no {kind} feature 'x'; there are \['h'\].*g.{kind[0]}data\['x'\] = tensor"
    with pytest.raises(gs.UnknownKeyError, match=message):
        frame["x"]
    with pytest.raises(gs.UnknownKeyError, match=message):
        del frame["x"]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([1.0, 2.0], gs.InvalidTypeError, "'h' must be a torch.Tensor, got list.*as_tensor"),
        (3, gs.InvalidTypeError, "must be a torch.Tensor, got int"),
        (
            torch.tensor(1.0),
            gs.InvalidValueError,
            r"each of the 4 nodes, got shape \(\)",
        ),
        (torch.ones(5, 2), gs.InvalidValueError, r"each of the 4 nodes, got shape \(5, 2\)"),
        (
            torch.ones(4, device="meta"),
            gs.InvalidValueError,
            "on meta but the graph is on cpu",
        ),
    ],
)
def test_what_cannot_be_a_feature(value, error, message) -> None:
    with pytest.raises(error, match=message):
        Frame(4).check("h", value, CPU, 4)


def test_feature_names_are_str() -> None:
    with pytest.raises(gs.InvalidTypeError, match="A feature name is a str, got int: 3"):
        Frame(4).check(3, torch.ones(4), CPU, 4)


def test_columns_are_gathered_on_first_read_and_kept() -> None:
    frame = filled()
    part = frame.gather(torch.tensor([3, 1])).gather(torch.tensor([1, 1, 0], dtype=torch.int32))

    assert part.num_rows == 3
    assert part.schemes() == frame.schemes(), "known without gathering"
    frame["h"].zero_()  # read late, so later writes in place are seen: nothing was gathered yet
    assert_tensor_equal(part["h"], torch.zeros(3, 2))
    assert_tensor_equal(part["k"], torch.tensor([1, 1, 3]))
    assert part["k"] is part["k"]


def test_gradients_flow_through_gathered_columns() -> None:
    frame = Frame(3)
    frame["h"] = torch.ones(3, 1, requires_grad=True)
    part = frame.gather(torch.tensor([2, 2, 0]))
    (part["h"] * torch.tensor([[1.0], [10.0], [100.0]])).sum().backward()

    assert_tensor_equal(frame["h"].grad, torch.tensor([[100.0], [0.0], [11.0]]))


def test_replaced_parent_column_does_not_change_the_part() -> None:
    frame = filled()
    part = frame.gather(torch.tensor([0]))
    frame["k"] = torch.full((4,), 9)
    del frame["h"]

    assert_tensor_equal(part["k"], torch.tensor([0]))
    assert_tensor_equal(part["h"], torch.tensor([[0.0, 1.0]]))


def test_pickled_part_does_not_drag_its_parent_along() -> None:
    frame = Frame(100_000)
    frame["h"] = torch.ones(100_000, 4)
    part = frame.gather(torch.tensor([5, 6]))
    data = pickle.dumps(part)

    assert len(data) < 5_000
    assert_tensor_equal(pickle.loads(data)["h"], torch.ones(2, 4))


def test_copy_shares_tensors_but_not_names() -> None:
    frame = filled()
    other = frame.copy()
    other["new"] = torch.ones(4)
    del other["k"]

    assert list(frame) == ["h", "k"] and list(other) == ["h", "new"]
    assert other["h"] is frame["h"]
    deep = copy.deepcopy(frame)
    assert deep["h"] is not frame["h"]
    assert_tensor_equal(deep["h"], frame["h"])


def test_schemes_and_repr() -> None:
    frame = filled(1)

    assert frame.scheme("h") == Scheme((2,), torch.float32)
    assert frame.schemes()["k"] == ((), torch.int64)
    assert repr(frame) == "{'h': tensor([[0., 1.]]), 'k': tensor([0])}"


def test_new_rows_come_from_data_or_initializer() -> None:
    frame = filled()
    frame.set_initializer(fives, "k")
    frame.append(2, {"new": torch.ones(2, 3)}, CPU)

    assert frame.num_rows == 6
    assert_tensor_equal(frame["k"][4:], torch.tensor([9, 10]))
    assert_tensor_equal(frame["h"][4:], torch.zeros(2, 2))
    assert_tensor_equal(frame["new"][:4], torch.zeros(4, 3))


def test_initializer_of_all_features_also_fills_old_rows_of_a_new_one() -> None:
    frame = Frame(2)
    frame.set_initializer(fives)
    frame.append(1, {"new": torch.zeros(1)}, CPU)

    assert_tensor_equal(frame["new"], torch.tensor([5.0, 6.0, 0.0]))
    assert_tensor_equal(
        frame.copy().initial_rows("x", 1, Scheme((), torch.float32), CPU), torch.tensor([8.0])
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"h": torch.ones(3, 2)}, r"each of the 2 nodes, got shape \(3, 2\)"),
        (
            {"h": torch.ones(2, 5)},
            r"row shape \(5,\) and torch.float32, but the feature has \(2,\)",
        ),
        ({"h": torch.ones(2, 2).long()}, "torch.int64, but the feature has .*torch.float32"),
    ],
)
def test_new_rows_must_fit(data, message) -> None:
    frame = filled()
    with pytest.raises(gs.InvalidValueError, match=message):
        frame.append(2, data, CPU)
    assert frame.num_rows == 4, "left as it was"


def test_written_rows_leave_the_others_and_the_old_tensor() -> None:
    frame = filled()
    before = frame["h"]
    frame.update_rows(torch.tensor([2, 0]), {"h": torch.full((2, 2), 7.0)}, CPU)

    assert_tensor_equal(frame["h"], torch.tensor([[7.0, 7], [2, 3], [7, 7], [6, 7]]))
    assert_tensor_equal(before, torch.arange(8.0).reshape(4, 2))
    with pytest.raises(gs.InvalidValueError, match=r"have row shape \(2,\).*, got \(3,\) and "):
        frame.update_rows(torch.tensor([0]), {"h": torch.ones(1, 3)}, CPU)
    with pytest.raises(gs.InvalidValueError, match=r"each of the 1 nodes, got shape \(2, 2\)"):
        frame.update_rows(torch.tensor([0]), {"h": torch.ones(2, 2)}, CPU)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_first_reader_of_gathered_rows_may_be_in_any_mode(mode: Callable) -> None:
    """As in an evaluation before training: what is kept must serve the training, too."""
    g = gs.graph(([0, 1], [1, 0]))
    g.ndata["h"] = torch.ones(2, 1, requires_grad=True)
    with mode():
        inside = g.subgraph([1, 0])
        inside.ndata["h"]
    part = g.subgraph([1, 0])
    with mode():
        part.ndata["h"]
    for sub in (inside, part):
        out = torch.nn.Linear(1, 1)(sub.ndata["h"])
        (grad,) = torch.autograd.grad(out, g.ndata["h"], torch.ones_like(out))
        assert grad.shape == (2, 1)
