"""Last month's report, for cron, the Task Scheduler or a CI job.

    python docs/operations/monthly.py params/mine.yaml [options of tierbook run]

Runs ``tierbook run`` for the month before today's (another where ``--month`` or ``--as-of`` is among the options) and
appends what it says to ``.logs/<params>-<year>.log`` of the outputs folder. Silent where it ends well, so that cron sends no mail; else
the last lines of the log, and the exit code of the run.
"""

import datetime as dt
import itertools
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOLD = 5


def last_month(today: dt.date) -> str:
    """The calendar month before the one of ``today``, as YYYY-MM."""
    return f"{today.replace(day=1) - dt.timedelta(days=1):%Y-%m}"


def outputs(options: list[str]) -> Path:
    """Where the run writes its reports: ``--outputs``, else TIERBOOK_OUTPUTS, else ``outputs/`` of the project."""
    given = dict(itertools.pairwise(options)) | dict(
        option.split("=", 1) for option in options if option.startswith("--outputs=")
    )
    return ROOT / (given.get("--outputs") or os.environ.get("TIERBOOK_OUTPUTS") or "outputs")


def main(arguments: list[str], today: dt.date) -> int:
    """Run the report of the params file that stands first in ``arguments``; returns the run's exit code."""
    if not arguments or arguments[0].startswith("-"):
        print(__doc__)
        return 2
    params, *options = arguments
    if not any(option.split("=")[0] in ("--month", "--as-of") for option in options):
        options += ["--month", last_month(today)]
    log = outputs(options) / ".logs" / f"{Path(params).stem}-{today.year}.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
    except OSError as error:
        print(f"cannot write the log {log}: {error.strerror}; nothing was run")
        return 4
    with log.open("ab") as out:
        command = [sys.executable, "-m", "tierbook.cli", "run", params, *options]
        code = subprocess.run(command, cwd=ROOT, stdout=out, stderr=out).returncode
    if code:
        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TOLD:]
        print(f"tierbook run {params} {' '.join(options)}: exit {code}, log {log}", *last, sep="\n")
    return code


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # a log line in Chinese on a console that has none
    sys.exit(main(sys.argv[1:], dt.date.today()))
