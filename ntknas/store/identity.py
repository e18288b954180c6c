"""The parts of a score's identity: how cells became networks, how these were trained, on which probe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

INDEPENDENT = "independent"


@dataclass(frozen=True)
class NetworkIdentity:
    """How cells became networks; ``None`` where a setting does not say it.

    Attributes:
        channels: Channels of the first stage.
        cells_per_stage: Cells in each stage.
        variant: Network definition.
        init: Initialisation.
        cell_seeds: ``independent`` where each network has a seed of its own; settings of shared seeds do not say it.
    """

    channels: int | None = None
    cells_per_stage: int | None = None
    variant: str | None = None
    init: str | None = None
    cell_seeds: str | None = None

    @property
    def has_independent_seeds(self) -> bool:
        """Whether each network starts from a seed of its own."""
        return self.cell_seeds == INDEPENDENT

    def as_fields(self) -> dict[str, object]:
        """Return the fields of a setting."""
        # Left out rather than null: settings from before this field keep their digests.
        return {name: value for name, value in asdict(self).items() if name != "cell_seeds" or value is not None}


@dataclass(frozen=True)
class ProbeIdentity:
    """The batch that kernels and measures were taken on; ``None`` where a setting does not say it.

    Attributes:
        hash: SHA-256 of its content.
        source: Name of the image source.
        shape: Its shape, such as ``64x3x32x32``.
        draw: How it was drawn.
        seed: Seed of the draw.
        augmentation: How images were augmented.
        pixels: Normalisation constants that were asked for.
        fresh: 1 where each seed of the weights has a probe of its own.
        split: Split of the source; settings of the training split do not say it.
    """

    hash: str | None = None
    source: str | None = None
    shape: str | None = None
    draw: str | None = None
    seed: int | None = None
    augmentation: str | None = None
    pixels: str | None = None
    fresh: int | None = None
    split: str | None = None

    @property
    def size(self) -> int | None:
        """Number of images."""
        return self._extents[0] if self._extents else None

    @property
    def image_size(self) -> int | None:
        """Height of an image, in pixels."""
        return self._extents[-1] if self._extents else None

    @property
    def _extents(self) -> list[int]:
        extents = (self.shape or "").split("x")
        return [int(extent) for extent in extents] if all(extent.isdecimal() for extent in extents) else []

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> ProbeIdentity:
        """Return the identity of a probe that describes itself."""
        return cls(**described)

    def as_fields(self) -> dict[str, object]:
        """Return the fields of a setting."""
        # Left out rather than null: settings from before this field keep their digests.
        fields = {name: value for name, value in asdict(self).items() if name != "split" or value is not None}
        return {f"probe_{name}": value for name, value in fields.items()}


@dataclass(frozen=True)
class TrainingIdentity:
    """How networks were trained before they were measured.

    Attributes:
        fields: Options and images by name, those of later versions included.
    """

    fields: Mapping[str, object]

    PREFIX = "training_"
    """What a setting puts before these names."""

    @classmethod
    def of(cls, fields: Mapping[str, object]) -> TrainingIdentity | None:
        """Return what the fields of a setting say; ``None`` at initialisation."""
        stored = {name: value for name, value in fields.items() if cls.has_field(name) and value is not None}
        return cls({name.removeprefix(cls.PREFIX): value for name, value in stored.items()}) if stored else None

    @classmethod
    def has_field(cls, name: str) -> bool:
        """Return whether a setting's field says how networks were trained."""
        return name.startswith(cls.PREFIX)

    @property
    def steps_per_epoch(self) -> int | None:
        """Steps of one epoch."""
        steps = self.fields.get("steps_an_epoch")  # the name in stores, which digests are made of
        return steps if isinstance(steps, int) else None

    @property
    def text(self) -> str:
        """The fields as canonical JSON."""
        return json.dumps(dict(self.fields), sort_keys=True)

    def as_fields(self) -> dict[str, object]:
        """Return the fields of a setting."""
        return {f"{self.PREFIX}{name}": value for name, value in self.fields.items()}


@dataclass(frozen=True)
class Versions:
    """Versions of what decides numbers; ``None`` where a setting does not say it.

    Attributes:
        algorithm: How kernels are computed.
        seeding: How weights are seeded.
        measure: How a measure of the network is computed; settings of the first version do not say it.
    """

    algorithm: int | None = None
    seeding: int | None = None
    measure: int | None = None

    def as_fields(self) -> dict[str, object]:
        """Return the fields of a setting."""
        fields = {f"{name}_version": value for name, value in asdict(self).items()}
        return {name: value for name, value in fields.items() if value is not None}
