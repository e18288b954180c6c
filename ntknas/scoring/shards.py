"""Shards: disjoint shares of the cells for machines that do not know of one another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.core.errors import ChoiceError
from ntknas.spaces import Space

if TYPE_CHECKING:
    from ntknas.scoring.recipe import Recipe


@dataclass(frozen=True)
class Shard:
    """Shard ``number`` of ``count``, counted from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``i/n``.

        Args:
            text: Number and count.

        Returns:
            The shard.

        Raises:
            ChoiceError: If it is not that, or i is not one of 1 to n.

        Example:
            >>> Shard.parse("3/10")
            Shard(number=3, count=10)
        """
        match = re.fullmatch(r"(\d+)/(\d+)", text.strip(), re.ASCII)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ChoiceError(f"Not a shard: {text!r}. Expected i/n with i from 1 to n, such as 3/10.")
        return cls(int(match[1]), int(match[2]))

    def store(self, path: Path) -> Path:
        """Return the store of this shard: beside the whole one, links followed, since each has one writer."""
        path = path.resolve() if path.is_symlink() else path
        return path.with_name(f"{path.stem}.shard-{self.number}-of-{self.count}{path.suffix}")

    def cells(self, space: Space, recipe: Recipe, cells: Sequence[int]) -> list[int]:
        """Return the cells of this shard.

        Cells that are one network stand in one shard, so that no two shards compute the same; networks are dealt out in
        turn, in the order of the cells.

        Args:
            space: The space.
            recipe: The recipe, which decides what is one network.
            cells: All cells.
        """
        numbers: dict[int, int] = {}
        members = []
        for cell in cells:
            network = space.representative(
                space[cell], recipe.choices.parameters, recipe.choices.normalisation, variant=recipe.network.variant
            )
            if numbers.setdefault(int(network), len(numbers)) % self.count == self.number - 1:
                members.append(cell)
        return members
