"""What the strategies ask of a device that is not the CPU: no value on the host, few launches."""

import pytest
import torch

from ntknas import load_space
from scripts.peers import launches

SPACE = load_space("nb201")
CELLS = [3, 1462, 7000]
POLICIES = ["frozen", "per-sample", "coupled"]


def _of(policy, cell, samples=4):
    network = SPACE.build(SPACE[cell]).to(launches.DEVICE)
    x = torch.empty(samples, 3, 32, 32, device=launches.DEVICE)
    way = launches.of_row_loop if policy == "coupled" else launches.of_layer_wise
    return way(network, x, policy), launches.of_step(network, x)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_is_brought_to_the_host(policy, cell):
    """``item``, ``nonzero`` or a copy would fail; a tensor made on the CPU is seen."""
    ours, _ = _of(policy, cell)
    assert not ours.elsewhere


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("policy", ["frozen", "per-sample"])
def test_a_kernel_takes_three_times_the_launches_of_a_step(policy, cell):
    ours, step = _of(policy, cell)
    assert ours.launches.total() <= 3 * step.launches.total()


@pytest.mark.parametrize("cell", CELLS)
def test_launches_do_not_grow_with_the_batch(cell):
    few, many = (_of("frozen", cell, samples)[0].launches.total() for samples in (4, 64))
    assert many <= 1.1 * few


def test_a_synchronisation_would_be_found():
    with launches.Operations(), pytest.raises(RuntimeError, match="meta"):
        torch.zeros(2, device=launches.DEVICE).sum().item()
    with launches.Operations() as found:
        torch.zeros(2, device=launches.DEVICE)
        torch.zeros(2)
    assert found.elsewhere == ["aten::zeros"]
