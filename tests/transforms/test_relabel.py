"""Renumbering, by table and by sorting, against dictionaries."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gossamer.transforms._relabel import IdMap, distinct, relabel

IDS = st.lists(st.integers(0, 9), max_size=12)
# Ten thousand nodes are few enough for a table, a hundred million are not.
SCALES = st.sampled_from([1, 10_000_000])
IDTYPES = st.sampled_from([torch.int32, torch.int64])


@given(ids=IDS, queries=IDS, scale=SCALES, idtype=IDTYPES, last=st.booleans())
def test_map_finds_first_or_last_place(ids, queries, scale, idtype, last):
    places = {}
    for place, number in enumerate(ids):
        if last or number not in places:
            places[number] = place
    scaled = [torch.tensor(numbers, dtype=idtype) * scale for numbers in (ids, queries)]
    found = IdMap(scaled[0], 10 * scale, last=last)(scaled[1])
    assert found.tolist() == [places.get(number, -1) for number in queries]


@given(ids=IDS, scale=SCALES, idtype=IDTYPES)
def test_distinct_ids_ascend(ids, scale, idtype):
    found = distinct(torch.tensor(ids, dtype=idtype) * scale, 10 * scale)
    assert found.dtype == idtype
    assert found.tolist() == [number * scale for number in sorted(set(ids))]


@given(parts=st.lists(IDS, min_size=1, max_size=4), scale=SCALES, idtype=IDTYPES)
def test_ids_are_numbered_as_they_appear(parts, scale, idtype):
    tensors = [torch.tensor(ids, dtype=idtype) * scale for ids in parts]
    fresh, renumbered = relabel(tensors, 10 * scale)
    order = list(dict.fromkeys(number for ids in parts for number in ids))
    assert fresh.dtype == idtype
    assert fresh.tolist() == [number * scale for number in order]
    assert [part.tolist() for part in renumbered] == [
        [order.index(number) for number in ids] for ids in parts
    ]
    assert {part.dtype for part in renumbered} == {idtype}


@pytest.mark.parametrize("limit", [0, 5])
def test_no_ids(limit):
    nothing = torch.tensor([], dtype=torch.int64)
    assert distinct(nothing, limit).tolist() == []
    assert relabel([nothing], limit)[0].tolist() == []
    assert IdMap(nothing, limit)(nothing).tolist() == []
