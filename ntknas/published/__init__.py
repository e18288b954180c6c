"""Published scores: releases of what was measured once for everybody, and how one is made of stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of

if TYPE_CHECKING:
    from ntknas.published.release import Release
    from ntknas.published.source import is_published, read_scores
    from ntknas.published.way import OpenWay, Way
    from ntknas.published.wide import load_scores

__all__ = ["OpenWay", "Release", "Way", "is_published", "load_scores", "read_scores"]
__getattr__ = importer_of(  # all need pandas or pyarrow
    {
        "OpenWay": "ntknas.published.way",
        "Release": "ntknas.published.release",
        "Way": "ntknas.published.way",
        "is_published": "ntknas.published.source",
        "load_scores": "ntknas.published.wide",
        "read_scores": "ntknas.published.source",
    }
)
