"""Reads plain arrays and texts of an HDF5 file, and nothing that leads elsewhere.

HDF5 can follow a name into another file (external and soft links), take an array's bytes from any file (external
storage, virtual data sets), and declare arrays that are larger than any memory. A file that somebody else made may do
so; none of ours does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import h5py
import numpy as np
from h5py import h5d, h5l, h5z

_FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
_LAYOUTS = {h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED}
_MAX_EXPANSION = 1040
"""Bytes that deflate can make of one byte."""
_MAX_CHUNK = 1 << 28  # a chunk is unpacked whole, whatever is read of it
_TEXTS_AT_ONCE = 1 << 28
"""Bytes that the texts of one step may take, if each were as long as the file."""
_MAX_NAMES = 1 << 16
Node = TypeVar("Node", h5py.Group, h5py.Dataset)
Attribute = str | int | float | bool | list[int] | list[float] | list[bool]
"""What may be attached to a group."""


def group(parent: h5py.Group, path: str) -> h5py.Group:
    """Return a group that lies in the file itself.

    Args:
        parent: Where it lies.
        path: Names of groups, separated by slashes.

    Returns:
        The group.

    Raises:
        KeyError: If there is none.
        ValueError: If a name leads elsewhere, or to something else.
    """
    for name in path.split("/"):
        parent = _child(parent, name, h5py.Group)
    return parent


def names(parent: h5py.Group) -> list[str]:
    """Return the names in a group.

    Args:
        parent: The group.

    Returns:
        The names.

    Raises:
        ValueError: If there are more than any file of ours has.
    """
    if len(parent) > _MAX_NAMES:
        raise ValueError(f"{parent.name} holds {len(parent):,} names")
    return list(parent)


def _child(parent: h5py.Group, name: str, kind: type[Node]) -> Node:
    path = f"{(parent.name or '').rstrip('/')}/{name}"
    links = parent.id.links  # neither question follows a link
    if not links.exists(name.encode()):
        raise KeyError(f"no {path}")
    if links.get_info(name.encode()).type != h5l.TYPE_HARD:
        raise ValueError(f"{path} is a link that leads elsewhere, and is not followed")
    child = parent[name]
    if not isinstance(child, kind):
        raise ValueError(f"{path} is no {kind.__name__.lower()}")  # noqa: TRY004
    return child


def array(
    parent: h5py.Group, name: str, dtypes: str | np.dtype[np.generic] | Sequence[str], shape: Sequence[int | None]
) -> np.ndarray:
    """Read an array of numbers.

    Args:
        parent: Where it lies.
        name: Its name.
        dtypes: The type that it must have, or several that it may have.
        shape: Its lengths; ``None`` for one that may be any.

    Returns:
        The array.

    Raises:
        KeyError: If there is none.
        ValueError: If it leads elsewhere, or is of another type, shape or size.
    """
    dataset = _plain_dataset(parent, name)
    expected = [np.dtype(dtype) for dtype in ([dtypes] if isinstance(dtypes, str | np.dtype) else dtypes)]
    if dataset.dtype not in expected:
        raise ValueError(f"{dataset.name} is {dataset.dtype}, expected {' or '.join(map(str, expected))}")
    _check_shape(dataset, shape)
    _check_size(dataset, dataset.dtype.itemsize)
    values: np.ndarray = dataset[()]
    return values


def _check_shape(dataset: h5py.Dataset, shape: Sequence[int | None]) -> None:
    lengths: tuple[int, ...] = dataset.shape or ()
    fits = len(lengths) == len(shape) and all(
        expected is None or length == expected for length, expected in zip(lengths, shape, strict=True)
    )
    if dataset.shape is None or not fits:
        actual = " × ".join(map(str, lengths)) or "no array"
        expectation = " × ".join("any" if length is None else str(length) for length in shape)
        raise ValueError(f"{dataset.name} is {actual}, expected {expectation}")


def texts(parent: h5py.Group, name: str) -> list[str]:
    """Read a list of texts.

    Args:
        parent: Where it lies.
        name: Its name.

    Returns:
        The texts.

    Raises:
        KeyError: If there is none.
        ValueError: If it leads elsewhere, is no list of texts, or takes more than the file has.
    """
    dataset = _plain_dataset(parent, name)
    kind = h5py.check_string_dtype(dataset.dtype)
    if kind is None or kind.length is not None:
        raise ValueError(f"{dataset.name} is {dataset.dtype}, expected texts")
    _check_shape(dataset, (None,))
    _check_size(dataset, dataset.dtype.itemsize)
    size = int(parent.file.id.get_filesize())
    step, total, content = max(1, _TEXTS_AT_ONCE // size), 0, []
    for start in range(0, len(dataset), step):
        values = [bytes(value) for value in dataset[start : start + step]]
        total += sum(map(len, values))
        if total > size:  # one text that stands for many
            raise ValueError(f"{dataset.name} holds more text than the file has")
        content += [value.decode() for value in values]
    return content


def _plain_dataset(parent: h5py.Group, name: str) -> h5py.Dataset:
    """Return a data set whose bytes lie in the file."""
    dataset = _child(parent, name, h5py.Dataset)
    creation = dataset.id.get_create_plist()
    if creation.get_layout() not in _LAYOUTS:
        raise ValueError(f"{dataset.name} is a virtual data set, and its sources are not read")
    if creation.get_external_count():
        raise ValueError(f"{dataset.name} takes its bytes from another file, which is not read")
    filters = {creation.get_filter(number)[0] for number in range(creation.get_nfilters())}
    if not filters <= _FILTERS:
        raise ValueError(f"{dataset.name} is packed in a way that ntknas does not use")
    return dataset


def _check_size(dataset: h5py.Dataset, item: int) -> None:
    """Compare the size that an array declares with what the file holds of it, before it is read."""
    # As objects, Python's integers: those of numpy wrap round, and a huge shape would look small.
    declared = int(np.prod(dataset.shape, dtype=object)) * item
    stored = min(dataset.id.get_storage_size(), dataset.file.id.get_filesize())
    chunk = int(np.prod(dataset.chunks or (), dtype=object)) * item
    if declared > _MAX_EXPANSION * stored or chunk > _MAX_CHUNK:
        raise ValueError(f"{dataset.name} declares {declared:,} bytes, and the file holds {stored:,} of it")


def attributes(node: h5py.Group, names: Iterable[str]) -> dict[str, Attribute]:
    """Read single values and short lists that are attached to a group: texts, integers, numbers and truth values.

    Args:
        node: The group.
        names: Names of the attributes.

    Returns:
        The values by name.

    Raises:
        KeyError: If one is missing.
        ValueError: If one is something else.
    """
    return {name: _attribute(node, name) for name in names}


def text(node: h5py.Group, name: str) -> str:
    """Read an attribute that is a text.

    Args:
        node: The group.
        name: Its name.

    Returns:
        The text.

    Raises:
        KeyError: If it is missing.
        ValueError: If it is something else.
    """
    value = _attribute(node, name)
    if not isinstance(value, str):
        raise ValueError(f"the attribute {name} is no text")  # noqa: TRY004
    return value


def integer(node: h5py.Group, name: str) -> int:
    """Read an attribute that is a whole number.

    Args:
        node: The group.
        name: Its name.

    Returns:
        The number.

    Raises:
        KeyError: If it is missing.
        ValueError: If it is something else.
    """
    value = _attribute(node, name)
    if type(value) is not int:
        raise ValueError(f"the attribute {name} is no whole number")
    return value


def _attribute(node: h5py.Group, name: str) -> Attribute:
    if name not in node.attrs:
        raise KeyError(f"no attribute {name}")
    stored = node.attrs.get_id(name)
    is_text = h5py.check_string_dtype(stored.dtype) is not None
    if len(stored.shape) > (0 if is_text else 1) or not (is_text or stored.dtype.kind in "iufb"):
        raise ValueError(f"the attribute {name} is {stored.dtype} {stored.shape}, expected one value")
    content = node.attrs[name]
    if is_text and not isinstance(content, str):
        raise ValueError(f"the attribute {name} is no text")
    value: Attribute = content if is_text else content.tolist()
    return value
