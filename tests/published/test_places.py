"""Where spectra are looked for: here, beside their release, in the project that the package is used from."""

import pytest

from ntknas.core.errors import DataError
from ntknas.published import Release, places


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A folder without anything, and no project around the package."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(places, "_CHECKOUT", tmp_path / "no project")
    return tmp_path


@pytest.mark.parametrize("place", ["bench_data", "releases", "no project/bench_data"])
def test_a_file_is_found(empty, place):
    folder = empty / place / "tiny-spectra"
    folder.mkdir(parents=True)
    (folder / "frozen.parquet").touch()
    found = places.find_spectra("tiny", "frozen.parquet", empty / "releases" / "tiny")
    assert found.resolve() == folder / "frozen.parquet"


def test_the_nearest_counts(empty):
    for place in ("bench_data", "releases"):
        (empty / place / "tiny-spectra").mkdir(parents=True)
        (empty / place / "tiny-spectra" / "frozen.parquet").write_text(place)
    found = places.find_spectra("tiny", "frozen.parquet", empty / "releases" / "tiny")
    assert found.read_text() == "bench_data"


def test_what_is_nowhere_says_where_it_was_looked_for(empty):
    with pytest.raises(DataError) as error:
        places.find_spectra("tiny", "frozen.parquet", empty / "releases" / "tiny")
    said = str(error.value)
    assert all(place in said for place in ("bench_data/tiny-spectra", "releases/tiny-spectra", "no project"))
    assert "`spectra`" in said


def test_ours_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    release = Release.open("nb201")
    way = next(name for name, way in release.ways.items() if way.eigenvalues)
    assert len(release.spectra(way)) == 15625
