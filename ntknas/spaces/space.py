"""What every space offers; the rest of the tool knows spaces by this alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from ntknas.core.lazy import nn


class CellLike(Protocol):
    """A cell: it knows its place and prints as its architecture string."""

    @property
    def index(self) -> int:
        """Place in the published order."""
        ...


@runtime_checkable
class Space(Protocol):
    """A set of architectures and how each becomes a network."""

    name: str
    defaults: Mapping[str, int]
    """Official values of ``channels`` and ``cells_per_stage``."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> CellLike: ...

    def __iter__(self) -> Iterator[CellLike]: ...

    def index(self, text: str) -> int:
        """Return the index of an architecture string."""
        ...

    def build(self, cell: Any, *, num_classes: int, seed: int, **options: Any) -> nn.Module:
        """Build the network of a cell."""
        ...

    def is_disconnected(self, cell: Any) -> bool:
        """Return whether nothing leads from the input to the output."""
        ...

    def representative(
        self, cell: Any, parameters: str | tuple[str, ...], normalisation: str, variant: str = "official"
    ) -> int:
        """Return the smallest index of a cell that is the same network under a parameter set."""
        ...

    def parameters(self, cell: Any, **options: Any) -> int:
        """Return the number of trainable parameters."""
        ...

    def flops(self, cell: Any, **options: Any) -> int:
        """Return the multiply-adds of one forward pass."""
        ...


MEMBERS = (
    *("name", "defaults", "__len__", "__getitem__", "__iter__", "index", "build"),
    *("is_disconnected", "representative", "parameters", "flops"),
)
"""What a space has, for messages."""
