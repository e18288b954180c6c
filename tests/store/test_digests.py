"""Digests of settings stay what they were in version 0.1.0, whatever is measured: stored scores are found by them."""

from dataclasses import replace

import pytest

from ntknas import load_space
from ntknas.core.choices import Choices
from ntknas.data import Request, make_probe
from ntknas.scoring import Job, NetworkOptions, Recipe, Training
from ntknas.training import TrainingImages, TrainingOptions

REQUEST = Request(image_size=12)
PROBE = make_probe("digits", 10, REQUEST)
DIGESTS = {
    "nb201": ("f307b031a7bc255f", "a26d14ff8ba893f9", "14432af1309ed8b8", "73563e618f954e16", "497199d7ff18e550"),
    "nb101": ("ccf7986d451641bd", "b268b0fa25584687", "ce5f7f522ce4adaf", "5cdee28729539a51", "f09548d07f1094d5"),
    "nats-sss": ("084ec77f22ea8c9b", "ff9113216086f50e", "ea40d57781cdcbfc", "632ef293304aaee8", "8b22172973f5f560"),
}
"""Of kernel and network at initialisation, then of kernel, network and training after two epochs."""
REGRESSION = ["f307b031a7bc255f", "642efdd5b30ff7cd", "14432af1309ed8b8", "7eea3b1bf9e20aa4", "497199d7ff18e550"]
NETWORK = {
    "grad_norm": "a26d14ff8ba893f9",
    "knas_code": "e1a5fb09426ad61e",
    "class_lambda_min_summed": "a7a344d0b034022e",
}
SECOND = ["e76df7af73f5db90", "aad4bd79e57378b2"]
SCHEDULED = ["dc3b02dc97286c6b", "643e81630e531c14", "9c30d16be32b916d", "87691eca97bae126", "c7f8ac8df1a7e4c0"]
SPLIT = ["8e6656ca1c1696ae", "fa0aa8268540d15c"]
THIRD_PARTY = ["8f046916850f56b3", "de637e98377e10c5", "76d92694fdc5aed3", "a33d6bcfa4f21e23", "44d14bd9a136cd90"]


class OtherSpace:
    """As much of a third party's space as its settings say."""

    name = "others"
    defaults = {"channels": 7, "cells_per_stage": 2, "variant": "official", "init": "default"}  # noqa: RUF012


def job_of(space, recipe, probe=PROBE, options=None, dataset="cifar10"):
    training = Training(TrainingImages("digits", REQUEST), options or TrainingOptions(), (0, 2))
    return Job(space, dataset, recipe, probe, training=training)


def settings(job, epochs=(0, 2)):
    return [job.setting(group, epoch) for epoch in epochs for group in job.groups(epoch)]


def digests(job, epochs=(0, 2)):
    return [setting.digest for setting in settings(job, epochs)]


@pytest.mark.parametrize("bench", DIGESTS)
def test_of_each_space_at_initialisation_and_trained(bench):
    job = job_of(load_space(bench), Recipe(measures=("trace", "naswot")))
    assert tuple(digests(job)) == DIGESTS[bench]
    own = replace(job, recipe=replace(job.recipe, network=NetworkOptions(independent_seeds=True)))
    assert [{**setting.fields} for setting in settings(own)] == [
        {**setting.fields, "cell_seeds": "independent"} for setting in settings(job)
    ]


def test_of_other_choices_and_a_fresh_probe():
    choices = Choices("full", "coupled", "all", "cosine")
    recipe = Recipe("x", choices, NetworkOptions(3, 2, "zero-cost", "xavier"), ("cond",))
    job = Job(load_space("nb201"), "cifar100", recipe, make_probe("noise", 8, Request(image_size=8), fresh=True))
    assert digests(job, (0,)) == ["685d400a24ac0ab7"]


def test_of_regressions_with_a_held_out_probe():
    job = job_of(load_space("nb201"), Recipe(measures=("trace", "krr_acc", "krr_mse")), PROBE.with_held_out(REQUEST))
    assert digests(job) == REGRESSION


def test_a_measure_of_the_network_that_needs_held_out_images_says_which():
    recipe, probe = Recipe(measures=("teg_mse", "teg_cond", "naswot")), PROBE.with_held_out(REQUEST, "train")
    error, condition, plain = settings(job_of(load_space("nb201"), recipe, probe), (0,))
    assert error.fields == {**condition.fields, "held_out_hash": probe.held_out.hash}
    assert plain.digest == DIGESTS["nb201"][1]


def test_of_measures_of_later_versions_and_with_choices_of_kernels():
    recipe = Recipe(choices=Choices(batch_norm="coupled"), measures=tuple(NETWORK))
    assert digests(job_of(load_space("nb201"), recipe), (0,)) == list(NETWORK.values())


def test_of_a_measure_that_takes_a_second_kernel_in_double_precision():
    recipe = Recipe(choices=Choices(precision="float64"), measures=("trace", "class_lambda_min"))
    assert digests(job_of(load_space("nb201"), recipe, dataset="ImageNet16-120"), (0,)) == SECOND


def test_of_scheduled_trainings_from_independent_seeds():
    options = TrainingOptions(batch_size=32, schedule="cosine", nesterov=True, mixed_precision=True)
    recipe = Recipe(network=NetworkOptions(independent_seeds=True), measures=("cond", "zen"))
    assert digests(job_of(load_space("nb201"), recipe, options=options)) == SCHEDULED


def test_of_probes_of_the_test_split_augmented():
    probe = make_probe("digits", 10, Request(image_size=12, split="test"), "random", "crop-flip")
    assert digests(job_of(load_space("nb201"), Recipe(), probe), (0,)) == SPLIT


def test_of_a_third_party_space():
    job = job_of(OtherSpace(), Recipe(measures=("trace", "naswot")))
    assert digests(job) == THIRD_PARTY
