"""Tables of molecules: what is read, what is left out, and broken tables."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gossamer.data import MoleculeDataset
from gossamer.errors import FileError, InvalidValueError
from helpers.paths import shared_data

pytest.importorskip("rdkit", reason="needs the extra 'chem'")

ETHANOL, BENZENE, TOLUENE = "CCO", "c1ccccc1", "Cc1ccccc1"


def _read(folder: Path, text: str, name: str = "own", file: str = "own.csv") -> MoleculeDataset:
    (folder / file).write_text(text)
    return MoleculeDataset(name, raw_dir=str(folder))


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    rows = ["name,smiles,a,note,b"]
    rows += [f"x,{ETHANOL} ,1.5,n,0", "y,not a molecule,2,n,1", f"z,{BENZENE},,n,1", "e,,7,n,0"]
    rows += [f"t,{TOLUENE},-3,n,"]
    dataset = _read(tmp_path, "\n".join(rows))
    assert (len(dataset), dataset.targets, dataset.num_tasks) == (3, ["a", "b"], 2)
    assert not dataset.binary
    assert dataset.row.tolist() == [0, 2, 4]
    wanted = torch.tensor([[1.5, 0], [torch.nan, 1], [-3, torch.nan]])
    torch.testing.assert_close(dataset.label, wanted, equal_nan=True)
    # Benzene is the scaffold of toluene, ethanol has none.
    assert dataset.scaffold.tolist() == [0, 1, 1]
    g, label = dataset[0]
    torch.testing.assert_close(label, wanted[0])
    assert (g.num_nodes(), g.num_edges()) == (3, 4)
    assert g.ndata["feat"][:, 0].tolist() == [5, 5, 7]
    assert g.edata["feat"].shape == (4, 3)
    again = MoleculeDataset("own", raw_dir=str(tmp_path))
    assert (again.targets, again.row.tolist()) == (dataset.targets, dataset.row.tolist())


def test_classes_are_recognized(tmp_path: Path) -> None:
    assert _read(tmp_path, f"smiles,y\n{ETHANOL},1\n{BENZENE},\n{TOLUENE},0\n").binary


@pytest.mark.parametrize(
    ("name", "file", "text", "message"),
    [
        ("own", "own.csv", "smiles,y\n", "it has no row"),
        ("own", "own.csv", "molecule,y\nC,1\n", "it has no 'smiles', only 'molecule', 'y'"),
        ("own", "own.csv", "smiles,y\nC,high\n", "it has no column of numbers"),
        ("own", "own.csv", "smiles,y\nXx,1\n", "RDKit can read none of its molecules"),
        ("BBBP", "BBBP.csv", "smiles,exp\nC,1\n", "it has none of the columns BBBP, p_np"),
        ("BBBP", "BBBP.csv", "p_np,smiles\n1,C\n2,CC\n", "line 3: 'p_np' is 2, expected class 0"),
        ("Lipophilicity", "Lipophilicity.csv", "exp,smiles\nnan,C\n", "line 2: 'exp' is 'nan'"),
    ],
)
def test_broken_tables(tmp_path: Path, name: str, file: str, text: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        _read(tmp_path, text, name, file)


def test_names_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="'a/b' is no name of a dataset"):
        MoleculeDataset("a/b", raw_dir=str(tmp_path))
    with pytest.raises(FileError, match=r"'own' needs own\.csv .*No public address"):
        MoleculeDataset("own", raw_dir=str(tmp_path))


def test_bbbp(tmp_path: Path) -> None:
    (tmp_path / "BBBP.csv").symlink_to(shared_data("moleculenet", "BBBP.csv"))
    dataset = MoleculeDataset("BBBP", raw_dir=str(tmp_path))
    assert (len(dataset), dataset.binary, dataset.targets) == (2039, True, ["BBBP"])
    assert set(dataset.label.flatten().tolist()) == {0.0, 1.0}
