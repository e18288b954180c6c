"""Weights from a file, read without running anything that it holds, and loaded strictly."""

from __future__ import annotations

import hashlib
import pickle
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.core.errors import DataError
from ntknas.core.extras import require
from ntknas.core.lazy import torch
from ntknas.core.quoting import quoted
from ntknas.core.regular_file import open_regular
from ntknas.models.library import first_line

if TYPE_CHECKING:
    from torch import Tensor, nn

State = dict[str, "Tensor"]
WRAPPERS = ("state_dict", "model", "model_state_dict", "state_dict_ema")
"""Keys under which training codes keep the weights beside other things, in the order in which they are looked for."""
_PARALLEL = "module."
_SHOWN = 3
_CODE = re.compile(r"GLOBAL [\w.]+|Unsupported class [^\n]*|unrecognized function [^\n]*")
"""What torch says of a pickle that names what is not among the few things that weights are made of."""
_ENDING = ".safetensors"


def load_into(network: nn.Module, path: Path, reference: str) -> str:
    """Load a checkpoint into a network, all of it into all of it.

    Args:
        network: The network, which has the weights of the file afterwards.
        path: A file of ``torch.save`` (a state dict, or a dictionary with one under a key of ``WRAPPERS``) or of
            safetensors.
        reference: What the network is called.

    Returns:
        SHA-256 of the file.

    Raises:
        DataError: If the file cannot be read, is no checkpoint, or is one of another network.
    """
    digest, state = _digest(path), read(path)
    expected: State = network.state_dict()
    shapes = [
        f"{name} is {_shape(value)}, expected {_shape(expected[name])}"
        for name, value in state.items()
        if name in expected and value.shape != expected[name].shape
    ]
    if shapes:
        raise DataError(
            f"{path} is no checkpoint of {reference} as it is made here: {_few(shapes, '; ')}. Choose `num_classes` "
            "and `image_size` as the checkpoint has them, or the model that it is of."
        )
    missing, unexpected = network.load_state_dict(state, strict=False)
    wrong = [f"{kind} {_few(names)}" for kind, names in (("it lacks", missing), ("it also has", unexpected)) if names]
    if wrong:
        raise DataError(
            f"{path} is no checkpoint of {reference}: {' and '.join(wrong)}. Name the model that it is of, or save "
            "model.state_dict() of this one."
        )
    return digest


def read(path: Path) -> State:
    """Read the weights of a checkpoint by name.

    Args:
        path: The file.

    Returns:
        Tensors by name, on the CPU.

    Raises:
        DataError: If the file cannot be read, holds code or is no checkpoint.
    """
    content = _safetensors(path) if path.suffix == _ENDING else _torch(path)
    state = _state(content)
    if state is None:
        held = quoted(content)
        if isinstance(content, Mapping):
            held = f"the keys {_few(list(map(quoted, content)))}" if content else "nothing"
        raise DataError(
            f"{path} holds {held}, expected tensors by name, or these under one of {', '.join(WRAPPERS)}: save "
            "model.state_dict()."
        )
    if all(name.startswith(_PARALLEL) for name in state):  # what DataParallel puts before every name
        state = {name.removeprefix(_PARALLEL): value for name, value in state.items()}
    return state


def _state(content: object) -> State | None:
    if not isinstance(content, Mapping) or not content:
        return None
    for wrapper in WRAPPERS:
        if isinstance(content.get(wrapper), Mapping):
            return _state(content[wrapper])
    if not all(isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in content.items()):
        return None
    return dict(content)


def _torch(path: Path) -> object:
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # of pickles of another protocol
            content: object = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if wanted := _CODE.search(str(error)):
            raise DataError(
                f"{path} wants to run code while it is read, which is refused: it holds more than weights "
                f"({quoted(wanted[0])}). Save model.state_dict() alone, or as safetensors."
            ) from error
        raise _no_checkpoint(path, error) from error
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, IndexError, AttributeError, MemoryError) as error:
        raise _no_checkpoint(path, error) from error
    except OSError as error:
        raise DataError(f"Cannot read the checkpoint {path}: {error.strerror or error}.") from error
    return content


def _safetensors(path: Path) -> object:
    library = require("safetensors.torch", "timm")
    try:
        content: object = library.load_file(path, device="cpu")
    except OSError as error:
        raise DataError(f"Cannot read the checkpoint {path}: {error.strerror or error}.") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in {"safetensors", "safetensors_rust", "builtins"}:
            raise
        raise _no_checkpoint(path, error) from error
    return content


def _no_checkpoint(path: Path, error: BaseException) -> DataError:
    # torch's own advice on a pickle that it does not understand is to run it.
    is_told = isinstance(error, RuntimeError) or type(error).__name__ == "SafetensorError"
    reason = first_line(error).partition(". ")[0] if is_told else "it is cut, or something else"
    return DataError(
        f"{path} is no checkpoint: {reason}. Expected a file that torch.save has written of model.state_dict(), or a "
        f"{_ENDING} file."
    )


def _digest(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"Cannot read the checkpoint {path}: {error.strerror or error}.") from error


def _few(names: Sequence[str], between: str = ", ") -> str:
    shown = between.join(names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _shape(value: Tensor) -> str:
    return "×".join(map(str, value.shape)) or "a number"
