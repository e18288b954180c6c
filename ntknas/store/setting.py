"""The setting: everything that decides a score's value, but for cell, seed and measure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from ntknas.core.choices import OUTPUTS, Choices
from ntknas.core.digest import text_digest
from ntknas.core.errors import ChoiceError, StoreError
from ntknas.core.shown import Shown, shortened
from ntknas.store import schema
from ntknas.store.identity import NetworkIdentity, ProbeIdentity, TrainingIdentity, Versions

if TYPE_CHECKING:
    from ntknas.core.html import Child

CHOICES = ("output", "batch_norm", "parameters", "normalisation", "precision", "perturb", "kernel_of")
_T = TypeVar("_T", NetworkIdentity, ProbeIdentity, Versions)


@dataclass(frozen=True, repr=False)
class Setting(Shown):
    """The identity of scores, made by ``from_fields`` of what is stored or by ``of`` for what is computed.

    The fields decide: the digest is theirs, those that this version does not know are kept, and everything else is read
    from them.

    Attributes:
        fields: Flat names and plain values, as they are stored.
    """

    fields: Mapping[str, object]

    @classmethod
    def from_fields(cls, stored: object) -> Setting:
        """Read a setting.

        Args:
            stored: The mapping of names to plain values.

        Returns:
            The setting.

        Raises:
            ValueError: If it is no such mapping, lacks space or data set, or a field is not what it must be.
        """
        return cls(schema.check_setting(stored))

    @classmethod
    def from_text(cls, text: str) -> Setting:
        """Read what ``text`` gives; raises as ``from_fields``."""
        return cls.from_fields(schema.parse(text))

    @classmethod
    def of(
        cls,
        *,
        space: str,
        dataset: str,
        num_classes: int,
        network: NetworkIdentity,
        choices: Mapping[str, object],
        probe: ProbeIdentity,
        versions: Versions,
        held_out_hash: str | None = None,
    ) -> Setting:
        """Return the setting of networks at initialisation.

        Args:
            space: Name of the space.
            dataset: Name of the data set that networks are built for.
            num_classes: Number of its classes.
            network: How cells become networks.
            choices: Of the kernel; or what stands for them where there is none.
            probe: The probe.
            versions: Of what computes the scores.
            held_out_hash: Hash of the held-out probe, for measures that need one.

        Returns:
            The setting.

        Raises:
            StoreError: If a store cannot hold a value.
        """
        held_out = {} if held_out_hash is None else {"held_out_hash": held_out_hash}
        fields = {"space": space, "dataset": dataset, "num_classes": num_classes, **network.as_fields(), **choices}
        return cls._storable({**fields, **probe.as_fields(), **versions.as_fields(), **held_out})

    @classmethod
    def _storable(cls, fields: Mapping[str, object]) -> Setting:
        # As JSON reads them back: with a tuple two settings of one digest would not be equal.
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
        try:
            return cls.from_fields(plain)
        except ValueError as error:
            raise StoreError(f"Scores cannot be stored: {error}.") from error

    def after(self, training: TrainingIdentity, epoch: int) -> Setting:
        """Return the setting of these networks after some epochs of training.

        Args:
            training: How they are trained.
            epoch: Epochs of training.

        Returns:
            The setting.

        Raises:
            StoreError: If a store cannot hold a value.
        """
        return self._storable({**self.fields, **training.as_fields(), "epoch": epoch})

    @cached_property
    def at_initialisation(self) -> Setting:
        """The setting of these networks before they were trained."""
        trained = {"epoch", *(self.training.as_fields() if self.training else ())}
        return Setting({name: value for name, value in self.fields.items() if name not in trained})

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that stand for the fields."""
        return text_digest(self.text)

    @property
    def text(self) -> str:
        """The fields as canonical JSON."""
        return json.dumps(dict(self.fields), sort_keys=True, allow_nan=False)  # every stored digest is of these bytes

    def __hash__(self) -> int:
        return hash(self.digest)  # the fields are a mapping, which has no hash

    def differing(self, other: Setting) -> list[str]:
        """Return the names of the fields in which two settings differ, in alphabetical order."""
        names = sorted({*self.fields, *other.fields})
        return [name for name in names if self.fields.get(name) != other.fields.get(name)]

    @property
    def space(self) -> str:
        """Name of the space."""
        return str(self.fields["space"])

    @property
    def dataset(self) -> str:
        """Name of the data set that networks were built for."""
        return str(self.fields["dataset"])

    @property
    def num_classes(self) -> int | None:
        """Number of outputs of the networks."""
        return self._integer("num_classes")

    @property
    def output(self) -> str | None:
        """Output reduction of the kernel; where there is none, ``network`` or ``training``."""
        return self._text("output")

    @property
    def batch_norm(self) -> str | None:
        """Batch-norm policy."""
        return self._text("batch_norm")

    @property
    def parameters(self) -> str | None:
        """Parameter set."""
        return self._text("parameters")

    @property
    def normalisation(self) -> str | None:
        """Normalisation of the kernel."""
        return self._text("normalisation")

    @property
    def precision(self) -> str | None:
        """Precision that was computed in."""
        return self._text("precision")

    @property
    def perturb(self) -> str | None:
        """Attack on the probe; ``None`` where there is none."""
        return self._text("perturb")

    @property
    def kernel_of(self) -> str | None:
        """Which rows the kernel is of, where these are not those of the perturbed probe alone."""
        return self._text("kernel_of")

    @cached_property
    def kernel(self) -> Choices | None:
        """The choices of the kernel; ``None`` where there is none, or it is one of a later version."""
        if self.output not in OUTPUTS:
            return None
        choices: dict[str, Any] = {name: self.fields[name] for name in CHOICES if name in self.fields}
        try:
            return Choices(**choices)
        except ChoiceError:
            return None

    @cached_property
    def network(self) -> NetworkIdentity:
        """How cells became networks."""
        return _part(NetworkIdentity, self.fields, "{}")

    @cached_property
    def probe(self) -> ProbeIdentity:
        """The probe."""
        return _part(ProbeIdentity, self.fields, "probe_{}")

    @cached_property
    def versions(self) -> Versions:
        """Versions of what computed the scores."""
        return _part(Versions, self.fields, "{}_version")

    @property
    def held_out_hash(self) -> str | None:
        """Hash of the held-out probe; ``None`` for measures without one."""
        return self._text("held_out_hash")

    @property
    def epoch(self) -> int:
        """Epochs of training before networks were measured; 0 is initialisation."""
        return self._integer("epoch") or 0

    @cached_property
    def training(self) -> TrainingIdentity | None:
        """How networks were trained; ``None`` at initialisation."""
        return TrainingIdentity.of(self.fields)

    def _text(self, name: str) -> str | None:
        value = self.fields.get(name)
        return None if value is None else str(value)

    def _integer(self, name: str) -> int | None:
        value = self.fields.get(name)
        return value if isinstance(value, int) else None

    def _line(self) -> str:
        named = {name: self.fields.get(name) for name in ("space", "dataset", *CHOICES[:3])}
        return f"{self.digest}: {', '.join(str(value) for value in named.values() if value is not None)}"

    def _facts(self) -> Mapping[str, Child]:
        return {name: shortened(str(value), 200) for name, value in self.fields.items()}


def _part(kind: type[_T], stored: Mapping[str, object], pattern: str) -> _T:
    """Read one part from the fields of its attributes, whose names follow a pattern; ``schema`` knows their types."""
    values: dict[str, Any] = {field.name: stored.get(pattern.format(field.name)) for field in dataclasses.fields(kind)}
    return kind(**values)
