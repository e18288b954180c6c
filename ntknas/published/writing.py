"""The tables of a release as Parquet: the same rows give the same bytes with one version of pyarrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ntknas.published import tables
from ntknas.published.collect import Spectra
from ntknas.published.scores import Block, Coded, Key
from ntknas.spaces import Space
from ntknas.spaces.contract import Structured
from ntknas.spaces.structure import COUNTS

_LEVEL = 19


def _as_bytes(pieces: Sequence[pa.Table], schema: pa.Schema, encodings: Mapping[str, str]) -> bytes:
    """Return a Parquet file with one row group for each piece."""
    sink = pa.BufferOutputStream()
    texts = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    options = {
        "compression": "zstd",
        "compression_level": _LEVEL,
        "use_dictionary": texts,
        "column_encoding": encodings,
    }
    with pq.ParquetWriter(sink, schema, **options) as writer:
        for piece in pieces:
            writer.write_table(piece, row_group_size=max(len(piece), 1))
    content: bytes = sink.getvalue().to_pybytes()
    return content


def cells_table(space: Space, cells: Sequence[int]) -> pd.DataFrame:
    """Return what a release says of cells; see ``tables.CELLS``.

    Args:
        space: The space.
        cells: Indices of the cells, in ascending order.

    Returns:
        The table.
    """
    rows = []
    for index in cells:
        cell = space[index]
        networks = (space.representative(cell, parameters, "none") for parameters in ("weights", "all"))
        counts = {"parameters": space.parameters(cell), "flops": space.flops(cell)}
        if isinstance(space, Structured):
            counts |= space.structure(cell)._asdict()
        rows.append((index, *networks, *(counts[name] for name in COUNTS)))
    return pd.DataFrame(rows, columns=tables.CELLS.names)


def cells_bytes(table: pd.DataFrame) -> bytes:
    """Return the table of cells as a file."""
    arrow = pa.Table.from_pandas(table, tables.CELLS, preserve_index=False).replace_schema_metadata()
    return _as_bytes([arrow], tables.CELLS, dict.fromkeys(tables.CELLS.names, "DELTA_BINARY_PACKED"))


def networks_bytes(space: Space, table: pd.DataFrame) -> bytes:
    """Return the table of networks as a file.

    Args:
        space: The space.
        table: The cells.

    Returns:
        The file; see ``tables.NETWORKS``.
    """
    under_all, under_weights = (table[name].value_counts() for name in ("network_all", "network"))
    networks = sorted({*under_all.index, *under_weights.index})
    columns = {
        "network": networks,
        "architecture": [str(space[network]) for network in networks],
        "cells": [int(under_weights[network]) if network in under_weights.index else None for network in networks],
        "cells_all": [int(under_all.get(network, 0)) for network in networks],
        "disconnected": [space.is_disconnected(space[network]) for network in networks],
    }
    return _as_bytes([pa.table(columns, schema=tables.NETWORKS)], tables.NETWORKS, {})


def scores_bytes(blocks: Mapping[Key, Block]) -> bytes:
    """Return the scores as a file, a row group for each way and seed."""
    encodings = {"value": "BYTE_STREAM_SPLIT", "seconds": "BYTE_STREAM_SPLIT"}
    encodings |= {"network": "DELTA_BINARY_PACKED", "seed": "DELTA_BINARY_PACKED", "wide": "PLAIN"}
    pieces = [_rows(way, seed, block) for (way, seed), block in blocks.items()]
    return _as_bytes(pieces, tables.SCORES, encodings)


def _rows(way: str, seed: int, block: Block) -> pa.Table:
    measures, networks = block.value.shape
    value, wide = in_float32(block.value.ravel())
    names = ["way", "seed", "network", "measure", "value", "wide", "status", "reason", "seconds", "run"]
    columns = [
        _dictionary(np.zeros(measures * networks, np.int32), [way]),
        np.full(measures * networks, seed),
        np.tile(block.networks, measures),
        _dictionary(np.repeat(np.arange(measures), networks), block.measures),
        pa.array(value, pa.float32(), mask=np.isnan(value)),
        pa.array(wide, pa.float64(), mask=np.isnan(wide)),
        _texts(block.status),
        _texts(block.reason),
        pa.array(block.seconds.ravel(), pa.float32()),
        _texts(block.run),
    ]
    return pa.table(dict(zip(names, columns, strict=True)), schema=tables.SCORES)


def in_float32(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers rounded to float32, and apart those that it cannot hold to full precision.

    Args:
        values: The numbers; NaN where there is none.

    Returns:
        Numbers in float32, NaN where the range is too small; and these numbers, NaN elsewhere.
    """
    limits = np.finfo(np.float32)
    sizes = np.abs(values)
    is_beyond = (sizes > limits.max) | ((sizes < limits.tiny) & (sizes > 0))
    with np.errstate(over="ignore", under="ignore"):
        rounded = np.where(is_beyond, np.nan, values).astype(np.float32)
    return rounded, np.where(is_beyond, values, np.nan)


def _texts(column: Coded) -> pa.DictionaryArray:
    """Return a column of texts with those names alone that it has, in alphabetical order."""
    used, codes = np.unique(column.codes.ravel(), return_inverse=True)
    names = [column.names[code] for code in used]
    order = sorted(range(len(names)), key=names.__getitem__)
    places = np.argsort(order)
    return _dictionary(places[codes], [names[number] for number in order])


def _dictionary(codes: np.ndarray, names: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(list(names), pa.string()))


def spectra_bytes(spectra: Mapping[int, Spectra]) -> bytes:
    """Return the spectra of a way as a file, a row group for each seed."""
    pieces = []
    for seed, held in spectra.items():
        schema = tables.spectra_schema(held.values.shape[1])
        flat = pa.array(held.values.ravel(), pa.float32(), mask=np.isnan(held.values.ravel()))
        lists = pa.FixedSizeListArray.from_arrays(flat, held.values.shape[1])
        columns = {"seed": np.full(len(held.networks), seed), "network": held.networks, "eigenvalues": lists}
        pieces.append(pa.table(columns, schema=schema))
    encodings = {"seed": "DELTA_BINARY_PACKED", "network": "DELTA_BINARY_PACKED"}
    return _as_bytes(pieces, pieces[0].schema, encodings)
