"""Kernels as files: the matrix with everything that says which one it is, and what each layer adds.

A file is sealed HDF5 (``core/sealed_file.py``): one that was changed is refused before HDF5 opens it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import torch
from torch import Tensor

from ntknas.core.choices import Choices
from ntknas.core.display import printable
from ntknas.core.errors import KernelError
from ntknas.core.files import replacing
from ntknas.core.kernel import Kernel
from ntknas.core.layer_kernel import LayerKernel
from ntknas.core.plain_hdf5 import array, attributes, group, integer, names, text, texts
from ntknas.core.sealed_file import check, new_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT, VERSION = "ntknas kernel", 1
_HEAD = {"format": FORMAT, "version": VERSION}
_FACTS = ("samples", "outputs", "symmetric", "strategy")
_DOUBLE, _INTEGER = "<f8", "<i8"


def save_kernel(kernel: Kernel, path: Path | str) -> Path:
    """Write a kernel into a file, which appears as a whole or not at all.

    Args:
        kernel: The kernel; its layers are written where it has some.
        path: The file.

    Returns:
        The file.

    Raises:
        KernelError: If it cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside:
            beside.write_bytes(_image(kernel))
    except OSError as error:
        raise KernelError(f"Cannot write the kernel {path}: {error.strerror or error}. Name another file.") from error
    return path


def load_kernel(path: Path | str) -> Kernel:
    """Read a kernel.

    Args:
        path: The file.

    Returns:
        The kernel, with the layers that it was written with.

    Raises:
        KernelError: If the file is missing, damaged, no kernel, or of another version.
    """
    path = Path(path)
    try:
        check(path)
        with h5py.File(path, "r", locking=False) as file:
            return _read(file)
    except (OSError, KeyError, ValueError, RuntimeError, TypeError, AttributeError, MemoryError) as error:
        # a file that was made to look like one of ours shows as any of these
        reason = printable(str(error.args[-1] if error.args else error).partition("\n")[0].rstrip("."))
        raise KernelError(
            f"{path} cannot be read as a kernel: {reason}. Expected a file that `ntknas kernel --save` or "
            "save_kernel wrote."
        ) from error


def _image(kernel: Kernel) -> bytes:
    with new_image() as (file, image):
        file.attrs.update(_HEAD | {name: getattr(kernel, name) for name in _FACTS})
        file.attrs["choices"] = json.dumps(kernel.choices.as_dict())
        _write(file, {"matrix": kernel.matrix, "left_norms": kernel.left_norms, "right_norms": kernel.right_norms})
        if kernel.labels is not None:
            _write(file, {"labels": kernel.labels.long()})
        if kernel.layers is not None:
            _write_layers(file.create_group("layers"), kernel.layers)
    return bytes(image)


def _write_layers(folder: h5py.Group, layers: tuple[LayerKernel, ...]) -> None:
    words = h5py.string_dtype("utf-8")
    for name in ("name", "kind"):
        folder.create_dataset(name, data=np.array([getattr(layer, name) for layer in layers], object), dtype=words)
    given = [number for number, layer in enumerate(layers) if layer.inputs is not None]
    stacks = {field: [getattr(layer.kernel, field) for layer in layers] for field in _STACKS}
    _write(folder, {field: torch.stack(values) for field, values in stacks.items() if values})
    _write(folder, {"columns": torch.tensor([layer.columns for layer in layers]), "given": torch.tensor(given).long()})
    if given:
        _write(folder, {"inputs": torch.stack([value for layer in layers if (value := layer.inputs) is not None])})


_STACKS = ("matrix", "left_norms", "right_norms")


def _write(folder: h5py.Group, values: Mapping[str, Tensor]) -> None:
    for name, tensor in values.items():
        options = {"compression": "gzip", "shuffle": True} if tensor.numel() else {}
        folder.create_dataset(name, data=tensor.numpy(), **options)


def _read(file: h5py.File) -> Kernel:
    if attributes(file, _HEAD) != _HEAD:
        raise ValueError(f"it is no kernel of version {VERSION}")
    matrix = array(file, "matrix", _DOUBLE, (None, None))
    rows, columns = matrix.shape
    fields = json.loads(text(file, "choices"))
    if isinstance(fields["parameters"], list):
        fields["parameters"] = tuple(fields["parameters"])
    kernel = Kernel(
        matrix=torch.from_numpy(matrix),
        choices=Choices(**fields),
        labels=_labels(file),
        samples=integer(file, "samples"),
        outputs=integer(file, "outputs"),
        symmetric=bool(attributes(file, ["symmetric"])["symmetric"]),
        strategy=text(file, "strategy"),
        left_norms=_tensor(file, "left_norms", rows),
        right_norms=_tensor(file, "right_norms", columns),
    )
    return replace(kernel, layers=_layers(group(file, "layers"), kernel)) if "layers" in names(file) else kernel


def _labels(file: h5py.File) -> Tensor | None:
    return torch.from_numpy(array(file, "labels", _INTEGER, (None,))) if "labels" in names(file) else None


def _layers(folder: h5py.Group, kernel: Kernel) -> tuple[LayerKernel, ...]:
    paths, kinds = texts(folder, "name"), texts(folder, "kind")
    count, (rows, columns) = len(paths), kernel.matrix.shape
    widths: NDArray[np.int64] = array(folder, "columns", _INTEGER, (count,))
    given = array(folder, "given", _INTEGER, (None,)).tolist()
    inputs = _tensor(folder, "inputs", len(given), kernel.samples, kernel.samples) if given else None
    if not count:
        return ()
    parts = zip(
        _tensor(folder, "matrix", count, rows, columns),
        _tensor(folder, "left_norms", count, rows),
        _tensor(folder, "right_norms", count, columns),
        strict=True,
    )
    kernels = [replace(kernel, matrix=matrix, left_norms=left, right_norms=right) for matrix, left, right in parts]
    taken = dict(zip(given, inputs, strict=True)) if inputs is not None else {}
    return tuple(
        LayerKernel(paths[number], kinds[number], int(widths[number]), kernels[number], taken.get(number))
        for number in range(count)
    )


def _tensor(folder: h5py.Group, name: str, *shape: int) -> Tensor:
    return torch.from_numpy(array(folder, name, _DOUBLE, shape))
