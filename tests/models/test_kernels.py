"""Kernels of models of libraries against the definition: the Jacobian by autograd, in float64."""

import pytest
import torch

from ntknas import empirical_ntk
from ntknas.models import ModelOptions, load_model
from tests.kernels import reference
from tests.models.small import vit_configuration

CLASSES = 3
MODELS = {  # what each has that the spaces' networks do not
    "timm:test_vit": "attention, tokens and a position for each, no BatchNorm",
    "timm:test_vit2": "attention over registers",
    "timm:test_nfnet": "standardised weights, no normalisation",
    "timm:test_convnext": "LayerNorm over channels, a scale for each branch, dropped paths",
    "timm:test_efficientnet": "BatchNorm with the activation in it, squeeze and excitation",
    "timm:test_byobnet": "blocks of several kinds",
    "torchvision:squeezenet1_1": "a classifier that is a convolution, behind dropout",
    "torchvision:shufflenet_v2_x0_5": "channels that are split and shuffled",
    "hf:CONFIGURATION": "outputs with names",
}
WITH_BATCH_NORM = ["timm:test_efficientnet", "timm:test_byobnet"]


def made(name, tmp_path):
    name = name.replace("CONFIGURATION", str(vit_configuration(tmp_path)))
    return load_model(name, ModelOptions(num_classes=CLASSES, image_size=32)).network.double()


def images():
    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def expected(network, policy, output="traced"):
    names = [name for name, _ in network.named_parameters()]
    jacobian = reference.jacobian_under(network, images(), names, policy)
    return reference.kernel(jacobian, jacobian, output, None)


def check(got, wanted):
    assert got.shape == wanted.shape
    assert float((got - wanted).norm()) <= 1e-8 * float(wanted.norm())


@pytest.mark.parametrize("name", MODELS)
def test_the_kernel_is_that_of_the_definition(name, tmp_path):
    network = made(name, tmp_path).train()
    check(
        empirical_ntk(network, images(), output="traced", batch_norm="frozen", parameters="all").matrix,
        expected(network, "frozen"),
    )
    assert network.training


@pytest.mark.parametrize("policy", ["coupled", "eval"])
@pytest.mark.parametrize("name", WITH_BATCH_NORM)
def test_under_other_policies(name, policy, tmp_path):
    network = made(name, tmp_path)
    check(
        empirical_ntk(network, images(), output="sum", batch_norm=policy, parameters="all").matrix,
        expected(network, policy, "sum"),
    )


def test_dropout_and_dropped_paths_are_off(tmp_path):
    """Whatever mode the module is in: the kernel is that of the module in evaluation mode."""
    network = made("torchvision:squeezenet1_1", tmp_path)
    assert any(isinstance(module, torch.nn.Dropout) and module.p > 0 for module in network.modules())
    kernels = [empirical_ntk(network.train(mode), images(), parameters="all").matrix for mode in (True, False)]
    assert torch.equal(*kernels)
