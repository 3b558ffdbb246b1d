"""Rows for datasets of labeled graphs, and templates for collections of datasets."""

from __future__ import annotations

from dataclasses import replace

from gossamer.data.catalogue.entry import GRAPHS, MULTI_LABEL_GRAPHS, NODES, REGRESSION, Entry
from gossamer.data.raw import RawFile

_DGL = "https://data.dgl.ai/dataset/"
_TU_URL = "https://www.chrsmrrs.com/graphkerneldatasets/"
_DWIVEDI = "Dwivedi et al., JMLR 2023"
_LRGB = "Dwivedi et al., NeurIPS 2022"
_WU = "Wu et al., Chem. Sci. 2018"
_SST_FILES = ("train.txt", "dev.txt", "test.txt", "vocab.txt")


def tu_entry(name: str, dataset: str, reader: str) -> Entry:
    """Row of a dataset of the TU collection, which has over a hundred."""
    return Entry(
        name=name,
        dataset=dataset,
        arguments={"name": name},
        task=GRAPHS,
        description="a dataset of the TU collection",
        reference="Morris et al., 2020",
        files=(RawFile(f"{name}.zip", f"{_TU_URL}{name}.zip"),),
        needs=tuple(f"{name}_{part}.txt" for part in ("A", "graph_indicator", "graph_labels")),
        reader=f"tu:{reader}",
        options={"name": name},
        graphs=-1,
    )


def gin_entry(name: str) -> Entry:
    """Row of a dataset in the archive of the GIN paper."""
    return Entry(
        name=name,
        dataset="GINDataset",
        arguments={"name": name, "self_loop": False},
        task=GRAPHS,
        description="a dataset of the GIN paper",
        reference="Xu et al., ICLR 2019",
        folder="GINDataset",
        files=(
            RawFile(
                "dataset.zip",
                (
                    "https://raw.githubusercontent.com/weihua916/powerful-gnns/master/dataset.zip",
                    "https://github.com/weihua916/powerful-gnns/raw/master/dataset.zip",
                ),
            ),
        ),
        needs=(f"{name}.txt",),
        reader="dgcnn:dgcnn",
        options={"name": name},
        graphs=-1,
    )


def _fake_news(name: str, archive: str, graphs: int, nodes: int, edges: int) -> Entry:
    return Entry(
        name=name,
        dataset="FakeNewsDataset",
        arguments={"name": name, "feature_name": "bert"},
        task=GRAPHS,
        description="trees of who spread a piece of news; the class says whether it is false",
        reference="Dou et al., SIGIR 2021",
        files=(RawFile(archive, _DGL + archive),),
        needs=(
            "A.txt",
            "node_graph_id.npy",
            "graph_labels.npy",
            "train_idx.npy",
            "val_idx.npy",
            "test_idx.npy",
        ),
        reader="fake_news:fake_news",
        graphs=graphs,
        nodes=nodes,
        edges=edges,
        features=768,
        classes=2,
        splits=1,
    )


def _superpixels(name: str, dataset: str, description: str, *sizes: int) -> Entry:
    graphs, features, classes = sizes
    return Entry(
        name=name,
        folder="Superpixel",
        dataset=dataset,
        task=GRAPHS,
        description=description,
        reference=_DWIVEDI,
        files=(
            RawFile(
                "superpixels.zip", "https://www.dropbox.com/s/y2qwa77a0fxem47/superpixels.zip?dl=1"
            ),
        ),
        reader="superpixels:digit_superpixels",
        graphs=graphs,
        features=features,
        classes=classes,
        splits=1,
    )


def _regions(name: str, dataset: str, description: str, *sizes: int) -> Entry:
    graphs, classes = sizes
    return Entry(
        name=name,
        dataset=dataset,
        task=NODES,
        description=description,
        reference=_LRGB,
        # There is no URL for this format: it must be downloaded manually.
        files=(RawFile("train.pickle"), RawFile("val.pickle"), RawFile("test.pickle")),
        reader="superpixels:region_superpixels",
        options={"num_classes": classes},
        graphs=graphs,
        features=14,
        classes=classes,
        splits=1,
        metric="f1",
    )


def _containers(
    name: str, archive: str, prefix: str, dataset: str, task: str, description: str, **counts: int
) -> Entry:
    return Entry(
        name=name,
        dataset=dataset,
        task=task,
        description=description,
        reference=_DWIVEDI,
        files=(RawFile(archive, _DGL + archive),),
        needs=tuple(f"{prefix}_{mode}.bin" for mode in ("train", "valid", "test")),
        reader="dgl_graphs:dgl_graphs",
        splits=1,
        metric="mae" if task == REGRESSION else "accuracy",
        **counts,
    )


_DROPBOX = "https://www.dropbox.com/s/"


def _peptides(
    name: str, dataset: str, task: str, description: str, table: str, splits: str, classes: int
) -> Entry:
    return Entry(
        name=name,
        dataset=dataset,
        task=task,
        description=description,
        reference=_LRGB,
        licence="CC BY-NC 4.0",
        files=tuple(
            RawFile(address.rpartition("/")[2], f"{_DROPBOX}{address}?dl=1")
            for address in (table, splits)
        ),
        reader="smiles:peptides",
        options={
            "file": table.rpartition("/")[2],
            "splits": splits.rpartition("/")[2],
        },
        graphs=15535,
        nodes=2344859,
        edges=4773974,
        features=9,
        classes=classes,
        splits=1,
        metric="ap" if task == MULTI_LABEL_GRAPHS else "mae",
    )


_DEEPCHEM = "https://deepchemdata.s3-us-west-1.amazonaws.com/datasets/"
_TOX21 = (
    "NR-AR NR-AR-LBD NR-AhR NR-Aromatase NR-ER NR-ER-LBD NR-PPAR-gamma "
    "SR-ARE SR-ATAD5 SR-HSE SR-MMP SR-p53"
)
# Name: file without .csv, columns to predict, whether they are classes, rows, description.
# A column that has two names, depending on who distributes the table, is a tuple of both.
_MOLECULES = {
    "ESOL": (
        "delaney-processed",
        ("measured log solubility in mols per litre",),
        *(False, 1128, "how soluble molecules are in water"),
    ),
    "Lipophilicity": ("Lipophilicity", ("exp",), False, 4200, "how molecules spread in oil"),
    "BBBP": ("BBBP", (("BBBP", "p_np"),), True, 2039, "molecules that may reach the brain"),
    "ClinTox": (
        *("clintox", ("FDA_APPROVED", "CT_TOX"), True, 1480),
        "drugs that are approved or failed because they are toxic",
    ),
    "Tox21": ("tox21", tuple(_TOX21.split()), True, 7823, "molecules and what they are toxic to"),
}


def molecule_entry(name: str) -> Entry:
    """Row of a table of MoleculeNet, or of any table of molecules, ``<name>.csv``."""
    unknown = (name, None, None, -1, "a table of molecules")
    stem, targets, binary, rows, description = _MOLECULES.get(name, unknown)
    file = f"{stem}.csv"
    columns = targets and tuple(c for t in targets for c in ((t,) if isinstance(t, str) else t))
    return Entry(
        name=name,
        dataset="MoleculeDataset",
        arguments={"name": name},
        task=MULTI_LABEL_GRAPHS if binary else REGRESSION,
        description=description,
        reference=_WU,
        files=(RawFile(file, _DEEPCHEM + file if targets else ()),),
        reader="smiles:molecules",
        options={"file": file, "targets": columns, "binary": binary},
        graphs=rows,
        features=9,
        classes=len(targets or ()),
        metric="roc_auc" if binary else "rmse",
    )


def _named(entry: Entry, prefix: str, graphs: int, classes: int) -> Entry:
    """Return a row of a collection with a prefix that makes its name unique."""
    name = f"{prefix}-{entry.name.lower()}"
    return replace(entry, name=name, graphs=graphs, classes=classes)


ROWS = (
    *(molecule_entry(name) for name in _MOLECULES),
    _named(gin_entry("MUTAG"), "gin", 188, 2),
    _named(gin_entry("PTC"), "gin", 344, 2),
    _named(gin_entry("NCI1"), "gin", 4110, 2),
    _named(gin_entry("PROTEINS"), "gin", 1113, 2),
    _named(gin_entry("COLLAB"), "gin", 5000, 3),
    _named(gin_entry("IMDBBINARY"), "gin", 1000, 2),
    _named(gin_entry("IMDBMULTI"), "gin", 1500, 3),
    _named(gin_entry("REDDITBINARY"), "gin", 2000, 2),
    _named(gin_entry("REDDITMULTI5K"), "gin", 4999, 5),
    _named(tu_entry("ENZYMES", "TUDataset", "tu"), "tu", 600, 6),
    _superpixels(
        "mnist_superpixel", "MNISTSuperPixelDataset", "digits as superpixels", *(70000, 3, 10)
    ),
    _superpixels(
        "cifar10_superpixel", "CIFAR10SuperPixelDataset", "photos as superpixels", *(60000, 5, 10)
    ),
    _regions(
        "voc_superpixels", "VOCSuperpixelsDataset", "photos as superpixels with objects", 11355, 21
    ),
    _regions(
        "coco_superpixels",
        "COCOSuperpixelsDataset",
        "photos as superpixels with objects",
        *(123286, 81),
    ),
    _containers(
        "cluster",
        "SBM_CLUSTER.zip",
        "CLUSTER",
        "CLUSTERDataset",
        NODES,
        "random graphs with six communities, one member of each known",
        graphs=12000,
        features=7,
        classes=6,
    ),
    _containers(
        "pattern",
        "SBM_PATTERN.zip",
        "SBM_PATTERN",
        "PATTERNDataset",
        NODES,
        "random graphs with a hidden pattern",
        graphs=14000,
        features=3,
        classes=2,
    ),
    _containers(
        "zinc",
        "ZINC12k.zip",
        "ZincDGL",
        "ZINCDataset",
        REGRESSION,
        "molecules and how soluble and easy to make they are",
        graphs=12000,
        features=1,
        classes=1,
    ),
    _peptides(
        "peptides-functional",
        "PeptidesFunctionalDataset",
        MULTI_LABEL_GRAPHS,
        "peptides and what they do",
        "ol2v01usvaxbsr8/peptide_multi_class_dataset.csv.gz",
        "j4zcnx2eipuo0xz/splits_random_stratified_peptide.pickle",
        10,
    ),
    _peptides(
        "peptides-structural",
        "PeptidesStructuralDataset",
        REGRESSION,
        "peptides and their shape",
        "464u3303eu2u4zp/peptide_structure_dataset.csv.gz",
        "9dfifzft1hqgow6/splits_random_stratified_peptide_structure.pickle",
        11,
    ),
    Entry(
        name="qm7b",
        dataset="QM7bDataset",
        task=REGRESSION,
        description="molecules of up to 7 heavy atoms with 14 properties",
        reference="Montavon et al., New J. Phys. 2013",
        files=(
            RawFile(
                "qm7b.mat",
                (
                    "http://deepchem.io.s3-website-us-west-1.amazonaws.com/datasets/qm7b.mat",
                    "http://quantum-machine.org/data/qm7b.mat",
                ),
            ),
        ),
        reader="molecules:qm7b",
        graphs=7211,
        classes=14,
        metric="mae",
    ),
    Entry(
        name="qm9",
        dataset="QM9Dataset",
        arguments={"label_keys": ["mu"]},
        task=REGRESSION,
        description="molecules of up to 9 heavy atoms, joined by distance, with 12 properties",
        reference=_WU,
        files=(RawFile("qm9_eV.npz", _DGL + "qm9_eV.npz"),),
        reader="molecules:qm9",
        graphs=130831,
        classes=12,
        metric="mae",
    ),
    Entry(
        name="qm9_edge",
        folder="qm9Edge",
        dataset="QM9EdgeDataset",
        task=REGRESSION,
        description="molecules of up to 9 heavy atoms with their bonds and 19 properties",
        reference=_WU,
        files=(RawFile("qm9_edge.npz", _DGL + "qm9_edge.npz"),),
        reader="molecules:qm9_edge",
        graphs=130831,
        features=15,
        classes=19,
        metric="mae",
    ),
    Entry(
        name="ba2motif",
        folder="BA-2motifs",
        dataset="BA2MotifDataset",
        task=GRAPHS,
        description="random graphs with a house or a cycle of five nodes",
        reference="Luo et al., NeurIPS 2020",
        files=(
            RawFile(
                "BA-2motif.pkl",
                (
                    _DGL + "BA-2motif.pkl",
                    "https://github.com/flyingdoog/PGExplainer/raw/master/dataset/BA-2motif.pkl",
                ),
            ),
        ),
        reader="motifs:ba2motif",
        graphs=1000,
        nodes=25000,
        features=10,
        classes=2,
    ),
    _fake_news("gossipcop", "FakeNewsGOS.zip", 5464, 314262, 308798),
    _fake_news("politifact", "FakeNewsPOL.zip", 314, 41054, 40740),
    Entry(
        name="sst",
        dataset="SSTDataset",
        task=GRAPHS,
        description="sentences as trees; each part of a sentence has a sentiment",
        reference="Socher et al., EMNLP 2013",
        files=(RawFile("sst.zip", _DGL + "sst.zip"),),
        needs=_SST_FILES,
        reader="sst:sst",
        graphs=11855,
        classes=5,
        splits=1,
    ),
)
