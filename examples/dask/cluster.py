"""Where the deals are reasoned: the Dask cluster whose scheduler ``DASK_SCHEDULER`` names."""

from __future__ import annotations

import os
from concurrent.futures import Executor

from dask.distributed import Client

__all__ = ["executor"]


def executor() -> Executor:
    """Return an executor whose calls run on the cluster's workers.

    ``pure=False``, because Dask would otherwise take the same deal's answer from another run that is
    under way on the cluster, whose code may be another.
    """
    client = Client(os.environ["DASK_SCHEDULER"], timeout="30s")  # type: ignore[no-untyped-call]  # as all of Dask
    made: Executor = client.get_executor(pure=False)  # type: ignore[no-untyped-call]
    return made
