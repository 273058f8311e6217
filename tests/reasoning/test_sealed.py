"""What travels through a cluster unopened."""

from __future__ import annotations

import pickle
import sys
import types

import pytest

from pytest_dealsnap.reasoning.sealed import Sealed


def test_a_scheduler_without_the_users_modules_hands_it_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpickled and pickled again where the user's module is not, a value arrives where it is."""
    module = types.ModuleType("users_own")
    exec("class Rate:\n    value = 7\n", module.__dict__)  # a module that can be taken away
    monkeypatch.setitem(sys.modules, "users_own", module)
    sent = pickle.dumps(Sealed(module.Rate()))
    monkeypatch.delitem(sys.modules, "users_own")
    handed_on = pickle.dumps(pickle.loads(sent))
    with pytest.raises(ModuleNotFoundError, match="users_own"):
        pickle.loads(handed_on).open()
    monkeypatch.setitem(sys.modules, "users_own", module)
    assert pickle.loads(handed_on).open().value == 7


def test_in_one_process_nothing_is_pickled() -> None:
    """What stays in the process is the value itself, be it a closure."""
    value = object()
    assert Sealed(value).open() is value


def test_what_cannot_be_pickled_is_said_by_the_pickler() -> None:
    """A closure is left to the executor's own way of pickling, and its error is that one's."""
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        pickle.dumps(Sealed(lambda: 7))
