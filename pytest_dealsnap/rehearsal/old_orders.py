"""What the process of the old code is told, as a file: whose settings hold, which deals, where the answers go."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["Orders", "modules_from"]

# Of a rehearsal's guard, too, wherever its folder is.
_OURS = ("pytest_dealsnap", "_dealsnap_guard", "sitecustomize")


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of one process.

    Attributes:
        root: The project's folder in the user's own checkout, whose settings hold.
        flags: Settings that the command line gave there.
        cwd: Where that command line was typed.
        toplevel: The user's own checkout: no module of the old code may come from there.
        tree: The checkout of the old code.
        words: The old code in words, such as ``main (1a2b3c4d5e6f)``.
        answers: The folder for the snapshots.
        snapshots: The user's own baseline, whose recorded calls are replayed.
        imported: The file that takes the names of modules which came from the user's checkout all the same.
        ids: The deals; ``None`` for all.
        state: The state of the database that the gate reads, where it can be shared.
    """

    root: str
    flags: Mapping[str, Any]
    cwd: str
    toplevel: str
    tree: str
    words: str
    answers: str
    snapshots: str
    imported: str
    ids: tuple[str, ...] | None = None
    state: str | None = None

    def write(self, path: Path) -> None:
        """Write the orders to the file at *path*."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Orders:
        """Return the orders that the file at *path* holds."""
        document = json.loads(path.read_text(encoding="utf-8"))
        ids = document.pop("ids")
        return cls(**document, ids=None if ids is None else tuple(ids))

    def note_imports(self) -> None:
        """Take note of modules of this process that came from the user's checkout, and not from the old one."""
        names = modules_from(Path(self.toplevel), without=[Path(self.tree), *_installed()])
        if names:
            with Path(self.imported).open("a", encoding="utf-8") as file:
                file.write("".join(f"{name}\n" for name in names))


def modules_from(folder: Path, *, without: Iterable[Path]) -> list[str]:
    """Return the loaded modules whose files lie below *folder* and below none of *without*."""
    others = [path.resolve() for path in without if path.resolve() != folder]
    found = []
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or name.partition(".")[0] in _OURS:
            continue
        path = Path(file).resolve()
        if path.is_relative_to(folder) and not any(path.is_relative_to(other) for other in others):
            found.append(f"{name} ({path})")
    return [name for name in found if "site-packages" not in name]


def _installed() -> list[Path]:
    return [Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix)]
