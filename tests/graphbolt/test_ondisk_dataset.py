"""Datasets in a folder: preprocessing, opening, and files that are not what they should be."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

import gossamer.graphbolt as gb
from gossamer import FileError, UnknownKeyError
from gossamer.graphbolt import csc_build, edge_lists, preprocess
from gossamer.graphbolt.build_state import read_state

NODES, EDGES = 50, 400
PARTIAL = f".{preprocess.BUILT}.partial"


def _edges(seed: int = 0, nodes: int = NODES, count: int = EDGES) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, nodes, (2, count))


def _store_edges(path: Path, edges: np.ndarray) -> str:
    if path.suffix == ".csv":
        np.savetxt(path, edges.T, fmt="%d", delimiter=",")
        return "csv"
    if path.suffix == ".npy":
        np.save(path, edges)
        return "numpy"
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"src": edges[0], "dst": edges[1]})
    pyarrow.parquet.write_table(table, path)
    return "parquet"


def _dataset(folder: Path, suffix: str = ".npy", edges: np.ndarray | None = None) -> dict:
    edges = _edges() if edges is None else edges
    kind = _store_edges(folder / f"edges{suffix}", edges)
    np.save(folder / "x.npy", np.arange(NODES * 2, dtype=np.float32).reshape(NODES, 2))
    torch.save(torch.arange(edges.shape[1]).view(-1, 1).float(), folder / "w.pt")
    np.save(folder / "train.npy", np.arange(10))
    np.save(folder / "labels.npy", np.arange(10) % 3)
    content = {
        "dataset_name": "small",
        "feature_data": [
            {"domain": "node", "name": "x", "format": "numpy", "path": "x.npy", "in_memory": False},
            {"domain": "edge", "name": "w", "format": "torch", "path": "w.pt"},
        ],
        "graph": {
            "nodes": [{"num": NODES}],
            "edges": [{"format": kind, "path": f"edges{suffix}"}],
            "feature_data": [{"domain": "edge", "name": "p", "format": "torch", "path": "w.pt"}],
        },
        "tasks": [
            {
                "name": "nc",
                "num_classes": 3,
                "train_set": [
                    {
                        "data": [
                            {"name": "seeds", "format": "numpy", "path": "train.npy"},
                            {"name": "labels", "format": "numpy", "path": "labels.npy"},
                        ]
                    }
                ],
            }
        ],
    }
    _write(folder, content)
    return content


def _write(folder: Path, content: dict) -> None:
    (folder / "metadata.yaml").write_text(yaml.safe_dump(content))


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".parquet"])
@pytest.mark.parametrize("bucket_bytes", [100, 1 << 20])
def test_the_csc_of_every_format(tmp_path, suffix, bucket_bytes, monkeypatch) -> None:
    monkeypatch.setattr(csc_build, "BUCKET_BYTES", bucket_bytes)
    _dataset(tmp_path, suffix)
    graph = gb.OnDiskDataset(str(tmp_path), include_original_edge_id=True).load().graph
    src, dst = torch.from_numpy(_edges())
    order = dst.argsort(stable=True)
    assert torch.equal(graph.indices.long(), src[order])
    assert torch.equal(graph.csc_indptr.diff().long(), torch.bincount(dst, minlength=NODES))
    assert torch.equal(graph.edge_attribute(gb.ORIGINAL_EDGE_ID).long(), order)
    assert torch.equal(graph.edge_attribute("p").squeeze(1).long(), order)


def test_features_and_tasks(tmp_path) -> None:
    _dataset(tmp_path)
    dataset = gb.OnDiskDataset(str(tmp_path)).load()
    assert isinstance(dataset.feature["node", None, "x"], gb.DiskBasedFeature)
    ids = torch.tensor([3, 0, 3])
    assert dataset.feature.read("node", None, "x", ids).tolist() == [[6, 7], [0, 1], [6, 7]]
    (task,) = dataset.tasks
    assert task.metadata == {"name": "nc", "num_classes": 3}
    assert task.train_set.names == ("seeds", "labels")
    assert task.validation_set is None
    assert len(dataset.all_nodes_set) == NODES
    assert dataset.dataset_name == "small"
    assert gb.OnDiskDataset(str(tmp_path)).load(tasks=[]).tasks == []
    with pytest.raises(UnknownKeyError, match="no task 'lp'"):
        gb.OnDiskDataset(str(tmp_path)).load(tasks="lp")


def test_compact_storage(tmp_path) -> None:
    content = _dataset(tmp_path)
    content["feature_data"][0]["storage"] = "bfloat16"
    _write(tmp_path, content)
    ids = torch.tensor([3, 0])
    for _ in range(2):
        feature = gb.OnDiskDataset(str(tmp_path)).load().feature
        assert feature.read("node", None, "x", ids).tolist() == [[6, 7], [0, 1]]
    (made,) = (tmp_path / preprocess.BUILT).glob("feature-*.bfloat16")
    assert made.stat().st_size < (tmp_path / "x.npy").stat().st_size
    values = np.load(tmp_path / "x.npy")
    np.save(tmp_path / "x.npy", values + 1)
    os.utime(tmp_path / "x.npy", ns=(made.stat().st_mtime_ns + 1, made.stat().st_mtime_ns + 1))
    feature = gb.OnDiskDataset(str(tmp_path)).load().feature
    assert feature.read("node", None, "x", ids).tolist() == [[7, 8], [1, 2]]
    np.save(tmp_path / "x.npy", np.full_like(values, np.inf))
    with pytest.raises(FileError, match=r"storage 'bfloat16' of x\.npy"):
        gb.OnDiskDataset(str(tmp_path)).load()


@pytest.mark.parametrize("storage", ["float16", "bfloat16", "int8"])
def test_compact_storage_of_a_torch_file(tmp_path, storage) -> None:
    content = _dataset(tmp_path)
    content["feature_data"][1].update(storage=storage)
    torch.save(torch.tensor([[0.5, -1.27], [0.0, 0.0]]), tmp_path / "w.pt")
    del content["graph"]["feature_data"]
    _write(tmp_path, content)
    feature = gb.OnDiskDataset(str(tmp_path)).load().feature["edge", None, "w"]
    assert isinstance(feature, gb.DiskBasedFeature)
    read = feature.read(torch.tensor([1, 0]))
    assert torch.allclose(read, torch.tensor([[0, 0], [0.5, -1.27]]), atol=4e-3)


def _typed_dataset(folder: Path) -> dict:
    for seed, name in enumerate(("a", "b")):
        np.save(folder / f"{name}.npy", _edges(seed))
        np.save(folder / f"w{name}.npy", np.arange(EDGES, dtype=np.float32) + 1000 * seed)
        np.save(folder / f"x{name}.npy", np.arange(NODES) + 1000 * seed)
    edges = {"u:a:v": "a", "v:b:u": "b"}
    row = {"format": "numpy"}
    return {
        "graph": {
            "nodes": [{"num": NODES, "type": ntype} for ntype in ("u", "v")],
            "edges": [{**row, "type": t, "path": f"{name}.npy"} for t, name in edges.items()],
            "feature_data": [
                *(
                    {**row, "domain": "edge", "name": "w", "type": t, "path": f"w{name}.npy"}
                    for t, name in edges.items()
                ),
                *(
                    {**row, "domain": "node", "name": "x", "type": t, "path": f"x{name}.npy"}
                    for t, name in (("u", "a"), ("v", "b"))
                ),
            ],
        }
    }


def test_attributes_of_types(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(preprocess, "_PIECE", 150)
    _write(tmp_path, _typed_dataset(tmp_path))
    graph = gb.OnDiskDataset(str(tmp_path), include_original_edge_id=True).load().graph
    eids, types = graph.edge_attribute(gb.ORIGINAL_EDGE_ID), graph.type_per_edge
    assert torch.equal(graph.edge_attribute("w").long(), eids + 1000 * types.long())
    both = torch.cat([torch.arange(NODES), torch.arange(NODES) + 1000])
    assert torch.equal(graph.node_attribute("x"), both)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f, c: np.save(f / "wb.npy", np.zeros(EDGES, np.int64)), "one dtype and shape of"),
        (lambda f, c: np.save(f / "wb.npy", np.zeros((EDGES, 2), np.float32)), "one dtype and sh"),
        (lambda f, c: np.save(f / "wb.npy", np.zeros(EDGES + 1)), "of type 'v:b:u' must have 400"),
        (lambda f, c: np.save(f / "xb.npy", np.zeros(NODES + 1)), "of type 'v' must have 50 rows"),
        (lambda f, c: np.save(f / "xb.npy", np.zeros(NODES)), "one dtype and shape of"),
        (lambda f, c: c["graph"]["feature_data"].pop(0), "'w' is not given for type 'u:a:v'"),
        (lambda f, c: c["graph"]["feature_data"].pop(3), "'x' is not given for type 'v'"),
        (
            lambda f, c: c["graph"]["feature_data"].append(
                {**c["graph"]["feature_data"][3], "type": "w"}
            ),
            "'x' is given for an unknown type 'w'",
        ),
        (lambda f, c: c["graph"]["edges"][0].pop("type"), "needs a text as 'type'"),
        (lambda f, c: c["graph"]["edges"][0].update(type=3), "needs a text as 'type'"),
        (lambda f, c: c["graph"]["nodes"][1].update(type="u"), "2 entries of type 'u'"),
        (lambda f, c: c["graph"]["edges"][1].update(type="u:a:v"), "2 entries of type 'u:a:v'"),
    ],
)
def test_types_that_do_not_fit(tmp_path, change, message) -> None:
    content = _typed_dataset(tmp_path)
    _bad(change)(tmp_path, content)
    with pytest.raises(FileError, match=message):
        gb.OnDiskDataset(str(tmp_path))
    assert not (tmp_path / preprocess.BUILT).exists()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch, number) -> None:
    content = _dataset(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch, pytest.raises(FileError, match="Copy the dataset to a"):
        patch.setattr(Path, "mkdir", fail)
        gb.OnDiskDataset(str(tmp_path))
    content["feature_data"][0]["storage"] = "int8"
    _write(tmp_path, content)
    dataset = gb.OnDiskDataset(str(tmp_path))
    monkeypatch.setattr(preprocess, "write_compact", fail)
    with pytest.raises(FileError, match=r"Cannot write .*: .*\. Copy the dataset to a folder"):
        dataset.load()


def test_types(tmp_path) -> None:
    for seed, name in enumerate(("a", "b")):
        np.save(tmp_path / f"{name}.npy", _edges(seed))
    _write(
        tmp_path,
        {
            "graph": {
                "nodes": [{"num": NODES, "type": "v"}, {"num": NODES + 5, "type": "u"}],
                "edges": [
                    {"type": "v:b:u", "format": "numpy", "path": "b.npy"},
                    {"type": "u:a:v", "format": "numpy", "path": "a.npy"},
                ],
            }
        },
    )
    graph = gb.OnDiskDataset(str(tmp_path), include_original_edge_id=True).load().graph
    assert graph.num_nodes == {"u": NODES + 5, "v": NODES}
    assert graph.num_edges == {"u:a:v": EDGES, "v:b:u": EDGES}
    drawn = graph.in_subgraph({"v": torch.arange(NODES), "u": torch.arange(NODES + 5)})
    for seed, etype in enumerate(("u:a:v", "v:b:u")):
        src, dst = torch.from_numpy(_edges(seed))
        csc, eids = drawn.sampled_csc[etype], drawn.original_edge_ids[etype].long()
        assert torch.equal(csc.indices.long(), src[eids])
        assert torch.equal(csc.columns().long(), dst[eids])


def test_a_graph_is_built_once_and_again_when_the_metadata_change(tmp_path) -> None:
    content = _dataset(tmp_path)
    gb.OnDiskDataset(str(tmp_path))
    state = tmp_path / preprocess.BUILT / "state.json"
    first = state.stat().st_mtime_ns
    gb.OnDiskDataset(str(tmp_path))
    assert state.stat().st_mtime_ns == first
    gb.OnDiskDataset(str(tmp_path), include_original_edge_id=True)
    second = state.stat().st_mtime_ns
    assert second > first
    gb.OnDiskDataset(str(tmp_path))  # what has edge ids serves as well
    assert state.stat().st_mtime_ns == second
    content["graph"]["nodes"][0]["num"] = NODES + 1
    _write(tmp_path, content)
    assert gb.OnDiskDataset(str(tmp_path)).load().graph.num_nodes == NODES + 1


@pytest.mark.parametrize("name", ["edges.npy", "w.pt"])
def test_a_graph_is_built_again_when_its_files_change(tmp_path, name) -> None:
    _dataset(tmp_path)
    gb.OnDiskDataset(str(tmp_path))
    other = _edges(1)
    if name == "edges.npy":
        np.save(tmp_path / name, other)  # of the same size
    else:
        torch.save(torch.arange(EDGES).view(-1, 1).float() + 1, tmp_path / name)
    graph = gb.OnDiskDataset(str(tmp_path), force_preprocess=False).load().graph
    first = torch.from_numpy(_edges())
    assert torch.equal(graph.indices.long(), first[0][first[1].argsort(stable=True)])
    graph = gb.OnDiskDataset(str(tmp_path)).load().graph
    src, dst = torch.from_numpy(other if name == "edges.npy" else _edges())
    order = dst.argsort(stable=True)
    assert torch.equal(graph.indices.long(), src[order])
    assert torch.equal(graph.edge_attribute("p").squeeze(1).long(), order + (name == "w.pt"))
    (tmp_path / "edges.npy").unlink()  # what is built does not need it
    assert gb.OnDiskDataset(str(tmp_path)).load(tasks=[]).graph.num_edges == EDGES


def test_an_interrupted_build_of_other_files_begins_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(csc_build, "BUCKET_BYTES", 2000)
    _dataset(tmp_path)
    sort = csc_build.Builder.sort
    monkeypatch.setattr(csc_build.Builder, "sort", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        gb.OnDiskDataset(str(tmp_path))
    monkeypatch.setattr(csc_build.Builder, "sort", sort)
    np.save(tmp_path / "edges.npy", _edges(1))
    graph = gb.OnDiskDataset(str(tmp_path)).load().graph
    src, dst = torch.from_numpy(_edges(1))
    assert torch.equal(graph.indices.long(), src[dst.argsort(stable=True)])


def test_an_interrupted_build_goes_on(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(csc_build, "BUCKET_BYTES", 2000)
    _dataset(tmp_path)
    sort_bucket = csc_build.Builder._sort_bucket
    sorted_buckets = []

    def stop_at_second(self, bucket, *rest):
        sorted_buckets.append(bucket)
        if len(sorted_buckets) == 3:
            raise KeyboardInterrupt
        return sort_bucket(self, bucket, *rest)

    monkeypatch.setattr(csc_build.Builder, "_sort_bucket", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        gb.OnDiskDataset(str(tmp_path))
    assert not (tmp_path / preprocess.BUILT).exists()
    graph = gb.OnDiskDataset(str(tmp_path)).load().graph
    assert sorted_buckets[:4] == [0, 1, 2, 2]
    src, dst = torch.from_numpy(_edges())
    assert torch.equal(graph.indices.long(), src[dst.argsort(stable=True)])


@pytest.mark.parametrize("suffix", [".npy", ".parquet"])
def test_an_interrupted_distribution_goes_on(tmp_path, suffix, monkeypatch) -> None:
    monkeypatch.setattr(csc_build, "BUCKET_BYTES", 2000)
    monkeypatch.setattr(csc_build, "NOTE_EVERY", 60)
    monkeypatch.setattr(edge_lists, "_EDGES", 25)
    _dataset(tmp_path, suffix)
    scatter = csc_build.Builder._scatter
    starts = []

    def stop_at_ninth(self, number, first, *rest):
        starts.append(first)
        scatter(self, number, first, *rest)
        if len(starts) == 9:
            raise KeyboardInterrupt

    monkeypatch.setattr(csc_build.Builder, "_scatter", stop_at_ninth)
    with pytest.raises(KeyboardInterrupt):
        gb.OnDiskDataset(str(tmp_path))
    # Two pieces were written after the last note.
    assert (starts[-1], read_state(tmp_path / PARTIAL)["count"]) == (200, 150)
    graph = gb.OnDiskDataset(str(tmp_path)).load().graph
    src, dst = torch.from_numpy(_edges())
    assert torch.equal(graph.indices.long(), src[dst.argsort(stable=True)])


def test_a_node_with_most_edges(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(csc_build, "BUCKET_BYTES", 400)
    edges = _edges()
    edges[1, ::2] = 7
    edges[1, 1::4] = 9
    _dataset(tmp_path, edges=edges)
    graph = gb.OnDiskDataset(str(tmp_path), include_original_edge_id=True).load().graph
    src, dst = torch.from_numpy(edges)
    order = dst.argsort(stable=True)
    assert torch.equal(graph.indices.long(), src[order])
    assert torch.equal(graph.edge_attribute(gb.ORIGINAL_EDGE_ID).long(), order)


def test_a_disk_that_fills_up_while_writing(tmp_path) -> None:
    content = _dataset(tmp_path, edges=_edges(0, NODES, 20_000))
    del content["graph"]["feature_data"]
    _write(tmp_path, content)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    command = f"{limit}; import gossamer.graphbolt as gb; gb.OnDiskDataset({str(tmp_path)!r})"
    run = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert "FileError: Cannot preprocess" in run.stderr and "is kept" in run.stderr
    assert not (tmp_path / preprocess.BUILT).exists()
    assert gb.OnDiskDataset(str(tmp_path)).load().graph.num_edges == 20_000


def test_too_little_space_is_told_before_writing(tmp_path, monkeypatch) -> None:
    _dataset(tmp_path)
    monkeypatch.setattr(csc_build.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(FileError, match=r"needs about 0 MB, but the disk has 0 MB free"):
        gb.OnDiskDataset(str(tmp_path))
    # Weights of edges are copied too.
    torch.save(torch.zeros(EDGES, 10_000), tmp_path / "w.pt")
    monkeypatch.setattr(csc_build.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**7))
    with pytest.raises(FileError, match=r"needs about 16 MB, but the disk has 10 MB free"):
        gb.OnDiskDataset(str(tmp_path))


_SMALL_DISK = """
import shutil, sys, types
import gossamer as gs, gossamer.graphbolt as gb
shutil.disk_usage = lambda _: types.SimpleNamespace(free=10**12)  # another process fills the disk
try:
    gb.OnDiskDataset("disk")
except gs.FileError as error:
    print(error)
"""


def test_a_disk_that_fills_up_with_attributes(tmp_path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    content = _dataset(source)
    del content["feature_data"], content["tasks"]
    torch.save(torch.zeros(EDGES, 2000), source / "w.pt")  # 3.2 MB
    _write(source, content)
    mount = "mkdir disk && mount -t tmpfs -o size=5m none disk && cp source/* disk && exec "
    command = ["unshare", "-rm", "sh", "-c", mount + '"$0" -c "$1"', sys.executable, _SMALL_DISK]
    try:
        run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    except FileNotFoundError:
        pytest.skip("there is no command unshare")
    if "unshare" in run.stderr or "mount" in run.stderr:
        pytest.skip("a file system cannot be mounted here")
    assert run.returncode == 0, run.stderr  # a store to a mapped file would end the process
    assert "Cannot preprocess disk: No space left on device. Free space" in run.stdout


def test_changed_content_is_refused(tmp_path, monkeypatch) -> None:
    _dataset(tmp_path)
    built = tmp_path / preprocess.BUILT
    gb.OnDiskDataset(str(tmp_path))
    preprocess.check_graph(built)
    content = bytearray((built / "indices.npy").read_bytes())
    content[-2] ^= 1
    (built / "indices.npy").write_bytes(content)
    with pytest.raises(FileError, match=r"indices\.npy has changed since it was built"):
        gb.OnDiskDataset(str(tmp_path)).load()
    monkeypatch.setattr(preprocess, "_CHECKED_ON_OPENING", 0)
    gb.OnDiskDataset(str(tmp_path)).load()
    with pytest.raises(FileError, match="has changed"):
        preprocess.check_graph(built)


def test_a_full_disk_is_an_error_that_leaves_the_old_graph(tmp_path, monkeypatch) -> None:
    _dataset(tmp_path)
    gb.OnDiskDataset(str(tmp_path))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(csc_build.Builder, "sort", fail)
    with pytest.raises(FileError, match=r"No space left on device\. Free space"):
        gb.OnDiskDataset(str(tmp_path), force_preprocess=True)
    assert gb.OnDiskDataset(str(tmp_path)).load().graph.num_edges == EDGES


def test_a_pipeline_over_the_disk(tmp_path) -> None:
    _dataset(tmp_path)
    dataset = gb.OnDiskDataset(str(tmp_path), include_original_edge_id=True).load()
    pipe = gb.ItemSampler(dataset.tasks[0].train_set, 4, shuffle=True)
    pipe = pipe.sample_neighbor(dataset.graph, [2, 2])
    pipe = pipe.fetch_feature(dataset.feature, ["x"], ["w"])
    for workers in (0, 1):
        for batch in gb.DataLoader(pipe, num_workers=workers):
            x = batch.node_features["x"]
            assert torch.equal(x[:, 0].long(), 2 * batch.input_nodes)
            eids = batch.blocks[0].edata["_ID"]
            assert torch.equal(batch.edge_features[0]["w"].squeeze(1).long(), eids.long())


def _bad(change):
    def apply(folder: Path, content: dict) -> None:
        change(folder, content)
        _write(folder, content)

    return apply


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f, c: c["graph"]["edges"][0].update(path="../e.npy"), "leaves the folder"),
        (lambda f, c: c["graph"]["edges"][0].update(path="no.npy"), "there is no file"),
        (lambda f, c: c["graph"]["edges"][0].update(path=5), "a path must be text, got 5"),
        (lambda f, c: c["graph"]["feature_data"][0].pop("path"), "lacks 'path'"),
        (lambda f, c: c["graph"]["edges"][0].update(format="xml"), "a 'format' of"),
        (lambda f, c: c["graph"]["nodes"][0].update(num=10), "but there are 10 nodes"),
        (lambda f, c: c["graph"].pop("nodes"), "needs 'num'"),
        (lambda f, c: c.pop("graph"), "has no 'graph'"),
        (lambda f, c: c["feature_data"][0].update(domain="x"), "'domain' of 'feature_data'"),
        (lambda f, c: c["feature_data"][0].pop("name"), "lacks 'name'"),
        (lambda f, c: c["feature_data"][0].update(storage="int4"), "'storage' of 'feature_data'"),
        (lambda f, c: c["feature_data"][0].update(path="../x.npy"), "leaves the folder"),
        (lambda f, c: np.save(f / "edges.npy", np.ones((3, 4))), "of shape .2, E."),
        (lambda f, c: np.save(f / "train.npy", np.arange(3)), r"have \[3, 10\] rows"),
        (lambda f, c: (f / "w.pt").write_bytes(b"PK"), "cannot be read as torch"),
        (lambda f, c: os.truncate(f / "x.npy", 200), "truncated"),
        (lambda f, c: np.save(f / "x.npy", np.ones((NODES, 2), ">f4")), "torch does not have"),
        (lambda f, c: np.save(f / "x.npy", np.full(NODES, "a")), "torch does not have"),
        (lambda f, c: c["feature_data"][0].update(path="a\0b"), "a path must be text"),
        (lambda f, c: torch.save(torch.zeros(EDGES - 1), f / "w.pt"), r"must have 400 rows, got"),
        (lambda f, c: torch.save(torch.zeros(EDGES + 1), f / "w.pt"), r"must have 400 rows, got"),
        (lambda f, c: torch.save(torch.tensor(1.0), f / "w.pt"), r"must have 400 rows, got"),
        (lambda f, c: torch.save(torch.zeros(EDGES).bfloat16(), f / "w.pt"), "Store it as float32"),
        (lambda f, c: c["graph"]["feature_data"][0].update(domain="node"), "must have 50 rows"),
        (
            lambda f, c: c["graph"]["feature_data"][0].update(type="u:a:v"),
            "an unknown type 'u:a:v'",
        ),
        (lambda f, c: c["graph"]["edges"].append(c["graph"]["edges"][0]), "2 entries of type None"),
        (lambda f, c: c["graph"]["nodes"].append({"num": 3}), "2 entries of type None"),
        (
            lambda f, c: c["graph"]["nodes"].append({"num": 3, "type": "u"}),
            "needs a text as 'type'",
        ),
        (lambda f, c: c["graph"]["edges"][0].update(type="u:a:u"), "but 'nodes' have none"),
        (
            lambda f, c: c["tasks"][0].update(train_set=2 * c["tasks"][0]["train_set"]),
            r"must each have a 'type' of their own, .* got \[None, None\]",
        ),
        (
            lambda f, c: c["tasks"][0]["train_set"].append(
                {"type": "u", **c["tasks"][0]["train_set"][0]}
            ),
            r"got \[None, 'u'\]",
        ),
    ],
)
def test_wrong_metadata_and_files(tmp_path, change, message) -> None:
    content = _dataset(tmp_path)
    _bad(change)(tmp_path, content)
    with pytest.raises(FileError, match=message):
        gb.OnDiskDataset(str(tmp_path)).load()


@pytest.mark.parametrize("text", ["a: [", "- 1", "\xff"])
def test_wrong_yaml(tmp_path, text) -> None:
    (tmp_path / "metadata.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(FileError, match=r"metadata\.yaml"):
        gb.OnDiskDataset(str(tmp_path))
    with pytest.raises(FileError, match="There is no file"):
        gb.OnDiskDataset(str(tmp_path / "other"))


@pytest.mark.parametrize("text", ["0,1\n2\n", "a,b\n0,1\n", "0,1\n,2\n", "0,1,2\n"])
def test_wrong_csv(tmp_path, text) -> None:
    content = _dataset(tmp_path, ".csv")
    (tmp_path / "edges.csv").write_text(text)
    _write(tmp_path, content)
    with pytest.raises(FileError, match=r"edges\.csv"):
        gb.OnDiskDataset(str(tmp_path))


def test_a_truncated_graph_is_refused(tmp_path) -> None:
    _dataset(tmp_path)
    gb.OnDiskDataset(str(tmp_path))
    os.truncate(tmp_path / preprocess.BUILT / "indices.npy", 100)
    with pytest.raises(FileError, match="100 bytes instead of"):
        gb.OnDiskDataset(str(tmp_path)).load()
    state = tmp_path / preprocess.BUILT / "state.json"
    state.write_text(json.dumps({"key": "x"}))
    assert gb.OnDiskDataset(str(tmp_path)).load().graph.num_edges == EDGES


def test_unloaded_parts_and_unknown_names(tmp_path) -> None:
    _dataset(tmp_path)
    with pytest.raises(FileError, match=r"Call load\(\) first"):
        _ = gb.OnDiskDataset(str(tmp_path)).graph
    with pytest.raises(UnknownKeyError, match="no built-in dataset 'x'"):
        gb.BuiltinDataset("x")
