"""The public surface: what it is, that importing it is free, and that it holds what it names."""

from __future__ import annotations

import dataclasses
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import msgspec
import pytest

import pytest_dealsnap
from pytest_dealsnap.model.record import Record

SURFACE = Path(__file__).with_name("surface.txt")
MODULES = ("pytest_dealsnap", "pytest_dealsnap.hookspecs", "pytest_dealsnap.testing")
PUBLIC = {"Config", "Deal", "DealResult", "Finding", "Rule", "Verdict", "load_config", "replayable", "__version__"}


def surface(module: ModuleType) -> Iterator[str]:
    """Yield a line for each public name of *module*, and for each member of a class."""
    yield f"# {module.__name__}"
    for name in sorted(module.__all__):
        yield from described(name, getattr(module, name))
    yield ""


def described(name: str, value: Any) -> Iterator[str]:
    """Yield what a user of *value* relies on."""
    if not inspect.isclass(value):
        yield f"{name}{signature(value)}" if callable(value) else f"{name}: {type(value).__name__}"
        return
    if issubclass(value, Enum | Warning) or getattr(value, "_is_protocol", False):
        yield f"class {name}"
    else:
        yield f"class {name}{signature(value)}"
    fields = {field.name for field in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else set()
    for member, what in sorted(vars(value).items()):
        if member.startswith("_") or member in fields:
            continue
        if isinstance(what, property):
            yield f"    {member}: {inspect.signature(what.fget).return_annotation}" if what.fget else member
        elif callable(getattr(value, member)):
            yield f"    {member}{signature(getattr(value, member))}"


def signature(function: Any) -> str:
    """Return the signature; the address of a default says nothing."""
    if inspect.isclass(function) and issubclass(function, Record):
        return f"({', '.join(record_fields(function))})"
    return re.sub(r" at 0x[0-9a-f]+", "", str(inspect.signature(function)))


def record_fields(kind: type[Record]) -> Iterator[str]:
    """Yield the fields of a record, with their types and defaults."""
    empty = inspect.Parameter.empty
    for name, parameter in inspect.signature(kind).parameters.items():
        hint = " ".join(
            re.sub(r"pytest_dealsnap\.[\w.]*\.|datetime\.(?=datetime)", "", shown(get_type_hints(kind)[name])).split()
        )
        default = always_default(kind, name) if parameter.default is not empty else empty
        yield f"{name}: {hint}" if default is empty else f"{name}: {hint} = {default!r}"


def shown(hint: Any) -> str:
    """Return a type as it is written."""
    return inspect.formatannotation(hint)


def always_default(kind: type[Record], name: str) -> Any:
    """Return the default of a field."""
    field = next(field for field in msgspec.structs.fields(kind) if field.name == name)
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def test_the_surface_is_as_it_was_agreed() -> None:
    """A change here is a change for users: review it, say it in the changelog, and write the file anew.

    ``python -m tests.extensions.test_public_api`` does so.
    """
    assert written() == SURFACE.read_text(encoding="utf-8")


def written() -> str:
    """Return the whole surface."""
    return "\n".join(line for name in MODULES for line in surface(import_module(name)))


def test_the_root_exports_what_a_rule_of_ones_own_needs() -> None:
    """Each name is there, in ``dir()``, and is the very object of its module."""
    assert set(pytest_dealsnap.__all__) == PUBLIC
    assert set(dir(pytest_dealsnap)) >= PUBLIC
    for name in PUBLIC - {"__version__"}:
        value = getattr(pytest_dealsnap, name)
        assert value is getattr(sys.modules[value.__module__], name)


@pytest.mark.parametrize("name", ["pytest_dealsnap", "pytest_dealsnap.hookspecs"])
def test_an_unknown_name_is_none(name: str) -> None:
    """As of any module."""
    module = import_module(name)
    with pytest.raises(AttributeError, match=rf"module '{name}' has no attribute 'Finder'"):
        _ = module.Finder


def test_importing_the_package_is_free() -> None:
    """No other module of ours is loaded, nor a package; a name loads what it needs."""
    code = (
        "import sys; before = set(sys.modules); import pytest_dealsnap, pytest_dealsnap.hookspecs; "
        "print(*sorted({n for n in set(sys.modules) - before if n.partition('.')[0] not in sys.stdlib_module_names}));"
        "from pytest_dealsnap import Finding; print(Finding.__module__); print('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "pytest_dealsnap pytest_dealsnap.hookspecs",
        "pytest_dealsnap.model.results",
        "False",
    ]


if __name__ == "__main__":
    SURFACE.write_text(written(), encoding="utf-8")
