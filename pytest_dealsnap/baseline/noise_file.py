"""``noise.json`` of a baseline: how far two runs of unchanged code lie apart, as ``dealsnap calibrate`` measured it."""

from __future__ import annotations

from pathlib import Path

from pytest_dealsnap.baseline.files import write_atomic
from pytest_dealsnap.baseline.manifest import read_manifest
from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import ManifestError, NoiseError
from pytest_dealsnap.judging.rules import OR_NOISE
from pytest_dealsnap.model.noise import NOISE_FORMAT, Noise, NoiseFacts, TypeNoise
from pytest_dealsnap.model.record import RecordError, from_plain, to_plain
from pytest_dealsnap.reasoning.canonical import dumps, loads
from pytest_dealsnap.reasoning.run_store import calls_version

__all__ = ["NOISE_FILE", "asks_for_noise", "noise_facts", "read_noise", "write_noise"]

NOISE_FILE = "noise.json"


def read_noise(snapshots: Path) -> Noise | None:
    """Return what was measured; ``None`` where nothing was. Raises :class:`NoiseError` for a file that is no such."""
    path = snapshots / NOISE_FILE
    try:
        plain = loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NoiseError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise NoiseError(f"{path} cannot be read: {error}. {_REMEDY}") from None
    given = plain.get("format") if isinstance(plain, dict) else None
    if given != NOISE_FORMAT:
        raise NoiseError(
            f"{path} has format {given!r}; this version of pytest-dealsnap knows format {NOISE_FORMAT}. {_REMEDY}"
        )
    try:
        return from_plain(Noise, plain)
    except RecordError as error:
        raise NoiseError(f"{path} was edited or damaged: {error}. {_REMEDY}") from None


_REMEDY = "Restore it from git, or measure again: dealsnap calibrate"


def write_noise(snapshots: Path, noise: Noise) -> Path:
    """Write what was measured, whole or not at all, and return the file; raises :class:`NoiseError`."""
    path = snapshots / NOISE_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(str(path), f"{dumps(to_plain(noise))}\n".encode())
    except OSError as error:
        raise NoiseError(f"{path} cannot be written: {error.strerror or error}") from None
    return path


def asks_for_noise(config: Config) -> bool:
    """Whether a rule of the configuration allows noise."""
    return any(" ".join(rule.split()).endswith(OR_NOISE) for table in config.rules.values() for rule in table.values())


def noise_facts(config: Config) -> NoiseFacts:
    """Return what a gate takes from the file: nothing where there is none, or where it is of other code.

    The floors are those of unchanged code, and so of the code that the baseline was captured with, or of this one.
    Raises :class:`NoiseError` for a file that cannot be used.
    """
    noise = read_noise(config.snapshots)
    if noise is None:
        return NoiseFacts()
    if not (asks_for_noise(config) or any(_loses(one) for one in noise.types.values())):
        return NoiseFacts()
    try:
        captured = (read_manifest(config.snapshots) or {}).get("calls_version")
    except ManifestError:
        captured = None  # a gate says so where it reads the manifest, and a capture writes it anew
    if noise.calls_version in (captured, calls_version(config)):
        return NoiseFacts(noise.types)
    return NoiseFacts(
        stale=f"{NOISE_FILE} is of another version of the code (calls.version) than the baseline and this run"
    )


def _loses(noise: TypeNoise) -> bool:
    return noise.errors > 0 or any(metric.errors for metric in noise.metrics.values())
