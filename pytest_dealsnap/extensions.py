"""What other packages add, through pluggy; the hooks are in ``hookspecs``.

Hooks are found in the plugin manager of the pytest that runs, if one does, and in the modules that installed packages
name as entry points of the group ``dealsnap``. Nothing is looked for before a name is met that is not built in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.secrets import redact

if TYPE_CHECKING:
    import pluggy

__all__ = ["GROUP", "answers", "follow", "unfollow", "unseen"]

GROUP = "dealsnap"
PREFIX = "pytest_dealsnap_"

_followed: list[pluggy.PluginManager] = []  # of the pytests that run, one within the other
_installed: list[pluggy.PluginManager] = []  # at most one: that of the entry points
_answers: dict[str, list[tuple[str, Any]]] = {}


def follow(manager: pluggy.PluginManager) -> None:
    """Ask the plugins of this pytest, too, until :func:`unfollow`."""
    _followed.append(manager)
    _answers.clear()


def unfollow(manager: pluggy.PluginManager) -> None:
    """Ask the plugins of this pytest no more."""
    if manager in _followed:
        _followed.remove(manager)
        _answers.clear()


def unseen(root: Path) -> str:
    """Return what to say beside a name that is not known, where a ``conftest.py`` in *root* may have it; or nothing."""
    if _followed or not (root / "conftest.py").is_file():
        return ""
    return f" The command line does not import conftest.py: it finds entry points of the group {GROUP}."


def answers(hook: str, **arguments: Any) -> list[tuple[str, Any]]:
    """Return what each extension answers to *hook*, with the extension's name; None is no answer.

    Raises :class:`ConfigError` for an extension that cannot be imported or raises.
    """
    if arguments:
        return list(_asked(hook, arguments))
    if hook not in _answers:
        _answers[hook] = list(_asked(hook, {}))
    return _answers[hook]


def _asked(hook: str, arguments: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, function, wanted in _implementations(hook):
        try:
            answer = function(*(arguments[argument] for argument in wanted))
        except Exception as error:
            raise ConfigError(f"{hook} of {name} raised {type(error).__name__}: {redact(str(error))}") from error
        if answer is not None:
            yield name, answer if not isinstance(answer, Iterator) else tuple(answer)


def _implementations(hook: str) -> Iterator[tuple[str, Callable[..., Any], tuple[str, ...]]]:
    asked: set[int] = set()
    for manager in (*_followed[-1:], _entry_points()):
        for one in getattr(manager.hook, hook).get_hookimpls():
            if one.wrapper or one.hookwrapper:
                raise ConfigError(f"{hook} of {one.plugin_name} is a wrapper: there is no answer to wrap")
            if id(one.plugin) not in asked and not _blocked(manager, one.plugin_name):
                yield one.plugin_name, one.function, tuple(one.argnames)
        asked |= {id(plugin) for plugin in manager.get_plugins()}


def _blocked(manager: pluggy.PluginManager, name: str) -> bool:
    """Whether an entry point is one that ``-p no:NAME`` turns off."""
    return any(manager is not one and one.is_blocked(name) for one in _followed[-1:])


def _entry_points() -> pluggy.PluginManager:
    if not _installed:
        _installed.append(_loaded())
    return _installed[0]


def _loaded() -> pluggy.PluginManager:
    from importlib.metadata import entry_points  # most runs have built-in names only

    import pluggy

    from pytest_dealsnap import hookspecs

    manager = _manager_class()("pytest")
    manager.add_hookspecs(hookspecs)
    for point in entry_points(group=GROUP):
        where = f"the entry point {point.name} = {point.value!r} of the group {GROUP}"
        try:
            plugin = point.load()
        except (Exception, SystemExit) as error:
            raise ConfigError(f"{where} cannot be loaded: {type(error).__name__}: {redact(str(error))}") from error
        try:
            if not manager.is_registered(plugin):
                manager.register(plugin, point.name)
            manager.check_pending()
        except (ValueError, pluggy.PluginValidationError) as error:
            raise ConfigError(f"{where}: {error}") from error
    return manager


def _manager_class() -> type[pluggy.PluginManager]:
    import pluggy

    class Hooks(pluggy.PluginManager):
        """Takes functions by their names, as pytest does, and of all hooks only dealsnap's."""

        def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
            if not name.startswith(PREFIX) or not callable(getattr(plugin, name, None)):
                return None
            plain = pluggy.HookimplOpts(
                wrapper=False, hookwrapper=False, optionalhook=False, tryfirst=False, trylast=False, specname=None
            )
            return super().parse_hookimpl_opts(plugin, name) or plain

        def parse_hookspec_opts(self, module_or_class: object, name: str) -> pluggy.HookspecOpts | None:
            if not name.startswith(PREFIX):
                return None
            return pluggy.HookspecOpts(firstresult=False, historic=False, warn_on_impl=None, warn_on_impl_args=None)

    return Hooks
