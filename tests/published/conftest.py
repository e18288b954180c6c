import pytest

from ntknas.published import Release
from tests.published import releases


@pytest.fixture(scope="session")
def stores(tmp_path_factory):
    """A folder of stores of small ways."""
    folder = tmp_path_factory.mktemp("stores")
    releases.score_stores(folder)
    return folder


@pytest.fixture(scope="session")
def written(stores, tmp_path_factory):
    """A folder that holds a release of them, and its spectra beside it."""
    folder = tmp_path_factory.mktemp("published")
    releases.built(stores).write(folder / "release", folder / "spectra")
    return folder


@pytest.fixture
def release(written):
    """The release of the small ways."""
    return Release.open(written / "release")
