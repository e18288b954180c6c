"""AZ-NAS against its loops, block by block, in numpy and in derivatives of single blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import rankdata
from torch import nn

from ntknas import correlate, load_space, make_probe, measure, score
from ntknas.core.cases import NetworkCase
from ntknas.core.score import NoValueError, Status
from ntknas.correlation.derived import combine
from ntknas.measures import all_derived
from ntknas.measures.az_nas import entropy
from ntknas.scoring import NetworkOptions, Recipe

MIXED = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|avg_pool_3x3~0|skip_connect~1|nor_conv_1x1~2|"
DEAD = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|nor_conv_1x1~0|none~1|none~2|"
IDENTITY = "|skip_connect~0|+|none~0|nor_conv_3x3~1|+|none~0|skip_connect~1|none~2|"
CASES = {
    "nb201": ("nb201", MIXED),
    "dead branches": ("nb201", DEAD),
    "nb101": ("nb101", 12),
    "nats-sss": ("nats-sss", "8:16:64:24:40"),
    "nb-macro": ("nb-macro", "10020000"),
}
NAMES = ("az_expressivity", "az_progressivity", "az_trainability")


def make_case(space, cell, size=8, number=5):
    network = load_space(space).build(cell, seed=1, channels=6, cells_per_stage=1, num_classes=4).double()
    return NetworkCase(network, torch.zeros(number, 3, size, size).double(), torch.zeros(number), seed=3)


@pytest.fixture(params=list(CASES))
def case(request):
    return make_case(*CASES[request.param])


def _blocks(network):
    if hasattr(network, "stages"):
        return [network.stem, *(layer for stage in network.stages for layer in stage), network.last]
    return [network.stem, *(network.cells if hasattr(network, "cells") else network.layers)]


def _drawn(case):
    generator = torch.Generator().manual_seed(case.seed)
    return generator, torch.randn(case.images.shape, generator=generator).double()


def _features(case):
    _, x = _drawn(case)
    features = []
    with torch.no_grad():
        for block in _blocks(case.copy()):
            x = block(x)
            features.append(x)
    return features


def _entropy(feature):
    """By the singular values of the centred rows."""
    rows = np.stack([feature[:, channel].numpy().ravel() for channel in range(feature.shape[1])], axis=1)
    squares = np.linalg.svd(rows - rows.mean(0), compute_uv=False) ** 2
    shares = squares / squares.sum()
    return -sum(share * np.log(share + 1e-8) for share in shares)


def _trainability(case):
    """The vector-Jacobian product of each block by itself, and the mean of outer products position by position."""
    generator, x = _drawn(case)
    stem, *blocks = _blocks(case.copy())
    x, terms = stem(x).detach(), []
    for block in blocks:
        after = block(x).detach()
        signs = torch.where(torch.randint(2, after.shape, generator=generator) > 0, 1.0, -1.0).double()
        _, gradient = torch.autograd.functional.vjp(block, x, signs)
        stride = x.shape[2] // after.shape[2]
        total = np.zeros((x.shape[1] * stride**2, after.shape[1]))
        for n in range(len(x)):
            for row in range(after.shape[2]):
                for column in range(after.shape[3]):
                    pixels = gradient[n, :, row * stride : (row + 1) * stride, column * stride : (column + 1) * stride]
                    total += np.outer(pixels.reshape(-1).numpy(), signs[n, :, row, column].numpy())
        norm = np.sqrt(np.linalg.eigvalsh(total.T @ total)[-1]) / (len(x) * after.shape[2] * after.shape[3])
        terms.append(-norm - 1 / (norm + 1e-6) + 2)
        x = after
    return np.mean(terms)


def test_expressivity_and_progressivity(case):
    entropies = [_entropy(feature) for feature in _features(case)]
    assert len(entropies) == 6
    assert measure("az_expressivity", case).value == pytest.approx(sum(entropies), rel=1e-9)
    assert measure("az_progressivity", case).value == pytest.approx(np.diff(entropies).min(), rel=1e-9)


def test_trainability(case):
    before = [parameter.clone() for parameter in case.network.parameters()]
    assert measure("az_trainability", case).value == pytest.approx(_trainability(case), rel=1e-9)
    for one, other in zip(before, case.network.parameters(), strict=True):
        assert torch.equal(one, other)
        assert other.requires_grad


def test_inputs_are_drawn_from_the_seed_and_the_probe_gives_their_number():
    case = make_case("nb201", MIXED)
    other = replace(case, images=torch.randn_like(case.images))
    for name in NAMES:
        assert measure(name, case).value == measure(name, other).value
        assert measure(name, case).value != measure(name, replace(case, seed=4)).value
        assert measure(name, case).value != measure(name, replace(case, images=case.images[:4])).value


def test_one_image():
    for name in NAMES:
        assert measure(name, make_case("nb201", MIXED, size=16, number=1)).status is Status.OK


def test_equal_eigenvalues_have_the_logarithm_of_their_number():
    signs = torch.tensor([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]], dtype=torch.float64)
    assert entropy(signs.view(1, 3, 2, 2)) == pytest.approx(np.log(3), abs=1e-7)
    assert entropy(torch.cat([signs, signs]).view(1, 6, 2, 2) + 7) == pytest.approx(np.log(3), abs=1e-7)
    assert entropy(signs[:1].view(1, 1, 2, 2)) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(("number", "status"), [(1.0, Status.UNDEFINED), (np.inf, Status.NON_FINITE)])
def test_features_without_an_entropy(number, status):
    with pytest.raises(NoValueError) as raised:
        entropy(torch.full((2, 3, 4, 4), number))
    assert raised.value.status is status


def test_rounding_of_dependent_channels_makes_no_failure():
    """Single precision of a Gram matrix has eigenvalues below 0 here, of which the published code takes logarithms."""
    rows = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    feature = torch.cat([rows, 3 * rows, rows - 1e-4 * rows.flip(1)], 1)
    flat = feature.movedim(1, -1).flatten(0, -2)
    flat = flat - flat.mean(0)
    assert torch.linalg.eigvalsh(flat.T @ flat / len(flat)).min() < 0
    assert entropy(feature) == pytest.approx(_entropy(feature.double()), rel=1e-6)


class Chain(nn.Module):
    """Blocks one after the other."""

    def __init__(self, *blocks):
        super().__init__()
        self.chain = nn.Sequential(*blocks)

    def blocks(self):
        """Return them."""
        return list(self.chain)

    def forward(self, x):
        """Return what the last one returns."""
        return self.chain(x)


class OfParts(nn.Module):
    """A network that calls a part of it blocks."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())

    def forward(self, x):
        """Return what the part returns."""
        return self.blocks(x)


class Scaled(nn.Module):
    """Its input times a number."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        """Return the product."""
        return self.factor * x


def of_chain(name, *blocks, number=64):
    return measure(name, NetworkCase(Chain(*blocks), torch.zeros(number, 3, 8, 8), torch.zeros(number)))


def test_a_block_that_changes_the_sign_has_a_term_near_zero():
    """A is minus the second moments of independent signs, so that σ is 1 but for sampling."""
    score = of_chain("az_trainability", Scaled(1.0), Scaled(-1.0))
    assert abs(score.value) < 0.01
    doubled = of_chain("az_trainability", Scaled(1.0), Scaled(2.0))
    assert doubled.value == pytest.approx(-0.5, abs=0.05)


def test_a_block_that_is_the_identity_has_a_status():
    score = of_chain("az_trainability", Scaled(2.0), Scaled(-1.0), nn.Identity())
    assert (score.status, score.reason) == (Status.UNDEFINED, "identity block")
    assert of_chain("az_progressivity", Scaled(2.0), nn.Identity()).value == 0.0
    case = make_case("nb201", IDENTITY)
    assert measure("az_trainability", case).reason == "identity block"
    assert measure("az_expressivity", case).status is Status.OK


@pytest.mark.parametrize("cell", ["none", "nor_conv_3x3"])
def test_blocks_that_nothing_leads_through(cell):
    nothing = f"|none~0|+|none~0|{cell}~1|+|none~0|none~1|{cell}~2|"
    assert measure("az_trainability", make_case("nb201", nothing)).status is Status.DISCONNECTED
    assert measure("az_expressivity", make_case("nb201", nothing)).status is Status.UNDEFINED


def test_networks_that_have_no_such_blocks():
    case = NetworkCase(nn.Conv2d(3, 2, 3), torch.zeros(2, 3, 8, 8), torch.zeros(2))
    parts = NetworkCase(OfParts(), case.images, case.labels)
    for name in NAMES:
        assert "which blocks" in measure(name, case).reason
        assert "which blocks" in measure(name, parts).reason
        assert "no map" in of_chain(name, Scaled(1.0), nn.Flatten()).reason
        assert of_chain(name, Scaled(1.0)).status is Status.UNDEFINED
    odd = of_chain("az_trainability", Scaled(1.0), nn.Conv2d(3, 3, 3))
    assert "whole factor" in odd.reason
    assert of_chain("az_trainability", Scaled(1.0), Scaled(0.0)).value == pytest.approx(2 - 1e6)
    assert of_chain("az_trainability", Scaled(1.0), Scaled(np.inf)).status is Status.NON_FINITE
    assert of_chain("az_expressivity", Scaled(1.0), Scaled(0.0)).status is Status.UNDEFINED


def frame(values, undefined=(), disconnected=()):
    status = ["ok"] * len(values)
    for cell in undefined:
        status[cell] = "undefined"
    for cell in disconnected:
        status[cell] = "disconnected"
    return pd.DataFrame({"value": values, "status": status}, index=pd.Index(range(len(values)), name="cell"))


def test_the_aggregate_ranks_identity_blocks_last():
    generator = np.random.default_rng(0)
    expressivity, progressivity, trainability, flops = generator.integers(0, 6, (4, 12)).astype(float)
    expressivity[11] = trainability[11] = progressivity[11] = trainability[[2, 5]] = np.nan
    inputs = [
        frame(expressivity, disconnected=[11]),
        frame(progressivity, disconnected=[11]),
        frame(trainability, undefined=[2, 5], disconnected=[11]),
        frame(flops),
    ]
    result = combine(all_derived()["az_nas"], inputs)
    assert result["status"].tolist() == ["ok"] * 11 + ["disconnected"]
    worst = trainability.copy()
    worst[[2, 5]] = -99.0
    expected = sum(np.log(rankdata(x[:11]) / 11) for x in (expressivity, progressivity, worst, flops))
    np.testing.assert_allclose(result["value"][:11], expected)
    assert np.isnan(result["value"][11])


def test_the_aggregate_of_a_cell_that_is_best_in_all_is_zero():
    columns = [frame(np.arange(5.0))] * 4
    values = combine(all_derived()["az_nas"], columns)["value"]
    assert values.iloc[-1] == 0
    assert values.iloc[0] == pytest.approx(4 * np.log(1 / 5))


def test_from_scores_to_the_aggregate_with_flops():
    """Twelve cells; in two of them one path of skip connections is all that is alive, and one leads nowhere."""
    space, small = load_space("nb201"), NetworkOptions(channels=2, cells_per_stage=1, init="kaiming-fan-in")
    cells = [space.index(IDENTITY), space.index("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"), *range(20, 30)]
    recipe = Recipe(network=small, measures=NAMES)
    scores = score("nb201", cells, recipe=recipe, probe=make_probe("noise", 4)).frame
    accuracies = pd.Series({cell: float(number) for number, cell in enumerate(cells)}, name="mine")
    result = correlate(scores, accuracies, resamples=0)
    row = next(row for row in result.rows if row.measure == "az_nas")
    assert (row.n, dict(row.left_out)) == (11, {"disconnected": 1})
    trainability = next(row for row in result.rows if row.measure == "az_trainability")
    assert (trainability.n, dict(trainability.left_out)) == (9, {"disconnected": 1, "undefined": 2})
    wide = scores.pivot(index="cell", columns="measure", values="value").drop(cells[1])
    wide["az_trainability"] = wide["az_trainability"].fillna(-1e9)
    wide["flops"] = [space.flops(cell) for cell in wide.index]
    expected = sum(np.log(rankdata(wide[name]) / 11) for name in wide)
    points = result.points[row.key]["score"]
    np.testing.assert_allclose(points.loc[wide.index], expected)
