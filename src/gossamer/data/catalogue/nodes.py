"""Rows for datasets of one graph with node classes."""

from __future__ import annotations

from gossamer.data.catalogue.entry import MULTI_LABEL, NODES, Entry, counts
from gossamer.data.raw import RawFile

_DGL = "https://data.dgl.ai/dataset/"
_SHCHUR = "Shchur et al., 2018"
_SHCHUR_NPZ = "https://github.com/shchur/gnn-benchmark/raw/master/data/npz/"


def _archive(file: str) -> RawFile:
    return RawFile(file, _DGL + file)


def _shchur(
    name: str, dataset: str, description: str, *sizes: int, file: str, author: str = ""
) -> Entry:
    # The benchmark's own repository has the same file under a shorter name.
    npz = f"{name}.npz"
    return Entry(
        name=name,
        dataset=dataset,
        task=NODES,
        description=description,
        reference=author or _SHCHUR,
        files=(RawFile(npz, _SHCHUR_NPZ + file),),
        reader="npz:attributed",
        options={"file": npz, "num_classes": sizes[-1]},
        **counts(*sizes),
    )


ROWS = (
    _shchur(
        "cora_full",
        "CoraFullDataset",
        "citations among papers of 70 fields",
        *(19793, 126842, 8710, 70),
        file="cora_full.npz",
        author="Bojchevski & Günnemann, ICLR 2018",
    ),
    _shchur(
        "amazon_co_buy_computer",
        "AmazonCoBuyComputerDataset",
        "computers bought together",
        *(13752, 491722, 767, 10),
        file="amazon_electronics_computers.npz",
    ),
    _shchur(
        "amazon_co_buy_photo",
        "AmazonCoBuyPhotoDataset",
        "photo equipment bought together",
        *(7650, 238163, 745, 8),
        file="amazon_electronics_photo.npz",
    ),
    _shchur(
        "coauthor_cs",
        "CoauthorCSDataset",
        "authors in computer science",
        *(18333, 163788, 6805, 15),
        file="ms_academic_cs.npz",
    ),
    _shchur(
        "coauthor_physics",
        "CoauthorPhysicsDataset",
        "authors in physics",
        *(34493, 495924, 8415, 5),
        file="ms_academic_phy.npz",
    ),
    Entry(
        name="reddit",
        dataset="RedditDataset",
        task=NODES,
        description="posts that the same users commented on",
        reference="Hamilton et al., NeurIPS 2017",
        files=(_archive("reddit.zip"),),
        needs=("reddit_data.npz", "reddit_graph.npz"),
        reader="npz:reddit",
        options={"self_loop": False},
        **counts(232965, 114615892, 602, 41),
        splits=1,
    ),
    Entry(
        name="reddit_self_loop",
        dataset="RedditDataset",
        arguments={"self_loop": True},
        task=NODES,
        description="posts that the same users commented on, with self-loops",
        reference="Hamilton et al., NeurIPS 2017",
        files=(_archive("reddit_self_loop.zip"),),
        needs=("reddit_data.npz", "reddit_self_loop_graph.npz"),
        reader="npz:reddit",
        options={"self_loop": True},
        **counts(232965, 114848857, 602, 41),
        splits=1,
    ),
    Entry(
        name="flickr",
        dataset="FlickrDataset",
        task=NODES,
        description="images with properties in common",
        reference="Zeng et al., ICLR 2020",
        files=(_archive("flickr.zip"),),
        needs=("adj_full.npz", "feats.npy", "class_map.json", "role.json"),
        reader="saint:saint",
        options={"num_classes": 7},
        **counts(89250, 899756, 500, 7),
        splits=1,
    ),
    Entry(
        name="yelp",
        dataset="YelpDataset",
        task=MULTI_LABEL,
        description="users of Yelp who are friends",
        reference="Zeng et al., ICLR 2020",
        files=(_archive("yelp.zip"),),
        needs=("adj_full.npz", "feats.npy", "class_map.json", "role.json"),
        reader="saint:saint",
        options={"num_classes": 100},
        **counts(716847, 13954819, 300, 100),
        splits=1,
        metric="f1",
    ),
    Entry(
        name="blogcatalog",
        dataset="BlogCatalogDataset",
        task=MULTI_LABEL,
        description="bloggers who are friends, with their groups",
        reference="Tang & Liu, KDD 2009",
        files=(
            RawFile(
                "blogcatalog.mat",
                "https://github.com/phanein/deepwalk/raw/master/example_graphs/blogcatalog.mat",
            ),
        ),
        reader="multi_label:network_and_group",
        options={"file": "blogcatalog.mat"},
        **counts(10312, 667966, classes=39),
        metric="f1",
    ),
    Entry(
        name="ppi",
        dataset="PPIDataset",
        task=MULTI_LABEL,
        description="proteins of 24 tissues that interact",
        reference="Hamilton et al., NeurIPS 2017",
        files=(_archive("ppi.zip"),),
        reader="ppi:ppi",
        graphs=24,
        **counts(56944, 818716, 50, 121),
        splits=1,
        metric="f1",
    ),
    Entry(
        name="wiki_cs",
        dataset="WikiCSDataset",
        task=NODES,
        description="Wikipedia articles on computer science",
        reference="Mernyei & Cangea, 2020",
        files=(
            RawFile(
                "data.json",
                "https://github.com/pmernyei/wiki-cs-dataset/raw/master/dataset/data.json",
            ),
        ),
        reader="wiki_cs:wiki_cs",
        **counts(11701, 431726, 300, 10),
        splits=20,
    ),
    Entry(
        name="fraud_yelp",
        folder="yelp",
        dataset="FraudYelpDataset",
        task=NODES,
        description="reviews of hotels and restaurants, some of them spam",
        reference="Dou et al., CIKM 2020",
        files=(_archive("FraudYelp.zip"),),
        needs=("YelpChi.mat",),
        reader="fraud:fraud",
        options={
            "file": "YelpChi.mat",
            "ntype": "review",
            "relations": ("net_rsr", "net_rtr", "net_rur"),
        },
        **counts(45954, 8051348, 32, 2),
        splits=1,
        metric="roc_auc",
    ),
    Entry(
        name="fraud_amazon",
        folder="amazon",
        dataset="FraudAmazonDataset",
        task=NODES,
        description="users who reviewed musical instruments, some of them fraudsters",
        reference="Dou et al., CIKM 2020",
        files=(_archive("FraudAmazon.zip"),),
        needs=("Amazon.mat",),
        reader="fraud:fraud",
        options={
            "file": "Amazon.mat",
            "ntype": "user",
            "relations": ("net_upu", "net_usu", "net_uvu"),
        },
        **counts(11944, 8847096, 25, 2),
        splits=1,
        metric="roc_auc",
    ),
)
