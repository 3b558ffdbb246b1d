"""RDF datasets: AIFB as DGL 2.1.0 reads it, the rules of the four datasets, broken files."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from gossamer.data import AIFBDataset, AMDataset, BGSDataset, MUTAGDataset
from gossamer.data.readers import _rdf_terms as terms
from gossamer.errors import FileError
from helpers.paths import shared_data

AIFB, SWRC = "http://www.aifb.uni-karlsruhe.de/", "http://swrc.ontoware.org/ontology#"
MUTAG, BGS = "http://dl-learner.org/carcinogenesis#", "http://data.bgs.ac.uk/"
AM = "http://purl.org/collections/nl/am/"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
DOUBLE = '"^^<http://www.w3.org/2001/XMLSchema#double>'


@pytest.mark.parametrize("splits", [".", "rgcn-splits"])
def test_aifb_as_dgl_reads_it(tmp_path: Path, splits: str) -> None:
    folder = tmp_path / "aifb"
    folder.mkdir()
    shutil.copy(shared_data("AIFB", "aifb+.nt.gz"), folder)
    # The splits lie beside the triples, or in a folder beside them.
    splits = folder / splits
    splits.mkdir(exist_ok=True)
    for name in ("trainingSet.tsv", "testSet.tsv"):
        shutil.copy(shared_data("AIFB", "rgcn-splits", name), splits)
    dataset = AIFBDataset(raw_dir=str(tmp_path), verbose=False)
    g = dataset[0]
    digest = hashlib.sha256()
    for etype in g.canonical_etypes:
        for end in g.edges(etype=etype, order="eid"):
            digest.update(end.numpy().tobytes())
    assert digest.hexdigest()[:16] == "e5da742bda69f050"  # recorded from DGL 2.1.0
    assert (g.num_nodes(), g.num_edges(), len(g.canonical_etypes)) == (7262, 48810, 104)
    assert (dataset.predict_category, dataset.num_classes, len(dataset)) == ("Personen", 4, 1)
    data = g.nodes["Personen"].data
    assert (int(data["train_mask"].sum()), int(data["test_mask"].sum())) == (140, 36)
    label = data["label"]
    assert sorted(label[label >= 0].bincount().tolist()) == [15, 28, 60, 73]


# What DGL 2.1.0's own rules answer for the same terms.
ENTITIES = {
    "aifb": {
        f"{AIFB}Personen/viewPersonOWL/id1instance": ("Personen", "id1instance"),
        f"{AIFB}a/b/c/d": ("a", "c"),
        f"{AIFB}Personen": None,
        "http://other.org/x/y/z": None,
    },
    "mutag": {
        f"{MUTAG}d1": ("d", "d1"),
        f"{MUTAG}d1_1": ("d", "d1_1"),
        f"{MUTAG}bond12": ("bond", "bond12"),
        f"{MUTAG}Carbon-22": ("", "Carbon-22"),
        f"{MUTAG}d": ("", "d"),
        f"{MUTAG}a1b": ("", "a1b"),
        "http://www.w3.org/2002/07/owl#Thing": None,
    },
    "bgs": {
        f"{BGS}id/Lexicon/NamedRockUnit/AC": ("Lexicon/NamedRockUnit", "AC"),
        f"{BGS}data/x/y/z": ("x/y", "z"),
        f"{BGS}ref/Lexicon/NamedRockUnit": None,
        f"{BGS}id/A/B/C/D": None,
    },
    "am": {
        f"{AM}proxy-10": ("proxy", "10"),
        f"{AM}t-5": ("t", "5"),
        "http://purl.org/vocabulary/x": None,
    },
}


@pytest.mark.parametrize("dataset", ENTITIES)
def test_entities(dataset: str) -> None:
    for iri, expected in ENTITIES[dataset].items():
        assert terms.ENTITIES[dataset](iri) == expected, iri


UNIT = "Lexicon/NamedRockUnit"
ROCK, RANK = f"{BGS}id/Lexicon/NamedRockUnit/AC", f"{BGS}id/Lexicon/RockUnitRank/Group"
FACTS = [
    (terms.mutag, (f"{MUTAG}d1", TYPE, f"{MUTAG}Compound", "<"), ("d", "SCHEMA")),
    (
        terms.mutag,
        (f"{MUTAG}d1", f"{MUTAG}hasStructure", f"{MUTAG}methyl-3", "<"),
        ("d", "hasStructure"),
    ),
    (terms.mutag, (f"{MUTAG}bond1", f"{MUTAG}inBond", f"{MUTAG}d1_1", "<"), ("bond", "d")),
    (terms.mutag, (f"{MUTAG}d1_1", f"{MUTAG}charge", "-0.1", DOUBLE), ("d", "_Literal")),
    (terms.mutag, (f"{MUTAG}d1", f"{MUTAG}amesTest", "true", '"'), None),
    (terms.mutag, (f"{MUTAG}d1", f"{MUTAG}isMutagenic", f"{MUTAG}d2", "<"), None),
    (terms.mutag, (f"{MUTAG}methyl-3", f"{MUTAG}foo", f"{MUTAG}d1", "<"), None),
    (
        terms.bgs,
        (ROCK, f"{BGS}ref/Lexicon/hasRockUnitRank", RANK, "<"),
        ("Lexicon/NamedRockUnit", "Lexicon/RockUnitRank"),
    ),
    (terms.bgs, (ROCK, f"{BGS}ref/Lexicon/hasLithogenesis", RANK, "<"), None),
    (terms.bgs, (ROCK, TYPE, "x", '"'), None),
    (terms.am, (f"{AM}proxy-10", f"{AM}maker", f"{AM}p-1", "<"), ("proxy", "p")),
    (terms.am, (f"{AM}proxy-10", f"{AM}material", f"{AM}t-5", "<"), None),
    (terms.aifb, (f"{AIFB}P/v/1", f"{SWRC}employs", f"{AIFB}P/v/2", "<"), None),
    (terms.aifb, (f"{AIFB}P/v/1", f"{SWRC}name", "x", '"'), ("P", "_Literal")),
]


@pytest.mark.parametrize("rule, triple, types", FACTS)
def test_facts(rule: object, triple: tuple, types: tuple | None) -> None:
    fact = rule(*triple)
    assert (fact and (fact[0][0], fact[2][0])) == types


def test_names_of_relations() -> None:
    assert terms.bgs(ROCK, "http://a.org/x", RANK, "<")[1] == "http://a_org/x"
    assert terms.am(f"{AM}p-1", "http://a.org/x.y", f"{AM}t-1", "<")[1] == "http://a_org/x_y"
    assert terms.mutag(f"{MUTAG}d1", TYPE, f"{MUTAG}C", "<")[1] == "22-rdf-syntax-ns#type"


TINY = {
    MUTAGDataset: ("mutag", f"{MUTAG}d1", f"{MUTAG}has", f"{MUTAG}d2", "{}\t1\t{}"),
    BGSDataset: ("bgs", ROCK, f"{BGS}ref/a/b", f"{ROCK}D", "1\t{}\t{}"),
    AMDataset: ("am", f"{AM}proxy-1", f"{AM}next", f"{AM}proxy-2", "{}\t1\t{}"),
}


def _write(folder: Path, triples: str, train: str, test: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "complete.nt").write_text(f"# facts\n\n{triples}\n")
    (folder / "trainingSet.tsv").write_text(f"header\n{train}\n")
    (folder / "testSet.tsv").write_text(f"header\n{test}\n")


@pytest.mark.parametrize("cls", TINY)
@pytest.mark.parametrize("reverse", [True, False])
def test_tiny(cls: type, reverse: bool, tmp_path: Path) -> None:
    name, first, relation, second, row = TINY[cls]
    triple = f"<{first}> <{relation}> <{second}> ."
    _write(tmp_path / name, triple, row.format(first, "x"), row.format(second, "y"))
    dataset = cls(insert_reverse=reverse, raw_dir=str(tmp_path), verbose=False)
    g, category = dataset[0], dataset.predict_category
    assert g.ntypes == [category]
    assert len(g.etypes) == 1 + reverse
    data = g.nodes[category].data
    assert data["label"].tolist() == [0, 1]
    assert data["train_mask"].tolist() == [True, False]
    assert data["test_mask"].tolist() == [False, True]


def test_escapes_and_order(tmp_path: Path) -> None:
    person = f"<{AIFB}P/v/1>"
    names = [r'"b\u00e4r"', r'"a\"b"@de', '"z"', "_:blank"]
    triples = "\n".join(f"{person} <{SWRC}name> {name} ." for name in names)
    triples += f'\n<{AIFB}Personen/v/2> <{SWRC}name> "z" .'
    split = f"{AIFB}Personen/v/2\t1\tx"
    _write(tmp_path / "aifb", triples, split, split)
    g = AIFBDataset(raw_dir=str(tmp_path), verbose=False, insert_reverse=False)[0]
    assert g.num_nodes("_Literal") == 3
    assert g.num_edges(("P", "ontology#name", "_Literal")) == 3
    # Sorted: P/v/1 comes before Personen/v/2, whose literal is the third one.
    assert g.edges(etype=("Personen", "ontology#name", "_Literal"))[1].tolist() == [2]


@pytest.mark.parametrize(
    "triples, train, message",
    [
        ("nonsense", "x", r"complete.nt .*line 3 is not a triple"),
        (f"<{MUTAG}d1> <{MUTAG}has> <http://x> .", "x", "no triple of it joins two entities"),
        (f"<{MUTAG}d1> <{MUTAG}has> <{MUTAG}d2> .", "x", r"trainingSet.tsv .*line 2: expected 3"),
        (f"<{MUTAG}d1> <{MUTAG}has> <{MUTAG}d2> .", "d9\tx\t1", "none of its entities"),
    ],
)
def test_broken_files(tmp_path: Path, triples: str, train: str, message: str) -> None:
    _write(tmp_path / "mutag", triples, train, train)
    with pytest.raises(FileError, match=message):
        MUTAGDataset(raw_dir=str(tmp_path), verbose=False)
