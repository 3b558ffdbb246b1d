"""Rows for triples and timed edges."""

from __future__ import annotations

from gossamer.data.catalogue.entry import EVENTS, LINKS, RATINGS, SERIES, TRIPLES, Entry, counts
from gossamer.data.raw import RawFile

_DGL = "https://data.dgl.ai/dataset/"
_PARTS = ("train", "valid", "test")
_DICTIONARIES = ("entities.dict", "relations.dict", "train.txt", "valid.txt", "test.txt")


def _triples(
    name: str,
    dataset: str,
    description: str,
    reference: str,
    archive: str,
    *sizes: int,
    licence: str,
) -> Entry:
    nodes, edges, relations = sizes
    return Entry(
        name=name,
        dataset=dataset,
        task=TRIPLES,
        description=description,
        reference=reference,
        licence=licence,
        files=(RawFile(archive, _DGL + archive),),
        needs=_DICTIONARIES,
        reader="triples:triples",
        **counts(nodes, edges, classes=relations),
        splits=1,
        metric="mrr",
    )


def _small(name: str, description: str, reference: str, *sizes: int) -> Entry:
    nodes, edges, relations = sizes
    where = f"https://github.com/villmow/datasets_knowledge_embedding/raw/master/other/{name}/"
    return Entry(
        name=name,
        dataset="SmallKnowledgeGraphDataset",
        arguments={"name": name},
        task=TRIPLES,
        description=description,
        reference=reference,
        licence="MIT",
        files=tuple(RawFile(f"{part}.txt", f"{where}{part}.txt") for part in _PARTS),
        reader="triples:triples",
        **counts(nodes, edges, classes=relations),
        splits=1,
        metric="mrr",
    )


def _series(name: str, description: str, nodes: int, edges: int) -> Entry:
    return Entry(
        name=name,
        dataset="SpatioTemporalDataset",
        arguments={"name": name},
        task=SERIES,
        description=description,
        reference="Rozemberczki et al., CIKM 2021",
        licence="MIT",
        files=(
            RawFile(
                f"{name}.json",
                "https://github.com/benedekrozemberczki/pytorch_geometric_temporal/raw/master/"
                f"dataset/{name}.json",
            ),
        ),
        reader="spatio_temporal:series",
        options={"file": f"{name}.json"},
        **counts(nodes, edges),
        metric="mse",
    )


def _trust(name: str, dataset: str, *sizes: int) -> Entry:
    file = f"soc-sign-{name}.csv"
    return Entry(
        name=name,
        dataset=dataset,
        task=EVENTS,
        description="ratings among traders of Bitcoin",
        reference="Kumar et al., ICDM 2016",
        files=(RawFile(f"{file}.gz", f"https://snap.stanford.edu/data/{file}.gz"),),
        needs=(file,),
        reader="events:signed_edges",
        options={"file": file},
        graphs=-1,
        **counts(*sizes),
        metric="ap",
    )


def _messages(name: str, description: str, reference: str, *sizes: int) -> Entry:
    return Entry(
        name=name,
        dataset="MessagesDataset",
        arguments={"name": name},
        task=EVENTS,
        description=description,
        reference=reference,
        files=(RawFile(f"{name}.txt.gz", f"https://snap.stanford.edu/data/{name}.txt.gz"),),
        needs=(f"{name}.txt",),
        reader="events:timed_edges",
        options={"file": f"{name}.txt"},
        **counts(*sizes),
        metric="ap",
    )


def _movies(name: str, archive: str, files: tuple[str, ...], *sizes: int) -> Entry:
    return Entry(
        name=name,
        dataset="MovieLensDataset",
        arguments={"name": name, "valid_ratio": 0.1, "test_ratio": 0.1},
        task=RATINGS,
        description="ratings of movies by users",
        reference="Harper & Konstan, TiiS 2015",
        licence="research use, no redistribution",
        # The first has features of the movies, which the publisher's own does not.
        files=(
            RawFile(
                archive,
                (_DGL + archive, f"https://files.grouplens.org/datasets/movielens/{archive}"),
            ),
        ),
        needs=files,
        reader="movie_lens:movie_lens",
        options={"name": name},
        **counts(*sizes),
        metric="rmse",
    )


def _events(
    name: str, dataset: str, description: str, reference: str, step: int, nodes: int
) -> Entry:
    archive = f"{name.lower()}.zip"
    return Entry(
        name=name,
        dataset=dataset,
        task=EVENTS,
        description=description,
        reference=reference,
        files=(RawFile(archive, _DGL + archive),),
        reader="events:quadruples",
        options={"step": step},
        graphs=-1,
        nodes=nodes,
        splits=1,
        metric="mrr",
    )


def _seal(name: str, description: str, nodes: int, edges: int) -> Entry:
    file = f"{name}.mat"
    return Entry(
        name=name,
        dataset="SEALDataset",
        arguments={"name": name},
        task=LINKS,
        description=description,
        reference="Zhang & Chen, NeurIPS 2018",
        files=(RawFile(file, f"https://github.com/muhanzhang/SEAL/raw/master/Python/data/{file}"),),
        reader="adjacency:adjacency",
        options={"file": file, "matrix": "net"},
        **counts(nodes, edges),
        metric="roc_auc",
    )


ROWS = (
    _seal("USAir", "flights between airports of the USA", 332, 4252),
    _seal("NS", "researchers of networks who wrote together", 1589, 5484),
    _seal("PB", "links among blogs on politics", 1222, 33428),
    _seal("Yeast", "interactions of proteins of yeast", 2375, 23386),
    _seal("Celegans", "the neural network of a worm", 297, 4296),
    _seal("Power", "the power grid of the western USA", 4941, 13188),
    _seal("Router", "routers of the internet", 5022, 12516),
    _seal("Ecoli", "pairs of metabolites of a bacterium", 1805, 29320),
    _triples(
        "FB15k",
        "FB15kDataset",
        "facts of Freebase",
        "Bordes et al., NIPS 2013",
        "FB15k.tgz",
        *(14951, 1184426, 1345),
        licence="CC BY 2.5",
    ),
    _triples(
        "FB15k-237",
        "FB15k237Dataset",
        "facts of Freebase without inverse relations",
        "Toutanova & Chen, 2015",
        "FB15k-237.tgz",
        *(14541, 620232, 237),
        licence="CC BY 2.5",
    ),
    _triples(
        "wn18",
        "WN18Dataset",
        "relations among the words of WordNet",
        "Bordes et al., NIPS 2013",
        "wn18.tgz",
        *(40943, 302884, 18),
        licence="WordNet 3.0",
    ),
    _small("kinship", "kin terms of a tribe", "Kemp et al., AAAI 2006", 104, 21372, 25),
    _small("nations", "relations among nations", "Kemp et al., AAAI 2006", 14, 4048, 56),
    _small("umls", "types of medical concepts", "Kemp et al., AAAI 2006", 135, 13058, 46),
    _small("countries_S3", "places of countries", "Bouchard et al., AAAI 2015", 271, 2066, 2),
    _events("ICEWS18", "ICEWS18Dataset", "political events of 2018", "Jin et al., 2019", 24, 23033),
    _events("GDELT", "GDELTDataset", "events in the news", "Jin et al., 2019", 15, 23033),
    _movies(
        "ml-100k",
        "ml-100k.zip",
        ("u.user", "u.item", "u1.base", "u1.test"),
        *(943 + 1682, 200000),
    ),
    _movies(
        "ml-1m",
        "ml-1m.zip",
        ("users.dat", "movies.dat", "ratings.dat"),
        *(6040 + 3883, 2000418),
    ),
    _movies(
        "ml-10m",
        "ml-10m.zip",
        ("movies.dat", "ratings.dat"),
        *(69878 + 10681, 20000108),
    ),
    _trust("bitcoinotc", "BitcoinOTCDataset", 6005, 35592),
    _trust("bitcoinalpha", "BitcoinAlphaDataset", 7604, 24186),
    _messages(
        "CollegeMsg", "messages among students", "Panzarasa et al., JASIST 2009", 1899, 59835
    ),
    _messages(
        "email-Eu-core-temporal",
        "mails in an institute",
        "Paranjape et al., WSDM 2017",
        986,
        332334,
    ),
    _series("chickenpox", "weekly cases of chickenpox in counties of Hungary", 20, 102),
    _series("pedalme_london", "weekly deliveries by bicycle in London", 15, 225),
)
