"""The version of the algorithms, which names of scores need and no kernel."""

from __future__ import annotations

ALGORITHM_VERSION = 1
"""Raised whenever the same choices would give other numbers; part of every stored score's identity."""
