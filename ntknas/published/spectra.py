"""Spectra, which lie apart: one file for each way, a row group for each seed."""

from __future__ import annotations

import numpy as np

from ntknas.published import tables


def file_of(way: str) -> str:
    """Return the name of a way's file of spectra."""
    return f"{way}.parquet"


def read_spectra(content: bytes, eigenvalues: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Read the spectra of one seed.

    Args:
        content: The Parquet file.
        eigenvalues: Eigenvalues of each kernel.
        seed: The seed.

    Returns:
        Networks, in ascending order, and their eigenvalues in rows; NaN where there is none.

    Raises:
        ValueError: If it is something else, or lacks the seed.
    """
    rows = tables.rows_of(tables.opened(content, tables.spectra_schema(eigenvalues)))
    of_seed = tables.numbers(rows, "seed") == seed
    networks = tables.numbers(rows, "network")[of_seed]
    if not len(networks) or (np.diff(networks) <= 0).any():
        raise ValueError(f"its spectra of seed {seed} are not one for each network, in ascending order")
    values = rows.column("eigenvalues").chunk(0).flatten().to_numpy(zero_copy_only=False)
    return networks, values.reshape(-1, eigenvalues)[of_seed].astype(np.float32)
