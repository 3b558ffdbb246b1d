"""Knowledge graphs, with training, validation and test facts."""

from __future__ import annotations

from pathlib import Path

from gossamer.data.catalogued import OneGraph, fact
from gossamer.data.dataset import Transform
from gossamer.data.node_datasets import check_mode


class KnowledgeGraphDataset(OneGraph):
    """A knowledge graph: entities, and facts that a relation holds between two of them.

    Edge ``i`` says that relation ``edata['etype'][i]`` holds from its source to its destination.
    ``edata`` also has ``train_edge_mask``, ``valid_edge_mask``, ``test_edge_mask`` (E,) bool, True
    for facts of the three parts, and ``train_mask``, ``val_mask``, ``test_mask`` (E,) bool, which
    are also True for their reverses. ``ndata['ntype']`` is zero. Edges are grouped by relation.

    Parameters
    ----------
    reverse : bool, optional
        Whether to add the reverse of each fact, with relation ``etype + num_rels``.
    raw_dir : str, optional
        Folder with ``entities.dict``, ``relations.dict``, ``train.txt``, ``valid.txt`` and
        ``test.txt``, or with OpenKE's ``entity2id.txt``, ``relation2id.txt``, ``train2id.txt`` and
        so on. They are downloaded if they are not there. Default: ``~/.gossamer``.
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

    # The other layout of the same files.
    _open_ke = ("entity2id.txt", "relation2id.txt")

    def __init__(
        self,
        reverse: bool = True,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        self.reverse = bool(reverse)
        self._start({"reverse": self.reverse}, raw_dir, force_reload, verbose, transform)

    def find_raw(self) -> Path | None:
        """Folder with the files in either layout, or None."""
        return super().find_raw() or self._find(self._open_ke)

    num_nodes: int = fact("num_nodes", "Number of entities.")
    num_rels: int = fact("num_rels", "Number of relations; reverses are not counted.")


class FB15kDataset(KnowledgeGraphDataset):
    """Facts of Freebase.

    A. Bordes et al., "Translating embeddings for modeling multi-relational data", NIPS 2013.
    Entities: 14,951. Relations: 1,345. Facts: 483,142 / 50,000 / 59,071. Parameters and contents of
    the graph: see `KnowledgeGraphDataset`.
    """

    entry_name = "FB15k"


class FB15k237Dataset(KnowledgeGraphDataset):
    """Facts of Freebase without inverse relations.

    K. Toutanova and D. Chen, "Observed versus latent features for knowledge base and text
    inference", 2015. Entities: 14,541. Relations: 237. Facts: 272,115 / 17,535 / 20,466. Parameters
    and contents of the graph: see `KnowledgeGraphDataset`.
    """

    entry_name = "FB15k-237"


class WN18Dataset(KnowledgeGraphDataset):
    """Relations between the words of WordNet.

    A. Bordes et al., NIPS 2013. Entities: 40,943. Relations: 18. Facts: 141,442 / 5,000 / 5,000.
    Parameters and contents of the graph: see `KnowledgeGraphDataset`.
    """

    entry_name = "wn18"


class SmallKnowledgeGraphDataset(KnowledgeGraphDataset):
    """A small knowledge graph: facts by name, without dictionaries.

    C. Kemp et al., "Learning systems of concepts with an infinite relational model", AAAI 2006, and
    G. Bouchard et al., "On approximate reasoning capabilities of low-rank vector spaces", AAAI
    2015. Entities and relations are numbered in the order of their names. Contents of the graph:
    see `KnowledgeGraphDataset`.

    Parameters
    ----------
    name : str
        'kinship', 'nations', 'umls' or 'countries_S3'.
    reverse, force_reload, verbose, transform
        As in `KnowledgeGraphDataset`.
    raw_dir : str, optional
        Folder with ``train.txt``, ``valid.txt`` and ``test.txt``, or with a folder `name` that
        holds them. They are downloaded if they are not there. Default: ``~/.gossamer``.

    Raises
    ------
    InvalidValueError
        If there is no such dataset.
    """

    def __init__(
        self,
        name: str,
        reverse: bool = True,
        raw_dir: str | None = None,
        force_reload: bool = False,
        verbose: bool = True,
        transform: Transform | None = None,
    ) -> None:
        names = ("kinship", "nations", "umls", "countries_S3")
        self.entry_name = check_mode("SmallKnowledgeGraphDataset", name, names)
        super().__init__(reverse, raw_dir, force_reload, verbose, transform)
