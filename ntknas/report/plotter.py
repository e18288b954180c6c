"""Draws figure specifications with matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from matplotlib import style as styles

from ntknas.core.errors import NtknasError
from ntknas.core.files import replacing
from ntknas.report import figures
from ntknas.report.drawers import bars, dots, fronts, kernels, lines, matrices, ordered, portraits, scatter
from ntknas.report.drawers.caption import finish
from ntknas.report.look import DEFAULT, SCREEN, Look, Style
from ntknas.report.pages import pages
from ntknas.report.portrait import Portrait
from ntknas.report.text import Formula, escaped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T")
Specification = figures.Figure | Portrait
_SAVED: dict[str, dict[str, object]] = {
    "png": {"metadata": {"Software": None}, "pil_kwargs": {"optimize": True}},
    "pdf": {"metadata": {"Creator": None, "Producer": None, "CreationDate": None}},
    "svg": {"metadata": {"Creator": None, "Date": None}},
}
"""What is left out of files, by format, so that the same picture is the same bytes: dates and versions."""


def render(specification: Specification, style: Style = SCREEN) -> Figure:
    """Draw a figure for a program of one's own: to show, to change, or to save with ``savefig``.

    Nothing is registered with ``pyplot``, and no backend is chosen.

    Args:
        specification: What the figure shows, all of its panels on one page.
        style: How it looks.

    Returns:
        The figure of matplotlib.
    """
    with styles.context(dict(style.settings), after_reset=True):  # a user's own matplotlibrc would make other pictures
        plain = _plain(specification)
        figure = _drawn(plain, style)
        if isinstance(plain, Portrait):
            figure.draw_without_rendering()
        else:
            note = plain.note if isinstance(plain, figures.OrderedMap) else ""
            finish(figure, plain.title, "\n".join(filter(None, [note, plain.setting])), style)
    return figure


def draw(specification: Specification, path: Path | str, look: Look = DEFAULT) -> Path:
    """Draw a figure into a file, whose ending decides the format.

    Args:
        specification: What the figure shows, all of its panels on one page.
        path: The file; without an ending it gets that of the look's format.
        look: How the picture looks.

    Returns:
        The file.

    Raises:
        NtknasError: If the folder cannot be written, or the ending is not a picture's or not the format's.
    """
    path = look.file(path)
    kind = path.suffix[1:].lower()
    figure = render(specification, look.drawn)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with styles.context(dict(look.drawn.settings), after_reset=True), replacing(path) as beside:
            figure.savefig(beside, format=kind, **_SAVED[kind])  # type: ignore[arg-type]
    except OSError as error:
        raise NtknasError(f"Cannot write the picture {path}: {error.strerror or error}.") from error
    return path


def draw_pages(specification: Specification, folder: Path, name: str, look: Look = DEFAULT) -> list[Path]:
    """Draw a figure into a folder, with at most twelve panels a page: ``NAME.png``, ``NAME-2.png`` and so on.

    Args:
        specification: What the figure shows.
        folder: The folder.
        name: Name of the files, without their ending.
        look: How the pictures look.

    Returns:
        The files.

    Raises:
        NtknasError: If the folder cannot be written.
    """
    parts: list[Specification] = [specification] if isinstance(specification, Portrait) else [*pages(specification)]
    names = [name if number == 1 else f"{name}-{number}" for number in range(1, len(parts) + 1)]
    return [draw(part, folder / f"{each}{look.suffix}", look) for part, each in zip(parts, names, strict=True)]


def draw_all(specifications: Mapping[str, Specification], folder: Path, look: Look = DEFAULT) -> list[Path]:
    """Draw several figures into a folder; as ``draw_pages``, by the name of their files."""
    drawn = [draw_pages(specification, folder, name, look) for name, specification in specifications.items()]
    return [path for paths in drawn for path in paths]


def _plain(part: T) -> T:
    """Return a part of a specification of whose texts only those that say so are formulas."""
    if isinstance(part, Formula):
        return part
    if isinstance(part, str):
        return escaped(part)  # type: ignore[return-value]
    if isinstance(part, list | tuple | frozenset):
        return type(part)(map(_plain, part))
    if is_dataclass(part) and not isinstance(part, type):
        return replace(part, **{field.name: _plain(getattr(part, field.name)) for field in fields(part)})
    return part


@singledispatch
def _drawn(specification: Specification, style: Style) -> Figure:
    raise TypeError(f"no way to draw a {type(specification).__name__}")


_drawn.register(figures.ScatterGrid, scatter.draw_scatter_grid)
_drawn.register(figures.Bars, bars.draw_bars)
_drawn.register(figures.DotGrid, dots.draw_dot_grid)
_drawn.register(figures.LineGrid, lines.draw_line_grid)
_drawn.register(figures.KernelStrip, kernels.draw_kernel_strip)
_drawn.register(figures.KernelView, kernels.draw_kernel_view)
_drawn.register(figures.HeatMaps, matrices.draw_heat_maps)
_drawn.register(figures.Matrix, matrices.draw_matrix)
_drawn.register(figures.OrderedMap, ordered.draw_ordered_map)
_drawn.register(figures.Fronts, fronts.draw_fronts)
_drawn.register(Portrait, portraits.draw_portrait)
