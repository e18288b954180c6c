"""Splits for nested cross-validation: the test part of a split takes part in no choice."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from ntknas.core.errors import ChoiceError

Split = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Splits:
    """How samples are divided.

    Attributes:
        targets: Classes, N, or values, N×1.
        folds: Folds of the outer division.
        inner: Folds of the inner one, on the samples for training.
        gap: For windows of one series: samples nearer to the test part than this are left out of training, since they
            share values with it, and parts are stretches of time; 0 for independent samples, which are shuffled.

    Raises:
        ChoiceError: If a class has fewer samples than there are folds, or too little is left to train on.
    """

    targets: np.ndarray
    folds: int = 10
    inner: int = 5
    gap: int = 0

    def __post_init__(self) -> None:
        """Check that every part has every class."""
        if self.folds < 2 or self.inner < 2:
            raise ChoiceError(f"At least two folds are needed, got {self.folds} and {self.inner}.")
        if self._is_classification:
            classes, counts = np.unique(self.targets, return_counts=True)
            # What an outer fold leaves of a class must fill the inner ones.
            needed = next(n for n in itertools.count(self.folds) if n - math.ceil(n / self.folds) >= self.inner)
            if len(classes) < 2:
                raise ChoiceError("All samples are of one class: take more `samples`.")
            if counts.min() < needed:
                raise ChoiceError(
                    f"Class {classes[counts.argmin()]} has {counts.min()} samples, and {self.folds} folds need "
                    f"{needed}: take fewer `folds` or more `samples`."
                )
        elif len(self.targets) < (needed := self.folds * (2 + 3 * self.gap)):
            why = f" ({self.gap} windows beside the test part are left out)" if self.gap else ""
            raise ChoiceError(
                f"{len(self.targets)} samples are too few for {self.folds} folds, which need {needed}{why}: take fewer "
                "`folds` or more `samples`."
            )

    @property
    def _is_classification(self) -> bool:
        return self.targets.ndim == 1

    def outer(self, repeat: int) -> list[Split]:
        """Return (training, test) places of every fold."""
        return self._divided(np.arange(len(self.targets)), self.folds, repeat)

    def within(self, training: np.ndarray, repeat: int) -> list[Split]:
        """Return (fit, validation) places of the inner folds, counted within the training places."""
        divided = self._divided(training, self.inner, repeat)
        return [(np.searchsorted(training, fit), np.searchsorted(training, held)) for fit, held in divided]

    def _divided(self, samples: np.ndarray, folds: int, repeat: int) -> list[Split]:
        if self._is_classification:
            splitter = StratifiedKFold(folds, shuffle=True, random_state=repeat)
            divisions = splitter.split(samples, self.targets[samples])
        else:
            shuffled = {} if self.gap else {"shuffle": True, "random_state": repeat}
            divisions = KFold(folds, **shuffled).split(samples)
        return [(_apart(samples[fit], samples[held], self.gap), samples[held]) for fit, held in divisions]


def _apart(fit: np.ndarray, held: np.ndarray, gap: int) -> np.ndarray:
    """The places at least ``gap`` from every held one."""
    if not gap:
        return fit
    distance = np.abs(fit[:, None] - held[None]).min(1)
    apart: np.ndarray = fit[distance >= gap]
    return apart
