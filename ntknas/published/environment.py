"""What a release knows of how its scores were made: ways, runs, and what is open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ntknas.published.way import OpenWay, Way
from ntknas.store import schema
from ntknas.store.run import Run


@dataclass(frozen=True)
class Environment:
    """How the scores of a release were made.

    Attributes:
        ways: Ways by name, in the order of the release.
        runs: Runs by identifier.
        open: What is not there yet.
    """

    ways: Mapping[str, Way]
    runs: Mapping[str, Run]
    open: tuple[OpenWay, ...] = ()

    @property
    def text(self) -> str:
        """The environment as it stands in its file."""
        plain = {
            "ways": [way.as_json() for way in self.ways.values()],
            "runs": {identifier: dict(run.info) for identifier, run in self.runs.items()},
            "open": [way.as_json() for way in self.open],
        }
        return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_text(cls, content: bytes) -> Environment:
        """Read an environment.

        Args:
            content: What ``text`` gives, in UTF-8.

        Returns:
            The environment.

        Raises:
            FieldError: If a part is of another type than it must be.
            ValueError: If it is something else.
        """
        entries = schema.check_mapping("the environment", schema.parse(content))
        listed = {name: entries.get(name) for name in ("ways", "open")}
        held = {name: values for name, values in listed.items() if isinstance(values, list)}
        if len(held) < len(listed):
            raise schema.FieldError("its ways, and what is open, are no lists")
        ways = [Way.from_json(data) for data in held["ways"]]
        runs = schema.check_mapping("the runs", entries.get("runs"))
        parsed = {name: Run.from_stored({"id": name, "info": info}) for name, info in runs.items()}
        if len({way.name for way in ways}) < len(ways):
            raise ValueError("it has two ways of one name")
        if unknown := {run for way in ways for run in way.runs} - set(parsed):
            raise ValueError(f"it says nothing of the run {schema.shortened(min(unknown))}")
        return cls({way.name: way for way in ways}, parsed, tuple(OpenWay.from_json(data) for data in held["open"]))
