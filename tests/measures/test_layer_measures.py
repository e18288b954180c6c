"""Measures of the kernels of layers, against numpy and scipy, and what must not change them."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats

import ntknas
from ntknas import empirical_ntk, load_space, make_probe, measure
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.core.layer_kernel import LayerKernel
from ntknas.measures import expand, get_measure
from ntknas.scoring import Recipe
from tests.measures.test_measures import make_kernel

N = 6
WIDTHS = (30, 4, 11, 25)
"""Of the second layer the kernel is singular."""
LAYERS = expand(["layers"])


def layered(rows, inputs):
    """A kernel with layers of given rows of J and given inputs."""
    layers = tuple(
        LayerKernel(f"l{i}", "Linear", j.shape[1], make_kernel(j @ j.T), torch.as_tensor(a @ a.T))
        for i, (j, a) in enumerate(zip(rows, inputs, strict=True))
    )
    return replace(make_kernel(sum(j @ j.T for j in rows)), layers=layers)


def draw(seed=0):
    rng = np.random.default_rng(seed)
    rows = [rng.standard_normal((N, width)) + rng.standard_normal(width) for width in WIDTHS]
    return rows, [np.abs(rng.standard_normal((N, 9))) for _ in WIDTHS]


def _rank(matrix):
    return np.exp(stats.entropy(np.linalg.svd(matrix, compute_uv=False)))


def _normal(matrix):
    return matrix / np.sqrt(np.outer(np.diag(matrix), np.diag(matrix)))


def _logdet(matrix):
    return np.sum(np.log1p(np.linalg.svd(_normal(matrix), compute_uv=False)))


def _cka(a, b):
    h = np.eye(N) - 1 / N
    return np.corrcoef(np.stack([(h @ m @ h).ravel() for m in (a, b)]))[0, 1]  # both have mean 0


def _diversity(matrices):
    values = np.linalg.eigvalsh([[_cka(a, b) for a in matrices] for b in matrices])
    return np.exp(stats.entropy(np.clip(values, 0, None)))


def _successive(matrices):
    return np.mean([_cka(a, b) for a, b in pairwise(matrices)])


def _expected(rows, inputs):
    k, a = [j @ j.T for j in rows], [x @ x.T for x in inputs]
    invertible = [m for m, j in zip(k, rows, strict=True) if j.shape[1] >= N]
    conditions = [-math.log(np.linalg.cond(m)) for m in invertible]
    traces = np.array([np.trace(m) for m in k])
    return {
        "layers_effective_rank": sum(map(_rank, k)),
        "layers_mean_effective_rank": np.mean(list(map(_rank, k))),
        "layers_entropy": sum(np.log(_rank(m)) for m in k),
        "layers_mean_entropy": np.mean([np.log(_rank(m)) for m in k]),
        "layers_logdet": sum(map(_logdet, k)),
        "layers_mean_logdet": np.mean(list(map(_logdet, k))),
        "layers_log_cond": sum(conditions),
        "layers_mean_log_cond": np.mean(conditions),
        "layers_mean_log_lambda_min": np.mean([np.log(np.linalg.eigvalsh(_normal(m))[0]) for m in invertible]),
        "layers_shares": np.exp(stats.entropy(traces)),
        "layers_agreement": _successive(k),
        "layers_diversity": _diversity(k),
        "inputs_effective_rank": sum(map(_rank, a)),
        "inputs_mean_effective_rank": np.mean(list(map(_rank, a))),
        "inputs_logdet": sum(map(_logdet, a)),
        "inputs_mean_logdet": np.mean(list(map(_logdet, a))),
        "inputs_agreement": _successive(a),
        "inputs_diversity": _diversity(a),
    }


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("seed", range(3))
def test_against_an_independent_computation(name, seed):
    rows, inputs = draw(seed)
    assert measure(name, layered(rows, inputs)).value == pytest.approx(_expected(rows, inputs)[name], rel=1e-9)


@pytest.mark.parametrize("name", LAYERS)
def test_neither_a_dead_layer_nor_a_layer_s_scale_matters(name):
    rows, inputs = draw()
    plain = measure(name, layered(rows, inputs)).value
    dead = measure(name, layered([*rows, np.zeros((N, 8))], [*inputs, inputs[0]])).value
    assert dead == pytest.approx(plain, rel=1e-12)
    scaled = measure(name, layered([1e3 * rows[0], *rows[1:]], [1e-2 * inputs[0], *inputs[1:]])).value
    if name == "layers_shares":
        assert scaled < plain  # it is of the scales alone
    else:
        assert scaled == pytest.approx(plain, rel=1e-9)


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_twice(name):
    """Sums double, means and numbers of different kernels stay, twice as many layers share the trace."""
    rows, inputs = draw()
    plain, twice = measure(name, layered(rows, inputs)).value, measure(name, layered(rows * 2, inputs * 2)).value
    if "agreement" in name:
        joint = _cka(rows[-1] @ rows[-1].T, rows[0] @ rows[0].T)
        if name.startswith("inputs"):
            joint = _cka(inputs[-1] @ inputs[-1].T, inputs[0] @ inputs[0].T)
        assert twice == pytest.approx((2 * 3 * plain + joint) / 7, rel=1e-9)
    else:
        factor = 1 if "mean" in name or "diversity" in name else 2
        assert twice == pytest.approx(factor * plain, rel=1e-9)


def test_measures_of_layers_are_of_kernels_that_have_them():
    network, probe = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 10)), make_probe("digits", 4)
    plain = empirical_ntk(network, probe.images)
    with pytest.raises(KernelError, match="compute it with by_layer=True"):
        measure("layers_entropy", plain)
    with pytest.raises(KernelError, match="by_layer=True, layer_inputs=True"):
        measure("inputs_logdet", empirical_ntk(network, probe.images, by_layer=True))
    with pytest.raises(KernelError, match="compute it with by_layer=True"):
        measure("layers_entropy", empirical_ntk(network, probe.images, by_layer=True).cosine())


@pytest.mark.parametrize("choices", [{"normalisation": "cosine"}, {"perturb": "fgsm:1/255"}])
def test_a_recipe_of_layers_is_of_plain_kernels(choices):
    with pytest.raises(ChoiceError, match="of layers, which add up"):
        Recipe(choices=ntknas.core.choices.Choices(**choices), measures=("layers_entropy",))


def test_the_zero_kernel_and_kernels_that_are_all_singular_have_statuses():
    nothing = layered([np.zeros((N, 8))], [np.zeros((N, 2))])
    assert {str(measure(name, nothing).status) for name in LAYERS} == {"undefined"}
    rows, inputs = draw()
    flat = layered([rows[1]], [inputs[1]])
    assert str(measure("layers_log_cond", flat).status) == "singular"
    assert str(measure("layers_agreement", flat).status) == "undefined"


def test_layers_are_scored_beside_the_kernel_s_own_measures_and_change_none(tmp_path):
    """Of a network of the space; the store keeps them under the setting of the kernel."""
    space, probe = load_space("nb201"), make_probe("digits", 12)
    small = ntknas.scoring.NetworkOptions(channels=4, cells_per_stage=1)
    names = ("cond", "effective_rank", *LAYERS)
    both = ntknas.score(
        space, [8216], recipe=Recipe(network=small, measures=names), probe=probe, store=tmp_path / "a.h5"
    )
    alone = ntknas.score(
        space, [8216], recipe=Recipe(network=small, measures=names[:2]), probe=probe, store=tmp_path / "b.h5"
    )
    frame = both.frame.set_index("measure")
    assert frame["setting"].nunique() == 1
    for _, row in alone.frame.iterrows():
        assert frame.loc[row["measure"], "value"] == pytest.approx(row["value"], rel=1e-6)
    network = space.build(space[8216], num_classes=10, seed=0, channels=4, cells_per_stage=1)
    kernel = empirical_ntk(network, probe.images, labels=probe.labels, by_layer=True, layer_inputs=True)
    for name in LAYERS:
        assert frame.loc[name, "value"] == pytest.approx(measure(name, kernel).value, rel=1e-5), name


def test_no_group_but_their_own_has_them():
    assert set(LAYERS) == {name for name in expand(["layers"]) if name.startswith(("layers_", "inputs_"))}
    assert not set(LAYERS) & set(expand(["all", "kernel", "baselines"]))
    assert all(get_measure(name).source.startswith("ours") for name in LAYERS)
