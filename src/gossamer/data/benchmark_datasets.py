"""Benchmark datasets with fixed splits: superpixels, block models, ZINC and peptides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor

from gossamer.data.catalogued import GraphList, LabelledGraphs, fact
from gossamer.data.dataset import Transform
from gossamer.data.node_datasets import check_mode
from gossamer.data.readers.smiles import smiles2graph as smiles2graph_OGB
from gossamer.data.splits import Subset

_MODES = ("train", "valid", "test")
_CONSTRUCTIONS = (
    "edge_wt_only_coord",
    "edge_wt_coord_feat",
    "edge_wt_region_boundary",
)


class _SuperPixelDataset(LabelledGraphs):
    _file: ClassVar[str]
    _size: ClassVar[int]

    def __init__(
        self,
        raw_dir: str | None = None,
        split: str = "train",
        use_feature: bool = False,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        self.split = check_mode(type(self).__name__, split, ("train", "test"))
        self.use_feature = bool(use_feature)
        self._split_file = f"{self._file}_{split}.pkl"
        options = {
            "file": self._split_file,
            "size": self._size,
            "use_feature": self.use_feature,
        }
        self._start(options, raw_dir, force_reload, verbose, transform)

    def needed_files(self) -> tuple[str, ...]:
        """The file of this part."""
        return (self._split_file,)

    @property
    def num_classes(self) -> int:
        """Number of classes: 10."""
        return self.entry.classes


class MNISTSuperPixelDataset(_SuperPixelDataset):
    """Handwritten digits as graphs of at most 75 superpixels.

    V. P. Dwivedi et al., "Benchmarking graph neural networks", JMLR 2023
    (`paper <https://arxiv.org/abs/2003.00982>`__). Graphs: 60,000 to train, 10,000 to test. An
    example is a graph and its digit. ``ndata['feat']`` (N, 3) float32 is intensity and position.
    Each superpixel has an edge to the 8 most similar ones; ``edata['feat']`` (E, 1) float32 is the
    similarity :math:`\\exp(-(d_{uv} / \\sigma_u)^2)`, averaged over both directions, where
    :math:`d` is the distance and :math:`\\sigma_u` the mean distance of the 8 nearest.

    Parameters
    ----------
    raw_dir : str, optional
        Folder with ``mnist_75sp_<split>.pkl``. It is downloaded if it is not there. Default:
        ``~/.gossamer``.
    split : str, optional
        'train' or 'test'.
    use_feature : bool, optional
        Whether similarity depends on intensity as well as on position.
    force_reload : bool, optional
        Whether to read the raw file even if there is a cache.
    verbose : bool, optional
        Whether to show progress.
    transform : callable, optional
        Applied to a graph when it is accessed.

    Raises
    ------
    FileError
        If the file is missing and cannot be downloaded, or is truncated or corrupt.
    InvalidValueError
        If `split` is unknown.
    """

    entry_name = "mnist_superpixel"
    _file = "mnist_75sp"
    _size = 28


class CIFAR10SuperPixelDataset(_SuperPixelDataset):
    """Photos as graphs of at most 150 superpixels.

    V. P. Dwivedi et al., JMLR 2023. Graphs: 50,000 to train, 10,000 to test. ``ndata['feat']`` is
    (N, 5) float32, color and position. Other contents and parameters: see `MNISTSuperPixelDataset`;
    the file is ``cifar10_150sp_<split>.pkl``.
    """

    entry_name = "cifar10_superpixel"
    _file = "cifar10_150sp"
    _size = 32


class _RegionDataset(GraphList):
    def __init__(
        self,
        raw_dir: str | None = None,
        split: str = "train",
        construct_format: str = "edge_wt_region_boundary",
        slic_compactness: int = 30,
        force_reload: bool | None = None,
        verbose: bool | None = None,
        transform: Transform | None = None,
    ) -> None:
        who = type(self).__name__
        self.split = check_mode(who, split, ("train", "val", "test"))
        self.construct_format = check_mode(who, construct_format, _CONSTRUCTIONS)
        check_mode(f"{who}, slic_compactness", str(slic_compactness), ("10", "30"))
        self.slic_compactness = slic_compactness
        options = {
            "file": f"{split}.pickle",
            "construct_format": construct_format,
            "slic_compactness": slic_compactness,
        }
        self._start(options, raw_dir, force_reload, verbose, transform)

    def needed_files(self) -> tuple[str, ...]:
        """The file of this part."""
        return (f"{self.split}.pickle",)

    num_classes: int = fact("num_classes", "Number of classes of a node.")


class VOCSuperpixelsDataset(_RegionDataset):
    """Photos of Pascal VOC as graphs of superpixels; the class of a superpixel is its object.

    V. P. Dwivedi et al., "Long range graph benchmark", NeurIPS 2022
    (`paper <https://arxiv.org/abs/2206.08164>`__). Graphs: 8,498 / 1,428 / 1,429. Classes: 21.
    ``ndata`` has ``feat`` (N, 14) float32 and ``label`` (N,) int64; ``edata['feat']`` is (E, 1) or
    (E, 2) float32.

    Parameters
    ----------
    raw_dir : str, optional
        Folder with ``<split>.pickle`` of the chosen construction, or with a folder
        ``voc_superpixels`` that holds it. It has to be fetched by hand: unpack the archive of the
        benchmark. Default: ``~/.gossamer``.
    split : str, optional
        'train', 'val' or 'test'.
    construct_format : str, optional
        'edge_wt_region_boundary', 'edge_wt_only_coord' or 'edge_wt_coord_feat': what the archive
        was made with.
    slic_compactness : int, optional
        10 or 30: what the archive was made with.
    force_reload : bool, optional
        Whether to read the raw file even if there is a cache.
    verbose : bool, optional
        Whether to show progress.
    transform : callable, optional
        Applied to a graph when it is accessed.

    Raises
    ------
    FileError
        If the file is missing, truncated or corrupt.
    InvalidValueError
        If there is no such part or construction.
    """

    entry_name = "voc_superpixels"


class COCOSuperpixelsDataset(_RegionDataset):
    """Photos of MS COCO as graphs of superpixels; the class of a superpixel is its object.

    V. P. Dwivedi et al., NeurIPS 2022. Graphs: 113,286 / 5,000 / 5,000. Classes: 81, numbered
    without gaps. Contents and parameters: see `VOCSuperpixelsDataset`; the folder is
    ``coco_superpixels``.
    """

    entry_name = "coco_superpixels"


class _ContainerDataset(GraphList):
    _prefix: ClassVar[str]
    _label: ClassVar[str | None] = None

    def __init__(
        self,
        mode: str = "train",
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        self.mode = check_mode(type(self).__name__, mode, _MODES)
        self._mode_file = f"{self._prefix}_{mode}.bin"
        options = {"file": self._mode_file, "label": self._label}
        self._start(options, raw_dir, force_reload, verbose, transform)

    def needed_files(self) -> tuple[str, ...]:
        """The file of this part."""
        return (self._mode_file,)

    def save(self) -> None:
        """Do nothing: the raw file contains the graphs themselves."""


class CLUSTERDataset(_ContainerDataset):
    """Random graphs with six communities; one node of each community is labeled in ``feat``.

    V. P. Dwivedi et al., "Benchmarking graph neural networks", JMLR 2023
    (`paper <https://arxiv.org/abs/2003.00982>`__). Graphs: 10,000 / 1,000 / 1,000. Classes: 6.
    ``ndata`` has ``feat`` and ``label``, ``edata`` has ``feat``.

    Parameters
    ----------
    mode : str, optional
        'train', 'valid' or 'test'.
    raw_dir : str, optional
        Folder with ``CLUSTER_<mode>.bin``, or with a folder ``cluster`` that holds it. It is
        downloaded if it is not there. Default: ``~/.gossamer``.
    force_reload : bool, optional
        No effect: only the file is cached.
    verbose : bool, optional
        Whether to show progress.
    transform : callable, optional
        Applied to a graph when it is accessed.

    Raises
    ------
    FileError
        If the file is missing and cannot be downloaded, or is truncated or corrupt.
    InvalidValueError
        If there is no such mode.
    """

    entry_name = "cluster"
    _prefix = "CLUSTER"

    @property
    def num_classes(self) -> int:
        """Number of classes of a node: 6."""
        return self.entry.classes


class PATTERNDataset(CLUSTERDataset):
    """Random graphs with a pattern hidden in them; the class says which nodes belong to it.

    V. P. Dwivedi et al., JMLR 2023. Graphs: 10,000 / 2,000 / 2,000. Classes: 2. Contents and
    parameters: see `CLUSTERDataset`; the file is ``SBM_PATTERN_<mode>.bin`` in ``pattern``.
    """

    entry_name = "pattern"
    _prefix = "SBM_PATTERN"


class ZINCDataset(_ContainerDataset, LabelledGraphs):
    """Molecules, to predict their constrained solubility.

    J. Irwin et al., "ZINC: a free tool to discover chemistry for biology", 2012; selection and
    split of Dwivedi et al., JMLR 2023. Graphs: 10,000 / 1,000 / 1,000. An example is a graph and a
    number. ``ndata['feat']`` (N,) int64 is the kind of atom, ``edata['feat']`` (E,) int64 the kind
    of bond. Parameters: see `CLUSTERDataset`; the file is ``ZincDGL_<mode>.bin`` in ``zinc``.
    """

    entry_name = "zinc"
    _prefix = "ZincDGL"
    _label = "g_label"

    @property
    def num_atom_types(self) -> int:
        """Number of kinds of atoms: 28."""
        return 28

    @property
    def num_bond_types(self) -> int:
        """Number of kinds of bonds: 4."""
        return 4


class _PeptidesDataset(LabelledGraphs):
    _targets: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        raw_dir: str | None = None,
        force_reload: bool | None = None,
        verbose: bool | None = None,
        transform: Transform | None = None,
        smiles2graph: Callable[[str], dict[str, Any]] = smiles2graph_OGB,
    ) -> None:
        self._smiles2graph = smiles2graph
        name = f"{smiles2graph.__module__}.{smiles2graph.__qualname__}"
        options = {"targets": list(self._targets), "smiles2graph": name}
        self._start(options, raw_dir, force_reload, verbose, transform)

    def process(self) -> None:
        """Read the raw files."""
        options = self._options
        self._options = {**options, "smiles2graph": self._smiles2graph}
        try:
            super().process()
        finally:
            self._options = options

    def get_idx_split(self) -> dict[str, Tensor]:
        """Return the indices of the training, validation and test graphs."""
        return {part: self._labels[f"{part}_idx"] for part in ("train", "val", "test")}

    def __getitem__(self, idx: int | Tensor) -> Any:
        """Return graph `idx` and its label; for a tensor of numbers, a `Subset`.

        Raises
        ------
        OutOfRangeError
            If there is no graph of this number.
        """
        if isinstance(idx, Tensor) and idx.dim():
            return Subset(self, idx)
        return super().__getitem__(idx)

    @property
    def num_atom_types(self) -> int:
        """Number of features of an atom: 9."""
        return 9

    @property
    def num_bond_types(self) -> int:
        """Number of features of a bond: 3."""
        return 3


class PeptidesFunctionalDataset(_PeptidesDataset):
    """Peptides, to predict their function.

    V. P. Dwivedi et al., "Long range graph benchmark", NeurIPS 2022
    (`paper <https://arxiv.org/abs/2206.08164>`__). Graphs: 15,535, of which 70 / 15 / 15 % in
    `get_idx_split`. An example is a graph and (10,) float32, zeros and ones. ``ndata['feat']`` is
    (N, 9) int64, ``edata['feat']`` (E, 3) int64.

    Parameters
    ----------
    raw_dir : str, optional
        Folder with ``peptide_multi_class_dataset.csv.gz`` and
        ``splits_random_stratified_peptide.pickle``. They are downloaded if they are not there.
        Default: ``~/.gossamer``.
    force_reload : bool, optional
        Whether to read the raw files even if there is a cache.
    verbose : bool, optional
        Whether to show progress.
    transform : callable, optional
        Applied to a graph when it is accessed.
    smiles2graph : callable, optional
        Converts a SMILES string to a dictionary with ``num_nodes``, ``node_feat``, ``edge_index``
        and ``edge_feat``. Default: as in the Open Graph Benchmark; requires RDKit.

    Raises
    ------
    FileError
        If files are missing and cannot be downloaded, or are truncated or corrupt.
    """

    entry_name = "peptides-functional"

    @property
    def num_classes(self) -> int:
        """Number of labels: 10."""
        return self.entry.classes


class PeptidesStructuralDataset(_PeptidesDataset):
    """Peptides, to predict their shape.

    V. P. Dwivedi et al., NeurIPS 2022. An example is a graph and (11,) float32: moments of inertia,
    lengths, sphericity and planarity, standardized. The files are
    ``peptide_structure_dataset.csv.gz`` and ``splits_random_stratified_peptide_structure.pickle``.
    Other contents and parameters: see `PeptidesFunctionalDataset`.
    """

    entry_name = "peptides-structural"
    _targets = (
        *(f"Inertia_{kind}_{axis}" for kind in ("mass", "valence") for axis in "abc"),
        *(f"length_{axis}" for axis in "abc"),
        "Spherocity",
        "Plane_best_fit",
    )

    @property
    def num_tasks(self) -> int:
        """Number of targets: 11."""
        return len(self._targets)
