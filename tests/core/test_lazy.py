"""Modules that are imported when they are used."""

import pytest

import ntknas
from ntknas.core.lazy import LazyModule, importer_of
from tests.processes import modules_after


def test_nothing_is_imported_before_something_is_asked_for():
    code = "import sys\nfrom ntknas.core.lazy import LazyModule\nlazy = LazyModule('colorsys')\n"
    code += "assert 'colorsys' not in sys.modules\nlazy.rgb_to_hsv"
    assert "colorsys" in modules_after(code)
    assert LazyModule("math").sqrt(4.0) == 2.0


def test_names_of_a_package_and_names_that_it_lacks():
    assert importer_of({"sqrt": "math"})("sqrt")(9.0) == 3.0
    with pytest.raises(AttributeError, match=r"No attribute 'nope': expected one of .*load_store"):
        _ = ntknas.nope
    assert {"correlate", "measure"} <= set(dir(ntknas))


WITHOUT_NETWORKS = [
    "correlation",
    "correlation.diff",
    "correlation.sensitivity",
    "benchmarks.importing",
    "data.sources",
    "report.correlation_figures",
    "scoring.cells",
    "scoring.recipe_file",
    "store",
]


def test_parts_without_networks_need_no_torch():
    imports = "import importlib, sys\n"
    imports += f"for name in {WITHOUT_NETWORKS}:\n"
    imports += "    importlib.import_module(f'ntknas.{name}'); assert 'torch' not in sys.modules, name"
    assert {f"ntknas.{name}" for name in WITHOUT_NETWORKS} <= modules_after(imports)


def test_metadata_of_measures_and_spaces_need_no_torch():
    metadata = "from ntknas.measures import all_measures; assert len(all_measures()) > 20\n"
    metadata += "from ntknas.spaces import load_space; assert load_space('nb201').flops(load_space('nb201')[0]) > 0"
    assert "torch" not in modules_after(metadata)
