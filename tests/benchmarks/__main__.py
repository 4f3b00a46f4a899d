"""All benchmarks by one command; `make benchmarks` writes their tables into docs/benchmarks.md.

    .venv/bin/python tests/benchmarks [--quick] [--without-peers] [--write FILE] [task …]

Tasks: history, segments, value, campaign, report, scores, needs, huge, wide, reach. --quick runs everything on small inputs, to see that it runs.
"""

import argparse
import importlib
import sys
from dataclasses import replace
from pathlib import Path

import peers
import table

TASKS = ("history", "segments", "value", "campaign", "report", "scores", "needs", "huge", "wide", "reach")


def main(arguments: list[str]) -> None:
    """Run the tasks asked for, print each row as it is there, and write the table."""
    asked = _asked(arguments)
    unknown = [name for name in asked.tasks if name not in TASKS]
    if unknown:
        sys.exit(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(TASKS)}")
    beside = {name: peers.found(name, not asked.without_peers) for name in peers.pinned()}
    print(f"{table.machine()}\n{table.versions()}\n", flush=True)
    for task in asked.tasks or TASKS:
        before = table.load()
        rows = importlib.import_module(task).rows(asked.quick, beside)
        if asked.quick:  # goals are for what is large
            rows = [replace(row, most=None, most_memory=None) for row in rows]
        print(f"{task}, load {before} and then {table.load()}", *map(table.text, rows), sep="\n", flush=True)
        if asked.write:
            table.write(asked.write, task, rows, before)


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tasks", nargs="*")
    parser.add_argument("--quick", action="store_true", help="small inputs, one round")
    parser.add_argument("--without-peers", action="store_true", help="install nothing; peers' rows say so")
    parser.add_argument("--write", type=Path, help="write the tables into this Markdown file, between their marks")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
