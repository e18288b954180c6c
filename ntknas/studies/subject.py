"""What is studied: networks of one family on samples of some data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ntknas.core.errors import ChoiceError, check_known
from ntknas.studies.data import StudyData, load
from ntknas.studies.families import FAMILIES, PARAMETRISATIONS, Family
from ntknas.studies.limits import Limit, limit


@dataclass(frozen=True)
class Subject:
    """Networks of one family on samples of some data.

    Attributes:
        family: A key of ``FAMILIES``, or ``ALL`` where a study takes several at a time.
        data: Name of the data; for graphs also a folder in the TU format.
        samples: Number of samples that networks are trained on.
        parametrisation: A key of ``PARAMETRISATIONS``.
        seed: Seed of the first initialisation.
        folder: Folder of downloaded images.
        device: Where to compute.

    Raises:
        ChoiceError: If there is no such parametrisation, or fewer than two samples.
    """

    family: str
    data: str
    samples: int
    parametrisation: str = "ntk"
    seed: int = 0
    folder: Path = Path("image_data")
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Check names and numbers."""
        check_known("parametrisation", self.parametrisation, PARAMETRISATIONS)
        if self.samples < 2:
            raise ChoiceError(f"At least two samples are needed, got {self.samples}.")

    @property
    def networks(self) -> Family:
        """The family."""
        return FAMILIES[self.family]

    @property
    def name(self) -> str:
        """Name of the family that results are recorded under."""
        return self.networks.recorded if self.family in FAMILIES else self.family

    @cached_property
    def loaded(self) -> StudyData:
        """The samples, on the device."""
        return self.load()

    def load(self, more: int = 0) -> StudyData:
        """Return the samples and some more for testing, on the device."""
        loaded = load(self.data, self.samples + more, self.folder)
        return replace(loaded, x=loaded.x.to(self.device), y=loaded.y.to(self.device))

    def limit(self, more: int = 0) -> Limit:
        """Return the family on the samples and some more for testing, with the kernel that it approaches."""
        return limit(self.family, self.data, self.samples + more, self.folder, self.device)

    def identity(self, source: str, data: str, **numbers: object) -> Mapping[str, object]:
        """Return every choice, as plain data.

        Args:
            source: Where the samples come from.
            data: Name of the data that results are recorded under.
            **numbers: Numbers of the study.

        Returns:
            Choices by name.
        """
        return {
            "family": self.name,
            "data": data,
            "samples": self.samples,
            "parametrisation": self.parametrisation,
            "seed": self.seed,
            "source": source,
            **numbers,
        }
