"""Functions whose calls are recorded and replayed: they stay themselves, and only their code changes during a run.

A function is caught where it is defined, so that every module that has imported it already calls the recorded form.
Only the standard library is used here: an application imports :func:`replayable` with nothing else.
"""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Protocol, TypeVar

__all__ = ["Answerer", "Arguments", "Interception", "Point", "registered", "replayable"]

F = TypeVar("F", bound=Callable[..., Any])
Arguments = dict[str, Any]

_REGISTERED: list[FunctionType] = []


def replayable(function: F) -> F:
    """Have the calls of *function* recorded by captures and replayed by gates; outside of them nothing changes.

    Args:
        function: A function or method of a module, written in Python, sync or async, a generator or not.

    Returns:
        *function* itself.

    Raises:
        TypeError: *function* is of another kind, such as a class or a property.
    """
    found: Any = function.__func__ if isinstance(function, (staticmethod, classmethod)) else function
    if not isinstance(found, FunctionType):
        raise TypeError(f"replayable takes a function written in Python, not {type(function).__name__}")
    _REGISTERED.append(found)
    return function


def registered() -> tuple[FunctionType, ...]:
    """Return the functions that :func:`replayable` was told of, as far as their modules were imported."""
    return tuple(_REGISTERED)


class Answerer(Protocol):
    """What answers the calls of a point: from a recording, or by the function itself."""

    def call(self, point: Point, args: tuple[Any, ...], kwargs: Arguments) -> Any: ...

    async def call_async(self, point: Point, args: tuple[Any, ...], kwargs: Arguments) -> Any: ...

    def stream(self, point: Point, args: tuple[Any, ...], kwargs: Arguments) -> Generator[Any, Any, Any]: ...

    def stream_async(self, point: Point, args: tuple[Any, ...], kwargs: Arguments) -> Any: ...

    def process_started(self, program: str) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """One function whose calls are caught.

    ``original`` does what the function did before; ``bound`` says that its first argument is an object or a class,
    which is no part of a request.
    """

    name: str
    function: FunctionType
    original: Callable[..., Any]
    signature: inspect.Signature
    bound: bool

    @staticmethod
    def of(function: FunctionType, *, bound: bool) -> Point:
        """Return the point of *function*."""
        original = FunctionType(
            function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
        )
        original.__kwdefaults__ = function.__kwdefaults__
        name = f"{function.__module__}:{function.__qualname__}"
        return Point(name, function, original, inspect.signature(function), bound)

    def arguments(self, args: tuple[Any, ...], kwargs: Arguments) -> Arguments:
        """Return the arguments of a call by their names, defaults included; what ``**`` takes is named as given."""
        try:
            given = self.signature.bind(*args, **kwargs)
        except TypeError:  # a decorator that takes other arguments than the function that it wraps
            return {"args": list(args[self.bound :]), **kwargs}
        given.apply_defaults()
        found = dict(given.arguments)
        parameters = list(self.signature.parameters.values())
        if self.bound and parameters:
            first = parameters[0]
            if first.kind is first.VAR_POSITIONAL:
                found[first.name] = found[first.name][1:]
            else:
                found.pop(first.name, None)
        for parameter in parameters:
            if parameter.kind is parameter.VAR_KEYWORD:
                more = found.pop(parameter.name, {})
                found |= {(key if key not in found else f"{parameter.name}.{key}"): item for key, item in more.items()}
        return found


class Interception:
    """Points whose calls go to an :class:`Answerer` between :meth:`begin` and :meth:`end`.

    Threads that are started meanwhile, and calls handed to a thread pool, keep the context of who started them: by it
    a call is known to be a deal's. Processes that a deal starts are not followed: the answerer is told of them.
    """

    def __init__(self, points: Iterator[Point] | list[Point], answerer: Answerer) -> None:
        self._points = list(points)
        self._answerer = answerer
        self._code: list[tuple[FunctionType, CodeType]] = []
        self._starting: tuple[Any, Any, Any, Any] | None = None

    def begin(self) -> None:
        """Catch all calls from now on."""
        for point in self._points:
            self._code.append((point.function, point.function.__code__))
            point.function.__code__ = _catching(point, self._answerer)
        import subprocess  # an application that decorates functions pays for neither
        from multiprocessing.process import BaseProcess

        starts = (threading.Thread.start, ThreadPoolExecutor.submit, subprocess.Popen.__init__, BaseProcess.start)
        self._starting = starts
        threading.Thread.start = _start_in_context(starts[0])  # type: ignore[method-assign]
        ThreadPoolExecutor.submit = _submit_in_context(starts[1])  # type: ignore[method-assign]
        subprocess.Popen.__init__ = _told_program(starts[2], self._answerer)  # type: ignore[method-assign]
        BaseProcess.start = _told_process(starts[3], self._answerer)  # type: ignore[method-assign]

    def end(self) -> None:
        """Give every function its own code back."""
        while self._code:
            function, code = self._code.pop()
            function.__code__ = code
        if self._starting is not None:
            threading.Thread.start, ThreadPoolExecutor.submit = self._starting[:2]  # type: ignore[method-assign]
            import subprocess
            from multiprocessing.process import BaseProcess

            subprocess.Popen.__init__, BaseProcess.start = self._starting[2:]  # type: ignore[method-assign]
            self._starting = None


def _start_in_context(start: Callable[..., None]) -> Any:
    def start_in_context(thread: threading.Thread) -> None:
        context, run = copy_context(), thread.run
        thread.run = partial(context.run, run)  # type: ignore[method-assign]
        start(thread)

    return start_in_context


def _submit_in_context(submit: Callable[..., Any]) -> Any:
    def submit_in_context(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        return submit(self, copy_context().run, fn, *args, **kwargs)

    return submit_in_context


def _told_program(start: Callable[..., None], answerer: Answerer) -> Any:
    def start_and_tell(self: Any, args: Any, *more: Any, **keywords: Any) -> None:
        words = args if isinstance(args, (list, tuple)) else [args]
        shown = os.fsdecode(words[0]) if words and isinstance(words[0], (str, bytes, os.PathLike)) else ""
        answerer.process_started(Path(shown.split()[0]).name if shown.split() else "?")  # what follows may be a secret
        start(self, args, *more, **keywords)

    return start_and_tell


def _told_process(start: Callable[..., None], answerer: Answerer) -> Any:
    def start_and_tell(self: Any) -> None:
        answerer.process_started(f"multiprocessing's {type(self).__name__}")
        start(self)

    return start_and_tell


_MARK = "the point's answer"


def _call(*args: Any, **kwargs: Any) -> Any:
    answer: Any = "the point's answer"
    return answer(args, kwargs)


async def _call_async(*args: Any, **kwargs: Any) -> Any:
    answer: Any = "the point's answer"
    return await answer(args, kwargs)


def _stream(*args: Any, **kwargs: Any) -> Any:
    answer: Any = "the point's answer"
    return (yield from answer(args, kwargs))


async def _stream_async(*args: Any, **kwargs: Any) -> Any:
    answer: Any = "the point's answer"
    items = answer(args, kwargs)
    try:
        async for item in items:
            yield item
    finally:  # else a stream that is left early would be closed at some later time
        await items.aclose()


def _catching(point: Point, answerer: Answerer) -> CodeType:
    """Return code of the same kind as the function's, which asks *answerer* instead.

    The answer stands among its constants, so that nothing is added to the module of the function.
    """
    before = point.function.__code__
    flags = before.co_flags
    template: Any
    answer: Any
    if flags & inspect.CO_ASYNC_GENERATOR:
        template, answer = _stream_async, answerer.stream_async
    elif flags & (inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE):
        template, answer = _call_async, answerer.call_async
    elif flags & inspect.CO_GENERATOR:
        template, answer = _stream, answerer.stream
    else:
        template, answer = _call, answerer.call
    code: CodeType = template.__code__
    asking = partial(answer, point)
    return code.replace(
        co_consts=tuple(asking if constant == _MARK else constant for constant in code.co_consts),
        co_freevars=before.co_freevars,  # a function's code may only be replaced by one with as many
        co_name=before.co_name,
        co_qualname=before.co_qualname,
    )
