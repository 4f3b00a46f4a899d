"""One side of a race, in a process of its own: prepares, then does one step for every line it is sent.

It runs in the peers' environments too, so it needs nothing but Python. Lines are JSON: [step, file of the result or null].
"""

import importlib
import json
import os
import re
import resource
import sys
import time
from pathlib import Path


def peak_mib() -> float:
    """The highest memory of this very program; getrusage would report the parent's where that was larger."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def cpu_seconds() -> float:
    """User and system time of this process, its threads, and the processes that ended within it."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def main(module: str, function: str, arguments: str) -> None:
    """Answer each line with the seconds it took and the peak memory so far."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not be taken for an answer
    steps = getattr(importlib.import_module(module), function)(**json.loads(arguments))
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        step, keep = json.loads(line)
        began, before = time.perf_counter(), cpu_seconds()
        found = steps[step]()
        taken = {"wall": time.perf_counter() - began, "cpu": cpu_seconds() - before, "peak": peak_mib()}
        if keep:
            found.to_parquet(keep)
        del found
        print(json.dumps(taken), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
