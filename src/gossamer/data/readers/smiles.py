"""Molecules as SMILES strings, read by RDKit."""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gossamer._optional import optional_import
from gossamer.data._build import GraphPieces, graph_pieces
from gossamer.data._pickles import load_values
from gossamer.data.catalogue.entry import Contents
from gossamer.data.raw import RawFolder
from gossamer.data.readers._checks import array, corrupt, member, within
from gossamer.data.readers._tables import read_text
from gossamer.errors import InvalidValueError

_PARTS = ("train", "val", "test")
_CHIRALITY = ["CHI_UNSPECIFIED", "CHI_TETRAHEDRAL_CW", "CHI_TETRAHEDRAL_CCW", "CHI_OTHER"]
_HYBRIDIZATION = ["SP", "SP2", "SP3", "SP3D", "SP3D2"]
_BONDS = ["SINGLE", "DOUBLE", "TRIPLE", "AROMATIC"]
_STEREO = ["STEREONONE", "STEREOZ", "STEREOE", "STEREOCIS", "STEREOTRANS", "STEREOANY"]


def smiles2graph(smiles_string: str) -> dict[str, Any]:
    """Return features of the atoms and bonds of a molecule, encoded as in OGB.

    Parameters
    ----------
    smiles_string : str
        The molecule.

    Returns
    -------
    dict
        ``num_nodes``; ``node_feat`` (N, 9) int64: atomic number minus 1, chirality, degree, formal
        charge plus 5, hydrogens, radical electrons, hybridization, aromatic, in a ring;
        ``edge_index`` (2, E) int64, both directions of each bond one after the other; ``edge_feat``
        (E, 3) int64: kind of bond, stereo, conjugated.

    Raises
    ------
    InvalidValueError
        If RDKit cannot read the string.
    MissingExtraError
        If RDKit is not installed.
    """
    chem = optional_import("rdkit.Chem", "smiles2graph")
    molecule = chem.MolFromSmiles(smiles_string)
    if molecule is None:
        raise InvalidValueError(f"smiles2graph: RDKit cannot read '{smiles_string[:60]}'.")
    atoms = [_atom(atom) for atom in molecule.GetAtoms()]
    ends, bonds = [], []
    for bond in molecule.GetBonds():
        u, v = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        ends += [(u, v), (v, u)]
        bonds += [_bond(bond)] * 2
    return {
        "edge_index": np.array(ends, dtype=np.int64).reshape(-1, 2).T,
        "edge_feat": np.array(bonds, dtype=np.int64).reshape(-1, 3),
        "node_feat": np.array(atoms, dtype=np.int64).reshape(-1, 9),
        "num_nodes": len(atoms),
    }


def _position(values: Sequence[Any], value: Any) -> int:
    """Return the position of a value, or the number of values for any other value."""
    return values.index(value) if value in values else len(values)


def _atom(atom: Any) -> list[int]:
    return [
        _position(range(1, 119), atom.GetAtomicNum()),
        _position(_CHIRALITY, str(atom.GetChiralTag())),
        _position(range(11), atom.GetTotalDegree()),
        _position(range(-5, 6), atom.GetFormalCharge()),
        _position(range(9), atom.GetTotalNumHs()),
        _position(range(5), atom.GetNumRadicalElectrons()),
        _position(_HYBRIDIZATION, str(atom.GetHybridization())),
        int(atom.GetIsAromatic()),
        int(atom.IsInRing()),
    ]


def _bond(bond: Any) -> list[int]:
    kind, stereo = str(bond.GetBondType()), str(bond.GetStereo())
    return [_position(_BONDS, kind), _position(_STEREO, stereo), int(bond.GetIsConjugated())]


def peptides(
    raw: RawFolder,
    file: str,
    splits: str,
    targets: Sequence[str] | None,
    smiles2graph: Callable[[str], dict[str, Any]],
) -> Contents:
    """Read a table with ``smiles`` and either ``labels``, a list in each row, or `targets`.

    Targets are standardized over the whole table.
    """
    path = raw.path(file)
    rows = _rows(path)
    graphs = []
    for line, row in enumerate(rows, 2):
        try:
            graphs.append(smiles2graph(member(path, row, "smiles")))
        except InvalidValueError as error:
            raise corrupt(path, f"line {line}: {error}") from None
    label = _targets(path, rows, targets) if targets else _labels(path, rows)
    return Contents(_pieces(graphs), {"label": label, **_splits(raw.path(splits), len(rows))})


def molecules(
    raw: RawFolder, file: str, targets: Sequence[str] | None, binary: bool | None
) -> Contents:
    """Read a table with ``smiles``; unknown target values are empty.

    The targets are the columns `targets` that the table has or, by default, all other numeric
    columns. Rows that RDKit cannot read are omitted.
    """
    murcko = optional_import("rdkit.Chem.Scaffolds.MurckoScaffold", "MoleculeDataset")
    logs = optional_import("rdkit.rdBase", "MoleculeDataset")
    path = raw.path(file)
    rows = _rows(path)
    graphs, kept, scaffolds, scaffold = [], [], {}, []
    with logs.BlockLogs():
        for number, row in enumerate(rows):
            text = (member(path, row, "smiles") or "").strip()
            try:
                found = smiles2graph(text)
            except InvalidValueError:
                continue
            if found["num_nodes"]:
                graphs.append(found)
                kept.append(number)
                name = murcko.MurckoScaffoldSmiles(text)
                scaffold.append(scaffolds.setdefault(name, len(scaffolds)))
    if not kept:
        raise corrupt(path, "RDKit can read none of its molecules")
    names = [name for name in targets or rows[0] if name in rows[0] and name != "smiles"]
    columns = {name: _numbers(path, rows, name, strict=bool(targets)) for name in names}
    columns = {name: values for name, values in columns.items() if values is not None}
    if not columns:
        wanted = f"none of the columns {', '.join(targets)}" if targets else "no column of numbers"
        raise corrupt(path, f"it has {wanted}")
    label = np.stack(list(columns.values()), 1)[kept]
    odd = ~np.isnan(label) & ~np.isin(label, (0, 1))
    if binary and odd.any():
        row, column = np.argwhere(odd)[0]
        what = f"line {kept[row] + 2}: '{list(columns)[column]}' is {label[row, column]:g}"
        raise corrupt(path, f"{what}, expected class 0 or 1")
    info = {"targets": list(columns), "binary": not odd.any() if binary is None else binary}
    labels = {"label": torch.from_numpy(label).float(), "row": torch.tensor(kept)}
    return Contents(_pieces(graphs), {**labels, "scaffold": torch.tensor(scaffold)}, info)


def _numbers(path: Path, rows: list[dict], name: str, strict: bool) -> np.ndarray | None:
    """Read a column, NaN for empty cells; if not numeric, return None, or raise if `strict`."""
    found = np.full(len(rows), np.nan)
    for number, row in enumerate(rows):
        text = (row[name] or "").strip()
        try:
            value = float(text or 0)
        except ValueError:
            value = np.nan
        if not np.isfinite(value) and strict:
            raise corrupt(path, f"line {number + 2}: '{name}' is '{text[:40]}', expected a number")
        if not np.isfinite(value):
            return None
        if text:
            found[number] = value
    return None if np.isnan(found).all() else found


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path))))
    except csv.Error as error:
        raise corrupt(path, error) from None
    if not rows:
        raise corrupt(path, "it has no row")
    return rows


def _pieces(graphs: list[dict[str, Any]]) -> GraphPieces:
    """Build graphs from the results of `smiles2graph`."""
    sizes = np.array([found["num_nodes"] for found in graphs])
    num_edges = np.array([found["edge_index"].shape[1] for found in graphs])
    offset = np.repeat(sizes.cumsum() - sizes, num_edges)
    ends = np.concatenate([found["edge_index"] for found in graphs], axis=1) + offset
    return graph_pieces(
        *ends,
        sizes,
        num_edges,
        {"feat": np.concatenate([found["node_feat"] for found in graphs])},
        {"feat": np.concatenate([found["edge_feat"] for found in graphs])},
    )


def _labels(path: Path, rows: list[dict[str, str]]) -> torch.Tensor:
    found = []
    for line, row in enumerate(rows, 2):
        try:
            found.append([float(value) for value in ast.literal_eval(member(path, row, "labels"))])
        except (ValueError, SyntaxError, TypeError):
            raise corrupt(path, f"line {line}: 'labels' is not a list of numbers") from None
    return torch.from_numpy(array(path, found, "f", (len(rows), None), "labels")).float()


def _targets(path: Path, rows: list[dict[str, str]], targets: Sequence[str]) -> torch.Tensor:
    found = np.empty((len(rows), len(targets)))
    for line, row in enumerate(rows):
        for column, name in enumerate(targets):
            try:
                found[line, column] = float(member(path, row, name))
            except ValueError:
                raise corrupt(path, f"line {line + 2}: '{name}' is not a number") from None
    deviation = found.std(axis=0, ddof=1) if len(rows) > 1 else np.ones(len(targets))
    return torch.from_numpy(
        (found - found.mean(axis=0)) / np.where(deviation, deviation, 1)
    ).float()


def _splits(path: Path, count: int) -> dict[str, torch.Tensor]:
    content = load_values(path)
    if not isinstance(content, dict):
        raise corrupt(path, "expected a dictionary of train, val and test")
    return {
        f"{part}_idx": torch.from_numpy(
            within(path, array(path, member(path, content, part), "iu", (None,), part), count, part)
        )
        for part in _PARTS
    }
