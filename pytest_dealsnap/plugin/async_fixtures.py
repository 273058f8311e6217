"""On which event loop async fixtures ran: what they opened, such as a client, works on that loop only.

pytest-asyncio, anyio and others make the loops. Which of them made one, and when it runs, does not matter here.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import aclosing
from functools import wraps
from typing import TYPE_CHECKING, Any

from pytest_dealsnap.reasoning.loops import Home

if TYPE_CHECKING:
    from pytest import FixtureDef  # noqa: PT013  # for the type only: this module needs nothing of pytest's

__all__ = ["FixtureHomes"]

HOMES_KEPT = 64


class FixtureHomes:
    """Learns, as fixtures are set up, where each async one runs, and so where the reasoner belongs."""

    def __init__(self) -> None:
        self._homes: dict[str, Home] = {}
        self._needs: dict[str, tuple[str, ...]] = {}
        self._reasoners: dict[int, tuple[object, Home | None]] = {}

    def of(self, function: Callable[..., Any]) -> Home | None:
        """Return the home of a reasoner, ``None`` where no async fixture has a part in it."""
        known, home = self._reasoners.get(id(function), (None, None))
        return home if known is function else None

    def set_up(self, definition: FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Watch one fixture's set-up, around the plugin that runs it."""
        name, function = definition.argname, definition.func
        self._needs[name] = tuple(definition.argnames)
        self._homes.pop(name, None)
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            definition.func = self._noting(name, function)  # type: ignore[misc]  # as plugins for async fixtures do
        try:
            value = yield
        finally:
            definition.func = function  # type: ignore[misc]
        if name == "deal_reasoner":
            if len(self._reasoners) >= HOMES_KEPT:
                self._reasoners.clear()
            self._reasoners[id(value)] = (value, self._home_of(name))
        return value

    def _noting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isasyncgenfunction(function):

            @wraps(function)
            async def noted_values(*args: Any, **keywords: Any) -> AsyncIterator[Any]:
                self._note(name)
                async with aclosing(function(*args, **keywords)) as values:
                    async for value in values:
                        yield value

            return noted_values

        @wraps(function)
        async def noted(*args: Any, **keywords: Any) -> Any:
            self._note(name)
            return await function(*args, **keywords)

        return noted

    def _note(self, name: str) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # trio's or another library's
            loop = None
        self._homes[name] = Home(name, loop)

    def _home_of(self, name: str) -> Home | None:
        """Return the home of the fixture *name*: its own, or that of the nearest async fixture that it asks for."""
        waiting, seen = [name], set[str]()
        while waiting:
            current = waiting.pop(0)
            if current in self._homes:
                return self._homes[current]
            seen.add(current)
            waiting += [needed for needed in self._needs.get(current, ()) if needed not in seen]
        return None
