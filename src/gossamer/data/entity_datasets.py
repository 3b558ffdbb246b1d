"""Entities of several types, some of which have classes: RDF datasets and DBLP."""

from __future__ import annotations

from pathlib import Path

from gossamer.data.catalogued import NodeDataset, fact
from gossamer.data.dataset import Transform
from gossamer.data.readers.rdf import split_file, triples_file


class RDFDataset(NodeDataset):
    """A heterogeneous graph of RDF triples.

    Nodes of type `predict_category` have ``label`` (N,) int64, -1 if unknown, ``train_mask`` and
    ``test_mask`` (N,) bool; ``labels`` is an older name of ``label``. There are no features.
    Triples with a blank node, triples with an end that is not an entity of the dataset, and triples
    of the relation to predict are omitted. Splits are those of M. Schlichtkrull et al., "Modeling
    relational data with graph convolutional networks", ESWC 2018.

    Parameters
    ----------
    print_every : int, optional
        No effect.
    insert_reverse : bool, optional
        Whether to add the reverse of each relation, as "rev-<relation>".
    raw_dir : str, optional
        Folder with a file of triples (``.nt`` or ``.nt.gz``; ``.n3``, ``.ttl``, ``.rdf`` and
        ``.owl`` need rdflib), and with ``trainingSet.tsv`` and ``testSet.tsv``, which may be in a
        subfolder; or with a folder of the dataset's name that contains these files. They are
        downloaded if they are not there. Default: ``~/.gossamer``.
    force_reload : bool, optional
        Whether to read the raw files even if there is a cache.
    verbose : bool, optional
        Whether to show progress.
    transform : callable, optional
        Applied to the graph when it is accessed.

    Raises
    ------
    FileError
        If files are missing and cannot be downloaded, or are truncated or corrupt.
    """

    def __init__(
        self,
        print_every: int = 10000,
        insert_reverse: bool = True,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        options = {"insert_reverse": bool(insert_reverse)}
        self._start(options, raw_dir, force_reload, verbose, transform)

    def find_raw(self) -> Path | None:
        """Folder that holds the splits and the triples, or None."""
        needed = self.needed_files()
        for folder in self._candidates():
            names = (triples_file(folder), *(split_file(folder, name) for name in needed))
            if all((folder / name).is_file() for name in names):
                return folder
        return None

    predict_category: str = fact("category", "Type of the nodes that have classes.")


class AIFBDataset(RDFDataset):
    """People, publications and projects of the institute AIFB; the class is a person's group.

    S. Bloehdorn and Y. Sure, "Kernel methods for mining instance data in ontologies", ISWC 2007.
    Nodes: 7,262. Edges: 48,810. Persons with a class: 140 to train, 36 to test. Classes: 4.
    Parameters and contents of the graph: see `RDFDataset`.
    """

    entry_name = "aifb"


class MUTAGDataset(RDFDataset):
    """Molecules as facts; the class says whether a molecule causes mutations.

    P. Ristoski et al., "A collection of benchmark datasets for systematic evaluations of machine
    learning on the semantic web", ISWC 2016. Nodes: 27,163. Edges: 148,100. Molecules with a class:
    272 to train, 68 to test. Classes: 2. Parameters and contents of the graph: see `RDFDataset`.
    """

    entry_name = "mutag"


class BGSDataset(RDFDataset):
    """Rocks of the British Geological Survey; the class is how a rock was formed.

    P. Ristoski et al., ISWC 2016. Nodes: 94,806. Edges: 672,884. Rocks with a class: 117 to train,
    29 to test. Classes: 2. Parameters and contents of the graph: see `RDFDataset`.
    """

    entry_name = "bgs"


class AMDataset(RDFDataset):
    """Objects of the Amsterdam Museum; the class is the category of an object.

    V. de Boer et al., "Supporting linked data production for cultural heritage institutes", ESWC
    2012. Nodes: 881,680. Edges: 5,668,682. Objects with a class: 802 to train, 198 to test.
    Classes: 11. Parameters and contents of the graph: see `RDFDataset`.
    """

    entry_name = "am"


class DBLPDataset(NodeDataset):
    """Authors, papers, terms of the titles and venues; the class is an author's field.

    M. Ji et al., "Graph regularized transductive classification on heterogeneous information
    networks", ECML PKDD 2010, restricted to the authors with a class as by X. Fu et al., "MAGNN",
    WWW 2020. Authors: 4,057. Papers: 14,328. Terms: 8,898. Venues: 20. Classes: 4. Authors have
    ``label`` (N,) int64. Authors and papers have ``feat`` (N, D) float32: the number of occurrences
    of each term in the author's papers, or in the paper, for terms of at least 50 papers. There is
    no split.

    Parameters
    ----------
    raw_dir : str, optional
        Folder with ``author_label.txt``, ``paper_author.txt``, ``paper_conf.txt`` and
        ``paper_term.txt``. They are downloaded if they are not there. Default: ``~/.gossamer``.
    force_reload, verbose, transform
        As in `RDFDataset`.

    Raises
    ------
    FileError
        If files are missing and cannot be downloaded, or are truncated or corrupt.
    """

    entry_name = "dblp"

    @property
    def predict_category(self) -> str:
        """Type of the nodes that have classes: 'author'."""
        return "author"
