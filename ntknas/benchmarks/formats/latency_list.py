"""HELP's ``.pt`` files: one list of latencies of NAS-Bench-201's networks for each device, by ``torch.save``."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ntknas import pickles
from ntknas.benchmarks.formats.cell_table import MAX_VALUE, check_tells_apart
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.quantity import Quantity
from ntknas.benchmarks.source import Start
from ntknas.benchmarks.table import Target
from ntknas.core.errors import DataError
from ntknas.core.quoting import quoted
from ntknas.core.regular_file import open_regular
from ntknas.core.unpacking import UNPACKING_ERRORS
from ntknas.spaces import Space

_LIST = b"\x80\x02]"
_MAX_BYTES = 1 << 20  # an honest file has 141,039
_MAX_MEMBERS = 16
_ERROR = 1e-5  # of the ranges, which are written to six digits


class Device(NamedTuple):
    """A device: what it is, with its batch size, and the range of its latencies in ms, which is its fingerprint."""

    hardware: str
    fastest: float
    slowest: float


DEVICES = {
    "1080ti_1": Device("NVIDIA GTX 1080 Ti, batch size 1", 3.59661, 17.0872),
    "1080ti_256": Device("NVIDIA GTX 1080 Ti, batch size 256", 7.9981, 35.5843),
    "1080ti_32": Device("NVIDIA GTX 1080 Ti, batch size 32", 3.53752, 19.5569),
    "2080ti_1": Device("NVIDIA RTX 2080 Ti, batch size 1", 2.68129, 15.8512),
    "2080ti_256": Device("NVIDIA RTX 2080 Ti, batch size 256", 5.95543, 44.3109),
    "2080ti_32": Device("NVIDIA RTX 2080 Ti, batch size 32", 2.88895, 13.8631),
    "essential_ph_1": Device("Essential PH-1", 3, 45),
    "eyeriss": Device("Eyeriss, estimated by a model", 1.67954, 10.5269),
    "fpga": Device("FPGA, estimated by a model", 1.13296, 8.67856),
    "gold_6226": Device("Intel Xeon Gold 6226", 2.66473, 20.3731),
    "gold_6240": Device("Intel Xeon Gold 6240", 2.99431, 25.2833),
    "pixel2": Device("Google Pixel 2", 4, 51),
    "pixel3": Device("Google Pixel 3", 0.00327686, 36.7665),
    "raspi4": Device("Raspberry Pi 4", 0.0112835, 98.8875),
    "samsung_a50": Device("Samsung A50", 5, 183),
    "samsung_s7": Device("Samsung S7", 5, 90),
    "silver_4114": Device("Intel Xeon Silver 4114", 4.54977, 48.0771),
    "silver_4210r": Device("Intel Xeon Silver 4210R", 3.88299, 33.834),
    "titan_rtx_1": Device("NVIDIA Titan RTX, batch size 1", 2.48562, 12.1831),
    "titan_rtx_256": Device("NVIDIA Titan RTX, batch size 256", 5.94038, 47.7211),
    "titan_rtx_32": Device("NVIDIA Titan RTX, batch size 32", 2.39942, 10.6173),
    "titanx_1": Device("NVIDIA Titan X, batch size 1", 3.25627, 16.6565),
    "titanx_256": Device("NVIDIA Titan X, batch size 256", 8.14814, 39.9585),
    "titanx_32": Device("NVIDIA Titan X, batch size 32", 3.19407, 16.2383),
    "titanxp_1": Device("NVIDIA Titan Xp, batch size 1", 3.60025, 18.3791),
    "titanxp_256": Device("NVIDIA Titan Xp, batch size 256", 6.8172, 33.8134),
    "titanxp_32": Device("NVIDIA Titan Xp, batch size 32", 3.29401, 17.9374),
}


def recognises(path: Path) -> bool:
    """Return whether a file is a small zip archive as ``torch.save`` writes it, whose pickle begins with a list."""
    if not path.is_file() or path.stat().st_size > _MAX_BYTES:
        return False
    try:
        return _pickle(path, len(_LIST)) == _LIST
    except (DataError, *UNPACKING_ERRORS):
        return False


def read(path: Path, space: Space, start: Start) -> Collection:
    """Read a file; its name says which device it is of, and its range of latencies must be that device's.

    Args:
        path: The file.
        space: The space ``nb201``.
        start: Shows progress, in files.

    Returns:
        Its target.

    Raises:
        DataError: If it is not such a file, or not that of the device; without the path.
    """
    advance = start(1, "files")
    device = _device(path)
    values = _latencies(path, len(space))
    check_tells_apart(values, "its list")
    name, (hardware, fastest, slowest) = device, DEVICES[device]
    held = values.min(), values.max()
    if not np.allclose(held, (fastest, slowest), rtol=_ERROR, atol=0):
        raise DataError(
            f"its name says {name}, and its latencies lie from {held[0]:g} to {held[1]:g} ms: expected {fastest:g} to "
            f"{slowest:g}"
        )
    collection = Collection("help-nb201", space.name, len(space), seeds_are_numbers=True)
    quantity = Quantity("latency", "ms", higher_is_better=False, measured_on=hardware)
    collection.add_target(Target("cifar10", name, None), values, quantity)
    advance(1)
    return collection


def _device(path: Path) -> str:
    if path.stem not in DEVICES:
        raise DataError(
            f"its name is no device of HELP, and nothing in it says of which it is: expected {', '.join(DEVICES)}, and "
            ".pt"
        )
    return path.stem


def _latencies(path: Path, size: int) -> np.ndarray:
    try:
        content = pickles.load_stream(io.BytesIO(_pickle(path)))
    except OSError:
        raise
    except UNPACKING_ERRORS as error:
        raise DataError(f"it is damaged or cut off ({error or type(error).__name__})") from error
    if not isinstance(content, list):
        raise DataError(f"expected a list of latencies, got a {type(content).__name__}")
    if len(content) != size:
        raise DataError(f"it has {len(content):,} latencies, expected one for each of {size:,} cells")
    for place, value in enumerate(content):
        if type(value) not in (int, float) or not 0 < value <= MAX_VALUE:
            raise DataError(f"position {place}: expected a latency in ms, got {quoted(value)}")
    return np.array(content, dtype=np.float64)


def _pickle(path: Path, max_bytes: int = _MAX_BYTES) -> bytes:
    """Return the first bytes of the pickle inside; its checksum is compared where it is read whole.

    Raises:
        DataError: If it is no archive that torch wrote, or larger than such a file.
    """
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        members = [entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl")]
        if len(members) != 1 or len(archive.infolist()) > _MAX_MEMBERS:
            raise DataError(
                f"it is a zip archive that torch did not write: it has {len(members)} files data.pkl, not 1"
            )
        # What is unpacked could be far more than the file, whose size bounds the memory.
        if members[0].compress_type != zipfile.ZIP_STORED or members[0].file_size > _MAX_BYTES:
            raise DataError("it is a zip archive that torch did not write: its data.pkl is compressed, or too large")
        with archive.open(members[0]) as stream:
            return stream.read(max_bytes)
