"""What every space offers; the rest of the package knows spaces by this alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Protocol, TypedDict, TypeVar, Unpack, runtime_checkable

from ntknas.core.lazy import nn
from ntknas.spaces.structure import Structure

T = TypeVar("T")


class Meter(Protocol):
    """Shows how far some work is."""

    def __call__(self, work: Iterable[T], total: int, /) -> Iterable[T]:
        """Return the work, to be gone through."""
        ...


class CellLike(Protocol):
    """A cell: it knows its index and prints as its architecture string."""

    @property
    def index(self) -> int:
        """Index in the published order."""
        ...


class SizeOptions(TypedDict, total=False):
    """Size of a network; the space's ``defaults`` hold where an option is left out or ``None``."""

    channels: int | None
    cells_per_stage: int | None


class BuildOptions(SizeOptions, total=False):
    """Options of ``Space.build``: size, network definition (one of ``variants``) and initialisation."""

    variant: str
    init: str


@runtime_checkable
class Space(Protocol):
    """A set of architectures and how each becomes a network; ``CellSpace`` has most of it ready.

    The methods take cells that the space itself returned.
    """

    @property
    def name(self) -> str:
        """Name of the space; a third party's is the name of its entry point."""
        ...

    @property
    def defaults(self) -> Mapping[str, int]:
        """Official values of ``channels`` and ``cells_per_stage``."""
        ...

    @property
    def variants(self) -> tuple[str, ...]:
        """Network definitions that ``build`` offers."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> CellLike: ...

    def __iter__(self) -> Iterator[CellLike]: ...

    def index(self, text: str, /) -> int:
        """Return the index of an architecture string.

        Raises:
            ChoiceError: If the text is not a cell.
        """
        ...

    def build(self, cell: CellLike, *, num_classes: int, seed: int, **options: Unpack[BuildOptions]) -> nn.Module:
        """Build the network of a cell, whose weights depend on the seed alone."""
        ...

    def is_disconnected(self, cell: CellLike) -> bool:
        """Return whether nothing leads from the input to the output."""
        ...

    def representative(
        self, cell: CellLike, parameters: str | tuple[str, ...], normalisation: str, variant: str = "official"
    ) -> int:
        """Return the smallest index of a cell that is the same network under a parameter set."""
        ...

    def parameters(self, cell: CellLike, *, num_classes: int = 10, **size: Unpack[SizeOptions]) -> int:
        """Return the number of trainable parameters."""
        ...

    def flops(self, cell: CellLike, *, num_classes: int = 10, image_size: int = 32, **size: Unpack[SizeOptions]) -> int:
        """Return the multiply-adds of one forward pass."""
        ...


@runtime_checkable
class Preparable(Protocol):
    """What a space with work to do once per machine offers beside the contract."""

    def prepare(self, meter: Meter | None = None, /) -> object:
        """Do the work if it was never done here.

        Args:
            meter: Called with the work and its number of steps; returns the work, and shows how far it is.
        """
        ...


@runtime_checkable
class Structured(Protocol):
    """What a space whose networks can be read off their cells offers beside the contract."""

    def structure(
        self, cell: CellLike, *, num_classes: int = 10, image_size: int = 32, **size: Unpack[SizeOptions]
    ) -> Structure:
        """Return the counts of a cell's network that need its paths; see ``structure.COUNTS``."""
        ...


@runtime_checkable
class Classified(Protocol):
    """What a space with the published populations offers beside the contract; see ``populations``."""

    def has_dead_operation(self, cell: CellLike) -> bool:
        """Return whether an operation other than ``none`` lies on no path from the input to the output."""
        ...

    def isomorphism_representative(self, cell: CellLike) -> int:
        """Return the smallest index of a cell that the benchmark's authors call isomorphic."""
        ...


@runtime_checkable
class Identified(Protocol):
    """What a space offers beside the contract, where the first cell that is a network is slower to find."""

    def identity(self, cell: CellLike) -> Hashable:
        """Return what is equal for cells with one representative under ``weights``."""
        ...


@runtime_checkable
class Keyed(Protocol):
    """What a space whose architecture strings are digits alone offers beside the contract: they are no indices."""

    @property
    def key_length(self) -> int:
        """Number of digits of every architecture string: more than an index has."""
        ...


@runtime_checkable
class Encoded(Protocol):
    """What a space whose cells are written in several ways offers beside the contract."""

    @property
    def encodings(self) -> Mapping[str, Callable[[str], int | None]]:
        """By what a text is then, such as "an architecture string": returns the index, ``None`` for another text.

        With the index these are the ways that a column of names may be written in, one for all of its rows.
        """
        ...


MEMBERS = (
    *("name", "defaults", "variants", "__len__", "__getitem__", "__iter__", "index", "build"),
    *("is_disconnected", "representative", "parameters", "flops"),
)
"""What a space has, for messages."""
