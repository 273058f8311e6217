"""A signal that comes while something is put away waits for that, and is not lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from pytest_dealsnap.reasoning.signals import signals_raise, signals_wait


@pytest.fixture(autouse=True)
def usual_handlers() -> Iterator[None]:
    """Whatever this run was started with, such as a Ctrl-C that is ignored."""
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    terminate = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, terminate)


def put_away(number: int, done: list[str]) -> None:
    """Be interrupted twice while putting something away."""
    with signals_raise(), signals_wait():
        signal.raise_signal(number)
        signal.raise_signal(number)
        done.append("put away")


def test_ctrl_c_waits_and_then_has_its_effect() -> None:
    """Lost, it would let a rehearsal go on that somebody wants to end."""
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        put_away(signal.SIGINT, done)
    assert done == ["put away"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sigterm_unwinds_also_after_it_had_to_wait() -> None:
    """With the exit status that a shell gives it; afterwards it is what it was."""
    done: list[str] = []
    with pytest.raises(SystemExit) as left:
        put_away(signal.SIGTERM, done)
    assert left.value.code == 128 + signal.SIGTERM
    assert done == ["put away"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
