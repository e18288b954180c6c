"""Styles and formats: what a file is, that it is the same each time; nothing of a user's matplotlib changes."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager, pyplot

from ntknas.core.errors import ChoiceError
from ntknas.report import plotter
from ntknas.report.figures import BarGroup, Bars, Line, LineGrid, LinePanel
from ntknas.report.look import FORMATS, PAPER, SCREEN, STYLES, Look
from ntknas.report.pages import MAX_PANELS, pages
from ntknas.report.text import Formula, escaped, joined

X = np.array([0.0, 1, 2])
GRID = LineGrid(
    "Heading of some length, which is longer than a column of a paper is wide, so that it is broken into lines",
    "x",
    Formula(r"$\lambda_1$"),
    [LinePanel(name, [Line("first", X, X), Line("second", X, 2 * X)]) for name in "ab"],
    setting="Kernel of summed logits, frozen batch norm, of the weights; 64 images of handwritten digits; seed 0.",
)
BEGINNINGS = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_is_what_it_says_and_the_same_each_time(tmp_path, kind, style):
    first = plotter.draw(GRID, tmp_path / "first", Look(kind, style))
    again = plotter.draw(GRID, tmp_path / "again", Look(kind, style))
    content = first.read_bytes()
    assert first.name == f"first.{kind}"
    assert content.startswith(BEGINNINGS[kind])
    assert content == again.read_bytes()
    assert not re.search(rb"CreationDate|dc:date|\b20\d\d-\d\d-\d\dT", content)


def test_letters_stay_letters(tmp_path):
    svg = ET.fromstring(plotter.draw(GRID, tmp_path / "a.svg").read_bytes())
    texts = ["".join(text.itertext()).strip() for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert {"first", "second", "x"} <= set(texts)
    assert any(text.startswith("Kernel of summed logits") for text in texts)
    pdf = plotter.draw(GRID, tmp_path / "a.pdf").read_bytes()
    assert b"/TrueType" in pdf or b"/CIDFontType2" in pdf  # type 42
    assert b"/Type3" not in pdf


def test_a_paper_has_the_width_of_its_columns_and_a_screen_grows():
    one = replace(GRID, panels=GRID.panels[:1])
    assert plotter.render(one, PAPER).get_size_inches()[0] == 3.25
    assert plotter.render(GRID, PAPER).get_size_inches()[0] == 6.75
    assert plotter.render(replace(GRID, panels=GRID.panels * 2), SCREEN).get_size_inches()[0] > 10


@pytest.mark.parametrize("style", [SCREEN, PAPER])
def test_heading_and_setting_stand_inside_and_on_nothing(style):
    figure = plotter.render(replace(GRID, panels=GRID.panels[:1]), style)
    (caption,) = [text for text in figure.texts if text.get_gid() == "caption"]
    assert GRID.setting in caption.get_text().replace("\n", " ")
    assert (GRID.title in caption.get_text().replace("\n", " ")) == style.is_captioned
    assert (figure.get_suptitle().replace("\n", " ") == GRID.title) != style.is_captioned
    box, legend = caption.get_window_extent(), figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert box.y0 >= 0
    assert box.y1 <= legend.y0
    labels = [axes.xaxis.label.get_window_extent() for axes in figure.axes]
    assert legend.y1 <= min(label.y0 for label in labels)


def test_formulas_are_set_and_dollars_in_names_are_dollars():
    name = joined("cost in $ or $x$: ", Formula(r"$\tau_b$"))
    assert isinstance(name, Formula)
    assert name == r"cost in \$ or \$x\$: $\tau_b$"
    panels = [LinePanel("$x_1$", [Line("of $", X, X), Line(Formula(r"$\kappa$"), X, X)])]
    figure = plotter.render(replace(GRID, panels=panels))
    assert figure.axes[0].get_title() == escaped("$x_1$")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [r"of \$", r"$\kappa$"]


def test_one_entry_is_no_legend():
    panels = [LinePanel("p", [Line("alone", X, X)])]
    assert plotter.render(replace(GRID, panels=panels)).legends == []
    bars = Bars("t", "x", ["a"], [BarGroup("alone", X[:1], X[:1], X[:1])])
    assert plotter.render(bars).legends == []


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (12, [12]), (13, [12, 1]), (67, [12, 12, 12, 12, 12, 7])])
def test_a_page_has_twelve_panels_at_the_most(count, sizes):
    panels = [LinePanel(str(number), [Line("a", X, X)]) for number in range(count)]
    parts = pages(replace(GRID, panels=panels))
    assert [len(part.panels) for part in parts] == sizes
    assert max(sizes) <= MAX_PANELS
    assert [panel.title for part in parts for panel in part.panels] == [str(number) for number in range(count)]
    if len(parts) > 1:
        assert parts[0].title == joined(GRID.title, f", page 1 of {len(parts)}")


def test_pages_are_numbered_files(tmp_path):
    panels = [LinePanel(str(number), [Line("a", X, X)]) for number in range(13)]
    drawn = plotter.draw_pages(replace(GRID, panels=panels), tmp_path, "lines", Look("svg"))
    assert [path.name for path in drawn] == ["lines.svg", "lines-2.svg"]
    assert all(path.exists() for path in drawn)


def test_a_name_and_a_format_that_disagree():
    assert Look().file("a.PDF").name == "a.PDF"
    assert Look("pdf").file("a").name == "a.pdf"
    with pytest.raises(ChoiceError, match=r"a\.png is a \.png by its name, and `format` is pdf: name it a\.pdf"):
        Look("pdf").file("a.png")
    with pytest.raises(ChoiceError, match=r"Use \.png, \.pdf or \.svg"):
        Look().file("a.jpeg")
    with pytest.raises(ChoiceError, match="Did you mean 'svg'"):
        Look("svgs")
    with pytest.raises(ChoiceError, match="style of pictures 'papre'"):
        Look(style="papre")


def test_a_users_matplotlib_is_left_alone_and_changes_nothing(tmp_path):
    before = plotter.draw(GRID, tmp_path / "before.png").read_bytes()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 20}):
        assert plotter.draw(GRID, tmp_path / "after.png").read_bytes() == before
        assert matplotlib.rcParams["font.size"] == 30
    assert not pyplot.get_fignums()


def test_importing_and_drawing_choose_no_backend(tmp_path):
    code = (
        "import sys, matplotlib, numpy; before = matplotlib.get_backend(auto_select=False)\n"
        "import ntknas.figures\n"
        "from ntknas.report import plotter\nfrom ntknas.report.figures import Matrix\n"
        f"plotter.draw(Matrix('t', ['r'], ['c'], numpy.ones((1, 1))), {str(tmp_path / 'a.png')!r})\n"
        "print(before, matplotlib.get_backend(auto_select=False), 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after, has_pyplot = done.stdout.split()
    assert (before, has_pyplot) == (after, "False")


def test_the_letters_come_with_matplotlib():
    families = {SCREEN.settings["font.family"][0], PAPER.settings["font.family"][0]}  # type: ignore[index]
    (family,) = families
    assert "mpl-data" in font_manager.findfont(family, fallback_to_default=False)
