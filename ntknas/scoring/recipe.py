"""A recipe: every choice of one way of measuring, and the identity it gives to scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from ntknas.core.cases import NetworkCase, RegressionCase, TrainingCase
from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.options import Option
from ntknas.data.datasets import get_dataset
from ntknas.data.probe import Probe
from ntknas.kernels.version import ALGORITHM_VERSION
from ntknas.measures import Need, expand, get_measure
from ntknas.scoring.cell_seeds import independent_seed
from ntknas.spaces import BuildOptions, Space
from ntknas.spaces.initialisation import INITIALISATIONS, SEEDING_VERSION
from ntknas.store.identity import INDEPENDENT, NetworkIdentity, ProbeIdentity, Versions
from ntknas.store.setting import Setting


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

    channels: Annotated[
        int | None,
        Option(
            "Channels of the first stage; nats-sss scales its widest 64 to it.  "
            "[default: official, 16 for nb201, 128 for nb101, 32 for nb-macro]"
        ),
    ] = None
    cells_per_stage: Annotated[
        int | None,
        Option("Cells in each stage; nb-macro has 1.  [default: official, 5 for nb201, 3 for nb101, 1 for nats-sss]"),
    ] = None
    variant: Annotated[
        str, Option("Network definition, one of the space's; nb201 has that of zero-cost-nas as well: zero-cost.")
    ] = "official"
    init: Annotated[str, Option("Initialisation: {names}.", names=INITIALISATIONS)] = "default"
    independent_seeds: Annotated[
        bool,
        Option(
            "Start each network from a seed of its own, made of the seed and the cell; else networks of one seed share "
            "stem, reductions and head."
        ),
    ] = False

    def __post_init__(self) -> None:
        """Check the initialisation.

        Raises:
            ChoiceError: If it is unknown.
        """
        check_known("initialisation", self.init, INITIALISATIONS)

    def resolved(self, space: Space) -> BuildOptions:
        """Return the options of a space's ``build``, official numbers filled in."""
        official = space.defaults
        return BuildOptions(
            channels=official["channels"] if self.channels is None else self.channels,
            cells_per_stage=official["cells_per_stage"] if self.cells_per_stage is None else self.cells_per_stage,
            variant=self.variant,
            init=self.init,
        )

    def identity(self, space: Space) -> NetworkIdentity:
        """Return what identifies networks of a space."""
        return NetworkIdentity(**self.resolved(space), cell_seeds=INDEPENDENT if self.independent_seeds else None)

    def seed(self, space: Space, cell: int, seed: int) -> int:
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
        """Check the measures, one of which may stand alone.

        Raises:
            ChoiceError: If a measure is unknown or not defined under the attack, or there is none.
        """
        if isinstance(self.measures, str):
            object.__setattr__(self, "measures", expand([self.measures]))
        if not self.measures:
            raise ChoiceError("A recipe needs at least one measure.")
        for name in self.measures:
            if get_measure(name).subject is TrainingCase:
                raise ChoiceError(f"{name!r} is measured by itself wherever networks are trained: leave it out.")
            if self.choices.attack and get_measure(name).subject is RegressionCase:
                raise ChoiceError(f"{name!r} is of images that are not attacked: leave it out, or `perturb`.")
            if Need.LAYERS in get_measure(name).needs and (self.choices.attack or self.choices.normalisation != "none"):
                raise ChoiceError(
                    f"{name!r} is of layers, which add up to a kernel without `perturb` and `normalisation`: leave it "
                    "out, or these."
                )

    def groups(self) -> list[Group]:
        """Return the measures by what they are computed from; measures of the network stand alone, timed alone."""
        kernels: dict[tuple[str, str], list[str]] = {}
        alone: list[Group] = []
        for name in dict.fromkeys(self.measures):
            definition = get_measure(name)
            if definition.subject is NetworkCase:
                alone.append(Group("network", "network", (name,)))
                continue
            suits = not definition.outputs or self.choices.output in definition.outputs
            kind = "regression" if definition.subject is RegressionCase else "kernel"
            kernels.setdefault((kind, self.choices.output if suits else definition.outputs[0]), []).append(name)
        return [Group(kind, output, tuple(names)) for (kind, output), names in kernels.items()] + alone

    @property
    def needs_held_out(self) -> bool:
        """Whether a measure needs a held-out probe."""
        return _need_held_out(self.measures)

    def setting(self, space: Space, dataset: str, probe: Probe, group: Group) -> Setting:
        """Return the identity of scores under this recipe.

        Args:
            space: The space.
            dataset: Name of the data set that networks are built for.
            probe: The probe.
            group: What the scores are computed from.
        """
        held_out = probe.held_out if _need_held_out(group.measures) else None
        return Setting.of(
            space=space.name,
            dataset=dataset,
            num_classes=get_dataset(dataset).num_classes,
            network=self.network.identity(space),
            choices=self._choices(group),
            probe=ProbeIdentity.of(probe.describe()),
            versions=Versions(ALGORITHM_VERSION, SEEDING_VERSION, _measure_version(group)),
            held_out_hash=None if held_out is None else held_out.hash,
        )

    def _choices(self, group: Group) -> Mapping[str, object]:
        """Return the choices of a group's kernel, or what stands for them where there is none."""
        if group.kind in WITHOUT_KERNEL:
            shared = {"output": group.kind, "precision": self.choices.precision}
            return {**_OF_NETWORK, **self._taken_over(group), **shared}
        return replace(self.choices, output=group.output).as_dict()

    def _taken_over(self, group: Group) -> dict[str, object]:
        """Return the kernel's choices that are those of a measure of the network too."""
        if not any(Need.CHOICES in get_measure(name).needs for name in group.measures):
            return {}
        return {"batch_norm": self.choices.batch_norm, "parameters": self.choices.parameters}


def _need_held_out(measures: tuple[str, ...]) -> bool:
    definitions = map(get_measure, measures)
    return any(measure.subject is RegressionCase or Need.HELD_OUT in measure.needs for measure in definitions)


WITHOUT_KERNEL = ("network", "training")
_OF_NETWORK = {"batch_norm": "training", "parameters": "all", "normalisation": "none"}
"""What stands for the kernel's choices where there is no kernel; each measure says what it does."""


def _measure_version(group: Group) -> int | None:
    """Return the version of a measure of the network; there is none to tell from others where it is the first."""
    if group.kind not in WITHOUT_KERNEL:
        return None
    version = max(get_measure(name).version for name in group.measures)
    return version if version > 1 else None
