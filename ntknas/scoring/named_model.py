"""A network that is named, with what its kernel is taken on: inputs of its own, or the probe's images as it wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor, nn

from ntknas.core.errors import DataError
from ntknas.core.pixel_range import PixelRange
from ntknas.data.probe import Probe
from ntknas.models import LoadedModel, ModelOptions, fitted, load_model
from ntknas.models.reference import Reference

_OF_FILES = "Return inputs that it takes beside it, or choose `probe` and `dataset`."
_OF_LIBRARIES = "Choose another `image_size`: some models take multiples of 32, or one size alone."


@dataclass(frozen=True, eq=False)
class NamedCase:
    """A network and its inputs.

    Attributes:
        reference: Its name.
        network: The module.
        x: Inputs.
        labels: Their classes, or ``None``.
        pixel_range: Where black and white lie in them; ``None`` where that is not known.
        description: Model and inputs in full, for JSON.
        words: The same in a line.
        has_own_inputs: Whether the inputs came with the module.
    """

    reference: Reference
    network: nn.Module
    x: Tensor
    labels: Tensor | None
    pixel_range: PixelRange | None
    description: dict[str, object]
    words: str
    has_own_inputs: bool = False

    @property
    def remedy(self) -> str:
        """What to do where the network does not take the inputs."""
        return _OF_LIBRARIES if self.reference.library else _OF_FILES


def named_case(model: str, options: ModelOptions, draw_probe: Callable[[], Probe]) -> NamedCase:
    """Make a network of its name, and bring the probe's images to what it wants.

    Args:
        model: Its name.
        options: Weights, checkpoint, classes, size of images, seed. Without classes a model of a library with weights
            that are drawn, or of a checkpoint, has those of the probe.
        draw_probe: Draws the probe; not called where a function returns inputs.

    Returns:
        The network and its inputs.

    Raises:
        DataError: If a size is asked for and inputs come with the module, or something cannot be made.
        NtknasError: If something named is not there.
    """
    if not Reference.parse(model).library:
        loaded = load_model(model, options)
        return _on_own_inputs(loaded, options) if loaded.x is not None else _on_probe(loaded, draw_probe())
    probe = draw_probe()
    if options.num_classes is None and options.weights is None:
        options = replace(options, num_classes=probe.num_classes)
    return _on_probe(load_model(model, options), probe)


def _on_own_inputs(loaded: LoadedModel, options: ModelOptions) -> NamedCase:
    assert loaded.x is not None
    if options.image_size is not None:
        raise DataError("`image_size` is of the probe's images, and this function returns inputs of its own.")
    shape = "x".join(map(str, loaded.x.shape))
    description: dict[str, object] = {"model": loaded.reference.text, "network": loaded.record, "inputs": shape}
    words = f"inputs of its own, {shape}"
    return NamedCase(
        loaded.reference, loaded.network, loaded.x, loaded.labels, None, description, words, has_own_inputs=True
    )


def _on_probe(loaded: LoadedModel, probe: Probe) -> NamedCase:
    images, pixel_range = fitted(probe.images, probe.pixel_range, loaded.wanted)
    is_renormalised = pixel_range is not probe.pixel_range
    before, after = ("×".join(map(str, each.shape[-2:])) for each in (probe.images, images))
    record = {
        **loaded.record,
        "image_size": list(images.shape[-2:]),
        "resized_from": list(probe.images.shape[-2:]) if before != after else None,
        "mean": list(loaded.wanted.mean) if is_renormalised else None,
        "deviation": list(loaded.wanted.deviation) if is_renormalised else None,
    }
    description: dict[str, object] = {
        "model": loaded.reference.text,
        "network": record,
        "probe": probe.describe(),
    }
    resized = f"resized from {before} to {after}" if before != after else f"of {after} as they are"
    words = f"{len(probe)} {probe.source} images {resized}" + ", normalised as the weights want" * is_renormalised
    words = f"{loaded.words}; {words}" if loaded.words else words
    return NamedCase(loaded.reference, loaded.network, images, probe.labels, pixel_range, description, words)
