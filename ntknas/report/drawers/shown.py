"""The figure that a notebook shows, whichever backend there is, or none."""

from __future__ import annotations

from io import BytesIO

from matplotlib import figure

_DPI = 110


class Figure(figure.Figure):
    """Matplotlib's figure, which IPython shows as a picture even where nobody has imported ``pyplot``.

    Of matplotlib's own it knows how to only once ``pyplot`` has chosen a backend, and prints a line of text until then.
    """

    def _repr_png_(self) -> bytes:
        content = BytesIO()
        self.savefig(content, format="png", dpi=_DPI)
        return content.getvalue()
