"""What ``scripts/speed.py`` compares computes one kernel; a comparison of different kernels would say nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ntknas import empirical_ntk, load_space
from ntknas.data import Request, make_probe

SCRIPTS = Path(__file__).parents[2] / "scripts"
SPACE = load_space("nb201")
CELLS = [11, 3417, 1462]


@pytest.fixture(autouse=True)
def _scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))


def _network(cell):
    from peers import with_torch

    x = make_probe("noise", 6, Request(image_size=16)).images.double()
    network = SPACE.build(SPACE[cell], channels=4, cells_per_stage=1).double()
    return with_torch.with_batch_statistics(network, x), x


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("peer", ["row_loop", "vmap_grad", "vmap_jacrev", "vmap_grad, chunks"])
def test_a_peer_computes_our_kernel(cell, peer):
    from peers import with_torch

    network, x = _network(cell)
    name, *chunked = peer.split(", ")
    way = getattr(with_torch, name)
    if name != "row_loop":
        way = way(4 if chunked else None, torch.float64)
    expected = empirical_ntk(network, x, parameters="all").matrix
    assert (way(network, x) - expected).norm() <= 1e-9 * expected.norm()


@pytest.mark.parametrize("cell", CELLS)
def test_an_exported_network_has_every_parameter_and_known_operations(cell, tmp_path):
    from peers import graph

    network, x = _network(cell)
    graph.export(network, x, tmp_path / "network.npz")
    held = np.load(tmp_path / "network.npz")
    kinds = {step["kind"] for step in json.loads(str(held["steps"]))}
    source = (SCRIPTS / "peers" / "with_neural_tangents.py").read_text()
    assert all(f'"{kind}":' in source for kind in kinds - {"input"})
    assert sum(held[key].size for key in held.files if key.startswith("p/")) == sum(
        p.numel() for p in network.parameters()
    )


def test_every_part_of_the_benchmark_has_a_function():
    import speed

    assert set(speed.PARTS) == {"decoupled", "coupled", "forms", "large", "shares", "launches", "batch", "start"}
    assert set(speed.WAYS) >= {"step", "ours"}


def test_shares_are_taken_of_every_convolution():
    """With the gradients that its weight has: each sample's rows add up to them."""
    from peers import shares

    network, x = _network(1462)
    expected = torch.autograd.grad(network(x).sum(), list(network.parameters()))
    names = [name for name, _ in network.named_parameters()]
    gradients = dict(zip(names, expected, strict=True))
    modules = {module: name for name, module in network.named_modules()}
    calls = shares._calls(network, x)
    assert len(calls) == sum(isinstance(module, torch.nn.Conv2d) for module in modules)
    for module, a, g, geometry in calls:
        (found,) = torch.autograd.grad(module(a), module.weight, g)
        assert torch.allclose(found, gradients[f"{modules[module]}.weight"])
        assert geometry == (module.stride, module.padding, module.dilation, module.groups)
    found = shares.shares(network, x, rounds=1)
    assert min(found.weight_gradients, found.rows, found.gram) > 0
