"""Ways of measuring in a release: those that are there, and those that are open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ntknas.store import schema
from ntknas.store.setting import Setting

UNITS = {
    "weights": "cells that are one network under weights share a score",
    "all": "cells that are one network under all parameters share a score",
    "cell": "every cell has a score of its own",
}
"""Which cells share a score, by name."""


@dataclass(frozen=True)
class Way:
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
        core_hours: What computing it took, in hours of one core.
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
    core_hours: float = 0.0
    eigenvalues: int = 0

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
        numbers = {"core_hours": self.core_hours, "eigenvalues": self.eigenvalues}
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
            core_hours=schema.check_finite(f"core_hours of {name}", entry.get("core_hours")),
            eigenvalues=schema.check_integer(f"eigenvalues of {name}", entry.get("eigenvalues"), 0, 1 << 20),
        )


@dataclass(frozen=True)
class OpenWay:
    """A way, or further seeds of one, that the release does not have yet.

    Attributes:
        name: Identifier of the way.
        title: What it is, for readers.
        seeds: Seeds that are missing.
        missing: What is missing.
        core_hours: What the rest takes, in hours of one core; ``None`` where nobody has measured it.
    """

    name: str
    title: str
    seeds: tuple[int, ...]
    missing: str
    core_hours: float | None = None

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        texts = {"name": self.name, "title": self.title, "missing": self.missing}
        return {**texts, "seeds": list(self.seeds), "core_hours": self.core_hours}

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
        return cls(
            name, _text(name, entry, "title"), _seeds(name, entry.get("seeds")), _text(name, entry, "missing"), cost
        )


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
