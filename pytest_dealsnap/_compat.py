"""Every touch of private names of pytest, syrupy, xdist and jmespath: a release that changes one is met here.

Nothing of theirs is imported before a function is called, so that the command line does without pytest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest
    from _pytest._code.code import TerminalRepr as TerminalRepr
    from _pytest.fixtures import FuncFixtureInfo as FuncFixtureInfo
    from _pytest.fixtures import TopRequest as TopRequest

__all__ = [
    "CallSpec",
    "DecimalNumbers",
    "RecordedSide",
    "RunsAgain",
    "dealt_out",
    "encoding_of",
    "fixture_request",
    "fixtures_for",
    "is_pytests_own",
    "is_users_frame",
    "junit_xml",
    "syrupy_session",
    "width_of",
]


# --- pytest: fixtures of items that are no functions, as its own doctest items get them


def fixtures_for(item: pytest.Item, function: Callable[..., Any]) -> FuncFixtureInfo:
    """Return the fixtures that *item* needs to call *function*, the autouse ones among them."""
    return item.session._fixturemanager.getfixtureinfo(node=item, func=function, cls=None)


def fixture_request(item: Any, fixtures: FuncFixtureInfo) -> TopRequest:
    """Return a request of *item* for its *fixtures*."""
    from _pytest.fixtures import TopRequest

    item._fixtureinfo, item.fixturenames = fixtures, fixtures.names_closure
    return TopRequest(item, _ispytest=True)


class RunsAgain:
    """An item that plugins may run again: they call pytest's own method of functions before."""

    def _initrequest(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Forget the last attempt."""
        raise NotImplementedError


class CallSpec:
    """A callspec that gives no fixture its value. A parameter has function scope: pytest orders items by wider ones."""

    __slots__ = ("params",)
    params: dict[str, str]

    @property
    def _arg2scope(self) -> Mapping[str, Any]:
        from _pytest.scope import Scope

        return MappingProxyType(dict.fromkeys(self.params, Scope.Function))


# --- pytest: reports, terminal and process


def junit_xml(config: pytest.Config) -> Any:
    """Return what writes the JUnit report; ``None`` where none is asked for."""
    from _pytest.junitxml import xml_key

    return config.stash.get(xml_key, None)


def encoding_of(reporter: pytest.TerminalReporter) -> str | None:
    """Return the encoding of the terminal; ``None`` where its stream names none."""
    return getattr(reporter._tw._file, "encoding", None)


def width_of(reporter: pytest.TerminalReporter) -> int:
    """Return how many columns the terminal has."""
    return reporter._tw.fullwidth


def is_users_frame(path: str | Path) -> bool:
    """Whether a frame is the user's: ours, pytest's and pluggy's would be repeated for every deal."""
    return not {"pytest_dealsnap", "_pytest", "pluggy"}.intersection(Path(path).parts)


def is_pytests_own(frame: FrameType | None) -> bool:
    """Whether the process of *frame* ends with pytest's exit status: it is not that of a program which calls pytest."""
    while frame is not None:
        main = frame.f_code.co_name in ("console_main", "_console_main")
        if main and frame.f_globals.get("__name__") == "_pytest.config":
            return True
        frame = frame.f_back
    return False


# --- xdist


def dealt_out(config: pytest.Config) -> Callable[[], list[Any]] | None:
    """Return what lists the positions of the items that this worker runs next; ``None`` in a process of its own."""
    interactor: Any = next(
        (one for one in config.pluginmanager.get_plugins() if type(one).__name__ == "WorkerInteractor"), None
    )
    if interactor is None:
        return None

    def positions() -> list[Any]:
        with interactor.torun.lock() as waiting:
            return [interactor.nextitem_index, *waiting]

    return positions


# --- syrupy


def syrupy_session(config: pytest.Config) -> Any:
    """Return syrupy's session; ``None`` where its plugin is turned off."""
    return getattr(config, "_syrupy", None)


class RecordedSide:
    """An assertion of syrupy's that knows its recorded side, and how the other one is written."""

    def _recall_data(self, index: Any) -> tuple[str | None, bool]:
        return self.recorded_text(), False

    def _serialize(self, data: Any) -> str:
        return self.text_of(data)

    def recorded_text(self) -> str:
        """Return the recorded side."""
        raise NotImplementedError

    def text_of(self, data: Any) -> str:
        """Return *data* as text that is compared with the recorded side."""
        raise NotImplementedError


# --- jmespath


class DecimalNumbers:
    """Functions of JMESPath to which a ``Decimal`` is a number wherever a float is."""

    def _convert_to_jmespath_type(self, pyobject: str) -> Any:
        functions: Any = super()
        return "number" if pyobject == "Decimal" else functions._convert_to_jmespath_type(pyobject)

    def _get_allowed_pytypes(self, types: list[str]) -> Any:
        functions: Any = super()
        allowed, subtypes = functions._get_allowed_pytypes(types)
        if "float" in allowed:
            allowed.append("Decimal")
        return allowed, [[*group, "Decimal"] if "float" in group else group for group in subtypes]
