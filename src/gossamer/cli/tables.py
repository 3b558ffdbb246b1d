"""Reading tables of edges, nodes and graphs: CSV, Parquet, Feather, JSON lines, DuckDB."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gossamer._optional import optional_import
from gossamer.errors import FileError, InvalidValueError

__all__ = ["column_named", "edge_files", "node_files", "read_table", "require_column"]

_TYPE = r"[\w\- ]+"
_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": None}


def edge_files(given: Sequence[str]) -> dict[tuple[str, str, str], str]:
    """Tables of edges by type: ``FILE``, or ``SOURCE:RELATION:DESTINATION=FILE``.

    Examples
    --------
    >>> edge_files(["user:plays:game=plays.csv"])
    {('user', 'plays', 'game'): 'plays.csv'}
    """
    files: dict[tuple[str, str, str], str] = {}
    for text in given:
        match = re.fullmatch(f"({_TYPE}):({_TYPE}):({_TYPE})=(.+)", text)
        etype = match.groups()[:3] if match else ("_N", "_E", "_N")
        if etype in files:
            raise InvalidValueError(
                f"--edges names two tables of type {':'.join(etype)}. Give each its own: "
                "--edges user:plays:game=plays.csv"
            )
        files[etype] = match[4] if match else text
    return files


def node_files(given: Sequence[str]) -> dict[str, str]:
    """Tables of nodes by type: ``FILE``, or ``TYPE=FILE``.

    Examples
    --------
    >>> node_files(["user=users.parquet"])
    {'user': 'users.parquet'}
    """
    files: dict[str, str] = {}
    for text in given:
        match = re.fullmatch(f"({_TYPE})=(.+)", text)
        ntype = match[1] if match else "_N"
        if ntype in files:
            raise InvalidValueError(
                f"--nodes names two tables of type {ntype}. Give each its own: "
                "--nodes user=users.csv"
            )
        files[ntype] = match[2] if match else text
    return files


def read_table(name: str) -> Any:
    """Read a table as a `pandas.DataFrame`.

    Parameters
    ----------
    name : str
        A file ending in .csv, .tsv, .txt (also with .gz), .parquet, .feather or .jsonl; or
        ``FILE.duckdb:TABLE``.

    Raises
    ------
    FileError
        If it cannot be read, has no rows, or has another ending.
    MissingExtraError
        If pandas, or for their files pyarrow or DuckDB, is not installed.
    """
    pandas = optional_import("pandas", "Reading tables", "tables")
    database, _, table = name.rpartition(":")
    if database.lower().endswith((".duckdb", ".db")):
        frame = _read_duckdb(database, table)
    else:
        path = Path(name)
        suffix = Path(path.stem).suffix.lower() if path.suffix == ".gz" else path.suffix.lower()
        if path.is_dir() or not path.exists():
            raise FileError(f"There is no file '{name}'. Check the path.")
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
            # Quoted, so that the name cannot contain other SQL.
            quoted = table.replace('"', '""')
            return connection.execute(f'SELECT * FROM "{quoted}"').df()
    except duckdb.Error as error:
        raise FileError(
            f"Cannot read table '{table}' of '{file}': {str(error).splitlines()[0].rstrip('.')}."
        ) from None


def column_named(frame: Any, usual: Sequence[str], otherwise: int) -> str:
    """The first of the usual names that is a column; else the column at a position."""
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
