"""What the numbers of a target are: which quantity, in which unit, in which direction, measured on what."""

from __future__ import annotations

from dataclasses import dataclass

PERCENT = "%"


@dataclass(frozen=True)
class Quantity:
    """What is measured of a trained network.

    Attributes:
        name: The quantity, such as ``accuracy`` or ``latency``.
        unit: Its unit; empty where it has none, or its source states none.
        higher_is_better: Its direction.
        measured_on: What it was measured on or under: a device, an attack.
        decimals: Decimals to which values are told apart, where further ones are float noise of the file.
        missing: What stands in the file in place of a value that was not measured.
        is_score: Whether it is computed without training, to be held against targets rather than to be one.
    """

    name: str = "accuracy"
    unit: str = PERCENT
    higher_is_better: bool = True
    measured_on: str = ""
    decimals: int | None = None
    missing: str = ""
    is_score: bool = False

    @property
    def sign(self) -> int:
        """+1 if higher is better, else −1."""
        return 1 if self.higher_is_better else -1

    @property
    def is_percentage(self) -> bool:
        """Whether values are percentages of which higher ones are better, as gains of nDCG must be."""
        return self.unit == PERCENT and self.higher_is_better

    @property
    def is_accuracy(self) -> bool:
        """Whether values are accuracies in percent, measured on nothing special."""
        return self == ACCURACY

    @property
    def is_some_accuracy(self) -> bool:
        """Whether values are accuracies, measured on whatever."""
        return self.name == ACCURACY.name

    @property
    def values(self) -> str:
        """What its values are called."""
        return "accuracies" if self.is_some_accuracy else "values"

    def __str__(self) -> str:
        unit = f" ({self.unit})" if self.unit else ""
        on = f" on {self.measured_on}" if self.measured_on else ""
        return f"{self.name}{unit}{on}, {'higher' if self.higher_is_better else 'lower'} is better"


ACCURACY = Quantity()
"""Accuracy of trained networks in percent."""
