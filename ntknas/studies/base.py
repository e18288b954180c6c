"""What a study is: a claim of theory, what is measured for it unit by unit, and what follows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, Unpack

import pandas as pd

from ntknas.core.errors import ChoiceError
from ntknas.core.shown import Shown, in_digits
from ntknas.report.figures import Figure
from ntknas.studies.families import FAMILIES, resolve
from ntknas.studies.options import Numbers
from ntknas.studies.subject import Subject
from ntknas.studies.verdict import Verdict

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from matplotlib import figure

    from ntknas.core.html import Child

_SHOWN = 20
"""Rows that a notebook shows."""
Row = dict[str, Any]
Unit = tuple[Any, ...]


class OptionError(ChoiceError):
    """A study does not take an option, or not with the others."""


@dataclass(frozen=True, repr=False)
class Findings(Shown):
    """What a study found.

    Attributes:
        table: One row for each setting.
        figures: Figures by what they show, which becomes part of their file's name.
        verdict: Whether the claim holds, in words and numbers.
    """

    table: pd.DataFrame
    figures: dict[str, Figure]
    verdict: Verdict

    def plot(self, name: str | None = None, style: str = "screen") -> figure.Figure:
        """Draw one of its figures, the first without a name; see ``ntknas.figures.study``.

        Returns:
            The figure.

        Raises:
            ChoiceError: If there is no such figure.
        """
        from ntknas import figures  # which know results

        return figures.study(self, name, style)

    def _line(self) -> str:
        return f"{self.verdict.outcome.value}: {' '.join(self.verdict.sentences)}"

    def _facts(self) -> Mapping[str, Child]:
        return {name: in_digits(float(value)) for name, value in self.verdict.figures.items()}

    def _parts(self) -> list[Element]:
        from ntknas.core import html

        names = [str(name) for name in self.table]
        rows = [tuple(map(_shown, row)) for row in self.table.head(_SHOWN).itertuples(index=False)]
        more = len(self.table) - len(rows)
        rest = [html.quiet(f"… and {more:,} more rows: table has all.")] if more > 0 else []
        return [html.table(names, rows), *rest]


class Study(ABC):
    """A study: one file of ``claims`` each, which says everything about it.

    Attributes:
        name: Its name.
        title: Heading of its page.
        claim: What theory says.
        formula: What is measured.
        FAMILIES: The families of networks that it takes, the default first.
        PARAMETRISATIONS: Parametrisations that it takes, the default first.
        PUBLISHED: Its published numbers; a study takes the options that they name.
        QUICK: Small ones, which take a minute on two cores.
        UNREAD: Options that are accepted and say nothing here, with what is answered.
        REASONS: Why an option is not taken, where there is more to say.
        SUBSTITUTE: Data that serve where nobody named any, and the package of the default ones is not installed.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    claim: ClassVar[str]
    formula: ClassVar[str]
    FAMILIES: ClassVar[tuple[str, ...]]
    PARAMETRISATIONS: ClassVar[tuple[str, ...]] = ("ntk",)
    PUBLISHED: ClassVar[Numbers]
    QUICK: ClassVar[Numbers]
    UNREAD: ClassVar[Mapping[str, str]] = {}
    REASONS: ClassVar[Mapping[str, str]] = {}
    SUBSTITUTE: ClassVar[str | None] = None

    @classmethod
    def of(
        cls,
        family: str | None = None,
        data: str | None = None,
        *,
        parametrisation: str | None = None,
        quick: bool = False,
        seed: int = 0,
        folder: Path = Path("image_data"),
        device: str = "cpu",
        **numbers: Unpack[Numbers],
    ) -> Self:
        """Make the study on its published numbers, or its quick ones, but for those that are given.

        Args:
            family: A family that it takes, by either of its names; the study's own without it.
            data: Name of the data; the family's own without it.
            parametrisation: How weights are scaled, where the study leaves a choice.
            quick: Whether the numbers are the quick ones.
            seed: Seed of the first initialisation.
            folder: Folder of downloaded images.
            device: Where to compute.
            **numbers: Numbers of its own.

        Returns:
            The study.

        Raises:
            ChoiceError: If a name is unknown, or a number out of range.
            OptionError: If the study does not take one of the numbers.
        """
        chosen_family = resolve(family or cls.FAMILIES[0], cls.FAMILIES)
        chosen_data = data or cls.default_data(chosen_family)
        preset = cls.preset(chosen_family, chosen_data, quick=quick)
        cls._check_taken(preset, numbers)
        complete: Numbers = {**preset, **numbers}
        is_free = len(cls.PARAMETRISATIONS) > 1
        scaling = parametrisation if parametrisation and is_free else cls.PARAMETRISATIONS[0]
        subject = Subject(chosen_family, chosen_data, complete["samples"], scaling, seed, folder, device)
        return cls.make(subject, complete)

    @classmethod
    @abstractmethod
    def make(cls, subject: Subject, numbers: Numbers) -> Self:
        """Make the study of a subject, with all its numbers."""

    @classmethod
    def default_data(cls, family: str) -> str:
        """Return the data that a family is studied on where none is named."""
        return FAMILIES[family].data[0]

    @classmethod
    def preset(cls, family: str, data: str, *, quick: bool) -> Numbers:
        """Return the published or the quick numbers for a family on data."""
        return cls.QUICK if quick else cls.PUBLISHED

    @classmethod
    def _check_taken(cls, preset: Numbers, numbers: Iterable[str]) -> None:
        for number in numbers:
            if number not in preset and number not in cls.UNREAD:
                raise OptionError(f"`{number}` is no option of {cls.name}{cls.REASONS.get(number, '')}.")

    @classmethod
    def remarks(cls, options: Iterable[str], parametrisation: str | None) -> list[str]:
        """Return what is to be said of options that the study does not read.

        Args:
            options: Names of the options that were given.
            parametrisation: The parametrisation that was asked for.

        Returns:
            Sentences.
        """
        unread = {cls.UNREAD[name] for name in options if name in cls.UNREAD}
        if parametrisation is not None and parametrisation not in cls.PARAMETRISATIONS:
            unread.add(cls.UNREAD.get("parametrisation", f"{cls.name} is of networks in NTK parametrisation."))
        return sorted(unread)

    @abstractmethod
    def settings(self) -> dict[str, object]:
        """Return every choice, as plain data: what identifies the results."""

    @abstractmethod
    def units(self) -> list[Unit]:
        """Return what is measured one by one, cheap ones first; each is plain data."""

    @abstractmethod
    def cost(self, unit: Unit) -> float:
        """Return about how many multiplications a unit takes, those that its fixed part would allow included."""

    @abstractmethod
    def bytes_needed(self) -> int:
        """Return the memory that the largest unit needs."""

    @abstractmethod
    def measure(self, unit: Unit) -> list[Row]:
        """Measure a unit; rows are plain data."""

    @abstractmethod
    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Draw conclusions from the rows of all units."""

    def figures_of(self, table: pd.DataFrame) -> dict[str, Figure]:
        """Return the figures that the table of the findings decides alone, by what they show."""
        return {}

    def seconds_before(self) -> float:
        """Return about how long what comes once before all units takes, where a study knows it."""
        return 0.0

    def warning(self) -> str:
        """Return what is to be said first of what comes before all units; ``{}`` stands for how long it takes."""
        return ""


def _shown(value: object) -> Child:
    return in_digits(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def seed_of(seed: int, place: int, repeat: int) -> int:
    """Return the seed of one network: another one for every repeat at every place, such as a width.

    Args:
        seed: The study's seed.
        place: Its place, below 1,000,003.
        repeat: The repeat there, below 10,007.

    Returns:
        The seed.
    """
    # To stay as it is: ledgers name the study's seed alone, and would mix networks of two kinds.
    return (seed * 1_000_003 + place) * 10_007 + repeat
