"""Ways of measuring in a release: those that are there, and those that are open."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ntknas.core.shown import Shown, counted, in_digits, listed
from ntknas.store import schema
from ntknas.store.setting import Setting

if TYPE_CHECKING:
    from ntknas.core.html import Child

UNITS = {
    "weights": "cells that are one network under weights share a score",
    "all": "cells that are one network under all parameters share a score",
    "cell": "every cell has a score of its own",
}
"""Which cells share a score, by name."""


@dataclass(frozen=True, repr=False)
class Way(Shown):
    """One way of measuring whose scores are in a release.

    Attributes:
        name: Identifier.
        title: What it is, for readers.
        unit: Which cells share a score: one of ``UNITS``.
        recipe: Name of the recipe that the scores were computed with.
        command: The command that computes them again.
        seeds: Seeds that are there.
        settings: Its settings by digest.
        measures: Its measures, each with the digest of its setting.
        runs: Identifiers of the runs that made the scores.
        hours: What computing it took, in hours of one core, by seed.
        eigenvalues: Eigenvalues of each kernel in its file of spectra; 0 without one.
    """

    name: str
    title: str
    unit: str
    recipe: str
    command: str
    seeds: tuple[int, ...]
    settings: Mapping[str, Setting]
    measures: Mapping[str, str]
    runs: tuple[str, ...] = ()
    hours: Mapping[int, float] = field(default_factory=dict)
    eigenvalues: int = 0

    @property
    def core_hours(self) -> float:
        """What computing all seeds took, in hours of one core."""
        return sum(self.hours.values())

    @property
    def probes(self) -> tuple[str, ...]:
        """Hashes of its probes, each once."""
        hashes = (setting.probe.hash for setting in self.settings.values())
        return tuple(dict.fromkeys(digest for digest in hashes if digest is not None))

    def as_json(self) -> dict[str, object]:
        """Return the way as plain data."""
        settings = {
            digest: {
                "fields": dict(setting.fields),
                "measures": [measure for measure, of in self.measures.items() if of == digest],
            }
            for digest, setting in self.settings.items()
        }
        texts = {name: getattr(self, name) for name in ("name", "title", "unit", "recipe", "command")}
        hours = {str(seed): hours for seed, hours in self.hours.items()}
        numbers = {"core_hours": hours, "eigenvalues": self.eigenvalues}
        return {**texts, "seeds": list(self.seeds), "settings": settings, "runs": list(self.runs), **numbers}

    @classmethod
    def from_json(cls, data: object) -> Way:
        """Read a way.

        Args:
            data: What ``as_json`` gives.

        Returns:
            The way.

        Raises:
            ValueError: If it is something else.
        """
        entry = schema.check_mapping("a way", data)
        name = schema.check_text("the name of a way", entry.get("name"))
        texts = {key: _text(name, entry, key) for key in ("title", "unit", "recipe", "command")}
        if texts["unit"] not in UNITS:
            raise ValueError(f"the unit of {name} is {texts['unit']!r}, expected one of {', '.join(UNITS)}")
        settings, measures = _settings(name, entry.get("settings"))
        return cls(
            name=name,
            **texts,
            seeds=_seeds(name, entry.get("seeds")),
            settings=MappingProxyType(settings),
            measures=MappingProxyType(measures),
            runs=_texts(f"the runs of {name}", entry.get("runs")),
            hours=_hours(name, entry.get("core_hours")),
            eigenvalues=schema.check_integer(f"eigenvalues of {name}", entry.get("eigenvalues"), 0, 1 << 20),
        )

    def _line(self) -> str:
        measures, seeds = counted(len(self.measures), "measure"), listed(self.seeds)
        return f"{self.name}: {self.title}; {measures}, seeds {seeds}, recipe {self.recipe}"

    def _facts(self) -> Mapping[str, Child]:
        spectra = f"{self.eigenvalues} eigenvalues" if self.eigenvalues else "none"
        facts: dict[str, Child] = {"measures": listed(self.measures, 30), "spectra": spectra, "command": self.command}
        return {**facts, "core hours": in_digits(self.core_hours, 3)}


@dataclass(frozen=True)
class OpenWay:
    """A way, or further seeds of one, that the release does not have yet.

    Attributes:
        name: Identifier of the way.
        title: What it is, for readers.
        lacks: What is missing, by seed.
        core_hours: What the rest takes, in hours of one core; ``None`` where nobody has measured it.
    """

    name: str
    title: str
    lacks: Mapping[int, str]
    core_hours: float | None = None

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds that are missing."""
        return tuple(self.lacks)

    @property
    def missing(self) -> str:
        """What is missing, in one line."""
        alike: dict[str, list[str]] = {}
        for seed, text in self.lacks.items():
            alike.setdefault(text, []).append(str(seed))
        return "; ".join(
            f"seed {seeds[0]} lacks {text}" if len(seeds) == 1 else f"seeds {', '.join(seeds)} lack {text}"
            for text, seeds in alike.items()
        )

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        lacks = {str(seed): text for seed, text in self.lacks.items()}
        return {"name": self.name, "title": self.title, "lacks": lacks, "core_hours": self.core_hours}

    def without(self, seeds: Collection[int]) -> OpenWay | None:
        """Return what is missing apart from some seeds; ``None`` where that is nothing."""
        parts = {seed: text for seed, text in self.lacks.items() if seed not in seeds}
        share = len(parts) / len(self.lacks)
        cost = None if self.core_hours is None else self.core_hours * share
        return replace(self, lacks=parts, core_hours=cost) if parts else None

    @classmethod
    def from_json(cls, data: object) -> OpenWay:
        """Read what ``as_json`` gives.

        Args:
            data: The plain data.

        Returns:
            The open way.

        Raises:
            ValueError: If it is something else.
        """
        entry = schema.check_mapping("an open way", data)
        name = schema.check_text("the name of an open way", entry.get("name"))
        hours = entry.get("core_hours")
        cost = None if hours is None else schema.check_finite(f"core_hours of {name}", hours)
        return cls(name, _text(name, entry, "title"), _lacks(name, entry.get("lacks")), cost)


def _text(way: str, entry: Mapping[str, object], key: str) -> str:
    return schema.check_text(f"the {key} of {way}", entry.get(key), may_be_empty=True)


def _seeds(way: str, data: object) -> tuple[int, ...]:
    if not isinstance(data, list):
        raise schema.FieldError(f"the seeds of {way} are no list")
    return tuple(map(schema.check_seed, data))


def _texts(subject: str, data: object) -> tuple[str, ...]:
    if not isinstance(data, list):
        raise schema.FieldError(f"{subject} are no list")
    return tuple(schema.check_text(subject, item) for item in data)


def _lacks(way: str, data: object) -> dict[int, str]:
    lacks = schema.check_mapping(f"what {way} lacks", data)
    return {_seed(way, seed): schema.check_text(f"what {way} lacks", text) for seed, text in lacks.items()}


def _seed(way: str, text: str) -> int:
    if not re.fullmatch("-?[0-9]{1,19}", text):
        raise ValueError(f"a seed of {way} is {schema.shortened(text)}, expected an integer")
    return schema.check_seed(int(text))


def _hours(way: str, data: object) -> dict[int, float]:
    hours = schema.check_mapping(f"core_hours of {way}", data)
    return {_seed(way, seed): schema.check_finite(f"core_hours of {way}", number) for seed, number in hours.items()}


def _settings(way: str, data: object) -> tuple[dict[str, Setting], dict[str, str]]:
    """Read the settings of a way, and which measure is under which."""
    settings, measures = dict[str, Setting](), dict[str, str]()
    for digest, held in schema.check_mapping(f"the settings of {way}", data).items():
        entry = schema.check_mapping(f"a setting of {way}", held)
        settings[digest] = Setting.from_fields(entry.get("fields"))
        if settings[digest].digest != digest:
            raise ValueError(f"a setting of {way} has fields of digest {settings[digest].digest}, not {digest}")
        names = _texts(f"the measures of {way}", entry.get("measures"))
        if double := set(names) & set(measures):
            raise ValueError(f"{way} has {', '.join(sorted(double))} under two settings")
        measures |= dict.fromkeys(names, digest)
    return settings, measures
