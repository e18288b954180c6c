"""No pickle runs anything."""

import io
import os
import pickle
import struct
import subprocess
import sys

import numpy as np
import pytest

from ntknas import pickles
from ntknas.core.errors import DataError
from ntknas.pickles.rebuilders import ARRAYS, REBUILDERS


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def _global(module, name, argument=b"X\x04\x00\x00\x00echo"):
    return b"c" + module + b"\n" + name + b"\n" + argument + b"\x85R."


PAYLOADS = {
    "os.system": _global(b"posix", b"system"),
    "eval": _global(b"builtins", b"eval"),
    "exec": _global(b"builtins", b"exec"),
    "getattr": _global(b"builtins", b"getattr"),
    "import": _global(b"builtins", b"__import__"),
    "subprocess": _global(b"subprocess", b"Popen"),
    "open": _global(b"io", b"open"),
    "numpy load": _global(b"numpy", b"load"),
    "torch storage": _global(b"torch._utils", b"_rebuild_tensor_v2"),
    "dotted": b"\x80\x04\x8c\x05numpy\x8c\x0fndarray.__new__\x93.",
    "extension code": b"\x82\x01.",
    "persistent": b"Pxyz\n.",
    "instance": b"(iposix\nsystem\n.",
    "object": b"(cposix\nsystem\no.",
    "print": pickle.dumps(Call(print, "hello")),
}


@pytest.mark.parametrize("name", list(PAYLOADS))
@pytest.mark.parametrize("rebuilders", [{}, ARRAYS, REBUILDERS])
def test_a_pickle_that_asks_for_anything_else_is_refused(tmp_path, name, rebuilders, capsys):
    path = tmp_path / "table.pkl"
    path.write_bytes(PAYLOADS[name])
    with pytest.raises(DataError, match=r"table.pkl.*(not the file it should be|damaged)"):
        pickles.load(path, rebuilders)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("cut", [0, 1, 5, 40, -1])
def test_a_truncated_pickle(tmp_path, cut):
    path = tmp_path / "table.pkl"
    path.write_bytes(pickle.dumps({"val_acc": [1.5, 2.5], "name": "x"})[:cut])
    with pytest.raises(DataError, match="damaged"):
        pickles.load(path)


def test_absurd_sizes(tmp_path):
    path = tmp_path / "table.pkl"
    path.write_bytes(b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62))
    with pytest.raises(DataError, match="damaged"):
        pickles.load(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="Cannot read"):
        pickles.load(tmp_path / "none.pkl")


def test_plain_data_and_arrays_are_read(tmp_path):
    path = tmp_path / "data.pkl"
    stream = io.BytesIO()
    pickle.dump(
        {"a": [1, 2.5, "x", None, (True,)], "data": np.arange(6, dtype=np.uint8).reshape(2, 3)}, stream, protocol=2
    )
    path.write_bytes(stream.getvalue())
    content = pickles.load(path, ARRAYS)
    assert content["a"] == [1, 2.5, "x", None, (True,)]
    np.testing.assert_array_equal(content["data"].content, [[0, 1, 2], [3, 4, 5]])
    with pytest.raises(DataError, match=r"_reconstruct"):
        pickles.load(path)


def _array_pickle(**changes):
    """A pickled array, with parts of its state replaced."""
    values = np.arange(6, dtype=np.uint8).reshape(2, 3)
    function, arguments, state = values.__reduce__()
    parts = dict(zip(("version", "shape", "dtype", "fortran", "content"), state, strict=True)) | changes

    class Array:
        def __reduce__(self):
            return function, arguments, tuple(parts.values())

    return pickle.dumps(Array(), protocol=2)


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": np.dtype("O")},
        {"dtype": np.dtype("f8")},
        {"dtype": np.dtype([("a", "u1")])},
        {"shape": (3, 3)},
        {"shape": (-2, -3)},
        {"shape": (10**30,)},
        {"shape": [2, 3]},
        {"fortran": True},
        {"content": b"12345"},
        {"content": 7},
        {"version": 10**5, "content": None},
    ],
)
def test_arrays_are_of_bytes_and_as_large_as_they_say(tmp_path, changes):
    path = tmp_path / "data.pkl"
    path.write_bytes(_array_pickle())
    assert pickles.load(path, ARRAYS).content.tolist() == [[0, 1, 2], [3, 4, 5]]
    path.write_bytes(_array_pickle(**changes))
    with pytest.raises(DataError):
        pickles.load(path, ARRAYS)


def test_a_type_whose_flags_a_file_sets_is_never_numpys(tmp_path):
    """Through numpy's own dtype an array of objects could be made of raw pointers."""
    path = tmp_path / "data.pkl"
    content = b"cnumpy\ndtype\n(X\x02\x00\x00\x00O8\x89\x88tR(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xff"
    path.write_bytes(b"\x80\x02" + content + b"J\xff\xff\xff\xffK\x00tb.")
    with pytest.raises(DataError, match="none of numbers"):
        pickles.load(path, ARRAYS)


BOMBS = {
    "containers": b"}" * 10_000_000,
    "lists in lists": b"]" * 1_000_000,
    "brackets": b"(" * 1_000_000,
    "tuples in tuples": b")" + b"\x85" * 300_000,
    "tuples as keys": b"})" + b"\x85" * 300_000 + b"K\x01s",
    "numbering": b"]r\xff\xff\xff\x0f",
}


@pytest.mark.parametrize("name", list(BOMBS))
def test_small_files_stay_small(tmp_path, name):
    code = f"""
import resource, sys
from pathlib import Path
from ntknas import pickles
from ntknas.core.errors import DataError
resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))
try:
    pickles.load(Path({str(tmp_path / "bomb")!r}))
except DataError as error:
    sys.exit(str(error))
"""
    (tmp_path / "bomb").write_bytes(b"\x80\x02" + BOMBS[name] + b".")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "is damaged" in done.stderr


def test_a_batch_that_holds_its_labels_twice_is_refused(tmp_path):
    """Under the names of Python 2 and of Python 3: one of them would win in silence."""
    from ntknas.data.batches import read_batch

    path = tmp_path / "batch"
    path.write_bytes(pickle.dumps({"labels": [0], b"labels": [1]}, 2))
    with pytest.raises(DataError, match="two entries 'labels'"):
        read_batch(path, "CIFAR-10", 32, "labels", 0, 9)


@pytest.mark.parametrize(("make", "kind"), [(os.mkfifo, "a named pipe"), (os.mkdir, "a folder")])
def test_only_regular_files_are_read(tmp_path, make, kind):
    make(tmp_path / "it")
    with pytest.raises(DataError, match=f"Cannot read .*it is {kind}, expected a regular file"):
        pickles.load(tmp_path / "it")
