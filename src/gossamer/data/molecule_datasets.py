"""Molecules: tables of SMILES strings, QM7b and QM9."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gossamer.data.catalogue.graphs import molecule_entry
from gossamer.data.catalogued import LabelledGraphs, fact, per_graph
from gossamer.data.dataset import Transform
from gossamer.data.graph_datasets import check_name
from gossamer.data.readers.molecules import QM9_EDGE_KEYS, check_keys

_QM9_KEYS = [key for key in QM9_EDGE_KEYS if not key.endswith("_atom")]


class MoleculeDataset(LabelledGraphs):
    """Molecules in a CSV file with a column ``smiles``: the tables of MoleculeNet, or another one.

    Z. Wu et al., "MoleculeNet: a benchmark for molecular machine learning", Chem. Sci. 2018. An
    example is a graph and its targets, (T,) float32, NaN if unknown. Each heavy atom is a node,
    each bond two edges; ``ndata['feat']`` (N, 9) and ``edata['feat']`` (E, 3) int64 are features as
    in the Open Graph Benchmark. Rows that RDKit cannot read are omitted.

    Parameters
    ----------
    name : str
        'ESOL', 'Lipophilicity', 'BBBP', 'ClinTox' or 'Tox21'; or the name of another file without
        ``.csv``, whose numeric columns are the targets.
    raw_dir : str, optional
        Folder with the file. One of MoleculeNet is downloaded if it is not there. Default:
        ``~/.gossamer``.
    force_reload, verbose, transform
        As in `TUDataset`.

    Raises
    ------
    FileError
        If the file is missing, lacks a column, has no molecules, or has a class other than 0 and 1
        or a text instead of a number.
    MissingExtraError
        If RDKit is not installed.
    """

    def __init__(
        self,
        name: str,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        check_name("MoleculeDataset", name)
        self._start({}, raw_dir, force_reload, verbose, transform, molecule_entry(name))

    targets: list[str] = fact("targets", "Names of the columns to predict.")

    @property
    def num_tasks(self) -> int:
        """Number of columns to predict."""
        return len(self.targets)

    binary: bool = fact("binary", "Whether all values to predict are classes, 0 or 1.")
    label: Tensor = per_graph("label", "Values of all molecules, (graphs, T) float32.")
    scaffold: Tensor = per_graph(
        "scaffold", "Number of the Bemis-Murcko scaffold of each molecule, (graphs,) int64."
    )
    row: Tensor = per_graph(
        "row", "Row of each molecule in the table, counted from 0, (graphs,) int64."
    )


class QM7bDataset(LabelledGraphs):
    """Molecules of up to seven heavy atoms with 14 properties.

    G. Montavon et al., "Machine learning of molecular electronic properties in chemical compound
    space", New J. Phys. 2013. Graphs: 7,211. An example is a graph and its properties (14,)
    float32. Each atom is a node; ``edata['h']`` (E, 1) float32 is an entry of the Coulomb matrix,
    whose diagonal entries are self-loops.

    Parameters
    ----------
    raw_dir : str, optional
        Folder with ``qm7b.mat``. It is downloaded if it is not there. Default: ``~/.gossamer``.
    force_reload, verbose, transform
        As in `TUDataset`.
    """

    entry_name = "qm7b"

    @property
    def num_tasks(self) -> int:
        """Number of properties: 14."""
        return self._labels["label"].shape[-1]

    @property
    def num_labels(self) -> int:
        """Same as `num_tasks`."""
        return self.num_tasks

    @property
    def num_classes(self) -> int:
        """Same as `num_tasks`."""
        return self.num_tasks

    label: Tensor = per_graph("label", "Properties of all molecules.")


class QM9Dataset(QM7bDataset):
    """Molecules of up to nine heavy atoms; an edge joins atoms within a cutoff distance.

    R. Ramakrishnan et al., "Quantum chemistry structures and properties of 134 kilo molecules",
    Scientific Data 2014. Graphs: 130,831. An example is a graph and its properties (T,) float32.
    ``ndata`` has ``R`` (N, 3) float32, positions in Angstrom, and ``Z`` (N,) int64, atomic numbers.
    An edge joins two atoms, in both directions, at a distance of at most `cutoff`.

    Parameters
    ----------
    label_keys : list of str
        Properties to learn: 'mu', 'alpha', 'homo', 'lumo', 'gap', 'r2', 'zpve', 'U0', 'U', 'H',
        'G', 'Cv', 'A', 'B' or 'C'; energies in eV.
    cutoff : float, optional
        Maximum distance in Angstrom.
    raw_dir : str, optional
        Folder with ``qm9_eV.npz``. It is downloaded if it is not there. Default: ``~/.gossamer``.
    force_reload, verbose, transform
        As in `TUDataset`.

    Raises
    ------
    InvalidValueError
        If a property does not exist, or the list is empty.
    """

    entry_name = "qm9"

    def __init__(
        self,
        label_keys: Sequence[str],
        cutoff: float = 5.0,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = False,
        transform: Transform | None = None,
    ) -> None:
        check_keys("QM9Dataset", label_keys, _QM9_KEYS)
        self.label_keys, self.cutoff = list(label_keys), float(cutoff)
        options = {"label_keys": self.label_keys, "cutoff": self.cutoff}
        self._start(options, raw_dir, force_reload, verbose, transform)


class QM9EdgeDataset(QM7bDataset):
    """Molecules of up to nine heavy atoms with their bonds.

    R. Ramakrishnan et al., Scientific Data 2014. Graphs: 130,831. An example is a graph and its
    properties, (T,) float32, or (1, 19) without `label_keys`. ``ndata`` has ``pos`` (N, 3) and
    ``attr`` (N, 15) float32, ``edata`` has ``edge_attr`` (E, 4) float32, the kind of bond in
    one-hot form.

    Parameters
    ----------
    label_keys : list of str, optional
        Properties to learn, as in `QM9Dataset` and also 'U0_atom', 'U_atom', 'H_atom', 'G_atom'.
        Default: all 19.
    raw_dir : str, optional
        Folder with ``qm9_edge.npz``. It is downloaded if it is not there. Default:
        ``~/.gossamer``.
    force_reload, verbose, transform
        As in `TUDataset`.

    Raises
    ------
    InvalidValueError
        If a property does not exist, or the list is empty.
    """

    entry_name = "qm9_edge"

    def __init__(
        self,
        label_keys: Sequence[str] | None = None,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        if label_keys is not None:
            check_keys("QM9EdgeDataset", label_keys, QM9_EDGE_KEYS)
            label_keys = list(label_keys)
        self.label_keys = label_keys
        self._start({"label_keys": label_keys}, raw_dir, force_reload, verbose, transform)
