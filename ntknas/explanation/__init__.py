"""What a network's kernel is made of, and where its cell stands among all others of its space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of

if TYPE_CHECKING:
    from ntknas.explanation.entry import explain
    from ntknas.explanation.result import Explanation

__all__ = ["Explanation", "explain"]
__getattr__ = importer_of({"Explanation": "ntknas.explanation.result", "explain": "ntknas.explanation.entry"})
