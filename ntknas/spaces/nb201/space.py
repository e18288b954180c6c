"""The space ``nb201``."""

from __future__ import annotations

from collections.abc import Iterator

from ntknas.core.errors import ChoiceError, check_known
from ntknas.spaces.nb201 import counts, graph, identity
from ntknas.spaces.nb201.cells import Cell, index_of_operations, parse_cell, published_order
from ntknas.spaces.networks import nb201 as networks
from ntknas.spaces.networks.initialisation import INITIALISATIONS

VARIANTS = ("official",)


class NB201:
    """All 15,625 cells of NAS-Bench-201 in the published order.

    Example:
        >>> space = NB201()
        >>> len(space)
        15625
        >>> str(space[0])
        '|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|'
        >>> space.index(str(space[8216]))
        8216
    """

    name = "nb201"

    def __len__(self) -> int:
        return len(published_order())

    def __getitem__(self, index: int) -> Cell:
        if not 0 <= index < len(self):
            raise IndexError(f"Cell index out of range: expected 0 to {len(self) - 1} for nb201, got {index}.")
        return Cell(int(index), published_order()[index])

    def __iter__(self) -> Iterator[Cell]:
        return (Cell(index, operations) for index, operations in enumerate(published_order()))

    def index(self, text: str) -> int:
        """Return the place of an architecture string in the published order.

        Raises:
            ChoiceError: If the text is not a cell.
        """
        return index_of_operations()[parse_cell(text)]

    def build(
        self,
        cell: Cell | int | str,
        *,
        num_classes: int = 10,
        seed: int = 0,
        channels: int = 16,
        cells_per_stage: int = 5,
        variant: str = "official",
        init: str = "default",
    ) -> networks.NB201Network:
        """Build the network of a cell on the CPU, in float32, in training mode.

        Weights are seeded for each canonical operation of the cell: two cells that are one network start as one
        network, and every stored score can be computed again from its seed.

        Args:
            cell: A cell, its index or its architecture string.
            num_classes: Number of outputs.
            seed: Seed of the weights.
            channels: Channels of the first stage (official: 16).
            cells_per_stage: Cells in each of the three stages (official: 5).
            variant: Network definition; ``official`` has convolutions without bias and full BatchNorm.
            init: Initialisation, a key of ``INITIALISATIONS``.

        Raises:
            ChoiceError: If an option has an unknown or impossible value.
        """
        check_known("network variant", variant, VARIANTS)
        check_known("initialisation", init, INITIALISATIONS)
        _check_positive(num_classes=num_classes, channels=channels, cells_per_stage=cells_per_stage)
        operations = self.cell(cell).operations
        return networks.build(
            operations,
            dict(identity.canonical(operations).labels),
            num_classes=num_classes,
            channels=channels,
            cells_per_stage=cells_per_stage,
            init=init,
            seed=seed,
        )

    def cell(self, cell: Cell | int | str) -> Cell:
        """Return a cell from itself, its index or its architecture string.

        Raises:
            ChoiceError: If there is no such cell.
        """
        if isinstance(cell, Cell):
            return cell
        if isinstance(cell, str):
            return self[self.index(cell)]
        try:
            return self[cell]
        except IndexError as error:
            raise ChoiceError(str(error)) from None

    def is_disconnected(self, cell: Cell | int | str) -> bool:
        """Return whether no path leads from the input to the output (341 cells)."""
        return graph.is_disconnected(self.cell(cell).operations)

    def isomorphism_string(self, cell: Cell | int | str) -> str:
        """Return the published isomorphism string (6,466 different ones)."""
        return graph.isomorphism_string(self.cell(cell).operations)

    def representative(self, cell: Cell | int | str, parameters: str | tuple[str, ...], normalisation: str) -> int:
        """Return the smallest index of a cell that is the same network.

        Under the ``weights`` sets that means equal kernels at initialisation (5,044 classes), under ``all`` also after
        training (5,212 classes). Where parameters are picked by name, or their number enters the kernel
        (``corrcoef``), every cell stands for itself.

        Args:
            cell: The cell.
            parameters: The parameter set of the choices.
            normalisation: The normalisation of the choices.
        """
        index = self.cell(cell).index
        if not isinstance(parameters, str) or normalisation == "corrcoef":
            return index
        return identity.class_representatives("all" if parameters == "all" else "weights")[index]

    def parameters(
        self, cell: Cell | int | str, *, num_classes: int = 10, channels: int = 16, cells_per_stage: int = 5
    ) -> int:
        """Return the number of trainable parameters; see ``counts``."""
        return counts.count_parameters(
            self.cell(cell).operations, num_classes=num_classes, channels=channels, cells_per_stage=cells_per_stage
        )

    def flops(
        self,
        cell: Cell | int | str,
        *,
        num_classes: int = 10,
        channels: int = 16,
        cells_per_stage: int = 5,
        image_size: int = 32,
    ) -> int:
        """Return the multiply-adds of one forward pass; see ``counts``."""
        return counts.count_flops(
            self.cell(cell).operations,
            num_classes=num_classes,
            channels=channels,
            cells_per_stage=cells_per_stage,
            image_size=image_size,
        )


def _check_positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise ChoiceError(f"{name} must be at least 1, got {number}.")
