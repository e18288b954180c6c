"""What spaces of indexed cells share: access by index or text, iteration, build options, defaults of the contract."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, SupportsIndex, TypedDict, TypeVar, Unpack, cast

from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.lazy import nn
from ntknas.core.shown import Shown
from ntknas.spaces import counting
from ntknas.spaces.contract import BuildOptions, CellLike, SizeOptions
from ntknas.spaces.initialisation import INITIALISATIONS

if TYPE_CHECKING:
    from ntknas.core.html import Child

C = TypeVar("C", bound=CellLike)


class Size(TypedDict):
    """Size of a network, official where nothing was said."""

    channels: int
    cells_per_stage: int


@dataclass(frozen=True)
class NetworkSpec:
    """Everything but the cell that decides a network, checked and complete.

    Attributes:
        num_classes: Number of outputs.
        seed: Seed of the weights.
        variant: Network definition.
        init: Initialisation, a key of ``INITIALISATIONS``.
        channels: Channels, in the sense of the space.
        cells_per_stage: Cells in each stage.
    """

    num_classes: int
    seed: int
    variant: str
    init: str
    channels: int
    cells_per_stage: int


class CellSpace(Shown, ABC, Generic[C]):
    """A space whose cells are numbered in a published order.

    A subclass names ``name``, ``size`` and ``defaults``, and defines ``at``, ``index`` and ``network``; the rest has
    an implementation that is right for any space, which a subclass may replace by a closed form. Wherever a method
    takes a cell, its index or its architecture string will do.

    Attributes:
        name: Name of the space.
        size: Number of cells.
        defaults: Official values of the network's size: ``channels`` and ``cells_per_stage``.
        variants: Network definitions that ``build`` offers.
    """

    name: str
    size: int
    defaults: ClassVar[Mapping[str, int]]
    variants: ClassVar[tuple[str, ...]] = ("official",)

    @abstractmethod
    def at(self, index: int) -> C:
        """Return the cell of an index within ``size``."""

    @abstractmethod
    def index(self, text: str) -> int:
        """Return the index of an architecture string.

        Raises:
            ChoiceError: If the text is not a cell.
        """

    @abstractmethod
    def network(self, cell: C, spec: NetworkSpec) -> nn.Module:
        """Build the network of a cell on the CPU, in float32, its weights drawn from ``spec.seed`` alone."""

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: SupportsIndex) -> C:
        number = index.__index__()
        if not 0 <= number < self.size:
            raise IndexError(f"Cell index out of range: expected 0 to {self.size - 1} for {self.name}, got {number}.")
        return self.at(number)

    def __iter__(self) -> Iterator[C]:
        return (self.at(index) for index in range(self.size))

    def _line(self) -> str:
        return f"{self.name}: {self.size:,} cells"

    def _facts(self) -> Mapping[str, Child]:
        official = {f"official {name}": value for name, value in self.defaults.items()}
        return {**official, "network definitions": ", ".join(self.variants)}

    def cell(self, cell: CellLike | SupportsIndex | str) -> C:
        """Return a cell from itself, its index or its text.

        Raises:
            ChoiceError: If there is no such cell.
        """
        if isinstance(cell, str):
            return self.at(self.index(cell))
        try:
            if hasattr(cell, "__index__"):  # isinstance of a protocol takes long, and every count asks
                return self[cast("SupportsIndex", cell)]
            own = self[cell.index]
        except IndexError as error:
            raise ChoiceError(str(error)) from None
        if own != cell and str(own) != str(cell):  # texts take long to write
            raise ChoiceError(f"Not a cell of {self.name}: {cell}. Its cell {cell.index} is {own}.")
        return own

    def build(
        self,
        cell: CellLike | SupportsIndex | str,
        *,
        num_classes: int = 10,
        seed: int = 0,
        **options: Unpack[BuildOptions],
    ) -> nn.Module:
        """Build the network of a cell on the CPU, in float32, in training mode.

        Args:
            cell: A cell, its index or its architecture string.
            num_classes: Number of outputs.
            seed: Seed of the weights.
            **options: ``channels`` and ``cells_per_stage`` (official without one), ``variant`` (one of ``variants``)
                and ``init`` (a key of ``INITIALISATIONS``).

        Returns:
            The network.

        Raises:
            ChoiceError: If an option has an unknown or impossible value.
        """
        return self.network(self.cell(cell), self.specified(num_classes, seed, **options))

    def specified(self, num_classes: int, seed: int, **options: Unpack[BuildOptions]) -> NetworkSpec:
        """Return what decides a network beside its cell, checked; see ``build``.

        Args:
            num_classes: Number of outputs.
            seed: Seed of the weights.
            **options: As of ``build``.

        Returns:
            The specification.

        Raises:
            ChoiceError: If an option has an unknown or impossible value.
        """
        variant, init = options.get("variant", "official"), options.get("init", "default")
        check_known("network variant", variant, self.variants)
        check_known("initialisation", init, INITIALISATIONS)
        check_positive(num_classes=num_classes)
        size = self._sized(channels=options.get("channels"), cells_per_stage=options.get("cells_per_stage"))
        return NetworkSpec(num_classes, seed, variant, init, **size)

    def is_disconnected(self, cell: CellLike | SupportsIndex | str) -> bool:
        """Return whether no path leads from the input to the output: never, unless a space says otherwise."""
        self.cell(cell)
        return False

    def representative(
        self,
        cell: CellLike | SupportsIndex | str,
        parameters: str | tuple[str, ...],
        normalisation: str,
        variant: str = "official",
    ) -> int:
        """Return the smallest index of a cell that is the same network: its own, unless a space knows of equal ones.

        Args:
            cell: The cell.
            parameters: The parameter set of the choices.
            normalisation: The normalisation of the choices.
            variant: The network definition.

        Returns:
            The index.
        """
        return self.cell(cell).index

    def parameters(
        self, cell: CellLike | SupportsIndex | str, *, num_classes: int = 10, **size: Unpack[SizeOptions]
    ) -> int:
        """Return the number of trainable parameters, here counted in the network itself."""
        return counting.parameters(self.build(cell, num_classes=num_classes, **size))

    def flops(
        self,
        cell: CellLike | SupportsIndex | str,
        *,
        num_classes: int = 10,
        image_size: int = 32,
        **size: Unpack[SizeOptions],
    ) -> int:
        """Return the multiply-adds of one forward pass, here counted while the network runs."""
        return counting.flops(self.build(cell, num_classes=num_classes, **size), image_size)

    def check_size(self, **size: Unpack[SizeOptions]) -> None:
        """Check that the space has networks of a size.

        Raises:
            ChoiceError: If it has none.
        """
        self._sized(**size)

    def _sized(self, **size: Unpack[SizeOptions]) -> Size:
        """Return the network's size, official where nothing is said.

        Raises:
            ChoiceError: If a number is below 1.
        """
        channels, cells_per_stage = size.get("channels"), size.get("cells_per_stage")
        complete = Size(
            channels=self.defaults["channels"] if channels is None else channels,
            cells_per_stage=self.defaults["cells_per_stage"] if cells_per_stage is None else cells_per_stage,
        )
        check_positive(**complete)
        return complete


def check_positive(**numbers: int) -> None:
    """Check that numbers are at least 1.

    Raises:
        ChoiceError: If one is not.
    """
    for name, number in numbers.items():
        if number < 1:
            raise ChoiceError(f"`{name}` must be at least 1, got {number}.")
