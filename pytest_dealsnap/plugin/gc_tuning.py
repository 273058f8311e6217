"""What stays until a run's end need not be looked at by the garbage collector again and again."""

from __future__ import annotations

import gc

__all__ = ["set_aside"]

# Fewer items cost the collector nothing that anybody could measure.
MANY = 1_000


def set_aside(items: int) -> None:
    """Take what was made so far out of the garbage collector's rounds, if *items* are many.

    The items of a hundred thousand deals live until the process ends. The collector would go through
    them at each of its full rounds, and once more as the interpreter shuts down: a tenth of a run's time.
    Reference counting frees them as ever; only cycles that became garbage before now are kept.
    """
    if items >= MANY:
        gc.collect()
        gc.freeze()
