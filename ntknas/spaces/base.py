"""What spaces of indexed cells share: access by index or text, iteration, the checks of build options."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from ntknas.core.errors import ChoiceError, check_known
from ntknas.spaces.initialisations import INITIALISATIONS
from ntknas.spaces.space import CellLike

C = TypeVar("C", bound=CellLike)


class CellSpace(ABC, Generic[C]):
    """A space whose cells have places in a published order.

    Attributes:
        name: Name of the space.
        size: Number of cells.
        defaults: Official values of the network's size: ``channels`` and ``cells_per_stage``.
        variants: Network definitions that ``build`` knows.
    """

    name: str
    size: int
    defaults: ClassVar[Mapping[str, int]]
    variants: ClassVar[tuple[str, ...]] = ("official",)

    @abstractmethod
    def _at(self, index: int) -> C:
        """Return the cell at a place that exists."""

    @abstractmethod
    def index(self, text: str) -> int:
        """Return the place of a written cell.

        Raises:
            ChoiceError: If the text is not a cell.
        """

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> C:
        if not 0 <= index < self.size:
            raise IndexError(f"Cell index out of range: expected 0 to {self.size - 1} for {self.name}, got {index}.")
        return self._at(int(index))

    def __iter__(self) -> Iterator[C]:
        return (self._at(index) for index in range(self.size))

    def cell(self, cell: Any) -> C:
        """Return a cell from itself, its index or its text.

        Raises:
            ChoiceError: If there is no such cell.
        """
        if isinstance(cell, str):
            return self._at(self.index(cell))
        if not hasattr(cell, "__index__"):
            found: C = cell
            return found
        try:
            return self[int(cell)]
        except IndexError as error:
            raise ChoiceError(str(error)) from None

    def _sized(self, channels: int | None, cells_per_stage: int | None) -> dict[str, int]:
        """Return the network's size, official where nothing is said.

        Raises:
            ChoiceError: If a number is below 1.
        """
        asked = {"channels": channels, "cells_per_stage": cells_per_stage}
        size = {name: self.defaults[name] if value is None else value for name, value in asked.items()}
        check_positive(**size)
        return size

    def _check_build_options(self, variant: str, init: str, num_classes: int) -> None:
        """Check what every space's ``build`` takes.

        Raises:
            ChoiceError: If an option has an unknown or impossible value.
        """
        check_known("network variant", variant, self.variants)
        check_known("initialisation", init, INITIALISATIONS)
        check_positive(num_classes=num_classes)


def check_positive(**numbers: int) -> None:
    """Check that numbers are at least 1.

    Raises:
        ChoiceError: If one is not.
    """
    for name, number in numbers.items():
        if number < 1:
            raise ChoiceError(f"{name} must be at least 1, got {number}.")
