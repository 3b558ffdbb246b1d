"""Datasets described by tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from gossamer.data.catalogue.entry import Entry
from gossamer.data.catalogued import GraphList
from gossamer.data.dataset import Transform
from gossamer.data.raw import RawFile
from gossamer.data.readers._meta import read_meta
from gossamer.graph import Graph

Parser = Callable[[Any], Mapping[str, Any]]


class CSVDataset(GraphList):
    """Graphs described by CSV files and a file ``meta.yaml``.

    ``meta.yaml`` has ``dataset_name``, and ``edge_data`` and ``node_data``, each a list of tables
    with ``file_name`` and, if there are several, ``etype`` (a list of three) or ``ntype``. With
    several graphs it also has ``graph_data`` with ``file_name``. Node tables have the column
    ``node_id``, edge tables ``src_id`` and ``dst_id``, and all tables ``graph_id`` if there are
    several graphs; keys such as ``node_id_field`` set other names. ``separator`` is that of the
    files, a comma by default. A file whose name ends in ``.parquet`` is read as Parquet.

    Nodes are numbered in ascending order of their ids; edges keep their order. Every other column
    is a feature: integers become int64, other numbers float32; a text such as ``"0.1, 0.2"``, or a
    list in Parquet, is a row of a matrix. Types are "_V" and "_E" unless given.

    An item is a graph. If there is a graph table, it is a graph and a dictionary of its values, or
    the value itself if there is only one.

    Parameters
    ----------
    data_path : str
        Folder with ``meta.yaml``.
    force_reload : bool, optional
        Whether to read the tables even if there is a cache.
    verbose : bool, optional
        Whether to show progress.
    ndata_parser, edata_parser : callable or dict, optional
        Function that converts a `pandas.DataFrame`, without the id columns, to a dictionary of
        arrays; or a dictionary of such functions by type. With a parser, there is no cache.
    gdata_parser : callable, optional
        The same for the graph table.
    transform : callable, optional
        Applied to a graph when it is accessed.

    Raises
    ------
    FileError
        If a file is missing or malformed, a column or key is missing or unknown, an id occurs twice
        or is unknown, or a value is missing or not a number. The message names the file and, if
        possible, the line.
    MissingExtraError
        If pandas or PyYAML is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = Path(name)
    ...     meta = ["dataset_name: toy", "edge_data: [{file_name: e.csv}]"]
    ...     meta.append("node_data: [{file_name: n.csv}]")
    ...     _ = (folder / "meta.yaml").write_text("\\n".join(meta))
    ...     _ = (folder / "n.csv").write_text("node_id,label\\n7,0\\n3,1\\n")
    ...     _ = (folder / "e.csv").write_text("src_id,dst_id\\n7,3\\n")
    ...     g = CSVDataset(name)[0]
    ...     g.edges(), g.ndata["label"]
    ((tensor([1]), tensor([0])), tensor([1, 0]))
    """

    def __init__(
        self,
        data_path: str,
        force_reload: bool = False,
        verbose: bool = True,
        ndata_parser: Parser | Mapping[str, Parser] | None = None,
        edata_parser: Parser | Mapping[tuple[str, str, str], Parser] | None = None,
        gdata_parser: Parser | None = None,
        transform: Transform | None = None,
    ) -> None:
        meta = read_meta(Path(data_path) / "meta.yaml")
        self._parsers = {"ndata": ndata_parser, "edata": edata_parser, "gdata": gdata_parser}
        entry = Entry(
            name=meta.dataset_name,
            dataset=type(self).__name__,
            task="",
            description="",
            reference="",
            files=tuple(RawFile(name) for name in ("meta.yaml", *meta.files)),
            reader="tables:tables",
        )
        self._start({}, data_path, force_reload, verbose, transform, entry)

    @property
    def _custom(self) -> bool:
        return any(parser is not None for parser in self._parsers.values())

    def has_cache(self) -> bool:
        """Whether there is a cache file; with a parser it is not used."""
        return not self._custom and super().has_cache()

    def process(self) -> None:
        """Read the tables."""
        self._options = {"parsers": self._parsers}
        super().process()

    def save(self) -> None:
        """Write the graphs to the cache file, unless there is a parser."""
        if not self._custom:
            super().save()

    @property
    def graphs(self) -> list[Graph]:
        """All graphs."""
        return list(self._graphs)

    @property
    def data(self) -> dict[str, Tensor]:
        """The values of all graphs, by column of the graph table."""
        return dict(self._labels)

    def __getitem__(self, i: int) -> Any:
        """Return graph `i`, transformed if there is a `transform`, and its values if any."""
        number = self._number(i)
        g = self._transformed(self._graphs[number])
        values = {key: rows[number] for key, rows in self._labels.items()}
        if not values:
            return g
        return g, values if len(values) > 1 else next(iter(values.values()))


class ParquetDataset(CSVDataset):
    """Graphs described by Parquet files and a file ``meta.yaml``.

    This is the same as `CSVDataset`, which reads each file according to its suffix. It requires
    pyarrow.
    """
