"""Rounds of a race: each side works in a process of its own, in turns, so that a busy machine is busy for all of them."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from side import cpu_seconds

HERE = Path(__file__).resolve().parent
LIBRARY = HERE.parents[1] / "lib"


class Taken(NamedTuple):
    """Seconds by the clock, seconds of processors (user and system, all threads), peak memory in MiB (0: not measured)."""

    wall: float
    cpu: float
    peak: float = 0.0


class Broken(Exception):
    """A side that could not do its work, and why."""


@dataclass
class Side:
    """Who works: ``function`` of ``module`` called with ``arguments`` by the interpreter ``python`` gives the steps by name."""

    module: str
    function: str
    arguments: dict
    python: Path = Path(sys.executable)
    process: subprocess.Popen | None = None

    def start(self) -> None:
        """Begin the process and wait until it has imported and read what stands before the clock."""
        command = [
            self.python,
            "-W",
            "ignore",
            HERE / "side.py",
            self.module,
            self.function,
            json.dumps(self.arguments),
        ]
        # A file, not a pipe: nobody reads while it works, and a library that warns a lot would fill a pipe and wait.
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [str(part) for part in command],
            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors, "text": True},
            env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        )
        self._answer()

    def work(self, step: str, keep: Path | None = None) -> Taken:
        """Do a step once; ``keep`` is where the result goes, outside the clock."""
        try:
            self.process.stdin.write(json.dumps([step, str(keep) if keep else None]) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer below tells why
        return Taken(**self._answer())

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines() or ["no word"]
        raise Broken(f"ended with {self.process.wait()}: {said[-1][:160]}")

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
            self.errors.close()


def others(module: str, peers: dict, names: Iterable[str], arguments: dict) -> dict[str, Side]:
    """The sides of those peers that have an interpreter; each is the function of the module by its name."""
    return {name: Side(module, name, arguments, peers[name].python) for name in names if peers[name].python}


def race(sides: dict[str, Side], steps: list[str], rounds: int, agree: Callable) -> dict[str, dict[str, Taken] | str]:
    """Side → step → medians of its rounds, or why it broke; ``agree`` (step, results) fails where outputs differ.

    The first round warms up and is compared, never counted; peak memory is that of the process at the end of it, what
    it read and the steps before this one with it. A side that breaks is left out from then on; only the first, which is
    ours, may not.
    """
    found: dict = {name: {} for name in sides}
    try:
        for name, side in sides.items():
            _or_why(found, name, side.start)
        for step in steps:
            whole = {name: side for name, side in sides.items() if not isinstance(found[name], str)}
            _one_step(step, whole, rounds, agree, found)
    finally:
        for side in sides.values():
            side.stop()
    return found


def _or_why(found: dict, name: str, call: Callable):
    try:
        return call()
    except Broken as why:
        if name == next(iter(found)):
            raise
        found[name] = str(why)


def _one_step(step: str, sides: dict[str, Side], rounds: int, agree: Callable, found: dict) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{name}.parquet" for name in sides}
        first = {
            name: _or_why(found, name, lambda n=name, s=side: s.work(step, files[n])) for name, side in sides.items()
        }
        left = {name: side for name, side in sides.items() if first[name]}
        agree(step, {name: pd.read_parquet(files[name]) for name in left})
    taken: dict[str, list[Taken]] = {name: [] for name in left}
    for _ in range(rounds):
        for name, side in left.items():
            if not isinstance(found[name], str) and (once := _or_why(found, name, lambda s=side: s.work(step))):
                taken[name].append(once)
    for name, times in taken.items():
        if not isinstance(found[name], str):
            found[name][step] = median(times, first[name].peak)


def median(times: list[Taken], peak: float = 0.0) -> Taken:
    """The middle of some rounds, clock and processors each for itself."""
    return Taken(statistics.median(t.wall for t in times), statistics.median(t.cpu for t in times), peak)


def measured(work: Callable) -> Taken:
    """Work done here or in processes that end within it: clock and processors, children's with theirs."""
    began, before = time.perf_counter(), cpu_seconds()
    work()
    return Taken(time.perf_counter() - began, cpu_seconds() - before)


def in_turns(works: dict[str, Callable], rounds: int) -> dict[str, Taken]:
    """Medians of works of this very process, in turns; nothing is left out, so the caller warms up what wants it."""
    taken: dict[str, list[Taken]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(measured(work))
    return {name: median(times) for name, times in taken.items()}
