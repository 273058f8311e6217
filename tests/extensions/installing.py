"""Packages that a test installs into the environment of a run: a folder on PYTHONPATH with their entry points."""

from __future__ import annotations

import tomllib
from pathlib import Path

__all__ = ["EXAMPLE", "install", "installed_example"]

EXAMPLE = Path(__file__).parents[2] / "examples" / "extension"


def install(site: Path, module: str, source: str, *, group: str = "dealsnap", name: str | None = None) -> str:
    """Install a distribution of one module, an entry point of *group*; return what PYTHONPATH must hold."""
    site.mkdir(parents=True, exist_ok=True)
    (site / f"{module}.py").write_text(source, encoding="utf-8")
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name or module} = {module}\n")
    return str(site)


def installed_example(site: Path) -> str:
    """Install the example as its pyproject.toml says; return what PYTHONPATH must hold."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))
    [(name, module)] = project["project"]["entry-points"]["dealsnap"].items()
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"] == [f"{module}.py"]
    return install(site, module, (EXAMPLE / f"{module}.py").read_text(encoding="utf-8"), name=name)
