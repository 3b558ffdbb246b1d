"""Fast reading of tables of numbers from text files; errors name the line."""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path

import numpy as np

from gossamer.errors import FileError

_NEWLINE, _BLANK = 10, 32


def read_bytes(path: Path) -> bytes:
    """Return the content of a file; a .gz file is unpacked."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                return file.read()
        return path.read_bytes()
    except (OSError, EOFError) as error:
        raise FileError(f"Cannot read {path}: {error}. Fetch it again.") from None


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """Return the text of a file; a .gz file is unpacked."""
    try:
        return read_bytes(path).decode(encoding)
    except UnicodeDecodeError as error:
        raise FileError(
            f"{path} is not {encoding} text (byte {error.start}). Fetch it again."
        ) from None


def read_table(
    path: Path,
    columns: int | None = None,
    dtype: type = np.int64,
    delimiter: str = ",",
    skip: int = 0,
) -> np.ndarray:
    """Read a table of numbers, (rows, columns). Blank lines are skipped.

    Values are separated by blanks, by `delimiter`, or by both. The first `skip` lines are skipped.

    Raises
    ------
    FileError
        If a line has another number of values, or a value is not a number. The message names the
        line.
    """
    content = read_bytes(path)
    for _ in range(skip):
        content = content[content.find(b"\n") + 1 :] if b"\n" in content else b""
    content = content.replace(delimiter.encode(), b" ") + b"\n"
    counts = _values_of_lines(content)
    filled = counts[counts > 0]
    if columns is None:
        columns = int(filled[0]) if len(filled) else 0
    if (filled != columns).any():
        line = int(np.flatnonzero((counts > 0) & (counts != columns))[0])
        raise FileError(
            f"{path}, line {line + skip + 1}: expected {columns} values, got {counts[line]}. "
            "Correct the line, or fetch the file again."
        )
    values = _parsed(content, dtype, len(filled) * columns)
    if values is None:
        raise _not_a_number(path, content, dtype, skip)
    return values.reshape(len(filled), columns)


def read_numbers(texts: list[str], what: str) -> np.ndarray:
    """Convert texts with equally many numbers, separated by commas or blanks, to a matrix.

    Integers give int64, other numbers float64. Error messages begin with `what`.
    """
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise FileError(f"{what}, row {index} is empty or of another type than the others")
    content = "\n".join(text.strip("()[] ") for text in texts).replace(",", " ").encode() + b"\n"
    counts = _values_of_lines(content)
    if len(counts) != len(texts) or (len(counts) and (counts != counts[0]).any()):
        bad = int(np.flatnonzero(counts != counts[0])[0]) if len(counts) == len(texts) else 0
        raise FileError(f"{what}, row {bad} has {counts[bad]} numbers, the first has {counts[0]}")
    for dtype in (np.int64, np.float64):
        values = _parsed(content, dtype, int(counts.sum()))
        if values is not None:
            return values.reshape(len(texts), -1)
    index, value = _first_odd(content, float)
    if index is not None:
        raise FileError(f"{what}, row {index}: '{value}' is not a number")
    raise FileError(f"{what} holds a number that is too large")


def _parsed(content: bytes, dtype: type, count: int) -> np.ndarray | None:
    """Return all numbers of a text, separated by blanks; None if there are not `count` numbers."""
    integer = np.issubdtype(dtype, np.integer)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            values = _integers(content) if integer else _decimals(content)
            if values is None and not integer:
                values = np.fromstring(content, dtype=dtype, sep=" ")
    except (DeprecationWarning, ValueError):
        return None
    return values if values is not None and len(values) == count else None


def _integers(content: bytes) -> np.ndarray | None:
    """Return the integers of a text; None if one does not fit in 64 bits or is only a sign.

    The text must end with a blank.
    """
    # NumPy skips blanks after a sign, and clips numbers that do not fit.
    codes = np.frombuffer(content, dtype=np.uint8)
    signs = np.flatnonzero((codes == ord("-")) | (codes == ord("+")))
    if (codes[signs + 1] <= _BLANK).any():
        return None
    values = np.fromstring(content, dtype=np.int64, sep=" ")
    limits = np.iinfo(np.int64)
    fit = limits.min < values.min(initial=0) and values.max(initial=0) < limits.max
    return values if fit else None


def _decimals(content: bytes) -> np.ndarray | None:
    """Return the numbers of a text if all are decimals without exponents, such as -12.50, or None.

    An integer less than 2**53 divided by a power of ten up to 10**22 is rounded correctly, and
    NumPy parses integers five times as fast as floats.
    """
    if content.translate(None, b"0123456789-. \t\r\n"):
        return None
    whole = _integers(content.replace(b".", b""))
    if whole is None:
        return None
    codes = np.frombuffer(b" " + content, dtype=np.uint8)
    edges = np.flatnonzero(np.diff(codes > _BLANK))
    begins, ends = edges[::2], edges[1::2]
    points = np.flatnonzero(codes == ord("."))
    owners = np.searchsorted(begins, points) - 1
    digits = ends[owners] - points
    plain = len(whole) == len(begins) and not (np.diff(owners) == 0).any()
    if not plain or digits.max(initial=0) > 22 or np.abs(whole).max(initial=0) >= 2**53:
        return None
    values = whole.astype(np.float64)
    values[owners] /= 10.0**digits
    values[(whole == 0) & (codes[begins + 1] == ord("-"))] = -0.0
    return values


def _values_of_lines(content: bytes) -> np.ndarray:
    """Return the number of values in each line."""
    codes = np.frombuffer(content, dtype=np.uint8)
    inside = codes > _BLANK
    begins = inside.copy()
    begins[1:] &= ~inside[:-1]
    ends = np.flatnonzero(codes == _NEWLINE)
    return np.diff(np.searchsorted(np.flatnonzero(begins), ends), prepend=0)


def _not_a_number(path: Path, content: bytes, dtype: type, skip: int) -> FileError:
    whole = np.issubdtype(dtype, np.integer)
    line, value = _first_odd(content, int if whole else float)
    if line is None:
        return FileError(f"{path} holds a number that is too large. Fetch it again.")
    return FileError(
        f"{path}, line {line + skip + 1}: '{value}' is not {'an integer' if whole else 'a number'}."
        " Correct the line, or fetch the file again."
    )


def _first_odd(content: bytes, number: type) -> tuple[int | None, str]:
    """Return the line (from 0) and the beginning of the first value that is not a number."""
    for line, text in enumerate(content.decode("utf-8", "replace").split("\n")):
        for value in text.split():
            try:
                number(value)
            except ValueError:
                return line, value[:40]
    return None, ""


def check_ids(path: Path, ids: np.ndarray, count: int, what: str, skip: int = 0) -> None:
    """Raise a FileError that names the line if an id is not in 0 ... count-1; one row per line."""
    bad = (ids < 0) | (ids >= count)
    if bad.any():
        row = int(np.flatnonzero(bad.reshape(len(ids), -1).any(axis=1))[0])
        value = ids[row][bad[row]][0] if ids.ndim > 1 else ids[row]
        raise FileError(
            f"{path}, line {row + skip + 1}: {what} {value} is not in 0 ... {count - 1}. "
            "Correct the line, or fetch the file again."
        )
