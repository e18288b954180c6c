"""Pictures that are drawn of what pages say: the same numbers, the largest first, and no larger files than needed."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ntknas.report.figures import Bars, Matrix

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
STUDY = "lazy-mlp-boston-ntk"
PAGE = """
| measure | 95 % | τ | 95 % |
| --- | --- | --- | --- |
| cond | x | 0.57 [0.51, 0.62] | −0.5 to 0.25 |
| flops | x | – | 1.5 |

| other |
| --- |
| 3.5 |
"""
PICTURES = ("batch-norm-policies", "published-recipes", "recommended", "structure", "beyond-the-drawing", "whole-space")


@pytest.fixture(scope="module")
def scripts():
    with pytest.MonkeyPatch.context() as patch:
        for folder in ("scripts", "scripts/referee"):  # whole_space_parts adds the latter once, maybe for another test
            patch.syspath_prepend(str(ROOT / folder))
        for name in [name for name in sys.modules if name in ("page", "beyond")]:
            patch.delitem(sys.modules, name)
        import page_tables
        import redraw
        import small_pictures

        yield {"tables": page_tables, "redraw": redraw, "small": small_pictures}


def picture(scripts, name):
    redraw = scripts["redraw"]
    if name in redraw.OF_PAGES:
        return redraw.OF_PAGES[name]((RESULTS / f"{name}.md").read_text(encoding="utf-8"))
    return redraw.OF_FILES[name](pd.read_csv(RESULTS / f"{name}.csv"))


def test_a_table_is_found_by_its_columns(scripts):
    tables = scripts["tables"]
    table = tables.read_table(PAGE, "measure", "τ")
    assert table.columns.tolist() == ["measure", "95 %", "τ", "95 % 2"]
    assert [tables.numbers(cell) for cell in table["τ"]] == [[0.57, 0.51, 0.62], []]
    assert tables.numbers(table["95 % 2"][0]) == [-0.5, 0.25]
    assert len(table) == 2
    with pytest.raises(SystemExit, match="no table with the columns nothing"):
        tables.read_table(PAGE, "nothing")


def test_measures_that_rank_alike_share_a_bar(scripts):
    labels = scripts["tables"].without_twins(["cond", "neg_cond", "flops", "trace"])
    assert labels == {"cond": "cond, neg_cond", "parameters": "flops", "trace": "trace"}


@pytest.mark.parametrize("name", PICTURES)
def test_bars_have_a_setting_units_and_intervals_around_them(scripts, name):
    bars = picture(scripts, name)
    assert isinstance(bars, Bars)
    assert bars.title
    assert bars.setting.endswith(".")
    assert "NAS-Bench-201" in bars.setting
    assert bars.x_label.startswith("Kendall τ-b")
    assert len(bars.groups) > 1 or not bars.groups[0].name
    assert len(set(bars.labels)) == len(bars.labels)
    for group in bars.groups:
        assert len(group.values) == len(bars.labels)
        known = np.isfinite(group.low)
        assert (group.low[known] <= group.values[known]).all()
        assert (group.values[known] <= group.high[known]).all()
        assert (np.abs(group.values[np.isfinite(group.values)]) <= 1).all()


@pytest.mark.parametrize(
    ("name", "group", "label", "values"),
    [
        ("published-recipes", 0, "cond (recommended)", (0.62, 0.57, 0.66)),
        ("published-recipes", 0, "eig", (-0.33, -0.40, -0.26)),
        ("recommended", 0, "effective_rank · features", (0.57, 0.51, 0.63)),
        ("structure", 0, "effective_parameters", (0.657, np.nan, np.nan)),
        ("batch-norm-policies", 2, "effective_rank", (0.45, 0.33, 0.55)),
        ("batch-norm-policies", 1, "parameters, flops", (0.66, 0.58, 0.73)),
        ("beyond-the-drawing", 1, "vkdnw_agg (vkdnw)", (0.4960, None, None)),
        ("whole-space", 0, "effective_parameters", (None, None, None)),
    ],
)
def test_bars_are_what_the_page_says(scripts, name, group, label, values):
    bars = picture(scripts, name)
    row, drawn = list(bars.labels).index(label), bars.groups[group]
    for expected, found in zip(values, (drawn.values[row], drawn.low[row], drawn.high[row]), strict=True):
        assert np.isfinite(found) if expected is None else found == pytest.approx(expected, nan_ok=True, abs=0.011)


@pytest.mark.parametrize("name", ["published-recipes", "whole-space"])
def test_the_largest_is_first(scripts, name):
    values = picture(scripts, name).groups[0].values
    np.testing.assert_array_equal(values, -np.sort(-values))


def test_policies_are_compared_on_as_many_images_each(scripts):
    import batch_norm_policies

    page = (RESULTS / "batch-norm-policies.md").read_text(encoding="utf-8")
    assert f"probe of {batch_norm_policies.SIZE} CIFAR-10 training images, the same for all policies" in page
    bars = picture(scripts, "batch-norm-policies")
    assert [group.name for group in bars.groups] == list(batch_norm_policies.POLICIES)
    assert not any(np.isnan(group.values).any() for group in bars.groups)


def test_agreement_is_symmetric_and_one_with_itself(scripts):
    matrix = picture(scripts, "whole-space-agreement")
    assert isinstance(matrix, Matrix)
    assert matrix.rows == matrix.columns
    np.testing.assert_array_equal(matrix.values, matrix.values.T)
    np.testing.assert_array_equal(np.diagonal(matrix.values), 1)
    pairs = pd.read_csv(RESULTS / "whole-space-agreement.csv")
    between = pairs[
        (pairs["way"] == "frozen") & (pairs["other_measure"] == "effective_rank") & (pairs["measure"] == "cond")
    ]
    assert between["kendall"].item() in matrix.values


def _studies(folder, *, columns=None):
    pages = folder / "studies"
    pages.mkdir(parents=True)
    for ending in (".md", ".csv"):
        shutil.copy(ROOT / "docs" / "studies" / f"{STUDY}{ending}", pages)
    for kind in ("scale", "layers"):
        (pages / f"{STUDY}-{kind}.png").write_bytes(b"before")
    if columns is not None:
        pd.read_csv(pages / f"{STUDY}.csv")[columns].to_csv(pages / f"{STUDY}.csv", index=False)
    return pages


def test_what_a_studys_table_decides_is_drawn_and_the_rest_is_named(scripts, tmp_path, monkeypatch, capsys):
    pages = _studies(tmp_path)
    monkeypatch.setattr(sys, "argv", ["redraw.py", "--docs", str(tmp_path), STUDY])
    scripts["redraw"].main()
    assert (pages / f"{STUDY}-scale.png").read_bytes().startswith(b"\x89PNG")
    assert (pages / f"{STUDY}-layers.png").read_bytes() == b"before"
    printed = capsys.readouterr()
    assert f"{STUDY}-scale.png" in printed.out
    assert f"left as it is: {pages / f'{STUDY}-layers.png'}" in printed.err


def test_a_table_that_lacks_a_column_leaves_its_pictures(scripts, tmp_path, monkeypatch, capsys):
    pages = _studies(tmp_path, columns=["width", "alpha"])
    monkeypatch.setattr(sys, "argv", ["redraw.py", "--docs", str(tmp_path), STUDY])
    scripts["redraw"].main()
    assert (pages / f"{STUDY}-scale.png").read_bytes() == b"before"
    assert "left as they are" in capsys.readouterr().err


def test_a_page_that_there_is_not(scripts, tmp_path, monkeypatch):
    _studies(tmp_path)
    monkeypatch.setattr(sys, "argv", ["redraw.py", "--docs", str(tmp_path), "nothing"])
    with pytest.raises(SystemExit, match="Error: There is no nothing that tables are enough for"):
        scripts["redraw"].main()


def test_few_colours_make_a_smaller_file_and_many_stay(scripts, tmp_path):
    flat, noisy = tmp_path / "flat.png", tmp_path / "noisy.png"
    stripes = np.repeat(np.arange(0, 200, 10, dtype=np.uint8), 8)[None, :, None] * np.ones((160, 1, 4), np.uint8)
    stripes[..., 3] = 255
    Image.fromarray(stripes).save(flat, compress_level=1)
    generator = np.random.default_rng(0)
    Image.fromarray(generator.integers(0, 256, (160, 160, 3), dtype=np.uint8)).save(noisy)
    before = flat.stat().st_size, noisy.read_bytes()
    assert scripts["small"].shrink(flat)
    assert not scripts["small"].shrink(noisy)
    assert flat.stat().st_size < before[0]
    assert noisy.read_bytes() == before[1]
    np.testing.assert_allclose(np.asarray(Image.open(flat).convert("RGB")), stripes[..., :3], atol=3)
