"""pytest-dealsnap: prove, deal by deal, that a migration changed only what it was meant to change.

What is named in ``__all__`` is public, and so are ``pytest_dealsnap.hookspecs`` and ``pytest_dealsnap.testing``.
Importing this package is free: pytest loads it in every run, also in those that ask for no deals. Each name is
imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_dealsnap.config import Config
    from pytest_dealsnap.config_reading import load_config
    from pytest_dealsnap.deals.deal import Deal
    from pytest_dealsnap.judging.rules import Rule
    from pytest_dealsnap.model.results import DealResult, Finding
    from pytest_dealsnap.model.verdicts import Verdict
    from pytest_dealsnap.reasoning.replay_points import replayable

__all__ = ["Config", "Deal", "DealResult", "Finding", "Rule", "Verdict", "__version__", "load_config", "replayable"]

__version__ = "0.1.0"

_HOMES = {
    "Config": "config",
    "Deal": "deals.deal",
    "DealResult": "model.results",
    "Finding": "model.results",
    "Rule": "judging.rules",
    "Verdict": "model.verdicts",
    "load_config": "config_reading",
    "replayable": "reasoning.replay_points",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
