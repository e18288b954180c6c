"""Pooling by way of channels last is torch's own pooling, bit for bit, layouts and derivatives included."""

import pytest
import torch
from torch import nn
from torch.func import grad, jacfwd, jacrev, jvp, vmap
from torch.fx import symbolic_trace

from ntknas.core.choices import Choices
from ntknas.kernels import Batch, Method, compute_kernel
from ntknas.spaces import load_space
from ntknas.spaces.average_pooling import AveragePool

POOLS = {
    "of the cells": ((3,), {"stride": 1, "padding": 1, "count_include_pad": False}),
    "of the reductions": ((2,), {"stride": 2, "ceil_mode": True}),
}
SHAPES = [(2, 16, 32, 32), (4, 3, 9, 7), (3, 1, 5, 5), (2, 4, 2, 2), (2, 4, 3, 1)]
LAYOUTS = [torch.contiguous_format, torch.channels_last]


def pools(name):
    args, options = POOLS[name]
    return AveragePool(*args, **options), nn.AvgPool2d(*args, **options)


def images(*shape, seed=0, layout=torch.contiguous_format, **options):
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed), **options)
    return values.contiguous(memory_format=layout)


def same_bits(a, b):
    assert a.stride() == b.stride()
    assert torch.equal(a.view(torch.int32), b.view(torch.int32))


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("gradients", LAYOUTS)
def test_values_and_gradients_and_how_they_lie(name, shape, layout, gradients):
    x = images(*shape, layout=layout).requires_grad_()
    outputs = [pool(x) for pool in pools(name)]
    same_bits(*outputs)
    cotangent = images(*outputs[0].shape, seed=1, layout=gradients)
    same_bits(*(torch.autograd.grad(output, x, cotangent)[0] for output in outputs))


@pytest.mark.parametrize("name", POOLS)
def test_second_and_forward_derivatives(name):
    x = images(2, 3, 4, 5, dtype=torch.float64).requires_grad_()
    pool, _ = pools(name)
    assert torch.autograd.gradcheck(pool, x, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(pool, x)


@pytest.mark.parametrize(
    "transformed",
    [
        lambda pool, x: vmap(grad(lambda v: pool(v[None]).square().sum()))(x),
        lambda pool, x: jacrev(pool)(x),
        lambda pool, x: jacfwd(pool)(x),
        lambda pool, x: vmap(pool)(x[:, None]),
        lambda pool, x: vmap(lambda t: jvp(pool, (x,), (t,))[1])(torch.stack([x, 2 * x])),
    ],
)
def test_under_transformations_of_functions(transformed):
    ours, torchs = pools("of the cells")
    x = images(2, 3, 6, 6)
    assert torch.equal(transformed(ours, x), transformed(torchs, x))


def test_recorded_as_torchs_own():
    ours, torchs = pools("of the cells")
    x = images(2, 3, 6, 6)
    assert torch.equal(symbolic_trace(nn.Sequential(ours))(x), torchs(x))


@pytest.mark.parametrize("policy", ["frozen", "per-sample"])
def test_a_kernel_keeps_its_bits(policy, monkeypatch):
    space, x = load_space("nb201"), images(4, 3, 16, 16)
    choices = Choices.of("sum", policy, "weights", "none")
    cell = "|avg_pool_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|"

    def kernel():
        network = space.build(cell, channels=8, cells_per_stage=2)
        return compute_kernel(network, [Batch(x)], choices, Method(verify=False)).matrix

    ours = kernel()
    monkeypatch.setattr(AveragePool, "forward", nn.AvgPool2d.forward)
    assert torch.equal(ours, kernel())
