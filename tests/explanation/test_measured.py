"""Which published way a kernel is held against."""

import pytest

import ntknas
from ntknas.core.choices import Choices
from ntknas.explanation.measured import open_published

SIZE = len(ntknas.load_space("nb201"))
RECOMMENDED = Choices(output="features", batch_norm="per-sample", parameters="weights")
FROZEN = Choices(output="sum", batch_norm="frozen", parameters="weights")


@pytest.mark.parametrize(
    ("choices", "images", "way"),
    [
        (RECOMMENDED, "cifar10", "recommended"),
        (RECOMMENDED, "noise", "noise"),
        (RECOMMENDED, "imagenet16-120", "recommended"),
        (FROZEN, "cifar10", "frozen"),
        (FROZEN, "noise", "frozen"),
        (Choices(output="sum", batch_norm="coupled", parameters="all"), "noise", "recommended"),
    ],
)
def test_the_way_is_of_the_same_kernel_and_if_possible_of_the_same_images(choices, images, way):
    assert open_published("nb201", "nb201", SIZE, None, choices, images).way.name == way


def test_a_way_that_is_named_is_taken():
    assert open_published("nb201", "nb201", SIZE, "frozen", RECOMMENDED, "noise").way.name == "frozen"
