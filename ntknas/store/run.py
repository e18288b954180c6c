"""One run of scoring: what made it, and what it was asked for."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from ntknas.store import schema
from ntknas.store.requests import FIELD, Request

SEQUENCE = "sequence"
"""Field of a run: its place among the runs of its store; one without it (0.1.0) comes before."""


@dataclass(frozen=True)
class Run:
    """A run as a store knows it.

    Attributes:
        identifier: Its name, unique among all stores.
        info: Versions, device, recipe, sequence, request and whatever else is known of it; nothing where the line that
            says it is gone.
    """

    identifier: str
    info: Mapping[str, object]

    @classmethod
    def from_stored(cls, entry: Mapping[str, object]) -> Run:
        """Read a run.

        Args:
            entry: Its ``id`` and ``info``.

        Returns:
            The run.

        Raises:
            FieldError: If the recipe is no text.
            ValueError: If they are no text and no mapping of plain values, or sequence or request is something else
                than it must be.
        """
        info = schema.check_plain("what is known of a run", "a run's", entry.get("info"))
        if not isinstance(info.get("recipe", ""), str):
            raise schema.FieldError(f"a run's recipe is {schema.shortened(info['recipe'])}, expected a text")
        if FIELD in info:
            Request.from_json(info[FIELD])
        if SEQUENCE in info:
            schema.check_integer("a run's sequence", info[SEQUENCE], 0, schema.MAX_SEED)
        return cls(schema.check_text("a run's id", entry.get("id")), info)

    @classmethod
    def from_text(cls, text: str) -> Run:
        """Read what ``text`` gives; raises as ``from_stored``."""
        entry = schema.check_mapping("a run", schema.parse(text))
        if not {"id", "info"} <= set(entry):
            raise ValueError("a run has no id, or nothing is known of it")
        return cls.from_stored(entry)

    @property
    def text(self) -> str:
        """The run as canonical JSON."""
        return json.dumps({"id": self.identifier, "info": self.info}, sort_keys=True)

    @property
    def recipe(self) -> str:
        """Name of the recipe."""
        return str(self.info.get("recipe", "custom"))

    @property
    def sequence(self) -> int:
        """Place among the runs of its store; −1 for those that do not say it."""
        value = self.info.get(SEQUENCE)
        return value if isinstance(value, int) else -1

    @property
    def request(self) -> Request | None:
        """What it was asked for; ``None`` for runs of version 0.1.0, which do not say it."""
        return Request.from_json(self.info[FIELD]) if FIELD in self.info else None

    def with_info(self, info: Mapping[str, object]) -> Run:
        """Return the run with more that is known of it."""
        return replace(self, info={**self.info, **info})

    def restricted(self, settings: Container[str], removed: Container[tuple[str, str]]) -> Run:
        """Return the run with a request for what an extract of its store can have.

        What was taken out is not missing there.

        Args:
            settings: Digests of the settings that the extract has.
            removed: Setting and measure of scores that were taken out.

        Returns:
            The run; without a request where nothing is left of it.
        """
        if self.request is None:
            return self
        request = self.request.restricted(settings, removed)
        info = {name: value for name, value in self.info.items() if name != FIELD}
        return replace(self, info={**info, FIELD: request.as_json()} if request.measures else info)

    def joined(self, other: Run) -> Run:
        """Return what two stores know of this run, whichever comes first: each may ask for measures of its own."""
        low, high = sorted([self, other], key=lambda run: json.dumps(run.info, sort_keys=True))
        info = {**low.info, **high.info}
        if low.request and high.request:
            info[FIELD] = low.request.joined(high.request).as_json()
        return replace(self, info=info)
