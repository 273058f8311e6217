"""One MariaDB server for the whole run, whose database is empty for each test that asks for it."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

__all__ = ["mariadb", "mariadb_server"]

DATABASE = "deals"


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """The URL of a MariaDB server of this run's own, an ordinary process on loopback (Debian's mariadb-server)."""
    program, install = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if program is None or install is None:
        pytest.skip("no MariaDB server here (Debian: apt-get install mariadb-server)")
    with tempfile.TemporaryDirectory(prefix="maria-", ignore_cleanup_errors=True) as folder:
        data, me, port = Path(folder) / "data", getpass.getuser(), free_port()
        subprocess.run(
            [install, "--no-defaults", f"--datadir={data}", f"--user={me}", "--auth-root-authentication-method=normal"],
            check=True,
            capture_output=True,
        )
        command = [
            program,
            "--no-defaults",
            f"--datadir={data}",
            f"--user={me}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--socket={folder}/server.sock",
            f"--pid-file={folder}/server.pid",
            f"--log-error={folder}/error.log",
            "--innodb-flush-log-at-trx-commit=0",
            "--performance-schema=ON",
            "--skip-name-resolve",
        ]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until_up(port, server, Path(folder) / "error.log")
            yield f"mysql+pymysql://root@127.0.0.1:{port}/{DATABASE}"
        finally:
            server.kill()  # nothing here outlives the run
            server.wait()


@pytest.fixture
def mariadb(mariadb_server: str) -> str:
    """The URL of an empty MariaDB database, which is made anew."""
    as_root(mariadb_server, f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
    return mariadb_server


def as_root(url: str, *statements: str) -> None:
    """Run *statements* on the server of *url*, outside of any database."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    with pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True) as connection:
        for statement in statements:
            with connection.cursor() as cursor:
                cursor.execute(statement)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_up(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server on *port* answers; fail with its log where it ends or never does."""
    for _ in range(600):
        try:
            pymysql.connect(host="127.0.0.1", port=port, user="root").close()
        except pymysql.OperationalError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"MariaDB did not start:\n{log.read_text() if log.exists() else 'no log'}")
