"""The example of an agent, as its README says: recorded, gated by replay, and by a sample with a budget."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.scale.documented import commands_of, copied, free_port, with_own_commands

pytest.importorskip("httpx", reason="the example of an agent needs `pip install httpx`")
EXAMPLE = Path(__file__).parents[2] / "examples" / "agent"


def test_the_example_as_it_is_documented(tmp_path: Path) -> None:
    """The README's commands, one by one in a shell, but for the installation and the port."""
    folder = copied(EXAMPLE, tmp_path / "agent")
    commands = commands_of(EXAMPLE)
    assert len(commands) == 7
    ready = "until python -c 'import socket; socket.create_connection((\"127.0.0.1\", 8099))' 2>/dev/null; do :; done"
    commands.insert(2, ready)
    stop = commands.index(next(one for one in commands if "replay only" in one))
    commands.insert(stop, "MODEL_URL=http://127.0.0.1:1 ; export MODEL_URL  # a replay needs no network")
    commands.insert(stop + 2, "export MODEL_URL=http://127.0.0.1:8099")
    script = "\n".join(["set -e", "trap 'kill $(jobs -p)' EXIT", *commands]).replace("8099", str(free_port()))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=with_own_commands(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    text = done.stdout
    assert done.returncode == 0, text + done.stderr
    assert "PROCEED - none of 12 compared deals is affected (12 of 12 replayed)" in text
    assert re.search(r"verdict: PROCEED \(a part of the deals\) - none of 8 affected", text), text
    assert re.search(r"spent: 0\.\d+ USD of a budget of 2\.0 in 8 calls", text), text
    assert "done: 8 of 8 deals, 0 under way" in text
    assert len(list((folder / "snapshots" / "calls").iterdir())) == 12
