"""What stands around a picture: its heading, and the setting below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.layout_engine import ConstrainedLayoutEngine

from ntknas.report.drawers.lettering import broken

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ntknas.report.look import Style

_HEADING, _SETTING = 10.5, 7.5
"""Points of letters on a screen."""
_LINE = 1.35
"""Height of a line, in letters."""
_MARGIN = 0.06
"""Inches beside and below a caption."""
_GREY = "0.3"


def finish(figure: Figure, heading: str, setting: str, style: Style) -> None:
    """Write heading and setting around what is drawn, and fix where everything stands.

    A figure grows by what is written, so that a long heading takes nothing from the panels.

    Args:
        figure: What is drawn.
        heading: What it shows.
        setting: With what it was measured.
        style: How it looks.
    """
    size = _SETTING * max(style.scale, 0.8)  # a caption is read, if small
    above = "" if style.is_captioned else heading
    below = "\n".join(filter(None, [heading if style.is_captioned else "", setting]))
    lines = broken(figure, below, size, figure.get_size_inches()[0] - 2 * _MARGIN)
    foot = len(lines) * size * _LINE / 72 + 2 * _MARGIN if lines else 0.0
    _write_heading(figure, above, _HEADING * style.scale)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + foot)
    share = foot / (height + foot)
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, share, 1, 1 - share))
    if lines:
        places = (_MARGIN / width, share * (1 - _MARGIN / foot))
        figure.text(*places, "\n".join(lines), fontsize=size, color=_GREY, va="top", linespacing=_LINE, gid="caption")
    figure.draw_without_rendering()  # ticks are made, and everything is placed, in this style
    figure.set_layout_engine("none")
    for legend in figure.legends:  # which the layout leaves room for above the foot, and matplotlib puts at the edge
        legend.set_bbox_to_anchor((0, share, 1, 1 - share), transform=figure.transFigure)


def _write_heading(figure: Figure, heading: str, size: float) -> None:
    lines = broken(figure, heading, size, figure.get_size_inches()[0] - 2 * _MARGIN)
    if not lines:
        return
    figure.suptitle("\n".join(lines), fontsize=size)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + (len(lines) - 1) * size * _LINE / 72)
