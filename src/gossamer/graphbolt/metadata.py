"""Reading and checking ``metadata.yaml`` of an on-disk dataset."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from gossamer._optional import optional_import
from gossamer._options import shown
from gossamer.errors import FileError
from gossamer.graphbolt.compact import STORAGES

__all__ = [
    "OnDiskFeatureData",
    "OnDiskFeatureDataDomain",
    "OnDiskFeatureDataFormat",
    "OnDiskGraphTopology",
    "OnDiskGraphTopologyType",
    "OnDiskMetaData",
    "OnDiskTVTSet",
    "OnDiskTVTSetData",
    "OnDiskTaskData",
    "inside",
    "read_yaml",
]


class OnDiskFeatureDataDomain(str, Enum):
    """Domain of a feature: nodes, edges or the graph."""

    NODE = "node"
    EDGE = "edge"
    GRAPH = "graph"


class OnDiskFeatureDataFormat(str, Enum):
    """File format of a tensor."""

    TORCH = "torch"
    NUMPY = "numpy"


class OnDiskGraphTopologyType(str, Enum):
    """Storage format of a graph."""

    FUSED_CSC_SAMPLING = "FusedCSCSamplingGraph"


@dataclass
class OnDiskFeatureData:
    """A feature: its domain, type, name, format and file."""

    domain: OnDiskFeatureDataDomain
    name: str
    format: OnDiskFeatureDataFormat
    path: str
    type: str | None = None
    in_memory: bool = True
    extra_fields: dict[str, Any] = field(default_factory=dict)
    #: "float16", "bfloat16" or "int8" for a feature that is kept on disk in a compact form.
    storage: str | None = None


@dataclass
class OnDiskTVTSetData:
    """One part of the items of a set, such as seeds or labels."""

    format: OnDiskFeatureDataFormat
    path: str
    name: str | None = None
    in_memory: bool = True


@dataclass
class OnDiskTVTSet:
    """The items of one type of a training, validation or test set."""

    data: list[OnDiskTVTSetData]
    type: str | None = None


@dataclass
class OnDiskTaskData:
    """A task and its three sets."""

    train_set: list[OnDiskTVTSet] = field(default_factory=list)
    validation_set: list[OnDiskTVTSet] = field(default_factory=list)
    test_set: list[OnDiskTVTSet] = field(default_factory=list)
    extra_fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class OnDiskGraphTopology:
    """Type and path of the stored structure."""

    type: OnDiskGraphTopologyType
    path: str


@dataclass
class OnDiskMetaData:
    """Metadata of a dataset."""

    dataset_name: str | None = None
    graph_topology: OnDiskGraphTopology | None = None
    feature_data: list[OnDiskFeatureData] = field(default_factory=list)
    tasks: list[OnDiskTaskData] = field(default_factory=list)

    @classmethod
    def from_dict(cls, content: dict[str, Any], file: Path) -> OnDiskMetaData:
        """Convert the content of a YAML file; errors name `file`."""
        reader = _Reader(file)
        topology = content.get("graph_topology")
        return cls(
            content.get("dataset_name"),
            None if topology is None else reader.topology(topology),
            [reader.feature(row) for row in reader.rows(content, "feature_data")],
            [reader.task(row) for row in reader.rows(content, "tasks")],
        )


class _Reader:
    """Converts dicts to the classes above, with errors that name the file and the key."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def fail(self, message: str) -> FileError:
        return FileError(f"{self._file}: {message}")

    def rows(self, content: dict[str, Any], key: str) -> list[dict[str, Any]]:
        rows = content.get(key) or []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self.fail(f"'{key}' must be a list of mappings.")
        return rows

    def need(self, row: dict[str, Any], key: str, where: str) -> Any:
        if row.get(key) is None:
            raise self.fail(f"an entry of '{where}' lacks '{key}': {shown(row)}.")
        return row[key]

    def choice(self, kind: type[Enum], row: dict[str, Any], key: str, where: str) -> Any:
        value = self.need(row, key, where)
        try:
            return kind(value)
        except ValueError:
            known = [member.value for member in kind]
            raise self.fail(
                f"'{key}' of '{where}' is one of {known}, got {shown(value)}."
            ) from None

    def topology(self, row: dict[str, Any]) -> OnDiskGraphTopology:
        kind = self.choice(OnDiskGraphTopologyType, row, "type", "graph_topology")
        return OnDiskGraphTopology(kind, self.need(row, "path", "graph_topology"))

    def feature(self, row: dict[str, Any]) -> OnDiskFeatureData:
        known = {"domain", "type", "name", "format", "path", "in_memory", "storage"}
        if row.get("storage") not in (None, *STORAGES):
            raise self.fail(
                f"'storage' of 'feature_data' is one of {list(STORAGES)}, got "
                f"{shown(row['storage'])}."
            )
        return OnDiskFeatureData(
            domain=self.choice(OnDiskFeatureDataDomain, row, "domain", "feature_data"),
            name=self.need(row, "name", "feature_data"),
            format=self.choice(OnDiskFeatureDataFormat, row, "format", "feature_data"),
            path=self.need(row, "path", "feature_data"),
            type=row.get("type"),
            in_memory=row.get("in_memory", True),
            extra_fields={key: value for key, value in row.items() if key not in known},
            storage=row.get("storage"),
        )

    def task(self, row: dict[str, Any]) -> OnDiskTaskData:
        sets = ("train_set", "validation_set", "test_set")
        return OnDiskTaskData(
            *([self.items(part, name) for part in self.rows(row, name)] for name in sets),
            {key: value for key, value in row.items() if key not in sets},
        )

    def items(self, row: dict[str, Any], where: str) -> OnDiskTVTSet:
        parts = [
            OnDiskTVTSetData(
                self.choice(OnDiskFeatureDataFormat, part, "format", where),
                self.need(part, "path", where),
                part.get("name"),
                part.get("in_memory", True),
            )
            for part in self.rows(row, "data")
        ]
        if not parts:
            raise self.fail(f"an entry of '{where}' has no 'data'.")
        return OnDiskTVTSet(parts, row.get("type"))


def inside(folder: Path, relative: str, file: Path) -> Path:
    """Return a path inside `folder`; for any other path, raise an error that names `file`."""
    if not isinstance(relative, str) or "\0" in relative:
        raise FileError(f"{file}: a path must be text, got {shown(relative)}.")
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise FileError(
            f"{file}: the path {relative!r} leaves the folder of the dataset. Use paths below it."
        )
    if not path.exists():
        raise FileError(f"{file}: there is no file {path}, which it names.")
    return path


def read_yaml(file: Path) -> dict[str, Any]:
    """Return the content of a YAML file, which must be a mapping."""
    yaml = optional_import("yaml", "OnDiskDataset", "graphbolt")
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileError(f"There is no file {file}. Name the folder that holds it.") from None
    except OSError as error:
        raise FileError(f"{file} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FileError(f"{file} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise FileError(f"{file} must hold a mapping, got {type(content).__name__}.")
    return content
