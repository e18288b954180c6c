"""What a library of models declares, and what it makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

from ntknas.core.errors import ChoiceError, DataError, did_you_mean
from ntknas.models.options import ModelOptions

if TYPE_CHECKING:
    from torch import nn

FAULTS = (
    RuntimeError,
    TypeError,
    LookupError,
    ValueError,
    ArithmeticError,
    AttributeError,
    ImportError,
    AssertionError,
)
"""What a module raises where it cannot be made, or on inputs that it does not take."""
_FEW = 5


@dataclass(frozen=True)
class Wanted:
    """The images that a model wants.

    Attributes:
        size: Height and width; ``None`` where the library names none.
        mean: Mean that each channel is normalised by; none where weights are random, which want no particular one.
        deviation: Its deviation.
    """

    size: tuple[int, int] | None = None
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Made:
    """A model of a library.

    Attributes:
        network: The module; its outputs are a tensor, N×C.
        wanted: Its images.
        weights: Name of its pretrained weights; empty for random ones.
        origin: Where these are from.
    """

    network: nn.Module
    wanted: Wanted = field(default_factory=Wanted)
    weights: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Library:
    """A library of models.

    Attributes:
        name: What stands before the colon of a model's name.
        distribution: The package that has the library.
        title: What the models are, in a few words.
        make: Makes the model of a name; random numbers are seeded by the caller.
    """

    name: str
    distribution: str
    title: str
    make: Callable[[str, ModelOptions], Made]

    @property
    def version(self) -> str:
        """Version of the package that is installed."""
        return version(self.distribution)


def unknown_model(library: str, name: str, names: Sequence[str], pattern: str) -> ChoiceError:
    """Build the error for a model that a library does not have; there are too many to list them all.

    Args:
        library: Name of the library.
        name: The name that was given.
        names: All names.
        pattern: Where all of them are.

    Returns:
        The error, to be raised by the caller.
    """
    first = ", ".join(names[:_FEW])
    hint = did_you_mean(name, names)
    return ChoiceError(
        f"{library} has no model {name!r}: expected one of {len(names)}, such as {first}.{hint} {pattern}"
    )


def with_size(make: Callable[..., nn.Module], size: int | None, arguments: Sequence[Mapping[str, object]]) -> nn.Module:
    """Make a model for images of another size, where it has to be told.

    Args:
        make: Makes it, of keyword arguments.
        size: Height and width; ``None`` for the model's own.
        arguments: Ways in which a model may be told, tried in this order; one that takes none takes every size.

    Returns:
        The model.

    Raises:
        TypeError: What the library raises of its own.
    """
    for argument in arguments if size is not None else ():
        try:
            return make(**argument)
        except TypeError as error:
            if not any(f"'{name}'" in str(error) for name in argument):
                raise
    return make()


@contextmanager
def making(reference: str) -> Iterator[None]:
    """Say in one line what a library raises while it makes a model.

    Args:
        reference: The model.

    Yields:
        Nothing.

    Raises:
        DataError: In place of what the library raised.
    """
    try:
        yield
    except FAULTS as error:
        raise DataError(
            f"{reference} cannot be made: {first_line(error)}. Choose another `image_size` or `num_classes`, or "
            "another model."
        ) from error


@contextmanager
def downloading(weights: str, origin: str, places: str) -> Iterator[None]:
    """Say in one line that weights cannot be had, where they are from and what to do.

    Args:
        weights: Which weights, of which model.
        origin: Where they are downloaded from.
        places: Where the library looks for them before.

    Yields:
        Nothing.

    Raises:
        DataError: If they cannot be downloaded or read.
    """
    try:
        yield
    except OSError as error:  # among them those of urllib, huggingface_hub and a disk that is full
        raise DataError(
            f"The {weights} cannot be had: {first_line(error)}. They are downloaded from {origin}. Without a network: "
            f"download them elsewhere, and name the file by `checkpoint`, or put it where the library looks, {places}. "
            "Leave `weights` out for random weights."
        ) from error


def first_line(error: BaseException) -> str:
    """Return what an error says first, or its kind."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")


def pair(size: object) -> tuple[int, int] | None:
    """Return a size as height and width; ``None`` for what is none."""
    sides = [size, size] if isinstance(size, int | float) else size
    if not isinstance(sides, list | tuple) or len(sides) != 2:
        return None
    if not all(isinstance(side, int | float) and math.isfinite(side) and side >= 1 for side in sides):
        return None
    return int(sides[0]), int(sides[1])
