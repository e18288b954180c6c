"""Pages of the command, opened in a real Chromium: nothing complains, selectors work, nothing of a file is obeyed."""

import json

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import kendalltau

from ntknas import load_benchmark
from ntknas.benchmarks import Target
from ntknas.cli.main import run
from ntknas.spaces import load_space
from tests.correlation import stores
from tests.correlation.stores import NB201, value
from tests.page.browser import opened

CELLS = range(0, 1200, 10)
TARGETS = ["cifar10-valid/valid/200", "ImageNet16-120/valid/200"]
HOSTILE = '</script><img src=x onerror="window.hacked=1"><b>&amp;'
SMALL = ["--resamples", "0", "--population", "all", "--population", "connected"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A page of a store of made-up scores."""
    folder = tmp_path_factory.mktemp("page")
    stores.fill(folder / "scores.h5", ["trace", "cond"], CELLS)
    targets = [part for target in TARGETS for part in ("--target", target)]
    assert run(["report", str(folder / "scores.h5"), *SMALL, *targets, "--out", str(folder / "page.html")]) == 0
    return folder / "page.html"


@pytest.fixture
def page(file):
    """The page, open in a browser."""
    with opened() as browser:
        yield browser.open(file)


def expected_tau(measure, target, population):
    """τ as scipy has it, from the scores as they were made up and the benchmark's table."""
    space, table = load_space("nb201"), load_benchmark("nb201", folder=None).table(Target.parse(target)).mean
    sign = {"trace": 1, "cond": -1}[measure]
    cells = [cell for cell in CELLS if population == "all" or not space.is_disconnected(space[cell])]
    return kendalltau([sign * value(cell, 0, measure) for cell in cells], [table[cell] for cell in cells]).statistic


def written(tau):
    return f"{tau:.2f}".replace("-", "−")


def test_selectors_tables_hover_and_brushing_work(page):
    by_name = {name: number for number, name in enumerate(page.texts('[data-part="first"] option'))}
    for target, population, measure in ((1, "all", "trace"), (1, "connected", "cond"), (0, "connected", "trace")):
        page.choose("target", target)
        page.choose("population", ["all", "connected"].index(population))
        page.choose("first", by_name[measure])
        tau = written(expected_tau(measure, TARGETS[target], population))
        assert page.texts('[data-part="plot-first"] .annotation-text')[0].startswith(f"τ = {tau} of ")
        lines = dict(
            zip(
                page.texts('[data-part="rows"] td:first-child'),
                page.texts('[data-part="rows"] td:nth-child(3)'),
                strict=True,
            )
        )
        assert lines[measure] == tau
    assert page.texts('[data-part="cells"] .status')[0].startswith("1–12 of 1")

    page.choose("population", 0)
    header = page.page.locator('[data-part="cells"] th button').first
    header.click()
    header.click()
    assert page.texts('[data-part="cells"] tbody tr:first-child td:first-child') == [str(CELLS[0])]
    page.page.locator('[data-part="cells"] tbody tr').nth(1).click()
    assert page.texts('[data-part="card"] h4') == [f"Cell {CELLS[1]}"]
    drawn = page.page.locator('[data-part="card"] svg').get_attribute("aria-label")
    operations = {"nor_conv_3x3": "3×3 convolution", "nor_conv_1x1": "1×1 convolution", "skip_connect": "skip"}
    operations |= {"avg_pool_3x3": "average pooling", "none": "none"}
    for operation in load_space("nb201")[CELLS[1]].operations:
        assert operations[operation] in drawn

    _drag_over(page, "plot-second")
    chosen = page.texts('[data-part="cells"] .status')[0]
    marked = page.page.evaluate("""document.querySelector('[data-part="plot-first"]').data[0].selectedpoints.length""")
    assert chosen.endswith(f"of {marked} cells")
    assert 0 < marked < len(CELLS)
    assert page.complaints == []
    assert page.network == []


def _drag_over(page, part):
    """Draw a rectangle over the left half of a plot, as a user does."""
    page.show(part)
    box = page.page.locator(f'[data-part="{part}"] .nsewdrag').first.bounding_box()
    mouse = page.page.mouse
    mouse.move(box["x"] + 2, box["y"] + 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2, steps=4)
    mouse.up()
    page.page.wait_for_function("""document.querySelector('[data-part="plot-first"]').data[0].selectedpoints""")


def test_pointing_at_a_point_shows_its_cell(page):
    page.show("plot-first")
    places = page.page.evaluate(
        """() => {
          const plot = document.querySelector('[data-part="plot-first"]');
          const { xaxis, yaxis } = plot._fullLayout;
          const box = plot.querySelector(".nsewdrag").getBoundingClientRect();
          const [{ x, y }] = plot.data;
          return plot.known.map((_, at) => [box.left + xaxis.d2p(x[at]), box.top + yaxis.d2p(y[at])]);
        }"""
    )
    distances = squareform(pdist(places))
    np.fill_diagonal(distances, np.inf)
    loneliest = int(distances.min(axis=1).argmax())
    cell, (x, y) = CELLS[loneliest], places[loneliest]
    for at in (x - 20, x - 1, x):
        page.page.mouse.move(at, y)
        page.page.wait_for_timeout(200)  # of movements in quick succession a plot takes the first
    assert page.texts('[data-part="card"] h4') == [f"Cell {cell}"]
    assert page.complaints == []


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory):
    """A page in which everything that a file can say is markup."""
    folder = tmp_path_factory.mktemp("hostile")
    fields = NB201 | {"variant": HOSTILE, "probe_source": HOSTILE, "init": HOSTILE, "batch_norm": HOSTILE}
    stores.fill(folder / "scores.h5", ["trace"], CELLS, recipe=HOSTILE, fields=fields)
    quoted = HOSTILE.replace('"', '""')
    rows = "\n".join(f"{cell},{value(cell, 0, 'mine')}" for cell in CELLS)
    (folder / "own.csv").write_text(f'index,"{quoted}"\n{rows}\n')
    estimate = {"value": 0.5, "low": 0.2, "high": 0.7}
    card = [{"variation": HOSTILE, "measure": HOSTILE, "with_base": estimate, "n": 3}]
    curve = {"strategy": HOSTILE, "axis": HOSTILE, "spent": [1, 2], "median": [1, 2], "low": [0, 1], "high": [2, 3]}
    node = {"name": HOSTILE, "x": 0, "operation": HOSTILE, "is_live": True}
    drawing = {"nodes": [node, {**node, "x": 1}], "edges": [], "operations": [HOSTILE]}
    measure = {"measure": HOSTILE, "here": {"status": HOSTILE}, "published": None}
    spectrum = {"name": HOSTILE, "values": [2, 1]}
    files = {
        "cell": {"heading": HOSTILE, "measures": [measure], "layers": [], "spectra": [spectrum], "drawing": drawing},
        "card": {"rows": card},
        "search": {"curves": [curve, curve], "space": HOSTILE, "reported": HOSTILE},
        "any": {"study": HOSTILE, "verdict": [HOSTILE], HOSTILE: [{HOSTILE: HOSTILE}], "more": {HOSTILE: HOSTILE}},
    }
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    study = f"# {HOSTILE}\n\n**Claim.** {HOSTILE}\n\n**Measured.** {HOSTILE}\n\n- {HOSTILE}\n\nMade by `{HOSTILE}`\n"
    (folder / "study.md").write_text(study)
    also = [
        part for name in (*(f"{name}.json" for name in files), "study.md") for part in ("--also", str(folder / name))
    ]
    scores = [str(folder / "scores.h5"), "--scores", str(folder / "own.csv")]
    assert run(["report", *scores, *SMALL, *also, "--title", HOSTILE, "--out", str(folder / "page.html")]) == 0
    return folder / "page.html"


def test_markup_in_files_does_nothing(hostile_page):
    assert "<img src=x" not in hostile_page.read_text()
    with opened() as page:
        page.open(hostile_page)
        page.page.wait_for_timeout(300)
        for number in range(len(page.texts('[data-part="first"] option'))):
            page.choose("first", number)
        page.page.locator('[data-part="cells"] tbody tr').first.click()
        assert page.page.evaluate("window.hacked") is None
        assert page.page.evaluate("""document.querySelectorAll("img[src=x], main b, h1 *").length""") == 0
        assert page.texts("h1") == [HOSTILE]
        assert HOSTILE in page.texts('[data-part="first"] option')
        assert HOSTILE in page.texts('[data-part="first"] option[title]') + page.texts("th button")
        assert page.complaints == []
        assert page.network == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_a_telephone_in_both_schemes(hostile_page, scheme):
    with opened(width=400, scheme=scheme) as page:
        page.open(hostile_page)
        assert page.page.evaluate("document.documentElement.scrollWidth") == 400
        background, ink = page.page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        )
        brightness = [sum(map(int, text[4:-1].split(","))) for text in (background, ink)]
        assert (brightness[0] < brightness[1]) == (scheme == "dark")
        assert page.complaints == []
