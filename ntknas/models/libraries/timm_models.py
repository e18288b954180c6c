"""Models of timm, PyTorch Image Models."""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.extras import require
from ntknas.models.library import Library, Made, Wanted, downloading, making, pair, unknown_model, with_size
from ntknas.models.options import DEFAULT_WEIGHTS, ModelOptions

if TYPE_CHECKING:
    from torch import nn


def make(name: str, options: ModelOptions) -> Made:
    """Make a model.

    Args:
        name: A name of ``timm.list_models()``, with a tag of pretrained weights behind a dot or without.
        options: Weights, classes and size.

    Returns:
        The model.

    Raises:
        ChoiceError: If there is no such model, or it has no such weights.
        DataError: If it cannot be made so, or the weights cannot be had.
    """
    timm = require("timm", "timm")
    architecture = name.partition(".")[0]
    if not timm.is_model(architecture):
        error = unknown_model("timm", name, timm.list_models(), "All: timm.list_models().")
        raise error
    tag = name.partition(".")[2]
    if tag:
        check_known(f"weights of timm:{architecture}", tag, _tags(timm, architecture))
    full = name if options.weights is None else _with_weights(timm, architecture, tag, options.weights)
    create = partial(timm.create_model, full, pretrained=options.weights is not None)
    if options.num_classes is not None:
        create = partial(create, num_classes=options.num_classes)
    configuration = timm.get_pretrained_cfg(full)
    origin = "" if configuration is None else _origin(configuration)
    arguments = [{"img_size": options.image_size}]
    with making(f"timm:{name}"), downloading(f"weights of timm:{full}", origin, "Hugging Face's cache (HF_HOME)"):
        network: nn.Module = with_size(create, options.image_size, arguments)
    wanted = _wanted(network, pretrained=options.weights is not None)
    return Made(network, wanted, *((full.partition(".")[2], origin) if options.weights is not None else ()))


def _tags(timm: ModuleType, architecture: str) -> list[str]:
    names = timm.list_pretrained(f"{architecture}*")
    return [tag for model, _, tag in (name.partition(".") for name in names) if model == architecture and tag]


def _with_weights(timm: ModuleType, architecture: str, tag: str, weights: str) -> str:
    tags = _tags(timm, architecture)
    if not tags:
        raise ChoiceError(f"timm has no weights of {architecture}: leave `weights` out, or name a `checkpoint`.")
    if weights == DEFAULT_WEIGHTS:
        return f"{architecture}.{tag or timm.get_pretrained_cfg(architecture).tag}"
    if tag and weights != tag:
        raise ChoiceError(f"timm:{architecture}.{tag} has a tag, and `weights` names another, {weights}: give one.")
    return f"{architecture}.{check_known(f'weights of timm:{architecture}', weights, tags)}"


def _origin(configuration: object) -> str:
    hub, url = (getattr(configuration, name, None) for name in ("hf_hub_id", "url"))
    return f"https://huggingface.co/{hub}" if hub else str(url or "the library's own places")


def _wanted(network: nn.Module, *, pretrained: bool) -> Wanted:
    configuration: dict[str, object] = dict(getattr(network, "pretrained_cfg", {}))
    size = configuration.get("input_size")
    size = pair(size[1:]) if isinstance(size, list | tuple) and len(size) == 3 else None
    numbers = [configuration.get(name) if pretrained else None for name in ("mean", "std")]
    mean, deviation = (tuple(map(float, each)) if isinstance(each, list | tuple) else () for each in numbers)
    return Wanted(size, mean, deviation)


LIBRARY = Library("timm", "timm", "PyTorch Image Models", make)
