"""Reading ``meta.yaml``, which lists the tables of a dataset and their columns."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gossamer._optional import optional_import
from gossamer.data.readers._tables import read_text
from gossamer.errors import FileError

_KEYS = ("dataset_name", "version", "separator", "edge_data", "node_data", "graph_data")


@dataclass(frozen=True)
class Table:
    """One table: its file, the type of its rows, and the columns with ids."""

    file_name: str
    ntype: str = "_V"
    etype: tuple[str, str, str] = ("_V", "_E", "_V")
    graph_id_field: str = "graph_id"
    node_id_field: str = "node_id"
    src_id_field: str = "src_id"
    dst_id_field: str = "dst_id"

    def id_columns(self, frame: Any) -> list[str]:
        """Return the id columns of a table."""
        ids = (self.graph_id_field, self.node_id_field, self.src_id_field, self.dst_id_field)
        return [name for name in ids if name in frame.columns]


_ID_FIELDS = tuple(field.name for field in fields(Table) if field.name.endswith("_field"))


@dataclass(frozen=True)
class Meta:
    """The content of ``meta.yaml``."""

    dataset_name: str
    separator: str
    edge_data: tuple[Table, ...]
    node_data: tuple[Table, ...]
    graph_data: Table | None

    @property
    def files(self) -> tuple[str, ...]:
        """The files of all tables."""
        graphs = () if self.graph_data is None else (self.graph_data,)
        return tuple(table.file_name for table in (*self.edge_data, *self.node_data, *graphs))


def read_meta(path: Path) -> Meta:
    """Read and check ``meta.yaml``.

    Raises
    ------
    FileError
        If the file is missing, is not YAML, lacks a key, or has an unknown key.
    """
    if not path.is_file():
        raise FileError(f"There is no file {path}. It describes the tables of the dataset.")
    yaml = optional_import("yaml", "CSVDataset", "data")
    try:
        # The loader of libyaml is ten times as fast.
        content = yaml.load(read_text(path), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise FileError(f"{path} is not YAML: {' '.join(str(error).split())}.") from None
    _check_keys(path, content, _KEYS, ("dataset_name", "edge_data", "node_data"), "")
    name = content["dataset_name"]
    if not isinstance(name, str) or not name or "/" in name or "\\" in name or name == "..":
        raise FileError(f"{path}: dataset_name must be the name of a folder, got {name!r}.")
    version = str(content.get("version", "1.0.0"))
    if version != "1.0.0":
        raise FileError(f"{path}: version {version} is not known, only 1.0.0.")
    graphs = content.get("graph_data")
    return Meta(
        name,
        str(content.get("separator", ",")),
        _tables(path, content, "edge_data", "etype"),
        _tables(path, content, "node_data", "ntype"),
        None if graphs is None else _table(path, graphs, "graph_data", None),
    )


def _check_keys(
    path: Path, content: Any, known: tuple[str, ...], required: tuple[str, ...], where: str
) -> None:
    if not isinstance(content, dict):
        raise FileError(f"{path}: expected keys and values{where}, got {type(content).__name__}.")
    unknown = [key for key in content if key not in known]
    if unknown:
        raise FileError(
            f"{path} has the unknown key '{unknown[0]}'{where}. Keys are {', '.join(known)}."
        )
    missing = [key for key in required if key not in content]
    if missing:
        raise FileError(f"{path} lacks the key '{missing[0]}'{where}. Add it.")


def _tables(path: Path, content: dict, key: str, kind: str) -> tuple[Table, ...]:
    rows = content[key]
    if not isinstance(rows, list) or not rows:
        raise FileError(f"{path}: {key} must be a list of tables, got {type(rows).__name__}.")
    found = tuple(_table(path, row, key, kind if len(rows) > 1 else None, kind) for row in rows)
    kinds = [getattr(table, kind) for table in found]
    if len(set(kinds)) != len(kinds):
        raise FileError(f"{path}: two tables of {key} have the same {kind}.")
    return found


def _table(
    path: Path, content: Any, key: str, needed: str | None, kind: str | None = None
) -> Table:
    known = ("file_name", *((kind,) if kind else ()), *_ID_FIELDS)
    required = ("file_name", *((needed,) if needed else ()))
    _check_keys(path, content, known, required, f" in {key}")
    values = dict(content)
    if "etype" in values:
        etype = values["etype"]
        if not isinstance(etype, list) or len(etype) != 3:
            raise FileError(
                f"{path}: etype must be a list of source type, relation and destination type, "
                f"got {etype!r}."
            )
        values["etype"] = tuple(map(str, etype))
    file = str(values["file_name"])
    place = Path(file)
    if place.is_absolute() or ".." in place.parts:
        raise FileError(f"{path}: file_name must lie in the folder of the dataset, got '{file}'.")
    return Table(**{name: v if name == "etype" else str(v) for name, v in values.items()})
