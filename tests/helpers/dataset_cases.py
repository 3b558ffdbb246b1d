"""Datasets whose raw files the tests write, with the calls to compare between libraries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from helpers import raw_formats as raw


@dataclass(frozen=True)
class Case:
    """``dataset(*arguments, raw_dir=...)`` after ``write(folder)``."""

    name: str
    dataset: str
    write: Callable[[Path], None]
    arguments: dict[str, Any] = field(default_factory=dict)
    # Where DGL looks: below raw_path, or in raw_dir if it is None.
    folder: str | None = "."


def _case(
    case: str, write: Callable[[Path], None], folder: str | None = ".", /, **arguments: Any
) -> Case:
    return Case(case, case.partition("-")[0], write, arguments, folder)


CASES = [
    *(
        _case(name, partial(raw.write_gnn_benchmark, name=file))
        for name, file in (
            ("CoraFullDataset", "cora_full"),
            ("AmazonCoBuyComputerDataset", "amazon_co_buy_computer"),
            ("AmazonCoBuyPhotoDataset", "amazon_co_buy_photo"),
            ("CoauthorCSDataset", "coauthor_cs"),
            ("CoauthorPhysicsDataset", "coauthor_physics"),
        )
    ),
    _case("RedditDataset", raw.write_reddit),
    _case("RedditDataset-loops", partial(raw.write_reddit, prefix="_self_loop"), self_loop=True),
    _case("FlickrDataset", partial(raw.write_saint, multi_label=False)),
    _case("YelpDataset", partial(raw.write_saint, multi_label=True)),
    _case("PPIDataset", raw.write_ppi),
    _case("PPIDataset-valid", partial(raw.write_ppi, mode="valid"), mode="valid"),
    _case("PPIDataset-test", partial(raw.write_ppi, mode="test"), mode="test"),
    _case("WikiCSDataset", raw.write_wiki_cs),
    _case("FraudYelpDataset", partial(raw.write_fraud, name="yelp")),
    _case("FraudAmazonDataset", partial(raw.write_fraud, name="amazon")),
    _case(
        "FraudDataset-seed",
        partial(raw.write_fraud, name="yelp"),
        name="yelp",
        random_seed=3,
        train_size=0.5,
        val_size=0.2,
    ),
    *(
        _case(f"{cls}-{what}", partial(raw.write_tu, name=what, **parts), what, name=what)
        for cls in ("TUDataset", "LegacyTUDataset")
        for what, parts in (
            ("FULL", {}),
            ("BARE", {"labels": False, "attributes": False, "edges": False}),
            ("LABELS", {"attributes": False, "edges": False}),
        )
    ),
    *(
        _case(
            f"GINDataset-{loop}-{degree}",
            partial(raw.write_dgcnn, name="MUTAG"),
            "dataset/MUTAG",
            name="MUTAG",
            self_loop=loop,
            degree_as_nlabel=degree,
        )
        for loop in (False, True)
        for degree in (False, True)
    ),
    _case("FB15kDataset", raw.write_openke),
    _case("FB15k237Dataset", raw.write_openke),
    _case("FB15k237Dataset-forward", raw.write_openke, reverse=False),
    _case("WN18Dataset", raw.write_openke),
    *(
        _case(f"{cls}-{mode}", partial(raw.write_events, step=step), mode=mode)
        for cls, step in (("ICEWS18Dataset", 24), ("GDELTDataset", 15))
        for mode in ("train", "valid", "test")
    ),
    _case("BitcoinOTCDataset", raw.write_bitcoin),
    _case("QM7bDataset", raw.write_qm7b, None),
    _case("QM9Dataset", raw.write_qm9, None, label_keys=["mu", "gap"]),
    _case("QM9Dataset-cutoff", raw.write_qm9, None, label_keys=["Cv"], cutoff=2.6),
    _case("QM9EdgeDataset", raw.write_qm9_edge, None),
    _case("QM9EdgeDataset-keys", raw.write_qm9_edge, None, label_keys=["mu", "alpha"]),
    _case("BA2MotifDataset", raw.write_ba2motif, None),
    _case("FakeNewsDataset", raw.write_fake_news, name="gossipcop", feature_name="bert"),
    _case(
        "FakeNewsDataset-profile",
        partial(raw.write_fake_news, feature="profile"),
        name="politifact",
        feature_name="profile",
    ),
    *(_case(f"SSTDataset-{mode}", raw.write_sst, mode=mode) for mode in ("train", "dev", "test")),
]

ATTRIBUTES = [
    "num_classes",
    "num_labels",
    "num_tasks",
    "num_rels",
    "num_nodes",
    "num_atom_types",
    "num_bond_types",
    "is_temporal",
    "start_time",
    "end_time",
    "vocab_size",
    "predict_category",
]


# DGL sorts the edges of these by destination with a sort that is not stable.
UNSTABLE = ("CoraFull", "AmazonCoBuy", "Coauthor", "Reddit", "WikiCS")


def describe(dataset: Any) -> dict[str, Any]:
    """What a dataset says of itself, and a summary of each item."""
    by_ends = type(dataset).__name__.startswith(UNSTABLE)
    facts = {}
    for name in ATTRIBUTES:
        if hasattr(dataset, name):
            value = getattr(dataset, name)
            facts[name] = value if isinstance(value, str) else int(value)
    try:
        length = len(dataset)
    except TypeError:  # DGL's fraud datasets have no length
        length = 1
    return {
        "length": length,
        "facts": facts,
        "items": [_item(dataset[i], by_ends) for i in range(length)],
    }


def _item(item: Any, by_ends: bool) -> list[Any]:
    if hasattr(item, "ndata") or hasattr(item, "canonical_etypes"):
        return [raw.summary(item, by_ends)]
    return [raw.summary(x) if hasattr(x, "canonical_etypes") else _plain(x) for x in item]


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
