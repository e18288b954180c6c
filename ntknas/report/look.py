"""How pictures look: the style, with its widths, and the format of the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.options import Option

FORMATS = ("png", "pdf", "svg")
_COMMON: Mapping[str, object] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.constrained_layout.use": True,
    "font.family": ["DejaVu Sans", "sans-serif"],  # comes with matplotlib: the same letters everywhere
    "mathtext.fontset": "dejavusans",
    "pdf.fonttype": 42,  # letters stay letters, of a font that publishers take
    "svg.fonttype": "none",
    "svg.hashsalt": "ntknas",  # names in the file are the same each time
}


@dataclass(frozen=True)
class Style:
    """A style of pictures; sizes are in inches.

    Attributes:
        name: Its name.
        narrow: Width of a picture of one part.
        wide: Width of a picture of several; ``None`` where it grows with them.
        columns: Panels side by side, at the most.
        scale: Sizes of letters and of what surrounds them, beside those of ``screen``.
        is_captioned: Whether the heading stands with the setting below, as in a caption, and not above.
        settings: Settings of matplotlib.
    """

    name: str
    narrow: float
    wide: float | None
    columns: int
    scale: float
    is_captioned: bool
    settings: Mapping[str, object]

    def width(self, wished: float, *, spans: bool = True) -> float:
        """Return the width of a picture.

        Args:
            wished: What its content would take on a screen.
            spans: Whether it spans both columns of a paper's page.
        """
        if self.wide is None:
            return max(self.narrow, wished)
        return self.wide if spans else self.narrow

    def height(self, wished: float) -> float:
        """Return the height of what would take some on a screen, in letters of this style."""
        return wished * self.scale


SCREEN = Style(
    name="screen",
    narrow=7.0,
    wide=None,
    columns=4,
    scale=1.0,
    is_captioned=False,
    settings={**_COMMON, "axes.titlesize": "medium", "figure.dpi": 130, "font.size": 9, "savefig.dpi": 130},
)
PAPER = Style(
    name="paper",
    narrow=3.25,
    wide=6.75,
    columns=4,
    scale=0.78,
    is_captioned=True,
    settings={
        **_COMMON,
        "axes.labelsize": 7,
        "axes.linewidth": 0.6,
        "axes.titlesize": 7,
        "figure.dpi": 300,
        "font.size": 7,
        "grid.linewidth": 0.5,
        "legend.fontsize": 6.5,
        "savefig.dpi": 300,
        "xtick.labelsize": 6.5,
        "xtick.major.width": 0.6,
        "ytick.labelsize": 6.5,
        "ytick.major.width": 0.6,
    },
)
STYLES = {
    "screen": "for screens and pages: it grows with what it shows, heading above",
    "paper": "as wide as a paper's column or page, heading and setting below as a caption",
}
_STYLES = {style.name: style for style in (SCREEN, PAPER)}


@dataclass(frozen=True)
class Look:
    """How pictures are to look, as a user says it.

    Attributes:
        format: Format of the files; ``None`` for what a file's name says, else ``png``.
        style: A key of ``STYLES``.
    """

    format: Annotated[
        str | None, Option("Format of pictures.  [default: what a file's name says, else png]", choices=FORMATS)
    ] = None
    style: Annotated[str, Option("Style of pictures.", choices=STYLES)] = "screen"

    def __post_init__(self) -> None:
        """Check both.

        Raises:
            ChoiceError: If one is unknown.
        """
        if self.format is not None:
            check_known("format of pictures", self.format, FORMATS)
        check_known("style of pictures", self.style, STYLES)

    @property
    def drawn(self) -> Style:
        """The style."""
        return _STYLES[self.style]

    @property
    def suffix(self) -> str:
        """The ending of files that have no name yet."""
        return f".{self.format or FORMATS[0]}"

    def file(self, path: Path | str) -> Path:
        """Return a file's path with the ending of its format.

        Args:
            path: The file that was named; without an ending it gets that of the format.

        Raises:
            ChoiceError: If its ending is no picture's, or that of another format than was asked for.
        """
        path = Path(path)
        if not path.suffix:
            return path.with_suffix(self.suffix)
        ending = path.suffix[1:].lower()
        if ending not in FORMATS:
            endings = ", ".join(f".{name}" for name in FORMATS[:-1])
            raise ChoiceError(f"Cannot write the picture {path}. Use {endings} or .{FORMATS[-1]}.")
        if self.format not in (None, ending):
            raise ChoiceError(
                f"The picture {path} is a .{ending} by its name, and `format` is {self.format}: name it "
                f"{path.with_suffix(self.suffix).name}, or leave `format` out."
            )
        return path


DEFAULT = Look()
