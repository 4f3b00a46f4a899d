"""The command line: a thin skin over the runner; exit codes in `tierbook.errors`."""

from __future__ import annotations

import argparse
import calendar
import datetime as dt
import os
import re
import sys
from pathlib import Path

from tierbook.errors import ParamsError, PublishError, TierbookError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; what a user can cause ends in one line on standard error and an exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except TierbookError as error:
        print(f"tierbook: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(f"tierbook: {what}; nothing was published", file=sys.stderr)
        return PublishError.exit_code
    except KeyboardInterrupt:
        print("tierbook: stopped; nothing was published", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tierbook", description="Customer tiers: orders in, a dated report out.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = _command(commands, "run", _run, "make the report and publish it")
    run.add_argument("params", type=Path)
    when = run.add_mutually_exclusive_group()
    when.add_argument("--month", metavar="YYYY-MM", help="count up to the last day of this month")
    when.add_argument("--as-of", metavar="DATE", help="count up to this day (YYYY-MM-DD), also within a month")
    run.add_argument(
        "--jobs", type=_positive, metavar="N", help="notebooks run at once (default: the processors, at most 4)"
    )
    run.add_argument("--only", metavar="NOTEBOOK", help="run one notebook into outputs/.preview; never publishes")
    check = _command(commands, "check", _check, "check params, tables and gates, without notebooks")
    check.add_argument("params", type=Path)
    new = _command(commands, "new", _new, "look at files, guess their columns, write a params file")
    new.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="CSV, TSV, Excel or Parquet; orders among them"
    )
    new.add_argument("--output", type=Path, metavar="PARAMS", help="default: params/<stem of the first file>.yaml")
    new.add_argument("--force", action="store_true", help="write over a params file that is there")
    new.add_argument("--language", choices=("zh", "en"), help="default: that of the headers")
    new.add_argument(
        "--answer",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="settle a question: amount=实付金额 (repeatable)",
    )
    scale = _command(commands, "scale", _scale, "freeze this month's cut points into params/scales")
    scale.add_argument("params", type=Path)
    for command in (run, check, scale):
        command.add_argument("--outputs", type=Path, metavar="DIR", help="default: outputs/ of the project")
    demo = _command(commands, "demo", _demo, "write the demo's tables as CSV")
    demo.add_argument("folder", type=Path, metavar="DIR")
    archive = _command(commands, "archive", _archive, "rebuild the list of reports")
    archive.add_argument("folder", type=Path, metavar="DIR")
    return parser


def _command(commands, name: str, function, text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(command=function)
    return command


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    params = _load(options)
    from tierbook.report import runner

    run = runner.Run(
        params, str(options.params), _outputs(options), options.jobs or runner.jobs_available(), options.only
    )
    print(runner.run(run))
    return 0


def _check(options: argparse.Namespace) -> int:
    params = _load(options)
    from tierbook.report import runner

    month = runner.check(params, _outputs(options))
    print(month.accounting().to_string(index=False, na_rep=""))
    if month.on_orders:
        from tierbook.show import gates

        print(month.gates().to_string(index=False, na_rep=""))
        for line in gates.lines(month.words(params.report.languages[0]), month.gates()):
            print(line)
    return 0


def _new(options: argparse.Namespace) -> int:
    from tierbook.intake import new

    new.run(new.Order(options.files, options.output, options.force, options.language, tuple(options.answer)))
    return 0


def _scale(options: argparse.Namespace) -> int:
    params = _load(options)
    from tierbook.report import runner
    from tierbook.scores import scales
    from tierbook.workbook import Workbook

    month = Workbook(params, _outputs(options))
    runner.read_anew(month, _outputs(options))
    scale = month.fit_scale(params.as_of)
    replaced = scales.current(scales.FOLDER, params.report.name)
    print(scales.freeze(scale, scales.FOLDER, params.report.name))
    print(scales.difference(scale, replaced))
    if params.rfm.scale != "auto":
        print(f"the params read another scale, rfm.scale = {params.rfm.scale}; write scale: auto to stand on this one")
    return 0


def _demo(options: argparse.Namespace) -> int:
    from tierbook import demo

    for path in demo.write(options.folder).values():
        print(path)
    return 0


def _archive(options: argparse.Namespace) -> int:
    from tierbook.report import archive

    if not options.folder.is_dir():
        raise PublishError(f"{options.folder} is not a folder")
    print(archive.write_index(options.folder))
    return 0


def _load(options: argparse.Namespace):
    from tierbook.params import load

    return load(options.params, _as_of(getattr(options, "month", None), getattr(options, "as_of", None)))


def _as_of(month: str | None, day: str | None) -> dt.date | None:
    """The last day counted, where the command line gives one; a month that is not over is refused."""
    if day is not None:
        try:
            return dt.date.fromisoformat(day)
        except ValueError:
            raise ParamsError(f"--as-of {day!r} is not a date; write YYYY-MM-DD") from None
    if month is None:
        return None
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise ParamsError(f"--month {month!r} is not a month; write YYYY-MM")
    year, number = int(month[:4]), int(month[5:])
    last = dt.date(year, number, calendar.monthrange(year, number)[1])
    if last >= dt.date.today():
        raise ParamsError(f"--month {month} is not over; write --as-of with the last day you have in full")
    return last


def _outputs(options: argparse.Namespace) -> Path:
    from tierbook.workbook.rules import outputs_folder

    folder = (options.outputs or outputs_folder()).absolute()
    os.environ["TIERBOOK_OUTPUTS"] = str(folder)
    return folder


if __name__ == "__main__":
    sys.exit(main())
