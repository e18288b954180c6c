"""Combinations of any scores of the same cells, made on exactly the cells that are correlated."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntknas.core.errors import ChoiceError, DataError, check_known
from ntknas.core.score import Status
from ntknas.correlation import seeds
from ntknas.correlation.bootstrap import MIN_CELLS
from ntknas.correlation.expression import Expression
from ntknas.correlation.row import BASELINE, SETTING
from ntknas.correlation.scored import Scored
from ntknas.store.setting import Setting

COMBINED = "combined"
"""What stands in place of a recipe where a row is a combination."""


@dataclass(frozen=True)
class Combination:
    """An expression with what its names stand for.

    Attributes:
        expression: The expression.
        components: What each name stands for.
        hidden: Names that stand for scores of the user's own, and elsewhere for counts.
    """

    expression: Expression
    components: Mapping[str, Scored]
    hidden: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str, ranked: Sequence[Scored]) -> Combination:
        """Return the combination that a text says.

        Args:
            text: As for ``Expression.parse``.
            ranked: All that ranks the cells, the counts included.

        Returns:
            The combination.

        Raises:
            ChoiceError: If the text is no combination, or a name in it is no score's or that of several.
            DataError: If its scores are of different cells, and fewer than ten have all of them.
        """
        expression = Expression.parse(text)
        components = {name: _component(name, expression, ranked) for name in expression.names}
        counts = {item.measure for item in ranked if item.recipe == BASELINE}
        hidden = [name for name, item in components.items() if item.setting == SETTING and name in counts]
        combination = cls(expression, components, tuple(hidden))
        combination._check_shared()
        return combination

    def _check_shared(self) -> None:
        number = len(self._shared())
        if number < MIN_CELLS and self._differ(number):
            raise DataError(
                f"{self.expression.text} combines scores of different cells: {self._numbers()}, and {number} have all "
                f"of them, where {MIN_CELLS} are needed. Score the same cells by each."
            )

    def _differ(self, shared: int) -> bool:
        """Return whether any score is of more cells than all have."""
        return any(len(item.scored_cells) != shared for item in self._measured)

    def _shared(self) -> pd.Index:
        first, *others = (item.scored_cells for item in self.components.values())
        for cells in others:
            first = first.intersection(cells)
        return first

    def _numbers(self) -> str:
        return ", ".join(f"{name} has {len(item.scored_cells):,}" for name, item in self.components.items())

    @property
    def notes(self) -> list[str]:
        """What is to be said of its scores: that they are of different cells, or not those that one may think."""
        number = len(self._shared())
        notes = [f"{name} is your own score here, and not the count." for name in self.hidden]
        if self._differ(number):
            notes.append(f"{self._numbers()} cells with a score; {number:,} have all of them.")
        return [f"{self.expression.text}: {note}" for note in notes]

    @property
    def _measured(self) -> list[Scored]:
        """The components that are no counts, which cover whatever else was scored; the counts without any."""
        items = list(self.components.values())
        return [item for item in items if item.recipe != BASELINE] or items

    def on(self, known: pd.Index) -> Scored:
        """Return the combined scores, ranks among the cells that have all components and an accuracy.

        Args:
            known: Cells with an accuracy.
        """
        first, seconds = self._measured[0], [item.seconds for item in self.components.values()]
        coverages = {item.coverage for item in self._measured}
        return Scored(
            self.expression.text,
            COMBINED,
            first.setting,
            self._combined({name: item.cells for name, item in self.components.items()}, known),
            1,
            None if None in seconds else sum(filter(None, seconds)),
            first.kernel,
            epoch=max(item.epoch for item in self._measured),
            coverage=first.coverage if len(coverages) == 1 else seeds.CELLS,
            jackknifed=self._jackknifed(known),
            fitted=self._fitted(),
        )

    def _jackknifed(self, known: pd.Index) -> list[pd.DataFrame]:
        numbers = {len(item.jackknifed) for item in self._measured}
        if len(numbers) > 1:
            return []
        (number,) = numbers
        without_each = [
            {name: item.jackknifed[place] if item.jackknifed else item.cells for name, item in self.components.items()}
            for place in range(number)
        ]
        return [self._combined(frames, known) for frames in without_each]

    def _combined(self, frames: Mapping[str, pd.DataFrame], known: pd.Index) -> pd.DataFrame:
        cells = pd.Index(sorted(set().union(*(frame.index for frame in frames.values()))), name="cell")
        status = pd.Series(Status.OK.value, cells, dtype=object)
        for name, frame in frames.items():
            own = frame["status"].astype(object).reindex(cells).fillna(f"no {name}")
            status = status.where(status != Status.OK.value, own)
        usable = cells[status == Status.OK.value].intersection(known)
        while True:  # a cell whose combination is no number takes no part in the ranks of the others
            values = self._values(frames, usable)
            is_number = np.isfinite(values)
            if is_number.all():
                return pd.DataFrame({"value": pd.Series(values, usable).reindex(cells), "status": status})
            status[usable[~is_number]] = Status.UNDEFINED.value
            usable = usable[is_number]

    def _values(self, frames: Mapping[str, pd.DataFrame], cells: pd.Index) -> np.ndarray:
        return self.expression.compute(
            {
                name: self.components[name].sign * frame.loc[cells, "value"].to_numpy(np.float64)
                for name, frame in frames.items()
            }
        )

    def _fitted(self) -> str:
        """Return what of it may have been chosen by looking at the accuracies."""
        numbers = ", ".join(f"{number:g}" for number in self.expression.numbers)
        parts = [f"{item.measure}: {item.fitted}" for item in self.components.values() if item.fitted]
        return "; ".join([*([f"the numbers in it: {numbers}"] if numbers else []), *parts])


def _component(name: str, expression: Expression, ranked: Sequence[Scored]) -> Scored:
    check_known(f"name in the combination {expression.text!r},", name, dict.fromkeys(item.measure for item in ranked))
    named = [item for item in ranked if item.measure == name]
    measured = [item for item in named if item.recipe != BASELINE]
    if len(measured) < 2:
        return (measured or named)[0]
    if any(item.setting == SETTING for item in measured):
        raise ChoiceError(f"{expression.text}: {name} is a score of your own and one of the store: rename your own.")
    ways = ", ".join(f"{item.recipe} {item.kernel} epoch {item.epoch}" for item in measured)
    raise ChoiceError(
        f"{expression.text}: {name} was scored in {len(measured)} ways ({ways}). Choose one by `setting` or `recipe`."
    )


def combinations(
    texts: Collection[str], ranked: Sequence[Scored], settings: Mapping[str, Setting]
) -> list[Combination]:
    """Return the combinations that some texts say, each once for every data set and epoch that has all of its scores.

    Args:
        texts: The texts.
        ranked: All that ranks the cells, the counts included.
        settings: Settings by digest.
    """
    groups = _alike(ranked, settings)
    made: dict[tuple[str, ...], Combination] = {}
    for text in dict.fromkeys(text.strip() for text in texts):
        names = set(Expression.parse(text).names)
        fitting = [group for group in groups if names <= {item.measure for item in group}]
        for group in fitting or [list(ranked)]:
            combination = Combination.of(text, group)
            made[text, *(item.setting for item in combination.components.values())] = combination
    return list(made.values())


def _alike(ranked: Sequence[Scored], settings: Mapping[str, Setting]) -> list[list[Scored]]:
    """Return the scores of each data set and epoch, with the counts."""
    keys = {id(item): (_dataset(item, settings), item.epoch) for item in ranked if item.recipe != BASELINE}
    return [[item for item in ranked if keys.get(id(item), key) == key] for key in dict.fromkeys(keys.values())]


def _dataset(item: Scored, settings: Mapping[str, Setting]) -> str:
    return settings[item.setting].dataset if item.setting in settings else ""
