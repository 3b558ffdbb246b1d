"""HGTConv against a loop over destinations and heads."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import gossamer as gs
from gossamer.errors import InvalidValueError, OutOfRangeError
from gossamer.nn import HGTConv
from nn.dense import assert_matches, ends

HEADS, SIZE, NTYPES, ETYPES = 2, 3, 3, 2


def oracle(layer: HGTConv, g: gs.Graph):
    u, v = (x.tolist() for x in ends(g))

    def run(p: dict[str, Tensor], feat: Tensor, ntype: Tensor, etype: Tensor) -> Tensor:
        rows = []
        for t in range(g.num_dst_nodes()):
            edges = [e for e, end in enumerate(v) if end == t]
            tau, heads = int(ntype[t]), []
            for i in range(HEADS):
                columns = slice(i * SIZE, (i + 1) * SIZE)
                query = (feat[t] @ p["linear_q.W"][tau])[columns]
                scores, values = [], []
                for e in edges:
                    s, r = u[e], int(etype[e])
                    key = (feat[s] @ p["linear_k.W"][int(ntype[s])])[columns]
                    value = (feat[s] @ p["linear_v.W"][int(ntype[s])])[columns]
                    score = key @ p[f"relation_att.{i}.W"][r] @ query
                    scores.append(score * p[f"relation_pri.{i}"][r] / math.sqrt(SIZE))
                    values.append(value @ p[f"relation_msg.{i}.W"][r])
                if edges:
                    share = torch.stack(scores).softmax(0)
                    heads.append(share @ torch.stack(values))
                else:
                    heads.append(torch.zeros(SIZE, dtype=feat.dtype))
            new = torch.cat(heads) @ p["linear_a.W"][tau]
            gate = torch.sigmoid(p["skip"][tau])
            own = feat[t] @ p["residual_w"] if "residual_w" in p else feat[t]
            rows.append(gate * new + (1 - gate) * own)
        out = torch.stack(rows)
        if layer.use_norm:
            out = F.layer_norm(out, out.shape[1:], p["norm.weight"], p["norm.bias"])
        return out

    return run


GRAPHS = {
    "graph": lambda: gs.graph(([0, 1, 2, 2, 0, 3, 3], [1, 2, 0, 1, 1, 3, 0]), num_nodes=5),
    "no edges": lambda: gs.graph(([], []), num_nodes=3),
    "block": lambda: gs.create_block(([0, 1, 2, 4, 0], [1, 2, 0, 1, 1]), num_src_nodes=5),
}


@pytest.mark.parametrize("options", [{}, {"use_norm": True}], ids=str)
@pytest.mark.parametrize("width", [4, HEADS * SIZE])
@pytest.mark.parametrize("name", GRAPHS)
def test_matches_dense(name: str, width: int, options: dict) -> None:
    g = GRAPHS[name]()
    layer = HGTConv(width, SIZE, HEADS, NTYPES, ETYPES, dropout=0.0, **options).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    inputs = {
        "feat": torch.randn(g.num_src_nodes(), width, dtype=torch.float64),
        "ntype": torch.randint(0, NTYPES, (g.num_src_nodes(),)),
        "etype": torch.randint(0, ETYPES, (g.num_edges(),)),
    }
    assert_matches(layer, g, inputs, oracle(layer, g))


def test_presorted_types_give_the_same() -> None:
    g = gs.graph(([0, 1, 2, 2], [1, 2, 0, 1]))
    layer = HGTConv(4, SIZE, HEADS, NTYPES, ETYPES).eval()
    arguments = g, torch.rand(3, 4), torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1, 1])
    torch.testing.assert_close(layer(*arguments, presorted=True), layer(*arguments))


def test_dropout_only_while_training() -> None:
    g, layer = gs.graph(([0, 1], [1, 0])), HGTConv(6, SIZE, HEADS, NTYPES, ETYPES, dropout=1.0)
    x, types = torch.rand(2, 6), torch.tensor([0, 1])
    kept = x * (1 - torch.sigmoid(torch.tensor(1.0)))
    torch.testing.assert_close(layer(g, x, types, types), kept)
    assert not torch.allclose(layer.eval()(g, x, types, types), kept)


def test_bad_input() -> None:
    g, layer = gs.graph(([0, 1], [1, 0])), HGTConv(4, SIZE, HEADS, NTYPES, ETYPES)
    x, types = torch.rand(2, 4), torch.tensor([0, 1])
    with pytest.raises(InvalidValueError, match=r"HGTConv: node types must have shape \(2,\)"):
        layer(g, x, types[:1], types)
    with pytest.raises(OutOfRangeError, match=r"edge types must be 0 \.\.\. 1"):
        layer(g, x, types, types + 1)
    with pytest.raises(InvalidValueError, match=r"HGTConv: node features must have shape"):
        layer(g, torch.rand(2, 5), types, types)
    with pytest.raises(InvalidValueError, match="num_heads is at least 1"):
        HGTConv(4, SIZE, 0, NTYPES, ETYPES)
