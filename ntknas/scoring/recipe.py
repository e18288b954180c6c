"""A recipe: every choice of one way of measuring, and the identity it gives to scores."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ntknas.core.cases import NetworkCase, RegressionCase, TrainingCase
from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError, check_known
from ntknas.data.datasets import get_dataset
from ntknas.data.probe import Probe
from ntknas.kernels.version import ALGORITHM_VERSION
from ntknas.measures import Need, expand, get_measure
from ntknas.scoring.cell_seeds import independent_seed
from ntknas.spaces.initialisations import INITIALISATIONS, SEEDING_VERSION
from ntknas.store.records import Setting


@dataclass(frozen=True)
class NetworkOptions:
    """How a cell becomes a network.

    Attributes:
        channels: Channels of the first stage; the space's official number without one.
        cells_per_stage: Cells in each stage; the space's official number without one.
        variant: Network definition.
        init: Initialisation.
        independent_seeds: Whether each network starts from a seed of its own; else networks of one seed share the
            weights of what they have in common.
    """

    channels: int | None = None
    cells_per_stage: int | None = None
    variant: str = "official"
    init: str = "default"
    independent_seeds: bool = False

    def __post_init__(self) -> None:
        """Check the initialisation.

        Raises:
            ChoiceError: If it is unknown.
        """
        check_known("initialisation", self.init, INITIALISATIONS)

    def resolved(self, space: Any) -> dict[str, Any]:
        """Return the options of a space's ``build``, official numbers filled in."""
        options = {name: value for name, value in asdict(self).items() if name != "independent_seeds"}
        return {name: space.defaults[name] if value is None else value for name, value in options.items()}

    def describe(self, space: Any) -> dict[str, Any]:
        """Return what identifies networks of a space; settings of shared seeds say nothing of them."""
        return {**self.resolved(space), **({"cell_seeds": "independent"} if self.independent_seeds else {})}

    def seed(self, space: Any, cell: int, seed: int) -> int:
        """Return the seed of a cell's weights."""
        return independent_seed(space, cell, seed, self.variant) if self.independent_seeds else seed


@dataclass(frozen=True)
class Group:
    """Measures that are taken of one thing.

    Attributes:
        kind: ``kernel``, ``regression`` (a kernel and one between two probes), ``network`` or ``training``.
        output: Output reduction of the kernel; the kind where there is none.
        measures: The measures' names.
    """

    kind: str
    output: str
    measures: tuple[str, ...]


def training_group() -> Group:
    """Return the measures of the training itself, which are taken wherever networks are trained."""
    return Group("training", "training", expand(["training"]))


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
    measures: tuple[str, ...] = field(default_factory=lambda: expand(["kernel"]))

    def __post_init__(self) -> None:
        """Check the measures.

        Raises:
            ChoiceError: If a measure is unknown, or there is none.
        """
        if not self.measures:
            raise ChoiceError("A recipe needs at least one measure.")
        for name in self.measures:
            if get_measure(name).subject is TrainingCase:
                raise ChoiceError(f"{name!r} is measured by itself wherever networks are trained: leave it out.")

    def groups(self) -> list[Group]:
        """Return the measures by what they are computed from; measures of the network stand alone, timed alone."""
        kernels: dict[tuple[str, str], list[str]] = {}
        alone: list[Group] = []
        for name in dict.fromkeys(self.measures):
            chosen = get_measure(name)
            if chosen.subject is NetworkCase:
                alone.append(Group("network", "network", (name,)))
                continue
            suits = not chosen.outputs or self.choices.output in chosen.outputs
            kind = "regression" if chosen.subject is RegressionCase else "kernel"
            kernels.setdefault((kind, self.choices.output if suits else chosen.outputs[0]), []).append(name)
        return [Group(kind, output, tuple(names)) for (kind, output), names in kernels.items()] + alone

    @property
    def needs_held_out(self) -> bool:
        """Whether a measure needs a held-out probe."""
        return any(get_measure(name).subject is RegressionCase for name in self.measures)

    def setting(self, space: Any, dataset: str, probe: Probe, group: Group) -> Setting:
        """Return the identity of scores under this recipe.

        Args:
            space: The space.
            dataset: Name of the data set that networks are built for.
            probe: The probe.
            group: What the scores are computed from.
        """
        fields = {
            "space": space.name,
            "dataset": dataset,
            "num_classes": get_dataset(dataset).num_classes,
            **self.network.describe(space),
            **self._what(group),
            **{f"probe_{name}": value for name, value in probe.describe().items()},
            "algorithm_version": ALGORITHM_VERSION,
            "seeding_version": SEEDING_VERSION,
        }
        if group.kind == "regression" and probe.held_out is not None:
            fields["held_out_hash"] = probe.held_out.hash
        return Setting({name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()})

    def _what(self, group: Group) -> dict[str, Any]:
        if group.kind in WITHOUT_KERNEL:
            fields = _OF_NETWORK | self._taken_over(group) | _versions(group)
            return fields | {"output": group.kind, "precision": self.choices.precision}
        return replace(self.choices, output=group.output).as_dict()

    def _taken_over(self, group: Group) -> dict[str, Any]:
        """Return the kernel's choices that are those of a measure of the network too."""
        if not any(Need.CHOICES in get_measure(name).needs for name in group.measures):
            return {}
        return {"batch_norm": self.choices.batch_norm, "parameters": self.choices.parameters}


WITHOUT_KERNEL = ("network", "training")
_OF_NETWORK = {"batch_norm": "training", "parameters": "all", "normalisation": "none"}
"""What stands for the kernel's choices where there is no kernel; each measure says what it does."""


def _versions(group: Group) -> dict[str, int]:
    """Return the version of a measure of the network; there is none to tell from others where it is the first."""
    version = max(get_measure(name).version for name in group.measures)
    return {"measure_version": version} if version > 1 else {}
