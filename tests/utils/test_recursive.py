"""One function for every value of a nest."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

from gossamer.utils import recursive_apply


class Pair(NamedTuple):
    left: Any
    right: Any


def test_every_value_and_the_same_nesting() -> None:
    nest = [1, (2, Pair(3, {"a": 4})), OrderedDict(b=[5])]
    doubled = recursive_apply(nest, lambda x, factor, plus=0: factor * x + plus, 2, plus=1)
    assert doubled == [3, (5, Pair(7, {"a": 9})), {"b": [11]}]
    assert isinstance(doubled[1], tuple)
    assert isinstance(doubled[1][1], Pair)


def test_what_is_no_nest_is_a_value() -> None:
    assert recursive_apply("ab", str.upper) == "AB"
    assert recursive_apply([], str) == []
