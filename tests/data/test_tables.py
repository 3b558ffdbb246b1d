"""Numbers in text files, compared with Python's own parsing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.data.readers._tables import read_numbers, read_table
from gossamer.errors import FileError

# Also the zeros -0, -0.0 and so on.
DECIMALS = st.from_regex(r"[+-]?([0-9]{1,18}\.?[0-9]{0,24}|\.[0-9]{1,24})", fullmatch=True)
OTHERS = st.floats(allow_nan=False).map(repr)


@given(st.lists(DECIMALS, min_size=1, max_size=8), st.lists(st.one_of(DECIMALS, OTHERS)))
def test_decimals_are_rounded_as_python_rounds_them(plain: list[str], others: list[str]) -> None:
    for texts in (plain, plain + others):
        wanted = np.array([float(text) for text in texts])
        found = read_numbers(texts, "column 'x'")[:, 0]
        if found.dtype == np.int64:
            assert found.tolist() == [int(text.rstrip(".")) for text in texts]
            continue
        assert np.array_equal(found, wanted)
        assert np.array_equal(np.signbit(found), np.signbit(wanted))


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
@pytest.mark.parametrize("bad", ["-", "+", "x", "1-2", "--1", "1.2.3", "."])
@pytest.mark.parametrize("after", ["", "\n3"])
def test_what_is_no_number_is_refused(bad: str, after: str, dtype: type, tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text(f"7\n{bad}{after}")
    with pytest.raises(FileError, match=r"numbers.txt, line 2: .* is not"):
        read_table(path, 1, dtype)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
def test_integers_beyond_64_bits_are_refused(number: int, tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text(f"7\n{number}\n{2**62}\n")
    with pytest.raises(FileError, match="holds a number that is too large"):
        read_table(path, 1)
    assert read_table(path, 1, np.float64).tolist() == [[7], [float(number)], [2.0**62]]
