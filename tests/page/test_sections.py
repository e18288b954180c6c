"""What sections say, against the scores, the spaces and the images themselves."""

import base64
import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import kendalltau

from ntknas import load_benchmark, load_store
from ntknas.benchmarks import Target
from ntknas.core.errors import DataError
from ntknas.core.score import Status
from ntknas.correlation import AccuracySource
from ntknas.data import Request as Asked
from ntknas.data import make_probe
from ntknas.page import scores as page_of_scores
from ntknas.page.drawings import packed_drawings
from ntknas.page.files import file_sections
from ntknas.page.probe_pictures import picture_of
from ntknas.page.scores import Request, scores_sections
from ntknas.spaces import load_space
from ntknas.spaces.drawing import drawing_of
from ntknas.store import Setting
from ntknas.tracking import track
from tests.correlation import stores
from tests.correlation.stores import NB201, value
from tests.tracking.test_track_damage import example

CELLS = range(100, 160)
TARGET = "cifar10-valid/valid/200"


def scored(cell, seed, measure):
    return Status.SINGULAR if cell < 103 and measure == "cond" else value(cell, seed, measure)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("scored") / "scores.h5"
    stores.fill(path, ["trace", "cond"], CELLS, seeds=(0, 1), scores=scored, recipe="mine")
    return path


@pytest.fixture(scope="module")
def section(store):
    return scores_sections(load_store(store), AccuracySource(), Request(resamples=0))[0]


def column(section, population, kind, number):
    """A column of a population, as the page's script puts it together."""
    data = section.data["populations"]
    own = data[population][kind][number]
    return data[0][kind][number][data[population]["places"]] if isinstance(own, str) else own


def test_the_columns_are_the_scores_and_the_accuracies(section):
    names = [ranking["name"] for ranking in section.data["rankings"]]
    cells = section.data["cells"]
    assert list(cells) == list(CELLS)
    expected = [np.sqrt(value(cell, 0, "trace") * value(cell, 1, "trace")) for cell in CELLS]  # geometric over seeds
    np.testing.assert_allclose(column(section, 0, "scores", names.index("trace")), expected)
    accuracies = pd.Series(load_benchmark("nb201", folder=None).table(Target.parse(TARGET)).mean)
    assert section.data["targets"][0]["name"] == TARGET
    np.testing.assert_allclose(column(section, 0, "values", 0), accuracies[cells])
    assert np.isnan(column(section, 0, "scores", names.index("cond"))[:3]).all()


def test_each_population_has_the_coefficients_and_the_agreement_of_its_own_columns(section):
    checked = 0
    for number, population in enumerate(section.data["populations"]):
        for row in population["rows"]:
            x = column(section, number, "scores", row["ranking"])
            y = column(section, number, "values", row["target"])
            known = ~np.isnan(x) & ~np.isnan(y)
            sign = 1 if section.data["rankings"][row["ranking"]]["higher"] else -1
            assert row["cells"] == known.sum()
            assert row["kendall"][0] == pytest.approx(sign * kendalltau(x[known], y[known]).statistic)
            checked += 1
        agreement = population["agreement"]
        first, second = agreement["rankings"][:2]
        a, b = column(section, number, "scores", first), column(section, number, "scores", second)
        known = ~np.isnan(a) & ~np.isnan(b)
        signs = [1 if section.data["rankings"][place]["higher"] else -1 for place in (first, second)]
        assert agreement["taus"][1] == pytest.approx(np.prod(signs) * kendalltau(a[known], b[known]).statistic)
    assert [population["name"] for population in section.data["populations"]] == ["all", "connected", "distinct"]
    assert checked == 3 * len(section.data["rankings"])


def test_what_was_left_out_is_counted_with_its_reason(section):
    line = section.facts["left_out"]["statuses"]
    assert line[0]["kernel"] == "sum/frozen/weights"
    assert [(entry["status"], entry["cells"], entry["scores"], entry["measures"]) for entry in line] == [
        ("singular", 3, 6, ["cond"])
    ]
    assert section.facts["measured"]["runs"]["common"]["recipe"] == "mine"
    assert section.facts["measured"]["common"]["batch_norm"] == "frozen"


def test_measures_that_a_page_has_no_room_for_are_named(store, monkeypatch):
    monkeypatch.setattr(page_of_scores, "MAX_NUMBERS", 8 * len(CELLS))
    said = []
    request = Request(resamples=0, populations=["all"], remark=said.append)
    section = scores_sections(load_store(store), AccuracySource(), request)[0]
    names = [ranking["name"] for ranking in section.data["rankings"]]
    assert {"trace", "parameters"} <= set(names)
    assert "cond" not in names
    assert "1 of 2 measures" in said[0]
    assert said[0] in section.facts["left_out"]["notes"]


@pytest.mark.parametrize(("name", "cells"), [("nb201", [0, 8216, 15624]), ("nats-sss", [5, 32767]), ("nb-macro", [3])])
def test_a_packed_drawing_is_the_drawing(name, cells):
    space = load_space(name)
    packed = packed_drawings(space, cells)
    for place, cell in enumerate(cells):
        drawing = drawing_of(space, cell)
        shape = packed["shapes"][packed["shape"][place]]
        assert [list(node) for node in shape["nodes"]] == [[node.name, node.x] for node in drawing.nodes]
        assert [list(edge) for edge in shape["edges"]] == [[e.source, e.target, e.bend] for e in drawing.edges]
        parts = [*drawing.nodes, *drawing.edges]
        codes = packed["codes"][packed["starts"][place] :][: len(parts)]
        assert [(packed["operations"][code >> 1], bool(code & 1)) for code in codes] == [
            (part.operation, part.is_live) for part in parts
        ]


def test_the_picture_of_a_probe_has_its_images(tmp_path):
    probe = make_probe("digits", 10, Asked(image_size=8))
    described = {f"probe_{name}": entry for name, entry in probe.describe().items()}
    shown = picture_of(Setting.from_fields(NB201 | described), tmp_path)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown.picture.partition(",")[2]))))
    assert sheet.shape == (8, 80, 3)
    expected = probe.pixel_range.pixels(probe.images[3:4])[0].numpy().transpose(1, 2, 0)
    np.testing.assert_allclose(sheet[:, 24:32] / 255, expected, atol=1 / 255)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"probe_hash": "0" * 64}, "others than those of the probe"),
        ({"probe_source": "nowhere"}, "images of nowhere are not at hand"),
        ({"probe_source": "cifar10"}, "images of cifar10 are not at hand"),
        ({"probe_shape": "99999999x3x32x32"}, "too large"),
        ({"probe_shape": "10x3x32x99999"}, "too large"),
        ({"probe_draw": None}, "not said how"),
    ],
)
def test_images_that_are_not_the_probes_are_not_shown(tmp_path, changes, reason):
    described = {f"probe_{name}": entry for name, entry in make_probe("digits", 10).describe().items()}
    shown = picture_of(Setting.from_fields(NB201 | described | changes), tmp_path)
    assert shown.picture == ""
    assert reason in shown.text


SEARCH = {
    "space": "nb201",
    "searches": 3,
    "reported": "cifar10/test/200",
    "standings": [{"strategy": "random", "value": 0.5}],
    "curves": [
        {
            "strategy": "random",
            "axis": "trainings",
            "spent": [1, 2],
            "median": [80, 90],
            "low": [70, None],
            "high": [90, 95],
        }
    ],
}


def parts(path):
    """The parts of a file's only section by kind."""
    found = file_sections(path)[0].data["parts"]
    return {part["kind"]: part for part in found}


def test_json_of_commands_is_shown(tmp_path):
    estimate = {"value": 0.5, "low": 0.25, "high": 0.75}
    rows = [{"variation": "base", "measure": "cond", "n": 9, "with_base": estimate, "with_accuracy": None}]
    (tmp_path / "card.json").write_text(json.dumps({"rows": rows}))
    found = parts(tmp_path / "card.json")
    assert found["matrix"]["values"].tolist() == [0.5]
    assert found["table"]["rows"] == [["base", "cond", 9.0, "0.500 [0.250, 0.750]", None]]
    (tmp_path / "search.json").write_text(json.dumps(SEARCH))
    found = parts(tmp_path / "search.json")
    assert found["lines"]["series"][0]["y"].tolist() == [80, 90]
    assert np.isnan(found["lines"]["series"][0]["low"][1])
    assert found["table"]["columns"] == ["strategy", "value"]
    (tmp_path / "other.json").write_text(json.dumps({"study": "mine", "verdict": ["It holds."], "rows": [{"a": 1}]}))
    section = file_sections(tmp_path / "other.json")[0]
    assert (section.title, section.facts["sentences"]) == ("mine", ["It holds."])


def explained(drawing):
    standing = {"name": "cifar10-valid/valid/200", "value": 90.5, "place": 3, "of": 15625, "percentile": 99.5}
    measure = {"measure": "cond", "here": {"value": None, "status": "singular"}, "published": {**standing, "place": 7}}
    spectra = [{"name": "this cell", "values": [4, 2, 0]}]
    layers = [{"name": "stem", "trace": 0.5}]
    content = {"heading": "cell 5", "measures": [measure], "layers": layers, "spectra": spectra, "drawing": drawing}
    return {**content, "accuracies": [standing], "neighbours": [], "left_out": ["one"]}


def test_an_explanation_is_drawn(tmp_path):
    drawing = drawing_of(load_space("nb201"), 5)
    (tmp_path / "cell.json").write_text(json.dumps(explained(drawing.as_json())))
    section = file_sections(tmp_path / "cell.json")[0]
    sketch, lines, places, layers = section.data["parts"]
    packed = packed_drawings(load_space("nb201"), [5])
    assert sketch["drawings"]["shapes"] == packed["shapes"]
    np.testing.assert_array_equal(sketch["drawings"]["codes"], packed["codes"])
    np.testing.assert_array_equal(lines["series"][0]["y"], [4, 2, np.nan])
    assert places["rows"] == [
        ["cifar10-valid/valid/200", None, 90.5, 3, 15625, 99.5],
        ["cond", "singular", 90.5, 7, 15625, 99.5],
    ]
    assert (layers["rows"], section.facts["notes"]) == ([["stem", 0.5]], ["one"])


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {"nodes": [{"name": "a"}], "edges": []},
        {"nodes": [{"name": "a", "x": 1e300, "operation": "", "is_live": True}], "edges": []},
        {"nodes": [], "edges": [{"source": 0, "target": 9, "bend": 0, "operation": "", "is_live": True}]},
    ],
)
def test_what_is_no_drawing_is_not_drawn(tmp_path, wrong):
    (tmp_path / "cell.json").write_text(json.dumps(explained(wrong)))
    assert "sketch" not in parts(tmp_path / "cell.json")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "[1]", "expected an object"),
        ("a.json", "{", "no JSON"),
        ("a.json", '{"a": NaN}', "NaN"),
        ("a.md", "# Mine\n", "no page of a study"),
        ("a.txt", "text", "nothing that a page shows"),
    ],
)
def test_other_files_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        file_sections(tmp_path / name)


def test_a_folder_without_results_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(DataError, match="no tracks and no studies"):
        file_sections(tmp_path)
    with pytest.raises(DataError, match="No such file"):
        file_sections(tmp_path / "none.json")


def recorded_name(recorded):
    return f"cell {recorded.cell}, seed {recorded.seed}"


def test_tracks_are_drawn_over_their_steps(tmp_path):
    frame = example().frame.assign(quantity="train_loss", value=[3.5, 2.5], status="ok")
    shares = np.array([[0.5, 0.25, 0.25], [0.75, 0.25, 0.0]])
    recorded = replace(example(), frame=frame, alignments=shares)
    path = track.write(tmp_path, recorded)
    for place in (path, tmp_path):
        found = file_sections(place)[0].data["parts"]
        shown = {part["title"]: part["series"] for part in found if part["kind"] == "lines"}
        assert [shown["training loss"][0][axis].tolist() for axis in ("x", "y")] == [[0, 4], [3.5, 2.5]]
        spectrum = shown[f"Eigenvalues, cell {recorded.cell}, seed {recorded.seed}"]
        assert {line["name"]: line["y"].tolist()[1] for line in spectrum} == {"λ_1": 3, "λ_2": 4, "λ_3": 5}
        labels = shown[f"Share of the labels on the first k eigenvectors, {recorded_name(recorded)}"]
        assert [line["y"].tolist() for line in labels] == [[0.5, 0.75, 1.0], [0.75, 1.0, 1.0]]
        assert found[-1]["rows"][0][:4] == [recorded.cell, recorded.seed, recorded.status.value, len(recorded.steps)]


STUDY = """# Constancy

**Claim.** It stays.

**Measured.** How far it moves.

## Verdict

- It stays.

![one](one.png)
![far](../far.png)

| width | change |
|---|---|
| 64 | 0.5 |
| many | – |

Made by `ntknas study` on cpu.
"""


def test_a_study_is_shown_with_the_pictures_beside_it(tmp_path):
    (tmp_path / "one.png").write_bytes(b"picture")
    (tmp_path / "page.md").write_text(STUDY)
    section = file_sections(tmp_path)[0]
    encoded = base64.b64encode(b"picture").decode()
    assert section.title == "Constancy"
    assert section.facts["pictures"] == {"one": f"data:image/png;base64,{encoded}"}
    assert section.facts["sentences"] == ["It stays."]
    assert section.data["parts"][0]["rows"] == [[64.0, 0.5], ["many", None]]
