"""The tables of a release: their columns, and a strict way into a Parquet file."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ntknas.spaces.structure import COUNTS

_TEXT = pa.dictionary(pa.int32(), pa.string())
CELLS = pa.schema(
    [
        pa.field("cell", pa.int32(), nullable=False),
        pa.field("network", pa.int32(), nullable=False),
        pa.field("network_all", pa.int32(), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in COUNTS),
    ]
)
"""Cells: the first cell that is the same network under ``weights`` and under ``all``, and the official counts."""
NETWORKS = pa.schema(
    [
        pa.field("network", pa.int32(), nullable=False),
        pa.field("architecture", pa.string(), nullable=False),
        pa.field("cells", pa.int32()),
        pa.field("cells_all", pa.int32(), nullable=False),
        pa.field("disconnected", pa.bool_(), nullable=False),
    ]
)
"""Networks under ``all``: number of cells that are it under ``weights``, null where it is none, and under ``all``."""
SCORES = pa.schema(
    [
        pa.field("way", _TEXT, nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("network", pa.int32(), nullable=False),
        pa.field("measure", _TEXT, nullable=False),
        pa.field("value", pa.float32()),
        pa.field("wide", pa.float64()),
        pa.field("status", _TEXT, nullable=False),
        pa.field("reason", _TEXT, nullable=False),
        pa.field("seconds", pa.float32(), nullable=False),
        pa.field("run", _TEXT, nullable=False),
    ]
)
"""Scores; ``wide`` has the numbers that are beyond the range of float32, where ``value`` is null."""
_MAX_ROWS = 1 << 26


def spectra_schema(eigenvalues: int) -> pa.Schema:
    """Return the columns of a file of spectra."""
    return pa.schema(
        [
            pa.field("seed", pa.int64(), nullable=False),
            pa.field("network", pa.int32(), nullable=False),
            pa.field("eigenvalues", pa.list_(pa.float32(), eigenvalues), nullable=False),
        ]
    )


def opened(content: bytes, schema: pa.Schema) -> pq.ParquetFile:
    """Open a Parquet file that lies in memory.

    Args:
        content: Its bytes.
        schema: The columns that it must have.

    Returns:
        The file.

    Raises:
        ValueError: If it is no such file, has other columns, or more rows than any of ours.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        found = file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"it is no Parquet file: {error}") from error
    if not found.equals(schema):
        raise ValueError(f"its columns are {_shown(found)}, expected {_shown(schema)}")
    if file.metadata.num_rows > _MAX_ROWS:
        raise ValueError(f"it has {file.metadata.num_rows:,} rows, and at most {_MAX_ROWS:,} are read")
    return file


def _shown(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)


def rows_of(file: pq.ParquetFile, groups: list[int] | None = None) -> pa.Table:
    """Return the rows of a file, or of some of its row groups, each column in one piece.

    Args:
        file: The file.
        groups: Numbers of row groups; all without any.

    Returns:
        The rows.

    Raises:
        ValueError: If they cannot be unpacked.
    """
    try:
        table = file.read() if groups is None else file.read_row_groups(groups)
        table = table.combine_chunks()
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"its rows cannot be read: {error}") from error
    return table


def numbers(table: pa.Table, name: str) -> np.ndarray:
    """Return a column of numbers; what is null in one of floats is NaN."""
    values: np.ndarray = table.column(name).to_numpy()
    return values


def coded(table: pa.Table, name: str) -> tuple[np.ndarray, list[str]]:
    """Return the codes of a column of texts, and what they stand for."""
    column = table.column(name)
    if column.num_chunks == 0:
        return np.empty(0, np.int32), []
    chunk = column.chunk(0)
    return chunk.indices.to_numpy(), chunk.dictionary.to_pylist()
