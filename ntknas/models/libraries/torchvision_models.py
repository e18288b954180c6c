"""Models of torchvision: those that classify images."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.lazy import torch
from ntknas.models.library import Library, Made, Wanted, downloading, making, pair, unknown_model, with_size
from ntknas.models.options import DEFAULT_WEIGHTS, ModelOptions

if TYPE_CHECKING:
    from torch import nn
    from torchvision.models import WeightsEnum


def make(name: str, options: ModelOptions) -> Made:
    """Make a model.

    Args:
        name: A name of ``torchvision.models.list_models(module=torchvision.models)``.
        options: Weights, classes and size.

    Returns:
        The model.

    Raises:
        ChoiceError: If there is no such model, or it has no such weights.
        DataError: If it cannot be made so, or the weights cannot be had.
    """
    from torchvision import models

    names = models.list_models(module=models)
    if name not in names:
        error = unknown_model("torchvision", name, names, "All: list_models(module=torchvision.models).")
        raise error
    known = models.get_model_weights(name)
    weights = None if options.weights is None else _weights(name, options.weights, known)
    create = partial(models.get_model, name, weights=weights)
    if options.num_classes is not None and weights is None:
        create = partial(create, num_classes=options.num_classes)
    size = options.image_size
    arguments: list[dict[str, object]] = [{"image_size": size}, {"input_size": (size, size)}]
    origin = "" if weights is None else weights.url
    reference, places = f"torchvision:{name}", f"{Path(torch.hub.get_dir()) / 'checkpoints'} (TORCH_HOME)"
    label = "" if weights is None else f"weights {weights.name} of {reference}"
    with making(reference), downloading(label, origin, places):
        network: nn.Module = with_size(create, size, arguments)
    if weights is not None and options.num_classes is not None:
        _replace_head(network, options.num_classes)
    wanted = _wanted(weights or known.DEFAULT, pretrained=weights is not None)
    return Made(network, wanted, "" if weights is None else weights.name, origin)


def _weights(name: str, weights: str, known: type[WeightsEnum]) -> WeightsEnum:
    if weights == DEFAULT_WEIGHTS:
        return known.DEFAULT
    return known[check_known(f"weights of torchvision:{name}", weights, [each.name for each in known])]


def _replace_head(network: nn.Module, classes: int) -> None:
    """Put a new classifier, drawn at random, in the place of the last linear layer."""
    linear = [(name, module) for name, module in network.named_modules() if isinstance(module, torch.nn.Linear)]
    name, head = linear[-1] if linear else ("", None)
    if head is None or list(network.named_parameters())[-1][0].rpartition(".")[0] != name:
        raise ChoiceError(
            f"{type(network).__name__} does not end in a linear layer, in whose place one of {classes} classes could "
            "stand: leave `num_classes` out with `weights`."
        )
    parent, _, last = name.rpartition(".")
    new = torch.nn.Linear(head.in_features, classes, head.bias is not None)
    setattr(network.get_submodule(parent), last, new)


def _wanted(weights: WeightsEnum, *, pretrained: bool) -> Wanted:
    transforms = weights.transforms()
    crop = list(transforms.crop_size)
    size = pair(crop * 2 if len(crop) == 1 else crop)
    if not pretrained:
        return Wanted(size)
    return Wanted(size, tuple(map(float, transforms.mean)), tuple(map(float, transforms.std)))


LIBRARY = Library("torchvision", "torchvision", "torchvision's classifiers", make)
