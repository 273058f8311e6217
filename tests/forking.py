"""Runs of ``python -m …`` as processes of their own that begin with the slow imports done.

Most of a small run's time is the import of pytest and SQLAlchemy. :func:`run_module` asks a server, one for
each process of tests, which has imported those and nothing of dealsnap's, to fork: the fork is a real process
with its own folder, environment and output, and imports the plugin and the user's modules itself.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["Finished", "run_module"]

# What Python reads as it starts: a fork cannot have it changed.
_AT_START = ("PYTHONHASHSEED", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONWARNINGS", "LANG", "LC_ALL", "TZ")
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
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
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
    sys.stdin = os.fdopen(0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(os.path.join(order["output"], name), os.O_WRONLY | os.O_CREAT, 0o600), number)  # noqa: PTH118
    sys.argv = [order["module"], *order["arguments"]]
    given = order["environment"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = list(dict.fromkeys(path for path in (order["folder"], *given, *sys.path) if path))
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
    sys.exit(0)


def _prepare() -> None:
    """Import what every run needs, and leave to it what a run of its own would find unimported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from _pytest.config import default_plugins  # as pytest itself loads them

        for name in (*(f"_pytest.{name}" for name in default_plugins), *_LIBRARIES):
            importlib.import_module(name)


if __name__ == "__main__":
    _prepare()
    _serve()
