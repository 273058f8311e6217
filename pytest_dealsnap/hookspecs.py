"""What a ``conftest.py`` or a plugin may add: rules, report formats, a source of deals, values, databases.

pytest finds these functions in its plugins and in the ``conftest.py`` files that it imports as it starts, such as
the one beside the configuration. The command line ``dealsnap`` imports no ``conftest.py``. Both find the modules
that installed packages name as entry points of the group ``dealsnap``::

    [project.entry-points.dealsnap]
    my-rules = "my_package.my_module"

Whatever an extension gives that cannot be used is a usage error which names the extension.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_dealsnap.config import Config
    from pytest_dealsnap.deals.dialects.base import Dialect
    from pytest_dealsnap.judging.rules import Rule
    from pytest_dealsnap.model.finished_run import FinishedRun
    from pytest_dealsnap.model.rehearsals import Rehearsal
    from pytest_dealsnap.model.results import Finding
    from pytest_dealsnap.reporting.writers import Writer

__all__ = [
    "Dialect",
    "FinishedRun",
    "Rehearsal",
    "Writer",
    "pytest_dealsnap_deal_source",
    "pytest_dealsnap_dialects",
    "pytest_dealsnap_report_writers",
    "pytest_dealsnap_rules",
    "pytest_dealsnap_value_converters",
]


def pytest_dealsnap_rules() -> Mapping[str, Callable[..., Rule | Callable[[Any, Any, Any], bool | Finding]]]:
    """Return rules by their form, for ``[tool.dealsnap.rules]``.

    A form is a text such as ``"rounds to {digits}"``; each name in braces stands for one word. The value is called
    with these words, as texts by name, and returns the check: ``check(baseline, current, deal)``, which answers True,
    False or a :class:`~pytest_dealsnap.Finding`. It may return a :class:`~pytest_dealsnap.Rule` with the check instead;
    an unchanged value then holds unasked, unless ``holds_when_unchanged`` is false. A ``ValueError`` says why a word
    is wrong. For the metric ``"*"`` the check is given whole outputs.
    """
    raise NotImplementedError  # a specification: pluggy never calls it


def pytest_dealsnap_report_writers() -> Iterable[Writer]:
    """Return writers of report formats, for ``--dealsnap-report``, ``dealsnap report`` and ``dealsnap rehearse``.

    A writer has a ``name``, and the methods ``render(run)`` and ``render_rehearsal(rehearsal)``, which return text.
    """
    raise NotImplementedError  # likewise


def pytest_dealsnap_deal_source(config: Config) -> str | None:
    """Return where the deals are, as ``deals.source`` would: ``"package.module:callable"``; or None.

    Asked only where neither ``database`` nor ``deals.source`` is configured.

    Args:
        config: dealsnap's configuration.
    """
    raise NotImplementedError  # likewise


def pytest_dealsnap_value_converters() -> Mapping[type, Callable[[Any], Any]]:
    """Return, by class, how a value in an output becomes a plain one: texts, numbers, lists, mappings.

    Values of subclasses are converted alike. Classes that JSON knows, such as ``str`` and ``dict``, are refused. Where
    an executor computes outputs in other processes, the converters must be those of an installed package.
    """
    raise NotImplementedError  # likewise


def pytest_dealsnap_dialects() -> Iterable[Dialect]:
    """Return databases that dealsnap does not know, as objects of subclasses of :class:`Dialect`.

    ``names`` are what SQLAlchemy calls the database. A dialect whose ``unenforced`` returns None says that the database
    refuses every write: by the statements of ``begin``, which are run in each transaction, or by what ``read_only``
    makes of the URL. All other methods have answers for a database of which nothing is known. A database that
    dealsnap knows is not replaced.
    """
    raise NotImplementedError  # likewise


_HOMES = {
    "Dialect": "deals.dialects.base",
    "FinishedRun": "model.finished_run",
    "Rehearsal": "model.rehearsals",
    "Writer": "reporting.writers",
}


def __getattr__(name: str) -> Any:
    """Return what extensions are given or subclass; importing it is not free, and every run imports this module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"pytest_dealsnap.{_HOMES[name]}"), name)
