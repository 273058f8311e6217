"""Callables of the user's own, named in the configuration as ``package.module:name``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_dealsnap.errors import ConfigError, did_you_mean
from pytest_dealsnap.secrets import redact

__all__ = ["import_object"]


def import_object(spec: str, *, root: Path, place: str) -> Callable[..., Any]:
    """Return the callable that *spec* (``package.module:name``) names.

    *root* is put on ``sys.path`` where it is not, so that a project which is not installed can name
    its own modules, as it can with ``python -m pytest``. Raises :class:`ConfigError`.
    """
    module_name, colon, attribute = spec.partition(":")
    if not colon or not module_name.strip() or not attribute.strip():
        raise ConfigError(f'{place} = {spec!r}: must name a callable as "package.module:name"')
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigError(f"{place} = {spec!r}: no module named {error.name!r} (looked from {root})") from error
    except (Exception, SystemExit) as error:
        raise ConfigError(
            f"{place} = {spec!r}: importing {module_name} raised {type(error).__name__}: {redact(str(error))}"
        ) from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            hint = did_you_mean(part, dir(found))
            raise ConfigError(f"{place} = {spec!r}: {module_name} has no {attribute!r}.{hint}")
        found = getattr(found, part)
    if not callable(found):
        raise ConfigError(f"{place} = {spec!r}: is {type(found).__name__}, which cannot be called")
    return found  # type: ignore[no-any-return]  # callable() narrows Any to a callable of Any
