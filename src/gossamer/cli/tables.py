"""Reading tables of edges, nodes and graphs: CSV, Parquet, Feather, JSON lines, DuckDB."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gossamer._optional import optional_import
from gossamer.errors import FileError, InvalidValueError

__all__ = [
    "column_named", "edge_files", "load_pandas", "node_files", "read_table", "require_column",
]  # fmt: skip

_TYPE = r"[\w\- ]+"
_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": None}


def edge_files(given: Sequence[str]) -> dict[tuple[str, str, str], str]:
    """Parse tables of edges by type: ``FILE``, or ``SOURCE:RELATION:DESTINATION=FILE``.

    Examples
    --------
    >>> edge_files(["user:plays:game=plays.csv"])
    {('user', 'plays', 'game'): 'plays.csv'}
    """
    types = ":".join([f"({_TYPE})"] * 3)
    return _by_type(given, types, ("_N", "_E", "_N"), "--edges", "user:plays:game=plays.csv")


def node_files(given: Sequence[str]) -> dict[str, str]:
    """Parse tables of nodes by type: ``FILE``, or ``TYPE=FILE``.

    Examples
    --------
    >>> node_files(["user=users.parquet"])
    {'user': 'users.parquet'}
    """
    files = _by_type(given, f"({_TYPE})", ("_N",), "--nodes", "user=users.csv")
    return {ntype: file for (ntype,), file in files.items()}


def _by_type(
    given: Sequence[str], types: str, usual: tuple[str, ...], flag: str, example: str
) -> dict[Any, str]:
    """Return files by type: the groups that the pattern `types` matches, or else `usual`."""
    files: dict[Any, str] = {}
    for text in given:
        match = re.fullmatch(f"{types}=(.+)", text)
        *kind, file = match.groups() if match else (*usual, text)
        if tuple(kind) in files:
            raise InvalidValueError(
                f"{flag} names two tables of type {':'.join(kind)}. Give each its own: "
                f"{flag} {example}"
            )
        files[tuple(kind)] = file
    return files


def load_pandas() -> Any:
    """Return the module pandas, or raise an error that says how to install it."""
    return optional_import("pandas", "Reading tables", "tables")


def read_table(name: str) -> Any:
    """Read a table as a `pandas.DataFrame`.

    Parameters
    ----------
    name : str
        A file that ends in .csv, .tsv, .txt (each optionally with .gz), .parquet, .feather or
        .jsonl; or ``FILE.duckdb:TABLE``.

    Raises
    ------
    FileError
        If the file cannot be read, has no rows, or has another ending.
    MissingExtraError
        If pandas is not installed, or the package that the format needs: pyarrow or DuckDB.
    """
    pandas = load_pandas()
    database, _, table = name.rpartition(":")
    if database.lower().endswith((".duckdb", ".db")):
        frame = _read_duckdb(database, table)
    else:
        path = Path(name)
        suffix = Path(path.stem).suffix.lower() if path.suffix == ".gz" else path.suffix.lower()
        if path.is_dir() or not path.exists():
            types = (
                " Types are given as --nodes TYPE=FILE and --edges "
                "SOURCE:RELATION:DESTINATION=FILE."
            )
            raise FileError(
                f"There is no file '{name}'. Check the path.{types if '=' in name else ''}"
            )
        try:
            if suffix in _SEPARATORS:
                # Without a separator, pandas infers it from the first lines.
                separator = _SEPARATORS[suffix]
                engine = "python" if separator is None else "c"
                frame = pandas.read_csv(path, sep=separator, engine=engine)
            elif suffix in (".parquet", ".feather"):
                optional_import("pyarrow", "Reading Parquet and Feather", "parquet")
                read = pandas.read_parquet if suffix == ".parquet" else pandas.read_feather
                frame = read(path)
            elif suffix in (".jsonl", ".ndjson"):
                frame = pandas.read_json(path, lines=True)
            else:
                raise FileError(
                    f"'{name}' ends in none of .csv, .tsv, .txt, .parquet, .feather, .jsonl and "
                    ".duckdb:TABLE. Convert it."
                )
        except UnicodeDecodeError:
            raise FileError(f"'{name}' is not UTF-8 text. Convert it.") from None
        except (ValueError, OSError) as error:
            raise FileError(f"Cannot read '{name}': {str(error).strip().rstrip('.')}.") from None
    if not len(frame):
        raise FileError(f"'{name}' has no rows.")
    return frame


def _read_duckdb(file: str, table: str) -> Any:
    duckdb = optional_import("duckdb", "Reading a DuckDB database", "tables")
    if not Path(file).is_file():
        raise FileError(f"There is no file '{file}'. Check the path.")
    try:
        with duckdb.connect(file, read_only=True) as connection:
            # Quoted, so that the name cannot inject SQL.
            quoted = table.replace('"', '""')
            return connection.execute(f'SELECT * FROM "{quoted}"').df()
    except duckdb.Error as error:
        raise FileError(
            f"Cannot read table '{table}' of '{file}': {str(error).splitlines()[0].rstrip('.')}."
        ) from None


def column_named(frame: Any, usual: Sequence[str], otherwise: int) -> str:
    """Return the first of the usual names that is a column, or the column at a position."""
    lower = {str(name).lower(): name for name in frame.columns}
    for name in usual:
        if name in lower:
            return lower[name]
    return frame.columns[min(otherwise, len(frame.columns) - 1)]


def require_column(frame: Any, name: str, where: str, flag: str) -> str:
    """Return `name` if it is a column, or raise an error that lists the columns."""
    if name not in frame.columns:
        columns = ", ".join(map(str, frame.columns[:20]))
        raise FileError(
            f"{where} has no column '{name}', only {columns}. Choose one of them with {flag}."
        )
    return name
