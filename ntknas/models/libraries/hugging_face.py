"""Image classifiers of Hugging Face's transformers: by type with its default configuration, or by a configuration."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ntknas.core.errors import ChoiceError, DataError, did_you_mean
from ntknas.core.extras import require
from ntknas.models.library import Library, Made, Wanted, downloading, first_line, making, pair
from ntknas.models.options import DEFAULT_WEIGHTS, ModelOptions

if TYPE_CHECKING:
    from torch import Tensor, nn

_HUB = "https://huggingface.co"
_PLACES = "Hugging Face's cache (HF_HOME)"
_CONFIGURATION = "config.json"


def make(name: str, options: ModelOptions) -> Made:
    """Make an image classifier.

    Args:
        name: A type such as ``vit``; a folder with a ``config.json``, or such a file; with weights also a repository of
            the hub, such as ``google/vit-base-patch16-224``.
        options: Weights, classes and size.

    Returns:
        The model.

    Raises:
        ChoiceError: If there is no such type, or it has no such weights.
        DataError: If the configuration cannot be read, the model cannot be made so, or the weights cannot be had.
    """
    transformers = require("transformers", "hf")
    types = list(require("transformers.models.auto.modeling_auto", "hf").MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES)
    place = _place(name, types, options.weights)
    if options.weights is not None:
        return _pretrained(transformers, name, place, options)
    configuration = _configuration(transformers, name, place, types)
    _adapt(configuration, options)
    with making(f"hf:{name}"):
        network = transformers.AutoModelForImageClassification.from_config(configuration, trust_remote_code=False)
    return Made(_by_logits(network), Wanted(_size(configuration)))


def _place(name: str, types: list[str], weights: str | None) -> Path | str | None:
    """Return the local configuration or folder of a name, the hub's repository, or ``None`` for a type.

    Raises:
        ChoiceError: If it is none of them, or one of the hub that nobody asked to download.
        DataError: If there is no configuration in the folder.
    """
    path = Path(name)
    if path.is_dir():
        if not (path / _CONFIGURATION).is_file():
            raise DataError(f"The folder {path} has no {_CONFIGURATION}: expected one that save_pretrained has made.")
        return path
    if path.is_file() or path.suffix == ".json":
        if not path.is_file():
            raise DataError(f"There is no file {path}: hf: expects a type, a {_CONFIGURATION} or a folder with one.")
        return path
    if name in types:
        return None
    if name.count("/") == 1 and not name.startswith((".", "/")):
        if weights is None:
            raise ChoiceError(
                f"hf:{name} is no type of model and no folder here. If it is a repository of {_HUB}, give `weights`, "
                "which downloads it; random weights take a type such as hf:vit, or a config.json."
            )
        return name
    raise ChoiceError(
        f"hf has no image classifier of type {name!r}: expected one of {', '.join(sorted(types))}, a folder, or a "
        f"{_CONFIGURATION}.{did_you_mean(name, types)}"
    )


def _configuration(transformers: ModuleType, name: str, place: Path | str | None, types: list[str]) -> object:
    if place is None:
        configuration = transformers.AutoConfig.for_model(name)
    else:
        try:
            configuration = transformers.AutoConfig.from_pretrained(
                str(place), local_files_only=True, trust_remote_code=False
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{place} is no configuration that transformers reads: {first_line(error)}.") from error
    kind = str(configuration.model_type)
    if kind not in types:
        raise DataError(
            f"hf:{name} is of type {kind}, which classifies no images. Write a function that makes module and inputs: "
            "FILE.py:function."
        )
    return configuration


def _adapt(configuration: object, options: ModelOptions) -> None:
    """Set classes and size where they are asked for."""
    if options.num_classes is not None:
        configuration.num_labels = options.num_classes  # type: ignore[attr-defined]
    own = getattr(configuration, "image_size", None)
    if options.image_size is not None and own is not None:
        both = isinstance(own, list | tuple)
        size = type(own)([options.image_size] * len(own)) if both else options.image_size
        configuration.image_size = size  # type: ignore[attr-defined]


def _pretrained(transformers: ModuleType, name: str, place: Path | str | None, options: ModelOptions) -> Made:
    """Make a model with weights of a folder or of the hub."""
    repository = str(place) if options.weights == DEFAULT_WEIGHTS else options.weights
    if options.weights == DEFAULT_WEIGHTS and (place is None or Path(str(place)).is_file()):
        raise ChoiceError(
            f"hf:{name} has no weights of its own: name those of a repository of {_HUB}, such as `weights` "
            "google/vit-base-patch16-224, or a folder that save_pretrained has made."
        )
    assert repository is not None
    is_local = Path(repository).is_dir()
    origin = repository if is_local else f"{_HUB}/{repository}"
    changed = {} if options.num_classes is None else {"num_labels": options.num_classes}
    if options.image_size is not None:
        changed["image_size"] = options.image_size
    auto = transformers.AutoModelForImageClassification
    with making(f"hf:{name}"), downloading(f"weights {repository} of hf:{name}", origin, _PLACES):
        network = auto.from_pretrained(
            repository,
            local_files_only=is_local,
            trust_remote_code=False,
            ignore_mismatched_sizes=options.num_classes is not None,
            **changed,
        )
    kind = str(network.config.model_type)
    if place is None and kind != name:
        raise ChoiceError(f"The weights {repository} are of type {kind}, and the model is hf:{name}.")
    return Made(_by_logits(network), _wanted(transformers, repository, network.config), repository, origin)


def _wanted(transformers: ModuleType, repository: str, configuration: object) -> Wanted:
    """Return the images that weights were trained on: what the repository says of its own preprocessing."""
    try:
        described = transformers.AutoImageProcessor.from_pretrained(repository, trust_remote_code=False).to_dict()
    except (OSError, ValueError, ImportError):  # many repositories hold the network alone
        return Wanted(_size(configuration))
    mean, deviation = (described.get(f"image_{name}") for name in ("mean", "std"))
    if not isinstance(mean, list | tuple) or not isinstance(deviation, list | tuple):
        return Wanted(_size(configuration))
    return Wanted(_size(configuration), tuple(map(float, mean)), tuple(map(float, deviation)))


def _size(configuration: object) -> tuple[int, int] | None:
    vision = getattr(configuration, "vision_config", None)
    return pair(getattr(configuration, "image_size", None)) or pair(getattr(vision, "image_size", None))


def _by_logits(network: nn.Module) -> nn.Module:
    # A hook, not a module around it: names of parameters and layers stay the library's, as checkpoints have them.
    network.register_forward_hook(_logits)
    return network


def _logits(network: nn.Module, inputs: object, output: object) -> Tensor:
    logits: Tensor = output[0] if isinstance(output, tuple) else output.logits  # type: ignore[attr-defined]
    return logits


LIBRARY = Library("hf", "transformers", "image classifiers of Hugging Face's transformers", make)
