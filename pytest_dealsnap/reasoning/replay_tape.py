"""The recorded calls of one deal, while its reasoner runs: what is answered from them, and what is asked anew."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pytest_dealsnap.errors import DealsnapError, ReplayError, ReplayMissError
from pytest_dealsnap.judging.differences import changed_leaves
from pytest_dealsnap.judging.paths import show_path
from pytest_dealsnap.judging.templates import path_form
from pytest_dealsnap.reasoning.replay_diff import request_difference

__all__ = ["CallsMade", "RecordedCall", "Tape", "TapeMode"]

TapeMode = Literal["record", "ask", "stop"]


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call: what finds its answer again, the answer in JSON, and what it cost."""

    key: str
    index: int
    call: str
    request: dict[str, Any]
    response: Any
    cost: Decimal | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CallsMade:
    """What the calls of one deal came to.

    ``miss`` is the first request that was not recorded, as a difference, and ``miss_paths`` are the places of it;
    ``stopped`` says why the deal cannot be judged. ``unpriced`` counts calls whose cost is not known. ``unfollowed`` is
    the first process that the reasoner started.
    """

    replayed: int = 0
    asked: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    miss: str = ""
    miss_paths: tuple[str, ...] = ()
    stopped: DealsnapError | None = None
    recorded: tuple[RecordedCall, ...] = ()
    unfollowed: str = ""

    @property
    def evidence(self) -> str:
        """How the deal's output came about: all calls were replayed, or something was computed."""
        return "replayed" if self.replayed and not self.asked else "computed"


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that has begun; ``found`` is its recorded answer, where there is one."""

    key: str
    index: int
    call: str
    request: dict[str, Any]
    number: int
    found: RecordedCall | None


class Tape:
    """The calls of one deal. Its methods may be called from any thread of the process that made it."""

    def __init__(
        self,
        deal_id: str,
        recorded: Sequence[RecordedCall] | None,
        mode: TapeMode,
        *,
        before_asking: Callable[[], None] | None = None,
    ) -> None:
        self.deal_id = deal_id
        self._before_asking = before_asking
        self._mode = mode
        self._recorded = {(one.key, one.index): one for one in recorded or ()}
        self._unused = dict(self._recorded)
        self._has_recording = recorded is not None
        self._seen: Counter[str] = Counter()
        self._made: list[tuple[int, RecordedCall]] = []
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._number = self._replayed = self._asked = self._unpriced = 0
        self._cost = Decimal(0)
        self._miss = ""
        self._miss_paths: tuple[str, ...] = ()
        self._stopped: DealsnapError | None = None
        self._unfollowed = ""
        self._closed = False

    def begin(self, call: str, key: str, request: dict[str, Any]) -> Begun:
        """Begin one call.

        Raises :class:`ReplayMissError` for a request that was not recorded and must not be made,
        :class:`ReplayError` for a call after the deal's end or in another process.
        """
        if os.getpid() != self._owner:
            raise ReplayError(
                f"{call} was called in a process that the reasoner forked, where no call is recorded or replayed: "
                "make the call in the reasoner's own process"
            )
        with self._lock:
            if self._closed:
                raise ReplayError(
                    f"{call} was called after the call of deal {self.deal_id} had ended: nothing is asked"
                )
            if self._stopped is not None:
                raise self._stopped
            index = self._seen[key]
            self._seen[key] += 1
            self._number += 1
            found = self._recorded.get((key, index)) if self._mode != "record" else None
            begun = Begun(key, index, call, request, self._number, found)
            if found is not None:
                self._unused.pop((key, index), None)
                self._replayed += 1
                return begun
            if self._mode != "record" and not self._miss:
                self._miss = self._difference(begun)
            if self._mode == "stop":
                self._stopped = ReplayMissError(f"a request was never recorded, and is not made: {self._miss}")
                raise self._stopped
            self._asked += 1
        if self._before_asking is not None:
            try:
                self._before_asking()  # may refuse: a replay is free, and only now something is paid
            except DealsnapError as error:
                self.stop(error)
                raise
        return begun

    def _difference(self, begun: Begun) -> str:
        call = begun.call
        if not self._has_recording:
            return f"{call}: no calls of this deal are recorded"
        if (begun.key, 0) in self._recorded:
            return f"{call}: the same request was recorded {begun.index:,} times, and is made once more"
        nearest = next((one for one in self._unused.values() if one.call == call), None)
        if nearest is None:
            return f"{call}: every recorded call of it was used, and one more is made"
        changed = changed_leaves(nearest.request, begun.request)
        self._miss_paths = tuple(dict.fromkeys(path_form(show_path(path)) for path, _, _ in changed))
        return "\n".join([call, *request_difference(nearest.request, begun.request)])

    def made(self, begun: Begun, response: Any, *, cost: Decimal | None, seconds: float) -> None:
        """Take note of a call that was made, and of its answer in JSON."""
        recorded = RecordedCall(begun.key, begun.index, begun.call, begun.request, response, cost, seconds)
        with self._lock:
            self._made.append((begun.number, recorded))
            if cost is None:
                self._unpriced += 1
            else:
                self._cost += cost

    def failed(self, begun: Begun) -> None:
        """Take note of a call that raised: the next same request is the same call, tried again."""
        with self._lock:
            self._seen[begun.key] -= 1
            self._unpriced += 1

    def stop(self, error: DealsnapError) -> None:
        """Keep the deal from being judged, whatever its reasoner makes of *error*."""
        with self._lock:
            self._stopped = self._stopped or error

    def process_started(self, program: str) -> None:
        """Take note of a process that the reasoner starts: what it asks is neither recorded nor replayed."""
        with self._lock:
            self._unfollowed = self._unfollowed or program

    def close(self) -> CallsMade:
        """End the deal: a call that is left behind asks nothing any more. Return what its calls came to."""
        with self._lock:
            self._closed = True
            recorded = tuple(one for _, one in sorted(self._made, key=lambda made: made[0]))
            facts = (self._replayed, self._asked, self._cost, self._unpriced, self._miss, self._miss_paths)
            return CallsMade(*facts, self._stopped, recorded, self._unfollowed)
