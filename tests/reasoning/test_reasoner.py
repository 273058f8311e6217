"""Calling conventions: what a reasoner is called with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import ConfigError, ReasonerError
from pytest_dealsnap.reasoning.reasoner import bind_reasoner, import_reasoner
from tests.builders import configure

DEAL = Deal(7, "Acme", "carveout", "spinoff")


class Engine:
    """Reasoners as methods of an application's class."""

    def __init__(self, factor: int = 3) -> None:
        self.factor = factor

    def by_id(self, deal_id: int) -> Any:
        """A method."""
        return (self.factor, deal_id)

    @classmethod
    def of_class(cls, deal: Deal) -> Any:
        """A class method."""
        return (cls.__name__, deal.id)

    @staticmethod
    def static(deal_type: str, deal_id: int) -> Any:
        """A static method."""
        return (deal_type, deal_id)

    def __call__(self, deal_id: int, *, deal_type: str) -> Any:
        """A callable object."""
        return (self.factor, deal_id, deal_type)


class Result:
    """A class as a reasoner: what it makes is the output."""

    def __init__(self, deal_id: int, verbose: bool = False) -> None:
        self.args = (deal_id, verbose)

    def __eq__(self, other: object) -> bool:
        return self.args == other

    __hash__ = None  # type: ignore[assignment]  # never a key


def positional_only(deal_id: int, /) -> Any:
    """The id, by position only."""
    return deal_id


def positional_default(verbose: bool = False, deal_id: int = 0, /) -> Any:
    """A default of its own in front of the id, by position only."""
    return (verbose, deal_id)


def keyword_only(*, deal_id: int, deal_type: str) -> Any:
    """Both by keyword only."""
    return (deal_id, deal_type)


def mixed(deal: Deal, /, deal_type: str, extra: int = 5, *, deal_id: int) -> Any:
    """All three, each in its way."""
    return (deal.id, deal_type, extra, deal_id)


def bare(*args: Any) -> Any:
    """Whatever comes by position."""
    return args


def named(**kwargs: Any) -> Any:
    """Whatever comes by name."""
    return kwargs


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that hides its function's parameters, but for ``functools.wraps``."""

    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return inner


@pytest.mark.parametrize(
    ("reasoner", "expected"),
    [
        (lambda deal_id: deal_id, 7),
        (lambda deal_type: deal_type, "carveout"),
        (lambda deal_id, deal_type: (deal_id, deal_type), (7, "carveout")),
        (lambda deal_type, deal_id: (deal_type, deal_id), ("carveout", 7)),
        (lambda deal: deal, DEAL),
        (lambda row: row.name, "Acme"),
        (lambda deal=None: deal, DEAL),
        (lambda deal, verbose=False: (deal.id, verbose), (7, False)),
        (lambda deal_id, verbose=False: (deal_id, verbose), (7, False)),
        (lambda deal, deal_type: (deal.id, deal_type), (7, "carveout")),
        (lambda deal_id, *, limit=9: (deal_id, limit), (7, 9)),
        (positional_only, 7),
        (positional_default, (False, 7)),
        (keyword_only, (7, "carveout")),
        (mixed, (7, "carveout", 5, 7)),
        (bare, (DEAL,)),
        (named, {"deal_id": 7, "deal_type": "carveout"}),
        (lambda deal_id, *args, **kwargs: (deal_id, args, kwargs), (7, (), {})),
        (lambda *args, deal_id, **kwargs: (args, deal_id, kwargs), ((), 7, {})),
        (Engine(4).by_id, (4, 7)),
        (Engine.of_class, ("Engine", 7)),
        (Engine.static, ("carveout", 7)),
        (Engine(5), (5, 7, "carveout")),
        (functools.partial(lambda factor, deal_id: (factor, deal_id), 6), (6, 7)),
        (functools.partial(lambda deal, factor: (factor, deal.id), factor=6), (6, 7)),
        (Result, (7, False)),
        (wrapped(lambda deal_id: deal_id), 7),
        (functools.lru_cache(lambda deal_id: deal_id), 7),
        (str, str(DEAL)),
    ],
)
def test_a_reasoner_is_called_by_its_parameter_names(reasoner: Callable[..., Any], expected: Any) -> None:
    """``deal_id`` gets the id, ``deal_type`` the effective type, a single other one the whole deal."""
    assert bind_reasoner(reasoner)(DEAL) == expected


@pytest.mark.parametrize(
    ("reasoner", "what"),
    [
        (lambda: 1, "takes no deal"),
        (lambda *, verbose=False: 1, "takes no deal"),
        (lambda a, b: 1, 'needs "a", which no deal offers'),
        (lambda deal, *, client: 1, 'needs "client", which no deal offers'),
        (lambda deal_id, a, b: 1, 'needs "a", which no deal offers'),
        (5, "is int, which cannot be called"),
        (None, "is NoneType, which cannot be called"),
    ],
)
def test_what_cannot_be_called_with_a_deal_is_refused(reasoner: Any, what: str) -> None:
    """The error names the parameter and tells the convention."""
    with pytest.raises(ReasonerError) as caught:
        bind_reasoner(reasoner)
    assert what in str(caught.value)


def test_the_convention_is_told() -> None:
    """Who gets it wrong reads how it is meant."""
    with pytest.raises(ReasonerError, match=r"A reasoner's parameters are deal_id \(the id\), deal_type"):
        bind_reasoner(lambda a, b: 1)


def test_the_reasoner_of_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is imported from the project's own folder; where none is named, the error says how to name one."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_reasoner.py").write_text("def run(deal_id): return {'id': deal_id}\n")
    config = configure(tmp_path, 'reasoner = "own_reasoner:run"')
    assert bind_reasoner(import_reasoner(config))(DEAL) == {"id": 7}
    with pytest.raises(ReasonerError, match=r"no reasoner: set reasoner = .*override the fixture deal_reasoner"):
        import_reasoner(configure(tmp_path))
    with pytest.raises(ConfigError, match=r"dealsnap\.toml, reasoner = 'own_reasoner:rnu': .*Did you mean \"run\"\?"):
        import_reasoner(configure(tmp_path, 'reasoner = "own_reasoner:rnu"'))
