"""From the settings to a run that can begin: the source opened, the plan made, what cannot work refused at once."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from pytest_dealsnap.baseline.journal import take_over
from pytest_dealsnap.baseline.locking import BaselineLock
from pytest_dealsnap.baseline.manifest import check_place, read_manifest
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.selection import Selection, Shard
from pytest_dealsnap.pipeline.calls_asked import executor_factory
from pytest_dealsnap.plugin.old_side import orders_of
from pytest_dealsnap.plugin.options import Mode
from pytest_dealsnap.plugin.plan import Plan, make_plan
from pytest_dealsnap.plugin.run import Run
from pytest_dealsnap.reasoning.reasoner import bind_reasoner, import_reasoner

__all__ = ["AGAINST_KEY", "ORDER_KEY", "STATE_KEY", "STORE_KEY", "WORKER_KEY", "open_run"]

_DECORATOR = "pytest_dealsnap.reasoning.replay_points"
WORKER_KEY = "dealsnap_plan"  # where xdist's controller leaves the frozen plan for a worker
STORE_KEY = "dealsnap_store"
AGAINST_KEY = "dealsnap_against"  # the folder of the old code's answers, and what is known of them
ORDER_KEY = "dealsnap_order"
STATE_KEY = "dealsnap_state"  # and the name of the database's state that all processes read


def open_run(config: pytest.Config, settings: Config, mode: Mode) -> Run:
    """Return the run of this process, with its plan; a worker of xdist is given its controller's.

    Raises a :class:`DealsnapError` for what no deal could be judged with.
    """
    if hasattr(config, "workerinput"):
        run = _worker_run(config, settings, mode)
        run.start(Plan.load(config.workerinput[WORKER_KEY]))
        run.source.follow(config.workerinput[STATE_KEY])
        if settings.reasoner is not None and _may_replay(config, settings):
            import_reasoner(settings)
        _begin_replay(config, run)
        if ORDER_KEY in config.workerinput:
            from pytest_dealsnap.pipeline.seeded_order import SeededOrder

            settings_of_order = pickle.loads(config.workerinput[ORDER_KEY])  # noqa: S301  # by our controller
            run.order = SeededOrder(settings_of_order, worker=config.workerinput["workerid"])
        if STORE_KEY in config.workerinput:
            from pytest_dealsnap.plugin.storing import stored_calls

            run.stored = stored_calls(pickle.loads(config.workerinput[STORE_KEY]), run)  # noqa: S301  # by our controller
        return run
    ref = _wanted_ref(config, mode)
    if ref is not None and not config.option.collectonly:
        return _open_beside_old_code(config, settings, ref)
    return _open_alone(config, settings, _new_run(config, settings, mode))


def _wanted_ref(config: pytest.Config, mode: Mode) -> str | None:
    """Return the commit whose code answers in place of a stored baseline; ``None`` where that one is judged against."""
    ref: str | None = config.getoption("dealsnap_against")
    return ref if mode == "gate" else None


def _worker_run(config: pytest.Config, settings: Config, mode: Mode) -> Run:
    """Return the run of a worker of xdist, with the old code's answers where its controller has some."""
    if AGAINST_KEY not in config.workerinput:  # type: ignore[attr-defined]  # xdist's
        return _new_run(config, settings, mode)
    folder, facts, old = pickle.loads(config.workerinput[AGAINST_KEY])  # type: ignore[attr-defined]  # noqa: S301  # likewise
    run = _new_run(config, settings, mode, folder)
    run.against, run.old_answers = facts, old
    return run


def _open_beside_old_code(config: pytest.Config, settings: Config, ref: str) -> Run:
    """Return the run of a gate whose baseline is the answers of another commit's code."""
    from pytest_dealsnap.plugin.against import begin_against  # other runs need no checkout

    old_code = begin_against(config, settings, ref)
    try:
        run = _new_run(config, settings, "gate", old_code.old.baseline)
        run.old_code = old_code
        return _open_alone(config, settings, run)
    except BaseException:
        old_code.close()
        raise


def _open_alone(config: pytest.Config, settings: Config, run: Run) -> Run:
    """Return *run* with its plan, where this process makes it."""
    mode = run.mode
    _check_reasoner(config, settings)
    if not config.option.collectonly:
        _begin_replay(config, run)
    if mode != "capture" or config.option.collectonly:
        return _begun(config, settings, run)
    run.lock = BaselineLock(settings.snapshots)
    run.lock.acquire()
    try:
        run.snapshots.check_folder()
        check_place(settings.snapshots)
        take_over(settings.snapshots)
        return _begun(config, settings, run)
    except BaseException:
        run.lock.release()
        raise


def _may_replay(config: pytest.Config, settings: Config) -> bool:
    """Whether calls may be caught: some are named, or something has imported the decorator."""
    return bool(settings.replay.calls or config.getoption("dealsnap_replay") or _DECORATOR in sys.modules)


def _is_stored(config: pytest.Config, settings: Config, mode: Mode) -> bool:
    """Whether outputs go through the run store; a matrix has one output for each type, which it does not keep."""
    asked = (
        config.getoption("dealsnap_store") or config.getoption("dealsnap_fresh") or settings.calls.budget is not None
    )
    return bool(settings.calls.given or asked) and mode != "matrix" and not config.option.collectonly


def _open_store(config: pytest.Config, run: Run) -> None:
    """Take the run store, and have this process's calls go through it."""
    from pytest_dealsnap.plugin.storing import open_store, store_settings, stored_calls

    settings = store_settings(run.config, run)
    store = open_store(settings, run, fresh=bool(config.getoption("dealsnap_fresh")))
    run.stored = stored_calls(settings, run)
    run.stored.store = store  # the one that holds the lock
    if run.old_code is not None:
        store.spend.charge(run.old_code.spent, run.old_code.calls)


def _begin_replay(config: pytest.Config, run: Run) -> None:
    """Catch the calls that are recorded or replayed; a run without any imports nothing for it."""
    if _may_replay(config, run.config):
        from pytest_dealsnap.plugin.replaying import begin_replay

        orders = orders_of(config)
        choice = config.getoption("dealsnap_replay")
        if orders is None:
            run.replay = begin_replay(run.config, run.mode, choice=choice)
        else:  # both sides get the answers that are recorded
            run.replay = begin_replay(run.config, "gate", choice=choice, recorded=Path(orders.snapshots))


def _begun(config: pytest.Config, settings: Config, run: Run) -> Run:
    """Return *run* with its plan made, and what all its deals share made ready."""
    only, mode = config.getoption("dealsnap_only"), run.mode
    orders = orders_of(config)
    if orders is not None:
        run.source.follow(orders.state)
    elif not config.option.collectonly:
        run.source.freeze()
    plan = make_plan(
        settings,
        run.source,
        run.snapshots,
        mode=mode,
        only=only,
        selection=_selection(config),
        old_code=_wanted_ref(config, mode) is not None,
    )
    run.start(plan)
    if run.old_code is not None:
        run.against = run.old_code.ask(plan, run.source.shared_state)
        run.old_answers = run.old_code.for_single_deals()
    if _is_stored(config, settings, mode):
        _open_store(config, run)
    _check_executor(config, run)
    if mode == "capture" and not config.option.collectonly and (only is not None or run.plan.narrowed):
        read_manifest(settings.snapshots)  # a part does not repair a bad one: that is refused at once
    run.prepare(reasoner_overridden=_overrides_reasoner(config), only_listed=config.option.collectonly)
    if run.plan.seed is not None and not config.option.collectonly:
        from pytest_dealsnap.plugin.deciding import open_order

        # Last: it makes a folder, which stays where anything before is refused.
        run.order = open_order(run)
    return run


def _selection(config: pytest.Config) -> Selection:
    orders = orders_of(config)
    if orders is not None and orders.ids is not None:
        return Selection(ids=orders.ids)
    shard = config.getoption("dealsnap_shard")
    return Selection(
        types=tuple(config.getoption("dealsnap_type")),
        ids=tuple(dict.fromkeys(config.getoption("dealsnap_id"))),
        sample=config.getoption("dealsnap_sample"),
        seed=config.getoption("dealsnap_seed"),
        shard=Shard.parse(shard) if shard else None,
        until_decided=config.getoption("dealsnap_until") is not None,
    )


def _new_run(config: pytest.Config, settings: Config, mode: Mode, baseline: Path | None = None) -> Run:
    details = bool(config.getoption("dealsnap_report"))
    if mode == "matrix":
        from pytest_dealsnap.plugin.matrix_run import MatrixRun  # other runs need no scratch copies

        return MatrixRun(settings, details=details)
    run = Run(
        settings,
        mode,
        details=details,
        allow_errors=config.getoption("dealsnap_allow_errors"),
        any_database=bool(config.getoption("dealsnap_allow_other_database")),
        baseline=baseline,
    )
    run.is_old = orders_of(config) is not None
    return run


def _check_reasoner(config: pytest.Config, settings: Config) -> None:
    """Refuse a reasoner that cannot be used before the first of many deals fails by it."""
    if settings.reasoner is not None or not _overrides_reasoner(config):
        bind_reasoner(import_reasoner(settings))


def _overrides_reasoner(config: pytest.Config) -> bool:
    """Whether a plugin, or a ``conftest.py`` that serves the deals, has a ``deal_reasoner`` of its own."""
    return any(
        hasattr(plugin, "deal_reasoner") and _serves(plugin, config.rootpath)
        for name, plugin in config.pluginmanager.list_name_plugin()
        if plugin is not None and getattr(plugin, "__name__", "") != "pytest_dealsnap.plugin"
    )


def _serves(plugin: object, root: Path) -> bool:
    """Whether the fixtures of *plugin* are there for what lies in *root*; those of a deeper ``conftest.py`` are not."""
    path = Path(str(getattr(plugin, "__file__", "") or ""))
    return path.name != "conftest.py" or path.parent == root or path.parent in root.parents


def _check_executor(config: pytest.Config, run: Run) -> None:
    """Refuse an executor that cannot be made before the first deal asks for it; xdist's workers make their own."""
    executor_factory(run.config)
    if run.plan.entries and not config.option.collectonly and not config.pluginmanager.hasplugin("dsession"):
        run.calls.prepare()
