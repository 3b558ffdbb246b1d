"""Rows for entities of several types: RDF datasets and DBLP."""

from __future__ import annotations

from gossamer.data.catalogue.entry import ENTITIES, Entry, counts
from gossamer.data.raw import RawFile

_DGL = "https://data.dgl.ai/dataset/rdf/"
_MAGNN = "https://raw.githubusercontent.com/cynricfu/MAGNN/master/data/raw/DBLP/"


def _row(name: str, dataset: str, description: str, reference: str, *sizes: int) -> Entry:
    nodes, edges, classes = sizes
    archive = f"{name}-hetero.zip"
    return Entry(
        name=name,
        folder=f"{name}-hetero",
        dataset=dataset,
        task=ENTITIES,
        description=description,
        reference=reference,
        files=(RawFile(archive, _DGL + archive),),
        needs=("trainingSet.tsv", "testSet.tsv"),
        reader="rdf:rdf",
        options={"dataset": name, "num_classes": classes},
        **counts(nodes, edges, classes=classes),
        splits=1,
    )


ROWS = (
    _row(
        "aifb",
        "AIFBDataset",
        "people, publications and projects of an institute",
        "Bloehdorn & Sure, ISWC 2007",
        *(7262, 48810, 4),
    ),
    _row(
        "mutag",
        "MUTAGDataset",
        "molecules that may cause mutations, as facts",
        "Ristoski et al., ISWC 2016",
        *(27163, 148100, 2),
    ),
    _row(
        "bgs",
        "BGSDataset",
        "rocks of the British Geological Survey",
        "Ristoski et al., ISWC 2016",
        *(94806, 672884, 2),
    ),
    _row(
        "am",
        "AMDataset",
        "objects of the Amsterdam Museum",
        "de Boer et al., ESWC 2012",
        *(881680, 5668682, 11),
    ),
    Entry(
        name="dblp",
        dataset="DBLPDataset",
        task=ENTITIES,
        description="authors, papers, terms and venues; the class is an author's field",
        reference="Ji et al., ECML PKDD 2010",
        licence="academic use, no redistribution",
        files=tuple(
            RawFile(f"{name}.txt", f"{_MAGNN}{name}.txt")
            for name in ("author_label", "paper_author", "paper_conf", "paper_term")
        ),
        reader="dblp:dblp",
        **counts(27303, 296492, classes=4),
    ),
)
