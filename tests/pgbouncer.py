"""pgbouncer before the run's PostgreSQL server, pooling by transaction, as production often has it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.mariadb import free_port

__all__ = ["pgbouncer", "pgbouncer_of_all"]


@pytest.fixture
def pgbouncer(postgresql: str) -> Iterator[str]:
    """The URL of the test's empty PostgreSQL database by way of pgbouncer, with one server connection in the pool."""
    yield from _pooler(postgresql)


@pytest.fixture
def pgbouncer_of_all(postgresql: str) -> Iterator[str]:
    """The same by a pgbouncer that passes on to every database of the server."""
    yield from _pooler(postgresql, every=True)


def _pooler(postgresql: str, *, every: bool = False) -> Iterator[str]:
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("no pgbouncer here (Debian: apt-get install pgbouncer)")
    url = make_url(postgresql)
    host, port = str(url.query.get("host") or url.host or "127.0.0.1"), free_port()
    server = f"host={host} port={url.port or 5432}"
    known = f"* = {server}" if every else f"{url.database} = {server} dbname={url.database}"
    with tempfile.TemporaryDirectory(prefix="bouncer-", ignore_cleanup_errors=True) as folder:
        users = Path(folder) / "users.txt"
        users.write_text(f'"{url.username}" "{url.password or ""}"\n')
        settings = Path(folder) / "pgbouncer.ini"
        settings.write_text(
            f"""[databases]
{known} user={url.username}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = 1
ignore_startup_parameters = extra_float_digits,options
logfile = {folder}/log
pidfile = {folder}/pid
"""
        )
        command = [program, str(settings)]
        if os.getuid() == 0:  # it refuses to run as root
            owner = Path(host).stat()  # its folder is closed to all but the server
            for path in (Path(folder), users, settings):
                os.chown(path, owner.st_uid, owner.st_gid)
            command = [program, "-u", pwd.getpwuid(owner.st_uid).pw_name, str(settings)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            _wait_until_up(port, process, Path(folder) / "log")
            yield url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
            process.kill()


def _wait_until_up(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"pgbouncer did not start:\n{log.read_text() if log.exists() else 'no log'}")
