"""A section of a page: what its template shows as it stands, and what its script draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Section:
    """A section of a page.

    Attributes:
        kind: Which template of ``assets/`` and which function of the page's script it is shown by.
        title: Its heading.
        facts: What the template shows; every text of it is escaped there.
        data: What the script draws: plain data, and arrays anywhere in it; nothing where there is nothing to draw.
    """

    kind: str
    title: str
    facts: Mapping[str, object] = field(default_factory=dict)
    data: Mapping[str, object] = field(default_factory=dict)
