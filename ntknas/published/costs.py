"""What computing scores took."""

from __future__ import annotations

import numpy as np

from ntknas.store.table import Table


def core_seconds(table: Table) -> float:
    """Return the seconds of one core that some scores took.

    Args:
        table: The scores. All measures of a kernel carry the seconds of the whole kernel, which count once; measures
            of the network carry their own.

    Returns:
        The sum over kernels of seconds times the threads of their run; one where a run does not say how many.
    """
    if not len(table):
        return 0.0
    keys = np.stack([table.columns[name].astype(np.float64) for name in ("setting", "run", "cell", "seed", "seconds")])
    _, first = np.unique(keys, axis=1, return_index=True)
    threads = np.array([_threads(run.info.get("threads")) for run in table.runs])
    return float((table.columns["seconds"][first] * threads[table.columns["run"][first]]).sum())


def _threads(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 1
