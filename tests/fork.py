"""Runs of ``python -m …`` as processes of their own that begin with the slow imports done.

Most of a small run's time is imports. :func:`run_module` asks a server, one for each process of tests, which has
imported pytest, SQLAlchemy and dealsnap's own modules, and has called nothing of theirs, to fork: the fork is a real
process with its own folder, environment and output, and imports the user's modules itself. The workers that such a run
starts by ``-n`` are forks, too: of a process that was forked before the run imported anything. What is imported when is
shown by tests that start an interpreter.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import importlib.metadata
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["Finished", "run_module"]

# What Python reads as it starts: a fork cannot have it changed.
_AT_START = ("PYTHONHASHSEED", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONWARNINGS", "LANG", "LC_ALL", "TZ")
_PLUGINS = ("syrupy", "xdist.plugin", "xdist.looponfail", "xdist.dsession", "xdist.workermanage", "execnet")
_MESSAGE = 1 << 20  # bytes of an order for a worker at most: its folder and environment
# What runs as a program or imports Hypothesis, which is a user's own choice.
_LEFT_OUT = ("pytest_dealsnap.__main__", "pytest_dealsnap.testing", "pytest_dealsnap.rehearsal.guard")
_LIBRARIES = ("deepdiff", "jmespath", "orjson", "psycopg", "rapidfuzz", "sqlalchemy", "sqlalchemy.dialects.sqlite")


class Finished:
    """What a run came to: its exit code and what it wrote."""

    def __init__(self, code: int, stdout: bytes, stderr: bytes) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr


def run_module(
    module: str, *arguments: str, folder: Path, environment: Mapping[str, str], timeout: float = 120
) -> Finished:
    """Run ``python -m module arguments`` in *folder* under *environment*, for at most *timeout* seconds."""
    if any(environment.get(name) != os.environ.get(name) for name in _AT_START):
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=folder, env=dict(environment), capture_output=True, timeout=timeout)
        return Finished(done.returncode, done.stdout, done.stderr)
    server = _server()
    with tempfile.TemporaryDirectory() as place:
        output = Path(place)
        order = {
            "module": module,
            "arguments": arguments,
            "folder": str(folder),
            "environment": dict(environment),
            "output": place,
        }
        code = server.ask(order, timeout)
        return Finished(code, (output / "stdout").read_bytes(), (output / "stderr").read_bytes())


class _Server:
    """The forking process; it serves one order at a time."""

    def __init__(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        atexit.register(self.close)

    def ask(self, order: dict[str, Any], timeout: float) -> int:
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        requests.write(json.dumps(order).encode() + b"\n")
        requests.flush()
        child = int(answers.readline())
        if not select.select([answers], [], [], timeout)[0]:
            os.kill(child, signal.SIGKILL)
            answers.readline()
            raise subprocess.TimeoutExpired(f"{order['module']} {order['arguments']}", timeout)
        return int(answers.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


@lru_cache(maxsize=1)
def _server() -> _Server:
    return _Server()


def _serve() -> None:
    """Fork a child for each order on standard input, and answer with its number, then with its exit code."""
    for line in sys.stdin.buffer:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order)
        _answer(child)
        _, status = os.waitpid(child, 0)
        _answer(os.waitstatus_to_exitcode(status))


def _answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _become(order: dict[str, Any]) -> NoReturn:
    """Be the process that was ordered, from its standard streams to its exit."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0, closefd=False)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(os.path.join(order["output"], name), os.O_WRONLY | os.O_CREAT, 0o600), number)  # noqa: PTH118
    sys.dont_write_bytecode = True  # of a module that the test rewrites within the second it would be stale
    sys.argv = [order["module"], *order["arguments"]]
    given = order["environment"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = list(dict.fromkeys(path for path in (order["folder"], *given, *sys.path) if path))
    if order["module"] == "pytest" and any(word.startswith("-n") for word in order["arguments"]):
        _fork_workers()
    _leave(partial(runpy.run_module, order["module"], run_name="__main__", alter_sys=True))


def _leave(work: Callable[[], object]) -> NoReturn:
    """Do *work* and end as a process does, threads waited for and exit functions run, but free no memory.

    To free what the process before the fork has imported costs a tenth of a second, for each of its pages is copied.
    """
    code: object = 0
    try:
        work()
    except SystemExit as ending:
        code = ending.code
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)  # noqa: T201  # as Python does
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
    os._exit((code or 0) & 0xFF)


def _fork_workers() -> None:
    """Have xdist's workers forked from a process that has imported what this one has until now."""
    from execnet import gateway_io

    asking, asked = socket.socketpair()
    if os.fork() == 0:
        asking.close()
        _serve_workers(asked)
    asked.close()
    create_io = gateway_io.create_io

    def create(spec: Any, execmodel: Any) -> Any:
        if not spec.popen or spec.python:
            return create_io(spec, execmodel)
        made = gateway_io.Popen2IOMaster.__new__(gateway_io.Popen2IOMaster)
        made.popen = _Worker(asking)
        super(gateway_io.Popen2IOMaster, made).__init__(made.popen.stdin, made.popen.stdout, execmodel=execmodel)
        return made

    gateway_io.create_io = create


class _Worker:
    """A forked worker, with what execnet asks of a ``Popen``."""

    def __init__(self, asking: socket.socket) -> None:
        read_orders, orders = os.pipe()
        answers, write_answers = os.pipe()
        self._end, ended = os.pipe()  # the worker holds its other end for as long as it lives
        order = json.dumps({"folder": os.getcwd(), "environment": dict(os.environ)}).encode()  # noqa: PTH109
        socket.send_fds(asking, [order], [read_orders, write_answers, ended])
        for descriptor in (read_orders, write_answers, ended):
            os.close(descriptor)
        self.pid = int(asking.recv(32))
        self.stdin, self.stdout = os.fdopen(orders, "wb"), os.fdopen(answers, "rb")

    def wait(self) -> int:
        os.read(self._end, 1)
        return 0

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def _serve_workers(asked: socket.socket) -> NoReturn:
    """Fork a worker for each order, until the run that orders has ended."""
    children = []
    while True:
        message, descriptors, _, _ = socket.recv_fds(asked, _MESSAGE, 3)
        if not message:
            break
        child = os.fork()
        if child == 0:
            asked.close()
            _become_worker(json.loads(message), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        asked.send(b"%d" % child)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    os._exit(0)


def _become_worker(order: dict[str, Any], orders: int, answers: int, _: int) -> NoReturn:
    """Be what ``python -c`` is with execnet's first line."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    for number, descriptor in ((0, orders), (1, answers)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.argv = ["-c"]
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    _leave(lambda: exec(eval(sys.stdin.readline()), main.__dict__))


def _prepare() -> None:
    """Import what every run needs, and leave to it what a run of its own would find unimported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from _pytest.config import default_plugins  # as pytest itself loads them

        for name in (*(f"_pytest.{name}" for name in default_plugins), *_LIBRARIES):
            importlib.import_module(name)
        _import_as_pytest_does()
        _remember_installed()
    gc.collect()
    gc.freeze()  # pytest collects garbage as it ends, twice: what stands here is none


def _remember_installed() -> None:
    """Read once what each distribution that is installed here says of itself: pytest asks for all of it at each start.

    What a test installs elsewhere is read as ever, since no fork's memory comes back here.
    """
    for name in ("files", "metadata", "entry_points"):
        read = getattr(importlib.metadata.Distribution, name).fget
        kept = {str(one._path): read(one) for one in importlib.metadata.distributions()}  # type: ignore[attr-defined]
        setattr(importlib.metadata.Distribution, name, property(partial(_remembered, kept, read)))


def _remembered(kept: dict[str, Any], read: Callable[[Any], Any], distribution: Any) -> Any:
    place = str(distribution._path)
    return kept[place] if place in kept else read(distribution)


def _import_as_pytest_does() -> None:
    """Import the plugins with their asserts rewritten: pytest warns of one that was imported without."""
    from _pytest.assertion import install_importhook
    from _pytest.config import get_config

    config = get_config()
    if not hasattr(config, "inicfg"):  # before pytest 9: the hook asks for a setting
        vars(config)["inicfg"] = {}
    hook = install_importhook(config)
    config._mark_plugins_for_rewrite(hook, disable_autoload=False)
    for name in _PLUGINS:
        importlib.import_module(name)
    package = importlib.import_module("pytest_dealsnap")
    for module in pkgutil.walk_packages(package.__path__, "pytest_dealsnap."):
        if not module.name.startswith(_LEFT_OUT):
            importlib.import_module(module.name)
    sys.meta_path.remove(hook)


if __name__ == "__main__":
    _prepare()
    _serve()
