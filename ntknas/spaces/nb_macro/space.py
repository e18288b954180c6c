"""The space ``nb-macro``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, SupportsIndex, Unpack

from ntknas.core.errors import ChoiceError
from ntknas.spaces.base import CellSpace, NetworkSpec, Size
from ntknas.spaces.contract import CellLike, SizeOptions
from ntknas.spaces.drawing import Drawing
from ntknas.spaces.nb_macro import counts, drawing, keys
from ntknas.spaces.nb_macro.keys import Key
from ntknas.spaces.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn


class NBMacro(CellSpace[Key]):
    """All 6,561 networks of NAS-Bench-Macro in lexicographic order of their keys.

    ``channels`` are those of the stem (official: 32), all widths being scaled alike; ``cells_per_stage`` is 1, since
    the key names every layer. No path from input to output is missing in any network; 3,969 of them are distinct.

    Attributes:
        key_length: Digits of a key; an index has fewer.

    Example:
        >>> space = NBMacro()
        >>> str(space[6558]), space.index("22212220")
        ('22222220', 6477)
    """

    name = "nb-macro"
    size = keys.SIZE
    defaults: ClassVar = {"channels": 32, "cells_per_stage": 1}
    key_length = keys.LENGTH
    choices: ClassVar = (keys.OPERATIONS,) * keys.LENGTH

    def at(self, index: int) -> Key:
        """Return the key of an index."""
        return keys.at(index)

    def index(self, text: str) -> int:
        """Return the place of a key such as ``22212220``.

        Raises:
            ChoiceError: If the text is not a key.
        """
        return keys.parse(str(text))

    def network(self, cell: Key, spec: NetworkSpec) -> nn.Module:
        """Build the network of a key.

        Weights are seeded for each layer that is there: two keys that are one network start as one network, and every
        stored score can be computed again from its seed.

        Returns:
            The network.
        """
        from ntknas.spaces.nb_macro import network

        return network.build(cell.digits, spec)

    def positions(self, cell: CellLike | SupportsIndex | str) -> tuple[int, ...]:
        """Return the number of the operation of each layer."""
        return tuple(map(int, self.cell(cell).digits))

    def at_positions(self, numbers: Sequence[int]) -> int:
        """Return the index of the key with these layers."""
        return keys.parse("".join(map(str, numbers)))

    def representative(
        self,
        cell: CellLike | SupportsIndex | str,
        parameters: str | tuple[str, ...],
        normalisation: str,
        variant: str = "official",
    ) -> int:
        """Return the smallest index of a key that is the same network, under all choices: even names are the same.

        Args:
            cell: The cell.
            parameters: The parameter set of the choices.
            normalisation: The normalisation of the choices.
            variant: The network definition.

        Returns:
            The index.
        """
        return keys.representative(self.cell(cell).digits)

    def parameters(
        self, cell: CellLike | SupportsIndex | str, *, num_classes: int = 10, **size: Unpack[SizeOptions]
    ) -> int:
        """Return the number of trainable parameters; see ``counts``."""
        digits, channels = self.cell(cell).digits, self._sized(**size)["channels"]
        return counts.count_parameters(digits, num_classes=num_classes, channels=channels)

    def flops(
        self,
        cell: CellLike | SupportsIndex | str,
        *,
        num_classes: int = 10,
        image_size: int = 32,
        **size: Unpack[SizeOptions],
    ) -> int:
        """Return the multiply-adds of one forward pass; see ``counts``."""
        digits, channels = self.cell(cell).digits, self._sized(**size)["channels"]
        return counts.count_flops(digits, num_classes=num_classes, channels=channels, image_size=image_size)

    def structure(
        self,
        cell: CellLike | SupportsIndex | str,
        *,
        num_classes: int = 10,
        image_size: int = 32,
        **size: Unpack[SizeOptions],
    ) -> Structure:
        """Return the counts that need a cell's paths; see ``counts``."""
        digits, channels = self.cell(cell).digits, self._sized(**size)["channels"]
        return counts.count_structure(digits, num_classes=num_classes, channels=channels, image_size=image_size)

    def drawing(self, cell: CellLike | SupportsIndex | str) -> Drawing:
        """Return how a cell is drawn."""
        return drawing.drawing_of(self.cell(cell).digits)

    def has_dead_operation(self, cell: CellLike | SupportsIndex | str) -> bool:
        """Return whether an operation lies on no path: never, networks are chains."""
        self.cell(cell)
        return False

    def isomorphism_representative(self, cell: CellLike | SupportsIndex | str) -> int:
        """Return the smallest index of a key that the benchmark's authors call the same network (3,969 different ones).

        It is the one of ``representative``.
        """
        return keys.representative(self.cell(cell).digits)

    def _sized(self, **size: Unpack[SizeOptions]) -> Size:
        complete = super()._sized(**size)
        if complete["cells_per_stage"] != self.defaults["cells_per_stage"]:
            raise ChoiceError(
                f"`cells_per_stage` must be 1 for {self.name}, got {complete['cells_per_stage']}: the digits of a key "
                "name every layer of every stage."
            )
        return complete


SPACE = NBMacro
