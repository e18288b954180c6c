"""What objects say of themselves: a line or few, HTML in which markup is text, and nothing is computed for either."""

import importlib
import inspect
import pkgutil
from enum import Enum

import pytest
import torch

import ntknas
from ntknas.core.kernel import Kernel
from ntknas.core.shown import MAX_LINE, Shown
from ntknas.data import Probe
from ntknas.scoring.session import ScoringResult
from tests.core.test_html import Parsed
from tests.shown import gallery

MAX_LINES, MAX_LETTERS = 5, 400
ROOMS = [
    room.name for room in pkgutil.iter_modules(ntknas.__path__) if room.ispkg and room.name not in ("cli", "models")
]
NO_OBJECTS = {
    "BenchmarkSource": "a declaration",
    "Embedded": "a declaration",
    "OfficialFormat": "a declaration",
    "OfficialFiles": "a declaration",
    "AccuracySource": "options of a command",
    "Request": "options of a source",
    "NetworkSpec": "what a space is given to build with",
    "CellSpace": "spaces derive from it",
    "ByteArray": "a part of the reader of pickles",
    "PickleMachine": "a part of the reader of pickles",
    "Record": "a part of the reader of pickles",
    "RecordClass": "a part of the reader of pickles",
    "Ray": "a cluster",
    "Strategy": "a function",
    "Search": "a part of a running search",
    "Trainer": "a part of a running training",
}
"""Public classes of which a notebook is not shown one."""


@pytest.fixture(params=list(gallery.MADE))
def shown(request):
    return gallery.MADE[request.param]()


def public_classes():
    homes = [ntknas, *(importlib.import_module(f"ntknas.{room}") for room in ROOMS)]
    found = [getattr(home, name) for home in homes for name in getattr(home, "__all__", ())]
    return {each for each in found if inspect.isclass(each) and _has_objects(each)}


def _has_objects(each):
    is_type = getattr(each, "_is_protocol", False) or hasattr(each, "__required_keys__") or issubclass(each, Enum)
    return not is_type and not issubclass(each, BaseException | tuple)


def test_every_public_class_is_in_the_gallery():
    made = {type(make()) for make in gallery.MADE.values()}
    absent = {each.__name__ for each in public_classes() - made} - {"ScoreStore"}
    assert absent == set(NO_OBJECTS) & {each.__name__ for each in public_classes()}


def test_a_line_or_few(shown):
    said = repr(shown)
    assert said.count("\n") < MAX_LINES
    assert 3 < len(said) <= MAX_LETTERS
    assert said.startswith(type(shown).__name__)


def test_html_is_balanced_and_markup_in_it_is_text(shown):
    if not isinstance(shown, Shown):
        pytest.skip("a dataclass of few fields, which have no markup")
    parsed = Parsed(shown._repr_html_())
    assert {"script", "b>"}.isdisjoint(parsed.tags)
    assert parsed.tags.count("b") == 1  # its name
    assert parsed.text.startswith(type(shown).__name__)
    assert {name for name, _ in parsed.attributes}.isdisjoint({"onclick", "onload", "onerror"})


def test_markup_is_shown_as_it_stands():
    for name in ("correlation", "trade-offs", "overview", "benchmark", "track", "search result", "findings", "setting"):
        assert gallery.MARKUP in Parsed(gallery.MADE[name]()._repr_html_()).text, name


def test_a_store_is_a_line(tmp_path):
    store = gallery.stored(tmp_path)
    assert repr(store).endswith("<b>.h5: 1 setting, 1 run; to look at)")
    assert Parsed(store._repr_html_()).tags.count("b") == 1


def test_nothing_is_computed(monkeypatch, shown):
    if isinstance(shown, Kernel) and shown.has_spectrum:
        pytest.skip("its spectrum is there")

    def refuse(*_, **__):
        raise AssertionError("this was computed for a line of text")

    for name in ("eigvalsh", "eigh", "svd", "cholesky"):
        monkeypatch.setattr(torch.linalg, name, refuse)
    monkeypatch.setattr(Probe, "hash", property(refuse))
    monkeypatch.setattr(ScoringResult, "frame", property(refuse))
    monkeypatch.setattr("ntknas.spaces.nb101.catalogue.load", refuse, raising=False)
    repr(shown)
    if isinstance(shown, Shown):
        shown._repr_html_()
    assert not isinstance(shown, Kernel) or not shown.has_spectrum


def test_a_kernel_says_its_spectrum_once_it_is_there():
    kernel = gallery.kernel().cosine()
    assert "λ" not in repr(kernel)
    assert "not computed yet" in kernel._repr_html_()
    largest, smallest = float(kernel.spectrum[0]), float(kernel.spectrum[-1])
    assert repr(kernel).endswith(f"λ_1 {largest:.4g}, λ_6 {smallest:.4g})")
    assert f"{smallest:.4g}" in Parsed(kernel._repr_html_()).text


def test_a_correlation_is_its_table():
    result = gallery.correlated()
    text = Parsed(result._repr_html_()).text
    for row in result.rows:
        low, high = row.kendall.interval
        assert f"{row.kendall.value:.3f} [{low:.3f}, {high:.3f}]" in text
        assert row.partial.value is None or f"{row.partial.value:.3f} [{row.partial.low:.3f}" in text


def test_a_cell_is_drawn_with_its_operations():
    parsed = Parsed(gallery.MADE["cell"]()._repr_html_())
    assert parsed.tags.count("path") == 6
    assert parsed.tags.count("circle") == 4
    assert all(parsed.text.count(name) == number for name, number in (("3×3 convolution", 2), ("skip", 2 + 2)))


def test_what_is_too_long_is_cut():
    assert len(repr(gallery.MADE["score without a value"]())) <= MAX_LINE + len("Score()")
    assert repr(gallery.MADE["score without a value"]()).endswith("…)")
