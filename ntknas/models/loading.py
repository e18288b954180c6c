"""A network by its name, with the weights that are asked for, and a record of what it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ntknas.core.lazy import torch
from ntknas.core.shown import Shown
from ntknas.models import own_file
from ntknas.models.checkpoint import load_into
from ntknas.models.libraries import LIBRARIES
from ntknas.models.library import Made, Wanted
from ntknas.models.options import ModelOptions
from ntknas.models.reference import Reference, check_reference

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ntknas.core import html

RANDOM = "random"


@dataclass(frozen=True, eq=False, repr=False)
class LoadedModel(Shown):
    """A network that was named.

    Attributes:
        network: The module.
        reference: Its name.
        wanted: The images that it wants.
        record: What it is: library and version, weights and where they are from, seed, the checkpoint's hash, and the
            hash of all parameters and buffers.
        x: Inputs that a user's function made beside it, or ``None``.
        labels: Their labels, or ``None``.
    """

    network: nn.Module
    reference: Reference
    wanted: Wanted
    record: dict[str, object]
    x: Tensor | None = None
    labels: Tensor | None = None

    @property
    def words(self) -> str:
        """Who made it, and which weights it has; nothing of a function in a file."""
        record = self.record
        library = f"{record['library']} {record['library_version']}, " if record["library"] else ""
        if record["checkpoint"]:
            return f"{library}weights of {record['checkpoint']}"
        if not record["library"]:
            return ""
        drawn = record["weights"] == RANDOM
        return library + (f"random weights of seed {record['seed']}" if drawn else f"weights {record['weights']}")

    def _line(self) -> str:
        size = "" if self.wanted.size is None else f", images of {'×'.join(map(str, self.wanted.size))}"
        return f"{self.reference.text}: {self.words or type(self.network).__name__}{size}"

    def _facts(self) -> dict[str, html.Child]:
        return {name.replace("_", " "): str(value) for name, value in self.record.items() if value is not None}


def load_model(model: str, options: ModelOptions | None = None) -> LoadedModel:
    """Make a network of its name. The same options give the same weights; only pretrained ones may be downloaded.

    Args:
        model: ``timm:NAME``, ``torchvision:NAME``, ``hf:TYPE``, or ``FILE.py:function``, which is run.
        options: Weights, checkpoint, classes, size of images, seed.

    Returns:
        The network, and what it is.

    Raises:
        DataError: If there is no such file, it cannot be run, the model cannot be made so, weights cannot be had, or a
            checkpoint is of something else.
        ChoiceError: If there is no such model, or it has no such weights.
        NtknasError: If the library is not installed.

    Example:
        >>> from ntknas.models import ModelOptions
        >>> loaded = load_model("torchvision:squeezenet1_1", ModelOptions(num_classes=10))
        >>> loaded.wanted.size, loaded.record["weights"]
        ((224, 224), 'random')
    """
    asked = options or ModelOptions()
    check_reference(model, asked)
    reference = Reference.parse(model)
    with torch.random.fork_rng(devices=[]):
        if reference.library:
            torch.manual_seed(asked.seed)
            made, x, labels = LIBRARIES[reference.library].make(reference.name, asked), None, None
        else:
            network, x, labels = own_file.call(reference, asked.seed)
            made = Made(network)
    record = _record(reference, made, asked)
    if asked.checkpoint is not None:
        digest = load_into(made.network, asked.checkpoint, model)
        record |= {"checkpoint": str(asked.checkpoint), "checkpoint_sha256": digest}
    record["state_sha256"] = state_digest(made.network)
    size = asked.image_size
    wanted = made.wanted if size is None else replace(made.wanted, size=(size, size))
    return LoadedModel(made.network, reference, wanted, record, x, labels)


def state_digest(network: nn.Module) -> str:
    """Return the SHA-256 of all parameters and buffers of a network: names, shapes and values, in order."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        if isinstance(value, torch.Tensor):  # a module may keep anything as its extra state
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _record(reference: Reference, made: Made, asked: ModelOptions) -> dict[str, object]:
    record: dict[str, object] = {"model": reference.text, "library": None, "library_version": None}
    if reference.library:
        library = LIBRARIES[reference.library]
        record |= {"library": library.distribution, "library_version": library.version}
    is_drawn = reference.library and asked.checkpoint is None
    weights = made.weights or (RANDOM if is_drawn else None)
    return record | {
        "weights": weights,
        "weights_from": made.origin or None,
        "seed": asked.seed,
        "checkpoint": None,
        "checkpoint_sha256": None,
    }
