"""A recipe: every choice of one way of measuring, and the identity it gives to scores."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError, check_known
from ntknas.data.datasets import get_dataset
from ntknas.data.probe import Probe
from ntknas.kernels import ALGORITHM_VERSION
from ntknas.measures import all_measures, get_measure
from ntknas.spaces.networks.initialisation import INITIALISATIONS, SEEDING_VERSION
from ntknas.store.records import Setting


@dataclass(frozen=True)
class NetworkOptions:
    """How a cell becomes a network.

    Attributes:
        channels: Channels of the first stage; the space's official number without one.
        cells_per_stage: Cells in each stage; the space's official number without one.
        variant: Network definition.
        init: Initialisation.
    """

    channels: int | None = None
    cells_per_stage: int | None = None
    variant: str = "official"
    init: str = "default"

    def __post_init__(self) -> None:
        """Check the initialisation.

        Raises:
            ChoiceError: If it is unknown.
        """
        check_known("initialisation", self.init, INITIALISATIONS)

    def resolved(self, space: Any) -> dict[str, Any]:
        """Return the options for a space, official numbers filled in."""
        return {name: space.defaults[name] if value is None else value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Recipe:
    """Which measures of which kernel of which network.

    Attributes:
        name: Name, for tables.
        choices: The kernel. A measure that is not defined for its output reduction is taken from a second kernel with
            the reduction that the measure needs.
        network: The network.
        measures: The measures' names.
    """

    name: str = "custom"
    choices: Choices = field(default_factory=Choices)
    network: NetworkOptions = field(default_factory=NetworkOptions)
    measures: tuple[str, ...] = field(default_factory=lambda: tuple(all_measures()))

    def __post_init__(self) -> None:
        """Check the measures.

        Raises:
            ChoiceError: If a measure is unknown, or there is none.
        """
        if not self.measures:
            raise ChoiceError("A recipe needs at least one measure.")
        for name in self.measures:
            get_measure(name)

    def kernels(self) -> dict[str, tuple[str, ...]]:
        """Return the measures to take from the kernel of each output reduction."""
        kernels: dict[str, list[str]] = {}
        for name in dict.fromkeys(self.measures):
            outputs = get_measure(name).outputs
            suits = not outputs or self.choices.output in outputs
            kernels.setdefault(self.choices.output if suits else outputs[0], []).append(name)
        return {output: tuple(names) for output, names in kernels.items()}

    def setting(self, space: Any, dataset: str, probe: Probe, output: str) -> Setting:
        """Return the identity of scores under this recipe.

        Args:
            space: The space.
            dataset: Name of the data set that networks are built for.
            probe: The probe.
            output: Output reduction of the kernel.
        """
        target = get_dataset(dataset)
        fields = {
            "space": space.name,
            "dataset": dataset,
            "num_classes": target.num_classes,
            **self.network.resolved(space),
            **replace(self.choices, output=output).as_dict(),
            **{f"probe_{name}": value for name, value in probe.describe().items()},
            "algorithm_version": ALGORITHM_VERSION,
            "seeding_version": SEEDING_VERSION,
        }
        return Setting({name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()})
