"""What every layer of `gossamer.nn` must keep, whatever it computes.

`cases.py` lists the layers; each goes through every test here.
"""

from __future__ import annotations

import copy
import pickle
from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

import gossamer as gs
import gossamer.nn
from gossamer.errors import GossamerError, InvalidValueError
from helpers.compare import random_cotangent_grads
from nn.cases import LAYER_CASES, LayerCase, layer_classes

pytestmark = pytest.mark.parametrize("case", LAYER_CASES, ids=lambda case: case.name)


# --- graphs ----------------------------------------------------------------------------------


def edges_of(num_nodes: int = 9, extra: int = 25, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw edges in no order: a ring, so that each node has an in-edge, and others at random.

    With this many there are duplicates and self-loops.
    """
    generator = torch.Generator().manual_seed(seed)
    ring = torch.arange(num_nodes)
    far = torch.randint(0, num_nodes, (2, extra), generator=generator)
    u, v = torch.cat([torch.stack([ring, (ring + 1) % num_nodes]), far], dim=1)
    order = torch.randperm(num_nodes + extra, generator=generator)
    return u[order], v[order]


def make_graph(num_nodes: int = 9, extra: int = 25, seed: int = 0) -> gs.Graph:
    return gs.graph(edges_of(num_nodes, extra, seed), num_nodes=num_nodes)


def nodes_of(case: LayerCase, rows: Tensor, values: Tensor, like: Tensor) -> Tensor:
    """`values` moved to `rows`, if the output has a row per node."""
    return torch.empty_like(like).index_copy(0, rows, values) if case.per == "node" else values


# --- the layers themselves -------------------------------------------------------------------


def test_every_layer_has_a_case(case: LayerCase) -> None:
    covered = {type(other.build()) for other in LAYER_CASES}
    assert type(case.build()) in layer_classes()
    missing = sorted(layer.__name__ for layer in layer_classes() - covered)
    assert not missing, "add these layers to tests/nn/cases.py"


def test_layer_is_exported(case: LayerCase) -> None:
    name = type(case.build()).__name__
    assert name in gossamer.nn.__all__
    assert getattr(gossamer.nn, name) is type(case.build())


def test_repr(case: LayerCase) -> None:
    layer = case.build()
    assert repr(layer).startswith(f"{type(layer).__name__}(")


def test_output_shape_and_dtype(case: LayerCase) -> None:
    g = make_graph()
    out = case(case.build(), g, case.draw(g))
    assert out.shape == (case.rows(g), *case.out)
    assert out.dtype == torch.float32
    assert out.isfinite().all()


def test_pickle_deepcopy_and_state_dict(case: LayerCase) -> None:
    g = make_graph()
    layer, inputs = case.build(), case.draw(g)
    out = case(layer, g, inputs)
    loaded = case.build()
    loaded.load_state_dict(layer.state_dict(), strict=True)
    for other in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer), loaded):
        torch.testing.assert_close(case(other, g, inputs), out, rtol=0, atol=0)


def test_reset_parameters_draws_every_weight_anew(case: LayerCase) -> None:
    layer = case.build()
    own = [name for name in case.parameters(layer) if not name.startswith(case.foreign)]
    if not hasattr(layer, "reset_parameters"):
        assert not own, "parameters, and no way to reset them"
        return
    with torch.no_grad():
        for parameter in case.parameters(layer).values():
            parameter.fill_(123.0)
    layer.reset_parameters()
    kept = [name for name in own if (layer.get_parameter(name) == 123.0).any()]
    assert not kept


# --- graphs in, graphs out -------------------------------------------------------------------


def test_no_feature_is_left_on_the_graph(case: LayerCase) -> None:
    g = make_graph()
    g.ndata["x"], g.edata["w"] = torch.zeros(9), torch.zeros(34)
    case(case.build(), g, case.draw(g))
    assert list(g.ndata) == ["x"]
    assert list(g.edata) == ["w"]
    assert not g.ndata["x"].any()
    assert not g.edata["w"].any()


def test_relabeling_nodes_relabels_the_output(case: LayerCase) -> None:
    u, v = edges_of()
    g, layer = gs.graph((u, v), num_nodes=9), case.build().double()
    inputs = case.draw(g, torch.float64)
    out = case(layer, g, inputs)

    new = torch.randperm(9)
    moved = dict(inputs)
    for name in case.names("node"):
        moved[name] = torch.empty_like(inputs[name]).index_copy(0, new, inputs[name])
    found = case(layer, gs.graph((new[u], new[v]), num_nodes=9), moved)
    torch.testing.assert_close(found, nodes_of(case, new, out, like=out))


def test_gradients_to_differentiate_again_are_the_gradients(case: LayerCase) -> None:
    """Within a layer operands are made of one another; second gradients must not mix them up."""
    g, layer = make_graph(), case.build().double()
    fixed, roots = split(leaves(case.draw(g, torch.float64)))
    inputs = {name: x.tanh() for name, x in roots.items()}
    wanted = [*roots.values(), *inputs.values(), *case.parameters(layer).values()]
    out = case(layer, g, inputs | fixed)
    flow = torch.randn_like(out)

    def gradients(**kwargs: bool) -> tuple:
        return torch.autograd.grad(out, wanted, flow, allow_unused=True, **kwargs)

    once = gradients(retain_graph=True)
    torch.testing.assert_close(gradients(create_graph=True), once)


def test_edge_order_does_not_matter(case: LayerCase) -> None:
    u, v = edges_of()
    g, layer = gs.graph((u, v), num_nodes=9), case.build().double()
    inputs = case.draw(g, torch.float64)
    out = case(layer, g, inputs)

    # Where the order of a node's in-edges counts, whole nodes change places.
    order = torch.randperm(9)[v].argsort(stable=True) if case.ordered else torch.randperm(len(u))
    moved = inputs | {name: inputs[name][order] for name in case.names("edge")}
    found = case(layer, gs.graph((u[order], v[order]), num_nodes=9), moved)
    torch.testing.assert_close(found, out[order] if case.per == "edge" else out)


def test_batch_is_separate_graphs(case: LayerCase) -> None:
    graphs = [make_graph(), make_graph(1, 0), make_graph(5, 3, seed=1)]
    layer = case.build().double()
    inputs = [case.draw(g, torch.float64) for g in graphs]
    separate = [case(layer, g, each) for g, each in zip(graphs, inputs, strict=True)]
    joined = {name: torch.cat([each[name] for each in inputs]) for name in inputs[0]}
    torch.testing.assert_close(case(layer, gs.batch(graphs), joined), torch.cat(separate))


def test_block_of_all_nodes_is_the_graph(case: LayerCase) -> None:
    u, v = edges_of()
    g, layer = gs.graph((u, v), num_nodes=9), case.build().double()
    inputs = case.draw(g, torch.float64)
    out = case(layer, g, inputs)
    if case.per == "graph":
        assert out.shape[0] == g.batch_size, "a readout takes whole graphs, never blocks"
        return
    block = gs.create_block((u, v), num_src_nodes=9, num_dst_nodes=9)
    torch.testing.assert_close(case(layer, block, inputs), out)


def test_block_equals_pair(case: LayerCase) -> None:
    """The destinations of a block are its first sources: naming them changes nothing."""
    u, v = edges_of()
    inside = v < 4
    block = gs.create_block((u[inside], v[inside]), num_src_nodes=9, num_dst_nodes=4)
    layer, inputs = case.build().double(), case.draw(block, torch.float64)
    names = case.names("node")
    if case.per == "graph" or not names:
        assert case.per != "node", "a layer per node takes features"
        return
    if not case.pair:
        with pytest.raises(GossamerError):
            case(layer, block, inputs)
        return
    out = case(layer, block, inputs)
    assert out.shape == (case.rows(block), *case.out)
    inputs[names[0]] = inputs[names[0]], inputs[names[0]][:4]
    torch.testing.assert_close(case(layer, block, inputs), out)


def test_zero_nodes(case: LayerCase) -> None:
    check_degenerate(case, gs.graph(([], []), num_nodes=0))


def test_zero_edges(case: LayerCase) -> None:
    check_degenerate(case, gs.graph(([], []), num_nodes=4))


def check_degenerate(case: LayerCase, g: gs.Graph) -> None:
    """Assert the shape of the output and finite gradients."""
    layer, inputs = case.build(), case.draw(g)
    parameters = case.parameters(layer)
    (out,), grads = random_cotangent_grads(
        lambda **given: call(case, layer, parameters, g, given), inputs | parameters
    )
    assert out.shape == (case.rows(g), *case.out)
    assert out.isfinite().all()
    for name, grad in grads.items():
        assert grad is None or grad.isfinite().all(), f"gradient of {name}"


def call(
    case: LayerCase, layer: nn.Module, parameters: dict, g: gs.Graph, given: dict[str, Tensor]
) -> Tensor:
    """Call a layer with parameters from outside."""
    own = {name: given.pop(name) for name in parameters}
    return case.picked(functional_call(layer, own, (g,), given))


def leaves(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """The arguments, with gradients where they are floating-point."""
    return {name: x.requires_grad_() if x.is_floating_point() else x for name, x in inputs.items()}


def split(inputs: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The integer arguments and the floating-point ones."""
    floats = {name: x for name, x in inputs.items() if x.is_floating_point()}
    return {name: x for name, x in inputs.items() if name not in floats}, floats


def test_another_device_gives_the_same(case: LayerCase, accelerator: torch.device) -> None:
    """With parameters, graph and features moved there, nothing may remain behind."""
    g, layer = make_graph(), case.build().double()
    inputs = case.draw(g, torch.float64)

    def run(device: torch.device | str) -> tuple:
        moved = copy.deepcopy(layer).to(device)
        parameters = case.parameters(moved)
        given = {name: x.to(device) for name, x in (inputs | parameters).items()}
        return random_cotangent_grads(
            lambda **given: call(case, moved, parameters, g.to(device), given), given
        )

    (wanted,), wanted_grads = run("cpu")
    (found,), found_grads = run(accelerator)
    assert found.device.type == accelerator.type
    torch.testing.assert_close(found.cpu(), wanted)
    for name, grad in wanted_grads.items():
        other = found_grads[name]
        assert (grad is None) == (other is None), f"gradient of {name}"
        if grad is not None:
            torch.testing.assert_close(other.cpu(), grad, msg=f"gradient of {name}")


def test_isolated_node_changes_nobody_else(case: LayerCase) -> None:
    u, v = edges_of()
    g, wider = gs.graph((u, v), num_nodes=9), gs.graph((u, v), num_nodes=10)
    layer, inputs = case.build().double(), case.draw(g, torch.float64)
    out = case(layer, g, inputs)
    for name in case.names("node"):
        inputs[name] = torch.cat([inputs[name], torch.zeros_like(inputs[name][:1])])
    found = case(layer, wider, inputs)
    assert found.isfinite().all()
    if case.per != "graph" and not case.counts_nodes:
        torch.testing.assert_close(found[: len(out)], out)


def test_strict_layer_names_the_remedy(case: LayerCase) -> None:
    g = gs.graph(([0, 1], [1, 0]), num_nodes=3)
    if case.strict is None:
        assert case(case.build(), g, case.draw(g)).isfinite().all()
        return
    with pytest.raises(InvalidValueError, match=r"1 of 3 nodes .* gossamer\.add_self_loop\(g\)"):
        case(case.strict(), g, case.draw(g))
    full = make_graph()
    assert case(case.strict(), full, case.draw(full)).isfinite().all()


# --- bad input -------------------------------------------------------------------------------


def check_refused(case: LayerCase, g: object, inputs: dict[str, Tensor]) -> None:
    """Assert that the layer raises an error that begins with its name."""
    layer = case.build()
    with pytest.raises(GossamerError, match=rf"^({case.named or type(layer).__name__})[: ]"):
        case(layer, g, inputs)


def test_one_row_too_many(case: LayerCase) -> None:
    g = make_graph()
    inputs = case.draw(g)
    for name, value in inputs.items():
        check_refused(case, g, inputs | {name: torch.cat([value, value[:1]])})


def test_features_on_another_device(case: LayerCase) -> None:
    g = make_graph()
    inputs = case.draw(g)
    for name, value in inputs.items():
        if value.is_floating_point():
            check_refused(case, g, inputs | {name: value.to("meta")})


def test_features_that_are_no_tensors(case: LayerCase) -> None:
    g = make_graph()
    inputs = case.draw(g)
    for name, value in inputs.items():
        check_refused(case, g, inputs | {name: value.numpy()})


def test_a_graph_of_several_relations(case: LayerCase) -> None:
    g = make_graph()
    relations = {("n", "a", "n"): edges_of(), ("n", "b", "n"): edges_of()}
    several = gs.heterograph(relations)
    if case.per == "graph":
        assert case(case.build(), several, case.draw(g)).shape == (1, *case.out), "readouts do"
        return
    check_refused(case, several, case.draw(g))


def test_no_graph_at_all(case: LayerCase) -> None:
    check_refused(case, [(0, 1)], case.draw(make_graph()))


# --- dtypes ----------------------------------------------------------------------------------


def test_int32_is_int64(case: LayerCase) -> None:
    g = make_graph()
    layer, inputs = case.build(), case.draw(g)
    torch.testing.assert_close(case(layer, g.int(), inputs), case(layer, g, inputs), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_16_bit_is_close_to_float32(case: LayerCase, dtype: torch.dtype) -> None:
    g = make_graph()
    layer, inputs = case.build().to(dtype), case.draw(g, dtype)
    out = case(layer, g, inputs).detach()
    assert out.dtype == dtype
    fixed, floats = split(inputs)
    wide = {name: value.float() for name, value in floats.items()}
    exact = case(layer.float(), g, fixed | wide).detach()
    # Same weights, same inputs: what is left is rounding, some ten operations deep.
    allowed = 10 * torch.finfo(dtype).eps * float(exact.abs().max())
    torch.testing.assert_close(out.float(), exact, rtol=0, atol=allowed)


@cache
def _lstm_has_autocast() -> bool:
    """Whether torch's own LSTM runs: oneDNN has none in bfloat16 for processors without AVX-512."""
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            torch.nn.LSTM(2, 2)(torch.rand(1, 1, 2))
    except RuntimeError:
        return False
    return True


def test_autocast(case: LayerCase) -> None:
    g = make_graph()
    layer, inputs = case.build(), case.draw(g)
    has_lstm = any(isinstance(module, torch.nn.LSTM) for module in layer.modules())
    if has_lstm and not _lstm_has_autocast():
        pytest.skip("torch has no LSTM in bfloat16 on this processor")
    exact = case(layer, g, inputs).detach()
    given = leaves(inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = case(layer, g, given)
    out.backward(torch.randn_like(out))
    allowed = 10 * torch.finfo(torch.bfloat16).eps * float(exact.abs().max())
    torch.testing.assert_close(out.detach().float(), exact, rtol=0, atol=allowed)
    for name, value in (split(given)[1] | case.parameters(layer)).items():
        if name.startswith(case.unreached):
            continue
        assert value.grad is not None, f"no gradient reaches {name}"
        assert value.grad.dtype == torch.float32
        assert value.grad.isfinite().all(), f"gradient of {name}"


def test_features_need_not_be_contiguous(case: LayerCase) -> None:
    g = make_graph()
    layer, inputs = case.build(), case.draw(g)
    out = case(layer, g, inputs)
    strided = {
        name: value.repeat_interleave(2, 0)[::2]
        if name in case.names("edge")
        else value.transpose(0, -1).contiguous().transpose(0, -1)
        for name, value in inputs.items()
    }
    assert all(
        value.numel() == len(value) or not value.is_contiguous() for value in strided.values()
    )
    torch.testing.assert_close(case(layer, g, strided), out)


# --- gradients -------------------------------------------------------------------------------


def test_backward_reaches_every_parameter(case: LayerCase) -> None:
    g = make_graph()
    layer, inputs = case.build(), case.draw(g)
    parameters = case.parameters(layer)
    for seed in range(2):
        _, grads = random_cotangent_grads(
            lambda **given: call(case, layer, parameters, g, given), inputs | parameters, seed=seed
        )
        for name in split(inputs)[1] | parameters:
            grad = grads[name]
            if name.startswith(case.unreached):
                continue
            assert grad is not None, f"no gradient reaches {name}"
            assert grad.isfinite().all(), f"gradient of {name}"
            assert grad.any(), f"gradient of {name} is 0"


def test_gradcheck(case: LayerCase) -> None:
    g = make_graph(3, 3)
    layer, inputs = case.build().double(), case.draw(g, torch.float64)
    parameters = case.parameters(layer)
    fixed, floats = split(inputs)
    given = {
        name: value.detach().clone().requires_grad_()
        for name, value in (floats | parameters).items()
    }

    def function(*values: Tensor) -> Tensor:
        named = dict(zip(given, values, strict=True))
        return call(case, layer, parameters, g, named | fixed)

    assert torch.autograd.gradcheck(function, tuple(given.values()), fast_mode=True)


def test_inference_mode_spoils_nothing_for_training(case: LayerCase) -> None:
    """What a graph keeps from an evaluation must still serve in training."""
    g = make_graph()
    layer, inputs = case.build(), case.draw(g)
    with torch.inference_mode():
        evaluated = case(layer, g, inputs)
    given = leaves(inputs)
    out = case(layer, g, given)
    out.backward(torch.randn_like(out))
    torch.testing.assert_close(out, evaluated.clone())
    assert all(value.grad.isfinite().all() for value in split(given)[1].values())
