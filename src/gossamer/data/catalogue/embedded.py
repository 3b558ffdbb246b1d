"""Rows for datasets that are embedded, generated, or read from files without a cache."""

from __future__ import annotations

from gossamer.data.catalogue.entry import GRAPHS, NODES, Entry, counts
from gossamer.data.raw import RawFile

PLANETOID_URL = "https://github.com/tkipf/gcn/raw/master/gcn/data/"
PLANETOID_PARTS = ("x", "y", "tx", "ty", "allx", "ally", "graph", "test.index")
HETEROPHILOUS_URL = "https://github.com/yandex-research/heterophilous-graphs/raw/main/data/"
GEOM_URL = "https://github.com/graphdml-uiuc-jlu/geom-gcn/raw/master/"
GEOM_FILES = ("out1_node_feature_label.txt", "out1_graph_edges.txt")

_YANG = "Yang et al., ICML 2016"
_PEI = "Pei et al., ICLR 2020"
_PLATONOV = "Platonov et al., ICLR 2023"
_YING = "Ying et al., NeurIPS 2019"

_PLANETOID_SHA256 = {
    "ind.cora.x": "23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab",
    "ind.cora.y": "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1",
    "ind.cora.tx": "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a",
    "ind.cora.ty": "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad",
    "ind.cora.allx": "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543",
    "ind.cora.ally": "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71",
    "ind.cora.graph": "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d",
    "ind.cora.test.index": "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875",
    "ind.citeseer.x": "d20de19150741e555de0ed037195630fc194114ebc7fd72ced62810148aa22f6",
    "ind.citeseer.y": "8ba87e515d8e3ee3cf52f6d2c5b86aa73f11ecad825a808455209ec26cd54924",
    "ind.citeseer.tx": "539a8906a2da97628d212f2fdd668c109a8b3f0d36574b59e5d3fd5b5303da21",
    "ind.citeseer.ty": "55e5bd1ba1e733a04598753ad1a8d57957f4b8f89e74519f41f4f4938767e4ce",
    "ind.citeseer.allx": "2ac30345d95c9ec933a817ee0bdd6a5f077f8c184a20e696910192d534414668",
    "ind.citeseer.ally": "f704b2d986dde6c2669934de1f3ae5696a6cf9455c0f6b2646a2d135ea0a1c95",
    "ind.citeseer.graph": "d79a4ef9d3e7169aee8946145f6b7306e35bc79bffad26346cfb94e10e9912a7",
    "ind.citeseer.test.index": "2af990671580b6b2df5d158d1038f8292e30c9cd821b5453f399659b25b723d4",
}
HETEROPHILOUS_SHA256 = {
    "actor": "c350eef06b2c2a9bf8218be2b57cac6d4003d0922eb597a039e9123f75817816",
    "chameleon_filtered": "bf46f07e1fb5249280447e5fe3100f3e82fc4b93ad1e13ffcfdec924b6ac0bb5",
    "cornell": "684c54ba3daa13b0ba1f04a3d6dd1b1175c1ae9bdeb982851fd4ff96d3aac298",
    "minesweeper": "e664c8dacf1e8ac466c2c09ed4b237bd2c5541f47a6eae9c6092cb87f16412b3",
    "texas": "b164b99e6c3d43e4ab07488ec59bd8c815f90cbc1bd4cf425ce587d2b534d844",
}


def _citation(name: str, description: str, *sizes: int) -> Entry:
    names = [f"ind.{name}.{part}" for part in PLANETOID_PARTS]
    return Entry(
        name=name,
        dataset="CitationGraphDataset",
        arguments={"name": name},
        task=NODES,
        description=description,
        reference=_YANG,
        files=tuple(RawFile(f, PLANETOID_URL + f, _PLANETOID_SHA256.get(f)) for f in names),
        **counts(*sizes),
        splits=1,
    )


def _heterophilous(
    name: str, description: str, *sizes: int, metric: str = "accuracy", reference: str = _PLATONOV
) -> Entry:
    stem = name.replace("-", "_")
    file = f"{stem}.npz"
    return Entry(
        name=name,
        dataset="HeterophilousGraphDataset",
        arguments={"name": stem},
        task=NODES,
        description=description,
        reference=reference,
        files=(RawFile(file, HETEROPHILOUS_URL + file, HETEROPHILOUS_SHA256.get(stem)),),
        **counts(*sizes),
        splits=10,
        metric=metric,
    )


def _geom(name: str, dataset: str, description: str, *sizes: int, stem: str = "") -> Entry:
    stem = stem or name
    splits = [f"{stem}_split_0.6_0.2_{split}.npz" for split in range(10)]
    return Entry(
        name=f"geom-{name}",
        dataset=dataset,
        task=NODES,
        description=description,
        reference=_PEI,
        files=(
            *(RawFile(file, f"{GEOM_URL}new_data/{stem}/{file}") for file in GEOM_FILES),
            *(RawFile(file, f"{GEOM_URL}splits/{file}") for file in splits),
        ),
        **counts(*sizes, classes=5),
        splits=10,
    )


def _generated(
    name: str, dataset: str, description: str, *sizes: int, reference: str = _YING
) -> Entry:
    return Entry(
        name=name,
        dataset=dataset,
        task=NODES,
        description=description,
        reference=reference,
        licence="generated",
        **counts(*sizes),
    )


ROWS = (
    Entry(
        name="digits",
        dataset="DigitsDataset",
        task=NODES,
        description="handwritten digits, joined to their nearest neighbors",
        reference="Alpaydin & Kaynak, UCI 1998",
        licence="CC BY 4.0",
        **counts(1797, 19858, 64, 10),
        splits=1,
    ),
    Entry(
        name="karate",
        dataset="KarateClubDataset",
        task=NODES,
        description="friendships in a karate club (no features, no split)",
        reference="Zachary, J. Anthropol. Res. 1977",
        **counts(34, 156, classes=2),
    ),
    _citation("cora", "citations among machine-learning papers", 2708, 10556, 1433, 7),
    _citation("citeseer", "citations among computer-science papers", 3327, 9228, 3703, 6),
    _citation("pubmed", "citations among papers on diabetes", 19717, 88651, 500, 3),
    _heterophilous(
        "minesweeper", "cells of a minesweeper board", 10000, 78804, 7, 2, metric="roc_auc"
    ),
    _heterophilous("roman-empire", "words of a Wikipedia article", 22662, 65854, 300, 18),
    _heterophilous("amazon-ratings", "products bought together", 24492, 186100, 300, 5),
    _heterophilous(
        "tolokers", "workers who shared a task", 11758, 1038000, 10, 2, metric="roc_auc"
    ),
    _heterophilous(
        "questions", "users who answered each other", 48921, 307080, 301, 2, metric="roc_auc"
    ),
    _heterophilous("chameleon_filtered", "Wikipedia pages on chameleons", 890, 17708, 2325, 5),
    _heterophilous("squirrel_filtered", "Wikipedia pages on squirrels", 2223, 93996, 2089, 5),
    _heterophilous("actor", "actors on one page", 7600, 53318, 932, 5, reference=_PEI),
    _heterophilous("cornell", "university web pages", 183, 554, 1703, 5, reference=_PEI),
    _heterophilous("texas", "university web pages", 183, 558, 1703, 5, reference=_PEI),
    _geom("actor", "ActorDataset", "actors on one page, directed", 7600, 33391, 932, stem="film"),
    _geom("cornell", "CornellDataset", "university web pages, directed", 183, 298, 1703),
    _geom("texas", "TexasDataset", "university web pages, directed", 183, 325, 1703),
    _geom("wisconsin", "WisconsinDataset", "university web pages, directed", 251, 515, 1703),
    _geom("chameleon", "ChameleonDataset", "Wikipedia pages, directed", 2277, 36101, 2325),
    _geom("squirrel", "SquirrelDataset", "Wikipedia pages, directed", 5201, 217073, 2089),
    _generated("ba-shapes", "BAShapeDataset", "houses on a random graph", 700, 2055, 1, 4),
    _generated(
        "ba-community", "BACommunityDataset", "two communities of houses", 1400, 3872, 10, 8
    ),
    _generated("tree-cycles", "TreeCycleDataset", "cycles on a binary tree", 871, 939, 1, 2),
    _generated("tree-grids", "TreeGridDataset", "grids on a binary tree", 1231, 1705, 1, 2),
    Entry(
        name="mini-gc",
        dataset="MiniGCDataset",
        arguments={"num_graphs": 160, "min_num_v": 10, "max_num_v": 20},
        task=GRAPHS,
        description="eight families of small graphs",
        reference="generated",
        licence="generated",
        graphs=160,
        classes=8,
    ),
)
