"""No pickle runs anything."""

import io
import pickle
import struct

import numpy as np
import pytest

from ntknas.core import restricted_pickle
from ntknas.core.errors import DataError


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
@pytest.mark.parametrize("allowed", [frozenset(), restricted_pickle.NUMPY_ARRAYS])
def test_a_pickle_that_asks_for_anything_else_is_refused(tmp_path, name, allowed, capsys):
    path = tmp_path / "table.pkl"
    path.write_bytes(PAYLOADS[name])
    with pytest.raises(DataError, match=r"table.pkl.*(not the file it should be|damaged)"):
        restricted_pickle.load(path, allowed)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("cut", [0, 1, 5, 40, -1])
def test_a_truncated_pickle(tmp_path, cut):
    path = tmp_path / "table.pkl"
    path.write_bytes(pickle.dumps({"val_acc": [1.5, 2.5], "name": "x"})[:cut])
    with pytest.raises(DataError, match="damaged"):
        restricted_pickle.load(path)


def test_absurd_sizes(tmp_path):
    path = tmp_path / "table.pkl"
    path.write_bytes(b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62))
    with pytest.raises(DataError, match="damaged"):
        restricted_pickle.load(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="Cannot read"):
        restricted_pickle.load(tmp_path / "none.pkl")


def test_plain_data_and_arrays_are_read(tmp_path):
    path = tmp_path / "data.pkl"
    stream = io.BytesIO()
    pickle.dump(
        {"a": [1, 2.5, "x", None, (True,)], "data": np.arange(6, dtype=np.uint8).reshape(2, 3)}, stream, protocol=2
    )
    path.write_bytes(stream.getvalue())
    content = restricted_pickle.load(path, restricted_pickle.NUMPY_ARRAYS)
    assert content["a"] == [1, 2.5, "x", None, (True,)]
    np.testing.assert_array_equal(content["data"], [[0, 1, 2], [3, 4, 5]])
    with pytest.raises(DataError, match=r"_reconstruct"):
        restricted_pickle.load(path)
