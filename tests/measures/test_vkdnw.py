"""VKDNW against a literal reading: coordinate by coordinate in forward mode, factors by numpy's Cholesky."""

import math
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, jvp

import ntknas.measures.vkdnw as measure_module
from ntknas import load_space, measure
from ntknas.core.cases import NetworkCase
from ntknas.core.score import NoValueError, Status
from ntknas.measures.draws import noise
from ntknas.measures.vkdnw import coordinates, softmax_factor, spread

INPUTS = 64
SMALL = {"channels": 4, "cells_per_stage": 1, "num_classes": 4, "init": "kaiming-fan-in"}
CELLS = {
    "nb201": ("nb201", 8216),
    "dead branches": ("nb201", "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|nor_conv_1x1~0|none~1|none~2|"),
    "nb101": ("nb101", 12),
    "nats-sss": ("nats-sss", "8:16:64:24:40"),
}


def _case(which):
    name, cell = CELLS[which]
    network = load_space(name).build(cell, seed=1, **SMALL).double()
    return NetworkCase(network, torch.zeros(3, 3, 6, 6, dtype=torch.float64), torch.tensor([0, 1, 0]), seed=5)


@pytest.fixture(params=list(CELLS), scope="module")
def case(request):
    return _case(request.param)


def _construction_order(network):
    """Stem; block by block the edges' convolutions, in a reduction both branches, then the shortcut; norm; head."""
    modules = [*network.stem]
    for block in network.cells:
        if hasattr(block, "edges"):
            modules += [module for edge in block.edges for module in edge.modules()]
        else:
            modules += [*block.conv_a.modules(), *block.conv_b.modules(), *block.downsample.modules()]
    modules += [*network.lastact, network.classifier]
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
    return [p for m in modules if isinstance(m, kinds) for p in (m.weight, m.bias) if p is not None]


def _with(network, x, name, value):
    return functional_call(network, {name: value}, (x,), tie_weights=True)


@lru_cache
def _matrices(case):
    """The smoothed probabilities and J, one directional derivative of all logits for each coordinate."""
    network = case.network.eval()
    x = noise(case, torch.Generator().manual_seed(case.seed), INPUTS)
    columns = []
    for name, p in list(network.named_parameters())[:128]:
        along = torch.zeros_like(p.detach())
        along.flatten()[0] = 1.0
        with torch.no_grad():
            columns.append(jvp(partial(_with, network, x, name), (p.detach(),), (along,))[1])
    softmax = torch.softmax(network(x).detach(), 1)
    return (0.95 * softmax + 0.05 / softmax.shape[1]).numpy(), torch.stack(columns, 2).numpy()


def _score(information):
    eigenvalues = np.linalg.svd(information, compute_uv=False)
    deciles = np.array([np.percentile(eigenvalues, 10 * k) for k in range(1, 10)])
    shares = deciles / (deciles.sum() + 1e-10)
    return -np.sum(shares * np.log(shares + 1e-10))


def _vkdnw(case):
    total = 0
    for p, j in zip(*_matrices(case), strict=True):
        total = total + j.T @ (np.diag(p) - np.outer(p, p)) @ j
    return _score(total / INPUTS)


def _vkdnw_code(case):
    total = 0
    for p, j in zip(*_matrices(case), strict=True):
        rows = _cholesky(np.diag(p) - np.outer(p, p)) @ j
        total = total + rows.T @ rows
    return _score(total / INPUTS)


def _cholesky(matrix):
    """The factor of a matrix whose last row is minus the sum of the others, so that it alone is singular."""
    leading = np.linalg.cholesky(matrix[:-1, :-1])
    factor = np.zeros_like(matrix)
    factor[:-1, :-1], factor[-1, :-1] = leading, np.linalg.solve(leading, matrix[:-1, -1])
    return factor


REFERENCES = {"vkdnw": _vkdnw, "vkdnw_code": _vkdnw_code}


@pytest.mark.parametrize("name", list(REFERENCES))
def test_against_a_literal_reading(case, name):
    before = [p.clone() for p in case.network.parameters()]
    got = measure(name, replace(case, verify=False))
    assert got.status is Status.OK, got
    assert got.value == pytest.approx(REFERENCES[name](case), rel=1e-7)
    assert 0 <= got.value <= math.log(9)
    assert all(torch.equal(one, other) for one, other in zip(before, case.network.parameters(), strict=True))


def test_the_trace_of_the_information(case, monkeypatch):
    """Σ λ is the mean trace of J_nᵀ(diag p − ppᵀ)J_n; of the factor in the place of its transpose it is another."""
    spectra = []
    monkeypatch.setattr(measure_module, "spread", lambda eigenvalues: spectra.append(eigenvalues) or 1.0)
    for name in REFERENCES:
        measure(name, replace(case, verify=False))
    pairs = zip(*_matrices(case), strict=True)
    expected = np.mean([np.trace(j.T @ (np.diag(p) - np.outer(p, p)) @ j) for p, j in pairs])
    assert float(spectra[0].sum()) == pytest.approx(expected, rel=1e-10)
    assert float(spectra[1].sum()) != pytest.approx(expected, rel=1e-3)


def test_checked_on_the_way():
    case = _case("nb101")
    assert measure("vkdnw", case) == measure("vkdnw", replace(case, verify=False))


@pytest.mark.parametrize("cell", [*(str(load_space("nb201")[i]) for i in (0, 1462, 8216)), CELLS["dead branches"][1]])
def test_coordinates_are_in_the_order_of_construction(cell):
    network = load_space("nb201").build(cell, seed=0, channels=4, cells_per_stage=5, num_classes=10)
    named = dict(network.named_parameters())
    expected = _construction_order(network)
    convolutions = cell.count("nor_conv")
    assert len(named) == 21 + 45 * convolutions
    assert [id(named[name]) for name in coordinates(network)] == [id(p) for p in expected[:128]]
    assert (id(network.classifier.bias) in {id(named[name]) for name in coordinates(network)}) == (convolutions < 3)


@pytest.mark.parametrize("classes", [1, 2, 10, 120])
def test_the_closed_form_of_the_factor(classes):
    p = torch.softmax(3 * torch.randn(5, classes, dtype=torch.float64, generator=torch.Generator().manual_seed(0)), 1)
    factor = softmax_factor(p)
    torch.testing.assert_close(factor @ factor.mT, torch.diag_embed(p) - p[:, :, None] * p[:, None], rtol=0, atol=1e-15)
    assert torch.equal(factor, factor.tril())
    for row, values in zip(factor, p.numpy(), strict=True):
        np.testing.assert_allclose(row.numpy(), _cholesky(np.diag(values) - np.outer(values, values)), atol=1e-12)


def test_equal_eigenvalues_have_the_largest_entropy():
    assert spread(torch.full((40,), 7.0, dtype=torch.float64)) == pytest.approx(math.log(9), abs=1e-8)
    assert spread(torch.linspace(0, 7, 40, dtype=torch.float64)) < math.log(9) - 0.1


def test_deciles_that_are_all_zero():
    eigenvalues = torch.zeros(40, dtype=torch.float64)
    eigenvalues[:3] = 1.0
    with pytest.raises(NoValueError, match="nine tenths") as error:
        spread(eigenvalues)
    assert error.value.status is Status.UNDEFINED


def test_batch_norm_that_keeps_no_statistics():
    network = load_space("nb201").build(8216, seed=1, variant="zero-cost", **SMALL)
    score = measure("vkdnw_code", NetworkCase(network, torch.zeros(3, 3, 6, 6), torch.tensor([0, 1, 0])))
    assert score.status is Status.UNDEFINED
    assert "no running statistics" in score.reason


def test_a_network_that_is_not_finite():
    case = _case("nats-sss")
    for p in case.network.classifier.parameters():
        p.data.fill_(math.inf)
    assert {measure(name, replace(case, verify=False)).status for name in REFERENCES} == {Status.NON_FINITE}


def test_draws_come_from_the_seed_and_not_from_the_probe():
    case = _case("nats-sss")
    value = measure("vkdnw", case).value
    assert measure("vkdnw", replace(case, images=case.images + 1, labels=1 - case.labels)).value == value
    assert measure("vkdnw", replace(case, seed=6)).value != value


def test_weights_that_no_layer_owns_alone():
    """A network that taps cannot read: a backward pass for each sample and output."""

    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(3, 3, 3, padding=1)
            self.second = nn.Conv2d(3, 3, 3, padding=1)
            self.second.weight = self.first.weight
            self.scale = nn.Parameter(torch.full((3,), 1.5))
            self.classifier = nn.Linear(3, 4)

        def forward(self, x):
            return self.classifier((self.second(self.first(x).relu()) * self.scale[:, None, None]).mean((2, 3)))

    torch.manual_seed(0)
    case = NetworkCase(Tied().double(), torch.zeros(3, 3, 4, 4, dtype=torch.float64), torch.arange(3), seed=1)
    for name, reference in REFERENCES.items():
        assert measure(name, case).value == pytest.approx(reference(case), rel=1e-7)
