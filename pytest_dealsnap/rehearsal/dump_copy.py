"""Copying a database by its server's own dump and client programs."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL

from pytest_dealsnap.rehearsal.owners import mark
from pytest_dealsnap.secrets import MASK, redact

__all__ = ["KEPT_COMMENT", "PREFIX", "WAY_OUT", "dump_folder", "dump_into", "without_password"]

PREFIX = "dealsnap_scratch_"
KEPT_COMMENT = "kept by dealsnap rehearse --keep"
WAY_OUT = "Or copy the database yourself and name the copy: --scratch-url URL"


@contextmanager
def dump_folder() -> Iterator[Path]:
    """Make a folder for one dump's files; ``dealsnap clean`` finds it where the rehearsal is killed."""
    with tempfile.TemporaryDirectory(prefix="dealsnap-dump-") as name:
        mark(Path(name))
        yield Path(name)


def dump_into(
    reading: Sequence[str],
    writing: Sequence[str],
    *,
    folder: Path,
    environments: tuple[Mapping[str, str], Mapping[str, str]],
) -> str | None:
    """Let the program *writing* take what the program *reading* dumps.

    Args:
        reading: The dump program with its arguments.
        writing: The client program with its arguments.
        folder: Where what they say is kept meanwhile.
        environments: Of the one and of the other, with their secrets: arguments are seen by every user.

    Returns:
        What they said where one of them failed, on one line; ``None`` where the copy was made.
    """
    with (folder / "errors").open("w+b") as errors:
        dumping = subprocess.Popen(reading, env=environments[0], stdout=subprocess.PIPE, stderr=errors)  # noqa: S603
        try:
            restored = subprocess.run(  # noqa: S603  # no shell; programs found by name
                writing,
                env=environments[1],
                stdin=dumping.stdout,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                check=False,
            )
        finally:
            if dumping.stdout is not None:
                dumping.stdout.close()  # so that a dump whose reader has gone ends
            dumped = dumping.wait()
        errors.seek(0)
        said = " ".join(errors.read(4_000).decode("utf-8", "replace").split())
    return said if dumped or restored.returncode else None


def without_password(message: str, source: URL) -> str:
    """Return *message* without secrets, among them the password of *source*, be it as short as it may."""
    return redact(message.replace(str(source.password), MASK) if source.password else message)
