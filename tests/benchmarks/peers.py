"""The peers' environments: made once under a folder for what may be thrown away, from peers.txt, outside the project's own."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

PINS = Path(__file__).with_name("peers.txt")
FOLDER = Path(os.environ.get("TIERBOOK_PEERS", Path(tempfile.gettempdir()) / "tierbook-peers"))
PATIENCE = 900  # seconds an installation may take


class Peer(NamedTuple):
    """The libraries of an environment with their versions, its interpreter, and where it has none, why."""

    versions: str
    python: Path | None
    missing: str


def pinned() -> dict[str, list[str]]:
    """Environment → requirements, as peers.txt lists them."""
    lines = [line for line in PINS.read_text().splitlines() if line and not line.startswith("#")]
    return {name: wanted.split() for name, wanted in (line.split(": ") for line in lines)}


def found(name: str, install: bool = True) -> Peer:
    """An environment, made where it is not there yet."""
    wanted = pinned()[name]
    versions = ", ".join(pin.replace("==", " ") for pin in wanted)
    if not install:
        return Peer(versions, None, "not asked for")
    mark = hashlib.sha256(repr((wanted, sys.version_info[:2])).encode()).hexdigest()[:8]
    folder = FOLDER / f"{name}-{mark}"
    failed = None if (folder / ".ready").exists() else _make(folder, wanted)
    return Peer(versions, None if failed else folder / "bin" / "python", f"could not be installed: {failed}")


def _make(folder: Path, wanted: list[str]) -> str | None:
    """Make an environment; the last line of what went wrong, if anything did."""
    shutil.rmtree(folder, ignore_errors=True)
    uv = Path(sys.executable).with_name("uv")
    made = f"{folder}/bin/python"
    for command in (
        [uv, "venv", "-q", "--python", sys.executable, folder],
        [uv, "pip", "install", "-q", "--system-certs", "--python", made, *wanted],
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        except (OSError, subprocess.TimeoutExpired) as problem:
            return f"{type(problem).__name__}: {problem}"[:160]
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["no reason given"])[-1].strip()[:160]
    (folder / ".ready").touch()
    return None
