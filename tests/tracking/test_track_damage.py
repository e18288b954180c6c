"""A track that is not what was written is refused, and made again once it was moved away."""

import functools
import json
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from ntknas.core import sealed_file
from ntknas.core.errors import StoreError
from ntknas.core.score import Status
from ntknas.tracking import track
from ntknas.tracking.track import COLUMNS, Track
from tests.cli.test_track_kernel import DISCONNECTED, SHORT
from tests.damage import cuts, few, flips, ntknas

IDENTITY = {"cell": 5, "seed": 0, "space": "nb201"}


@functools.cache
def example() -> Track:
    texts = {"quantity": ["trace", "trace"], "status": ["ok", "oom"], "reason": ["", "x"]}
    frame = pd.DataFrame({"step": [0, 4], "value": [1.5, np.nan], **texts})[COLUMNS]
    spectra = np.arange(6.0).reshape(2, 3)
    kernels = np.arange(18.0).reshape(2, 3, 3)
    return Track(
        IDENTITY, frame[COLUMNS], np.array([0, 4]), spectra, np.array([1, 2, 0]), kernels, about={"torch": "2"}
    )


def written(folder):
    return track.write(folder, example())


@functools.cache
def whole():
    with tempfile.TemporaryDirectory() as name:
        return written(Path(name)).read_bytes()


def test_what_is_written_is_read(tmp_path):
    assert track.read(written(tmp_path)).digest() == example().digest()
    assert track.find(tmp_path, IDENTITY).about == {"torch": "2"}


@few(80)
@given(damage=flips() | cuts())
def test_any_damage_is_noticed_before_hdf5_reads_it(damage):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path = Path(name) / "t.h5"
        path.write_bytes(damage(whole()))
        patch.setattr(track.h5py, "File", lambda *_, **__: pytest.fail("a damaged file was opened"))
        with pytest.raises(StoreError, match=r"cannot be read|no track"):
            track.read(path)


@functools.cache
def tracked():
    """Return the name and the content of the file that the command makes."""
    with tempfile.TemporaryDirectory() as name:
        assert ntknas("track-kernel", *SHORT, DISCONNECTED, "--store", name)[0] == 0
        (path,) = Path(name).iterdir()
        return path.name, path.read_bytes()


@few(3)
@given(damage=flips() | cuts())
def test_the_command_names_the_file(damage):
    with tempfile.TemporaryDirectory() as name:
        arguments = ["track-kernel", *SHORT, DISCONNECTED, "--store", name]
        file, content = tracked()
        path = Path(name) / file
        path.write_bytes(damage(content))
        before = path.read_bytes()
        code, _, err = ntknas(*arguments)
        assert code == 1
        assert str(path) in err
        assert path.read_bytes() == before


def put(place, values):
    def change(file):
        del file[place]
        file.create_dataset(place, data=values)

    return change


def about(**attributes):
    return lambda file: file.attrs.update(attributes)


def link(file):
    del file["spectra"]
    file["spectra"] = h5py.SoftLink("/kernels")


WRONG = {
    "steps that are fractions": (put("steps", np.array([0.5, 1.0])), "/steps is float64, expected int64"),
    "fewer spectra": (put("spectra", np.ones((1, 3))), "other steps than spectra"),
    "a flat spectrum": (put("spectra", np.ones(6)), "/spectra is 6, expected any × any"),
    "kernels of another size": (put("kernels", np.ones((2, 4, 4))), "/kernels is 2 × 4 × 4, expected 2 × 3 × 3"),
    "a longer column": (put("frame/value", np.ones(3)), "/frame/value is 3, expected 2"),
    "texts that are numbers": (put("frame/quantity", np.ones(2)), "expected texts"),
    "a link": (link, "is a link that leads elsewhere"),
    "an identity that is a list": (about(identity="[]"), "its identity has no cell and seed"),
    "a cell that is a text": (about(identity=json.dumps({"cell": "5", "seed": 0})), "its identity has no cell"),
    "an identity with NaN": (about(identity='{"cell": NaN}'), "NaN is no number"),
    "a status": (about(status="fine"), "'fine' is not a valid Status"),
    "a status that is a number": (about(status=5), "the attribute status is no text"),
    "what is known": (about(about="5"), "what is known of it is no mapping"),
    "another value": (put("frame/value", np.ones(2)), "does not match its checksum"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_right_seal_and_wrong_content(tmp_path, case):
    path = written(tmp_path)
    change, message = WRONG[case]
    with h5py.File(path, "r+") as file:
        change(file)
    path.write_bytes(sealed_file.seal(path.read_bytes()))
    with pytest.raises(StoreError, match=message):
        track.read(path)


def test_the_track_of_something_else_under_this_name(tmp_path):
    other = Track({**IDENTITY, "seed": 1}, example().frame, *track.EMPTY, None, Status.OK)
    track.write(tmp_path, other).rename(track.path_of(tmp_path, IDENTITY))
    with pytest.raises(StoreError, match="is the track of something else than its name says"):
        track.find(tmp_path, IDENTITY)
