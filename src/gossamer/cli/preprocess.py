"""`gossamer preprocess`: build the graph of an on-disk dataset."""

from __future__ import annotations

import time
from pathlib import Path

from gossamer.cli.signals import termination_raises
from gossamer.cli.text import program
from gossamer.errors import FileError

__all__ = ["preprocess"]


def preprocess(
    folder: str, *, edge_ids: bool, wide_ids: bool, force: bool, check: bool, quiet: bool
) -> int:
    """Build missing files, print a summary and return the exit code.

    Parameters
    ----------
    folder : str
        The folder with ``metadata.yaml``.
    edge_ids : bool
        Whether to store the position of each edge in its list.
    wide_ids : bool
        Whether to store ids as int64 even if int32 suffices.
    force : bool
        Whether to rebuild existing files.
    check : bool
        Whether to compare all files with their checksums instead of building.
    quiet : bool
        Whether to print only errors.
    """
    from gossamer.graphbolt.metadata import OnDiskMetaData, read_yaml
    from gossamer.graphbolt.preprocess import (
        BUILT,
        check_graph,
        compact_feature,
        open_graph,
        preprocess_graph,
    )

    path = Path(folder)
    if not path.is_dir():
        raise FileError(f"There is no folder {path}. Give the folder that holds metadata.yaml.")
    content = read_yaml(path / "metadata.yaml")
    meta = OnDiskMetaData.from_dict(content, path / "metadata.yaml")
    started = time.perf_counter()
    if check:
        if not (path / BUILT).is_dir():
            raise FileError(f"{path} is not preprocessed. Run '{program()} preprocess {path}'.")
        check_graph(path / BUILT)
    else:
        with termination_raises():
            built = preprocess_graph(
                path,
                content,
                include_original_edge_id=edge_ids,
                force=force or None,
                compact=not wide_ids,
                progress=not quiet,
            )
            for row in meta.feature_data:
                compact_feature(path, row)
    seconds = time.perf_counter() - started
    if quiet:
        return 0
    if check:
        print(f"All files of {path / BUILT} match their checksums.")
        return 0
    graph = open_graph(built)
    size = sum(file.stat().st_size for file in built.iterdir())
    print(
        f"{graph.total_num_nodes:,} nodes and {graph.total_num_edges:,} edges in {built} "
        f"({size / 1e6:,.1f} MB, {seconds:.1f} s).\n"
        f"Open it with gossamer.graphbolt.OnDiskDataset({str(path)!r}).load()."
    )
    return 0
