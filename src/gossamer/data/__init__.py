"""Datasets: a base class, built-in ones, and what is needed to write one."""

from gossamer.data import utils
from gossamer.data.dataset import BuiltinDataset, Dataset
from gossamer.data.digits import DigitsDataset
from gossamer.data.geom_gcn import (
    ActorDataset,
    ChameleonDataset,
    CornellDataset,
    GeomGCNDataset,
    SquirrelDataset,
    TexasDataset,
    WisconsinDataset,
)
from gossamer.data.heterophilous import (
    AmazonRatingsDataset,
    HeterophilousGraphDataset,
    MinesweeperDataset,
    QuestionsDataset,
    RomanEmpireDataset,
    TolokersDataset,
)
from gossamer.data.karate import KarateClubDataset
from gossamer.data.planetoid import (
    CitationGraphDataset,
    CiteseerGraphDataset,
    CoraGraphDataset,
    PubmedGraphDataset,
    load_citeseer,
    load_cora,
    load_pubmed,
)
from gossamer.data.registry import load_data, register_data_args
from gossamer.data.utils import (
    Subset,
    add_nodepred_split,
    check_sha1,
    download,
    extract_archive,
    load_tensors,
    mask_nodes_by_property,
    save_tensors,
    split_dataset,
)

__all__ = [
    "ActorDataset",
    "AmazonRatingsDataset",
    "BuiltinDataset",
    "ChameleonDataset",
    "CitationGraphDataset",
    "CiteseerGraphDataset",
    "CoraGraphDataset",
    "CornellDataset",
    "Dataset",
    "DigitsDataset",
    "GeomGCNDataset",
    "HeterophilousGraphDataset",
    "KarateClub",
    "KarateClubDataset",
    "MinesweeperDataset",
    "PubmedGraphDataset",
    "QuestionsDataset",
    "RomanEmpireDataset",
    "SquirrelDataset",
    "Subset",
    "TexasDataset",
    "TolokersDataset",
    "WisconsinDataset",
    "add_nodepred_split",
    "check_sha1",
    "download",
    "extract_archive",
    "load_citeseer",
    "load_cora",
    "load_data",
    "load_pubmed",
    "load_tensors",
    "mask_nodes_by_property",
    "register_data_args",
    "save_tensors",
    "split_dataset",
    "utils",
]

# The older name of the karate club.
KarateClub = KarateClubDataset
