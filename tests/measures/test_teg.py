"""TEG-NAS read literally: rows by backward passes, the inverse written out, patterns as sets of bytes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from ntknas import load_space, measure
from ntknas.core.cases import NetworkCase
from ntknas.core.choices import Choices
from ntknas.core.score import Status
from ntknas.correlation.derived import combine
from ntknas.data import Request, make_probe
from ntknas.measures import Aggregate, all_derived, expand, get_measure
from ntknas.measures.teg import REGION_BATCHES, REGION_CROPS, _crops

SPACE = load_space("nb201")
CELLS = {
    "convolutions": "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|",
    "pooling": "|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|avg_pool_3x3~0|none~1|none~2|",
}
CHOICES = Choices("sum", "coupled", "weights", precision="float64")


def case_of(cell, held_out_size=7):
    """A network of the thin size in float64, ten images and some more."""
    probe = make_probe("digits", 10, Request(image_size=12), "random")
    other = make_probe("digits", held_out_size, Request(image_size=12, split="test"), "random")
    return NetworkCase(
        build(cell, 3).double(),
        probe.images.double(),
        probe.labels,
        seed=3,
        choices=CHOICES,
        held_out_images=other.images.double(),
        held_out_labels=other.labels,
        resized=lambda channels, cells: build(cell, channels, cells).double(),
    )


def build(cell, channels, cells_per_stage=1):
    return SPACE.build(cell, channels=channels, cells_per_stage=cells_per_stage, seed=3)


@pytest.fixture(params=list(CELLS))
def case(request):
    return case_of(CELLS[request.param])


def rows(network, images, wanted):
    network.train()
    logits, found = network(images), []
    for number in range(len(images)):
        network.zero_grad()
        logits[number].sum().backward(retain_graph=True)
        grads = [p.grad for name, p in network.named_parameters() if wanted(name) and p.grad is not None]
        found.append(torch.cat([g.flatten() for g in grads]).numpy())
    return np.array(found)


def test_the_condition_number_is_that_of_the_summed_logits(case):
    gradients = rows(case.copy(), case.images, lambda name: "weight" in name)
    eigenvalues = np.linalg.eigvalsh(gradients @ gradients.T)
    assert measure("teg_cond", case).value == pytest.approx(eigenvalues[-1] / eigenvalues[0], rel=1e-7)


def test_the_error_is_that_of_kernel_regression_without_ridge(case):
    network = case.copy()

    def inside(name):
        return name.startswith("cells.") and "weight" in name

    x, y = (rows(network, images, inside) for images in (case.images, case.held_out_images))
    targets = [np.eye(10)[labels.numpy()] for labels in (case.labels, case.held_out_labels)]
    targets = [target - target.mean(0) for target in targets]
    error = (y @ x.T) @ np.linalg.inv(x @ x.T) @ targets[0] - targets[1]
    assert measure("teg_mse", case).value == pytest.approx((error**2).sum() / len(y), rel=1e-6)
    # By the definition, not by half: the mean over classes, or over all entries, is another number.
    assert measure("teg_mse", case).value != pytest.approx((error**2).mean(), rel=1e-2)


def test_regions_are_patterns_of_a_network_of_one_channel_without_its_stem(case):
    network = case.resized(1, 1).train()
    patterns, generator = [], torch.Generator().manual_seed(case.seed)
    for _ in range(REGION_BATCHES):
        seen = []
        relus = [module for module in network.modules() if isinstance(module, nn.ReLU)]
        hooks = [relu.register_forward_hook(lambda _, x, y, seen=seen: seen.append(y)) for relu in relus]
        with torch.no_grad():
            network.lastact(network.cells(_crops(case.images, generator)))
        for hook in hooks:
            hook.remove()
        patterns.append(np.concatenate([(y.numpy() > 0).reshape(REGION_CROPS, -1) for y in seen], axis=1))
    distinct = {row.tobytes() for batch in patterns for row in batch}
    assert 1 < len(distinct) < REGION_BATCHES * REGION_CROPS
    assert measure("teg_regions", case).value == len(distinct)


def test_crops_are_of_single_channels():
    images = torch.arange(2 * 3 * 5 * 6, dtype=torch.float64).view(2, 3, 5, 6)
    crops = _crops(images, torch.Generator().manual_seed(0))
    assert crops.shape == (REGION_CROPS, 1, 3, 3)
    corners = crops[:, 0, 0, 0].long()
    assert torch.equal(crops - crops[:, :, :1, :1], (images[:1, :1, :3, :3] - images[0, 0, 0, 0]).expand_as(crops))
    assert len(corners.unique()) == 2 * 3 * 3 * 4  # every place of every channel of every image


def test_statuses():
    case = case_of(CELLS["convolutions"])
    twice = replace(case, images=case.images[[0, 0, 1]], labels=case.labels[[0, 0, 1]])
    for name in ("teg_cond", "teg_mse"):
        assert measure(name, twice).status is Status.SINGULAR
        with torch.no_grad():
            broken = replace(case, images=case.images * float("nan"))
        assert measure(name, broken).status is Status.NON_FINITE
    assert measure("teg_mse", replace(case, held_out_images=None)).status is Status.UNDEFINED
    assert measure("teg_regions", replace(case, resized=None)).status is Status.UNDEFINED
    plain = nn.Sequential(nn.Flatten(), nn.Linear(432, 10)).double()
    assert measure("teg_mse", replace(case, network=plain)).status is Status.UNDEFINED
    assert measure("teg_regions", replace(case, resized=lambda *_: plain)).status is Status.UNDEFINED
    assert not {"teg_cond", "teg_mse"} & set(expand(["baselines", "kernel", "regression"]))


def test_the_rule_over_seeds_is_the_arithmetic_mean():
    assert {get_measure(name).aggregate for name in ("teg_cond", "teg_mse", "teg_regions")} == {Aggregate.MEAN}


def test_the_rank_sum_starts_at_zero_and_gives_ties_the_lowest_rank():
    scores = [[10.0, 5.0, 5.0, 7.0], [0.1, 0.3, 0.2, 0.1], [400.0, 100.0, 400.0, 90.0]]
    frames = [pd.DataFrame({"value": values, "status": "ok"}, index=[1, 2, 3, 4]) for values in scores]
    got = combine(all_derived()["teg_rank"], frames)
    assert got["value"].tolist() == [3 + 0 + 0, 0 + 3 + 2, 0 + 2 + 0, 2 + 0 + 3]
    assert all_derived()["teg_rank"].sign == -1
