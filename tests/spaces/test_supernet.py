"""Supernets of NAS-Bench-201: a cell's own network where each edge holds one operation, else means of operations."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from ntknas import empirical_ntk, load_space
from ntknas.core.errors import ChoiceError
from ntknas.spaces.nb201.cells import EDGES, OPERATIONS
from ntknas.spaces.supernets import Supernetted

FULL = (OPERATIONS[1:],) * 6
SIZE = {"channels": 2, "cells_per_stage": 1, "num_classes": 3}
CELLS = (
    "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|none~0|avg_pool_3x3~1|nor_conv_1x1~2|",
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|",
)


@pytest.fixture(scope="module")
def space():
    return load_space("nb201")


def single(cell):
    return [(operation,) for operation in cell.operations]


def filled(network, values):
    """The network with the parameters of another one, which has the same in the same order."""
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), values, strict=True):
            parameter.copy_(value)
    return network


@pytest.mark.parametrize("text", CELLS)
@pytest.mark.parametrize("variant", ["official", "zero-cost"])
def test_one_operation_on_each_edge_is_the_cells_own_network(space, text, variant):
    network = space.build(text, seed=4, variant=variant, **SIZE)
    supernet = space.supernet(single(space.cell(text)), seed=9, variant=variant, **SIZE)
    filled(supernet, network.parameters())
    images = torch.randn(4, 3, 8, 8)
    assert torch.equal(supernet(images), network(images))
    kernels = [empirical_ntk(one, images, batch_norm="coupled").matrix for one in (supernet, network)]
    torch.testing.assert_close(*kernels, rtol=1e-5, atol=1e-9)


def written_out(operation, module, x):
    """What an operation returns, from torch's functions alone, BatchNorm in training mode."""
    if operation == "none":
        return x * 0
    if operation == "skip_connect":
        return x
    if operation == "avg_pool_3x3":
        return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    _, conv, norm = module
    convolved = functional.conv2d(x.clamp(min=0), conv.weight, padding=conv.weight.shape[-1] // 2)
    return functional.batch_norm(convolved, None, None, norm.weight, norm.bias, training=True)


@pytest.mark.parametrize(
    "kept",
    [FULL, (OPERATIONS,) * 6, (*FULL[:2], ("none",), ("skip_connect",), *FULL[4:])],
    ids=["four", "five", "mixed"],
)
def test_an_edge_is_the_mean_of_its_operations(space, kept):
    cell = space.super_cell(kept, channels=2, seed=1, init="kaiming-fan-in").double().cell
    x = torch.randn(5, 2, 6, 6, dtype=torch.float64)
    nodes = {0: x}
    for (source, target), names, edge in zip(EDGES, kept, cell.edges, strict=True):
        terms = [written_out(name, edge.operations[name], nodes[source]) for name in names]
        nodes[target] = nodes.get(target, 0) + torch.stack(terms).mean(0)
    torch.testing.assert_close(cell(x), nodes[3])


def test_an_operation_starts_alike_whatever_else_its_supernet_holds(space):
    few = [("nor_conv_3x3",), *FULL[1:4], ("nor_conv_1x1", "none"), ("skip_connect",)]
    state = space.supernet(FULL, seed=3, **SIZE).state_dict()
    part = space.supernet(few, seed=3, **SIZE).state_dict()
    assert set(part) < set(state)
    assert all(torch.equal(state[name], value) for name, value in part.items())
    other = space.supernet(FULL, seed=5, **SIZE).state_dict()
    drawn = [name for name in state if name.endswith("weight") and state[name].dim() > 1]
    assert not any(torch.equal(state[name], other[name]) for name in drawn)
    assert len({state[name].sum().item() for name in drawn}) == len(drawn)


def test_a_cell_alone_has_its_channels_and_the_last_relu(space):
    lone = space.super_cell(FULL, channels=1, seed=0, init="kaiming-fan-in")
    assert lone.training
    assert lone(torch.randn(4, 1, 3, 3)).shape == (4, 1, 3, 3)
    assert sum(isinstance(module, nn.ReLU) for module in lone.modules()) == 13  # 12 convolutions, and the last one
    assert sum(parameter.numel() for parameter in lone.parameters()) == 6 * (9 + 2 + 1 + 2) + 2


def test_building_leaves_the_random_state_alone(space):
    before = torch.get_rng_state()
    space.supernet(FULL, seed=0, **SIZE)
    space.super_cell(FULL, channels=1, seed=0, init="kaiming-fan-in")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (FULL[:5], "6 edges"),
        ((*FULL[:5], ()), "Edge 5"),
        ((*FULL[:5], ("max_pool_3x3",)), "max_pool_3x3"),
        ((*FULL[:5], "none"), "Edge 5"),
    ],
)
def test_what_is_no_supernet_is_refused(space, kept, said):
    with pytest.raises(ChoiceError, match=said):
        space.supernet(kept)
    with pytest.raises(ChoiceError, match=said):
        space.super_cell(kept)


def test_options_are_checked_as_those_of_build(space):
    with pytest.raises(ChoiceError, match="channels"):
        space.supernet(FULL, channels=0)
    with pytest.raises(ChoiceError, match="initialisation"):
        space.super_cell(FULL, init="zeros")


def test_which_spaces_have_one(space):
    assert isinstance(space, Supernetted)
    assert not isinstance(load_space("nats-sss"), Supernetted)
