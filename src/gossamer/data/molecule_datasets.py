"""Molecules in a table of SMILES strings."""

from __future__ import annotations

from torch import Tensor

from gossamer.data.catalogue.graphs import molecule_entry
from gossamer.data.catalogued import LabelledGraphs
from gossamer.data.dataset import Transform
from gossamer.data.graph_datasets import check_name


class MoleculeDataset(LabelledGraphs):
    """Molecules in a CSV file with a column ``smiles``: the tables of MoleculeNet, or another one.

    Z. Wu et al., "MoleculeNet: a benchmark for molecular machine learning", Chem. Sci. 2018. An
    example is a graph and what to predict, (T,) float32, NaN where it is not known. Each heavy atom
    is a node, each bond two edges; ``ndata['feat']`` (N, 9) and ``edata['feat']`` (E, 3) int64 are
    features as in the Open Graph Benchmark. Rows that RDKit cannot read are left out.

    Parameters
    ----------
    name : str
        'ESOL', 'Lipophilicity', 'BBBP', 'ClinTox' or 'Tox21'; or the name of another file without
        ``.csv``, of which all columns of numbers are to be predicted.
    raw_dir : str, optional
        Folder with the file. One of MoleculeNet is downloaded if it is not there. Default:
        ``~/.gossamer``.
    force_reload, verbose, transform
        As in `TUDataset`.

    Raises
    ------
    FileError
        If the file is missing, has no such column, holds no molecule, a class other than 0 and 1,
        or a text in place of a number.
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

    @property
    def targets(self) -> list[str]:
        """Names of the columns to predict."""
        return self._info["targets"]

    @property
    def num_tasks(self) -> int:
        """Number of columns to predict."""
        return len(self.targets)

    @property
    def binary(self) -> bool:
        """Whether all values to predict are classes, 0 or 1."""
        return self._info["binary"]

    @property
    def label(self) -> Tensor:
        """Values of all molecules, (graphs, T) float32."""
        return self._labels["label"]

    @property
    def scaffold(self) -> Tensor:
        """Number of the Bemis-Murcko scaffold of each molecule, (graphs,) int64."""
        return self._labels["scaffold"]

    @property
    def row(self) -> Tensor:
        """Row of each molecule in the table, counted from 0, (graphs,) int64."""
        return self._labels["row"]
