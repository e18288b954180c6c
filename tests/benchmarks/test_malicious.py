"""Pickles that mean harm, in each of the three pickled formats: none runs, none leaves a table behind."""

import bz2
import io
import os
import pickle
import struct
import zipfile

import pytest

from ntknas.benchmarks.importing import import_file
from ntknas.core.errors import DataError
from tests.benchmarks import official

TRACE = "ran.txt"


def _call(module, name, argument):
    text = argument.encode()
    return b"c" + module + b"\n" + name + b"\nX" + struct.pack("<I", len(text)) + text + b"\x85R."


def _stack_global(module, name, argument):
    def short(text):
        return b"\x8c" + bytes([len(text)]) + text

    return b"\x80\x04" + short(module) + short(name) + b"\x93" + short(argument) + b"\x85R."


COMMAND = f"touch {TRACE}"
CODE = f"open('{TRACE}', 'w').close()"
PAYLOADS = {
    "os.system": _call(b"os", b"system", COMMAND),
    "posix.system": _call(b"posix", b"system", COMMAND),
    "subprocess.getoutput": _call(b"subprocess", b"getoutput", COMMAND),
    "eval": _call(b"builtins", b"eval", CODE),
    "exec": _call(b"builtins", b"exec", CODE),
    "python 2 eval": _call(b"__builtin__", b"eval", CODE),
    "open for writing": b"cio\nopen\n(X\x07\x00\x00\x00ran.txtX\x01\x00\x00\x00wtR.",
    "import": _call(b"builtins", b"__import__", "antigravity"),
    "runpy": _call(b"runpy", b"run_path", "evil.py"),
    "timeit": _call(b"timeit", b"timeit", CODE),
    "pydoc": _call(b"pydoc", b"pipepager", COMMAND),
    "stack global": _stack_global(b"os", b"system", COMMAND.encode()),
    "dotted name": _stack_global(b"collections", b"OrderedDict.fromkeys", b"x"),
    "dotted numpy": _stack_global(b"numpy", b"dtype.__class__", b"x"),
    "numpy load": _call(b"numpy", b"load", "evil.npy"),
    "numpy exec": _call(b"numpy.testing._private.utils", b"runstring", CODE),
    "torch load": _call(b"torch", b"load", "evil.pth"),
    "torch tensor": _call(b"torch._utils", b"_rebuild_tensor_v2", "x"),
    "instance": b"(X\x0b\x00\x00\x00touch ran.txios\nsystem\n.",
    "object": b"(cos\nsystem\nX\x0d\x00\x00\x00touch ran.txto.",
    "new object": b"cos\nsystem\nX\x01\x00\x00\x00x\x85\x81.",
    "new object with keywords": b"\x80\x04cos\nsystem\n)}\x92.",
    "extension": b"\x80\x02\x82\x01.",
    "persistent": b"Pevil\n.",
    "binary persistent": b"X\x04\x00\x00\x00evilQ.",
    "call of a text": b"X\x05\x00\x00\x00printX\x01\x00\x00\x00x\x85R.",
    "change of a rebuilder": b"ccollections\nOrderedDict\n}X\x0b\x00\x00\x00__globals__K\x01sb.",
    "change of a type": b"cnumpy\ndtype\n}X\x0b\x00\x00\x00__reduce__K\x01sb.",
    "type of objects": b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\nX\x02\x00\x00\x00O8\x85RC\x01xtR.",
    "codec": b"c_codecs\nencode\n(X\x01\x00\x00\x00xX\x04\x00\x00\x00zliBtR.",
    "nested": b"}X\x0a\x00\x00\x00meta_archs" + _call(b"os", b"system", COMMAND)[:-1] + b"s.",
}


def _legacy(payload):
    headers = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    return b"".join(headers) + b"\x80\x02" + payload + pickle.dumps([], 2)


def _early_legacy(payload):
    """The payload where the system's description should be."""
    headers = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001)]
    return b"".join(headers) + b"\x80\x02" + payload


def _zipped(payload):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + payload)
    return stream.getvalue()


@pytest.fixture
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _is_refused(tmp_path, source):
    with pytest.raises(DataError, match=r"was not imported: .*Nothing was written"):
        import_file(source, tmp_path / "bench_data")
    assert not os.path.exists(TRACE)
    assert not (tmp_path / "bench_data").exists() or not list((tmp_path / "bench_data").iterdir())


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize("name", list(PAYLOADS))
@pytest.mark.parametrize("layout", [_legacy, _early_legacy, _zipped])
def test_in_the_pth(tmp_path, name, layout):
    source = tmp_path / "NAS-Bench-201-v1_0-e61699.pth"
    source.write_bytes(layout(PAYLOADS[name]))
    _is_refused(tmp_path, source)


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize("name", list(PAYLOADS))
@pytest.mark.parametrize("place", ["meta", "000003"])
def test_in_the_nats_folder(tmp_path, name, place):
    folder = official.save_nats(tmp_path / "NATS-sss")
    (folder / f"{place}.pickle.pbz2").write_bytes(bz2.compress(PAYLOADS[name]))
    _is_refused(tmp_path, folder)


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize("name", list(PAYLOADS))
def test_in_the_tfrecord(tmp_path, name):
    """Records are no pickles; one in the place of one, or of its metrics, is no record."""
    source = tmp_path / "nasbench_only108.tfrecord"
    source.write_bytes(official.framed(PAYLOADS[name]))
    _is_refused(tmp_path, source)


def test_the_corpus_is_not_harmless(tmp_path, monkeypatch):
    """Python's own unpickler does run what is refused above."""
    monkeypatch.chdir(tmp_path)
    ran = 0
    for name in ("os.system", "posix.system", "eval", "exec", "stack global", "open for writing"):
        pickle.loads(PAYLOADS[name])
        ran += os.path.exists(TRACE)
        os.remove(TRACE)
    assert ran == 6


def test_a_file_that_unpacks_to_any_size(tmp_path, monkeypatch):
    from ntknas.benchmarks.formats import nats_folder

    monkeypatch.setattr(nats_folder, "_MAX_BYTES", 1 << 20)
    folder = official.save_nats(tmp_path / "NATS-sss")
    bomb = b"\x80\x04]\x94(" + b"X\x00\x00\x01\x00" + b"x" * 65_536 + b"0" * 10
    (folder / "000003.pickle.pbz2").write_bytes(bz2.compress(bomb * 1000))
    with pytest.raises(DataError, match=r"000003.pickle.pbz2: .*"):
        import_file(folder, tmp_path / "bench_data")
    official.save_pbz2(folder / "000003.pickle.pbz2", ["x" * 100_000] * 1 + ["y" * (1 << 21)])
    with pytest.raises(DataError, match="unpacks to more than 1 MiB"):
        import_file(folder, tmp_path / "bench_data")
