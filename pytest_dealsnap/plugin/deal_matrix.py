"""``@pytest.mark.deal_matrix``: a test under every deal type and along every axis.

Loaded only where a test has the marker, so nothing of it may be imported by a plain run.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import Any

import pytest

from pytest_dealsnap.config import Config
from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import ConfigError, DealsnapError, did_you_mean
from pytest_dealsnap.plugin.options import given_settings, wanted_mode
from pytest_dealsnap.text import printable

__all__ = ["TypedEntry", "parametrize_matrix"]

DEAL, DEAL_TYPE = "deal", "deal_type"
SETTINGS = pytest.StashKey[Config]()
REFUSED = pytest.StashKey[list[str]]()


@dataclass(frozen=True, slots=True)
class TypedEntry:
    """An entry of the plan that a test sees under another deal type."""

    entry: Any
    deal_type: str

    @property
    def ref(self) -> Any:
        """The deal's reference, as the database has it."""
        return self.entry.ref

    @property
    def output_key(self) -> str:
        """What names the deal's output under the type; its own type's is the deal's."""
        from pytest_dealsnap.pipeline.calls_asked import variant_key  # there in every run that has deals

        ref = self.entry.ref
        return str(ref.id) if ref.deal_type == self.deal_type else variant_key(ref.id, self.deal_type)


def parametrize_matrix(metafunc: pytest.Metafunc) -> None:
    """Give a test every combination of its deal types and axes, and of the deals where it asks for ``deal``.

    What is wrong with a marker is a usage error once all is collected: raised here, pytest would take it for
    an error of one module. In a worker of xdist it is that, because a worker cannot end the run.
    """
    try:
        _parametrize(metafunc)
    except DealsnapError as error:
        text = f"{metafunc.definition.nodeid}: @pytest.mark.deal_matrix: {printable(str(error))}"
        if hasattr(metafunc.config, "workerinput"):
            raise pytest.Collector.CollectError(text) from None
        _refuse(metafunc.config, text)


def _refuse(config: pytest.Config, text: str) -> None:
    if REFUSED not in config.stash:
        texts = config.stash[REFUSED] = []
        config.pluginmanager.register(_Refusal(texts))
    config.stash[REFUSED].append(text)


class _Refusal:
    """Ends the run with a usage error once everything has been collected."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self) -> None:
        raise pytest.UsageError(*self._texts)


def _parametrize(metafunc: pytest.Metafunc) -> None:
    settings = _settings(metafunc.config)
    marks = list(metafunc.definition.iter_markers("deal_matrix"))
    asked = set(metafunc.fixturenames)
    if not asked & {DEAL, DEAL_TYPE}:
        raise ConfigError(f"{metafunc.function.__name__}() takes neither deal_type nor deal: there is nothing to vary")
    types = _types(marks, settings)
    arguments = {name for name in inspect.signature(metafunc.function).parameters if name in asked}
    axes = _axes(marks, settings, asked, arguments)
    for deal_type in types:
        metafunc.config.addinivalue_line("markers", f"{deal_type}: a test of the deal type {deal_type}")
    names = [name for name in (DEAL, DEAL_TYPE, *axes) if name in asked]
    params = list(_params(metafunc, types, axes, names))
    metafunc.parametrize(names, params, indirect=[DEAL] if DEAL in asked else [])


def _settings(config: pytest.Config) -> Config:
    """Return the configuration, read when the first test asks for it."""
    if SETTINGS not in config.stash:
        config.stash[SETTINGS] = load_config(
            config.rootpath, flags=given_settings(config), environ=os.environ, cwd=config.invocation_params.dir
        )
    return config.stash[SETTINGS]


def _types(marks: Sequence[pytest.Mark], settings: Config) -> tuple[str, ...]:
    """Return the types that the nearest marker with ``types`` names, else all."""
    known = DealTypes.of(settings.deals)
    for mark in marks:
        if mark.args:
            raise ConfigError(f"{mark.args[0]!r} has no name: write types=[…], or an axis such as domain=[…]")
    named = next((mark.kwargs["types"] for mark in marks if "types" in mark.kwargs), None)
    if named is None:
        return tuple(known.valid)
    listed = _listed("types", named)
    for name in listed:
        if not isinstance(name, str) or not known.recognizes(name):
            hint = did_you_mean(str(name), [*known.valid, *known.aliases])
            raise ConfigError(f"types has {name!r}: no such deal type.{hint} Valid: {', '.join(known.valid)}")
    return tuple(dict.fromkeys(known.effective(str(name)) for name in listed))


def _axes(
    marks: Sequence[pytest.Mark], settings: Config, asked: set[str], arguments: set[str]
) -> dict[str, tuple[Any, ...]]:
    """Return the axes of the test: those of the configuration that it takes, and all of its marker's."""
    given: dict[str, Any] = {}
    for mark in reversed(marks):  # the nearest comes first, and has the last word
        given.update({name: values for name, values in mark.kwargs.items() if name != "types"})
    possible = sorted(arguments.union(settings.matrix_axes) - {DEAL, DEAL_TYPE})
    for name in given:
        if name not in asked or name in (DEAL, DEAL_TYPE):
            valid = ", ".join(["types", *possible])
            raise ConfigError(
                f"unknown axis {name!r}: the test takes no argument of that name."
                f"{did_you_mean(name, ['types', *possible])} Valid: {valid}"
            )
    configured = {name: values for name, values in settings.matrix_axes.items() if name in asked}
    return {name: _listed(name, values) for name, values in {**configured, **given}.items()}


def _listed(name: str, values: Any) -> tuple[Any, ...]:
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise ConfigError(f"{name} = {values!r}: must be a list of values")
    listed = tuple(values)
    if not listed:
        raise ConfigError(f"{name} = {values!r}: needs at least one value, or the test would never run")
    return listed


def _params(
    metafunc: pytest.Metafunc, types: Sequence[str], axes: Mapping[str, tuple[Any, ...]], names: Sequence[str]
) -> Iterator[Any]:
    if DEAL in names and wanted_mode(metafunc.config) is None:
        mark = pytest.mark.skip(reason="runs over deals: pytest --dealsnap PATH")
        yield pytest.param(*[None] * len(names), marks=mark, id="no-deals")
        return
    for entry in _entries(metafunc) if DEAL in names else (None,):
        for deal_type, *values in product(types, *axes.values()):
            given = {DEAL: TypedEntry(entry, deal_type), DEAL_TYPE: deal_type, **dict(zip(axes, values, strict=True))}
            words = [deal_type, *([printable(entry.ref.id)] if entry is not None else ()), *map(_word, values)]
            mark = getattr(pytest.mark, deal_type)
            yield pytest.param(*[given[name] for name in names], marks=mark, id="-".join(words))


def _entries(metafunc: pytest.Metafunc) -> list[Any]:
    from pytest_dealsnap.plugin.fixtures import entries_of_run

    return entries_of_run(metafunc.config)


def _word(value: Any) -> str:
    """Return what an id shows of an axis's value."""
    if isinstance(value, Enum):
        value = value.value if isinstance(value.value, str) else value.name
    if callable(value) and hasattr(value, "__name__"):
        value = value.__name__
    return printable(str(value))
