"""An event loop for one call after another, which no reasoner can hang as it ends."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Coroutine
from typing import Any

__all__ = ["LAST_WORDS", "CallLoop"]

# Seconds that cancelled tasks have for their own clean-up.
LAST_WORDS = 1.0
_STOPPED = "Event loop stopped before Future completed."


class CallLoop:
    """An event loop made when it is first needed, and again after a reasoner stopped it."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def run(self, call: Coroutine[Any, Any, Any]) -> Any:
        """Run *call*, in the context of now: the runner's own is a copy of the first call's."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            return self._runner.run(call, context=contextvars.copy_context())
        except RuntimeError as error:
            if str(error) == _STOPPED:  # its tasks are still there, and would go on in the next call
                self.close()
            raise

    def close(self) -> None:
        """Cancel what is left and close the loop; a task that will not be cancelled is left behind."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        loop = runner.get_loop()
        until = time.monotonic() + LAST_WORDS
        while (left := asyncio.all_tasks(loop)) and (seconds := until - time.monotonic()) > 0:
            for task in left:
                task.cancel()
            _run_shortly(loop, asyncio.wait(left, timeout=seconds))
        if not left:
            _run_shortly(loop, asyncio.wait_for(loop.shutdown_asyncgens(), LAST_WORDS))
        asyncio.set_event_loop(None)
        loop.close()


def _run_shortly(loop: asyncio.AbstractEventLoop, closing: Coroutine[Any, Any, Any]) -> None:
    try:
        loop.run_until_complete(closing)
    except (RuntimeError, asyncio.CancelledError, TimeoutError):
        return  # a task stopped the loop, or cancelled its own end; whoever closes it tries again while there is time
