"""What a user may tell a study: the options of ``ntknas study``, and the numbers that a study runs with."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, TypedDict, cast

from ntknas.core.errors import ChoiceError
from ntknas.core.options import MAX_SEED, Option
from ntknas.studies.families import PARAMETRISATIONS, accepted_names

CONTRACTIONS = {
    "kernel": "the kernel, K = J Jᵀ",
    "summed-gradients": "K = Σ_p s_p s_pᵀ, s_p[n] the sum of the gradient of sample n over the entries of parameter "
    "tensor p: what the published code contracts",
}
_MAX_DIGITS = 9


class Numbers(TypedDict, total=False):
    """How large a study is and how it trains; a study takes those that its published numbers name."""

    samples: int
    test: int
    widths: tuple[int, ...]
    alphas: tuple[float, ...]
    folds: int
    repeats: int
    steps: int
    learning_rate: float
    contraction: str


@dataclass(frozen=True)
class StudyOptions:
    """Options as a user gives them; ``None`` leaves the choice to the study."""

    family: Annotated[
        str | None, Option("Family of networks.  [default: the study's own]", choices=tuple(accepted_names()))
    ] = None
    data: Annotated[
        str | None,
        Option(
            "boston, boston-file-order, mnist, sine, temperature, digits, mutag, or a folder of graphs in the TU "
            "format.  [default: the family's own]"
        ),
    ] = None
    parametrisation: Annotated[
        str | None,
        Option(
            "How weights are scaled; normal-fan-in has no biases.  [default: standard; ntk where a study knows no "
            "other]",
            choices=PARAMETRISATIONS,
        ),
    ] = None
    contraction: Annotated[
        str | None,
        Option(
            "Of determinism: the kernel, or what the published code contracts, each parameter tensor's gradient summed "
            "first.  [default: kernel]",
            choices=CONTRACTIONS,
        ),
    ] = None
    quick: Annotated[bool, Option("Small numbers in place of the published ones: a minute on two cores.")] = False
    widths: Annotated[str | None, Option("Widths, separated by commas.  [default: as published]")] = None
    repeats: Annotated[int | None, Option("Initialisations of each width.  [default: 50 as published]")] = None
    alphas: Annotated[str | None, Option("Scales of lazy, separated by commas.  [default: 0.01 to 1000]")] = None
    folds: Annotated[int | None, Option("Folds of performance.  [default: 10]", low=2)] = None
    samples: Annotated[int | None, Option("Samples.  [default: as published]", low=2)] = None
    steps: Annotated[int | None, Option("Steps of training.  [default: as published]")] = None
    learning_rate: Annotated[float | None, Option("Of training.  [default: as published]", above=0)] = None
    seed: Annotated[int, Option("Seed of the initialisations.", low=0, high=MAX_SEED)] = 0
    image_data: Annotated[Path, Option("Folder of downloaded images.")] = Path("image_data")

    def numbers(self) -> Numbers:
        """Return the numbers that were given, lists of them read.

        Returns:
            Those that were given alone.

        Raises:
            ChoiceError: If a list has something else in it.
        """
        values: dict[str, object] = {
            name: getattr(self, name) for name in self.given() & Numbers.__annotations__.keys()
        }
        if self.widths is not None:
            values["widths"] = read_widths(self.widths)
        if self.alphas is not None:
            values["alphas"] = read_scales(self.alphas)
        return cast(Numbers, values)

    def given(self) -> set[str]:
        """Return the names of the options that were given."""
        return {field.name for field in fields(self) if getattr(self, field.name) is not None}


def read_widths(text: str) -> tuple[int, ...]:
    """Read whole numbers separated by commas.

    Returns:
        The numbers.

    Raises:
        ChoiceError: If there are none, or something else.
    """
    items = _items(text)
    if not items or not all(item.isascii() and item.isdigit() and len(item) <= _MAX_DIGITS for item in items):
        raise ChoiceError(f"`widths` expects whole numbers separated by commas, such as 64,256,1024: got {text!r}.")
    return tuple(map(int, items))


def read_scales(text: str) -> tuple[float, ...]:
    """Read positive numbers separated by commas.

    Returns:
        The numbers.

    Raises:
        ChoiceError: If there are none, or something else.
    """
    try:
        scales = tuple(float(item) for item in _items(text))
    except ValueError:
        scales = ()
    if not scales or not all(math.isfinite(scale) and scale > 0 for scale in scales):
        raise ChoiceError(f"`alphas` expects positive numbers separated by commas, such as 0.1,1,10: got {text!r}.")
    return scales


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
