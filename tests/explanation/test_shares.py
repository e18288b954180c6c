"""Shares of layers against kernels of these layers' parameters alone."""

import pytest
import torch
from torch import nn

import ntknas
from ntknas.core.errors import KernelError
from ntknas.explanation.shares import by_block, layer_shares, of_part
from ntknas.kernels import empirical_ntk

SPACE = ntknas.load_space("nb201")


def _network(cell):
    return SPACE.build(SPACE[cell], num_classes=10, seed=0, channels=2, cells_per_stage=1).double()


def _images():
    return torch.randn(6, 3, 8, 8, dtype=torch.float64)


@pytest.mark.parametrize("output", ["sum", "features"])
def test_the_share_of_an_edge_is_the_kernel_of_its_parameters(output):
    network, x = _network(8216), _images()
    kernel = empirical_ntk(network, x, output=output, by_layer=True)
    layers = layer_shares(network, kernel)
    values, vectors = torch.linalg.eigh(kernel.matrix)
    for part in ("edges.0", "edges.2", "edges.4", "edges.5"):
        names = [name for name, _ in network.named_parameters() if f".{part}." in name and "weight" in name]
        alone = empirical_ntk(network, x, output=output, parameters=names).matrix
        found = of_part(layers, part)
        ranks = [layer.effective_rank for layer in layers if f".{part}." in layer.name]
        assert all(1 <= rank <= len(x) for rank in ranks)
        assert found.trace == pytest.approx(float(alone.trace() / kernel.matrix.trace()), rel=1e-9)
        for share, number in ((found.smallest, 0), (found.largest, -1)):
            vector = vectors[:, number]
            assert share == pytest.approx(float(vector @ alone @ vector / values[number]), rel=1e-6)


def test_blocks_add_up_to_the_kernel_in_the_order_of_depth():
    network, x = _network(8216), _images()
    blocks = by_block(layer_shares(network, empirical_ntk(network, x, by_layer=True)))
    assert list(blocks) == ["stem", "cell 1", "reduction 1", "cell 2", "reduction 2", "cell 3", "head"]
    for name in ("trace", "smallest", "largest"):
        assert sum(getattr(share, name) for share in blocks.values()) == pytest.approx(1, abs=1e-9)


def test_a_kernel_of_nothing_has_no_shares_and_a_singular_one_none_of_the_smallest():
    disconnected = next(cell.index for cell in SPACE if SPACE.is_disconnected(cell))
    network, x = _network(disconnected), _images()
    assert layer_shares(network, empirical_ntk(network, x, by_layer=True)) == []
    twice = torch.cat([x, x[:1]])
    found = layer_shares(_network(8216), empirical_ntk(_network(8216), twice, by_layer=True))
    assert {layer.shares.smallest for layer in found} == {None}
    assert sum(layer.shares.trace for layer in found) == pytest.approx(1)


def test_layers_of_a_deep_network_of_ones_own_are_grouped_by_their_paths():
    def block():
        return nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh())

    network = nn.Sequential(nn.Sequential(*(block() for _ in range(15)))).double()
    x = torch.randn(5, 4, dtype=torch.float64)
    layers = layer_shares(network, empirical_ntk(network, x, by_layer=True))
    assert len(layers) == 30
    assert list(by_block(layers)) == [f"0.{number}" for number in range(15)]


def test_a_normalised_kernel_is_not_the_sum_of_its_layers():
    network, x = _network(8216), _images()
    with pytest.raises(KernelError, match="`normalisation`"):
        layer_shares(network, empirical_ntk(network, x, normalisation="cosine"))
