"""Small programs as DGL's users write them, each a text that runs in a process of its own."""

MESSAGE_PASSING = """
import dgl
import dgl.function as fn
import torch
from dgl import DGLGraph
from dgl.base import DGLError

g = dgl.graph((torch.tensor([0, 1, 2, 2]), torch.tensor([1, 2, 0, 1])))
assert isinstance(g, DGLGraph) and isinstance(g, dgl.DGLHeteroGraph)
assert g.number_of_nodes() == 3 and g.number_of_edges() == 4
g.ndata["h"] = torch.tensor([[1.0], [2.0], [4.0]])
g.edata["w"] = torch.tensor([[1.0], [10.0], [100.0], [1000.0]])
g.update_all(fn.u_mul_e("h", "w", "m"), fn.sum("m", "out"))
print(g.ndata["out"].flatten().tolist())


def message(edges):
    return {"m": edges.src["h"] + edges.dst["h"]}


def reduce(nodes):
    return {"most": nodes.mailbox["m"].max(1).values}


g.update_all(message, reduce)
print(g.ndata["most"].flatten().tolist())
try:
    g.ndata["h"] = torch.zeros(2, 1)
except DGLError as error:
    print("refused")
"""

LAYER = """
import torch
import torch.nn as nn
import torch.nn.functional as F
import dgl
from dgl.nn import GraphConv
from dgl.nn.pytorch.conv import SAGEConv
import dgl.nn.pytorch as dglnn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = GraphConv(4, 8)
        self.second = SAGEConv(8, 8, "mean")
        self.third = dglnn.GATConv(8, 3, num_heads=1)

    def forward(self, g, x):
        x = F.relu(self.first(g, x))
        x = F.relu(self.second(g, x))
        return self.third(g, x).squeeze(1)


dgl.seed(0)
g = dgl.add_self_loop(dgl.rand_graph(30, 90))
x, y = torch.randn(30, 4), torch.arange(30) % 3
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
losses = []
for _ in range(60):
    loss = F.cross_entropy(net(g, x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(losses[-1] < 0.8 * losses[0])
"""

DATA = """
import os
import sys
import torch
import dgl
from dgl.data import DGLDataset
from dgl.data.utils import load_graphs, save_graphs, split_dataset
from torch.utils.data import DataLoader


class Rings(DGLDataset):
    def __init__(self, folder):
        super().__init__(name="rings", save_dir=folder)

    def process(self):
        self.graphs, self.labels = [], []
        for n in range(3, 15):
            ids = torch.arange(n)
            g = dgl.to_bidirected(dgl.graph((ids, (ids + 1) % n)))
            g.ndata["x"] = torch.full((n, 1), float(n))
            self.graphs.append(g)
            self.labels.append(n % 2)
        self.labels = torch.tensor(self.labels)

    def save(self):
        os.makedirs(self.save_path, exist_ok=True)
        save_graphs(os.path.join(self.save_path, "g.bin"), self.graphs, {"labels": self.labels})

    def load(self):
        self.graphs, labels = load_graphs(os.path.join(self.save_path, "g.bin"))
        self.labels = labels["labels"]
        print("loaded")

    def has_cache(self):
        return os.path.exists(os.path.join(self.save_path, "g.bin"))

    def __getitem__(self, i):
        return self.graphs[i], self.labels[i]

    def __len__(self):
        return len(self.graphs)


def collate(samples):
    graphs, labels = map(list, zip(*samples))
    return dgl.batch(graphs), torch.stack(labels)


Rings(sys.argv[1])
dataset = Rings(sys.argv[1])
train, val, test = split_dataset(dataset, [0.5, 0.25, 0.25])
print(len(train), len(val), len(test))
for g, labels in DataLoader(dataset, batch_size=5, collate_fn=collate):
    means = dgl.mean_nodes(g, "x").flatten()
    assert [int(m) % 2 for m in means] == labels.tolist()
    assert torch.equal(g.batch_num_nodes(), means.long())
    print(g.batch_size, len(dgl.unbatch(g)), g.num_nodes())
"""

HETERO = """
import dgl
import dgl.function as fn
import torch

g = dgl.heterograph(
    {("user", "follows", "user"): ([0, 1], [1, 2]), ("user", "plays", "game"): ([0, 2], [0, 1])}
)
g.nodes["user"].data["h"] = torch.tensor([[1.0], [2.0], [3.0]])
g.multi_update_all(
    {
        "follows": (fn.copy_u("h", "m"), fn.sum("m", "out")),
        "plays": (fn.copy_u("h", "m"), fn.sum("m", "out")),
    },
    "sum",
)
print(g.nodes["game"].data["out"].flatten().tolist())
homogeneous = dgl.to_homogeneous(g, ndata=None)
print(homogeneous.ndata[dgl.NTYPE].tolist(), homogeneous.edata[dgl.ETYPE].tolist())
"""

SPAWN = """
import dgl
import dgl.multiprocessing as mp
import torch


def work(g, out):
    import dgl as again

    out.put((again.sum_nodes(g, "h").item(), isinstance(g, again.DGLGraph)))


if __name__ == "__main__":
    g = dgl.graph(([0, 1], [1, 2]))
    g.ndata["h"] = torch.tensor([1.0, 2.0, 3.0])
    context = mp.get_context("spawn")
    out = context.Queue()
    process = context.Process(target=work, args=(g, out))
    process.start()
    print(out.get())
    process.join()
"""
