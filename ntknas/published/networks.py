"""The networks of a release."""

from __future__ import annotations

import pandas as pd

from ntknas.published import tables


def read_networks(content: bytes) -> pd.DataFrame:
    """Read the table of networks.

    Args:
        content: The Parquet file.

    Returns:
        By network: ``architecture``, number of cells that are it under ``weights`` (missing where it is none) and under
        ``all``, and whether it is ``disconnected``.

    Raises:
        ValueError: If it is something else.
    """
    rows = tables.rows_of(tables.opened(content, tables.NETWORKS))
    table: pd.DataFrame = rows.to_pandas().astype({"cells": "Int32"})
    return table.set_index("network")
