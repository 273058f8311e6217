"""The run store: what a long run has computed, kept so that the same command goes on where it was.

``.dealsnap/runs/<key>/`` holds ``run.json``, ``spend.jsonl`` and an output for each deal. The key is made of all that
an output depends on but the deal itself, whose row is hashed with each output.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.files import write_atomic
from pytest_dealsnap.baseline.layout import SUFFIX, relative_path
from pytest_dealsnap.baseline.locking import try_claim
from pytest_dealsnap.callables import import_object
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal, LazyFields, Unreadable
from pytest_dealsnap.errors import ConfigError, LockedError, StoreError
from pytest_dealsnap.reasoning.canonical import dumps, loads
from pytest_dealsnap.reasoning.spending import Budget, SpendFile
from pytest_dealsnap.toml_text import parse_toml

__all__ = [
    "Kept",
    "RunStore",
    "calls_version",
    "key_of",
    "other_run",
    "row_hash",
    "run_key",
    "run_parts",
    "runs_folder",
]

FORMAT = 1
_PARTS = {
    "version": "another version of the code (calls.version)",
    "env": "other values of calls.env",
    "database": "another database",
    "facts": "another schema revision",
    "reasoner": "another reasoner",
    "drop": "another output.drop",
}
_CANNOT_CHANGE_AN_ANSWER = (".md", ".rst", ".txt")
_FOLDERS_THAT_CANNOT = ("tests", "docs", "snapshots", ".dealsnap", ".github", "__pycache__")


def runs_folder(config: Config) -> Path:
    """Return the folder of all runs."""
    return config.root / config.calls.store / "runs"


def run_parts(
    config: Config, *, mode: str, database: str, facts: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, str]:
    """Return a digest of each part that a run's outputs depend on, beside the deals' rows; :func:`key_of` joins them.

    Args:
        config: The configuration.
        mode: What the run does.
        database: The database without secrets.
        facts: The facts of the source, its revision among them.
        environ: Where the values of ``calls.env`` are.

    Raises:
        ConfigError: ``calls.version`` names a callable that does not work.
    """
    made_of = {
        "mode": mode,
        "database": database,
        "facts": {name: str(value) for name, value in facts.items()},
        "reasoner": config.reasoner,
        "version": calls_version(config),
        "env": {name: environ.get(name) for name in config.calls.env},
        "drop": list(config.output.drop),
    }
    return {name: _digest(json.dumps(part, sort_keys=True)) for name, part in made_of.items()}


def run_key(config: Config, *, mode: str, database: str, facts: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """Return the key of a run; see :func:`run_parts`."""
    return key_of(run_parts(config, mode=mode, database=database, facts=facts, environ=environ))


def key_of(parts: Mapping[str, str]) -> str:
    """Return the key of a run with these *parts*."""
    return _digest(json.dumps(dict(parts), sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def other_run(folder: Path, parts: Mapping[str, str]) -> str:
    """Return what tells the run in *folder*, which has no outputs yet, from the newest of its mode that has some.

    Empty where there is no such run.
    """
    others = []
    for about in folder.parent.glob("*/run.json"):
        try:
            document = json.loads(about.read_text(encoding="utf-8"))
            made_of, started = dict(document["made_of"]), str(document["started_at"])
        except (OSError, ValueError, KeyError, TypeError):  # of an earlier version, or damaged: status says so
            continue
        outputs = sum(1 for _ in (about.parent / "outputs").rglob(f"*{SUFFIX}"))
        differ = [words for name, words in _PARTS.items() if made_of.get(name) != parts[name]]
        if about.parent != folder and made_of.get("mode") == parts["mode"] and outputs and differ:
            others.append((started, outputs, differ))
    if not others:
        return ""
    _, outputs, differ = max(others)
    return f"{outputs:,} of a run by {' and '.join(differ)}"


def calls_version(config: Config) -> str:
    """Return what names code and model: the setting, what its callable returns, or the digest of the code.

    Raises :class:`ConfigError` for a callable that does not work.
    """
    text = config.calls.version
    if not text:
        return _code_digest(config.root, config.snapshots)
    if ":" not in text or " " in text:
        return text
    try:
        return str(import_object(text, root=config.root, place=config.place("calls.version"))())
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{config.place('calls.version')} = {text!r} raised {type(error).__name__}: {error}"
        ) from error


def _code_digest(root: Path, snapshots: Path) -> str:
    """Return a digest of the files that git tracks or would track; without git, of the Python files."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)  # noqa: S603  # fixed words
        listed = done.stdout.decode("utf-8", "surrogateescape").split("\0") if done.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired):
        listed = None
    if listed is None:
        listed = [path.relative_to(root).as_posix() for path in root.rglob("*.py")]
    digest = hashlib.sha256()
    for name in sorted(filter(None, listed)):
        path = root / name
        if _cannot_change(Path(name)) or path.is_relative_to(snapshots) or not path.is_file():
            continue
        data = _without_settings(path) if name == "pyproject.toml" else path.read_bytes()
        digest.update(f"{name}\0{hashlib.sha256(data).hexdigest()}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _cannot_change(path: Path) -> bool:
    return (
        path.suffix in _CANNOT_CHANGE_AN_ANSWER
        or path.name in ("dealsnap.toml", ".gitignore")
        or not set(path.parts[:-1]).isdisjoint(_FOLDERS_THAT_CANNOT)
    )


def _without_settings(path: Path) -> bytes:
    try:
        document = parse_toml(path.read_text(encoding="utf-8"))
    except ValueError:
        return path.read_bytes()
    tool = document.get("tool")
    if isinstance(tool, dict):
        tool.pop("dealsnap", None)
        tool.pop("pytest", None)
        if not tool:
            del document["tool"]
    return json.dumps(document, sort_keys=True, default=str).encode()


def row_hash(deal: Deal) -> str:
    """Return the digest of a deal's row: an output is reused for this very row only."""
    fields = deal.fields.stored() if isinstance(deal.fields, LazyFields) else deal.fields
    values = sorted((name, _shown(value)) for name, value in fields.items())
    text = repr((deal.key, deal.name, deal.deal_type, deal.stored_type, values))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _shown(value: Any) -> str:
    return "unreadable" if isinstance(value, Unreadable) else repr(value)


@dataclass(frozen=True, slots=True)
class Kept:
    """An output of the store, how many seconds its call took, and whether it came of recorded calls alone."""

    output: dict[str, Any]
    seconds: float
    replayed: bool = False


class RunStore:
    """The store of one run, in one process; the process that plans the run holds its lock."""

    def __init__(self, folder: Path, budget: Budget, currency: str) -> None:
        self.folder = folder
        self.spend = SpendFile(folder / "spend.jsonl", budget, currency)
        self._lock: int | None = None

    def open(self, *, tests: Sequence[str], facts: Mapping[str, Any], fresh: bool) -> None:
        """Take the store for this run: calls of a killed one are lost, and its outputs stay.

        Raises :class:`LockedError` where another run has it, :class:`StoreError` where it cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            ignore = self.folder.parents[1] / ".gitignore"
            if not ignore.exists():
                write_atomic(str(ignore), b"*\n")
            self._lock = os.open(self.folder / "run.lock", os.O_RDWR | os.O_CREAT)
            if not try_claim(self._lock):
                raise LockedError(f"another run works on {self.folder}: wait for it, or look at it: dealsnap status")
            if fresh:
                shutil.rmtree(self.folder / "outputs", ignore_errors=True)
                (self.folder / "spend.jsonl").unlink(missing_ok=True)
                (self.folder / "statuses.jsonl").unlink(missing_ok=True)
            self._check_currency(facts)
            about = {"format": FORMAT, **facts, "deals": list(tests), "pid": os.getpid()}
            about["started_at"] = datetime.now(UTC).isoformat(timespec="seconds")
            write_atomic(str(self.folder / "run.json"), f"{json.dumps(about, indent=2)}\n".encode())
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be written: {error.strerror or error}") from None
        self.spend.lose()

    def _check_currency(self, facts: Mapping[str, Any]) -> None:
        if not (self.folder / "spend.jsonl").exists():
            return
        try:
            before = json.loads((self.folder / "run.json").read_text(encoding="utf-8")).get("currency")
        except (OSError, ValueError, AttributeError):
            return  # written anew
        if before != facts.get("currency"):
            raise StoreError(
                f"this run was paid in {before}, and calls.currency is {facts.get('currency')} now: what was spent "
                "cannot be added up. Put the currency back, or start anew with --dealsnap-fresh"
            )

    def close(self) -> None:
        """Let another run have the store."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def count(self) -> int:
        """Return how many outputs there are."""
        return sum(1 for _ in (self.folder / "outputs").rglob(f"*{SUFFIX}"))

    def has(self, deal_id: str) -> bool:
        """Whether there is an output of the deal, of whatever row."""
        return self._path(deal_id, 0).exists()

    def _path(self, deal_id: str, index: int) -> Path:
        return self.folder / "outputs" / f"{relative_path(deal_id).removesuffix(SUFFIX)}.{index}{SUFFIX}"

    def find(self, deal: Deal, index: int = 0) -> Kept | None:
        """Return the output of *deal*, where it was computed for the same row; a damaged file is computed anew."""
        try:
            document = loads(self._path(deal.key, index).read_text(encoding="utf-8"))
            if document["deal"] != deal.key or document["row"] != row_hash(deal):
                return None
            return Kept(document["output"], float(document["seconds"]), bool(document.get("replayed")))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        except OSError as error:
            raise StoreError(f"{self._path(deal.key, index)} cannot be read: {error.strerror or error}") from None

    def keep(
        self, deal: Deal, output: dict[str, Any], seconds: float, index: int = 0, *, replayed: bool = False
    ) -> None:
        """Keep the output of *deal*; *replayed* says that no call was made for it."""
        document = {"deal": deal.key, "output": output, "row": row_hash(deal), "seconds": round(seconds, 3)}
        if replayed:
            document["replayed"] = True
        try:
            write_atomic(str(self._path(deal.key, index)), f"{dumps(document)}\n".encode("utf-8", "surrogatepass"))
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be written: {error.strerror or error}") from None

    def note_look(self, seed: int, affected: int, judged: int) -> None:
        """Take note of what a sample by *seed* found; a fresh start forgets no look."""
        with (self.folder / "looks.jsonl").open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps({'seed': seed, 'affected': affected, 'judged': judged})}\n")

    def red_look(self, seed: int) -> dict[str, int] | None:
        """Return the last sample by another seed than *seed* that found affected deals."""
        try:
            lines = (self.folder / "looks.jsonl").read_text(encoding="utf-8").splitlines()
            looks: list[dict[str, int]] = [json.loads(line) for line in lines]
            return next((one for one in reversed(looks) if one["seed"] != seed and one["affected"]), None)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            raise StoreError(
                f"{self.folder / 'looks.jsonl'} is damaged: it says which samples were drawn. Remove it to go on"
            ) from None

    def note_status(self, deal_id: str, status: str) -> None:
        """Take note of what a deal came to, for ``dealsnap status``."""
        with (self.folder / "statuses.jsonl").open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps([deal_id, status])}\n")
