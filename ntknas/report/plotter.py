"""Draws figure specifications with matplotlib."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from matplotlib import style

from ntknas.core.errors import NtknasError
from ntknas.core.files import replacing
from ntknas.report import figures
from ntknas.report.drawers import bars, fronts, kernels, lines, matrices, ordered, portraits, scatter
from ntknas.report.drawers.canvas import STYLE
from ntknas.report.portrait import Portrait

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T")
Specification = figures.Figure | Portrait


def render(specification: Specification) -> Figure:
    """Draw a figure for a program of one's own: to show, to change, or to save with ``savefig``.

    Nothing is registered with ``pyplot``, and no backend is chosen.

    Args:
        specification: What the figure shows.

    Returns:
        The figure of matplotlib.
    """
    with style.context(STYLE):
        figure = _drawn(_plain(specification))
        figure.draw_without_rendering()  # ticks are made when they are first drawn: here, in this style
    return figure


def draw(specification: Specification, path: Path | str) -> Path:
    """Draw a figure into a file, whose ending decides the format.

    Args:
        specification: What the figure shows.
        path: The file; a PNG where it has no ending.

    Returns:
        The file.

    Raises:
        NtknasError: If the folder cannot be written or the ending is not a picture's.
    """
    path = Path(path)
    path = path if path.suffix else path.with_suffix(".png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with style.context(STYLE), replacing(path) as beside:
            figure = _drawn(_plain(specification))
            figure.savefig(beside, format=path.suffix[1:])  # the name beside it has another ending
    except OSError as error:
        raise NtknasError(f"Cannot write the picture {path}: {error.strerror or error}.") from error
    except (ValueError, RuntimeError) as error:
        raise NtknasError(f"Cannot write the picture {path}: {error}. Use .png, .pdf or .svg.") from error
    return path


def _plain(part: T) -> T:
    """Return a part of a specification whose texts are no formulas: a column of a user's may be called ``$x$``."""
    if isinstance(part, str):
        return part.replace("$", r"\$")  # type: ignore[return-value]
    if isinstance(part, list | tuple | frozenset):
        return type(part)(map(_plain, part))
    if is_dataclass(part) and not isinstance(part, type):
        return replace(part, **{field.name: _plain(getattr(part, field.name)) for field in fields(part)})
    return part


@singledispatch
def _drawn(specification: Specification) -> Figure:
    raise TypeError(f"no way to draw a {type(specification).__name__}")


_drawn.register(figures.ScatterGrid, scatter.draw_scatter_grid)
_drawn.register(figures.Bars, bars.draw_bars)
_drawn.register(figures.LineGrid, lines.draw_line_grid)
_drawn.register(figures.KernelStrip, kernels.draw_kernel_strip)
_drawn.register(figures.KernelView, kernels.draw_kernel_view)
_drawn.register(figures.HeatMaps, matrices.draw_heat_maps)
_drawn.register(figures.Matrix, matrices.draw_matrix)
_drawn.register(figures.OrderedMap, ordered.draw_ordered_map)
_drawn.register(figures.Fronts, fronts.draw_fronts)
_drawn.register(Portrait, portraits.draw_portrait)
